/* picture_jpeg.c - JPEG by libjpeg-turbo.
 *
 * Where a smaller picture will do, it is decoded smaller (by eighths, in the DCT). What follows a
 * place where the file breaks off is white. EXIF facts and the orientation are taken from APP1.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jpeglib.h>

#include <jerror.h>

#include "base/error.h"
#include "ingest/exif.h"
#include "ingest/picture.h"

#define BUFFER_BYTES 65536u
#define MORE_BYTES (16u << 20) /* of rows, tables and the library */
#define ROUNDED_UP 0.998 /* both sides are */
#define WARNINGS_MAX 1000 /* damaged data: one in each restart interval of a page */
/* Each scan of a progressive file runs over all of its pixels: few for many pixels. libjpeg-turbo's
 * own fuzzers stop at 500. */
#define SCANS_MAX 500
#define SCANNED_PIXELS_MAX 4e9

typedef struct JpegState {
	struct jpeg_decompress_struct cinfo; /* first: its pointers lead here */
	struct jpeg_error_mgr errors;
	struct jpeg_source_mgr source;
	struct jpeg_progress_mgr progress;
	jmp_buf jump;
	int fd;
	off_t at;
	gboolean ended;
	guint32 row_at_end;
	guint8 *buffer, *row;
	guint8 *pixels;
	gboolean started;
	char message[JMSG_LENGTH_MAX];
} JpegState;

static JpegState *state_of(j_common_ptr cinfo)
{
	return (JpegState *)(void *)cinfo;
}

G_GNUC_NORETURN static void stop(j_common_ptr cinfo)
{
	JpegState *state = state_of(cinfo);
	cinfo->err->format_message(cinfo, state->message);
	longjmp(state->jump, 1);
}

static void note(j_common_ptr cinfo, int level)
{
	JpegState *state = state_of(cinfo);
	if (level >= 0)
		return;
	if (cinfo->err->num_warnings++ == 0)
		cinfo->err->format_message(cinfo, state->message);
	if (cinfo->err->num_warnings > WARNINGS_MAX)
		longjmp(state->jump, 1);
}

static void watch_scans(j_common_ptr cinfo)
{
	JpegState *state = state_of(cinfo);
	double pixels = (double)state->cinfo.image_width * state->cinfo.image_height;
	int scans = state->cinfo.input_scan_number;
	if (scans > SCANS_MAX || (scans > 64 && scans * pixels > SCANNED_PIXELS_MAX)) {
		g_snprintf(state->message, sizeof state->message, "more than %d scans", scans - 1);
		longjmp(state->jump, 1);
	}
}

static void source_nothing(j_decompress_ptr cinfo)
{
	(void)cinfo;
}

static boolean source_fill(j_decompress_ptr cinfo)
{
	JpegState *state = state_of((j_common_ptr)cinfo);
	ssize_t n;
	do
		n = pread(state->fd, state->buffer, BUFFER_BYTES, state->at);
	while (n < 0 && errno == EINTR);
	if (n <= 0) {
		/* libjpeg is given an end, so that it hands out what it has */
		if (!state->ended)
			state->row_at_end = cinfo->output_scanline;
		if (state->message[0] == '\0') /* libjpeg does not always find words for it */
			g_strlcpy(state->message, "the file ends early", sizeof state->message);
		state->ended = TRUE;
		state->buffer[0] = 0xff;
		state->buffer[1] = JPEG_EOI;
		n = 2;
	}
	state->at += n;
	state->source.next_input_byte = state->buffer;
	state->source.bytes_in_buffer = (size_t)n;
	return TRUE;
}

static void source_skip(j_decompress_ptr cinfo, long size)
{
	JpegState *state = state_of((j_common_ptr)cinfo);
	if (size <= 0)
		return;
	gsize in_buffer = MIN((gsize)size, state->source.bytes_in_buffer);
	state->source.next_input_byte += in_buffer;
	state->source.bytes_in_buffer -= in_buffer;
	state->at += size - (long)in_buffer;
}

static void read_markers(JpegState *state, WeftPicture *picture)
{
	for (jpeg_saved_marker_ptr m = state->cinfo.marker_list; m; m = m->next) {
		if (m->marker == JPEG_APP0 + 1 && m->data_length > 6 &&
		    memcmp(m->data, "Exif\0\0", 6) == 0) {
			weft_exif_read(m->data + 6, m->data_length - 6, picture);
		} else if (m->marker == JPEG_COM) {
			g_autofree char *valid = g_utf8_make_valid(
			    (const char *)m->data, (gssize)MIN(m->data_length, 1000));
			weft_picture_add_fact(picture, "comment", valid);
		}
	}
}

/* A file of several scans is held whole, as coefficients of 16 bits. */
static double coefficient_bytes(j_decompress_ptr cinfo)
{
	double n = 0;
	for (int i = 0; i < cinfo->num_components && jpeg_has_multiple_scans(cinfo); i++) {
		const jpeg_component_info *c = &cinfo->comp_info[i];
		n += (double)cinfo->image_width * c->h_samp_factor / cinfo->max_h_samp_factor *
		     cinfo->image_height * c->v_samp_factor / cinfo->max_v_samp_factor * 2;
	}
	return n;
}

static double output_pixels(j_decompress_ptr cinfo)
{
	return (double)cinfo->image_width * cinfo->image_height * cinfo->scale_num *
	       cinfo->scale_num / 64;
}

/* The smallest eighth at which the longest side is still as long as anything can use, or smaller
 * where the limits ask for that. */
static gboolean choose_scale(JpegState *state, const WeftDecodeJob *job, GError **error)
{
	const WeftDecodeOptions *options = job->options;
	j_decompress_ptr cinfo = &state->cinfo;
	const WeftLimits *limits = &options->limits;
	double coefficients = coefficient_bytes(cinfo);
	guint side = MAX(cinfo->image_width, cinfo->image_height);
	cinfo->scale_denom = 8;
	cinfo->scale_num = 8;
	while (cinfo->scale_num > 1 && options->raster_side_max > 0 &&
	       (guint64)side * (cinfo->scale_num - 1) / 8 >= options->raster_side_max)
		cinfo->scale_num--;
	while (cinfo->scale_num > 1 &&
	       (output_pixels(cinfo) > ROUNDED_UP * limits->raster_pixels ||
	        coefficients + 3 * output_pixels(cinfo) + MORE_BYTES > limits->decoder_bytes))
		cinfo->scale_num--;
	jpeg_calc_output_dimensions(cinfo);
	guint64 n_bytes = (guint64)(coefficients + 3 * output_pixels(cinfo)) + MORE_BYTES;
	if (!weft_picture_check(limits, cinfo->image_width, cinfo->image_height, n_bytes, error))
		return FALSE;
	weft_picture_claim(job, n_bytes, output_pixels(cinfo));
	return TRUE;
}

/* CMYK without a profile. Adobe's programs, which mark their files, store it inverted. */
static void cmyk_to_rgb(const guint8 *from, guint8 *to, guint32 n, gboolean inverted)
{
	for (guint32 i = 0; i < n; i++, from += 4, to += 3) {
		guint flip = inverted ? 0 : 255;
		guint k = from[3] ^ flip;
		for (guint c = 0; c < 3; c++)
			to[c] = (guint8)(((from[c] ^ flip) * k + 127) / 255);
	}
}

static void read_rows(JpegState *state)
{
	j_decompress_ptr cinfo = &state->cinfo;
	gsize row_bytes = (gsize)cinfo->output_width * 3;
	gboolean four = cinfo->out_color_components == 4;
	while (cinfo->output_scanline < cinfo->output_height) {
		guint8 *to = state->pixels + cinfo->output_scanline * row_bytes;
		JSAMPROW row = four ? state->row : to;
		if (jpeg_read_scanlines(cinfo, &row, 1) == 1 && four)
			cmyk_to_rgb(row, to, cinfo->output_width, cinfo->saw_Adobe_marker);
	}
}

/* The body: everything in it may jump. TRUE when it came to its end. */
static gboolean read_picture(JpegState *state, const WeftDecodeJob *job, WeftPicture *picture,
                             GError **error)
{
	j_decompress_ptr cinfo = &state->cinfo;
	if (setjmp(state->jump))
		return FALSE;
	jpeg_create_decompress(cinfo);
	cinfo->mem->max_memory_to_use = (long)job->options->limits.decoder_bytes;
	cinfo->src = &state->source;
	cinfo->progress = &state->progress;
	jpeg_save_markers(cinfo, JPEG_APP0 + 1, 0xffff);
	jpeg_save_markers(cinfo, JPEG_COM, 0xffff);
	jpeg_read_header(cinfo, TRUE);
	read_markers(state, picture);
	picture->full_width = cinfo->image_width;
	picture->full_height = cinfo->image_height;
	gboolean four = cinfo->jpeg_color_space == JCS_CMYK || cinfo->jpeg_color_space == JCS_YCCK;
	cinfo->out_color_space = four ? JCS_CMYK : JCS_RGB;
	if (!choose_scale(state, job, error))
		return FALSE;
	jpeg_start_decompress(cinfo);
	picture->width = cinfo->output_width;
	picture->height = cinfo->output_height;
	gsize size = (gsize)cinfo->output_width * cinfo->output_height * 3;
	state->pixels = g_malloc(size);
	memset(state->pixels, 255, size);
	state->row = g_malloc((gsize)cinfo->output_width * 4);
	state->started = TRUE;
	read_rows(state);
	jpeg_finish_decompress(cinfo);
	return TRUE;
}

/* libjpeg paints what is missing grey, which a reader could take for something. */
static void whiten(JpegState *state, const WeftPicture *picture)
{
	guint32 unit = (guint32)(state->cinfo.max_v_samp_factor * state->cinfo.min_DCT_scaled_size);
	guint32 first = MIN(state->row_at_end + unit, picture->height);
	gsize row_bytes = (gsize)picture->width * 3;
	if (!state->cinfo.progressive_mode)
		memset(state->pixels + first * row_bytes, 255,
		       (picture->height - first) * row_bytes);
}

gboolean weft_picture_read_jpeg(const WeftDecodeJob *job, WeftPicture *picture, GError **error)
{
	g_autofree JpegState *state = g_new0(JpegState, 1);
	g_autoptr(GError) local = NULL;
	state->fd = job->fd;
	state->buffer = g_malloc(BUFFER_BYTES);
	state->cinfo.err = jpeg_std_error(&state->errors);
	state->errors.error_exit = stop;
	state->errors.emit_message = note;
	state->progress.progress_monitor = watch_scans;
	state->source.init_source = source_nothing;
	state->source.fill_input_buffer = source_fill;
	state->source.skip_input_data = source_skip;
	state->source.resync_to_restart = jpeg_resync_to_restart;
	state->source.term_source = source_nothing;
	gboolean whole = read_picture(state, job, picture, &local);
	WeftErrorCode code = state->ended ? WEFT_ERROR_TRUNCATED : WEFT_ERROR_CORRUPT;
	if (state->started) {
		if (state->ended)
			whiten(state, picture);
		if (!whole || state->ended || state->errors.num_warnings > 0)
			g_set_error(&picture->damage, WEFT_ERROR, code, "damaged JPEG: %s",
			            state->message);
		picture->pixels = state->pixels;
	} else if (local) {
		g_propagate_error(error, g_steal_pointer(&local));
	} else {
		g_set_error(error, WEFT_ERROR, code, "damaged JPEG: %s", state->message);
	}
	jpeg_destroy_decompress(&state->cinfo);
	g_free(state->row);
	g_free(state->buffer);
	return state->started;
}
