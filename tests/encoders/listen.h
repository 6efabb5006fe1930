/* listen.h - sounds made by a formula, and a whole recording through a transcript by the rules of
 * openai/whisper alone. */
#ifndef WEFT_TESTS_ENCODERS_LISTEN_H
#define WEFT_TESTS_ENCODERS_LISTEN_H

#include <string.h>

#include "check.h"
#include "encoders/mel.h"
#include "encoders/transcript.h"

#define LISTEN_RATE 16000
#define LISTEN_PIECE 48000 /* samples pushed at once */

/* The sound of tools/make_golden_hear.py. */
static inline float *listen_sound_new(double seconds, guint32 seed, gsize *ret_n)
{
	gsize n = (gsize)(seconds * LISTEN_RATE), at = 0;
	float *out = g_new0(float, n);
	guint32 state = seed;

	while (at < n) {
		guint32 tones[3];

		for (gsize i = 0; i < 3; i++) {
			state = (state * 1103515245u + 12345u) & 0x7fffffff;
			tones[i] = 80 + state % 3000;
		}
		state = (state * 1103515245u + 12345u) & 0x7fffffff;
		gsize end = MIN(at + 1600 + state % 12000, n);

		state = (state * 1103515245u + 12345u) & 0x7fffffff;
		double loud = state % 7 == 0 ? 0 : 0.02 + (state % 100) * 0.001;

		for (gsize i = 0; i < 3; i++)
			for (gsize t = at; t < end; t++)
				out[t] += (float)(loud * sin(2 * G_PI * tones[i] * (double)t / LISTEN_RATE));
		at = end;
	}
	*ret_n = n;
	return out;
}

/* What the first pass gives: the loudest of all frames, silence behind the end included. */
static inline float largest_of(const WeftKernels *kernels, gsize n_bins, const float *samples, gsize n)
{
	gsize n_frames = n / WEFT_MEL_HOP;
	g_autofree float *padded = g_new0(float, n + 2 * (gsize)WEFT_MEL_REACH);
	g_autofree float *mel = g_new(float, n_bins * (n_frames + 1));
	g_autoptr(WeftMel) measure = weft_mel_new(n_bins);
	float largest;

	memcpy(padded + WEFT_MEL_REACH, samples, n * sizeof(float));
	for (gsize i = 1; i <= WEFT_MEL_REACH; i++)
		padded[WEFT_MEL_REACH - i] = samples[i];
	g_assert_true(weft_mel_measure(measure, kernels, padded, n_frames, mel, n_frames, &largest,
				       NULL));
	return largest;
}

/* Calls `each` with every segment. The language, for g_free. */
static inline char *listen_as_reference(const Opened *opened, const WeftTranscriptOptions *asked,
					const float *samples, gsize n,
					void (*each)(const WeftHeard *heard, gpointer data),
					gpointer data)
{
	const WeftAudioConfig *audio = &weft_bundle_config(opened->bundle)->audio;
	WeftTranscriptOptions options = *asked;
	WeftTranscriptSound sound = { .largest = largest_of(opened->kernels, audio->n_bins, samples,
							    n),
				      .is_all_speech = TRUE };
	g_autoptr(GError) error = NULL;
	double probability;
	gboolean did = TRUE;

	options.as_reference = TRUE;
	g_autoptr(WeftWhisperTokens) tokens = weft_whisper_tokens_new(
		weft_bundle_tokenizer(opened->bundle), audio->n_vocab, &error);
	g_assert_no_error(error);
	g_autoptr(WeftTranscript) transcript =
		weft_transcript_new(weft_encoders_listener(opened->encoders), tokens,
				    opened->kernels, &options, &sound, &error);
	g_assert_no_error(error);
	for (gsize at = 0; at < n; at += LISTEN_PIECE)
		weft_transcript_push(transcript, samples + at, MIN(n - at, LISTEN_PIECE),
				     (double)at / LISTEN_RATE);
	weft_transcript_end(transcript);
	while (did) {
		WeftHeard *heard;

		g_assert_true(weft_transcript_listen(transcript, &did, &error));
		g_assert_no_error(error);
		while ((heard = weft_transcript_take(transcript))) {
			each(heard, data);
			weft_heard_free(heard);
		}
	}
	return g_strdup(weft_transcript_language(transcript, &probability));
}

#endif
