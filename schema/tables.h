/* tables.h - what the constraint looks up of a schema's nodes, made once for each schema.
 *
 * WeftTexts are fixed texts, the literals of an enumeration or the keys of an object, sorted by
 * bytes: those that begin with the bytes taken so far are a range, which each byte narrows.
 * WeftTables has them by WeftNode.id. Nothing here changes after it was made: any threads.
 */
#ifndef WEFT_SCHEMA_TABLES_H
#define WEFT_SCHEMA_TABLES_H

#include "schema/node.h"

typedef struct WeftText {
	const char *bytes; /* borrowed of the node */
	guint32 size_bytes;
	guint32 index;     /* place in the node's own order */
} WeftText;

typedef struct WeftTexts {
	guint32 n;
	WeftText *sorted; /* sorted */
	guint32 **shortest;   /* [k][i]: of the 2^k texts from i on, bytes of the shortest */
	guint32 *by_size;     /* all places, the shortest text first */
} WeftTexts;

typedef struct WeftTables {
	guint n_nodes;
	WeftTexts **texts;    /* LITERALS and OBJECT, else NULL */
	gsize **prefix_bytes;      /* ARRAY with a prefix: least bytes, commas included, of the first i items */
	gboolean has_verbatim;
	guint32 height_max;        /* largest least.height of a node */
} WeftTables;

WeftTables *weft_tables_new(const GPtrArray *nodes);
void weft_tables_free(WeftTables *tables);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftTables, weft_tables_free)

/* Narrows [*first, *end), texts that share their first `n_bytes` bytes, to those that go on with
 * `byte`. FALSE: there are none, and the range is as it was. */
gboolean weft_texts_narrow(const WeftTexts *texts, guint32 *first, guint32 *end,
			       guint32 n_bytes, guint8 byte);

/* Bytes of the shortest text of a range that is not empty. */
guint32 weft_texts_shortest(const WeftTexts *texts, guint32 first, guint32 end);

#endif
