#include "model/adapter.h"

#include <string.h>

#include "base/error.h"
#include "model/fitter.h"

/* ---- names ---- */

typedef struct Name {
	const char *name;
	WeftAdapted which;
	gsize offset; /* of the matrix in WeftLayerWeights or WeftExpert */
} Name;

#define IN_LAYER(field) G_STRUCT_OFFSET(WeftLayerWeights, field)
#define IN_EXPERT(field) G_STRUCT_OFFSET(WeftExpert, field)

static const Name attention_names[] = {
	{"self_attn.q_proj", WEFT_ADAPTED_Q, IN_LAYER(q)},
	{"self_attn.k_proj", WEFT_ADAPTED_K, IN_LAYER(k)},
	{"self_attn.v_proj", WEFT_ADAPTED_V, IN_LAYER(v)},
	{"self_attn.o_proj", WEFT_ADAPTED_O, IN_LAYER(o)},
};
static const Name dense_names[] = {
	{"gate_proj", WEFT_ADAPTED_GATE, IN_LAYER(gate)},
	{"up_proj", WEFT_ADAPTED_UP, IN_LAYER(up)},
	{"down_proj", WEFT_ADAPTED_DOWN, IN_LAYER(down)},
};
static const Name expert_names[] = {
	{"gate_proj", WEFT_ADAPTED_GATE, IN_EXPERT(gate)},
	{"up_proj", WEFT_ADAPTED_UP, IN_EXPERT(up)},
	{"down_proj", WEFT_ADAPTED_DOWN, IN_EXPERT(down)},
	{"w1", WEFT_ADAPTED_GATE, IN_EXPERT(gate)},
	{"w3", WEFT_ADAPTED_UP, IN_EXPERT(up)},
	{"w2", WEFT_ADAPTED_DOWN, IN_EXPERT(down)},
};

static const Name *find_name(const Name *names, gsize n_names, const char *text)
{
	for (gsize i = 0; i < n_names; i++)
		if (strcmp(names[i].name, text) == 0)
			return &names[i];
	return NULL;
}

/* "N.rest": moves *text behind it. */
static gboolean take_number(const char **text, gsize end, gsize *ret_number)
{
	char *after;
	if (!g_ascii_isdigit(**text))
		return FALSE;
	guint64 number = g_ascii_strtoull(*text, &after, 10);
	if (*after != '.' || number >= end)
		return FALSE;
	*text = after + 1;
	*ret_number = (gsize)number;
	return TRUE;
}

static const char *after_prefix(const char *text, const char *prefix)
{
	gsize n = strlen(prefix);
	return strncmp(text, prefix, n) == 0 && text[n] == '.' ? text + n + 1 : NULL;
}

static gboolean refuse_name(const WeftFitter *fitter, const WeftLoraPair *pair, GError **error)
{
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
		    "tensor %s: the base (%s, %" G_GSIZE_FORMAT " layers, %" G_GSIZE_FORMAT
		    " experts) has no %s that can be adapted", pair->a->name,
		    fitter->config->model_type, fitter->arch->n_layers, fitter->arch->n_experts,
		    pair->module);
	return FALSE;
}

static gboolean fit_layer_name(WeftFitter *fitter, const WeftLoraPair *pair, gsize layer,
			       const Name *name, const char *parameter, GError **error)
{
	const WeftLayerWeights *weights = &fitter->weights->layers[layer];
	gboolean is_permuted = fitter->config->text.qk_rows_permuted &&
			       (name->which == WEFT_ADAPTED_Q || name->which == WEFT_ADAPTED_K);
	const WeftPlace place = {
		.base = (gconstpointer)((const char *)weights + name->offset),
		.is_permuted = is_permuted,
		.parameter = parameter,
		.part = &fitter->adapter->layers[layer].parts[name->which],
	};
	return weft_fitter_matrix(fitter, pair, &place, error);
}

/* experts, experts.N.gate_proj and the like; `rest` is what stands behind "experts". */
static gboolean fit_experts(WeftFitter *fitter, const WeftLoraPair *pair, gsize layer,
			    const char *rest, GError **error)
{
	WeftAdapterLayer *parts = &fitter->adapter->layers[layer];
	const Name *name;
	gsize expert;

	if (!parts->experts)
		parts->experts = weft_fitter_own(fitter, fitter->arch->n_experts,
						 sizeof(*parts->experts), error);
	if (!parts->experts)
		return FALSE;
	if (*rest == '\0')
		return weft_fitter_fused(fitter, pair, parts, error);
	rest++;
	if (!take_number(&rest, fitter->arch->n_experts, &expert))
		return refuse_name(fitter, pair, error);
	name = find_name(expert_names, G_N_ELEMENTS(expert_names), rest);
	if (!name)
		return refuse_name(fitter, pair, error);
	const WeftExpert *base = &fitter->weights->layers[layer].experts[expert];
	const WeftPlace place = {
		.base = (gconstpointer)((const char *)base + name->offset),
		.is_kn = base->is_kn,
		.part = &parts->experts[expert].parts[name->which - WEFT_ADAPTED_GATE],
	};
	return weft_fitter_matrix(fitter, pair, &place, error);
}

static gboolean fit_feed_forward(WeftFitter *fitter, const WeftLoraPair *pair, gsize layer,
				 const char *rest, GError **error)
{
	static const Name router = {"router", WEFT_ADAPTED_ROUTER, IN_LAYER(router)};
	gboolean is_moe = fitter->arch->layers[layer].is_moe;
	gboolean is_shared = fitter->arch->has_shared_expert;
	const char *dense = is_moe && is_shared ? after_prefix(rest, "shared_expert")
			    : is_moe            ? NULL
						: rest;
	const Name *name = dense ? find_name(dense_names, G_N_ELEMENTS(dense_names), dense) : NULL;

	if (name)
		return fit_layer_name(fitter, pair, layer, name, NULL, error);
	if (is_moe && strcmp(rest, is_shared ? "router" : "gate") == 0)
		return fit_layer_name(fitter, pair, layer, &router, "weight", error);
	if (is_moe && (strcmp(rest, "experts") == 0 || after_prefix(rest, "experts")))
		return fit_experts(fitter, pair, layer, rest + strlen("experts"), error);
	return refuse_name(fitter, pair, error);
}

static gboolean fit_layer(WeftFitter *fitter, const WeftLoraPair *pair, const char *rest,
			  GError **error)
{
	const WeftArch *arch = fitter->arch;
	const Name *name;
	const char *inner;
	gsize layer;

	if (!take_number(&rest, arch->n_layers, &layer))
		return refuse_name(fitter, pair, error);
	name = find_name(attention_names, G_N_ELEMENTS(attention_names), rest);
	if (name)
		return fit_layer_name(fitter, pair, layer, name, NULL, error);
	inner = after_prefix(rest, arch->ffn_name);
	if (!inner)
		inner = after_prefix(rest, arch->ffn_name_new);
	return inner ? fit_feed_forward(fitter, pair, layer, inner, error)
		     : refuse_name(fitter, pair, error);
}

/* ---- embedding and head ---- */

static const WeftTensor *embed_of(const WeftFitter *fitter)
{
	return fitter->adapter->embed.data ? &fitter->adapter->embed : &fitter->weights->embed;
}

static const WeftTensor *head_of(const WeftFitter *fitter)
{
	return fitter->adapter->head.data ? &fitter->adapter->head : &fitter->weights->head;
}

/* A [r,V] is turned, so that a token's numbers lie side by side. */
static gboolean fit_embedding(WeftFitter *fitter, const WeftLoraPair *pair, GError **error)
{
	const WeftTensor *base = embed_of(fitter);
	gsize n_vocab = base->size[0], width = base->size[1], rank = pair->a->shape[0];
	const WeftPick turned = {n_vocab, rank, 0, 1, n_vocab};
	WeftLowRank *part = &fitter->adapter->embed_part;
	const WeftPlace place = {.part = part};

	if (!pair->is_embedding || pair->magnitude || pair->bias)
		return weft_fitter_refuse(
			pair->path, "has a magnitude or a bias, or is adapted as a matrix", error);
	if (pair->a->shape[1] != n_vocab)
		return weft_fitter_refuse_shape(pair->a, rank, n_vocab, error);
	if (pair->b->shape[0] != width)
		return weft_fitter_refuse_shape(pair->b, width, rank, error);
	if (!weft_fitter_claim(fitter, &place, pair, rank, part, error))
		return FALSE;
	part->b = weft_fitter_view(pair->b);
	return weft_fitter_pick(fitter, pair->a, &turned, &part->a, error);
}

static gboolean is_of_vision(const WeftLoraPair *pair)
{
	return after_prefix(pair->module, "vision_model") ||
	       after_prefix(pair->module, "multi_modal_projector");
}

static gboolean fit_pair(WeftFitter *fitter, const WeftLoraPair *pair, GError **error)
{
	const char *rest = after_prefix(pair->module, "layers");
	if (is_of_vision(pair))
		return TRUE;
	if (rest)
		return fit_layer(fitter, pair, rest, error);
	if (strcmp(pair->module, "embed_tokens") == 0)
		return fit_embedding(fitter, pair, error);
	if (strcmp(pair->module, "lm_head") != 0)
		return refuse_name(fitter, pair, error);
	const WeftPlace place = {.base = head_of(fitter), .part = &fitter->adapter->head_part};
	return weft_fitter_matrix(fitter, pair, &place, error);
}

/* PEFT saves embedding and head whole beside their pairs; where they are the base's, the base's
 * serve. */
static gboolean fit_weight(WeftFitter *fitter, const WeftLoraWeight *weight, GError **error)
{
	const WeftTensorView *view = weight->view;
	gboolean is_head = strcmp(weight->module, "lm_head") == 0;
	const WeftTensor *base = is_head ? &fitter->weights->head : &fitter->weights->embed;
	WeftTensor *own_tensor = is_head ? &fitter->adapter->head : &fitter->adapter->embed;

	if (!is_head && strcmp(weight->module, "embed_tokens") != 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
			    "tensor %s: only embed_tokens and lm_head can be saved whole "
			    "(modules_to_save)", view->name);
		return FALSE;
	}
	if (view->n_dims != 2 || view->shape[0] != base->size[0] || view->shape[1] != base->size[1])
		return weft_fitter_refuse_shape(view, base->size[0], base->size[1], error);
	if (own_tensor->data) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS, "%s is there twice", weight->path);
		return FALSE;
	}
	if (view->dtype != base->dtype || base->scales ||
	    memcmp(view->data, base->data, view->size_bytes) != 0)
		*own_tensor = weft_fitter_view(view);
	return TRUE;
}

/* ---- the whole ---- */

static void note_room(WeftAdapter *adapter, const WeftLowRank *part)
{
	if (part->a.data)
		adapter->room = MAX(adapter->room, weft_low_rank_room(part));
}

static void find_room(WeftAdapter *adapter, gsize n_experts)
{
	note_room(adapter, &adapter->embed_part);
	note_room(adapter, &adapter->head_part);
	for (gsize i = 0; i < adapter->n_layers; i++) {
		const WeftAdapterLayer *layer = &adapter->layers[i];
		for (gsize j = 0; j < WEFT_ADAPTED_COUNT; j++)
			note_room(adapter, &layer->parts[j]);
		for (gsize e = 0; layer->experts && e < n_experts; e++)
			for (gsize j = 0; j < WEFT_ADAPTED_IN_EXPERT; j++)
				note_room(adapter, &layer->experts[e].parts[j]);
	}
}

/* An adapter of the vision tower alone over a base without one would change nothing. */
static gboolean check_use(const WeftFitter *fitter, GError **error)
{
	const WeftLora *lora = fitter->adapter->lora;
	gboolean is_used = fitter->config->has_vision || weft_lora_n_weights(lora) > 0;
	for (gsize i = 0; !is_used && i < weft_lora_n_pairs(lora); i++)
		is_used = !is_of_vision(weft_lora_pair_at(lora, i));
	if (!is_used)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    "tensor %s: the base has no vision tower, and nothing else is adapted",
			    weft_lora_pair_at(lora, 0)->a->name);
	return is_used;
}

static gboolean fit_all(WeftFitter *fitter, GError **error)
{
	const WeftLora *lora = fitter->adapter->lora;
	if (!check_use(fitter, error))
		return FALSE;
	for (gsize i = 0; i < weft_lora_n_weights(lora); i++)
		if (!fit_weight(fitter, weft_lora_weight_at(lora, i), error))
			return FALSE;
	for (gsize i = 0; i < weft_lora_n_pairs(lora); i++)
		if (!fit_pair(fitter, weft_lora_pair_at(lora, i), error))
			return FALSE;
	return TRUE;
}

WeftAdapter *weft_adapter_new(const WeftLora *lora, const WeftConfig *config, const WeftArch *arch,
			      const WeftWeights *weights, const WeftKernels *kernels,
			      GError **error)
{
	g_autoptr(WeftAdapter) adapter = g_new0(WeftAdapter, 1);
	WeftFitter fitter = {adapter, config, arch, weights, kernels};

	adapter->lora = lora;
	adapter->n_layers = arch->n_layers;
	adapter->layers = g_new0(WeftAdapterLayer, arch->n_layers);
	adapter->copies = g_ptr_array_new_with_free_func(g_free);
	if (!fit_all(&fitter, error)) {
		g_prefix_error(error, "adapter %s: ", weft_lora_name(lora));
		return NULL;
	}
	find_room(adapter, arch->n_experts);
	return g_steal_pointer(&adapter);
}

void weft_adapter_free(WeftAdapter *adapter)
{
	if (!adapter)
		return;
	g_ptr_array_unref(adapter->copies);
	g_free(adapter->layers);
	g_free(adapter);
}

const WeftLowRank *weft_adapter_part(const WeftAdapter *adapter, gsize layer,
				     const guint32 *expert, WeftAdapted which)
{
	const WeftAdapterLayer *parts = &adapter->layers[layer];
	const WeftLowRank *part = NULL;
	if (!expert)
		part = &parts->parts[which];
	else if (parts->experts)
		part = &parts->experts[*expert].parts[which - WEFT_ADAPTED_GATE];
	return part && part->a.data ? part : NULL;
}
