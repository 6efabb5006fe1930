#include "model/weights.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "model/loader.h"

typedef enum {
	WHEN_ALWAYS,
	WHEN_SHARED,
	WHEN_DENSE,
	WHEN_UNTIED,
} When;

typedef struct Entry {
	const char *name;    /* in a layer; behind the feed-forward's name when `in_ffn` */
	const char *letters; /* loader.h */
	gsize offset;        /* in WeftLayerWeights or WeftWeights */
	When when;
	gboolean in_ffn;
} Entry;

#define IN_LAYER(field) offsetof(WeftLayerWeights, field)
#define IN_MODEL(field) offsetof(WeftWeights, field)

static const Entry LAYER_NORMS[] = {
	{"input_layernorm.weight", "W", IN_LAYER(input_norm), WHEN_ALWAYS, FALSE},
	{"post_attention_layernorm.weight", "W", IN_LAYER(post_norm), WHEN_ALWAYS, FALSE},
};

static const Entry LAYER_MATRICES[] = {
	{"self_attn.q_proj.weight", "QW", IN_LAYER(q), WHEN_ALWAYS, FALSE},
	{"self_attn.k_proj.weight", "KW", IN_LAYER(k), WHEN_ALWAYS, FALSE},
	{"self_attn.v_proj.weight", "KW", IN_LAYER(v), WHEN_ALWAYS, FALSE},
	{"self_attn.o_proj.weight", "WQ", IN_LAYER(o), WHEN_ALWAYS, FALSE},
	{"shared_expert.gate_proj.weight", "FW", IN_LAYER(gate), WHEN_SHARED, TRUE},
	{"shared_expert.up_proj.weight", "FW", IN_LAYER(up), WHEN_SHARED, TRUE},
	{"shared_expert.down_proj.weight", "WF", IN_LAYER(down), WHEN_SHARED, TRUE},
	{"gate_proj.weight", "MW", IN_LAYER(gate), WHEN_DENSE, TRUE},
	{"up_proj.weight", "MW", IN_LAYER(up), WHEN_DENSE, TRUE},
	{"down_proj.weight", "WM", IN_LAYER(down), WHEN_DENSE, TRUE},
};

static const Entry MODEL_MATRICES[] = {
	{"model.embed_tokens.weight", "VW", IN_MODEL(embed), WHEN_ALWAYS, FALSE},
	{"lm_head.weight", "VW", IN_MODEL(head), WHEN_UNTIED, FALSE},
};

static gboolean entry_applies(const Entry *entry, const WeftArch *arch, gboolean is_moe)
{
	switch (entry->when) {
	case WHEN_SHARED:
		return is_moe && arch->has_shared_expert;
	case WHEN_DENSE:
		return !is_moe;
	case WHEN_UNTIED:
		return !arch->tie_embeddings;
	default:
		return TRUE;
	}
}

/* Mixtral's feed-forward has one name as published and another when saved anew. */
static const char *ffn_name(const WeftLoader *loader, gsize layer)
{
	const WeftArch *arch = loader->arch;
	g_autofree char *router = weft_loader_name(layer, arch->ffn_name_new, "gate.weight");
	return weft_loader_has(loader, router) ? arch->ffn_name_new : arch->ffn_name;
}

static gboolean load_mixture(const WeftLoader *loader, gsize layer, const char *ffn,
			     WeftLayerWeights *weights, GError **error)
{
	const char *rest = loader->arch->has_shared_expert ? "router.weight" : "gate.weight";
	g_autofree char *router = weft_loader_name(layer, ffn, rest);
	weights->experts = g_new0(WeftExpert, loader->arch->n_experts);
	return weft_loader_matrix(loader, router, "EW", &weights->router, error) &&
	       weft_loader_experts(loader, layer, ffn, weights->experts, error);
}

/* A bias beside a matrix would be left out of its products. */
static gboolean check_no_bias(const WeftLoader *loader, const char *weight, GError **error)
{
	g_autofree char *stem = g_strndup(weight, strlen(weight) - strlen("weight"));
	g_autofree char *bias = g_strconcat(stem, "bias", NULL);
	if (!weft_loader_has(loader, bias))
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
		    "%s: tensor %s: no model of this family has it, and biases are not implemented",
		    weft_bundle_name(loader->bundle), bias);
	return FALSE;
}

/* Layers that the configuration does not count would be left out. */
static gboolean check_no_more(const WeftLoader *loader, GError **error)
{
	g_autofree char *more = weft_loader_name(loader->arch->n_layers, NULL, LAYER_NORMS[0].name);
	if (!weft_loader_has(loader, more))
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
		    "%s: num_hidden_layers is %zu, but the weights hold tensor %s",
		    weft_bundle_name(loader->bundle), loader->arch->n_layers, more);
	return FALSE;
}

static gboolean load_layer(const WeftLoader *loader, gsize layer, WeftLayerWeights *weights,
			   GError **error)
{
	gboolean is_moe = loader->arch->layers[layer].is_moe;
	const char *ffn = ffn_name(loader, layer);

	for (gsize i = 0; i < G_N_ELEMENTS(LAYER_NORMS); i++) {
		const Entry *entry = &LAYER_NORMS[i];
		g_autofree char *name = weft_loader_name(layer, NULL, entry->name);
		gpointer to = (char *)weights + entry->offset;
		if (!weft_loader_vector(loader, name, entry->letters, to, error))
			return FALSE;
	}
	if (is_moe && !load_mixture(loader, layer, ffn, weights, error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(LAYER_MATRICES); i++) {
		const Entry *entry = &LAYER_MATRICES[i];
		if (!entry_applies(entry, loader->arch, is_moe))
			continue;
		g_autofree char *name =
			weft_loader_name(layer, entry->in_ffn ? ffn : NULL, entry->name);
		gpointer to = (char *)weights + entry->offset;
		if (!check_no_bias(loader, name, error) ||
		    !weft_loader_matrix(loader, name, entry->letters, to, error))
			return FALSE;
	}
	return TRUE;
}

WeftWeights *weft_weights_new(const WeftBundle *bundle, const WeftArch *arch,
			      const WeftKernels *kernels, GError **error)
{
	g_autoptr(WeftWeights) weights = g_new0(WeftWeights, 1);
	weights->vectors = g_ptr_array_new_with_free_func(g_free);
	weights->layers = g_new0(WeftLayerWeights, arch->n_layers);
	weights->n_layers = arch->n_layers;
	const WeftLoader loader = {bundle, arch, kernels, weights->vectors};
	for (gsize i = 0; i < G_N_ELEMENTS(MODEL_MATRICES); i++) {
		const Entry *entry = &MODEL_MATRICES[i];
		gpointer to = (char *)weights + entry->offset;
		if (entry_applies(entry, arch, FALSE) &&
		    !weft_loader_matrix(&loader, entry->name, entry->letters, to, error))
			return NULL;
	}
	if (!weft_loader_vector(&loader, "model.norm.weight", "W", &weights->norm, error))
		return NULL;
	if (arch->tie_embeddings)
		weights->head = weights->embed;
	for (gsize layer = 0; layer < arch->n_layers; layer++)
		if (!load_layer(&loader, layer, &weights->layers[layer], error))
			return NULL;
	if (!check_no_more(&loader, error))
		return NULL;
	return g_steal_pointer(&weights);
}

void weft_weights_free(WeftWeights *weights)
{
	if (!weights)
		return;
	for (gsize layer = 0; weights->layers && layer < weights->n_layers; layer++)
		g_free(weights->layers[layer].experts);
	g_ptr_array_unref(weights->vectors);
	g_free(weights->layers);
	g_free(weights);
}
