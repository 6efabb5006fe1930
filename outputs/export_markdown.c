/* export_markdown.c - a record as Markdown (CommonMark, tables as GitHub has them).
 *
 * The answer is written by its shape, whatever the task: a value is a line, a list of values a list,
 * a list of objects a table, or a section each when they hold texts of several lines; where provenance
 * tells the place of a value, the place stands beside it. An object with the time at which it was said
 * ("at", as minutes have it) says that and no other places. Then what was read: speech as
 * "**Anna** 00:01:24", a heading for each page, and for each of several files that are one document.
 */
#include <string.h>

#include "outputs/cues.h"
#include "outputs/export.h"

#define HEADING_MAX 6u

/* One line in which nothing is markup; a link, a tag or an emphasis of the document stays text. */
static void add_escaped(GString *out, const char *text)
{
	g_autofree char *line = weft_cue_line(text);

	for (const char *p = line; *p; p++) {
		if (strchr("\\`*_{}[]<>#|~!&", *p))
			g_string_append_c(out, '\\');
		else if (p == line && strchr("+-=", *p))
			g_string_append_c(out, '\\');
		else if (p > line && (*p == '.' || *p == ')') && g_ascii_isdigit(p[-1]) &&
			 strspn(line, "0123456789") == (gsize)(p - line))
			g_string_append_c(out, '\\'); /* "1. " would begin a list */
		g_string_append_c(out, *p);
	}
}

/* "key_of_the_task" as "Key of the task". */
static void add_label(GString *out, const char *key)
{
	g_autofree char *label = g_strdelimit(g_strdup(key), "_", ' ');

	if (g_ascii_islower(label[0]))
		label[0] = g_ascii_toupper(label[0]);
	add_escaped(out, label);
}

static gboolean is_scalar(const WeftJson *value)
{
	WeftJsonType type = weft_json_type(value);

	return type != WEFT_JSON_ARRAY && type != WEFT_JSON_OBJECT;
}

/* Line ends stay, as hard line breaks. */
static void add_lines(GString *out, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	for (gsize i = 0; lines[i]; i++) {
		add_escaped(out, lines[i]);
		g_string_append(out, lines[i + 1] ? "\\\n" : "");
	}
}

static void add_scalar(GString *out, const WeftJson *value)
{
	gboolean truth;

	if (weft_json_string(value, NULL))
		add_lines(out, weft_json_string(value, NULL));
	else if (weft_json_raw_number(value))
		g_string_append(out, weft_json_raw_number(value));
	else if (weft_json_bool(value, &truth))
		g_string_append(out, truth ? "yes" : "no");
	else
		g_string_append(out, "–");
}

/* "00:12:34", when the object says so itself; else NULL. */
static const char *time_of(const WeftJson *object)
{
	static const char form[] = "00:00:00";
	const char *at = weft_json_string(weft_json_member(object, "at"), NULL);

	for (gsize i = 0; at && i < sizeof(form); i++)
		if (form[i] == '0' ? !g_ascii_isdigit(at[i]) : at[i] != form[i])
			return NULL;
	return at;
}

/* Does the place of this member of an object stand beside it? Where the object says its time itself, and
 * all is one file, none does; of several files the one of that time does. */
static gboolean tells_place(const WeftJson *object, const char *key, const WeftJson *provenance,
			    const char *pointer)
{
	if (!time_of(object))
		return TRUE;
	return strcmp(key, "at") == 0 &&
	       weft_export_document(weft_json_at(weft_json_member(provenance, pointer), 0)) > 0;
}

/* Where the value at `pointer` was found, in brackets; nothing where nobody knows. */
static void add_evidence(GString *out, const WeftJson *provenance, const char *pointer)
{
	const WeftJson *evidence = weft_json_at(weft_json_member(provenance, pointer), 0);
	g_autofree char *place = weft_export_place(evidence);

	if (*place) {
		g_string_append_c(out, ' ');
		add_escaped(out, place);
	}
}

/* ---- the answer ---- */

static void add_value(GString *out, const WeftJson *value, const WeftJson *provenance,
		      const char *pointer, guint depth);
static void add_members(GString *out, const WeftJson *object, const WeftJson *provenance,
			const char *pointer, guint depth, gboolean is_headed);

static char *pointer_to(const char *pointer, const char *key)
{
	GString *longer = g_string_new(pointer);

	weft_json_pointer_add(longer, key, strlen(key));
	return g_string_free(longer, FALSE);
}

static gboolean fits_cell(const WeftJson *value)
{
	const char *text = weft_json_string(value, NULL);

	return is_scalar(value) && !(text && strchr(text, '\n'));
}

/* All members of all items are scalars of one line, and all have those of the first: a table. */
static gboolean is_table(const WeftJson *list)
{
	for (gsize i = 0; i < weft_json_length(list); i++) {
		const WeftJson *item = weft_json_at(list, i);

		if (weft_json_type(item) != WEFT_JSON_OBJECT || weft_json_length(item) == 0)
			return FALSE;
		for (gsize j = 0; j < weft_json_length(item); j++)
			if (!fits_cell(weft_json_at(item, j)) ||
			    g_strcmp0(weft_json_key_at(item, j, NULL),
				      weft_json_key_at(weft_json_at(list, 0), j, NULL)) != 0)
				return FALSE;
	}
	return weft_json_length(list) > 0;
}

static void add_table(GString *out, const WeftJson *list, const WeftJson *provenance,
		      const char *pointer)
{
	const WeftJson *first = weft_json_at(list, 0);
	gsize n_columns = weft_json_length(first);

	for (gsize j = 0; j < n_columns; j++) {
		g_string_append(out, "| ");
		add_label(out, weft_json_key_at(first, j, NULL));
		g_string_append_c(out, ' ');
	}
	g_string_append(out, "|\n");
	for (gsize j = 0; j < n_columns; j++)
		g_string_append(out, "| --- ");
	g_string_append(out, "|\n");
	for (gsize i = 0; i < weft_json_length(list); i++) {
		const WeftJson *item = weft_json_at(list, i);
		g_autofree char *row = g_strdup_printf("%s/%" G_GSIZE_FORMAT, pointer, i);

		for (gsize j = 0; j < weft_json_length(item); j++) {
			g_autofree char *cell = pointer_to(row, weft_json_key_at(item, j, NULL));

			g_string_append(out, "| ");
			add_scalar(out, weft_json_at(item, j));
			if (tells_place(item, weft_json_key_at(item, j, NULL), provenance, cell))
				add_evidence(out, provenance, cell);
			g_string_append_c(out, ' ');
		}
		g_string_append(out, "|\n");
	}
	g_string_append_c(out, '\n');
}

static void add_heading(GString *out, guint depth)
{
	for (guint level = 0; level < MIN(depth, HEADING_MAX); level++)
		g_string_append_c(out, '#');
	g_string_append_c(out, ' ');
}

static void add_list(GString *out, const WeftJson *list, const WeftJson *provenance,
		     const char *pointer, guint depth)
{
	if (is_table(list)) {
		add_table(out, list, provenance, pointer);
		return;
	}
	for (gsize i = 0; i < weft_json_length(list); i++) {
		const WeftJson *item = weft_json_at(list, i);
		g_autofree char *at = g_strdup_printf("%s/%" G_GSIZE_FORMAT, pointer, i);

		if (is_scalar(item)) {
			g_string_append(out, "- ");
			add_scalar(out, item);
			add_evidence(out, provenance, at);
			g_string_append_c(out, '\n');
		} else if (time_of(item)) {
			g_autoptr(GString) time_at = g_string_new(at);

			g_string_append(time_at, "/at");
			add_heading(out, depth);
			g_string_append(out, time_of(item));
			if (tells_place(item, "at", provenance, time_at->str))
				add_evidence(out, provenance, time_at->str);
			g_string_append(out, "\n\n");
			add_members(out, item, provenance, at, depth + 1, TRUE);
		} else {
			add_value(out, item, provenance, at, depth + 1);
		}
	}
	g_string_append(out, weft_json_length(list) > 0 ? "\n" : "–\n\n");
}

/* `is_headed`: its time stands above. */
static void add_members(GString *out, const WeftJson *object, const WeftJson *provenance,
			const char *pointer, guint depth, gboolean is_headed)
{
	for (gsize i = 0; i < weft_json_length(object); i++) {
		const char *key = weft_json_key_at(object, i, NULL);
		const WeftJson *value = weft_json_at(object, i);
		g_autofree char *at = pointer_to(pointer, key);

		if (is_headed && strcmp(key, "at") == 0)
			continue;
		if (is_scalar(value)) {
			g_string_append(out, "**");
			add_label(out, key);
			g_string_append(out, ":** ");
			add_scalar(out, value);
			if (tells_place(object, key, provenance, at))
				add_evidence(out, provenance, at);
			g_string_append(out, "\n\n");
			continue;
		}
		add_heading(out, depth);
		add_label(out, key);
		g_string_append(out, "\n\n");
		add_value(out, value, provenance, at, depth + 1);
	}
}

/* The reader of JSON bounds the depth. */
static void add_value(GString *out, const WeftJson *value, const WeftJson *provenance,
		      const char *pointer, guint depth)
{
	if (weft_json_type(value) == WEFT_JSON_OBJECT) {
		add_members(out, value, provenance, pointer, depth, FALSE);
	} else if (weft_json_type(value) == WEFT_JSON_ARRAY) {
		add_list(out, value, provenance, pointer, depth);
	} else {
		add_scalar(out, value);
		g_string_append(out, "\n\n");
	}
}

/* ---- what was read ---- */

/* Where the item before stood; page G_MAXUINT64: there is none. */
typedef struct Before {
	guint64 document, page;
} Before;

static void add_item(GString *out, const WeftJson *record, const WeftJson *item, Before *before)
{
	const char *text = weft_json_string(weft_json_member(item, "text"), NULL);
	const char *speaker = weft_json_string(weft_json_member(item, "speaker"), NULL);
	const WeftJson *at = weft_json_at(weft_json_member(item, "at"), 0);
	guint64 page = 0;

	if (!text || !*text)
		return;
	if (before->page == G_MAXUINT64)
		g_string_append(out, "## Content\n\n");
	if (weft_export_document(item) != before->document) {
		g_autofree char *name = weft_export_document_name(record, weft_export_document(item));

		g_string_append(out, "### ");
		add_escaped(out, name);
		g_string_append(out, "\n\n");
		*before = (Before){weft_export_document(item), 0};
	}
	if (weft_json_uint(weft_json_member(at, "page"), &page) && page != before->page)
		g_string_append_printf(out, "### Page %" G_GUINT64_FORMAT "\n\n", page);
	before->page = page;
	if (speaker) {
		g_string_append(out, "**");
		add_escaped(out, speaker);
		g_string_append(out, "** ");
	}
	if (page == 0) {
		g_autofree char *place = weft_export_place(item);

		add_escaped(out, place);
		if (*place)
			g_string_append_c(out, ' ');
	}
	add_lines(out, text);
	g_string_append(out, "\n\n");
}

gboolean weft_export_markdown(GString *out, const WeftJson *record)
{
	const WeftJson *answer = weft_json_member(record, "answer");
	const WeftJson *content = weft_json_member(record, "content");
	g_autofree char *title = weft_export_title(record);
	Before before = {0, G_MAXUINT64};

	g_string_append(out, "# ");
	add_escaped(out, title);
	g_string_append(out, "\n\n");
	if (weft_json_type(answer) != WEFT_JSON_NULL)
		add_value(out, answer, weft_json_member(record, "provenance"), "", 2);
	for (gsize i = 0; i < weft_json_length(content); i++)
		add_item(out, record, weft_json_at(content, i), &before);
	return TRUE;
}
