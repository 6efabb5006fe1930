#include "encoders/mel.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"

#define FRAME_SIZE 400
#define MIRROR WEFT_MEL_REACH
#define N_SPECTRUM (FRAME_SIZE / 2 + 1)
#define FRAMES_AT_ONCE 512

/* Triangle of one bin: its weights on the spectrum's bins [first, end). */
typedef struct Filter {
	gsize first, end;
	double weight[N_SPECTRUM];
} Filter;

struct WeftMel {
	gsize n_bins;
	double window[FRAME_SIZE];
	Filter *filters;
};

/* Slaney's scale: linear below 1000 Hz, 27 steps to each factor of 6.4 above. */
static double mel_from_hz(double hz)
{
	return hz < 1000 ? hz * 3 / 200 : 15 + 27 * log(hz / 1000) / log(6.4);
}

static double hz_from_mel(double mel)
{
	return mel < 15 ? mel * 200 / 3 : 1000 * exp((mel - 15) * log(6.4) / 27);
}

static void init_filter(Filter *filter, double low, double centre, double high)
{
	for (gsize k = 0; k < N_SPECTRUM; k++) {
		double hz = (double)k * WEFT_MEL_RATE_HZ / FRAME_SIZE;
		double rise = (hz - low) / (centre - low), fall = (high - hz) / (high - centre);
		double weight = fmax(0, fmin(rise, fall)) * 2 / (high - low);

		filter->weight[k] = weight;
		if (weight > 0) {
			if (filter->end == 0)
				filter->first = k;
			filter->end = k + 1;
		}
	}
}

WeftMel *weft_mel_new(gsize n_bins)
{
	WeftMel *mel = g_new0(WeftMel, 1);
	double step = mel_from_hz(WEFT_MEL_RATE_HZ / 2.0) / (double)(n_bins + 1);

	mel->n_bins = n_bins;
	mel->filters = g_new0(Filter, n_bins);
	for (gsize i = 0; i < FRAME_SIZE; i++)
		mel->window[i] = 0.5 - 0.5 * cos(2 * G_PI * (double)i / FRAME_SIZE);
	for (gsize i = 0; i < n_bins; i++)
		init_filter(&mel->filters[i], hz_from_mel((double)i * step),
			    hz_from_mel((double)(i + 1) * step),
			    hz_from_mel((double)(i + 2) * step));
	return mel;
}

void weft_mel_free(WeftMel *mel)
{
	if (!mel)
		return;
	g_free(mel->filters);
	g_free(mel);
}

gsize weft_mel_n_bins(const WeftMel *mel)
{
	return mel->n_bins;
}

/* The samples, the silence, and what both ends mirror. */
static float *padded(const float *samples, gsize n_samples, gsize n_silence, GError **error)
{
	gsize n = n_samples + n_silence;
	float *out = weft_alloc_array(n + 2 * MIRROR, sizeof(float), 0, "samples", error);

	if (!out)
		return NULL;
	float *first = out + MIRROR;

	if (n_samples)
		memcpy(first, samples, n_samples * sizeof(float));
	for (gsize i = 1; i <= MIRROR; i++) {
		*(first - i) = first[i];
		first[n - 1 + i] = first[n - 1 - i];
	}
	return out;
}

static double filtered(const Filter *filter, const float *power)
{
	double sum = 0;

	for (gsize k = filter->first; k < filter->end; k++)
		sum += filter->weight[k] * power[k];
	return log10(fmax(sum, 1e-10));
}

void weft_mel_log(const WeftMel *mel, const float *power, float *out)
{
	for (gsize i = 0; i < mel->n_bins; i++)
		out[i] = (float)filtered(&mel->filters[i], power);
}

gboolean weft_mel_measure(const WeftMel *mel, const WeftKernels *kernels, const float *samples,
			  gsize n_frames, float *out, gsize out_stride, float *ret_largest,
			  GError **error)
{
	g_autofree float *power = weft_alloc_array(MIN(n_frames, FRAMES_AT_ONCE) * (gsize)N_SPECTRUM,
						   sizeof(float), 0, "spectrum", error);
	float largest = -INFINITY;

	if (!power)
		return FALSE;
	for (gsize t0 = 0; t0 < n_frames; t0 += FRAMES_AT_ONCE) {
		gsize n = MIN(n_frames - t0, (gsize)FRAMES_AT_ONCE);

		kernels->power_spectrum(kernels->team, power, samples + t0 * WEFT_MEL_HOP,
					mel->window, n, FRAME_SIZE, WEFT_MEL_HOP);
		for (gsize t = 0; t < n; t++)
			for (gsize i = 0; i < mel->n_bins; i++) {
				const float *frame = power + t * N_SPECTRUM;
				float x = (float)filtered(&mel->filters[i], frame);

				out[i * out_stride + t0 + t] = x;
				largest = fmaxf(largest, x);
			}
	}
	*ret_largest = largest;
	return TRUE;
}

void weft_mel_clamp(const WeftMel *mel, float *out, gsize out_stride, gsize n_frames, float largest)
{
	for (gsize i = 0; i < mel->n_bins; i++)
		for (gsize t = 0; t < n_frames; t++) {
			float *x = &out[i * out_stride + t];
			*x = (fmaxf(*x, largest - 8) + 4) / 4;
		}
}

gboolean weft_mel_apply(const WeftMel *mel, const WeftKernels *kernels, const float *samples,
			gsize n_samples, gsize n_silence, float *out, gsize out_stride,
			GError **error)
{
	gsize n_frames = (n_samples + n_silence) / WEFT_MEL_HOP;
	g_autofree float *from = padded(samples, n_samples, n_silence, error);
	float largest;

	if (!from ||
	    !weft_mel_measure(mel, kernels, from, n_frames, out, out_stride, &largest, error))
		return FALSE;
	weft_mel_clamp(mel, out, out_stride, n_frames, largest);
	return TRUE;
}
