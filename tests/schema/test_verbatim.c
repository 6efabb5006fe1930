#include "schema/verbatim.h"

#include <string.h>

#include "schema/lexeme.h"

static const WeftSpansRule any = { .n_chars_max = G_MAXSIZE };

static WeftRunningText *text_of(const char *const *pieces, gsize n_pieces)
{
	WeftRunningText *text = weft_running_text_new();

	for (gsize i = 0; i < n_pieces; i++)
		weft_running_text_add(text, pieces[i], strlen(pieces[i]), (guint32)i, 0, FALSE);
	return text;
}

static char *spelled(const char *text, gsize size_bytes)
{
	GString *json = g_string_new(NULL);

	for (gsize i = 0; i < size_bytes; i++) {
		if (text[i] == '"' || text[i] == '\\')
			g_string_append_c(json, '\\');
		g_string_append_c(json, text[i]);
	}
	return g_string_free(json, FALSE);
}

static gboolean takes(const WeftSpansRule *rule, const char *text, gsize size_bytes)
{
	return !rule->lexeme || weft_lexeme_contains(rule->lexeme, text, size_bytes);
}

/* All values, told from the text without an index. */
static GHashTable *values_of(const WeftRunningText *text, const WeftSpansRule *rule)
{
	GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	gsize size;
	const char *bytes = weft_running_text_bytes(text, &size);

	if (rule->allows_empty && rule->n_chars_min == 0 && takes(rule, "", 0))
		g_hash_table_add(values, g_strdup(""));
	for (gsize i = 0; i < size; i++) {
		gsize n_chars = 0;
		if (!(weft_running_text_marks(text, i) & WEFT_TEXT_BEGINS))
			continue;
		for (gsize k = i; k < size && bytes[k]; k++) {
			n_chars += ((guint8)bytes[k + 1] & 0xc0) != 0x80;
			if ((weft_running_text_marks(text, k + 1) & WEFT_TEXT_ENDS) &&
			    n_chars >= rule->n_chars_min && n_chars <= rule->n_chars_max &&
			    takes(rule, bytes + i, k + 1 - i))
				g_hash_table_add(values, spelled(bytes + i, k + 1 - i));
		}
	}
	return values;
}

/* The fewest bytes behind `prefix` to a value; G_MAXSIZE: none goes on that way. */
static gsize fewest(GHashTable *values, const char *prefix)
{
	GHashTableIter iter;
	gpointer value;
	gsize least = G_MAXSIZE, size = strlen(prefix);

	g_hash_table_iter_init(&iter, values);
	while (g_hash_table_iter_next(&iter, &value, NULL))
		if (g_str_has_prefix(value, prefix))
			least = MIN(least, strlen(value) - size);
	return least;
}

/* One walk at random along allowed bytes; every state is compared with the list of values. */
static void assert_walk(const WeftSpans *spans, GHashTable *values)
{
	g_autoptr(GString) prefix = g_string_new(NULL);
	WeftSpansState state, next;

	g_assert_cmpint(weft_spans_begin(spans, &state), ==, g_hash_table_size(values) > 0);
	if (g_hash_table_size(values) == 0)
		return;
	for (;;) {
		guint8 allowed[256];
		guint n_allowed = 0;
		int listed = -1;

		g_assert_cmpint(weft_spans_accepts(spans, &state), ==,
				g_hash_table_contains(values, prefix->str));
		g_assert_cmpuint(weft_spans_close_bytes(spans, &state), ==,
				 fewest(values, prefix->str));
		for (int byte = 0; byte < 256; byte++) {
			next = state;
			gboolean is_taken = weft_spans_step(spans, &next, (guint8)byte);
			g_string_append_c(prefix, (char)byte);
			g_assert_cmpint(is_taken, ==,
					byte > 0 && fewest(values, prefix->str) != G_MAXSIZE);
			g_string_truncate(prefix, prefix->len - 1);
			if (!is_taken) {
				g_assert_cmpmem(&next, sizeof next, &state, sizeof state);
				continue;
			}
			allowed[n_allowed++] = (guint8)byte;
			listed = weft_spans_byte_at(spans, &state, listed + 1);
			g_assert_cmpint(listed, ==, byte);
		}
		g_assert_cmpint(weft_spans_byte_at(spans, &state, listed + 1), ==, -1);
		if (n_allowed == 0)
			return;
		guint8 byte = allowed[g_test_rand_int_range(0, (gint32)n_allowed)];
		g_assert_true(weft_spans_step(spans, &state, byte));
		g_string_append_c(prefix, (char)byte);
	}
}

static void assert_text(const WeftRunningText *text, const WeftSpansRule *rule, int n_walks)
{
	g_autoptr(WeftVerbatim) verbatim = weft_verbatim_new(text);
	g_autoptr(GHashTable) values = values_of(text, rule);
	const WeftSpans *spans = weft_verbatim_spans(verbatim, rule);

	g_assert_true(weft_verbatim_spans(verbatim, rule) == spans);
	for (int i = 0; i < n_walks; i++)
		assert_walk(spans, values);
}

static void test_document(void)
{
	static const char *const pieces[] = {
		"Rechnung Nr. RE-2024-00173 vom 12. M\xc3\xa4rz", "He said \"no\\yes\" \xe2\x80\x94 twice",
		"\xe6\x9d\xb1\xe4\xba\xac 12", "Rechnung Nr. 7", "br\xef\xbf\xbfken \xf0\x9f\xbf\xbe",
	};
	static const WeftSpansRule rules[] = {
		{ 0, G_MAXSIZE, NULL, FALSE }, { 0, G_MAXSIZE, NULL, TRUE }, { 1, 4, NULL, TRUE },
		{ 12, 14, NULL, FALSE },       { 5, 5, NULL, FALSE },	     { 300, 400, NULL, FALSE },
		{ 0, 0, NULL, TRUE },	       { 0, 0, NULL, FALSE },
	};
	g_autoptr(WeftRunningText) text = text_of(pieces, G_N_ELEMENTS(pieces));

	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
		assert_text(text, &rules[i], 10);
}

static void test_empty(void)
{
	g_autoptr(WeftRunningText) text = weft_running_text_new();
	WeftSpansRule rule = any;

	assert_text(text, &rule, 1);
	rule.allows_empty = TRUE;
	assert_text(text, &rule, 1);
}

/* Few letters, so that text repeats itself; quotes, bars and characters of several bytes. */
static void test_random(void)
{
	static const char *const letters[] = { "a", "a", "b", " ", " ", "\"", "\\", ".", "1",
					       "\xc3\xa9", "\xe6\x9d\xb1", "|" };

	for (int round = 0; round < 60; round++) {
		g_autoptr(GString) all = g_string_new(NULL);
		int n = g_test_rand_int_range(0, 60);
		for (int i = 0; i < n; i++)
			g_string_append(all, letters[g_test_rand_int_range(0, G_N_ELEMENTS(letters))]);
		g_auto(GStrv) pieces = g_strsplit(all->str, "|", -1);
		g_autoptr(WeftRunningText) text =
			text_of((const char *const *)pieces, g_strv_length(pieces));
		WeftSpansRule rule = { (gsize)g_test_rand_int_range(0, 4), G_MAXSIZE, NULL,
				       g_test_rand_int_range(0, 2) };
		if (g_test_rand_int_range(0, 2))
			rule.n_chars_max = rule.n_chars_min + (gsize)g_test_rand_int_range(0, 6);
		assert_text(text, &rule, 3);
	}
}

static WeftLexeme *lexeme_of(WeftLexemeKind kind, const char *text, guint32 n_max)
{
	WeftLexemePart part = { .kind = kind, .text = text };
	WeftLexemeSpec spec = { &part, 1, 0, n_max };
	g_autoptr(WeftLexemeMaker) maker = weft_lexeme_maker_new();
	WeftLexeme *lexeme = weft_lexeme_new(maker, &spec, NULL);

	g_assert_nonnull(lexeme);
	return lexeme;
}

static void test_lexemes(void)
{
	static const char *const pieces[] = {
		"from a.b@example.org and 2024-03-12 or 2024-02-30", "RE-2024-00173: \"x\" \\ AB12",
		"aaaa aaaa aaaaa aaaaa aaaaaa", "",
	};
	static const struct {
		WeftLexemeKind kind;
		const char *text;
	} parts[] = {
		{ WEFT_LEXEME_PATTERN, "^[A-Z]{2}-[0-9]{4}-[0-9]+$" }, { WEFT_LEXEME_PATTERN, "^[A-Z]{2}" },
		{ WEFT_LEXEME_PATTERN, "\"" },		       { WEFT_LEXEME_PATTERN, "^(aaaa ){2}" },
		{ WEFT_LEXEME_PATTERN, "a$" },			       { WEFT_LEXEME_FORMAT, "date" },
		{ WEFT_LEXEME_FORMAT, "email" },			       { WEFT_LEXEME_PATTERN, "nowhere" },
	};
	g_autoptr(WeftRunningText) text = text_of(pieces, G_N_ELEMENTS(pieces));

	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		g_autoptr(WeftLexeme) lexeme = lexeme_of(parts[i].kind, parts[i].text, 20);
		const WeftSpansRule rule = { 0, G_MAXSIZE, lexeme, i % 2 };

		assert_text(text, &rule, 10);
	}
}

/* Values beyond what is known of near ends and beyond what is sorted: some are left out, but each state
 * has a way to the end that is as short as it says, and what it ends in is a value. */
static void test_long(void)
{
	g_autoptr(GString) all = g_string_new(NULL);

	for (int i = 0; i < 12; i++)
		g_string_append(all, i % 5 == 4 ? "|ba " : "abab ababababababababababababababababab"
							   "ababababababababababababababababab\xc3\xa9 ");
	g_auto(GStrv) pieces = g_strsplit(all->str, "|", -1);
	g_autoptr(WeftRunningText) text = text_of((const char *const *)pieces, g_strv_length(pieces));
	for (int round = 0; round < 40; round++) {
		WeftSpansRule rule = { (gsize)g_test_rand_int_range(0, 300), G_MAXSIZE, NULL, FALSE };
		if (round % 2)
			rule.n_chars_max = rule.n_chars_min + 40;
		g_autoptr(WeftVerbatim) verbatim = weft_verbatim_new(text);
		g_autoptr(GHashTable) values = values_of(text, &rule);
		const WeftSpans *spans = weft_verbatim_spans(verbatim, &rule);
		g_autoptr(GString) prefix = g_string_new(NULL);
		WeftSpansState state;
		int n_free = g_test_rand_int_range(0, 400);

		if (!weft_spans_begin(spans, &state))
			continue;
		for (gsize left; (left = weft_spans_close_bytes(spans, &state)) > 0 || n_free > 0;) {
			int best = -1;
			for (int byte = -1; (byte = weft_spans_byte_at(spans, &state, byte + 1)) >= 0;) {
				WeftSpansState next = state;
				g_assert_true(weft_spans_step(spans, &next, (guint8)byte));
				if (best < 0 || weft_spans_close_bytes(spans, &next) < left)
					best = byte;
				if (n_free > 0 && g_test_rand_int_range(0, 2))
					break;
			}
			if (best < 0)
				break; /* nothing follows, so it is a value */
			WeftSpansState next = state;
			g_assert_true(weft_spans_step(spans, &next, (guint8)best));
			if (n_free-- <= 0)
				g_assert_cmpuint(weft_spans_close_bytes(spans, &next), <, left);
			state = next;
			g_string_append_c(prefix, (char)best);
			g_assert_cmpuint(fewest(values, prefix->str), !=, G_MAXSIZE);
		}
		g_assert_true(weft_spans_accepts(spans, &state));
		g_assert_true(g_hash_table_contains(values, prefix->str));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/verbatim/document", test_document);
	g_test_add_func("/verbatim/empty", test_empty);
	g_test_add_func("/verbatim/random", test_random);
	g_test_add_func("/verbatim/lexemes", test_lexemes);
	g_test_add_func("/verbatim/long", test_long);
	return g_test_run();
}
