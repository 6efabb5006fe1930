#include "check.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "kernels/blocks.h"

#define MARGIN_BYTES 196 /* before and after; not a multiple of any vector */
#define GUARDS (MARGIN_BYTES / 4)

static const guint32 guard = 0x5ca1ab1e;

void check_tiers_init(CheckTiers *tiers)
{
	static const char *const names[] = {"ref", "avx2", "avx512"};
	tiers->n = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GError) error = NULL;
		WeftKernels *one = weft_kernels_open(names[i], 1, &error);
		if (!one) {
			g_assert_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED);
			continue;
		}
		tiers->one[tiers->n] = one;
		tiers->eight[tiers->n] = weft_kernels_open(names[i], 8, &error);
		g_assert_no_error(error);
		tiers->n++;
	}
	g_assert_cmpuint(tiers->n, >, 0);
}

void check_tiers_done(CheckTiers *tiers)
{
	for (size_t i = 0; i < tiers->n; i++) {
		weft_kernels_close(tiers->one[i]);
		weft_kernels_close(tiers->eight[i]);
	}
}

/* splitmix64 */
static guint64 next(guint64 *state)
{
	guint64 z = *state += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

float check_random(guint64 *state)
{
	return (float)((double)(next(state) >> 11) * 0x1p-52 - 1.0);
}

size_t check_random_below(guint64 *state, size_t limit)
{
	return next(state) % limit;
}

float *check_floats(guint64 *state, size_t n)
{
	return (float *)check_matrix(state, WEFT_DTYPE_F32, 1, n, 0).data;
}

static void put(char *at, WeftDtype dtype, float value)
{
	guint16 half = dtype == WEFT_DTYPE_BF16 ? weft_bf16_from_f32(value) : weft_f16_from_f32(value);
	if (dtype == WEFT_DTYPE_F32)
		memcpy(at, &value, sizeof value);
	else
		memcpy(at, &half, sizeof half);
}

/* Where a block has its f16 scales (the same twice: there is one), and the greatest number that it
 * has with a scale of 1. */
static const struct {
	size_t first, second;
	float greatest;
} scales[WEFT_DTYPE_COUNT] = {
	[WEFT_DTYPE_Q4_0] = {0, 0, 8},        [WEFT_DTYPE_Q4_1] = {0, 2, 15},
	[WEFT_DTYPE_Q5_0] = {0, 0, 16},       [WEFT_DTYPE_Q5_1] = {0, 2, 31},
	[WEFT_DTYPE_Q8_0] = {0, 0, 128},      [WEFT_DTYPE_Q2_K] = {80, 82, 45},
	[WEFT_DTYPE_Q3_K] = {108, 108, 128},  [WEFT_DTYPE_Q4_K] = {0, 2, 945},
	[WEFT_DTYPE_Q5_K] = {0, 2, 1953},     [WEFT_DTYPE_Q6_K] = {208, 208, 4096},
	[WEFT_DTYPE_IQ4_NL] = {0, 0, 127},    [WEFT_DTYPE_IQ4_XS] = {0, 0, 4064},
	[WEFT_DTYPE_IQ2_XXS] = {0, 0, 167},   [WEFT_DTYPE_IQ3_XXS] = {0, 0, 481},
};

/* Random bits with scales that make numbers of about -1..1. */
static void put_block(char *at, WeftDtype dtype, guint64 *state)
{
	for (size_t i = 0; i < weft_dtype_block_bytes(dtype); i++)
		at[i] = (char)check_random_below(state, 256);
	if (dtype == WEFT_DTYPE_F8_E4M3) {
		at[0] &= (char)0xb7; /* below 2, never NaN */
	} else if (dtype == WEFT_DTYPE_MXFP4) {
		at[0] = (char)(114 + check_random_below(state, 12)); /* 12 * 2^-14 .. 12 * 2^-3 */
	} else {
		float greatest = scales[dtype].greatest;
		put(at + scales[dtype].first, WEFT_DTYPE_F16, check_random(state) / greatest);
		if (scales[dtype].second != scales[dtype].first)
			put(at + scales[dtype].second, WEFT_DTYPE_F16, check_random(state) / greatest);
	}
}

WeftTensor check_matrix(guint64 *state, WeftDtype dtype, size_t rows, size_t cols, size_t gap)
{
	size_t values = weft_dtype_block_values(dtype), block = weft_dtype_block_bytes(dtype);
	/* Rows of blocks of many numbers begin at any byte. */
	size_t row_bytes = weft_dtype_row_bytes(dtype, cols) + gap * (values == 1 ? block : 1);
	size_t n_bytes = rows * row_bytes + 2 * MARGIN_BYTES;
	char *memory = g_malloc(n_bytes);
	memset(memory, 0xff, n_bytes); /* NaN in every format, or infinite */
	WeftTensor matrix = weft_tensor_matrix(memory + MARGIN_BYTES, dtype, rows, cols);
	matrix.row_bytes = row_bytes;
	for (size_t row = 0; row < rows; row++) {
		char *at = (char *)weft_tensor_row(&matrix, row);
		for (size_t col = 0; col < cols; col += values, at += block) {
			if (dtype < WEFT_DTYPE_HALVES_END)
				put(at, dtype, check_random(state));
			else
				put_block(at, dtype, state);
		}
	}
	return matrix;
}

/* F32, BF16 and F16 are read here, the others as check_blocks.c has found them right. */
double check_at(const WeftTensor *matrix, size_t row, size_t col)
{
	size_t values = weft_dtype_block_values(matrix->dtype);
	const char *at = (const char *)weft_tensor_row(matrix, row) +
			 col / values * weft_dtype_block_bytes(matrix->dtype);
	guint16 half;
	float value, block[256];
	if (matrix->dtype >= WEFT_DTYPE_HALVES_END) {
		weft_blocks_widen(block, at, matrix->dtype, values);
		return (double)block[col % values];
	}
	if (matrix->dtype == WEFT_DTYPE_F32) {
		memcpy(&value, at, sizeof value);
		return (double)value;
	}
	memcpy(&half, at, sizeof half);
	int n_fraction = matrix->dtype == WEFT_DTYPE_BF16 ? 7 : 10, bias = 127;
	if (matrix->dtype == WEFT_DTYPE_F16)
		bias = 15;
	int fraction = half & ((1 << n_fraction) - 1), exponent = (half & 0x7fff) >> n_fraction;
	if (exponent == 0) /* subnormal: no leading one */
		exponent = 1;
	else
		fraction |= 1 << n_fraction;
	return ldexp(half & 0x8000 ? -fraction : fraction, exponent - bias - n_fraction);
}

void check_free(const void *inputs)
{
	g_free((char *)(guintptr)inputs - MARGIN_BYTES);
}

float *check_output(size_t n)
{
	guint32 *memory = g_new(guint32, n + 2 * GUARDS);
	float *output = (float *)(memory + GUARDS);
	for (size_t i = 0; i < n + 2 * GUARDS; i++)
		memory[i] = guard;
	for (size_t i = 0; i < n; i++)
		output[i] = NAN;
	return output;
}

void check_output_free(float *output, size_t n)
{
	guint32 *memory = (guint32 *)output - GUARDS;
	for (size_t i = 0; i < GUARDS; i++) {
		g_assert_cmpuint(memory[i], ==, guard);
		g_assert_cmpuint(memory[GUARDS + n + i], ==, guard);
	}
	g_free(memory);
}

void check_near(const char *what, const float *a, const double *b, size_t n, double tolerance)
{
	for (size_t i = 0; i < n; i++)
		if (!(fabs((double)a[i] - b[i]) <= tolerance))
			g_error("%s: number %zu of %zu is %.9g, expected %.9g +- %g", what, i, n,
				(double)a[i], b[i], tolerance);
}

void check_same(const char *what, const float *a, const float *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (weft_f32_to_bits(a[i]) != weft_f32_to_bits(b[i]))
			g_error("%s: number %zu of %zu: %.9g and %.9g", what, i, n, (double)a[i],
				(double)b[i]);
}
