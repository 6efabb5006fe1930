/* catalog_rows.h - private: rows of the catalogue for those who look at all of it. */
#ifndef WEFT_OUTPUTS_CATALOG_ROWS_H
#define WEFT_OUTPUTS_CATALOG_ROWS_H

#include "outputs/catalog.h"

/* The row of the next record file behind `after` ("": the first), in the order of ids, as it is now;
 * *ret_id is "" when there is no more. Nothing is held between calls: a run that writes meanwhile is
 * seen, and its log does not grow for it. */
gboolean weft_catalog_next_record(WeftCatalog *catalog, const char *after, char ret_id[72],
				  char ret_file_sha256[65], GError **error);
/* TRUE when there is a row of this record, and it is of content that was read. */
gboolean weft_catalog_is_read(WeftCatalog *catalog, const char *id);

guint64 weft_catalog_count_records(WeftCatalog *catalog);

/* Ids of records that are failed or partial, one a call, to the end: valid
 * until the next call, NULL at the end. */
gboolean weft_catalog_next_unwhole(WeftCatalog *catalog, const char **ret_id, GError **error);

/* Records by status (four of them) and the bytes of their files; paths that are there and gone. */
gboolean weft_catalog_count(WeftCatalog *catalog, guint64 *ret_n_status, guint64 *ret_size_bytes,
			    guint64 *ret_n_paths, guint64 *ret_n_gone, GError **error);

/* The next record behind `after` of which every path is gone, and its first path (caller frees); the
 * id is "" when there is no more. */
gboolean weft_catalog_next_gone(WeftCatalog *catalog, const char *after, char ret_id[72],
				char **ret_path, GError **error);
/* All rows of a record and its paths, in a transaction. */
gboolean weft_catalog_erase(WeftCatalog *catalog, const char *id, GError **error);
gboolean weft_catalog_forget_gone(WeftCatalog *catalog, GError **error);
/* Gives the disk back what rows that are gone held, when that is a quarter of the file and more. It
 * needs room for a second file meanwhile: where there is none, all stays as it is. */
void weft_catalog_shrink(WeftCatalog *catalog);

/* As weft_outputs_sample, of one job or (NULL) of all, with paths; NULL on error. */
GPtrArray *weft_catalog_sample(WeftCatalog *catalog, const char *fingerprint, guint n,
			       GError **error);
/* Fingerprints (char *) of jobs that have records; NULL on error. */
GHashTable *weft_catalog_fingerprints(WeftCatalog *catalog, GError **error);

/* What the catalogue says of a path and the record that it has. */
typedef struct WeftSourceRow {
	gboolean is_there;      /* FALSE: nothing, and nothing below counts */
	gboolean is_gone;
	gboolean has_status;
	gint64 size_bytes, mtime_ns;
} WeftSourceRow;
WeftSourceRow weft_catalog_source_row(WeftCatalog *catalog, const char *path, const char *id);


/* The path behind `after` (NULL: the first), bytewise, that is the first one of its record; caller frees
 * *ret_path, which is NULL at the end, and *ret_fingerprint, of the record's job. */
gboolean weft_catalog_next_document(WeftCatalog *catalog, const char *after, char **ret_path,
				    char ret_id[72], char **ret_fingerprint, GError **error);

#endif
