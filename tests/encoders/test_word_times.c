/* Words out of tokens, and the path through the attention, on cases made by hand. Parity with
 * openai/whisper is in test_hear.c. */
#include "encoders/alignment.h"
#include "encoders/segments.h"
#include "encoders/word_split.h"
#include "encoders/word_times.h"
#include "script.h"

/* "Yes,| the|" for the words of `text`, marks merged when asked for. */
static char *words_of(const char *text, const char *language, gboolean merges)
{
	Vocabulary v = vocabulary_open();
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_autoptr(GString) out = g_string_new(NULL);
	gsize n_tokens = 0;

	weft_whisper_tokens_encode(v.tokens, text, strlen(text), ids);
	g_autoptr(GArray) words = weft_word_split(
		v.tokens, (const guint32 *)(gconstpointer)ids->data, ids->len, language);

	if (merges)
		weft_word_merge_marks(words);
	for (guint i = 0; i < words->len; i++) {
		const WeftTimedWord *word = &g_array_index(words, WeftTimedWord, i);

		g_string_append_printf(out, "%s|", word->text);
		n_tokens += word->n_tokens;
	}
	g_assert_cmpuint(n_tokens, ==, ids->len);
	vocabulary_close(&v);
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static void check_words(const char *text, const char *language, gboolean merges, const char *words)
{
	g_autofree char *found = words_of(text, language, merges);

	g_assert_cmpstr(found, ==, words);
}

static void test_split(void)
{
	check_words(" Yes, the house!", "en", FALSE, " Yes|,| the| house|!|");
	check_words(" Yes, the house!", "en", TRUE, " Yes,|| the| house!||");
	check_words(" a \"big\" house", "en", TRUE, " a|| \"big\"|| house|");
	check_words(" Größe schön", "de", FALSE, " Größe| schön|");
	check_words("今日は会議", "ja", FALSE, "今|日|は|会|議|");
	check_words("", "en", TRUE, "");
}

static void find_path(float *scores, gsize n_heads, gsize n_ids, gsize n_frames, gsize row_first,
		      guint32 *ret_frames)
{
	g_auto(WeftAlignment) alignment = { 0 };

	g_assert_true(weft_alignment_init(&alignment, n_ids, n_frames, row_first, NULL));
	for (gsize head = 0; head < n_heads; head++)
		weft_alignment_add(&alignment, scores + head * n_ids * n_frames);
	g_assert_true(weft_alignment_find(&alignment, ret_frames, NULL));
}

/* Each row looks at its own stretch of frames. */
static void test_path(void)
{
	enum { N_IDS = 6, N_FRAMES = 40, FIRST = 1 };
	static const guint32 begins[] = { 0, 5, 12, 30 };
	g_autofree float *scores = g_new0(float, 2 * (gsize)N_IDS * N_FRAMES);
	guint32 frames[N_IDS - 1 - FIRST];

	for (gsize head = 0; head < 2; head++)
		for (gsize i = 0; i < G_N_ELEMENTS(begins); i++) {
			gsize end = i + 1 < G_N_ELEMENTS(begins) ? begins[i + 1] : N_FRAMES;

			for (gsize j = begins[i]; j < end; j++)
				scores[(head * N_IDS + FIRST + i) * N_FRAMES + j] = 9;
		}
	find_path(scores, 2, N_IDS, N_FRAMES, FIRST, frames);
	g_assert_cmpmem(frames, sizeof(frames), begins, sizeof(begins));
}

/* Weights that are no numbers, and fewer frames than the median is wide: a path all the same. */
static void test_broken_path(void)
{
	for (gsize n_frames = 1; n_frames < 12; n_frames++) {
		g_autofree float *scores = g_new0(float, 5 * n_frames);
		guint32 frames[3];

		find_path(scores, 1, 5, n_frames, 1, frames);
		for (gsize i = 0; i < 5 * n_frames; i++)
			scores[i] = NAN;
		find_path(scores, 1, 5, n_frames, 1, frames);
		for (gsize i = 0; i < 3; i++)
			g_assert_cmpuint(frames[i], <, n_frames);
	}
}

static void check_cut(const char *says, gsize n_frames, guint n_segments, double last_begin_s,
		      double last_end_s, gsize seek)
{
	Vocabulary v = vocabulary_open();
	g_autoptr(GArray) ids = script_ids(v.tokens, says);
	g_auto(WeftCut) cut = { 0 };

	weft_segments_cut(v.tokens, (const guint32 *)(gconstpointer)ids->data, ids->len, 1000,
			  n_frames, &cut);
	g_assert_cmpuint(cut.segments->len, ==, n_segments);
	const WeftSegment *last = &g_array_index(cut.segments, WeftSegment, n_segments - 1);

	g_assert_cmpfloat_with_epsilon(last->time[0], last_begin_s, 1e-9);
	g_assert_cmpfloat_with_epsilon(last->time[1], last_end_s, 1e-9);
	g_assert_cmpuint(cut.seek, ==, seek);
	vocabulary_close(&v);
}

static void test_cut(void)
{
	/* Pairs, and a rest that is not finished. */
	check_cut("0.00| a|2.00|2.00| b|4.50|4.52| c", 3000, 2, 12, 14.5, 1450);
	/* One time at the end: all of it. */
	check_cut("0.00| a|2.00|2.00| b|4.50", 3000, 2, 12, 14.5, 4000);
	check_cut("0.00| a|2.00", 3000, 1, 10, 12, 4000);
	/* No end, or none but 0.00: the window. */
	check_cut("0.50| a", 1234, 1, 10, 10.5, 2234);
	check_cut("0.00| a", 1234, 1, 10, 22.34, 2234);
	check_cut("", 1234, 1, 10, 22.34, 2234);
}

static gboolean nan_align(WeftScorer *scorer, const guint32 *ids, gsize n_ids, gsize n_frames,
			  guint32 n_plain, WeftTakeHead *take_head, gpointer data,
			  float *ret_probabilities, GError **error)
{
	g_autofree float *scores = g_new(float, n_ids * n_frames);

	(void)scorer, (void)ids, (void)n_plain, (void)error;
	for (gsize i = 0; i < n_ids; i++)
		ret_probabilities[i] = NAN;
	for (gsize i = 0; i < n_ids * n_frames; i++)
		scores[i] = NAN;
	take_head(scores, data);
	return TRUE;
}

/* Weights that are no numbers: words with times in the window, of which nobody is sure. */
static void test_broken_words(void)
{
	Vocabulary v = vocabulary_open();
	g_autoptr(GArray) ids = script_ids(v.tokens, "0.00| Yes, the house.|2.00");
	WeftScorer scorer = { .n_vocab = v.tokens->n_vocab, .n_context = 448, .n_heads = 1,
			      .align = nan_align };
	WeftWordTimes times = { .scorer = &scorer, .tokens = v.tokens, .n_frames = 300,
				.language = v.tokens->first_language };
	double last_speech_s = 0;
	g_auto(WeftCut) cut = { 0 };

	weft_segments_cut(v.tokens, (const guint32 *)(gconstpointer)ids->data, ids->len, 0, 300, &cut);
	g_assert_true(weft_word_times_add(&times, &cut, &last_speech_s, NULL));
	const GArray *words = g_array_index(cut.segments, WeftSegment, 0).words;

	g_assert_cmpuint(words->len, ==, 3);
	for (guint i = 0; i < words->len; i++) {
		const WeftTimedWord *word = &g_array_index(words, WeftTimedWord, i);

		g_assert_cmpfloat(word->probability, ==, 0);
		g_assert_true(word->time[0] >= 0 && word->time[1] <= 3);
	}
	vocabulary_close(&v);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/word_times/split", test_split);
	g_test_add_func("/word_times/path", test_path);
	g_test_add_func("/word_times/broken_path", test_broken_path);
	g_test_add_func("/segments/cut", test_cut);
	g_test_add_func("/word_times/broken_words", test_broken_words);
	return g_test_run();
}
