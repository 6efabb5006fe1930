/* kernels.h - the door of the operations: one table, filled for the machine that runs.
 *
 * A WeftKernels is a name and one function per operation; above this folder nobody knows which
 * machine computes. Tiers: "ref" (plain C, the definition of every operation), "avx2" (with FMA and
 * F16C), "avx512" (F, BW, DQ, VL). A tier takes the operation of the tier below where it has none
 * of its own. Vision, audio and backbone all use it. The table and its team are safe to use from
 * several threads: operations take turns on the team.
 *
 * The contract
 *   A result is a function of the row's own operands and of the tier. It has the same bits whether
 *   the row is computed alone or among any others, with 1 thread or N, in prefill or in decoding:
 *   - a sum over K is taken in fixed blocks and in fixed lanes, the same ones in the form for one
 *     row and in the form for many, and the lanes are joined in a fixed tree;
 *   - work is cut by shape (team.h), and one piece owns an output number from first to last;
 *   - attention goes through the pages of the cache in order, one page at a time, also in prefill;
 *   - keys and values are read back in the type of the cache, also those just computed;
 *   - ties go to the lowest index; nothing is dropped for lack of capacity.
 *   Between tiers the last bits differ. Stored numbers are widened to f32 exactly; all arithmetic
 *   is f32 (angles, the sums of norms and the spectrum f64); every expression is rounded as written
 *   (no contraction except where a tier says FMA in its own code).
 *
 * Shape letters
 *   T rows (tokens, frames, patches)    K width of the input, summed over    N width of the output
 *   W width of a row    H query heads    G key/value heads, H = G * group; head h reads h / group
 *   D width of a head   S positions      E experts    C channels    F values of a frame
 *   x[T,K]: T rows of K numbers, K fastest. Activations (float *) are contiguous unless a stride is
 *   named (in numbers, from row to row); weights are WeftTensor views of any dtype.
 *   Small vectors (bias, norm weights) are f32: widen them once at load with to_f32.
 *
 * Every size may be 0: then nothing happens. Sizes and pointers are the caller's promise;
 * operations never fail. Outputs do not overlap inputs unless "in place" is said. No alignment is
 * needed.
 */
#ifndef WEFT_KERNELS_KERNELS_H
#define WEFT_KERNELS_KERNELS_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/dtype.h"
#include "kernels/team.h"
#include "kernels/tensor.h"

/* Positions in a page of the key or value cache, and the block by which attention sums. */
#define WEFT_PAGE_POSITIONS 64
#define WEFT_HEAD_WIDTH_MAX 512
/* Samples in a frame of power_spectrum (Whisper: 400). */
#define WEFT_FRAME_SIZE_MAX 4096

/* Rows of one sequence that attend to keys and values in pages. Key position s is row s % 64 of
 * page s / 64, page[64, G, D]; D is whole blocks of their format. Pages without a visible key may be
 * NULL. Query row t sees the keys
 * [key_first[t], key_end[t]): causal: end = position + 1; chunked layers: first = position / chunk
 * * chunk; encoders and cross attention: 0 and S. A row that sees no key gives zeros. */
typedef struct WeftAttention {
	float *y;                  /* [T,H,D] */
	const float *q;            /* [T,H,D] */
	const void *const *k_pages;
	const void *const *v_pages;
	WeftDtype dtype;           /* of both caches */
	const uint32_t *key_first; /* [T] */
	const uint32_t *key_end;   /* [T] */
	size_t n_rows, n_heads, n_kv_heads, head_width; /* D <= WEFT_HEAD_WIDTH_MAX */
	float scale;               /* of the scores: 1 / sqrt(D) */
	float *mass;               /* NULL, or [H, key_end of the last row]: probabilities of the last
				    * row, 0 for keys that it does not see */
} WeftAttention;

typedef enum {
	WEFT_ROUTER_SIGMOID, /* Llama 4: weight = sigmoid(logit) */
	WEFT_ROUTER_SOFTMAX, /* Mixtral: softmax over the chosen k */
} WeftRouter;

/* A picture or a signal cut into the rows that a gemm takes; see unfold. */
typedef struct WeftUnfold {
	const float *x;
	size_t n_channels, n_frames;
	size_t channel_stride, frame_stride; /* x[c * channel_stride + t * frame_stride] */
	size_t kernel, stride, padding;
} WeftUnfold;

typedef struct WeftKernels WeftKernels;

/* k->gemm(k->team, ...): the first argument of every operation is the table's team. */
struct WeftKernels {
	const char *name; /* of the tier */
	WeftTeam *team;

	/* Products. Scales of the weights (tensor.h) multiply the sums, before the bias. */
	/* y[T,N] = x[T,K] * w[N,K]^T + bias[N]; bias may be NULL */
	void (*gemm)(WeftTeam *team, float *y, const float *x, size_t n_rows, const WeftTensor *w,
		     const float *bias);
	/* y[T,N] = x[T,K] * w[K,N] + bias[N]; bias may be NULL. Weights stored [in,out], in a format
	 * with blocks of one number: GGUF's blocks lie along K, so GGUF stores [out,in]. */
	void (*gemm_kn)(WeftTeam *team, float *y, const float *x, size_t n_rows, const WeftTensor *w,
			const float *bias);
	/* Many jobs (sequences) at once; each has its rows, caches and output. */
	void (*attention)(WeftTeam *team, const WeftAttention *jobs, size_t n_jobs);

	/* Rows. */
	/* y[T,W] = x * rsqrt(mean(x^2) + eps) * weight[W]; weight may be NULL; in place allowed */
	void (*rmsnorm)(WeftTeam *team, float *y, const float *x, const float *weight,
			size_t n_rows, size_t width, float eps);
	/* y[T,W] = (x - mean) * rsqrt(variance + eps) * weight[W] + bias[W]; weight and bias may be
	 * NULL; in place allowed */
	void (*layernorm)(WeftTeam *team, float *y, const float *x, const float *weight,
			  const float *bias, size_t n_rows, size_t width, float eps);
	/* y[T,W] = softmax of each row; in place allowed; a row of -inf only gives zeros */
	void (*softmax)(WeftTeam *team, float *y, const float *x, size_t n_rows, size_t width);
	/* cosine[T,D/2], sine[T,D/2] of position[T] * frequency[D/2], the angle in f64 */
	void (*rope_table)(WeftTeam *team, float *cosine, float *sine, const int64_t *positions,
			   size_t n_rows, const double *frequencies, size_t n_pairs);
	/* x[T,H,D] in place: pairs (2i, 2i + 1) turned by row t of the tables [T,D/2] */
	void (*rope_pairs)(WeftTeam *team, float *x, const float *cosine, const float *sine,
			   size_t n_rows, size_t n_heads, size_t head_width);
	/* The same with pairs (i, i + D/2) */
	void (*rope_halves)(WeftTeam *team, float *x, const float *cosine, const float *sine,
			    size_t n_rows, size_t n_heads, size_t head_width);

	/* Numbers. */
	/* y[T,W] = silu(gate[T,W]) * up[T,W]; rows of gate and up are in_stride apart; y may be gate
	 * or up when in_stride == width */
	void (*swiglu)(WeftTeam *team, float *y, const float *gate, const float *up, size_t n_rows,
		       size_t width, size_t in_stride);
	/* y[n] = x / 2 * (1 + erf(x / sqrt 2)); in place allowed */
	void (*gelu)(WeftTeam *team, float *y, const float *x, size_t n);
	/* y[n] += x[n] */
	void (*add)(WeftTeam *team, float *y, const float *x, size_t n);
	/* y[n] = x[n] * factor; in place allowed */
	void (*scale)(WeftTeam *team, float *y, const float *x, float factor, size_t n);
	/* y[T,W] = x[T,W] * factor[T]; in place allowed */
	void (*scale_rows)(WeftTeam *team, float *y, const float *x, const float *factors,
			   size_t n_rows, size_t width);
	/* y[n] = x[n] widened, exactly; n is whole blocks of dtype */
	void (*to_f32)(WeftTeam *team, float *y, const void *x, WeftDtype dtype, size_t n);
	/* y[n] = x[n] rounded to F32, BF16, F16 (to nearest even), Q8_0, Q4_0 (as gguf does), Q4_K or
	 * Q6_K (by search); a block with an infinity or NaN becomes NaN; n is whole blocks */
	void (*from_f32)(WeftTeam *team, void *y, WeftDtype dtype, const float *x, size_t n);

	/* Choosing rows. */
	/* y[T,W] = row index[t] of w[S,W], widened, times its scale: embeddings; and, with an f32 view of
	 * activations, the rows of one expert */
	void (*fetch_rows)(WeftTeam *team, float *y, const WeftTensor *w, const uint32_t *index,
			   size_t n_rows);
	/* y[index[t],W] += x[t,W] * factor[t]; factors may be NULL (1); the indices of one call differ */
	void (*add_rows)(WeftTeam *team, float *y, const float *x, const uint32_t *index,
			 const float *factors, size_t n_rows, size_t width);
	/* index[T,k], weight[T,k]: the k largest of logits[T,E], largest first, ties to the lowest
	 * index; NaN counts as -inf; k <= E */
	void (*router_topk)(WeftTeam *team, uint32_t *index, float *weight, const float *logits,
			    size_t n_rows, size_t n_experts, size_t k, WeftRouter router);

	/* Pictures and sound. */
	/* y[T,C*kernel], T = (n_frames + 2 padding - kernel) / stride + 1: row t holds, channel by
	 * channel, the frames t * stride - padding ... of x, zeros outside. A convolution is this and
	 * a gemm with w[N, C, kernel] seen as [N, C*kernel]. */
	void (*unfold)(WeftTeam *team, float *y, const WeftUnfold *unfold);
	/* y[rows*cols, C*side*side] = patches of x[C, height, width], row-major; inside a patch
	 * channel, line, column; height and width are multiples of side */
	void (*patchify)(WeftTeam *team, float *y, const float *x, size_t n_channels,
			 size_t height, size_t width, size_t side);
	/* y[(rows/f)*(cols/f), f*f*W] = the f x f neighbours of x[rows*cols, W] side by side,
	 * row-major in the block; rows and cols are multiples of f (1 / pixel_shuffle_ratio) */
	void (*pixel_shuffle)(WeftTeam *team, float *y, const float *x, size_t n_rows,
			      size_t n_cols, size_t width, size_t factor);
	/* power[T, F/2+1] = |DFT of window[F] * samples[t * hop ... + F]|^2, T frames, f64 inside;
	 * samples has (T - 1) * hop + F numbers: the caller has padded it;
	 * F <= WEFT_FRAME_SIZE_MAX */
	void (*power_spectrum)(WeftTeam *team, float *power, const float *samples,
			       const double *window, size_t n_frames, size_t frame_size, size_t hop);
};

/* tier: NULL for the best that this machine has, or "ref", "avx2", "avx512". WEFT_ERROR_USAGE: no
 * such tier, or n_threads out of 0..WEFT_TEAM_THREADS_MAX (0: one per core that the process may
 * use); WEFT_ERROR_UNSUPPORTED: this machine can't; WEFT_ERROR_LIMIT: no memory or threads. */
WeftKernels *weft_kernels_open(const char *tier, int n_threads, GError **error);
void weft_kernels_close(WeftKernels *kernels); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftKernels, weft_kernels_close)

/* `n * size` bytes aligned to 64, not cleared, for weft_kernels_free; NULL and WEFT_ERROR_LIMIT
 * when they can't be had. For activations and caches. */
void *weft_kernels_alloc(const WeftKernels *kernels, size_t n, size_t size, GError **error);
void weft_kernels_free(const WeftKernels *kernels, void *memory); /* NULL is fine */

/* What an adapter adds to a product of the same x, R numbers wide inside: LoRA's
 * y[T,N] += scale * (x[T,K] * a[R,K]^T) * b[N,R]^T + bias[N], and then, for DoRA,
 * y = gain[N] * y + offset[N]. */
typedef struct WeftLowRank {
	WeftTensor a, b;
	float scale;
	const float *bias;         /* NULL: none */
	const float *gain;         /* NULL: 1 and 0 */
	const float *offset;       /* NULL: 0 */
} WeftLowRank;

/* Rows that go through together: enough to read b once for many, and room for few wide rows. */
#define WEFT_LOW_RANK_ROWS 32

/* Numbers of room that the addition needs, however many rows there are. */
size_t weft_low_rank_room(const WeftLowRank *low_rank);
void weft_low_rank_add(const WeftKernels *kernels, const WeftLowRank *low_rank, float *y,
		       const float *x, size_t n_rows, float *room);
/* gain[N] /= the lengths of the rows of w[N,K] + scale * b a. WEFT_ERROR_LIMIT: no memory. */
gboolean weft_low_rank_divide(const WeftKernels *kernels, const WeftLowRank *low_rank,
			      const WeftTensor *w, float *gain, GError **error);

#endif
