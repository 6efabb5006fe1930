/* ggml.h - one model file of whisper.cpp (ggml-*.bin), checked whole; private to bundle/.
 *
 * Layout (little-endian i32): "lmgg"; eleven numbers (below); mel filters: bins, 201, f32 each;
 * vocabulary: n, then length and bytes of each; tensors to the end of the file: number of sizes,
 * length of the name, type, the sizes (fastest first), the name (as OpenAI's checkpoint has it),
 * the data, unaligned. Source: whisper.cpp, whisper_model_load and models/convert-*-to-ggml.py.
 *
 * What is promised after a successful read: it is a Whisper of one of the three vocabularies (51864:
 * English; 51865, 51866: 99 and 100 languages; the program that wrote the file counts by them, and
 * special tokens are not in it), every word and tensor lies inside the file, rows are whole blocks,
 * every tensor has a name that Whisper has. Other files of ggml with this magic (speech detectors,
 * other recognisers, old Llamas) are refused, and quantised ones of ggml's layouts before version 2.
 * The mel filters are passed over: they are those of mel.h.
 *
 * Errors: WEFT_ERROR_IO when it can't be opened, WEFT_ERROR_WEIGHTS "FILE: what and the numbers".
 */
#ifndef WEFT_BUNDLE_GGML_H
#define WEFT_BUNDLE_GGML_H

#include <glib.h>

#include "base/bytes.h"
#include "base/files.h"
#include "bundle/safetensors.h"

#define WEFT_GGML_FILES_THAT_WORK "the f16, q8_0 and q5_0 files of this model work"

typedef struct WeftGgml WeftGgml;

/* TRUE when `path` is to be opened as such a file: a file called *.bin, or one with its magic. */
gboolean weft_ggml_is_at(const char *path);
/* TRUE when the bytes begin with its magic. */
gboolean weft_ggml_is(gconstpointer data, gsize size_bytes);

/* Maps the file; messages have its base name. */
WeftGgml *weft_ggml_open(const char *path, GError **error);
/* The same of bytes that outlive it; `file` is for messages. */
WeftGgml *weft_ggml_new(const char *file, const guint8 *data, gsize size_bytes, GError **error);
void weft_ggml_close(WeftGgml *ggml);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftGgml, weft_ggml_close)

const char *weft_ggml_file(const WeftGgml *ggml);
const WeftMap *weft_ggml_map(const WeftGgml *ggml); /* all of its bytes */
gsize weft_ggml_header_bytes(const WeftGgml *ggml); /* up to the tensors */
gsize weft_ggml_n_vocab(const WeftGgml *ggml);

/* What it says about itself, as the config.json of such a model. Caller frees. */
char *weft_ggml_config(const WeftGgml *ggml);

/* WeftTensorEntry in the order of the file, owned by it; name_known is the Hugging Face name. */
const GPtrArray *weft_ggml_tensors(const WeftGgml *ggml);

/* The words of the vocabulary in the order of their ids: borrowed, of any bytes, some empty. */
typedef struct WeftGgmlWords {
	WeftBytes bytes;
	gsize n_left;
} WeftGgmlWords;

WeftGgmlWords weft_ggml_words(const WeftGgml *ggml);
gboolean weft_ggml_words_next(WeftGgmlWords *words, const char **ret_text, gsize *ret_size_bytes);

#endif
