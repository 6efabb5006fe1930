/* The first pass: the largest value against openai-whisper (golden/largest.npy), kinds, holes,
 * sides, and bytes that are nobody's. Voices of people and synthesisers are in check_speech.py. */
#include "encoders/sounding.h"

#include <math.h>
#include <string.h>

#include "base/npy.h"
#include "sound.h"

#define RATE_HZ 16000
#define TOLERANCE 1e-5

static WeftKernels *open_kernels(void)
{
	g_autoptr(GError) error = NULL;
	WeftKernels *kernels = weft_kernels_open("ref", 1, &error);

	g_assert_no_error(error);
	return kernels;
}

static WeftSounding *sound_out(const float *samples, gsize n, gsize piece, gsize n_bins)
{
	g_autoptr(WeftKernels) kernels = open_kernels();
	g_autoptr(WeftSounder) sounder = weft_sounder_new(kernels, n_bins);

	for (gsize i = 0; i < n; i += piece)
		weft_sounder_push(sounder, samples + i, MIN(piece, n - i), (double)i / RATE_HZ);
	return weft_sounder_end(sounder);
}

/* Something like a voice: a gliding pitch, two resonances that move, four syllables a second. */
static void add_voice(float *out, gsize n, double pitch_hz)
{
	double phase = 0;

	for (gsize i = 0; i < n; i++) {
		double t = (double)i / RATE_HZ, x = 0;
		double f0 = pitch_hz * (1 + 0.15 * sin(2 * G_PI * 1.3 * t));
		double loud = fmax(0, sin(2 * G_PI * 4 * t)),
		       one = 500 + 250 * sin(2 * G_PI * 2.1 * t);
		double two = 1500 + 600 * sin(2 * G_PI * 1.7 * t);

		phase += 2 * G_PI * f0 / RATE_HZ;
		for (int k = 1; k * f0 < 4000; k++)
			x += sin(k * phase) * (exp(-pow((k * f0 - one) / 150, 2)) +
			                       0.4 * exp(-pow((k * f0 - two) / 250, 2)) + 0.02);
		out[i] += (float)(0.1 * loud * x);
	}
}

static void add_noise(float *out, gsize n, float level)
{
	guint32 state = 1;

	for (gsize i = 0; i < n; i++) {
		state = state * 1664525 + 1013904223;
		out[i] += level * ((float)(state >> 8) / (1 << 23) - 1);
	}
}

static WeftActivity activity_at(const WeftSounding *sounding, double time_s)
{
	for (guint i = 0; i < sounding->intervals->len; i++) {
		const WeftInterval *in = &g_array_index(sounding->intervals, WeftInterval, i);
		if (in->from_s <= time_s && time_s < in->to_s)
			return in->activity;
	}
	g_assert_not_reached();
}

static void test_largest(void)
{
	static const gsize sizes[] = {507200, 32048, 150};
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftNpy) golden = weft_npy_read(WEFT_GOLDEN "/largest.npy", &error);
	g_autofree float *samples = sound_new(sizes[0]);

	g_assert_no_error(error);
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
		for (gsize k = 0; k < 2; k++) {
			g_autoptr(WeftSounding) sounding =
			    sound_out(samples, sizes[i], 5000, k == 0 ? 80 : 128);
			float expected = golden->f32[2 * i + k];

			if (!(fabsf(sounding->largest - expected) <= TOLERANCE))
				g_error("%zu samples: %.7f, expected %.7f", sizes[i],
				        (double)sounding->largest, (double)expected);
			g_assert_cmpfloat(sounding->seconds, ==, (double)sizes[i] / RATE_HZ);
		}
}

static void test_kinds(void)
{
	const gsize n = 40 * RATE_HZ;
	g_autofree float *samples = g_new0(float, n);

	add_noise(samples + 10 * RATE_HZ, 10 * RATE_HZ, 0.1F);
	add_voice(samples + 30 * RATE_HZ, 5 * RATE_HZ, 120);
	g_autoptr(WeftSounding) sounding = sound_out(samples, n, 1600, 80);
	g_autoptr(GArray) speech = weft_sounding_speech(sounding);

	g_assert_cmpint(activity_at(sounding, 5), ==, WEFT_ACTIVITY_SILENCE);
	g_assert_cmpint(activity_at(sounding, 15), ==, WEFT_ACTIVITY_SOUND);
	g_assert_cmpint(activity_at(sounding, 25), ==, WEFT_ACTIVITY_SILENCE);
	g_assert_cmpint(activity_at(sounding, 38), ==, WEFT_ACTIVITY_SILENCE);
	g_assert_cmpuint(speech->len, ==, 1);
	const double *time = g_array_index(speech, WeftStretch, 0).time;

	g_assert_cmpfloat(time[0], <=, 30);
	g_assert_cmpfloat(time[0], >=, 29);
	g_assert_cmpfloat(time[1], >=, 35);
	g_assert_cmpfloat(time[1], <=, 36);
}

/* The pieces in which samples come change no byte. */
static void test_pieces(void)
{
	const gsize n = 21 * RATE_HZ + 77;
	g_autofree float *samples = sound_new(n);

	add_voice(samples + 8 * RATE_HZ, 6 * RATE_HZ, 140);
	g_autoptr(WeftSounding) whole = sound_out(samples, n, n, 80);
	g_autoptr(GBytes) expected = weft_sounding_to_bytes(whole);

	for (gsize piece = 113; piece < n; piece *= 5) {
		g_autoptr(WeftSounding) sounding = sound_out(samples, n, piece, 80);
		g_autoptr(GBytes) bytes = weft_sounding_to_bytes(sounding);
		g_assert_true(g_bytes_equal(bytes, expected));
	}
}

/* Sound at 100 s and at 5000 s: what lies between is silence; what comes twice is heard once. */
static void test_holes(void)
{
	const gsize n = 10 * RATE_HZ;
	g_autoptr(WeftKernels) kernels = open_kernels();
	g_autoptr(WeftSounder) sounder = weft_sounder_new(kernels, 80);
	g_autofree float *samples = g_new0(float, n);

	add_voice(samples, n, 120);
	weft_sounder_push(sounder, samples, n, 100.003);
	weft_sounder_push(sounder, samples + n / 2, n / 2, 105.003);
	weft_sounder_push(sounder, samples, n, 5000);
	weft_sounder_push(sounder, samples, n, 5012);
	weft_sounder_push(sounder, samples, n, NAN);
	weft_sounder_push(sounder, samples, n, 1e300);
	weft_sounder_push(sounder, samples, n, -1);
	g_autoptr(WeftSounding) sounding = weft_sounder_end(sounder);

	g_assert_cmpfloat(sounding->seconds, ==, 5052);
	g_assert_cmpint(activity_at(sounding, 50), ==, WEFT_ACTIVITY_SILENCE);
	g_assert_cmpint(activity_at(sounding, 105), ==, WEFT_ACTIVITY_SPEECH);
	g_assert_cmpint(activity_at(sounding, 112), ==, WEFT_ACTIVITY_SILENCE);
	g_assert_cmpint(activity_at(sounding, 4999), ==, WEFT_ACTIVITY_SILENCE);
	g_assert_cmpint(activity_at(sounding, 5005), ==, WEFT_ACTIVITY_SPEECH);
	const WeftInterval *last =
	    &g_array_index(sounding->intervals, WeftInterval, sounding->intervals->len - 1);

	g_assert_cmpfloat(last->to_s, ==, 5052);
}

static void test_sides(void)
{
	const gsize n = 40 * RATE_HZ, half = 5 * RATE_HZ;
	g_autoptr(WeftKernels) kernels = open_kernels();
	g_autofree float *left = g_new0(float, n), *right = g_new0(float, n);

	for (gsize i = 0; i + 2 * half <= n; i += 2 * half) {
		add_voice(left + i, half, 110);
		add_voice(right + i + half, half, 180);
	}
	for (int is_same = 0; is_same < 2; is_same++) {
		g_autoptr(WeftSounder) sounder = weft_sounder_new(kernels, 80);

		weft_sounder_push_sides(sounder, left, is_same ? left : right, n, 0);
		g_autoptr(WeftSounding) sounding = weft_sounder_end(sounder);
		g_assert_true(sounding->is_two_sided == !is_same);
	}
}

static void test_bytes(void)
{
	const gsize n = 30 * RATE_HZ;
	g_autofree float *samples = g_new0(float, n);

	add_voice(samples, 8 * RATE_HZ, 110);
	add_voice(samples + 10 * RATE_HZ, 15 * RATE_HZ, 210);
	g_autoptr(WeftSounding) sounding = sound_out(samples, n, 4000, 80);
	g_autoptr(GBytes) bytes = weft_sounding_to_bytes(sounding);
	gsize size_bytes;
	const guint8 *data = g_bytes_get_data(bytes, &size_bytes);
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftSounding) back = weft_sounding_from_bytes(data, size_bytes, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(back->intervals->len, ==, sounding->intervals->len);
	g_assert_cmpuint(back->turns->len, ==, sounding->turns->len);
	g_assert_cmpuint(back->turns->len, >, 0);
	for (guint i = 0; i < back->turns->len; i++) {
		const WeftVoiceTurn *a = &g_array_index(back->turns, WeftVoiceTurn, i);
		const WeftVoiceTurn *b = &g_array_index(sounding->turns, WeftVoiceTurn, i);
		g_assert_true(a->from_s == b->from_s && a->to_s == b->to_s &&
		              a->speaker == b->speaker && a->margin == b->margin &&
		              a->is_overlap == b->is_overlap);
	}
	for (gsize i = 0; i < size_bytes; i++) {
		g_autoptr(WeftSounding) cut = weft_sounding_from_bytes(data, i, NULL);
		g_assert_null(cut);
		g_autofree guint8 *other = g_memdup2(data, size_bytes);
		other[i] ^= 0x80;
		g_autoptr(WeftSounding) changed = weft_sounding_from_bytes(other, size_bytes, NULL);
		if (changed) {
			g_autoptr(GBytes) again = weft_sounding_to_bytes(changed);
			g_assert_cmpmem(g_bytes_get_data(again, NULL), g_bytes_get_size(again),
			                other, size_bytes);
		}
	}
}

static void test_nothing(void)
{
	g_autoptr(WeftSounding) sounding = sound_out(NULL, 0, 1, 80);
	g_autoptr(GBytes) bytes = weft_sounding_to_bytes(sounding);
	g_autoptr(WeftSounding) back =
	    weft_sounding_from_bytes(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL);

	g_assert_cmpuint(sounding->intervals->len + sounding->turns->len, ==, 0);
	g_assert_nonnull(back);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sounding/largest", test_largest);
	g_test_add_func("/sounding/kinds", test_kinds);
	g_test_add_func("/sounding/pieces", test_pieces);
	g_test_add_func("/sounding/holes", test_holes);
	g_test_add_func("/sounding/sides", test_sides);
	g_test_add_func("/sounding/bytes", test_bytes);
	g_test_add_func("/sounding/nothing", test_nothing);
	return g_test_run();
}
