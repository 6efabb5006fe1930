/* bundle.h - the door of the model folders: configuration, tensors by name, tokenizer, prompt.
 *
 * A bundle is a folder as Hugging Face publishes it: config.json; model.safetensors, or shards
 * with model.safetensors.index.json; tokenizer.json or tokenizer.model; preprocessor_config.json
 * where there is a vision part; generation_config.json for the ids that end an answer. Files may be
 * links, as in the hub's cache. Nothing is converted: weights are mapped read-only and a tensor is
 * a view into the mapping, valid until the bundle is closed. The whole bundle is checked when it is
 * opened (headers, offsets, sizes against the files), so a tensor that was found can be read; of
 * the data themselves only the blocks of the id are touched then. Which families open, and which keys of
 * their configurations count, is in config.h. A tensor in F8_E4M3 has its scales beside it, in
 * another tensor whose name ends in "_scale"; whoever asks for the one asks for the other.
 *
 * Or it is a model as GGUF (llama4 and llama, versions 2 and 3): the path names the file, any part
 * of a split one (MODEL-00001-of-0000N.gguf), or a folder that holds one model and no config.json
 * with safetensors. A vision part (mmproj) in the same folder is found by its header. The
 * configuration is put together from the metadata; a config.json beside the file goes over it key
 * by key, the original one or just what differs ({"text_config": {"attention_chunk_size": 4096}}),
 * except that sizes must agree. Shapes are row-major, as with safetensors. Tensors are found by
 * their Hugging Face names; the tokenizer is the file's own vocabulary, or a tokenizer file beside it
 * when it has none; stacked experts [E, out, in] by `experts.gate_proj.weight`,
 * `experts.up_proj.weight` and `experts.down_proj.weight`.
 *
 * Or it is a Whisper as whisper.cpp writes it (ggml-*.bin, a file called *.bin or one with that
 * magic): sizes, vocabulary and tensors of one file, tensors under their Hugging Face names.
 *
 * Sound: a folder `audio/` inside the bundle (or one attached) holds a Whisper checkpoint or an
 * Ultravox one, or a Whisper one with an Ultravox projector in `audio/projector/`. It is a bundle
 * of its own with its own tensors.
 *
 * Names: the wrappers that differ between releases are left out on both sides when a tensor is
 * looked up: a leading "model." before a part, "language_model.", and the text model's or
 * Whisper's own "model.". "layers.0.input_layernorm.weight", "model.layers.0..." and
 * "language_model.model.layers.0..." are one tensor; so are "vision_model.x" and
 * "model.vision_model.x"; Whisper's are "encoder.x" and "decoder.x".
 *
 * Immutable after opening (weft_bundle_attach_audio belongs to opening): any number of threads.
 * Errors: WEFT_ERROR_IO, _CONFIG (names file and key), _WEIGHTS (names file, tensor, numbers).
 */
#ifndef WEFT_BUNDLE_BUNDLE_H
#define WEFT_BUNDLE_BUNDLE_H

#include <glib.h>

#include "bundle/config.h"
#include "bundle/quantize.h"
#include "bundle/template.h"
#include "bundle/tokenizer.h"
#include "kernels/dtype.h"

#define WEFT_BUNDLE_DIMS_MAX 4

typedef struct WeftBundle WeftBundle;

/* One tensor as it lies in its file: little-endian, row-major (the last size is the fastest),
 * possibly unaligned. */
typedef struct WeftTensorView {
	const char *name; /* as stored: in a GGUF file, blk.0.attn_q.weight */
	const char *file; /* base name of its weight file */
	WeftDtype dtype;
	gsize n_dims;     /* 0: a scalar */
	gsize shape[WEFT_BUNDLE_DIMS_MAX];
	const void *data;
	gsize size_bytes;
} WeftTensorView;

/* The product of the sizes, which was checked against the file. */
gsize weft_tensor_view_n_values(const WeftTensorView *view);

/* Opens the folder, GGUF file or whisper.cpp file `path`. A folder without weights or without a tokenizer opens: the
 * lookups then say what is not there. */
WeftBundle *weft_bundle_open(const char *path, GError **error);
void weft_bundle_close(WeftBundle *bundle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftBundle, weft_bundle_close)

const WeftConfig *weft_bundle_config(const WeftBundle *bundle);

/* traits.name, else the folder's name, or the GGUF file's without ".gguf" and number of the part. */
const char *weft_bundle_name(const WeftBundle *bundle);

/* 64 hex digits: SHA-256 over configuration, tokenizer, chat template, tensor headers, sizes of the weight files
 * and 64 evenly spaced blocks of 4 KiB of each; of the audio bundle too. */
const char *weft_bundle_id(const WeftBundle *bundle);

/* NULL when the folder has no tokenizer. */
const WeftTokenizer *weft_bundle_tokenizer(const WeftBundle *bundle);
const WeftTemplate *weft_bundle_template(const WeftBundle *bundle);

/* Bytes of all weight files. */
guint64 weft_bundle_size_bytes(const WeftBundle *bundle);

gsize weft_bundle_n_tensors(const WeftBundle *bundle);
const WeftTensorView *weft_bundle_tensor_at(const WeftBundle *bundle, gsize i); /* by name */

/* NULL when there is no such tensor. */
const WeftTensorView *weft_bundle_find(const WeftBundle *bundle, const char *name);

/* The tensor, which must have exactly this shape (n_dims sizes); WEFT_ERROR_WEIGHTS names the
 * tensor and both shapes. */
const WeftTensorView *weft_bundle_tensor(const WeftBundle *bundle, const char *name, gsize n_dims,
					 const gsize *shape, GError **error);

/* Takes the Whisper or Ultravox folder, or the whisper.cpp file, `path` as the bundle's audio part, in
 * place of `audio/`. */
gboolean weft_bundle_attach_audio(WeftBundle *bundle, const char *path, GError **error);

/* The bundle with the Whisper encoder (and decoder): the `audio/` one, or this one when it is a
 * Whisper folder itself. NULL: none. */
const WeftBundle *weft_bundle_audio(const WeftBundle *bundle);

/* The bundle with multi_modal_projector.* in Ultravox layout (and, v0.5 and later, audio_tower.*);
 * may be the same as weft_bundle_audio. NULL: none. */
const WeftBundle *weft_bundle_projector(const WeftBundle *bundle);

#include "bundle/lora.h" /* an adapter is views, too */

#endif
