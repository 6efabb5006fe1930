/* bytes.h - sizes that come from outside, reading numbers out of untrusted bytes, and writing them.
 *
 * Every size that a file, a model or a user states goes through here before it is added,
 * multiplied or allocated. The reader never passes its end: a read that would leaves the position
 * and the result untouched and says FALSE.
 */
#ifndef WEFT_BASE_BYTES_H
#define WEFT_BASE_BYTES_H

#include <glib.h>

/* FALSE on overflow; *ret_value is untouched then. */
static inline gboolean weft_size_add(gsize a, gsize b, gsize *ret_value)
{
	gsize sum;
	if (__builtin_add_overflow(a, b, &sum))
		return FALSE;
	*ret_value = sum;
	return TRUE;
}

static inline gboolean weft_size_multiply(gsize a, gsize b, gsize *ret_value)
{
	gsize product;
	if (__builtin_mul_overflow(a, b, &product))
		return FALSE;
	*ret_value = product;
	return TRUE;
}

/* "512M", "2G", "1048576": K, M, G and T are powers of 1024. FALSE: no such number. */
gboolean weft_size_parse(const char *text, guint64 *ret_value);

/* n items of `item_bytes` each, zeroed; at least one byte. NULL with WEFT_ERROR_LIMIT when the
 * product overflows or exceeds `limit_bytes` (0: no limit but memory), or when there is no memory.
 * `what` goes into the message. Free with g_free. */
gpointer weft_alloc_array(gsize n, gsize item_bytes, gsize limit_bytes, const char *what,
			  GError **error);

/* Little-endian numbers at a place that the caller has checked. */
static inline guint16 weft_le16(const guint8 *p)
{
	return (guint16)(p[0] | p[1] << 8);
}

static inline guint32 weft_le32(const guint8 *p)
{
	return (guint32)p[0] | (guint32)p[1] << 8 | (guint32)p[2] << 16 | (guint32)p[3] << 24;
}

/* Borrowed bytes and a position in them. */
typedef struct WeftBytes {
	const guint8 *data;
	gsize size_bytes;
	gsize position;
} WeftBytes;

static inline WeftBytes weft_bytes(gconstpointer data, gsize size_bytes)
{
	WeftBytes bytes = { (const guint8 *)data, size_bytes, 0 };
	return bytes;
}

static inline gsize weft_bytes_left(const WeftBytes *bytes)
{
	return bytes->size_bytes - bytes->position;
}

gboolean weft_bytes_seek(WeftBytes *bytes, gsize position);
gboolean weft_bytes_skip(WeftBytes *bytes, gsize n);
/* Borrows the next n bytes. */
gboolean weft_bytes_take(WeftBytes *bytes, gsize n, const guint8 **ret_data);
gboolean weft_bytes_u8(WeftBytes *bytes, guint8 *ret_value);
gboolean weft_bytes_le16(WeftBytes *bytes, guint16 *ret_value);
gboolean weft_bytes_le32(WeftBytes *bytes, guint32 *ret_value);
gboolean weft_bytes_le64(WeftBytes *bytes, guint64 *ret_value);
gboolean weft_bytes_be16(WeftBytes *bytes, guint16 *ret_value);
gboolean weft_bytes_be32(WeftBytes *bytes, guint32 *ret_value);
gboolean weft_bytes_be64(WeftBytes *bytes, guint64 *ret_value);
/* Eight bytes, little-endian: any double, not a number included. */
gboolean weft_bytes_f64(WeftBytes *bytes, double *ret_value);

/* Behind what `out` holds; weft_bytes_u8, _le32, _le64 and _f64 read them again. */
void weft_bytes_put_u8(GByteArray *out, guint8 value);
void weft_bytes_put_le32(GByteArray *out, guint32 value);
void weft_bytes_put_le64(GByteArray *out, guint64 value);
void weft_bytes_put_f64(GByteArray *out, double value);

#endif
