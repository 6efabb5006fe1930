/* engine.h - bundle, encoders and model of a run, opened when the first document needs them.
 *
 * A run in which nothing has changed never loads a weight. Opening happens once, on whichever node
 * comes first; what fails then, fails the run. A guard is an engine of its own: another bundle, with
 * encoders, model and batcher.
 *
 * A round is one kind of request: read (what stands in a picture), answer (the task over a window),
 * merge (the task over the answers), guard (is a window, is its answer safe). The shared prefix of a
 * round is its system turn; of the guard's, all that stands before the conversation.
 */
#ifndef WEFT_PIPELINE_ENGINE_H
#define WEFT_PIPELINE_ENGINE_H

#include <glib.h>

#include "bundle/bundle.h"
#include "encoders/encoders.h"
#include "pipeline/batcher.h"
#include "pipeline/pipeline.h"
#include "pipeline/task.h"

typedef enum {
	WEFT_ROUND_READ,
	WEFT_ROUND_ANSWER,
	WEFT_ROUND_MERGE,
	WEFT_ROUND_GUARD,       /* windows and their answers */
	WEFT_ROUND_GUARD_MERGE, /* what the merge round answers */
	/* Ahead of the answer, and numbered behind it: the numbers are in keys and in seeds. */
	WEFT_ROUND_TYPE,        /* which type a document is, by its first window */
	WEFT_ROUND_DIVIDE,      /* on which pages of a window a document begins */
	WEFT_N_ROUNDS,
} WeftRoundNumber;

typedef struct WeftRound {
	WeftRoundNumber number;
	const char *stage;        /* of its faults: "read", "answer", "merge", "guard", "type", "divide" */
	char *system, *question;  /* question may be NULL */
	const WeftSchema *schema; /* NULL: free text */
	gsize answer_tokens;
	gboolean is_greedy;       /* whatever the job's temperature is */
	const char *watched;      /* see WeftGeneration; NULL */
	const WeftLora *adapter;  /* of answer and merge; NULL: the base alone */
} WeftRound;

typedef struct WeftEngine WeftEngine;

/* Opens the bundle's configuration and tokenizer, not its weights, and the adapters of the job and
 * the task. Borrows job and task. */
WeftEngine *weft_engine_new(const WeftJob *job, const WeftTask *task, guint n_threads,
                            GError **error);
/* The engine of the job's guard. WEFT_ERROR_CONFIG: a bundle that can't be one. */
WeftEngine *weft_engine_new_guard(const WeftJob *job, guint n_threads, GError **error);
void weft_engine_free(WeftEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftEngine, weft_engine_free)
/* What its requests heed (batcher.h). Borrowed; before it is opened. */
void weft_engine_heed(WeftEngine *engine, const WeftStop *stop);
/* Requests under way end as cancelled. From any thread. */
void weft_engine_cancel(WeftEngine *engine);

const WeftBundle *weft_engine_bundle(const WeftEngine *engine);
/* The adapter that answers and merges; NULL: none. What is read is read by the base alone, because
 * jobs share it. */
const WeftLora *weft_engine_adapter(const WeftEngine *engine);
const WeftRound *weft_engine_round(const WeftEngine *engine, WeftRoundNumber number);
/* Of answer and merge, as documents of this type of the task are asked; 0: of none. */
const WeftRound *weft_engine_round_of(const WeftEngine *engine, WeftRoundNumber number, guint type);

/* Any thread, any number of times; the first opens. In a dry run what counts tokens is opened, and
 * no weights. */
gboolean weft_engine_open(WeftEngine *engine, GError **error);

/* An engine for a task: the bundle was made for any, or for this one under its own schema. An adapter was
 * made for more than the base was: whoever names it says that it knows the task. */
gboolean weft_engine_knows_task(const WeftEngine *engine);
/* A line for people about an engine that does not know what it will be asked; NULL: it does, it is asked
 * nothing, or there is none. Caller frees. */
char *weft_engine_untaught(const WeftEngine *engine);
/* What is said in sound that becomes rows counts as read. `engine` NULL: FALSE. */
gboolean weft_engine_hears_words(const WeftEngine *engine);
/* Once open: */
const WeftEncoders *weft_engine_encoders(const WeftEngine *engine);
WeftBatcher *weft_engine_batcher(const WeftEngine *engine);
/* Tokens of document that a request of the round can hold. */
gsize weft_engine_capacity(const WeftEngine *engine, WeftRoundNumber number);
/* Tokens of one tile of a picture; 0: the bundle does not see. */
gsize weft_engine_tile_tokens(const WeftEngine *engine);
/* "avx2"; NULL when the engine was never opened. */
const char *weft_engine_tier(WeftEngine *engine);

#endif
