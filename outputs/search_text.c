#include "outputs/search_text.h"

#include <string.h>

#include "outputs/record_source.h"

/* Of one document; the rest is not found. A record of more text than this is larger than 1 GiB. */
#define BODY_BYTES_MAX ((gsize)256 << 20)
#define ABOUT_BYTES_MAX ((gsize)1 << 20)
/* Of a snippet, and how much of it stands before its first found word. */
#define SNIPPET_BYTES 240
#define LEAD_BYTES 60
/* Arrays and objects inside each other whose strings are looked at. */
#define ANSWER_DEPTH_MAX 32

WeftSearchText *weft_search_text_new(void)
{
	WeftSearchText *text = g_new0(WeftSearchText, 1);

	text->body = g_string_new(NULL);
	text->about = g_string_new(NULL);
	text->places = g_string_new(NULL);
	text->time_s = -1;
	return text;
}

void weft_search_text_free(WeftSearchText *text)
{
	if (!text)
		return;
	g_string_free(text->body, TRUE);
	g_string_free(text->about, TRUE);
	g_string_free(text->places, TRUE);
	g_free(text);
}

gsize weft_search_text_bytes(const WeftSearchText *text)
{
	return text->body->len + text->about->len + text->places->len;
}

/* One more line, without control characters but newlines. */
static void add_line(GString *to, const char *line, gsize limit_bytes)
{
	g_autofree char *valid = g_utf8_make_valid(line, -1);

	if (to->len + strlen(valid) + 1 > limit_bytes)
		return;
	if (to->len > 0)
		g_string_append_c(to, '\n');
	for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (g_unichar_iscntrl(c) && c != '\n')
			g_string_append_c(to, ' ');
		else
			g_string_append_len(to, p, g_utf8_next_char(p) - p);
	}
}

/* Where the next item stands. Only what changes is noted. */
static void note_place(WeftSearchText *text, guint32 document, guint32 page, double time_s)
{
	gsize offset = text->body->len > 0 ? text->body->len + 1 : 0;

	if (document == text->document && page == text->page && time_s == text->time_s)
		return;
	text->document = document;
	text->page = page;
	text->time_s = time_s;
	if (page > 0)
		g_string_append_printf(text->places, "%" G_GSIZE_FORMAT " p%u", offset, page);
	else if (time_s >= 0)
		g_string_append_printf(text->places, "%" G_GSIZE_FORMAT " t%u", offset,
				       time_s < 4e9 ? (guint)time_s : 0);
	else
		g_string_append_printf(text->places, "%" G_GSIZE_FORMAT " -", offset);
	if (document > 0)
		g_string_append_printf(text->places, " d%u", document);
	g_string_append_c(text->places, '\n');
}

/* Behind all places. */
static void note_name(WeftSearchText *text, guint32 document, const char *name)
{
	g_autofree char *encoded = g_uri_escape_bytes((const guint8 *)name, strlen(name), NULL);

	g_string_append_printf(text->places, "d%u %s\n", document, encoded);
}

void weft_search_text_add_content(WeftSearchText *text, const WeftContent *content)
{
	const WeftAnchor *at = &g_array_index(content->anchors, WeftAnchor, 0);

	if (!content->text || content->hidden)
		return;
	note_place(text, at->document, at->page, at->has_time ? at->time[0] : -1);
	add_line(text->body, content->text, BODY_BYTES_MAX);
}

void weft_search_text_add_about(WeftSearchText *text, const char *about)
{
	if (about && *about)
		add_line(text->about, about, ABOUT_BYTES_MAX);
}

/* ---- a written record ---- */

static void add_strings(WeftSearchText *text, const WeftJson *value, guint depth)
{
	weft_search_text_add_about(text, weft_json_string(value, NULL));
	for (gsize i = 0; depth < ANSWER_DEPTH_MAX && i < weft_json_length(value); i++)
		add_strings(text, weft_json_at(value, i), depth + 1);
}

/* The member `key` of each item of a list. */
static void add_members(WeftSearchText *text, const WeftJson *list, const char *key)
{
	for (gsize i = 0; i < weft_json_length(list); i++)
		weft_search_text_add_about(
			text, weft_json_string(weft_json_member(weft_json_at(list, i), key), NULL));
}

gboolean weft_search_text_take_item(gpointer data, const char *list, const WeftJson *item)
{
	WeftSearchText *text = data;
	const char *line = weft_json_string(weft_json_member(item, "text"), NULL);
	const WeftJson *at = weft_json_at(weft_json_member(item, "at"), 0);
	guint64 document = 0, page = 0;
	double time_s = -1;

	if (!line || strcmp(list, "content") != 0)
		return TRUE;
	if (!weft_json_uint(weft_json_member(at, "page"), &page) || page > G_MAXUINT32)
		page = 0;
	if (!weft_json_double(weft_json_at(weft_json_member(at, "time"), 0), &time_s))
		time_s = -1;
	if (!weft_json_uint(weft_json_member(at, "document"), &document) || document > G_MAXUINT32)
		document = 0;
	note_place(text, (guint32)document, (guint32)page, time_s);
	add_line(text->body, line, BODY_BYTES_MAX);
	return TRUE;
}

void weft_search_text_add_head(WeftSearchText *text, const WeftJson *head)
{
	const WeftJson *document = weft_json_member(head, "document");

	add_strings(text, weft_json_member(head, "answer"), 0);
	add_strings(text, weft_json_member(document, "metadata"), 0);
	add_members(text, weft_json_member(document, "outline"), "title");
	add_members(text, weft_json_member(document, "embedded"), "name");
	for (guint32 n = 1;; n++) {
		g_autofree char *name = weft_record_part_name(head, n);

		if (!name)
			return;
		note_name(text, n, name);
	}
}

/* ---- a record before it is written ---- */

WeftSearchText *weft_search_text_of_record(const WeftRecord *record)
{
	WeftSearchText *text = weft_search_text_new();
	const char *json = record->answer;
	g_autoptr(WeftJson) answer =
		json ? weft_json_parse(json, strlen(json), WEFT_JSON_ALLOW_DUPLICATES, NULL) : NULL;

	if (answer)
		add_strings(text, answer, 0);
	else
		weft_search_text_add_about(text, json); /* written as a string, too */
	for (guint i = 1; i < record->metadata->len; i += 2)
		weft_search_text_add_about(text, record->metadata->pdata[i]);
	for (guint i = 0; i < record->outline->len; i++)
		weft_search_text_add_about(
			text, g_array_index(record->outline, WeftOutlineEntry, i).title);
	for (guint i = 0; i < record->embedded->len; i++)
		weft_search_text_add_about(text,
					   g_array_index(record->embedded, WeftEmbedded, i).name);
	for (guint i = 0; i < record->contents->len; i++)
		weft_search_text_add_content(text, record->contents->pdata[i]);
	for (guint i = 0; i < record->parts->len; i++)
		note_name(text, i + 1, g_array_index(record->parts, WeftRecordPart, i).name);
	return text;
}

/* ---- a found text ---- */

WeftSearchPlace weft_search_text_place(const char *places, gsize offset)
{
	WeftSearchPlace place = { .time_s = -1 };
	const char *line = places, *best = NULL;

	while (line && g_ascii_isdigit(*line)) {
		if (g_ascii_strtoull(line, NULL, 10) > offset)
			break;
		best = line;
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	best = best ? strchr(best, ' ') : NULL;
	if (best && best[1] == 'p')
		place.page = (guint32)g_ascii_strtoull(best + 2, NULL, 10);
	else if (best && best[1] == 't')
		place.time_s = (double)g_ascii_strtoull(best + 2, NULL, 10);
	const char *document = best ? best + 1 + strcspn(best + 1, " \n") : NULL;

	if (document && g_str_has_prefix(document, " d"))
		place.document = (guint32)g_ascii_strtoull(document + 2, NULL, 10);
	return place;
}

char *weft_search_text_name(const char *places, guint32 document)
{
	g_autofree char *begin = g_strdup_printf("d%u ", document);
	const char *line = places;

	while (line && *line && !g_str_has_prefix(line, begin)) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (document == 0 || !line || !*line)
		return NULL;
	line += strlen(begin);
	return g_uri_unescape_segment(line, line + strcspn(line, "\n"), NULL);
}

/* The mark that begins the stretch of SNIPPET_BYTES with the most marks; the first of equals. */
static const char *densest(const GPtrArray *marks)
{
	guint best = 0, n_best = 0;

	for (guint first = 0, end = 0; first < marks->len; first++) {
		const char *begin = marks->pdata[first];

		while (end < marks->len &&
		       (const char *)marks->pdata[end] - begin < SNIPPET_BYTES - LEAD_BYTES)
			end++;
		if (end - first > n_best) {
			best = first;
			n_best = end - first;
		}
	}
	return marks->len > 0 ? marks->pdata[best] : NULL;
}

/* `p` or the next begin of a character, at most `end`. */
static const char *character(const char *p, const char *end)
{
	while (p < end && ((guchar)*p & 0xC0) == 0x80)
		p++;
	return p;
}

/* White space becomes one space, but for marks nothing else changes. A stretch that ends inside a
 * found word closes it. */
static char *one_line(const char *first, const char *end)
{
	GString *line = g_string_new(NULL);
	gboolean is_open = FALSE, was_space = TRUE;

	for (const char *p = first; p < end; p++) {
		gboolean is_space = g_ascii_isspace(*p);

		if (*p == WEFT_HIT_FIRST)
			is_open = TRUE;
		if (*p == WEFT_HIT_END && !is_open)
			continue;
		if (*p == WEFT_HIT_END)
			is_open = FALSE;
		if (!is_space)
			g_string_append_c(line, *p);
		else if (!was_space)
			g_string_append_c(line, ' ');
		was_space = is_space;
	}
	if (is_open)
		g_string_append_c(line, WEFT_HIT_END);
	return g_string_free(line, FALSE);
}

char *weft_search_text_snippet(const char *marked, gsize *ret_offset, guint *ret_n_marks)
{
	g_autoptr(GPtrArray) marks = g_ptr_array_new();
	const char *end = marked + strlen(marked), *first = marked, *last = end;
	gsize n_before = 0;

	for (const char *p = marked; (p = strchr(p, WEFT_HIT_FIRST)) != NULL; p++)
		g_ptr_array_add(marks, (gpointer)p);
	const char *mark = densest(marks);
	if (mark && mark - marked > LEAD_BYTES) {
		/* From the begin of a word, where there is one. */
		first = mark - LEAD_BYTES;
		for (const char *p = first; p < mark; p++)
			if (g_ascii_isspace(*p)) {
				first = p + 1;
				break;
			}
		first = character(first, mark);
	}
	if (last - first > SNIPPET_BYTES)
		last = character(first + SNIPPET_BYTES, end);
	/* Both marks of each word before the first one of the snippet. */
	for (guint i = 0; mark && i < marks->len && (const char *)marks->pdata[i] < mark; i++)
		n_before++;
	*ret_offset = (gsize)((mark ? mark : first) - marked) - 2 * n_before;
	*ret_n_marks = marks->len;
	g_autofree char *text = one_line(first, last);
	return g_strconcat(first > marked ? "…" : "", text, last < end ? "…" : "", NULL);
}
