#include "model/arch.h"

#include <math.h>

#include "base/error.h"

/* Products of two of these fit 64 bits, and a float or a page index holds what it must. */
#define SIZE_MAX_ANY (1u << 24)
#define CONTEXT_MAX (1u << 28)

typedef struct Family {
	const char *model_type, *ffn_name, *ffn_name_new;
	WeftRouter router;
	gboolean has_shared_expert, score_scales_input, experts_are_kn;
} Family;

static const Family FAMILIES[] = {
	{"llama4", "feed_forward", "feed_forward", WEFT_ROUTER_SIGMOID, TRUE, TRUE, TRUE},
	{"llama4_text", "feed_forward", "feed_forward", WEFT_ROUTER_SIGMOID, TRUE, TRUE, TRUE},
	{"llama", "mlp", "mlp", WEFT_ROUTER_SOFTMAX, FALSE, FALSE, FALSE},
	{"mixtral", "block_sparse_moe", "mlp", WEFT_ROUTER_SOFTMAX, FALSE, FALSE, FALSE},
};

static const Family *find_family(const WeftConfig *config, GError **error)
{
	const char *type = config->model_type ? config->model_type : "unknown";
	for (gsize i = 0; config->has_text && i < G_N_ELEMENTS(FAMILIES); i++)
		if (g_str_equal(type, FAMILIES[i].model_type))
			return &FAMILIES[i];
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
		    "config.json: model_type \"%s\": llama4, llama4_text, llama and mixtral can "
		    "answer",
		    type);
	return NULL;
}

static gboolean check_sizes(const WeftTextConfig *text, GError **error)
{
	const struct {
		const char *name;
		gsize value, min, max;
	} sizes[] = {
		{"vocab_size", text->n_vocab, 1, SIZE_MAX_ANY},
		{"hidden_size", text->width, 1, SIZE_MAX_ANY},
		{"num_hidden_layers", text->n_layers, 1, 4096},
		{"num_attention_heads", text->n_heads, 1, 65536},
		{"num_key_value_heads", text->n_kv_heads, 1, 65536},
		{"head_dim", text->head_dim, 2, 65536},
		{"intermediate_size", text->ffn_expert, 0, SIZE_MAX_ANY},
		{"intermediate_size_mlp", text->ffn_dense, 0, SIZE_MAX_ANY},
		{"num_local_experts", text->n_experts, 0, 65536},
		{"max_position_embeddings", text->context_max, 1, CONTEXT_MAX},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
		if (sizes[i].value < sizes[i].min || sizes[i].value > sizes[i].max) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
				    "config.json: %s is %" G_GSIZE_FORMAT ", possible %" G_GSIZE_FORMAT
				    " to %" G_GSIZE_FORMAT,
				    sizes[i].name, sizes[i].value, sizes[i].min, sizes[i].max);
			return FALSE;
		}
	if (text->n_heads % text->n_kv_heads != 0 || text->head_dim % 2 != 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "config.json: %" G_GSIZE_FORMAT " heads for %" G_GSIZE_FORMAT
			    " key/value heads of width %" G_GSIZE_FORMAT,
			    text->n_heads, text->n_kv_heads, text->head_dim);
		return FALSE;
	}
	return TRUE;
}

static gboolean check_layers(const WeftTextConfig *text, GError **error)
{
	for (gsize i = 0; i < text->n_layers; i++) {
		const WeftLayerConfig *layer = &text->layers[i];
		const char *wrong = NULL;
		if (layer->is_moe && (text->n_experts_active == 0 ||
				      text->n_experts_active > text->n_experts))
			wrong = "a mixture without enough experts";
		else if (layer->is_moe && text->ffn_expert == 0)
			wrong = "a mixture, but intermediate_size is 0";
		else if (!layer->is_moe && text->ffn_dense == 0)
			wrong = "dense, but its feed-forward has no width";
		else if (layer->is_chunked && text->chunk_size == 0)
			wrong = "chunked, but attention_chunk_size is 0";
		if (wrong) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
				    "config.json: layer %" G_GSIZE_FORMAT ": %s", i, wrong);
			return FALSE;
		}
	}
	return TRUE;
}

static double *rope_frequencies(const WeftTextConfig *text)
{
	gsize n = text->head_dim / 2;
	double *frequencies = g_new(double, n);
	for (gsize i = 0; i < n; i++) {
		double f = weft_text_config_frequency(text, i);
		frequencies[i] = text->rope_divisors ? f / text->rope_divisors[i] : f;
	}
	return frequencies;
}

WeftArch *weft_arch_new(const WeftConfig *config, GError **error)
{
	const WeftTextConfig *text = &config->text;
	const Family *family = find_family(config, error);
	if (!family || !check_sizes(text, error) || !check_layers(text, error))
		return NULL;
	WeftArch *arch = g_new0(WeftArch, 1);
	arch->n_vocab = text->n_vocab;
	arch->width = text->width;
	arch->n_layers = text->n_layers;
	arch->n_heads = text->n_heads;
	arch->n_kv_heads = text->n_kv_heads;
	arch->head_width = text->head_dim;
	arch->ffn_expert = text->ffn_expert;
	arch->ffn_dense = text->ffn_dense;
	arch->n_experts = text->n_experts;
	arch->n_experts_active = text->n_experts_active;
	arch->context_max = text->context_max;
	arch->chunk_size = text->chunk_size;
	arch->norm_eps = (float)text->norm_eps;
	arch->score_scale = (float)(1 / sqrt((double)text->head_dim));
	arch->qk_norm = text->qk_norm;
	arch->temperature_tuning = text->temperature_tuning;
	arch->tie_embeddings = text->tie_embeddings;
	arch->floor_scale = text->floor_scale;
	arch->attn_scale = text->attn_scale;
	arch->rope_halves = text->rope_halves;
	arch->router = family->router;
	arch->has_shared_expert = family->has_shared_expert;
	arch->score_scales_input = family->score_scales_input;
	arch->experts_are_kn = family->experts_are_kn;
	arch->ffn_name = family->ffn_name;
	arch->ffn_name_new = family->ffn_name_new;
	arch->frequencies = rope_frequencies(text);
	arch->layers = text->layers;
	return arch;
}

void weft_arch_free(WeftArch *arch)
{
	if (!arch)
		return;
	g_free(arch->frequencies);
	g_free(arch);
}

float weft_arch_temperature(const WeftArch *arch, gsize position)
{
	double steps = floor(((double)position + 1) / arch->floor_scale);
	return (float)(1 + arch->attn_scale * log(steps + 1));
}

gsize weft_arch_key_first(const WeftArch *arch, gsize layer, gsize position)
{
	return arch->layers[layer].is_chunked ? position / arch->chunk_size * arch->chunk_size : 0;
}
