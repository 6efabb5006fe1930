/* gguf.h - one GGUF file, its metadata and its tensors, checked whole; private to bundle/.
 *
 * Layout (versions 2 and 3, little-endian): "GGUF", u32 version, u64 tensors, u64 keys; the keys
 * with their values; the tensors' names, sizes, types and offsets; padding to general.alignment;
 * the data. What is promised after a successful read: every value and every tensor lies inside the
 * file, rows are whole blocks, no two tensors overlap, no key and no tensor is there twice. Version
 * 1 and big-endian files are refused by name.
 *
 * Values stay in the mapping: a vocabulary of 200,000 strings costs one pass over its lengths and
 * no copy. Strings are not terminated and are whatever bytes the file holds; keys and names of
 * tensors are checked UTF-8 without control characters.
 *
 * Types that weft has no arithmetic for are listed too (WeftTensorEntry.type_unread). Sizes are
 * given in row-major order: the reverse of the file's, whose first is the fastest.
 *
 * Errors: WEFT_ERROR_IO when it can't be opened, WEFT_ERROR_WEIGHTS "FILE: what and the numbers".
 */
#ifndef WEFT_BUNDLE_GGUF_H
#define WEFT_BUNDLE_GGUF_H

#include <glib.h>

#include "base/files.h"
#include "bundle/gguf_value.h"
#include "bundle/safetensors.h"

#define WEFT_GGUF_HEADER_MAX ((gsize)256 << 20) /* published ones: 10 MB, vocabulary and merges */
#define WEFT_GGUF_KEYS_MAX 65536
#define WEFT_GGUF_FILES_THAT_WORK "the Q4_K_M, Q6_K or Q8_0 files of this model work"

typedef struct WeftGguf WeftGguf;

/* Maps the file; messages have its base name. */
WeftGguf *weft_gguf_open(const char *path, GError **error);
/* The same of bytes that outlive it; `file` is for messages. */
WeftGguf *weft_gguf_new(const char *file, const guint8 *data, gsize size_bytes, GError **error);
void weft_gguf_close(WeftGguf *gguf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftGguf, weft_gguf_close)

const char *weft_gguf_file(const WeftGguf *gguf);
const WeftMap *weft_gguf_map(const WeftGguf *gguf); /* all of its bytes */
gsize weft_gguf_header_bytes(const WeftGguf *gguf); /* up to the tensors' data, without padding */

/* WeftTensorEntry in the order of their data, owned by the file. */
const GPtrArray *weft_gguf_tensors(const WeftGguf *gguf);
/* By the name in the file; NULL: none. */
const WeftTensorEntry *weft_gguf_tensor(const WeftGguf *gguf, const char *name);

/* ---- metadata ---- */

gsize weft_gguf_n_values(const WeftGguf *gguf);
/* In the order of the file. */
const WeftGgufValue *weft_gguf_value_at(const WeftGguf *gguf, gsize i);
/* NULL: no such key. gguf_value.h has what can be asked of it. */
const WeftGgufValue *weft_gguf_value(const WeftGguf *gguf, const char *key);

#endif
