/* cmd_report.c - weft report: an output folder as one page of HTML. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "cli/cmd.h"
#include "cli/records.h"

typedef struct Report {
	WeftOutputs *outputs;
	WeftSaid *said;
	WeftReport *report;
	const char *out;
	gboolean is_inside; /* the page lies in OUT: links are relative */
} Report;

static gboolean take_schema(gpointer data, const char *schema, gboolean is_of_type, GError **error)
{
	(void)is_of_type;
	return weft_report_add_schema(((Report *)data)->report, schema, error);
}

/* From the page to a record's file. Caller frees. */
static char *link_to(const Report *report, const char *path)
{
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	g_autofree char *out = g_canonicalize_filename(report->out, NULL);
	gsize size = strlen(out);

	if (report->is_inside && g_str_has_prefix(absolute, out) && absolute[size] == '/')
		return g_strdup(absolute + size + 1); /* "records/ab/....json" */
	return g_filename_to_uri(absolute, NULL, NULL);
}

static gboolean add_record(Report *report, const char *path, GError **error)
{
	g_autoptr(GError) failure = NULL;
	WeftJson *stored = weft_record_head(path, &failure);
	g_autofree char *link = link_to(report, path);

	if (!stored) {
		weft_report_add_damaged(report->report, failure->message);
		return TRUE;
	}
	g_autoptr(WeftJson) record = weft_said_apply(report->said, "report", stored, error);
	if (record)
		weft_report_add(report->report, record, link ? link : "");
	return record != NULL;
}

static gboolean add_records(Report *report, GError **error)
{
	g_auto(WeftRecords) records = {0};

	if (!weft_records_schemas(report->outputs, NULL, "report", take_schema, report, error))
		return FALSE;
	weft_records_init(&records, report->outputs, NULL);
	for (;;) {
		g_autofree char *path = NULL, *fingerprint = NULL;

		if (!weft_records_next(&records, &path, &fingerprint, error))
			return FALSE;
		if (!path)
			return TRUE;
		if (!add_record(report, path, error))
			return FALSE;
	}
}

static int write_page(const Report *report, const char *to, GError **error)
{
	g_autoptr(GString) html = g_string_new(NULL);
	g_autofree char *folder = g_canonicalize_filename(report->out, NULL);
	g_autofree char *name = g_path_get_basename(folder);
	g_autofree char *title = g_strdup_printf("weft: %s", name);

	weft_report_write(report->report, title, html);
	if (!weft_file_write(to, html->str, html->len, error))
		return WEFT_EXIT_OUTPUT;
	g_autofree char *shown = weft_path_display(to);
	puts(shown);
	return WEFT_EXIT_DONE;
}

int weft_cmd_report(const WeftPlaces *places, int argc, char **argv)
{
	(void)places; /* reads an output folder only */
	g_autofree char *out = NULL, *state = NULL, *to = NULL, *corrections = NULL;
	const GOptionEntry entries[] = {
	    {"to", 0, 0, G_OPTION_ARG_FILENAME, &to, "the page (OUT/report.html)", "FILE"},
	    WEFT_CMD_OPTION_CORRECTIONS(&corrections),
	    WEFT_CMD_OPTION_OUT(&out),
	    WEFT_CMD_OPTION_STATE(&state),
	    G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_option_context_set_summary(
	    context, "Writes one page of HTML about OUT: counts, what went wrong, how far values are filled, and "
	             "links\nto documents and records. It needs nothing else to be read.");
	g_option_context_add_main_entries(context, entries, NULL);
	GError *error = NULL;
	if (!g_option_context_parse(context, &argc, &argv, &error) ||
	    !weft_cmd_takes_no_arguments(argc, argv, &error))
		return weft_cmd_fail("report", &error, WEFT_EXIT_USAGE);
	const char *folder = out ? out : "weft-out";
	g_autofree char *usual = g_build_filename(folder, "report.html", NULL);
	g_autoptr(WeftOutputs) outputs = weft_outputs_open_existing(folder, state, &error);
	g_autoptr(WeftReport) page = weft_report_new();
	g_auto(WeftSaid) said = {0};
	Report report = {outputs, &said, page, folder, to == NULL};
	int code = WEFT_EXIT_NOT_STARTED;

	if (outputs && weft_said_read(&said, "report", folder, corrections, &error) &&
	    add_records(&report, &error))
		code = write_page(&report, to ? to : usual, &error);
	return error ? weft_cmd_fail("report", &error, code) : code;
}
