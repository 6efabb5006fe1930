#include <string.h>

#include "model/layer.h"

/* Rows of h that chose `expert`, with their weights. */
static gsize rows_of_expert(const WeftPass *pass, guint32 expert)
{
	gsize n_active = pass->arch->n_experts_active, n = 0;
	for (gsize row = 0; row < pass->n_rows; row++)
		for (gsize i = 0; i < n_active; i++)
			if (pass->router_index[row * n_active + i] == expert) {
				pass->expert_rows[n] = (guint32)row;
				pass->expert_factors[n++] = pass->router_weights[row * n_active + i];
			}
	return n;
}

/* One pass over an expert's weights serves all its rows. Llama 4: the score scales the input of
 * the expert, before gate and up; Mixtral: its output. */
static void run_expert(WeftPass *pass, const WeftLayerWeights *layer, guint32 number, gsize n_rows)
{
	const WeftExpert *expert = &layer->experts[number];
	const WeftArch *arch = pass->arch;
	const WeftKernels *kernels = pass->kernels;
	gsize ffn = arch->ffn_expert;
	WeftTensor h = weft_tensor_matrix(pass->h, WEFT_DTYPE_F32, pass->n_rows, arch->width);
	const float *factors = pass->expert_factors;
	__typeof__(kernels->gemm) product = expert->is_kn ? kernels->gemm_kn : kernels->gemm;

	kernels->fetch_rows(kernels->team, pass->routed, &h, pass->expert_rows, n_rows);
	if (arch->score_scales_input) {
		kernels->scale_rows(kernels->team, pass->routed, pass->routed, factors, n_rows,
				    arch->width);
		factors = NULL;
	}
	product(kernels->team, pass->gate, pass->routed, n_rows, &expert->gate, NULL);
	product(kernels->team, pass->up, pass->routed, n_rows, &expert->up, NULL);
	weft_pass_adapt_expert(pass, layer, number, WEFT_ADAPTED_GATE, pass->gate, pass->routed,
			       n_rows);
	weft_pass_adapt_expert(pass, layer, number, WEFT_ADAPTED_UP, pass->up, pass->routed,
			       n_rows);
	kernels->swiglu(kernels->team, pass->up, pass->gate, pass->up, n_rows, ffn, ffn);
	product(kernels->team, pass->routed, pass->up, n_rows, &expert->down, NULL);
	weft_pass_adapt_expert(pass, layer, number, WEFT_ADAPTED_DOWN, pass->routed, pass->up,
			       n_rows);
	kernels->add_rows(kernels->team, pass->y, pass->routed, pass->expert_rows, factors, n_rows,
			  arch->width);
}

/* Counts who chose what, for the segments that are asked about. */
static void count_routes(const WeftPass *pass, gsize layer)
{
	const WeftArch *arch = pass->arch;
	gsize slot = 0;
	for (gsize i = 0; i < layer; i++)
		slot += arch->layers[i].is_moe ? 1 : 0;
	for (gsize s = 0; s < pass->n_segments; s++) {
		const WeftSegment *segment = &pass->segments[s];
		const guint32 *chosen =
			pass->router_index + segment->row_first * arch->n_experts_active;
		if (!segment->routing)
			continue;
		for (gsize i = 0; i < segment->n_rows * arch->n_experts_active; i++)
			segment->routing->counts[slot * arch->n_experts + chosen[i]]++;
	}
}

void weft_moe_run(WeftPass *pass, gsize index)
{
	const WeftArch *arch = pass->arch;
	const WeftKernels *kernels = pass->kernels;
	const WeftLayerWeights *layer = &pass->weights->layers[index];

	kernels->gemm(kernels->team, pass->router_logits, pass->h, pass->n_rows, &layer->router,
		      NULL);
	weft_pass_adapt(pass, layer, WEFT_ADAPTED_ROUTER, pass->router_logits, pass->h);
	kernels->router_topk(kernels->team, pass->router_index, pass->router_weights,
			     pass->router_logits, pass->n_rows, arch->n_experts,
			     arch->n_experts_active, arch->router);
	count_routes(pass, index);
	if (arch->has_shared_expert)
		weft_feed_forward_run(pass, layer);
	else
		memset(pass->y, 0, pass->n_rows * arch->width * sizeof(*pass->y));
	for (guint32 expert = 0; expert < arch->n_experts; expert++) {
		gsize n_rows = rows_of_expert(pass, expert);
		if (n_rows == 0)
			continue;
		weft_residency_need_expert(pass->residency, index, expert);
		run_expert(pass, layer, expert, n_rows);
	}
}
