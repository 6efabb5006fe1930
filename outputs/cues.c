#include "outputs/cues.h"

#include <string.h>

#include "base/utf8.h"

#define CUE_CHARS_MAX (2 * WEFT_CUE_LINE_CHARS)
#define CUE_SECONDS_MAX 7.0
#define PAUSE_S 1.0
/* The end of a sentence ends a cue that has at least so many characters. */
#define SENTENCE_CHARS_MIN WEFT_CUE_LINE_CHARS

/* A word, or a piece between two spaces where words have no times. */
typedef struct Piece {
	gsize first, end; /* bytes of the item's text */
	double from_s, to_s;
} Piece;

static void cue_free(void *data)
{
	WeftCue *cue = data;

	g_free(cue->text);
	g_free(cue);
}

char *weft_cue_line(const char *text)
{
	g_autoptr(GString) valid = g_string_new(NULL);
	GString *line = g_string_new(NULL);

	if (text)
		weft_utf8_append_valid(valid, text, strlen(text));
	for (const char *p = valid->str; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (!weft_utf8_is_obeyed(c) && !g_unichar_isspace(c))
			g_string_append_unichar(line, c);
		else if (line->len > 0 && line->str[line->len - 1] != ' ')
			g_string_append_c(line, ' ');
	}
	if (line->len > 0 && line->str[line->len - 1] == ' ')
		g_string_truncate(line, line->len - 1);
	return g_string_free(line, FALSE);
}

/* FALSE: the anchor has no time. */
static gboolean time_of(const WeftJson *at, double *ret_from_s, double *ret_to_s)
{
	const WeftJson *time = weft_json_member(at, "time");

	return weft_json_double(weft_json_at(time, 0), ret_from_s) &&
	       weft_json_double(weft_json_at(time, 1), ret_to_s);
}

/* Words with times; what stands between them goes with the word before. */
static void add_words(GArray *pieces, const char *text, const WeftJson *words)
{
	glong n_chars = g_utf8_strlen(text, -1);

	for (gsize i = 0; i < weft_json_length(words); i++) {
		const WeftJson *word = weft_json_at(words, i);
		gint64 first;
		Piece piece = { .end = strlen(text) };

		if (!weft_json_int(weft_json_at(weft_json_member(word, "chars"), 0), &first) ||
		    !time_of(weft_json_member(word, "at"), &piece.from_s, &piece.to_s) ||
		    first < 0 || first > n_chars)
			continue;
		piece.first = (gsize)(g_utf8_offset_to_pointer(text, first) - text);
		if (pieces->len > 0) {
			Piece *before = &g_array_index(pieces, Piece, pieces->len - 1);

			if (piece.first < before->first)
				continue;
			before->end = piece.first;
		} else {
			piece.first = 0;
		}
		g_array_append_val(pieces, piece);
	}
}

/* Pieces between spaces, each with its share of the time. */
static void add_shares(GArray *pieces, const char *text, double from_s, double to_s)
{
	gsize size = strlen(text);
	double per_byte = (to_s - from_s) / (double)MAX(size, 1);

	for (gsize first = 0, end; first < size; first = end) {
		for (end = first; text[end] && !g_ascii_isspace(text[end]); end++)
			;
		while (text[end] && g_ascii_isspace(text[end]))
			end++;
		Piece piece = { first, end, from_s + per_byte * (double)first,
				from_s + per_byte * (double)end };

		g_array_append_val(pieces, piece);
	}
}

static gboolean ends_sentence(const char *text, const Piece *piece)
{
	gsize end = piece->end;

	while (end > piece->first && g_ascii_isspace(text[end - 1]))
		end--;
	return end > piece->first && strchr(".?!", text[end - 1]) != NULL;
}

/* TRUE when `next` begins another cue than the one of pieces first..last. */
static gboolean is_cut(const char *text, const Piece *first, const Piece *last, const Piece *next)
{
	glong n_chars = g_utf8_strlen(text + first->first, (gssize)(last->end - first->first));
	glong n_more = g_utf8_strlen(text + next->first, (gssize)(next->end - next->first));

	return n_chars + n_more > CUE_CHARS_MAX || next->to_s - first->from_s > CUE_SECONDS_MAX ||
	       next->from_s - last->to_s > PAUSE_S ||
	       (n_chars >= SENTENCE_CHARS_MIN && ends_sentence(text, last));
}

static void add_cue(GPtrArray *cues, const WeftJson *item, const char *text, const Piece *first,
		    const Piece *last)
{
	const WeftJson *at = weft_json_at(weft_json_member(item, "at"), 0);
	g_autofree char *piece = g_strndup(text + first->first, last->end - first->first);
	g_autofree char *line = weft_cue_line(piece);

	if (!*line)
		return;
	WeftCue *cue = g_new0(WeftCue, 1);

	cue->from_s = first->from_s;
	cue->to_s = MAX(last->to_s, first->from_s);
	(void)weft_json_uint(weft_json_member(at, "document"), &cue->document); /* 0 stays */
	cue->speaker = weft_json_string(weft_json_member(item, "speaker"), NULL);
	cue->text = g_steal_pointer(&line);
	g_ptr_array_add(cues, cue);
}

static void add_item(GPtrArray *cues, const WeftJson *item)
{
	const char *kind = weft_json_string(weft_json_member(item, "kind"), NULL);
	const char *text = weft_json_string(weft_json_member(item, "text"), NULL);
	g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
	double from_s, to_s;
	guint first = 0;

	if (!kind || strcmp(kind, "speech") != 0 || !text ||
	    !time_of(weft_json_at(weft_json_member(item, "at"), 0), &from_s, &to_s))
		return;
	add_words(pieces, text, weft_json_member(item, "words"));
	if (pieces->len == 0)
		add_shares(pieces, text, from_s, to_s);
	for (guint i = 0; i < pieces->len; i++) {
		const Piece *at = &g_array_index(pieces, Piece, i);

		if (i + 1 < pieces->len && !is_cut(text, &g_array_index(pieces, Piece, first), at, at + 1))
			continue;
		add_cue(cues, item, text, &g_array_index(pieces, Piece, first), at);
		first = i + 1;
	}
}

static int compare_times(const void *a, const void *b)
{
	const WeftCue *left = *(WeftCue *const *)a, *right = *(WeftCue *const *)b;

	if (left->document != right->document)
		return left->document < right->document ? -1 : 1;
	return (left->from_s > right->from_s) - (left->from_s < right->from_s);
}

GPtrArray *weft_cues_of(const WeftJson *record)
{
	GPtrArray *cues = g_ptr_array_new_with_free_func(cue_free);
	const WeftJson *content = weft_json_member(record, "content");

	for (gsize i = 0; i < weft_json_length(content); i++)
		add_item(cues, weft_json_at(content, i));
	g_ptr_array_sort(cues, compare_times); /* stable: GLib sorts by merging */
	return cues;
}
