/* npy.h - NumPy's .npy, version 1.0, C order: for probes and golden vectors.
 *
 * Reads little-endian float32, int32 and int64; writes float32 and int32, data aligned to 64
 * bytes as numpy.save does it. Everything in a file is checked before it is used: sizes by
 * multiplication with overflow check, and against the bytes that are there.
 */
#ifndef WEFT_BASE_NPY_H
#define WEFT_BASE_NPY_H

#include <glib.h>

#define WEFT_NPY_DIMS_MAX 8

typedef enum {
	WEFT_NPY_F32,
	WEFT_NPY_I32,
	WEFT_NPY_I64,
} WeftNpyType;

typedef struct WeftNpy {
	WeftNpyType type;
	gsize n_dims;
	gsize shape[WEFT_NPY_DIMS_MAX];
	gsize n_items;          /* product of shape; 1 without dimensions */
	union {
		gpointer data;
		float *f32;
		gint32 *i32;
		gint64 *i64;
	};
} WeftNpy;

/* WEFT_ERROR_CORRUPT, _TRUNCATED, _UNSUPPORTED (other types, Fortran order, versions), _LIMIT. */
WeftNpy *weft_npy_read(const char *path, GError **error);
WeftNpy *weft_npy_parse(gconstpointer bytes, gsize size_bytes, GError **error);
void weft_npy_free(WeftNpy *array);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftNpy, weft_npy_free)

/* Publishes the file whole (base/files.h). */
gboolean weft_npy_write_f32(const char *path, const float *data, const gsize *shape, gsize n_dims,
			    GError **error);
gboolean weft_npy_write_i32(const char *path, const gint32 *data, const gsize *shape, gsize n_dims,
			    GError **error);

#endif
