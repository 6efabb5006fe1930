/* Turns upon words: who gets which, and where a content is cut. */
#include "encoders/speaker_labels.h"

static GArray *turns_new(void)
{
	static const WeftVoiceTurn turns[] = {
	    {0, 2, 1, 5, FALSE},   {2.1, 4, 2, 0.5F, FALSE}, {6, 7, 1, 0.05F, FALSE},
	    {10, 14, 3, 5, FALSE}, {11, 13, 4, 5, TRUE},
	};
	GArray *array = g_array_new(FALSE, FALSE, sizeof(WeftVoiceTurn));

	return g_array_append_vals(array, turns, G_N_ELEMENTS(turns));
}

/* The words of a text, `step` seconds each. */
static WeftContent *content_new(const char *text, double from_s, double step)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	WeftAnchor at = {.track = 1, .has_time = TRUE};
	guint32 at_char = 0;

	at.time[0] = from_s;
	at.time[1] = from_s + step * g_strv_length(words);
	WeftContent *content =
	    weft_content_new(WEFT_CONTENT_SPEECH, WEFT_BY_WHISPER, g_strdup(text), at);

	for (guint i = 0; words[i]; i++) {
		WeftWord word = {.char_first = at_char, .at = at, .confidence = 0.5F};

		word.char_end = at_char + (guint32)g_utf8_strlen(words[i], -1);
		word.at.time[0] = from_s + i * step;
		word.at.time[1] = from_s + (i + 1) * step;
		at_char = word.char_end + 1;
		weft_content_add_word(content, word);
	}
	return content;
}

static GPtrArray *label(WeftContent *content)
{
	g_autoptr(GArray) turns = turns_new();
	WeftSounding sounding = { .turns = turns };

	return weft_sounding_label(&sounding, content);
}

static void check(GPtrArray *out, guint i, const char *text, const char *speaker, double from_s,
                  double to_s)
{
	const WeftContent *content = g_ptr_array_index(out, i);
	const WeftAnchor *at = &g_array_index(content->anchors, WeftAnchor, 0);

	g_assert_cmpstr(content->text, ==, text);
	g_assert_cmpstr(content->speaker, ==, speaker);
	g_assert_cmpfloat_with_epsilon(at->time[0], from_s, 1e-9);
	g_assert_cmpfloat_with_epsilon(at->time[1], to_s, 1e-9);
	for (guint k = 0; k < content->words->len; k++) {
		const WeftWord *word = &g_array_index(content->words, WeftWord, k);
		g_assert_cmpuint(word->char_end, <=, g_utf8_strlen(content->text, -1));
	}
}

static void test_cut(void)
{
	g_autoptr(GPtrArray) out = label(content_new("Schöne Grüße an alle", 0, 1));

	g_assert_cmpuint(out->len, ==, 2);
	check(out, 0, "Schöne Grüße", "S1", 0, 2);
	check(out, 1, "an alle", "S2?", 2, 4);
	const WeftContent *second = g_ptr_array_index(out, 1);
	const WeftWord *word = &g_array_index(second->words, WeftWord, 1);

	g_assert_cmpuint(word->char_first, ==, 3);
	g_assert_cmpuint(word->char_end, ==, 7);
	g_assert_cmpuint(((WeftContent *)g_ptr_array_index(out, 0))->words->len, ==, 2);
	g_assert_cmpfloat(second->confidence, ==, 0.5);
}

/* What is not believed stays so in each of its pieces. */
static void test_doubted(void)
{
	WeftContent *content = content_new("Schöne Grüße an alle", 0, 1);

	content->hidden = TRUE;
	content->reason = g_strdup("repetition");
	g_autoptr(GPtrArray) out = label(content);

	g_assert_cmpuint(out->len, ==, 2);
	for (guint i = 0; i < out->len; i++) {
		content = g_ptr_array_index(out, i);
		g_assert_true(content->hidden);
		g_assert_cmpstr(content->reason, ==, "repetition");
	}
}

/* Words between turns go with their neighbours; a margin that is too small gives no label. */
static void test_between(void)
{
	g_autoptr(GPtrArray) gap = label(content_new("one two three", 3, 0.9));
	g_autoptr(GPtrArray) doubtful = label(content_new("one two", 6, 0.5));
	g_autoptr(GPtrArray) nobody = label(content_new("one two", 20, 0.5));

	g_assert_cmpuint(gap->len, ==, 1);
	check(gap, 0, "one two three", "S2?", 3, 5.7);
	check(doubtful, 0, "one two", NULL, 6, 7);
	check(nobody, 0, "one two", NULL, 20, 21);
}

static void test_overlap(void)
{
	g_autoptr(GPtrArray) out = label(content_new("both at once", 10.5, 1));

	g_assert_cmpuint(out->len, ==, 1);
	check(out, 0, "both at once", "S3+S4", 10.5, 13.5);
}

static void test_kept(void)
{
	WeftContent *named = content_new("one two", 0, 2);
	named->speaker = g_strdup("Anna");
	g_autoptr(GPtrArray) out = label(named);
	WeftContent *bare = content_new("one", 0, 4);
	weft_content_drop_words(bare);
	g_autoptr(GPtrArray) whole = label(bare);

	g_assert_cmpuint(out->len, ==, 1);
	g_assert_cmpstr(named->speaker, ==, "Anna");
	g_assert_cmpuint(whole->len, ==, 1);
	g_assert_cmpstr(bare->speaker, ==, "S1");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/speaker_labels/cut", test_cut);
	g_test_add_func("/speaker_labels/doubted", test_doubted);
	g_test_add_func("/speaker_labels/between", test_between);
	g_test_add_func("/speaker_labels/overlap", test_overlap);
	g_test_add_func("/speaker_labels/kept", test_kept);
	return g_test_run();
}
