/* arch.h - what a configuration means for the arithmetic.
 *
 * The only place that names families. A WeftArch holds the sizes and the switches that the layers
 * act upon, so that nothing below asks which model runs. Llama 4 in all its forms (Scout,
 * Maverick, Behemoth, Guard 4: text part, with or without mixture), Llama 3.1 and Mixtral; others
 * are refused by name. What differs:
 *
 *              feed-forward's name   experts                    rotation, as Hugging Face stores it
 *   Llama 4    feed_forward          and a shared one; sigmoid  pairs, not in every layer
 *              of the logit, on the expert's input
 *   Llama 3.1  mlp                   none                       halves
 *   Mixtral    block_sparse_moe,     softmax of the chosen, on  halves
 *              or mlp                the expert's output
 */
#ifndef WEFT_MODEL_ARCH_H
#define WEFT_MODEL_ARCH_H

#include <glib.h>

#include "bundle/bundle.h"
#include "kernels/kernels.h"

typedef struct WeftArch {
	gsize n_vocab, width, n_layers, n_heads, n_kv_heads, head_width;
	gsize ffn_expert, ffn_dense;
	gsize n_experts, n_experts_active;
	gsize context_max, chunk_size;
	float norm_eps, score_scale;
	gboolean qk_norm, temperature_tuning, tie_embeddings;
	gboolean rope_halves;           /* pairs (i, i + D/2), else (2i, 2i + 1) */
	gboolean has_shared_expert;     /* beside the routed ones */
	gboolean score_scales_input;    /* of the expert, else its output */
	gboolean experts_are_kn;        /* fused experts are stored [in,out] */
	const char *ffn_name, *ffn_name_new; /* of the feed-forward in the names of tensors */
	double floor_scale, attn_scale; /* of the temperature tuning */
	WeftRouter router;
	double *frequencies;            /* [head_width / 2], radians per position */
	const WeftLayerConfig *layers;  /* [n_layers], the configuration's */
} WeftArch;

/* The configuration must outlive it. WEFT_ERROR_UNSUPPORTED names the family, WEFT_ERROR_CONFIG
 * the sizes that contradict each other. */
WeftArch *weft_arch_new(const WeftConfig *config, GError **error);
void weft_arch_free(WeftArch *arch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftArch, weft_arch_free)

/* Query scaling of a layer without rotation, Llama 4's "temperature tuning". */
float weft_arch_temperature(const WeftArch *arch, gsize position);

/* First position that a row at `position` sees in this layer. */
gsize weft_arch_key_first(const WeftArch *arch, gsize layer, gsize position);

#endif
