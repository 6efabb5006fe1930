#include "pipeline/hearing.h"

#include <math.h>

#include "base/bytes.h"
#include "base/error.h"
#include "pipeline/track_sound.h"

/* A window begins so much before the speech at most: frames, rounding. */
#define WINDOW_EARLY_S 0.05
/* A track that ended so long before what comes now has given all its sound. */
#define TRACK_OVER_S 1.0
/* Contents have no place in what decode gives. */
#define NO_INDEX G_MAXUINT64

/* Of a track, or of a channel. */
typedef struct Track {
	WeftTrackSound *sound;
	WeftTranscript *transcript; /* NULL: its channels have theirs */
	WeftTranscriptCounts before; /* of earlier runs */
	guint next_stretch; /* of `sound`, to be told */
	guint next_interval; /* of its sounding: the next speech that the transcript is not past */
	gboolean has_all, has_ended; /* no more sound comes; all of it was listened to */
	float *left; /* of two channels that are listened to as one: the right one comes next */
	gsize n_left;
	guint64 left_index;
} Track;

typedef struct Waiting {
	WeftItem *item;
	guint64 index; /* in what decode gives */
	double time_s;
} Waiting;

/* Sound that a transcript may still need. */
typedef struct Needed {
	guint64 index;
	const Track *track;
	double end_s;
} Needed;

struct WeftHearing {
	WeftEars *ears;
	guint64 document;
	guint64 key;
	GPtrArray *tracks; /* of Track */
	GQueue waiting;    /* of Waiting, in order of time */
	GQueue needed;     /* of Needed, in order of index */
	GHashTable *given; /* indices (guint64 *) behind the position of the last save */
	guint64 next_index;
	double last_s; /* time of what was taken last: nothing that comes begins before */
	GBytes *state; /* to go on from; NULL: from the start, or done */
	gboolean is_open, is_stopped;
};

static void track_free(void *data)
{
	Track *track = data;

	weft_transcript_free(track->transcript);
	weft_track_sound_free(track->sound);
	g_free(track->left);
	g_free(track);
}

static void waiting_free(void *data)
{
	Waiting *waiting = data;

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

static Track *track_of(const WeftHearing *hearing, guint32 n, guint32 channel)
{
	for (guint i = 0; i < hearing->tracks->len; i++) {
		Track *track = g_ptr_array_index(hearing->tracks, i);

		if (track->sound->track == n && track->sound->channel == channel)
			return track;
	}
	return NULL;
}

gboolean weft_hearing_add_track(WeftHearing *hearing, const GByteArray *bytes, GError **error)
{
	WeftTrackSound *sound = weft_track_sound_from_bytes(bytes, error);
	Track *track;

	if (sound == NULL)
		return FALSE;
	track = g_new0(Track, 1);
	track->sound = sound;
	g_ptr_array_add(hearing->tracks, track);
	return TRUE;
}

static gboolean open_track(WeftHearing *hearing, Track *track, GError **error)
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
	const Waiting *left = a, *right = b;

	return (left->time_s > right->time_s) - (left->time_s < right->time_s);
}

/* Behind what begins at the same time. Most come last, so that is where the search begins. */
static void wait(WeftHearing *hearing, WeftItem *take_item, guint64 index, double time_s)
{
	Waiting *waiting = g_new(Waiting, 1);
	GList *at = hearing->waiting.tail;

	*waiting = (Waiting){take_item, index, time_s};
	while (at != NULL && compare_times(at->data, waiting, NULL) > 0)
		at = at->prev;
	if (at != NULL)
		g_queue_insert_after(&hearing->waiting, at, waiting);
	else
		g_queue_push_head(&hearing->waiting, waiting);
}

static void push(WeftHearing *hearing, Track *track, const WeftPart *part, const float *samples,
		 gsize n_samples, guint64 index)
{
	Needed *needed = g_new(Needed, 1);

	weft_transcript_push(track->transcript, samples, n_samples, part->anchor.time[0]);
	*needed = (Needed){index, track, part->anchor.time[1]};
	g_queue_push_tail(&hearing->needed, needed);
}

/* Channels come apart, because those of another track are two speakers; these are not. */
static void push_mixed(WeftHearing *hearing, Track *track, WeftPart *part, guint64 index)
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
	Track *track = track_of(hearing, part->anchor.track, part->pcm.channel);

	if (track == NULL && part->pcm.channel > 0) {
		track = track_of(hearing, part->anchor.track, 0);
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
		Track *track = g_ptr_array_index(hearing->tracks, i);

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
	wait(hearing, g_steal_pointer(&item), index, hearing->last_s);
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
	wait(hearing, item, NO_INDEX, at.time[0]);
}

static void take_heard(WeftHearing *hearing, const Track *track)
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
static void tell_stretches(WeftHearing *hearing, Track *track, double past_s)
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
static double next_window_s(Track *track)
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
static double past_s(const WeftHearing *hearing, Track *track)
{
	guint32 n = track->sound->track;

	if (track->transcript == NULL) {
		Track *left = track_of(hearing, n, 1), *right = track_of(hearing, n, 2);

		return fmin(left != NULL ? past_s(hearing, left) : INFINITY,
			    right != NULL ? past_s(hearing, right) : INFINITY);
	}
	return track->has_ended ? INFINITY : next_window_s(track);
}

gboolean weft_hearing_listen(WeftHearing *hearing, gboolean *ret_did, GError **error)
{
	*ret_did = FALSE;
	for (guint i = 0; i < hearing->tracks->len && !*ret_did; i++) {
		Track *track = g_ptr_array_index(hearing->tracks, i);

		if (track->has_ended || track->transcript == NULL)
			continue;
		if (!weft_transcript_listen(track->transcript, ret_did, error))
			return FALSE;
		track->has_ended = track->has_all && !*ret_did;
		take_heard(hearing, track);
	}
	for (guint i = 0; i < hearing->tracks->len; i++) {
		Track *track = g_ptr_array_index(hearing->tracks, i);

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
	Waiting *first = g_queue_peek_head(&hearing->waiting);
	WeftItem *item;

	if (first == NULL || (!hearing->is_stopped && first->time_s > fmin(horizon(hearing), hearing->last_s)))
		return NULL;
	g_queue_pop_head(&hearing->waiting);
	if (first->index != NO_INDEX)
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

static gboolean is_behind(const Needed *needed)
{
	return needed->track->has_ended ||
	       needed->end_s <= weft_transcript_needs_from_s(needed->track->transcript);
}

/* Sound that no transcript needs any more is forgotten. */
static guint64 first_needed(WeftHearing *hearing)
{
	guint64 first = hearing->next_index;
	GList *next;

	for (GList *at = hearing->needed.head; at != NULL; at = next) {
		Needed *needed = at->data;

		next = at->next;
		if (is_behind(needed)) {
			g_free(needed);
			g_queue_delete_link(&hearing->needed, at);
		} else {
			first = MIN(first, needed->index);
		}
	}
	for (const GList *at = hearing->waiting.head; at != NULL; at = at->next)
		first = MIN(first, ((const Waiting *)at->data)->index);
	for (guint i = 0; i < hearing->tracks->len; i++) {
		const Track *track = g_ptr_array_index(hearing->tracks, i);

		if (track->left != NULL)
			first = MIN(first, track->left_index);
	}
	return first;
}

static gboolean is_before(gpointer key, gpointer value, gpointer position)
{
	return *(const guint64 *)key < *(const guint64 *)position;
}

/* What was heard and waits for its time: no transcript will give it again. */
static void save_waiting(const WeftHearing *hearing, GByteArray *bytes)
{
	for (const GList *at = hearing->waiting.head; at != NULL; at = at->next) {
		const Waiting *waiting = at->data;
		g_autoptr(GByteArray) part = g_byte_array_new();

		if (waiting->index != NO_INDEX || !weft_part_write(waiting->item->part, part))
			continue;
		weft_bytes_put_le64(bytes, part->len);
		g_byte_array_append(bytes, part->data, part->len);
	}
	weft_bytes_put_le64(bytes, 0);
}

void weft_hearing_save(WeftHearing *hearing, GByteArray *bytes, guint64 *ret_position)
{
	guint64 position = first_needed(hearing);
	GHashTableIter given;
	gpointer index;

	g_hash_table_foreach_remove(hearing->given, is_before, &position);
	weft_bytes_put_le64(bytes, position);
	weft_bytes_put_f64(bytes, hearing->last_s);
	weft_bytes_put_le64(bytes, g_hash_table_size(hearing->given));
	g_hash_table_iter_init(&given, hearing->given);
	while (g_hash_table_iter_next(&given, &index, NULL))
		weft_bytes_put_le64(bytes, *(const guint64 *)index);
	weft_bytes_put_le64(bytes, hearing->tracks->len);
	for (guint i = 0; i < hearing->tracks->len; i++) {
		const Track *track = g_ptr_array_index(hearing->tracks, i);
		g_autoptr(GByteArray) state = g_byte_array_new();

		if (track->transcript != NULL)
			weft_transcript_save(track->transcript, state);
		weft_bytes_put_le64(bytes, track->sound->track);
		weft_bytes_put_le64(bytes, track->sound->channel);
		weft_bytes_put_le64(bytes, track->next_stretch);
		weft_bytes_put_le64(bytes, state->len);
		g_byte_array_append(bytes, state->data, state->len);
	}
	save_waiting(hearing, bytes);
	*ret_position = position;
}

static gboolean restore_track(WeftHearing *hearing, WeftBytes *bytes)
{
	guint64 n, channel, next_stretch, size_bytes;
	const guint8 *state;
	Track *track;

	if (!weft_bytes_le64(bytes, &n) || n > G_MAXUINT32 || !weft_bytes_le64(bytes, &channel) ||
	    channel > 2 || !weft_bytes_le64(bytes, &next_stretch) ||
	    !weft_bytes_le64(bytes, &size_bytes) || !weft_bytes_take(bytes, size_bytes, &state))
		return FALSE;
	track = track_of(hearing, (guint32)n, (guint32)channel);
	if (track == NULL || next_stretch > track->sound->stretches->len)
		return FALSE;
	track->next_stretch = (guint)next_stretch;
	if (track->transcript == NULL)
		return size_bytes == 0;
	if (!weft_transcript_restore(track->transcript, state, size_bytes))
		return FALSE;
	track->before = weft_transcript_counts(track->transcript);
	return TRUE;
}

static gboolean restore_waiting(WeftHearing *hearing, WeftBytes *bytes)
{
	guint64 size_bytes;
	const guint8 *data;

	while (weft_bytes_le64(bytes, &size_bytes) && size_bytes > 0) {
		WeftPart *part = weft_bytes_take(bytes, size_bytes, &data)
					 ? weft_part_read(data, size_bytes, NULL)
					 : NULL;
		WeftItem *item;

		if (part == NULL)
			return FALSE;
		item = weft_item_new(WEFT_ITEM_PART, hearing->document);
		item->part = part;
		wait(hearing, item, NO_INDEX, part->anchor.time[0]);
	}
	return weft_bytes_left(bytes) == 0;
}

static gboolean restore(WeftHearing *hearing, const guint8 *data, gsize size_bytes)
{
	WeftBytes bytes = weft_bytes(data, size_bytes);
	guint64 position, index, n_given, n_tracks;
	double last_s;

	if (!weft_bytes_le64(&bytes, &position) || !weft_bytes_f64(&bytes, &last_s) ||
	    !weft_bytes_le64(&bytes, &n_given) ||
	    n_given > weft_bytes_left(&bytes) / sizeof index)
		return FALSE;
	for (guint64 i = 0; i < n_given; i++) {
		if (!weft_bytes_le64(&bytes, &index) || index < position)
			return FALSE;
		g_hash_table_add(hearing->given, g_memdup2(&index, sizeof index));
	}
	if (!weft_bytes_le64(&bytes, &n_tracks) || n_tracks != hearing->tracks->len)
		return FALSE;
	for (guint64 i = 0; i < n_tracks; i++) {
		if (!restore_track(hearing, &bytes))
			return FALSE;
	}
	hearing->next_index = position;
	hearing->last_s = last_s;
	if (isnan(last_s))
		return FALSE;
	return restore_waiting(hearing, &bytes);
}

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
	if (!restore(hearing, g_bytes_get_data(hearing->state, NULL),
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
		const Track *track = g_ptr_array_index(hearing->tracks, i);
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
		Track *track = g_ptr_array_index(hearing->tracks, i);
		double seconds = track->sound->sounding->seconds;

		if (track->transcript == NULL)
			continue;
		sum_s += seconds;
		heard_s += fmin(past_s(hearing, track), seconds);
	}
	*ret_heard_s = heard_s;
	return sum_s;
}
