/* av_picture.h - private: a decoded frame as RGB raster, upright and with square pixels. */
#ifndef WEFT_INGEST_AV_PICTURE_H
#define WEFT_INGEST_AV_PICTURE_H

#include <glib.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>

#include "ingest/ingest.h"

/* How a picture is to be shown, in quarter turns: (x, y) of the stored picture comes to
 * (xx x + xy y, yx x + yy y), up to a shift; each is -1, 0 or 1. */
typedef struct WeftAvTurn {
	int xx, xy, yx, yy;
} WeftAvTurn;

/* From FFmpeg's 3 x 3 display matrix (may be NULL); what is not near a quarter turn is upright. */
WeftAvTurn weft_av_turn(const gint32 *matrix);

/* `aspect`: width of a pixel by its height. Made no larger than raster_side_max and the
 * limits; the raster says how much smaller. Its pixels are g_malloc'ed; its ink is not measured. */
gboolean weft_av_picture(const AVFrame *frame, double aspect, WeftAvTurn turn,
                         const WeftDecodeOptions *options, WeftRaster *ret_raster,
                         GError **error);

/* A grey copy of width x height pixels, as stored. `cache` keeps what can be used for the next
 * frame: NULL at first, freed with sws_freeContext. */
gboolean weft_av_picture_grey(struct SwsContext **cache, const AVFrame *frame, guint32 width,
                              guint32 height, guint8 *ret_luma);

#endif
