#include "encoders/speech_activity.h"

#include <math.h>
#include <string.h>

/* Frames of 10 ms. A kind rests on CONTEXT frames before and behind it: the windows of the
 * evidence, its spread, the margin, and the gap that is closed lie within. */
#define CONTEXT 350
#define BLOCK (WEFT_ACTIVITY_DELAY_FRAMES - CONTEXT)
#define HELD (2 * CONTEXT + BLOCK)
#define STEP 5     /* evidence is weighed every 50 ms */
#define NEAR 50    /* on either side: variability, occupancy */
#define FAR 100    /* on either side: glides */
#define SPREAD 100 /* evidence speaks for what is as near */
#define MARGIN 25
#define GAP 60 /* pauses that are shorter are no pauses */
_Static_assert(FAR + NEAR + SPREAD + MARGIN + GAP + 8 <= CONTEXT, "what a kind rests on is held");

/* The bands of 100 to 6500 Hz. */
#define BAND_FIRST 1
#define N_BANDS 28

#define QUIET_DB (-55)   /* silence */
#define NOTHING_DB (-82) /* below the noise of 16 bits with dither */
#define BELOW_PEAK_DB 30 /* what is there at all, against the loudest around it */
#define ABOVE_FLOOR_DB 5

#define VOICED 0.55F
#define GLIDE_FRAMES 6
#define GLIDE_STEP 0.03F /* of the logarithm of the pitch, from frame to frame */
#define GLIDE_MIN 0.008F /* over GLIDE_FRAMES */
#define GLIDE_MAX 0.25F

/* Measured on the dev part of tools/make_speech_corpus.py; the other part was only read. */
/* dB; noise and applause have up to 2.1, speech in 0 dB of noise 2.4 */
#define VARIABILITY_MIN 2.1F
#define GLIDES_MIN 0.04F /* of the frames that are there; notes have up to 0.035 */
#define STROKE_OCCUPANCY 0.28F
#define STROKE_RISE 1.5F
#define WHISPER_VOICED_MAX 0.4F
#define WHISPER_CHANGE_MIN 5 /* dB between shapes of the spectrum 80 ms apart */
#define WHISPER_VARIABILITY_MIN 6
#define WHISPER_OCCUPANCY_MIN 0.38F
#define WHISPER_STEADINESS_MAX 0.9F
#define NOISE_GLIDES_MIN 0.008F /* where nothing else sounds that could have a pitch */
#define NOISE_VOICED_MAX 0.4F
#define NOISE_OCCUPANCY_MIN 0.6F
#define NOISE_STEADINESS_MAX 0.93F
#define CHANGE_BACK 8

typedef struct Moment {
	float level_db, steadiness;
	float log_pitch;
	gboolean is_voiced, is_glide;
	guint8 run;            /* frames without a step of the pitch, up to GLIDE_FRAMES */
	float bands[N_BANDS];  /* dB */
	float smooth[N_BANDS]; /* the mean of 5 frames */
	float change;          /* of the shape since CHANGE_BACK frames before */
} Moment;

struct WeftSpeechActivity {
	Moment moments[HELD];
	gsize n, n_decided;  /* moments[n_decided] is the first without a kind */
	float peak_db[HELD]; /* the loudest within NEAR */
	guint8 evidence[HELD], speech[HELD], spread[HELD];
};

/* What is there around a frame, within NEAR and FAR. */
typedef struct Evidence {
	float variability, occupancy, steadiness, change, voiced, glides, rise;
} Evidence;

WeftSpeechActivity *weft_speech_activity_new(void)
{
	return g_new0(WeftSpeechActivity, 1);
}

void weft_speech_activity_free(WeftSpeechActivity *self)
{
	g_free(self);
}

static void add_moment(WeftSpeechActivity *self, const WeftSoundFrame *frame)
{
	Moment *now = &self->moments[self->n], *before = self->n > 0 ? now - 1 : NULL;

	memset(now, 0, sizeof *now);
	now->level_db = frame->level_db;
	now->steadiness = frame->steadiness;
	now->log_pitch = logf(fmaxf(frame->pitch_hz, 1));
	now->is_voiced = frame->voicing > VOICED && frame->level_db > NOTHING_DB;
	for (gsize b = 0; b < N_BANDS; b++)
		now->bands[b] = 10 * frame->bands[BAND_FIRST + b];
	if (before && now->is_voiced && before->is_voiced &&
	    fabsf(now->log_pitch - before->log_pitch) < GLIDE_STEP)
		now->run = (guint8)MIN(before->run + 1, GLIDE_FRAMES);
	if (now->run == GLIDE_FRAMES) {
		float moved = fabsf(now->log_pitch - (now - GLIDE_FRAMES)->log_pitch);
		now->is_glide = moved > GLIDE_MIN && moved < GLIDE_MAX;
	}
	self->n++;
}

/* What needs the frames on both sides; moments [first, end). */
static void finish_moments(WeftSpeechActivity *self, gsize first, gsize end)
{
	for (gsize t = first; t < end; t++) {
		Moment *now = &self->moments[t];
		gsize a = t < 2 ? 0 : t - 2, b = MIN(t + 3, self->n);

		for (gsize k = 0; k < N_BANDS; k++) {
			float sum = 0;
			for (gsize i = a; i < b; i++)
				sum += self->moments[i].bands[k];
			now->smooth[k] = sum / (float)(b - a);
		}
		const Moment *then = &self->moments[t < CHANGE_BACK ? 0 : t - CHANGE_BACK];
		float mean = 0, square = 0;

		for (gsize k = 0; k < N_BANDS; k++)
			mean += (now->smooth[k] - then->smooth[k]) / N_BANDS;
		for (gsize k = 0; k < N_BANDS; k++) {
			float d = now->smooth[k] - then->smooth[k] - mean;
			square += d * d;
		}
		now->change = sqrtf(square / N_BANDS);
		a = t < NEAR ? 0 : t - NEAR;
		b = MIN(t + NEAR + 1, self->n);
		self->peak_db[t] = -INFINITY;
		for (gsize i = a; i < b; i++)
			self->peak_db[t] = fmaxf(self->peak_db[t], self->moments[i].level_db);
	}
}

/* The mean over bands of the standard deviation over time, moments [a, b). */
static float variability(const WeftSpeechActivity *self, gsize a, gsize b)
{
	float sum[N_BANDS] = {0}, square[N_BANDS] = {0}, n = (float)(b - a), result = 0;
	const float *middle = self->moments[(a + b) / 2].smooth;

	for (gsize i = a; i < b; i++)
		for (gsize k = 0; k < N_BANDS; k++) {
			float x = self->moments[i].smooth[k] - middle[k]; /* against cancellation */
			sum[k] += x;
			square[k] += x * x;
		}
	for (gsize k = 0; k < N_BANDS; k++)
		result += sqrtf(fmaxf(square[k] / n - sum[k] / n * (sum[k] / n), 0)) / N_BANDS;
	return result;
}

static gboolean is_there(const WeftSpeechActivity *self, gsize t)
{
	float db = self->moments[t].level_db;

	return db > NOTHING_DB && db > self->peak_db[t] - BELOW_PEAK_DB;
}

static Evidence weigh(const WeftSpeechActivity *self, gsize t)
{
	gsize a = t < NEAR ? 0 : t - NEAR, b = MIN(t + NEAR + 1, self->n);
	float n = (float)(b - a), n_there = 0, n_glides = 0, up = 0, down = 0, n_changing = 0;
	Evidence e = {.variability = variability(self, a, b)};

	for (gsize i = a; i < b; i++) {
		const Moment *m = &self->moments[i];
		float rise = i > a ? m->level_db - (m - 1)->level_db : 0;

		e.occupancy += (float)(m->level_db > self->peak_db[t] - 15) / n;
		e.steadiness += m->steadiness / n;
		e.voiced += (float)m->is_voiced / n;
		if (is_there(self, i)) {
			e.change += m->change;
			n_changing++;
		}
		*(rise > 0 ? &up : &down) += rise * rise;
	}
	e.change /= fmaxf(n_changing, 5);
	e.rise = sqrtf(up / fmaxf(down, 1e-3F));
	a = t < FAR ? 0 : t - FAR;
	b = MIN(t + FAR + 1, self->n);
	for (gsize i = a; i < b; i++) {
		n_there += (float)is_there(self, i);
		n_glides += (float)self->moments[i].is_glide;
	}
	e.glides = n_glides / fmaxf(n_there, NEAR);
	return e;
}

static gboolean is_evidence(const Evidence *e)
{
	gboolean is_stroke = e->occupancy < STROKE_OCCUPANCY && e->rise > STROKE_RISE;

	if (e->variability < VARIABILITY_MIN || is_stroke)
		return FALSE;
	if (e->glides > GLIDES_MIN)
		return TRUE;
	if (e->glides > NOISE_GLIDES_MIN && e->voiced < NOISE_VOICED_MAX &&
	    e->occupancy > NOISE_OCCUPANCY_MIN && e->steadiness < NOISE_STEADINESS_MAX)
		return TRUE;
	return e->voiced < WHISPER_VOICED_MAX && e->change > WHISPER_CHANGE_MIN &&
	       e->variability > WHISPER_VARIABILITY_MIN && e->occupancy > WHISPER_OCCUPANCY_MIN &&
	       e->steadiness < WHISPER_STEADINESS_MAX;
}

/* to[t] = whether any of from[] within `reach` is set. */
static void dilate(const guint8 *from, guint8 *to, gsize n, gsize reach)
{
	gsize last = G_MAXSIZE / 2; /* of those that are set, up to t + reach */

	for (gsize t = 0, next = 0; t < n; t++) {
		for (; next < n && next <= t + reach; next++)
			if (from[next])
				last = next;
		to[t] = last != G_MAXSIZE / 2 && last + reach >= t;
	}
}

/* The level under which a tenth of the frames within FAR lies. */
static float floor_db(const WeftSpeechActivity *self, gsize t)
{
	gsize a = t < FAR ? 0 : t - FAR, b = MIN(t + FAR + 1, self->n);
	guint count[128] = {0}, seen = 0;

	for (gsize i = a; i < b; i++)
		count[(gsize)CLAMP(self->moments[i].level_db + 120, 0, 127)]++;
	for (gsize k = 0; k < G_N_ELEMENTS(count); k++) {
		seen += count[k];
		if (seen * 10 >= b - a)
			return (float)k - 119.5F;
	}
	return 0;
}

/* speech[] of all moments held; right for those with CONTEXT around them. */
static void find_speech(WeftSpeechActivity *self)
{
	gsize n = self->n;

	finish_moments(self, 0, n);
	memset(self->evidence, 0, n);
	for (gsize t = 0; t < n; t += STEP) {
		Evidence e = weigh(self, t);
		self->evidence[t] = (guint8)is_evidence(&e);
	}
	dilate(self->evidence, self->spread, n, SPREAD);
	for (gsize t = 0; t < n; t++) {
		float db = self->moments[t].level_db;
		self->speech[t] = self->spread[t] && is_there(self, t) &&
		                  (db > floor_db(self, t) + ABOVE_FLOOR_DB ||
		                   (self->moments[t].run > 2 && db > floor_db(self, t) + 1));
	}
	/* margins, and pauses closed: grow by half of a gap more, then shrink by that */
	dilate(self->speech, self->spread, n, MARGIN + GAP / 2);
	for (gsize t = 0; t < n; t++)
		self->evidence[t] = !self->spread[t];
	dilate(self->evidence, self->spread, n, GAP / 2);
	for (gsize t = 0; t < n; t++)
		self->speech[t] = !self->spread[t];
}

static void decide(WeftSpeechActivity *self, gsize end, GByteArray *kinds)
{
	find_speech(self);
	for (gsize t = self->n_decided; t < end; t++) {
		gsize a = t < NEAR ? 0 : t - NEAR, b = MIN(t + NEAR + 1, self->n), n_loud = 0;
		guint8 kind = WEFT_ACTIVITY_SPEECH;

		for (gsize i = a; i < b; i++)
			n_loud += self->moments[i].level_db > QUIET_DB;
		if (!self->speech[t])
			kind = n_loud * 5 > b - a ? WEFT_ACTIVITY_SOUND : WEFT_ACTIVITY_SILENCE;
		g_byte_array_append(kinds, &kind, 1);
	}
	self->n_decided = end;
}

void weft_speech_activity_push(WeftSpeechActivity *self, const WeftSoundFrame *frames, gsize n,
                               GByteArray *kinds)
{
	for (gsize i = 0; i < n; i++) {
		add_moment(self, &frames[i]);
		if (self->n < HELD)
			continue;
		decide(self, HELD - CONTEXT, kinds);
		self->n = HELD - BLOCK;
		self->n_decided -= BLOCK;
		memmove(self->moments, self->moments + BLOCK, self->n * sizeof *self->moments);
	}
}

void weft_speech_activity_end(WeftSpeechActivity *self, GByteArray *kinds)
{
	decide(self, self->n, kinds);
	self->n = self->n_decided = 0;
}
