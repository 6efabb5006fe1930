#include <string.h>

#include "encoders/encoders_private.h"

/* Of a name. Those that people have are shorter; a file may say anything. */
#define SPEAKER_CHARS_MAX 40

void weft_text_markers(const WeftAnchor *at, const WeftAnchor *before, GString *text)
{
	if (before && before->document != at->document)
		before = NULL;
	if (at->page && (!before || before->page != at->page))
		g_string_append_printf(text, "[p. %u]\n", at->page);
	if (!at->has_time)
		return;
	guint32 block = weft_anchor_block(at), second = block * WEFT_BLOCK_S;

	if (!before || !before->has_time || weft_anchor_block(before) != block)
		g_string_append_printf(text, "[%02u:%02u:%02u]\n", second / 3600, second / 60 % 60,
				       second % 60);
}

static gboolean is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The text that is told: without line ends before and space behind it. FALSE: nothing is left. */
static gboolean told(const WeftPassage *passage, const char **ret_text, gsize *ret_size_bytes)
{
	const char *text = passage->text;
	gsize size_bytes = passage->size_bytes;

	while (size_bytes && is_space(text[size_bytes - 1]))
		size_bytes--;
	while (size_bytes && (*text == '\n' || *text == '\r')) {
		text++;
		size_bytes--;
	}
	*ret_text = text;
	*ret_size_bytes = size_bytes;
	return size_bytes > 0;
}

/* ---- the fence ---- */

/* TRUE when what stands behind a "<" makes a mark of the fence of it: "document>", "/document", also
 * in capitals, with spaces, with attributes; not "documents". */
static gboolean is_mark(const char *p)
{
	static const char word[] = "document";

	while (is_space(*p) || *p == '/')
		p++;
	if (g_ascii_strncasecmp(p, word, strlen(word)) != 0)
		return FALSE;
	p += strlen(word);
	return !g_unichar_isalnum(g_utf8_get_char_validated(p, -1)) && *p != '_' && *p != '-';
}

/* What would open or close the fence does not: its "<" becomes U+2039, one character for one, so that
 * characters keep their numbers. */
static char *without_fences(const char *text)
{
	GString *told = g_string_sized_new(strlen(text) + 1);
	const char *open;

	while ((open = strchr(text, '<')) != NULL) {
		g_string_append_len(told, text, open - text);
		g_string_append(told, is_mark(open + 1) ? "\u2039" : "<");
		text = open + 1;
	}
	g_string_append(told, text);
	return g_string_free(told, FALSE);
}

static gboolean is_spoken(const WeftPassage *passage)
{
	return passage->speaker && *passage->speaker;
}

/* On one line, whatever the file calls them. */
char *weft_passage_name(const WeftPassage *passage)
{
	const char *at = passage->speaker;

	if (!is_spoken(passage))
		return NULL;
	g_autoptr(GString) name = g_string_new(NULL);

	for (int i = 0; i < SPEAKER_CHARS_MAX && *at; i++, at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		g_string_append_unichar(name, g_unichar_isprint(c) ? c : ' ');
	}
	return without_fences(name->str);
}

/* The space behind it belongs to the text's first word. */
void weft_text_encode_speaker(const WeftEncoders *encoders, const WeftPassage *passage, GArray *ids)
{
	g_autofree char *name = weft_passage_name(passage);
	const char *text;
	gsize size_bytes;

	if (!name || !told(passage, &text, &size_bytes))
		return;
	g_autofree char *told_name = g_strconcat(name, ":", NULL);

	weft_text_encode_plain(encoders, told_name, ids);
}

void weft_text_encode(const WeftEncoders *encoders, const WeftPassage *passage, GArray *ids)
{
	const char *text;
	gsize size_bytes;

	if (!told(passage, &text, &size_bytes))
		return;
	/* With its line feed in one piece: "." and the line feed behind it are one token. */
	g_autoptr(GString) line = g_string_sized_new(size_bytes + 2);

	if (is_spoken(passage) && !is_space(*text))
		g_string_append_c(line, ' ');
	g_string_append_len(line, text, (gssize)size_bytes);
	g_string_append_c(line, '\n');
	g_autofree char *fenced = without_fences(line->str);

	weft_text_encode_plain(encoders, fenced, ids);
}

void weft_text_encode_plain(const WeftEncoders *encoders, const char *text, GArray *ids)
{
	weft_tokenizer_continue(encoders->tokenizer, text, strlen(text), FALSE, ids);
}

const char *weft_text_trim(const char *text, gsize *ret_size_bytes)
{
	gsize size_bytes = strlen(text);

	while (size_bytes && is_space(text[size_bytes - 1]))
		size_bytes--;
	while (size_bytes && is_space(*text)) {
		text++;
		size_bytes--;
	}
	*ret_size_bytes = size_bytes;
	return text;
}

static gsize markers_tokens(const WeftEncoders *encoders, const WeftAnchor *at,
			    const WeftAnchor *before)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));

	weft_text_markers(at, before, text);
	weft_text_encode_plain(encoders, text->str, ids);
	return ids->len;
}

gsize weft_encoders_text_tokens(const WeftEncoders *encoders, const WeftPassage *passage,
				const WeftAnchor *before)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));

	weft_text_encode_speaker(encoders, passage, ids);
	weft_text_encode(encoders, passage, ids);
	return ids->len + markers_tokens(encoders, &passage->at, before);
}

static gsize line_feed_tokens(const WeftEncoders *encoders)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));

	weft_text_encode_plain(encoders, "\n", ids);
	return ids->len;
}

gsize weft_encoders_image_tokens(const WeftEncoders *encoders, guint32 width, guint32 height,
				 gboolean single_tile, const WeftAnchor *at,
				 const WeftAnchor *before)
{
	guint32 n_rows, n_cols;

	g_return_val_if_fail(weft_encoders_can_see(encoders), 0);
	weft_tiling_canvas(&encoders->tiling, MAX(width, 1), MAX(height, 1), single_tile, &n_rows,
			   &n_cols);
	return markers_tokens(encoders, at, before) +
	       weft_image_n_tokens(encoders, n_rows, n_cols) + line_feed_tokens(encoders);
}

gsize weft_encoders_audio_tokens(const WeftEncoders *encoders, gsize n_rows, const WeftAnchor *at,
				 const WeftAnchor *before)
{
	return markers_tokens(encoders, at, before) + n_rows + line_feed_tokens(encoders);
}

gsize weft_encoders_audio_rows(const WeftEncoders *encoders, gsize n_samples)
{
	g_return_val_if_fail(weft_encoders_can_hear(encoders), 1);
	return weft_audio_tokens(&encoders->audio_shape, n_samples);
}

gsize weft_encoders_audio_block(const WeftEncoders *encoders, gsize n_samples, const WeftAnchor *at,
				gsize row_first, WeftAnchor *ret_at)
{
	gsize n_rows = weft_encoders_audio_rows(encoders, n_samples), row = row_first;
	WeftAnchor next = *at;

	*ret_at = *at;
	if (!at->has_time)
		return n_rows - row_first;
	ret_at->time[0] += weft_audio_token_s(&encoders->audio_shape, row_first);
	do {
		next.time[0] = at->time[0] + weft_audio_token_s(&encoders->audio_shape, ++row);
	} while (row < n_rows && weft_anchor_block(&next) == weft_anchor_block(ret_at));
	ret_at->time[1] = row < n_rows ? next.time[0] : MAX(at->time[1], ret_at->time[0]);
	return row - row_first;
}

gsize weft_encoders_frame_tokens(const WeftEncoders *encoders, const char *system,
				 const char *question)
{
	g_autoptr(WeftSequence) sequence =
		weft_request_finish(weft_request_new(encoders, system), question, NULL);

	return sequence ? weft_sequence_length(sequence) : 0;
}
