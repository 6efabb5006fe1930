/* exclusion.h - cases cleared of what they may not fit.
 *
 * For each schema that must not fit (not; the other ones of oneOf; an if that is not so), type by type:
 * what is proved to be disjoint stays; values that do not fit it stay, one by one; a type that it takes
 * whole goes; else one of its assertions is turned round and added to the set, one way for each
 * assertion that can be. Where none can be, the schema is refused.
 */
#ifndef WEFT_SCHEMA_EXCLUSION_H
#define WEFT_SCHEMA_EXCLUSION_H

#include "schema/expansion.h"
#include "schema/shape.h"

/* What is to be written: the shape's types, and of its values these. */
typedef struct WeftCleared {
	const WeftSchemaShape *shape;
	guint types;
	GPtrArray *values; /* of const WeftJson * */
} WeftCleared;

/* Appends WeftCleared to `ret_cleared`, each to be freed with weft_cleared_free. */
gboolean weft_exclusion_clear(WeftReading *reading, const WeftCase *one, GPtrArray *ret_cleared,
			      GError **error);
void weft_cleared_free(WeftCleared *cleared);

#endif
