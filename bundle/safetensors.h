/* safetensors.h - the header of a safetensors file, checked whole; private to bundle/.
 *
 * Layout: u64 little-endian n, n bytes of JSON (name -> dtype, shape, data_offsets), the data. What
 * is promised after a successful read: every tensor lies inside the file, its bytes are exactly
 * product(shape) numbers of its type, no two overlap, and together they fill the file to its end.
 * Types that weft has no arithmetic for are listed too, marked by type_unread.
 */
#ifndef WEFT_BUNDLE_SAFETENSORS_H
#define WEFT_BUNDLE_SAFETENSORS_H

#include <glib.h>

#include "bundle/bundle.h"

#define WEFT_SAFETENSORS_HEADER_MAX 100000000 /* the format's own limit */
#define WEFT_SAFETENSORS_NAME_MAX 1024        /* bytes; published names are below 100 */

typedef struct WeftTensorEntry {
	WeftTensorView view;  /* name is owned, file and data are borrowed */
	char *name_known;     /* the Hugging Face name when it is not stored under it, else NULL */
	const char *type_unread; /* "I64", ...; NULL when view.dtype is its type */
	guint64 begin, end;   /* in the data part */
} WeftTensorEntry;

void weft_tensor_entry_free(gpointer entry);

/* The tensors of the file in the order of their data. `file` and `data` must outlive them.
 * *ret_header_bytes: n + 8. WEFT_ERROR_WEIGHTS. */
GPtrArray *weft_safetensors_read(const char *file, const guint8 *data, gsize size_bytes,
				 gsize *ret_header_bytes, GError **error);

/* weight_map of an index: tensor name -> file name, both owned by the table. File names are plain
 * names of files in the same folder. */
GHashTable *weft_safetensors_index(const char *file, const char *json, gsize size_bytes,
				   GError **error);

#endif
