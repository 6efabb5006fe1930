/* Low-rank additions of every tier against plain sums in f64; lengths of the rows of W + s B A. */
#include <math.h>
#include <string.h>

#include "check.h"

static CheckTiers tiers;

typedef struct Case {
	size_t n_rows, width_in, width, rank;
	WeftDtype dtype;
	gboolean turns, has_bias;
} Case;

/* s (x A^T) B^T + bias of one number. */
static double addition(const WeftLowRank *part, const float *x, size_t i)
{
	double sum = part->bias ? (double)part->bias[i] : 0;
	for (size_t r = 0; r < part->a.size[0]; r++) {
		double inner = 0;
		for (size_t k = 0; k < part->a.size[1]; k++)
			inner += (double)x[k] * check_at(&part->a, r, k);
		sum += (double)part->scale * inner * check_at(&part->b, i, r);
	}
	return sum;
}

static void run(const Case *c, const WeftKernels *k, const WeftLowRank *part, const float *x,
		const float *y, float *to)
{
	size_t n_room = weft_low_rank_room(part);
	float *room = check_output(n_room);
	memcpy(to, y, c->n_rows * c->width * sizeof *y);
	weft_low_rank_add(k, part, to, x, c->n_rows, room);
	check_output_free(room, n_room);
}

static void check_case(const Case *c, guint64 seed)
{
	guint64 state = seed;
	size_t n = c->n_rows * c->width;
	float *x = check_floats(&state, c->n_rows * c->width_in), *y = check_floats(&state, n);
	float *bias = check_floats(&state, c->width), *gain = check_floats(&state, c->width);
	float *offset = check_floats(&state, c->width);
	WeftLowRank part = {.a = check_matrix(&state, c->dtype, c->rank, c->width_in, 0),
			    .b = check_matrix(&state, c->dtype, c->width, c->rank, 0),
			    .scale = 1.75F,
			    .bias = c->has_bias ? bias : NULL,
			    .gain = c->turns ? gain : NULL,
			    .offset = c->turns && c->has_bias ? offset : NULL};
	double *expected = g_new(double, n + 1);
	for (size_t i = 0; i < n; i++) {
		size_t col = i % c->width;
		expected[i] = (double)y[i] +
			      addition(&part, x + i / c->width * c->width_in, col);
		if (part.gain)
			expected[i] *= (double)gain[col];
		if (part.offset)
			expected[i] += (double)offset[col];
	}
	for (size_t i = 0; i < tiers.n; i++) {
		float *all = check_output(n), *eight = check_output(n), *last = check_output(c->width);
		run(c, tiers.one[i], &part, x, y, all);
		run(c, tiers.eight[i], &part, x, y, eight);
		/* Sums of at most 200 and 20 products of numbers up to 1, in f32. */
		check_near("low rank", all, expected, n, 2e-4);
		check_same("8 threads", all, eight, n);
		if (c->n_rows > 0) {
			Case alone = *c;
			alone.n_rows = 1;
			run(&alone, tiers.one[i], &part, x + (c->n_rows - 1) * c->width_in,
			    y + n - c->width, last);
			check_same("alone", all + n - c->width, last, c->width);
		}
		check_output_free(all, n);
		check_output_free(eight, n);
		check_output_free(last, c->width);
	}
	const void *inputs[] = {x, y, bias, gain, offset, part.a.data, part.b.data};
	for (size_t i = 0; i < G_N_ELEMENTS(inputs); i++)
		check_free(inputs[i]);
	g_free(expected);
}

static void test_add(void)
{
	static const WeftDtype dtypes[] = {WEFT_DTYPE_F32, WEFT_DTYPE_BF16, WEFT_DTYPE_F16};
	guint64 state = 3;
	for (guint64 seed = 1; seed <= 60; seed++) {
		const Case c = {1 + check_random_below(&state, 80), 1 + check_random_below(&state, 200),
				1 + check_random_below(&state, 90), 1 + check_random_below(&state, 20),
				dtypes[seed % 3], seed % 2, seed % 5 == 0};
		check_case(&c, seed);
	}
	check_case(&(Case){0, 5, 7, 2, WEFT_DTYPE_F32, FALSE, FALSE}, 99);
}

static void test_divide(void)
{
	guint64 state = 4;
	WeftTensor w = check_matrix(&state, WEFT_DTYPE_BF16, 75, 61, 3);
	const WeftLowRank part = {.a = check_matrix(&state, WEFT_DTYPE_F32, 3, 61, 0),
				  .b = check_matrix(&state, WEFT_DTYPE_F16, 75, 3, 0),
				  .scale = -0.5F};
	float *magnitude = check_floats(&state, 75);
	double expected[75];
	for (size_t i = 0; i < 75; i++) {
		double squares = 0;
		for (size_t k = 0; k < 61; k++) {
			double sum = check_at(&w, i, k);
			for (size_t r = 0; r < 3; r++)
				sum -= 0.5 * check_at(&part.b, i, r) * check_at(&part.a, r, k);
			squares += sum * sum;
		}
		expected[i] = (double)magnitude[i] / sqrt(squares);
	}
	for (size_t i = 0; i < tiers.n; i++) {
		float *gain = check_output(75);
		memcpy(gain, magnitude, 75 * sizeof *gain);
		g_assert_true(weft_low_rank_divide(tiers.eight[i], &part, &w, gain, NULL));
		check_near("divided", gain, expected, 75, 1e-6);
		check_output_free(gain, 75);
	}
	const void *inputs[] = {w.data, part.a.data, part.b.data, magnitude};
	for (size_t i = 0; i < G_N_ELEMENTS(inputs); i++)
		check_free(inputs[i]);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	check_tiers_init(&tiers);
	g_test_add_func("/low-rank/add", test_add);
	g_test_add_func("/low-rank/divide", test_divide);
	int status = g_test_run();
	check_tiers_done(&tiers);
	return status;
}
