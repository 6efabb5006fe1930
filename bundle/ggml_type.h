/* ggml_type.h - the types of tensors by ggml's numbers, which GGUF and whisper.cpp share; private to
 * bundle/. */
#ifndef WEFT_BUNDLE_GGML_TYPE_H
#define WEFT_BUNDLE_GGML_TYPE_H

#include <glib.h>

#include "bundle/safetensors.h"

/* From type and shape: dtype (or type_unread) and size_bytes of the entry's view. Rows must be whole
 * blocks. WEFT_ERROR_WEIGHTS names file and tensor; an unknown type also the files that work. */
gboolean weft_ggml_measure(const char *file, WeftTensorEntry *entry, guint32 type,
			   const char *files_that_work, GError **error);

#endif
