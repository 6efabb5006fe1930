/* rmsnorm, layernorm and softmax of every tier against f64, rows alone, 1 thread against 8. */
#include <math.h>

#include "check.h"

typedef enum { RMSNORM, LAYERNORM, SOFTMAX } Op;

static CheckTiers tiers;
static const float eps = 1e-5f;

static void normalise(const WeftKernels *k, Op op, float *y, const float *x, const float *weight,
		      const float *bias, size_t n_rows, size_t width)
{
	if (op == RMSNORM)
		k->rmsnorm(k->team, y, x, weight, n_rows, width, eps);
	else if (op == LAYERNORM)
		k->layernorm(k->team, y, x, weight, bias, n_rows, width, eps);
	else
		k->softmax(k->team, y, x, n_rows, width);
}

static void expected_row(Op op, double *y, const float *x, const float *weight, const float *bias,
			 size_t width)
{
	double mean = 0, squares = 0, total = 0;
	for (size_t i = 0; i < width; i++) {
		mean += (double)x[i] / (double)width;
		total += exp((double)x[i]);
	}
	mean = op == LAYERNORM ? mean : 0;
	for (size_t i = 0; i < width; i++)
		squares += ((double)x[i] - mean) * ((double)x[i] - mean);
	double factor = 1 / sqrt(squares / (double)width + (double)eps);
	for (size_t i = 0; i < width; i++) {
		y[i] = ((double)x[i] - mean) * factor * (weight ? (double)weight[i] : 1) +
		       (op == LAYERNORM && bias ? (double)bias[i] : 0);
		if (op == SOFTMAX)
			y[i] = exp((double)x[i]) / total;
	}
}

static void check_op(Op op, size_t n_rows, size_t width, guint64 seed)
{
	guint64 state = seed;
	size_t n = n_rows * width;
	float *x = check_floats(&state, n);
	float *weight = seed % 2 ? check_floats(&state, width) : NULL;
	float *bias = seed % 4 < 2 ? check_floats(&state, width) : NULL;
	double *expected = g_new(double, n);
	for (size_t i = 0; op == SOFTMAX && i < n; i++)
		x[i] *= 30;
	for (size_t t = 0; t < n_rows; t++)
		expected_row(op, expected + t * width, x + t * width, weight, bias, width);
	/* A handful of roundings. Norms: |x| * factor <= sqrt(width), or 316 |x| (1 / sqrt eps) for
	 * a row of one. Softmax: the argument down to -60 is rounded by 2^-19, the result <= 1. */
	double tolerance = op == SOFTMAX ? 0x1p-18 : 4 * 0x1p-24 * (sqrt((double)width) + 1);
	for (size_t i = 0; i < tiers.n; i++) {
		float *one = check_output(n), *eight = check_output(n), *row = check_output(width);
		normalise(tiers.one[i], op, one, x, weight, bias, n_rows, width);
		check_near("rows", one, expected, n, tolerance);
		for (size_t t = 0; t < n_rows; t += 1 + n_rows / 7) {
			normalise(tiers.one[i], op, row, x + t * width, weight, bias, 1, width);
			check_same("row alone", row, one + t * width, width);
		}
		memcpy(eight, x, n * sizeof *x); /* in place */
		normalise(tiers.eight[i], op, eight, eight, weight, bias, n_rows, width);
		check_same("in place, 8 threads", eight, one, n);
		check_output_free(one, n);
		check_output_free(eight, n);
		check_output_free(row, width);
	}
	check_free(x);
	if (weight)
		check_free(weight);
	if (bias)
		check_free(bias);
	g_free(expected);
}

static void test_op(gconstpointer data)
{
	Op op = (Op)GPOINTER_TO_INT(data);
	guint64 state = 1;
	for (guint64 seed = 1; seed <= 60; seed++)
		check_op(op, 1 + check_random_below(&state, 300), 1 + check_random_below(&state, 300),
			 seed);
	for (size_t width = 1; width <= 40; width++)
		check_op(op, 3, width, width);
	check_op(op, 9, 5120, 1);
	check_op(op, 2, 202048, 2);
	check_op(op, 0, 7, 1);
}

/* A masked row: only -inf. */
static void test_softmax_of_nothing(void)
{
	const float x[6] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY, 2, 2};
	const double expected[6] = {0, 0, 0, 0, 0.5, 0.5};
	for (size_t i = 0; i < tiers.n; i++) {
		float *y = check_output(6);
		tiers.one[i]->softmax(tiers.one[i]->team, y, x, 2, 3);
		check_near("softmax", y, expected, 6, 0);
		check_output_free(y, 6);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	check_tiers_init(&tiers);
	g_test_add_data_func("/norm/rmsnorm", GINT_TO_POINTER(RMSNORM), test_op);
	g_test_add_data_func("/norm/layernorm", GINT_TO_POINTER(LAYERNORM), test_op);
	g_test_add_data_func("/norm/softmax", GINT_TO_POINTER(SOFTMAX), test_op);
	g_test_add_func("/norm/softmax-of-nothing", test_softmax_of_nothing);
	int status = g_test_run();
	check_tiers_done(&tiers);
	return status;
}
