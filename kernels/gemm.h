/* gemm.h - y[T,N] = x[T,K] * w[N,K]^T (gemm) or x[T,K] * w[K,N] (gemm_kn); see kernels.h.
 *
 * gemm sums along rows of w: K in blocks of WEFT_GEMM_BLOCK, each block in the tier's lanes, block
 * sums added in order. gemm_kn sums one number of each row of w after the other: K in blocks of
 * WEFT_GEMM_KN_BLOCK, each from zero in order, block sums added in order. Then times the scale, plus
 * the bias.
 */
#ifndef WEFT_KERNELS_GEMM_H
#define WEFT_KERNELS_GEMM_H

#include "kernels/team.h"
#include "kernels/tensor.h"

#define WEFT_GEMM_BLOCK 1024
#define WEFT_GEMM_KN_BLOCK 256

#define WEFT_GEMM(name)                                                                            \
	void name(WeftTeam *team, float *y, const float *x, size_t n_rows, const WeftTensor *w,    \
		  const float *bias)

WEFT_GEMM(weft_gemm_ref);
WEFT_GEMM(weft_gemm_avx2);
WEFT_GEMM(weft_gemm_avx512);

WEFT_GEMM(weft_gemm_kn_ref);
WEFT_GEMM(weft_gemm_kn_avx2);
WEFT_GEMM(weft_gemm_kn_avx512);

#endif
