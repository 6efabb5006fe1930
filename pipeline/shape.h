/* shape.h - looking things up in a JSON Schema: what may stand where.
 *
 * The model's room checks and compiles schemas; this only answers what merging needs to know of one
 * that was accepted there: may this value be null, how long may this array be. `$ref` into the same
 * document is followed, a few levels deep.
 */
#ifndef WEFT_PIPELINE_SHAPE_H
#define WEFT_PIPELINE_SHAPE_H

#include <glib.h>

#include "base/json.h"

typedef struct WeftShape {
	const WeftJson *root, *node; /* borrowed; node NULL: nothing is known, all is allowed */
} WeftShape;

WeftShape weft_shape(const WeftJson *schema);
WeftShape weft_shape_property(WeftShape shape, const char *key);
WeftShape weft_shape_item(WeftShape shape);
gboolean weft_shape_allows_null(WeftShape shape);
/* minItems and maxItems; 0 and G_MAXUINT64 where the schema does not say. */
void weft_shape_items(WeftShape shape, guint64 *ret_min, guint64 *ret_max);

#endif
