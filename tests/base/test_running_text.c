#include "base/running_text.h"

#include <string.h>

static void add(WeftRunningText *text, const char *piece, guint32 content, gboolean joins)
{
	weft_running_text_add(text, piece, strlen(piece), content, 0, joins);
}

static char *bytes_of(const WeftRunningText *text)
{
	gsize size;
	const char *bytes = weft_running_text_bytes(text, &size);
	char *shown = g_memdup2(bytes, size + 1);

	g_assert_cmpint(bytes[size], ==, '\0');
	for (gsize i = 0; i < size; i++)
		if (!shown[i])
			shown[i] = '|';
	return shown;
}

static void assert_normal(const char *value, const char *wanted)
{
	g_autofree char *normal = weft_running_text_normal(value, strlen(value));

	g_assert_cmpstr(normal, ==, wanted);
}

static void test_normal(void)
{
	assert_normal("", "");
	assert_normal(" \n\t", "");
	assert_normal("a", "a");
	assert_normal("  one\n two\t\tthree ", "one two three");
	assert_normal("1\xc2\xa0" "240\xe2\x80\xaf" "000", "1 240 000"); /* U+00A0, U+202F */
	assert_normal("a\x01\x02" "b\x7f", "a b");
	assert_normal("Rech\xc2\xad\n nung", "Rechnung"); /* U+00AD */
	assert_normal("Rech\xc2\xad" "nung", "Rechnung");
	assert_normal("two \xc2\xadwords", "two words");
	assert_normal("\xc2\xad one\xc2\xad ", "one");
	assert_normal("ze\xe2\x80\x8bro\xef\xbb\xbf", "zero"); /* U+200B, U+FEFF */
	assert_normal("a\xef\xbf\xbf\xf4\x8f\xbf\xbf b\xef\xb7\x90", "a\xef\xbf\xbd\xef\xbf\xbd b\xef\xbf\xbd");
	assert_normal("Rech-\nnung", "Rech- nung");              /* a hyphen that is seen */
	assert_normal("\xe2\x80\x9eZitat\xe2\x80\x9c \xc3\x9c", "\xe2\x80\x9eZitat\xe2\x80\x9c \xc3\x9c");
}

static void test_joins(void)
{
	g_autoptr(WeftRunningText) text = weft_running_text_new();
	g_autofree char *bytes = NULL;

	add(text, " ", 0, TRUE);
	add(text, "one ", 1, FALSE);
	add(text, "\ntwo\xc2\xad\n", 2, TRUE);
	add(text, " fold", 3, TRUE);
	add(text, "three", 4, FALSE);
	add(text, " ", 5, FALSE); /* nothing of it, but what follows is apart */
	add(text, "four", 6, TRUE);
	weft_running_text_bar(text);
	add(text, "five", 7, TRUE);
	bytes = bytes_of(text);
	g_assert_cmpstr(bytes, ==, "one twofold|three|four|five");
}

/* `marked` has < where a value may begin and > where it may end. */
static void assert_marks(const char *marked)
{
	g_autoptr(GString) plain = g_string_new(NULL), again = g_string_new(NULL);
	g_autoptr(WeftRunningText) text = weft_running_text_new();

	for (const char *p = marked; *p; p++)
		if (*p != '<' && *p != '>')
			g_string_append_c(plain, *p);
	gchar **pieces = g_strsplit(plain->str, "|", -1);
	for (gsize i = 0; pieces[i]; i++)
		add(text, pieces[i], 0, FALSE);
	g_strfreev(pieces);
	for (gsize i = 0; i <= plain->len; i++) {
		guint marks = weft_running_text_marks(text, i);
		if (marks & WEFT_TEXT_ENDS)
			g_string_append_c(again, '>');
		if (marks & WEFT_TEXT_BEGINS)
			g_string_append_c(again, '<');
		if (i < plain->len)
			g_string_append_c(again, plain->str[i]);
	}
	g_assert_cmpstr(again->str, ==, marked);
}

static void test_marks(void)
{
	assert_marks("<one> <two>");
	assert_marks("<one>|<two>");
	assert_marks("<Nr><.> <7><,>");
	assert_marks("<RE><-><2024-00173><.>");
	assert_marks("<1.240,00> <12:30><:>");
	assert_marks("<it><'><s> <snake_case> <(><5kg><)>");
	assert_marks("<e\xcc\x81t\xc3\xa9>");                              /* a mark, a letter with one */
	assert_marks("<\xe6\x9d\xb1><\xe4\xba\xac>" "<12><\xe6\x9c\x88>"); /* Han */
	assert_marks("<\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb><!>"); /* tied emoji */
	assert_marks("");
}

/* What stands at the places of [first, end) says the same. */
static void assert_places(const WeftRunningText *text, const char *const *pieces, gsize first,
			  gsize end)
{
	g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(WeftTextPlace));
	g_autoptr(WeftRunningText) again = weft_running_text_new();
	gsize size;
	const char *bytes = weft_running_text_bytes(text, &size);

	weft_running_text_places(text, first, end, places);
	for (guint i = 0; i < places->len; i++) {
		const WeftTextPlace *place = &g_array_index(places, WeftTextPlace, i);
		const char *piece = pieces[place->content];
		const char *from = g_utf8_offset_to_pointer(piece, place->char_first);
		const char *to = g_utf8_offset_to_pointer(piece, place->char_end);

		g_assert_cmpuint(place->char_first, <, place->char_end);
		if (i > 0)
			g_assert_cmpuint(place->content, >, place[-1].content);
		/* The soft hyphen behind a place that goes on elsewhere is not in it. */
		weft_running_text_add(again, from, to - from, 0, 0, TRUE);
		if (i + 1 < places->len && g_str_has_prefix(to, "\xc2\xad"))
			weft_running_text_add(again, "-\xc2\xad", 3, 0, 0, TRUE);
	}
	g_autofree char *wanted = g_strndup(bytes + first, end - first);
	gsize again_size;
	g_autofree char *joined = g_strdup(weft_running_text_bytes(again, &again_size));
	for (char *dash; (dash = strstr(joined, " -")); ) /* see above */
		memmove(dash, dash + 2, strlen(dash + 2) + 1);
	g_assert_cmpstr(joined, ==, wanted);
}

static void test_places(void)
{
	static const char *const pieces[] = {
		"Rechnung  Nr. 7\nvom 12.\xc2\xa0 M\xc3\xa4rz", " 2024 \xc3\xbc" "ber Dampf\xc2\xad\n",
		"\tschiff\xc2\xad" "fahrt\n\n \xe2\x80\x8b" "ah\xef\xbb\xbfoi", "\xf0\x9f\x9a\xa2 Ende.",
	};
	g_autoptr(WeftRunningText) text = weft_running_text_new();
	gsize size;

	for (guint32 i = 0; i < G_N_ELEMENTS(pieces); i++)
		add(text, pieces[i], i, TRUE);
	const char *bytes = weft_running_text_bytes(text, &size);
	g_assert_cmpstr(bytes, ==, "Rechnung Nr. 7 vom 12. M\xc3\xa4rz 2024 \xc3\xbc" "ber Dampf"
				   "schifffahrt ahoi \xf0\x9f\x9a\xa2 Ende.");
	for (gsize i = 0; i < size; i++)
		for (gsize k = i + 1; k <= size; k++)
			if ((weft_running_text_marks(text, i) & WEFT_TEXT_BEGINS) &&
			    (weft_running_text_marks(text, k) & WEFT_TEXT_ENDS))
				assert_places(text, pieces, i, k);
}

static void test_offset_of_a_piece(void)
{
	g_autoptr(WeftRunningText) text = weft_running_text_new();
	g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(WeftTextPlace));

	weft_running_text_add(text, " b c", 4, 9, 100, TRUE);
	weft_running_text_places(text, 2, 3, places);
	g_assert_cmpuint(places->len, ==, 1);
	g_assert_cmpuint(g_array_index(places, WeftTextPlace, 0).content, ==, 9);
	g_assert_cmpuint(g_array_index(places, WeftTextPlace, 0).char_first, ==, 103);
	g_assert_cmpuint(g_array_index(places, WeftTextPlace, 0).char_end, ==, 104);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/running_text/normal", test_normal);
	g_test_add_func("/running_text/joins", test_joins);
	g_test_add_func("/running_text/marks", test_marks);
	g_test_add_func("/running_text/places", test_places);
	g_test_add_func("/running_text/offset_of_a_piece", test_offset_of_a_piece);
	return g_test_run();
}
