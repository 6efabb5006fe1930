/* experts.c - the routed experts of a layer, in the four layouts that files have:
 *
 *   fused    experts.gate_up_proj [E,W,2F], experts.down_proj [E,F,W]    Llama 4, stored [in,out]
 *            or [E,2F,W], [E,W,F]                                        Mixtral, saved anew
 *   stacked  experts.{gate,up,down}_proj.weight [E,out,in]               GGUF
 *   linear   experts.N.{gate,up,down}_proj.weight [out,in]               llm-compressor and others
 *   linear   experts.N.{w1,w3,w2}.weight [out,in]                        Mixtral as published
 */
#include "model/loader.h"

static char *expert_name(gsize layer, const char *ffn, gsize expert, const char *which)
{
	g_autofree char *rest =
		g_strdup_printf("experts.%" G_GSIZE_FORMAT ".%s.weight", expert, which);
	return weft_loader_name(layer, ffn, rest);
}

/* Rows [row, row + n) of a matrix. */
static WeftTensor rows_of(const WeftTensor *matrix, gsize row, gsize n)
{
	WeftTensor part = *matrix;
	part.data = weft_tensor_row(matrix, row);
	part.size[0] = n;
	if (part.scales)
		part.scales += row;
	return part;
}

/* Columns [col, col + n) of a matrix [in,out]; its format has blocks of one number. */
static WeftTensor columns_of(const WeftTensor *matrix, gsize col, gsize n)
{
	WeftTensor part = *matrix;
	part.data = (const char *)matrix->data + weft_dtype_row_bytes(matrix->dtype, col);
	part.size[1] = n;
	if (part.scales)
		part.scales += col;
	return part;
}

static gboolean load_scales(const WeftLoader *loader, const char *name, const char *letters,
			    const WeftTensor *tensor, const float **ret_scales, GError **error)
{
	g_autofree char *scale_name = g_strconcat(name, "_scale", NULL);
	*ret_scales = NULL;
	return tensor->dtype != WEFT_DTYPE_F8_E4M3 ||
	       weft_loader_vector(loader, scale_name, letters, ret_scales, error);
}

static gboolean load_fused(const WeftLoader *loader, gsize layer, const char *ffn,
			   WeftExpert *experts, GError **error)
{
	const WeftArch *arch = loader->arch;
	gboolean is_kn = arch->experts_are_kn;
	g_autofree char *gate_up_name = weft_loader_name(layer, ffn, "experts.gate_up_proj");
	g_autofree char *down_name = weft_loader_name(layer, ffn, "experts.down_proj");
	const float *gate_up_scales, *down_scales;
	gsize ffn_width = arch->ffn_expert;
	WeftTensor gate_up, down;

	if (!weft_loader_view(loader, gate_up_name, is_kn ? "EWG" : "EGW", &gate_up, error) ||
	    !weft_loader_view(loader, down_name, is_kn ? "EFW" : "EWF", &down, error) ||
	    !load_scales(loader, gate_up_name, "E1G", &gate_up, &gate_up_scales, error) ||
	    !load_scales(loader, down_name, "EW1", &down, &down_scales, error))
		return FALSE;
	for (gsize e = 0; e < arch->n_experts; e++) {
		WeftTensor both = weft_tensor_part(&gate_up, e);
		if (gate_up_scales)
			both.scales = gate_up_scales + e * 2 * ffn_width;
		__typeof__(&rows_of) outputs_of = is_kn ? columns_of : rows_of;
		experts[e] = (WeftExpert){.gate = outputs_of(&both, 0, ffn_width),
					  .up = outputs_of(&both, ffn_width, ffn_width),
					  .down = weft_tensor_part(&down, e),
					  .is_kn = is_kn};
		if (down_scales)
			experts[e].down.scales = down_scales + e * arch->width;
	}
	return TRUE;
}

static gboolean load_stacked(const WeftLoader *loader, gsize layer, const char *ffn,
			     WeftExpert *experts, GError **error)
{
	g_autofree char *gate_name = weft_loader_name(layer, ffn, "experts.gate_proj.weight");
	g_autofree char *up_name = weft_loader_name(layer, ffn, "experts.up_proj.weight");
	g_autofree char *down_name = weft_loader_name(layer, ffn, "experts.down_proj.weight");
	WeftTensor gate, up, down;

	if (!weft_loader_view(loader, gate_name, "EFW", &gate, error) ||
	    !weft_loader_view(loader, up_name, "EFW", &up, error) ||
	    !weft_loader_view(loader, down_name, "EWF", &down, error))
		return FALSE;
	for (gsize e = 0; e < loader->arch->n_experts; e++)
		experts[e] = (WeftExpert){.gate = weft_tensor_part(&gate, e),
					  .up = weft_tensor_part(&up, e),
					  .down = weft_tensor_part(&down, e)};
	return TRUE;
}

/* `names`: of gate, up, down. */
static gboolean load_linear(const WeftLoader *loader, gsize layer, const char *ffn,
			    const char *const names[3], WeftExpert *experts, GError **error)
{
	for (gsize e = 0; e < loader->arch->n_experts; e++) {
		g_autofree char *gate = expert_name(layer, ffn, e, names[0]);
		g_autofree char *up = expert_name(layer, ffn, e, names[1]);
		g_autofree char *down = expert_name(layer, ffn, e, names[2]);
		experts[e].is_kn = FALSE;
		if (!weft_loader_matrix(loader, gate, "FW", &experts[e].gate, error) ||
		    !weft_loader_matrix(loader, up, "FW", &experts[e].up, error) ||
		    !weft_loader_matrix(loader, down, "WF", &experts[e].down, error))
			return FALSE;
	}
	return TRUE;
}

gboolean weft_loader_experts(const WeftLoader *loader, gsize layer, const char *ffn,
			     WeftExpert *ret_experts, GError **error)
{
	static const char *const llama4[] = {"gate_proj", "up_proj", "down_proj"};
	static const char *const mixtral[] = {"w1", "w3", "w2"};
	g_autofree char *stacked = weft_loader_name(layer, ffn, "experts.gate_proj.weight");
	g_autofree char *linear = expert_name(layer, ffn, 0, "gate_proj");
	g_autofree char *published = expert_name(layer, ffn, 0, "w1");

	if (weft_loader_has(loader, stacked))
		return load_stacked(loader, layer, ffn, ret_experts, error);
	if (weft_loader_has(loader, linear))
		return load_linear(loader, layer, ffn, llama4, ret_experts, error);
	if (weft_loader_has(loader, published))
		return load_linear(loader, layer, ffn, mixtral, ret_experts, error);
	return load_fused(loader, layer, ffn, ret_experts, error);
}
