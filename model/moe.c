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
 * the expert, before gate and up. */
static void run_expert(WeftPass *pass, const WeftLayerWeights *layer, guint32 expert, gsize n_rows)
{
	const WeftArch *arch = pass->arch;
	const WeftKernels *kernels = pass->kernels;
	gsize ffn = arch->ffn_expert;
	WeftTensor h = weft_tensor_matrix(pass->h, WEFT_DTYPE_F32, pass->n_rows, arch->width);
	WeftTensor gate_up = weft_tensor_part(&layer->gate_up, expert);
	WeftTensor down = weft_tensor_part(&layer->expert_down, expert);

	kernels->fetch_rows(kernels->team, pass->routed, &h, pass->expert_rows, n_rows);
	kernels->scale_rows(kernels->team, pass->routed, pass->routed, pass->expert_factors, n_rows,
			    arch->width);
	kernels->gemm_kn(kernels->team, pass->gate, pass->routed, n_rows, &gate_up, NULL);
	kernels->swiglu(kernels->team, pass->up, pass->gate, pass->gate + ffn, n_rows, ffn,
			2 * ffn);
	kernels->gemm_kn(kernels->team, pass->routed, pass->up, n_rows, &down, NULL);
	kernels->add_rows(kernels->team, pass->y, pass->routed, pass->expert_rows, NULL, n_rows,
			  arch->width);
}

void weft_moe_run(WeftPass *pass, const WeftLayerWeights *layer)
{
	const WeftArch *arch = pass->arch;
	const WeftKernels *kernels = pass->kernels;

	kernels->gemm(kernels->team, pass->router_logits, pass->h, pass->n_rows, &layer->router,
		      NULL);
	kernels->router_topk(kernels->team, pass->router_index, pass->router_weights,
			     pass->router_logits, pass->n_rows, arch->n_experts,
			     arch->n_experts_active, arch->router);
	weft_feed_forward_run(pass, layer);
	for (guint32 expert = 0; expert < arch->n_experts; expert++) {
		gsize n_rows = rows_of_expert(pass, expert);
		if (n_rows > 0)
			run_expert(pass, layer, expert, n_rows);
	}
}
