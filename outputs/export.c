#include "outputs/export.h"

#include <math.h>
#include <string.h>

#include "outputs/cues.h"
#include "outputs/record_source.h"

#define SECONDS_MAX 3.6e8 /* 100,000 hours: beyond is nonsense */

static guint64 milliseconds(double seconds)
{
	return seconds > 0 && seconds < SECONDS_MAX ? (guint64)llround(seconds * 1000) : 0;
}

/* "00:01:24.500", with another mark for the fraction in SubRip. */
static void add_clock(GString *out, double seconds, char mark)
{
	guint64 ms = milliseconds(seconds);

	g_string_append_printf(out, "%02u:%02u:%02u%c%03u", (guint)(ms / 3600000),
			       (guint)(ms / 60000 % 60), (guint)(ms / 1000 % 60), mark,
			       (guint)(ms % 1000));
}

/* In two lines when it is longer than one: broken at the space nearest the middle. */
static char *in_lines(const char *text)
{
	char *lines = g_strdup(text), *best = NULL;
	gsize middle = strlen(text) / 2;

	if (g_utf8_strlen(text, -1) <= WEFT_CUE_LINE_CHARS)
		return lines;
	for (char *space = strchr(lines, ' '); space; space = strchr(space + 1, ' '))
		if (!best || ABS((gssize)(space - lines) - (gssize)middle) <
				 ABS((gssize)(best - lines) - (gssize)middle))
			best = space;
	if (best)
		*best = '\n';
	return lines;
}

/* ---- captions ---- */

/* The name of the file on one line, in front of its cue; "" where there is one file. Caller frees. */
static char *file_of_cue(const WeftJson *record, const WeftCue *cue)
{
	g_autofree char *name = weft_record_part_name(record, cue->document);
	g_autofree char *line = name ? weft_cue_line(name) : NULL;

	return line ? g_strdup_printf("[%s] ", line) : g_strdup("");
}

/* SubRip has no escapes: a line that looks like times would begin another cue. */
static gboolean write_srt(GString *out, const WeftJson *record)
{
	g_autoptr(GPtrArray) cues = weft_cues_of(record);

	for (guint i = 0; i < cues->len; i++) {
		const WeftCue *cue = cues->pdata[i];
		g_autofree char *lines = in_lines(cue->text);
		g_autofree char *speaker = weft_cue_line(cue->speaker);
		g_autofree char *file = file_of_cue(record, cue);
		g_autoptr(GString) text = g_string_new(file);

		g_string_append_printf(text, "%s%s%s", speaker, *speaker ? ": " : "", lines);
		g_string_replace(text, "-->", "->", 0);
		g_string_append_printf(out, "%u\n", i + 1);
		add_clock(out, cue->from_s, ',');
		g_string_append(out, " --> ");
		add_clock(out, cue->to_s, ',');
		g_string_append_printf(out, "\n%s\n\n", text->str);
	}
	return cues->len > 0;
}

/* https://www.w3.org/TR/webvtt1/: in text & and < must be escaped, and > so that "-->" can't stand. */
static void add_vtt_text(GString *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '&')
			g_string_append(out, "&amp;");
		else if (*p == '<')
			g_string_append(out, "&lt;");
		else if (*p == '>')
			g_string_append(out, "&gt;");
		else
			g_string_append_c(out, *p);
	}
}

/* A comment of its own in front of the first cue of a file, and a name for each cue. */
static void add_vtt_file(GString *out, const WeftJson *record, const WeftCue *cue, guint64 *document,
			 guint *n)
{
	if (cue->document != *document) {
		g_autofree char *name = weft_export_document_name(record, cue->document);

		g_string_append(out, "NOTE ");
		add_vtt_text(out, name);
		g_string_append(out, "\n\n");
		*document = cue->document;
		*n = 0;
	}
	if (cue->document > 0)
		g_string_append_printf(out, "%" G_GUINT64_FORMAT "-%u\n", cue->document, ++*n);
}

static gboolean write_vtt(GString *out, const WeftJson *record)
{
	g_autoptr(GPtrArray) cues = weft_cues_of(record);
	guint64 document = 0;
	guint n = 0;

	g_string_append(out, "WEBVTT\n");
	for (guint i = 0; i < cues->len; i++) {
		const WeftCue *cue = cues->pdata[i];
		g_autofree char *lines = in_lines(cue->text);
		g_autofree char *speaker = weft_cue_line(cue->speaker);

		g_string_append_c(out, '\n');
		add_vtt_file(out, record, cue, &document, &n);
		add_clock(out, cue->from_s, '.');
		g_string_append(out, " --> ");
		add_clock(out, cue->to_s, '.');
		g_string_append_c(out, '\n');
		if (*speaker) {
			g_string_append(out, "<v ");
			add_vtt_text(out, speaker);
			g_string_append_c(out, '>');
		}
		add_vtt_text(out, lines);
		g_string_append_c(out, '\n');
	}
	return cues->len > 0;
}

/* ---- plain text ---- */

char *weft_export_title(const WeftJson *record)
{
	const char *path = weft_json_string(
		weft_json_at(weft_json_member(weft_json_member(record, "source"), "paths"), 0), NULL);
	const char *id = weft_json_string(weft_json_member(record, "id"), NULL);
	g_autofree char *first = weft_record_part_name(record, 1);
	gsize n_parts = weft_json_length(weft_json_at_pointer(record, "/source/parts"));
	g_autofree char *name = first ? g_path_get_basename(first)
				: path ? g_path_get_basename(path)
				       : g_strdup(id);
	g_autofree char *line = weft_cue_line(name);

	return n_parts > 1 ? g_strdup_printf("%s and %" G_GSIZE_FORMAT " more", line, n_parts - 1)
			   : g_steal_pointer(&line);
}

guint64 weft_export_document(const WeftJson *item)
{
	guint64 document = 0;

	(void)weft_json_uint(weft_json_member(weft_json_at(weft_json_member(item, "at"), 0), "document"),
			     &document); /* 0 stays */
	return document;
}

char *weft_export_document_name(const WeftJson *record, guint64 document)
{
	g_autofree char *name = weft_record_part_name(record, document);
	g_autofree char *line = weft_cue_line(name);

	return g_strdup_printf("%" G_GUINT64_FORMAT ": %s", document, line);
}

char *weft_export_place(const WeftJson *item)
{
	const WeftJson *at = weft_json_at(weft_json_member(item, "at"), 0);
	guint64 document = weft_export_document(item), page;
	g_autofree char *file =
		document > 0 ? g_strdup_printf("%" G_GUINT64_FORMAT "/", document) : g_strdup("");
	double seconds;

	if (weft_json_uint(weft_json_member(at, "page"), &page))
		return g_strdup_printf("[%sp. %" G_GUINT64_FORMAT "] ", file, page);
	if (!weft_json_double(weft_json_at(weft_json_member(at, "time"), 0), &seconds))
		return g_strdup("");
	guint whole = (guint)(milliseconds(seconds) / 1000);

	return g_strdup_printf("[%s%02u:%02u:%02u] ", file, whole / 3600, whole / 60 % 60, whole % 60);
}

static gboolean write_text(GString *out, const WeftJson *record)
{
	const WeftJson *content = weft_json_member(record, "content");
	g_autofree char *place_before = g_strdup("");
	guint64 document = 0;

	for (gsize i = 0; i < weft_json_length(content); i++) {
		const WeftJson *item = weft_json_at(content, i);
		const char *text = weft_json_string(weft_json_member(item, "text"), NULL);
		g_autofree char *place = weft_export_place(item);
		g_autofree char *speaker =
			weft_cue_line(weft_json_string(weft_json_member(item, "speaker"), NULL));
		g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

		if (!text || !*text)
			continue;
		if (weft_export_document(item) != document) {
			document = weft_export_document(item);
			g_autofree char *name = weft_export_document_name(record, document);

			g_string_append_printf(out, "%s%s\n\n", out->len > 0 ? "\n" : "", name);
		}
		g_string_append_printf(out, "%s%s%s", strcmp(place, place_before) ? place : "", speaker,
				       *speaker ? ": " : "");
		for (gsize j = 0; lines[j]; j++) {
			g_autofree char *line = weft_cue_line(lines[j]);

			g_string_append_printf(out, "%s\n", line);
		}
		g_free(place_before);
		place_before = g_steal_pointer(&place);
	}
	return TRUE;
}

/* ---- the table ---- */

static const WeftExportFormat FORMATS[] = {
	{ "srt", "srt", WEFT_EXPORT_FILES, TRUE, write_srt },
	{ "vtt", "vtt", WEFT_EXPORT_FILES, TRUE, write_vtt },
	{ "md", "md", WEFT_EXPORT_FILES, FALSE, weft_export_markdown },
	{ "txt", "txt", WEFT_EXPORT_FILES, FALSE, write_text },
	{ "docling", "docling.json", WEFT_EXPORT_FILES, FALSE, weft_export_docling },
	{ "csv", "csv", WEFT_EXPORT_TABLE, FALSE, NULL },
	{ "jsonl", "jsonl", WEFT_EXPORT_LINES, FALSE, NULL },
};

const WeftExportFormat *weft_export_format(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(FORMATS); i++)
		if (!strcmp(name, FORMATS[i].name))
			return &FORMATS[i];
	return NULL;
}

char *weft_export_formats(void)
{
	GString *names = g_string_new(FORMATS[0].name);

	for (gsize i = 1; i < G_N_ELEMENTS(FORMATS); i++)
		g_string_append_printf(names, ", %s", FORMATS[i].name);
	return g_string_free(names, FALSE);
}
