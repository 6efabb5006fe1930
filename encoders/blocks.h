/* blocks.h - the layers that towers are made of: pre-norm, full attention, GELU.
 *
 *     x += o(attention(q(n1 x), k(n1 x), v(n1 x)))        n1, n2: LayerNorm, eps 1e-5
 *     x += fc2(gelu(fc1(n2 x)))
 *
 * The Llama 4 vision tower and Whisper's encoder are stacks of these; they differ in names, in the
 * rotation of q and k (vision only) and in the bias of k (Whisper has none). Rows of one sequence
 * attend to the first n_keys rows of the same sequence; scores are scaled by 1 / sqrt(D).
 */
#ifndef WEFT_ENCODERS_BLOCKS_H
#define WEFT_ENCODERS_BLOCKS_H

#include <glib.h>

#include "encoders/tower.h"

#define WEFT_BLOCKS_NORM_EPS 1e-5F /* what torch's LayerNorm has unless told otherwise */

typedef struct WeftBlock WeftBlock;

/* What an adapter adds to the products of a layer; a.data NULL: nothing. */
typedef struct WeftBlockParts {
	WeftLowRank q, k, v, o, fc1, fc2;
} WeftBlockParts;

typedef struct WeftBlocks {
	WeftBlock *layers;
	gsize n_layers, width, n_heads, ffn;
	const WeftBlockParts *parts; /* [n_layers], or NULL; set by the caller of apply */
	gsize parts_room;            /* numbers that weft_low_rank_add needs for them */
} WeftBlocks;

typedef enum {
	WEFT_BLOCKS_VISION,  /* input_layernorm, self_attn.o_proj, mlp.fc1 ... */
	WEFT_BLOCKS_WHISPER, /* self_attn_layer_norm, self_attn.out_proj, fc1 ... */
} WeftBlocksNames;

/* Fills `blocks`, whose sizes the caller has set; tensors are <prefix>layers.<n>.<name>. The
 * caller calls done also after a failure. */
gboolean weft_blocks_init(WeftBlocks *blocks, const WeftTower *weights, WeftBlocksNames names,
			  GError **error);
void weft_blocks_done(WeftBlocks *blocks);

/* x[n_sequences][n_rows][width] in place. `cosine`, `sine`: [n_rows][D / 2], or NULL for no
 * rotation. */
gboolean weft_blocks_apply(const WeftBlocks *blocks, const WeftKernels *kernels, float *x,
			   gsize n_sequences, gsize n_rows, gsize n_keys, const float *cosine,
			   const float *sine, GError **error);

#endif
