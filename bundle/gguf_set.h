/* gguf_set.h - the GGUF files that are one model; private to bundle/.
 *
 * A path names a file (*.gguf; any part of a split model will do), or a folder that holds one model
 * as GGUF. The parts of a split model are found by their names (PREFIX-00001-of-0000N.gguf) and
 * checked by what they say (split.no, split.count, split.tensors.count). A vision part beside them
 * (general.architecture "clip", general.type "mmproj") is found by its header, whatever its name; of
 * several the one called MODEL-mmproj.gguf is taken. Of the other files there only one with "mmproj"
 * in its name has to be readable, for a Llama 4.
 *
 * Errors: WEFT_ERROR_WEIGHTS for a missing or foreign part, WEFT_ERROR_CONFIG for a folder that does
 * not say which model is meant, an adapter or a vision part named as a model, an architecture that
 * weft has no arithmetic for.
 */
#ifndef WEFT_BUNDLE_GGUF_SET_H
#define WEFT_BUNDLE_GGUF_SET_H

#include <glib.h>

#include "bundle/gguf.h"
#include "bundle/gguf_names.h"

typedef struct WeftGgufSet {
	char *folder;     /* where the files lie */
	char *name;       /* of the model's file, without ".gguf" and the number of the part */
	WeftGgufArchitecture architecture;
	GPtrArray *parts; /* WeftGguf, in order; the first has the metadata */
	WeftGguf *vision; /* NULL: none */
} WeftGgufSet;

/* TRUE when `path` is to be opened as GGUF: a file whose name says so, or a folder with such files
 * and without config.json and safetensors together. */
gboolean weft_gguf_set_is_at(const char *path);

WeftGgufSet *weft_gguf_set_open(const char *path, GError **error);
void weft_gguf_set_close(WeftGgufSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftGgufSet, weft_gguf_set_close)

/* The first part. */
const WeftGguf *weft_gguf_set_head(const WeftGgufSet *set);
/* By its stored name, in any part of the model; NULL: none. */
const WeftTensorEntry *weft_gguf_set_tensor(const WeftGgufSet *set, const char *stored);

#endif
