#include "bundle/gguf_config.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "bundle/config_merge.h"
#include "bundle/gguf_metadata.h"

#define LLAMA_THETA_DEFAULT 10000 /* what llama.cpp takes where old files have no rope.freq_base */
#define NO_ID 0xffffffffu /* how some converters write that there is no such token */

/* What is put together while the text is written. */
typedef struct Build {
	const WeftGgufSet *set;
	const WeftGguf *head;
	const char *prefix; /* of the architecture's keys, without its dot */
	WeftJsonWriter writer;
	GError **error;
	gboolean has_failed;
} Build;

static gboolean config_error(Build *build, const WeftGguf *gguf, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

static gboolean config_error(Build *build, const WeftGguf *gguf, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	if (!build->has_failed)
		g_set_error(build->error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: %s",
			    weft_gguf_file(gguf), what);
	build->has_failed = TRUE;
	return FALSE;
}

/* ---- single keys ---- */

static char *full_key(const Build *build, const char *key)
{
	return g_strdup_printf("%s.%s", build->prefix, key);
}

static const WeftGgufValue *value_of(const Build *build, const char *key)
{
	g_autofree char *full = full_key(build, key);
	return weft_gguf_value(build->head, full);
}

/* FALSE: the key is not there (an error when it is `required`), or is no number of that kind. */
static gboolean read_size(Build *build, const char *key, gboolean required, guint64 *ret_size)
{
	const WeftGgufValue *value = value_of(build, key);
	if (weft_gguf_uint(value, ret_size))
		return TRUE;
	if (value)
		return config_error(build, build->head, "%s must be one whole number",
				    weft_gguf_key(value));
	if (required)
		return config_error(build, build->head, "%s.%s is missing", build->prefix, key);
	return FALSE;
}

static void write_size(Build *build, const char *json_key, guint64 size)
{
	weft_json_write_key(&build->writer, json_key);
	weft_json_write_uint(&build->writer, size);
}

static void copy_size(Build *build, const char *key, const char *json_key, gboolean required)
{
	guint64 size;
	if (read_size(build, key, required, &size))
		write_size(build, json_key, size);
}

/* The fewest digits that read back as the same f32: 1e-05 and not 9.99999974e-06. */
static double plain_number(const WeftGgufValue *value, double number)
{
	char digits[G_ASCII_DTOSTR_BUF_SIZE];
	if (weft_gguf_type(value) != WEFT_GGUF_F32)
		return number;
	for (int n = 1; n <= 9; n++) {
		g_autofree char *format = g_strdup_printf("%%.%dg", n);
		double shorter =
			g_ascii_strtod(g_ascii_formatd(digits, sizeof digits, format, number), NULL);
		if ((float)shorter == (float)number)
			return shorter;
	}
	return number;
}

static void write_double(Build *build, const char *json_key, double number)
{
	weft_json_write_key(&build->writer, json_key);
	(void)weft_json_write_double(&build->writer, number); /* finite: the accessor says so */
}

static void copy_double(Build *build, const char *key, const char *json_key, gboolean required)
{
	const WeftGgufValue *value = value_of(build, key);
	double number;
	if (weft_gguf_double(value, &number))
		write_double(build, json_key, plain_number(value, number));
	else if (value)
		(void)config_error(build, build->head, "%s must be a finite number",
				   weft_gguf_key(value));
	else if (required)
		(void)config_error(build, build->head, "%s.%s is missing", build->prefix, key);
}

static void write_bool(Build *build, const char *json_key, gboolean value)
{
	weft_json_write_key(&build->writer, json_key);
	weft_json_write_bool(&build->writer, value);
}

static void write_string(Build *build, const char *json_key, const char *text)
{
	weft_json_write_key(&build->writer, json_key);
	weft_json_write_string(&build->writer, text);
}

/* ---- the vocabulary ---- */

/* Ids of tokens by their text; -1 where there is none. */
static void find_tokens(const WeftGguf *gguf, gsize n_texts, const char *const *texts,
			gint64 *ret_ids)
{
	WeftGgufStrings strings =
		weft_gguf_strings(weft_gguf_value(gguf, "tokenizer.ggml.tokens"));
	const char *text;
	gsize size_bytes;

	for (gsize i = 0; i < n_texts; i++)
		ret_ids[i] = -1;
	for (gint64 id = 0; weft_gguf_strings_next(&strings, &text, &size_bytes); id++) {
		for (gsize i = 0; size_bytes > 0 && text[0] == '<' && i < n_texts; i++) {
			if (strlen(texts[i]) == size_bytes && memcmp(texts[i], text, size_bytes) == 0)
				ret_ids[i] = id;
		}
	}
}

static void add_end(GArray *ids, gint64 id)
{
	for (guint i = 0; i < ids->len; i++) {
		if (g_array_index(ids, gint64, i) == id)
			return;
	}
	g_array_append_val(ids, id);
}

/* Files name one or two of them; the others are known by their texts. */
static void write_ends(Build *build)
{
	static const char *const keys[] = {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
					   "tokenizer.ggml.eom_token_id"};
	static const char *const texts[] = {"<|eot|>", "<|eom|>", "<|end_of_text|>", "<|eot_id|>",
					    "<|eom_id|>"};
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint64));
	gint64 found[G_N_ELEMENTS(texts)];
	guint64 id;

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		if (weft_gguf_uint(weft_gguf_value(build->head, keys[i]), &id) && id < NO_ID)
			add_end(ids, (gint64)id);
	}
	find_tokens(build->head, G_N_ELEMENTS(texts), texts, found);
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		if (found[i] >= 0)
			add_end(ids, found[i]);
	}
	weft_json_write_key(&build->writer, "eos_token_id");
	weft_json_write_array(&build->writer);
	for (guint i = 0; i < ids->len; i++)
		weft_json_write_int(&build->writer, g_array_index(ids, gint64, i));
	weft_json_write_array_end(&build->writer);
	if (weft_gguf_uint(weft_gguf_value(build->head, "tokenizer.ggml.bos_token_id"), &id) &&
	    id < NO_ID)
		write_size(build, "bos_token_id", id);
}

/* ---- text ---- */

static void write_vocab_size(Build *build)
{
	const WeftTensorEntry *embed = weft_gguf_set_tensor(build->set, "token_embd.weight");
	guint64 size;
	if (read_size(build, "vocab_size", FALSE, &size))
		write_size(build, "vocab_size", size);
	else if (embed && embed->view.n_dims == 2)
		write_size(build, "vocab_size", embed->view.shape[0]);
	else
		(void)config_error(build, build->head, "tensor token_embd.weight is missing");
}

/* Scaling that is not in rope_freqs.weight. A factor without a type, and the older name of one, mean
 * linear scaling. */
static void check_scaling(Build *build)
{
	static const char *const factors[] = {"rope.scaling.factor", "rope.scale_linear"};
	const WeftGgufValue *type = value_of(build, "rope.scaling.type");

	for (gsize i = 0; !type && i < G_N_ELEMENTS(factors); i++) {
		const WeftGgufValue *value = value_of(build, factors[i]);
		double factor;
		if (value && !(weft_gguf_double(value, &factor) && (factor == 0 || factor == 1)))
			(void)config_error(build, build->head,
					   "%s: linear scaling of the rotation is not implemented",
					   weft_gguf_key(value));
	}
	if (type && !weft_gguf_is(type, "none"))
		(void)config_error(build, build->head,
				   "%s: only \"none\" and the divisors of rope_freqs.weight are "
				   "implemented", weft_gguf_key(type));
}

static void write_common(Build *build)
{
	write_vocab_size(build);
	copy_size(build, "embedding_length", "hidden_size", TRUE);
	copy_size(build, "block_count", "num_hidden_layers", TRUE);
	copy_size(build, "attention.head_count", "num_attention_heads", TRUE);
	copy_size(build, "attention.head_count_kv", "num_key_value_heads", FALSE);
	copy_size(build, "attention.key_length", "head_dim", FALSE);
	copy_size(build, "context_length", "max_position_embeddings", TRUE);
	copy_double(build, "attention.layer_norm_rms_epsilon", "rms_norm_eps", TRUE);
	check_scaling(build);
	write_bool(build, "tie_word_embeddings",
		   !weft_gguf_set_tensor(build->set, "output.weight"));
	write_ends(build);
}

/* All layers see everything and rotate. */
static void write_no_chunks(Build *build)
{
	guint64 n_layers = 0;
	weft_json_write_key(&build->writer, "attention_chunk_size");
	weft_json_write_null(&build->writer);
	weft_json_write_key(&build->writer, "no_rope_layer_interval");
	/* One more than there are layers: none is left out. */
	(void)read_size(build, "block_count", TRUE, &n_layers);
	weft_json_write_uint(&build->writer, MIN(n_layers, G_MAXINT32) + 1);
}

static void write_llama4(Build *build)
{
	const WeftGgufValue *qk_norm = value_of(build, "use_qk_norm");
	guint64 n_experts = 0, width, window;
	gboolean has_norm;

	write_string(build, "model_type", "llama4_text");
	write_common(build);
	copy_double(build, "rope.freq_base", "rope_theta", TRUE);
	copy_size(build, "feed_forward_length", "intermediate_size_mlp", FALSE);
	if (read_size(build, "expert_feed_forward_length", FALSE, &width) ||
	    read_size(build, "feed_forward_length", TRUE, &width))
		write_size(build, "intermediate_size", width);
	(void)read_size(build, "expert_count", FALSE, &n_experts);
	write_size(build, "num_local_experts", n_experts);
	copy_size(build, "expert_used_count", "num_experts_per_tok", FALSE);
	copy_size(build, "interleave_moe_layer_step", "interleave_moe_layer_step", FALSE);
	if (!weft_gguf_bool(qk_norm, &has_norm))
		has_norm = n_experts != 128;
	write_bool(build, "use_qk_norm", has_norm);
	if (read_size(build, "attention.sliding_window", FALSE, &window) && window == 0)
		write_no_chunks(build);
	else
		copy_size(build, "attention.chunk_size", "attention_chunk_size", FALSE);
}

static void write_llama(Build *build)
{
	guint64 n_experts = 0;
	(void)read_size(build, "expert_count", FALSE, &n_experts);
	write_string(build, "model_type", n_experts > 0 ? "mixtral" : "llama");
	write_common(build);
	copy_size(build, "feed_forward_length", "intermediate_size", TRUE);
	copy_size(build, "attention.sliding_window", "sliding_window", FALSE);
	if (value_of(build, "rope.freq_base"))
		copy_double(build, "rope.freq_base", "rope_theta", TRUE);
	else
		write_double(build, "rope_theta", LLAMA_THETA_DEFAULT);
	if (n_experts == 0)
		return;
	write_size(build, "num_local_experts", n_experts);
	copy_size(build, "expert_used_count", "num_experts_per_tok", TRUE);
}

/* ---- vision ---- */

/* The file with the tower and how its keys begin; NULL: there is none. */
static const WeftGguf *vision_file(const WeftGgufSet *set, const char **ret_prefix)
{
	if (set->vision) {
		*ret_prefix = "clip.vision";
		return set->vision;
	}
	*ret_prefix = "llama4.vision"; /* Ollama: all in one file */
	return set->architecture == WEFT_GGUF_LLAMA4 &&
			       weft_gguf_set_tensor(set, "v.class_embedding") ?
		       weft_gguf_set_head(set) :
		       NULL;
}

static void check_projector(Build *build)
{
	const WeftGgufValue *type = weft_gguf_value(build->head, "clip.projector_type");
	gsize size_bytes = 0;
	const char *text;

	if (!type)
		type = weft_gguf_value(build->head, "clip.vision.projector_type");
	text = weft_gguf_text(type, &size_bytes);
	if (type && !weft_gguf_is(type, "llama4"))
		(void)config_error(build, build->head, "%s is \"%.*s\"; only llama4 is read",
				   weft_gguf_key(type), text ? (int)MIN(size_bytes, 40) : 0,
				   text ? text : "");
}

/* Rows of a matrix of the adapter. */
static void write_rows(Build *build, const char *name, const char *name_ollama,
		       const char *json_key)
{
	const WeftTensorEntry *entry = weft_gguf_tensor(build->head, name);
	if (!entry)
		entry = weft_gguf_set_tensor(build->set, name_ollama);
	if (entry && entry->view.n_dims == 2)
		write_size(build, json_key, entry->view.shape[0]);
	else
		(void)config_error(build, build->head, "tensor %s is missing", name);
}

static void write_vision_sizes(Build *build)
{
	guint64 scale;

	copy_size(build, "image_size", "image_size", TRUE);
	copy_size(build, "patch_size", "patch_size", TRUE);
	copy_size(build, "embedding_length", "hidden_size", TRUE);
	copy_size(build, "block_count", "num_hidden_layers", TRUE);
	copy_size(build, "attention.head_count", "num_attention_heads", TRUE);
	copy_size(build, "feed_forward_length", "intermediate_size", TRUE);
	copy_double(build, build->set->vision ? "attention.layer_norm_epsilon" : "layer_norm_epsilon",
		    "norm_eps", FALSE);
	copy_double(build, "rope.freq_base", "rope_theta", FALSE);
	copy_double(build, "pixel_shuffle_ratio", "pixel_shuffle_ratio", FALSE);
	if (read_size(build, "projector.scale_factor", FALSE, &scale) && scale > 0)
		write_double(build, "pixel_shuffle_ratio", 1.0 / (double)scale);
	write_rows(build, "mm.model.mlp.1.weight", "v.vision_adapter.mlp.fc1.weight",
		   "projector_input_dim");
	write_rows(build, "mm.model.mlp.2.weight", "v.vision_adapter.mlp.fc2.weight",
		   "projector_output_dim");
}

static void write_vision(Build *build)
{
	static const char *const texts[] = {"<|image_start|>", "<|image_end|>", "<|patch|>"};
	static const char *const keys[] = {"boi_token_index", "eoi_token_index",
					   "image_token_index"};
	gint64 ids[G_N_ELEMENTS(texts)];
	Build inner = *build;

	inner.head = vision_file(build->set, &inner.prefix);
	if (!inner.head)
		return;
	find_tokens(build->head, G_N_ELEMENTS(texts), texts, ids);
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		if (ids[i] >= 0)
			write_size(&inner, keys[i], (guint64)ids[i]);
	}
	weft_json_write_key(&inner.writer, "vision_config");
	weft_json_write_object(&inner.writer);
	write_string(&inner, "model_type", "llama4_vision_model");
	check_projector(&inner);
	write_vision_sizes(&inner);
	weft_json_write_object_end(&inner.writer);
	build->writer = inner.writer;
	build->has_failed = inner.has_failed;
}

static void write_three(WeftJsonWriter *writer, const WeftGguf *gguf, const char *key,
			const char *json_key)
{
	const WeftGgufValue *value = weft_gguf_value(gguf, key);
	double number;
	if (!value)
		return;
	weft_json_write_key(writer, json_key);
	weft_json_write_array(writer);
	for (gsize i = 0; i < 3 && weft_gguf_double_at(value, i, &number); i++)
		(void)weft_json_write_double(writer, number); /* finite: the accessor says so */
	weft_json_write_array_end(writer);
}

static GString *write_preprocessor(const WeftGgufSet *set)
{
	GString *text = g_string_new(NULL);
	WeftJsonWriter writer;
	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	if (set->vision) {
		write_three(&writer, set->vision, "clip.vision.image_mean", "image_mean");
		write_three(&writer, set->vision, "clip.vision.image_std", "image_std");
	}
	weft_json_write_object_end(&writer);
	return text;
}

/* ---- the whole ---- */

/* The config.json that the metadata amount to. */
static GString *write_config(const WeftGgufSet *set, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	gboolean is_llama4 = set->architecture == WEFT_GGUF_LLAMA4;
	Build build = {.set = set,
		       .head = weft_gguf_set_head(set),
		       .prefix = is_llama4 ? "llama4" : "llama",
		       .error = error};

	weft_json_writer_init(&build.writer, text);
	weft_json_write_object(&build.writer);
	if (is_llama4) {
		write_string(&build, "model_type", "llama4");
		weft_json_write_key(&build.writer, "text_config");
		weft_json_write_object(&build.writer);
		write_llama4(&build);
		weft_json_write_object_end(&build.writer);
		write_vision(&build);
	} else
		write_llama(&build);
	weft_json_write_object_end(&build.writer);
	return build.has_failed ? NULL : g_steal_pointer(&text);
}

/* Whether a configuration says how the rotation is scaled. */
static gboolean says_scaling(const char *json, gsize size_bytes)
{
	g_autoptr(WeftJson) tree = weft_json_parse(json, size_bytes, WEFT_JSON_STRICT, NULL);
	const WeftJson *inner = weft_json_member(tree, "text_config");
	const WeftJson *text = inner ? inner : tree;
	return weft_json_member(text, "rope_scaling") || weft_json_member(text, "rope_parameters");
}

/* The merged text without a vision part that has no tensors. */
static GString *without_vision(const GString *json)
{
	g_autoptr(WeftJson) tree = weft_json_parse(json->str, json->len, WEFT_JSON_STRICT, NULL);
	GString *text = g_string_new(NULL);
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	for (gsize i = 0; i < weft_json_length(tree); i++) {
		const char *key = weft_json_key_at(tree, i, NULL);
		if (strcmp(key, "vision_config") == 0)
			continue;
		weft_json_write_key(&writer, key);
		weft_json_write_tree(&writer, weft_json_at(tree, i));
	}
	weft_json_write_object_end(&writer);
	return text;
}

/* Divisors of the frequencies, one for each pair of a head. */
static gboolean read_divisors(const WeftGgufSet *set, WeftTextConfig *text, GError **error)
{
	const WeftTensorEntry *entry = weft_gguf_set_tensor(set, "rope_freqs.weight");
	const char *problem = NULL;

	if (!entry)
		return TRUE;
	if (entry->type_unread || entry->view.dtype != WEFT_DTYPE_F32 || entry->view.n_dims != 1)
		problem = "must be one row of F32";
	else if (entry->view.shape[0] != text->head_dim / 2)
		problem = "must have one number for each pair of a head's values";
	double *divisors = problem ? NULL : g_new(double, text->head_dim / 2);
	for (gsize i = 0; !problem && i < text->head_dim / 2; i++) {
		guint32 bits = weft_le32((const guint8 *)entry->view.data + 4 * i);
		divisors[i] = (double)weft_f32_from_bits(bits);
		if (!(divisors[i] > 0) || isinf(divisors[i]))
			problem = "must hold finite numbers above 0";
	}
	if (problem) {
		g_free(divisors);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS, "%s: tensor %s %s",
			    entry->view.file, entry->view.name, problem);
		return FALSE;
	}
	text->rope_divisors = divisors;
	return TRUE;
}

/* Keys that repeat what the configuration has said. */
static gboolean check_again(const WeftGgufSet *set, const WeftTextConfig *text, GError **error)
{
	static const char *const keys[] = {"attention.value_length", "rope.dimension_count"};
	const WeftGguf *head = weft_gguf_set_head(set);
	const char *prefix = set->architecture == WEFT_GGUF_LLAMA4 ? "llama4" : "llama";

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autofree char *key = g_strdup_printf("%s.%s", prefix, keys[i]);
		const WeftGgufValue *value = weft_gguf_value(head, key);
		guint64 size;
		if (!value || (weft_gguf_uint(value, &size) && size == text->head_dim))
			continue;
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "%s: %s must be the width of a head, %zu", weft_gguf_file(head), key,
			    text->head_dim);
		return FALSE;
	}
	return TRUE;
}

/* Lays `json` over *text. */
static gboolean lay_over(GString **text, const char *below, const char *above, const char *json,
			 gsize size_bytes, GError **error)
{
	const WeftConfigSource lower = {below, (*text)->str, (*text)->len};
	const WeftConfigSource upper = {above, json, size_bytes};
	GString *merged = weft_config_merge(&lower, &upper, error);
	if (!merged)
		return FALSE;
	g_string_free(*text, TRUE);
	*text = merged;
	return TRUE;
}

/* A file that `weft model quantize` kept under `key`; NULL: none. */
static const char *kept_file(const WeftGguf *gguf, const char *key, gsize *ret_size_bytes)
{
	return gguf ? weft_gguf_text(weft_gguf_value(gguf, key), ret_size_bytes) : NULL;
}

/* What the files say with the image processor's values, before anything only GGUF has. */
static WeftConfig *read_config(const WeftGgufSet *set, const GString *json,
			       const char *preprocessor_json, gsize preprocessor_size_bytes,
			       GError **error)
{
	const WeftGguf *head = weft_gguf_set_head(set);
	g_autoptr(GString) own = write_preprocessor(set);
	g_autofree char *file =
		g_strdup_printf("%s: " WEFT_GGUF_GENERATION_KEY, weft_gguf_file(head));
	gsize size_bytes = 0;
	const char *kept = kept_file(set->vision, WEFT_GGUF_PREPROCESSOR_KEY, &size_bytes);

	if (!preprocessor_json) {
		preprocessor_json = kept ? kept : own->str;
		preprocessor_size_bytes = kept ? size_bytes : own->len;
	}
	g_autoptr(WeftConfig) config =
		weft_config_new(weft_gguf_file(head), json->str, json->len, preprocessor_json,
				preprocessor_size_bytes, error);
	kept = kept_file(head, WEFT_GGUF_GENERATION_KEY, &size_bytes);
	if (!config ||
	    (kept && !weft_config_add_generation(config, file, kept, size_bytes, error)))
		return NULL;
	return g_steal_pointer(&config);
}

WeftConfig *weft_gguf_config_new(const WeftGgufSet *set, const char *json, gsize size_bytes,
				 const char *preprocessor_json, gsize preprocessor_size_bytes,
				 GError **error)
{
	const WeftGguf *head = weft_gguf_set_head(set);
	const char *file = weft_gguf_file(head), *prefix;
	g_autofree char *kept_name = g_strdup_printf("%s: " WEFT_GGUF_CONFIG_KEY, file);
	g_autoptr(GString) text = write_config(set, error);
	gsize kept_bytes = 0;
	const char *kept = kept_file(head, WEFT_GGUF_CONFIG_KEY, &kept_bytes);

	if (!text || (kept && !lay_over(&text, file, kept_name, kept, kept_bytes, error)) ||
	    (json && !lay_over(&text, file, "config.json", json, size_bytes, error)))
		return NULL;
	if (!vision_file(set, &prefix)) {
		GString *shorter = without_vision(text);
		g_string_free(text, TRUE);
		text = shorter;
	}
	g_autoptr(WeftConfig) config = read_config(set, text, preprocessor_json,
						   preprocessor_size_bytes, error);
	if (!config || !check_again(set, &config->text, error))
		return NULL;
	if (set->architecture == WEFT_GGUF_LLAMA) {
		config->text.rope_halves = FALSE;
		config->text.qk_rows_permuted = TRUE;
	}
	if (!(kept && says_scaling(kept, kept_bytes)) && !(json && says_scaling(json, size_bytes)) &&
	    !read_divisors(set, &config->text, error))
		return NULL;
	return g_steal_pointer(&config);
}
