/* columns.h - private: a schema as columns of a table.
 *
 * Each scalar of the schema is a column, named by the keys that lead to it with dots between them
 * ("seller.name"); $ref, allOf, anyOf and oneOf are looked through. A list of scalars is one column. What has no
 * fixed number of values, a list of objects, an object without named members or one inside its like,
 * is one column of JSON text. A schema whose root is a list of objects has the columns of one of them: an element is a
 * document of its own. A name that is taken already, by another place or by the table itself ("id", "status"; "x.page"
 * beside "x"): the later is named by its pointer.
 *
 * Schemas are anybody's: what is no schema has no columns, and their depth and number are bounded.
 */
#ifndef WEFT_OUTPUTS_COLUMNS_H
#define WEFT_OUTPUTS_COLUMNS_H

#include <glib.h>

#include "base/json.h"

typedef enum {
	WEFT_COLUMN_SCALAR,
	WEFT_COLUMN_LIST, /* of scalars */
	WEFT_COLUMN_JSON,
} WeftColumnKind;

typedef struct WeftColumn {
	char *name;
	char *pointer; /* into the answer, or into an element of it */
	WeftColumnKind kind;
} WeftColumn;

typedef struct WeftColumns {
	GPtrArray *list;       /* WeftColumn */
	GHashTable *by_pointer, *by_name;
	gboolean has_elements; /* a schema's root is a list of objects */
} WeftColumns;

WeftColumns *weft_columns_new(void);
void weft_columns_free(WeftColumns *columns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftColumns, weft_columns_free)

/* Adds those of the schema that are not there yet. WEFT_ERROR_LIMIT: more than a table may have. */
gboolean weft_columns_add(WeftColumns *columns, const WeftJson *schema, GError **error);

#endif
