#include "encoders/sounding.h"

#include <math.h>
#include <string.h>

#include "encoders/mel.h"

#define RATE_HZ WEFT_MEL_RATE_HZ
#define HOP WEFT_MEL_HOP
#define JITTER (RATE_HZ / 100) /* pieces so near follow each other */
#define FILLED (30 * RATE_HZ)  /* holes up to here are listened to as silence, longer ones skipped \
	                        */
#define PIECE 4096             /* samples that are mixed or filled at once */
#define FLICKER_FRAMES 50      /* silence and sound that is shorter is none */
#define MARGIN_STEPS 25        /* of 1: margins are kept in steps */

/* Two channels are two speakers when, in blocks of 20 ms that are loud enough, mostly one is louder
 * than the other by far, each of them often, and their waves are not the same. */
#define BLOCK (RATE_HZ / 50)
#define BLOCK_LOUD 1e-5 /* mean square, -50 dB */
#define BLOCK_RATIO 10.0
#define SIDE_SHARE_MIN 0.1
#define SIDES_SHARE_MIN 0.7
#define CORRELATION_MAX 0.5

typedef struct Sides {
	double left, right; /* of the block so far */
	gsize n_in_block;
	double square_left, square_right, product;
	guint64 n_loud, n_left, n_right;
} Sides;

struct WeftSounder {
	gsize n_mel_bins;
	WeftSoundFrames *frames;
	WeftSpeechActivity *activity;
	WeftSpeakers *speakers;
	GArray *waiting; /* frames that have no kind yet */
	GByteArray *kinds;
	GArray *intervals;
	guint32 n_decided; /* frames that have one */
	guint64 n_samples; /* since the beginning of the recording */
	gboolean has_sides;
	Sides sides;
};

WeftSounder *weft_sounder_new(const WeftKernels *kernels, gsize n_mel_bins)
{
	WeftSounder *self = g_new0(WeftSounder, 1);

	self->n_mel_bins = n_mel_bins;
	self->frames = weft_sound_frames_new(kernels, n_mel_bins);
	self->activity = weft_speech_activity_new();
	self->speakers = weft_speakers_new();
	self->waiting = g_array_new(FALSE, FALSE, sizeof(WeftSoundFrame));
	self->kinds = g_byte_array_new();
	self->intervals = g_array_new(FALSE, FALSE, sizeof(WeftInterval));
	return self;
}

void weft_sounder_free(WeftSounder *self)
{
	if (!self)
		return;
	weft_sound_frames_free(self->frames);
	weft_speech_activity_free(self->activity);
	weft_speakers_free(self->speakers);
	g_array_unref(self->waiting);
	g_byte_array_unref(self->kinds);
	g_array_unref(self->intervals);
	g_free(self);
}

static WeftInterval *last_interval(WeftSounder *self, guint back)
{
	return self->intervals->len > back
	           ? &g_array_index(self->intervals, WeftInterval, self->intervals->len - 1 - back)
	           : NULL;
}

static void add_kind(WeftSounder *self, WeftActivity kind, guint32 n)
{
	WeftInterval *last = last_interval(self, 0), *before = last_interval(self, 1);
	WeftInterval next = {self->n_decided / (double)WEFT_SOUND_FRAMES_PER_S, 0, kind};

	self->n_decided += n;
	next.to_s = self->n_decided / (double)WEFT_SOUND_FRAMES_PER_S;
	if (last && last->activity == kind) {
		last->to_s = next.to_s;
		return;
	}
	if (before && before->activity != WEFT_ACTIVITY_SPEECH &&
	    last->activity != WEFT_ACTIVITY_SPEECH &&
	    (last->to_s - last->from_s) * WEFT_SOUND_FRAMES_PER_S < FLICKER_FRAMES) {
		before->to_s = last->to_s;
		g_array_set_size(self->intervals, self->intervals->len - 1);
		if (before->activity == kind) {
			before->to_s = next.to_s;
			return;
		}
	}
	g_array_append_val(self->intervals, next);
}

/* Frames that have a kind now go to the speakers. */
static void take_kinds(WeftSounder *self)
{
	guint n = self->kinds->len;

	weft_speakers_push(self->speakers,
	                   (const WeftSoundFrame *)(const void *)self->waiting->data,
	                   self->kinds->data, n);
	for (guint i = 0; i < n; i++)
		add_kind(self, self->kinds->data[i], 1);
	if (n > 0)
		g_array_remove_range(self->waiting, 0, n);
	g_byte_array_set_size(self->kinds, 0);
}

static void judge_from(WeftSounder *self, guint first)
{
	if (first == self->waiting->len) /* an array without frames may have no address */
		return;
	weft_speech_activity_push(self->activity,
	                          &g_array_index(self->waiting, WeftSoundFrame, first),
	                          self->waiting->len - first, self->kinds);
	take_kinds(self);
}

static void listen(WeftSounder *self, const float *samples, gsize n)
{
	guint first = self->waiting->len;

	weft_sound_frames_push(self->frames, samples, n, self->waiting);
	self->n_samples += n;
	judge_from(self, first);
}

/* What is held back comes out; n_decided is the end of the sound. */
static void settle(WeftSounder *self)
{
	guint first = self->waiting->len;

	weft_sound_frames_end(self->frames, self->waiting);
	judge_from(self, first);
	weft_speech_activity_end(self->activity, self->kinds);
	take_kinds(self);
}

/* A hole of n samples, before the next one. */
static void pass(WeftSounder *self, guint64 n)
{
	static const float silence[PIECE] = {0};

	if (n > FILLED) {
		settle(self);
		guint64 end = (self->n_samples + n) / HOP;
		guint32 skipped = (guint32)(end - MIN(end, self->n_decided));

		weft_speakers_skip(self->speakers, skipped);
		if (skipped > 0)
			add_kind(self, WEFT_ACTIVITY_SILENCE, skipped);
		n -= end * HOP - self->n_samples;
		self->n_samples = end * HOP;
	}
	for (; n > 0; n -= MIN(n, PIECE))
		listen(self, silence, MIN(n, PIECE));
}

/* Where samples of a time begin: how many of n are known already; a hole before them is passed. */
static gsize place(WeftSounder *self, gsize n, double time_s)
{
	if (!isfinite(time_s) || time_s < 0 || time_s > WEFT_SOUNDING_SECONDS_MAX)
		return 0;
	guint64 first = (guint64)llround(time_s * RATE_HZ);

	if (first > self->n_samples + JITTER)
		pass(self, first - self->n_samples);
	else if (first + JITTER < self->n_samples)
		return MIN(n, self->n_samples - first);
	return 0;
}

void weft_sounder_push(WeftSounder *self, const float *samples, gsize n, double time_s)
{
	gsize known = n > 0 ? place(self, n, time_s) : 0;

	if (self->n_samples < (guint64)(2 * WEFT_SOUNDING_SECONDS_MAX) * RATE_HZ && n > known)
		listen(self, samples + known, n - known);
}

static void end_block(Sides *sides)
{
	double left = sides->left / BLOCK, right = sides->right / BLOCK;

	sides->left = sides->right = 0;
	sides->n_in_block = 0;
	if (left < BLOCK_LOUD && right < BLOCK_LOUD)
		return;
	sides->n_loud++;
	sides->n_left += left > BLOCK_RATIO * right;
	sides->n_right += right > BLOCK_RATIO * left;
}

static void compare_sides(Sides *sides, const float *left, const float *right, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		double l = isfinite(left[i]) ? CLAMP(left[i], -16, 16) : 0;
		double r = isfinite(right[i]) ? CLAMP(right[i], -16, 16) : 0;

		sides->left += l * l;
		sides->right += r * r;
		sides->square_left += l * l;
		sides->square_right += r * r;
		sides->product += l * r;
		if (++sides->n_in_block == BLOCK)
			end_block(sides);
	}
}

void weft_sounder_push_sides(WeftSounder *self, const float *left, const float *right, gsize n,
                             double time_s)
{
	float mean[PIECE];

	self->has_sides = TRUE;
	for (gsize i = n > 0 ? place(self, n, time_s) : 0; i < n; i += PIECE) {
		gsize some = MIN(n - i, (gsize)PIECE);

		for (gsize k = 0; k < some; k++)
			mean[k] = (left[i + k] + right[i + k]) / 2;
		compare_sides(&self->sides, left + i, right + i, some);
		if (self->n_samples < (guint64)(2 * WEFT_SOUNDING_SECONDS_MAX) * RATE_HZ)
			listen(self, mean, some);
	}
}

static gboolean is_two_sided(const WeftSounder *self)
{
	const Sides *s = &self->sides;
	double n = (double)s->n_loud;

	return self->has_sides && n > 0 && (double)s->n_left > SIDE_SHARE_MIN * n &&
	       (double)s->n_right > SIDE_SHARE_MIN * n &&
	       (double)(s->n_left + s->n_right) > SIDES_SHARE_MIN * n &&
	       fabs(s->product) < CORRELATION_MAX * sqrt(s->square_left * s->square_right);
}

WeftSounding *weft_sounder_end(WeftSounder *self)
{
	WeftSounding *sounding = g_new0(WeftSounding, 1);
	gboolean has_speech = FALSE;

	settle(self);
	sounding->n_mel_bins = (guint32)self->n_mel_bins;
	sounding->largest = weft_sound_frames_largest(self->frames);
	sounding->seconds = (double)self->n_samples / RATE_HZ;
	sounding->intervals = g_array_ref(self->intervals);
	sounding->turns = g_array_new(FALSE, FALSE, sizeof(WeftVoiceTurn));
	weft_speakers_end(self->speakers, sounding->turns);
	for (guint i = 0; i < sounding->turns->len; i++) {
		WeftVoiceTurn *turn = &g_array_index(sounding->turns, WeftVoiceTurn, i);
		turn->margin = roundf(turn->margin * MARGIN_STEPS) / MARGIN_STEPS;
	}
	for (guint i = 0; i < self->intervals->len; i++)
		has_speech =
		    has_speech || g_array_index(self->intervals, WeftInterval, i).activity ==
		                      WEFT_ACTIVITY_SPEECH;
	sounding->is_two_sided = has_speech && is_two_sided(self);
	return sounding;
}

void weft_sounding_free(WeftSounding *sounding)
{
	if (!sounding)
		return;
	if (sounding->intervals)
		g_array_unref(sounding->intervals);
	if (sounding->turns)
		g_array_unref(sounding->turns);
	g_free(sounding);
}

GArray *weft_sounding_speech(const WeftSounding *sounding)
{
	GArray *speech = g_array_new(FALSE, FALSE, sizeof(WeftStretch));

	for (guint i = 0; i < sounding->intervals->len; i++) {
		const WeftInterval *in = &g_array_index(sounding->intervals, WeftInterval, i);
		WeftStretch stretch = {{in->from_s, in->to_s}};

		if (in->activity == WEFT_ACTIVITY_SPEECH)
			g_array_append_val(speech, stretch);
	}
	return speech;
}
