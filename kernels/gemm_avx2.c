#include "kernels/gemm.h"

#include <immintrin.h>

/* 12 sums, 3 rows of x and one of weights in 16 registers. */
#define LANES 8
#define BLOCK_ROWS 3
#define BLOCK_COLS 4
#define KN_ROWS 4
#define KN_VECTORS 3
#define TIER(name) name##_avx2

typedef __m256 Vector;

static inline Vector vector_zero(void)
{
	return _mm256_setzero_ps();
}

static inline Vector vector_set(float x)
{
	return _mm256_set1_ps(x);
}

static inline Vector vector_load(const float *x)
{
	return _mm256_loadu_ps(x);
}

static inline void vector_store(float *y, Vector x)
{
	_mm256_storeu_ps(y, x);
}

static inline Vector vector_fma(Vector a, Vector b, Vector c)
{
	return _mm256_fmadd_ps(a, b, c);
}

static inline Vector vector_widen(const char *x, WeftDtype dtype)
{
	if (dtype == WEFT_DTYPE_F32)
		return _mm256_loadu_ps((const float *)(const void *)x);
	__m128i half = _mm_loadu_si128((const __m128i *)(const void *)x);
	if (dtype == WEFT_DTYPE_F16)
		return _mm256_cvtph_ps(half);
	return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}

static inline Vector vector_widen_tail(const char *x, WeftDtype dtype, size_t n)
{
	float padded[LANES] = {0};
	memcpy(padded, x, weft_dtype_row_bytes(dtype, n));
	return vector_widen((const char *)padded, dtype);
}

/* Upper half on lower half, three times. */
static inline float vector_sum(Vector x)
{
	__m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
	__m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
	return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

#include "kernels/gemm_fma.h"
