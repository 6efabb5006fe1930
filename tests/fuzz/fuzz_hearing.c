/* Any bytes as what a journal has of a recording: how long the first piece is (two bytes), pieces of the
 * first pass, and then the state of listening. What is taken is told, saved, and taken again. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "pipeline/hearing_state.h"

#define KEY "00112233445566778899aabbccddeeff"

static WeftHearing *hearing_of(const GByteArray *track)
{
	g_autoptr(WeftHearing) hearing = weft_hearing_new(NULL, 1, KEY);

	return weft_hearing_add_track(hearing, track, NULL) ? g_steal_pointer(&hearing) : NULL;
}

static void follow(const GByteArray *track, const uint8_t *state, size_t size_bytes)
{
	g_autoptr(WeftHearing) hearing = hearing_of(track);
	g_autoptr(GByteArray) saved = g_byte_array_new();
	guint64 position;

	if (hearing == NULL || !weft_hearing_restore(hearing, state, size_bytes))
		return;
	weft_hearing_save(hearing, saved, &position);
	g_autoptr(WeftHearing) again = hearing_of(track);
	if (again == NULL || !weft_hearing_restore(again, saved->data, saved->len))
		abort();
	weft_hearing_end(hearing);
	weft_hearing_stop(hearing);
	for (WeftItem *item; (item = weft_hearing_give(hearing)) != NULL;)
		weft_item_free(item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	g_autoptr(GByteArray) track = g_byte_array_new();
	gboolean is_last = FALSE;

	while (!is_last && size_bytes >= 2) {
		size_t n = MIN((size_t)(data[0] | data[1] << 8), size_bytes - 2);
		g_autoptr(GBytes) piece = g_bytes_new(data + 2, n);

		(void)weft_track_sound_is_side(piece);
		if (!weft_track_sound_add_piece(track, piece, &is_last, NULL))
			return 0;
		data += 2 + n;
		size_bytes -= 2 + n;
	}
	if (!is_last)
		return 0;
	g_autoptr(WeftTrackSound) sound = weft_track_sound_from_bytes(track, NULL);
	if (sound == NULL)
		return 0;
	g_autoptr(GPtrArray) pieces = weft_track_sound_to_pieces(sound);
	if (pieces->len == 0)
		abort();
	follow(track, data, size_bytes);
	return 0;
}
