/* outputs.h - the door of outputs: records go in, files and the catalogue come out.
 *
 * The record files are the truth; the catalogue (STATE/catalog.db, SQLite) is an index that can be
 * rebuilt from them. A record is written whole (temporary file, sync, rename, sync of the folder)
 * before its row. One thread at a time. Several runs may share a folder (share.c): each claims a
 * document before it works on it, and who ends last writes the manifest.
 *
 * What is put waits in a batch until it is committed: many files wait for the disk together. All that
 * reads records here sees what waits; paths are found once their rows are there. A commit is three
 * steps, of which the middle one, where the waiting is, touches nothing but the batch and may run in
 * another thread: weft_outputs_take_commit, weft_commit_publish, weft_outputs_put_commit. After a
 * failure nothing is tried again on what is open (a sync that failed once may say later that all is
 * well): the run ends, its temporary files go away, and the next one goes on.
 */
#ifndef WEFT_OUTPUTS_OUTPUTS_H
#define WEFT_OUTPUTS_OUTPUTS_H

#include <glib.h>
#include <sys/stat.h>

#include "outputs/calibration.h"
#include "outputs/corrections.h"
#include "outputs/export.h"
#include "outputs/found.h"
#include "outputs/kept_job.h"
#include "outputs/passages.h"
#include "outputs/record.h"
#include "outputs/record_paths.h"
#include "outputs/report.h"
#include "outputs/run_file.h"
#include "outputs/search.h"
#include "outputs/stock.h"
#include "outputs/table.h"
#include "outputs/untold.h"
#include "outputs/value.h"
#include "outputs/verify.h"

typedef struct WeftOutputs WeftOutputs;

typedef enum {
	WEFT_OUTPUTS_ALONE,     /* from begin to end */
	WEFT_OUTPUTS_FIRST,     /* nobody is there at the begin; others may join */
	WEFT_OUTPUTS_JOIN,      /* beside those that are there */
} WeftOutputsMode;

/* Makes OUT (mode 0700) and STATE where missing, takes the lock (WEFT_ERROR_CANCELLED with a clear
 * message when another run holds it), opens the catalogue. `state_dir` NULL: OUT/state; on a network
 * filesystem WEFT_ERROR_CONFIG. Runs that share OUT must have one STATE. */
WeftOutputs *weft_outputs_open(const char *out_dir, const char *state_dir, WeftOutputsMode mode,
			       GError **error);
/* As above, to read only: no lock, nothing is made. */
WeftOutputs *weft_outputs_open_existing(const char *out_dir, const char *state_dir, GError **error);
/* The same for looking at the records: a catalogue that can't be believed is none, and *ret_reason
 * (NULL: all is well) says why. Caller frees it. */
WeftOutputs *weft_outputs_open_records(const char *out_dir, const char *state_dir,
				       char **ret_reason, GError **error);
/* A line for people about what opening had to do, or NULL: a catalogue that was gone, damaged or of
 * another version was built anew from the record files. Borrowed. */
const char *weft_outputs_note(const WeftOutputs *outputs);
/* The folder of the catalogue; caller frees. */
char *weft_outputs_state_dir(const WeftOutputs *outputs);
void weft_outputs_close(WeftOutputs *outputs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftOutputs, weft_outputs_close)

/* When a later run makes a record again, by what went wrong. */
typedef enum {
	WEFT_RETRY_NEVER,       /* nothing, or what another try would not mend */
	WEFT_RETRY_UPGRADE,     /* the document broke its decoder: after an upgrade of the decoders */
	WEFT_RETRY_ALWAYS,      /* the machine's doing (unreadable, changed meanwhile): in every run */
} WeftRetry;

/* What is known of a path from an earlier run with this job fingerprint. */
typedef struct WeftKnown {
	char id[72];            /* of the record, "sha256:..." */
	WeftStatus status;
	WeftRetry retry;
	char decoders[17];      /* weft_decoders_key of what made it; "": the record does not say */
	char faults[17];        /* of the stages and codes of its errors; not from a row */
} WeftKnown;

/* What a record says that was not written yet: all but the id. */
void weft_known_of_record(const WeftRecord *record, WeftKnown *ret_known);
/* A short hash of the versions of decoders, to compare. */
void weft_decoders_key(const char *versions, char ret_key[17]);

/* TRUE when path has the same device, inode, size and times as when it was last processed under
 * `fingerprint`, and its record file is there. Never opens the file. */
gboolean weft_outputs_is_unchanged(WeftOutputs *outputs, const char *path, const struct stat *status,
				   const char *fingerprint, WeftKnown *ret_known);

/* The record and its rows, with the next commit; `status` NULL when the file could not be stat'ed. When a
 * record of the same id exists (same bytes at another path), its paths become the union. A record
 * that the path had in this job until now, of other bytes, loses the path; one that only said that
 * the path could not be read is removed. The words of the record's contents are freed. */
gboolean weft_outputs_put(WeftOutputs *outputs, WeftRecord *record, const char *path,
			  const struct stat *status, const char *fingerprint, GError **error);

/* One of the paths of a document that is several files together. */
typedef struct WeftPlace {
	const char *path;
	const struct stat *status; /* NULL: it could not be stat'ed */
} WeftPlace;
/* As weft_outputs_put, of a record with all of these paths; n > 0. */
gboolean weft_outputs_put_together(WeftOutputs *outputs, WeftRecord *record, const WeftPlace *places,
				   gsize n, const char *fingerprint, GError **error);

/* TRUE when a record with this id is already there, so that a copy needs only its path added. */
gboolean weft_outputs_has(WeftOutputs *outputs, const char *id);

/* This run alone works on the record of this id, until its rows are committed, it is released, or the
 * run ends, however it does. FALSE: another run does. */
gboolean weft_outputs_claim(WeftOutputs *outputs, const char *id);
void weft_outputs_release(WeftOutputs *outputs, const char *id);

/* What the record file of this id says; FALSE when there is none that can be read. */
gboolean weft_outputs_look(WeftOutputs *outputs, const char *id, WeftKnown *ret_known);

/* Adds `path` to the record `id` without touching anything else, where it does not stand there; another
 * record that the path had in this job loses it, as weft_outputs_put says. */
gboolean weft_outputs_add_path(WeftOutputs *outputs, const char *id, const char *path,
			       const struct stat *status, const char *fingerprint,
			       WeftKnown *ret_known, GError **error);
/* How many paths the record has that are not gone. */
gboolean weft_outputs_count_paths(WeftOutputs *outputs, const char *id, guint64 *ret_n,
				  GError **error);

/* What a record that is adopted becomes. */
typedef struct WeftAddress {
	const char *id, *fingerprint;
	const char *decoders;   /* their versions, as a record's run has them; NULL: not known */
} WeftAddress;
/* A record that an older weft wrote for the same content and a job that means the same, under another
 * id, gets this one and loses all paths but this; its file under the old id goes away. One that is not
 * whole (failed, partial) does not get the decoders, and so is tried again. FALSE without error: there
 * is none, or it can't be read. */
gboolean weft_outputs_adopt(WeftOutputs *outputs, const char *id_before, const WeftAddress *address,
			    const char *path, const struct stat *status, GError **error);

/* A path that an earlier run of a job has seen. */
typedef struct WeftSource {
	char *path;
	gboolean has_status;    /* FALSE: it could not be stat'ed, or its row was made anew */
	guint64 device, inode, size_bytes;
	gint64 mtime_ns;
} WeftSource;

/* Paths beneath a folder that are not gone (WeftSource; the array clears them), in bytewise order, at
 * most n_max, behind the path `after`, NULL: from the first on. Beneath "." also absolute ones. */
gboolean weft_outputs_sources(WeftOutputs *outputs, const char *folder, const char *after,
			      const char *fingerprint, guint n_max, GArray **ret_sources,
			      GError **error);
/* TRUE when the job has seen this path, and it is not gone. */
gboolean weft_outputs_has_seen(WeftOutputs *outputs, const char *path, const char *fingerprint);
/* TRUE when any job has seen a path beneath that is not gone. */
gboolean weft_outputs_knows_folder(WeftOutputs *outputs, const char *folder);
/* Marks the path gone; where its record has another path, it leaves the record's paths. No record is
 * removed but one that only said that the path could not be read. */
gboolean weft_outputs_lose(WeftOutputs *outputs, const char *path, const char *fingerprint,
			   GError **error);

/* The record file of an id, a prefix of an id (8 characters or more) or a path; caller frees. */
char *weft_outputs_record_path(WeftOutputs *outputs, const char *id_or_path, GError **error);

/* The folder for pieces cut out of the record's document, which nothing makes but who writes there;
 * it goes when the record is erased. NULL: the id is none. Caller frees. */
char *weft_outputs_crops_dir(const WeftOutputs *outputs, const char *id, GError **error);

/* A record by its file, without what is in its lists `content` and `hidden`, which may be hundreds of
 * MB; NULL: damaged, or not to be read. Caller frees. */
WeftJson *weft_record_head(const char *path, GError **error);
/* The whole of it, piece by piece, as one line; FALSE: what the writer has is not a record. */
gboolean weft_record_pass_on(const char *path, WeftJsonWriter *writer, GError **error);

/* One path of the catalogue and where its record is. */
typedef struct WeftListed {
	char *path;             /* bytes as the file system has them */
	char *id;
	char *record_path;      /* of the record file */
} WeftListed;

/* Makes the catalogue anew from the record files. Of their documents it knows the paths, but not
 * what stat(2) said, so each is hashed once more by the next run, and not done again. Files that are
 * no whole record are counted, and left as they are. For outputs that were opened to write. */
typedef struct WeftRebuilt {
	guint64 n_records, n_damaged;
} WeftRebuilt;
gboolean weft_outputs_rebuild(WeftOutputs *outputs, WeftRebuilt *ret_rebuilt, GError **error);

/* A document to do again. */
typedef struct WeftSampled {
	char id[72], sha256[65]; /* of the record; of the document */
	char *fingerprint;       /* of its job */
	GPtrArray *paths;        /* char *: where it is, or was */
} WeftSampled;
/* n documents (WeftSampled, with a free function) of all runs, or those whose records the job of the
 * last run made (summary.json): those with the lowest ids. Left out are failures, what the machine
 * prevented, and what is gone. */
GPtrArray *weft_outputs_sample(WeftOutputs *outputs, gboolean of_last_job, guint n, GError **error);

/* The name of a part of a written record, as bytes; NULL: it has no such part. Caller frees. */
char *weft_record_part_name(const WeftJson *record, guint64 n);
/* Of a record of several files that are one document: their paths among these (char *, as bytes), in the
 * order of its parts, beneath one folder; NULL: they are not all there, or it is of one file. */
GPtrArray *weft_record_part_paths(const WeftJson *record, const GPtrArray *paths);
/* The hash of what lay at a path of a written record when it was made; NULL: it does not say, as of
 * what could not be read, and of copies of a part. Borrowed. */
const char *weft_record_sha256_at(const WeftJson *record, const char *path);
/* Where the captions of a recording at this path lay, and their hash; NULL: it has none, they could not
 * be read, or the recording was moved since. Caller frees. */
char *weft_record_captions_at(const WeftJson *record, const char *path, const char **ret_sha256);

/* ---- cleaning, by weft gc ---- */

/* A record whose document is gone from everywhere. */
typedef struct WeftGone {
	char id[72];            /* "": there is no more */
	char *path;             /* the first of its paths; caller frees */
} WeftGone;
/* The next behind the id `after` ("": the first), in the order of ids. */
gboolean weft_outputs_next_gone(WeftOutputs *outputs, const char *after, WeftGone *ret_gone,
				GError **error);
/* Erases a record: its file, then all that the catalogue has of it. For outputs opened to write. */
gboolean weft_outputs_erase(WeftOutputs *outputs, const char *id, GError **error);
/* Forgets paths that are gone while their record has others, removes temporary files, and lists the
 * records that are there in manifest.sha256. `forgets_gone` FALSE: the last two only. Killed before
 * its end it is simply done again. */
gboolean weft_outputs_tidy(WeftOutputs *outputs, gboolean forgets_gone, GError **error);

/* All paths of the catalogue (WeftListed, with a free function), sorted bytewise. */
GPtrArray *weft_outputs_list(WeftOutputs *outputs, GError **error);

/* The documents of the catalogue one by one, in bytewise order of their (first) paths, each record once.
 * *ret_row NULL: there is no more; `after` NULL: the first. Nothing is held between calls. */
typedef struct WeftDocumentRow {
	char *path;
	char id[72];
	char *record_path;
	char *fingerprint; /* of the job; "": not known */
} WeftDocumentRow;
void weft_document_row_free(WeftDocumentRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftDocumentRow, weft_document_row_free)
gboolean weft_outputs_next_document(WeftOutputs *outputs, const char *after,
				    WeftDocumentRow **ret_row, GError **error);

/* ---- commits ---- */

typedef struct WeftCommit WeftCommit;
void weft_commit_free(WeftCommit *commit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftCommit, weft_commit_free)

/* Records that wait, and paths of records that are there; whether they are so many (64 records, or
 * many bytes) that they should not wait for more; when they have waited long enough, in the time of
 * g_get_monotonic_time (G_MAXINT64: nothing waits): 200 ms, and paths of large records longer. */
guint weft_outputs_n_waiting(const WeftOutputs *outputs);
gboolean weft_outputs_is_full(const WeftOutputs *outputs);
gint64 weft_outputs_due_us(const WeftOutputs *outputs);
/* Writes records whose paths have waited long enough, or all (`at_once`), again into the batch, at
 * most 64 a call. */
gboolean weft_outputs_write_paths(WeftOutputs *outputs, gboolean at_once, GError **error);
/* The batch of records; NULL: it is empty. One at a time: the next one is taken after this one was
 * given back by put or drop. */
WeftCommit *weft_outputs_take_commit(WeftOutputs *outputs);
/* Makes the files last. Any thread. */
gboolean weft_commit_publish(WeftCommit *commit, GError **error);
/* The rows of a batch that is published, in one transaction. */
gboolean weft_outputs_put_commit(WeftOutputs *outputs, WeftCommit *take_commit, GError **error);
/* Gives up a batch that could not be published: temporary files go away. */
void weft_outputs_drop_commit(WeftOutputs *outputs, WeftCommit *take_commit);
/* All of it. */
gboolean weft_outputs_commit(WeftOutputs *outputs, GError **error);

/* The end of a run: commits, then writes summary.json (`summary_json` is JSON text) and, as the last
 * of the runs that share the folder, manifest.sha256 (all records, as `sha256sum -c` reads it).
 * Temporary files of killed runs are removed. */
gboolean weft_outputs_finish(WeftOutputs *outputs, const char *summary_json, GError **error);

/* The JSON Schema of a record. Static. */
const char *weft_record_schema(void);
/* That of an answer to a question over many documents. Static. */
const char *weft_inquiry_schema(void);

#endif
