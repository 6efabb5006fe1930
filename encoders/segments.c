#include "encoders/segments.h"

#include "encoders/whisper_rules.h"

/* Frames of log-mel in a step of the time tokens. */
#define STRIDE 2

static void clear_segment(gpointer segment)
{
	GArray *words = ((WeftSegment *)segment)->words;

	if (words)
		g_array_unref(words);
}

void weft_cut_done(WeftCut *cut)
{
	if (cut->segments)
		g_array_unref(cut->segments);
	cut->segments = NULL;
}

static void add_segment(const WeftWhisperTokens *tokens, const guint32 *ids, gsize n_ids,
			double begin_s, double end_s, WeftCut *cut)
{
	GArray *all = cut->segments;
	WeftSegment segment = { .tokens = ids, .n_tokens = n_ids, .time = { begin_s, end_s } };

	if (all->len) {
		const WeftSegment *last = &g_array_index(all, WeftSegment, all->len - 1);

		segment.text_first = last->text_first + last->n_text;
	}
	for (gsize i = 0; i < n_ids; i++)
		segment.n_text += ids[i] < tokens->eot;
	g_array_append_val(all, segment);
}

/* Seconds from the begin of the window; what is no time counts from the first as in the
 * reference, which never meets it. */
static double seconds_of(const WeftWhisperTokens *tokens, guint32 id)
{
	return ((double)id - tokens->first_timestamp) * (1.0 / WEFT_WHISPER_TIMES_PER_S);
}

/* Segments that end where two times meet. Returns how many ids they took. */
static gsize cut_pairs(const WeftWhisperTokens *tokens, const guint32 *ids, gsize n_ids,
		       double begin_s, WeftCut *cut)
{
	gsize first = 0;

	for (gsize end = 1; end <= n_ids; end++) {
		gboolean is_pair = end < n_ids && ids[end - 1] >= tokens->first_timestamp &&
				   ids[end] >= tokens->first_timestamp;

		if (!is_pair && !(end == n_ids && cut->is_whole && first > 0))
			continue;
		add_segment(tokens, ids + first, end - first,
			    begin_s + seconds_of(tokens, ids[first]),
			    begin_s + seconds_of(tokens, ids[end - 1]), cut);
		first = end;
	}
	return first;
}

/* Frames from the begin of the window to its last time, or all of them. */
static double last_second(const WeftWhisperTokens *tokens, const guint32 *ids, gsize n_ids,
			  gsize n_frames)
{
	gsize i = n_ids;

	while (i > 0 && ids[i - 1] < tokens->first_timestamp)
		i--;
	if (i == 0 || ids[i - 1] == tokens->first_timestamp)
		return (double)n_frames / WEFT_FRAMES_PER_S;
	return seconds_of(tokens, ids[i - 1]);
}

void weft_segments_cut(const WeftWhisperTokens *tokens, const guint32 *ids, gsize n_ids, gsize seek,
		       gsize n_frames, WeftCut *ret_cut)
{
	guint32 time = tokens->first_timestamp;
	double begin_s = (double)seek / WEFT_FRAMES_PER_S;
	gsize n_taken;

	*ret_cut = (WeftCut){
		.segments = g_array_new(FALSE, TRUE, sizeof(WeftSegment)),
		.seek = seek + n_frames,
		.is_whole = n_ids >= 2 && ids[n_ids - 2] < time && ids[n_ids - 1] >= time,
	};
	g_array_set_clear_func(ret_cut->segments, clear_segment);
	n_taken = cut_pairs(tokens, ids, n_ids, begin_s, ret_cut);
	if (n_taken == 0)
		add_segment(tokens, ids, n_ids, begin_s,
			    begin_s + last_second(tokens, ids, n_ids, n_frames), ret_cut);
	else if (!ret_cut->is_whole)
		ret_cut->seek = seek + (gsize)(ids[n_taken - 1] - time) * STRIDE;
}
