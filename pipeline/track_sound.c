/* As bytes, little-endian:
 *   track u32, channel u32, speakers before u32, label (length u32, UTF-8),
 *   stretches u32, each: from f64, to f64, activity u8; then the sounding.
 * A piece has one byte in front: 1 for the last, 2 for those of a channel. */
#include "pipeline/track_sound.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define PIECE_LAST 1u
#define PIECE_SIDE 2u
#define PIECE_BYTES ((gsize)512 << 10) /* WEFT_JOURNAL_ENTRY_MAX_BYTES is twice that */
#define LABEL_MAX_BYTES 1024u
#define BYTES_MAX ((gsize)1 << 30) /* a sounding of WEFT_SOUNDING_SECONDS_MAX has less */
#define STRETCH_BYTES 17u

WeftTrackSound *weft_track_sound_new(guint32 track, guint32 channel, WeftSounding *take_sounding)
{
	WeftTrackSound *sound = g_new0(WeftTrackSound, 1);

	sound->track = track;
	sound->channel = channel;
	sound->sounding = take_sounding;
	sound->stretches = g_array_new(FALSE, FALSE, sizeof(WeftInterval));
	return sound;
}

void weft_track_sound_free(WeftTrackSound *sound)
{
	if (sound == NULL)
		return;
	weft_sounding_free(sound->sounding);
	g_array_unref(sound->stretches);
	g_free(sound->label);
	g_free(sound);
}

static void add_stretch(GArray *stretches, const WeftInterval *interval, double from_s, double to_s)
{
	const WeftInterval stretch = {from_s, to_s, interval->activity};

	if (to_s - from_s >= WEFT_STRETCH_MIN_S)
		g_array_append_val(stretches, stretch);
}

void weft_track_sound_tell(WeftTrackSound *sound, const GArray *holes)
{
	const GArray *intervals = sound->sounding->intervals;
	guint first = 0;

	for (guint i = 0; i < intervals->len; i++) {
		const WeftInterval *interval = &g_array_index(intervals, WeftInterval, i);
		double from_s = interval->from_s;

		if (interval->activity == WEFT_ACTIVITY_SPEECH)
			continue;
		while (first < holes->len &&
		       g_array_index(holes, WeftStretch, first).time[1] <= from_s)
			first++;
		for (guint k = first; k < holes->len; k++) {
			const WeftStretch *hole = &g_array_index(holes, WeftStretch, k);

			if (hole->time[0] >= interval->to_s)
				break;
			add_stretch(sound->stretches, interval, from_s, hole->time[0]);
			from_s = fmax(from_s, hole->time[1]);
		}
		add_stretch(sound->stretches, interval, from_s, interval->to_s);
	}
}

gboolean weft_track_sound_is_listened(const WeftTrackSound *sound)
{
	return sound->channel > 0 || !sound->sounding->is_two_sided;
}

guint32 weft_track_sound_n_speakers(const WeftTrackSound *sound)
{
	guint32 n = 0;

	for (guint i = 0; i < sound->sounding->turns->len; i++)
		n = MAX(n, g_array_index(sound->sounding->turns, WeftVoiceTurn, i).speaker);
	return n;
}

/* "S1+S2?" behind three others: "S4+S5?". */
static void number_anew(const WeftTrackSound *sound, WeftContent *content)
{
	g_autoptr(GString) label = g_string_new(NULL);
	const char *at = content->speaker;

	if (at == NULL || sound->n_speakers_before == 0)
		return;
	while (*at != '\0') {
		char *end = (char *)at + 1;

		g_string_append_c(label, *at);
		if (*at == 'S')
			g_string_append_printf(label, "%" G_GUINT64_FORMAT,
					       g_ascii_strtoull(at + 1, &end, 10) +
						       sound->n_speakers_before);
		at = end;
	}
	g_free(content->speaker);
	content->speaker = g_string_free(g_steal_pointer(&label), FALSE);
}

GPtrArray *weft_track_sound_label(const WeftTrackSound *sound, WeftContent *take_content)
{
	GPtrArray *contents;

	if (sound->label != NULL)
		take_content->speaker = g_strdup(sound->label);
	contents = weft_sounding_label(sound->sounding, take_content);
	for (guint i = 0; i < contents->len && sound->label == NULL; i++)
		number_anew(sound, g_ptr_array_index(contents, i));
	return contents;
}

/* ---- bytes ---- */

static GByteArray *to_bytes(const WeftTrackSound *sound)
{
	GByteArray *bytes = g_byte_array_new();
	g_autoptr(GBytes) sounding = weft_sounding_to_bytes(sound->sounding);
	gsize label_bytes = sound->label != NULL ? strlen(sound->label) : 0;

	weft_bytes_put_le32(bytes, sound->track);
	weft_bytes_put_le32(bytes, sound->channel);
	weft_bytes_put_le32(bytes, sound->n_speakers_before);
	weft_bytes_put_le32(bytes, (guint32)label_bytes);
	g_byte_array_append(bytes, (const guint8 *)sound->label, (guint)label_bytes);
	weft_bytes_put_le32(bytes, sound->stretches->len);
	for (guint i = 0; i < sound->stretches->len; i++) {
		const WeftInterval *stretch = &g_array_index(sound->stretches, WeftInterval, i);

		weft_bytes_put_f64(bytes, stretch->from_s);
		weft_bytes_put_f64(bytes, stretch->to_s);
		weft_bytes_put_u8(bytes, (guint8)stretch->activity);
	}
	g_byte_array_append(bytes, g_bytes_get_data(sounding, NULL),
			    (guint)g_bytes_get_size(sounding));
	return bytes;
}

GPtrArray *weft_track_sound_to_pieces(const WeftTrackSound *sound)
{
	GPtrArray *pieces = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	g_autoptr(GByteArray) bytes = to_bytes(sound);

	for (gsize at = 0; at < bytes->len; at += PIECE_BYTES) {
		gsize size_bytes = MIN(PIECE_BYTES, bytes->len - at);
		guint8 head = (at + size_bytes == bytes->len ? PIECE_LAST : 0) |
			      (sound->channel > 0 ? PIECE_SIDE : 0);
		GByteArray *piece = g_byte_array_sized_new((guint)size_bytes + 1);

		g_byte_array_append(piece, &head, 1);
		g_byte_array_append(piece, bytes->data + at, (guint)size_bytes);
		g_ptr_array_add(pieces, g_byte_array_free_to_bytes(piece));
	}
	return pieces;
}

gboolean weft_track_sound_add_piece(GByteArray *bytes, GBytes *piece, gboolean *ret_is_last,
				    GError **error)
{
	gsize size_bytes;
	const guint8 *data = g_bytes_get_data(piece, &size_bytes);

	if (size_bytes < 2 || data[0] > (PIECE_LAST | PIECE_SIDE) || size_bytes > BYTES_MAX - bytes->len) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT,
			    "what was measured of a track: a piece of %zu bytes is none", size_bytes);
		return FALSE;
	}
	g_byte_array_append(bytes, data + 1, (guint)(size_bytes - 1));
	*ret_is_last = data[0] & PIECE_LAST;
	return TRUE;
}

gboolean weft_track_sound_is_side(GBytes *piece)
{
	gsize size_bytes;
	const guint8 *data = g_bytes_get_data(piece, &size_bytes);

	return size_bytes > 0 && (data[0] & PIECE_SIDE) != 0;
}

static gboolean read_time(WeftBytes *bytes, double *ret_s)
{
	return weft_bytes_f64(bytes, ret_s) && isfinite(*ret_s) && *ret_s >= 0;
}

static gboolean read_label(WeftBytes *bytes, WeftTrackSound *sound)
{
	const guint8 *text;
	guint32 size_bytes;

	if (!weft_bytes_le32(bytes, &size_bytes) || size_bytes > LABEL_MAX_BYTES ||
	    !weft_bytes_take(bytes, size_bytes, &text) ||
	    !g_utf8_validate((const char *)text, size_bytes, NULL))
		return FALSE;
	sound->label = size_bytes > 0 ? g_strndup((const char *)text, size_bytes) : NULL;
	return TRUE;
}

static gboolean read_stretches(WeftBytes *bytes, WeftTrackSound *sound)
{
	guint32 n;

	if (!weft_bytes_le32(bytes, &n) || n > weft_bytes_left(bytes) / STRETCH_BYTES)
		return FALSE;
	for (guint32 i = 0; i < n; i++) {
		WeftInterval stretch = {0};
		guint8 activity;

		if (!read_time(bytes, &stretch.from_s) || !read_time(bytes, &stretch.to_s) ||
		    stretch.to_s < stretch.from_s || !weft_bytes_u8(bytes, &activity) ||
		    activity == WEFT_ACTIVITY_SPEECH || activity >= WEFT_N_ACTIVITIES)
			return FALSE;
		stretch.activity = activity;
		g_array_append_val(sound->stretches, stretch);
	}
	return TRUE;
}

WeftTrackSound *weft_track_sound_from_bytes(const GByteArray *array, GError **error)
{
	g_autoptr(WeftTrackSound) sound = weft_track_sound_new(0, 0, NULL);
	WeftBytes bytes = weft_bytes(array->data, array->len);

	if (!weft_bytes_le32(&bytes, &sound->track) || !weft_bytes_le32(&bytes, &sound->channel) ||
	    sound->channel > 2 || !weft_bytes_le32(&bytes, &sound->n_speakers_before) ||
	    !read_label(&bytes, sound) || !read_stretches(&bytes, sound)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT,
			    "what was measured of a track: %u bytes do not hold together", array->len);
		return NULL;
	}
	sound->sounding =
		weft_sounding_from_bytes(bytes.data + bytes.position, weft_bytes_left(&bytes), error);
	return sound->sounding != NULL ? g_steal_pointer(&sound) : NULL;
}
