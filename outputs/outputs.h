/* outputs.h - the door of outputs: records go in, files and the catalogue come out.
 *
 * The record files are the truth; the catalogue (STATE/catalog.db, SQLite) is an index that can be
 * rebuilt from them. A record is written whole (temporary file, fsync, rename, fsync of the folder)
 * before its row. One thread at a time.
 */
#ifndef WEFT_OUTPUTS_OUTPUTS_H
#define WEFT_OUTPUTS_OUTPUTS_H

#include <glib.h>
#include <sys/stat.h>

#include "outputs/record.h"
#include "outputs/search.h"

typedef struct WeftOutputs WeftOutputs;

/* Makes OUT (mode 0700) and STATE where missing, takes the lock (WEFT_ERROR_CANCELLED with a clear
 * message when another run holds it), opens the catalogue. `state_dir` NULL: OUT/state. */
WeftOutputs *weft_outputs_open(const char *out_dir, const char *state_dir, GError **error);
/* As above, to read only: no lock, nothing is made. */
WeftOutputs *weft_outputs_open_existing(const char *out_dir, const char *state_dir, GError **error);
void weft_outputs_close(WeftOutputs *outputs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftOutputs, weft_outputs_close)

/* What is known of a path from an earlier run with this job fingerprint. */
typedef struct WeftKnown {
	char id[72];            /* of the record, "sha256:..." */
	WeftStatus status;
} WeftKnown;

/* TRUE when path has the same device, inode, size and times as when it was last processed under
 * `fingerprint`, and its record file is there. Never opens the file. */
gboolean weft_outputs_is_unchanged(WeftOutputs *outputs, const char *path, const struct stat *status,
				   const char *fingerprint, WeftKnown *ret_known);

/* Writes the record file and its row; `status` NULL when the file could not be stat'ed. When a
 * record of the same id exists (same bytes at another path), its paths become the union. */
gboolean weft_outputs_put(WeftOutputs *outputs, WeftRecord *record, const char *path,
			  const struct stat *status, const char *fingerprint, GError **error);

/* TRUE when a record with this id is already there, so that a copy needs only its path added. */
gboolean weft_outputs_has(WeftOutputs *outputs, const char *id);

/* Adds `path` to the record `id` without touching anything else. */
gboolean weft_outputs_add_path(WeftOutputs *outputs, const char *id, const char *path,
			       const struct stat *status, const char *fingerprint,
			       WeftKnown *ret_known, GError **error);

/* The record file of an id, a prefix of an id (8 characters or more) or a path; caller frees. */
char *weft_outputs_record_path(WeftOutputs *outputs, const char *id_or_path, GError **error);

/* One path of the catalogue and where its record is. */
typedef struct WeftListed {
	char *path;             /* bytes as the file system has them */
	char *id;
	char *record_path;      /* of the record file */
} WeftListed;

/* All paths of the catalogue (WeftListed, with a free function), sorted bytewise. */
GPtrArray *weft_outputs_list(WeftOutputs *outputs, GError **error);

/* summary.json and manifest.sha256 (of all records, as `sha256sum -c` reads it): the end of a run.
 * `summary_json` is JSON text. Temporary files of killed runs are removed. */
gboolean weft_outputs_finish(WeftOutputs *outputs, const char *summary_json, GError **error);

/* The JSON Schema of a record. Static. */
const char *weft_record_schema(void);

#endif
