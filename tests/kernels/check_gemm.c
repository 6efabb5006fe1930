/* gemm and gemm_kn of every tier against f64 sums, alone against in a batch, 1 thread against 8. */
#include <math.h>

#include "check.h"

typedef struct Shape {
	size_t n_rows, n_cols, n_inner;
} Shape;

static CheckTiers tiers;

static void expected_product(double *y, double *size, const float *x, const WeftTensor *w,
			     const float *bias, Shape shape, gboolean kn)
{
	double *column = g_new(double, shape.n_inner);
	for (size_t n = 0; n < shape.n_cols; n++) {
		double scale = w->scales ? (double)w->scales[n] : 1;
		for (size_t k = 0; k < shape.n_inner; k++)
			column[k] = scale * (kn ? check_at(w, k, n) : check_at(w, n, k));
		for (size_t t = 0; t < shape.n_rows; t++) {
			double sum = bias ? (double)bias[n] : 0, sum_size = fabs(sum);
			for (size_t k = 0; k < shape.n_inner; k++) {
				double product = (double)x[t * shape.n_inner + k] * column[k];
				sum += product;
				sum_size += fabs(product);
			}
			y[t * shape.n_cols + n] = sum;
			*size = MAX(*size, sum_size);
		}
	}
	g_free(column);
}

static void multiply(const WeftKernels *kernels, float *y, const float *x, size_t n_rows,
		     const WeftTensor *w, const float *bias, gboolean kn)
{
	(kn ? kernels->gemm_kn : kernels->gemm)(kernels->team, y, x, n_rows, w, bias);
}

/* Every row alone, and rows in twos from the second on, have the bits of the whole. */
static void check_parts(const WeftKernels *kernels, const float *y, const float *x,
			const WeftTensor *w, const float *bias, Shape shape, gboolean kn)
{
	for (size_t step = 1; step <= 7; step += 2) {
		for (size_t t = step / 2; t + step <= shape.n_rows; t += 1 + shape.n_rows / 4) {
			float *part = check_output(step * shape.n_cols);
			multiply(kernels, part, x + t * shape.n_inner, step, w, bias, kn);
			check_same("part of a batch", part, y + t * shape.n_cols,
				   step * shape.n_cols);
			check_output_free(part, step * shape.n_cols);
		}
	}
}

static void check_shape(guint64 seed, Shape shape, WeftDtype dtype, gboolean kn)
{
	guint64 state = seed;
	size_t n = shape.n_rows * shape.n_cols, block = weft_dtype_block_values(dtype);
	shape.n_inner = (shape.n_inner + block - 1) / block * block;
	WeftTensor w = kn ? check_matrix(&state, dtype, shape.n_inner, shape.n_cols, seed % 5)
			  : check_matrix(&state, dtype, shape.n_cols, shape.n_inner, seed % 5);
	float *x = check_floats(&state, shape.n_rows * shape.n_inner);
	float *bias = seed % 2 ? check_floats(&state, shape.n_cols) : NULL;
	w.scales = seed % 3 == 1 ? check_floats(&state, shape.n_cols) : NULL;
	double *expected = g_new(double, n), size = 0;
	expected_product(expected, &size, x, &w, bias, shape, kn);
	/* Each of the terms meets at most K/16 + 4 + K/1024 (gemm) or 256 + K/256 (gemm_kn) roundings
	 * of 2^-24 of a partial sum that is no larger than the sum of sizes; a random walk of 256 of
	 * them stays below 64. A lost term would be some 1/K of the size: far more. */
	double tolerance = 64 * 0x1p-24 * size;
	for (size_t i = 0; i < tiers.n; i++) {
		float *one = check_output(n), *eight = check_output(n);
		multiply(tiers.one[i], one, x, shape.n_rows, &w, bias, kn);
		multiply(tiers.eight[i], eight, x, shape.n_rows, &w, bias, kn);
		check_near(tiers.one[i]->name, one, expected, n, tolerance);
		check_same("1 and 8 threads", one, eight, n);
		check_parts(tiers.eight[i], one, x, &w, bias, shape, kn);
		check_output_free(one, n);
		check_output_free(eight, n);
	}
	check_free(w.data);
	check_free(x);
	if (w.scales)
		check_free(w.scales);
	if (bias)
		check_free(bias);
	g_free(expected);
}

/* Formats of gemm, or of gemm_kn: there rows of w are cut anywhere. */
static size_t n_formats(gboolean kn)
{
	return kn ? WEFT_DTYPE_F8_E4M3 + 1 : WEFT_DTYPE_COUNT;
}

static void test_sampled(gconstpointer data)
{
	gboolean kn = GPOINTER_TO_INT(data);
	guint64 state = 1;
	for (guint64 seed = 1; seed <= 60; seed++) {
		Shape shape = {1 + check_random_below(&state, seed % 3 ? 20 : 300),
			       1 + check_random_below(&state, 300),
			       1 + check_random_below(&state, 300)};
		check_shape(seed, shape, (WeftDtype)(seed % n_formats(kn)), kn);
	}
}

/* Every remainder of the inner size and of the rows that a block can leave. */
static void test_remainders(gconstpointer data)
{
	gboolean kn = GPOINTER_TO_INT(data);
	for (size_t i = 1; i <= 70; i++) {
		Shape shape = {1 + i % 19, 1 + (i * 7) % 67, i};
		check_shape(i, shape, (WeftDtype)(i % (WEFT_DTYPE_F8_E4M3 + 1)), kn);
	}
}

/* Every format: few and many rows of x, one to nine columns beyond whole groups, one block of w and
 * more than a block of K. */
static void test_formats(gconstpointer data)
{
	gboolean kn = GPOINTER_TO_INT(data);
	for (size_t dtype = 0; dtype < n_formats(kn); dtype++) {
		for (size_t i = 0; i < 6; i++) {
			Shape shape = {1 + i * i, 40 + dtype % 9 + i, i % 3 == 0 ? 1 : 1024 + i * 129};
			check_shape(dtype * 6 + i + 1, shape, (WeftDtype)dtype, kn);
		}
	}
}

/* Widths of published models, few rows of them: several blocks of the inner size. */
static void test_model_sizes(gconstpointer data)
{
	gboolean kn = GPOINTER_TO_INT(data);
	static const Shape shapes[] = {{3, 64, 5120}, {18, 33, 8192}, {40, 97, 1408}, {1, 588, 1025}};
	for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++)
		check_shape(i + 1, shapes[i], i % 2 ? WEFT_DTYPE_BF16 : WEFT_DTYPE_F16, kn);
}

static void test_empty(gconstpointer data)
{
	gboolean kn = GPOINTER_TO_INT(data);
	static const Shape shapes[] = {{0, 5, 7}, {5, 0, 7}, {3, 5, 0}};
	for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++)
		check_shape(i + 1, shapes[i], WEFT_DTYPE_BF16, kn);
}

/* Subnormal numbers, infinities and every other bit pattern of the stored types are widened
 * exactly, one per column of an identity product. */
static void test_widening(gconstpointer data)
{
	gboolean kn = GPOINTER_TO_INT(data);
	const float one = 1.0f;
	for (int dtype = WEFT_DTYPE_BF16; dtype <= WEFT_DTYPE_F16; dtype++) {
		size_t n = 0;
		guint16 *bits = g_new(guint16, 65536);
		guint inf = dtype == WEFT_DTYPE_BF16 ? 0x7f80 : 0x7c00;
		for (guint i = 0; i < 65536; i++)
			if ((i & 0x7fff) < inf)
				bits[n++] = (guint16)i;
		WeftTensor w = kn ? weft_tensor_matrix(bits, (WeftDtype)dtype, 1, n)
				  : weft_tensor_matrix(bits, (WeftDtype)dtype, n, 1);
		double *expected = g_new(double, n);
		for (size_t i = 0; i < n; i++)
			expected[i] = kn ? check_at(&w, 0, i) : check_at(&w, i, 0);
		for (size_t i = 0; i < tiers.n; i++) {
			float *y = check_output(n);
			multiply(tiers.one[i], y, &one, 1, &w, NULL, kn);
			check_near("widened", y, expected, n, 0);
			check_output_free(y, n);
		}
		g_free(expected);
		g_free(bits);
	}
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"gemm", "gemm_kn"};
	g_test_init(&argc, &argv, NULL);
	check_tiers_init(&tiers);
	for (int kn = 0; kn < 2; kn++) {
		const char *name = names[kn];
		g_autofree char *sampled = g_strdup_printf("/%s/sampled", name);
		g_autofree char *remainders = g_strdup_printf("/%s/remainders", name);
		g_autofree char *formats = g_strdup_printf("/%s/formats", name);
		g_autofree char *model_sizes = g_strdup_printf("/%s/model-sizes", name);
		g_autofree char *empty = g_strdup_printf("/%s/empty", name);
		g_autofree char *widening = g_strdup_printf("/%s/widening", name);
		g_test_add_data_func(sampled, GINT_TO_POINTER(kn), test_sampled);
		g_test_add_data_func(remainders, GINT_TO_POINTER(kn), test_remainders);
		g_test_add_data_func(formats, GINT_TO_POINTER(kn), test_formats);
		g_test_add_data_func(model_sizes, GINT_TO_POINTER(kn), test_model_sizes);
		g_test_add_data_func(empty, GINT_TO_POINTER(kn), test_empty);
		g_test_add_data_func(widening, GINT_TO_POINTER(kn), test_widening);
	}
	int status = g_test_run();
	check_tiers_done(&tiers);
	return status;
}
