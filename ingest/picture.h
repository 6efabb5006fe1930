/* picture.h - private: a decoded picture, between a codec and the part that leaves the worker.
 *
 * A codec fills it from the bytes of a file; picture.c then turns it as the file says, measures it,
 * and makes parts. What was decoded before the file broke off is kept: `damage` says what is
 * missing.
 */
#ifndef WEFT_INGEST_PICTURE_H
#define WEFT_INGEST_PICTURE_H

#include <glib.h>

#include "ingest/decoder.h"

typedef struct WeftPicture {
	guint8 *pixels;        /* RGB, height * width * 3 */
	guint32 width, height; /* of `pixels`: may be smaller than the picture */
	guint32 full_width, full_height;
	guint orientation; /* 1..8 as in EXIF: how `pixels` lie */
	GQueue facts;      /* of WeftPart, META */
	GError *damage;    /* or NULL */
} WeftPicture;

/* An error that names the numbers when the sides, as the file states them, have too many pixels, or
 * when decoding would take too many bytes (`n_bytes`; 0: not known). */
gboolean weft_picture_check(const WeftLimits *limits, guint64 width, guint64 height,
                            guint64 n_bytes, GError **error);

/* Says beforehand that so many bytes will be needed; and as many as it takes to turn the picture and
 * hand it over, once it is decoded. */
void weft_picture_claim(const WeftDecodeJob *job, guint64 n_bytes, double n_pixels);

void weft_picture_add_fact(WeftPicture *picture, const char *key, const char *value);

/* One function for each codec. On failure `picture` may be half filled; the caller frees it. */
gboolean weft_picture_read_png(const WeftDecodeJob *job, WeftPicture *picture, GError **error);
gboolean weft_picture_read_jpeg(const WeftDecodeJob *job, WeftPicture *picture, GError **error);
gboolean weft_picture_read_other(const WeftDecodeJob *job, WeftPicture *picture, GError **error);

/* RGBA to RGB on white, in the same memory. */
void weft_picture_flatten(guint8 *pixels, gsize n_pixels);

extern const WeftDecoder weft_png_decoder;
extern const WeftDecoder weft_jpeg_decoder;
extern const WeftDecoder weft_other_decoder;

#endif
