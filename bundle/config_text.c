#include <math.h>
#include <string.h>

#include "base/error.h"
#include "bundle/config_text.h"

/* Far beyond any published model; they keep products of two sizes inside 64 bits. */
#define SIZE_MAX_WIDTH (1u << 20)
#define SIZE_MAX_LAYERS 4096u
#define SIZE_MAX_VOCAB (1u << 26)
#define SIZE_MAX_EXPERTS 1024u
#define SIZE_MAX_CONTEXT ((gsize)1 << 31)
#define EOS_IDS_MAX 64
#define CHUNK_SIZE_DEFAULT 8192
#define FLOOR_SCALE_DEFAULT 8192
#define ATTN_SCALE_DEFAULT 0.1
/* Which transformers takes where a file of Llama 2's time has no rope_theta. */
#define LLAMA_THETA_DEFAULT 10000
#define MIXTRAL_THETA_DEFAULT 1000000

#define AT(field) G_STRUCT_OFFSET(WeftTextConfig, field)

static const WeftSizeKey SIZES[] = {
	{"vocab_size", AT(n_vocab), 1, SIZE_MAX_VOCAB, TRUE, 0},
	{"hidden_size", AT(width), 1, SIZE_MAX_WIDTH, TRUE, 0},
	{"num_hidden_layers", AT(n_layers), 1, SIZE_MAX_LAYERS, TRUE, 0},
	{"num_attention_heads", AT(n_heads), 1, SIZE_MAX_WIDTH, TRUE, 0},
	{"num_key_value_heads", AT(n_kv_heads), 1, SIZE_MAX_WIDTH, FALSE, 0},
	{"head_dim", AT(head_dim), 2, SIZE_MAX_WIDTH, FALSE, 0},
	{"intermediate_size", AT(ffn_expert), 1, SIZE_MAX_WIDTH, TRUE, 0},
	{"max_position_embeddings", AT(context_max), 1, SIZE_MAX_CONTEXT, TRUE, 0},
};

static const WeftNumberKey EPS[] = {{"rms_norm_eps", AT(norm_eps), 0, 1, TRUE, 0}};

static const WeftSizeKey LLAMA4_SIZES[] = {
	{"intermediate_size_mlp", AT(ffn_dense), 1, SIZE_MAX_WIDTH, FALSE, 0},
	{"num_local_experts", AT(n_experts), 0, SIZE_MAX_EXPERTS, FALSE, 0},
	{"num_experts_per_tok", AT(n_experts_active), 0, SIZE_MAX_EXPERTS, FALSE, 1},
	{"attention_chunk_size", AT(chunk_size), 1, SIZE_MAX_CONTEXT, FALSE, 0},
};

static const WeftNumberKey TEMPERATURE[] = {
	{"floor_scale", AT(floor_scale), 1, 1e15, FALSE, FLOOR_SCALE_DEFAULT},
	{"attn_scale", AT(attn_scale), -1e6, 1e6, FALSE, ATTN_SCALE_DEFAULT},
};

static const char *const ROPE_KEYS[] = {
	"rope_type", "type", "rope_theta", "factor", "low_freq_factor", "high_freq_factor",
	"original_max_position_embeddings", "partial_rotary_factor", NULL};

typedef struct Rope {
	double theta; /* 0: not given */
	WeftRopeScaling scaling;
} Rope;

/* One object in either spelling; absent gives no scaling. */
static gboolean read_rope(const WeftKeys *section, Rope *ret_rope, GError **error)
{
	static const WeftNumberKey theta[] = {
		{"rope_theta", G_STRUCT_OFFSET(Rope, theta), 1e-3, 1e15, FALSE, 0}};
	static const WeftNumberKey factors[] = {
		{"factor", G_STRUCT_OFFSET(Rope, scaling.factor), 1e-6, 1e6, TRUE, 0},
		{"low_freq_factor", G_STRUCT_OFFSET(Rope, scaling.low_freq), 1e-6, 1e6, TRUE, 0},
		{"high_freq_factor", G_STRUCT_OFFSET(Rope, scaling.high_freq), 1e-6, 1e6, TRUE, 0}};
	static const WeftSizeKey original[] = {{"original_max_position_embeddings",
						G_STRUCT_OFFSET(Rope, scaling.context_original), 1,
						SIZE_MAX_CONTEXT, TRUE, 0}};
	const char *key = weft_keys_member(section, "rope_type") ? "rope_type" : "type";
	const char *type = weft_json_string(weft_keys_member(section, key), NULL);
	double partial;

	memset(ret_rope, 0, sizeof *ret_rope);
	if (!section->object)
		return TRUE;
	if (!weft_keys_only(section, ROPE_KEYS, error) ||
	    !weft_keys_numbers(section, theta, G_N_ELEMENTS(theta), ret_rope, error))
		return FALSE;
	if (weft_keys_member(section, "partial_rotary_factor") &&
	    (!weft_json_double(weft_keys_member(section, "partial_rotary_factor"), &partial) ||
	     partial != 1))
		return weft_keys_error(section, "partial_rotary_factor", error,
				       "only 1 is implemented");
	if (!type)
		return weft_keys_error(section, "rope_type", error, "is missing or no string");
	if (strcmp(type, "default") == 0)
		return TRUE;
	if (strcmp(type, "llama3") != 0)
		return weft_keys_error(section, key, error,
				       "\"%s\"; only \"default\" and \"llama3\" are implemented",
				       type);
	if (!weft_keys_numbers(section, factors, G_N_ELEMENTS(factors), ret_rope, error) ||
	    !weft_keys_sizes(section, original, G_N_ELEMENTS(original), ret_rope, error))
		return FALSE;
	if (ret_rope->scaling.low_freq > ret_rope->scaling.high_freq)
		return weft_keys_error(section, "low_freq_factor", error,
				       "%g is above high_freq_factor %g",
				       ret_rope->scaling.low_freq, ret_rope->scaling.high_freq);
	ret_rope->scaling.present = TRUE;
	return TRUE;
}

static gboolean same_scaling(const WeftRopeScaling *a, const WeftRopeScaling *b)
{
	return a->present == b->present && a->factor == b->factor && a->low_freq == b->low_freq &&
	       a->high_freq == b->high_freq && a->context_original == b->context_original;
}

gboolean weft_config_rope(const WeftKeys *keys, gboolean theta_required, double theta_default,
			  double *ret_theta, WeftRopeScaling *ret_scaling, GError **error)
{
	static const WeftNumberKey theta_key[] = {{"rope_theta", 0, 1e-3, 1e15, FALSE, 0}};
	g_autofree char *prefix_new = g_strconcat(keys->prefix, "rope_parameters.", NULL);
	g_autofree char *prefix_old = g_strconcat(keys->prefix, "rope_scaling.", NULL);
	WeftKeys section_new, section_old;
	Rope rope_new, rope_old;
	double theta;

	if (!weft_keys_section(keys, "rope_parameters", prefix_new, &section_new, error) ||
	    !weft_keys_section(keys, "rope_scaling", prefix_old, &section_old, error) ||
	    !read_rope(&section_new, &rope_new, error) ||
	    !read_rope(&section_old, &rope_old, error) ||
	    !weft_keys_numbers(keys, theta_key, 1, &theta, error))
		return FALSE;
	if (section_new.object && section_old.object &&
	    !same_scaling(&rope_new.scaling, &rope_old.scaling))
		return weft_keys_error(keys, "rope_scaling", error,
				       "differs from rope_parameters, which is given too");
	if (rope_new.theta != 0 && theta != 0 && rope_new.theta != theta)
		return weft_keys_error(keys, "rope_theta", error,
				       "%g differs from rope_parameters.rope_theta %g", theta,
				       rope_new.theta);
	if (rope_new.theta != 0)
		theta = rope_new.theta;
	if (theta == 0 && theta_required)
		return weft_keys_error(keys, "rope_theta", error, "is missing");
	const WeftRopeScaling *scaling =
		section_new.object ? &rope_new.scaling : &rope_old.scaling;
	if (scaling->present && !ret_scaling)
		return weft_keys_error(keys, "rope_parameters", error,
				       "scaling is not implemented for this part");
	*ret_theta = theta != 0 ? theta : theta_default;
	if (ret_scaling)
		*ret_scaling = *scaling;
	return TRUE;
}

/* Layer by layer: which have the rotation. An empty or absent list means by interval. */
static gboolean read_rotation(const WeftKeys *keys, WeftTextConfig *text, GError **error)
{
	static const WeftSizeKey interval_key[] = {
		{"no_rope_layer_interval", 0, 1, SIZE_MAX_LAYERS, FALSE, 4}};
	const WeftJson *list = weft_keys_member(keys, "no_rope_layers");
	gsize interval;
	guint64 flag;

	if (!weft_keys_sizes(keys, interval_key, 1, &interval, error))
		return FALSE;
	/* Meta's own files mean "rotation in every layer" by it; transformers has no such case. */
	if (weft_json_length(list) == 0 && weft_json_member(keys->object, "no_rope_layer_interval") &&
	    !weft_keys_member(keys, "no_rope_layer_interval"))
		return weft_keys_error(keys, "no_rope_layer_interval", error,
				       "null needs the list no_rope_layers");
	if (list && weft_json_type(list) != WEFT_JSON_ARRAY)
		return weft_keys_error(keys, "no_rope_layers", error, "must be a list");
	if (weft_json_length(list) > 0 && weft_json_length(list) < text->n_layers)
		return weft_keys_error(keys, "no_rope_layers", error,
				       "%zu entries for %zu layers", weft_json_length(list),
				       text->n_layers);
	for (gsize i = 0; i < text->n_layers; i++) {
		if (weft_json_length(list) == 0) {
			text->layers[i].has_rope = (i + 1) % interval != 0;
			continue;
		}
		if (!weft_json_uint(weft_json_at(list, i), &flag) || flag > 1)
			return weft_keys_error(keys, "no_rope_layers", error,
					       "entry %zu must be 0 or 1", i);
		text->layers[i].has_rope = flag == 1;
	}
	return TRUE;
}

/* Which see only their chunk: as layer_types says, else those with rotation. */
static gboolean read_chunking(const WeftKeys *keys, WeftTextConfig *text, GError **error)
{
	const WeftJson *list = weft_keys_member(keys, "layer_types");

	if (list && (weft_json_type(list) != WEFT_JSON_ARRAY ||
		     weft_json_length(list) != text->n_layers))
		return weft_keys_error(keys, "layer_types", error,
				       "must be a list of %zu names, one for each layer",
				       text->n_layers);
	for (gsize i = 0; i < text->n_layers; i++) {
		gboolean is_chunked = text->layers[i].has_rope;
		if (list) {
			const char *name = weft_json_string(weft_json_at(list, i), NULL);
			is_chunked = g_strcmp0(name, "chunked_attention") == 0;
			if (!is_chunked && g_strcmp0(name, "full_attention") != 0)
				return weft_keys_error(keys, "layer_types", error,
						       "entry %zu is \"%s\"; chunked_attention and "
						       "full_attention are implemented",
						       i, name ? name : "(no string)");
		}
		text->layers[i].is_chunked = is_chunked && text->chunk_size > 0;
	}
	return TRUE;
}

static gboolean check_active(const WeftKeys *keys, const WeftTextConfig *text, GError **error)
{
	if (text->n_experts_active > 0 && text->n_experts_active <= text->n_experts)
		return TRUE;
	return weft_keys_error(keys, "num_experts_per_tok", error, "%zu of num_local_experts %zu",
			       text->n_experts_active, text->n_experts);
}

/* Which have experts: the list moe_layers, else every interleave_moe_layer_step-th. */
static gboolean read_mixture(const WeftKeys *keys, WeftTextConfig *text, GError **error)
{
	static const WeftSizeKey step_key[] = {
		{"interleave_moe_layer_step", 0, 0, SIZE_MAX_LAYERS, FALSE, 1}};
	const WeftJson *list = weft_keys_member(keys, "moe_layers");
	gboolean has_dense = FALSE, has_moe = FALSE;
	gsize step;
	guint64 layer;

	if (!weft_keys_sizes(keys, step_key, 1, &step, error))
		return FALSE;
	if (list && weft_json_type(list) != WEFT_JSON_ARRAY)
		return weft_keys_error(keys, "moe_layers", error, "must be a list");
	if (!list && step > 0 && !weft_json_member(keys->object, "num_local_experts"))
		return weft_keys_error(keys, "num_local_experts", error, "is missing");
	for (gsize i = 0; list && i < weft_json_length(list); i++) {
		if (!weft_json_uint(weft_json_at(list, i), &layer) || layer >= text->n_layers)
			return weft_keys_error(keys, "moe_layers", error,
					       "entry %zu is no layer below %zu", i,
					       text->n_layers);
		text->layers[layer].is_moe = TRUE;
	}
	for (gsize i = 0; i < text->n_layers; i++) {
		if (!list)
			text->layers[i].is_moe = step > 0 && (i + 1) % step == 0 &&
						 text->n_experts > 0;
		*(text->layers[i].is_moe ? &has_moe : &has_dense) = TRUE;
	}
	if (has_moe && text->n_experts == 0)
		return weft_keys_error(keys, "num_local_experts", error,
				       "0, but moe_layers names layers with experts");
	if (has_moe && !check_active(keys, text, error))
		return FALSE;
	if (!has_moe)
		text->n_experts = text->n_experts_active = 0;
	if (has_dense && text->ffn_dense == 0) {
		/* A pruned model may say one width only: then it is the shared expert's. */
		if (has_moe)
			return weft_keys_error(keys, "intermediate_size_mlp", error,
					       "is missing, and there are dense layers");
		text->ffn_dense = text->ffn_expert;
	}
	return TRUE;
}

static gboolean add_eos(const WeftKeys *keys, const WeftJson *value, WeftTextConfig *text,
			GError **error)
{
	guint64 id;
	if (!weft_json_uint(value, &id) || id >= text->n_vocab)
		return weft_keys_error(keys, "eos_token_id", error,
				       "must be ids below vocab_size %zu", text->n_vocab);
	gint32 id_small = (gint32)id;
	for (guint i = 0; i < text->eos_ids->len; i++) {
		if (g_array_index(text->eos_ids, gint32, i) == id_small)
			return TRUE;
	}
	g_array_append_val(text->eos_ids, id_small);
	return TRUE;
}

gboolean weft_config_eos(const WeftKeys *keys, WeftTextConfig *text, GError **error)
{
	const WeftJson *eos = weft_keys_member(keys, "eos_token_id");

	if (weft_json_length(eos) > EOS_IDS_MAX)
		return weft_keys_error(keys, "eos_token_id", error, "%zu ids, at most %d",
				       weft_json_length(eos), EOS_IDS_MAX);
	if (eos && weft_json_type(eos) != WEFT_JSON_ARRAY)
		return add_eos(keys, eos, text, error);
	for (gsize i = 0; i < weft_json_length(eos); i++) {
		if (!add_eos(keys, weft_json_at(eos, i), text, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean read_ids(const WeftKeys *keys, WeftTextConfig *text, GError **error)
{
	const WeftJson *bos = weft_keys_member(keys, "bos_token_id");
	guint64 id;

	text->bos_id = -1;
	if (bos) {
		if (!weft_json_uint(bos, &id) || id >= text->n_vocab)
			return weft_keys_error(keys, "bos_token_id", error,
					       "must be an id below vocab_size %zu", text->n_vocab);
		text->bos_id = (gint32)id;
	}
	text->eos_ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	return weft_config_eos(keys, text, error);
}

static gboolean check_heads(const WeftKeys *keys, WeftTextConfig *text, GError **error)
{
	if (text->n_kv_heads == 0)
		text->n_kv_heads = text->n_heads;
	if (text->head_dim == 0)
		text->head_dim = text->width / text->n_heads;
	if (text->n_heads % text->n_kv_heads != 0)
		return weft_keys_error(keys, "num_key_value_heads", error,
				       "%zu does not divide num_attention_heads %zu",
				       text->n_kv_heads, text->n_heads);
	if (text->head_dim == 0 || text->head_dim % 2 != 0 ||
	    text->n_heads * text->head_dim > SIZE_MAX_WIDTH)
		return weft_keys_error(keys, "head_dim", error,
				       "%zu with %zu heads: must be even, and at most %u together",
				       text->head_dim, text->n_heads, SIZE_MAX_WIDTH);
	return TRUE;
}

/* What all families have, spelt alike. `theta_default` 0: rope_theta must be given. */
static gboolean read_common(const WeftKeys *keys, double theta_default, WeftTextConfig *text,
			    GError **error)
{
	if (!weft_keys_sizes(keys, SIZES, G_N_ELEMENTS(SIZES), text, error) ||
	    !weft_keys_numbers(keys, EPS, G_N_ELEMENTS(EPS), text, error) ||
	    !check_heads(keys, text, error) ||
	    !weft_keys_must_be(keys, "hidden_act", "silu", error) ||
	    !weft_keys_must_be_false(keys, "attention_bias", error) ||
	    !weft_config_rope(keys, theta_default == 0, theta_default, &text->rope_theta,
			      &text->rope_scaling, error) ||
	    !weft_keys_truth(keys, "tie_word_embeddings", FALSE, &text->tie_embeddings, error) ||
	    !read_ids(keys, text, error))
		return FALSE;
	text->floor_scale = FLOOR_SCALE_DEFAULT;
	text->attn_scale = ATTN_SCALE_DEFAULT;
	text->layers = g_new0(WeftLayerConfig, text->n_layers);
	return TRUE;
}

gboolean weft_config_llama4(const WeftKeys *keys, WeftTextConfig *ret_text, GError **error)
{
	WeftTextConfig *text = ret_text;

	if (!read_common(keys, 0, text, error) ||
	    !weft_keys_sizes(keys, LLAMA4_SIZES, G_N_ELEMENTS(LLAMA4_SIZES), text, error) ||
	    !weft_keys_numbers(keys, TEMPERATURE, G_N_ELEMENTS(TEMPERATURE), text, error) ||
	    !weft_keys_truth(keys, "use_qk_norm", TRUE, &text->qk_norm, error) ||
	    !weft_keys_truth(keys, "attn_temperature_tuning", TRUE, &text->temperature_tuning,
			     error))
		return FALSE;
	/* Absent is the published default; null says that there are no chunks. */
	if (!weft_json_member(keys->object, "attention_chunk_size"))
		text->chunk_size = CHUNK_SIZE_DEFAULT;
	return read_rotation(keys, text, error) && read_chunking(keys, text, error) &&
	       read_mixture(keys, text, error);
}

/* Llama 3 and Mixtral: every layer rotates, in halves, and sees everything before it. */
static gboolean read_plain_layers(const WeftKeys *keys, WeftTextConfig *text, GError **error)
{
	const WeftJson *types = weft_keys_member(keys, "layer_types");

	text->rope_halves = TRUE;
	for (gsize i = 0; i < text->n_layers; i++) {
		text->layers[i].has_rope = TRUE;
		text->layers[i].is_moe = text->n_experts > 0;
		if (types && g_strcmp0(weft_json_string(weft_json_at(types, i), NULL),
				       "full_attention") != 0)
			return weft_keys_error(keys, "layer_types", error,
					       "entry %zu: only full_attention is implemented "
					       "for this family", i);
	}
	return TRUE;
}

gboolean weft_config_llama(const WeftKeys *keys, WeftTextConfig *ret_text, GError **error)
{
	if (!read_common(keys, LLAMA_THETA_DEFAULT, ret_text, error) ||
	    !weft_keys_must_be_false(keys, "mlp_bias", error))
		return FALSE;
	ret_text->ffn_dense = ret_text->ffn_expert;
	return read_plain_layers(keys, ret_text, error);
}

/* A window as wide as the context is none; a narrower one would be another attention. */
static gboolean check_window(const WeftKeys *keys, const WeftTextConfig *text, GError **error)
{
	static const WeftSizeKey key[] = {{"sliding_window", 0, 1, SIZE_MAX_CONTEXT, FALSE,
					   SIZE_MAX_CONTEXT}};
	gsize window;

	if (!weft_keys_sizes(keys, key, 1, &window, error))
		return FALSE;
	if (window < text->context_max)
		return weft_keys_error(keys, "sliding_window", error,
				       "%zu is below max_position_embeddings %zu: attention in a "
				       "sliding window is not implemented", window,
				       text->context_max);
	return TRUE;
}

gboolean weft_config_mixtral(const WeftKeys *keys, WeftTextConfig *ret_text, GError **error)
{
	/* num_experts is the name of the same number in other mixtures, and in re-saves. */
	const char *key;
	if (!weft_keys_either(keys, "num_local_experts", "num_experts", &key, error))
		return FALSE;
	const WeftSizeKey sizes[] = {
		{key, AT(n_experts), 1, SIZE_MAX_EXPERTS, TRUE, 0},
		{"num_experts_per_tok", AT(n_experts_active), 1, SIZE_MAX_EXPERTS, FALSE, 2}};

	if (!read_common(keys, MIXTRAL_THETA_DEFAULT, ret_text, error) ||
	    !weft_keys_sizes(keys, sizes, G_N_ELEMENTS(sizes), ret_text, error))
		return FALSE;
	return check_active(keys, ret_text, error) && check_window(keys, ret_text, error) &&
	       read_plain_layers(keys, ret_text, error);
}

double weft_text_config_frequency(const WeftTextConfig *text, gsize i)
{
	const WeftRopeScaling *scaling = &text->rope_scaling;
	double f = pow(text->rope_theta, -2.0 * (double)i / (double)text->head_dim);
	double wavelength = 2 * G_PI / f, context = (double)scaling->context_original;
	double low = scaling->low_freq, high = scaling->high_freq;
	if (!scaling->present)
		return f;
	if (wavelength > context / low)
		return f / scaling->factor;
	if (wavelength < context / high || high <= low)
		return f;
	double s = (context / wavelength - low) / (high - low);
	return (1 - s) * f / scaling->factor + s * f;
}
