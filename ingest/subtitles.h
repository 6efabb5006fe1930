/* subtitles.h - private: one track of subtitles, packets in, contents out.
 *
 * Subtitles that are text (SubRip, WebVTT, mov_text, ASS) become speech by the file, each with its
 * time and, where the track says it, who speaks. Subtitles that are pictures (DVD, Blu-ray) are not
 * read, which is said once.
 */
#ifndef WEFT_INGEST_SUBTITLES_H
#define WEFT_INGEST_SUBTITLES_H

#include <glib.h>

#include "ingest/av_source.h"

typedef struct WeftSubtitles WeftSubtitles;

/* `source` and `options` outlive the track; parts go to `out`. WEFT_ERROR_NOT_EXAMINED: pictures. */
WeftSubtitles *weft_subtitles_open(const WeftAvSource *source, guint stream_index,
                                   const WeftDecodeOptions *options, GQueue *out, GError **error);
void weft_subtitles_close(WeftSubtitles *subtitles);

/* NULL: the end of the track. */
void weft_subtitles_feed(WeftSubtitles *subtitles, const AVPacket *packet);

#endif
