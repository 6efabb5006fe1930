/* cmd_export.c - records in forms that others read: a file for each, or one for all. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "cli/record_tree.h"
#include "cli/records.h"

/* A file name may have 255 bytes; while it is written it has ".", ".tmp-" and eight more around it
 * (base/files.h). */
#define NAME_BYTES_MAX 241

typedef struct Export {
	const WeftExportFormat *format;
	WeftOutputs *outputs;
	WeftSaid *said;
	char **named;       /* NULL: all; what has nothing to say is passed over then */
	const char *to;     /* NULL: stdout */
	WeftNewFile *file;  /* of those that write one; NULL: stdout */
	GHashTable *names;  /* of the files written */
	guint64 n_bytes;    /* written so far */
	gsize n_damaged;
} Export;

static gboolean write_out(Export *export, const char *text, gsize size_bytes, GError **error)
{
	export->n_bytes += size_bytes;
	if (export->file)
		return weft_new_file_write(export->file, text, size_bytes, error);
	if (fwrite(text, 1, size_bytes, stdout) == size_bytes)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "stdout can't be written");
	return FALSE;
}

/* A record that can't be read is told, and the others go on. */
static void tell_damaged(Export *export, GError **failure)
{
	g_autofree char *message = weft_path_display((*failure)->message);

	fprintf(stderr, "weft export: %s\n", message);
	export->n_damaged++;
	g_clear_error(failure);
}

/* ---- a file for each ---- */

/* The first of the record's id, which may be anything in a damaged one. Caller frees. */
static char *id_digits(const WeftJson *record)
{
	const char *id = weft_json_string(weft_json_member(record, "id"), NULL);
	const char *hex = id && g_str_has_prefix(id, "sha256:") ? id + strlen("sha256:") : "";

	return strspn(hex, "0123456789abcdef") >= 8 ? g_strndup(hex, 8) : g_strdup("record");
}

/* "meeting.vtt"; "meeting-1f2e3d4c.vtt" for the second document of that name, and where the name is too
 * long for a file. */
static char *file_name(Export *export, const WeftJson *record)
{
	g_autofree char *title = weft_export_title(record);
	g_autofree char *digits = id_digits(record);
	const char *extension = export->format->extension;
	char *dot = strrchr(title, '.');
	gsize room = NAME_BYTES_MAX - strlen(extension) - strlen("-12345678.");

	g_strdelimit(title, "/", '_');
	if (dot && dot > title)
		*dot = '\0';
	gboolean is_long = strlen(title) > room;
	if (is_long)
		*g_utf8_find_prev_char(title, title + room + 1) = '\0';
	g_autofree char *name = g_strdup_printf("%s.%s", title, extension);

	if (is_long || *title == '\0' || *title == '.' || g_hash_table_contains(export->names, name)) {
		g_free(name);
		name = g_strdup_printf("%s-%s.%s", title, digits, extension);
	}
	g_hash_table_add(export->names, g_strdup(name));
	return g_steal_pointer(&name);
}

static gboolean export_file(Export *export, const char *path, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(WeftJson) stored = weft_record_tree_read(path, &failure);
	g_autoptr(GString) text = g_string_new(NULL);

	if (!stored) {
		tell_damaged(export, &failure);
		return TRUE;
	}
	g_autoptr(WeftJson) record =
		weft_said_apply(export->said, "export", g_steal_pointer(&stored), error);
	if (!record)
		return FALSE;
	if (!export->format->write(text, record)) {
		g_autofree char *title = weft_export_title(record);

		if (export->named)
			fprintf(stderr, "weft export: %s: no speech that was read, no captions\n", title);
		if (export->to)
			return TRUE;
	}
	if (!export->to)
		return write_out(export, text->str, text->len, error);
	g_autofree char *name = file_name(export, record);
	g_autofree char *target = g_build_filename(export->to, name, NULL);

	return weft_file_write(target, text->str, text->len, error);
}

/* ---- one table ---- */

/* The record without its contents, corrected; *ret_record NULL: it is damaged, and was told. */
static gboolean read_head(Export *export, const char *path, WeftJson **ret_record, GError **error)
{
	g_autoptr(GError) failure = NULL;
	WeftJson *stored = weft_record_head(path, &failure);

	*ret_record = NULL;
	if (!stored) {
		tell_damaged(export, &failure);
		return TRUE;
	}
	*ret_record = weft_said_apply(export->said, "export", stored, error);
	return *ret_record != NULL;
}

static gboolean take_schema(gpointer data, const char *schema, gboolean is_of_type, GError **error)
{
	WeftTable *table = data;

	if (is_of_type)
		weft_table_set_types(table);
	return weft_table_add_schema(table, schema, error);
}

static gboolean add_row(Export *export, const WeftTable *table, const char *path, GError **error)
{
	g_autoptr(WeftJson) record = NULL;
	g_autoptr(GString) row = g_string_new(NULL);

	if (!read_head(export, path, &record, error))
		return FALSE;
	if (record)
		weft_table_add(table, row, record);
	return write_out(export, row->str, row->len, error);
}

/* ---- lines ---- */

static gboolean take_piece(gpointer taker, const char *text, gsize size_bytes, GError **error)
{
	return write_out(taker, text, size_bytes, error);
}

static gboolean write_line(Export *export, const char *path, WeftJsonWriter *writer, GError **error)
{
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *id = g_strdup_printf("sha256:%.64s", name);

	if (!weft_corrections_of(export->said->corrections, id))
		return weft_record_pass_on(path, writer, error);
	g_autoptr(WeftJson) stored = weft_record_tree_read(path, error);
	if (!stored)
		return FALSE;
	g_autoptr(WeftJson) record =
		weft_said_apply(export->said, "export", g_steal_pointer(&stored), error);
	if (record)
		weft_json_write_tree(writer, record);
	return record != NULL;
}

static gboolean export_line(Export *export, const char *path, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GError) failure = NULL;
	guint64 n_before = export->n_bytes;
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, text);
	weft_json_writer_hand_on(&writer, take_piece, export);
	/* A record is looked at as a whole before anything is written of it. */
	if (!write_line(export, path, &writer, &failure) && text->len == 0 &&
	    export->n_bytes == n_before) {
		tell_damaged(export, &failure);
		return weft_json_writer_finish(&writer, error);
	}
	if (failure) {
		(void)weft_json_writer_finish(&writer, NULL); /* the first failure is the one to tell */
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	return weft_json_writer_finish(&writer, error) && write_out(export, "\n", 1, error);
}

/* ---- all ---- */

static gboolean export_each(Export *export, const WeftTable *table, GError **error)
{
	g_auto(WeftRecords) records = {0};

	weft_records_init(&records, export->outputs, export->named);
	for (;;) {
		g_autofree char *path = NULL, *fingerprint = NULL;
		gboolean is_good;

		if (!weft_records_next(&records, &path, &fingerprint, error))
			return FALSE;
		if (!path)
			return TRUE;
		if (export->format->kind == WEFT_EXPORT_TABLE)
			is_good = add_row(export, table, path, error);
		else if (export->format->kind == WEFT_EXPORT_LINES)
			is_good = export_line(export, path, error);
		else
			is_good = export_file(export, path, error);
		if (!is_good)
			return FALSE;
	}
}

static gboolean export_table(Export *export, GError **error)
{
	g_autoptr(WeftTable) table = weft_table_new(export->said->calibration);
	g_autoptr(GString) heading = g_string_new(NULL);

	if (!weft_records_schemas(export->outputs, export->named, "export", take_schema, table, error))
		return FALSE;
	weft_table_heading(table, heading);
	return write_out(export, heading->str, heading->len, error) &&
	       export_each(export, table, error);
}

/* The file that all go to: in a folder that is there, "records.csv". */
static gboolean open_file(Export *export, GError **error)
{
	g_autofree char *name = g_strconcat("records.", export->format->extension, NULL);
	g_autofree char *target = g_file_test(export->to, G_FILE_TEST_IS_DIR)
					  ? g_build_filename(export->to, name, NULL)
					  : g_strdup(export->to);

	export->file = weft_new_file_open(target, error);
	return export->file != NULL;
}

static gboolean export_all(Export *export, GError **error)
{
	gboolean is_one = export->format->kind != WEFT_EXPORT_FILES;

	if (is_one && export->to && !open_file(export, error))
		return FALSE;
	if (!is_one && export->to && !weft_folder_make(export->to, 0777, error))
		return FALSE;
	if (!(export->format->kind == WEFT_EXPORT_TABLE ? export_table(export, error)
							 : export_each(export, NULL, error)))
		return FALSE;
	if (export->file)
		return weft_new_file_publish(export->file, error);
	if (fflush(stdout) == 0)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "stdout can't be written");
	return FALSE;
}

/* Captions of several records can't stand one behind the other. */
static gboolean has_place(const Export *export, GError **error)
{
	g_auto(WeftRecords) records = {0};
	guint n = 0;

	if (export->to || !export->format->needs_speech)
		return TRUE;
	weft_records_init(&records, export->outputs, export->named);
	for (;; n++) {
		g_autofree char *path = NULL, *fingerprint = NULL;

		if (!weft_records_next(&records, &path, &fingerprint, error))
			return FALSE;
		if (!path)
			break;
	}
	if (n <= 1)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		    "%u records make %u files of captions: say where with --to DIR, or name one record",
		    n, n);
	return FALSE;
}

static int exit_code(const Export *export, const GError *error)
{
	if (!error)
		return export->n_damaged > 0 ? WEFT_EXIT_SOME_FAILED : WEFT_EXIT_DONE;
	if (g_error_matches(error, WEFT_ERROR, WEFT_ERROR_IO))
		return WEFT_EXIT_OUTPUT;
	return WEFT_EXIT_NOT_STARTED;
}

static int run(Export *export, const char *out, const char *state, const char *corrections,
	       GError **error)
{
	g_autoptr(WeftOutputs) outputs = weft_outputs_open_existing(out, state, error);
	g_autoptr(GHashTable) used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_auto(WeftSaid) said = {0};

	export->outputs = outputs;
	export->said = &said;
	export->names = used;
	if (!outputs || !weft_said_read(&said, "export", out, corrections, error))
		return WEFT_EXIT_NOT_STARTED;
	if (!has_place(export, error))
		return WEFT_EXIT_USAGE;
	if (export_all(export, error)) {
		weft_new_file_close(export->file);
		return exit_code(export, NULL);
	}
	weft_new_file_close(export->file);
	return exit_code(export, *error);
}

int weft_cmd_export(const WeftPlaces *places, int argc, char **argv)
{
	(void)places; /* reads an output folder only */
	g_autofree char *out = NULL, *state = NULL, *format = NULL, *to = NULL, *corrections = NULL;
	g_autofree char *formats = weft_export_formats();
	g_auto(GStrv) names = NULL;
	const GOptionEntry entries[] = {
	    {"format", 'f', 0, G_OPTION_ARG_FILENAME, &format, formats, "FORMAT"},
	    {"to", 0, 0, G_OPTION_ARG_FILENAME, &to,
	     "a file for each record, in this folder; csv and jsonl: this file (else stdout)", "PLACE"},
	    WEFT_CMD_OPTION_CORRECTIONS(&corrections),
	    WEFT_CMD_OPTION_OUT(&out),
	    WEFT_CMD_OPTION_STATE(&state),
	    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &names, NULL, "[ID|PATH...]"},
	    G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_option_context_set_summary(
	    context, "Writes records of OUT in a form that others read: a table of the answers (csv), the "
	             "records\nline by line (jsonl), captions for a player (srt, vtt), Markdown for a "
	             "wiki (md), plain text\n(txt), DoclingDocuments (docling). Without names, all "
	             "records.");
	g_option_context_add_main_entries(context, entries, NULL);
	GError *error = NULL;
	if (!g_option_context_parse(context, &argc, &argv, &error))
		return weft_cmd_fail("export", &error, WEFT_EXIT_USAGE);
	Export export = {.format = format ? weft_export_format(format) : NULL, .named = names, .to = to};
	if (!export.format) {
		g_set_error(&error, WEFT_ERROR, WEFT_ERROR_USAGE, "--format %s: one of %s",
		            format ? format : "is missing", formats);
		return weft_cmd_fail("export", &error, WEFT_EXIT_USAGE);
	}
	int code = run(&export, out ? out : "weft-out", state, corrections, &error);
	return error ? weft_cmd_fail("export", &error, code) : code;
}
