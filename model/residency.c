#include "model/residency.h"

#include "base/files.h"

struct WeftResidency {
	const WeftWeights *weights;
	gsize n_experts;
	gboolean has_head;
	guint8 *has_layer;  /* [n_layers] */
	guint8 *has_expert; /* [n_layers, n_experts] */
	guint64 bytes;
};

/* From the first number of the view to its last; rows of others may lie between. */
static gsize span_of(const WeftTensor *tensor)
{
	gsize n_rows = weft_tensor_rows(tensor);
	if (!tensor->data || n_rows == 0)
		return 0;
	return (n_rows - 1) * tensor->row_bytes +
	       weft_dtype_row_bytes(tensor->dtype, weft_tensor_cols(tensor));
}

static void need(WeftResidency *residency, const WeftTensor *tensor)
{
	if (!tensor->data) /* this layer has no such tensor */
		return;
	gsize row_bytes = weft_dtype_row_bytes(tensor->dtype, weft_tensor_cols(tensor));
	residency->bytes += weft_tensor_rows(tensor) * row_bytes;
	weft_mapping_prefetch(tensor->data, span_of(tensor));
}

WeftResidency *weft_residency_new(const WeftWeights *weights, gsize n_experts)
{
	WeftResidency *residency = g_new0(WeftResidency, 1);
	residency->weights = weights;
	residency->n_experts = n_experts;
	residency->has_layer = g_new0(guint8, weights->n_layers);
	residency->has_expert = g_new0(guint8, weights->n_layers * MAX(n_experts, 1));
	if (weights->embed.data != weights->head.data)
		weft_mapping_read_alone(weights->embed.data, span_of(&weights->embed), TRUE);
	return residency;
}

void weft_residency_free(WeftResidency *residency)
{
	if (!residency)
		return;
	g_free(residency->has_layer);
	g_free(residency->has_expert);
	g_free(residency);
}

void weft_residency_need_layer(WeftResidency *residency, gsize layer)
{
	const WeftLayerWeights *weights = &residency->weights->layers[layer];
	const WeftTensor *all[] = {&weights->q,    &weights->k,  &weights->v,
				   &weights->o,    &weights->router, &weights->gate,
				   &weights->up,   &weights->down};
	if (residency->has_layer[layer])
		return;
	residency->has_layer[layer] = TRUE;
	for (gsize t = 0; t < G_N_ELEMENTS(all); t++)
		need(residency, all[t]);
}

void weft_residency_need_expert(WeftResidency *residency, gsize layer, gsize expert)
{
	const WeftExpert *weights = &residency->weights->layers[layer].experts[expert];
	const WeftTensor *all[] = {&weights->gate, &weights->up, &weights->down};
	guint8 *has = &residency->has_expert[layer * residency->n_experts + expert];
	if (*has)
		return;
	*has = TRUE;
	for (gsize t = 0; t < G_N_ELEMENTS(all); t++)
		need(residency, all[t]);
}

void weft_residency_need_head(WeftResidency *residency)
{
	if (!residency->has_head)
		need(residency, &residency->weights->head);
	residency->has_head = TRUE;
}

void weft_residency_prefetch(WeftResidency *residency)
{
	for (gsize i = 0; i < residency->weights->n_layers; i++)
		weft_residency_need_layer(residency, i);
	weft_residency_need_head(residency);
}

guint64 weft_residency_bytes(const WeftResidency *residency)
{
	return residency->bytes;
}
