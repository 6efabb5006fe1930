/* sound.h - the sound of tools/make_golden_encoders.py, by the same formula. */
#ifndef WEFT_TESTS_ENCODERS_SOUND_H
#define WEFT_TESTS_ENCODERS_SOUND_H

#include <glib.h>
#include <math.h>

/* Caller frees. */
static inline float *sound_new(gsize n)
{
	float *samples = g_new(float, n);

	for (gsize i = 0; i < n; i++) {
		double t = (double)i / 16000.0;
		double noise = (double)((i * 1103515245 + 12345) >> 8 & 1023) / 1024.0 - 0.5;

		samples[i] = (float)(0.3 * sin(2 * G_PI * 440 * t) +
				     0.2 * sin(2 * G_PI * (200 + 30 * t) * t) + 0.02 * noise);
	}
	return samples;
}

#endif
