#include "bundle/quantize_plan.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

/* How the values of a tensor are stored. */
typedef enum {
	AS_F32,    /* norms, routers, tables */
	AS_MATRIX, /* the type asked for, where rows are whole blocks */
	AS_F16,    /* matrices of the vision part */
} Storage;

static void piece_free(gpointer data)
{
	WeftQuantizePiece *piece = data;
	g_free(piece->name);
	g_free(piece->values);
	g_array_unref(piece->matrices);
	g_free(piece);
}

void weft_quantize_plan_clear(WeftQuantizePlan *plan)
{
	g_clear_pointer(&plan->pieces, g_ptr_array_unref);
	g_clear_pointer(&plan->notes, g_ptr_array_unref);
}

static void plan_init(WeftQuantizePlan *plan, const WeftBundle *bundle, WeftDtype dtype,
		      WeftGgufArchitecture architecture)
{
	*plan = (WeftQuantizePlan){.bundle = bundle,
				   .architecture = architecture,
				   .dtype = dtype,
				   .pieces = g_ptr_array_new_with_free_func(piece_free),
				   .notes = g_ptr_array_new_with_free_func(g_free)};
}

/* ---- pieces ---- */

static WeftDtype type_of(WeftQuantizePlan *plan, Storage storage, gsize n_cols)
{
	if (storage == AS_F32)
		return WEFT_DTYPE_F32;
	if (storage == AS_F16)
		return WEFT_DTYPE_F16;
	if (n_cols % weft_dtype_block_values(plan->dtype) == 0)
		return plan->dtype;
	if (n_cols % weft_dtype_block_values(WEFT_DTYPE_Q8_0) == 0) {
		plan->n_q8_0++;
		return WEFT_DTYPE_Q8_0;
	}
	plan->n_f16++;
	return WEFT_DTYPE_F16;
}

/* An empty piece; its sizes come from a bundle that opened, so their product fits. */
static WeftQuantizePiece *add_piece(WeftQuantizePlan *plan, char *take_name, Storage storage,
				    gsize n_dims, const gsize *shape)
{
	WeftQuantizePiece *piece = g_new0(WeftQuantizePiece, 1);
	gsize n_rows = 1, n_cols = shape[n_dims - 1];

	piece->name = take_name;
	piece->dtype = type_of(plan, storage, n_cols);
	piece->n_dims = n_dims;
	memcpy(piece->shape, shape, n_dims * sizeof *shape);
	for (gsize i = 0; i + 1 < n_dims; i++)
		n_rows *= shape[i];
	piece->size_bytes = n_rows * weft_dtype_row_bytes(piece->dtype, n_cols);
	piece->matrices = g_array_new(FALSE, FALSE, sizeof(WeftMatrixSource));
	g_ptr_array_add(plan->pieces, piece);
	return piece;
}

static WeftMatrixSource source_of_view(const WeftTensorView *view)
{
	gsize n_cols = view->n_dims > 0 ? view->shape[view->n_dims - 1] : 1, n_rows = 1;
	for (gsize i = 0; i + 1 < view->n_dims; i++)
		n_rows *= view->shape[i];
	return (WeftMatrixSource){.data = view->data,
				  .dtype = view->dtype,
				  .n_rows = n_rows,
				  .n_cols = n_cols,
				  .row_stride = n_cols,
				  .col_stride = 1};
}

/* The matrix with its FP8 scales, which are [n_rows, 1]. */
static gboolean find_matrix(const WeftQuantizePlan *plan, const char *name, gsize n_rows,
			    gsize n_cols, WeftMatrixSource *ret_source, GError **error)
{
	const gsize shape[] = {n_rows, n_cols}, scale_shape[] = {n_rows, 1};
	const WeftTensorView *view = weft_bundle_tensor(plan->bundle, name, 2, shape, error);

	if (!view)
		return FALSE;
	*ret_source = source_of_view(view);
	if (view->dtype != WEFT_DTYPE_F8_E4M3)
		return TRUE;
	g_autofree char *scale_name = g_strconcat(name, "_scale", NULL);
	ret_source->scales = weft_bundle_tensor(plan->bundle, scale_name, 2, scale_shape, error);
	return ret_source->scales != NULL;
}

/* `plain`: without "model."; `head_rows`: as in WeftMatrixSource. */
static gboolean add_matrix(WeftQuantizePlan *plan, const char *plain, Storage storage, gsize n_rows,
			   gsize n_cols, gsize head_rows, GError **error)
{
	const gsize shape[] = {n_rows, n_cols};
	WeftMatrixSource source;
	if (!find_matrix(plan, plain, n_rows, n_cols, &source, error))
		return FALSE;
	source.head_rows = head_rows;
	WeftQuantizePiece *piece = add_piece(
		plan, weft_gguf_name_written(plan->architecture, plain), storage, 2, shape);
	g_array_append_val(piece->matrices, source);
	return TRUE;
}

static gboolean add_vector(WeftQuantizePlan *plan, const char *plain, gsize n, GError **error)
{
	const WeftTensorView *view = weft_bundle_tensor(plan->bundle, plain, 1, &n, error);
	if (!view)
		return FALSE;
	WeftMatrixSource source = source_of_view(view);
	WeftQuantizePiece *piece =
		add_piece(plan, weft_gguf_name_written(plan->architecture, plain), AS_F32, 1, &n);
	g_array_append_val(piece->matrices, source);
	return TRUE;
}

/* ---- experts ---- */

typedef enum { GATE, UP, DOWN } Part;

static const char *const PART_NAMES[] = {"gate_proj", "up_proj", "down_proj"};
static const char *const PART_NAMES_MIXTRAL[] = {"w1", "w3", "w2"};

/* Expert `e` of a tensor that holds gate and up of all, or down of all. Llama 4 stores them
 * [in, out], others [out, in]. */
static gboolean fused_expert(const WeftQuantizePlan *plan, const char *prefix, gsize e, Part part,
			     WeftMatrixSource *ret_source, GError **error)
{
	const WeftTextConfig *text = &weft_bundle_config(plan->bundle)->text;
	gboolean is_turned = plan->architecture == WEFT_GGUF_LLAMA4;
	gsize n_in = part == DOWN ? text->ffn_expert : text->width;
	gsize n_all = part == DOWN ? text->width : 2 * text->ffn_expert; /* rows of gate and up */
	gsize first = part == UP ? text->ffn_expert : 0;
	const gsize shape[] = {text->n_experts, is_turned ? n_in : n_all, is_turned ? n_all : n_in};
	const gsize scales_up[] = {text->n_experts, 1, n_all};
	const gsize scales_down[] = {text->n_experts, n_all, 1};
	g_autofree char *name =
		g_strconcat(prefix, part == DOWN ? "down_proj" : "gate_up_proj", NULL);
	const WeftTensorView *view = weft_bundle_tensor(plan->bundle, name, 3, shape, error);

	if (!view)
		return FALSE;
	*ret_source = source_of_view(view);
	ret_source->n_rows = part == DOWN ? text->width : text->ffn_expert;
	ret_source->n_cols = n_in;
	ret_source->row_stride = is_turned ? 1 : n_in;
	ret_source->col_stride = is_turned ? n_all : 1;
	ret_source->data += weft_dtype_row_bytes(
		view->dtype, e * n_in * n_all + first * ret_source->row_stride);
	if (view->dtype != WEFT_DTYPE_F8_E4M3)
		return TRUE;
	g_autofree char *scale_name = g_strconcat(name, "_scale", NULL);
	ret_source->scale_first = e * n_all + first;
	ret_source->scales = weft_bundle_tensor(plan->bundle, scale_name, 3,
						part == DOWN ? scales_down : scales_up, error);
	return ret_source->scales != NULL;
}

static gboolean expert(const WeftQuantizePlan *plan, const char *prefix, gsize e, Part part,
		       WeftMatrixSource *ret_source, GError **error)
{
	const WeftTextConfig *text = &weft_bundle_config(plan->bundle)->text;
	gsize n_rows = part == DOWN ? text->width : text->ffn_expert;
	gsize n_cols = part == DOWN ? text->ffn_expert : text->width;
	g_autofree char *fused = g_strconcat(prefix, "gate_up_proj", NULL);

	if (weft_bundle_find(plan->bundle, fused))
		return fused_expert(plan, prefix, e, part, ret_source, error);
	g_autofree char *name = g_strdup_printf("%s%zu.%s.weight", prefix, e, PART_NAMES[part]);
	g_autofree char *other =
		g_strdup_printf("%s%zu.%s.weight", prefix, e, PART_NAMES_MIXTRAL[part]);
	return find_matrix(plan, weft_bundle_find(plan->bundle, other) ? other : name, n_rows, n_cols,
			   ret_source, error);
}

/* `prefix`: of the names in the checkpoint, `written`: of those that have a name in GGUF. */
static gboolean add_experts(WeftQuantizePlan *plan, const char *prefix, const char *written,
			    GError **error)
{
	const WeftTextConfig *text = &weft_bundle_config(plan->bundle)->text;
	for (Part part = GATE; part <= DOWN; part++) {
		const gsize shape[] = {text->n_experts,
				       part == DOWN ? text->width : text->ffn_expert,
				       part == DOWN ? text->ffn_expert : text->width};
		g_autofree char *plain = g_strdup_printf("%s%s.weight", written, PART_NAMES[part]);
		WeftQuantizePiece *piece =
			add_piece(plan, weft_gguf_name_written(plan->architecture, plain),
				  AS_MATRIX, 3, shape);
		for (gsize e = 0; e < text->n_experts; e++) {
			WeftMatrixSource source;
			if (!expert(plan, prefix, e, part, &source, error))
				return FALSE;
			g_array_append_val(piece->matrices, source);
		}
	}
	return TRUE;
}

/* ---- layers ---- */

static gboolean add_ffn(WeftQuantizePlan *plan, const char *prefix, gsize ffn, GError **error)
{
	gsize width = weft_bundle_config(plan->bundle)->text.width;
	for (Part part = GATE; part <= DOWN; part++) {
		g_autofree char *plain = g_strdup_printf("%s.%s.weight", prefix, PART_NAMES[part]);
		if (!add_matrix(plan, plain, AS_MATRIX, part == DOWN ? width : ffn,
				part == DOWN ? ffn : width, 0, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean add_moe_llama4(WeftQuantizePlan *plan, gsize layer, GError **error)
{
	const WeftTextConfig *text = &weft_bundle_config(plan->bundle)->text;
	g_autofree char *prefix = g_strdup_printf("layers.%zu.feed_forward.", layer);
	g_autofree char *router = g_strconcat(prefix, "router.weight", NULL);
	g_autofree char *shared = g_strconcat(prefix, "shared_expert", NULL);
	g_autofree char *experts = g_strconcat(prefix, "experts.", NULL);

	return add_matrix(plan, router, AS_F32, text->n_experts, text->width, 0, error) &&
	       add_experts(plan, experts, experts, error) &&
	       add_ffn(plan, shared, text->ffn_expert, error);
}

/* Re-saved checkpoints say "mlp". */
static gboolean add_moe_mixtral(WeftQuantizePlan *plan, gsize layer, GError **error)
{
	const WeftTextConfig *text = &weft_bundle_config(plan->bundle)->text;
	const gsize shape[] = {text->n_experts, text->width};
	g_autofree char *written = g_strdup_printf("layers.%zu.block_sparse_moe.", layer);
	g_autofree char *renamed = g_strdup_printf("layers.%zu.mlp.", layer);
	g_autofree char *renamed_router = g_strconcat(renamed, "gate.weight", NULL);
	const char *prefix = weft_bundle_find(plan->bundle, renamed_router) ? renamed : written;
	g_autofree char *router = g_strconcat(prefix, "gate.weight", NULL);
	g_autofree char *router_written = g_strconcat(written, "gate.weight", NULL);
	g_autofree char *experts = g_strconcat(prefix, "experts.", NULL);
	g_autofree char *experts_written = g_strconcat(written, "experts.", NULL);
	WeftMatrixSource source;

	if (!find_matrix(plan, router, shape[0], shape[1], &source, error))
		return FALSE;
	WeftQuantizePiece *piece =
		add_piece(plan, weft_gguf_name_written(plan->architecture, router_written), AS_F32,
			  2, shape);
	g_array_append_val(piece->matrices, source);
	return add_experts(plan, experts, experts_written, error);
}

static gboolean add_attention(WeftQuantizePlan *plan, gsize layer, GError **error)
{
	const WeftTextConfig *text = &weft_bundle_config(plan->bundle)->text;
	gsize q_rows = text->n_heads * text->head_dim, k_rows = text->n_kv_heads * text->head_dim;
	gsize turned = text->rope_halves ? text->head_dim : 0;
	const struct {
		const char *name;
		gsize n_rows, n_cols, head_rows;
	} rows[] = {
		{"q_proj", q_rows, text->width, turned},
		{"k_proj", k_rows, text->width, turned},
		{"v_proj", k_rows, text->width, 0},
		{"o_proj", text->width, q_rows, 0},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *plain =
			g_strdup_printf("layers.%zu.self_attn.%s.weight", layer, rows[i].name);
		if (!add_matrix(plan, plain, AS_MATRIX, rows[i].n_rows, rows[i].n_cols,
				rows[i].head_rows, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean add_layer(WeftQuantizePlan *plan, gsize layer, GError **error)
{
	const WeftTextConfig *text = &weft_bundle_config(plan->bundle)->text;
	gboolean is_llama4 = plan->architecture == WEFT_GGUF_LLAMA4;
	g_autofree char *norm = g_strdup_printf("layers.%zu.input_layernorm.weight", layer);
	g_autofree char *norm_after =
		g_strdup_printf("layers.%zu.post_attention_layernorm.weight", layer);
	g_autofree char *ffn =
		g_strdup_printf("layers.%zu.%s", layer, is_llama4 ? "feed_forward" : "mlp");

	if (!add_vector(plan, norm, text->width, error) || !add_attention(plan, layer, error) ||
	    !add_vector(plan, norm_after, text->width, error))
		return FALSE;
	if (!text->layers[layer].is_moe)
		return add_ffn(plan, ffn, text->ffn_dense, error);
	return is_llama4 ? add_moe_llama4(plan, layer, error) : add_moe_mixtral(plan, layer, error);
}

/* ---- the rotation ---- */

/* What "llama3" divides frequency i by. */
static double divisor(const WeftTextConfig *text, gsize i)
{
	WeftTextConfig plain = *text;
	plain.rope_scaling.present = FALSE;
	return weft_text_config_frequency(&plain, i) / weft_text_config_frequency(text, i);
}

static void add_divisors(WeftQuantizePlan *plan)
{
	const WeftTextConfig *text = &weft_bundle_config(plan->bundle)->text;
	gsize n = text->head_dim / 2;
	if (!text->rope_scaling.present)
		return;
	WeftQuantizePiece *piece =
		add_piece(plan, g_strdup("rope_freqs.weight"), AS_F32, 1, &n);
	piece->values = g_new(float, n);
	for (gsize i = 0; i < n; i++)
		piece->values[i] = (float)divisor(text, i);
	WeftMatrixSource source = {.data = (const guint8 *)piece->values,
				   .dtype = WEFT_DTYPE_F32,
				   .n_rows = 1,
				   .n_cols = n,
				   .row_stride = n,
				   .col_stride = 1};
	g_array_append_val(piece->matrices, source);
}

/* ---- the whole ---- */

static void note_types(WeftQuantizePlan *plan)
{
	const struct {
		gsize n;
		const char *type;
	} others[] = {{plan->n_q8_0, "q8_0"}, {plan->n_f16, "f16"}};
	for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
		if (others[i].n > 0)
			g_ptr_array_add(plan->notes,
					g_strdup_printf("%zu tensors are written as %s: their rows are no "
							"whole blocks of %s", others[i].n,
							others[i].type,
							weft_dtype_name(plan->dtype)));
	}
}

gboolean weft_quantize_plan_text(WeftQuantizePlan *plan, const WeftBundle *bundle, WeftDtype dtype,
				 GError **error)
{
	const WeftConfig *config = weft_bundle_config(bundle);
	const WeftTextConfig *text = &config->text;

	if (!config->has_text) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "config.json: model_type \"%s\" has no text model to write as GGUF",
			    config->model_type);
		return FALSE;
	}
	plan_init(plan, bundle, dtype,
		  g_str_has_prefix(config->model_type, "llama4") ? WEFT_GGUF_LLAMA4 :
								   WEFT_GGUF_LLAMA);
	add_divisors(plan);
	if (!add_matrix(plan, "embed_tokens.weight", AS_MATRIX, text->n_vocab, text->width, 0, error))
		return FALSE;
	for (gsize layer = 0; layer < text->n_layers; layer++) {
		if (!add_layer(plan, layer, error))
			return FALSE;
	}
	if (!add_vector(plan, "norm.weight", text->width, error) ||
	    (!text->tie_embeddings &&
	     !add_matrix(plan, "lm_head.weight", AS_MATRIX, text->n_vocab, text->width, 0, error)))
		return FALSE;
	note_types(plan);
	return TRUE;
}

gboolean weft_quantize_plan_vision(WeftQuantizePlan *plan, const WeftBundle *bundle, GError **error)
{
	if (!weft_bundle_config(bundle)->has_vision) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "config.json: there is no vision part");
		return FALSE;
	}
	plan_init(plan, bundle, WEFT_DTYPE_F16, WEFT_GGUF_CLIP);
	for (gsize i = 0; i < weft_bundle_n_tensors(bundle); i++) {
		const WeftTensorView *view = weft_bundle_tensor_at(bundle, i);
		const char *plain =
			view->name + (g_str_has_prefix(view->name, "model.") ? strlen("model.") : 0);
		if (!g_str_has_prefix(plain, "vision_model.") &&
		    !g_str_has_prefix(plain, "multi_modal_projector."))
			continue;
		char *name = weft_gguf_name_written(WEFT_GGUF_CLIP, plain);
		if (!name || view->size_bytes == 0 || view->n_dims == 0 ||
		    view->dtype == WEFT_DTYPE_F8_E4M3) {
			g_free(name);
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
				    "%s: tensor %s has no place in a GGUF vision part", view->file,
				    view->name);
			return FALSE;
		}
		gboolean is_matrix = view->n_dims > 1 &&
				     !g_str_has_suffix(plain, "positional_embedding_vlm");
		WeftQuantizePiece *piece = add_piece(plan, name, is_matrix ? AS_F16 : AS_F32,
						     view->n_dims, view->shape);
		WeftMatrixSource source = source_of_view(view);
		g_array_append_val(piece->matrices, source);
	}
	return TRUE;
}
