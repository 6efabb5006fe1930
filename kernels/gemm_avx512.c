#include "kernels/gemm.h"

#include <immintrin.h>

/* 24 sums, 4 rows of x and one of weights in 32 registers. */
#define LANES 16
#define BLOCK_ROWS 4
#define BLOCK_COLS 6
#define KN_ROWS 8
#define KN_VECTORS 3
#define TIER(name) name##_avx512

typedef __m512 Vector;

static inline Vector vector_zero(void)
{
	return _mm512_setzero_ps();
}

static inline Vector vector_set(float x)
{
	return _mm512_set1_ps(x);
}

static inline Vector vector_load(const float *x)
{
	return _mm512_loadu_ps(x);
}

static inline void vector_store(float *y, Vector x)
{
	_mm512_storeu_ps(y, x);
}

static inline Vector vector_fma(Vector a, Vector b, Vector c)
{
	return _mm512_fmadd_ps(a, b, c);
}

static inline Vector widen_half(__m256i half, WeftDtype dtype)
{
	if (dtype == WEFT_DTYPE_F16)
		return _mm512_cvtph_ps(half);
	return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

static inline Vector vector_widen(const char *x, WeftDtype dtype)
{
	if (dtype == WEFT_DTYPE_F32)
		return _mm512_loadu_ps((const float *)(const void *)x);
	return widen_half(_mm256_loadu_si256((const __m256i *)(const void *)x), dtype);
}

static inline Vector vector_widen_tail(const char *x, WeftDtype dtype, size_t n)
{
	__mmask16 mask = (__mmask16)((1u << n) - 1);
	if (dtype == WEFT_DTYPE_F32)
		return _mm512_maskz_loadu_ps(mask, x);
	return widen_half(_mm256_maskz_loadu_epi16(mask, x), dtype);
}

/* Upper half on lower half, four times. */
static inline float vector_sum(Vector x)
{
	__m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
	__m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
	__m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
	return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

#include "kernels/gemm_fma.h"
