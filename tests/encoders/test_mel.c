/* The log-mel against WhisperFeatureExtractor (golden/mel80.npy, mel128.npy: every 61st frame). */
#include "encoders/mel.h"

#include "base/npy.h"
#include "sound.h"

#define STEP 61
/* Theirs sums the spectrum and the filters in f32, ours in f64; the logarithm makes a relative
 * error of 1e-4 of a quiet bin 1e-5 here. */
#define TOLERANCE 1e-4

static void check_golden(gsize n_bins, const char *path)
{
	const gsize window = WEFT_MEL_WINDOW_FRAMES * WEFT_MEL_HOP, n = 31 * WEFT_MEL_RATE_HZ;
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftKernels) kernels = weft_kernels_open("ref", 2, &error);
	g_assert_no_error(error);
	g_autoptr(WeftMel) mel = weft_mel_new(n_bins);
	g_autoptr(WeftNpy) golden = weft_npy_read(path, &error);
	g_assert_no_error(error);
	g_autofree float *samples = sound_new(n);
	gsize stride = 2 * WEFT_MEL_WINDOW_FRAMES, n_kept = (stride + STEP - 1) / STEP;
	g_autofree float *out = g_new(float, n_bins * stride);

	g_assert_cmpuint(golden->shape[0], ==, n_bins);
	g_assert_cmpuint(golden->shape[1], ==, n_kept);
	g_assert_true(weft_mel_apply(mel, kernels, samples, window, 0, out, stride, NULL));
	g_assert_true(weft_mel_apply(mel, kernels, samples + window, n - window, 2 * window - n,
				     out + WEFT_MEL_WINDOW_FRAMES, stride, NULL));
	for (gsize i = 0; i < n_bins; i++)
		for (gsize t = 0; t < n_kept; t++) {
			float x = out[i * stride + t * STEP], y = golden->f32[i * n_kept + t];
			if (!(fabsf(x - y) <= TOLERANCE))
				g_error("bin %zu frame %zu: %g, expected %g", i, t * STEP, x, y);
		}
}

static void test_80(void)
{
	check_golden(80, WEFT_GOLDEN "/mel80.npy");
}

static void test_128(void)
{
	check_golden(128, WEFT_GOLDEN "/mel128.npy");
}

/* Published vector: 2 s of a tone of 440 Hz at half scale, then silence to 30 s, 80 bins. */
static void test_tone(void)
{
	static const struct {
		gsize bin, frame;
		float value;
	} vector[] = {
		{ 0, 0, 0.98328F },    { 0, 100, -0.56180F },  { 10, 0, 1.33624F },
		{ 10, 100, 1.34874F }, { 11, 100, 1.43820F },  { 12, 100, 1.29352F },
		{ 10, 199, 1.34946F }, { 10, 200, 1.26741F },  { 10, 201, 0.35668F },
		{ 10, 202, -0.56180F },
	};
	const gsize n = 2 * WEFT_MEL_RATE_HZ;
	g_autoptr(WeftKernels) kernels = weft_kernels_open("ref", 1, NULL);
	g_autoptr(WeftMel) mel = weft_mel_new(80);
	g_autofree float *samples = g_new(float, n);
	g_autofree float *out = g_new(float, 80 * WEFT_MEL_WINDOW_FRAMES);

	for (gsize i = 0; i < n; i++)
		samples[i] = (float)(0.5 * sin(2 * G_PI * 440 * (double)i / WEFT_MEL_RATE_HZ));
	g_assert_true(weft_mel_apply(mel, kernels, samples, n, 28 * WEFT_MEL_RATE_HZ, out,
				     WEFT_MEL_WINDOW_FRAMES, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(vector); i++) {
		float x = out[vector[i].bin * WEFT_MEL_WINDOW_FRAMES + vector[i].frame];
		g_assert_cmpfloat(fabsf(x - vector[i].value), <=, TOLERANCE);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mel/80-bins", test_80);
	g_test_add_func("/mel/128-bins", test_128);
	g_test_add_func("/mel/tone", test_tone);
	return g_test_run();
}
