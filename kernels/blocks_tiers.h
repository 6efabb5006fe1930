/* blocks_tiers.h - stored numbers widened with vector instructions; the values of blocks.h.
 *
 * Private to kernels/. For formats with blocks of many numbers: those with blocks of one are widened
 * where they are used (vector_*.inc). n is whole blocks.
 */
#ifndef WEFT_KERNELS_BLOCKS_TIERS_H
#define WEFT_KERNELS_BLOCKS_TIERS_H

#include "kernels/blocks.h"

#define WEFT_BLOCKS_WIDEN(name) void name(float *y, const void *x, WeftDtype dtype, size_t n)
/* sum of x[n] * w[n] in the lanes and the order in which gemm sums rows of f32. */
#define WEFT_BLOCKS_DOT(name) float name(const float *x, const void *w, WeftDtype dtype, size_t n)

WEFT_BLOCKS_WIDEN(weft_blocks_widen_avx2);
WEFT_BLOCKS_WIDEN(weft_blocks_widen_avx512);
WEFT_BLOCKS_DOT(weft_blocks_dot_avx2);
WEFT_BLOCKS_DOT(weft_blocks_dot_avx512);

#endif
