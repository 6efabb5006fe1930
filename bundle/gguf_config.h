/* gguf_config.h - the configuration that a GGUF model's metadata amount to; private to bundle/.
 *
 * The metadata are written as the config.json (and the image processor's values) that Hugging Face
 * would have, and read by weft_config_new, so that all checks live in one place. What the format
 * leaves out: for llama4 the chunk (8192, or llama4.attention.chunk_size as Ollama writes it), no
 * rotation in every fourth layer, the temperature of long positions (8192, 0.1), which are
 * config.h's defaults; the norm of queries and keys, which every model but the one of 128 experts
 * has (or llama4.use_qk_norm); llama4.attention.sliding_window 0 stands for no chunks and rotation
 * in every layer. Ids of image tokens and those that end an answer are looked up in the vocabulary.
 *
 * Over that lies `weft.config` (a config.json as `weft model quantize` keeps it in the file), and
 * over both the config.json beside the file: config_merge.h. Where one of them says rope_scaling or
 * rope_parameters the divisors of rope_freqs.weight are not used.
 */
#ifndef WEFT_BUNDLE_GGUF_CONFIG_H
#define WEFT_BUNDLE_GGUF_CONFIG_H

#include <glib.h>

#include "bundle/config.h"
#include "bundle/gguf_set.h"

/* `json`: the config.json beside the file, `preprocessor_json`: preprocessor_config.json; NULL where
 * there is none. */
WeftConfig *weft_gguf_config_new(const WeftGgufSet *set, const char *json, gsize size_bytes,
				 const char *preprocessor_json, gsize preprocessor_size_bytes,
				 GError **error);

#endif
