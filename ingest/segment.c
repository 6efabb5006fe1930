#include "ingest/segment.h"

#include <math.h>
#include <string.h>

#include "ingest/decoder.h"

#define HOP 320u             /* 20 ms: shorter than a syllable, longer than a period of any voice */
#define HOPS_PAUSE 40u       /* 0.8 s: longer than the pauses between sentences */
#define HOPS_PAD 5u          /* 0.1 s kept around sound */
#define HOPS_WINDOW 1500u    /* 30 s */
#define HOPS_CUT_FIRST 1000u /* a window that is full is cut after its first 20 s */
#define HOPS_SILENCE 15000u  /* 300 s: told now and then, so that no other track waits */
#define RMS_SILENT 0.002     /* -54 dB: 65 steps of 16 bit, below the noise of most rooms */

struct WeftSegmenter {
	guint32 track;
	gboolean want_pcm, want_silence;
	GQueue *out;

	gboolean open;     /* something was pushed since the last break */
	gboolean sounding; /* the window holds a loud hop */
	gboolean silent;   /* enough quiet hops were seen to call it silence */
	double begin_s;    /* time of the window's first sample, also of those that were let go */
	double late_s;    /* what the caller's clock is ahead of the samples, for the next window */
	double end_s;     /* end of what was given out */
	guint64 n_gone;   /* samples of the window that are no longer held: silence only */
	guint n_channels; /* since the last break */
	GArray *samples[WEFT_SIDES_MAX]; /* of float, of each channel, all of one length */
	GArray *energies; /* of float: mean square of each whole hop in `samples` */
	guint n_quiet;    /* quiet hops at the end */
};

WeftSegmenter *weft_segmenter_new(guint32 track, const WeftDecodeOptions *options, GQueue *out)
{
	WeftSegmenter *s = g_new0(WeftSegmenter, 1);
	s->track = track;
	s->want_pcm = options->want_pcm;
	s->want_silence = options->want_pcm && options->want_silence;
	s->out = out;
	s->end_s = -INFINITY;
	for (guint c = 0; c < WEFT_SIDES_MAX; c++)
		s->samples[c] = g_array_new(FALSE, FALSE, sizeof(float));
	s->energies = g_array_new(FALSE, FALSE, sizeof(float));
	return s;
}

void weft_segmenter_free(WeftSegmenter *s)
{
	if (!s)
		return;
	for (guint c = 0; c < WEFT_SIDES_MAX; c++)
		g_array_unref(s->samples[c]);
	g_array_unref(s->energies);
	g_free(s);
}

double weft_segmenter_time(const WeftSegmenter *s)
{
	return s->open ? s->begin_s : s->end_s;
}

static double mean_square(const float *x, gsize n)
{
	double sum = 0;
	for (gsize i = 0; i < n; i++)
		sum += (double)x[i] * x[i];
	return n ? sum / (double)n : 0;
}

/* Of `n` samples of the window from `first` on, in the louder channel. */
static double loudest(const WeftSegmenter *s, gsize first, gsize n)
{
	double most = 0;
	for (guint c = 0; c < s->n_channels; c++) {
		const float *x = (const float *)(gpointer)s->samples[c]->data;
		most = MAX(most, mean_square(x + first, n));
	}
	return most;
}

static void drop(WeftSegmenter *s, guint n_samples, guint n_hops)
{
	for (guint c = 0; c < s->n_channels; c++)
		g_array_remove_range(s->samples[c], 0, n_samples);
	g_array_remove_range(s->energies, 0, MIN(n_hops, s->energies->len));
}

static gboolean is_loud(double energy)
{
	return energy >= RMS_SILENT * RMS_SILENT;
}

/* The first n samples of the window leave as a part; the rest is the next window. */
static void give(WeftSegmenter *s, gsize n)
{
	if (s->n_gone + n == 0)
		return;
	WeftAnchor at = {.track = s->track, .has_time = TRUE};
	at.time[0] = s->begin_s;
	at.time[1] = s->begin_s + (double)(s->n_gone + n) / WEFT_PCM_RATE_HZ;
	gboolean wanted = s->sounding ? s->want_pcm : s->want_silence;
	for (guint c = 0; wanted && c < s->n_channels; c++) {
		WeftPart *window = weft_part_new(WEFT_PART_PCM, at);
		window->pcm.samples = g_memdup2(s->samples[c]->data, n * sizeof(float));
		window->pcm.n_samples = n;
		window->pcm.channel = s->n_channels > 1 ? c + 1 : 0;
		window->pcm.rms = sqrt(mean_square(window->pcm.samples, n));
		g_queue_push_tail(s->out, window);
	}
	if (s->sounding ? !s->want_pcm : !s->want_silence) {
		WeftContentKind kind = s->sounding ? WEFT_CONTENT_SPEECH : WEFT_CONTENT_SILENCE;
		g_queue_push_tail(
		    s->out, weft_part_new_content(weft_content_new(kind, WEFT_BY_FILE, NULL, at)));
	}
	s->end_s = at.time[1];
	s->begin_s = at.time[1] + s->late_s;
	s->late_s = 0;
	s->n_gone = 0;
	drop(s, (guint)n, (guint)(n / HOP));
}

/* After a cut: what is the rest? */
static void look_again(WeftSegmenter *s)
{
	s->sounding = FALSE;
	s->silent = FALSE;
	s->n_quiet = 0;
	for (guint i = 0; i < s->energies->len; i++) {
		gboolean loud = is_loud(g_array_index(s->energies, float, i));
		s->sounding |= loud;
		s->n_quiet = loud ? 0 : s->n_quiet + 1;
	}
}

/* The quietest 0.1 s in the last third of a full window; the latest of equals. */
static guint quietest_hop(const GArray *energies)
{
	guint best = energies->len;
	double least = INFINITY;
	for (guint i = HOPS_CUT_FIRST; i + HOPS_PAD <= energies->len; i++) {
		double sum = 0;
		for (guint k = 0; k < HOPS_PAD; k++)
			sum += g_array_index(energies, float, i + k);
		if (sum <= least) {
			least = sum;
			best = i + HOPS_PAD / 2;
		}
	}
	return best;
}

static void hop_in_sound(WeftSegmenter *s)
{
	if (s->n_quiet >= HOPS_PAUSE) {
		give(s, (gsize)(s->energies->len - s->n_quiet + HOPS_PAD) * HOP);
		s->sounding = FALSE;
		s->silent = TRUE;
		s->n_quiet -= HOPS_PAD;
	} else if (s->energies->len >= HOPS_WINDOW) {
		give(s, (gsize)quietest_hop(s->energies) * HOP);
		look_again(s);
	}
}

static void hop_in_quiet(WeftSegmenter *s, gboolean loud)
{
	guint held = s->energies->len;
	if (loud && s->silent) {
		guint pad = MIN(HOPS_PAD, held - 1);
		give(s, (gsize)(held - 1 - pad) * HOP);
		s->silent = FALSE;
		s->sounding = TRUE;
	} else if (loud) {
		s->sounding = TRUE;
	} else if (s->n_quiet >= HOPS_PAUSE) {
		s->silent = TRUE;
	}
	if (s->sounding || !s->silent)
		return;
	if (s->n_gone / HOP + held >= (s->want_silence ? HOPS_WINDOW : HOPS_SILENCE))
		give(s, (gsize)(held - HOPS_PAD) * HOP);
	held = s->energies->len;
	if (held > HOPS_PAD && !s->want_silence) { /* kept is what a word may begin with */
		guint n_hops = held - HOPS_PAD;
		s->n_gone += (guint64)n_hops * HOP;
		drop(s, n_hops * HOP, n_hops);
	}
}

static void one_hop(WeftSegmenter *s)
{
	float energy = (float)loudest(s, (gsize)s->energies->len * HOP, HOP);
	gboolean loud = is_loud(energy);
	g_array_append_val(s->energies, energy);
	s->n_quiet = loud ? 0 : s->n_quiet + 1;
	if (s->sounding)
		hop_in_sound(s);
	else
		hop_in_quiet(s, loud);
}

void weft_segmenter_push(WeftSegmenter *s, const WeftSound *sound, double time_s)
{
	if (!s->open) {
		s->open = TRUE;
		s->n_channels = sound->n_channels;
		s->begin_s = time_s;
		s->late_s = 0;
	} else {
		double counted =
		    s->begin_s + (double)(s->n_gone + s->samples[0]->len) / WEFT_PCM_RATE_HZ;
		double late = time_s - counted;
		s->late_s = fabs(late) > 0.005 ? late : 0; /* less is rounding of the container */
	}
	for (gsize done = 0; done < sound->n_samples;) {
		gsize room = (gsize)(s->energies->len + 1) * HOP - s->samples[0]->len;
		gsize n = MIN(sound->n_samples - done, room);
		for (guint c = 0; c < s->n_channels; c++)
			g_array_append_vals(s->samples[c], sound->samples[c] + done, (guint)n);
		done += n;
		if (n == room)
			one_hop(s);
	}
}

void weft_segmenter_break(WeftSegmenter *s)
{
	if (!s->open)
		return;
	gsize whole = (gsize)s->energies->len * HOP;
	if (is_loud(loudest(s, whole, s->samples[0]->len - whole)) && !s->sounding) {
		if (s->silent && whole)
			give(s, whole);
		s->sounding = TRUE;
	}
	give(s, s->samples[0]->len);
	s->open = s->sounding = s->silent = FALSE;
	s->n_quiet = 0;
	for (guint c = 0; c < WEFT_SIDES_MAX; c++)
		g_array_set_size(s->samples[c], 0);
	g_array_set_size(s->energies, 0);
}
