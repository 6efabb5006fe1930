#include "model/weights.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"

typedef enum {
	WHEN_ALWAYS,
	WHEN_MOE,
	WHEN_DENSE,
	WHEN_UNTIED,
} When;

typedef struct Entry {
	const char *name;  /* %u: the layer */
	const char *shape; /* letters of weights.h */
	gsize offset;      /* in WeftLayerWeights or WeftWeights */
	When when;
	gboolean is_norm;  /* widened to a vector, else a view */
} Entry;

#define IN_LAYER(field) offsetof(WeftLayerWeights, field)
#define IN_MODEL(field) offsetof(WeftWeights, field)

static const Entry layer_entries[] = {
	{"model.layers.%u.input_layernorm.weight", "W", IN_LAYER(input_norm), WHEN_ALWAYS, TRUE},
	{"model.layers.%u.post_attention_layernorm.weight", "W", IN_LAYER(post_norm), WHEN_ALWAYS,
	 TRUE},
	{"model.layers.%u.self_attn.q_proj.weight", "QW", IN_LAYER(q), WHEN_ALWAYS, FALSE},
	{"model.layers.%u.self_attn.k_proj.weight", "KW", IN_LAYER(k), WHEN_ALWAYS, FALSE},
	{"model.layers.%u.self_attn.v_proj.weight", "KW", IN_LAYER(v), WHEN_ALWAYS, FALSE},
	{"model.layers.%u.self_attn.o_proj.weight", "WQ", IN_LAYER(o), WHEN_ALWAYS, FALSE},
	{"model.layers.%u.feed_forward.router.weight", "EW", IN_LAYER(router), WHEN_MOE, FALSE},
	{"model.layers.%u.feed_forward.experts.gate_up_proj", "EWG", IN_LAYER(gate_up), WHEN_MOE,
	 FALSE},
	{"model.layers.%u.feed_forward.experts.down_proj", "EFW", IN_LAYER(expert_down), WHEN_MOE,
	 FALSE},
	{"model.layers.%u.feed_forward.shared_expert.gate_proj.weight", "FW", IN_LAYER(gate),
	 WHEN_MOE, FALSE},
	{"model.layers.%u.feed_forward.shared_expert.up_proj.weight", "FW", IN_LAYER(up), WHEN_MOE,
	 FALSE},
	{"model.layers.%u.feed_forward.shared_expert.down_proj.weight", "WF", IN_LAYER(down),
	 WHEN_MOE, FALSE},
	{"model.layers.%u.feed_forward.gate_proj.weight", "MW", IN_LAYER(gate), WHEN_DENSE, FALSE},
	{"model.layers.%u.feed_forward.up_proj.weight", "MW", IN_LAYER(up), WHEN_DENSE, FALSE},
	{"model.layers.%u.feed_forward.down_proj.weight", "WM", IN_LAYER(down), WHEN_DENSE, FALSE},
};

static const Entry model_entries[] = {
	{"model.embed_tokens.weight", "VW", IN_MODEL(embed), WHEN_ALWAYS, FALSE},
	{"model.norm.weight", "W", IN_MODEL(norm), WHEN_ALWAYS, TRUE},
	{"lm_head.weight", "VW", IN_MODEL(head), WHEN_UNTIED, FALSE},
};

static gsize size_of_letter(const WeftArch *arch, char letter)
{
	switch (letter) {
	case 'V':
		return arch->n_vocab;
	case 'W':
		return arch->width;
	case 'Q':
		return arch->n_heads * arch->head_width;
	case 'K':
		return arch->n_kv_heads * arch->head_width;
	case 'F':
		return arch->ffn_expert;
	case 'G':
		return 2 * arch->ffn_expert;
	case 'M':
		return arch->ffn_dense;
	case 'E':
		return arch->n_experts;
	default:
		g_assert_not_reached();
	}
}

static WeftTensor tensor_of_view(const WeftTensorView *view)
{
	WeftTensor tensor = {.data = view->data, .dtype = view->dtype, .n_dims = (int)view->n_dims};
	for (gsize i = 0; i < view->n_dims; i++)
		tensor.size[i] = view->shape[i];
	tensor.row_bytes = weft_dtype_row_bytes(view->dtype, view->shape[view->n_dims - 1]);
	return tensor;
}

static gboolean load_entry(WeftWeights *weights, const WeftBundle *bundle, const WeftArch *arch,
			   const WeftKernels *kernels, const Entry *entry, const char *name,
			   gpointer to, GError **error)
{
	gsize shape[WEFT_TENSOR_DIMS_MAX], n_dims = strlen(entry->shape);
	for (gsize i = 0; i < n_dims; i++)
		shape[i] = size_of_letter(arch, entry->shape[i]);
	const WeftTensorView *view = weft_bundle_tensor(bundle, name, n_dims, shape, error);
	if (!view)
		return FALSE;
	if (entry->is_norm) {
		float *norm = g_new(float, shape[0]);
		kernels->to_f32(kernels->team, norm, view->data, view->dtype, shape[0]);
		g_ptr_array_add(weights->norms, norm);
		memcpy(to, &norm, sizeof(norm));
	} else {
		WeftTensor tensor = tensor_of_view(view);
		memcpy(to, &tensor, sizeof(tensor));
	}
	return TRUE;
}

static gboolean entry_applies(const Entry *entry, const WeftArch *arch, gboolean is_moe)
{
	switch (entry->when) {
	case WHEN_MOE:
		return is_moe;
	case WHEN_DENSE:
		return !is_moe;
	case WHEN_UNTIED:
		return !arch->tie_embeddings;
	default:
		return TRUE;
	}
}

static gboolean load_layer(WeftWeights *weights, const WeftBundle *bundle, const WeftArch *arch,
			   const WeftKernels *kernels, gsize layer, GError **error)
{
	for (gsize i = 0; i < G_N_ELEMENTS(layer_entries); i++) {
		const Entry *entry = &layer_entries[i];
		if (!entry_applies(entry, arch, arch->layers[layer].is_moe))
			continue;
		const char *number = strstr(entry->name, "%u");
		g_autofree char *name =
			g_strdup_printf("%.*s%" G_GSIZE_FORMAT "%s", (int)(number - entry->name),
					entry->name, layer, number + 2);
		gpointer to = (char *)&weights->layers[layer] + entry->offset;
		if (!load_entry(weights, bundle, arch, kernels, entry, name, to, error))
			return FALSE;
	}
	return TRUE;
}

WeftWeights *weft_weights_new(const WeftBundle *bundle, const WeftArch *arch,
			      const WeftKernels *kernels, GError **error)
{
	g_autoptr(WeftWeights) weights = g_new0(WeftWeights, 1);
	weights->norms = g_ptr_array_new_with_free_func(g_free);
	weights->layers = g_new0(WeftLayerWeights, arch->n_layers);
	for (gsize i = 0; i < G_N_ELEMENTS(model_entries); i++) {
		const Entry *entry = &model_entries[i];
		if (entry_applies(entry, arch, FALSE) &&
		    !load_entry(weights, bundle, arch, kernels, entry, entry->name,
				(char *)weights + entry->offset, error))
			return NULL;
	}
	if (arch->tie_embeddings)
		weights->head = weights->embed;
	for (gsize layer = 0; layer < arch->n_layers; layer++)
		if (!load_layer(weights, bundle, arch, kernels, layer, error))
			return NULL;
	return g_steal_pointer(&weights);
}

void weft_weights_free(WeftWeights *weights)
{
	if (!weights)
		return;
	g_ptr_array_unref(weights->norms);
	g_free(weights->layers);
	g_free(weights);
}
