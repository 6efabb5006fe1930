#include "ingest/picture.h"

#include <string.h>

#include "base/error.h"
#include "ingest/raster.h"

#define FACTS_MAX 200u
#define BLANK_LEVELS 16 /* a picture is blank when next to nothing differs by more */

gboolean weft_picture_check(const WeftLimits *limits, guint64 width, guint64 height,
                            guint64 n_bytes, GError **error)
{
	if (width < 1 || height < 1)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT,
		            "picture of %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT " pixels", width,
		            height);
	else if ((double)width * (double)height > limits->pixels)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		            "picture of %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT
		            " pixels: limit pixels=%.15g",
		            width, height, limits->pixels);
	else if ((double)n_bytes > limits->decoder_bytes)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		            "picture of %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT
		            " pixels needs %" G_GUINT64_FORMAT
		            " bytes to be decoded: limit decoder-bytes=%.15g",
		            width, height, n_bytes, limits->decoder_bytes);
	else
		return TRUE;
	return FALSE;
}

void weft_picture_claim(const WeftDecodeJob *job, guint64 n_bytes, double n_pixels)
{
	double handed = MIN(n_pixels, job->options->limits.raster_pixels) * 2 * 3;
	if (!job->options->want_rasters) /* it stays here; turning it is for once not foreseen */
		handed = 0;
	if (job->claim)
		job->claim((gsize)MAX((double)n_bytes, handed));
}

void weft_picture_add_fact(WeftPicture *picture, const char *key, const char *value)
{
	g_autofree char *stripped = g_strstrip(g_strdup(value));
	if (*stripped && picture->facts.length < FACTS_MAX)
		g_queue_push_tail(&picture->facts, weft_part_new_meta(key, stripped));
}

void weft_picture_flatten(guint8 *pixels, gsize n_pixels)
{
	const guint8 *from = pixels;
	guint8 *to = pixels;
	for (gsize i = 0; i < n_pixels; i++, from += 4, to += 3) {
		guint alpha = from[3];
		for (guint c = 0; c < 3; c++)
			to[c] = (guint8)((from[c] * alpha + 255 * (255 - alpha) + 127) / 255);
	}
}

static void picture_done(WeftPicture *picture)
{
	g_clear_pointer(&picture->pixels, g_free);
	g_clear_error(&picture->damage);
	g_queue_clear_full(&picture->facts, (GDestroyNotify)weft_part_free);
}

/* Half as wide and high, each pixel the mean of four, in the same memory; the last row or column
 * of an odd number stands for two. */
static void halve(WeftPicture *picture)
{
	guint32 width = (picture->width + 1) / 2, height = (picture->height + 1) / 2;
	guint8 *to = picture->pixels;
	for (guint32 y = 0; y < height; y++) {
		const guint8 *above = picture->pixels + (gsize)2 * y * picture->width * 3;
		gsize down = 2 * y + 1 < picture->height ? (gsize)picture->width * 3 : 0;
		for (guint32 x = 0; x < width; x++) {
			const guint8 *at = above + (gsize)2 * x * 3;
			gsize right = 2 * x + 1 < picture->width ? 3 : 0;
			for (guint c = 0; c < 3; c++, at++)
				*to++ = (guint8)((at[0] + at[right] + at[down] + at[right + down] +
				                  2) / 4);
		}
	}
	picture->width = width;
	picture->height = height;
	picture->pixels = g_realloc(picture->pixels, (gsize)width * height * 3);
}

static gboolean is_too_large(const WeftPicture *picture, const WeftLimits *limits)
{
	return picture->width > WEFT_RASTER_SIDE_MAX || picture->height > WEFT_RASTER_SIDE_MAX ||
	       (double)picture->width * picture->height > limits->raster_pixels;
}

/* TIFF 6.0, Orientation: which side of the seen picture the stored rows and columns begin at. */
static void apply_orientation(WeftPicture *picture)
{
	guint o = picture->orientation;
	guint32 width = picture->width, height = picture->height;
	if (o < 2 || o > 8)
		return;
	gboolean swapped = o >= 5;
	gboolean flip_x = o == 2 || o == 3 || o == 7 || o == 8; /* along stored rows */
	gboolean flip_y = o == 3 || o == 4 || o == 6 || o == 7; /* along stored columns */
	guint32 seen_width = swapped ? height : width, seen_height = swapped ? width : height;
	guint8 *seen = g_malloc((gsize)width * height * 3);
	for (guint32 y = 0; y < seen_height; y++) {
		guint8 *to = seen + (gsize)y * seen_width * 3;
		for (guint32 x = 0; x < seen_width; x++, to += 3) {
			guint32 column = swapped ? y : x, row = swapped ? x : y;
			column = flip_x ? width - 1 - column : column;
			row = flip_y ? height - 1 - row : row;
			memcpy(to, picture->pixels + ((gsize)row * width + column) * 3, 3);
		}
	}
	g_free(picture->pixels);
	picture->pixels = seen;
	picture->width = seen_width;
	picture->height = seen_height;
	if (swapped) {
		guint32 swap = picture->full_width;
		picture->full_width = picture->full_height;
		picture->full_height = swap;
	}
}

typedef struct PictureState {
	GQueue parts;
} PictureState;

static void add_number(WeftPicture *picture, const char *key, guint32 value)
{
	char text[16];
	g_snprintf(text, sizeof text, "%u", value);
	weft_picture_add_fact(picture, key, text);
}

static void make_parts(WeftPicture *picture, const WeftDecodeOptions *options, GQueue *parts)
{
	WeftPart *fact;
	while (is_too_large(picture, &options->limits))
		halve(picture);
	apply_orientation(picture);
	WeftAnchor at = {.has_bbox = TRUE};
	at.bbox[2] = picture->full_width;
	at.bbox[3] = picture->full_height;
	add_number(picture, "width", picture->full_width);
	add_number(picture, "height", picture->full_height);
	while ((fact = g_queue_pop_head(&picture->facts)))
		g_queue_push_tail(parts, fact);
	double marked = weft_raster_differing(picture->pixels, picture->width, picture->height,
	                                      (gsize)picture->width * 3, BLANK_LEVELS);
	gboolean blank = marked < WEFT_INK_BLANK;
	double per_pixel = picture->width < picture->full_width ?
				   (double)picture->full_width / picture->width :
				   0;
	if (blank || !options->want_rasters)
		g_queue_push_tail(parts, weft_part_new_content(weft_content_new(
		                             blank ? WEFT_CONTENT_BLANK : WEFT_CONTENT_IMAGE,
		                             WEFT_BY_FILE, NULL, at)));
	else
		g_queue_push_tail(parts, weft_part_new_raster(
		                             WEFT_PART_RASTER, at, picture->width, picture->height,
		                             g_steal_pointer(&picture->pixels), per_pixel));
	if (picture->damage)
		g_queue_push_tail(parts,
		                  weft_part_new_fault(at, (WeftErrorCode)picture->damage->code,
		                                      "%s", picture->damage->message));
}

static gboolean open_with(gboolean (*read)(const WeftDecodeJob *, WeftPicture *, GError **),
                          const WeftDecodeJob *job, void **ret_state, GError **error)
{
	WeftPicture picture = {.orientation = 1};
	if (!read(job, &picture, error)) {
		picture_done(&picture);
		return FALSE;
	}
	PictureState *state = g_new0(PictureState, 1);
	make_parts(&picture, job->options, &state->parts);
	picture_done(&picture);
	*ret_state = state;
	return TRUE;
}

static gboolean png_open(const WeftDecodeJob *job, void **ret_state, GError **error)
{
	return open_with(weft_picture_read_png, job, ret_state, error);
}

static gboolean jpeg_open(const WeftDecodeJob *job, void **ret_state, GError **error)
{
	return open_with(weft_picture_read_jpeg, job, ret_state, error);
}

static gboolean other_open(const WeftDecodeJob *job, void **ret_state, GError **error)
{
	return open_with(weft_picture_read_other, job, ret_state, error);
}

static gboolean picture_next(void *data, WeftPart **ret_part, GError **error)
{
	PictureState *state = data;
	*ret_part = g_queue_pop_head(&state->parts);
	return TRUE;
}

static void picture_close(void *data)
{
	PictureState *state = data;
	g_queue_clear_full(&state->parts, (GDestroyNotify)weft_part_free);
	g_free(state);
}

static const char *const PNG_TYPES[] = {"image/png", NULL};
static const char *const JPEG_TYPES[] = {"image/jpeg", NULL};

const WeftDecoder weft_png_decoder = {
    "png", WEFT_FAMILY_IMAGE, PNG_TYPES, png_open, picture_next, picture_close,
};

const WeftDecoder weft_jpeg_decoder = {
    "jpeg", WEFT_FAMILY_IMAGE, JPEG_TYPES, jpeg_open, picture_next, picture_close,
};

const WeftDecoder weft_other_decoder = {
    "other pictures", WEFT_FAMILY_IMAGE, NULL, other_open, picture_next, picture_close,
};
