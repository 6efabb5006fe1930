/* The stored formats against gguf.quants and torch: the same bits (tests/golden/blocks/ORIGIN). */
#include <math.h>

#include "check.h"
#include "kernels/blocks.h"

static CheckTiers tiers;

/* A file of tests/golden/blocks: two runs of bytes that belong together. */
typedef struct Golden {
	char *bytes;
	size_t n;            /* numbers */
	const char *blocks;  /* at an odd address */
	const float *values;
} Golden;

static Golden golden_read(WeftDtype dtype, const char *suffix)
{
	Golden golden = {0};
	g_autofree char *name = g_strconcat(weft_dtype_name(dtype), suffix, NULL);
	g_autofree char *path = g_build_filename(WEFT_GOLDEN, "blocks", name, NULL);
	g_autofree char *contents = NULL;
	g_autoptr(GError) error = NULL;
	size_t n_bytes, values = weft_dtype_block_values(dtype), bytes = weft_dtype_block_bytes(dtype);
	g_file_get_contents(path, &contents, &n_bytes, &error);
	g_assert_no_error(error);
	size_t n_blocks = n_bytes / (bytes + values * sizeof(float));
	g_assert_cmpuint(n_blocks * (bytes + values * sizeof(float)), ==, n_bytes);
	golden.n = n_blocks * values;
	gboolean is_widen = g_str_equal(suffix, ".widen"); /* there the blocks come first */
	const char *blocks = is_widen ? contents : contents + golden.n * sizeof(float);
	const char *floats = is_widen ? contents + n_blocks * bytes : contents;
	/* The values first, where they are aligned; then, one byte further, the blocks. */
	golden.bytes = g_malloc(n_bytes + 1);
	memcpy(golden.bytes, floats, golden.n * sizeof(float));
	memcpy(golden.bytes + golden.n * sizeof(float) + 1, blocks, n_blocks * bytes);
	golden.values = (const float *)(const void *)golden.bytes;
	golden.blocks = golden.bytes + golden.n * sizeof(float) + 1;
	return golden;
}

/* The same bits, or both NaN. */
static void check_numbers(const char *what, const float *a, const float *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isnan(a[i]) || !isnan(b[i]))
			check_same(what, a + i, b + i, 1);
}

static void test_widen(void)
{
	for (int dtype = WEFT_DTYPE_F8_E4M3; dtype < WEFT_DTYPE_COUNT; dtype++) {
		const char *name = weft_dtype_name((WeftDtype)dtype);
		Golden golden = golden_read((WeftDtype)dtype, ".widen");
		float *y = check_output(golden.n);
		weft_blocks_widen(y, golden.blocks, (WeftDtype)dtype, golden.n);
		check_numbers(name, y, golden.values, golden.n);
		check_output_free(y, golden.n);
		for (size_t i = 0; i < tiers.n; i++) {
			y = check_output(golden.n);
			tiers.one[i]->to_f32(tiers.one[i]->team, y, golden.blocks, (WeftDtype)dtype,
					     golden.n);
			check_numbers(name, y, golden.values, golden.n);
			check_output_free(y, golden.n);
		}
		g_free(golden.bytes);
	}
}

/* The tiers widen in registers and into panels: the product with an identity has the numbers back,
 * row by row and all at once. */
static void check_product(const WeftKernels *kernels, WeftDtype dtype, const Golden *golden)
{
	size_t block = weft_dtype_block_values(dtype), n = golden->n / block;
	WeftTensor w = weft_tensor_matrix(golden->blocks, dtype, n, block);
	g_autofree float *identity = g_new0(float, block * block);
	float *all = check_output(block * n), *row = check_output(n);
	for (size_t i = 0; i < block; i++)
		identity[i * block + i] = 1;
	kernels->gemm(kernels->team, all, identity, block, &w, NULL);
	for (size_t i = 0; i < block; i++) {
		kernels->gemm(kernels->team, row, identity + i * block, 1, &w, NULL);
		check_numbers("row", row, all + i * n, n);
		for (size_t j = 0; j < n; j++) {
			float value = golden->values[j * block + i];
			g_assert_true(row[j] == value || (isnan(row[j]) && isnan(value)));
		}
	}
	check_output_free(all, block * n);
	check_output_free(row, n);
}

static void test_product(void)
{
	for (int dtype = WEFT_DTYPE_F8_E4M3; dtype < WEFT_DTYPE_COUNT; dtype++) {
		Golden golden = golden_read((WeftDtype)dtype, ".widen");
		for (size_t i = 0; i < tiers.n; i++)
			check_product(tiers.one[i], (WeftDtype)dtype, &golden);
		g_free(golden.bytes);
	}
}

/* from_f32 to the formats of the cache: gguf's bytes. */
static void test_narrow(void)
{
	static const WeftDtype dtypes[] = {WEFT_DTYPE_Q8_0, WEFT_DTYPE_Q4_0};
	for (size_t i = 0; i < G_N_ELEMENTS(dtypes); i++) {
		Golden golden = golden_read(dtypes[i], ".narrow");
		size_t n_bytes = weft_dtype_row_bytes(dtypes[i], golden.n);
		for (size_t tier = 0; tier < tiers.n; tier++) {
			g_autofree char *y = g_malloc(n_bytes + 1);
			tiers.one[tier]->from_f32(tiers.one[tier]->team, y + 1, dtypes[i],
						  golden.values, golden.n);
			g_assert_cmpmem(y + 1, n_bytes, golden.blocks, n_bytes);
		}
		g_free(golden.bytes);
	}
}

/* The squares of what blocks miss of x. */
static double squares_of(const float *x, const void *blocks, WeftDtype dtype, size_t n)
{
	g_autofree float *y = g_new(float, n);
	double squares = 0;
	weft_blocks_widen(y, blocks, dtype, n);
	for (size_t i = 0; i < n; i++)
		squares += (double)(x[i] - y[i]) * (double)(x[i] - y[i]);
	return squares;
}

/* Where there is a choice of scales: row by row as good as llama.cpp's, and better all in all. */
static void test_narrow_search(void)
{
	static const WeftDtype dtypes[] = {WEFT_DTYPE_Q4_K, WEFT_DTYPE_Q6_K};
	for (size_t i = 0; i < G_N_ELEMENTS(dtypes); i++) {
		Golden golden = golden_read(dtypes[i], ".llama");
		size_t n_bytes = weft_dtype_row_bytes(dtypes[i], golden.n), bytes = n_bytes * 256 / golden.n;
		g_autofree char *y = g_malloc(n_bytes + 1);
		double mine = 0, theirs = 0;
		weft_blocks_narrow(y + 1, golden.values, dtypes[i], golden.n);
		for (size_t row = 0; row < golden.n / 256; row++) {
			const float *x = golden.values + row * 256;
			double ours = squares_of(x, y + 1 + row * bytes, dtypes[i], 256);
			double other = squares_of(x, golden.blocks + row * bytes, dtypes[i], 256);
			double norm = 0;
			for (size_t j = 0; j < 256; j++)
				norm += (double)x[j] * (double)x[j];
			/* Both minimise a weighted error: a single row may be some percent worse. */
			g_assert_cmpfloat(ours, <=, other * 1.06);
			mine += ours / norm;
			theirs += other / norm;
		}
		g_test_message("%s: %.4f of the error of llama.cpp", weft_dtype_name(dtypes[i]),
			       sqrt(mine / theirs));
		g_assert_cmpfloat(mine, <, theirs);
		g_free(golden.bytes);
	}
}

/* A plain quantiser: the grid of every 32 numbers from their least to their greatest, scales in f32. */
static double plain_q4_squares(const float *x, size_t n)
{
	double squares = 0;
	for (size_t i = 0; i < n; i += 32) {
		float low = 0, high = x[i];
		for (size_t j = i; j < i + 32; j++) {
			low = MIN(low, x[j]);
			high = MAX(high, x[j]);
		}
		float step = (high - low) / 15;
		for (size_t j = i; j < i + 32; j++) {
			double missed = (double)(roundf((x[j] - low) / step) * step + low - x[j]);
			squares += missed * missed;
		}
	}
	return squares;
}

/* Though its scales have six bits, the search beats the plain grid by a tenth and more. */
static void test_narrow_plain(void)
{
	enum { N = 256 * 64 };
	guint64 state = 11;
	g_autofree float *x = g_new(float, N);
	g_autofree char *y = g_malloc(weft_dtype_row_bytes(WEFT_DTYPE_Q4_K, N));
	for (size_t i = 0; i < N; i++) { /* the sum of four: nearly normal */
		x[i] = 0;
		for (int j = 0; j < 4; j++)
			x[i] += check_random(&state);
	}
	weft_blocks_narrow(y, x, WEFT_DTYPE_Q4_K, N);
	g_assert_cmpfloat(squares_of(x, y, WEFT_DTYPE_Q4_K, N), <, 0.9 * plain_q4_squares(x, N));
}

/* What no block can hold is NaN 32 or 256 times; a number too small for any scale is 0; one that is
 * too great stays finite; a block of one number is that number, nearly. */
static void test_narrow_extremes(void)
{
	static const WeftDtype dtypes[] = {WEFT_DTYPE_Q8_0, WEFT_DTYPE_Q4_0, WEFT_DTYPE_Q4_K,
					   WEFT_DTYPE_Q6_K};
	static const float evil[] = {NAN, -NAN, INFINITY, -INFINITY, 1e-40f, -1e-45f};
	static const float alone[] = {0, -0.0f, 1, -1, 0.37f, -0.37f, 1000, -3e-3f};
	float x[256], y[256];
	char block[256];
	for (size_t i = 0; i < G_N_ELEMENTS(dtypes); i++) {
		size_t n = weft_dtype_block_values(dtypes[i]);
		for (size_t e = 0; e < G_N_ELEMENTS(evil); e++) {
			for (size_t j = 0; j < n; j++)
				x[j] = fabsf(evil[e]) < 1 ? 0 : (float)j;
			x[e * 5] = evil[e];
			weft_blocks_narrow(block, x, dtypes[i], n);
			weft_blocks_widen(y, block, dtypes[i], n);
			for (size_t j = 0; j < n; j++)
				g_assert_true(fabsf(evil[e]) < 1 ? y[j] == 0 : isnan(y[j]));
		}
		for (size_t e = 0; e < G_N_ELEMENTS(alone); e++) {
			for (size_t j = 0; j < n; j++)
				x[j] = alone[e];
			weft_blocks_narrow(block, x, dtypes[i], n);
			weft_blocks_widen(y, block, dtypes[i], n);
			for (size_t j = 0; j < n; j++) /* the scale is rounded to f16 */
				g_assert_true(fabsf(y[j] - x[j]) <= fabsf(x[j]) * 0.01f);
		}
	}
	for (size_t i = 2; i < G_N_ELEMENTS(dtypes); i++) {
		for (size_t j = 0; j < 256; j++)
			x[j] = j % 2 ? 3e38f : -2e38f;
		weft_blocks_narrow(block, x, dtypes[i], 256);
		weft_blocks_widen(y, block, dtypes[i], 256);
		for (size_t j = 0; j < 256; j++)
			g_assert_true(isfinite(y[j]));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	check_tiers_init(&tiers);
	g_test_add_func("/blocks/widen", test_widen);
	g_test_add_func("/blocks/product", test_product);
	g_test_add_func("/blocks/narrow", test_narrow);
	g_test_add_func("/blocks/narrow-search", test_narrow_search);
	g_test_add_func("/blocks/narrow-plain", test_narrow_plain);
	g_test_add_func("/blocks/narrow-extremes", test_narrow_extremes);
	int status = g_test_run();
	check_tiers_done(&tiers);
	return status;
}
