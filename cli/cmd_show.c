/* cmd_show.c - the records of an output folder: a table of all, or some of them to read. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "cli/explain.h"
#include "cli/glance.h"
#include "cli/record_tree.h"
#include "cli/records.h"
#include "outputs/outputs.h"

#define KIND_WIDTH 13
#define WHERE_WIDTH 8
#define STATUS_WIDTH 7
#define SCREEN_WIDTH_DEFAULT 100

/* ---- the table ---- */

static int screen_width(void)
{
	struct winsize size;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60)
		return size.ws_col;
	return SCREEN_WIDTH_DEFAULT;
}

/* `text` on one line in exactly `width` columns; `cut_left` keeps its end instead of its begin. */
static void print_cell(const char *text, int width, gboolean cut_left)
{
	g_autofree char *line = weft_path_display(text);
	int n_chars = (int)g_utf8_strlen(line, -1);
	if (n_chars <= width) {
		printf("%s%*s  ", line, width - n_chars, "");
		return;
	}
	if (cut_left)
		printf("…%s  ", g_utf8_offset_to_pointer(line, n_chars - width + 1));
	else
		printf("%.*s…  ", (int)(g_utf8_offset_to_pointer(line, width - 1) - line), line);
}

static void print_row(const char *file, const WeftGlance *glance, int file_width)
{
	int fact_width = screen_width() - file_width - KIND_WIDTH - WHERE_WIDTH - STATUS_WIDTH - 8;
	print_cell(file, file_width, TRUE);
	print_cell(glance->kind, KIND_WIDTH, FALSE);
	print_cell(glance->fact, MAX(fact_width, 12), FALSE);
	print_cell(glance->where, WHERE_WIDTH, FALSE);
	g_autofree char *status = weft_path_display(glance->status);
	puts(status);
}

/* Of several files that are one document: it has the row of the first. */
static gboolean is_further_part(const WeftJson *record, const char *path)
{
	g_autofree char *name = weft_record_part_name(record, 1);
	return name && !g_str_has_suffix(path, name);
}

static int print_table(WeftOutputs *outputs, GError **error)
{
	g_autoptr(GPtrArray) listed = weft_outputs_list(outputs, error);
	if (!listed)
		return WEFT_EXIT_NOT_STARTED;
	int file_width = 4, file_width_max = screen_width() / 4;
	for (guint i = 0; i < listed->len; i++) {
		const WeftListed *entry = listed->pdata[i];
		g_autofree char *display = weft_path_display(entry->path);
		file_width = MAX(file_width, MIN(file_width_max, (int)g_utf8_strlen(display, -1)));
	}
	WeftGlance heading = {.kind = (char *)"what it is",
	                      .fact = (char *)"a fact from it",
	                      .where = (char *)"where",
	                      .status = (char *)"status"};
	print_row("file", &heading, file_width);
	for (guint i = 0; i < listed->len; i++) {
		const WeftListed *entry = listed->pdata[i];
		g_autoptr(WeftJson) record = weft_record_tree_read(entry->record_path, error);
		if (!record)
			return WEFT_EXIT_NOT_STARTED;
		WeftGlance glance;
		if (is_further_part(record, entry->path))
			continue;
		weft_glance_init(&glance, record);
		print_row(entry->path, &glance, file_width);
		weft_glance_done(&glance);
	}
	return WEFT_EXIT_DONE;
}

/* ---- one record ---- */

/* A string of the record as it may be printed, "" where there is none. Caller frees. */
static char *shown_string(const WeftJson *value)
{
	const char *text = weft_json_string(value, NULL);
	return weft_path_display(text ? text : "");
}

static void print_items(const WeftJson *items, const char *heading)
{
	for (gsize i = 0; i < weft_json_length(items); i++) {
		const WeftJson *item = weft_json_at(items, i);
		const char *text = weft_json_string(weft_json_member(item, "text"), NULL);
		g_autofree char *by = shown_string(weft_json_member(item, "by"));
		g_autofree char *kind = shown_string(weft_json_member(item, "kind"));
		g_autofree char *id = shown_string(weft_json_member(item, "id"));
		g_autofree char *place =
		    weft_glance_place(weft_json_at(weft_json_member(item, "at"), 0));
		if (i == 0)
			printf("\n%s\n", heading);
		g_autofree char *speaker = shown_string(weft_json_member(item, "speaker"));
		g_autofree char *reason = shown_string(weft_json_member(item, "reason"));
		printf("  %-5s %-8s %s%s%s (by %s%s%s)\n", id, place, kind, *speaker ? ", " : "",
		       speaker, by, *reason ? ": " : "", reason);
		g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
		for (gsize j = 0; text && lines[j]; j++) {
			g_auto(GStrv) cells = g_strsplit(lines[j], "\t", -1); /* of a table */
			g_autofree char *row = g_strjoinv(" | ", cells), *line = weft_path_display(row);
			printf("      | %s\n", line);
		}
	}
}

/* Members by their keys, items of a list by their numbers. */
static void print_values(const WeftJson *object, const char *heading)
{
	for (gsize i = 0; i < weft_json_length(object); i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		g_autofree char *number = g_strdup_printf("%" G_GSIZE_FORMAT, i);
		const char *name = weft_json_key_at(object, i, NULL);
		g_autofree char *key = weft_path_display(name ? name : number);
		WeftJsonWriter writer;
		weft_json_writer_init(&writer, text);
		weft_json_write_tree(&writer, weft_json_at(object, i));
		if (i == 0)
			printf("\n%s\n", heading);
		printf("  %-16s %s\n", key, text->str);
	}
}

/* What people say of the answer, which has it above. */
static void print_corrections(const WeftJson *corrections)
{
	for (gsize i = 0; i < weft_json_length(corrections); i++) {
		const WeftJson *said = weft_json_at(corrections, i);
		g_autofree char *pointer = weft_path_display(weft_json_key_at(corrections, i, NULL));
		g_autofree char *who = shown_string(weft_json_member(said, "who"));
		g_autofree char *when = shown_string(weft_json_member(said, "when"));
		g_autoptr(GString) was = g_string_new(NULL);
		gboolean confirms = FALSE;
		WeftJsonWriter writer;

		weft_json_writer_init(&writer, was);
		weft_json_write_tree(&writer, weft_json_member(said, "was"));
		(void)weft_json_bool(weft_json_member(said, "confirms"), &confirms);
		printf("%s  %-16s by %s %s%s%s\n", i == 0 ? "\ncorrections\n" : "", pointer, who, when,
		       confirms ? ": it is so" : "; the answer was ", confirms ? "" : was->str);
	}
}

/* "type  invoice (its text has \"amount due\")" */
static void print_type(const WeftJson *type)
{
	g_autofree char *name = shown_string(weft_json_member(type, "name"));
	g_autofree char *word = shown_string(weft_json_member(type, "word"));
	g_autofree char *reason = shown_string(weft_json_member(type, "reason"));

	if (!type)
		return;
	printf("\ntype\n  %-16s ", *name ? name : "none");
	if (*word)
		printf("its text has \"%s\"\n", word);
	else
		printf("%s\n", *reason ? reason : "as the model says");
}

/* Where each document of the file is: "  0                p.1-2". */
static void print_elements(const WeftJson *elements)
{
	for (gsize i = 0; i < weft_json_length(elements); i++) {
		const WeftJson *pages = weft_json_member(weft_json_at(elements, i), "pages");
		guint64 first = 0, last = 0;

		if (i == 0)
			puts("\ndocuments in the file");
		(void)weft_json_uint(weft_json_at(pages, 0), &first); /* none: of no page */
		(void)weft_json_uint(weft_json_at(pages, 1), &last);
		printf("  %-16zu ", i);
		if (first == 0)
			puts("the whole file");
		else if (first == last)
			printf("p.%" G_GUINT64_FORMAT "\n", first);
		else
			printf("p.%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "\n", first, last);
	}
}

static void print_errors(const WeftJson *errors)
{
	for (gsize i = 0; i < weft_json_length(errors); i++) {
		const WeftJson *error = weft_json_at(errors, i);
		g_autofree char *stage = shown_string(weft_json_member(error, "stage"));
		g_autofree char *message = shown_string(weft_json_member(error, "message"));
		g_autofree char *place = weft_glance_place(weft_json_member(error, "at"));
		printf("%s  %-8s %-6s %s\n", i == 0 ? "\nerrors\n" : "", stage, place, message);
	}
}

static void add_strings(GString *line, const WeftJson *strings, const char *between)
{
	for (gsize i = 0; i < weft_json_length(strings); i++) {
		const char *text = weft_json_string(weft_json_at(strings, i), NULL);
		g_string_append_printf(line, "%s%s", i > 0 ? between : "", text ? text : "");
	}
}

/* "  disagreement     /total: ocr-layer 1,740.00, tesseract 1,240.00"; what agrees is passed over. */
static void print_checks(const WeftJson *checks)
{
	gboolean is_headed = FALSE;

	for (gsize i = 0; i < weft_json_length(checks); i++) {
		const WeftJson *check = weft_json_at(checks, i);
		const WeftJson *readings = weft_json_member(check, "readings");
		g_autofree char *kind = shown_string(weft_json_member(check, "kind"));
		g_autofree char *reason = g_strdup(weft_json_string(weft_json_member(check, "reason"), NULL));
		g_autoptr(GString) line = g_string_new(NULL);
		gboolean is_ok = FALSE;

		if (weft_json_bool(weft_json_member(check, "ok"), &is_ok) && is_ok)
			continue;
		add_strings(line, weft_json_member(check, "of"), ", ");
		g_string_append(line, reason ? ": " : ":");
		g_string_append(line, reason ? reason : "");
		for (gsize k = 0; k < weft_json_length(readings); k++) {
			const WeftJson *reading = weft_json_at(readings, k);
			const char *by = weft_json_string(weft_json_member(reading, "by"), NULL);
			const char *text = weft_json_string(weft_json_member(reading, "text"), NULL);

			g_string_append_printf(line, "%s %s %s", k > 0 ? "," : "", by ? by : "", text ? text : "");
		}
		if (weft_json_length(readings) == 0 && !reason) {
			g_string_append_c(line, ' ');
			add_strings(line, weft_json_member(check, "values"), ", not ");
		}
		g_autofree char *shown = weft_path_display(g_strdelimit(line->str, "\n\t", ' '));
		printf("%s  %-16s %s\n", is_headed ? "" : "\nchecks that do not hold\n", kind, shown);
		is_headed = TRUE;
	}
}

/* "  input            unsafe S1 S10 (why)" */
static void print_safety(const WeftJson *safety)
{
	static const char *const checks[] = {"input", "output"};
	for (gsize i = 0; safety && i < G_N_ELEMENTS(checks); i++) {
		const WeftJson *check = weft_json_member(safety, checks[i]);
		const WeftJson *categories = weft_json_member(check, "categories");
		const char *verdict = weft_json_string(weft_json_member(check, "verdict"), NULL);
		const char *reason = weft_json_string(weft_json_member(check, "reason"), NULL);
		g_autoptr(GString) line = g_string_new(verdict ? verdict : "not asked");
		for (gsize j = 0; j < weft_json_length(categories); j++) {
			const char *name = weft_json_string(weft_json_at(categories, j), NULL);
			g_string_append_printf(line, " %s", name ? name : "");
		}
		if (reason)
			g_string_append_printf(line, " (%s)", reason);
		g_autofree char *shown = weft_path_display(line->str);
		printf("%s  %-16s %s\n", i == 0 ? "\nsafety\n" : "", checks[i], shown);
	}
}

static void print_sidecar(const WeftJson *sidecar)
{
	const WeftJson *path = weft_json_member(sidecar, "path");

	if (!path)
		return;
	g_autofree char *shown = shown_string(path);
	printf("  captions: %s\n", shown);
}

/* Which numbers places have, of several files that are one document. */
static void print_parts(const WeftJson *record, const WeftJson *parts)
{
	for (gsize i = 0; i < weft_json_length(parts); i++) {
		const WeftJson *part = weft_json_at(parts, i);
		g_autofree char *bytes = weft_record_part_name(record, i + 1);
		g_autofree char *name = weft_path_display(bytes ? bytes : "");
		const WeftJson *captions =
		    weft_json_member(weft_json_member(part, "sidecar"), "path");
		g_autofree char *shown = shown_string(captions);
		printf("  %" G_GSIZE_FORMAT "/ %s%s%s\n", i + 1, name, captions ? ", captions: " : "", shown);
	}
}

static void print_record(const WeftJson *record)
{
	const WeftJson *source = weft_json_member(record, "source");
	const WeftJson *paths = weft_json_member(source, "paths");
	for (gsize i = 0; i < weft_json_length(paths); i++) {
		g_autofree char *line = shown_string(weft_json_at(paths, i));
		puts(line);
	}
	WeftGlance glance;
	weft_glance_init(&glance, record);
	g_autofree char *kind = weft_path_display(glance.kind);
	g_autofree char *status = weft_path_display(glance.status);
	g_autofree char *id = shown_string(weft_json_member(record, "id"));
	printf("  %s, %s\n  %s\n", kind, status, id);
	print_sidecar(weft_json_member(source, "sidecar"));
	print_parts(record, weft_json_member(source, "parts"));
	weft_glance_done(&glance);
	print_errors(weft_json_member(record, "errors"));
	print_values(weft_json_member(weft_json_member(record, "document"), "metadata"),
	             "metadata");
	print_type(weft_json_member(record, "type"));
	print_elements(weft_json_member(record, "elements"));
	print_values(weft_json_member(record, "answer"), "answer");
	print_corrections(weft_json_member(record, "corrections"));
	print_values(weft_json_member(record, "absent"), "absent");
	print_checks(weft_json_member(record, "checks"));
	print_safety(weft_json_member(record, "safety"));
	print_items(weft_json_member(record, "content"), "content");
	print_items(weft_json_member(record, "hidden"),
	            "hidden: the page does not show it, or it is not believed");
}

typedef struct Show {
	const WeftPlaces *places;
	const char *out, *state, *corrections;
	char **names;     /* NULL: the table */
	const char *pointer; /* of a value to explain; NULL: whole records */
} Show;

static int print_records(const Show *show, WeftExplain *explain, WeftSaid *said, GError **error)
{
	for (gsize i = 0; show->names[i]; i++) {
		g_autofree char *path = weft_outputs_record_path(explain->outputs, show->names[i], error);
		WeftJson *stored = path ? weft_record_tree_read(path, error) : NULL;
		g_autoptr(WeftJson) record = stored ? weft_said_apply(said, "show", stored, error) : NULL;

		if (!record)
			return WEFT_EXIT_NOT_STARTED;
		if (!show->pointer)
			print_record(record);
		else if (!weft_explain(explain, record, show->pointer, error))
			return g_error_matches(*error, WEFT_ERROR, WEFT_ERROR_IO) ? WEFT_EXIT_OUTPUT
										  : WEFT_EXIT_NOT_STARTED;
	}
	return explain->is_missing ? WEFT_EXIT_SOME_FAILED : WEFT_EXIT_DONE;
}

static int show_records(const Show *show, GError **error)
{
	/* Before any thread: the helpers fork. */
	g_autoptr(WeftIngest) ingest =
		show->pointer ? weft_ingest_open(show->places->helper_dir, error) : NULL;
	g_auto(WeftSaid) said = {0};

	if (show->pointer && !ingest)
		return WEFT_EXIT_NOT_STARTED;
	g_autoptr(WeftOutputs) outputs = weft_outputs_open_existing(show->out, show->state, error);
	if (!outputs)
		return WEFT_EXIT_NOT_STARTED;
	if (!show->names)
		return print_table(outputs, error);
	if (!weft_said_read(&said, "show", show->out, show->corrections, error))
		return WEFT_EXIT_NOT_STARTED;
	g_auto(WeftExplain) explain = {.ingest = ingest, .outputs = outputs, .said = &said};
	return print_records(show, &explain, &said, error);
}

int weft_cmd_show(const WeftPlaces *places, int argc, char **argv)
{
	g_autofree char *out = NULL, *state = NULL, *corrections = NULL, *pointer = NULL;
	g_auto(GStrv) names = NULL;
	const GOptionEntry entries[] = {
	    {"explain", 0, 0, G_OPTION_ARG_FILENAME, &pointer, /* as bytes, whatever the locale */
	     "one value of the answer: what speaks for it, and a crop or clip of its place", "POINTER"},
	    WEFT_CMD_OPTION_CORRECTIONS(&corrections),
	    WEFT_CMD_OPTION_OUT(&out),
	    WEFT_CMD_OPTION_STATE(&state),
	    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &names, NULL, "[ID|PATH...]"},
	    G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_option_context_set_summary(
	    context, "Lists the records of OUT with one fact from each; with IDs (8 "
	             "characters or more) or paths\nof documents, prints those "
	             "records to read, or explains one value of them.");
	g_option_context_add_main_entries(context, entries, NULL);
	GError *error = NULL;
	if (!g_option_context_parse(context, &argc, &argv, &error))
		return weft_cmd_fail("show", &error, WEFT_EXIT_USAGE);
	if (pointer && !g_utf8_validate(pointer, -1, NULL)) {
		g_set_error(&error, WEFT_ERROR, WEFT_ERROR_USAGE, "--explain: the pointer is not UTF-8");
		return weft_cmd_fail("show", &error, WEFT_EXIT_USAGE);
	}
	if (pointer && !names) {
		g_set_error(&error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "--explain %s: of which record? Give an ID or the path of a document", pointer);
		return weft_cmd_fail("show", &error, WEFT_EXIT_USAGE);
	}
	const Show show = {places, out ? out : "weft-out", state, corrections, names, pointer};
	int code = show_records(&show, &error);
	return error ? weft_cmd_fail("show", &error, code) : code;
}
