/* store.h - the outputs of a run, shared by the nodes that need them.
 *
 * WeftOutputs belongs to one thread at a time; source, sniff and sink take turns here. Without an
 * output folder (lines to stdout) there is no WeftOutputs, and nothing is known of earlier runs.
 *
 * What is put is committed by a thread of the store: 64 records together, or what there is 200 ms
 * after the first of them; paths of a record that is there may wait longer (outputs.h). While it
 * waits for the disk, the next batch is filled. A commit that fails is told by the next put, flush or
 * finish; nothing is put after that.
 */
#ifndef WEFT_PIPELINE_STORE_H
#define WEFT_PIPELINE_STORE_H

#include <glib.h>

#include "outputs/outputs.h"
#include "pipeline/document.h"

typedef struct WeftStore WeftStore;

/* Takes outputs, which may be NULL. Begins the thread that commits; NULL when the system refuses it. */
WeftStore *weft_store_new(WeftOutputs *take_outputs, const char *fingerprint, GError **error);
void weft_store_free(WeftStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftStore, weft_store_free)

gboolean weft_store_is_folder(const WeftStore *store);
/* As the doors of outputs say. */
gboolean weft_store_is_unchanged(WeftStore *store, const char *path, const struct stat *status,
                                 WeftKnown *ret_known);
/* TRUE when a record names this path, whatever job made it and whatever the file is now. */
gboolean weft_store_knows(WeftStore *store, const char *path);
gboolean weft_store_has(WeftStore *store, const char *id);
/* What the run does about a document of this id. */
typedef enum {
	WEFT_CLAIM_FIRST,     /* it is the one to work on it, until a record or path of the id was put */
	WEFT_CLAIM_COPY,      /* this run has one of the same id already, done or under way */
	WEFT_CLAIM_ELSEWHERE, /* another run is at work on it */
} WeftClaim;
WeftClaim weft_store_claim(WeftStore *store, const char *id);
gboolean weft_store_look(WeftStore *store, const char *id, WeftKnown *ret_known);
/* Those of the run's job. Without a folder: none. */
gboolean weft_store_sources(WeftStore *store, const char *folder, const char *after, guint n_max,
                            GArray **ret_sources, GError **error);
/* FALSE: it can't be said. */
gboolean weft_store_count_paths(WeftStore *store, const char *id, guint64 *ret_n);
gboolean weft_store_has_seen(WeftStore *store, const char *path);
gboolean weft_store_knows_folder(WeftStore *store, const char *folder);
gboolean weft_store_lose(WeftStore *store, const char *path, GError **error);
gboolean weft_store_put_found(WeftStore *store, const WeftFoundFile *file, const WeftSearchText *text,
                              GError **error);
gboolean weft_store_is_found(WeftStore *store, const char *path, const struct stat *status);
gboolean weft_store_settle_found(WeftStore *store, GError **error);
gboolean weft_store_adopt(WeftStore *store, const char *id_before, const WeftAddress *address,
                          const WeftDocument *document, GError **error);
gboolean weft_store_put(WeftStore *store, WeftRecord *record, const WeftDocument *document,
                        GError **error);
gboolean weft_store_add_path(WeftStore *store, const WeftDocument *document, WeftKnown *ret_known,
                             GError **error);
/* That of the run's fingerprint; without a folder nothing is kept. */
gboolean weft_store_keep_job(WeftStore *store, const WeftKeptJob *job, GError **error);
/* As weft_outputs_set_run and the rest of untold.h. Without a folder nothing is untold. */
void weft_store_set_run(WeftStore *store, guint64 number);
gboolean weft_store_will_tell(WeftStore *store, const char *id, GError **error);
gboolean weft_store_take_over(WeftStore *store, const char *id, gboolean *ret_is_untold,
                              GError **error);
gboolean weft_store_has_told(WeftStore *store, GError **error);
/* Waits until all that was put is on the disk. */
gboolean weft_store_flush(WeftStore *store, GError **error);
gboolean weft_store_finish(WeftStore *store, const char *summary_json, GError **error);

#endif
