#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "encoders/transcript_private.h"
#include "encoders/whisper_text.h"
#include "encoders/word_split.h"

const char *weft_doubt_name(WeftDoubt doubt)
{
	static const char *const names[] = { NULL, "no_speech", "repetition", "low confidence",
					     "outside speech" };

	return names[doubt];
}

void weft_heard_free(WeftHeard *heard)
{
	if (!heard)
		return;
	weft_content_free(heard->content);
	g_free(heard->tokens);
	g_free(heard);
}

/* Text of a segment, and where each of its text tokens begins in it. */
typedef struct Spelling {
	char *text;         /* without blanks at its ends */
	guint32 *char_first; /* [n_text + 1], code points */
	guint32 n_chars;
} Spelling;

static void clear_spelling(Spelling *spelling)
{
	g_free(spelling->text);
	g_free(spelling->char_first);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Spelling, clear_spelling)

/* Code points before each byte of broken or whole UTF-8; ret_before[size + 1]. */
static void count_chars(const char *bytes, gsize size_bytes, guint32 *ret_before)
{
	const guint8 *first = (const guint8 *)bytes, *p = first, *end = first + size_bytes;
	guint32 n = 0;

	while (p < end) {
		gboolean is_valid;
		gsize step = weft_utf8_step(p, end, &is_valid);

		for (gsize i = 0; i < step; i++)
			ret_before[p - first + (gssize)i] = n;
		n++;
		p += step;
	}
	ret_before[size_bytes] = n;
}

static void spell(const WeftWhisperTokens *tokens, const WeftSegment *segment, Spelling *ret)
{
	g_autoptr(GString) bytes = g_string_new(NULL), valid = g_string_new(NULL);
	g_autofree gsize *byte_first = g_new(gsize, segment->n_text + 1);
	const char *first;
	gsize n = 0, size_bytes;

	for (gsize i = 0; i < segment->n_tokens; i++) {
		const char *piece = weft_whisper_tokens_text(tokens, segment->tokens[i],
							     &size_bytes);

		if (segment->tokens[i] >= tokens->eot)
			continue;
		byte_first[n++] = bytes->len;
		if (piece)
			g_string_append_len(bytes, piece, (gssize)size_bytes);
	}
	byte_first[n] = bytes->len;
	for (gsize i = 0; i < bytes->len; i++)
		if (!bytes->str[i])
			bytes->str[i] = ' ';
	g_autofree guint32 *before = g_new(guint32, bytes->len + 1);

	count_chars(bytes->str, bytes->len, before);
	weft_utf8_append_valid(valid, bytes->str, bytes->len);
	weft_whisper_text_strip(valid->str, valid->len, &first, &size_bytes);
	guint32 n_before = (guint32)g_utf8_strlen(valid->str, first - valid->str);

	ret->text = g_strndup(first, size_bytes);
	ret->n_chars = (guint32)g_utf8_strlen(first, (gssize)size_bytes);
	ret->char_first = g_new(guint32, n + 1);
	for (gsize i = 0; i <= n; i++) {
		guint32 at = before[byte_first[i]];

		ret->char_first[i] = MIN(at > n_before ? at - n_before : 0, ret->n_chars);
	}
}

/* Takes blanks at both ends away. */
static void trim_word(const char *text, WeftWord *word)
{
	const char *first = g_utf8_offset_to_pointer(text, word->char_first);
	const char *end = g_utf8_offset_to_pointer(text, word->char_end);
	const char *begin;
	gsize size_bytes;

	weft_whisper_text_strip(first, (gsize)(end - first), &begin, &size_bytes);
	word->char_first += (guint32)g_utf8_strlen(first, begin - first);
	word->char_end = word->char_first + (guint32)g_utf8_strlen(begin, (gssize)size_bytes);
}

/* Words of the segment, as far as their characters are in its text. Returns their mean
 * probability, negative when there are none. */
static double add_words(const WeftTranscript *transcript, const WeftSegment *segment,
			const Spelling *spelling, WeftContent *content)
{
	guint n = segment->words ? segment->words->len : 0;
	guint32 end = 0;
	double sum = 0;

	for (guint i = 0; i < n; i++) {
		const WeftTimedWord *word = &g_array_index(segment->words, WeftTimedWord, i);
		gsize first = MAX(word->token_first, segment->text_first) - segment->text_first;
		gsize last = word->token_first + word->n_tokens;

		last = MAX(last, segment->text_first) - segment->text_first;
		WeftWord out = {
			.char_first = MAX(spelling->char_first[MIN(first, segment->n_text)], end),
			.char_end = spelling->char_first[MIN(last, segment->n_text)],
			.at = { .track = transcript->track,
				.has_time = TRUE,
				.time = { word->time[0], word->time[1] } },
			.confidence = (float)word->probability,
		};

		sum += word->probability;
		if (out.char_first >= out.char_end)
			continue;
		end = out.char_end;
		trim_word(spelling->text, &out);
		if (out.char_first < out.char_end)
			weft_content_add_word(content, out);
	}
	return n ? sum / n : -1;
}

/* A model may name times behind what it heard, and begin a word behind its end. */
static void keep_inside(WeftAnchor *at, double end_s)
{
	at->time[0] = MIN(at->time[0], end_s);
	at->time[1] = CLAMP(at->time[1], at->time[0], end_s);
}

static WeftHeard *new_heard(const WeftTranscript *transcript, const WeftWindow *window,
			    const WeftSegment *segment, Spelling *spelling, gsize seek)
{
	WeftHeard *heard = g_new0(WeftHeard, 1);
	WeftAnchor at = { .track = transcript->track,
			  .has_time = TRUE,
			  .time = { segment->time[0], segment->time[1] } };
	double sure;

	heard->content = weft_content_new(WEFT_CONTENT_SPEECH, WEFT_BY_WHISPER,
					  g_strdup(spelling->text), at);
	sure = add_words(transcript, segment, spelling, heard->content);
	heard->content->confidence = CLAMP(sure < 0 ? exp(window->hypothesis.average) : sure, 0, 1);
	heard->average = window->hypothesis.average;
	heard->no_speech = window->hypothesis.no_speech;
	heard->compression = window->compression;
	heard->temperature = window->temperature;
	heard->seek = seek;
	heard->tokens = g_memdup2(segment->tokens, segment->n_tokens * sizeof(guint32));
	heard->n_tokens = segment->n_tokens;
	return heard;
}

static WeftDoubt doubt_of(WeftTranscript *transcript, const WeftWindow *window,
			  const WeftSegment *segment, const char *text, double end_s)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(guint32));

	if (transcript->as_reference)
		return WEFT_DOUBT_NONE;
	for (gsize i = 0; i < segment->n_tokens; i++)
		if (segment->tokens[i] < transcript->tokens->eot)
			g_array_append_val(ids, segment->tokens[i]);
	/* Noted in any case: it is the row of segments that counts. */
	if (weft_repetition_catches(&transcript->state.repetition,
				    (const guint32 *)(gconstpointer)ids->data, ids->len, text))
		return WEFT_DOUBT_REPETITION;
	if (segment->time[0] >= end_s ||
	    !weft_speech_gate_hears(&transcript->gate, segment->time))
		return WEFT_DOUBT_OUTSIDE_SPEECH;
	if (!window->is_accepted && window->hypothesis.average < WEFT_WINDOW_AVERAGE_MIN)
		return WEFT_DOUBT_LOW_CONFIDENCE;
	return WEFT_DOUBT_NONE;
}

WeftHeard *weft_heard_new(WeftTranscript *transcript, const WeftWindow *window,
			  const WeftSegment *segment, gsize seek, gsize n_frames)
{
	double end_s = (double)(seek + n_frames) / WEFT_FRAMES_PER_S;
	g_auto(Spelling) spelling = { 0 };
	WeftHeard *heard;

	spell(transcript->tokens, segment, &spelling);
	if (segment->time[0] == segment->time[1] || !spelling.text[0])
		return NULL;
	heard = new_heard(transcript, window, segment, &spelling, seek);
	heard->doubt = doubt_of(transcript, window, segment, spelling.text, end_s);
	if (transcript->as_reference)
		return heard;
	GArray *words = heard->content->words;

	keep_inside(&g_array_index(heard->content->anchors, WeftAnchor, 0), end_s);
	for (guint i = 0; words && i < words->len; i++)
		keep_inside(&g_array_index(words, WeftWord, i).at, end_s);
	return heard;
}

WeftHeard *weft_heard_new_silent(WeftTranscript *transcript, const WeftWindow *window, gsize seek,
				 gsize n_frames)
{
	const WeftHypothesis *found = &window->hypothesis;
	WeftSegment segment = { .tokens = found->tokens,
				.n_tokens = found->n_tokens,
				.time = { (double)seek / WEFT_FRAMES_PER_S,
					  (double)(seek + n_frames) / WEFT_FRAMES_PER_S } };
	g_auto(Spelling) spelling = { 0 };
	WeftHeard *heard;

	for (gsize i = 0; i < found->n_tokens; i++)
		segment.n_text += found->tokens[i] < transcript->tokens->eot;
	spell(transcript->tokens, &segment, &spelling);
	if (!spelling.text[0])
		return NULL;
	heard = new_heard(transcript, window, &segment, &spelling, seek);
	heard->doubt = WEFT_DOUBT_NO_SPEECH;
	return heard;
}
