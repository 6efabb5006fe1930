#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "golden.h"

/* Opens scout with one place of its configuration changed; gives the error. */
static GError *open_changed(const char *from, const char *to)
{
	static const char *const files[] = {"model.safetensors", "tokenizer.json",
					    "preprocessor_config.json"};
	GError *error = NULL;
	gsize size;
	g_autofree char *folder = g_dir_make_tmp("weft-open-XXXXXX", NULL);
	g_autofree char *source = g_build_filename(TEST_GOLDEN, "scout", "config.json", NULL);
	g_autofree char *target = g_build_filename(folder, "config.json", NULL);
	g_autofree char *json = NULL;
	g_assert_true(weft_file_read(source, 1 << 20, &json, &size, NULL));
	g_autoptr(GString) text = g_string_new(json);
	g_assert_cmpuint(g_string_replace(text, from, to, 1), ==, 1);
	g_assert_true(weft_file_write(target, text->str, text->len, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		g_autofree char *a = g_build_filename(TEST_GOLDEN, "scout", files[i], NULL);
		g_autofree char *b = g_build_filename(folder, files[i], NULL);
		g_autofree char *bytes = NULL;
		g_assert_true(weft_file_read(a, 1 << 20, &bytes, &size, NULL));
		g_assert_true(weft_file_write(b, bytes, size, NULL));
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
	g_remove(target);
	g_rmdir(folder);
	g_assert_nonnull(error);
	return error;
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
	g_test_add_func("/open/options", test_options);
	return g_test_run();
}
