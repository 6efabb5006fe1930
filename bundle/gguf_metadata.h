/* gguf_metadata.h - the metadata that a written GGUF file gets; private to bundle/. */
#ifndef WEFT_BUNDLE_GGUF_METADATA_H
#define WEFT_BUNDLE_GGUF_METADATA_H

#include <glib.h>

#include "bundle/bundle.h"
#include "bundle/gguf_names.h"
#include "bundle/gguf_writer.h"

/* Keys under which the files of these names are kept. */
#define WEFT_GGUF_CONFIG_KEY "weft.config"
#define WEFT_GGUF_GENERATION_KEY "weft.generation_config"
#define WEFT_GGUF_PREPROCESSOR_KEY "weft.preprocessor_config"

/* Sizes and constants of the text model. What llama.cpp has no key for, and takes otherwise than
 * this model has it, is added to `notes` (char *). */
void weft_gguf_metadata_text(WeftGgufWriter *writer, const WeftBundle *bundle,
			     WeftGgufArchitecture architecture, WeftDtype dtype, GPtrArray *notes);
void weft_gguf_metadata_vision(WeftGgufWriter *writer, const WeftBundle *bundle);

/* tokenizer.json and the chat template of `folder` as tokenizer.ggml.*: vocabulary, kinds of tokens,
 * merges or scores. Without a tokenizer.json: the statement that there is none, and a note. */
gboolean weft_gguf_metadata_vocabulary(WeftGgufWriter *writer, const char *folder,
				       const WeftTextConfig *text, GPtrArray *notes, GError **error);

#endif
