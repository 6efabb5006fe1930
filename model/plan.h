/* plan.h - what a bundle needs, and how long a machine takes for it, before anything is loaded.
 *
 * Part of the door: include "model/model.h". A plan is made of the configuration and the table of
 * tensors; no weight is read. A folder with nothing but config.json has no table: its tensors
 * follow from the configuration, in one assumed type, and the plan says so.
 *
 * Memory
 *   weights     by group and type. What a run keeps in memory of the mapping is what it has
 *               touched: all of attention, feed-forward and head; of the embedding a page or two
 *               for each token; of the routed experts those that some token chose. With E experts,
 *               k for each token, and no favourites, T tokens touch E (1 - (1 - k/E)^T) of a layer.
 *   cache       weft_cache_bytes (kv.h): what one request of N positions allocates.
 *   activations weft_pass_size_bytes (layer.h): what one pass of WEFT_STEP_ROWS rows allocates,
 *               and the logits of the requests in flight.
 *   encoder     the rows of the largest picture.
 *
 * Time of a pass of T rows, of R requests, at position p
 *   products    sum over types of weights * gemm_s(type, T); the head for R rows only; routed
 *               experts: of each layer every expert gets r rows, r binomial (T, k/E):
 *               sum over r of P(r) gemm_s(type, r), gemm_s(type, 0) = 0. gemm_s is machine.h's:
 *               on a table max(reading, arithmetic), here what the kernels were measured at.
 *   attention   query heads * keys * attend_s; a chunked layer sees the keys of its chunk.
 *               On a table max(2 * bytes of the keys / bandwidth, 4 * head width / arithmetic).
 *   the rest    norms, rotations and swiglu per number, and a constant for each operation:
 *               measured only; on a table they are taken to hide behind the products.
 *   absent      the share of the routed experts that memory does not hold comes over the link for
 *               each expert that is touched.
 *   Prefill is passes of WEFT_PIECE_ROWS rows of one request; a step of decoding is one pass with
 *   one row for each request in flight.
 */
#ifndef WEFT_MODEL_PLAN_H
#define WEFT_MODEL_PLAN_H

#include <glib.h>

#include "bundle/bundle.h"
#include "model/machine.h"

typedef enum {
	WEFT_GROUP_EMBEDDING,
	WEFT_GROUP_ATTENTION,
	WEFT_GROUP_FFN,     /* of dense layers, and shared experts */
	WEFT_GROUP_EXPERTS, /* routed */
	WEFT_GROUP_HEAD,
	WEFT_GROUP_SMALL,   /* norms and routers */
	WEFT_GROUP_VISION,
	WEFT_GROUP_AUDIO,
	WEFT_GROUP_COUNT
} WeftWeightGroup;

const char *weft_weight_group_name(WeftWeightGroup group);

typedef struct WeftPlanOptions {
	gsize context;     /* positions of a request; 0: the configuration's */
	gsize n_requests;  /* in flight; 0: 1 */
	const char *kv_type; /* "f32", "bf16", "q8_0", "q4"; NULL: what a run would take */
	WeftDtype assumed; /* of matrices, where there are no weights */
} WeftPlanOptions;

typedef struct WeftPlan {
	gboolean is_assumed; /* types: there are no weights */
	guint64 n_weights[WEFT_GROUP_COUNT][WEFT_DTYPE_COUNT];
	guint64 bytes[WEFT_GROUP_COUNT]; /* by group; and all of it: */
	guint64 weights_bytes, weights_count;
	guint64 unread_bytes;            /* of types that weft does not read */
	guint64 touched_bytes, touched_count; /* by one token of an answer */
	gboolean experts_are_kn, head_is_embedding;
	gsize n_layers, n_moe_layers, n_experts, n_experts_active, width, n_vocab;

	gsize context, context_max, n_requests;
	WeftDtype kv_dtype;
	const char *kv_type;      /* its name */
	guint64 cache_bytes;      /* of all requests in flight */
	guint64 cache_token_bytes;/* for each further position of a request */
	guint64 pass_bytes, logits_bytes, encoder_bytes;
	guint64 tokens_per_tile;  /* 0: it does not see */
	struct WeftArch *arch;
	const WeftConfig *config; /* the bundle's, which outlives the plan */
} WeftPlan;

/* WEFT_ERROR_CONFIG, _UNSUPPORTED, _USAGE (the type): as weft_model_open; WEFT_ERROR_CONTEXT: more
 * positions than any cache can count. A context above the configuration's is planned: context_max
 * tells. */
WeftPlan *weft_plan_new(const WeftBundle *bundle, const WeftPlanOptions *options, GError **error);
void weft_plan_free(WeftPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftPlan, weft_plan_free)

/* Everything but the weights. */
guint64 weft_plan_working_bytes(const WeftPlan *plan);
/* What one request of n tokens has touched at its end, of what a run allocates: rows of a pass, its
 * cache, logits of one row. */
guint64 weft_plan_request_bytes(const WeftPlan *plan, gsize n_tokens);
/* Weights in memory once n tokens went through. */
guint64 weft_plan_resident_bytes(const WeftPlan *plan, const WeftMachine *machine,
				 guint64 n_tokens);

/* What lies where. First the working memory and the weights that every token needs, then experts. */
typedef struct WeftPlacement {
	gboolean fits;               /* all of it, in memory */
	gboolean runs;               /* without the routed experts */
	double memory_bytes, host_bytes, disk_bytes;
	double experts_absent;       /* share of the routed experts that memory does not hold */
} WeftPlacement;
WeftPlacement weft_plan_place(const WeftPlan *plan, const WeftMachine *machine);

/* Seconds of one pass: n_rows rows, the same number of each of n_requests, from `position` on. */
double weft_plan_pass_s(const WeftPlan *plan, const WeftMachine *machine, gsize n_rows,
			gsize n_requests, gsize position);
/* Of n_tokens of a prompt, from an empty cache, with the logits of the last. */
double weft_plan_prefill_s(const WeftPlan *plan, const WeftMachine *machine, gsize n_tokens);
/* Of the n_tokens of an answer behind `position`, and n_requests at once. */
double weft_plan_decode_s(const WeftPlan *plan, const WeftMachine *machine, gsize n_requests,
			  gsize position, gsize n_tokens);
/* Of many requests through the batcher: what they hold together, and the mean answer. The frame of a
 * request (instructions, schema) is computed once; passes are full. */
typedef struct WeftPlanWork {
	double n_requests, n_tokens; /* of the documents, in all requests */
	double frame_tokens, answer_tokens; /* of one request */
	double n_tiles;
} WeftPlanWork;
double weft_plan_work_s(const WeftPlan *plan, const WeftMachine *machine, const WeftPlanWork *work);
/* Of the vision tower for one tile. */
double weft_plan_tile_s(const WeftPlan *plan, const WeftMachine *machine);
/* The weights' first way into memory, when this machine was measured: from the disk, or only into
 * the page table. */
double weft_plan_touch_s(const WeftPlan *plan, const WeftMachine *machine, guint64 n_tokens);

#endif
