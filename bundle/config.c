#include <math.h>
#include <string.h>

#include "base/error.h"
#include "bundle/config.h"
#include "bundle/config_audio.h"
#include "bundle/config_text.h"
#include "bundle/keys.h"

/* Far beyond any published model. */
#define SIZE_MAX_WIDTH (1u << 20)
#define SIZE_MAX_LAYERS 4096u
#define SIZE_MAX_SIDE 16384u
#define SIZE_MAX_TILES 1024u
#define SIZE_MAX_POSITIONS (1u << 20)

#define RESAMPLE_BILINEAR 2 /* PIL's number */

static gboolean read_id(const WeftKeys *keys, const char *key, const char *other, gsize n_vocab,
			gint32 *ret_id, GError **error)
{
	guint64 id;
	if (!weft_keys_either(keys, key, other, &key, error))
		return FALSE;
	const WeftJson *member = weft_keys_member(keys, key);
	if (!weft_json_uint(member, &id) || id >= n_vocab)
		return weft_keys_error(keys, key, error, "must be an id below vocab_size %zu",
				       n_vocab);
	*ret_id = (gint32)id;
	return TRUE;
}

/* ---- vision ---- */

#define AT(field) G_STRUCT_OFFSET(WeftVisionConfig, field)

static const WeftSizeKey VISION_SIZES[] = {
	{"image_size", AT(image_size), 1, SIZE_MAX_SIDE, TRUE, 0},
	{"patch_size", AT(patch_size), 1, SIZE_MAX_SIDE, TRUE, 0},
	{"num_channels", AT(n_channels), 3, 3, FALSE, 3},
	{"hidden_size", AT(width), 1, SIZE_MAX_WIDTH, TRUE, 0},
	{"num_hidden_layers", AT(n_layers), 1, SIZE_MAX_LAYERS, TRUE, 0},
	{"num_attention_heads", AT(n_heads), 1, SIZE_MAX_WIDTH, TRUE, 0},
	{"intermediate_size", AT(ffn), 1, SIZE_MAX_WIDTH, TRUE, 0},
	{"projector_input_dim", AT(projector_input), 1, SIZE_MAX_WIDTH, TRUE, 0},
	{"projector_output_dim", AT(projector_output), 1, SIZE_MAX_WIDTH, TRUE, 0},
};
#undef AT

static gboolean check_vision(const WeftKeys *keys, const WeftVisionConfig *vision, GError **error)
{
	gsize side = vision->image_size / vision->patch_size;
	gsize head_dim = vision->width / vision->n_heads;
	gsize output;
	const WeftSizeKey output_key[] = {{"vision_output_dim", 0, 1, SIZE_MAX_WIDTH, FALSE,
					   vision->projector_output}};

	if (vision->image_size % vision->patch_size != 0)
		return weft_keys_error(keys, "patch_size", error,
				       "%zu does not divide image_size %zu", vision->patch_size,
				       vision->image_size);
	if (side % vision->shuffle != 0)
		return weft_keys_error(keys, "pixel_shuffle_ratio", error,
				       "1/%zu does not divide %zu patches a side", vision->shuffle,
				       side);
	/* Rotation in two directions of pairs: a head is four equal parts. */
	if (vision->width % vision->n_heads != 0 || head_dim % 4 != 0)
		return weft_keys_error(
		    keys, "num_attention_heads", error,
		    "%zu heads of hidden_size %zu: a head must be a multiple of 4", vision->n_heads,
		    vision->width);
	if (vision->ffn != vision->width * vision->shuffle * vision->shuffle)
		return weft_keys_error(keys, "intermediate_size", error,
				       "%zu, but a shuffled row has hidden_size %zu x %zu values",
				       vision->ffn, vision->width,
				       vision->shuffle * vision->shuffle);
	if (vision->projector_input != vision->projector_output)
		return weft_keys_error(keys, "projector_input_dim", error,
				       "%zu differs from projector_output_dim %zu",
				       vision->projector_input, vision->projector_output);
	if (!weft_keys_sizes(keys, output_key, 1, &output, error))
		return FALSE;
	if (output != vision->projector_output)
		return weft_keys_error(keys, "vision_output_dim", error,
				       "%zu differs from projector_output_dim %zu", output,
				       vision->projector_output);
	return TRUE;
}

static gboolean read_vision(const WeftKeys *keys, WeftVisionConfig *vision, GError **error)
{
	static const WeftNumberKey eps[] = {
		{"norm_eps", G_STRUCT_OFFSET(WeftVisionConfig, norm_eps), 0, 1, FALSE, 1e-5}};
	static const WeftNumberKey ratio_key[] = {{"pixel_shuffle_ratio", 0, 1e-3, 1, FALSE, 0.5}};
	const WeftJson *layer = weft_keys_member(keys, "vision_feature_layer");
	gint64 layer_number = -1;
	double ratio;

	if (!weft_keys_sizes(keys, VISION_SIZES, G_N_ELEMENTS(VISION_SIZES), vision, error) ||
	    !weft_keys_numbers(keys, eps, 1, vision, error) ||
	    !weft_keys_numbers(keys, ratio_key, 1, &ratio, error) ||
	    !weft_config_rope(keys, FALSE, 10000, &vision->rope_theta, NULL, error) ||
	    !weft_keys_must_be(keys, "hidden_act", "gelu", error) ||
	    !weft_keys_must_be(keys, "vision_feature_select_strategy", "default", error) ||
	    !weft_keys_must_be_false(keys, "multi_modal_projector_bias", error))
		return FALSE;
	if (layer && (!weft_json_int(layer, &layer_number) || layer_number != -1))
		return weft_keys_error(keys, "vision_feature_layer", error,
				       "only -1 is implemented");
	vision->shuffle = (gsize)(1 / ratio + 0.5);
	if (fabs(ratio * (double)vision->shuffle - 1) > 1e-6)
		return weft_keys_error(keys, "pixel_shuffle_ratio", error,
				       "%g is not one divided by a whole number", ratio);
	return check_vision(keys, vision, error);
}

/* ---- the image processor ---- */

static gboolean read_three(const WeftKeys *keys, const char *key, double min, double *ret_three,
			   GError **error)
{
	const WeftJson *list = weft_keys_member(keys, key);
	for (gsize i = 0; i < 3; i++) {
		ret_three[i] = 0.5;
		if (!list)
			continue;
		if (weft_json_length(list) != 3 ||
		    !weft_json_double(weft_json_at(list, i), &ret_three[i]) || ret_three[i] < min)
			return weft_keys_error(keys, key, error,
					       "must be a list of three numbers from %g on", min);
	}
	return TRUE;
}

static gboolean check_steps(const WeftKeys *keys, GError **error)
{
	static const char *const steps[] = {"do_resize", "do_rescale", "do_normalize"};
	const WeftJson *resample = weft_keys_member(keys, "resample");
	guint64 filter;
	gboolean is_on;

	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		if (!weft_keys_truth(keys, steps[i], TRUE, &is_on, error))
			return FALSE;
		if (!is_on)
			return weft_keys_error(keys, steps[i], error, "false is not implemented");
	}
	if (resample && (!weft_json_uint(resample, &filter) || filter != RESAMPLE_BILINEAR))
		return weft_keys_error(keys, "resample", error,
				       "only %d, bilinear, is implemented", RESAMPLE_BILINEAR);
	return TRUE;
}

/* The values that a file leaves out are those of the published one, with the tower's tile. */
static gboolean read_preprocessor(const WeftKeys *keys, const WeftVisionConfig *vision,
				  WeftPreprocessor *ret_values, GError **error)
{
	const WeftSizeKey size_keys[] = {
		{"width", G_STRUCT_OFFSET(WeftPreprocessor, tile_width), 1, SIZE_MAX_SIDE, FALSE,
		 vision->image_size},
		{"height", G_STRUCT_OFFSET(WeftPreprocessor, tile_height), 1, SIZE_MAX_SIDE, FALSE,
		 vision->image_size}};
	static const WeftSizeKey tiles_key[] = {
		{"max_patches", G_STRUCT_OFFSET(WeftPreprocessor, tiles_max), 1, SIZE_MAX_TILES,
		 FALSE, 16}};
	static const WeftNumberKey rescale_key[] = {
		{"rescale_factor", G_STRUCT_OFFSET(WeftPreprocessor, rescale), 1e-9, 1e9, FALSE,
		 1.0 / 255}};
	WeftKeys size;

	if (!weft_keys_section(keys, "size", "size.", &size, error) ||
	    !weft_keys_sizes(&size, size_keys, G_N_ELEMENTS(size_keys), ret_values, error) ||
	    !weft_keys_sizes(keys, tiles_key, 1, ret_values, error) ||
	    !weft_keys_numbers(keys, rescale_key, 1, ret_values, error) ||
	    !weft_keys_truth(keys, "resize_to_max_canvas", FALSE, &ret_values->to_max_canvas,
			     error) ||
	    !read_three(keys, "image_mean", -1e6, ret_values->mean, error) ||
	    !read_three(keys, "image_std", 1e-6, ret_values->std, error) ||
	    !check_steps(keys, error))
		return FALSE;
	if (ret_values->tile_width != vision->image_size ||
	    ret_values->tile_height != vision->image_size)
		return weft_keys_error(keys, "size", error, "%zu x %zu, but image_size is %zu",
				       ret_values->tile_width, ret_values->tile_height,
				       vision->image_size);
	return TRUE;
}

/* ---- the whole ---- */

static gboolean read_tasks(const WeftKeys *keys, char ***ret_tasks, GError **error)
{
	const WeftJson *names = weft_keys_member(keys, "tasks");
	g_autoptr(GPtrArray) tasks = g_ptr_array_new_with_free_func(g_free);

	if (!names)
		return TRUE;
	for (gsize i = 0; i < weft_json_length(names); i++)
		g_ptr_array_add(tasks, g_strdup(weft_json_string(weft_json_at(names, i), NULL)));
	g_ptr_array_add(tasks, NULL);
	if (weft_json_type(names) != WEFT_JSON_ARRAY ||
	    g_strv_length((char **)tasks->pdata) != weft_json_length(names))
		return weft_keys_error(keys, "tasks", error, "must be an array of strings");
	*ret_tasks = (char **)g_ptr_array_free(g_steal_pointer(&tasks), FALSE);
	return TRUE;
}

static gboolean read_traits(const WeftKeys *keys, WeftTraits *traits, GError **error)
{
	static const char *const known[] = {"reads", "answer_confidence_min", "tasks", "name",
					    "hears_words", NULL};
	static const WeftNumberKey confidence[] = {
		{"answer_confidence_min", G_STRUCT_OFFSET(WeftTraits, answer_confidence_min), 0, 1,
		 FALSE, 0}};
	WeftKeys section;

	if (!weft_keys_section(keys, "weft", "weft.", &section, error) ||
	    !weft_keys_only(&section, known, error) ||
	    !weft_keys_numbers(&section, confidence, 1, traits, error) ||
	    !read_tasks(&section, &traits->tasks, error) ||
	    !weft_keys_string(&section, "name", &traits->name, error))
		return FALSE;
	const WeftJson *reads = weft_keys_member(&section, "reads");
	if (reads && !weft_json_bool(reads, &traits->reads))
		return weft_keys_error(&section, "reads", error, "must be true or false");
	const WeftJson *hears = weft_keys_member(&section, "hears_words");
	traits->hears_words = TRUE;
	if (hears && !weft_json_bool(hears, &traits->hears_words))
		return weft_keys_error(&section, "hears_words", error, "must be true or false");
	return TRUE;
}

/* How a checkpoint is quantised. Scales beside the weights are read from the tensors; everything
 * else about fbgemm_fp8 concerns activations, which weft does not quantise. */
static gboolean check_quantization(const WeftKeys *keys, GError **error)
{
	static const char *const instead =
		"take the checkpoint in bf16, one with quant_method \"fbgemm_fp8\", or GGUF files";
	static const struct {
		const char *method, *what;
	} refused[] = {
		{"compressed-tensors", "llm-compressor's packed weights are not read"},
		{"bitsandbytes", "bitsandbytes' packed weights are not read"},
		{"gptq", "GPTQ's packed weights are not read"},
		{"awq", "AWQ's packed weights are not read"},
		{"fp8", "FP8 with a scale for each block is not read"},
	};
	g_autofree char *prefix = g_strconcat(keys->prefix, "quantization_config.", NULL);
	const char *what = "this kind of quantisation is not read";
	WeftKeys section;

	/* Older files of llm-compressor say it here. */
	if (weft_keys_member(keys, "compression_config"))
		return weft_keys_error(keys, "compression_config", error, "%s; %s",
				       refused[0].what, instead);
	if (!weft_keys_section(keys, "quantization_config", prefix, &section, error))
		return FALSE;
	const WeftJson *member = weft_keys_member(&section, "quant_method");
	const char *method = weft_json_string(member, NULL);
	if (!section.object || g_strcmp0(method, "fbgemm_fp8") == 0)
		return TRUE;
	if (!method)
		return weft_keys_error(&section, "quant_method", error, "is missing or no string");
	for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
		if (strcmp(method, refused[i].method) == 0)
			what = refused[i].what;
	}
	return weft_keys_error(&section, "quant_method", error, "\"%s\": %s; %s", method, what,
			       instead);
}

static gboolean read_text(const WeftKeys *keys, WeftConfig *config, GError **error)
{
	if (!check_quantization(keys, error))
		return FALSE;
	if (strcmp(config->model_type, "llama") == 0)
		config->has_text = weft_config_llama(keys, &config->text, error);
	else if (strcmp(config->model_type, "mixtral") == 0)
		config->has_text = weft_config_mixtral(keys, &config->text, error);
	else
		config->has_text = weft_config_llama4(keys, &config->text, error);
	return config->has_text;
}

/* The tie is said at one place or at both alike. */
static gboolean read_tie(const WeftKeys *keys, const WeftKeys *inner, WeftTextConfig *text,
			 GError **error)
{
	gboolean tie;
	if (!weft_keys_truth(keys, "tie_word_embeddings", text->tie_embeddings, &tie, error))
		return FALSE;
	if (tie != text->tie_embeddings && weft_keys_member(inner, "tie_word_embeddings"))
		return weft_keys_error(keys, "tie_word_embeddings", error,
				       "differs from text_config.tie_word_embeddings");
	text->tie_embeddings = tie;
	return TRUE;
}

/* Text and vision of one configuration. */
static gboolean read_llama4(const WeftKeys *keys, WeftConfig *config, GError **error)
{
	WeftKeys text, vision;
	gsize n_vocab;

	if (!weft_keys_section(keys, "text_config", "text_config.", &text, error) ||
	    !weft_keys_section(keys, "vision_config", "vision_config.", &vision, error))
		return FALSE;
	if (!text.object)
		return weft_keys_error(keys, "text_config", error, "is missing");
	if (!weft_keys_must_be(&text, "model_type", "llama4_text", error) ||
	    !check_quantization(keys, error) || !read_text(&text, config, error) ||
	    !read_tie(keys, &text, &config->text, error))
		return FALSE;
	if (!vision.object)
		return TRUE;
	n_vocab = config->text.n_vocab;
	if (!weft_keys_must_be(&vision, "model_type", "llama4_vision_model", error) ||
	    !read_vision(&vision, &config->vision, error) ||
	    !read_id(keys, "boi_token_index", "boi_token_id", n_vocab, &config->vision.boi_id,
		     error) ||
	    !read_id(keys, "eoi_token_index", "eoi_token_id", n_vocab, &config->vision.eoi_id,
		     error) ||
	    !read_id(keys, "image_token_index", "image_token_id", n_vocab,
		     &config->vision.image_id, error))
		return FALSE;
	config->has_vision = TRUE;
	return TRUE;
}

/* The class that wrote a checkpoint, where it says so, must be one that has this model_type. */
static const char *const CLASSES[][3] = {
	{"llama4", "Llama4ForConditionalGeneration", NULL},
	{"llama4_text", "Llama4ForCausalLM", NULL},
	{"llama", "LlamaForCausalLM", NULL},
	{"mixtral", "MixtralForCausalLM", NULL},
	{"whisper", "WhisperForConditionalGeneration", "WhisperModel"},
	{"ultravox", "UltravoxModel", NULL},
};

static gboolean check_type(const WeftKeys *keys, const char *model_type, GError **error)
{
	const WeftJson *classes = weft_keys_member(keys, "architectures");
	gsize row = 0;

	while (row < G_N_ELEMENTS(CLASSES) && strcmp(CLASSES[row][0], model_type) != 0)
		row++;
	if (row == G_N_ELEMENTS(CLASSES))
		return weft_keys_error(keys, "model_type", error,
				       "\"%s\"; llama4, llama4_text, llama, mixtral, whisper and "
				       "ultravox are read", model_type);
	if (classes && weft_json_type(classes) != WEFT_JSON_ARRAY)
		return weft_keys_error(keys, "architectures", error, "must be a list");
	for (gsize i = 0; i < weft_json_length(classes); i++) {
		const char *name = weft_json_string(weft_json_at(classes, i), NULL);
		if (g_strcmp0(name, CLASSES[row][1]) != 0 &&
		    (!CLASSES[row][2] || g_strcmp0(name, CLASSES[row][2]) != 0))
			return weft_keys_error(keys, "architectures", error,
					       "\"%s\", but model_type is \"%s\", of which %s is "
					       "read", name ? name : "(no string)", model_type,
					       CLASSES[row][1]);
	}
	return TRUE;
}

static gboolean read_parts(const WeftKeys *keys, WeftConfig *config, GError **error)
{
	if (!weft_keys_string(keys, "model_type", &config->model_type, error))
		return FALSE;
	if (!config->model_type)
		return weft_keys_error(keys, "model_type", error, "is missing");
	if (!check_type(keys, config->model_type, error))
		return FALSE;
	if (!read_traits(keys, &config->traits, error))
		return FALSE;
	if (strcmp(config->model_type, "llama4") == 0)
		return read_llama4(keys, config, error);
	if (strcmp(config->model_type, "whisper") != 0 &&
	    strcmp(config->model_type, "ultravox") != 0)
		return read_text(keys, config, error);
	if (weft_keys_member(keys, "quantization_config"))
		return weft_keys_error(keys, "quantization_config", error,
				       "quantised checkpoints of this kind are not read");
	config->has_audio = strcmp(config->model_type, "whisper") == 0 ?
				    weft_config_whisper(keys, &config->audio, error) :
				    weft_config_ultravox(keys, &config->audio, error);
	return config->has_audio;
}

static WeftJson *parse(const char *file, const char *json, gsize size_bytes, GError **error)
{
	g_autoptr(GError) fault = NULL;
	WeftJson *tree = weft_json_parse(json, size_bytes, WEFT_JSON_STRICT, &fault);
	if (!tree)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: %s", file, fault->message);
	else if (weft_json_type(tree) != WEFT_JSON_OBJECT) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: must be an object", file);
		g_clear_pointer(&tree, weft_json_free);
	}
	return tree;
}

WeftConfig *weft_config_new(const char *file, const char *json, gsize size_bytes,
			    const char *preprocessor_json, gsize preprocessor_size_bytes,
			    GError **error)
{
	g_autoptr(WeftConfig) config = g_new0(WeftConfig, 1);
	g_autoptr(WeftJson) tree = parse(file, json, size_bytes, error);
	g_autoptr(WeftJson) processor = NULL;
	WeftKeys keys = {file, "", tree}, values = {"preprocessor_config.json", "", NULL};

	if (!tree || !read_parts(&keys, config, error))
		return NULL;
	if (!config->has_vision)
		return g_steal_pointer(&config);
	if (preprocessor_json) {
		processor = parse(values.file, preprocessor_json, preprocessor_size_bytes, error);
		if (!processor)
			return NULL;
		/* processor_config.json has the same object inside. */
		const WeftJson *inner = weft_json_member(processor, "image_processor");
		values.object = inner ? inner : processor;
	}
	if (!read_preprocessor(&values, &config->vision, &config->preprocessor, error))
		return NULL;
	return g_steal_pointer(&config);
}

gboolean weft_config_add_generation(WeftConfig *config, const char *file, const char *json,
				    gsize size_bytes, GError **error)
{
	g_autoptr(WeftJson) tree = parse(file, json, size_bytes, error);
	WeftKeys keys = {file, "", tree};
	return tree && (!config->has_text || weft_config_eos(&keys, &config->text, error)) &&
	       (!config->audio.has_decoder ||
		weft_config_alignment(&keys, &config->audio, error));
}

void weft_config_free(WeftConfig *config)
{
	if (!config)
		return;
	g_free(config->text.rope_divisors);
	if (config->text.eos_ids)
		g_array_unref(config->text.eos_ids);
	g_free(config->text.layers);
	g_free(config->audio.text_model);
	if (config->audio.alignment_heads)
		g_array_unref(config->audio.alignment_heads);
	g_strfreev(config->traits.tasks);
	g_free(config->traits.name);
	g_free(config->model_type);
	g_free(config);
}
