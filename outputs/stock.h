/* stock.h - part of the door of outputs: what an output folder holds, counted.
 *
 * From the catalogue, from the beginnings of records that are not whole, and from the sizes of files
 * in the state folder. Reads only, while a run goes on as well; the numbers are those of that moment.
 */
#ifndef WEFT_OUTPUTS_STOCK_H
#define WEFT_OUTPUTS_STOCK_H

#include <glib.h>

struct WeftOutputs;

/* Why records are not whole: the first error of each. */
typedef struct WeftStockReason {
	char *stage, *code;
	char *path;             /* a document of them; bytes as the file system has them */
	guint64 n;
} WeftStockReason;

typedef struct WeftStock {
	char *state_dir;
	gboolean has_catalog;
	guint64 n_status[4];    /* records by WeftStatus */
	guint64 records_bytes;
	guint64 n_paths, n_gone; /* of documents; those that are gone are not among n_paths */
	guint64 n_found;        /* files that are known, and searchable, and have no record yet */
	GPtrArray *reasons;     /* WeftStockReason, the most frequent first */
	guint64 n_not_read;     /* failed and partial records that reasons leave out: too many */
	guint64 catalog_bytes;
	guint64 n_work, work_bytes;   /* journals of documents that runs have begun and not finished */
	guint64 n_cache, cache_bytes; /* journals of what was read, kept for other questions */
} WeftStock;

WeftStock *weft_stock_take(struct WeftOutputs *outputs, GError **error);
void weft_stock_free(WeftStock *stock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftStock, weft_stock_free)

#endif
