/* video.h - private: one track of pictures, packets in, frames worth looking at out.
 *
 * Every frame is decoded, few are given (scene.h says which). Each has the time from which it
 * stands until the next that was chosen, the display rotation and the shape of its pixels applied,
 * and is no larger than asked. A frame that shows nothing is content of kind blank.
 */
#ifndef WEFT_INGEST_VIDEO_H
#define WEFT_INGEST_VIDEO_H

#include <glib.h>

#include "ingest/av_source.h"

typedef struct WeftVideo WeftVideo;

/* `source` and `options` outlive the track; parts go to `out`. */
WeftVideo *weft_video_open(const WeftAvSource *source, guint stream_index,
                           const WeftDecodeOptions *options, GQueue *out, GError **error);
void weft_video_close(WeftVideo *video);

/* NULL: the end of the track; nothing is fed after it. */
void weft_video_feed(WeftVideo *video, const AVPacket *packet);

/* As for audio. */
double weft_video_time(const WeftVideo *video);
gboolean weft_video_is_done(const WeftVideo *video);

/* The picture of a track that is a picture (cover art): a raster without time. */
WeftPart *weft_video_cover(const WeftAvSource *source, guint stream_index,
                           const WeftDecodeOptions *options, GError **error);

#endif
