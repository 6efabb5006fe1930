/* Folders that lie: one of them a row, each a golden checkpoint with one thing wrong. An error with
 * the file, the name and the numbers, never a crash, and never a wait. */
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "base/error.h"
#include "base/files.h"
#include "bundle/bundle.h"

static char *path_in(const char *folder, const char *name)
{
	return g_build_filename(folder, name, NULL);
}

static void copy_file(const char *from, const char *to)
{
	g_autofree char *bytes = NULL;
	gsize size_bytes;
	g_assert_true(g_file_get_contents(from, &bytes, &size_bytes, NULL));
	g_assert_true(g_file_set_contents(to, bytes, (gssize)size_bytes, NULL));
}

static char *copy_golden(const char *name)
{
	g_autofree char *from = g_build_filename(g_getenv("WEFT_GOLDEN"), name, NULL);
	char *to = g_dir_make_tmp("weft-hostile-XXXXXX", NULL);
	g_autoptr(GPtrArray) names = weft_folder_names(from, 1000, NULL);
	for (guint i = 0; i < names->len; i++) {
		const char *file = g_ptr_array_index(names, i);
		g_autofree char *source = path_in(from, file);
		g_autofree char *target = path_in(to, file);
		if (!g_str_has_suffix(file, ".npy") && !g_str_has_suffix(file, ".ids.json"))
			copy_file(source, target);
	}
	return to;
}

static void remove_folder(const char *path)
{
	g_autoptr(GPtrArray) names = weft_folder_names(path, 1000, NULL);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *file = path_in(path, g_ptr_array_index(names, i));
		g_assert_cmpint(g_remove(file), ==, 0);
	}
	g_assert_cmpint(g_rmdir(path), ==, 0);
}

typedef enum {
	REMOVE,    /* the file */
	CUT,       /* to `from` bytes short; 0: to nothing */
	GROW,      /* to `size` bytes, the new ones a hole */
	WRITE,     /* `to` instead of what is there */
	REPLACE,   /* the first `from` by `to` of the same length */
	LINK,      /* a symbolic link to `to` */
	PIPE,      /* a FIFO of this name */
	FOLDER,    /* an empty folder of this name */
	NEST,      /* brackets, more than any depth that is allowed */
} Harm;

typedef struct Case {
	const char *golden, *file;
	Harm harm;
	const char *from, *to;
	gsize size;
	int code;
	const char *words[3];
} Case;

static void harm_file(const char *folder, const Case *c)
{
	g_autofree char *path = path_in(folder, c->file);
	g_autofree char *bytes = NULL;
	gsize size_bytes = 0;
	(void)g_file_get_contents(path, &bytes, &size_bytes, NULL); /* some are made here */
	if (c->harm != CUT && c->harm != GROW && c->harm != REPLACE)
		(void)g_remove(path);
	switch (c->harm) {
	case REMOVE:
		break;
	case CUT:
		g_assert_cmpint(truncate(path, c->size ? (off_t)(size_bytes - c->size) : 0), ==, 0);
		break;
	case GROW:
		g_assert_cmpint(truncate(path, (off_t)c->size), ==, 0);
		break;
	case WRITE:
		g_assert_true(g_file_set_contents(path, c->to, -1, NULL));
		break;
	case REPLACE: {
		char *at = memmem(bytes, size_bytes, c->from, strlen(c->from));
		g_assert_nonnull(at);
		g_assert_cmpuint(strlen(c->from), ==, strlen(c->to));
		memcpy(at, c->to, strlen(c->to));
		g_assert_true(g_file_set_contents(path, bytes, (gssize)size_bytes, NULL));
		break;
	}
	case LINK:
		g_assert_cmpint(symlink(c->to, path), ==, 0);
		break;
	case PIPE:
		g_assert_cmpint(mkfifo(path, 0600), ==, 0);
		break;
	case FOLDER:
		g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
		break;
	case NEST: {
		g_autofree char *deep = g_strnfill(100000, '[');
		g_autofree char *text = g_strconcat("{\"a\":", deep, NULL);
		g_assert_true(g_file_set_contents(path, text, -1, NULL));
		break;
	}
	}
}

#define SHARD_1 "model-00001-of-00003.safetensors"
#define SHARD_2 "model-00002-of-00003.safetensors"
#define INDEX "model.safetensors.index.json"
#define ONE "model.safetensors"

static const Case CASES[] = {
	/* ---- weight files ---- */
	{"maverick", SHARD_2, REMOVE, .code = WEFT_ERROR_IO, .words = {SHARD_2}},
	{"maverick", SHARD_2, CUT, .size = 1, .code = WEFT_ERROR_WEIGHTS,
	 .words = {SHARD_2, "v_proj.weight: bytes 91008 to 92544 of 92543"}},
	{"maverick", SHARD_2, CUT, .size = 90000, .code = WEFT_ERROR_WEIGHTS,
	 .words = {SHARD_2, "tensor", "bytes 0 to"}},
	{"maverick", SHARD_2, CUT, .code = WEFT_ERROR_WEIGHTS, .words = {SHARD_2, "0 bytes"}},
	{"maverick", SHARD_2, GROW, .size = 1 << 20, .code = WEFT_ERROR_WEIGHTS,
	 .words = {SHARD_2, "end at byte"}},
	{"maverick", SHARD_2, LINK, .to = "nowhere", .code = WEFT_ERROR_IO, .words = {SHARD_2}},
	{"maverick", SHARD_2, LINK, .to = SHARD_2, .code = WEFT_ERROR_IO, .words = {SHARD_2}},
	{"maverick", SHARD_2, LINK, .to = "/dev/zero", .code = WEFT_ERROR_IO,
	 .words = {SHARD_2, "not a regular file"}},
	{"maverick", SHARD_2, LINK, .to = "/", .code = WEFT_ERROR_IO, .words = {SHARD_2}},
	{"maverick", SHARD_2, LINK, .to = SHARD_1, .code = WEFT_ERROR_WEIGHTS,
	 .words = {SHARD_2, "the index says it is in " SHARD_1}},
	{"maverick", SHARD_2, PIPE, .code = WEFT_ERROR_IO, .words = {SHARD_2}},
	{"maverick", SHARD_2, FOLDER, .code = WEFT_ERROR_IO, .words = {SHARD_2}},
	{"maverick", SHARD_2, WRITE, .to = "<html>Not found", .code = WEFT_ERROR_WEIGHTS,
	 .words = {SHARD_2, "a header of"}},
	{"maverick", SHARD_2, WRITE,
	 .to = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
	 .code = WEFT_ERROR_WEIGHTS, .words = {SHARD_2, "git-lfs"}},
	/* ---- headers ---- */
	{"scout", ONE, REPLACE, "q_proj.weight\":{\"dtype\":\"F32\"",
	 "q_proj.weight\":{\"dtype\":\"F64\"",
	 .code = WEFT_ERROR_WEIGHTS, .words = {"q_proj.weight", "needs"}},
	{"scout", ONE, REPLACE, "router.weight\":{\"dtype\":\"F32\",\"shape\":[4,32]",
	 "router.weight\":{\"dtype\":\"F32\",\"shape\":[4,33]", .code = WEFT_ERROR_WEIGHTS,
	 .words = {"router.weight", "512 bytes", "528"}},
	{"scout", ONE, REPLACE, "router.weight\":{\"dtype\":\"F32\",\"shape\":[4,32]",
	 "router.weight\":{\"dtype\":\"F32\",\"shape\":[4,-2]", .code = WEFT_ERROR_WEIGHTS,
	 .words = {"router.weight", "size 1"}},
	{"scout", ONE, REPLACE, "layers.1.self_attn.q_proj", "layers.0.self_attn.q_proj",
	 .code = WEFT_ERROR_WEIGHTS,
	 .words = {"byte", "already", "language_model.model.layers.0.self_attn.q_proj.weight"}},
	{"scout", ONE, REPLACE, "language_model.model.norm.weight\":",
	 "model.language_model.norm.weight\":",
	 .code = -1},
	{"scout", ONE, REPLACE, "language_model.model.layers.1.input_layernorm.",
	 "model.language_model.layers.0.input_layernorm.", .code = WEFT_ERROR_WEIGHTS,
	 .words = {"tensor model.language_model.layers.0.input_layernorm.weight",
		   "also there as language_model.model.layers.0.input_layernorm.weight"}},
	{"scout", ONE, REPLACE, "\"language_model.model.norm", "\"language_model\\u000a_norm",
	 .code = WEFT_ERROR_WEIGHTS, .words = {"U+000A"}},
	/* ---- the index ---- */
	{"maverick", INDEX, REPLACE, "\"" SHARD_1, "\"../el-00001-of-00003.safetensors",
	 .code = WEFT_ERROR_WEIGHTS, .words = {"no plain file name", "../el-00001"}},
	{"maverick", INDEX, REPLACE, "\"" SHARD_1, "\"/tmp/-00001-of-00003.safetensors",
	 .code = WEFT_ERROR_WEIGHTS, .words = {"no plain file name", "/tmp/"}},
	{"maverick", INDEX, REPLACE, "\"" SHARD_1, "\"model-00009-of-00003.safetensors",
	 .code = WEFT_ERROR_WEIGHTS,
	 .words = {"embed_tokens", "the index says it is in model-00009-of-00003.safetensors"}},
	{"maverick", INDEX, WRITE, .to = "{\"weight_map\":{\"a\":\"config.json\"}}",
	 .code = WEFT_ERROR_WEIGHTS, .words = {"config.json", "a header of"}},
	{"maverick", INDEX, WRITE, .to = "{\"weight_map\":{}", .code = WEFT_ERROR_WEIGHTS,
	 .words = {INDEX, "byte"}},
	{"maverick", INDEX, GROW, .size = (gsize)300 << 20, .code = WEFT_ERROR_LIMIT,
	 .words = {INDEX, "limit"}},
	{"maverick", INDEX, NEST, .code = WEFT_ERROR_WEIGHTS, .words = {INDEX}},
	/* ---- what describes them ---- */
	{"scout", "config.json", NEST, .code = WEFT_ERROR_CONFIG, .words = {"config.json"}},
	{"scout", "config.json", CUT, .code = WEFT_ERROR_CONFIG, .words = {"config.json"}},
	{"scout", "config.json", GROW, .size = (gsize)17 << 20, .code = WEFT_ERROR_LIMIT,
	 .words = {"config.json", "limit"}},
	{"scout", "config.json", FOLDER, .code = WEFT_ERROR_IO, .words = {"config.json"}},
	{"scout", "config.json", LINK, .to = "config.json", .code = WEFT_ERROR_IO,
	 .words = {"config.json"}},
	{"scout", "config.json", REPLACE, "\"rms_norm_eps\": 1e-05", "\"rms_norm_eps\":   NaN",
	 .code = WEFT_ERROR_CONFIG, .words = {"config.json", "byte"}},
	{"scout", "config.json", REPLACE, "\"attn_scale\": 0.3", "\"attn_scale\": 9e9",
	 .code = WEFT_ERROR_CONFIG, .words = {"text_config.attn_scale"}},
	{"scout", "generation_config.json", WRITE, .to = "{\"eos_token_id\": [480]}",
	 .code = WEFT_ERROR_CONFIG, .words = {"generation_config.json", "eos_token_id", "480"}},
	{"scout", "generation_config.json", NEST, .code = WEFT_ERROR_CONFIG,
	 .words = {"generation_config.json"}},
	{"scout", "generation_config.json", PIPE, .code = WEFT_ERROR_IO,
	 .words = {"generation_config.json"}},
	{"scout", "preprocessor_config.json", WRITE, .to = "[]", .code = WEFT_ERROR_CONFIG,
	 .words = {"preprocessor_config.json"}},
	{"scout", "tokenizer.json", NEST, .code = WEFT_ERROR_CONFIG, .words = {"tokenizer.json"}},
	{"scout", "tokenizer.json", CUT, .code = WEFT_ERROR_CONFIG, .words = {"tokenizer.json"}},
	{"scout", "tokenizer.json", PIPE, .code = WEFT_ERROR_IO, .words = {"tokenizer.json"}},
	{"maverick_fp8", "config.json", REPLACE, "fbgemm_fp8", "bitsandbyt",
	 .code = WEFT_ERROR_CONFIG, .words = {"quantization_config.quant_method", "bitsandbyt"}},
	{"llama31", "config.json", REPLACE, "\"mlp_bias\": false", "\"mlp_bias\": true ",
	 .code = WEFT_ERROR_CONFIG, .words = {"config.json: mlp_bias"}},
	{"mixtral", "config.json", REPLACE, "\"num_experts_per_tok\": 2",
	 "\"num_experts_per_tok\": 6",
	 .code = WEFT_ERROR_CONFIG, .words = {"num_experts_per_tok: 6 of num_local_experts 5"}},
};

static void check_case(const Case *c)
{
	g_autofree char *folder = copy_golden(c->golden);
	g_autoptr(GError) error = NULL;
	harm_file(folder, c);
	g_autoptr(WeftBundle) bundle = weft_bundle_open(folder, &error);
	g_test_message("%s %s: %s", c->golden, c->file, error ? error->message : "opened");
	if (c->code < 0) {
		g_assert_no_error(error);
	} else {
		g_assert_null(bundle);
		g_assert_error(error, WEFT_ERROR, c->code);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(c->words) && c->words[i]; i++)
		g_assert_nonnull(strstr(error->message, c->words[i]));
	remove_folder(folder);
}

static void test_folders(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++)
		check_case(&CASES[i]);
}

/* As the hub's cache has it: each file a link into another folder. */
static void test_links(void)
{
	g_autofree char *blobs = copy_golden("maverick");
	g_autofree char *folder = g_dir_make_tmp("weft-hostile-XXXXXX", NULL);
	g_autoptr(GPtrArray) names = weft_folder_names(blobs, 1000, NULL);
	g_autoptr(GError) error = NULL;
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *target = path_in(blobs, g_ptr_array_index(names, i));
		g_autofree char *link = path_in(folder, g_ptr_array_index(names, i));
		g_assert_cmpint(symlink(target, link), ==, 0);
	}
	g_autoptr(WeftBundle) bundle = weft_bundle_open(folder, &error);
	g_assert_no_error(error);
	g_assert_nonnull(weft_bundle_find(bundle, "lm_head.weight"));
	g_clear_pointer(&bundle, weft_bundle_close);
	remove_folder(folder);
	remove_folder(blobs);
}

/* A name of megabytes is not repeated in a message. */
static void test_long_names(void)
{
	g_autofree char *folder = copy_golden("maverick");
	g_autofree char *path = path_in(folder, INDEX);
	g_autofree char *name = g_strnfill(5000000, 'x');
	const char *const forms[] = {"{\"weight_map\":{\"%s\":\"a\"}}",
				     "{\"weight_map\":{\"a\":\"%s\"}}"};
	for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GString) text = g_string_new(forms[i]);
		g_string_replace(text, "%s", name, 1);
		g_assert_true(g_file_set_contents(path, text->str, -1, NULL));
		g_assert_null(weft_bundle_open(folder, &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
		g_assert_cmpuint(strlen(error->message), <, 2000);
	}
	g_autofree char *config = path_in(folder, "config.json");
	g_autofree char *type = g_strconcat("{\"model_type\":\"", name, "\"}", NULL);
	g_autoptr(GError) error = NULL;
	g_assert_true(g_file_set_contents(config, type, -1, NULL));
	g_assert_null(weft_bundle_open(folder, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG);
	g_assert_cmpuint(strlen(error->message), <, 2000);
	remove_folder(folder);
}

#define HUGE_BYTES ((gsize)60 << 30)
#define PAGE_BYTES ((gsize)4096)
/* 64 blocks of the id on two pages each, the header, and room for larger pages. */
#define RESIDENT_MAX ((gsize)8 << 20)

/* One tensor of 60 GB in a file that is a hole: opening touches the 64 blocks of the id only. */
static gboolean write_huge(const char *folder)
{
	g_autofree char *config = path_in(folder, "config.json");
	g_autofree char *golden =
		g_build_filename(g_getenv("WEFT_GOLDEN"), "llama31", "config.json", NULL);
	g_autofree char *path = path_in(folder, ONE);
	g_autofree char *header = g_strdup_printf(
		"{\"model.embed_tokens.weight\":{\"dtype\":\"BF16\",\"shape\":[%zu],"
		"\"data_offsets\":[0,%zu]}}", HUGE_BYTES / 2, HUGE_BYTES);
	guint64 n = GUINT64_TO_LE(strlen(header));
	g_autoptr(GString) text = g_string_new_len((const char *)&n, 8);
	g_string_append(text, header);
	copy_file(golden, config);
	g_assert_true(g_file_set_contents(path, text->str, (gssize)text->len, NULL));
	return truncate(path, (off_t)(text->len + HUGE_BYTES)) == 0;
}

static gsize resident_bytes(const WeftTensorView *view)
{
	const char *begin = (const char *)((gsize)view->data / PAGE_BYTES * PAGE_BYTES);
	gsize n_pages = view->size_bytes / PAGE_BYTES, n_resident = 0;
	g_autofree unsigned char *pages = g_malloc(n_pages);
	g_assert_cmpint(mincore((void *)begin, n_pages * PAGE_BYTES, pages), ==, 0);
	for (gsize i = 0; i < n_pages; i++)
		n_resident += pages[i] & 1;
	return n_resident * PAGE_BYTES;
}

static void test_on_demand(void)
{
	g_autofree char *folder = g_dir_make_tmp("weft-hostile-XXXXXX", NULL);
	g_autoptr(GError) error = NULL;
	if (!write_huge(folder)) {
		remove_folder(folder);
		g_test_skip("no file of 60 GB can be made here");
		return;
	}
	gint64 begin_us = g_get_monotonic_time();
	g_autoptr(WeftBundle) bundle = weft_bundle_open(folder, &error);
	g_assert_no_error(error);
	const WeftTensorView *view = weft_bundle_find(bundle, "embed_tokens.weight");
	double open_s = (double)(g_get_monotonic_time() - begin_us) / 1e6;
	gsize resident = resident_bytes(view);
	g_test_message("%.3f s, %zu bytes resident of %zu", open_s, resident, view->size_bytes);
	g_assert_cmpuint(resident, <=, RESIDENT_MAX);
	remove_folder(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/hostile/folders", test_folders);
	g_test_add_func("/hostile/links", test_links);
	g_test_add_func("/hostile/long-names", test_long_names);
	g_test_add_func("/hostile/on-demand", test_on_demand);
	return g_test_run();
}
