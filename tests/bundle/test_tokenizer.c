/* Pieces and ids against HF tokenizers (golden/tokenizer/cases.json), bytes there and back, and
 * tokenizer files that must be refused. */
#include <string.h>

#include <glib.h>

#include "base/error.h"
#include "base/json.h"
#include "bundle/presplit.h"
#include "bundle/template.h"
#include "bundle/tokenizer.h"

static WeftTokenizer *open_golden(const char *name)
{
	g_autofree char *path = g_build_filename(g_getenv("WEFT_GOLDEN"), name, NULL);
	g_autoptr(GError) error = NULL;
	WeftTokenizer *tokenizer = weft_tokenizer_open(path, &error);
	g_assert_no_error(error);
	return tokenizer;
}

static WeftJson *open_cases(void)
{
	g_autofree char *path =
		g_build_filename(g_getenv("WEFT_GOLDEN"), "tokenizer/cases.json", NULL);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	gsize size_bytes;
	g_assert_true(g_file_get_contents(path, &text, &size_bytes, NULL));
	WeftJson *cases = weft_json_parse(text, size_bytes, WEFT_JSON_STRICT, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(weft_json_length(cases), >, 400);
	return cases;
}

static const char *text_of(const WeftJson *item, gsize *ret_size_bytes)
{
	return weft_json_string(weft_json_member(item, "text"), ret_size_bytes);
}

static void test_pieces(void)
{
	static const char *const rules[] = {
		[WEFT_PRESPLIT_GPT2] = "gpt2",
		[WEFT_PRESPLIT_LLAMA3] = "llama3",
		[WEFT_PRESPLIT_LLAMA4] = "llama4"};
	g_autoptr(WeftJson) cases = open_cases();

	for (gsize i = 0; i < weft_json_length(cases); i++) {
		const WeftJson *item = weft_json_at(cases, i);
		gsize size_bytes;
		const char *text = text_of(item, &size_bytes);
		for (gsize rule = 0; rule < G_N_ELEMENTS(rules); rule++) {
			const WeftJson *ends = weft_json_member(item, rules[rule]);
			WeftChars chars;
			gsize n = 0;
			weft_chars_init(&chars, text, size_bytes);
			for (gsize at = 0; at < chars.n_chars; n++) {
				gint64 end = -1;
				at = weft_presplit_end((WeftPresplit)rule, &chars, at);
				g_assert_true(weft_json_int(weft_json_at(ends, n), &end));
				if (end != (gint64)chars.offsets[at])
					g_test_message("%s: case %zu: \"%s\"", rules[rule], i,
						       text);
				g_assert_cmpint(end, ==, (gint64)chars.offsets[at]);
			}
			g_assert_cmpuint(n, ==, weft_json_length(ends));
			weft_chars_done(&chars);
		}
	}
}

static void check_ids(const WeftTokenizer *tokenizer, const WeftJson *item, gboolean special,
		      const WeftJson *expected)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autoptr(GString) back = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	gsize size_bytes;
	const char *text = text_of(item, &size_bytes);

	weft_tokenizer_encode(tokenizer, text, size_bytes, special, ids);
	gboolean same = ids->len == weft_json_length(expected);
	for (guint i = 0; same && i < ids->len; i++) {
		gint64 id = -1;
		same = weft_json_int(weft_json_at(expected, i), &id) &&
		       id == g_array_index(ids, gint32, i);
	}
	if (!same)
		g_test_message("\"%s\"", text);
	g_assert_true(same);
	g_assert_true(weft_tokenizer_decode(tokenizer, (const gint32 *)(gpointer)ids->data,
					    ids->len, TRUE, back, &error));
	g_assert_no_error(error);
	g_assert_cmpmem(back->str, back->len, text, size_bytes);
}

static void test_ids(void)
{
	g_autoptr(WeftTokenizer) llama4 = open_golden("scout");
	g_autoptr(WeftTokenizer) gpt2 = open_golden("tokenizer/gpt2.tokenizer.json");
	g_autoptr(WeftJson) cases = open_cases();
	gsize n_special = 0;

	for (gsize i = 0; i < weft_json_length(cases); i++) {
		const WeftJson *item = weft_json_at(cases, i);
		const WeftJson *plain = weft_json_member(item, "llama4_ids");
		const WeftJson *special = weft_json_member(item, "special_ids");
		check_ids(llama4, item, FALSE, plain);
		check_ids(llama4, item, TRUE, special ? special : plain);
		check_ids(gpt2, item, FALSE, weft_json_member(item, "gpt2_ids"));
		n_special += special != NULL;
	}
	g_assert_cmpuint(n_special, >, 0);
}

/* Any bytes come back, also those that are not UTF-8; whatever stands in text, no special id. */
static void test_any_bytes(void)
{
	g_autoptr(WeftTokenizer) tokenizer = open_golden("scout");
	g_autoptr(GRand) random = g_rand_new_with_seed(11);

	for (int round = 0; round < 300; round++) {
		g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
		g_autoptr(GString) back = g_string_new(NULL);
		char bytes[64];
		gsize n = (gsize)g_rand_int_range(random, 0, sizeof bytes);
		for (gsize i = 0; i < n; i++)
			bytes[i] = (char)g_rand_int_range(random, 0, 256);
		weft_tokenizer_encode(tokenizer, bytes, n, FALSE, ids);
		for (guint i = 0; i < ids->len; i++)
			g_assert_false(weft_tokenizer_is_special(tokenizer,
								 g_array_index(ids, gint32, i)));
		g_assert_true(weft_tokenizer_decode(tokenizer, (const gint32 *)(gpointer)ids->data,
						    ids->len, FALSE, back, NULL));
		g_assert_cmpmem(back->str, back->len, bytes, n);
	}
}

static void test_long_word(void)
{
	g_autoptr(WeftTokenizer) tokenizer = open_golden("tokenizer/gpt2.tokenizer.json");
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autofree char *word = g_strnfill(1 << 20, 'e');
	gint64 begin_us = g_get_monotonic_time();

	weft_tokenizer_encode(tokenizer, word, 1 << 20, FALSE, ids);
	g_assert_cmpuint(ids->len, >, 0);
	/* A quadratic algorithm takes hours for this. */
	g_assert_cmpint(g_get_monotonic_time() - begin_us, <, 60 * G_USEC_PER_SEC);
}

static void test_tokens(void)
{
	g_autoptr(WeftTokenizer) tokenizer = open_golden("scout");
	g_autoptr(GString) text = g_string_new("kept");
	g_autoptr(GError) error = NULL;
	const gint32 wrong[] = {70, 100000}, eot[] = {70, 469, 70};
	gsize size_bytes = 0;

	g_assert_cmpuint(weft_tokenizer_size(tokenizer), ==, 480);
	g_assert_cmpint(weft_tokenizer_id(tokenizer, "<|eot|>"), ==, 469);
	g_assert_cmpint(weft_tokenizer_id(tokenizer, "<|eot|"), ==, -1);
	g_assert_cmpint(weft_tokenizer_id(tokenizer, "the"), ==, -1);
	g_assert_true(weft_tokenizer_is_special(tokenizer, 469));
	g_assert_false(weft_tokenizer_is_special(tokenizer, 70));
	g_assert_nonnull(weft_tokenizer_token(tokenizer, 469, &size_bytes));
	g_assert_cmpuint(size_bytes, ==, strlen("<|eot|>"));
	g_assert_null(weft_tokenizer_token(tokenizer, -1, &size_bytes));
	g_assert_null(weft_tokenizer_token(tokenizer, 480, &size_bytes));
	g_assert_false(weft_tokenizer_decode(tokenizer, wrong, 2, TRUE, text, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
	g_assert_nonnull(strstr(error->message, "100000"));
	g_assert_cmpstr(text->str, ==, "kept");
	g_assert_true(weft_tokenizer_decode(tokenizer, eot, 3, FALSE, text, NULL));
	g_assert_cmpstr(text->str, ==, "keptgg");
}

/* The ids of a rendered conversation: as HF encodes the text between the special tokens. */
static void test_template(void)
{
	g_autoptr(WeftTokenizer) tokenizer = open_golden("scout");
	g_autoptr(WeftTokenizer) gpt2 = open_golden("tokenizer/gpt2.tokenizer.json");
	g_autoptr(GArray) eos = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autoptr(WeftTemplate) template = weft_template_new(tokenizer, -1, eos, NULL);
	g_autoptr(WeftTemplate) plain = weft_template_new(gpt2, -1, NULL, NULL);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autoptr(GArray) whole = g_array_new(FALSE, FALSE, sizeof(gint32));
	static const char rendered[] =
		"<|begin_of_text|><|header_start|>system<|header_end|>\n\nBe brief.<|eot|>"
		"<|header_start|>user<|header_end|>\n\nHi<|eot|>"
		"<|header_start|>assistant<|header_end|>\n\n";
	gsize n_ends;

	weft_template_begin(template, ids);
	weft_template_open_turn(template, WEFT_TURN_SYSTEM, TRUE, "Be brief.", 9, ids);
	weft_template_close_turn(template, WEFT_TURN_SYSTEM, ids);
	weft_template_open_turn(template, WEFT_TURN_USER, FALSE, "Hi", 2, ids);
	weft_template_close_turn(template, WEFT_TURN_USER, ids);
	weft_template_open_turn(template, WEFT_TURN_ASSISTANT, FALSE, "", 0, ids);
	weft_tokenizer_encode(tokenizer, rendered, strlen(rendered), TRUE, whole);
	g_assert_cmpmem(ids->data, ids->len * 4, whole->data, whole->len * 4);
	g_assert_cmpstr(weft_template_family(template), ==, "llama4");
	(void)weft_template_end_ids(template, &n_ends);
	g_assert_cmpuint(n_ends, ==, 3); /* end_of_text, eom, eot */
	g_assert_true(weft_template_is_end(template, 469));
	g_assert_false(weft_template_is_end(template, 70));
	g_assert_cmpstr(weft_template_family(plain), ==, "plain");
	g_assert_null(weft_template_reason(plain));
}

/* A template that is none of ours is named, and not followed. */
static void test_unknown_template(void)
{
	static char chatml[] = "{{ '<|im_start|>' + message['role'] }}";
	static char llama3[] = "<|start_header_id|> <|end_header_id|> <|eot_id|>";
	static char source[] = "chat_template.jinja";
	g_autoptr(WeftTokenizer) tokenizer = open_golden("scout");
	char *const texts[] = {chatml, llama3};
	const char *const says[] = {"is none of", "has no <|start_header_id|>"};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		const WeftChat chat = {texts[i], source};
		g_autoptr(WeftTemplate) template =
			weft_template_new(tokenizer, -1, NULL, &chat);
		g_assert_cmpstr(weft_template_family(template), ==, "plain");
		g_assert_true(g_str_has_prefix(weft_template_reason(template), source));
		g_assert_nonnull(strstr(weft_template_reason(template), says[i]));
	}
}

/* A byte-level tokenizer.json, all bytes and one merge, with one part replaced. */
static char *small_json(const char *part, const char *text)
{
	const char *const parts[][2] = {
		{"pre", "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"},
		{"normalizer", "null"},
		{"vocab_more", ",\"ab\":256"},
		{"merges", "[\"a b\"]"},
		{"model_more", ""},
		{"added", "{\"id\":257,\"content\":\"<|x|>\",\"special\":true}"},
		{"behind", ""},
	};
	const char *value[G_N_ELEMENTS(parts)];
	g_autoptr(GString) vocab = g_string_new(NULL);
	guint32 next = 0x100;

	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
		value[i] = g_strcmp0(parts[i][0], part) == 0 ? text : parts[i][1];
	for (guint32 b = 0; b < 256; b++) {
		gboolean printable =
			(b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
		char character[7] = {0};
		g_unichar_to_utf8(printable ? b : next++, character);
		g_string_append_printf(vocab, "%s\"%s%s\":%u", b > 0 ? "," : "",
				       b == '"' || b == '\\' ? "\\" : "", character, b);
	}
	return g_strdup_printf(
		"{\"added_tokens\":[%s],\"normalizer\":%s,\"pre_tokenizer\":%s,\"model\":{\"type\":"
		"\"BPE\",\"merges\":%s%s,\"vocab\":{%s%s}}}%s",
		value[5], value[1], value[0], value[3], value[4], vocab->str, value[2], value[6]);
}

static void test_small(void)
{
	g_autofree char *json = small_json(NULL, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftTokenizer) tokenizer =
		weft_tokenizer_new("tokenizer.json", json, strlen(json), &error);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));

	g_assert_no_error(error);
	weft_tokenizer_encode(tokenizer, "abab<|x|>", 9, TRUE, ids);
	g_assert_cmpuint(ids->len, ==, 3);
	g_assert_cmpint(g_array_index(ids, gint32, 0), ==, 256);
	g_assert_cmpint(g_array_index(ids, gint32, 2), ==, 257);
}

static void encode_small(const char *part, const char *value, const char *text, GArray *ids)
{
	g_autofree char *json = small_json(part, value);
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftTokenizer) tokenizer =
		weft_tokenizer_new("tokenizer.json", json, strlen(json), &error);
	g_assert_no_error(error);
	g_array_set_size(ids, 0);
	weft_tokenizer_encode(tokenizer, text, strlen(text), TRUE, ids);
}

/* A piece that is a token but that no merge reaches: its own id only with ignore_merges. */
static void test_ignore_merges(void)
{
	static const char more[] = ",\"ab\":256,\"abc\":258},\"ignore_merges\":%s,\"x\":{";
	g_autofree char *with_merges = g_strdup_printf(more, "false");
	g_autofree char *without = g_strdup_printf(more, "true");
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));

	encode_small("vocab_more", with_merges, "abc", ids);
	g_assert_cmpuint(ids->len, ==, 2);
	g_assert_cmpint(g_array_index(ids, gint32, 0), ==, 256);
	encode_small("vocab_more", without, "abc", ids);
	g_assert_cmpuint(ids->len, ==, 1);
	g_assert_cmpint(g_array_index(ids, gint32, 0), ==, 258);
}

/* Of added tokens that begin alike the longest one that is there counts. */
static void test_longest_added(void)
{
	static const char added[] = "{\"id\":257,\"content\":\"<|x|>\"},"
				    "{\"id\":258,\"content\":\"<|x|>y\"},"
				    "{\"id\":259,\"content\":\"<|x|>yzz\"}";
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));

	encode_small("added", added, "<|x|>yz<|x|>", ids);
	g_assert_cmpuint(ids->len, ==, 3);
	g_assert_cmpint(g_array_index(ids, gint32, 0), ==, 258);
	g_assert_cmpint(g_array_index(ids, gint32, 1), ==, 'z');
	g_assert_cmpint(g_array_index(ids, gint32, 2), ==, 257);
}

static void test_refusals(void)
{
	static const char *const cases[][3] = {
	    {"pre",
	     "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":"
	     "\"[a-z]+\"},\"behavior\":\"Isolated\",\"invert\":false},{\"type\":\"ByteLevel\","
	     "\"use_regex\":false}]}",
	     "[a-z]+"},
	    {"pre", "{\"type\":\"Whitespace\"}", "pre_tokenizer"},
	    {"pre", "{\"type\":\"ByteLevel\",\"add_prefix_space\":true}", "add_prefix_space"},
	    {"pre", "null", "pre_tokenizer"},
	    {"normalizer", "{\"type\":\"NFC\"}", "normalizer"},
	    {"vocab_more", ",\"ab\":256,\"ab\":257", "already"},
	    {"vocab_more", ",\"ab\":255", "id 255"},
	    {"vocab_more", ",\"ab\":-1", "ab"},
	    {"vocab_more", ",\"ab\":99999999", "ab"},
	    {"vocab_more", ",\"ab\":\"256\"", "ab"},
	    {"vocab_more", "", "pair 0"},
	    {"merges", "[\"ab\"]", "no pair"},
	    {"merges", "[[\"a\",\"b\",\"c\"]]", "pairs"},
	    {"merges", "[[\"a\"]]", "pairs"},
	    {"merges", "{}", "list"},
	    {"model_more", ",\"byte_fallback\":true", "byte_fallback"},
	    {"model_more", ",\"dropout\":0.1", "dropout"},
	    {"model_more", ",\"end_of_word_suffix\":\"</w>\"", "end_of_word_suffix"},
	    {"added", "{\"id\":97,\"content\":\"<|x|>\"}", "id 97"},
	    {"added", "{\"id\":300,\"content\":\"\"}", "content"},
	    {"added", "{\"id\":300,\"content\":\"x\",\"lstrip\":true}", "lstrip"},
	    {"added", "{\"id\":300,\"content\":\"x\"},{\"id\":301,\"content\":\"x\"}", "twice"},
	    {"behind", "x", "byte"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *json = small_json(cases[i][0], cases[i][1]);
		g_autoptr(GError) error = NULL;
		g_autoptr(WeftTokenizer) tokenizer =
			weft_tokenizer_new("tokenizer.json", json, strlen(json), &error);
		g_assert_null(tokenizer);
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG);
		g_test_message("%s", error->message);
		g_assert_true(g_str_has_prefix(error->message, "tokenizer.json: "));
		g_assert_nonnull(strstr(error->message, cases[i][2]));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tokenizer/pieces", test_pieces);
	g_test_add_func("/tokenizer/ids", test_ids);
	g_test_add_func("/tokenizer/any-bytes", test_any_bytes);
	g_test_add_func("/tokenizer/long-word", test_long_word);
	g_test_add_func("/tokenizer/tokens", test_tokens);
	g_test_add_func("/tokenizer/template", test_template);
	g_test_add_func("/tokenizer/unknown-template", test_unknown_template);
	g_test_add_func("/tokenizer/small", test_small);
	g_test_add_func("/tokenizer/ignore-merges", test_ignore_merges);
	g_test_add_func("/tokenizer/longest-added", test_longest_added);
	g_test_add_func("/tokenizer/refusals", test_refusals);
	return g_test_run();
}
