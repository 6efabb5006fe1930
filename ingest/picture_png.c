/* picture_png.c - PNG by libpng. Rows that were read before the file breaks off are kept. */
#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "ingest/exif.h"
#include "ingest/picture.h"

/* A chunk larger than that, or more of them, serves no picture (libpng's own default: 8 MB, 1000).
 */
#define CHUNK_BYTES_MAX (8u << 20)
#define CHUNKS_MAX 128u
#define TEXTS_MAX 64
#define BUFFER_BYTES 65536u
/* libpng asks for compressed bytes in pieces; of the last piece of a short file nothing is used. */
#define PIECE_BYTES 1024u
#define PIECE_BYTES_SMALL 32u

typedef struct PngState {
	png_structp png;
	png_infop info;
	int fd;
	off_t at;
	guint8 *buffer;
	gsize buffer_at, buffer_end;
	gboolean ended;   /* the file was too short for what libpng asked for */
	gboolean started; /* pixels may be there */
	guint channels;
	guint8 *pixels;
	guint32 width, height;
	char message[200];
} PngState;

static void stop(png_structp png, png_const_charp message)
{
	PngState *state = png_get_error_ptr(png);
	g_strlcpy(state->message, message, sizeof state->message);
	png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message; /* libpng has repaired it */
}

static void read_bytes(png_structp png, png_bytep ret_bytes, size_t size)
{
	PngState *state = png_get_io_ptr(png);
	while (size > 0) {
		if (state->buffer_at == state->buffer_end) {
			ssize_t n;
			do
				n = pread(state->fd, state->buffer, BUFFER_BYTES, state->at);
			while (n < 0 && errno == EINTR);
			if (n <= 0) {
				state->ended = TRUE;
				png_error(png, "the file ends early");
			}
			state->at += n;
			state->buffer_at = 0;
			state->buffer_end = (gsize)n;
		}
		gsize n = MIN(size, state->buffer_end - state->buffer_at);
		memcpy(ret_bytes, state->buffer + state->buffer_at, n);
		state->buffer_at += n;
		ret_bytes += n;
		size -= n;
	}
}

/* What ask_for_rgb will get. Sides have 31 bits, so the product of all fits 64. */
static guint channels_of_rgb(const PngState *state)
{
	gboolean has_alpha = png_get_color_type(state->png, state->info) & PNG_COLOR_MASK_ALPHA;
	return has_alpha || png_get_valid(state->png, state->info, PNG_INFO_tRNS) ? 4 : 3;
}

/* Asks libpng for RGB or RGBA, 8 bit, whatever the file has. */
static void ask_for_rgb(PngState *state)
{
	png_structp png = state->png;
	int color = png_get_color_type(png, state->info);
	png_set_expand(png); /* palette, low bit depths, transparent colour */
	png_set_scale_16(png);
	if (!(color & PNG_COLOR_MASK_COLOR))
		png_set_gray_to_rgb(png);
	png_set_interlace_handling(png);
	png_read_update_info(png, state->info);
	state->channels = png_get_channels(png, state->info);
}

/* The body: everything in it may jump to the end. TRUE when the picture is whole. */
static gboolean read_picture(PngState *state, const WeftDecodeJob *job, GError **error)
{
	if (setjmp(png_jmpbuf(state->png)))
		return FALSE;
	png_read_info(state->png, state->info);
	state->width = png_get_image_width(state->png, state->info);
	state->height = png_get_image_height(state->png, state->info);
	guint64 n_bytes = (guint64)state->width * state->height * channels_of_rgb(state);
	if (!weft_picture_check(&job->options->limits, state->width, state->height, n_bytes, error))
		return FALSE;
	weft_picture_claim(job, n_bytes, (double)state->width * state->height);
	ask_for_rgb(state);
	gsize row_bytes = png_get_rowbytes(state->png, state->info);
	if ((state->channels != 3 && state->channels != 4) ||
	    row_bytes != (gsize)state->width * state->channels)
		png_error(state->png, "row of an unexpected size");
	state->pixels = g_malloc(row_bytes * state->height);
	memset(state->pixels, 255, row_bytes * state->height);
	state->started = TRUE;
	int n_passes =
	    png_get_interlace_type(state->png, state->info) == PNG_INTERLACE_ADAM7 ? 7 : 1;
	for (int pass = 0; pass < n_passes; pass++)
		for (guint32 y = 0; y < state->height; y++)
			png_read_row(state->png, NULL, state->pixels + y * row_bytes);
	png_read_end(state->png, state->info);
	return TRUE;
}

/* Chunks that were read: what libpng keeps is whole. */
static void read_facts(PngState *state, WeftPicture *picture)
{
	png_textp texts = NULL;
	png_bytep exif = NULL;
	png_uint_32 exif_size = 0;
	int n_texts = 0;
	if (setjmp(png_jmpbuf(state->png)))
		return;
	if (png_get_eXIf_1(state->png, state->info, &exif_size, &exif) && exif)
		weft_exif_read(exif, exif_size, picture);
	png_get_text(state->png, state->info, &texts, &n_texts);
	for (int i = 0; i < n_texts && i < TEXTS_MAX; i++) {
		gboolean latin1 = texts[i].compression < PNG_ITXT_COMPRESSION_NONE;
		g_autofree char *key = g_ascii_strdown(texts[i].key, -1);
		g_autofree char *text =
		    latin1 ? g_convert(texts[i].text, -1, "UTF-8", "ISO-8859-1", NULL, NULL, NULL)
		           : g_utf8_make_valid(texts[i].text, -1);
		if (text)
			weft_picture_add_fact(picture, key, text);
	}
}

gboolean weft_picture_read_png(const WeftDecodeJob *job, WeftPicture *picture, GError **error)
{
	PngState state = {.fd = job->fd};
	g_autoptr(GError) local = NULL;
	g_autofree guint8 *buffer = g_malloc(BUFFER_BYTES);
	state.buffer = buffer;
	state.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, stop, ignore);
	state.info = state.png ? png_create_info_struct(state.png) : NULL;
	if (!state.info) {
		png_destroy_read_struct(&state.png, NULL, NULL);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_INTERNAL, "libpng does not start");
		return FALSE;
	}
	png_set_user_limits(state.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* sizes are checked */
	png_set_chunk_cache_max(state.png, CHUNKS_MAX);
	png_set_chunk_malloc_max(state.png, CHUNK_BYTES_MAX);
	png_set_compression_buffer_size(
	    state.png, job->size_bytes < BUFFER_BYTES ? PIECE_BYTES_SMALL : PIECE_BYTES);
	png_set_read_fn(state.png, &state, read_bytes);
	gboolean whole = read_picture(&state, job, &local);
	WeftErrorCode code = state.ended ? WEFT_ERROR_TRUNCATED : WEFT_ERROR_CORRUPT;
	if (state.started) {
		read_facts(&state, picture);
		if (!whole)
			g_set_error(&picture->damage, WEFT_ERROR, code, "damaged PNG: %s",
			            state.message);
		if (state.channels == 4)
			weft_picture_flatten(state.pixels, (gsize)state.width * state.height);
		picture->pixels = state.pixels;
		picture->width = picture->full_width = state.width;
		picture->height = picture->full_height = state.height;
	} else if (local) {
		g_propagate_error(error, g_steal_pointer(&local));
	} else {
		g_set_error(error, WEFT_ERROR, code, "damaged PNG: %s", state.message);
	}
	png_destroy_read_struct(&state.png, &state.info, NULL);
	return state.started;
}
