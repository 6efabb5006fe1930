#include "pipeline/hearing_state.h"

#include <math.h>

#include "base/bytes.h"

static gboolean is_behind(const WeftHearingSound *needed)
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
		WeftHearingSound *needed = at->data;

		next = at->next;
		if (is_behind(needed)) {
			g_free(needed);
			g_queue_delete_link(&hearing->needed, at);
		} else {
			first = MIN(first, needed->index);
		}
	}
	for (const GList *at = hearing->waiting.head; at != NULL; at = at->next)
		first = MIN(first, ((const WeftHearingItem *)at->data)->index);
	for (guint i = 0; i < hearing->tracks->len; i++) {
		const WeftHearingTrack *track = g_ptr_array_index(hearing->tracks, i);

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
		const WeftHearingItem *waiting = at->data;
		g_autoptr(GByteArray) part = g_byte_array_new();

		if (waiting->index != WEFT_HEARING_NO_INDEX || !weft_part_write(waiting->item->part, part))
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
		const WeftHearingTrack *track = g_ptr_array_index(hearing->tracks, i);
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
	WeftHearingTrack *track;

	if (!weft_bytes_le64(bytes, &n) || n > G_MAXUINT32 || !weft_bytes_le64(bytes, &channel) ||
	    channel > 2 || !weft_bytes_le64(bytes, &next_stretch) ||
	    !weft_bytes_le64(bytes, &size_bytes) || !weft_bytes_take(bytes, size_bytes, &state))
		return FALSE;
	track = weft_hearing_track(hearing, (guint32)n, (guint32)channel);
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
		weft_hearing_wait(hearing, item, WEFT_HEARING_NO_INDEX, part->anchor.time[0]);
	}
	return weft_bytes_left(bytes) == 0;
}

gboolean weft_hearing_restore(WeftHearing *hearing, const guint8 *data, gsize size_bytes)
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
