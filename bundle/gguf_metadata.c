#include "bundle/gguf_metadata.h"

#include <string.h>

/* llama.cpp's numbers of "mostly" this type (general.file_type). */
static guint32 file_type(WeftDtype dtype)
{
	switch (dtype) {
	case WEFT_DTYPE_F32:
		return 0;
	case WEFT_DTYPE_Q4_0:
		return 2;
	case WEFT_DTYPE_Q8_0:
		return 7;
	case WEFT_DTYPE_Q4_K:
		return 14;
	case WEFT_DTYPE_Q6_K:
		return 18;
	default:
		return 1; /* F16 */
	}
}

static void add_general(WeftGgufWriter *writer, const char *architecture, const char *type,
			const WeftBundle *bundle, WeftDtype dtype)
{
	weft_gguf_writer_string(writer, "general.architecture", architecture);
	weft_gguf_writer_string(writer, "general.type", type);
	weft_gguf_writer_string(writer, "general.name", weft_bundle_name(bundle));
	weft_gguf_writer_u32(writer, "general.file_type", file_type(dtype));
	weft_gguf_writer_u32(writer, "general.quantization_version", 2);
}

static void add_size(WeftGgufWriter *writer, const char *prefix, const char *key, gsize size)
{
	g_autofree char *full = g_strconcat(prefix, ".", key, NULL);
	weft_gguf_writer_u32(writer, full, (guint32)size); /* config.h limits all of them */
}

static void add_number(WeftGgufWriter *writer, const char *prefix, const char *key, double number)
{
	g_autofree char *full = g_strconcat(prefix, ".", key, NULL);
	weft_gguf_writer_f32(writer, full, (float)number);
}

/* Every how many layers there are experts; 0: nowhere. */
static gsize step_of_experts(const WeftTextConfig *text)
{
	for (gsize i = 0; i < text->n_layers; i++) {
		if (text->layers[i].is_moe)
			return i + 1;
	}
	return 0;
}

/* Values of this model that other programs take for granted otherwise. */
static void note_differences(const WeftTextConfig *text, GPtrArray *notes)
{
	gboolean has_plain_rope = TRUE, has_plain_experts = TRUE;
	gsize step = step_of_experts(text);
	g_autoptr(GString) what = g_string_new(NULL);

	for (gsize i = 0; i < text->n_layers; i++) {
		has_plain_rope &= text->layers[i].has_rope == ((i + 1) % 4 != 0);
		has_plain_experts &= text->layers[i].is_moe == (step > 0 && (i + 1) % step == 0);
	}
	if (text->chunk_size != 8192)
		g_string_append(what, ", attention_chunk_size");
	if (text->floor_scale != 8192 || text->attn_scale != 0.1 || !text->temperature_tuning)
		g_string_append(what, ", attention temperature");
	if (text->qk_norm != (text->n_experts != 128))
		g_string_append(what, ", use_qk_norm");
	if (!has_plain_rope)
		g_string_append(what, ", no_rope_layers");
	if (!has_plain_experts)
		g_string_append(what, ", moe_layers");
	if (text->n_experts == 0)
		g_string_append(what, ", num_local_experts 0");
	if (what->len > 0)
		g_ptr_array_add(notes, g_strdup_printf("weft reads it all, but GGUF has no key for: %s; "
						       "other programs take the published models' "
						       "values", what->str + 2));
}

static void add_llama4(WeftGgufWriter *writer, const WeftTextConfig *text, GPtrArray *notes)
{
	add_size(writer, "llama4", "feed_forward_length",
		 text->ffn_dense > 0 ? text->ffn_dense : text->ffn_expert);
	add_size(writer, "llama4", "expert_feed_forward_length", text->ffn_expert);
	add_size(writer, "llama4", "expert_count", text->n_experts);
	add_size(writer, "llama4", "expert_used_count", text->n_experts_active);
	add_size(writer, "llama4", "interleave_moe_layer_step", step_of_experts(text));
	note_differences(text, notes);
}

static void add_llama(WeftGgufWriter *writer, const WeftTextConfig *text)
{
	add_size(writer, "llama", "feed_forward_length",
		 text->n_experts > 0 ? text->ffn_expert : text->ffn_dense);
	if (text->n_experts == 0)
		return;
	add_size(writer, "llama", "expert_count", text->n_experts);
	add_size(writer, "llama", "expert_used_count", text->n_experts_active);
}

void weft_gguf_metadata_text(WeftGgufWriter *writer, const WeftBundle *bundle,
			     WeftGgufArchitecture architecture, WeftDtype dtype, GPtrArray *notes)
{
	const WeftTextConfig *text = &weft_bundle_config(bundle)->text;
	gboolean is_llama4 = architecture == WEFT_GGUF_LLAMA4;
	const char *prefix = is_llama4 ? "llama4" : "llama";

	add_general(writer, prefix, "model", bundle, dtype);
	add_size(writer, prefix, "block_count", text->n_layers);
	add_size(writer, prefix, "context_length", text->context_max);
	add_size(writer, prefix, "embedding_length", text->width);
	add_size(writer, prefix, "attention.head_count", text->n_heads);
	add_size(writer, prefix, "attention.head_count_kv", text->n_kv_heads);
	add_size(writer, prefix, "attention.key_length", text->head_dim);
	add_size(writer, prefix, "attention.value_length", text->head_dim);
	add_number(writer, prefix, "attention.layer_norm_rms_epsilon", text->norm_eps);
	add_number(writer, prefix, "rope.freq_base", text->rope_theta);
	add_size(writer, prefix, "rope.dimension_count", text->head_dim);
	add_size(writer, prefix, "vocab_size", text->n_vocab);
	if (is_llama4)
		add_llama4(writer, text, notes);
	else
		add_llama(writer, text);
}

void weft_gguf_metadata_vision(WeftGgufWriter *writer, const WeftBundle *bundle)
{
	const WeftConfig *config = weft_bundle_config(bundle);
	const WeftVisionConfig *vision = &config->vision;
	float mean[3], std[3];

	for (gsize i = 0; i < 3; i++) {
		mean[i] = (float)config->preprocessor.mean[i];
		std[i] = (float)config->preprocessor.std[i];
	}
	add_general(writer, "clip", "mmproj", bundle, WEFT_DTYPE_F16);
	weft_gguf_writer_bool(writer, "clip.has_vision_encoder", TRUE);
	weft_gguf_writer_string(writer, "clip.projector_type", "llama4");
	add_size(writer, "clip.vision", "projection_dim", config->text.width);
	add_size(writer, "clip.vision", "image_size", vision->image_size);
	add_size(writer, "clip.vision", "patch_size", vision->patch_size);
	add_size(writer, "clip.vision", "embedding_length", vision->width);
	add_size(writer, "clip.vision", "feed_forward_length", vision->ffn);
	add_size(writer, "clip.vision", "block_count", vision->n_layers);
	add_size(writer, "clip.vision", "attention.head_count", vision->n_heads);
	add_number(writer, "clip.vision", "attention.layer_norm_epsilon", vision->norm_eps);
	add_size(writer, "clip.vision", "projector.scale_factor", vision->shuffle);
	weft_gguf_writer_f32s(writer, "clip.vision.image_mean", mean, 3);
	weft_gguf_writer_f32s(writer, "clip.vision.image_std", std, 3);
	weft_gguf_writer_bool(writer, "clip.use_gelu", TRUE);
}
