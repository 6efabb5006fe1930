/* tower.h - tensors of a bundle as the towers use them.
 *
 * Matrices stay where they are mapped; vectors (bias, norm weights, positions) are widened to f32
 * once. Every shape is given by the caller from the configuration and checked against the file:
 * WEFT_ERROR_WEIGHTS names the tensor. F8_E4M3 is refused: its scales stand in tensors beside it,
 * and no published tower has it.
 */
#ifndef WEFT_ENCODERS_TOWER_H
#define WEFT_ENCODERS_TOWER_H

#include <glib.h>

#include "bundle/bundle.h"
#include "kernels/kernels.h"

/* Where tensors come from: `prefix` stands before every name. */
typedef struct WeftTower {
	const WeftBundle *bundle;
	const WeftKernels *kernels;
	const char *prefix;
} WeftTower;

gboolean weft_tower_matrix(const WeftTower *tower, const char *name, gsize n_rows,
			   gsize n_cols, WeftTensor *ret_matrix, GError **error);
/* [N, C, kernel] seen as [N, C * kernel], for unfold and gemm. */
gboolean weft_tower_conv(const WeftTower *tower, const char *name, gsize n_out, gsize n_in,
			 gsize kernel, WeftTensor *ret_matrix, GError **error);
/* f32[n] and f32[n_rows, n_cols], for g_free. */
gboolean weft_tower_vector(const WeftTower *tower, const char *name, gsize n,
			   float **ret_vector, GError **error);
gboolean weft_tower_table(const WeftTower *tower, const char *name, gsize n_rows,
			  gsize n_cols, float **ret_table, GError **error);

/* y = weight x + bias; weight [n_out, n_in], the bias widened. */
typedef struct WeftLinear {
	WeftTensor weight;
	float *bias; /* NULL: none */
} WeftLinear;

typedef struct WeftNorm {
	float *weight, *bias;
} WeftNorm;

/* <name>.weight and <name>.bias. The caller calls done also after a failure. */
gboolean weft_tower_linear(const WeftTower *tower, const char *name, gsize n_out, gsize n_in,
			   gboolean has_bias, WeftLinear *linear, GError **error);
void weft_linear_done(WeftLinear *linear);
gboolean weft_tower_norm(const WeftTower *tower, const char *name, gsize width, WeftNorm *norm,
			 GError **error);
void weft_norm_done(WeftNorm *norm);

#endif
