/* rope_table, rope_pairs and rope_halves of every tier against complex rotation in f64. */
#include <complex.h>
#include <math.h>

#include "check.h"

static CheckTiers tiers;

static void test_table(void)
{
	const gint64 positions[] = {0, 1, 8191, 10485759, -3};
	double frequencies[64], cosines[5 * 64], sines[5 * 64];
	for (size_t i = 0; i < 64; i++)
		frequencies[i] = pow(500000, -(double)i / 64);
	for (size_t i = 0; i < 5 * 64; i++) {
		double complex turn = cexp(I * (double)positions[i / 64] * frequencies[i % 64]);
		cosines[i] = creal(turn);
		sines[i] = cimag(turn);
	}
	for (size_t i = 0; i < tiers.n; i++) {
		WeftKernels *k = tiers.eight[i];
		float *cosine = check_output(5 * 64), *sine = check_output(5 * 64);
		k->rope_table(k->team, cosine, sine, positions, 5, frequencies, 64);
		/* Rounded once to f32; angles of 1e7 are known to 2^-30 in f64. */
		check_near("cosine", cosine, cosines, 5 * 64, 0x1p-24);
		check_near("sine", sine, sines, 5 * 64, 0x1p-24);
		check_output_free(cosine, 5 * 64);
		check_output_free(sine, 5 * 64);
	}
}

static void check_turn(gboolean halves, size_t n_rows, size_t n_heads, size_t width, guint64 seed)
{
	guint64 state = seed;
	size_t n = n_rows * n_heads * width, n_pairs = width / 2;
	float *x = check_floats(&state, n);
	float *cosine = check_floats(&state, n_rows * n_pairs);
	float *sine = check_floats(&state, n_rows * n_pairs);
	double *expected = g_new(double, n);
	for (size_t i = 0; i < n / 2; i++) {
		size_t head = i / n_pairs * width, pair = i % n_pairs;
		size_t table = i / (n_heads * n_pairs) * n_pairs + pair;
		size_t a = head + (halves ? pair : 2 * pair);
		size_t b = head + (halves ? pair + n_pairs : 2 * pair + 1);
		double complex turn = (double)cosine[table] + I * (double)sine[table];
		double complex turned = ((double)x[a] + I * (double)x[b]) * turn;
		expected[a] = creal(turned);
		expected[b] = cimag(turned);
	}
	for (size_t i = 0; i < tiers.n; i++) {
		float *one = check_output(n), *eight = check_output(n);
		WeftKernels *k = tiers.one[i], *k8 = tiers.eight[i];
		memcpy(one, x, n * sizeof *x);
		memcpy(eight, x, n * sizeof *x);
		(halves ? k->rope_halves : k->rope_pairs)(k->team, one, cosine, sine, n_rows, n_heads,
							  width);
		(halves ? k8->rope_halves : k8->rope_pairs)(k8->team, eight, cosine, sine, n_rows,
							    n_heads, width);
		check_near("turned", one, expected, n, 3 * 0x1p-24); /* three roundings of <= 2 */
		check_same("8 threads", one, eight, n);
		check_output_free(one, n);
		check_output_free(eight, n);
	}
	check_free(x);
	check_free(cosine);
	check_free(sine);
	g_free(expected);
}

static void test_turn(gconstpointer data)
{
	gboolean halves = GPOINTER_TO_INT(data);
	guint64 state = 2;
	for (guint64 seed = 1; seed <= 40; seed++)
		check_turn(halves, 1 + check_random_below(&state, 40),
			   1 + check_random_below(&state, 6), 2 * (1 + check_random_below(&state, 70)),
			   seed);
	check_turn(halves, 30, 40, 128, 5);
	check_turn(halves, 577, 16, 88, 6);
	check_turn(halves, 0, 16, 88, 7);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	check_tiers_init(&tiers);
	g_test_add_func("/rope/table", test_table);
	g_test_add_data_func("/rope/pairs", GINT_TO_POINTER(FALSE), test_turn);
	g_test_add_data_func("/rope/halves", GINT_TO_POINTER(TRUE), test_turn);
	int status = g_test_run();
	check_tiers_done(&tiers);
	return status;
}
