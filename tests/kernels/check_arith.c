/* swiglu, gelu, add, scale, scale_rows, to_f32 and from_f32 of every tier against libm in f64. */
#include <math.h>

#include "check.h"
#include "kernels/lanes.h"

/* 1.2 measured over the range. */
#define EXP_UNITS 1.5

static CheckTiers tiers;

static const size_t sizes[] = {0, 1, 2, 7, 15, 16, 17, 31, 33, 100, 255, 300, 5120, 16385, 40000};

static void test_swiglu(void)
{
	guint64 state = 1;
	for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++) {
		size_t n_rows = 1 + s % 4, width = sizes[s], n = n_rows * width;
		/* Gate and up as the halves of one row, as gate_up_proj gives them. */
		WeftTensor both = check_matrix(&state, WEFT_DTYPE_F32, n_rows, 2 * width, 0);
		float *x = (float *)(guintptr)both.data;
		double *expected = g_new(double, n + 1);
		for (size_t i = 0; i < 2 * n; i++)
			x[i] *= 20;
		for (size_t i = 0; i < n; i++) {
			double gate = check_at(&both, i / width, i % width);
			expected[i] = gate / (1 + exp(-gate)) * check_at(&both, i / width, width + i % width);
		}
		for (size_t i = 0; i < tiers.n; i++) {
			float *one = check_output(n), *eight = check_output(n);
			WeftKernels *k = tiers.one[i], *k8 = tiers.eight[i];
			k->swiglu(k->team, one, x, x + width, n_rows, width, 2 * width);
			k8->swiglu(k8->team, eight, x, x + width, n_rows, width, 2 * width);
			/* Results to 400; exp to 2 units, then three roundings. */
			check_near("swiglu", one, expected, n, 400 * 5 * 0x1p-24);
			check_same("8 threads", one, eight, n);
			check_output_free(one, n);
			check_output_free(eight, n);
		}
		check_free(x);
		g_free(expected);
	}
}

/* What lanes.h promises of exp, in units in the last place of the result. */
static void test_exp(void)
{
	double worst = 0;
	for (double x = -87.3; x < 88.7; x += 0.0003) {
		double expected = exp((double)(float)x);
		int exponent;
		frexp(expected, &exponent);
		double error = fabs((double)weft_exp((float)x) - expected) / ldexp(1, exponent - 24);
		worst = !(error <= worst) ? error : worst;
	}
	g_test_message("exp: %.3f units", worst);
	g_assert_true(worst <= EXP_UNITS);
	g_assert_true(weft_exp(-INFINITY) == 0 && weft_exp(-88) == 0 && weft_exp(0) == 1);
	g_assert_true(isinf(weft_exp(89)) && isinf(weft_exp(INFINITY)) && isnan(weft_exp(NAN)));
}

/* All of -40..40 in small steps, and the ends of the number range. */
static void test_gelu(void)
{
	size_t n = 80001 + 6;
	float *x = g_new(float, n);
	double *expected = g_new(double, n);
	const float ends[6] = {0.0f, -0.0f, 1e-30f, -1e-30f, 3e38f, -3e38f};
	for (size_t i = 0; i < n; i++) {
		x[i] = i < 6 ? ends[i] : (float)((double)(i - 6) * 0.001 - 40);
		expected[i] = (double)x[i] / 2 * erfc(-(double)x[i] / M_SQRT2);
	}
	for (size_t i = 0; i < tiers.n; i++) {
		float *y = check_output(n), *eight = check_output(n);
		tiers.one[i]->gelu(tiers.one[i]->team, y, x, n);
		tiers.eight[i]->gelu(tiers.eight[i]->team, eight, x, n);
		check_same("8 threads", y, eight, n);
		for (size_t j = 0; j < n; j++) {
			/* erfc to 4 units in the last place; for x < 0 also the exponent z^2 = x^2/2
			 * after four roundings; below 1e-36 there is only 0. */
			double size = fabs(expected[j]), square = (double)x[j] * (double)x[j];
			double tolerance = size * 0x1p-24 * (8 + (x[j] < 0 ? 2 * square : 0)) + 1e-36;
			check_near("gelu", y + j, expected + j, 1, tolerance);
		}
		check_output_free(y, n);
		check_output_free(eight, n);
	}
	g_free(x);
	g_free(expected);
}

static void check_sums(const WeftKernels *k, const float *x, const float *other, size_t n)
{
	float *y = check_output(n);
	double *expected = g_new(double, n + 1);
	memcpy(y, other, n * sizeof *y);
	k->add(k->team, y, x, n);
	for (size_t i = 0; i < n; i++)
		expected[i] = (double)(float)((double)other[i] + (double)x[i]);
	check_near("add", y, expected, n, 0);
	k->scale(k->team, y, x, 0.3f, n);
	for (size_t i = 0; i < n; i++)
		expected[i] = (double)(float)((double)x[i] * (double)0.3f);
	check_near("scale", y, expected, n, 0);
	memcpy(y, x, n * sizeof *y);
	k->scale_rows(k->team, y, y, other, n / 5, 5);
	for (size_t i = 0; i < n / 5 * 5; i++)
		expected[i] = (double)(float)((double)x[i] * (double)other[i / 5]);
	check_near("scale_rows", y, expected, n / 5 * 5, 0);
	g_free(expected);
	check_output_free(y, n);
}

/* One rounding, so exactly what f64 rounded to f32 gives. */
static void test_sums(void)
{
	guint64 state = 4;
	for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++) {
		float *x = check_floats(&state, sizes[s]), *other = check_floats(&state, sizes[s]);
		for (size_t i = 0; i < tiers.n; i++) {
			check_sums(tiers.one[i], x, other, sizes[s]);
			check_sums(tiers.eight[i], x, other, sizes[s]);
		}
		check_free(x);
		check_free(other);
	}
}

/* There and back for every pattern; a number in the middle goes to the even neighbour. */
static void check_halves(const WeftKernels *k, WeftDtype dtype)
{
	guint16 *bits = g_new(guint16, 65536), *back = g_new(guint16, 65536);
	float *x = g_new(float, 65536), *middle = g_new(float, 65536);
	guint infinity = dtype == WEFT_DTYPE_BF16 ? 0x7f80 : 0x7c00;
	for (guint i = 0; i < 65536; i++)
		bits[i] = (guint16)i;
	k->to_f32(k->team, x, bits, dtype, 65536);
	k->from_f32(k->team, back, dtype, x, 65536);
	for (guint i = 0; i < 65536; i++) {
		gboolean is_nan = (i & 0x7fff) > infinity;
		g_assert_cmpint(isnan(x[i]) != 0, ==, is_nan);
		if (is_nan)
			g_assert_cmpuint(back[i] & 0x7fff, >, infinity);
		else
			g_assert_cmpuint(back[i], ==, i);
	}
	for (guint i = 0; i < infinity - 1; i++)
		middle[i] = (float)(((double)x[i] + (double)x[i + 1]) / 2);
	k->from_f32(k->team, back, dtype, middle, infinity - 1);
	for (guint i = 0; i < infinity - 1; i++)
		g_assert_cmpuint(back[i], ==, i % 2 ? i + 1 : i);
	for (guint i = 0; i < infinity - 1; i++)
		middle[i] = nextafterf(middle[i], INFINITY);
	k->from_f32(k->team, back, dtype, middle, infinity - 1);
	for (guint i = 0; i < infinity - 1; i++)
		g_assert_cmpuint(back[i], ==, i + 1);
	const float beyond[2] = {3.4e38f, -3.4e38f};
	k->from_f32(k->team, back, dtype, beyond, 2);
	g_assert_cmpuint(back[0], ==, infinity);
	g_assert_cmpuint(back[1], ==, infinity | 0x8000);
	g_free(bits);
	g_free(back);
	g_free(x);
	g_free(middle);
}

static void test_halves(gconstpointer data)
{
	for (size_t i = 0; i < tiers.n; i++) {
		check_halves(tiers.one[i], (WeftDtype)GPOINTER_TO_INT(data));
		check_halves(tiers.eight[i], (WeftDtype)GPOINTER_TO_INT(data));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	check_tiers_init(&tiers);
	g_test_add_func("/arith/swiglu", test_swiglu);
	g_test_add_func("/arith/exp", test_exp);
	g_test_add_func("/arith/gelu", test_gelu);
	g_test_add_func("/arith/sums", test_sums);
	g_test_add_data_func("/arith/bf16", GINT_TO_POINTER(WEFT_DTYPE_BF16), test_halves);
	g_test_add_data_func("/arith/f16", GINT_TO_POINTER(WEFT_DTYPE_F16), test_halves);
	int status = g_test_run();
	check_tiers_done(&tiers);
	return status;
}
