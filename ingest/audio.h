/* audio.h - private: one track of sound, packets in, parts out.
 *
 * What cannot be decoded is counted and told in one fault at the end of the track; decoding goes on
 * behind it, at the time that the next packets state. A track that fails all the time is given up.
 */
#ifndef WEFT_INGEST_AUDIO_H
#define WEFT_INGEST_AUDIO_H

#include <glib.h>

#include "ingest/av_source.h"

typedef struct WeftAudio WeftAudio;

/* `source` and `options` outlive the track; parts go to `out`. */
WeftAudio *weft_audio_open(const WeftAvSource *source, guint stream_index,
                           const WeftDecodeOptions *options, GQueue *out, GError **error);
void weft_audio_close(WeftAudio *audio);

/* NULL: the end of the track; nothing is fed after it. */
void weft_audio_feed(WeftAudio *audio, const AVPacket *packet);

/* No later part of this track begins before this; infinity after the end. */
double weft_audio_time(const WeftAudio *audio);
/* Nothing that is still to come is wanted. */
gboolean weft_audio_is_done(const WeftAudio *audio);

#endif
