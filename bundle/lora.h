/* lora.h - an adapter: a folder in PEFT's LoRA format, checked and mapped.
 *
 * The folder holds adapter_config.json and adapter_model.safetensors. The tensors say which modules
 * are adapted; the configuration says with which factor. To a product y = x W^T of a module, W
 * [N,K], an adapter of rank r adds s (x A^T) B^T with A [r,K], B [N,r] and s = alpha / r (alpha /
 * sqrt(r) with use_rslora); alpha and r of a module are those of the first key of alpha_pattern and
 * rank_pattern that matches its path, as PEFT matches it: (.*\.)?(key)$, a regular expression. DoRA
 * turns the rows of W + s B A to a length of their own, the magnitude. Nothing here knows a base:
 * model/ and encoders/ look up what concerns them, and check shapes against the base's.
 *
 * Names: "base_model.model." and the wrappers that bundle.h leaves out are left out here too. Fused
 * experts that PEFT reaches by target_parameters are one or two pairs whose module ends in
 * "experts" (the inner one's stored name in "experts.base_layer").
 *
 * Refused by name (WEFT_ERROR_UNSUPPORTED): other methods than LoRA, adapters whose training has
 * changed the base (PiSSA, OLoRA, CorDA, LoftQ, LoRA-GA), what acts on some tokens only (aLoRA,
 * trainable tokens), layer replication, QA-LoRA and other variants with arithmetic of their own,
 * pickled weights, keys that are not known and not empty, tensors that are none of the above or
 * hold infinities.
 * WEFT_ERROR_CONFIG names file and key, WEFT_ERROR_WEIGHTS the tensor and the numbers.
 *
 * Immutable after opening: any number of threads. Part of the door: include "bundle/bundle.h".
 */
#ifndef WEFT_BUNDLE_LORA_H
#define WEFT_BUNDLE_LORA_H

#include <glib.h>

#include "bundle/bundle.h" /* which ends with this header */

/* Larger ranks are no adapters any more; it bounds what a pass needs beside the base. */
#define WEFT_LORA_RANK_MAX 4096

typedef struct WeftLora WeftLora;

typedef struct WeftLoraPair {
	const char *path;       /* of the module as stored: "language_model.model.layers.0..." */
	const char *module;     /* without wrappers: "layers.0.self_attn.q_proj" */
	const WeftTensorView *a, *b;      /* [r,K], [N,r]; fused experts: [E r,X], [Y,E r] */
	const WeftTensorView *bias;       /* [N], of B; NULL: none */
	const WeftTensorView *magnitude;  /* [N]; NULL: no DoRA */
	gboolean is_embedding;  /* A [r,V], B [W,r]: rows of A^T B^T are added to those of the table */
} WeftLoraPair;

/* A whole weight of a module, in place of the base's (modules_to_save). */
typedef struct WeftLoraWeight {
	const char *path, *module;
	const WeftTensorView *view;
} WeftLoraWeight;

WeftLora *weft_lora_open(const char *folder, GError **error);
void weft_lora_close(WeftLora *lora);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftLora, weft_lora_close)

/* The folder's name. */
const char *weft_lora_name(const WeftLora *lora);
/* 64 hex digits: SHA-256 over both files. */
const char *weft_lora_id(const WeftLora *lora);

/* In the order of their paths. */
gsize weft_lora_n_pairs(const WeftLora *lora);
const WeftLoraPair *weft_lora_pair_at(const WeftLora *lora, gsize i);
gsize weft_lora_n_weights(const WeftLora *lora);
const WeftLoraWeight *weft_lora_weight_at(const WeftLora *lora, gsize i);

/* The factor s of a pair of this rank. `parameter`: the name of the fused tensor that it adapts
 * ("gate_up_proj"), by which the patterns know it; else NULL. A rank that is not the
 * configuration's is an error that names both. */
gboolean weft_lora_scale(const WeftLora *lora, const WeftLoraPair *pair, const char *parameter,
			 gsize rank, double *ret_scale, GError **error);

/* "[16, 5120]", for messages; caller frees. */
char *weft_lora_shape(const WeftTensorView *view);

/* The tensor is a vector of n numbers, or WEFT_ERROR_WEIGHTS with both shapes. */
gboolean weft_lora_check_vector(const WeftTensorView *view, gsize n, GError **error);

#endif
