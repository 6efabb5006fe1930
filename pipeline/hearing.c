#include "pipeline/hearing.h"

#include <math.h>

#include "base/bytes.h"
#include "base/error.h"
#include "pipeline/hearing_state.h"

/* A window begins so much before the speech at most: frames, rounding. */
#define WINDOW_EARLY_S 0.05
/* A track that ended so long before what comes now has given all its sound. */
#define TRACK_OVER_S 1.0

static void track_free(void *data)
{
	WeftHearingTrack *track = data;

	weft_transcript_free(track->transcript);
	weft_track_sound_free(track->sound);
	g_free(track->left);
	g_free(track);
}

static void waiting_free(void *data)
{
	WeftHearingItem *waiting = data;

	weft_item_free(waiting->item);
	g_free(waiting);
}

WeftHearing *weft_hearing_new(WeftEars *ears, guint64 document, const char *key)
{
	WeftHearing *hearing = g_new0(WeftHearing, 1);
	g_autofree char *head = g_strndup(key, 16);

	hearing->ears = ears;
	hearing->document = document;
	hearing->key = g_ascii_strtoull(head, NULL, 16);
	hearing->tracks = g_ptr_array_new_with_free_func(track_free);
	hearing->given = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	hearing->last_s = -INFINITY;
	g_queue_init(&hearing->waiting);
	g_queue_init(&hearing->needed);
	return hearing;
}

void weft_hearing_free(WeftHearing *hearing)
{
	if (hearing == NULL)
		return;
	g_ptr_array_unref(hearing->tracks);
	g_queue_clear_full(&hearing->waiting, waiting_free);
	g_queue_clear_full(&hearing->needed, g_free);
	g_hash_table_unref(hearing->given);
	g_clear_pointer(&hearing->state, g_bytes_unref);
	g_free(hearing);
}

/* ---- tracks ---- */

WeftHearingTrack *weft_hearing_track(const WeftHearing *hearing, guint32 n, guint32 channel)
{
	for (guint i = 0; i < hearing->tracks->len; i++) {
		WeftHearingTrack *track = g_ptr_array_index(hearing->tracks, i);

		if (track->sound->track == n && track->sound->channel == channel)
			return track;
	}
	return NULL;
}

gboolean weft_hearing_add_track(WeftHearing *hearing, const GByteArray *bytes, GError **error)
{
	WeftTrackSound *sound = weft_track_sound_from_bytes(bytes, error);
	WeftHearingTrack *track;

	if (sound == NULL)
		return FALSE;
	track = g_new0(WeftHearingTrack, 1);
	track->sound = sound;
	g_ptr_array_add(hearing->tracks, track);
	return TRUE;
}

static gboolean open_track(WeftHearing *hearing, WeftHearingTrack *track, GError **error)
{
	const WeftSounding *sounding = track->sound->sounding;
	g_autoptr(GArray) speech = weft_sounding_speech(sounding);
	const WeftTranscriptSound sound = {
		.largest = sounding->largest,
		.speech = (const WeftStretch *)(gconstpointer)speech->data,
		.n_speech = speech->len,
	};
	guint64 key = hearing->key + track->sound->track + ((guint64)track->sound->channel << 32);

	if (!weft_track_sound_is_listened(track->sound))
		return TRUE;
	track->transcript =
		weft_ears_listen(hearing->ears, &sound, track->sound->track, key, error);
	return track->transcript != NULL;
}

/* ---- in ---- */

static int compare_times(gconstpointer a, gconstpointer b, gpointer data)
{
	const WeftHearingItem *left = a, *right = b;

	return (left->time_s > right->time_s) - (left->time_s < right->time_s);
}

/* Behind what begins at the same time. Most come last, so that is where the search begins. */
void weft_hearing_wait(WeftHearing *hearing, WeftItem *take_item, guint64 index, double time_s)
{
	WeftHearingItem *waiting = g_new(WeftHearingItem, 1);
	GList *at = hearing->waiting.tail;

	*waiting = (WeftHearingItem){take_item, index, time_s};
	while (at != NULL && compare_times(at->data, waiting, NULL) > 0)
		at = at->prev;
	if (at != NULL)
		g_queue_insert_after(&hearing->waiting, at, waiting);
	else
		g_queue_push_head(&hearing->waiting, waiting);
}

static void push(WeftHearing *hearing, WeftHearingTrack *track, const WeftPart *part, const float *samples,
		 gsize n_samples, guint64 index)
{
	WeftHearingSound *needed = g_new(WeftHearingSound, 1);

	weft_transcript_push(track->transcript, samples, n_samples, part->anchor.time[0]);
	*needed = (WeftHearingSound){index, track, part->anchor.time[1]};
	g_queue_push_tail(&hearing->needed, needed);
}

/* Channels come apart, because those of another track are two speakers; these are not. */
static void push_mixed(WeftHearing *hearing, WeftHearingTrack *track, WeftPart *part, guint64 index)
{
	gsize n_samples = MIN(track->n_left, part->pcm.n_samples);

	if (part->pcm.channel == 1) {
		g_free(track->left);
		track->n_left = part->pcm.n_samples;
		track->left_index = index;
		track->left = g_memdup2(part->pcm.samples, track->n_left * sizeof *track->left);
		return;
	}
	for (gsize i = 0; i < n_samples; i++)
		track->left[i] = (track->left[i] + part->pcm.samples[i]) / 2;
	push(hearing, track, part, track->left, n_samples, track->left_index);
	g_clear_pointer(&track->left, g_free);
	track->n_left = 0;
}

static void push_sound(WeftHearing *hearing, WeftPart *part, guint64 index)
{
	WeftHearingTrack *track = weft_hearing_track(hearing, part->anchor.track, part->pcm.channel);

	if (track == NULL && part->pcm.channel > 0) {
		track = weft_hearing_track(hearing, part->anchor.track, 0);
		if (track != NULL && track->transcript != NULL && !track->has_all)
			push_mixed(hearing, track, part, index);
	} else if (track != NULL && track->transcript != NULL && !track->has_all) {
		push(hearing, track, part, part->pcm.samples, part->pcm.n_samples, index);
	}
}

static double time_of(const WeftHearing *hearing, const WeftItem *item)
{
	const WeftAnchor *at = item->part != NULL ? &item->part->anchor : &item->fault->at;

	return at->has_time ? at->time[0] : hearing->last_s;
}

/* A track may end long before the pictures do. */
static void end_tracks(WeftHearing *hearing)
{
	for (guint i = 0; i < hearing->tracks->len; i++) {
		WeftHearingTrack *track = g_ptr_array_index(hearing->tracks, i);

		if (track->transcript == NULL || track->has_all ||
		    track->sound->sounding->seconds + TRACK_OVER_S > hearing->last_s)
			continue;
		weft_transcript_end(track->transcript);
		track->has_all = TRUE;
	}
}

gboolean weft_hearing_take(WeftHearing *hearing, WeftItem *take_item)
{
	g_autoptr(WeftItem) item = take_item;
	guint64 index = hearing->next_index++;
	WeftPart *part = item->part;

	hearing->last_s = time_of(hearing, item);
	if (part != NULL && part->kind == WEFT_PART_PCM && part->pcm.samples != NULL)
		push_sound(hearing, part, index);
	end_tracks(hearing);
	if (g_hash_table_contains(hearing->given, &index))
		return FALSE;
	if (part != NULL) /* its document's decoder may wait for that memory */
		weft_part_release_memory(part);
	weft_hearing_wait(hearing, g_steal_pointer(&item), index, hearing->last_s);
	return TRUE;
}

void weft_hearing_end(WeftHearing *hearing)
{
	hearing->last_s = INFINITY;
	end_tracks(hearing);
}

/* ---- what was said ---- */

static void wait_content(WeftHearing *hearing, WeftContent *take_content)
{
	WeftAnchor at = g_array_index(take_content->anchors, WeftAnchor, 0);
	WeftItem *item = weft_item_new(WEFT_ITEM_PART, hearing->document);

	item->part = weft_part_new(WEFT_PART_CONTENT, at);
	item->part->content = take_content;
	weft_hearing_wait(hearing, item, WEFT_HEARING_NO_INDEX, at.time[0]);
}

static void take_heard(WeftHearing *hearing, const WeftHearingTrack *track)
{
	WeftHeard *next;

	while ((next = weft_transcript_take(track->transcript)) != NULL) {
		g_autoptr(WeftHeard) heard = next;
		g_autoptr(GPtrArray) contents = NULL;

		if (heard->doubt != WEFT_DOUBT_NONE) {
			heard->content->hidden = TRUE;
			heard->content->reason = g_strdup(weft_doubt_name(heard->doubt));
		}
		contents = weft_track_sound_label(track->sound, g_steal_pointer(&heard->content));
		g_ptr_array_set_free_func(contents, NULL);
		for (guint i = 0; i < contents->len; i++)
			wait_content(hearing, g_ptr_array_index(contents, i));
	}
}

/* Silence and other sound that the transcript is past. */
static void tell_stretches(WeftHearing *hearing, WeftHearingTrack *track, double past_s)
{
	const GArray *stretches = track->sound->stretches;

	for (; track->next_stretch < stretches->len; track->next_stretch++) {
		const WeftInterval *stretch =
			&g_array_index(stretches, WeftInterval, track->next_stretch);
		WeftAnchor at = {.track = track->sound->track, .has_time = TRUE};

		if (stretch->from_s > past_s)
			return;
		at.time[0] = stretch->from_s;
		at.time[1] = stretch->to_s;
		wait_content(hearing, weft_content_new(stretch->activity == WEFT_ACTIVITY_SILENCE
							       ? WEFT_CONTENT_SILENCE
							       : WEFT_CONTENT_SOUND,
						       WEFT_BY_FILE, NULL, at));
	}
}

/* Where the transcript will begin its next window. Holes, and what nobody speaks in, are behind it
 * at once: what is seen meanwhile need not wait for the next sound. */
static double next_window_s(WeftHearingTrack *track)
{
	const GArray *intervals = track->sound->sounding->intervals;
	double from_s = weft_transcript_needs_from_s(track->transcript);

	for (; track->next_interval < intervals->len; track->next_interval++) {
		const WeftInterval *interval =
			&g_array_index(intervals, WeftInterval, track->next_interval);

		if (interval->activity == WEFT_ACTIVITY_SPEECH &&
		    interval->to_s + WINDOW_EARLY_S > from_s)
			return fmax(from_s, interval->from_s - WINDOW_EARLY_S);
	}
	return INFINITY;
}

/* Nothing that begins before this will come of its transcript. */
static double past_s(const WeftHearing *hearing, WeftHearingTrack *track)
{
	guint32 n = track->sound->track;

	if (track->transcript == NULL) {
		WeftHearingTrack *left = weft_hearing_track(hearing, n, 1), *right = weft_hearing_track(hearing, n, 2);

		return fmin(left != NULL ? past_s(hearing, left) : INFINITY,
			    right != NULL ? past_s(hearing, right) : INFINITY);
	}
	return track->has_ended ? INFINITY : next_window_s(track);
}

gboolean weft_hearing_listen(WeftHearing *hearing, gboolean *ret_did, GError **error)
{
	*ret_did = FALSE;
	for (guint i = 0; i < hearing->tracks->len && !*ret_did; i++) {
		WeftHearingTrack *track = g_ptr_array_index(hearing->tracks, i);

		if (track->has_ended || track->transcript == NULL)
			continue;
		if (!weft_transcript_listen(track->transcript, ret_did, error))
			return FALSE;
		track->has_ended = track->has_all && !*ret_did;
		take_heard(hearing, track);
	}
	for (guint i = 0; i < hearing->tracks->len; i++) {
		WeftHearingTrack *track = g_ptr_array_index(hearing->tracks, i);

		tell_stretches(hearing, track, fmin(past_s(hearing, track), hearing->last_s));
	}
	return TRUE;
}

/* ---- out ---- */

static double horizon(const WeftHearing *hearing)
{
	double least = INFINITY;

	for (guint i = 0; i < hearing->tracks->len; i++)
		least = fmin(least, past_s(hearing, g_ptr_array_index(hearing->tracks, i)));
	return least;
}

WeftItem *weft_hearing_give(WeftHearing *hearing)
{
	WeftHearingItem *first = g_queue_peek_head(&hearing->waiting);
	WeftItem *item;

	if (first == NULL || (!hearing->is_stopped && first->time_s > fmin(horizon(hearing), hearing->last_s)))
		return NULL;
	g_queue_pop_head(&hearing->waiting);
	if (first->index != WEFT_HEARING_NO_INDEX)
		g_hash_table_add(hearing->given, g_memdup2(&first->index, sizeof first->index));
	item = first->item;
	g_free(first);
	return item;
}

void weft_hearing_stop(WeftHearing *hearing)
{
	hearing->is_stopped = TRUE;
}

/* ---- the state ---- */

void weft_hearing_set_state(WeftHearing *hearing, GBytes *state)
{
	g_clear_pointer(&hearing->state, g_bytes_unref);
	hearing->state = g_bytes_ref(state);
}

gboolean weft_hearing_open(WeftHearing *hearing, GError **error)
{
	for (guint i = 0; i < hearing->tracks->len && !hearing->is_open; i++) {
		if (!open_track(hearing, g_ptr_array_index(hearing->tracks, i), error))
			return FALSE;
	}
	hearing->is_open = TRUE;
	if (hearing->state == NULL)
		return TRUE;
	if (!weft_hearing_restore(hearing, g_bytes_get_data(hearing->state, NULL),
		     g_bytes_get_size(hearing->state))) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CHANGED,
			    "what was heard of it before does not fit; run again");
		return FALSE;
	}
	g_clear_pointer(&hearing->state, g_bytes_unref);
	return TRUE;
}

/* ---- how far it is ---- */

WeftHeardCounts weft_hearing_counts(const WeftHearing *hearing)
{
	WeftHeardCounts sum = {.is_heard = TRUE};

	for (guint i = 0; i < hearing->tracks->len; i++) {
		const WeftHearingTrack *track = g_ptr_array_index(hearing->tracks, i);
		WeftTranscriptCounts counts;

		if (track->transcript == NULL)
			continue;
		counts = weft_transcript_counts(track->transcript);
		sum.n_windows += counts.n_windows - track->before.n_windows;
		sum.n_encodes += counts.n_encodes - track->before.n_encodes;
		sum.n_searches += counts.n_searches - track->before.n_searches;
		sum.skipped_s +=
			(double)(counts.n_frames_skipped - track->before.n_frames_skipped) / 100;
		sum.n_terms_left_out = MAX(sum.n_terms_left_out, counts.n_terms_left_out);
	}
	return sum;
}

double weft_hearing_seconds(const WeftHearing *hearing, double *ret_heard_s)
{
	double sum_s = 0, heard_s = 0;

	for (guint i = 0; i < hearing->tracks->len; i++) {
		WeftHearingTrack *track = g_ptr_array_index(hearing->tracks, i);
		double seconds = track->sound->sounding->seconds;

		if (track->transcript == NULL)
			continue;
		sum_s += seconds;
		heard_s += fmin(past_s(hearing, track), seconds);
	}
	*ret_heard_s = heard_s;
	return sum_s;
}
