/* run.h - private: what the nodes of a run share.
 *
 * Everything here is made before the first thread and does not change while threads run, but for
 * the parts that are safe by themselves (engine, store, budget) and the tally, which has its mutex.
 */
#ifndef WEFT_PIPELINE_RUN_H
#define WEFT_PIPELINE_RUN_H

#include <glib.h>
#include <pthread.h>

#include "pipeline/budget.h"
#include "pipeline/stash.h"
#include "pipeline/ears.h"
#include "pipeline/engine.h"
#include "pipeline/entry.h"
#include "pipeline/graph.h"
#include "pipeline/item.h"
#include "pipeline/ledger.h"
#include "pipeline/names.h"
#include "pipeline/pipeline.h"
#include "pipeline/stop.h"
#include "pipeline/store.h"
#include "pipeline/task.h"

typedef struct WeftMessage {
	char *text;
	gboolean is_news;
} WeftMessage;

typedef struct WeftTally {
	pthread_mutex_t mutex; /* guards all below */
	WeftProgress progress;
	WeftLedgers ledgers;
	GQueue messages; /* WeftMessage */
	WeftEstimate *estimate; /* of a sample, or a dry run; else NULL */
	guint64 first_ns, last_ns; /* when the first document was sent, when the last one ended */
} WeftTally;

/* What the nodes of a round share. */
typedef struct WeftRoundNode {
	struct WeftRun *run;
	WeftEngine *engine; /* the run's, or its guard */
	WeftRoundNumber number;
} WeftRoundNode;

/* What the run says of itself for `weft status`; of the thread that made it. */
typedef struct WeftBeat {
	WeftRunFile *file; /* NULL: no folder, or it has ended */
	gint64 begin_s, last_us;
} WeftBeat;

struct WeftRun {
	const WeftJob *job;
	WeftIngest *ingest;
	WeftTask *task;
	WeftEngine *engine; /* NULL: no model is needed */
	WeftEngine *guard;  /* NULL: none is asked for */
	WeftReadBy reader;  /* never AUTO */
	WeftNames *names;
	WeftEars *ears;     /* NULL: nobody listens to recordings */
	guint n_threads;
	char fingerprint[65], fingerprint_before[65];
	char decoders[17]; /* WeftKnown.decoders of what this run makes */
	GPtrArray *inputs; /* char *: the job's, by weft_path_tidy; borrowed from it or `tidied` */
	GStringChunk *tidied;
	WeftStore *store;
	char *state_dir; /* where what is large may lie; NULL: lines, which leave nothing anywhere */
	WeftStash *stash; /* NULL: no folder, nothing is kept */
	WeftBudget *budget;
	WeftStop *stop;
	WeftTrace *trace;
	WeftGraph *graph;
	WeftRoundNode rounds[WEFT_N_ROUNDS];
	WeftTally tally;
	int done_fd;
	gboolean failed_to_write; /* set by the sink, read after the join */
	gboolean is_refused; /* set by the source: the inputs are not believed */
	guint64 n_lost; /* set by the source: paths to mark gone at the end */
	gboolean is_joined;
	guint64 begin_ns;
	WeftBeat beat;
};

/* The file of this run, and its last word: "done", "left" (stopped, or ended early) or "failed". */
void weft_run_beat_begin(WeftRun *run, const char *state_dir);
void weft_run_beat_end(WeftRun *run, const char *state);

/* Counts from any thread: pointers into the progress, e.g.
 * weft_run_count(run, G_STRUCT_OFFSET(WeftProgress, n_pages), 1). */
void weft_run_count(WeftRun *run, gsize field_offset, guint64 n);
#define WEFT_COUNT(run, field, n) weft_run_count(run, G_STRUCT_OFFSET(WeftProgress, field), n)
/* What comes in: a page, a track, a stretch of sound; pages and stretches behind a limit. */
void weft_run_tally_part(WeftRun *run, const WeftPart *part);
void weft_run_tally_fault(WeftRun *run, const GError *fault, const WeftAnchor *at);
/* So much more was listened to, and is to be. */
void weft_run_tally_heard(WeftRun *run, double heard_s, double hearing_s);
/* The same of the first pass; it is taken back when the pass is over. */
void weft_run_tally_measured(WeftRun *run, double measured_s, double measuring_s);
void weft_run_add_ledgers(WeftRun *run, const WeftLedgers *more);
/* TRUE when a window shows the model this picture or sound. Of a run whose engine is open. */
gboolean weft_run_shows(const WeftRun *run, const WeftItem *item);
/* How sure the model must be of what it says, in this job: above 1 when it was not made for its task. */
double weft_run_confidence_min(const WeftRun *run);
void weft_run_begin_file(WeftRun *run, const char *path);
/* `is_whole` FALSE: the run was stopped before all was found. */
void weft_run_listed(WeftRun *run, guint64 n_inputs, gboolean is_whole);
/* "weft 0.1.0; weft-decode-pdf ...": who makes records in this run; caller frees. */
char *weft_run_versions(const WeftRun *run);
/* TRUE when a document with such a record is worked on again: asked for, or what went wrong may go
 * better now. */
gboolean weft_run_tries_again(const WeftRun *run, const WeftKnown *known);
/* The look at all inputs ahead of the documents begins, or is over. */
void weft_run_finds(WeftRun *run, gboolean is_finding);
void weft_run_say(WeftRun *run, char *take_message);
/* What quiet runs keep to themselves. */
void weft_run_remark(WeftRun *run, char *take_message);
/* A file of the inputs, in a run that estimates; else nothing. */
void weft_run_add_file(WeftRun *run, const char *path, guint64 size_bytes, gboolean is_known);
/* A document has come to its end, likewise. `counts` may be NULL. */
void weft_run_measured(WeftRun *run, const WeftDocument *document, const WeftEstimateCounts *counts);

/* The nodes, in the order of the flow. `shared` of each is the WeftRun, of fuse, generate, collect,
 * guard, verdict and merge a WeftRoundNode. */
extern const WeftNodeClass weft_node_source, weft_node_sniff, weft_node_decode, weft_node_read, weft_node_hear,
    weft_node_window, weft_node_match, weft_node_type, weft_node_divide, weft_node_fuse, weft_node_generate, weft_node_collect, weft_node_guard,
    weft_node_verdict, weft_node_merge, weft_node_record, weft_node_confirm, weft_node_sink,
    weft_node_survey_reading, weft_node_survey;

#endif
