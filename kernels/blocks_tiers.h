/* blocks_tiers.h - stored numbers widened with vector instructions; the values of blocks.h.
 *
 * Private to kernels/. For formats with blocks of many numbers: those with blocks of one are widened
 * where they are used (vector_*.inc). n is whole blocks.
 */
#ifndef WEFT_KERNELS_BLOCKS_TIERS_H
#define WEFT_KERNELS_BLOCKS_TIERS_H

#include "kernels/blocks.h"

#include <stdbool.h>

/* y[n_rows, n_cols] (+)= x[n_rows, n] * w[n_cols, n]^T: dot products in the lanes and the order in
 * which gemm sums rows of f32. Strides from row to row: in numbers, those of w in bytes. What lies
 * `ahead` bytes behind the weights comes next: it is fetched meanwhile. */
typedef struct WeftBlocksDot {
	float *y;
	const float *x;
	const char *w;
	WeftDtype dtype;
	size_t y_stride, x_stride, w_stride, ahead;
	size_t n_rows, n_cols, n;
	bool is_first; /* y is not added to */
} WeftBlocksDot;

/* Columns at a time, all of which stay in the nearest cache. */
#define WEFT_BLOCKS_DOT_COLS 4

#define WEFT_BLOCKS_WIDEN(name) void name(float *y, const void *x, WeftDtype dtype, size_t n)
#define WEFT_BLOCKS_DOT(name) void name(const WeftBlocksDot *dot)

WEFT_BLOCKS_WIDEN(weft_blocks_widen_avx2);
WEFT_BLOCKS_WIDEN(weft_blocks_widen_avx512);
WEFT_BLOCKS_DOT(weft_blocks_dot_avx2);
WEFT_BLOCKS_DOT(weft_blocks_dot_avx512);

#endif
