#include "encoders/sound_frames.h"

#include <math.h>
#include <string.h>

#include "encoders/mel.h"

#define WINDOW 400
#define N_SPECTRUM (WINDOW / 2 + 1)
#define HOP WEFT_MEL_HOP
#define FRAMES_AT_ONCE 256

/* The sound below 1 kHz, a sample of every DECIMATION. */
#define DECIMATION 4
#define TAPS 33
#define LAG_MIN 10 /* 400 Hz at 4 kHz */
#define LAG_MAX 66 /* 60 Hz */
#define CORRELATED 120
/* What a frame needs before and behind its centre: half the samples that meet in the longest lag.
 */
#define SLOW_HALF ((CORRELATED + LAG_MAX + 1) / 2)
#define REACH (SLOW_HALF * DECIMATION + TAPS)
/* Power that a lag must have to count as voiced: about -90 dB. */
#define SLOW_FLOOR (CORRELATED * 1e-9F)

#define STEADY_BINS 50 /* 2 kHz */
#define STEADY_BACK 6

/* samples[] holds those from `first` on; REACH zeros, or the mirrored begin, stand before sample 0.
 */
struct WeftSoundFrames {
	const WeftKernels *kernels;
	WeftMel *whisper, *bands;
	double window[WINDOW];
	float taps[TAPS];
	float samples[2 * REACH + FRAMES_AT_ONCE * HOP + HOP];
	float slow[(2 * REACH + FRAMES_AT_ONCE * HOP + HOP) / DECIMATION];
	float power[FRAMES_AT_ONCE * N_SPECTRUM];
	float past[STEADY_BACK][STEADY_BINS]; /* unit vectors, a ring by frame */
	gsize n_held; /* samples[0 .. n_held); samples[REACH] is the centre of the next frame */
	guint64 n_frames, n_samples;
	gboolean is_mirrored;
	float *log_mel; /* of one frame */
	float largest;
};

/* Low pass at 1 kHz: a sinc under Blackman's window. */
static void init_taps(float *taps)
{
	double sum = 0, values[TAPS];

	for (gsize i = 0; i < TAPS; i++) {
		double t = (double)i - TAPS / 2, x = G_PI * t / 8;
		double turn = 2 * G_PI * (double)(i + 1) / (TAPS + 1);

		values[i] =
		    (t == 0 ? 1 : sin(x) / x) * (0.42 - 0.5 * cos(turn) + 0.08 * cos(2 * turn));
		sum += values[i];
	}
	for (gsize i = 0; i < TAPS; i++)
		taps[i] = (float)(values[i] / sum);
}

WeftSoundFrames *weft_sound_frames_new(const WeftKernels *kernels, gsize n_mel_bins)
{
	WeftSoundFrames *self = g_new0(WeftSoundFrames, 1);

	self->kernels = kernels;
	self->whisper = weft_mel_new(n_mel_bins);
	self->bands = weft_mel_new(WEFT_SOUND_BANDS);
	self->log_mel = g_new(float, n_mel_bins);
	for (gsize i = 0; i < WINDOW; i++)
		self->window[i] = 0.5 - 0.5 * cos(2 * G_PI * (double)i / WINDOW);
	init_taps(self->taps);
	self->n_held = REACH;
	self->largest = -10;
	return self;
}

void weft_sound_frames_free(WeftSoundFrames *self)
{
	if (!self)
		return;
	weft_mel_free(self->whisper);
	weft_mel_free(self->bands);
	g_free(self->log_mel);
	g_free(self);
}

float weft_sound_frames_largest(const WeftSoundFrames *self)
{
	return self->largest;
}

/* slow[i]: the sound below 1 kHz around samples[4 i + TAPS / 2]. */
static void decimate(WeftSoundFrames *self)
{
	gsize n = (self->n_held - TAPS) / DECIMATION + 1;

	for (gsize i = 0; i < n; i++) {
		const float *x = self->samples + i * DECIMATION;
		float lanes[4] = {0};

		for (gsize k = 0; k + 4 <= TAPS; k += 4)
			for (gsize l = 0; l < 4; l++)
				lanes[l] += self->taps[k + l] * x[k + l];
		self->slow[i] = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) +
		                self->taps[TAPS - 1] * x[TAPS - 1];
	}
}

/* The shortest lag whose peak is nearly the highest: multiples of a period are as good. */
static gsize best_lag(const float *correlation)
{
	gsize best = LAG_MIN;

	for (gsize lag = LAG_MIN; lag <= LAG_MAX; lag++)
		if (correlation[lag] > correlation[best])
			best = lag;
	for (gsize lag = LAG_MIN + 1; lag < best; lag++)
		if (correlation[lag] >= 0.9F * correlation[best] &&
		    correlation[lag] >= correlation[lag - 1] &&
		    correlation[lag] >= correlation[lag + 1])
			return lag;
	return best;
}

static void measure_pitch(const float *x, WeftSoundFrame *frame)
{
	float product[LAG_MAX + 2] = {0}, correlation[LAG_MAX + 2] = {0}, own = 0, other = 0;

	for (gsize i = 0; i < CORRELATED; i++) {
		own += x[i] * x[i];
		for (gsize lag = LAG_MIN - 1; lag <= LAG_MAX + 1; lag++)
			product[lag] += x[i] * x[i + lag];
	}
	for (gsize i = 0; i < CORRELATED; i++)
		other += x[i + LAG_MIN - 1] * x[i + LAG_MIN - 1];
	for (gsize lag = LAG_MIN - 1; lag <= LAG_MAX + 1; lag++) {
		correlation[lag] =
		    product[lag] / sqrtf((own + SLOW_FLOOR) * (fmaxf(other, 0) + SLOW_FLOOR));
		other += x[lag + CORRELATED] * x[lag + CORRELATED] - x[lag] * x[lag];
	}
	gsize lag = best_lag(correlation);
	float a = correlation[lag - 1], b = correlation[lag], c = correlation[lag + 1];
	float curve = a - 2 * b + c;
	float shift = curve < 0 ? CLAMP(0.5F * (a - c) / curve, -0.5F, 0.5F) : 0;

	frame->voicing = CLAMP(b, 0, 1);
	frame->pitch_hz = (float)WEFT_MEL_RATE_HZ / DECIMATION / ((float)lag + shift);
}

static float steadiness(WeftSoundFrames *self, const float *power)
{
	float *past = self->past[self->n_frames % STEADY_BACK], now[STEADY_BINS];
	float square = 0, product = 0;

	for (gsize k = 0; k < STEADY_BINS; k++) {
		now[k] = sqrtf(
		    sqrtf(power[k + 2])); /* from 80 Hz on; the root lets weak partials count */
		square += now[k] * now[k];
	}
	for (gsize k = 0; k < STEADY_BINS; k++) {
		now[k] /= sqrtf(square + 1e-20F);
		product += now[k] * past[k];
		past[k] = now[k];
	}
	return CLAMP(product, 0, 1);
}

static void measure(WeftSoundFrames *self, gsize t, WeftSoundFrame *frame)
{
	const float *power = self->power + t * N_SPECTRUM;
	double sum = 0;

	weft_mel_log(self->whisper, power, self->log_mel);
	for (gsize i = 0; i < weft_mel_n_bins(self->whisper); i++)
		self->largest = fmaxf(self->largest, self->log_mel[i]);
	weft_mel_log(self->bands, power, frame->bands);
	for (gsize k = 2; k < N_SPECTRUM; k++)
		sum += power[k];
	/* A sine of amplitude 1 has (WINDOW / 4)^2 in its bin and half of that on each side of it.
	 */
	frame->level_db = (float)(10 * log10(sum / (1.5 * WINDOW * WINDOW / 16) + 1e-12));
	frame->steadiness = steadiness(self, power);
	measure_pitch(self->slow + (REACH - TAPS / 2 + t * HOP) / DECIMATION - SLOW_HALF + 1,
	              frame);
}

/* The frames whose reach is there; what they alone needed is let go. */
static void measure_whole(WeftSoundFrames *self, GArray *frames)
{
	gsize n = self->n_held < 2 * REACH ? 0 : (self->n_held - 2 * REACH) / HOP + 1;
	WeftSoundFrame frame;

	n = MIN(n, (gsize)FRAMES_AT_ONCE);
	if (n == 0)
		return;
	if (!self->is_mirrored) {
		for (gsize i = 1; i <= WINDOW / 2; i++)
			self->samples[REACH - i] = self->samples[REACH + i];
		self->is_mirrored = TRUE;
	}
	self->kernels->power_spectrum(self->kernels->team, self->power,
	                              self->samples + REACH - WINDOW / 2, self->window, n, WINDOW,
	                              HOP);
	decimate(self);
	for (gsize t = 0; t < n; t++, self->n_frames++) {
		measure(self, t, &frame);
		g_array_append_val(frames, frame);
	}
	self->n_held -= n * HOP;
	memmove(self->samples, self->samples + n * HOP, self->n_held * sizeof(float));
}

void weft_sound_frames_push(WeftSoundFrames *self, const float *samples, gsize n, GArray *frames)
{
	self->n_samples += n;
	while (n > 0) {
		gsize room = G_N_ELEMENTS(self->samples) - self->n_held, some = MIN(n, room);

		for (gsize i = 0; i < some; i++) {
			float x = isfinite(samples[i]) ? samples[i] : 0;
			self->samples[self->n_held + i] = CLAMP(x, -16, 16);
		}
		self->n_held += some;
		samples += some;
		n -= some;
		measure_whole(self, frames);
	}
}

void weft_sound_frames_end(WeftSoundFrames *self, GArray *frames)
{
	static const float silence[REACH + WINDOW] = {0};
	guint64 n_frames = (self->n_samples + HOP - 1) / HOP;

	/* Also the frames behind the last that still hear its end: they count for the largest. */
	weft_sound_frames_push(self, silence, G_N_ELEMENTS(silence), frames);
	if (self->n_frames > n_frames)
		g_array_set_size(frames,
		                 frames->len - (guint)MIN(self->n_frames - n_frames, frames->len));
	memset(self->samples, 0, sizeof self->samples);
	memset(self->past, 0, sizeof self->past);
	self->n_held = REACH;
	self->n_samples = self->n_frames = 0;
	self->is_mirrored = TRUE; /* nothing but silence is in front */
}
