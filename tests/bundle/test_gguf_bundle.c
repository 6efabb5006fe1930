/* GGUF files as bundles: tensors and configuration against the checkpoint that llama.cpp's converter
 * made them from; folders and files that are wrong, each in one way. */
#include <string.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "base/error.h"
#include "base/files.h"
#include "bundle/bundle.h"
#include "bundle/gguf_names.h"
#include "bundle/gguf_writer.h"

static WeftBundle *open_golden(const char *name)
{
	g_autofree char *path = g_build_filename(g_getenv("WEFT_GOLDEN"), name, NULL);
	g_autoptr(GError) error = NULL;
	WeftBundle *bundle = weft_bundle_open(path, &error);
	g_assert_no_error(error);
	return bundle;
}

/* ---- against the checkpoint ---- */

/* [E, in, from + out] of the checkpoint is [E, out, in] here. */
static void check_turned(const WeftTensorView *fused, gsize from, const WeftTensorView *view)
{
	gsize n_in = view->shape[2], n_out = view->shape[1], n_all = fused->shape[2];
	const float *x = fused->data, *y = view->data;
	g_assert_cmpuint(fused->shape[0], ==, view->shape[0]);
	g_assert_cmpuint(fused->shape[1], ==, n_in);
	for (gsize e = 0; e < view->shape[0]; e++)
		for (gsize o = 0; o < n_out; o++)
			for (gsize i = 0; i < n_in; i++)
				g_assert_cmpfloat(y[(e * n_out + o) * n_in + i], ==,
						  x[(e * n_in + i) * n_all + from + o]);
}

static void check_experts(const WeftBundle *gguf, const WeftTensorView *fused)
{
	g_autofree char *prefix = g_strndup(fused->name, strstr(fused->name, "experts.") + 8 -
								 fused->name);
	gboolean is_down = g_str_has_suffix(fused->name, "down_proj");
	g_autofree char *first =
		g_strconcat(prefix, is_down ? "down_proj.weight" : "gate_proj.weight", NULL);
	g_autofree char *second = g_strconcat(prefix, "up_proj.weight", NULL);
	const WeftTensorView *view = weft_bundle_find(gguf, first);
	g_assert_nonnull(view);
	g_assert_cmpuint(view->n_dims, ==, 3);
	check_turned(fused, 0, view);
	if (is_down)
		return;
	view = weft_bundle_find(gguf, second);
	g_assert_nonnull(view);
	check_turned(fused, view->shape[1], view);
}

static void test_tensors(void)
{
	g_autoptr(WeftBundle) folder = open_golden("scout");
	g_autoptr(WeftBundle) gguf = open_golden("gguf/scout");
	gsize n_fused = 0;

	for (gsize i = 0; i < weft_bundle_n_tensors(folder); i++) {
		const WeftTensorView *want = weft_bundle_tensor_at(folder, i);
		if (strstr(want->name, ".experts.")) {
			n_fused += g_str_has_suffix(want->name, "gate_up_proj");
			check_experts(gguf, want);
			continue;
		}
		const WeftTensorView *have = weft_bundle_find(gguf, want->name);
		if (!have)
			g_test_message("%s is missing", want->name);
		g_assert_nonnull(have);
		g_assert_cmpuint(have->n_dims, ==, want->n_dims);
		for (gsize k = 0; k < want->n_dims; k++)
			g_assert_cmpuint(have->shape[k], ==, want->shape[k]);
		g_assert_cmpmem(have->data, have->size_bytes, want->data, want->size_bytes);
	}
	g_assert_cmpuint(n_fused, >, 0);
	/* gate and up apart, and rope_freqs */
	g_assert_cmpuint(weft_bundle_n_tensors(gguf), ==, weft_bundle_n_tensors(folder) + n_fused + 1);
	g_assert_cmpstr(weft_bundle_find(gguf, "model.norm.weight")->name, ==, "output_norm.weight");
}

static void check_text(const WeftTextConfig *have, const WeftTextConfig *want)
{
	g_assert_cmpuint(have->n_vocab, ==, want->n_vocab);
	g_assert_cmpuint(have->width, ==, want->width);
	g_assert_cmpuint(have->n_layers, ==, want->n_layers);
	g_assert_cmpuint(have->n_heads, ==, want->n_heads);
	g_assert_cmpuint(have->n_kv_heads, ==, want->n_kv_heads);
	g_assert_cmpuint(have->head_dim, ==, want->head_dim);
	g_assert_cmpuint(have->ffn_expert, ==, want->ffn_expert);
	g_assert_cmpuint(have->ffn_dense, ==, want->ffn_dense);
	g_assert_cmpuint(have->n_experts, ==, want->n_experts);
	g_assert_cmpuint(have->n_experts_active, ==, want->n_experts_active);
	g_assert_cmpuint(have->context_max, ==, want->context_max);
	g_assert_cmpuint(have->chunk_size, ==, want->chunk_size);
	g_assert_cmpfloat(have->norm_eps, ==, want->norm_eps);
	g_assert_cmpfloat(have->rope_theta, ==, want->rope_theta);
	g_assert_cmpfloat(have->floor_scale, ==, want->floor_scale);
	g_assert_cmpfloat(have->attn_scale, ==, want->attn_scale);
	g_assert_cmpint(have->qk_norm, ==, want->qk_norm);
	g_assert_cmpint(have->temperature_tuning, ==, want->temperature_tuning);
	g_assert_cmpint(have->tie_embeddings, ==, want->tie_embeddings);
	g_assert_cmpint(have->bos_id, ==, want->bos_id);
	for (guint i = 0; i < want->eos_ids->len; i++) {
		gboolean found = FALSE;
		for (guint k = 0; k < have->eos_ids->len; k++)
			found |= g_array_index(have->eos_ids, gint32, k) ==
				 g_array_index(want->eos_ids, gint32, i);
		g_assert_true(found);
	}
	for (gsize i = 0; i < want->n_layers; i++)
		g_assert_cmpmem(&have->layers[i], sizeof have->layers[i], &want->layers[i],
				sizeof want->layers[i]);
}

static void test_config(void)
{
	static const char *const names[] = {"scout", "maverick", "llama31", "mixtral"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *name = g_strconcat("gguf/", names[i], NULL);
		g_autoptr(WeftBundle) folder = open_golden(names[i]);
		g_autoptr(WeftBundle) gguf = open_golden(name);
		const WeftConfig *want = weft_bundle_config(folder), *have = weft_bundle_config(gguf);

		check_text(&have->text, &want->text);
		g_assert_false(have->text.rope_halves);
		g_assert_cmpint(have->text.qk_rows_permuted, ==, want->text.rope_halves);
		g_assert_false(have->text.rope_scaling.present);
		g_assert_cmpint(have->text.rope_divisors != NULL, ==, want->text.rope_scaling.present);
		g_assert_cmpint(have->has_vision, ==, want->has_vision);
		if (!want->has_vision)
			continue;
		g_assert_cmpmem(&have->vision, sizeof have->vision, &want->vision,
				sizeof want->vision);
		g_assert_cmpmem(have->preprocessor.mean, sizeof have->preprocessor.mean,
				want->preprocessor.mean, sizeof want->preprocessor.mean);
		g_assert_cmpuint(have->preprocessor.tile_width, ==, want->preprocessor.tile_width);
	}
}

/* Another file, another id; the same opened by its file or its folder, one id. */
static void test_id(void)
{
	g_autoptr(WeftBundle) folder = open_golden("gguf/scout");
	g_autoptr(WeftBundle) file = open_golden("gguf/scout/model.gguf");
	g_autoptr(WeftBundle) other = open_golden("gguf/llama31");
	g_assert_cmpstr(weft_bundle_id(folder), ==, weft_bundle_id(file));
	g_assert_cmpstr(weft_bundle_id(folder), !=, weft_bundle_id(other));
	g_assert_cmpstr(weft_bundle_name(file), ==, "model");
}

/* ---- made here ---- */

/* A Llama or Llama 4 of one layer; what differs from a good one is said. */
typedef struct Tiny {
	const char *file, *architecture, *type;
	guint n_parts, part, tensors_stated; /* 0: not split */
	const char *extra_tensor, *config;
	int window;                          /* attention.sliding_window; -1: not there */
	guint head_count_twice;              /* a list instead of a number */
	const char *factor;                  /* the key of a scaling of 4; NULL: none */
} Tiny;

static void add_size(WeftGgufWriter *writer, const Tiny *tiny, const char *key, guint32 value)
{
	g_autofree char *full = g_strconcat(tiny->architecture, ".", key, NULL);
	weft_gguf_writer_u32(writer, full, value);
}

static void add_metadata(WeftGgufWriter *writer, const Tiny *tiny)
{
	static const gint32 heads[] = {2, 2};
	const char *type = tiny->type ? tiny->type : "model";
	g_autofree char *eps = g_strconcat(tiny->architecture, ".attention.layer_norm_rms_epsilon",
					   NULL);
	g_autofree char *head_count = g_strconcat(tiny->architecture, ".attention.head_count", NULL);

	weft_gguf_writer_text(writer, "general.architecture", tiny->architecture,
			      strlen(tiny->architecture));
	weft_gguf_writer_text(writer, "general.type", type, strlen(type));
	add_size(writer, tiny, "block_count", 1);
	add_size(writer, tiny, "context_length", 64);
	add_size(writer, tiny, "embedding_length", 32);
	add_size(writer, tiny, "feed_forward_length", 48);
	if (tiny->head_count_twice)
		weft_gguf_writer_i32s(writer, head_count, heads, 2);
	else
		weft_gguf_writer_u32(writer, head_count, 2);
	add_size(writer, tiny, "attention.head_count_kv", 1);
	if (tiny->window >= 0)
		add_size(writer, tiny, "attention.sliding_window", (guint32)tiny->window);
	weft_gguf_writer_f32(writer, eps, 1e-5f);
	if (g_str_equal(tiny->architecture, "llama4"))
		weft_gguf_writer_f32(writer, "llama4.rope.freq_base", 500000);
	if (tiny->factor)
		weft_gguf_writer_f32(writer, tiny->factor, 4);
	if (tiny->config)
		weft_gguf_writer_text(writer, "weft.config", tiny->config, strlen(tiny->config));
	if (tiny->n_parts > 0) {
		weft_gguf_writer_u32(writer, "split.no", tiny->part);
		weft_gguf_writer_u32(writer, "split.count", tiny->n_parts);
		weft_gguf_writer_u32(writer, "split.tensors.count", tiny->tensors_stated);
	}
}

static void write_tiny(const char *folder, const Tiny *tiny)
{
	const gsize shape[] = {8, 32};
	static const guint8 zeros[8 * 32 * 4] = {0};
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(folder, tiny->file, NULL);
	g_autoptr(WeftGgufWriter) writer = weft_gguf_writer_new();
	const char *first = tiny->part == 0 ? "token_embd.weight" : "output.weight";
	const char *names[] = {first, tiny->extra_tensor};

	add_metadata(writer, tiny);
	for (gsize i = 0; i < 2 && names[i]; i++)
		weft_gguf_writer_tensor(writer, names[i], WEFT_DTYPE_F32, 2, shape, sizeof zeros);
	weft_gguf_writer_begin(writer, path, &error);
	for (gsize i = 0; i < 2 && names[i]; i++)
		weft_gguf_writer_data(writer, zeros, sizeof zeros, &error);
	weft_gguf_writer_publish(writer, &error);
	g_assert_no_error(error);
}

static char *folder_new(void)
{
	g_autoptr(GError) error = NULL;
	char *folder = g_dir_make_tmp("weft-gguf-XXXXXX", &error);
	g_assert_no_error(error);
	return folder;
}

static void write_text(const char *folder, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autoptr(GError) error = NULL;
	weft_file_write(path, text, strlen(text), &error);
	g_assert_no_error(error);
}

static void folder_remove(const char *folder)
{
	g_autoptr(GPtrArray) names = weft_folder_names(folder, 100, NULL);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path = g_build_filename(folder, g_ptr_array_index(names, i), NULL);
		g_assert_cmpint(g_unlink(path), ==, 0);
	}
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

#define GOOD .architecture = "llama", .window = -1
#define SPLIT(no, n, stated) GOOD, .part = no, .n_parts = n, .tensors_stated = stated

/* What is opened, and words of the error. */
typedef struct Wrong {
	const char *opened; /* in the folder; "": itself */
	const char *words;
	Tiny files[3];
} Wrong;

static const Wrong WRONGS[] = {
	{"", "2 models in the folder, name one of them: a.gguf, b.gguf",
	 {{.file = "a.gguf", GOOD}, {.file = "b.gguf", GOOD}}},
	{"a.gguf", "2 vision parts in the folder, leave one of them there or call one a-mmproj.gguf: v1.gguf, v2.gguf",
	 {{.file = "a.gguf", GOOD},
	  {.file = "v1.gguf", .architecture = "clip", .window = -1},
	  {.file = "v2.gguf", .architecture = "clip", .type = "mmproj", .window = -1}}},
	{"", "no model among its 1 GGUF files",
	 {{.file = "v.gguf", .architecture = "clip", .window = -1}}},
	{"v.gguf", "v.gguf: is the vision part",
	 {{.file = "v.gguf", .architecture = "clip", .window = -1}}},
	{"l.gguf", "l.gguf: is an adapter",
	 {{.file = "l.gguf", .type = "adapter", GOOD}}},
	{"a.gguf", "a.gguf: general.architecture is \"qwen2\"; llama4 and llama",
	 {{.file = "a.gguf", .architecture = "qwen2", .window = -1}}},
	{"a.gguf", "a.gguf: tensor blk.0.attn_q_norm.weight is not implemented",
	 {{.file = "a.gguf", .extra_tensor = "blk.0.attn_q_norm.weight", GOOD}}},
	{"a.gguf", "llama.attention.head_count must be one whole number",
	 {{.file = "a.gguf", .head_count_twice = 1, GOOD}}},
	{"a.gguf", "llama.rope.scaling.factor: linear scaling",
	 {{.file = "a.gguf", .factor = "llama.rope.scaling.factor", GOOD}}},
	{"a.gguf", "llama.rope.scale_linear: linear scaling",
	 {{.file = "a.gguf", .factor = "llama.rope.scale_linear", GOOD}}},
	{"", "m-00002-of-00002.gguf: part 2 of 2 is missing",
	 {{.file = "m-00001-of-00002.gguf", SPLIT(0, 2, 2)}}},
	{"m-00002-of-00002.gguf", "m-00001-of-00002.gguf: part 1 of 2 is missing",
	 {{.file = "m-00002-of-00002.gguf", SPLIT(1, 2, 2)}}},
	{"", "m-00002-of-00002.gguf: split.no is 0, not 1",
	 {{.file = "m-00001-of-00002.gguf", SPLIT(0, 2, 2)},
	  {.file = "m-00002-of-00002.gguf", SPLIT(0, 2, 2)}}},
	{"", "m-00002-of-00002.gguf: split.tensors.count is 5, not 2",
	 {{.file = "m-00001-of-00002.gguf", SPLIT(0, 2, 2)},
	  {.file = "m-00002-of-00002.gguf", SPLIT(1, 2, 5)}}},
	{"", "m: 2 tensors in 2 parts, but split.tensors.count is 3",
	 {{.file = "m-00001-of-00002.gguf", SPLIT(0, 2, 3)},
	  {.file = "m-00002-of-00002.gguf", SPLIT(1, 2, 3)}}},
	{"", "m-00002-of-00002.gguf: split.no is missing",
	 {{.file = "m-00001-of-00002.gguf", SPLIT(0, 2, 2)},
	  {.file = "m-00002-of-00002.gguf", GOOD}}},
	{"m.gguf", "m.gguf: one of 2 parts, but its name is not that of a part",
	 {{.file = "m.gguf", SPLIT(0, 2, 2)}}},
	{"a.gguf", "weft.config: hidden_size is 64, but a.gguf has 32",
	 {{.file = "a.gguf", .config = "{\"hidden_size\": 64}", GOOD}}},
};

static void test_wrong(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(WRONGS); i++) {
		g_autofree char *folder = folder_new();
		g_autofree char *path = g_build_filename(folder, WRONGS[i].opened, NULL);
		g_autoptr(GError) error = NULL;
		for (gsize k = 0; k < 3 && WRONGS[i].files[k].file; k++)
			write_tiny(folder, &WRONGS[i].files[k]);
		g_autoptr(WeftBundle) bundle = weft_bundle_open(path, &error);
		if (bundle || !strstr(error->message, WRONGS[i].words))
			g_test_message("%s: %s", WRONGS[i].words, bundle ? "opened" : error->message);
		g_assert_null(bundle);
		g_assert_nonnull(strstr(error->message, WRONGS[i].words));
		folder_remove(folder);
	}
}

/* Opens FILE with CONFIG beside it; the error's words when they are given. */
static WeftBundle *open_with(const Tiny *tiny, const char *config, const char *words)
{
	g_autofree char *folder = folder_new();
	g_autoptr(GError) error = NULL;
	write_tiny(folder, tiny);
	if (config)
		write_text(folder, "config.json", config);
	WeftBundle *bundle = weft_bundle_open(folder, &error);
	if (words) {
		g_assert_null(bundle);
		if (!strstr(error->message, words))
			g_test_message("%s", error->message);
		g_assert_nonnull(strstr(error->message, words));
	} else
		g_assert_no_error(error);
	folder_remove(folder); /* what is mapped stays readable */
	return bundle;
}

/* A tensor of a type without arithmetic is refused when it is needed, with what works instead. */
static void test_unread(void)
{
	static const char name[] = "token_embd.weight";
	const Tiny tiny = {.file = "a.gguf", GOOD};
	const gsize shape[] = {8, 32};
	g_autofree char *folder = folder_new();
	g_autofree char *path = g_build_filename(folder, tiny.file, NULL);
	g_autofree char *bytes = NULL;
	g_autoptr(GError) error = NULL;
	gsize size_bytes;

	write_tiny(folder, &tiny);
	g_assert_true(g_file_get_contents(path, &bytes, &size_bytes, NULL));
	char *at = memmem(bytes, size_bytes, name, sizeof name - 1);
	at[sizeof name - 1 + 4 + 2 * 8] = 26; /* behind name, number of sizes and sizes: I32 */
	g_assert_true(weft_file_write(path, bytes, size_bytes, NULL));
	g_autoptr(WeftBundle) bundle = weft_bundle_open(path, &error);
	g_assert_no_error(error);
	g_assert_null(weft_bundle_find(bundle, "model.embed_tokens.weight"));
	g_assert_null(weft_bundle_tensor(bundle, "model.embed_tokens.weight", 2, shape, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
	g_assert_cmpstr(error->message, ==,
			"a.gguf: tensor token_embd.weight has type I32; the Q4_K_M, Q6_K or Q8_0 "
			"files of this model work");
	folder_remove(folder);
}

/* A config.json beside the file: nested, flat, original. */
static void test_override(void)
{
	const Tiny llama4 = {.file = "a.gguf", .architecture = "llama4", .window = -1};
	static const char *const good[] = {
		"{\"text_config\": {\"attention_chunk_size\": 4096}}",
		"{\"attention_chunk_size\": 4096}",
		"{\"model_type\": \"llama4_text\", \"architectures\": [\"Llama4ForCausalLM\"], "
		"\"hidden_size\": 32, \"head_dim\": null, \"attention_chunk_size\": 4096}",
		"{\"model_type\": \"llama4\", \"quantization_config\": {\"quant_method\": \"gptq\"}, "
		"\"text_config\": {\"attention_chunk_size\": 4096}, "
		"\"vision_config\": {\"hidden_size\": 1}}",
	};
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(WeftBundle) bundle = open_with(&llama4, good[i], NULL);
		const WeftConfig *config = weft_bundle_config(bundle);
		g_assert_cmpuint(config->text.chunk_size, ==, 4096);
		g_assert_cmpuint(config->text.width, ==, 32);
		g_assert_false(config->has_vision);
	}
	g_assert_null(open_with(&llama4, "{\"text_config\": {\"hidden_size\": 64}}",
				"config.json: text_config.hidden_size is 64, but a.gguf has 32"));
	g_assert_null(open_with(&llama4, "{\"model_type\": \"mixtral\"}",
				"text_config.model_type is \"mixtral\""));
	g_assert_null(open_with(&llama4, "[]", "config.json: must be an object"));
	g_assert_null(open_with(&llama4, "{\"text_config\": {\"attention_chunk_size\": \"x\"}}",
				"attention_chunk_size"));
}

/* What the file says, and what it leaves out. */
static void test_defaults(void)
{
	Tiny llama4 = {.file = "a.gguf", .architecture = "llama4", .window = -1};
	g_autoptr(WeftBundle) bundle = open_with(&llama4, NULL, NULL);
	const WeftTextConfig *text = &weft_bundle_config(bundle)->text;
	g_assert_cmpuint(text->chunk_size, ==, 8192);
	g_assert_cmpfloat(text->floor_scale, ==, 8192);
	g_assert_cmpfloat(text->attn_scale, ==, 0.1);
	g_assert_true(text->qk_norm);
	g_assert_true(text->temperature_tuning);
	g_assert_cmpuint(text->n_vocab, ==, 8);
	g_assert_cmpuint(text->head_dim, ==, 16);
	g_assert_true(text->tie_embeddings);
	g_assert_true(text->layers[0].is_chunked);

	llama4.window = 0;
	g_autoptr(WeftBundle) whole = open_with(&llama4, NULL, NULL);
	text = &weft_bundle_config(whole)->text;
	g_assert_cmpuint(text->chunk_size, ==, 0);
	g_assert_true(text->layers[0].has_rope);
	g_assert_false(text->layers[0].is_chunked);
}

/* The spellings of llama.cpp's converters and of Ollama's, and what is no tensor of a layer. */
static void test_names(void)
{
	static const struct {
		WeftGgufArchitecture architecture;
		const char *stored, *name;
	} cases[] = {
		{WEFT_GGUF_LLAMA, "blk.31.attn_q.weight", "model.layers.31.self_attn.q_proj.weight"},
		{WEFT_GGUF_LLAMA, "blk.0.ffn_up.weight", "model.layers.0.mlp.up_proj.weight"},
		{WEFT_GGUF_LLAMA, "blk.7.ffn_down_exps.weight",
		 "model.layers.7.block_sparse_moe.experts.down_proj.weight"},
		{WEFT_GGUF_LLAMA, "blk.7.ffn_gate.5.weight",
		 "model.layers.7.block_sparse_moe.experts.5.gate_proj.weight"},
		{WEFT_GGUF_LLAMA, "output.weight", "lm_head.weight"},
		{WEFT_GGUF_LLAMA4, "blk.2.ffn_gate_shexp.weight",
		 "model.layers.2.feed_forward.shared_expert.gate_proj.weight"},
		{WEFT_GGUF_LLAMA4, "blk.2.ffn_gate_inp.weight",
		 "model.layers.2.feed_forward.router.weight"},
		{WEFT_GGUF_LLAMA4, "v.blk.3.attn_norm.bias",
		 "vision_model.model.layers.3.input_layernorm.bias"},
		{WEFT_GGUF_LLAMA4, "v.vision_adapter.mlp.fc2.weight",
		 "vision_model.vision_adapter.mlp.fc2.weight"},
		{WEFT_GGUF_LLAMA4, "mm.linear_1.weight", "multi_modal_projector.linear_1.weight"},
		{WEFT_GGUF_CLIP, "mm.model.fc.weight", "multi_modal_projector.linear_1.weight"},
		{WEFT_GGUF_CLIP, "v.blk.3.ln2.weight",
		 "vision_model.model.layers.3.post_attention_layernorm.weight"},
		{WEFT_GGUF_CLIP, "v.blk.3.attn_post_norm.weight",
		 "vision_model.model.layers.3.post_attention_layernorm.weight"},
		{WEFT_GGUF_CLIP, "v.position_embd.weight", "vision_model.positional_embedding_vlm"},
		{WEFT_GGUF_CLIP, "blk.0.attn_q.weight", NULL},
		{WEFT_GGUF_LLAMA, "blk.0.attn_q.bias", NULL},
		{WEFT_GGUF_LLAMA, "blk..attn_q.weight", NULL},
		{WEFT_GGUF_LLAMA, "blk.1234567.attn_q.weight", NULL},
		{WEFT_GGUF_LLAMA, "rope_freqs.weight", NULL},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *name = weft_gguf_name_read(cases[i].architecture, cases[i].stored);
		g_assert_cmpstr(name, ==, cases[i].name);
	}
}

/* ---- Ollama: text and vision in one file, with names and keys of its own ---- */

static char *ollama_name(const char *stored)
{
	static const char *const parts[][2] = {
		{"v.class_embd", "v.class_embedding"},
		{"v.patch_embd", "v.patch_embedding"},
		{"v.position_embd.weight", "v.positional_embedding_vlm"},
		{"v.pre_ln", "v.layernorm_pre"},
		{"v.post_ln", "v.layernorm_post"},
		{"mm.model.mlp.1", "v.vision_adapter.mlp.fc1"},
		{"mm.model.mlp.2", "v.vision_adapter.mlp.fc2"},
		{"mm.model.fc", "mm.linear_1"},
		{".ln1.", ".attn_norm."},
		{".attn_post_norm.", ".ffn_norm."},
		{".attn_out.", ".attn_output."},
		{".ffn_up.", ".mlp.fc1."},
		{".ffn_down.", ".mlp.fc2."},
	};
	GString *name = g_string_new(stored);
	gboolean is_vision = stored[0] == 'v' || stored[0] == 'm';
	for (gsize i = 0; is_vision && i < G_N_ELEMENTS(parts); i++)
		g_string_replace(name, parts[i][0], parts[i][1], 1);
	return g_string_free(name, FALSE);
}

static void add_ollama_metadata(WeftGgufWriter *writer, const WeftConfig *config)
{
	const WeftTextConfig *text = &config->text;
	const WeftVisionConfig *vision = &config->vision;
	const struct {
		const char *key;
		gsize value;
	} sizes[] = {
		{"llama4.block_count", text->n_layers},
		{"llama4.context_length", text->context_max},
		{"llama4.embedding_length", text->width},
		{"llama4.feed_forward_length", text->ffn_dense},
		{"llama4.expert_feed_forward_length", text->ffn_expert},
		{"llama4.attention.head_count", text->n_heads},
		{"llama4.attention.head_count_kv", text->n_kv_heads},
		{"llama4.attention.key_length", text->head_dim},
		{"llama4.expert_count", text->n_experts},
		{"llama4.expert_used_count", text->n_experts_active},
		{"llama4.interleave_moe_layer_step", 1},
		{"llama4.attention.chunk_size", text->chunk_size},
		{"llama4.vision.block_count", vision->n_layers},
		{"llama4.vision.embedding_length", vision->width},
		{"llama4.vision.feed_forward_length", vision->ffn},
		{"llama4.vision.attention.head_count", vision->n_heads},
		{"llama4.vision.image_size", vision->image_size},
		{"llama4.vision.patch_size", vision->patch_size},
	};
	g_autofree char *kept = g_strdup_printf("{\"boi_token_index\": %d, \"eoi_token_index\": %d, "
						"\"image_token_index\": %d}", vision->boi_id,
						vision->eoi_id, vision->image_id);

	weft_gguf_writer_string(writer, "general.architecture", "llama4");
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
		weft_gguf_writer_u32(writer, sizes[i].key, (guint32)sizes[i].value);
	weft_gguf_writer_bool(writer, "llama4.use_qk_norm", FALSE);
	weft_gguf_writer_f32(writer, "llama4.attention.layer_norm_rms_epsilon", 1e-5f);
	weft_gguf_writer_f32(writer, "llama4.rope.freq_base", (float)text->rope_theta);
	weft_gguf_writer_f32(writer, "llama4.vision.rope.freq_base", (float)vision->rope_theta);
	weft_gguf_writer_f32(writer, "llama4.vision.layer_norm_epsilon", (float)vision->norm_eps);
	weft_gguf_writer_f32(writer, "llama4.vision.pixel_shuffle_ratio",
			     1 / (float)vision->shuffle);
	weft_gguf_writer_string(writer, "weft.config", kept);
}

static void test_ollama(void)
{
	g_autoptr(WeftBundle) scout = open_golden("gguf/scout");
	const WeftConfig *config = weft_bundle_config(scout);
	g_autofree char *folder = folder_new();
	g_autofree char *path = g_build_filename(folder, "ollama.gguf", NULL);
	g_autoptr(WeftGgufWriter) writer = weft_gguf_writer_new();
	g_autoptr(GError) error = NULL;

	add_ollama_metadata(writer, config);
	for (gsize i = 0; i < weft_bundle_n_tensors(scout); i++) {
		const WeftTensorView *view = weft_bundle_tensor_at(scout, i);
		g_autofree char *name = ollama_name(view->name);
		weft_gguf_writer_tensor(writer, name, view->dtype, view->n_dims, view->shape,
					view->size_bytes);
	}
	weft_gguf_writer_begin(writer, path, &error);
	for (gsize i = 0; i < weft_bundle_n_tensors(scout); i++) {
		const WeftTensorView *view = weft_bundle_tensor_at(scout, i);
		weft_gguf_writer_data(writer, view->data, view->size_bytes, &error);
	}
	weft_gguf_writer_publish(writer, &error);
	g_autoptr(WeftBundle) bundle = error ? NULL : weft_bundle_open(path, &error);
	g_assert_no_error(error);
	folder_remove(folder);

	const WeftConfig *have = weft_bundle_config(bundle);
	g_assert_true(have->has_vision);
	g_assert_cmpmem(&have->vision, sizeof have->vision, &config->vision, sizeof config->vision);
	g_assert_cmpuint(have->text.chunk_size, ==, config->text.chunk_size);
	g_assert_false(have->text.qk_norm);
	g_autoptr(WeftBundle) original = open_golden("scout");
	for (gsize i = 0; i < weft_bundle_n_tensors(original); i++) {
		const char *name = weft_bundle_tensor_at(original, i)->name;
		const WeftTensorView *a = weft_bundle_find(bundle, name);
		const WeftTensorView *b = weft_bundle_find(scout, name);
		g_assert_cmpint(a != NULL, ==, b != NULL); /* not fused experts */
		if (a)
			g_assert_cmpmem(a->data, a->size_bytes, b->data, b->size_bytes);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/gguf-bundle/tensors", test_tensors);
	g_test_add_func("/gguf-bundle/config", test_config);
	g_test_add_func("/gguf-bundle/id", test_id);
	g_test_add_func("/gguf-bundle/names", test_names);
	g_test_add_func("/gguf-bundle/ollama", test_ollama);
	g_test_add_func("/gguf-bundle/wrong", test_wrong);
	g_test_add_func("/gguf-bundle/unread", test_unread);
	g_test_add_func("/gguf-bundle/override", test_override);
	g_test_add_func("/gguf-bundle/defaults", test_defaults);
	return g_test_run();
}
