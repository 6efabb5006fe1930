/* power_spectrum of every tier against the DFT as written, in f64. */
#include <complex.h>
#include <math.h>

#include "check.h"

static CheckTiers tiers;

static void check_size(size_t frame_size, size_t hop, size_t n_frames)
{
	guint64 state = frame_size;
	size_t n_bins = frame_size / 2 + 1, n = n_frames * n_bins;
	float *samples = check_floats(&state, (n_frames ? (n_frames - 1) * hop : 0) + frame_size);
	double *window = g_new(double, frame_size), *expected = g_new(double, n + 1);
	for (size_t i = 0; i < frame_size; i++)
		window[i] = 0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)frame_size);
	for (size_t i = 0; i < n; i++) {
		double complex sum = 0;
		for (size_t j = 0; j < frame_size; j++)
			sum += (double)samples[i / n_bins * hop + j] * window[j] *
			       cexp(-2 * M_PI * I * (double)(i % n_bins * j) / (double)frame_size);
		expected[i] = creal(sum) * creal(sum) + cimag(sum) * cimag(sum);
	}
	for (size_t i = 0; i < tiers.n; i++) {
		float *one = check_output(n), *eight = check_output(n);
		WeftKernels *k = tiers.one[i], *k8 = tiers.eight[i];
		k->power_spectrum(k->team, one, samples, window, n_frames, frame_size, hop);
		k8->power_spectrum(k8->team, eight, samples, window, n_frames, frame_size, hop);
		check_same("8 threads", one, eight, n);
		for (size_t j = 0; j < n; j++) /* f64, then one rounding to f32 */
			check_near("power", one + j, expected + j, 1, expected[j] * 0x1p-24 + 1e-9);
		check_output_free(one, n);
		check_output_free(eight, n);
	}
	check_free(samples);
	g_free(window);
	g_free(expected);
}

static void test_sizes(void)
{
	check_size(400, 160, 37);
	check_size(400, 160, 16);
	check_size(17, 5, 40);
	check_size(1, 1, 3);
	check_size(2, 1, 3);
	check_size(64, 64, 1);
	check_size(64, 64, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	check_tiers_init(&tiers);
	g_test_add_func("/spectrum/sizes", test_sizes);
	int status = g_test_run();
	check_tiers_done(&tiers);
	return status;
}
