/* outputs_private.h - what the files of outputs/ know of an output folder, and of a written record. */
#ifndef WEFT_OUTPUTS_OUTPUTS_PRIVATE_H
#define WEFT_OUTPUTS_OUTPUTS_PRIVATE_H

#include "base/files.h"
#include "base/json.h"
#include "outputs/commit.h"
#include "outputs/catalog.h"
#include "outputs/gather.h"
#include "outputs/outputs.h"
#include "outputs/record_file.h"

/* Digits of an id, behind "sha256:". */
#define WEFT_HEX_BYTES 64
/* Names in one of the 256 folders. */
#define WEFT_FOLDER_NAMES_MAX ((gsize)1 << 24)

struct WeftOutputs {
	char *folder;          /* OUT */
	char *records;         /* OUT/records */
	char *database;        /* STATE/catalog.db */
	char *note;            /* what opening has to say, or NULL */
	WeftLock *lock;        /* OUT/lock; NULL when opened to read only */
	gboolean is_alone;     /* nobody else holds it */
	char *gate_lock;       /* STATE/gate.lock: of whoever changes `lock` */
	int claims;            /* STATE/claims; -1 when opened to read only */
	WeftCatalog *catalog;  /* NULL when opened to read only and there is none */
	char *untold;          /* STATE/untold */
	guint64 run_number;    /* of STATE/runs; 0: none */
	gboolean has_new_marks; /* in `untold`, and the next commit makes them last */
	char *job;             /* fingerprint of the job that this run keeps; NULL: none */
	guint64 n_listed;      /* records in the manifest, when it was written last */
	char *publish_lock;    /* STATE/publish.lock */
	WeftGather *gather;     /* paths that wait for their records to be written again */
	WeftCommit *open;       /* what waits for its commit; NULL: nothing */
	const WeftCommit *taken; /* what is being published; NULL: nothing */
	guint n_alone;         /* batches from here on that sync each file by itself */
};

/* Where the record of an id lies; NULL with an error when the id is none. */
char *weft_outputs_file_of_id(const WeftOutputs *outputs, const char *id, GError **error);
/* owner.c: WEFT_ERROR_CONFIG: the state folder is another output folder's. With the lock. */
gboolean weft_outputs_own_state(WeftOutputs *outputs, const char *state, GError **error);
/* Removes what killed runs have left beside the records: when no other run is there. */
gboolean weft_outputs_clean(WeftOutputs *outputs, GError **error);
/* The same of what weft show has cut out of documents. */
gboolean weft_outputs_clean_crops(WeftOutputs *outputs, GError **error);
/* manifest.sha256 of the records that are there; what is temporary among them is removed. */
gboolean weft_outputs_write_manifest(WeftOutputs *outputs, GError **error);
/* What killed runs have left beside the kept jobs, and those that no record needs, by the catalogue;
 * `forgets_few` FALSE: only when they are many. After the manifest; nobody else is there. */
gboolean weft_outputs_clean_jobs(WeftOutputs *outputs, gboolean forgets_few, GError **error);
/* share.c: takes the locks and opens catalogue and claims. WEFT_ERROR_CANCELLED: another run. */
gboolean weft_outputs_begin(WeftOutputs *outputs, WeftOutputsMode mode, GError **error);
/* TRUE when no other run is there, from here on. FALSE without an error: there is one, and the lock
 * is no longer ours. */
gboolean weft_outputs_is_last(WeftOutputs *outputs, GError **error);
/* The catalogue; made anew where it can't be believed, by a run that is alone. */
gboolean weft_outputs_open_catalog(WeftOutputs *outputs, GError **error);
/* What waits under this id, or is being published; NULL: nothing. */
const WeftCommitEntry *weft_outputs_waiting(const WeftOutputs *outputs, const char *id);

/* TRUE for the name (without folder) of a record file. */
gboolean weft_record_is_name(const char *name);
/* Names of record files in one of the 256 folders that begin with `prefix`, sorted; an empty list
 * when there is no such folder. */
GPtrArray *weft_outputs_names(const WeftOutputs *outputs, const char *folder_name,
			      const char *prefix, GError **error);

/* What its row says of a written record, but for the file's checksum and stat(2); borrows from
 * `record`, of which the head will do, and `ret_known`. FALSE: a record without status. */
gboolean weft_record_row(const WeftJson *record, const char *id, WeftKnown *ret_known,
			 WeftCatalogRecord *ret_row);

#endif
