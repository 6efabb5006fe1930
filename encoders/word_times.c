#include "encoders/word_times.h"

#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "encoders/alignment.h"
#include "encoders/mel.h"
#include "encoders/whisper_rules.h"
#include "encoders/whisper_window.h"

/* What timing.py has as numbers: the longest median, how much of it a word may be, how much a pause
 * is, and how far a segment's own times may be away. */
#define MEDIAN_MAX_S 0.7
#define LONG_WORD 2
#define PAUSE 4
#define APART_S 0.5

/* Two decimals, the nearest to the exact value, as Python rounds. */
static double round_time(double time_s)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	return g_ascii_strtod(g_ascii_formatd(text, sizeof(text), "%.2f", time_s), NULL);
}

static GArray *collect_text(const WeftWhisperTokens *tokens, const GArray *segments)
{
	GArray *ids = g_array_new(FALSE, FALSE, sizeof(guint32));

	for (guint i = 0; i < segments->len; i++) {
		const WeftSegment *segment = &g_array_index(segments, WeftSegment, i);

		for (gsize k = 0; k < segment->n_tokens; k++)
			if (segment->tokens[k] < tokens->eot)
				g_array_append_val(ids, segment->tokens[k]);
	}
	return ids;
}

static void add_head(float *scores, gpointer alignment)
{
	weft_alignment_add(alignment, scores);
}

/* ret_frames[n_text + 1], ret_probabilities[n_text]. */
static gboolean align_tokens(const WeftWordTimes *times, const GArray *text, guint32 *ret_frames,
			     float *ret_probabilities, GError **error)
{
	const WeftWhisperTokens *tokens = times->tokens;
	WeftScorer *scorer = times->scorer;
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(guint32));
	gsize n_frames = MAX(times->n_frames / 2, 1);
	guint n_start;

	weft_window_start(tokens, times->language, times->translates, ids);
	n_start = ids->len;
	g_array_append_val(ids, tokens->notimestamps);
	g_array_append_vals(ids, text->data, text->len);
	g_array_append_val(ids, tokens->eot);
	g_autofree float *probabilities =
		weft_alloc_array(ids->len, sizeof(float), 0, "words", error);
	g_auto(WeftAlignment) alignment = { 0 };

	if (!probabilities ||
	    !weft_alignment_init(&alignment, ids->len, n_frames, n_start, error) ||
	    !scorer->align(scorer, (const guint32 *)(gconstpointer)ids->data, ids->len, n_frames,
			   tokens->eot, add_head, &alignment, probabilities, error) ||
	    !weft_alignment_find(&alignment, ret_frames, error))
		return FALSE;
	for (guint i = 0; i < text->len; i++)
		ret_probabilities[i] = fmaxf(probabilities[n_start + 1 + i], 0); /* of NaN, too */
	return TRUE;
}

/* Words with times from the begin of the window; NULL on failure. */
static GArray *find_words(const WeftWordTimes *times, const GArray *text, GError **error)
{
	const WeftWhisperTokens *tokens = times->tokens;
	g_autofree guint32 *frames =
		weft_alloc_array(text->len + 1, sizeof(guint32), 0, "words", error);
	g_autofree float *probabilities =
		weft_alloc_array(text->len, sizeof(float), 0, "words", error);

	if (!frames || !probabilities ||
	    (text->len && !align_tokens(times, text, frames, probabilities, error)))
		return NULL;
	GArray *words = weft_word_split(tokens, (const guint32 *)(gconstpointer)text->data,
					text->len,
					weft_whisper_tokens_language(tokens, times->language));

	for (guint i = 0; i < words->len; i++) {
		WeftTimedWord *word = &g_array_index(words, WeftTimedWord, i);
		gsize end = word->token_first + word->n_tokens;
		double sum = 0;

		for (gsize k = word->token_first; k < end; k++)
			sum += probabilities[k];
		word->probability = sum / (double)word->n_tokens;
		word->time[0] = (double)frames[word->token_first] / WEFT_WHISPER_TIMES_PER_S;
		word->time[1] = (double)frames[end] / WEFT_WHISPER_TIMES_PER_S;
	}
	return words;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Of the words that take time, at most MEDIAN_MAX_S; FALSE: there are none. */
static gboolean median_duration(const GArray *words, double *ret_median_s)
{
	g_autofree double *durations = g_new(double, words->len + 1);
	gsize n = 0;

	*ret_median_s = 0;
	for (guint i = 0; i < words->len; i++) {
		const WeftTimedWord *word = &g_array_index(words, WeftTimedWord, i);

		if (word->time[1] - word->time[0] != 0)
			durations[n++] = word->time[1] - word->time[0];
	}
	if (n == 0)
		return FALSE;
	qsort(durations, n, sizeof(double), by_size);
	*ret_median_s = MIN((durations[(n - 1) / 2] + durations[n / 2]) / 2, MEDIAN_MAX_S);
	return TRUE;
}

static void shorten_at_sentence_ends(GArray *words, double longest_s)
{
	WeftTimedWord *word = (WeftTimedWord *)(gpointer)words->data;

	for (guint i = 1; i < words->len; i++) {
		if (!(word[i].time[1] - word[i].time[0] > longest_s))
			continue;
		if (weft_word_ends_sentence(word[i].text))
			word[i].time[1] = word[i].time[0] + longest_s;
		else if (weft_word_ends_sentence(word[i - 1].text))
			word[i].time[0] = word[i].time[1] - longest_s;
	}
}

/* The first words after a pause. */
static void shorten_after_pause(WeftTimedWord *word, guint n_words, double last_speech_s,
				double median_s, double longest_s)
{
	gboolean is_long = word[0].time[1] - word[0].time[0] > longest_s ||
			   (n_words > 1 && word[1].time[1] - word[0].time[0] >
						   longest_s * LONG_WORD);

	if (!(word[0].time[1] - last_speech_s > median_s * PAUSE) || !is_long)
		return;
	if (n_words > 1 && word[1].time[1] - word[1].time[0] > longest_s) {
		double boundary = MAX(word[1].time[1] / 2, word[1].time[1] - longest_s);

		word[0].time[1] = word[1].time[0] = boundary;
	}
	word[0].time[0] = MAX(0, word[0].time[1] - longest_s);
}

static void fit_segment(WeftSegment *segment, double median_s, double longest_s,
			double *last_speech_s)
{
	guint n = segment->words->len;
	WeftTimedWord *word = (WeftTimedWord *)(gpointer)segment->words->data;

	if (n == 0)
		return;
	WeftTimedWord *last = &word[n - 1];

	shorten_after_pause(word, n, *last_speech_s, median_s, longest_s);
	if (segment->time[0] < word->time[1] && segment->time[0] - APART_S > word->time[0])
		word->time[0] = MAX(0, MIN(word->time[1] - median_s, segment->time[0]));
	else
		segment->time[0] = word->time[0];
	if (segment->time[1] > last->time[0] && segment->time[1] + APART_S < last->time[1])
		last->time[1] = MAX(last->time[0] + median_s, segment->time[1]);
	else
		segment->time[1] = last->time[1];
	*last_speech_s = segment->time[1];
}

/* The next words up to the segment's number of tokens. Returns the first word behind them. */
static guint take_words(WeftSegment *segment, GArray *words, guint first, double offset_s)
{
	gsize n_tokens = 0;
	guint i = first;

	segment->words = weft_timed_words_new();
	for (; i < words->len && n_tokens < segment->n_text; i++) {
		WeftTimedWord *word = &g_array_index(words, WeftTimedWord, i);

		n_tokens += word->n_tokens;
		if (!word->text[0])
			continue;
		word->time[0] = round_time(offset_s + word->time[0]);
		word->time[1] = round_time(offset_s + word->time[1]);
		g_array_append_val(segment->words, *word);
		word->text = NULL;
	}
	return i;
}

gboolean weft_word_times_add(const WeftWordTimes *times, WeftCut *cut, double *last_speech_s,
			     GError **error)
{
	g_autoptr(GArray) text = collect_text(times->tokens, cut->segments);
	g_autoptr(GArray) words = find_words(times, text, error);
	double median_s, longest_s;
	guint next = 0;

	if (!words)
		return FALSE;
	gboolean has_time = median_duration(words, &median_s);

	longest_s = median_s * LONG_WORD;
	if (has_time)
		shorten_at_sentence_ends(words, longest_s);
	weft_word_merge_marks(words);
	for (guint i = 0; i < cut->segments->len; i++) {
		WeftSegment *segment = &g_array_index(cut->segments, WeftSegment, i);

		next = take_words(segment, words, next,
				  (double)times->seek / WEFT_FRAMES_PER_S);
		fit_segment(segment, median_s, longest_s, last_speech_s);
	}
	return TRUE;
}
