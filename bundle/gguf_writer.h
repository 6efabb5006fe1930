/* gguf_writer.h - a GGUF file (version 3) written in one pass; private to bundle/.
 *
 * First the keys and the list of tensors, in the order in which their data will come; then
 * weft_gguf_writer_begin makes the file and writes the header, and the data follow in pieces of any size, padded to
 * the alignment here. The file has its name only after weft_gguf_writer_publish (base/files.h): a
 * writer freed before that leaves nothing. Memory: the header, which is held until it is written.
 */
#ifndef WEFT_BUNDLE_GGUF_WRITER_H
#define WEFT_BUNDLE_GGUF_WRITER_H

#include <glib.h>

#include "kernels/dtype.h"

typedef struct WeftGgufWriter WeftGgufWriter;

WeftGgufWriter *weft_gguf_writer_new(void);
void weft_gguf_writer_free(WeftGgufWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftGgufWriter, weft_gguf_writer_free)

/* Each key once. */
void weft_gguf_writer_u32(WeftGgufWriter *writer, const char *key, guint32 value);
void weft_gguf_writer_f32(WeftGgufWriter *writer, const char *key, float value);
void weft_gguf_writer_bool(WeftGgufWriter *writer, const char *key, gboolean value);
void weft_gguf_writer_string(WeftGgufWriter *writer, const char *key, const char *text);
void weft_gguf_writer_text(WeftGgufWriter *writer, const char *key, const char *text,
			   gsize size_bytes);
void weft_gguf_writer_f32s(WeftGgufWriter *writer, const char *key, const float *values, gsize n);
void weft_gguf_writer_i32s(WeftGgufWriter *writer, const char *key, const gint32 *values, gsize n);
/* GString *. */
void weft_gguf_writer_texts(WeftGgufWriter *writer, const char *key, const GPtrArray *texts);

/* Shape in row-major order; rows are whole blocks of the type, which GGUF must have. */
void weft_gguf_writer_tensor(WeftGgufWriter *writer, const char *name, WeftDtype dtype, gsize n_dims,
			     const gsize *shape, gsize size_bytes);

/* WEFT_ERROR_IO, a full disk too. */
gboolean weft_gguf_writer_begin(WeftGgufWriter *writer, const char *path, GError **error);
/* The next bytes of the next tensor that is not whole; they may not go over its end. */
gboolean weft_gguf_writer_data(WeftGgufWriter *writer, gconstpointer data, gsize size_bytes,
			       GError **error);
gboolean weft_gguf_writer_publish(WeftGgufWriter *writer, GError **error);

/* Bytes of the whole file, known once all tensors are listed. */
guint64 weft_gguf_writer_size_bytes(const WeftGgufWriter *writer);

#endif
