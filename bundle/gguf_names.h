/* gguf_names.h - the names of tensors in GGUF files and in Hugging Face's; private to bundle/.
 *
 * One table, read in both directions. Text: `blk.N.attn_q.weight` is
 * `model.layers.N.self_attn.q_proj.weight`; what belongs to the feed-forward stands under
 * `feed_forward.` for llama4, `mlp.` for llama without experts, `block_sparse_moe.` for its experts.
 * Stacked experts [E, out, in] become `experts.gate_proj.weight` and so on, which no checkpoint of
 * Hugging Face has under these names (there gate and up lie in one tensor, or each expert in its
 * own). Vision: `v.` and `mm.` as llama.cpp writes them, and as Ollama does.
 */
#ifndef WEFT_BUNDLE_GGUF_NAMES_H
#define WEFT_BUNDLE_GGUF_NAMES_H

#include <glib.h>

typedef enum {
	WEFT_GGUF_LLAMA4,
	WEFT_GGUF_LLAMA, /* and Mixtral */
	WEFT_GGUF_CLIP,  /* the vision tower of a mmproj file */
} WeftGgufArchitecture;

/* The Hugging Face name of a stored one; NULL: there is none. Caller frees. */
char *weft_gguf_name_read(WeftGgufArchitecture architecture, const char *stored);

/* The name in GGUF for a Hugging Face one without wrappers (`layers.0...`, `vision_model....`);
 * NULL: there is none. Caller frees. */
char *weft_gguf_name_written(WeftGgufArchitecture architecture, const char *name);

#endif
