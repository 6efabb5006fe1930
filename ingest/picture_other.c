/* picture_other.c - GIF (first frame), BMP, TIFF (first page), WebP, PNM and others by libavcodec.
 */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>

#include "base/bytes.h"
#include "base/error.h"
#include "ingest/exif.h"
#include "ingest/picture.h"

static const struct {
	const char *media_type;
	enum AVCodecID codec;
} CODECS[] = {
    {"image/gif", AV_CODEC_ID_GIF},
    {"image/bmp", AV_CODEC_ID_BMP},
    {"image/tiff", AV_CODEC_ID_TIFF},
    {"image/webp", AV_CODEC_ID_WEBP},
    {"image/jp2", AV_CODEC_ID_JPEG2000},
    {"image/x-jp2-codestream", AV_CODEC_ID_JPEG2000},
    {"image/jxl", AV_CODEC_ID_JPEGXL},
    {"image/qoi", AV_CODEC_ID_QOI},
    {"image/vnd.adobe.photoshop", AV_CODEC_ID_PSD},
    {"image/vnd.zbrush.pcx", AV_CODEC_ID_PCX},
    {"image/x-sun-raster", AV_CODEC_ID_SUNRAST},
};

static enum AVCodecID codec_of(const char *media_type, const guint8 *bytes)
{
	for (guint i = 0; i < G_N_ELEMENTS(CODECS); i++)
		if (strcmp(CODECS[i].media_type, media_type) == 0)
			return CODECS[i].codec;
	switch (bytes[1]) { /* PNM: the digit says it */
	case '1':
	case '4':
		return AV_CODEC_ID_PBM;
	case '2':
	case '5':
		return AV_CODEC_ID_PGM;
	case '7':
		return AV_CODEC_ID_PAM;
	default:
		return AV_CODEC_ID_PPM;
	}
}

static AVPacket *read_file(const WeftDecodeJob *job, GError **error)
{
	AVPacket *packet = av_packet_alloc();
	gsize done = 0;
	/* the whole file is one packet; FFmpeg counts its bytes in an int */
	double most = MIN(job->options->limits.decoder_bytes, G_MAXINT32 / 2);
	if (job->size_bytes < 8 || (double)job->size_bytes > most || !packet ||
	    av_new_packet(packet, (int)job->size_bytes) < 0) {
		av_packet_free(&packet);
		g_set_error(error, WEFT_ERROR,
		            job->size_bytes < 8 ? WEFT_ERROR_TRUNCATED : WEFT_ERROR_LIMIT,
		            "picture file of %" G_GUINT64_FORMAT " bytes: limit decoder-bytes=%.15g",
		            job->size_bytes, most);
		return NULL;
	}
	while (done < job->size_bytes) {
		ssize_t n =
		    pread(job->fd, packet->data + done, job->size_bytes - done, (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			av_packet_free(&packet);
			g_set_error(error, WEFT_ERROR, n < 0 ? WEFT_ERROR_IO : WEFT_ERROR_CHANGED,
			            "the file became shorter while it was read");
			return NULL;
		}
		done += (gsize)n;
	}
	packet->flags |= AV_PKT_FLAG_KEY;
	return packet;
}

static void set_av_error(GError **error, int code, const char *name)
{
	char text[AV_ERROR_MAX_STRING_SIZE] = "";
	av_strerror(code, text, sizeof text);
	g_set_error(error, WEFT_ERROR,
	            code == AVERROR_PATCHWELCOME ? WEFT_ERROR_UNSUPPORTED : WEFT_ERROR_CORRUPT,
	            "picture (%s): %s", name, text);
}

/* Before the pixels are allocated: `opaque` is the limits. */
static int buffer_within_limits(AVCodecContext *context, AVFrame *frame, int flags)
{
	if (!weft_picture_check(context->opaque, (guint64)MAX(frame->width, 0),
	                        (guint64)MAX(frame->height, 0), 0, NULL))
		return AVERROR(E2BIG);
	return avcodec_default_get_buffer2(context, frame, flags);
}

static AVFrame *decode(enum AVCodecID id, const AVPacket *packet, const WeftLimits *limits,
                       GError **error)
{
	const AVCodec *codec = avcodec_find_decoder(id);
	AVCodecContext *context = codec ? avcodec_alloc_context3(codec) : NULL;
	AVFrame *frame = av_frame_alloc();
	if (!context || !frame) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
		            "libavcodec here has no decoder for %s", avcodec_get_name(id));
		avcodec_free_context(&context);
		av_frame_free(&frame);
		return NULL;
	}
	context->thread_count = 1;
	context->opaque = (void *)limits; /* read only */
	context->get_buffer2 = buffer_within_limits;
	int code = avcodec_open2(context, codec, NULL);
	if (code >= 0)
		code = avcodec_send_packet(context, packet);
	if (code >= 0)
		code = avcodec_receive_frame(context, frame);
	if (code == AVERROR(EAGAIN) && avcodec_send_packet(context, NULL) >= 0)
		code = avcodec_receive_frame(context, frame);
	guint64 width = (guint64)MAX(context->width, 0), height = (guint64)MAX(context->height, 0);
	avcodec_free_context(&context);
	if (code >= 0 && weft_picture_check(limits, (guint64)MAX(frame->width, 0),
	                                    (guint64)MAX(frame->height, 0), 0, error))
		return frame;
	if (code < 0 && (width == 0 || height == 0 ||
	                 weft_picture_check(limits, width, height, 0, error)))
		set_av_error(error, code, avcodec_get_name(id));
	av_frame_free(&frame);
	return NULL;
}

/* To RGBA by swscale, exactly rounded, then on white; made smaller where it is too large. */
static gboolean convert(const AVFrame *frame, const WeftLimits *limits, WeftPicture *picture,
                        GError **error)
{
	double n = (double)frame->width * frame->height;
	double factor = MIN(1, sqrt(limits->raster_pixels / n));
	factor = MIN(factor, (double)WEFT_RASTER_SIDE_MAX / MAX(frame->width, frame->height));
	int width = MAX((int)(frame->width * factor), 1);
	int height = MAX((int)(frame->height * factor), 1);
	struct SwsContext *scaler = sws_getContext(
	    frame->width, frame->height, frame->format, width, height,
	    AV_PIX_FMT_RGBA,
	    SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP | SWS_BITEXACT,
	    NULL, NULL, NULL);
	if (!scaler) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
		            "picture of an unknown pixel format (%d)", frame->format);
		return FALSE;
	}
	gsize n_pixels = (gsize)width * (gsize)height;
	guint8 *pixels = g_malloc(n_pixels * 4 + 64);
	uint8_t *planes[4] = {pixels};
	int strides[4] = {width * 4};
	int rows = sws_scale(scaler, (const uint8_t *const *)frame->data, frame->linesize, 0,
	                     frame->height, planes, strides);
	sws_freeContext(scaler);
	if (rows != height) {
		g_free(pixels);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "picture: %d of %d rows", rows,
		            height);
		return FALSE;
	}
	weft_picture_flatten(pixels, n_pixels);
	picture->pixels = pixels;
	picture->width = (guint32)width;
	picture->height = (guint32)height;
	picture->full_width = (guint32)frame->width;
	picture->full_height = (guint32)frame->height;
	return TRUE;
}

/* RIFF chunks of WebP; the one named EXIF is a TIFF structure. */
static void read_webp_exif(const guint8 *bytes, gsize size, WeftPicture *picture)
{
	gsize at = 12;
	for (guint n = 0; n < 64 && at + 8 <= size; n++) {
		gsize length = weft_le32(bytes + at + 4);
		if (length > size - at - 8)
			return;
		if (memcmp(bytes + at, "EXIF", 4) == 0) {
			gsize prefix =
			    length > 6 && memcmp(bytes + at + 8, "Exif\0\0", 6) == 0 ? 6 : 0;
			weft_exif_read(bytes + at + 8 + prefix, length - prefix, picture);
			return;
		}
		at += 8 + length + (length & 1);
	}
}

/* The boxes of a JPEG XL file (ISO/IEC 18181-2) lie in it, up to its end. FFmpeg waits for the rest of a
 * box that was cut off, for ever (libjxldec, 5.1). A bare codestream has no boxes. */
static gboolean has_whole_boxes(const guint8 *bytes, gsize size)
{
	gsize at = 0;
	if (size < 12 || memcmp(bytes + 4, "JXL ", 4) != 0)
		return TRUE;
	while (at < size) {
		guint32 length;
		if (size - at < 8)
			return FALSE;
		memcpy(&length, bytes + at, sizeof length);
		length = GUINT32_FROM_BE(length);
		if (length == 0) /* the last one, to the end */
			return TRUE;
		if (length < 8 || length > size - at) /* 1: of 64 bits, more than is read here */
			return FALSE;
		at += length;
	}
	return TRUE;
}

static void read_facts(enum AVCodecID id, const AVPacket *packet, WeftPicture *picture)
{
	gsize size = (gsize)packet->size;
	if (id == AV_CODEC_ID_WEBP)
		read_webp_exif(packet->data, size, picture);
	if (id != AV_CODEC_ID_TIFF)
		return;
	weft_exif_read(packet->data, size, picture);
	guint n_pages = weft_exif_count_directories(packet->data, size);
	if (n_pages > 1)
		g_set_error(
		    &picture->damage, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
		    "TIFF of %u pages: only the first is read; convert it to PDF for the rest, "
		    "for example: tiff2pdf FILE",
		    n_pages);
}

gboolean weft_picture_read_other(const WeftDecodeJob *job, WeftPicture *picture, GError **error)
{
	AVPacket *packet = read_file(job, error);
	if (!packet)
		return FALSE;
	enum AVCodecID id = codec_of(job->media_type, packet->data);
	const WeftLimits *limits = &job->options->limits;
	if (id == AV_CODEC_ID_JPEGXL && !has_whole_boxes(packet->data, (gsize)packet->size)) {
		av_packet_free(&packet);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_TRUNCATED,
		            "picture (jpegxl): the file ends within a box");
		return FALSE;
	}
	AVFrame *frame = decode(id, packet, limits, error);
	gboolean ok = frame && convert(frame, limits, picture, error);
	if (ok)
		read_facts(id, packet, picture);
	if (ok && frame->decode_error_flags)
		g_set_error(&picture->damage, WEFT_ERROR, WEFT_ERROR_CORRUPT,
		            "damaged picture (%s)", avcodec_get_name(id));
	av_frame_free(&frame);
	av_packet_free(&packet);
	return ok;
}
