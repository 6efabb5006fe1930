#include "ingest/av_picture.h"

#include <math.h>
#include <string.h>

#include <libavutil/pixdesc.h>

#include "ingest/av_source.h"

WeftAvTurn weft_av_turn(const gint32 *matrix)
{
	const WeftAvTurn upright = {1, 0, 0, 1};
	if (!matrix)
		return upright;
	/* x' = a x + c y, y' = b x + d y, in 16.16; stored as a b u, c d v, x y w */
	double a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
	double size = sqrt(MAX(a * a + c * c, b * b + d * d));
	if (!(size > 0))
		return upright;
	WeftAvTurn turn = {(int)lround(a / size), (int)lround(c / size), (int)lround(b / size),
	                   (int)lround(d / size)};
	gboolean straight = turn.xx && turn.yy && !turn.xy && !turn.yx;
	gboolean sideways = turn.xy && turn.yx && !turn.xx && !turn.yy;
	return straight || sideways ? turn : upright;
}

/* pixels[height][width][3] turned; takes `pixels`. */
static guint8 *turned(guint8 *take_pixels, guint32 *width, guint32 *height, WeftAvTurn t)
{
	if (t.xx == 1 && t.yy == 1)
		return take_pixels;
	guint32 w = *width, h = *height;
	guint32 new_w = t.xx ? w : h, new_h = t.xx ? h : w;
	guint8 *to = g_try_malloc((gsize)w * h * 3);
	for (guint32 y = 0; to && y < h; y++)
		for (guint32 x = 0; x < w; x++) {
			guint32 along_x = t.xx ? x : y, along_y = t.xx ? y : x;
			guint32 to_x = t.xx + t.xy > 0 ? along_x : new_w - 1 - along_x;
			guint32 to_y = t.yx + t.yy > 0 ? along_y : new_h - 1 - along_y;
			memcpy(to + ((gsize)to_y * new_w + to_x) * 3,
			       take_pixels + ((gsize)y * w + x) * 3, 3);
		}
	g_free(take_pixels);
	*width = new_w;
	*height = new_h;
	return to;
}

/* Not SWS_FAST_BILINEAR: it writes code at run time, which the jail forbids. */
static gboolean scale(struct SwsContext **sws, const AVFrame *frame, int width, int height,
                      enum AVPixelFormat format, int method, int stride, guint8 *pixels)
{
	struct SwsContext *before = *sws;
	*sws = sws_getCachedContext(before, frame->width, frame->height, frame->format, width,
	                            height, format, method | SWS_ACCURATE_RND | SWS_BITEXACT, NULL,
	                            NULL, NULL);
	if (!*sws)
		return FALSE;
	const AVPixFmtDescriptor *layout = av_pix_fmt_desc_get(frame->format);
	gboolean is_yuv =
	    layout && !(layout->flags & AV_PIX_FMT_FLAG_RGB) && layout->nb_components >= 3;
	if (is_yuv && *sws != before)
		(void)sws_setColorspaceDetails(
		    *sws, sws_getCoefficients(frame->colorspace),
		    frame->color_range == AVCOL_RANGE_JPEG, sws_getCoefficients(SWS_CS_DEFAULT), 1,
		    0, 1 << 16, 1 << 16); /* -1: no such conversion, the default stays */
	uint8_t *const to[4] = {pixels};
	const int strides[4] = {stride};
	return sws_scale(*sws, (const uint8_t *const *)frame->data, frame->linesize, 0,
	                 frame->height, to, strides) == height;
}

gboolean weft_av_picture_grey(struct SwsContext **cache, const AVFrame *frame, guint32 width,
                              guint32 height, guint8 *ret_luma)
{
	return scale(cache, frame, (int)width, (int)height, AV_PIX_FMT_GRAY8, SWS_AREA, (int)width,
	             ret_luma);
}

/* Returns how many of its own pixels one of the raster's is; 0: it keeps its size. */
static double fit(const AVFrame *frame, double aspect, const WeftDecodeOptions *options,
                  double *ret_width, double *ret_height)
{
	double w = frame->width, h = frame->height;
	if (aspect > 1.0 / 16 && aspect < 16)
		w *= aspect;
	double limit = options->raster_side_max ? options->raster_side_max : WEFT_RASTER_SIDE_MAX;
	double factor = MIN(1.0, limit / MAX(w, h));
	factor = MIN(factor, sqrt(options->limits.raster_pixels / (w * h)));
	*ret_width = MAX(1, floor(w * factor + 0.5));
	*ret_height = MAX(1, floor(h * factor + 0.5));
	return factor < 1 ? MAX(w / *ret_width, h / *ret_height) : 0;
}

gboolean weft_av_picture(const AVFrame *frame, double aspect, WeftAvTurn turn,
                         const WeftDecodeOptions *options, WeftRaster *ret_raster,
                         GError **error)
{
	if (frame->width < 1 || frame->height < 1 ||
	    (guint64)frame->width * (guint64)frame->height > WEFT_RASTER_PIXELS_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		            "picture of %d x %d pixels, limit %u in all", frame->width,
		            frame->height, WEFT_RASTER_PIXELS_MAX);
		return FALSE;
	}
	double w, h;
	double unit = fit(frame, aspect, options, &w, &h);
	guint32 width = (guint32)w, height = (guint32)h;
	/* swscale writes whole vectors: a little more room behind the last row */
	guint8 *pixels = g_try_malloc((gsize)width * height * 3 + 64);
	struct SwsContext *sws = NULL;
	gboolean scaled = pixels && scale(&sws, frame, (int)width, (int)height, AV_PIX_FMT_RGB24,
	                                  SWS_BICUBIC, (int)width * 3, pixels);
	sws_freeContext(sws);
	if (pixels && !scaled) {
		g_free(pixels);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
		            "picture of %d x %d pixels in format %s", frame->width, frame->height,
		            av_get_pix_fmt_name(frame->format) ? av_get_pix_fmt_name(frame->format)
		                                               : "unknown");
		return FALSE;
	}
	if (pixels)
		pixels = turned(pixels, &width, &height, turn);
	if (!pixels) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "no memory for %u x %u pixels",
		            width, height);
		return FALSE;
	}
	*ret_raster = (WeftRaster){.width = width, .height = height, .pixels = pixels,
	                           .points_per_pixel = unit};
	return TRUE;
}
