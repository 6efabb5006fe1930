/* layer.h - one pass over the weights for many rows.
 *
 * A WeftPass is the memory of a pass: at most `rows_max` rows, which may belong to many sequences
 * (segments). The caller fills the embeddings, runs the pass, and asks for the logits of the rows
 * that need them. By the kernel contract a row's result does not depend on the rows beside it, nor
 * on where a sequence is cut into passes.
 *
 * Formulas: as in transformers' modeling_llama4.py, modeling_llama.py and modeling_mixtral.py (arch.h
 * has what differs). Per layer x += attention(norm(x)), x += feed_forward(norm(x)); q and k are
 * turned in pairs, then, if so configured, normed per head without weight (layers with rotation);
 * layers without rotation scale q by 1 + a ln(floor((p + 1) / f) + 1).
 */
#ifndef WEFT_MODEL_LAYER_H
#define WEFT_MODEL_LAYER_H

#include "model/adapter.h"
#include "model/gaze.h"
#include "model/kv.h"
#include "model/residency.h"
#include "model/routing.h"
#include "model/weights.h"

/* Rows [row_first, row_first + n_rows) of the pass are positions from `position` of `cache`, which
 * has been extended by them. */
typedef struct WeftSegment {
	WeftCache *cache;
	gsize row_first, n_rows, position;
	const WeftAdapter *adapter; /* NULL: none */
	WeftRouting *routing; /* counts the experts of these rows; NULL: nobody does */
	WeftGaze *gaze; /* follows the last of these rows, which decides; NULL: nobody does */
} WeftSegment;

typedef struct WeftPass {
	const WeftArch *arch;
	const WeftWeights *weights;
	const WeftKernels *kernels;
	WeftResidency *residency;
	gsize rows_max;
	gsize n_rows;
	const WeftSegment *segments;   /* of the pass at hand */
	gsize n_segments;

	float *x;                      /* [T,W], the residual stream */
	float *h;                      /* [T,W], normed; after a pass: input of the head */
	float *q, *mixed;              /* [T,H,D]; attention's result */
	float *k, *v;                  /* [T,G,D] */
	float *gate, *up;              /* feed-forward, the wider of its uses */
	float *routed, *y;             /* [T,W] */
	float *cosine, *sine;          /* [T,D/2] */
	float *temperature;            /* [T] */
	float *router_logits;          /* [T,E] */
	float *router_weights;         /* [T,active] */
	guint32 *router_index;         /* [T,active] */
	guint32 *expert_rows;          /* [T]: rows of one expert */
	float *expert_factors;         /* [T] */
	gint64 *positions;             /* [T] */
	guint32 *key_end;              /* [T] */
	guint32 *key_first, *key_zero; /* [T]: of chunked layers; of the others */
	WeftAttention *jobs;           /* [T] */
	const WeftAdapter **adapters;  /* [T], NULL where there is none */
	gsize n_adapted;               /* rows with one */
	float *adapter_room;           /* for weft_low_rank_add */
	gsize adapter_room_size;
} WeftPass;

/* WEFT_ERROR_LIMIT when there is no memory. Everything given must outlive it. */
WeftPass *weft_pass_new(const WeftArch *arch, const WeftWeights *weights,
			const WeftKernels *kernels, gsize rows_max, GError **error);
void weft_pass_free(WeftPass *pass);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftPass, weft_pass_free)

/* Before the first pass with it. WEFT_ERROR_LIMIT when there is no memory for its room. */
gboolean weft_pass_prepare(WeftPass *pass, const WeftAdapter *adapter, GError **error);

/* Bytes of the buffers that weft_pass_new allocates. */
gsize weft_pass_size_bytes(const WeftArch *arch, gsize rows_max);

/* Embeddings of n ids, all of them below n_vocab, into rows from `row`. */
void weft_pass_embed(WeftPass *pass, gsize row, const gint32 *ids, gsize n,
		     const WeftAdapter *adapter);

/* x is filled for the rows of all segments, which follow one another from row 0. */
void weft_pass_run(WeftPass *pass, const WeftSegment *segments, gsize n_segments);

/* logits[n,V] of these rows of the last pass; `rows` NULL: the first n. */
void weft_pass_logits(WeftPass *pass, const guint32 *rows, gsize n, float *logits);

/* A mixture: y[T,W] = shared(h), where there is one, + sum of the experts chosen for h. */
void weft_moe_run(WeftPass *pass, gsize layer);

/* y[T,W] = down(silu(gate(h)) * up(h)), the shared expert or a dense layer. */
void weft_feed_forward_run(WeftPass *pass, const WeftLayerWeights *layer);

/* x[n,W] += the addition to the rows `ids` of the table of embeddings. */
void weft_pass_adapt_embeddings(WeftPass *pass, const WeftAdapter *adapter, float *x,
				const guint32 *ids, gsize n);

/* logits[n,V] of h[n,W] with what the adapters of these rows have in place of the head, or beside
 * it; `rows` as in weft_pass_logits. */
void weft_pass_adapt_logits(WeftPass *pass, const guint32 *rows, gsize n, float *logits,
			    const float *h);

/* y[T,N] += what the rows' adapters add to the product of x[T,K] with this matrix of the layer. */
void weft_pass_adapt(WeftPass *pass, const WeftLayerWeights *layer, WeftAdapted which, float *y,
		     const float *x);
/* The same for the rows `expert_rows` of a routed expert, n of them. */
void weft_pass_adapt_expert(WeftPass *pass, const WeftLayerWeights *layer, guint32 expert,
			    WeftAdapted which, float *y, const float *x, gsize n);

#endif
