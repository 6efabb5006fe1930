/* Adapters that lie, one lie at a time. */
#include <math.h>
#include <string.h>

#include <glib/gstdio.h>

#include "base/error.h"
#include "base/files.h"
#include "bundle/bundle.h"
#include "bundle/lora_config.h"

#define MORE "\"peft_type\":\"LORA\",\"r\":2,\"lora_alpha\":3"
#define GOOD "{" MORE "}"

typedef struct Tensor {
	const char *name, *type, *shape;
	gsize size_bytes;
} Tensor;

#define Q "base_model.model.model.layers.0.self_attn.q_proj"
#define A {Q ".lora_A.weight", "F32", "2,3", 24}
#define B {Q ".lora_B.weight", "F32", "5,2", 40}

/* `fill`: every byte of the data. */
static void write_filled(const char *folder, const Tensor *tensors, int fill)
{
	g_autofree char *path = g_build_filename(folder, "adapter_model.safetensors", NULL);
	g_autoptr(GString) header = g_string_new("{");
	g_autoptr(GByteArray) file = g_byte_array_new();
	gsize at = 0;

	for (gsize i = 0; tensors[i].name; i++) {
		g_string_append_printf(header,
				       "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],"
				       "\"data_offsets\":[%zu,%zu]}",
				       i > 0 ? "," : "", tensors[i].name, tensors[i].type,
				       tensors[i].shape, at, at + tensors[i].size_bytes);
		at += tensors[i].size_bytes;
	}
	g_string_append_c(header, '}');
	guint64 n = GUINT64_TO_LE(header->len);
	g_autofree guint8 *zeros = g_malloc(at + 1);
	memset(zeros, fill, at + 1);
	g_byte_array_append(file, (const guint8 *)&n, 8);
	g_byte_array_append(file, (const guint8 *)header->str, (guint)header->len);
	g_byte_array_append(file, zeros, (guint)at);
	g_assert_true(weft_file_write(path, file->data, file->len, NULL));
}

static void write_tensors(const char *folder, const Tensor *tensors)
{
	write_filled(folder, tensors, 0);
}

static void write_config(const char *folder, const char *json)
{
	g_autofree char *path = g_build_filename(folder, "adapter_config.json", NULL);
	g_assert_true(weft_file_write(path, json, strlen(json), NULL));
}

static char *folder_new(void)
{
	char *folder = g_dir_make_tmp("weft-lora-XXXXXX", NULL);
	g_assert_nonnull(folder);
	return folder;
}

static void folder_free(char *folder)
{
	static const char *const names[] = {"adapter_config.json", "adapter_model.safetensors",
					    "adapter_model.bin"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(folder, names[i], NULL);
		g_unlink(path);
	}
	g_rmdir(folder);
	g_free(folder);
}

static void test_good(void)
{
	/* As a text-only re-save, a release with one more "model.", and PEFT's nested experts. */
	static const Tensor tensors[] = {
		A, B,
		{Q ".lora_B.bias", "F16", "5", 10},
		{"base_model.model.model.language_model.layers.1.mlp.experts.base_layer.lora_A.weight",
		 "BF16", "4,3", 24},
		{"base_model.model.model.language_model.layers.1.mlp.experts.base_layer.lora_B.weight",
		 "BF16", "7,4", 56},
		{"base_model.model.language_model.lm_head.modules_to_save.weight", "F32", "2,2", 16},
		{"base_model.model.model.embed_tokens.base_layer.weight", "F32", "2,2", 16},
		{"base_model.model.model.embed_tokens.lora_embedding_A", "F32", "2,2", 16},
		{"base_model.model.model.embed_tokens.lora_embedding_B", "F32", "2,2", 16},
		{NULL, NULL, NULL, 0},
	};
	g_autoptr(GError) error = NULL;
	char *folder = folder_new();
	double scale = 0;

	write_config(folder, "{" MORE ",\"lora_bias\":true}");
	write_tensors(folder, tensors);
	g_autoptr(WeftLora) lora = weft_lora_open(folder, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(weft_lora_n_pairs(lora), ==, 3);
	g_assert_cmpuint(weft_lora_n_weights(lora), ==, 2);
	g_assert_cmpuint(strlen(weft_lora_id(lora)), ==, 64);
	const WeftLoraPair *embed = weft_lora_pair_at(lora, 0);
	const WeftLoraPair *q = weft_lora_pair_at(lora, 2);
	const WeftLoraPair *experts = weft_lora_pair_at(lora, 1);
	g_assert_cmpstr(embed->module, ==, "embed_tokens");
	g_assert_true(embed->is_embedding);
	g_assert_cmpstr(q->path, ==, "model.layers.0.self_attn.q_proj");
	g_assert_cmpstr(q->module, ==, "layers.0.self_attn.q_proj");
	g_assert_cmpuint(q->a->shape[1], ==, 3);
	g_assert_nonnull(q->bias);
	g_assert_cmpstr(experts->module, ==, "layers.1.mlp.experts");
	g_assert_cmpstr(weft_lora_weight_at(lora, 0)->module, ==, "lm_head");
	g_assert_cmpstr(weft_lora_weight_at(lora, 1)->module, ==, "embed_tokens");
	g_assert_true(weft_lora_scale(lora, q, NULL, 2, &scale, NULL));
	g_assert_true(scale == 1.5);
	g_assert_false(weft_lora_scale(lora, q, NULL, 5, &scale, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
	g_assert_nonnull(strstr(error->message, "rank 5"));
	folder_free(folder);
}

/* What the tensors can be wrong in; the words of the message. */
static void test_tensors(void)
{
	static const struct {
		Tensor tensors[4];
		const char *words;
	} cases[] = {
		{{A}, "model.layers.0.self_attn.q_proj has no lora_B beside its lora_A"},
		{{B}, "has no lora_A beside its lora_B"},
		{{{Q ".lora_magnitude_vector", "F32", "5", 20}}, "magnitude or bias"},
		{{A, {Q ".lora_B.weight", "F32", "2,5", 40}},
		 "lora_A [2, 3] and lora_B [2, 5] are no pair"},
		{{{Q ".lora_A.weight", "F32", "5,2", 40}, {Q ".lora_B.weight", "F32", "2,3", 24}},
		 "lora_A [5, 2] and lora_B [2, 3]"},
		{{{Q ".lora_A.weight", "F32", "0,3", 0}, {Q ".lora_B.weight", "F32", "5,0", 0}},
		 "lora_A [0, 3]"},
		{{{Q ".lora_A.weight", "F32", "6", 24}, B}, "lora_A [6]"},
		{{A, B, {"model.layers.0.self_attn.q_proj.lora_A.weight", "F32", "2,3", 24}},
		 "is also there as"},
		{{A, B, {Q ".lora_magnitude_vector", "F32", "5", 20}},
		 "has a lora_magnitude_vector, but use_dora"},
		{{A, B, {Q ".lora_B.bias", "F32", "5", 20}}, "but lora_bias of"},
		{{A, B, {Q ".lora_diag", "F32", "2", 8}}, "lora_diag is nothing that weft"},
		{{A, B, {Q ".lora_A.default.weight", "F32", "2", 8}}, "is nothing that weft"},
		{{A, B, {"base_model.model.vision_model.layernorm_pre.bias", "F32", "2", 8}},
		 "layernorm_pre.bias is nothing that weft"},
		{{{Q ".lora_A.weight", "I8", "2,3", 6}, B}, "type I8; F32, BF16 and F16"},
		{{{NULL, NULL, NULL, 0}}, "holds no tensors"},
	};
	char *folder = folder_new();

	write_config(folder, GOOD);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		write_tensors(folder, cases[i].tensors);
		g_assert_null(weft_lora_open(folder, &error));
		g_test_message("%s", error->message);
		g_assert_nonnull(strstr(error->message, cases[i].words));
		g_assert_true(g_str_has_prefix(error->message, "adapter "));
	}
	folder_free(folder);
}

static void test_dora_without_magnitude(void)
{
	static const Tensor tensors[] = {A, B, {NULL, NULL, NULL, 0}};
	g_autoptr(GError) error = NULL;
	char *folder = folder_new();

	write_config(folder, "{" MORE ",\"use_dora\":true}");
	write_tensors(folder, tensors);
	g_assert_null(weft_lora_open(folder, &error));
	g_assert_nonnull(strstr(error->message, "has no lora_magnitude_vector, but use_dora"));
	folder_free(folder);
}

static void test_configs(void)
{
	static const struct {
		const char *json, *words;
	} cases[] = {
		{"{\"peft_type\":\"LOHA\",\"r\":2,\"lora_alpha\":3}", "peft_type: \"LOHA\""},
		{"{\"r\":2,\"lora_alpha\":3}", "peft_type: is missing"},
		{"{\"peft_type\":\"LORA\",\"lora_alpha\":3}", "r: is missing"},
		{"{\"peft_type\":\"LORA\",\"r\":0,\"lora_alpha\":3}", "r: must be a whole number from 1"},
		{"{\"peft_type\":\"LORA\",\"r\":-8,\"lora_alpha\":3}", "r: must be"},
		{"{\"peft_type\":\"LORA\",\"r\":1e9,\"lora_alpha\":3}", "r: must be"},
		{"{\"peft_type\":\"LORA\",\"r\":99999999,\"lora_alpha\":3}", "from 1 to 4096"},
		{"{\"peft_type\":\"LORA\",\"r\":2,\"lora_alpha\":NaN}", "byte"},
		{"{\"peft_type\":\"LORA\",\"r\":2,\"lora_alpha\":1e999}", "lora_alpha: must be"},
		{"{\"peft_type\":\"LORA\",\"r\":2,\"lora_alpha\":\"8\"}", "lora_alpha: must be"},
		{"{" MORE ",\"init_lora_weights\":\"pissa_niter_4\"}", "path_initial_model"},
		{"{" MORE ",\"init_lora_weights\":\"OLoRA\"}", "path_initial_model"},
		{"{" MORE ",\"init_lora_weights\":\"loftq\"}", "\"loftq\""},
		{"{" MORE ",\"alora_invocation_tokens\":[1]}", "alora_invocation_tokens is set"},
		{"{" MORE ",\"use_qalora\":true}", "use_qalora is set"},
		{"{" MORE ",\"layer_replication\":[[0,2]]}", "layer_replication is set"},
		{"{" MORE ",\"trainable_token_indices\":[5]}", "trainable_token_indices is set"},
		{"{" MORE ",\"ensure_weight_tying\":true}", "ensure_weight_tying is set"},
		{"{" MORE ",\"use_bdlora\":{\"nblocks\":2}}", "use_bdlora is set"},
		{"{" MORE ",\"of_next_year\":1}", "of_next_year is set"},
		{"{" MORE ",\"rank_pattern\":[2]}", "rank_pattern: must be an object"},
		{"{" MORE ",\"rank_pattern\":{\"q\":0}}", "\"q\" must have a number from 1"},
		{"{" MORE ",\"alpha_pattern\":{\"q\":null}}", "\"q\" must have a number"},
		{"{" MORE ",\"alpha_pattern\":{\"q(\":1}}", "alpha_pattern: \"q(\": "},
		{"{" MORE ",\"r\":3}", "r"},
		{"[]", "must be an object"},
		{"", "byte 0"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(weft_lora_config_new(cases[i].json, strlen(cases[i].json), &error));
		g_test_message("%s", error->message);
		g_assert_true(g_str_has_prefix(error->message, "adapter_config.json: "));
		g_assert_nonnull(strstr(error->message, cases[i].words));
	}
}

static double scale_of(const WeftLoraConfig *config, const char *path, gsize rank)
{
	GError *error = NULL;
	double scale = 0;
	weft_lora_config_scale(config, path, rank, &scale, &error);
	g_assert_no_error(error);
	return scale;
}

/* PEFT: re.match("(.*\.)?(key)$", path), the first key of the object that matches. */
static void test_patterns(void)
{
	static const char json[] =
		"{" MORE ",\"use_rslora\":true,\"use_qalora\":false,\"loftq_config\":{},"
		"\"rank_pattern\":{\"q_proj\":4,\"^v_proj\":9},"
		"\"alpha_pattern\":{\"layers.[0-3].self_attn.(q|k)_proj\":8,\"k_proj\":5,"
		"\"roj\":7,\"(a|aa)+[xy]\":1}}";
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftLoraConfig) config = weft_lora_config_new(json, strlen(json), &error);
	double scale = 0;

	g_assert_no_error(error);
	g_assert_true(scale_of(config, "model.layers.2.self_attn.q_proj", 4) == 8 / sqrt(4));
	g_assert_true(scale_of(config, "model.layers.2.self_attn.k_proj", 2) == 8 / sqrt(2));
	g_assert_true(scale_of(config, "model.layers.4.self_attn.k_proj", 2) == 5 / sqrt(2));
	g_assert_true(scale_of(config, "model.layers.4.self_attn.o_proj", 2) == 3 / sqrt(2));
	g_assert_true(scale_of(config, "v_proj", 9) == 3 / sqrt(9));
	g_assert_true(scale_of(config, "model.v_proj", 2) == 3 / sqrt(2));
	/* A pattern that would try for years is given up. */
	g_autofree char *evil = g_strnfill(4000, 'a');
	g_assert_false(weft_lora_config_scale(config, evil, 2, &scale, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG);
}

static void test_pickle(void)
{
	g_autoptr(GError) error = NULL;
	char *folder = folder_new();
	g_autofree char *path = g_build_filename(folder, "adapter_model.bin", NULL);

	write_config(folder, GOOD);
	g_assert_null(weft_lora_open(folder, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_IO);
	g_clear_error(&error);
	g_assert_true(weft_file_write(path, "x", 1, NULL));
	g_assert_null(weft_lora_open(folder, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED);
	g_assert_nonnull(strstr(error->message, "save_file("));
	g_clear_error(&error);
	g_assert_null(weft_lora_open(path, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED);
	g_assert_nonnull(strstr(error->message, "is a file; a folder"));
	folder_free(folder);
}

static void test_not_finite(void)
{
	static const struct {
		const char *type;
		gsize size_bytes;
		gboolean is_finite[2]; /* with bytes 0x7e, 0xff */
	} cases[] = {
		{"F32", 4, {TRUE, FALSE}}, {"BF16", 2, {TRUE, FALSE}}, {"F16", 2, {FALSE, FALSE}}};
	char *folder = folder_new();

	write_config(folder, GOOD);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		for (int fill = 0; fill < 2; fill++) {
			const Tensor tensors[] = {
				{Q ".lora_A.weight", cases[i].type, "2,3", 6 * cases[i].size_bytes},
				{Q ".lora_B.weight", cases[i].type, "5,2", 10 * cases[i].size_bytes},
				{NULL, NULL, NULL, 0}};
			g_autoptr(GError) error = NULL;
			write_filled(folder, tensors, fill ? 0xff : 0x7e);
			g_autoptr(WeftLora) lora = weft_lora_open(folder, &error);
			g_assert_cmpint(lora != NULL, ==, cases[i].is_finite[fill]);
			if (!lora)
				g_assert_nonnull(strstr(error->message, "lora_A.weight holds numbers"));
		}
	folder_free(folder);
}

/* Both files count. */
static void test_id(void)
{
	static const Tensor one[] = {A, B, {NULL, NULL, NULL, 0}};
	static const Tensor other[] = {A, {Q ".lora_B.weight", "F32", "4,2", 32}, {NULL, NULL, NULL, 0}};
	char *folder = folder_new();
	g_autofree char *ids[4] = {NULL};

	for (int i = 0; i < 4; i++) {
		write_config(folder, i & 1 ? "{" MORE ",\"lora_dropout\":0}" : GOOD);
		write_tensors(folder, i & 2 ? one : other);
		g_autoptr(WeftLora) lora = weft_lora_open(folder, NULL);
		ids[i] = g_strdup(weft_lora_id(lora));
		for (int j = 0; j < i; j++)
			g_assert_cmpstr(ids[i], !=, ids[j]);
	}
	for (int i = 1; i < 4; i++)
		g_clear_pointer(&ids[i], g_free);
	folder_free(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lora/good", test_good);
	g_test_add_func("/lora/tensors", test_tensors);
	g_test_add_func("/lora/dora-without-magnitude", test_dora_without_magnitude);
	g_test_add_func("/lora/configs", test_configs);
	g_test_add_func("/lora/patterns", test_patterns);
	g_test_add_func("/lora/pickle", test_pickle);
	g_test_add_func("/lora/not-finite", test_not_finite);
	g_test_add_func("/lora/id", test_id);
	return g_test_run();
}
