/* adapt.c - what adapters add to the rows of a pass. Rows without one are never touched. */
#include "model/layer.h"

gboolean weft_pass_prepare(WeftPass *pass, const WeftAdapter *adapter, GError **error)
{
	if (adapter->room <= pass->adapter_room_size)
		return TRUE;
	float *room = weft_kernels_alloc(pass->kernels, adapter->room, sizeof(*room), error);
	if (!room)
		return FALSE;
	weft_kernels_free(pass->kernels, pass->adapter_room);
	pass->adapter_room = room;
	pass->adapter_room_size = adapter->room;
	return TRUE;
}

/* Rows [first, ret) have one adapter. `rows`: the pass's row of each; NULL: the same. */
static gsize run_end(const WeftPass *pass, const guint32 *rows, gsize first, gsize n)
{
	const WeftAdapter *adapter = pass->adapters[rows ? rows[first] : first];
	gsize end = first + 1;
	while (end < n && pass->adapters[rows ? rows[end] : end] == adapter)
		end++;
	return end;
}

/* A product of a layer. */
typedef struct Where {
	const WeftLayerWeights *layer;
	const guint32 *expert; /* NULL: not of a routed one */
	WeftAdapted which;
} Where;

static void adapt(WeftPass *pass, const Where *where, float *y, const float *x,
		  const guint32 *rows, gsize n)
{
	gsize index = (gsize)(where->layer - pass->weights->layers), end;
	for (gsize first = 0; pass->n_adapted > 0 && first < n; first = end) {
		const WeftAdapter *adapter = pass->adapters[rows ? rows[first] : first];
		end = run_end(pass, rows, first, n);
		const WeftLowRank *part =
			adapter ? weft_adapter_part(adapter, index, where->expert, where->which)
				: NULL;
		if (part)
			weft_low_rank_add(pass->kernels, part, y + first * part->b.size[0],
					  x + first * part->a.size[1], end - first,
					  pass->adapter_room);
	}
}

void weft_pass_adapt(WeftPass *pass, const WeftLayerWeights *layer, WeftAdapted which, float *y,
		     const float *x)
{
	const Where where = {layer, NULL, which};
	adapt(pass, &where, y, x, NULL, pass->n_rows);
}

void weft_pass_adapt_expert(WeftPass *pass, const WeftLayerWeights *layer, guint32 expert,
			    WeftAdapted which, float *y, const float *x, gsize n)
{
	const Where where = {layer, &expert, which};
	adapt(pass, &where, y, x, pass->expert_rows, n);
}

void weft_pass_adapt_logits(WeftPass *pass, const guint32 *rows, gsize n, float *logits,
			    const float *h)
{
	const WeftKernels *kernels = pass->kernels;
	gsize n_vocab = pass->arch->n_vocab, width = pass->arch->width, end;
	for (gsize first = 0; pass->n_adapted > 0 && first < n; first = end) {
		const WeftAdapter *adapter = pass->adapters[rows ? rows[first] : first];
		float *y = logits + first * n_vocab;
		const float *x = h + first * width;
		end = run_end(pass, rows, first, n);
		if (adapter && adapter->head.data)
			kernels->gemm(kernels->team, y, x, end - first, &adapter->head, NULL);
		if (adapter && adapter->head_part.a.data)
			weft_low_rank_add(kernels, &adapter->head_part, y, x, end - first,
					  pass->adapter_room);
	}
}

/* A token's part of the table's addition: its row of A^T, times B^T. */
void weft_pass_adapt_embeddings(WeftPass *pass, const WeftAdapter *adapter, float *x,
				const guint32 *ids, gsize n)
{
	const WeftKernels *kernels = pass->kernels;
	const WeftLowRank *part = &adapter->embed_part;
	if (!part->a.data)
		return;
	gsize width = part->b.size[0], rank = part->b.size[1];
	float *inner = pass->adapter_room, *outer = inner + WEFT_LOW_RANK_ROWS * rank;
	for (gsize i = 0; i < n; i += WEFT_LOW_RANK_ROWS) {
		gsize n_rows = MIN(n - i, WEFT_LOW_RANK_ROWS);
		kernels->fetch_rows(kernels->team, inner, &part->a, ids + i, n_rows);
		kernels->scale(kernels->team, inner, inner, part->scale, n_rows * rank);
		kernels->gemm(kernels->team, outer, inner, n_rows, &part->b, NULL);
		kernels->add(kernels->team, x + i * width, outer, n_rows * width);
	}
}
