#include "encoders/speaker_labels.h"

#include <string.h>

/* How long each of the speakers is heard between two times. */
typedef struct Heard {
	double time_s[WEFT_SPEAKERS_MAX + 1], overlap_s[WEFT_SPEAKERS_MAX + 1];
	float margin[WEFT_SPEAKERS_MAX + 1]; /* of the longest turn */
	double longest_s[WEFT_SPEAKERS_MAX + 1];
} Heard;

/* Turns [first, end) that touch a content. */
typedef struct Near {
	const WeftVoiceTurn *turns;
	guint n;
} Near;

static Near find_near(const GArray *turns, const double time[2])
{
	const WeftVoiceTurn *all = (const void *)turns->data;
	guint first = 0, end;

	while (first < turns->len && all[first].to_s <= time[0])
		first++;
	for (end = first; end < turns->len && all[end].from_s < time[1]; end++)
		;
	return (Near){all + first, end - first};
}

static void hear(const Near *near, const double time[2], Heard *heard)
{
	memset(heard, 0, sizeof *heard);
	for (guint i = 0; i < near->n; i++) {
		const WeftVoiceTurn *turn = &near->turns[i];
		double shared = MIN(turn->to_s, time[1]) - MAX(turn->from_s, time[0]);
		guint32 s = turn->speaker;

		if (shared <= 0 || s > WEFT_SPEAKERS_MAX)
			continue;
		heard->time_s[s] += shared;
		heard->overlap_s[s] += turn->is_overlap ? shared : 0;
		if (shared > heard->longest_s[s]) {
			heard->longest_s[s] = shared;
			heard->margin[s] = turn->margin;
		}
	}
}

/* 0: nobody. */
static guint32 speaker_of(const Near *near, const double time[2])
{
	Heard heard;
	guint32 best = 0;

	hear(near, time, &heard);
	for (guint32 s = 1; s <= WEFT_SPEAKERS_MAX; s++)
		best = heard.time_s[s] > (best > 0 ? heard.time_s[best] : 0) ? s : best;
	return best;
}

static void set_label(WeftContent *content, const Near *near, guint32 speaker)
{
	const double *time = g_array_index(content->anchors, WeftAnchor, 0).time;
	Heard heard;

	if (speaker == 0)
		return;
	hear(near, time, &heard);
	if (heard.margin[speaker] < WEFT_TURN_MARGIN_MIN)
		return;
	g_autoptr(GString) label = g_string_new(NULL);

	g_string_append_printf(label, "S%u", speaker);
	for (guint32 s = 1; s <= WEFT_SPEAKERS_MAX; s++)
		if (s != speaker && heard.overlap_s[s] * 2 >= time[1] - time[0])
			g_string_append_printf(label, "+S%u", s);
	if (heard.margin[speaker] < WEFT_TURN_MARGIN_SURE)
		g_string_append_c(label, '?');
	content->speaker = g_string_free(g_steal_pointer(&label), FALSE);
}

/* Words [first, end) of a content as one of their own. */
static WeftContent *piece_of(const WeftContent *content, guint first, guint end)
{
	guint n_words = content->words->len;
	const WeftWord *words = (const void *)content->words->data;
	WeftAnchor at = g_array_index(content->anchors, WeftAnchor, 0);
	guint32 n_chars = (guint32)g_utf8_strlen(content->text, -1);
	guint32 char_first = first > 0 ? words[first].char_first : 0;
	guint32 char_end = end < n_words ? words[end].char_first : n_chars;
	double confidence = 0;
	guint n_known = 0;

	at.time[0] = first > 0 ? words[first].at.time[0] : at.time[0];
	at.time[1] = end < n_words ? words[end - 1].at.time[1] : at.time[1];
	g_autofree char *text = g_utf8_substring(content->text, char_first, char_end);
	WeftContent *piece =
	    weft_content_new(content->kind, content->by, g_strdup(g_strchomp(text)), at);

	piece->hidden = content->hidden;
	piece->reason = g_strdup(content->reason);
	for (guint i = first; i < end; i++) {
		WeftWord word = words[i];
		word.char_first -= char_first;
		word.char_end -= char_first;
		weft_content_add_word(piece, word);
		confidence += word.confidence >= 0 ? word.confidence : 0;
		n_known += word.confidence >= 0;
	}
	piece->confidence = n_known > 0 ? confidence / n_known : content->confidence;
	return piece;
}

/* Nobody's words go with the one before, those at the beginning with the one behind. */
static void fill_gaps(guint32 *speakers, guint n)
{
	for (guint i = 1; i < n; i++)
		speakers[i] = speakers[i] ? speakers[i] : speakers[i - 1];
	for (guint i = n - 1; i-- > 0;)
		speakers[i] = speakers[i] ? speakers[i] : speakers[i + 1];
}

static gboolean can_be_cut(const WeftContent *content)
{
	if (!content->text || !content->words || content->words->len < 2)
		return FALSE;
	for (guint i = 0; i < content->words->len; i++) {
		const WeftWord *word = &g_array_index(content->words, WeftWord, i);
		if (!word->at.has_time || (i > 0 && word->char_first < (word - 1)->char_end))
			return FALSE;
	}
	return TRUE;
}

GPtrArray *weft_sounding_label(const WeftSounding *sounding, WeftContent *take_content)
{
	GPtrArray *contents = g_ptr_array_new_with_free_func((GDestroyNotify)weft_content_free);
	const GArray *turns = sounding->turns;
	g_autoptr(WeftContent) content = take_content;
	const WeftAnchor *at = &g_array_index(content->anchors, WeftAnchor, 0);

	if (content->speaker || !at->has_time || turns->len == 0) {
		g_ptr_array_add(contents, g_steal_pointer(&content));
		return contents;
	}
	Near near = find_near(turns, at->time);

	if (!can_be_cut(content)) {
		set_label(content, &near, speaker_of(&near, at->time));
		g_ptr_array_add(contents, g_steal_pointer(&content));
		return contents;
	}
	guint n = content->words->len;
	g_autofree guint32 *speakers = g_new(guint32, n);

	for (guint i = 0; i < n; i++)
		speakers[i] = speaker_of(&near, g_array_index(content->words, WeftWord, i).at.time);
	fill_gaps(speakers, n);
	for (guint first = 0, end = 1; end <= n; end++) {
		if (end < n && speakers[end] == speakers[first])
			continue;
		WeftContent *piece = first == 0 && end == n ? g_steal_pointer(&content)
		                                            : piece_of(content, first, end);
		set_label(piece, &near, speakers[first]);
		g_ptr_array_add(contents, piece);
		first = end;
	}
	return contents;
}
