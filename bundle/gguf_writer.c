#include "bundle/gguf_writer.h"

#include <string.h>

#include "base/bytes.h"
#include "base/files.h"
#include "bundle/gguf_value.h"

#define VERSION 3
#define ALIGNMENT 32

struct WeftGgufWriter {
	WeftNewFile *file;            /* NULL: not begun */
	GByteArray *values, *tensors; /* of the header */
	guint64 n_values, n_tensors;
	GArray *sizes;                /* guint64: bytes of each tensor */
	guint64 data_bytes;           /* of all tensors with their padding */
	guint i_tensor;               /* whose data come next */
	guint64 done_bytes;           /* of that tensor */
};

WeftGgufWriter *weft_gguf_writer_new(void)
{
	WeftGgufWriter *writer = g_new0(WeftGgufWriter, 1);
	writer->values = g_byte_array_new();
	writer->tensors = g_byte_array_new();
	writer->sizes = g_array_new(FALSE, FALSE, sizeof(guint64));
	return writer;
}

void weft_gguf_writer_free(WeftGgufWriter *writer)
{
	if (!writer)
		return;
	weft_new_file_close(writer->file);
	g_byte_array_unref(writer->values);
	g_byte_array_unref(writer->tensors);
	g_array_unref(writer->sizes);
	g_free(writer);
}

/* ---- the header ---- */

static void add_text(GByteArray *to, const char *text, gsize size_bytes)
{
	weft_bytes_put_le64(to, size_bytes);
	g_byte_array_append(to, (const guint8 *)text, (guint)size_bytes);
}

static GByteArray *begin_value(WeftGgufWriter *writer, const char *key, WeftGgufType type)
{
	add_text(writer->values, key, strlen(key));
	weft_bytes_put_le32(writer->values, type);
	writer->n_values++;
	return writer->values;
}

static GByteArray *begin_array(WeftGgufWriter *writer, const char *key, WeftGgufType type, gsize n)
{
	GByteArray *to = begin_value(writer, key, WEFT_GGUF_ARRAY);
	weft_bytes_put_le32(to, type);
	weft_bytes_put_le64(to, n);
	return to;
}

void weft_gguf_writer_u32(WeftGgufWriter *writer, const char *key, guint32 value)
{
	weft_bytes_put_le32(begin_value(writer, key, WEFT_GGUF_U32), value);
}

void weft_gguf_writer_f32(WeftGgufWriter *writer, const char *key, float value)
{
	weft_bytes_put_le32(begin_value(writer, key, WEFT_GGUF_F32), weft_f32_to_bits(value));
}

void weft_gguf_writer_bool(WeftGgufWriter *writer, const char *key, gboolean value)
{
	guint8 byte = value ? 1 : 0;
	g_byte_array_append(begin_value(writer, key, WEFT_GGUF_BOOL), &byte, 1);
}

void weft_gguf_writer_text(WeftGgufWriter *writer, const char *key, const char *text,
			   gsize size_bytes)
{
	add_text(begin_value(writer, key, WEFT_GGUF_STRING), text, size_bytes);
}

void weft_gguf_writer_string(WeftGgufWriter *writer, const char *key, const char *text)
{
	weft_gguf_writer_text(writer, key, text, strlen(text));
}

void weft_gguf_writer_f32s(WeftGgufWriter *writer, const char *key, const float *values, gsize n)
{
	GByteArray *to = begin_array(writer, key, WEFT_GGUF_F32, n);
	for (gsize i = 0; i < n; i++)
		weft_bytes_put_le32(to, weft_f32_to_bits(values[i]));
}

void weft_gguf_writer_i32s(WeftGgufWriter *writer, const char *key, const gint32 *values, gsize n)
{
	GByteArray *to = begin_array(writer, key, WEFT_GGUF_I32, n);
	for (gsize i = 0; i < n; i++)
		weft_bytes_put_le32(to, (guint32)values[i]);
}

void weft_gguf_writer_texts(WeftGgufWriter *writer, const char *key, const GPtrArray *texts)
{
	GByteArray *to = begin_array(writer, key, WEFT_GGUF_STRING, texts->len);
	for (guint i = 0; i < texts->len; i++) {
		const GString *text = g_ptr_array_index(texts, i);
		add_text(to, text->str, text->len);
	}
}

/* ggml's numbers of the types that are written. */
static guint32 number_of_type(WeftDtype dtype)
{
	switch (dtype) {
	case WEFT_DTYPE_F32:
		return 0;
	case WEFT_DTYPE_F16:
		return 1;
	case WEFT_DTYPE_BF16:
		return 30;
	case WEFT_DTYPE_Q4_0:
		return 2;
	case WEFT_DTYPE_Q8_0:
		return 8;
	case WEFT_DTYPE_Q4_K:
		return 12;
	case WEFT_DTYPE_Q6_K:
		return 14;
	default:
		g_assert_not_reached();
	}
}

static guint64 padded(guint64 size_bytes)
{
	return (size_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void weft_gguf_writer_tensor(WeftGgufWriter *writer, const char *name, WeftDtype dtype, gsize n_dims,
			     const gsize *shape, gsize size_bytes)
{
	guint64 size = size_bytes;
	add_text(writer->tensors, name, strlen(name));
	weft_bytes_put_le32(writer->tensors, (guint32)n_dims);
	for (gsize i = n_dims; i > 0; i--)
		weft_bytes_put_le64(writer->tensors, shape[i - 1]);
	weft_bytes_put_le32(writer->tensors, number_of_type(dtype));
	weft_bytes_put_le64(writer->tensors, writer->data_bytes);
	g_array_append_val(writer->sizes, size);
	writer->data_bytes += padded(size);
	writer->n_tensors++;
}

static guint64 header_bytes(const WeftGgufWriter *writer)
{
	return 4 + 4 + 8 + 8 + (guint64)writer->values->len + writer->tensors->len;
}

guint64 weft_gguf_writer_size_bytes(const WeftGgufWriter *writer)
{
	return padded(header_bytes(writer)) + writer->data_bytes;
}

/* ---- the file ---- */

static gboolean pad(WeftGgufWriter *writer, guint64 size_bytes, GError **error)
{
	static const guint8 zeros[ALIGNMENT] = {0};
	return weft_new_file_write(writer->file, zeros, (gsize)(padded(size_bytes) - size_bytes),
				   error);
}

gboolean weft_gguf_writer_begin(WeftGgufWriter *writer, const char *path, GError **error)
{
	g_autoptr(GByteArray) head = g_byte_array_new();
	writer->file = weft_new_file_open(path, error);
	if (!writer->file)
		return FALSE;
	g_byte_array_append(head, (const guint8 *)"GGUF", 4);
	weft_bytes_put_le32(head, VERSION);
	weft_bytes_put_le64(head, writer->n_tensors);
	weft_bytes_put_le64(head, writer->n_values);
	return weft_new_file_write(writer->file, head->data, head->len, error) &&
	       weft_new_file_write(writer->file, writer->values->data, writer->values->len, error) &&
	       weft_new_file_write(writer->file, writer->tensors->data, writer->tensors->len,
				   error) &&
	       pad(writer, header_bytes(writer), error);
}

gboolean weft_gguf_writer_data(WeftGgufWriter *writer, gconstpointer data, gsize size_bytes,
			       GError **error)
{
	guint64 whole = g_array_index(writer->sizes, guint64, writer->i_tensor);
	g_assert(writer->done_bytes + size_bytes <= whole);
	if (!weft_new_file_write(writer->file, data, size_bytes, error))
		return FALSE;
	writer->done_bytes += size_bytes;
	if (writer->done_bytes < whole)
		return TRUE;
	writer->i_tensor++;
	writer->done_bytes = 0;
	return pad(writer, whole, error);
}

gboolean weft_gguf_writer_publish(WeftGgufWriter *writer, GError **error)
{
	g_assert(writer->i_tensor == writer->sizes->len);
	return weft_new_file_publish(writer->file, error);
}
