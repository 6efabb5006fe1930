#include "bundle/gguf_value.h"

#include <math.h>
#include <string.h>

#include "bundle/weights_error.h"
#include "kernels/dtype.h"

gboolean weft_gguf_header_ends(const WeftGgufHeader *header, const char *in, GError **error)
{
	if (header->is_cut)
		return weft_weights_error(error, header->file,
					  "%s: the file ends inside its header, at byte %zu", in,
					  header->bytes.size_bytes);
	return weft_weights_error(error, header->file, "%s: the header is longer than %zu bytes", in,
				  header->bytes.size_bytes);
}

/* Bytes of a type of fixed size, else 0. */
static gsize type_bytes(WeftGgufType type)
{
	static const guint8 sizes[WEFT_GGUF_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
	return type < WEFT_GGUF_TYPES ? sizes[type] : 0;
}

static gboolean skip_text(WeftGgufHeader *header, const char *key, GError **error)
{
	guint64 size_bytes;
	const guint8 *text;
	if (!weft_bytes_le64(&header->bytes, &size_bytes) ||
	    !weft_bytes_take(&header->bytes, (gsize)size_bytes, &text))
		return weft_gguf_header_ends(header, key, error);
	return TRUE;
}

static gboolean skip_items(WeftGgufHeader *header, const char *key, WeftGgufType type,
			   gsize n_items, guint depth, GError **error);

/* Type and number of the items that follow. */
static gboolean read_array(WeftGgufHeader *header, const char *key, WeftGgufType *ret_type,
			   gsize *ret_n_items, GError **error)
{
	guint32 type;
	guint64 n_items;
	if (!weft_bytes_le32(&header->bytes, &type) || !weft_bytes_le64(&header->bytes, &n_items))
		return weft_gguf_header_ends(header, key, error);
	if (type >= WEFT_GGUF_TYPES)
		return weft_weights_error(error, header->file, "%s: items of type %u are unknown", key,
					  type);
	*ret_type = (WeftGgufType)type;
	*ret_n_items = (gsize)n_items;
	return TRUE;
}

static gboolean skip_array(WeftGgufHeader *header, const char *key, guint depth, GError **error)
{
	WeftGgufType type = WEFT_GGUF_TYPES;
	gsize n_items = 0;
	if (depth > WEFT_GGUF_DEPTH_MAX)
		return weft_weights_error(error, header->file, "%s: arrays inside each other, limit %d",
					  key, WEFT_GGUF_DEPTH_MAX);
	return read_array(header, key, &type, &n_items, error) &&
	       skip_items(header, key, type, n_items, depth, error);
}

/* Each item takes bytes of the header, so its end bounds the loop. */
static gboolean skip_items(WeftGgufHeader *header, const char *key, WeftGgufType type,
			   gsize n_items, guint depth, GError **error)
{
	gsize n_bytes;
	if (type_bytes(type) > 0) {
		if (!weft_size_multiply(n_items, type_bytes(type), &n_bytes) ||
		    !weft_bytes_skip(&header->bytes, n_bytes))
			return weft_gguf_header_ends(header, key, error);
		return TRUE;
	}
	for (gsize i = 0; i < n_items; i++) {
		if (!(type == WEFT_GGUF_STRING ? skip_text(header, key, error)
					       : skip_array(header, key, depth + 1, error)))
			return FALSE;
	}
	return TRUE;
}

gboolean weft_gguf_value_read(WeftGgufHeader *header, WeftGgufValue *value, GError **error)
{
	guint32 type;
	guint64 length;

	if (!weft_bytes_le32(&header->bytes, &type))
		return weft_gguf_header_ends(header, value->key, error);
	if (type >= WEFT_GGUF_TYPES)
		return weft_weights_error(error, header->file, "%s: a value of type %u is unknown",
					  value->key, type);
	value->type = (WeftGgufType)type;
	value->item_type = WEFT_GGUF_TYPES;
	if (value->type == WEFT_GGUF_STRING) {
		if (!weft_bytes_le64(&header->bytes, &length) ||
		    !weft_bytes_take(&header->bytes, (gsize)length, &value->data))
			return weft_gguf_header_ends(header, value->key, error);
		value->length = (gsize)length;
		return TRUE;
	}
	if (value->type == WEFT_GGUF_ARRAY &&
	    !read_array(header, value->key, &value->item_type, &value->length, error))
		return FALSE;
	value->data = header->bytes.data + header->bytes.position;
	if (value->type == WEFT_GGUF_ARRAY)
		return skip_items(header, value->key, value->item_type, value->length, 1, error);
	return skip_items(header, value->key, value->type, 1, 0, error);
}

/* ---- what it says ---- */

const char *weft_gguf_key(const WeftGgufValue *value)
{
	return value ? value->key : NULL;
}

WeftGgufType weft_gguf_type(const WeftGgufValue *value)
{
	return value ? value->type : WEFT_GGUF_TYPES;
}

static guint64 le64(const guint8 *p)
{
	return weft_le32(p) | (guint64)weft_le32(p + 4) << 32;
}

/* A whole number as sign and bits. */
static gboolean whole_at(WeftGgufType type, const guint8 *p, gboolean *ret_negative,
			 guint64 *ret_bits)
{
	gint64 number;
	switch (type) {
	case WEFT_GGUF_U8:
		number = p[0];
		break;
	case WEFT_GGUF_I8:
		number = (gint8)p[0];
		break;
	case WEFT_GGUF_U16:
		number = weft_le16(p);
		break;
	case WEFT_GGUF_I16:
		number = (gint16)weft_le16(p);
		break;
	case WEFT_GGUF_U32:
		number = weft_le32(p);
		break;
	case WEFT_GGUF_I32:
		number = (gint32)weft_le32(p);
		break;
	case WEFT_GGUF_U64:
	case WEFT_GGUF_I64:
		*ret_bits = le64(p);
		*ret_negative = type == WEFT_GGUF_I64 && (gint64)*ret_bits < 0;
		return TRUE;
	default:
		return FALSE;
	}
	*ret_bits = (guint64)number;
	*ret_negative = number < 0;
	return TRUE;
}

static gboolean uint_at(WeftGgufType type, const guint8 *p, guint64 *ret_value)
{
	gboolean negative;
	guint64 bits;
	if (!whole_at(type, p, &negative, &bits) || negative)
		return FALSE;
	*ret_value = bits;
	return TRUE;
}

static gboolean int_at(WeftGgufType type, const guint8 *p, gint64 *ret_value)
{
	gboolean negative;
	guint64 bits;
	if (!whole_at(type, p, &negative, &bits) || (!negative && bits > G_MAXINT64))
		return FALSE;
	*ret_value = (gint64)bits;
	return TRUE;
}

static gboolean double_at(WeftGgufType type, const guint8 *p, double *ret_value)
{
	gboolean negative;
	guint64 bits;
	double number;

	if (type == WEFT_GGUF_F32)
		number = (double)weft_f32_from_bits(weft_le32(p));
	else if (type == WEFT_GGUF_F64) {
		bits = le64(p);
		memcpy(&number, &bits, sizeof number);
	} else if (whole_at(type, p, &negative, &bits))
		number = negative ? (double)(gint64)bits : (double)bits;
	else
		return FALSE;
	if (!isfinite(number))
		return FALSE;
	*ret_value = number;
	return TRUE;
}

gboolean weft_gguf_uint(const WeftGgufValue *value, guint64 *ret_value)
{
	return value && uint_at(value->type, value->data, ret_value);
}

gboolean weft_gguf_double(const WeftGgufValue *value, double *ret_value)
{
	return value && double_at(value->type, value->data, ret_value);
}

gboolean weft_gguf_bool(const WeftGgufValue *value, gboolean *ret_value)
{
	if (!value || value->type != WEFT_GGUF_BOOL)
		return FALSE;
	*ret_value = value->data[0] != 0;
	return TRUE;
}

const char *weft_gguf_text(const WeftGgufValue *value, gsize *ret_size_bytes)
{
	if (!value || value->type != WEFT_GGUF_STRING)
		return NULL;
	*ret_size_bytes = value->length;
	return (const char *)value->data;
}

gboolean weft_gguf_is(const WeftGgufValue *value, const char *text)
{
	return value && value->type == WEFT_GGUF_STRING && value->length == strlen(text) &&
	       memcmp(value->data, text, value->length) == 0;
}

gsize weft_gguf_length(const WeftGgufValue *value)
{
	return value && value->type == WEFT_GGUF_ARRAY ? value->length : 0;
}

WeftGgufType weft_gguf_item_type(const WeftGgufValue *value)
{
	return value ? value->item_type : WEFT_GGUF_TYPES;
}

/* Item of an array of numbers, or NULL. */
static const guint8 *item_at(const WeftGgufValue *value, gsize i)
{
	gsize size_bytes = type_bytes(weft_gguf_item_type(value));
	return size_bytes > 0 && i < value->length ? value->data + i * size_bytes : NULL;
}

gboolean weft_gguf_int_at(const WeftGgufValue *value, gsize i, gint64 *ret_value)
{
	const guint8 *item = item_at(value, i);
	return item && int_at(value->item_type, item, ret_value);
}

gboolean weft_gguf_double_at(const WeftGgufValue *value, gsize i, double *ret_value)
{
	const guint8 *item = item_at(value, i);
	return item && double_at(value->item_type, item, ret_value);
}

WeftGgufStrings weft_gguf_strings(const WeftGgufValue *value)
{
	WeftGgufStrings strings = {NULL, 0};
	if (weft_gguf_item_type(value) == WEFT_GGUF_STRING) {
		strings.next = value->data;
		strings.left = value->length;
	}
	return strings;
}

gboolean weft_gguf_strings_next(WeftGgufStrings *strings, const char **ret_text,
				gsize *ret_size_bytes)
{
	if (strings->left == 0)
		return FALSE;
	*ret_size_bytes = (gsize)le64(strings->next); /* checked when the file was opened */
	*ret_text = (const char *)strings->next + 8;
	strings->next += 8 + *ret_size_bytes;
	strings->left--;
	return TRUE;
}
