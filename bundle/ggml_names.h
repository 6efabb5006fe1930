/* ggml_names.h - OpenAI's names of Whisper's tensors; private to bundle/. */
#ifndef WEFT_BUNDLE_GGML_NAMES_H
#define WEFT_BUNDLE_GGML_NAMES_H

#include <glib.h>

/* "encoder.blocks.0.attn.query.weight" -> "encoder.layers.0.self_attn.q_proj.weight"; NULL when
 * Whisper has no tensor of this name. Caller frees. */
char *weft_ggml_name_read(const char *name);

#endif
