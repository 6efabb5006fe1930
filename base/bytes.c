#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

gboolean weft_size_parse(const char *text, guint64 *ret_value)
{
	static const char units[] = "KMGT";
	gsize size = strlen(text);
	const char *unit = size > 0 ? strchr(units, g_ascii_toupper(text[size - 1])) : NULL;
	g_autofree char *digits = g_strndup(text, unit != NULL ? size - 1 : size);
	guint shift = unit != NULL ? 10 * (guint)(unit - units + 1) : 0;
	guint64 value;

	if (!g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT64 >> (shift + 1), &value, NULL))
		return FALSE;
	*ret_value = value << shift;
	return TRUE;
}

gpointer weft_alloc_array(gsize n, gsize item_bytes, gsize limit_bytes, const char *what,
			  GError **error)
{
	gsize size;
	if (!weft_size_multiply(n, item_bytes, &size)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "%s: %" G_GSIZE_FORMAT " items of %" G_GSIZE_FORMAT
			    " bytes are more than can be counted",
			    what, n, item_bytes);
		return NULL;
	}
	if (limit_bytes && size > limit_bytes) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "%s: %" G_GSIZE_FORMAT " bytes, limit %" G_GSIZE_FORMAT, what, size,
			    limit_bytes);
		return NULL;
	}
	gpointer memory = g_try_malloc0(MAX(size, 1));
	if (!memory)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "%s: no memory for %" G_GSIZE_FORMAT " bytes", what, size);
	return memory;
}

gboolean weft_bytes_seek(WeftBytes *bytes, gsize position)
{
	if (position > bytes->size_bytes)
		return FALSE;
	bytes->position = position;
	return TRUE;
}

gboolean weft_bytes_skip(WeftBytes *bytes, gsize n)
{
	if (n > weft_bytes_left(bytes))
		return FALSE;
	bytes->position += n;
	return TRUE;
}

gboolean weft_bytes_take(WeftBytes *bytes, gsize n, const guint8 **ret_data)
{
	if (n > weft_bytes_left(bytes))
		return FALSE;
	*ret_data = bytes->data + bytes->position;
	bytes->position += n;
	return TRUE;
}

static gboolean take_integer(WeftBytes *bytes, gpointer ret_value, gsize n)
{
	const guint8 *data;
	if (!weft_bytes_take(bytes, n, &data))
		return FALSE;
	memcpy(ret_value, data, n);
	return TRUE;
}

gboolean weft_bytes_u8(WeftBytes *bytes, guint8 *ret_value)
{
	return take_integer(bytes, ret_value, 1);
}

gboolean weft_bytes_le16(WeftBytes *bytes, guint16 *ret_value)
{
	guint16 value;
	if (!take_integer(bytes, &value, sizeof(value)))
		return FALSE;
	*ret_value = GUINT16_FROM_LE(value);
	return TRUE;
}

gboolean weft_bytes_le32(WeftBytes *bytes, guint32 *ret_value)
{
	guint32 value;
	if (!take_integer(bytes, &value, sizeof(value)))
		return FALSE;
	*ret_value = GUINT32_FROM_LE(value);
	return TRUE;
}

gboolean weft_bytes_le64(WeftBytes *bytes, guint64 *ret_value)
{
	guint64 value;
	if (!take_integer(bytes, &value, sizeof(value)))
		return FALSE;
	*ret_value = GUINT64_FROM_LE(value);
	return TRUE;
}

gboolean weft_bytes_be16(WeftBytes *bytes, guint16 *ret_value)
{
	guint16 value;
	if (!take_integer(bytes, &value, sizeof(value)))
		return FALSE;
	*ret_value = GUINT16_FROM_BE(value);
	return TRUE;
}

gboolean weft_bytes_be32(WeftBytes *bytes, guint32 *ret_value)
{
	guint32 value;
	if (!take_integer(bytes, &value, sizeof(value)))
		return FALSE;
	*ret_value = GUINT32_FROM_BE(value);
	return TRUE;
}

gboolean weft_bytes_be64(WeftBytes *bytes, guint64 *ret_value)
{
	guint64 value;
	if (!take_integer(bytes, &value, sizeof(value)))
		return FALSE;
	*ret_value = GUINT64_FROM_BE(value);
	return TRUE;
}

gboolean weft_bytes_f64(WeftBytes *bytes, double *ret_value)
{
	guint64 bits;
	if (!weft_bytes_le64(bytes, &bits))
		return FALSE;
	memcpy(ret_value, &bits, sizeof(bits));
	return TRUE;
}

void weft_bytes_put_u8(GByteArray *out, guint8 value)
{
	g_byte_array_append(out, &value, sizeof(value));
}

void weft_bytes_put_le32(GByteArray *out, guint32 value)
{
	value = GUINT32_TO_LE(value);
	g_byte_array_append(out, (const guint8 *)&value, sizeof(value));
}

void weft_bytes_put_le64(GByteArray *out, guint64 value)
{
	value = GUINT64_TO_LE(value);
	g_byte_array_append(out, (const guint8 *)&value, sizeof(value));
}

void weft_bytes_put_f64(GByteArray *out, double value)
{
	guint64 bits;
	memcpy(&bits, &value, sizeof(bits));
	weft_bytes_put_le64(out, bits);
}
