/* track_sound.h - private: what the first pass found about one track, or one channel of it.
 *
 * Beside the sounding (encoders/sounding.h): whose voice it is where that is known without listening,
 * and which stretches without speech the record tells of. A channel that is a speaker of its own is
 * listened to by itself; the track as a whole then tells its stretches alone.
 *
 * On its way, and in the journal, it is bytes in pieces: recordings of days have more than an entry of
 * a journal holds.
 */
#ifndef WEFT_PIPELINE_TRACK_SOUND_H
#define WEFT_PIPELINE_TRACK_SOUND_H

#include <glib.h>

#include "base/content.h"
#include "encoders/encoders.h"

/* A stretch without speech that is worth a line of the record, a hole that is no silence. */
#define WEFT_STRETCH_MIN_S 1.0

typedef struct WeftTrackSound {
	guint32 track, channel; /* channel 0: all of it; 1, 2: left, right (WeftPcm) */
	guint32 n_speakers_before; /* of other tracks: who is heard here gets the labels behind them */
	char *label;            /* all of it is said by this one; NULL: whom the turns say */
	GArray *stretches;      /* of WeftInterval, in order of time: silence and other sound */
	WeftSounding *sounding;
} WeftTrackSound;

/* No stretches and no label yet. */
WeftTrackSound *weft_track_sound_new(guint32 track, guint32 channel, WeftSounding *take_sounding);
void weft_track_sound_free(WeftTrackSound *sound);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftTrackSound, weft_track_sound_free)

/* Fills `stretches`: where the sounding has no speech, less the holes (WeftStretch, in order of time),
 * of which nothing was recorded. */
void weft_track_sound_tell(WeftTrackSound *sound, const GArray *holes);
/* FALSE: its channels are listened to instead. */
gboolean weft_track_sound_is_listened(const WeftTrackSound *sound);
guint32 weft_track_sound_n_speakers(const WeftTrackSound *sound);

/* What `content` becomes with its speakers (encoders/speaker_labels.h). Takes it. */
GPtrArray *weft_track_sound_label(const WeftTrackSound *sound, WeftContent *take_content);

/* The pieces (GBytes), at least one. */
GPtrArray *weft_track_sound_to_pieces(const WeftTrackSound *sound);
/* Appends one piece to what has come before. *ret_is_last: `bytes` is whole, all but anybody's.
 * WEFT_ERROR_CORRUPT. */
gboolean weft_track_sound_add_piece(GByteArray *bytes, GBytes *piece, gboolean *ret_is_last,
				    GError **error);
/* TRUE: the piece is of a channel that is listened to by itself. */
gboolean weft_track_sound_is_side(GBytes *piece);
WeftTrackSound *weft_track_sound_from_bytes(const GByteArray *bytes, GError **error);

#endif
