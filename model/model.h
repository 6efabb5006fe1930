/* model.h - the door of the model: sequences go in, answers come out.
 *
 * A WeftModel owns the weights (mapped from the bundle, which must outlive it), the caches and the
 * requests in flight. All requests go through one pass over the weights per step, so that a batch
 * costs little more than one request; the result of a request is the same bytes whatever ran
 * beside it (kernel contract in kernels/kernels.h). One thread at a time.
 *
 * Inside: arch.c turns the configuration into sizes and switches, weights.c points at the tensors,
 * layer.c and moe.c are one pass for many rows, adapter.c fits LoRA adapters to the weights and
 * adapt.c lets them add to their rows, kv.c keeps keys and values in pages (pages.c: in memory, and
 * past a limit in a file), residency.c asks for the parts of the mapped weights that are needed,
 * batch.c says which rows run in the next step, bench.c runs them for the clock. sample.c is the one
 * place where a token is chosen, request.c what it leads to; which tokens a schema allows is asked of
 * schema/.
 *
 * An answer with a schema is always an instance of it, whatever the model and the budget: compact,
 * with declared properties in the order of the schema and no others. Special tokens are never
 * written. A document that can be finished in N bytes can be finished in N tokens, because every
 * byte has a token; a budget (or what the context leaves of it) below that is refused when the
 * request is submitted.
 */
#ifndef WEFT_MODEL_MODEL_H
#define WEFT_MODEL_MODEL_H

#include <glib.h>

#include "bundle/bundle.h"
#include "encoders/sequence.h"
#include "kernels/kernels.h"
#include "model/answer.h"
#include "model/machine.h"
#include "model/plan.h"
#include "schema/schema.h"

typedef struct WeftModel WeftModel;

typedef struct WeftModelOptions {
	gsize context_max;  /* positions per request; 0: what the configuration says */
	gsize batch_max;    /* requests in flight; 0: the default */
	const char *kv_type; /* of keys and values: "f32", "bf16", "q8_0" or "q4"; NULL: as exact as
			      * the weights, f32 for f32 and else bf16 */
	gsize kv_memory_max_bytes; /* of keys and values in memory; 0: no limit */
	const char *kv_folder; /* for the file that takes the rest; NULL: the one for temporary files */
	gboolean locks_weights;      /* all weight files in memory until the bundle is closed */
	gboolean prefetches_weights; /* what every token needs is asked for now, experts are not */
} WeftModelOptions;

typedef struct WeftGeneration {
	/* NULL: free text until the end token; must outlive the request. What is verbatim in it stands
	 * in the sequence's text. */
	const WeftSchema *schema;
	gsize n_tokens_max;       /* less where the context ends first */
	guint64 seed;             /* with the sequence's seed_key and the place: every draw */
	double temperature;       /* 0: greedy */
	/* A text that is one token, or NULL: the answer (without schema) says with which probability
	 * it would have been the first token that is not white space. Must outlive the request. */
	const char *watched;
	const WeftLora *adapter;  /* one that was added to the model; NULL: the base alone */
	gboolean counts_routing; /* the answer says which experts were chosen */
} WeftGeneration;

/* What its configuration alone says against opening it with keys and values of this type (NULL: the
 * default): WEFT_ERROR_CONFIG; WEFT_ERROR_USAGE: no such type; WEFT_ERROR_UNSUPPORTED: another
 * family, or not for these heads. */
gboolean weft_model_check(const WeftBundle *bundle, const char *kv_type, GError **error);

/* As weft_model_check; WEFT_ERROR_WEIGHTS names the tensor; WEFT_ERROR_LIMIT: no memory, or no right
 * to lock so much. */
WeftModel *weft_model_open(WeftBundle *bundle, const WeftKernels *kernels,
			   const WeftModelOptions *options, GError **error);
void weft_model_close(WeftModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftModel, weft_model_close)

/* From now on requests may choose the adapter, which must outlive the model. Several may be added;
 * each stays beside the weights, which do not change, and adds to the rows of its requests alone: a
 * request without one has the same bits as if none had been added. For DoRA the adapted matrices of
 * the base are read once, here. WEFT_ERROR_WEIGHTS names tensor and shapes, or the module that the
 * base does not have, WEFT_ERROR_UNSUPPORTED what can't be adapted. Between requests only. */
gboolean weft_model_add_adapter(WeftModel *model, const WeftLora *lora, GError **error);

gsize weft_model_context(const WeftModel *model);
gsize weft_model_width(const WeftModel *model);

/* Logits of every position: ret_logits[n_tokens][n_vocab], the caller's memory. `adapter`: as in a
 * generation. `step`: token by token through the cache instead of one prefill. `exact`: f32
 * arithmetic throughout. */
gsize weft_model_vocab(const WeftModel *model);
gboolean weft_model_logits(WeftModel *model, const WeftSequence *sequence, const WeftLora *adapter,
			   gboolean step, gboolean exact, float *ret_logits, GError **error);

/* TRUE when another request may be submitted. */
gboolean weft_model_has_room(const WeftModel *model);

/* Takes the sequence, also on failure. The ticket (never 0) names the request. WEFT_ERROR_USAGE:
 * no room, a sequence that contradicts itself, an adapter that was not added; WEFT_ERROR_CONTEXT,
 * with the numbers: prompt and least answer do not fit; WEFT_ERROR_CONFIG: the bundle has no
 * tokenizer to answer with. */
gboolean weft_model_submit(WeftModel *model, WeftSequence *take_sequence,
			   const WeftGeneration *generation, guint64 *ret_ticket, GError **error);

/* One pass: every request in flight gets forward by a piece of its prompt or by one token. */
gboolean weft_model_step(WeftModel *model, GError **error);

/* A finished request, or FALSE when none is. *ret_answer is NULL and *ret_fault set when the
 * request failed. */
gboolean weft_model_take(WeftModel *model, guint64 *ret_ticket, WeftAnswer **ret_answer,
			 GError **ret_fault);
void weft_model_cancel(WeftModel *model, guint64 ticket);

/* Whether the text could be an answer, as its tokens under the masks of the schema: an instance in the
 * layout of answers. Else *ret_byte is the first byte that may not stand there, or the size when the
 * text ends too early. WEFT_ERROR_LIMIT: a vocabulary beyond all measure. */
gboolean weft_model_accepts(const WeftTokenizer *tokenizer, const WeftSchema *schema,
			    const char *text, gsize size_bytes, gboolean *ret_accepts,
			    gsize *ret_byte, GError **error);

/* ---- measuring ----
 *
 * A WeftBench is a batch of sequences of random tokens that begin at the same depth, behind keys and
 * values that were never computed: of each layer normal numbers with the mean square of those that
 * the model made of a first piece. The caller takes the time; a step's work is that of
 * weft_model_step less the choice of tokens. The context of the model is no limit here. */
typedef struct WeftBench WeftBench;

/* The model must outlive it, and answers no requests meanwhile. WEFT_ERROR_USAGE: more sequences than
 * requests are possible. */
WeftBench *weft_bench_new(WeftModel *model, gsize n_sequences, GError **error);
void weft_bench_free(WeftBench *bench);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftBench, weft_bench_free)

/* Gives the next sequence its keys and values up to `depth`, the same for all; to be called once for
 * each of them. WEFT_ERROR_LIMIT: no memory and no disk. */
gboolean weft_bench_fill(WeftBench *bench, gsize depth, GError **error);
/* All sequences begin at their depth again. */
void weft_bench_rewind(WeftBench *bench);
/* One pass that brings sequences nearer to `position`, piece by piece as prompts are; the logits of
 * those that reach it are computed. *ret_n_rows is 0 when all are there. */
gboolean weft_bench_advance(WeftBench *bench, gsize position, gsize *ret_n_rows, GError **error);

typedef struct WeftModelUsage {
	guint64 cache_memory_bytes, cache_file_bytes; /* keys and values that are held */
	guint64 weight_bytes;                         /* of weights used so far */
	const char *kv_type;                          /* static */
} WeftModelUsage;

WeftModelUsage weft_model_usage(const WeftModel *model);

#endif
