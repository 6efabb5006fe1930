/* pipeline.h - the door of the corridor: a job goes in, records come out.
 *
 * The corridor joins the rooms and does no work itself. A run is a graph of nodes (join.c shows the
 * whole of it) through which documents flow as streams of parts:
 *
 *     source > sniff > decode x N => read x N > window > fuse > generate > collect > merge > record > sink
 *
 * Every channel is bounded in bytes and the documents under way are bounded in number, so memory
 * does not grow with the size or the number of documents. Reading by the bundle and merging by the
 * model are rounds of their own (fuse, generate, collect) in the same graph; all rounds share one
 * batcher, which owns the model. A guard is a round with a model and a batcher of its own. What goes
 * wrong with a document travels with it into its record.
 *
 * A job is plain data; the same key and text fill it from a job file and from the command line.
 * A run: new (checks everything that can be checked without a model's weights), start, then either
 * join, or poll the descriptor and ask for progress; free. weft_run_stop and weft_run_cancel may be
 * called from any thread, everything else from the one that made the run.
 */
#ifndef WEFT_PIPELINE_PIPELINE_H
#define WEFT_PIPELINE_PIPELINE_H

#include <glib.h>

#include "ingest/ingest.h"
#include "pipeline/crop.h"
#include "pipeline/estimate.h"

typedef enum {
	WEFT_READ_AUTO, /* the bundle when it was trained to read, else Tesseract, else none */
	WEFT_READ_BUNDLE,
	WEFT_READ_TESSERACT,
	WEFT_READ_NONE,
} WeftReadBy;

/* What the only fault of captions begins with that are skipped on their own; the name of their recording
 * follows. */
#define WEFT_CAPTIONS_OF "captions of "

typedef struct WeftJob {
	GPtrArray *inputs;   /* char *: files and folders, in order */
	GPtrArray *excludes; /* char *: globs, matched against the name and against the path */
	GPtrArray *counted;  /* char *: files that count as inputs, of what lies beside them, and are not
			      * done; no key */
	char *task;          /* name of a shipped task, or the path of a task file */
	char *tasks_dir;     /* where the shipped ones are */
	char *schema;        /* path: in place of the task's schema; or NULL */
	char *question;      /* for tasks that ask one; or NULL */
	char *model, *audio; /* folders; audio may be NULL */
	char *language;      /* that is spoken, as Whisper spells it: "de"; NULL: the one that is heard */
	char *terms;         /* file of names and words for Whisper's prompt, a line each; or NULL */
	char *names;         /* of speakers: "S1=Anna,S2=Ben"; or NULL */
	gboolean translates; /* what is said, into English */
	GPtrArray *adapters; /* char *: folders of LoRA adapters, of which the task takes one */
	char *guard;         /* folder of a Llama Guard 4, or NULL */
	char *output;        /* folder, or "-": lines to `lines_fd` and no folder */
	char *state;         /* folder, or NULL: in the output folder */
	guint64 cache_bytes; /* of what was read, kept in the state folder for other questions */
	int lines_fd;
	WeftReadBy reader;
	char *ocr_languages; /* as Tesseract spells them: "eng+deu" */
	char *tier;          /* of the kernels, or NULL: the best */
	char *kv_type;       /* of keys and values: "f32", "bf16", "q8_0", "q4"; or NULL */
	guint64 kv_memory_bytes; /* of keys and values in memory; 0: no limit */
	gboolean locks_weights, prefetches_weights;
	gboolean counts_routing; /* the record's `run` says which experts were chosen */
	guint jobs;          /* threads; 0: one per core */
	guint64 memory_bytes;
	guint64 seed;
	double temperature;
	double page_dpi;     /* 0: chosen for the reader */
	guint32 page_first, page_last; /* 0, 0: all */
	double time_first, time_end;   /* seconds; 0, 0: all */
	WeftLimits limits;             /* of each document; 0: the default */
	GPtrArray *passwords;          /* char * */
	char *password_file;           /* where the last of them are from, or NULL */
	char *trace;         /* path, or NULL */
	gint64 until_s;      /* stop then, seconds since 1970; 0: run to the end */
	double max_time_s;   /* stop after so many seconds; 0: likewise */
	gboolean checks_text; /* what pages draw is compared with what their text says (node_confirm.c) */
	gboolean is_together; /* all inputs are one document (members.h) */
	guint64 sample;      /* only so many documents, a fair choice (estimate.h); 0: all */
	gboolean joins;       /* shares the work with the runs that hold the output folder */
	gboolean is_unlocked; /* decode without a jail (ingest.h, weft_ingest_lock) */
	gboolean rehashes;   /* every file is opened, also where nothing seems to have changed */
	gboolean upgrades;   /* what other decoders made is made again */
	gboolean retries_failed;
	gboolean accepts_deletions; /* folders are believed, however much of them is missing */
	gboolean is_dry;     /* count what would be done; nothing is written, no weights are read */
} WeftJob;

WeftJob *weft_job_new(void);
void weft_job_free(WeftJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftJob, weft_job_free)

/* TRUE when the glob names the path, or the name at its end, as those of `excludes` do. */
gboolean weft_path_matches(const char *path, const char *glob);

/* The keys of job files and the long names of options, NULL-terminated:
 * "task", "page-dpi", ... with a line of help each. */
typedef struct WeftJobKey {
	const char *name, *value, *help; /* value: what the help calls the argument; NULL: an
					  * option without, a key that is true or false */
	char letter;                     /* short option, or 0 */
} WeftJobKey;
const WeftJobKey *weft_job_keys(void);

/* Sets one key from its text. WEFT_ERROR_USAGE says what is wrong with the text. */
gboolean weft_job_set(WeftJob *job, const char *key, const char *text, GError **error);
/* Reads the groups [job] and [limits] of a key file; `inputs`, `adapter` and `exclude` are lists
 * divided by ';'. Relative paths in it are relative to the file. WEFT_ERROR_CONFIG names file and key. */
gboolean weft_job_read(WeftJob *job, const char *path, GError **error);

typedef struct WeftProgress {
	guint64 n_inputs;    /* found so far; all of them once is_listed */
	gboolean is_listed;
	gboolean is_cut;     /* listed, and stopped before all were found */
	guint64 n_done, n_partial, n_failed, n_skipped; /* records written by this run */
	guint64 n_copies;    /* files with the same bytes as another */
	guint64 n_unchanged; /* not opened */
	guint64 n_known;     /* of n_unchanged: those that had failed or been partial before */
	guint64 n_not_sampled; /* of a run with a sample: inputs that are not of it */
	guint64 n_new, n_changed; /* a dry run: paths without a record; with one, of another content
				   * or another job */
	guint64 n_elsewhere; /* another run that shares the folder is at work on them */
	guint64 n_left;      /* not finished, or not begun, when the run stopped: for the next run */
	guint64 n_left_out;  /* found in folders and no input: excluded, links, sockets and the like */
	guint64 n_ignored;   /* likewise: debris of other programs, and what .weftignore names */
	guint64 n_gone;      /* paths of earlier runs that are not there any more */
	guint64 n_pages;
	guint64 n_found;     /* looked at ahead of their documents, for text that can be searched */
	guint64 n_walked;    /* of n_inputs, ahead of their documents */
	gboolean is_finding; /* that is going on */
	guint64 n_pages_kept;   /* of n_pages: an earlier run had read them */
	guint64 n_windows_kept; /* an earlier run had asked about them */
	double seconds;      /* of sound and video */
	double heard_s, hearing_s; /* of recordings that Whisper listens to: so far, and in all */
	double measured_s, measuring_s; /* of those whose sound is measured first, now: likewise */
	char current[256];   /* the file that was begun last, for people */
} WeftProgress;

typedef struct WeftRun WeftRun;

/* The job and the ingest must outlive the run. Errors: USAGE, CONFIG, SCHEMA, WEIGHTS, CONTEXT, IO
 * (nothing could start), CANCELLED (another run holds the output folder). */
WeftRun *weft_run_new(const WeftJob *job, WeftIngest *ingest, GError **error);
void weft_run_free(WeftRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftRun, weft_run_free)

gboolean weft_run_start(WeftRun *run, GError **error);
/* Ends the run in order, as its deadline does: no document, page or window is begun any more, what is
 * under way is finished, n_left of the progress says how many inputs are left for the next run. */
void weft_run_stop(WeftRun *run);
/* TRUE from then on, or from the deadline on. */
gboolean weft_run_is_stopping(const WeftRun *run);
/* Ends it at once: what is under way is dropped and decoders are killed; the ingest can't be used
 * any more but to be closed. */
void weft_run_cancel(WeftRun *run);
/* Becomes readable when the run has come to its end. */
int weft_run_done_fd(const WeftRun *run);
/* Waits for the end and writes summary and manifest. FALSE: nothing could start (as weft_run_new),
 * or WEFT_ERROR_IO: results could not be written, or WEFT_ERROR_CANCELLED. */
gboolean weft_run_join(WeftRun *run, GError **error);
/* TRUE when an IO error of weft_run_join came from writing results. */
gboolean weft_run_failed_to_write(const WeftRun *run);

WeftProgress weft_run_progress(WeftRun *run);
/* Who reads pictures in this run: "tesseract", "bundle", "none". Static. */
const char *weft_run_reader(const WeftRun *run);
/* The name of the model that listens to recordings; NULL: nobody does. Lives as long as the run. */
const char *weft_run_listener(const WeftRun *run);
/* What the inputs hold and take, as far as this run has measured it: of a run with a sample and of
 * a dry run, once it has ended; else NULL. Borrowed. */
const WeftEstimate *weft_run_estimate(const WeftRun *run);
guint weft_run_n_threads(const WeftRun *run);
/* Says on disk how far the run is, for `weft status`; whoever waits for the end calls it now and
 * then. At most one write a second. */
void weft_run_beat(WeftRun *run);
/* Seconds from the first document to the end. */
double weft_run_busy_s(const WeftRun *run);
/* Of a dry run: tokens of a request beside the document's, and the room for its answer. 0 when the
 * task asks nothing. */
typedef struct WeftRunAsks {
	gsize frame_tokens, answer_tokens, context;
} WeftRunAsks;
WeftRunAsks weft_run_asks(const WeftRun *run);
/* The next line for people about one document, or NULL; caller frees. `*ret_is_news` FALSE (NULL is
 * fine): it tells of nothing that went wrong, as of a type that weft does not read. */
char *weft_run_next_message(WeftRun *run, gboolean *ret_is_news);
/* The graph with its counts so far; caller frees. */
char *weft_run_graph(WeftRun *run);

/* ---- a question over many documents, from their records ---- */

#define WEFT_INQUIRY_DOCUMENTS_DEFAULT 20
#define WEFT_INQUIRY_DOCUMENTS_MAX 1000

/* The job has question, output, state, task and model; of its other keys those that concern the model count.
 * Searches first, then asks about the best passages of at most so many documents (inquiry.c); where nothing
 * is found, no model is opened. *ret_json is the answer as outputs/inquiry.schema.json says, without
 * newline, the caller's. *ret_is_answered: something in it is not null. Errors: as weft_run_new. */
gboolean weft_inquiry(const WeftJob *job, guint n_documents_max, char **ret_json,
                      gboolean *ret_is_answered, GError **error);

/* ---- what was read, kept for other questions (stash.h) ---- */

#define WEFT_CACHE_DEFAULT_BYTES ((guint64)2 << 30)

typedef struct WeftStashCounts {
	guint64 size_bytes, freed_bytes;
} WeftStashCounts;

/* For `weft gc`: what interrupted runs have left goes to the cache, and of that what was used longest
 * ago goes, until the rest takes no more than `limit_bytes`. A run may go on meanwhile.
 * WEFT_ERROR_IO: there is no such state folder. */
gboolean weft_stash_collect(const char *state_dir, guint64 limit_bytes, WeftStashCounts *ret_counts,
			    GError **error);

#endif
