#include "cli/media_file.h"

#include <math.h>
#include <string.h>
#include <zlib.h>

#include "base/error.h"
#include "base/files.h"

static void add_be32(GByteArray *bytes, guint32 value)
{
	const guint8 text[4] = {(guint8)(value >> 24), (guint8)(value >> 16), (guint8)(value >> 8),
				(guint8)value};

	g_byte_array_append(bytes, text, sizeof text);
}

static void add_le(GByteArray *bytes, guint32 value, guint n_bytes)
{
	for (guint i = 0; i < n_bytes; i++) {
		const guint8 byte = (guint8)(value >> (8 * i));

		g_byte_array_append(bytes, &byte, 1);
	}
}

/* ---- PNG: https://www.w3.org/TR/png-3/, 5.3: length, type, data, checksum of the last two ---- */

static void add_chunk(GByteArray *png, const char *type, const guint8 *data, guint32 size)
{
	guint begin;

	add_be32(png, size);
	begin = png->len;
	g_byte_array_append(png, (const guint8 *)type, 4);
	if (size > 0)
		g_byte_array_append(png, data, size);
	add_be32(png, (guint32)crc32(0, png->data + begin, size + 4));
}

/* Rows as they are, a 0 (no filter) before each, packed. NULL: no memory. Caller frees with g_free. */
static guint8 *pack_rows(const guint8 *pixels, guint32 width, guint32 height, uLongf *ret_size)
{
	gsize row_bytes = (gsize)width * 3, size = (row_bytes + 1) * height;
	g_autofree guint8 *rows = g_try_malloc(size);
	g_autofree guint8 *packed = rows ? g_try_malloc(compressBound(size)) : NULL;

	if (!packed)
		return NULL;
	for (guint32 y = 0; y < height; y++) {
		rows[y * (row_bytes + 1)] = 0;
		memcpy(rows + y * (row_bytes + 1) + 1, pixels + y * row_bytes, row_bytes);
	}
	*ret_size = compressBound(size);
	return compress2(packed, ret_size, rows, size, 6) == Z_OK ? g_steal_pointer(&packed) : NULL;
}

gboolean weft_png_write(const char *path, const guint8 *pixels, guint32 width, guint32 height,
                        GError **error)
{
	static const guint8 signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
	g_autoptr(GByteArray) png = g_byte_array_new(), head = g_byte_array_new();
	uLongf size = 0;
	g_autofree guint8 *packed = pack_rows(pixels, width, height, &size);

	if (!packed || size > G_MAXINT32) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "%s: no memory for %u x %u pixels", path,
			    width, height);
		return FALSE;
	}
	g_byte_array_append(png, signature, sizeof signature);
	add_be32(head, width);
	add_be32(head, height);
	g_byte_array_append(head, (const guint8 *)"\x08\x02\0\0", 5); /* 8 bit, RGB; no interlace */
	add_chunk(png, "IHDR", head->data, head->len);
	add_chunk(png, "IDAT", packed, (guint32)size);
	add_chunk(png, "IEND", NULL, 0);
	return weft_file_write(path, png->data, png->len, error);
}

/* ---- WAV ---- */

gboolean weft_wav_write(const char *path, const float *samples, gsize n_samples, guint32 rate_hz,
                        GError **error)
{
	g_autoptr(GByteArray) wav = g_byte_array_new();

	if (n_samples > G_MAXINT32 / 4) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "%s: too long for a WAV file", path);
		return FALSE;
	}
	guint32 size = (guint32)n_samples * 2;

	g_byte_array_append(wav, (const guint8 *)"RIFF", 4);
	add_le(wav, 36 + size, 4);
	g_byte_array_append(wav, (const guint8 *)"WAVEfmt ", 8);
	add_le(wav, 16, 4);          /* of what follows */
	add_le(wav, 1, 2);           /* PCM */
	add_le(wav, 1, 2);           /* channels */
	add_le(wav, rate_hz, 4);
	add_le(wav, rate_hz * 2, 4); /* bytes a second */
	add_le(wav, 2, 2);           /* bytes a frame */
	add_le(wav, 16, 2);          /* bits */
	g_byte_array_append(wav, (const guint8 *)"data", 4);
	add_le(wav, size, 4);
	for (gsize i = 0; i < n_samples; i++) {
		float scaled = CLAMP(samples[i] * 32768.0f, -32768.0f, 32767.0f);

		add_le(wav, (guint16)(gint16)lrintf(scaled), 2);
	}
	return weft_file_write(path, wav->data, wav->len, error);
}
