/* norm.h - rmsnorm, layernorm and softmax of rows; see kernels.h. Sums of the norms are f64. */
#ifndef WEFT_KERNELS_NORM_H
#define WEFT_KERNELS_NORM_H

#include "kernels/team.h"

#define WEFT_RMSNORM(name)                                                                         \
	void name(WeftTeam *team, float *y, const float *x, const float *weight, size_t n_rows,    \
		  size_t width, float eps)
#define WEFT_LAYERNORM(name)                                                                       \
	void name(WeftTeam *team, float *y, const float *x, const float *weight,                   \
		  const float *bias, size_t n_rows, size_t width, float eps)
#define WEFT_SOFTMAX(name)                                                                         \
	void name(WeftTeam *team, float *y, const float *x, size_t n_rows, size_t width)

WEFT_RMSNORM(weft_rmsnorm_ref);
WEFT_LAYERNORM(weft_layernorm_ref);
WEFT_SOFTMAX(weft_softmax_ref);

#endif
