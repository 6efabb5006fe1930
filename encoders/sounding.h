/* sounding.h - the first pass over the sound of a track: what has to be known before it is read.
 *
 * Samples (16 kHz mono, or two channels side by side) come in with the time of the first of them, in
 * pieces of any size; at the end there is a WeftSounding: the largest log-mel value of the whole
 * recording, which Whisper's clamp needs, where speech is (speech_activity.h), who speaks when
 * (speakers.h), and whether the two channels are two speakers. It is far faster than real time and
 * its memory does not grow but for the result: about 0.7 MB an hour of speech, at the end 1.5.
 *
 * Times are those of the recording. A hole between two pieces, and what is missing before the
 * first, is silence; what was already heard is left out when it comes again; pieces that lie up to
 * 10 ms off are taken as they follow (as sound_buffer.h does). A time that is no number, or lies
 * beyond WEFT_SOUNDING_SECONDS_MAX, is not believed: the piece follows the one before.
 *
 * The largest value is that of the mono sound, of two channels that of their mean. For channels that
 * are read apart, each has a sounder of its own beside the common one.
 *
 * A sounding becomes bytes and comes back from them; the bytes may be anybody's. The same sounding
 * gives the same bytes, and what comes back is equal in every field.
 */
#ifndef WEFT_ENCODERS_SOUNDING_H
#define WEFT_ENCODERS_SOUNDING_H

#include <glib.h>

#include "encoders/speakers.h"
#include "encoders/speech_activity.h"
#include "encoders/speech_gate.h"
#include "kernels/kernels.h"

#define WEFT_SOUNDING_SECONDS_MAX 1e7 /* 115 days */

typedef struct WeftInterval {
	double from_s, to_s;
	WeftActivity activity;
} WeftInterval;

typedef struct WeftSounding {
	guint32 n_mel_bins;
	float largest;         /* log10, before the clamp; -10 at least */
	double seconds;        /* where the last sample ends */
	gboolean is_two_sided; /* each channel is a speaker of its own */
	GArray *intervals;     /* of WeftInterval: without a gap from 0 to the end */
	GArray *turns;         /* of WeftVoiceTurn, in order of time */
} WeftSounding;

void weft_sounding_free(WeftSounding *sounding);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSounding, weft_sounding_free)

/* The stretches of speech (WeftStretch), as the gate of a transcript wants them. */
GArray *weft_sounding_speech(const WeftSounding *sounding);

GBytes *weft_sounding_to_bytes(const WeftSounding *sounding);
/* NULL with WEFT_ERROR_CORRUPT. */
WeftSounding *weft_sounding_from_bytes(gconstpointer data, gsize size_bytes, GError **error);

typedef struct WeftSounder WeftSounder;

/* `n_mel_bins`: of the model that will listen. The kernels stay the caller's and must outlive it. */
WeftSounder *weft_sounder_new(const WeftKernels *kernels, gsize n_mel_bins);
void weft_sounder_free(WeftSounder *sounder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSounder, weft_sounder_free)

/* The first sample belongs to time_s. */
void weft_sounder_push(WeftSounder *sounder, const float *samples, gsize n, double time_s);
/* The same for two channels. */
void weft_sounder_push_sides(WeftSounder *sounder, const float *left, const float *right, gsize n,
			     double time_s);
/* Nothing may be pushed any more. */
WeftSounding *weft_sounder_end(WeftSounder *sounder);

#endif
