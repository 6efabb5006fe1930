/* video.h - private: one track of pictures, packets in, frames worth looking at out.
 *
 * Every frame is decoded, few are chosen (scene.h says which), and of those only what was not seen
 * before (frame_book.h) becomes pixels: a part with the time from which it stands until the next that
 * is given, the display rotation and the shape of its pixels applied, and no larger than asked. A
 * frame that shows nothing is content of kind blank.
 *
 * A frame that shows what stands already changes nothing: that one stands on. One that shows what
 * stood before (a slide that comes back) is content of kind frame, by the file, without text and with
 * two anchors: when it stands now, and when the same was first given. What it says is read there, and
 * once. In the same way a picture is told again that stands for more than five minutes, so that
 * nothing waits longer for its end; and earlier when the other tracks have no room to wait.
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

/* What stands is given as far as it has been seen, and begins again. */
void weft_video_renew(WeftVideo *video);

/* As for audio. */
double weft_video_time(const WeftVideo *video);
gboolean weft_video_is_done(const WeftVideo *video);

/* The picture of a track that is a picture (cover art): a raster without time. */
WeftPart *weft_video_cover(const WeftAvSource *source, guint stream_index,
                           const WeftDecodeOptions *options, GError **error);

#endif
