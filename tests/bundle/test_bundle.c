/* Opening folders: the golden checkpoints, tensors by name in every spelling, the id. */
#include <string.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "base/error.h"
#include "base/files.h"
#include "bundle/bundle.h"

static char *golden(const char *name)
{
	return g_build_filename(g_getenv("WEFT_GOLDEN"), name, NULL);
}

static WeftBundle *open_golden(const char *name)
{
	g_autofree char *path = golden(name);
	g_autoptr(GError) error = NULL;
	WeftBundle *bundle = weft_bundle_open(path, &error);
	g_assert_no_error(error);
	return bundle;
}

/* A copy of a golden folder's bundle files that a test may change. */
static char *copy_golden(const char *name)
{
	g_autofree char *from = golden(name);
	char *to = g_dir_make_tmp("weft-bundle-XXXXXX", NULL);
	g_autoptr(GPtrArray) names = weft_folder_names(from, 1000, NULL);
	for (guint i = 0; i < names->len; i++) {
		const char *file = g_ptr_array_index(names, i);
		g_autofree char *source = g_build_filename(from, file, NULL);
		g_autofree char *target = g_build_filename(to, file, NULL);
		g_autofree char *text = NULL;
		gsize size_bytes;
		if (!g_str_has_suffix(file, ".json") && !g_str_has_suffix(file, ".safetensors"))
			continue;
		g_assert_true(g_file_get_contents(source, &text, &size_bytes, NULL));
		g_assert_true(g_file_set_contents(target, text, (gssize)size_bytes, NULL));
	}
	return to;
}

static void remove_folder(const char *path)
{
	g_autoptr(GPtrArray) names = weft_folder_names(path, 1000, NULL);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *file = g_build_filename(path, g_ptr_array_index(names, i), NULL);
		if (g_file_test(file, G_FILE_TEST_IS_DIR))
			remove_folder(file);
		else
			g_assert_cmpint(g_unlink(file), ==, 0);
	}
	g_assert_cmpint(g_rmdir(path), ==, 0);
}

/* Replaces the first `old` in a file of the folder. */
static void edit(const char *folder, const char *name, const char *old, const char *new)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	char *at = strstr(text, old);
	g_assert_nonnull(at);
	g_autofree char *edited =
		g_strdup_printf("%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
	g_assert_true(g_file_set_contents(path, edited, -1, NULL));
}

static void assert_refused(const char *folder, int code, const char *words)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftBundle) bundle = weft_bundle_open(folder, &error);
	g_assert_null(bundle);
	g_assert_error(error, WEFT_ERROR, code);
	if (!strstr(error->message, words))
		g_test_message("%s", error->message);
	g_assert_nonnull(strstr(error->message, words));
}

static void test_scout(void)
{
	g_autoptr(WeftBundle) bundle = open_golden("scout");
	const WeftConfig *config = weft_bundle_config(bundle);
	const WeftTextConfig *text = &config->text;

	g_assert_true(config->has_text && config->has_vision && !config->has_audio);
	g_assert_cmpuint(text->n_vocab, ==, 480);
	g_assert_cmpuint(text->width, ==, 32);
	g_assert_cmpuint(text->head_dim, ==, 16);
	g_assert_cmpuint(text->n_kv_heads, ==, 2);
	g_assert_cmpuint(text->chunk_size, ==, 16);
	g_assert_cmpuint(text->n_experts, ==, 4);
	g_assert_cmpfloat(text->rope_theta, ==, 10000);
	g_assert_true(text->rope_scaling.present);
	g_assert_cmpfloat(text->rope_scaling.high_freq, ==, 4);
	g_assert_cmpfloat(text->attn_scale, ==, 0.3);
	g_assert_true(text->qk_norm && text->temperature_tuning && !text->tie_embeddings);
	for (gsize i = 0; i < 4; i++) {
		g_assert_cmpint(text->layers[i].has_rope, ==, i != 3);
		g_assert_cmpint(text->layers[i].is_chunked, ==, i != 3);
		g_assert_true(text->layers[i].is_moe);
	}
	g_assert_cmpuint(text->eos_ids->len, ==, 3);
	g_assert_cmpint(config->vision.image_id, ==, 479);
	g_assert_cmpuint(config->vision.shuffle, ==, 2);
	g_assert_cmpuint(config->preprocessor.tile_width, ==, 28);
	g_assert_cmpuint(config->preprocessor.tiles_max, ==, 16);
	g_assert_cmpstr(weft_bundle_name(bundle), ==, "scout");
	g_assert_cmpuint(strlen(weft_bundle_id(bundle)), ==, 64);
	g_assert_nonnull(weft_bundle_tokenizer(bundle));
	g_assert_cmpstr(weft_template_family(weft_bundle_template(bundle)), ==, "llama4");
	g_assert_null(weft_bundle_projector(bundle));
	g_assert_cmpuint(weft_bundle_n_tensors(bundle), ==, 93);
}

/* Shards, bfloat16, old key spellings; which layers are what is derived. */
static void test_maverick(void)
{
	g_autoptr(WeftBundle) bundle = open_golden("maverick");
	const WeftTextConfig *text = &weft_bundle_config(bundle)->text;
	const WeftTensorView *head = weft_bundle_find(bundle, "lm_head.weight");

	g_assert_false(text->qk_norm || text->rope_scaling.present);
	g_assert_cmpfloat(text->rope_theta, ==, 500000);
	g_assert_cmpuint(text->ffn_dense, ==, 36);
	g_assert_cmpuint(text->ffn_expert, ==, 20);
	for (gsize i = 0; i < 4; i++) {
		g_assert_cmpint(text->layers[i].has_rope, ==, i != 3);
		g_assert_cmpint(text->layers[i].is_moe, ==, i % 2 == 1);
	}
	g_assert_nonnull(head);
	g_assert_cmpint(head->dtype, ==, WEFT_DTYPE_BF16);
	g_assert_cmpuint(weft_bundle_config(bundle)->preprocessor.tiles_max, ==, 4);
	g_assert_cmpuint(weft_bundle_size_bytes(bundle), ==, 122560 + 95280 + 100232);
	for (gsize i = 0; i < weft_bundle_n_tensors(bundle); i++)
		g_assert_true(
		    g_str_has_prefix(weft_bundle_tensor_at(bundle, i)->file, "model-0000"));
}

/* A tensor that moved to another shard than the index says, and one that is nowhere. */
static void test_shards(void)
{
	static const char name[] = "\"language_model.lm_head.weight\": ";
	g_autofree char *folder = copy_golden("maverick");
	g_autofree char *first = g_strconcat(name, "\"model-00003", NULL);
	g_autofree char *second = g_strconcat(name, "\"model-00002", NULL);

	edit(folder, "model.safetensors.index.json", first, second);
	assert_refused(folder, WEFT_ERROR_WEIGHTS, "lm_head");
	edit(folder, "model.safetensors.index.json", second, first);
	edit(folder, "model.safetensors.index.json", "\"weight_map\": {",
	     "\"weight_map\": {\"nowhere\": \"model-00001-of-00003.safetensors\",");
	assert_refused(folder, WEFT_ERROR_WEIGHTS, "nowhere");
	remove_folder(folder);
}

static void test_names(void)
{
	static const char *const spellings[] = {
		"layers.3.self_attn.q_proj.weight", "model.layers.3.self_attn.q_proj.weight",
		"language_model.model.layers.3.self_attn.q_proj.weight",
		"model.language_model.layers.3.self_attn.q_proj.weight"};
	static const gsize shape[] = {64, 32}, wrong[] = {32, 64};
	g_autoptr(WeftBundle) bundle = open_golden("scout");
	g_autoptr(GError) error = NULL;
	const WeftTensorView *first = weft_bundle_find(bundle, spellings[0]);

	g_assert_nonnull(first);
	for (gsize i = 0; i < G_N_ELEMENTS(spellings); i++)
		g_assert_true(weft_bundle_find(bundle, spellings[i]) == first);
	g_assert_true(weft_bundle_tensor(bundle, spellings[1], 2, shape, &error) == first);
	g_assert_no_error(error);
	g_assert_cmpuint(first->size_bytes, ==, 64 * 32 * 4);
	g_assert_cmpint(first->dtype, ==, WEFT_DTYPE_F32);
	g_assert_null(weft_bundle_tensor(bundle, spellings[1], 2, wrong, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
	g_assert_nonnull(strstr(error->message, "has shape [64, 32]"));
	g_assert_nonnull(strstr(error->message, "needs [32, 64]"));
	g_clear_error(&error);
	g_assert_null(weft_bundle_tensor(bundle, "layers.4.x", 2, shape, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
	g_assert_nonnull(strstr(error->message, "layers.4.x"));
	g_assert_nonnull(weft_bundle_find(bundle, "model.vision_model.class_embedding"));
	g_assert_true(weft_bundle_find(bundle, "lm_head.weight") ==
		      weft_bundle_find(bundle, "language_model.lm_head.weight"));
	g_assert_null(weft_bundle_find(bundle, "class_embedding"));
}

static char *id_of(const char *folder)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftBundle) bundle = weft_bundle_open(folder, &error);
	g_assert_no_error(error);
	return g_strdup(weft_bundle_id(bundle));
}

/* The id follows the content of the files, not the folder's name; every file counts. */
static void test_id(void)
{
	g_autofree char *scout = golden("scout");
	g_autofree char *folder = copy_golden("scout");
	g_autofree char *weights = g_build_filename(folder, "model.safetensors", NULL);
	g_autofree char *before = id_of(scout), *same = id_of(folder);
	g_autofree char *bytes = NULL;
	gsize size_bytes;

	g_assert_cmpstr(before, ==, same);
	edit(folder, "config.json", "\"floor_scale\": 8,", "\"floor_scale\": 9,");
	g_autofree char *config_changed = id_of(folder);
	g_assert_cmpstr(before, !=, config_changed);
	edit(folder, "config.json", "\"floor_scale\": 9,", "\"floor_scale\": 8,");
	edit(folder, "preprocessor_config.json", "\"max_patches\": 16", "\"max_patches\": 15");
	g_autofree char *processor_changed = id_of(folder);
	g_assert_cmpstr(before, !=, processor_changed);
	edit(folder, "preprocessor_config.json", "\"max_patches\": 15", "\"max_patches\": 16");
	g_autofree char *restored = id_of(folder);
	g_assert_cmpstr(before, ==, restored);
	g_assert_true(g_file_get_contents(weights, &bytes, &size_bytes, NULL));
	bytes[size_bytes - 1] ^= 1;
	g_assert_true(g_file_set_contents(weights, bytes, (gssize)size_bytes, NULL));
	g_autofree char *weights_changed = id_of(folder);
	g_assert_cmpstr(before, !=, weights_changed);
	remove_folder(folder);
}

static const char WHISPER[] =
	"{\"model_type\":\"whisper\",\"d_model\":16,\"encoder_layers\":1,"
	"\"encoder_attention_heads\":2,\"encoder_ffn_dim\":24,\"decoder_layers\":1,"
	"\"decoder_attention_heads\":2,\"decoder_ffn_dim\":24,\"num_mel_bins\":80,"
	"\"vocab_size\":32}";

static void make_part(const char *folder, const char *part, const char *config)
{
	g_autofree char *inner = g_build_filename(folder, part, NULL);
	g_autofree char *path = g_build_filename(inner, "config.json", NULL);
	g_assert_cmpint(g_mkdir_with_parents(inner, 0700), ==, 0);
	g_assert_true(g_file_set_contents(path, config, -1, NULL));
}

/* audio/ is found, a projector inside it too, one attached takes their place; each is in the id. */
static void test_audio(void)
{
	g_autofree char *ultravox = g_strdup_printf(
		"{\"model_type\":\"ultravox\",\"hidden_size\":24,\"audio_config\":%s}", WHISPER);
	g_autofree char *folder = copy_golden("scout");
	g_autofree char *alone = id_of(folder);
	g_autofree char *audio_path = g_build_filename(folder, "audio", NULL);
	g_autofree char *other_path = g_build_filename(folder, "other", NULL);
	g_autoptr(GError) error = NULL;

	make_part(folder, "other", ultravox);
	make_part(folder, "audio", WHISPER);
	g_autofree char *heard = id_of(folder);
	g_assert_cmpstr(heard, !=, alone);
	make_part(folder, "audio/projector", ultravox);
	g_autofree char *projected = id_of(folder);
	g_assert_cmpstr(projected, !=, heard);

	g_autoptr(WeftBundle) bundle = weft_bundle_open(folder, &error);
	g_assert_no_error(error);
	const WeftBundle *audio = weft_bundle_audio(bundle);
	const WeftBundle *projector = weft_bundle_projector(bundle);
	g_assert_cmpstr(weft_bundle_config(audio)->model_type, ==, "whisper");
	g_assert_cmpuint(weft_bundle_config(projector)->audio.stack_factor, ==, 8);
	g_assert_true(weft_bundle_attach_audio(bundle, other_path, &error));
	g_assert_no_error(error);
	g_assert_true(weft_bundle_audio(bundle) == weft_bundle_projector(bundle));
	g_assert_cmpstr(weft_bundle_id(bundle), !=, projected);
	/* A text model is no audio part; what was attached stays. */
	g_assert_false(weft_bundle_attach_audio(bundle, folder, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG);
	g_assert_nonnull(weft_bundle_projector(bundle));
	/* A file is none either, and is named once. */
	g_autofree char *file = g_build_filename(folder, "config.json", NULL);
	g_clear_error(&error);
	g_assert_false(weft_bundle_attach_audio(bundle, file, &error));
	g_assert_true(g_str_has_prefix(error->message, file));
	g_assert_null(strstr(error->message + 1, file));

	g_autoptr(GError) fault = NULL;
	g_autoptr(WeftBundle) whisper = weft_bundle_open(audio_path, &fault);
	g_assert_no_error(fault);
	g_assert_true(weft_bundle_audio(whisper) == whisper);
	make_part(folder, "audio/projector", WHISPER);
	assert_refused(folder, WEFT_ERROR_CONFIG, "an ultravox folder is expected");
	remove_folder(folder);
}

static void test_refusals(void)
{
	g_autofree char *folder = copy_golden("scout");
	g_autofree char *config = g_build_filename(folder, "config.json", NULL);
	g_autofree char *tokenizer = g_build_filename(folder, "tokenizer.json", NULL);
	g_autofree char *weights = g_build_filename(folder, "model.safetensors", NULL);
	g_autofree char *index = g_build_filename(folder, "model.safetensors.index.json", NULL);

	assert_refused("/nonexistent", WEFT_ERROR_IO, "/nonexistent: is not there");
	edit(folder, "config.json", "\"vocab_size\": 480", "\"vocab_size\": 479");
	assert_refused(folder, WEFT_ERROR_CONFIG, "vocab_size");
	edit(folder, "config.json", "\"vocab_size\": 479", "\"vocab_size\": 480");
	/* No tokenizer and no weights: it opens, and says so when asked. */
	g_assert_cmpint(g_unlink(tokenizer), ==, 0);
	g_assert_cmpint(g_unlink(weights), ==, 0);
	{
		g_autoptr(GError) error = NULL;
		g_autoptr(WeftBundle) bundle = weft_bundle_open(folder, &error);
		g_assert_no_error(error);
		g_assert_null(weft_bundle_tokenizer(bundle));
		g_assert_cmpuint(weft_bundle_n_tensors(bundle), ==, 0);
		g_assert_null(weft_bundle_tensor(bundle, "norm.weight", 0, NULL, &error));
		g_assert_nonnull(strstr(error->message, "norm.weight"));
	}
	g_assert_true(g_file_set_contents(
		index, "{\"weight_map\": {\"norm.weight\": \"../model.safetensors\"}}", -1, NULL));
	assert_refused(folder, WEFT_ERROR_WEIGHTS, "../model.safetensors");
	g_assert_true(g_file_set_contents(
		index, "{\"weight_map\": {\"norm.weight\": \"a.safetensors\"}}", -1, NULL));
	assert_refused(folder, WEFT_ERROR_IO, "a.safetensors");
	g_assert_cmpint(g_unlink(config), ==, 0);
	assert_refused(folder, WEFT_ERROR_IO, "config.json");
	remove_folder(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/bundle/scout", test_scout);
	g_test_add_func("/bundle/maverick", test_maverick);
	g_test_add_func("/bundle/shards", test_shards);
	g_test_add_func("/bundle/names", test_names);
	g_test_add_func("/bundle/id", test_id);
	g_test_add_func("/bundle/audio", test_audio);
	g_test_add_func("/bundle/refusals", test_refusals);
	return g_test_run();
}
