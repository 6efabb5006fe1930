/* arith.h - number by number: swiglu, gelu, add, scale, scale_rows, to_f32, from_f32; see
 * kernels.h. */
#ifndef WEFT_KERNELS_ARITH_H
#define WEFT_KERNELS_ARITH_H

#include "kernels/dtype.h"
#include "kernels/team.h"

#define WEFT_SWIGLU(name)                                                                          \
	void name(WeftTeam *team, float *y, const float *gate, const float *up, size_t n_rows,     \
		  size_t width, size_t in_stride)
#define WEFT_GELU(name) void name(WeftTeam *team, float *y, const float *x, size_t n)
#define WEFT_ADD(name) void name(WeftTeam *team, float *y, const float *x, size_t n)
#define WEFT_SCALE(name) void name(WeftTeam *team, float *y, const float *x, float factor, size_t n)
#define WEFT_SCALE_ROWS(name)                                                                      \
	void name(WeftTeam *team, float *y, const float *x, const float *factors, size_t n_rows,   \
		  size_t width)
#define WEFT_TO_F32(name)                                                                          \
	void name(WeftTeam *team, float *y, const void *x, WeftDtype dtype, size_t n)
#define WEFT_FROM_F32(name)                                                                        \
	void name(WeftTeam *team, void *y, WeftDtype dtype, const float *x, size_t n)

WEFT_SWIGLU(weft_swiglu_ref);
WEFT_GELU(weft_gelu_ref);
WEFT_ADD(weft_add_ref);
WEFT_SCALE(weft_scale_ref);
WEFT_SCALE_ROWS(weft_scale_rows_ref);
WEFT_TO_F32(weft_to_f32_ref);
WEFT_FROM_F32(weft_from_f32_ref);

#endif
