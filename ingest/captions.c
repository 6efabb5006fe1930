/* captions.c - blocks of lines become contents; cue_text.h reads what stands in one. */
#include "ingest/captions.h"

#include <math.h>
#include <string.h>

#include "ingest/cue_text.h"
#include "ingest/text_source.h"

#define LINE_MAX_BYTES 16384u
#define CUE_LINES_MAX 64u
/* Captions that are looked at before it is said whether they begin with names. */
#define LOOK_AHEAD 64u
#define NAMED_SHARE 0.8
#define NAME_MAX_CHARS 40

typedef struct Captions {
	WeftTextSource *source;
	GString *text;     /* read, and not yet cut into lines */
	gsize at;          /* in it */
	guint64 n_line;
	char *last_line;   /* of the caption before, for rolling ones */
	WeftAnchor next;   /* times that stood where an empty line was due */
	gboolean has_next;
	GQueue contents;   /* WeftContent, as they are to be given */
	gboolean is_named; /* captions begin with "Anna: " */
	gboolean has_looked, encoding_told, fault_told;
	guint64 n_bad, first_bad; /* captions that could not be read; line of the first */
} Captions;

static gboolean captions_open(const WeftDecodeJob *job, void **ret_state, GError **error)
{
	Captions *state = g_new0(Captions, 1);
	state->source = weft_text_source_new(job->fd);
	state->text = g_string_new(NULL);
	g_queue_init(&state->contents);
	*ret_state = state;
	return TRUE;
}

static void captions_close(void *data)
{
	Captions *state = data;
	weft_text_source_free(state->source);
	g_string_free(state->text, TRUE);
	g_free(state->last_line);
	g_queue_clear_full(&state->contents, (GDestroyNotify)weft_content_free);
	g_free(state);
}

/* The next line without its end; NULL at the end of the file, or with the error set. A line that is
 * too long ends at its limit. */
static char *next_line(Captions *state, GError **error)
{
	for (;;) {
		const char *begin = state->text->str + state->at;
		gsize left = state->text->len - state->at;
		gsize size = strcspn(begin, "\r\n");
		gboolean has_ended = weft_text_source_has_ended(state->source);
		/* "\r" may be half of "\r\n" */
		if (size < left && (has_ended || size + 1 < left)) {
			state->at += size + (begin[size] == '\r' && begin[size + 1] == '\n' ? 2 : 1);
			state->n_line++;
			return g_strndup(begin, size);
		}
		if (size >= LINE_MAX_BYTES || (has_ended && left > 0)) {
			const char *end = g_utf8_find_prev_char(begin, begin + MIN(size, LINE_MAX_BYTES) + 1);
			gsize cut = size < LINE_MAX_BYTES ? size : (gsize)(end - begin);
			state->at += MIN(cut + (size < left && cut == size ? 1 : 0), left);
			state->n_line++;
			return g_strndup(begin, cut);
		}
		if (has_ended)
			return NULL;
		g_string_erase(state->text, 0, (gssize)state->at);
		state->at = 0;
		if (!weft_text_source_read(state->source, state->text, error))
			return NULL;
	}
}

/* "00:01:02.000 --> 00:01:03.500 align:start"; FALSE: it is no such line. */
static gboolean read_times(const char *line, WeftAnchor *ret_at)
{
	const char *at = line + strspn(line, " \t");
	double from_s = weft_cue_time(at, &at);
	if (from_s < 0)
		return FALSE;
	at += strspn(at, " \t");
	if (!g_str_has_prefix(at, "-->"))
		return FALSE;
	at += 3;
	at += strspn(at, " \t");
	double to_s = weft_cue_time(at, &at);
	if (to_s < from_s)
		return FALSE;
	*ret_at = (WeftAnchor){.has_time = TRUE, .time = {from_s, to_s}};
	return TRUE;
}

/* The lines of a caption, less those that it repeats of the one before. */
static char *cue_text(Captions *state, const GPtrArray *lines)
{
	GString *text = g_string_new(NULL);
	for (guint i = 0; i < lines->len; i++) {
		const char *line = lines->pdata[i];
		if (text->len == 0 && state->last_line && !strcmp(line, state->last_line))
			continue;
		g_string_append_printf(text, "%s%s", text->len > 0 ? "\n" : "", line);
	}
	if (lines->len > 0) {
		g_free(state->last_line);
		state->last_line = g_strdup(lines->pdata[lines->len - 1]);
	}
	return g_string_free(text, FALSE);
}

static gboolean is_number(const char *line)
{
	return *line && line[strspn(line, "0123456789")] == '\0';
}

/* The text below a line of times, up to an empty line (a line of spaces is none). Where the empty
 * line was forgotten, the next line of times ends it, with the number above that. */
static gboolean read_cue(Captions *state, WeftAnchor at, GError **error)
{
	g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
	GError *failure = NULL;
	gboolean is_open = TRUE;
	state->has_next = FALSE;
	while (is_open && lines->len < CUE_LINES_MAX) {
		g_autofree char *line = next_line(state, &failure);
		state->has_next = line && read_times(line, &state->next);
		is_open = line && *line && !state->has_next;
		if (is_open && *g_strstrip(line))
			g_ptr_array_add(lines, g_steal_pointer(&line));
	}
	if (failure) {
		g_propagate_error(error, failure);
		return FALSE;
	}
	if (state->has_next && lines->len > 0 && is_number(lines->pdata[lines->len - 1]))
		g_ptr_array_set_size(lines, (gint)lines->len - 1);
	if (is_open) { /* what is longer goes on as another of the same time */
		state->next = at;
		state->has_next = TRUE;
	}
	g_autofree char *text = cue_text(state, lines);
	weft_cue_text_add(&state->contents, text, at);
	return TRUE;
}

/* Blocks that hold no caption: passed over up to the next empty line. */
static gboolean is_other_block(const char *line)
{
	static const char *const NAMES[] = {"WEBVTT", "NOTE", "STYLE", "REGION"};
	for (guint i = 0; i < G_N_ELEMENTS(NAMES); i++) {
		gsize size = strlen(NAMES[i]);
		if (g_str_has_prefix(line, NAMES[i]) &&
		    (line[size] == '\0' || line[size] == ' ' || line[size] == '\t'))
			return TRUE;
	}
	return FALSE;
}

/* One block further: a caption goes to the contents. *ret_ended: there are no more. */
static gboolean read_block(Captions *state, gboolean *ret_ended, GError **error)
{
	GError *failure = NULL;
	gboolean passes = FALSE;
	guint64 first_line = 0;
	if (state->has_next)
		return read_cue(state, state->next, error);
	for (;;) {
		g_autofree char *line = next_line(state, &failure);
		WeftAnchor at;
		if (failure) {
			g_propagate_error(error, failure);
			return FALSE;
		}
		if (line && !passes && read_times(line, &at))
			return read_cue(state, at, error);
		if (!line || !*line) {
			if (first_line > 0 && !passes) { /* a block, and no times in it */
				state->n_bad++;
				state->first_bad = state->first_bad ? state->first_bad : first_line;
			}
			*ret_ended = line == NULL;
			return TRUE;
		}
		passes |= first_line == 0 && is_other_block(line);
		first_line = first_line ? first_line : state->n_line;
	}
}

/* ---- names ---- */

/* Bytes of "Anna Keller" in "Anna Keller: text"; 0: no name stands there. */
static gsize name_bytes(const char *text)
{
	const char *colon = strstr(text, ": ");
	if (!colon || !g_unichar_isupper(g_utf8_get_char(text)) ||
	    g_utf8_strlen(text, colon - text) > NAME_MAX_CHARS)
		return 0;
	for (const char *p = text; p < colon; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);
		if (!g_unichar_isalnum(c) && !strchr(" .-'’()", *p) && c < 0x80)
			return 0;
	}
	return (gsize)(colon - text);
}

/* TRUE when so many of the first captions begin with a name that the names must be meant. */
static gboolean are_named(const GQueue *contents)
{
	guint n = 0, n_named = 0;
	for (const GList *at = contents->head; at; at = at->next) {
		const WeftContent *content = at->data;
		n++;
		n_named += content->speaker == NULL && name_bytes(content->text) > 0;
	}
	return n >= 3 && n_named >= NAMED_SHARE * n;
}

static void split_name(WeftContent *content)
{
	gsize size = content->speaker || weft_content_n_words(content) > 0 ? 0
	                                                                   : name_bytes(content->text);
	if (size == 0)
		return;
	content->speaker = g_strndup(content->text, size);
	char *rest = g_strdup(content->text + size + 2);
	g_free(content->text);
	content->text = rest;
}

/* ---- parts ---- */

static WeftPart *bad_part(Captions *state)
{
	WeftAnchor whole = {0};
	state->fault_told = TRUE;
	return weft_part_new_fault(whole, WEFT_ERROR_CORRUPT,
	                           "%" G_GUINT64_FORMAT " caption%s without times not read, the "
	                           "first in line %" G_GUINT64_FORMAT,
	                           state->n_bad, state->n_bad == 1 ? "" : "s", state->first_bad);
}

static gboolean captions_next(void *data, WeftPart **ret_part, GError **error)
{
	Captions *state = data;
	guint wanted = state->has_looked ? 1 : LOOK_AHEAD;
	gboolean has_ended = FALSE;
	while (state->contents.length < wanted && !has_ended)
		if (!read_block(state, &has_ended, error))
			return FALSE;
	if (!state->has_looked)
		state->is_named = are_named(&state->contents);
	state->has_looked = TRUE;
	if (!state->encoding_told) {
		state->encoding_told = TRUE;
		*ret_part =
		    weft_part_new_meta("encoding", weft_text_source_encoding(state->source));
		return TRUE;
	}
	WeftContent *content = g_queue_pop_head(&state->contents);
	if (content && state->is_named)
		split_name(content);
	*ret_part = content ? weft_part_new_content(content)
	            : state->n_bad > 0 && !state->fault_told ? bad_part(state) : NULL;
	return TRUE;
}

static const char *const TYPES[] = {"text/vtt", "application/x-subrip", NULL};

const WeftDecoder weft_captions_decoder = {
    .name = "captions",
    .family = WEFT_FAMILY_TEXT,
    .media_types = TYPES,
    .open = captions_open,
    .next = captions_next,
    .close = captions_close,
};
