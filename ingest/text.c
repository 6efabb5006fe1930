/* text.c - plain text and Markdown: one content for each run of paragraphs.
 *
 * The file is read in blocks (text_source.h), so that a text of any size flows; a content ends at
 * the last empty line, line end or space before its limit.
 */
#include <string.h>

#include "ingest/decoder.h"
#include "ingest/text.h"
#include "ingest/text_source.h"

#define CONTENT_BYTES 4096u

typedef struct TextState {
	WeftTextSource *source;
	GString *text; /* UTF-8 that is not given yet */
	gboolean is_begun;
} TextState;

static gboolean text_open(const WeftDecodeJob *job, void **ret_state, GError **error)
{
	TextState *state = g_new0(TextState, 1);
	state->source = weft_text_source_new(job->fd);
	state->text = g_string_new(NULL);
	*ret_state = state;
	return TRUE;
}

static void text_close(void *data)
{
	TextState *state = data;
	weft_text_source_free(state->source);
	g_string_free(state->text, TRUE);
	g_free(state);
}

/* Where to end a content that must not exceed `limit`: after the last empty line, line or word
 * within, but never so early that the pieces become crumbs. */
static gsize piece_bytes(const GString *text, gsize limit)
{
	static const char *const ENDS[] = {"\n\n", "\n", " "};
	if (text->len <= limit)
		return text->len;
	for (guint i = 0; i < G_N_ELEMENTS(ENDS); i++) {
		const char *end = g_strrstr_len(text->str, (gssize)limit, ENDS[i]);
		if (end && (gsize)(end - text->str) >= limit / 4)
			return (gsize)(end - text->str) + strlen(ENDS[i]);
	}
	const char *end = g_utf8_find_prev_char(text->str, text->str + limit + 1);
	return (gsize)(end - text->str);
}

static WeftPart *take_piece(TextState *state)
{
	WeftAnchor whole = {0};
	gsize size = piece_bytes(state->text, CONTENT_BYTES);
	char *piece = g_strndup(state->text->str, size);
	g_string_erase(state->text, 0, (gssize)size);
	g_strchomp(piece);
	return weft_part_new_content(
	    weft_content_new(WEFT_CONTENT_TEXT, WEFT_BY_FILE, piece, whole));
}

static void drop_leading_lines(GString *text)
{
	gsize at = 0, line = 0;
	while (at < text->len && g_ascii_isspace(text->str[at])) {
		at++;
		if (text->str[at - 1] == '\n' || text->str[at - 1] == '\r')
			line = at;
	}
	g_string_erase(text, 0, (gssize)(at == text->len ? at : line));
}

static gboolean text_next(void *data, WeftPart **ret_part, GError **error)
{
	TextState *state = data;
	if (!state->is_begun) {
		if (!weft_text_source_read(state->source, state->text, error))
			return FALSE;
		state->is_begun = TRUE;
		*ret_part =
		    weft_part_new_meta("encoding", weft_text_source_encoding(state->source));
		return TRUE;
	}
	gboolean has_ended = FALSE;
	do {
		while (!has_ended && state->text->len <= 2 * CONTENT_BYTES) {
			if (!weft_text_source_read(state->source, state->text, error))
				return FALSE;
			has_ended = weft_text_source_has_ended(state->source);
		}
		drop_leading_lines(state->text);
	} while (!has_ended && state->text->len <= CONTENT_BYTES);
	*ret_part = state->text->len > 0 ? take_piece(state) : NULL;
	return TRUE;
}

const WeftDecoder weft_text_decoder = {
    .name = "text",
    .family = WEFT_FAMILY_TEXT,
    .open = text_open,
    .next = text_next,
    .close = text_close,
};
