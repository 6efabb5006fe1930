/* Both spellings of the rotation, what is derived, and keys that must be refused by name. */
#include <string.h>

#include <glib.h>

#include "base/error.h"
#include "bundle/config.h"

/* A text configuration; tests replace pieces of it. */
static const char TEXT[] =
	"{\"model_type\":\"llama4_text\",\"vocab_size\":100,\"hidden_size\":32,"
	"\"num_hidden_layers\":8,\"num_attention_heads\":4,\"num_key_value_heads\":2,"
	"\"head_dim\":16,\"intermediate_size\":12,\"intermediate_size_mlp\":40,"
	"\"num_local_experts\":4,\"num_experts_per_tok\":1,\"max_position_embeddings\":512,"
	"\"rms_norm_eps\":1e-5,\"rope_theta\":500000.0,\"rope_scaling\":null,"
	"\"attention_chunk_size\":64,\"bos_token_id\":1,\"eos_token_id\":[2,3]}";

static const char VISION[] =
	"{\"model_type\":\"llama4_vision_model\",\"image_size\":336,\"patch_size\":14,"
	"\"num_channels\":3,\"hidden_size\":1408,\"num_hidden_layers\":34,"
	"\"num_attention_heads\":16,\"intermediate_size\":5632,\"norm_eps\":1e-05,"
	"\"pixel_shuffle_ratio\":0.5,\"projector_input_dim\":4096,\"projector_output_dim\":4096,"
	"\"vision_output_dim\":4096,\"rope_theta\":10000,\"hidden_act\":\"gelu\","
	"\"vision_feature_layer\":-1,\"vision_feature_select_strategy\":\"default\"}";

/* `json` with the first `old` replaced; "" as `old` adds `new` as first members. */
static char *with(const char *json, const char *old, const char *new)
{
	const char *at = *old ? strstr(json, old) : json + 1;
	g_assert_nonnull(at);
	return g_strdup_printf("%.*s%s%s", (int)(at - json), json, new, at + strlen(old));
}

static char *both(const char *top, const char *vision)
{
	return g_strdup_printf(
	    "{\"model_type\":\"llama4\",%s\"text_config\":%s,\"vision_config\":%s,"
	    "\"boi_token_index\":80,\"eoi_token_index\":81,"
	    "\"image_token_index\":92}",
	    top, TEXT, vision);
}

static WeftConfig *accept(const char *json, const char *processor)
{
	g_autoptr(GError) error = NULL;
	WeftConfig *config = weft_config_new("config.json", json, strlen(json), processor,
					     processor ? strlen(processor) : 0, &error);
	g_assert_no_error(error);
	return config;
}

static void refuse(const char *json, const char *processor, const char *file, const char *words)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftConfig) config =
		weft_config_new("config.json", json, strlen(json), processor,
				processor ? strlen(processor) : 0, &error);
	if (config || !strstr(error->message, words))
		g_test_message("expected: %s\n%s", words, error ? error->message : json);
	g_assert_null(config);
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG);
	g_assert_true(g_str_has_prefix(error->message, file));
	g_assert_nonnull(strstr(error->message, words));
}

static void test_derived(void)
{
	g_autoptr(WeftConfig) config = accept(TEXT, NULL);
	const WeftTextConfig *text = &config->text;

	g_assert_true(config->has_text && !config->has_vision);
	for (gsize i = 0; i < 8; i++) {
		g_assert_cmpint(text->layers[i].has_rope, ==, i % 4 != 3);
		g_assert_cmpint(text->layers[i].is_chunked, ==, i % 4 != 3);
		g_assert_true(text->layers[i].is_moe);
	}
	g_assert_cmpfloat(text->floor_scale, ==, 8192);
	g_assert_cmpfloat(text->attn_scale, ==, 0.1);
	g_assert_true(text->qk_norm && text->temperature_tuning);
	g_assert_cmpint(text->bos_id, ==, 1);
	g_assert_cmpuint(text->eos_ids->len, ==, 2);
	g_assert_cmpint(g_array_index(text->eos_ids, gint32, 1), ==, 3);
}

static void test_layers(void)
{
	g_autofree char *lists = with(
		TEXT, "",
		"\"no_rope_layers\":[0,1,1,1,1,1,1,0],\"moe_layers\":[2,5],\"layer_types\":["
		"\"full_attention\",\"full_attention\",\"chunked_attention\",\"chunked_attention\","
		"\"chunked_attention\",\"chunked_attention\",\"chunked_attention\","
		"\"full_attention\"],");
	g_autoptr(WeftConfig) config = accept(lists, NULL);
	for (gsize i = 0; i < 8; i++) {
		g_assert_cmpint(config->text.layers[i].has_rope, ==, i != 0 && i != 7);
		g_assert_cmpint(config->text.layers[i].is_moe, ==, i == 2 || i == 5);
		g_assert_cmpint(config->text.layers[i].is_chunked, ==, i >= 2 && i < 7);
	}
	/* null: no chunks at all; absent: the published default. */
	g_autofree char *none =
	    with(TEXT, "\"attention_chunk_size\":64", "\"attention_chunk_size\":null");
	g_autoptr(WeftConfig) full = accept(none, NULL);
	g_assert_cmpuint(full->text.chunk_size, ==, 0);
	g_assert_false(full->text.layers[0].is_chunked);
	g_autofree char *absent = with(TEXT, "\"attention_chunk_size\":64,", "");
	g_autoptr(WeftConfig) standard = accept(absent, NULL);
	g_assert_cmpuint(standard->text.chunk_size, ==, 8192);
	/* Llama Guard 4: no experts, every layer dense. */
	g_autofree char *guard = with(TEXT, "", "\"moe_layers\":[],");
	g_autoptr(WeftConfig) dense = accept(guard, NULL);
	g_assert_false(dense->text.layers[0].is_moe || dense->text.layers[7].is_moe);
	g_assert_cmpuint(dense->text.n_experts, ==, 0);
	g_autofree char *step = with(TEXT, "", "\"interleave_moe_layer_step\":2,");
	g_autoptr(WeftConfig) mixed = accept(step, NULL);
	g_assert_true(!mixed->text.layers[0].is_moe && mixed->text.layers[1].is_moe);
}

static void assert_llama3(const WeftConfig *config)
{
	g_assert_true(config->text.rope_scaling.present);
	g_assert_cmpfloat(config->text.rope_scaling.factor, ==, 16);
	g_assert_cmpfloat(config->text.rope_scaling.low_freq, ==, 1);
	g_assert_cmpfloat(config->text.rope_scaling.high_freq, ==, 4);
	g_assert_cmpuint(config->text.rope_scaling.context_original, ==, 8192);
	g_assert_cmpfloat(config->text.rope_theta, ==, 500000);
}

#define LLAMA3 \
	"\"rope_type\":\"llama3\",\"factor\":16.0,\"low_freq_factor\":1.0," \
	"\"high_freq_factor\":4.0,\"original_max_position_embeddings\":8192"
#define OLD "\"rope_theta\":500000.0,\"rope_scaling\":null"

static void test_rope(void)
{
	g_autofree char *old = with(TEXT, "\"rope_scaling\":null", "\"rope_scaling\":{" LLAMA3 "}");
	g_autofree char *new =
		with(TEXT, OLD, "\"rope_parameters\":{\"rope_theta\":500000.0," LLAMA3 "}");
	g_autofree char *oldest = with(old, "\"rope_type\":\"llama3\"", "\"type\":\"llama3\"");
	g_autofree char *same =
	    with(old, "", "\"rope_parameters\":{\"rope_theta\":500000," LLAMA3 "},");
	g_autofree char *plain =
		with(TEXT, OLD, "\"rope_parameters\":{\"rope_theta\":7,\"rope_type\":\"default\"}");
	g_autoptr(WeftConfig) a = accept(old, NULL);
	g_autoptr(WeftConfig) b = accept(new, NULL);
	g_autoptr(WeftConfig) c = accept(oldest, NULL);
	g_autoptr(WeftConfig) d = accept(same, NULL);
	g_autoptr(WeftConfig) e = accept(plain, NULL);

	assert_llama3(a);
	assert_llama3(b);
	assert_llama3(c);
	assert_llama3(d);
	g_assert_false(e->text.rope_scaling.present);
	g_assert_cmpfloat(e->text.rope_theta, ==, 7);
}

/* old, new, words of the message: each replacement makes TEXT wrong in one way. */
static void test_text_refusals(void)
{
	static const char *const cases[][3] = {
	    {"\"vocab_size\":100,", "", "vocab_size: is missing"},
	    {"\"vocab_size\":100", "\"vocab_size\":1.5", "vocab_size"},
	    {"\"vocab_size\":100", "\"vocab_size\":\"100\"", "vocab_size"},
	    {"\"vocab_size\":100", "\"vocab_size\":99999999999999999999", "vocab_size"},
	    {"\"hidden_size\":32", "\"hidden_size\":0",
	     "hidden_size: must be a whole number from 1"},
	    {"\"num_key_value_heads\":2", "\"num_key_value_heads\":3", "num_key_value_heads: 3"},
	    {"\"head_dim\":16", "\"head_dim\":15", "head_dim: 15"},
	    {"\"rms_norm_eps\":1e-5", "\"rms_norm_eps\":-1", "rms_norm_eps"},
	    {"", "\"hidden_act\":\"gelu\",", "hidden_act: \"gelu\""},
	    {"", "\"attention_bias\":true,", "attention_bias"},
	    {"\"model_type\":\"llama4_text\"", "\"model_type\":\"qwen3\"", "\"qwen3\""},
	    {"\"model_type\":\"llama4_text\",", "", "model_type: is missing"},
	    {"", "\"no_rope_layers\":[1,1],", "no_rope_layers: 2 entries for 8"},
	    {"", "\"no_rope_layer_interval\":null,", "no_rope_layer_interval: null"},
	    {"", "\"no_rope_layer_interval\":0,", "no_rope_layer_interval"},
	    {"", "\"no_rope_layers\":[1,1,1,2,1,1,1,1],", "no_rope_layers: entry 3"},
	    {"", "\"layer_types\":[\"full_attention\"],", "layer_types"},
	    {"", "\"moe_layers\":[8],", "moe_layers: entry 0"},
	    {"\"num_local_experts\":4,", "", "num_local_experts: is missing"},
	    {"\"num_experts_per_tok\":1", "\"num_experts_per_tok\":5", "num_experts_per_tok: 5"},
	    {"\"bos_token_id\":1", "\"bos_token_id\":100", "bos_token_id"},
	    {"\"eos_token_id\":[2,3]", "\"eos_token_id\":[2,100]", "eos_token_id"},
	    {"\"eos_token_id\":[2,3]", "\"eos_token_id\":\"2\"", "eos_token_id"},
	    {OLD, "\"rope_scaling\":null", "rope_theta: is missing"},
	    {"\"rope_scaling\":null", "\"rope_scaling\":{\"rope_type\":\"yarn\"}", "\"yarn\""},
	    {"\"rope_scaling\":null", "\"rope_scaling\":{\"rope_type\":\"llama3\"}",
	     "rope_scaling.factor: is missing"},
	    {"\"rope_scaling\":null", "\"rope_scaling\":{\"beta\":1}", "rope_scaling.beta"},
	    {"\"rope_scaling\":null",
	     "\"rope_scaling\":{" LLAMA3 "},\"rope_parameters\":{"
	     "\"rope_type\":\"default\"}",
	     "rope_scaling: differs"},
	    {"", "\"rope_parameters\":{\"rope_type\":\"default\",\"rope_theta\":9},",
	     "rope_theta: 500000 differs"},
	    {"", "\"vocab_size\":100,", "already"},
	    {"", "\"weft\":{\"read\":true},", "weft.read: is not a key"},
	    {"", "\"weft\":{\"reads\":1},", "weft.reads"},
	    {"", "\"weft\":{\"hears_words\":\"no\"},", "weft.hears_words"},
	    {"", "\"weft\":{\"answer_confidence_min\":2},", "weft.answer_confidence_min"},
	    {"", "\"weft\":[],", "weft: must be an object"},
	    {"", "\"weft\":{\"name\":7},", "weft.name"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *json = with(TEXT, cases[i][0], cases[i][1]);
		refuse(json, NULL, "config.json: ", cases[i][2]);
	}
	refuse("", NULL, "config.json: ", "byte 0");
	refuse("[]", NULL, "config.json: ", "object");
}

static void test_vision(void)
{
	static const char *const cases[][3] = {
	    {"\"patch_size\":14", "\"patch_size\":15", "patch_size: 15"},
	    {"\"pixel_shuffle_ratio\":0.5", "\"pixel_shuffle_ratio\":0.4", "0.4"},
	    {"\"pixel_shuffle_ratio\":0.5", "\"pixel_shuffle_ratio\":0.2", "pixel_shuffle_ratio"},
	    {"\"num_attention_heads\":16", "\"num_attention_heads\":15", "15 heads"},
	    {"\"intermediate_size\":5632", "\"intermediate_size\":5631",
	     "vision_config.intermediate_size"},
	    {"\"vision_output_dim\":4096", "\"vision_output_dim\":4095", "4095"},
	    {"\"projector_input_dim\":4096", "\"projector_input_dim\":1", "projector_input_dim"},
	    {"\"hidden_act\":\"gelu\"", "\"hidden_act\":\"relu\"", "relu"},
	    {"\"vision_feature_layer\":-1", "\"vision_feature_layer\":-2", "vision_feature_layer"},
	    {"\"num_channels\":3", "\"num_channels\":1", "num_channels"},
	};
	g_autofree char *json = both("", VISION);
	g_autoptr(WeftConfig) config = accept(json, NULL);

	g_assert_true(config->has_vision);
	g_assert_cmpuint(config->vision.shuffle, ==, 2);
	g_assert_cmpint(config->vision.image_id, ==, 92);
	g_assert_cmpuint(config->preprocessor.tile_height, ==, 336);
	g_assert_cmpuint(config->preprocessor.tiles_max, ==, 16);
	g_assert_cmpfloat(config->preprocessor.mean[2], ==, 0.5);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *vision = with(VISION, cases[i][0], cases[i][1]);
		g_autofree char *wrong = both("", vision);
		refuse(wrong, NULL, "config.json: vision_config.", cases[i][2]);
	}
	g_autofree char *id = with(json, "\"image_token_index\":92", "\"image_token_index\":100");
	refuse(id, NULL, "config.json: ", "image_token_index");
	g_autofree char *tie = both("\"tie_word_embeddings\":true,", VISION);
	g_autoptr(WeftConfig) tied = accept(tie, NULL);
	g_assert_true(tied->text.tie_embeddings);
	g_autofree char *untie =
	    with(tie, "\"vocab_size\"", "\"tie_word_embeddings\":false,\"vocab_size\"");
	refuse(untie, NULL, "config.json: ", "tie_word_embeddings");
}

static void test_preprocessor(void)
{
	static const char *const wrong[][2] = {
		{"{\"size\":{\"height\":336,\"width\":224}}", "size: 224 x 336"},
		{"{\"image_mean\":[0.5,0.5]}", "image_mean"},
		{"{\"image_std\":[0.5,0.5,0]}", "image_std"},
		{"{\"resample\":3}", "resample"},
		{"{\"do_normalize\":false}", "do_normalize"},
		{"{\"max_patches\":0}", "max_patches"},
		{"{", "byte"},
	};
	static const char nested[] =
	    "{\"image_processor\":{\"max_patches\":9,\"resample\":2,\"image_mean\":[0,0.25,0.5]}}";
	g_autofree char *json = both("", VISION);
	g_autoptr(WeftConfig) config = accept(json, nested);

	g_assert_cmpuint(config->preprocessor.tiles_max, ==, 9);
	g_assert_cmpfloat(config->preprocessor.mean[1], ==, 0.25);
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
		refuse(json, wrong[i][0], "preprocessor_config.json: ", wrong[i][1]);
}

/* Meta-Llama-3.1-8B-Instruct's and Mixtral-8x7B's values, as their files spell them. */
static const char LLAMA[] =
	"{\"architectures\":[\"LlamaForCausalLM\"],\"attention_bias\":false,"
	"\"attention_dropout\":0.0,\"bos_token_id\":128000,\"eos_token_id\":[128001,128008,"
	"128009],\"hidden_act\":\"silu\",\"hidden_size\":4096,\"initializer_range\":0.02,"
	"\"intermediate_size\":14336,\"max_position_embeddings\":131072,\"mlp_bias\":false,"
	"\"model_type\":\"llama\",\"num_attention_heads\":32,\"num_hidden_layers\":32,"
	"\"num_key_value_heads\":8,\"pretraining_tp\":1,\"rms_norm_eps\":1e-05,\"rope_scaling\":{"
	"\"factor\":8.0,\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,"
	"\"original_max_position_embeddings\":8192,\"rope_type\":\"llama3\"},"
	"\"rope_theta\":500000.0,\"tie_word_embeddings\":false,\"torch_dtype\":\"bfloat16\","
	"\"transformers_version\":\"4.43.0.dev0\",\"use_cache\":true,\"vocab_size\":128256}";

static const char MIXTRAL[] =
	"{\"architectures\":[\"MixtralForCausalLM\"],\"attention_dropout\":0.0,\"bos_token_id\":1,"
	"\"eos_token_id\":2,\"hidden_act\":\"silu\",\"hidden_size\":4096,"
	"\"intermediate_size\":14336,\"max_position_embeddings\":32768,"
	"\"model_type\":\"mixtral\",\"num_attention_heads\":32,\"num_experts_per_tok\":2,"
	"\"num_hidden_layers\":32,\"num_key_value_heads\":8,\"num_local_experts\":8,"
	"\"output_router_logits\":false,\"rms_norm_eps\":1e-05,\"rope_theta\":1000000.0,"
	"\"router_aux_loss_coef\":0.02,\"sliding_window\":null,\"tie_word_embeddings\":false,"
	"\"torch_dtype\":\"bfloat16\",\"vocab_size\":32000}";

static void refuse_each(const char *json, const char *const (*cases)[3], gsize n_cases)
{
	for (gsize i = 0; i < n_cases; i++) {
		g_autofree char *wrong = with(json, cases[i][0], cases[i][1]);
		refuse(wrong, NULL, "config.json: ", cases[i][2]);
	}
}

static void test_llama(void)
{
	static const char *const cases[][3] = {
	    {"\"attention_bias\":false", "\"attention_bias\":true", "attention_bias: true"},
	    {"\"mlp_bias\":false", "\"mlp_bias\":true", "mlp_bias: true"},
	    {"\"LlamaForCausalLM\"", "\"MixtralForCausalLM\"",
	     "architectures: \"MixtralForCausalLM\", but model_type is \"llama\""},
	    {"[\"LlamaForCausalLM\"]", "\"LlamaForCausalLM\"", "architectures: must be a list"},
	    {"[\"LlamaForCausalLM\"]", "[null]", "architectures: \"(no string)\""},
	    {"\"rope_type\":\"llama3\"", "\"rope_type\":\"linear\"", "\"linear\""},
	    {"\"low_freq_factor\":1.0", "\"low_freq_factor\":5.0",
	     "rope_scaling.low_freq_factor: 5"},
	    {"", "\"layer_types\":[\"chunked_attention\"],", "layer_types: entry 0"},
	    {"\"hidden_size\":4096", "\"hidden_size\":-4096", "hidden_size"},
	    {"\"hidden_size\":4096", "\"hidden_size\":1e400", "hidden_size"},
	    {"\"rms_norm_eps\":1e-05", "\"rms_norm_eps\":NaN", "byte"},
	    {"\"rms_norm_eps\":1e-05", "\"rms_norm_eps\":\"1e-05\"", "rms_norm_eps"},
	};
	g_autoptr(WeftConfig) config = accept(LLAMA, NULL);
	const WeftTextConfig *text = &config->text;

	g_assert_true(config->has_text && !config->has_vision && text->rope_halves);
	g_assert_false(text->qk_norm || text->temperature_tuning || text->tie_embeddings);
	g_assert_cmpuint(text->ffn_dense, ==, 14336);
	g_assert_cmpuint(text->head_dim, ==, 128);
	g_assert_cmpuint(text->n_experts + text->chunk_size, ==, 0);
	g_assert_cmpuint(text->eos_ids->len, ==, 3);
	g_assert_cmpfloat(text->rope_scaling.factor, ==, 8);
	for (gsize i = 0; i < text->n_layers; i++)
		g_assert_true(text->layers[i].has_rope && !text->layers[i].is_chunked &&
			      !text->layers[i].is_moe);
	refuse_each(LLAMA, cases, G_N_ELEMENTS(cases));
	/* Llama 2 leaves rope_theta out. */
	g_autofree char *old = with(LLAMA, "\"rope_theta\":500000.0,", "");
	g_autoptr(WeftConfig) without = accept(old, NULL);
	g_assert_cmpfloat(without->text.rope_theta, ==, 10000);
	g_autofree char *llama4 = with(LLAMA, "\"llama\"", "\"llama4_text\"");
	refuse(llama4, NULL, "config.json: ", "architectures: \"LlamaForCausalLM\"");
}

static void test_mixtral(void)
{
	static const char *const cases[][3] = {
	    {"\"sliding_window\":null", "\"sliding_window\":4096",
	     "sliding_window: 4096 is below max_position_embeddings 32768"},
	    {"\"num_local_experts\":8,", "", "num_local_experts: is missing"},
	    {"\"num_local_experts\":8", "\"num_local_experts\":0", "num_local_experts"},
	    {"", "\"num_experts\":7,", "num_local_experts: differs from num_experts"},
	    {"\"num_experts_per_tok\":2", "\"num_experts_per_tok\":9", "num_experts_per_tok: 9"},
	    {"\"num_experts_per_tok\":2", "\"num_experts_per_tok\":0", "num_experts_per_tok"},
	};
	g_autofree char *renamed = with(MIXTRAL, "num_local_experts", "num_experts");
	g_autofree char *wide =
		with(MIXTRAL, "\"sliding_window\":null", "\"sliding_window\":32768");
	g_autoptr(WeftConfig) config = accept(MIXTRAL, NULL);
	g_autoptr(WeftConfig) other = accept(renamed, NULL);
	g_autoptr(WeftConfig) window = accept(wide, NULL);
	const WeftTextConfig *text = &config->text;

	g_assert_true(text->rope_halves && text->layers[0].is_moe && text->layers[31].is_moe);
	g_assert_false(text->qk_norm || text->temperature_tuning);
	g_assert_cmpuint(text->n_experts, ==, 8);
	g_assert_cmpuint(text->n_experts_active, ==, 2);
	g_assert_cmpuint(text->ffn_expert, ==, 14336);
	g_assert_cmpuint(text->ffn_dense, ==, 0);
	g_assert_cmpfloat(text->rope_theta, ==, 1e6);
	g_assert_cmpuint(other->text.n_experts, ==, 8);
	g_assert_cmpuint(window->text.n_experts, ==, 8);
	refuse_each(MIXTRAL, cases, G_N_ELEMENTS(cases));
}

/* Dense Llama 4 in the shapes that it might come in. */
static void test_guard(void)
{
	static const char *const shapes[][2] = {
	    {"\"num_local_experts\":4", "\"num_local_experts\":0"},
	    {"", "\"moe_layers\":[],"},
	    {"", "\"interleave_moe_layer_step\":0,"},
	    {"\"num_local_experts\":4", "\"num_local_experts\":1,\"moe_layers\":[]"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) {
		g_autofree char *json = with(TEXT, shapes[i][0], shapes[i][1]);
		g_autofree char *narrow = with(json, "\"intermediate_size_mlp\":40,", "");
		g_autoptr(WeftConfig) config = accept(json, NULL);
		g_autoptr(WeftConfig) other = accept(narrow, NULL);
		g_assert_false(config->text.layers[0].is_moe || config->text.layers[7].is_moe);
		g_assert_cmpuint(config->text.n_experts, ==, 0);
		g_assert_cmpuint(config->text.ffn_dense, ==, 40);
		g_assert_cmpuint(other->text.ffn_dense, ==, 12);
	}
	/* As transformers' converter writes it: rotation everywhere by an interval beyond the last. */
	g_autofree char *pruned =
		with(TEXT, "\"num_local_experts\":4",
		     "\"num_local_experts\":0,\"interleave_moe_layer_step\":0,\"moe_layers\":[],"
		     "\"no_rope_layer_interval\":80,\"cache_implementation\":\"static\"");
	g_autofree char *guard =
		with(pruned, "\"attention_chunk_size\":64", "\"attention_chunk_size\":null");
	g_autoptr(WeftConfig) written = accept(guard, NULL);
	for (gsize i = 0; i < 8; i++)
		g_assert_true(written->text.layers[i].has_rope &&
			      !written->text.layers[i].is_chunked &&
			      !written->text.layers[i].is_moe);
	/* With experts beside dense layers there is no such rule. */
	g_autofree char *mixed = with(TEXT, "\"intermediate_size_mlp\":40", "\"moe_layers\":[1]");
	refuse(mixed, NULL, "config.json: ", "intermediate_size_mlp: is missing");
	g_autofree char *none = with(TEXT, "\"num_local_experts\":4",
				     "\"num_local_experts\":0,\"moe_layers\":[1]");
	refuse(none, NULL, "config.json: ", "num_local_experts: 0");
}

static void test_quantization(void)
{
	static const char *const refused[] = {"compressed-tensors", "bitsandbytes", "gptq", "awq",
					      "fp8", "torchao"};
	g_autofree char *fbgemm =
		with(TEXT, "", "\"quantization_config\":{\"activation_scale_ub\":1200.0,"
			       "\"modules_to_not_convert\":[\"lm_head\"],"
			       "\"quant_method\":\"fbgemm_fp8\"},");
	g_autoptr(WeftConfig) config = accept(fbgemm, NULL);

	g_assert_true(config->has_text);
	for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_autofree char *json = with(fbgemm, "fbgemm_fp8", refused[i]);
		refuse(json, NULL, "config.json: quantization_config.quant_method: ", refused[i]);
		refuse(json, NULL, "config.json: ", "bf16");
	}
	g_autofree char *nameless = with(TEXT, "", "\"quantization_config\":{},");
	refuse(nameless, NULL, "config.json: ", "quantization_config.quant_method: is missing");
	g_autofree char *old = with(TEXT, "", "\"compression_config\":{},");
	refuse(old, NULL, "config.json: ", "compression_config");
	g_autofree char *inner = both("", VISION);
	g_autofree char *nested =
		with(inner, "\"vocab_size\"",
		     "\"quantization_config\":{\"quant_method\":\"awq\"},\"vocab_size\"");
	refuse(nested, NULL, "config.json: text_config.quantization_config.quant_method", "awq");
}

static gboolean add_generation(WeftConfig *config, const char *json, GError **error)
{
	return weft_config_add_generation(config, "generation_config.json", json, strlen(json),
					  error);
}

static void test_generation(void)
{
	static const char *const wrong[] = {"{\"eos_token_id\":100}", "{\"eos_token_id\":[-1]}",
					    "{\"eos_token_id\":true}", "{\"eos_token_id\":[2.5]}",
					    "[]", "{"};
	g_autoptr(WeftConfig) config = accept(TEXT, NULL);
	g_autoptr(GError) error = NULL;

	g_assert_true(add_generation(config, "{\"eos_token_id\":[3,7,2],\"top_p\":0.9}", &error));
	g_assert_no_error(error);
	g_assert_cmpuint(config->text.eos_ids->len, ==, 3);
	g_assert_cmpint(g_array_index(config->text.eos_ids, gint32, 2), ==, 7);
	g_assert_true(add_generation(config, "{\"eos_token_id\":8}", &error));
	g_assert_true(add_generation(config, "{\"eos_token_id\":null}", &error));
	g_assert_no_error(error);
	g_assert_cmpuint(config->text.eos_ids->len, ==, 4);
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_assert_false(add_generation(config, wrong[i], &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG);
		g_assert_true(g_str_has_prefix(error->message, "generation_config.json: "));
		g_clear_error(&error);
	}
}

static void test_spellings(void)
{
	g_autofree char *json = both("\"architectures\":[\"Llama4ForConditionalGeneration\"],"
				     "\"boi_token_id\":80,", VISION);
	g_autofree char *new = with(json, "image_token_index", "image_token_id");
	g_autofree char *apart = with(json, "\"boi_token_id\":80", "\"boi_token_id\":81");
	g_autoptr(WeftConfig) config = accept(new, NULL);

	g_assert_cmpint(config->vision.image_id, ==, 92);
	refuse(apart, NULL, "config.json: ", "boi_token_index: differs from boi_token_id");
	g_autofree char *causal = with(json, "ForConditionalGeneration", "ForCausalLM");
	refuse(causal, NULL, "config.json: ", "architectures: \"Llama4ForCausalLM\"");
}

/* Numbers of a model that was announced and never published: 288B active, 16 experts, 2T. */
static void test_behemoth(void)
{
	g_autofree char *wide = with(TEXT, "\"hidden_size\":32", "\"hidden_size\":16384");
	g_autofree char *heads =
		with(wide, "\"num_attention_heads\":4", "\"num_attention_heads\":128");
	g_autofree char *deep = with(heads, "\"num_hidden_layers\":8", "\"num_hidden_layers\":160");
	g_autofree char *ffn =
		with(deep, "\"intermediate_size\":12", "\"intermediate_size\":65536");
	g_autofree char *dim = with(ffn, "\"head_dim\":16", "\"head_dim\":128");
	g_autofree char *json = with(dim, "\"num_local_experts\":4", "\"num_local_experts\":16");
	g_autoptr(WeftConfig) config = accept(json, NULL);
	g_assert_cmpuint(config->text.width, ==, 16384);
}

static void test_traits(void)
{
	g_autofree char *json = with(TEXT, "", "\"weft\":{\"reads\":true,\"hears_words\":false,\"name\":\"n\","
					       "\"tasks\":[\"index\"],\"answer_confidence_min\":0.25},");
	g_autoptr(WeftConfig) config = accept(json, NULL);
	g_autoptr(WeftConfig) bare = accept(TEXT, NULL);

	g_assert_true(config->traits.reads);
	g_assert_false(config->traits.hears_words);
	g_assert_true(bare->traits.hears_words);
	g_assert_cmpstr(config->traits.name, ==, "n");
	g_assert_cmpfloat(config->traits.answer_confidence_min, ==, 0.25);
	g_assert_cmpuint(g_strv_length(config->traits.tasks), ==, 1);
	g_assert_cmpstr(config->traits.tasks[0], ==, "index");
	g_assert_null(bare->traits.tasks);
	g_autofree char *number = with(TEXT, "", "\"weft\":{\"tasks\":[1]},");
	refuse(number, NULL, "config.json: ", "weft.tasks");
	g_assert_false(bare->traits.reads);
	g_assert_null(bare->traits.name);
	g_assert_cmpfloat(bare->traits.answer_confidence_min, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/config/derived", test_derived);
	g_test_add_func("/config/layers", test_layers);
	g_test_add_func("/config/rope", test_rope);
	g_test_add_func("/config/text-refusals", test_text_refusals);
	g_test_add_func("/config/vision", test_vision);
	g_test_add_func("/config/preprocessor", test_preprocessor);
	g_test_add_func("/config/traits", test_traits);
	g_test_add_func("/config/llama", test_llama);
	g_test_add_func("/config/mixtral", test_mixtral);
	g_test_add_func("/config/guard", test_guard);
	g_test_add_func("/config/quantization", test_quantization);
	g_test_add_func("/config/generation", test_generation);
	g_test_add_func("/config/spellings", test_spellings);
	g_test_add_func("/config/behemoth", test_behemoth);
	return g_test_run();
}
