/* catalog.h - private: the index over the record files, an SQLite database in write-ahead mode.
 *
 * `record` has a row for each record file with the checksum of the file as it was written and the
 * versions of what read it, `source` one for each path and job fingerprint with what stat(2) said
 * when the path was processed. Nothing in it is the only copy of anything: synchronous=NORMAL may
 * forget the last rows in a power cut, and those documents are then looked at again. A catalogue
 * that can't be believed is made anew from the record files (outputs/rebuild.c).
 */
#ifndef WEFT_OUTPUTS_CATALOG_H
#define WEFT_OUTPUTS_CATALOG_H

#include <glib.h>
#include <sys/stat.h>

#include "outputs/outputs.h"

typedef struct WeftCatalog WeftCatalog;

/* What a row of `record` says. */
typedef struct WeftCatalogRecord {
	const char *id;
	WeftStatus status;
	const WeftKnown *known;  /* its retry and its decoders */
	const char *sha256;      /* of the content, or NULL */
	const char *fingerprint; /* of the job that made it; "": it does not say */
	const char *file_sha256; /* of the record file */
	struct stat file_status;
	const WeftSearchText *text; /* what can be found of it; NULL: what was put before stays */
} WeftCatalogRecord;

/* Opens the database. WEFT_ERROR_CORRUPT: damaged; WEFT_ERROR_UNSUPPORTED: of another version;
 * WEFT_ERROR_EMPTY: there is none, or one that was never finished. All three are for
 * weft_catalog_make. */
WeftCatalog *weft_catalog_open(const char *path, gboolean is_read_only, GError **error);
/* An empty one in place of whatever is there, with a transaction begun: it counts from
 * weft_catalog_seal on. */
WeftCatalog *weft_catalog_make(const char *path, GError **error);
gboolean weft_catalog_seal(WeftCatalog *catalog, GError **error);
void weft_catalog_close(WeftCatalog *catalog);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftCatalog, weft_catalog_close)

/* Transactions that write. The first error is the one to tell, so a rollback has none. */
gboolean weft_catalog_begin(WeftCatalog *catalog, GError **error);
gboolean weft_catalog_commit(WeftCatalog *catalog, GError **error);
void weft_catalog_rollback(WeftCatalog *catalog);

/* Rows of a record file and of a path; in a transaction, or by themselves. `status` NULL: a path that
 * could not be stat'ed, which never counts as unchanged. */
gboolean weft_catalog_put_record(WeftCatalog *catalog, const WeftCatalogRecord *record,
				 GError **error);
gboolean weft_catalog_put_source(WeftCatalog *catalog, const char *id, const char *path,
				 const struct stat *status, const char *fingerprint, GError **error);

/* TRUE when the row of the path has this device, inode, size and times. */
gboolean weft_catalog_is_unchanged(WeftCatalog *catalog, const char *path,
				   const struct stat *status, const char *fingerprint,
				   WeftKnown *ret_known);

/* The id that was last put for a path, under any fingerprint. */
gboolean weft_catalog_id_of_path(WeftCatalog *catalog, const char *path, char ret_id[72]);

/* All paths, sorted bytewise, and the id of each that was put last; char * appended to both. */
gboolean weft_catalog_list(WeftCatalog *catalog, GPtrArray *ret_paths, GPtrArray *ret_ids,
			   GError **error);

/* ---- catalog_source.c ---- */

/* Rows of a job (WeftSource, cleared with the array) beneath a folder that are not gone, in bytewise
 * order, at most n_max, behind the path `after`; NULL: from the first on. Beneath "." lies every
 * path: those that are not relative are among them. */
gboolean weft_catalog_sources(WeftCatalog *catalog, const char *folder, const char *after,
			      const char *fingerprint, guint n_max, GArray **ret_sources,
			      GError **error);
/* TRUE when a path beneath is there, of any job. */
gboolean weft_catalog_has_beneath(WeftCatalog *catalog, const char *folder);
/* TRUE when the path has a row in this job and is not gone. */
gboolean weft_catalog_has_source(WeftCatalog *catalog, const char *path, const char *fingerprint);
/* The id that the path has in this job; "": none. */
gboolean weft_catalog_id_of_source(WeftCatalog *catalog, const char *path, const char *fingerprint,
				   char ret_id[72], GError **error);
/* Appends the paths (char *) whose record it is, but for those that are gone. */
gboolean weft_catalog_paths_of(WeftCatalog *catalog, const char *id, GPtrArray *ret_paths,
			       GError **error);
gboolean weft_catalog_set_gone(WeftCatalog *catalog, const char *path, const char *fingerprint,
			       GError **error);
/* Forgets a record whose file was removed, and the rows of its paths. */
gboolean weft_catalog_forget_record(WeftCatalog *catalog, const char *id, GError **error);

/* ---- catalog.c ---- */

/* The checksum of a record file, when the file is still the one that was written. */
gboolean weft_catalog_file_sha256(WeftCatalog *catalog, const char *id,
				  const struct stat *file_status, char ret_hex[65]);

#endif
