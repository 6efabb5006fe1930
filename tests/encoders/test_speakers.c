/* Turns of voices that are made of numbers: an envelope for each, and what they say upon it. What
 * synthesisers say is in check_speech.py. */
#include "encoders/speakers.h"

#include <math.h>

#include "encoders/clusters.h"
#include "encoders/speech_activity.h"
#include "encoders/variation.h"

static double draw(guint32 *state)
{
	double sum = -6;

	for (int i = 0; i < 12; i++) { /* about normal */
		*state = *state * 1664525 + 1013904223;
		sum += (double)(*state >> 8) / (1 << 24);
	}
	return sum;
}

/* Seconds of a voice: a new sound every 80 ms. */
static void speak(WeftSpeakers *speakers, int voice, double seconds, guint32 *state)
{
	double sound[WEFT_SOUND_BANDS] = {0};

	for (int t = 0; t < seconds * WEFT_SOUND_FRAMES_PER_S; t++) {
		WeftSoundFrame frame = {
		    .level_db = -20, .voicing = 0.9F, .pitch_hz = voice == 1 ? 200 : 110};
		guint8 kind = voice == 0 ? WEFT_ACTIVITY_SILENCE : WEFT_ACTIVITY_SPEECH;

		for (int b = 0; b < WEFT_SOUND_BANDS; b++) {
			if (t % 8 == 0)
				sound[b] = 0.5 * draw(state);
			frame.bands[b] =
			    (float)(sound[b] + 0.4 * sin(voice * 0.7 * b) + 0.05 * draw(state));
		}
		frame.pitch_hz *= (float)(1 + 0.05 * draw(state));
		weft_speakers_push(speakers, &frame, &kind, 1);
	}
}

/* 24 turns of 4 s with pauses of 0.5 s. */
static GArray *converse(WeftSpeakers *speakers, int n_voices)
{
	GArray *turns = g_array_new(FALSE, FALSE, sizeof(WeftVoiceTurn));
	guint32 state = 7;

	for (int i = 0; i < 24; i++) {
		speak(speakers, i % n_voices + 1, 4, &state);
		speak(speakers, 0, 0.5, &state);
	}
	weft_speakers_end(speakers, turns);
	return turns;
}

static void test_voices(void)
{
	g_autoptr(WeftSpeakers) speakers = weft_speakers_new();

	for (guint32 n = 1; n <= 3; n++) {
		g_autoptr(GArray) turns = converse(speakers, (int)n);

		g_assert_cmpuint(turns->len, ==, 24);
		for (guint i = 0; i < turns->len; i++) {
			const WeftVoiceTurn *turn = &g_array_index(turns, WeftVoiceTurn, i);
			g_assert_cmpuint(turn->speaker, ==, i % n + 1);
			g_assert_cmpfloat_with_epsilon(turn->from_s, i * 4.5, 0.011);
			g_assert_cmpfloat_with_epsilon(turn->to_s, i * 4.5 + 4, 0.011);
			g_assert_cmpfloat(turn->margin, >=, WEFT_TURN_MARGIN_MIN);
			g_assert_false(turn->is_overlap);
		}
	}
}

/* Too little to tell anybody apart: one speaker, no label. */
static void test_little(void)
{
	g_autoptr(WeftSpeakers) speakers = weft_speakers_new();
	g_autoptr(GArray) turns = g_array_new(FALSE, FALSE, sizeof(WeftVoiceTurn));
	guint32 state = 3;

	weft_speakers_end(speakers, turns);
	g_assert_cmpuint(turns->len, ==, 0);
	weft_speakers_skip(speakers, 1000);
	speak(speakers, 1, 2, &state);
	weft_speakers_end(speakers, turns);
	g_assert_cmpuint(turns->len, ==, 1);
	const WeftVoiceTurn *turn = &g_array_index(turns, WeftVoiceTurn, 0);

	g_assert_cmpfloat(turn->from_s, ==, 10);
	g_assert_cmpfloat(turn->margin, <, WEFT_TURN_MARGIN_MIN);
}

static gboolean is_far(const WeftClusters *clusters, guint32 a, guint32 b, void *context)
{
	return weft_clusters_distance(clusters, a, b) > 15; /* noise alone: 6 */
}

static void test_clusters(void)
{
	WeftPoint points[90];
	float weights[90];
	guint32 state = 5;

	for (guint i = 0; i < G_N_ELEMENTS(points); i++) {
		weights[i] = 1;
		for (gsize k = 0; k < WEFT_CLUSTERS_DIMENSIONS; k++)
			points[i].x[k] = (float)draw(&state) + (k == i % 3 ? 20 : 0);
	}
	g_autoptr(WeftClusters) clusters = weft_clusters_new(points, weights, 90);

	weft_clusters_join(clusters, 1, is_far, NULL);
	g_assert_cmpuint(clusters->n_alive, ==, 3);
	for (guint i = 0; i < 90; i++)
		g_assert_cmpuint(clusters->roots[i], ==, i % 3);
	g_assert_cmpfloat(clusters->weights[0], ==, 30);
	weft_clusters_join(clusters, 2, NULL, NULL);
	g_assert_cmpuint(clusters->n_alive, ==, 3); /* what was called distinct stays so */
}

/* Steps of variance 2 in other units, a tenth of them from voice to voice. */
static void test_variation(void)
{
	g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(WeftPoint));
	guint32 state = 9;
	WeftVariation variation;
	double sum = 0;

	g_assert_false(weft_variation_find(steps, steps, &variation));
	for (int i = 0; i < 2000; i++) {
		WeftPoint step;
		double common = draw(&state);
		for (int k = 0; k < WEFT_CLUSTERS_DIMENSIONS; k++)
			step.x[k] =
			    (float)((k + 1) * (draw(&state) + common)) + (i % 10 == 0 ? 300 : 0);
		g_array_append_val(steps, step);
	}
	g_assert_true(weft_variation_find(steps, steps, &variation));
	for (int i = 1; i < 2000; i += 10) {
		WeftPoint step = g_array_index(steps, WeftPoint, i);
		weft_variation_divide(&variation, &step);
		for (int k = 0; k < WEFT_CLUSTERS_DIMENSIONS; k++)
			sum += step.x[k] * step.x[k] / WEFT_CLUSTERS_DIMENSIONS / 200;
	}
	g_assert_cmpfloat(sum, >, 1.6);
	g_assert_cmpfloat(sum, <, 2.3);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/speakers/voices", test_voices);
	g_test_add_func("/speakers/little", test_little);
	g_test_add_func("/speakers/clusters", test_clusters);
	g_test_add_func("/speakers/variation", test_variation);
	return g_test_run();
}
