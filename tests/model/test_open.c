#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "golden.h"

/* Opens a golden folder with one place of a file changed; gives the error. */
static GError *open_golden_changed(const char *golden, const char *changed, const char *from,
				   const char *to)
{
	static const char *const files[] = {"config.json", "model.safetensors", "tokenizer.json",
					    "preprocessor_config.json"};
	GError *error = NULL;
	gsize size;
	g_autofree char *folder = g_dir_make_tmp("weft-open-XXXXXX", NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *a = g_build_filename(TEST_GOLDEN, golden, files[i], NULL);
		g_autofree char *b = g_build_filename(folder, files[i], NULL);
		g_autofree char *bytes = NULL;
		if (!weft_file_read(a, 1 << 20, &bytes, &size, NULL))
			continue; /* not every folder has every file */
		if (g_str_equal(files[i], changed)) {
			char *at = memmem(bytes, size, from, strlen(from));
			g_assert_nonnull(at);
			g_autoptr(GString) text = g_string_new_len(bytes, at - bytes);
			g_string_append(text, to);
			at += strlen(from);
			g_string_append_len(text, at, bytes + size - at);
			g_assert_true(weft_file_write(b, text->str, text->len, NULL));
		} else {
			g_assert_true(weft_file_write(b, bytes, size, NULL));
		}
	}
	g_autoptr(WeftKernels) kernels = weft_kernels_open("ref", 1, NULL);
	g_autoptr(WeftBundle) bundle = weft_bundle_open(folder, &error);
	if (bundle) {
		g_autoptr(WeftModel) model = weft_model_open(bundle, kernels, NULL, &error);
		g_assert_null(model);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *path = g_build_filename(folder, files[i], NULL);
		g_remove(path);
	}
	g_rmdir(folder);
	g_assert_nonnull(error);
	return error;
}

static GError *open_changed(const char *from, const char *to)
{
	return open_golden_changed("scout", "config.json", from, to);
}

/* The message holds all of the words. */
static void assert_names(const GError *error, int code, const char *const *words)
{
	g_assert_error(error, WEFT_ERROR, code);
	for (; *words; words++)
		if (!strstr(error->message, *words))
			g_error("no \"%s\" in: %s", *words, error->message);
}

static void test_shape(void)
{
	const char *const words[] = {"layers.0.feed_forward.experts.gate_up_proj", "24", "26", NULL};
	g_autoptr(GError) error =
		open_changed("\"intermediate_size\": 12", "\"intermediate_size\": 13");
	assert_names(error, WEFT_ERROR_WEIGHTS, words);
}

static void test_missing(void)
{
	const char *const words[] = {"model.layers.1.feed_forward.gate_proj.weight", NULL};
	g_autoptr(GError) error = open_changed("0,\n      1,\n      2,\n      3", "0,\n      2,\n      3");
	assert_names(error, WEFT_ERROR_WEIGHTS, words);
}

static void test_contradiction(void)
{
	const char *const words[] = {"num_key_value_heads", NULL};
	g_autoptr(GError) error =
		open_changed("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 0");
	assert_names(error, WEFT_ERROR_CONFIG, words);
	g_autoptr(GError) odd =
		open_changed("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3");
	g_assert_error(odd, WEFT_ERROR, WEFT_ERROR_CONFIG);
}

/* What the configuration says and the file has not: tensor and both shapes, for each family. */
static void test_family(void)
{
	static const struct {
		const char *golden, *file, *from, *to, *words[4];
	} cases[] = {
		{"llama31", "config.json", "\"tie_word_embeddings\": true",
		 "\"tie_word_embeddings\": false", {"lm_head.weight is missing"}},
		{"llama31", "config.json", "\"head_dim\": 12", "\"head_dim\": 6",
		 {"layers.0.self_attn.q_proj.weight", "[108, 54]", "[54, 54]"}},
		{"llama31", "config.json", "\"intermediate_size\": 70", "\"intermediate_size\": 72",
		 {"layers.0.mlp.gate_proj.weight", "[70, 54]", "[72, 54]"}},
		{"llama31", "config.json", "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4",
		 {"layers.3.", "is missing"}},
		{"mixtral_fused", "config.json", "\"num_local_experts\": 6",
		 "\"num_local_experts\": 7",
		 {"layers.0.mlp.gate.weight", "[6, 26]", "[7, 26]"}},
		{"mixtral_fused", "config.json", "\"intermediate_size\": 8",
		 "\"intermediate_size\": 9",
		 {"layers.0.mlp.experts.gate_up_proj", "[6, 16, 26]", "[6, 18, 26]"}},
		{"guard4", "config.json", "\"intermediate_size_mlp\": 52",
		 "\"intermediate_size_mlp\": null",
		 {"layers.0.feed_forward.gate_proj.weight", "[52, 28]", "[24, 28]"}},
		{"guard4", "config.json", "\"vocab_size\": 490", "\"vocab_size\": 491",
		 {"embed_tokens.weight", "[490, 28]", "[491, 28]"}},
		{"maverick_fp8", "model.safetensors",
		 "layers.1.feed_forward.experts.down_proj_scale",
		 "layers.1.feed_forward.experts.down_proj_skale",
		 {"layers.1.feed_forward.experts.down_proj_scale is missing"}},
		{"maverick_fp8", "model.safetensors",
		 "layers.0.feed_forward.up_proj.weight_scale\"",
		 "layers.0.feed_forward.up_proj.weight_skale\"",
		 {"layers.0.feed_forward.up_proj.weight_scale is missing"}},
		{"maverick_fp8", "model.safetensors", "[7,1,20]", "[7,20,1]",
		 {"experts.gate_up_proj_scale", "[7, 20, 1]", "[7, 1, 20]"}},
		{"maverick_fp8", "model.safetensors", "\"F8_E4M3\"", "\"F8_E5M2\"",
		 {"type F8_E5M2", "F8_E4M3"}},
		{"linearised", "config.json", "\"num_local_experts\": 9",
		 "\"num_local_experts\": 8",
		 {"layers.1.feed_forward.router.weight", "[9, 22]", "[8, 22]"}},
		{"linearised", "model.safetensors",
		 "layers.2.feed_forward.experts.8.up_proj.weight",
		 "layers.2.feed_forward.experts.9.up_proj.weight",
		 {"layers.2.feed_forward.experts.8.up_proj.weight is missing"}},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = open_golden_changed(cases[i].golden, cases[i].file,
							      cases[i].from, cases[i].to);
		assert_names(error, WEFT_ERROR_WEIGHTS, cases[i].words);
	}
}

static void test_options(void)
{
	g_autoptr(Golden) golden = golden_open("scout", "ref", 1);
	g_autoptr(GError) error = NULL;
	WeftModelOptions options = {.context_max = 50, .batch_max = 2};
	WeftModel *model = weft_model_open(golden->bundle, golden->kernels, &options, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(weft_model_context(model), ==, 50);
	g_assert_cmpuint(weft_model_width(model), ==, 32);
	/* The long prompt does not fit, and the message has both numbers. */
	const char *const words[] = {"59", "50", NULL};
	WeftGeneration generation = {.n_tokens_max = 5};
	guint64 ticket;
	WeftSequence *sequence = golden_sequence(golden, "scout", "long");
	g_assert_cmpuint(weft_sequence_length(sequence), ==, 59);
	g_assert_false(weft_model_submit(model, sequence, &generation, &ticket, &error));
	assert_names(error, WEFT_ERROR_CONTEXT, words);
	g_clear_error(&error);
	weft_model_close(model);
	options = (WeftModelOptions){.context_max = 1 << 20, .batch_max = 100000};
	g_assert_null(weft_model_open(golden->bundle, golden->kernels, &options, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/open/shape", test_shape);
	g_test_add_func("/open/missing", test_missing);
	g_test_add_func("/open/contradiction", test_contradiction);
	g_test_add_func("/open/family", test_family);
	g_test_add_func("/open/options", test_options);
	return g_test_run();
}
