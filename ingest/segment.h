/* segment.h - private: sound cut into stretches with energy and stretches without.
 *
 * Samples go in at 16 kHz, parts come out, in order of time: silence as content, sound as windows
 * of PCM (or, when nothing can hear, as content of kind speech without text, so that the record
 * still holds where it is). Sound is measured in hops of 20 ms; a stretch is silent when all its
 * hops stay below -54 dB of full scale for at least 0.8 s. Shorter pauses stay inside the sound,
 * and 0.1 s on both sides of it stay with it, so that soft beginnings and ends of words are kept.
 * A window is at most 30 s long, what Whisper's encoder takes; a longer stretch is cut at its
 * quietest place in the last third. Where the samples have a gap, a window ends and nothing is
 * said about the gap: silence is what was recorded, not what is missing.
 *
 * Two channels are cut at the same places: a hop is as loud as the louder of them. Each window comes
 * twice, left and right.
 *
 * Times come from the caller; inside of a window the samples count. Memory: one window.
 */
#ifndef WEFT_INGEST_SEGMENT_H
#define WEFT_INGEST_SEGMENT_H

#include <glib.h>

#include "ingest/ingest.h"
#include "ingest/part.h"

#define WEFT_PCM_RATE_HZ 16000u
#define WEFT_SIDES_MAX 2u

/* Samples of one or two channels, borrowed. */
typedef struct WeftSound {
	guint n_channels;
	gsize n_samples;
	const float *samples[WEFT_SIDES_MAX]; /* of each channel */
} WeftSound;

typedef struct WeftSegmenter WeftSegmenter;

/* Of the options, `want_pcm` and `want_silence` count: with both, all samples come, and no
 * content says where it is silent. Parts are appended to `out`, which outlives the
 * segmenter and owns them. */
WeftSegmenter *weft_segmenter_new(guint32 track, const WeftDecodeOptions *options, GQueue *out);
void weft_segmenter_free(WeftSegmenter *segmenter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSegmenter, weft_segmenter_free)

/* `time_s`: presentation time of the first of these samples. It is taken at the start of a window;
 * inside of one the caller has seen to it that the samples follow each other. The number of channels
 * changes only behind a break. */
void weft_segmenter_push(WeftSegmenter *segmenter, const WeftSound *sound, double time_s);

/* What was pushed so far ends here. The next push begins anew. */
void weft_segmenter_break(WeftSegmenter *segmenter);

/* No part that is still to come begins before this; negative infinity before the first sample. */
double weft_segmenter_time(const WeftSegmenter *segmenter);

#endif
