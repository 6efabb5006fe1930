#include <string.h>

#include "base/error.h"
#include "tests/model/judge.h"
#include "samples.h"
#include "schema/decline.h"
#include "schema/mask.h"

/* All bytes, what JSON is made of in pieces, and random words of its letters. */
static GArray *vocabulary_words(guint n_random)
{
	static const char *const pieces[] = {
		"\":", "\":\"", "\",\"", "\"}", "\"]", "}}", "]]", "]}", "},{", "[\"", "{\"", "null",
		"true", "false", ",\"", "aa", "ab", "abc", "\"a", "\"ab\"", "ab\":", "12", "123", "1,",
		"1]", "12,\"", "\\u00", "\\n", "\\\"", "\xc3\xa9", "\xc3\xa9\xc3\xa9", "\xe6\x97\xa5",
		"\xe6", "\x97\xa5", "\xa5\"", "\xf0\x9f", "\x98\x80", "  ", "a b", "null,", "null}",
		"{\"k\":[1,2]}", "[[[", "]]]", "1,1,1", "ab\",\"", "\",\"a\":", "\":1,\"a",
		"\":null,\"", "\"\"", "{\"\":", "-5", "0.5", "1.25", "]]]]]]", "}}}}", "\n", "ab",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "2024-", "-02-29", "AB-1", "a end\"",
		/* noncharacters, and what becomes one or not */
		"\xef\xbf\xbf", "\xf4\x8f\xbf\xbe", "a\xef\xb7\x90", "\xef\xbf\xbd", "\xef\xbf", "\xef\xb7",
		"\xbf\xbf", "\xbe\"", "\x90", "\xb0\"", "\xf0\x9f\xbf", "\xbf\xbd\"", "\xbf\xbf\"",
		"null:", ":absent", ":a", "null:not_examined", "un", "readable}", "examined,\"", "absent]",
	};
	static const char letters[] = "ab\"\\,:{}[]019-.nutlre \xc3\xa9xZ\xef\xbf";
	GArray *words = g_array_new(FALSE, TRUE, sizeof(WeftWord));
	g_autoptr(GRand) dice = g_rand_new_with_seed(5);
	for (int byte = 0; byte < 256; byte++) {
		char *bytes = g_malloc(1);
		bytes[0] = (char)byte;
		WeftWord word = {bytes, 1};
		g_array_append_val(words, word);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
		WeftWord word = {g_strdup(pieces[i]), (guint32)strlen(pieces[i])};
		g_array_append_val(words, word);
	}
	WeftWord special = {NULL, 0}, huge = {g_strnfill(300, 'a'), 300};
	g_array_append_val(words, special);
	g_array_append_val(words, huge);
	for (guint i = 0; i < n_random; i++) {
		guint32 n = (guint32)g_rand_int_range(dice, 2, 7);
		char *bytes = g_malloc(n);
		for (guint32 j = 0; j < n; j++)
			bytes[j] = letters[g_rand_int_range(dice, 0, sizeof(letters) - 1)];
		WeftWord word = {bytes, n};
		g_array_append_val(words, word);
	}
	return words;
}

static void words_free(GArray *words)
{
	for (guint i = 0; i < words->len; i++)
		g_free((gpointer)g_array_index(words, WeftWord, i).bytes);
	g_array_unref(words);
}

typedef struct Setup {
	GArray *words;
	WeftVocabulary *vocabulary;
	WeftMasks *kept, *made; /* with and without a cache */
} Setup;

static void setup_open(Setup *setup, gconstpointer n_random)
{
	GError *error = NULL;
	setup->words = vocabulary_words(GPOINTER_TO_UINT(n_random));
	setup->vocabulary = weft_vocabulary_new((const WeftWord *)(const void *)setup->words->data,
						setup->words->len, &error);
	g_assert_no_error(error);
	setup->kept = weft_masks_new(setup->vocabulary, 1 << 18);
	setup->made = weft_masks_new(setup->vocabulary, 0);
}

static void setup_close(Setup *setup, gconstpointer n_random)
{
	weft_masks_free(setup->kept);
	weft_masks_free(setup->made);
	weft_vocabulary_free(setup->vocabulary);
	words_free(setup->words);
}

static const WeftWord *word_at(const Setup *setup, guint id)
{
	return &g_array_index(setup->words, WeftWord, id);
}

/* Token by token. */
static gboolean is_allowed(const Setup *setup, const WeftConstraint *now, guint id, gsize limit)
{
	const WeftWord *word = word_at(setup, id);
	gsize close;
	return word->size_bytes > 0 && word->size_bytes <= WEFT_WORD_BYTES_MAX &&
	       weft_constraint_allows(now, word->bytes, word->size_bytes, &close) && close < limit;
}

static WeftSchema *schema_of(const char *text, gboolean is_verbatim, gboolean declines)
{
	GError *error = NULL;
	const WeftSchemaOptions options = {.is_verbatim = is_verbatim, .declines = declines};
	WeftSchema *schema = weft_schema_new(text, strlen(text), &options, &error);
	g_assert_no_error(error);
	return schema;
}

static void check_masks(const Setup *setup, const WeftConstraint *now, gsize n_left)
{
	for (int round = 0; round < 4; round++) {
		gsize limit = round < 2 ? G_MAXSIZE : n_left;
		WeftMask mask =
			weft_masks_find(round % 2 == 0 ? setup->kept : setup->made, now, limit);
		for (gsize i = 1; i < mask.n_ids; i++)
			g_assert_cmpint(mask.ids[i], >, mask.ids[i - 1]);
		for (gsize i = 0; mask.bits && i < mask.n_ids; i++)
			g_assert_false(mask.bits[mask.ids[i] / 64] >> (mask.ids[i] % 64) & 1);
		for (guint id = 0; id < setup->words->len; id++)
			g_assert_cmpint(weft_mask_has(&mask, (gint32)id), ==,
					is_allowed(setup, now, id, limit));
	}
}

/* Writes a document of random tokens under the mask, and looks at some of its masks. Gives how many of its
 * nulls have a reason. */
static guint type_tokens(Setup *setup, const WeftSchema *schema, const char *text,
			WeftVerbatim *verbatim, gsize extra, GRand *dice)
{
	g_autoptr(WeftLevels) levels = weft_levels_new();
	g_autofree gint32 *ids = g_new(gint32, setup->words->len);
	g_autoptr(GString) written = g_string_new(NULL);
	WeftConstraint now;
	gsize n_left = weft_schema_min_bytes(schema) + extra;
	weft_constraint_init(&now, schema, levels, verbatim, weft_masks_text_key(setup->kept));
	while (!weft_constraint_is_closed(&now)) {
		gint32 n = 0;
		gboolean is_complete = weft_constraint_is_complete(&now);
		if (g_rand_int_range(dice, 0, 4) == 0 || n_left < 4)
			check_masks(setup, &now, n_left);
		WeftMask mask = weft_masks_find(setup->kept, &now, n_left);
		for (guint id = 0; id < setup->words->len; id++)
			if (weft_mask_has(&mask, (gint32)id))
				ids[n++] = (gint32)id;
		if (is_complete && (n == 0 || g_rand_int_range(dice, 0, 3) == 0))
			break;
		g_assert_cmpint(n, >, 0);
		const WeftWord *word = NULL;
		for (int try = 0; try < 3 && !(word && strchr("\"]}", word->bytes[0])); try++)
			word = word_at(setup, (guint)ids[g_rand_int_range(dice, 0, n)]);
		for (guint32 i = 0; i < word->size_bytes; i++)
			g_assert_true(weft_constraint_advance(&now, (guint8)word->bytes[i]));
		g_string_append_len(written, word->bytes, word->size_bytes);
		g_assert_cmpuint(n_left--, >, 0);
	}
	g_autoptr(GArray) declined = g_array_new(FALSE, FALSE, sizeof(WeftDeclined));
	weft_decline_take_out(written, declined);
	g_autofree char *wrong = judge(text, written->str);
	for (const char *p = written->str; *p; p = g_utf8_next_char(p)) /* U+FDD0 to U+FDEF, U+xFFFE, U+xFFFF */
		g_assert_false((g_utf8_get_char(p) >= 0xfdd0 && g_utf8_get_char(p) <= 0xfdef) ||
			       g_utf8_get_char(p) % 0x10000 >= 0xfffe);
	if (wrong)
		g_test_message("%s", written->str);
	g_assert_cmpstr(wrong, ==, NULL);
	return declined->len;
}

static void test_brute_force(Setup *setup, gconstpointer n_random)
{
	g_autoptr(GRand) dice = g_rand_new_with_seed(3);
	for (gsize i = 0; i < G_N_ELEMENTS(samples); i++) {
		g_autoptr(WeftSchema) schema = schema_of(samples[i], FALSE, FALSE);
		for (gsize extra = 0; extra < 60; extra += 12)
			g_assert_cmpuint(type_tokens(setup, schema, samples[i], NULL, extra, dice), ==,
					 0);
	}
}

/* The same, where nulls may say why: what is left without the reasons are instances. */
static void test_declines(Setup *setup, gconstpointer n_random)
{
	static const char *const nullable[] = {
		"{\"type\":[\"string\",\"null\"],\"maxLength\":2}",
		"{\"type\":\"array\",\"items\":{\"enum\":[null,1,12]},\"minItems\":3,\"maxItems\":9}",
		"{\"type\":\"array\",\"items\":{\"enum\":[null,1,12]},\"uniqueItems\":true,"
		"\"minItems\":3}",
		"{\"type\":\"object\",\"required\":[\"a\",\"n\"],\"properties\":{\"a\":{\"$ref\":"
		"\"#/$defs/d\"},\"n\":{\"type\":\"null\"},\"b\":{\"anyOf\":[{\"$ref\":\"#/$defs/d\"},"
		"{\"const\":\"null\"}]}},\"$defs\":{\"d\":{\"type\":[\"integer\",\"null\"]}}}",
		"{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"boolean\",\"null\"]},"
		"\"minProperties\":2,\"maxProperties\":4}",
	};
	g_autoptr(GRand) dice = g_rand_new_with_seed(6);
	guint n = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(samples) + G_N_ELEMENTS(nullable); i++) {
		const char *text = i < G_N_ELEMENTS(samples) ? samples[i]
							     : nullable[i - G_N_ELEMENTS(samples)];
		g_autoptr(WeftSchema) schema = schema_of(text, FALSE, TRUE);
		for (gsize extra = 0; extra < 60; extra += i < G_N_ELEMENTS(samples) ? 12 : 2)
			n += type_tokens(setup, schema, text, NULL, extra, dice);
	}
	g_assert_cmpuint(n, >, 40);
}

/* Strings that stand in one text or another, with one cache for both. */
static void test_verbatim(Setup *setup, gconstpointer n_random)
{
	static const char *const texts[] = {
		"aa ab\xef\xbf\xbf abc \"a\\ ab\" 2024-02-29 AB-1 \xc3\xa9 a end -5 0.5 1.25 12 123", "b aa \xe6\x97\xa5 12 123 null", "",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa a a a",
	};
	static const char *const schemas[] = {
		"{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"maxItems\":5}",
		"{\"type\":\"object\",\"required\":[\"a\",\"b\"],\"properties\":{\"a\":{\"type\":[\"string\",\"null\"],"
		"\"minLength\":2,\"maxLength\":9},\"b\":{\"type\":[\"string\",\"null\"],\"pattern\":\"^a\","
		"\"x-weft-verbatim\":true}}}",
		"{\"type\":\"array\",\"maxItems\":4,\"items\":{\"type\":[\"number\",\"null\"],\"x-weft-verbatim\":true}}",
		"{\"type\":[\"string\",\"null\"],\"format\":\"date\",\"x-weft-verbatim\":true}",
		"{\"type\":[\"integer\",\"null\"],\"x-weft-verbatim\":true}",
	};
	g_autoptr(GRand) dice = g_rand_new_with_seed(4);
	WeftSchema *read[G_N_ELEMENTS(schemas)]; /* they outlive the indexes */
	for (gsize k = 0; k < G_N_ELEMENTS(schemas); k++)
		read[k] = schema_of(schemas[k], TRUE, k % 2 == 1);
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(WeftRunningText) text = weft_running_text_new();
		weft_running_text_add(text, texts[i], strlen(texts[i]), 0, 0, FALSE);
		g_autoptr(WeftVerbatim) verbatim = weft_verbatim_new(text);
		for (gsize extra = 0; extra < 60; extra += 6)
			for (gsize k = 0; k < G_N_ELEMENTS(schemas); k++)
				type_tokens(setup, read[k], schemas[k], verbatim, extra, dice);
	}
	for (gsize k = 0; k < G_N_ELEMENTS(schemas); k++)
		weft_schema_free(read[k]);
}

static void test_spans(Setup *setup, gconstpointer n_random)
{
	GError *error = NULL;
	const char *text = "{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[\"xyz\",\"ab\"]}},"
			   "\"required\":[\"a\"]}";
	g_autoptr(WeftSchema) schema = weft_schema_new(text, strlen(text), NULL, &error);
	g_assert_no_error(error);
	g_autoptr(WeftLevels) levels = weft_levels_new();
	WeftConstraint behind;
	weft_constraint_init(&behind, schema, levels, NULL, 0);
	for (const char *p = "{\"a\":\""; *p; p++)
		g_assert_true(weft_constraint_advance(&behind, (guint8)*p));
	/* There is a token "ab", with quotes; there is none that begins with ":"a or ":"x. */
	g_assert_true(weft_masks_spans(setup->kept, &behind, "\"", 1));
	g_assert_false(weft_masks_spans(setup->kept, &behind, ":\"", 2));
	g_assert_false(weft_masks_spans(setup->kept, &behind, "qq", 2));
}

static void test_too_many(void)
{
	GError *error = NULL;
	g_assert_null(weft_vocabulary_new(NULL, 1u << 24, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
	g_clear_error(&error);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/mask/bytes-and-pieces", Setup, GUINT_TO_POINTER(0), setup_open,
		   test_brute_force, setup_close);
	g_test_add("/mask/many-ids", Setup, GUINT_TO_POINTER(6000), setup_open, test_brute_force,
		   setup_close);
	g_test_add("/mask/declines", Setup, GUINT_TO_POINTER(0), setup_open, test_declines,
		   setup_close);
	g_test_add("/mask/verbatim", Setup, GUINT_TO_POINTER(2000), setup_open, test_verbatim,
		   setup_close);
	g_test_add("/mask/spans", Setup, GUINT_TO_POINTER(0), setup_open, test_spans, setup_close);
	g_test_add_func("/mask/too-many", test_too_many);
	return g_test_run();
}
