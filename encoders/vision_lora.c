#include "encoders/vision_lora.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

typedef struct Slot {
	const char *name;
	gsize offset; /* of the part in WeftVisionLora or WeftBlockParts */
} Slot;

static const Slot WHOLE[] = {
	{"vision_model.patch_embedding.linear", G_STRUCT_OFFSET(WeftVisionLora, patches)},
	{"vision_model.vision_adapter.mlp.fc1", G_STRUCT_OFFSET(WeftVisionLora, fc1)},
	{"vision_model.vision_adapter.mlp.fc2", G_STRUCT_OFFSET(WeftVisionLora, fc2)},
	{"multi_modal_projector.linear_1", G_STRUCT_OFFSET(WeftVisionLora, linear_1)},
};

static const Slot IN_LAYER[] = {
	{"self_attn.q_proj", G_STRUCT_OFFSET(WeftBlockParts, q)},
	{"self_attn.k_proj", G_STRUCT_OFFSET(WeftBlockParts, k)},
	{"self_attn.v_proj", G_STRUCT_OFFSET(WeftBlockParts, v)},
	{"self_attn.o_proj", G_STRUCT_OFFSET(WeftBlockParts, o)},
	{"mlp.fc1", G_STRUCT_OFFSET(WeftBlockParts, fc1)},
	{"mlp.fc2", G_STRUCT_OFFSET(WeftBlockParts, fc2)},
};

static WeftLowRank *find_slot(gpointer parts, const Slot *slots, gsize n, const char *name)
{
	for (gsize i = 0; i < n; i++)
		if (strcmp(slots[i].name, name) == 0)
			return (gpointer)((char *)parts + slots[i].offset);
	return NULL;
}

/* Where the pair of this module adds, or NULL when the tower has no such module. */
static WeftLowRank *place_of(WeftVisionLora *vision_lora, const char *module)
{
	static const char prefix[] = "vision_model.model.layers.";
	char *rest;

	if (!g_str_has_prefix(module, prefix))
		return find_slot(vision_lora, WHOLE, G_N_ELEMENTS(WHOLE), module);
	module += strlen(prefix);
	if (!g_ascii_isdigit(*module))
		return NULL;
	guint64 layer = g_ascii_strtoull(module, &rest, 10);
	if (layer >= vision_lora->n_layers || *rest != '.')
		return NULL;
	return find_slot(&vision_lora->blocks[layer], IN_LAYER, G_N_ELEMENTS(IN_LAYER), rest + 1);
}

static gboolean is_zero(const WeftTensorView *view)
{
	const char *bytes = view->data;

	return bytes[0] == 0 && memcmp(bytes, bytes + 1, view->size_bytes - 1) == 0;
}

static gboolean check_shapes(const WeftLoraPair *pair, const WeftTensorView *base, GError **error)
{
	if (base->n_dims == 2 && pair->b->shape[0] == base->shape[0] &&
	    pair->a->shape[1] == base->shape[1] && !pair->is_embedding)
		return TRUE;
	g_autofree char *a = weft_lora_shape(pair->a);
	g_autofree char *b = weft_lora_shape(pair->b);
	g_autofree char *shape = weft_lora_shape(base);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
		    "%s: lora_A %s and lora_B %s do not fit %s %s of the base", pair->path, a, b,
		    base->name, shape);
	return FALSE;
}

static float *vector_of(WeftVisionLora *vision_lora, const WeftTensorView *view, gsize n,
			const WeftKernels *kernels, GError **error)
{
	if (!weft_lora_check_vector(view, n, error))
		return NULL;
	float *vector = weft_alloc_array(n, sizeof(float), 0, view->name, error);
	if (!vector)
		return NULL;
	kernels->to_f32(kernels->team, vector, view->data, view->dtype, n);
	g_ptr_array_add(vision_lora->vectors, vector);
	return vector;
}

/* DoRA turns what the weights give; the base's bias, which is in y already, stays. */
static gboolean fit_magnitude(WeftVisionLora *vision_lora, const WeftLoraPair *pair,
			      const WeftBundle *bundle, const WeftTensor *base, WeftLowRank *part,
			      const WeftKernels *kernels, GError **error)
{
	g_autofree char *bias_name = g_strconcat(pair->module, ".bias", NULL);
	const WeftTensorView *bias = weft_bundle_find(bundle, bias_name);
	gsize n = part->b.size[0];
	float *offset = NULL, *gain = vector_of(vision_lora, pair->magnitude, n, kernels, error);

	if (pair->bias) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
			    "%s has both a magnitude (DoRA) and a bias of lora_B", pair->path);
		return FALSE;
	}
	if (!gain || !weft_low_rank_divide(kernels, part, base, gain, error))
		return FALSE;
	if (bias && !(offset = vector_of(vision_lora, bias, n, kernels, error)))
		return FALSE;
	for (gsize i = 0; offset && i < n; i++)
		offset[i] *= 1 - gain[i];
	part->gain = gain;
	part->offset = offset;
	return TRUE;
}

static gboolean fit_pair(WeftVisionLora *vision_lora, const WeftLoraPair *pair,
			 const WeftBundle *bundle, const WeftKernels *kernels, GError **error)
{
	g_autofree char *name = g_strconcat(pair->module, ".weight", NULL);
	WeftLowRank *part = place_of(vision_lora, pair->module);
	const WeftTensorView *base = part ? weft_bundle_find(bundle, name) : NULL;
	double scale;

	if (!base || part->a.data) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS, "tensor %s: %s", pair->a->name,
			    base ? "the module is adapted twice"
				 : "the base has no such module that can be adapted");
		return FALSE;
	}
	if (!check_shapes(pair, base, error) ||
	    !weft_lora_scale(vision_lora->lora, pair, NULL, pair->a->shape[0], &scale, error))
		return FALSE;
	if (!pair->magnitude && !pair->bias && is_zero(pair->b))
		return TRUE;
	part->a = weft_tensor_matrix(pair->a->data, pair->a->dtype, pair->a->shape[0],
				     pair->a->shape[1]);
	part->b = weft_tensor_matrix(pair->b->data, pair->b->dtype, pair->b->shape[0],
				     pair->b->shape[1]);
	part->scale = (float)scale;
	vision_lora->is_empty = FALSE;
	vision_lora->room = MAX(vision_lora->room, weft_low_rank_room(part));
	if (pair->bias) {
		float *bias = vector_of(vision_lora, pair->bias, part->b.size[0], kernels, error);
		for (gsize i = 0; bias && i < part->b.size[0]; i++)
			bias[i] *= part->scale;
		part->bias = bias;
		if (!bias)
			return FALSE;
	}
	const WeftTensor matrix = weft_tensor_matrix(base->data, base->dtype, base->shape[0],
						     base->shape[1]);
	return !pair->magnitude ||
	       fit_magnitude(vision_lora, pair, bundle, &matrix, part, kernels, error);
}

WeftVisionLora *weft_vision_lora_new(const WeftLora *lora, const WeftBundle *bundle,
				     const WeftKernels *kernels, GError **error)
{
	g_autoptr(WeftVisionLora) vision_lora = g_new0(WeftVisionLora, 1);

	vision_lora->lora = lora;
	vision_lora->is_empty = TRUE;
	vision_lora->n_layers = weft_bundle_config(bundle)->vision.n_layers;
	vision_lora->blocks = g_new0(WeftBlockParts, vision_lora->n_layers);
	vision_lora->vectors = g_ptr_array_new_with_free_func(g_free);
	for (gsize i = 0; i < weft_lora_n_pairs(lora); i++) {
		const WeftLoraPair *pair = weft_lora_pair_at(lora, i);

		if (!g_str_has_prefix(pair->module, "vision_model.") &&
		    !g_str_has_prefix(pair->module, "multi_modal_projector."))
			continue;
		if (!fit_pair(vision_lora, pair, bundle, kernels, error)) {
			g_prefix_error(error, "adapter %s: ", weft_lora_name(lora));
			return NULL;
		}
	}
	return g_steal_pointer(&vision_lora);
}

void weft_vision_lora_free(WeftVisionLora *vision_lora)
{
	if (!vision_lora)
		return;
	g_ptr_array_unref(vision_lora->vectors);
	g_free(vision_lora->blocks);
	g_free(vision_lora);
}
