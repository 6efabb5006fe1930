/* fitter.h - one pair of an adapter at one matrix of the base; private to model/adapter.c.
 *
 * All errors are WEFT_ERROR_WEIGHTS with the tensor and both shapes, WEFT_ERROR_UNSUPPORTED with
 * the module, or WEFT_ERROR_LIMIT.
 */
#ifndef WEFT_MODEL_FITTER_H
#define WEFT_MODEL_FITTER_H

#include "model/adapter.h"

typedef struct WeftFitter {
	WeftAdapter *adapter;
	const WeftConfig *config;
	const WeftArch *arch;
	const WeftWeights *weights;
	const WeftKernels *kernels;
} WeftFitter;

/* The matrix of the base that a pair adds to, and where the addition goes. */
typedef struct WeftPlace {
	const WeftTensor *base;
	gboolean is_kn;         /* stored [in,out] */
	gboolean is_permuted;   /* rows stand head by head as GGUF has q and k */
	const char *parameter;  /* as patterns know it; NULL: the module's path */
	WeftLowRank *part;
} WeftPlace;

/* Zeroed memory that the adapter owns. */
gpointer weft_fitter_own(WeftFitter *fitter, gsize n, gsize item_bytes, GError **error);

/* Always FALSE, for `return`. */
gboolean weft_fitter_refuse(const char *path, const char *why, GError **error);
gboolean weft_fitter_refuse_shape(const WeftTensorView *view, gsize n_rows, gsize n_cols,
				  GError **error);

/* A view with two sizes, as it is stored. */
WeftTensor weft_fitter_view(const WeftTensorView *view);

/* Sets the factor of `part`, which must be free. */
gboolean weft_fitter_claim(WeftFitter *fitter, const WeftPlace *place, const WeftLoraPair *pair,
			   gsize rank, WeftLowRank *part, GError **error);

gboolean weft_fitter_matrix(WeftFitter *fitter, const WeftLoraPair *pair, const WeftPlace *place,
			    GError **error);

/* A copy [n_rows,n_cols] of numbers of a tensor: [i][j] is first + i * row_step + j * col_step. */
typedef struct WeftPick {
	gsize n_rows, n_cols;
	gsize first, row_step, col_step;
} WeftPick;
gboolean weft_fitter_pick(WeftFitter *fitter, const WeftTensorView *view, const WeftPick *what,
			  WeftTensor *ret_tensor, GError **error);

/* Which of the two fused tensors it is, and which side lora_A has, is told by the sizes: those of
 * gate and up are {W, 2 F}, those of down {F, W}. Where inputs and outputs are alike, the side is
 * that of PEFT since it knows of orientations: lora_A has the last size of the stored tensor. */
gboolean weft_fitter_fused(WeftFitter *fitter, const WeftLoraPair *pair, WeftAdapterLayer *layer,
			   GError **error);

#endif
