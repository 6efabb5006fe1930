/* A sounding as bytes, little-endian:
 *   "wsnd", version u8, two sides u8, mel bins u32, largest f32, seconds f64,
 *   intervals u32, each: end u32 (hundredths of a second), activity u8
 *   turns u32, each: from u32, end u32, speaker u8, margin u8 (1/25), overlap u8 */
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "encoders/mel.h"
#include "encoders/sounding.h"

#define VERSION 1
#define MARGIN_STEPS 25
#define MARGIN_MAX 10
#define INTERVAL_BYTES 5
#define TURN_BYTES 11
#define MEL_BINS_MAX 1024

static void put_frame(GByteArray *out, double time_s)
{
	weft_bytes_put_le32(out, (guint32)llround(time_s * WEFT_SOUND_FRAMES_PER_S));
}

GBytes *weft_sounding_to_bytes(const WeftSounding *sounding)
{
	GByteArray *out = g_byte_array_new();
	guint32 largest;

	memcpy(&largest, &sounding->largest, sizeof largest);
	g_byte_array_append(out, (const guint8 *)"wsnd", 4);
	weft_bytes_put_u8(out, VERSION);
	weft_bytes_put_u8(out, sounding->is_two_sided != 0);
	weft_bytes_put_le32(out, sounding->n_mel_bins);
	weft_bytes_put_le32(out, largest);
	weft_bytes_put_f64(out, sounding->seconds);
	weft_bytes_put_le32(out, sounding->intervals->len);
	for (guint i = 0; i < sounding->intervals->len; i++) {
		const WeftInterval *in = &g_array_index(sounding->intervals, WeftInterval, i);
		put_frame(out, in->to_s);
		weft_bytes_put_u8(out, (guint8)in->activity);
	}
	weft_bytes_put_le32(out, sounding->turns->len);
	for (guint i = 0; i < sounding->turns->len; i++) {
		const WeftVoiceTurn *turn = &g_array_index(sounding->turns, WeftVoiceTurn, i);
		put_frame(out, turn->from_s);
		put_frame(out, turn->to_s);
		weft_bytes_put_u8(out, (guint8)turn->speaker);
		weft_bytes_put_u8(out, (guint8)lroundf(turn->margin * MARGIN_STEPS));
		weft_bytes_put_u8(out, turn->is_overlap != 0);
	}
	return g_byte_array_free_to_bytes(out);
}

/* Why the bytes are none; NULL: they are. */
static const char *read_head(WeftBytes *bytes, WeftSounding *sounding)
{
	const guint8 *magic;
	guint8 version = 0, sides = 0;
	guint32 largest = 0;

	if (!weft_bytes_take(bytes, 4, &magic) || memcmp(magic, "wsnd", 4) != 0)
		return "no magic";
	if (!weft_bytes_u8(bytes, &version) || version != VERSION)
		return "another version";
	if (!weft_bytes_u8(bytes, &sides) || !weft_bytes_le32(bytes, &sounding->n_mel_bins) ||
	    !weft_bytes_le32(bytes, &largest) || !weft_bytes_f64(bytes, &sounding->seconds))
		return "it ends in its head";
	memcpy(&sounding->largest, &largest, sizeof largest);
	sounding->is_two_sided = sides;
	if (sides > 1 || sounding->n_mel_bins == 0 || sounding->n_mel_bins > MEL_BINS_MAX)
		return "a number of its head is out of range";
	if (!(sounding->largest >= -10 && sounding->largest <= 10) ||
	    !(sounding->seconds >= 0 && sounding->seconds <= 2 * WEFT_SOUNDING_SECONDS_MAX))
		return "its largest value or its length is out of range";
	return NULL;
}

static const char *read_intervals(WeftBytes *bytes, WeftSounding *sounding)
{
	guint32 n = 0, from = 0, end = 0;
	guint8 activity = 0;

	if (!weft_bytes_le32(bytes, &n) || n > weft_bytes_left(bytes) / INTERVAL_BYTES)
		return "more intervals than bytes";
	for (guint32 i = 0; i < n; i++, from = end) {
		if (!weft_bytes_le32(bytes, &end) || !weft_bytes_u8(bytes, &activity) ||
		    end <= from || activity >= WEFT_N_ACTIVITIES)
			return "an interval is out of order";
		WeftInterval in = {from / (double)WEFT_SOUND_FRAMES_PER_S,
		                   end / (double)WEFT_SOUND_FRAMES_PER_S, activity};
		g_array_append_val(sounding->intervals, in);
	}
	/* the last frame is centred within the sound */
	guint64 n_samples = (guint64)llround(sounding->seconds * WEFT_MEL_RATE_HZ);

	if (from != (n_samples + WEFT_MEL_HOP - 1) / WEFT_MEL_HOP)
		return "its intervals do not end with it";
	return NULL;
}

static const char *read_turns(WeftBytes *bytes, const WeftSounding *sounding)
{
	guint32 n = 0, from = 0, end = 0, last = 0, n_speakers = 0;
	guint8 speaker = 0, margin = 0, overlap = 0;

	if (!weft_bytes_le32(bytes, &n) || n > weft_bytes_left(bytes) / TURN_BYTES)
		return "more turns than bytes";
	for (guint32 i = 0; i < n; i++, last = from) {
		if (!weft_bytes_le32(bytes, &from) || !weft_bytes_le32(bytes, &end) ||
		    !weft_bytes_u8(bytes, &speaker) || !weft_bytes_u8(bytes, &margin) ||
		    !weft_bytes_u8(bytes, &overlap) || from < last || end <= from ||
		    end > sounding->seconds * WEFT_SOUND_FRAMES_PER_S + 1)
			return "a turn is out of order";
		if (speaker == 0 || speaker > MIN(n_speakers + 1, WEFT_SPEAKERS_MAX) ||
		    margin > MARGIN_MAX * MARGIN_STEPS || overlap > 1)
			return "a turn has a number out of range";
		n_speakers = MAX(n_speakers, speaker);
		WeftVoiceTurn turn = {from / (double)WEFT_SOUND_FRAMES_PER_S,
		                 end / (double)WEFT_SOUND_FRAMES_PER_S, speaker,
		                 (float)margin / MARGIN_STEPS, overlap};
		g_array_append_val(sounding->turns, turn);
	}
	return weft_bytes_left(bytes) > 0 ? "bytes follow its turns" : NULL;
}

WeftSounding *weft_sounding_from_bytes(gconstpointer data, gsize size_bytes, GError **error)
{
	g_autoptr(WeftSounding) sounding = g_new0(WeftSounding, 1);
	WeftBytes bytes = weft_bytes(data, size_bytes);

	sounding->intervals = g_array_new(FALSE, FALSE, sizeof(WeftInterval));
	sounding->turns = g_array_new(FALSE, FALSE, sizeof(WeftVoiceTurn));
	const char *wrong = read_head(&bytes, sounding);

	if (!wrong)
		wrong = read_intervals(&bytes, sounding);
	if (!wrong)
		wrong = read_turns(&bytes, sounding);
	if (wrong) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "sounding of %zu bytes: %s",
		            size_bytes, wrong);
		return NULL;
	}
	return g_steal_pointer(&sounding);
}
