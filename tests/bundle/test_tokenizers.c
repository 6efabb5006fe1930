/* Every kind of tokenizer in every spelling: 10,000 texts in more than 20 scripts against Hugging
 * Face's tokenizers (golden/tokenizers/ORIGIN), back to the same bytes, and whole prompts against
 * transformers. */
#include <string.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "bundle/bundle.h"
#include "bundle/gguf_metadata.h"
#include "bundle/gguf_writer.h"
#include "bundle/tokenizer_private.h"

#define TEXTS_MIN 10000

static char *golden(const char *name)
{
	return g_build_filename(g_getenv("WEFT_GOLDEN"), "tokenizers", name, NULL);
}

static char *read_golden(const char *name, gsize *ret_size_bytes)
{
	g_autofree char *path = golden(name);
	char *text = NULL;
	g_autoptr(GError) error = NULL;
	g_assert_true(g_file_get_contents(path, &text, ret_size_bytes, &error));
	g_assert_no_error(error);
	return text;
}

static WeftJson *read_json(const char *name)
{
	gsize size_bytes;
	g_autofree char *text = read_golden(name, &size_bytes);
	g_autoptr(GError) error = NULL;
	WeftJson *value = weft_json_parse(text, size_bytes, WEFT_JSON_STRICT, &error);
	g_assert_no_error(error);
	return value;
}

/* tokenizer.json as `weft model quantize` writes it into a GGUF file, read back. */
static WeftTokenizer *open_written(const char *kind, GError **error)
{
	g_autofree char *folder = g_dir_make_tmp("weft-written-XXXXXX", NULL);
	g_autofree char *source = g_build_filename(folder, "tokenizer.json", NULL);
	g_autofree char *target = g_build_filename(folder, "model.gguf", NULL);
	g_autofree char *name = g_strconcat(kind, ".json", NULL);
	g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) ends = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autoptr(WeftGgufWriter) writer = weft_gguf_writer_new();
	gsize size_bytes;
	g_autofree char *json = read_golden(name, &size_bytes);
	g_autoptr(WeftTokenizer) tokenizer = weft_tokenizer_new(name, json, size_bytes, error);
	const WeftTextConfig text = {.n_vocab = weft_tokenizer_size(tokenizer) + 3, /* holes */
				     .bos_id = -1,
				     .eos_ids = ends};

	weft_gguf_writer_text(writer, "general.architecture", "llama", 5);
	g_assert_true(weft_file_write(source, json, size_bytes, error));
	g_assert_true(weft_gguf_metadata_vocabulary(writer, folder, &text, notes, error));
	g_assert_true(weft_gguf_writer_begin(writer, target, error));
	g_assert_true(weft_gguf_writer_publish(writer, error));
	WeftTokenizer *written = weft_tokenizer_open(target, error);
	g_assert_cmpint(g_unlink(source) + g_unlink(target) + g_rmdir(folder), ==, 0);
	return written;
}

static WeftTokenizer *open_kind(const char *kind, const char *spelling)
{
	g_autofree char *name = g_strconcat(kind, ".", spelling, NULL);
	g_autoptr(GError) error = NULL;
	WeftTokenizer *tokenizer;

	if (strcmp(spelling, "tiktoken") == 0) { /* too small to be known by its size */
		gsize size_bytes;
		g_autofree char *text = read_golden(name, &size_bytes);
		tokenizer = weft_tokenizer_new_empty(name);
		g_assert_true(weft_tiktoken_read(tokenizer,
						 strcmp(kind, "llama3") == 0 ?
							 WEFT_PRESPLIT_LLAMA3 :
							 WEFT_PRESPLIT_LLAMA4,
						 text, size_bytes, &error));
	} else if (strcmp(spelling, "written") == 0) {
		tokenizer = open_written(kind, &error);
	} else {
		g_autofree char *path = golden(name);
		tokenizer = weft_tokenizer_open(path, &error);
	}
	g_assert_no_error(error);
	return tokenizer;
}

static guint32 hash_ids(const GArray *ids)
{
	guint32 hash = 0x811c9dc5;
	for (guint i = 0; i < ids->len; i++) {
		guint32 id = (guint32)g_array_index(ids, gint32, i);
		for (int shift = 0; shift < 32; shift += 8)
			hash = (hash ^ (id >> shift & 255)) * 0x01000193;
	}
	return hash;
}

static char *ids_text(const GArray *ids)
{
	GString *text = g_string_new(NULL);
	for (guint i = 0; i < ids->len; i++)
		g_string_append_printf(text, " %d", g_array_index(ids, gint32, i));
	return g_string_free(text, FALSE);
}

static gboolean same_ids(const GArray *ids, const WeftJson *expected)
{
	gboolean same = ids->len == weft_json_length(expected);
	for (guint i = 0; same && i < ids->len; i++) {
		gint64 id = -1;
		same = weft_json_int(weft_json_at(expected, i), &id) &&
		       id == g_array_index(ids, gint32, i);
	}
	return same;
}

/* What the reference decodes: for pieces a U+2581 is a blank, and Metaspace loses the first one. */
static GString *comes_back(const char *kind, const char *text, gsize size_bytes)
{
	GString *back = g_string_new_len(text, (gssize)size_bytes);
	if (!g_str_has_prefix(kind, "pieces"))
		return back;
	const char *sign;
	while ((sign = memmem(back->str, back->len, "\xe2\x96\x81", 3))) {
		gssize at = sign - back->str;
		g_string_erase(back, at, 3);
		g_string_insert_c(back, at, ' ');
	}
	if (strcmp(kind, "pieces") != 0 && back->str[0] == ' ')
		g_string_erase(back, 0, 1);
	return back;
}

static void check_text(const WeftTokenizer *tokenizer, const char *kind, const WeftJson *item,
		       guint32 hash, const WeftJson *expected)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autoptr(GString) back = g_string_new(NULL);
	gsize size_bytes;
	const char *text = weft_json_string(item, &size_bytes);
	g_autoptr(GString) wanted = comes_back(kind, text, size_bytes);

	weft_tokenizer_encode(tokenizer, text, size_bytes, FALSE, ids);
	if (hash_ids(ids) != hash || (expected && !same_ids(ids, expected))) {
		g_autofree char *shown = ids_text(ids);
		g_test_message("\"%s\":%s", text, shown);
		g_assert_cmphex(hash_ids(ids), ==, hash);
		g_assert_not_reached();
	}
	g_assert_true(weft_tokenizer_decode(tokenizer, (const gint32 *)(gpointer)ids->data,
					    ids->len, TRUE, back, NULL));
	g_assert_cmpmem(back->str, back->len, wanted->str, wanted->len);
}

static void test_texts(gconstpointer data)
{
	g_auto(GStrv) names = g_strsplit(data, ".", 2);
	g_autoptr(WeftTokenizer) tokenizer = open_kind(names[0], names[1]);
	g_autofree char *hashes_name = g_strconcat(names[0], ".hashes", NULL);
	gsize hashes_bytes;
	g_autofree char *hashes = read_golden(hashes_name, &hashes_bytes);
	g_autoptr(WeftJson) texts = read_json("texts.json");
	g_autoptr(WeftJson) full = read_json("ids.json");
	const WeftJson *expected = weft_json_member(full, names[0]);
	gsize n = weft_json_length(texts);

	g_assert_cmpuint(n, >=, TEXTS_MIN);
	g_assert_cmpuint(hashes_bytes, ==, n * 4);
	for (gsize i = 0; i < n; i++)
		check_text(tokenizer, names[0], weft_json_at(texts, i),
			   weft_le32((const guint8 *)hashes + 4 * i), weft_json_at(expected, i));
}

/* Text cut behind a line feed and before a blank is the same as in one piece. */
static void test_goes_on(gconstpointer data)
{
	static const char *const parts[] = {"The letter", " arrived.\n", "Nobody opened", " it\n"};
	g_auto(GStrv) names = g_strsplit(data, ".", 2);
	g_autoptr(WeftTokenizer) tokenizer = open_kind(names[0], names[1]);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autoptr(GArray) whole = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autofree char *text = g_strconcat(parts[0], parts[1], parts[2], parts[3], NULL);

	weft_tokenizer_encode(tokenizer, text, strlen(text), FALSE, whole);
	weft_tokenizer_encode(tokenizer, parts[0], strlen(parts[0]), FALSE, ids);
	for (gsize i = 1; i < G_N_ELEMENTS(parts); i++)
		weft_tokenizer_continue(tokenizer, parts[i], strlen(parts[i]), FALSE, ids);
	g_assert_cmpmem(ids->data, ids->len * 4, whole->data, whole->len * 4);
}

/* Any bytes: text that goes on is spelled by its tokens exactly, whatever the kind. */
static void test_any_bytes(gconstpointer data)
{
	g_auto(GStrv) names = g_strsplit(data, ".", 2);
	g_autoptr(WeftTokenizer) tokenizer = open_kind(names[0], names[1]);
	g_autoptr(GRand) random = g_rand_new_with_seed(11);

	for (int round = 0; round < 300; round++) {
		g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
		g_autoptr(GString) back = g_string_new(NULL);
		char bytes[64];
		gsize n = (gsize)g_rand_int_range(random, 0, sizeof bytes);
		for (gsize i = 0; i < n; i++)
			bytes[i] = (char)g_rand_int_range(random, 0, round % 2 ? 256 : 0x80);
		weft_tokenizer_continue(tokenizer, bytes, n, FALSE, ids);
		for (guint i = 0; i < ids->len; i++) {
			gint32 id = g_array_index(ids, gint32, i);
			gsize size_bytes = 0;
			const char *token = weft_tokenizer_token(tokenizer, id, &size_bytes);
			g_assert_false(weft_tokenizer_is_special(tokenizer, id));
			g_string_append_len(back, token, (gssize)size_bytes);
		}
		g_assert_cmpmem(back->str, back->len, bytes, n);
	}
}

/* One endless word takes seconds at most: a quadratic algorithm would take hours. */
static void test_endless(gconstpointer data)
{
	enum { SIZE_BYTES = 10 << 20 };
	g_auto(GStrv) names = g_strsplit(data, ".", 2);
	g_autoptr(WeftTokenizer) tokenizer = open_kind(names[0], names[1]);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autofree char *word = g_strnfill(SIZE_BYTES, 'e');
	gint64 begin_us = g_get_monotonic_time();

	weft_tokenizer_encode(tokenizer, word, SIZE_BYTES, FALSE, ids);
	g_assert_cmpuint(ids->len, >, 0);
	g_assert_cmpint(g_get_monotonic_time() - begin_us, <, 120 * G_USEC_PER_SEC);
}

/* Files of llama.cpp's converter give the ids of the tokenizer.json that they were made from. */
static void test_converted(void)
{
	static const char *const names[] = {"scout", "maverick", "llama31", "mixtral"};
	g_autoptr(WeftJson) texts = read_json("texts.json");

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *source =
			g_build_filename(g_getenv("WEFT_GOLDEN"), names[i], NULL);
		g_autofree char *made =
			g_build_filename(g_getenv("WEFT_GOLDEN"), "gguf", names[i], NULL);
		g_autoptr(GError) error = NULL;
		g_autoptr(WeftTokenizer) wanted = weft_tokenizer_open(source, &error);
		g_assert_no_error(error);
		g_autoptr(WeftBundle) bundle = weft_bundle_open(made, &error);
		g_assert_no_error(error);
		const WeftTokenizer *tokenizer = weft_bundle_tokenizer(bundle);
		g_assert_nonnull(tokenizer);
		g_assert_cmpstr(weft_template_family(weft_bundle_template(bundle)), ==, "llama4");
		for (gsize k = 0; k < 1000; k++) {
			g_autoptr(GArray) a = g_array_new(FALSE, FALSE, sizeof(gint32));
			g_autoptr(GArray) b = g_array_new(FALSE, FALSE, sizeof(gint32));
			gsize size_bytes;
			const char *text = weft_json_string(weft_json_at(texts, k), &size_bytes);
			weft_tokenizer_encode(tokenizer, text, size_bytes, k % 2, a);
			weft_tokenizer_encode(wanted, text, size_bytes, k % 2, b);
			g_assert_cmpmem(a->data, a->len * 4, b->data, b->len * 4);
		}
	}
}

/* A GGUF file that says it has no vocabulary: the tokenizer beside it counts. */
static void test_beside(void)
{
	g_autofree char *folder = g_dir_make_tmp("weft-beside-XXXXXX", NULL);
	g_autofree char *model = g_build_filename(folder, "model.gguf", NULL);
	g_autofree char *file = g_build_filename(folder, "tokenizer.model", NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftGgufWriter) writer = weft_gguf_writer_new();
	gsize size_bytes;
	g_autofree char *pieces = read_golden("pieces.model", &size_bytes);

	g_assert_no_error(error);
	weft_gguf_writer_text(writer, "general.architecture", "llama", 5);
	weft_gguf_writer_text(writer, "tokenizer.ggml.model", "none", 4);
	g_assert_true(weft_gguf_writer_begin(writer, model, &error));
	g_assert_true(weft_gguf_writer_publish(writer, &error));
	g_assert_true(weft_file_write(file, pieces, size_bytes, NULL));
	g_autoptr(WeftTokenizer) tokenizer = weft_tokenizer_open(folder, &error);
	g_assert_no_error(error);
	g_assert_cmpint(weft_tokenizer_id(tokenizer, "</s>"), ==, 2);
	g_assert_cmpint(g_unlink(model), ==, 0);
	g_assert_cmpint(g_unlink(file), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

/* ---- prompts ---- */

static void add_turn(const WeftTemplate *template, WeftTurn turn, gboolean is_first,
		     const char *text, GArray *ids)
{
	weft_template_open_turn(template, turn, is_first, text, strlen(text), ids);
	weft_template_close_turn(template, turn, ids);
}

static void test_prompts(void)
{
	static char source[] = "chat_template.jinja";
	g_autoptr(WeftJson) cases = read_json("prompts.json");

	g_assert_cmpuint(weft_json_length(cases), >=, 48);
	for (gsize i = 0; i < weft_json_length(cases); i++) {
		const WeftJson *item = weft_json_at(cases, i);
		const char *name = weft_json_string(weft_json_member(item, "tokenizer"), NULL);
		const char *family = weft_json_string(weft_json_member(item, "family"), NULL);
		const char *system = weft_json_string(weft_json_member(item, "system"), NULL);
		const char *user = weft_json_string(weft_json_member(item, "user"), NULL);
		g_autofree char *text =
			g_strdup(weft_json_string(weft_json_member(item, "chat"), NULL));
		const WeftChat chat = {text, source};
		g_autofree char *path = golden(name);
		g_autoptr(WeftTokenizer) tokenizer = weft_tokenizer_open(path, NULL);
		g_autoptr(WeftTemplate) template =
			weft_template_new(tokenizer, -1, NULL, &chat);
		g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));

		g_assert_cmpstr(weft_template_family(template), ==, family);
		g_assert_null(weft_template_reason(template));
		weft_template_begin(template, ids);
		if (system)
			add_turn(template, WEFT_TURN_SYSTEM, TRUE, system, ids);
		add_turn(template, WEFT_TURN_USER, !system, user, ids);
		weft_template_open_turn(template, WEFT_TURN_ASSISTANT, FALSE, "", 0, ids);
		if (!same_ids(ids, weft_json_member(item, "ids"))) {
			g_autofree char *shown = ids_text(ids);
			g_test_message("case %zu, %s, %s:%s", i, name, user, shown);
			g_assert_not_reached();
		}
	}
}

/* ---- Meta's files at their true sizes ---- */

/* Bytes, then as many other tokens as are wanted. */
static char *rank_lines(guint32 n)
{
	GString *lines = g_string_new(NULL);
	for (guint32 i = 0; i < n; i++) {
		guint8 bytes[4] = {(guint8)i, (guint8)(i >> 8), (guint8)(i >> 16), 0xfe};
		g_autofree char *word = g_base64_encode(bytes, i < 256 ? 1 : 4);
		g_string_append_printf(lines, "%s %u\n", word, i);
	}
	return g_string_free(lines, FALSE);
}

static void test_true_sizes(void)
{
	static const struct {
		guint32 n_ranks;
		const char *special;
		gint32 id;
	} cases[] = {
		{128000, "<|begin_of_text|>", 128000}, {128000, "<|eot_id|>", 128009},
		{128000, "<|reserved_special_token_2|>", 128005},
		{128000, "<|reserved_special_token_247|>", 128255},
		{200000, "<|eot|>", 200008}, {200000, "<|finetune_right_pad|>", 200018},
		{200000, "<|text_post_train_reserved_special_token_68|>", 200079},
		{200000, "<|tile_y_separator|>", 200085}, {200000, "<|patch|>", 200092},
		{200000, "<|vision_reserved_special_token_1047|>", 201133},
		{200000, "<|reasoning_thinking_end|>", 201143},
		{200000, "<|reserved_special_token_903|>", 202047},
	};
	g_autoptr(WeftTokenizer) tokenizer = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		if (i == 0 || cases[i].n_ranks != cases[i - 1].n_ranks) {
			g_autofree char *lines = rank_lines(cases[i].n_ranks);
			g_clear_pointer(&tokenizer, weft_tokenizer_free);
			tokenizer = weft_tokenizer_new("tokenizer.model", lines, strlen(lines),
						       &error);
			g_assert_no_error(error);
		}
		g_assert_cmpint(weft_tokenizer_id(tokenizer, cases[i].special), ==, cases[i].id);
	}
	g_assert_cmpuint(weft_tokenizer_size(tokenizer), ==, 202048);
}

/* ---- what is refused ---- */

static void refused(const char *data, gsize size_bytes, const char *says)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftTokenizer) tokenizer =
		weft_tokenizer_new("tokenizer.model", data, size_bytes, &error);
	g_assert_null(tokenizer);
	g_test_message("%s", error->message);
	g_assert_true(g_str_has_prefix(error->message, "tokenizer.model: "));
	g_assert_nonnull(strstr(error->message, says));
}

static void test_refusals(void)
{
	static const char unigram[] = "\n\x05\n\x03" "abc";
	static const char charsmap[] = "\n\x05\n\x03" "abc\x12\x02\x18\x02\x1a\x03\x12\x01x";
	static const char byte[] =
		"\n\x0a\n\x06<0x4g>\x18\x06\x12\x02\x18\x02\x1a\x02\x20\x00";
	static const char none[] = "\n\x05\n\x03" "abc\x12\x02\x18\x02\x1a\x02\x20\x00";
	static const char twice[] = "YQ== 0\nYg== 0\n";
	static const char bad_type[] = "\n\x07\n\x03" "abc\x18\x09";
	gsize size_bytes;
	g_autofree char *model = read_golden("pieces.model", &size_bytes);

	refused(unigram, sizeof unigram - 1, "type 1");
	refused(charsmap, sizeof charsmap - 1, "changes text");
	refused(byte, sizeof byte - 1, "<0xNN>");
	refused(none, sizeof none - 1, "<0x00>");
	refused(bad_type, sizeof bad_type - 1, "byte 0");
	refused(twice, sizeof twice - 1, "2 ranks");
	refused(model, size_bytes / 2, "not a SentencePiece model");
	refused("", 0, "byte 0");
}

static void test_bad_ranks(void)
{
	static const char *const cases[][2] = {
		{"YQ== 0\nYg== 0\n", "id 0 has another"},
		{"YQ== 0\nYg==\n", "line 2"},
		{"YQ== 0\nYg=\n", "line 2"},
		{"YQ== 99999999\n", "below"},
		{"YQ== 0\n", "no token for byte"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(WeftTokenizer) tokenizer = weft_tokenizer_new_empty("tokenizer.model");
		g_autoptr(GError) error = NULL;
		g_assert_false(weft_tiktoken_read(tokenizer, WEFT_PRESPLIT_LLAMA3, cases[i][0],
						  strlen(cases[i][0]), &error));
		g_test_message("%s", error->message);
		g_assert_nonnull(strstr(error->message, cases[i][1]));
	}
}

int main(int argc, char **argv)
{
	static const char *const spellings[] = {
		"llama4.json", "llama4.tiktoken", "llama4.gguf", "llama4.written",
		"llama3.json", "llama3.tiktoken", "llama3.gguf", "llama3.written",
		"gpt2.json", "gpt2.gguf", "gpt2.written",
		"pieces.json", "pieces.model", "pieces.gguf", "pieces.written", "pieces-first.json",
		"pieces-split.json",
	};
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(spellings); i++) {
		g_autofree char *texts = g_strconcat("/tokenizers/texts/", spellings[i], NULL);
		g_autofree char *goes_on = g_strconcat("/tokenizers/goes-on/", spellings[i], NULL);
		g_autofree char *bytes = g_strconcat("/tokenizers/bytes/", spellings[i], NULL);
		g_test_add_data_func(texts, spellings[i], test_texts);
		g_test_add_data_func(goes_on, spellings[i], test_goes_on);
		g_test_add_data_func(bytes, spellings[i], test_any_bytes);
	}
	g_test_add_data_func("/tokenizers/endless/bytes", "gpt2.json", test_endless);
	g_test_add_data_func("/tokenizers/endless/pieces", "pieces.model", test_endless);
	g_test_add_func("/tokenizers/converted", test_converted);
	g_test_add_func("/tokenizers/beside", test_beside);
	g_test_add_func("/tokenizers/prompts", test_prompts);
	g_test_add_func("/tokenizers/true-sizes", test_true_sizes);
	g_test_add_func("/tokenizers/refusals", test_refusals);
	g_test_add_func("/tokenizers/bad-ranks", test_bad_ranks);
	return g_test_run();
}
