#include <string.h>

#include "base/error.h"
#include "schema/lexeme.h"

/* What Python's re says of random patterns is in lexeme_brute.py; here is what has no such judge. */

static WeftLexeme *of(const char *pattern, guint32 length_min, guint32 length_max, GError **error)
{
	g_autoptr(WeftLexemeMaker) maker = weft_lexeme_maker_new();
	WeftLexemePart part = {.kind = WEFT_LEXEME_PATTERN, .text = pattern};
	WeftLexemeSpec spec = {.parts = &part,
			       .n_parts = 1,
			       .length_min = length_min,
			       .length_max = length_max};
	return weft_lexeme_new(maker, &spec, error);
}

static gboolean has(const char *pattern, const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftLexeme) lexeme = of(pattern, 0, WEFT_LEXEME_UNLIMITED, &error);
	g_assert_no_error(error);
	return weft_lexeme_contains(lexeme, text, strlen(text));
}

/* Where the bytes lead; id WEFT_LEXEME_DEAD when one is not allowed. */
static WeftLexemeState after(const WeftLexeme *lexeme, const char *bytes)
{
	WeftLexemeState state = weft_lexeme_begin(lexeme);
	for (; *bytes && state.id != WEFT_LEXEME_DEAD; bytes++)
		state = weft_lexeme_step(lexeme, state, (guint8)*bytes);
	return state;
}

/* In the words of ECMA-262, chapter "Patterns". */
static void test_meaning(void)
{
	static const struct {
		const char *pattern, *text;
		gboolean is_in;
	} cases[] = {
		{"b", "abc", TRUE},
		{"", "anything", TRUE},
		{"^$", "", TRUE},
		{"^$", "\n", FALSE},
		{"^a|b$", "axx", TRUE},
		{"^a|b$", "xxb", TRUE},
		{"^a|b$", "xax", FALSE},
		{"a^b", "ab", FALSE},
		{"(?:^|,)x(?:,|$)", "a,x", TRUE},
		{"(?:^|,)x(?:,|$)", "ax", FALSE},
		{"^(?<year>\\d{4})$", "2024", TRUE},
		{"^\\d$", "\xd9\xa3", FALSE},          /* ARABIC-INDIC DIGIT THREE */
		{"^\\D$", "\xd9\xa3", FALSE},          /* ... is no digit in ASCII only */
		{"^\\D$", "x", TRUE},
		{"^\\w$", "\xc3\xa9", FALSE},
		{"^.$", "\xf0\x9f\x98\x80", TRUE},     /* one character, two UTF-16 units */
		{"^.$", "\r", FALSE},
		{"^[\\s\\S]$", "\r", TRUE},
		{"^\\u{1F600}$", "\xf0\x9f\x98\x80", TRUE},
		{"^\\uD83D\\uDE00$", "\xf0\x9f\x98\x80", TRUE},
		{"^[\\uD83D\\uDE00-\\u{1F60F}]$", "\xf0\x9f\x98\x81", TRUE},
		{"^\\cJ$", "\n", TRUE},
		{"^\\x41\\t\\/\\-$", "A\t/-", TRUE},
		{"^[\\b]$", "\b", TRUE},
		{"^[a-c-]$", "-", TRUE},
		{"^[^^]$", "^", FALSE},
		{"^\\p{Lu}\\p{Ll}+$", "\xc3\x84pfel", TRUE},
		{"^\\p{Lu}\\p{Ll}+$", "apfel", FALSE},
		{"^\\p{Letter}+$", "\xe6\x97\xa5\xe6\x9c\xac", TRUE},
		{"^\\p{Script=Greek}+$", "\xce\xb1\xce\xb2", TRUE},
		{"^\\p{sc=Grek}+$", "ab", FALSE},
		{"^\\P{L}$", "1", TRUE},
		{"^\\P{L}$", "\xcd\xb8", FALSE},       /* U+0378, not assigned: may become a letter */
		{"\\bcat\\b", "a cat.", TRUE},
		{"\\bcat\\b", "concatenate", FALSE},
		{"\\bcat", "\xc3\xa9" "cat", FALSE},   /* a boundary in ASCII only */
		{"^(?=.*\\d)(?=.*[A-Z]).{4,8}$", "abC1", TRUE},
		{"^(?=.*\\d)(?=.*[A-Z]).{4,8}$", "abc1", FALSE},
		{"^(?!tag$|category$)\\w+$", "tags", TRUE},
		{"^(?!tag$|category$)\\w+$", "tag", FALSE},
		{"^(?!\\d)", "\xd9\xa3", FALSE},    /* a digit for some */
		{"^(?=\\D)", "\xd9\xa3", FALSE},
		{"^(?!.*\\bx)", "\xc3\xa9x", FALSE},   /* a boundary for some */
		{"a\\B\xc3\xa9", "a\xc3\xa9", FALSE},    /* none for some */
		{"\xc3\xa9\\B\xc3\xa9", "\xc3\xa9\xc3\xa9", TRUE},
		{"^\\s$", "\xc2\xa0", TRUE},
		{"^\\s$", "\xef\xbb\xbf", FALSE},     /* no space for Python */
		{"^\\S$", "\xef\xbb\xbf", FALSE},     /* one for ECMA-262 */
		{"^a{0}$", "", TRUE},
		{"^(a*)*$", "aaa", TRUE},
		{"^(|a){3}$", "aa", TRUE},
		{"^a{2,}?$", "a", FALSE},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("%s on %s", cases[i].pattern, cases[i].text);
		g_assert_cmpint(has(cases[i].pattern, cases[i].text), ==, cases[i].is_in);
	}
}

/* U+0663 is a digit for some: so it is outside of "^\\d$" only where the pattern is read strictly. */
static void test_not(void)
{
	static const gboolean want[2][2] = {{FALSE, TRUE}, {TRUE, FALSE}}; /* [loose][not] */
	for (guint i = 0; i < 4; i++) {
		WeftLexemePart part = {.kind = WEFT_LEXEME_PATTERN,
				       .text = "^\\d$",
				       .is_loose = i / 2,
				       .is_not = i % 2};
		WeftLexemeSpec spec = {.parts = &part, .n_parts = 1, .length_max = WEFT_LEXEME_UNLIMITED};
		g_autoptr(WeftLexemeMaker) maker = weft_lexeme_maker_new();
		g_autoptr(WeftLexeme) lexeme = weft_lexeme_new(maker, &spec, NULL);
		g_assert_cmpint(weft_lexeme_contains(lexeme, "\xd9\xa3", 2), ==, want[i / 2][i % 2]);
		g_assert_cmpint(weft_lexeme_contains(lexeme, "7", 1), ==, !part.is_not);
		g_assert_cmpint(weft_lexeme_contains(lexeme, "x", 1), ==, part.is_not);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *pattern, *words;
		int code;
	} cases[] = {
		{"^a(?=.*a)b", "character 3: look-ahead", WEFT_ERROR_SCHEMA},
		{"^((?!a).)*$", "character 3: look-ahead", WEFT_ERROR_SCHEMA},
		{"^(?=a)b|c", "character 8: the look-ahead belongs", WEFT_ERROR_SCHEMA},
		{"a|^(?=a)b", "look-ahead", WEFT_ERROR_SCHEMA},
		{"^(?=a(?=b))b", "character 6: look-ahead", WEFT_ERROR_SCHEMA},
		{"^(?=a)*b", "nothing stands before", WEFT_ERROR_SCHEMA},
		{"^(?=a", "not closed", WEFT_ERROR_SCHEMA},
		{"(?!a)b", "look-ahead", WEFT_ERROR_SCHEMA},
		{"(?<=a)b", "look-behind", WEFT_ERROR_SCHEMA},
		{"(?<!a)b", "look-behind", WEFT_ERROR_SCHEMA},
		{"(a)\\1", "character 4: back-references", WEFT_ERROR_SCHEMA},
		{"(?<n>a)\\k<n>", "back-references", WEFT_ERROR_SCHEMA},
		{"(?i)a", "flags", WEFT_ERROR_SCHEMA},
		{"(?P<n>a)", "(?<name>", WEFT_ERROR_SCHEMA},
		{"\\Aa\\Z", "\\A is not an escape", WEFT_ERROR_SCHEMA},
		{"[]a]", "without members", WEFT_ERROR_SCHEMA},
		{"[^]", "without members", WEFT_ERROR_SCHEMA},
		{"[b-a]", "ends before it begins", WEFT_ERROR_SCHEMA},
		{"[\\w-a]", "both ends", WEFT_ERROR_SCHEMA},
		{"[a", "not closed", WEFT_ERROR_SCHEMA},
		{"(a", "not closed", WEFT_ERROR_SCHEMA},
		{"a)", "without its (", WEFT_ERROR_SCHEMA},
		{"a{,3}", "{0,m}", WEFT_ERROR_SCHEMA},
		{"a{3,2}", "n <= m", WEFT_ERROR_SCHEMA},
		{"*a", "nothing stands before", WEFT_ERROR_SCHEMA},
		{"a++", "nothing stands before", WEFT_ERROR_SCHEMA},
		{"^*", "can't be repeated", WEFT_ERROR_SCHEMA},
		{"\\u12", "four", WEFT_ERROR_SCHEMA},
		{"\\u{110000}", "not a character", WEFT_ERROR_SCHEMA},
		{"\\p{Klingon}", "Klingon", WEFT_ERROR_SCHEMA},
		{"a\\", "at the end", WEFT_ERROR_SCHEMA},
		{"\xc3\xa4\\1", "character 2: ", WEFT_ERROR_SCHEMA},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(of(cases[i].pattern, 0, WEFT_LEXEME_UNLIMITED, &error));
		g_assert_error(error, WEFT_ERROR, cases[i].code);
		g_test_message("%s: %s", cases[i].pattern, error->message);
		g_assert_nonnull(strstr(error->message, cases[i].words));
	}
}

/* Each of them ends soon, in a lexeme or an error; the test's time limit says so. */
static void test_bombs(void)
{
	static const char *const bombs[] = {"^(a|b)*a(a|b){30}$",
					    "((((((a{99}){99}){99}){99}){99}){99}){99}",
					    "(a?){30000}b",
					    "(((a*)*)*)*b",
					    "(\\w|\\W|\\s|\\S|.){1,200}x.{200}y",
					    "^(?:(?:(?:)*)*){1000000000}$",
					    "(|){1000000000}",
					    "[a-y]*x[a-y]{5000}",
					    "(.*.*.*.*.*.*.*.*.*.*)*(a|b|c|d){12}"};
	for (gsize i = 0; i < G_N_ELEMENTS(bombs); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(WeftLexeme) lexeme = of(bombs[i], 0, WEFT_LEXEME_UNLIMITED, &error);
		g_test_message("%s: %s", bombs[i], lexeme ? "taken" : error->message);
		g_assert_true(lexeme || g_error_matches(error, WEFT_ERROR, WEFT_ERROR_LIMIT));
	}
	g_autoptr(GString) deep = g_string_new(NULL);
	for (int i = 0; i < 1000; i++)
		g_string_append_c(deep, '(');
	g_autoptr(GError) error = NULL;
	g_assert_null(of(deep->str, 0, WEFT_LEXEME_UNLIMITED, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
}

/* Many patterns for one string, each of which is small. */
static void test_bomb_of_parts(void)
{
	char texts[39][16];
	WeftLexemePart parts[39];
	for (int i = 0; i < 39; i++) {
		g_snprintf(texts[i], sizeof(texts[i]), ".*a.{%d}$", i);
		parts[i] = (WeftLexemePart){.kind = WEFT_LEXEME_PATTERN, .text = texts[i]};
	}
	WeftLexemeSpec spec = {.parts = parts, .n_parts = 39, .length_max = WEFT_LEXEME_UNLIMITED};
	g_autoptr(WeftLexemeMaker) maker = weft_lexeme_maker_new();
	g_autoptr(GError) error = NULL;
	g_assert_null(weft_lexeme_new(maker, &spec, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
}

/* A counter stands beside the states: the same automaton, whatever the length. */
static void test_counted(void)
{
	g_autoptr(WeftLexeme) lexeme = of("^[a-z ]*$", 3, 1200, NULL);
	WeftLexemeState state = weft_lexeme_begin(lexeme);
	g_assert_cmpuint(weft_lexeme_close(lexeme, state), ==, 3);
	guint32 id = state.id;
	guint64 key = 0;
	for (guint n = 0; n < 1200; n++) {
		g_assert_cmpint(weft_lexeme_accepts(lexeme, state), ==, n >= 3);
		g_assert_cmpuint(state.id, ==, id);
		if (n == 100)
			key = weft_lexeme_key(lexeme, state, 32);
		if (n > 100)
			g_assert_cmpint(weft_lexeme_key(lexeme, state, 32) == key, ==, n < 1200 - 33);
		g_assert_cmpuint(weft_lexeme_step(lexeme, state, 'A').id, ==, WEFT_LEXEME_DEAD);
		state = weft_lexeme_step(lexeme, state, 'a');
	}
	g_assert_true(weft_lexeme_accepts(lexeme, state));
	g_assert_cmpuint(weft_lexeme_step(lexeme, state, 'a').id, ==, WEFT_LEXEME_DEAD);
}

/* Fewest bytes are not fewest characters. */
static void test_close(void)
{
	g_autoptr(WeftLexeme) free_one = of("^(?:\xe2\x82\xac|a{2})$", 0, WEFT_LEXEME_UNLIMITED, NULL);
	g_assert_cmpuint(weft_lexeme_close(free_one, weft_lexeme_begin(free_one)), ==, 2);
	g_autoptr(WeftLexeme) short_one = of("^(?:\xe2\x82\xac|a{2})$", 0, 1, NULL);
	g_assert_cmpuint(weft_lexeme_close(short_one, weft_lexeme_begin(short_one)), ==, 3);
	g_autoptr(WeftLexeme) odd = of("^(?:\xe2\x82\xac|a{2})*$", 3, 3, NULL);
	g_assert_cmpuint(weft_lexeme_close(odd, weft_lexeme_begin(odd)), ==, 5);
	g_assert_cmpuint(weft_lexeme_close(odd, after(odd, "aa\xe2")), ==, 2);
	g_assert_cmpint(weft_lexeme_forced(odd, after(odd, "aa")), ==, 0xe2);
	g_autoptr(WeftLexeme) uneven = of("^(?:a|bcd|e)$", 2, WEFT_LEXEME_UNLIMITED, NULL);
	g_assert_cmpuint(weft_lexeme_close(uneven, weft_lexeme_begin(uneven)), ==, 3);
	g_assert_cmpint(weft_lexeme_forced(uneven, weft_lexeme_begin(uneven)), ==, 'b');
	g_autoptr(WeftLexeme) none = of("^(?:aa)*$", 3, 3, NULL);
	g_assert_true(weft_lexeme_is_empty(none));
	g_assert_cmpuint(weft_lexeme_close(none, weft_lexeme_begin(none)), ==, WEFT_LEXEME_NEVER);
}

static void test_spelling(void)
{
	g_autoptr(WeftLexeme) lexeme = of("^[\\s\\S]$", 0, WEFT_LEXEME_UNLIMITED, NULL);
	static const char *const good[] = {"a",	       "\\\"",	  "\\\\",     "\\n", "\\t",
					   "\\u0019",  "\\u001f", "\\u000d",  "/",   "\x7f",
					   "\xc2\x80", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbd"};
	static const char *const bad[] = {"\\r",      "\\u000a", "\\u0009", "\\u0000", "\\u0020",
					  "\\u001F",  "\\/",	 "\n",	    "\"",      "\\u0041",
					  "\xc0\x80", "\xc1",	 "\xed\xa0", "\xf4\x90", "\xf5",
					  "\xe0\x80", "\xf0\x80", "\x80", "\xef\xbf\xbe", "\xef\xb7\xaf",
					  "\xf4\x8f\xbf\xbf"};
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		WeftLexemeState state = after(lexeme, good[i]);
		g_assert_cmpuint(state.id, !=, WEFT_LEXEME_DEAD);
		g_assert_true(weft_lexeme_accepts(lexeme, state));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_cmpuint(after(lexeme, bad[i]).id, ==, WEFT_LEXEME_DEAD);
}

/* What Unicode says: U+FDD0 to U+FDEF, and the last two of each plane. */
static gboolean is_noncharacter(guint32 c)
{
	return (c >= 0xfdd0 && c <= 0xfdef) || c % 0x10000 >= 0xfffe;
}

/* Characters, of the later planes the last ones, in sets that have them and in their contraries. */
static void test_noncharacters(void)
{
	static const char *const patterns[] = {"", "^[\\s\\S]$", "^[^a]$", "^\\P{L}$", "[\\uFDCF-\\u{10ffff}]",
					       "^[\\uFFFD-\\u{1FFFE}]$"};
	for (gsize i = 0; i < 2 * G_N_ELEMENTS(patterns); i++) {
		g_autoptr(WeftLexemeMaker) maker = weft_lexeme_maker_new();
		WeftLexemePart part = {.text = patterns[i / 2], .is_not = i % 2 == 1, .is_loose = i % 2 == 1};
		WeftLexemeSpec spec = {.parts = &part, .n_parts = 1, .length_max = 3};
		g_autoptr(WeftLexeme) lexeme = weft_lexeme_new(maker, &spec, NULL);
		g_assert_nonnull(lexeme);
		for (guint32 c = 0x80; c <= 0x10ffff && !weft_lexeme_is_empty(lexeme); c++) {
			char text[8] = "";
			if ((c >= 0xd800 && c <= 0xdfff) || (c > 0x20000 && c % 0x10000 < 0xff00))
				continue;
			g_unichar_to_utf8(c, text);
			WeftLexemeState state = after(lexeme, text);
			gboolean is_written = state.id != WEFT_LEXEME_DEAD;
			if (is_noncharacter(c))
				g_assert_false(is_written);
			else if (is_written || weft_lexeme_contains(lexeme, text, strlen(text)))
				g_assert_cmpint(is_written && weft_lexeme_accepts(lexeme, state), ==,
						weft_lexeme_contains(lexeme, text, strlen(text)));
		}
	}
	static const char *const empty[] = {"\\uFFFF", "^a[\\uFDD0-\\uFDEF]$", "[\\u{10FFFE}\\u{10FFFF}]"};
	for (gsize i = 0; i < G_N_ELEMENTS(empty); i++) {
		g_autoptr(WeftLexeme) lexeme = of(empty[i], 0, WEFT_LEXEME_UNLIMITED, NULL);
		g_assert_true(weft_lexeme_is_empty(lexeme));
	}
	/* The shortest of a set of which noncharacters would be shorter. */
	g_autoptr(WeftLexeme) close = of("^[\\uFFFE\\u{1FFFD}]$", 0, WEFT_LEXEME_UNLIMITED, NULL);
	g_assert_cmpuint(weft_lexeme_close(close, weft_lexeme_begin(close)), ==, 4);
	g_assert_cmpint(weft_lexeme_forced(close, after(close, "\xf0\x9f\xbf")), ==, 0xbd);
}

static void test_free(void)
{
	guint32 min = 0, max = 0;
	g_autoptr(WeftLexeme) lexeme = of("x", 4, 9, NULL);
	g_assert_false(weft_lexeme_is_free(lexeme, after(lexeme, "a"), &min, &max));
	g_assert_true(weft_lexeme_is_free(lexeme, after(lexeme, "ax"), &min, &max));
	g_assert_cmpuint(min, ==, 2);
	g_assert_cmpuint(max, ==, 7);
	g_assert_false(weft_lexeme_is_free(lexeme, after(lexeme, "ax\\"), &min, &max));
}

/* Look-ahead inside a pattern is taken when what follows it fulfils it, and says nothing then. */
static void test_implied(void)
{
	static const char *const taken[][3] = { /* pattern, in it, not in it */
		/* Pydantic's Decimal of 10 digits, 2 of them behind the point, in front of a $ */
		{"^(?!^[-+.]*$)[+-]?0*(?:\\d{0,8}$|(?=[\\d.]{1,11}0*$)\\d{0,8}\\.\\d{0,2}0*$)", "-12.50", "1.234"},
		{"^a(?=b|c)(?:bx|c)$", "abx", "ab"},
		{"^a[(?=]b$", "a(b", "ab"},
		{"^a\\(?=b$", "a(=b", "ab"},
		{"^(?:x(?=\\d+$)[0-9]{2}|y)$", "x12", "x1"},
	};
	static const char *const refused[] = {
		"^(?:\\d{0,8}|(?=[\\d.]{1,10}0*$)\\d{0,8}\\.\\d{0,2}0*$)", "^a(?=b)c$", "a(?=b)",
		"^a(?:(?=b)b)*$", "^(?:x(?=[0-9]+$)[0-9]{2}|y)z$", "a(?=^b)b", "a(?=\\bb)b", "a(?=b",
		"^x(?!y)z$"};
	for (gsize i = 0; i < G_N_ELEMENTS(taken); i++) {
		g_autoptr(WeftLexeme) lexeme = of(taken[i][0], 0, WEFT_LEXEME_UNLIMITED, NULL);
		g_assert_nonnull(lexeme);
		g_assert_true(weft_lexeme_contains(lexeme, taken[i][1], strlen(taken[i][1])));
		g_assert_false(weft_lexeme_contains(lexeme, taken[i][2], strlen(taken[i][2])));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(of(refused[i], 0, WEFT_LEXEME_UNLIMITED, &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA);
	}
}

static void test_formats(void)
{
	g_autoptr(WeftLexemeMaker) maker = weft_lexeme_maker_new();
	for (const char *const *name = weft_format_names(); *name; name++) {
		WeftLexemePart part = {.kind = WEFT_LEXEME_FORMAT, .text = *name};
		WeftLexemeSpec spec = {.parts = &part, .n_parts = 1, .length_max = WEFT_LEXEME_UNLIMITED};
		g_autoptr(GError) error = NULL;
		g_assert_true(weft_format_known(*name));
		g_autoptr(WeftLexeme) lexeme = weft_lexeme_new(maker, &spec, &error);
		g_assert_no_error(error);
		g_assert_false(weft_lexeme_is_empty(lexeme));
		part.is_not = TRUE;
		g_assert_null(weft_lexeme_new(maker, &spec, &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA);
	}
	g_assert_false(weft_format_known("color"));
	g_assert_false(weft_format_is_hint("color"));
	g_assert_true(weft_format_is_hint("password"));
	g_assert_false(weft_format_known("password"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/lexeme/meaning", test_meaning);
	g_test_add_func("/lexeme/not", test_not);
	g_test_add_func("/lexeme/refused", test_refused);
	g_test_add_func("/lexeme/bombs", test_bombs);
	g_test_add_func("/lexeme/bomb_of_parts", test_bomb_of_parts);
	g_test_add_func("/lexeme/counted", test_counted);
	g_test_add_func("/lexeme/close", test_close);
	g_test_add_func("/lexeme/spelling", test_spelling);
	g_test_add_func("/lexeme/noncharacters", test_noncharacters);
	g_test_add_func("/lexeme/free", test_free);
	g_test_add_func("/lexeme/formats", test_formats);
	g_test_add_func("/lexeme/implied", test_implied);
	return g_test_run();
}
