/* cmd_export.c - records as captions, Markdown or plain text. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "cli/record_tree.h"
#include "outputs/outputs.h"

typedef struct Export {
	const WeftExportFormat *format;
	const char *folder; /* NULL: stdout */
	gboolean takes_all; /* no names were given: what has nothing to say is passed over */
	GHashTable *names;  /* of the files written */
} Export;

/* "meeting.vtt"; "meeting-1f2e3d4c.vtt" for the second document of that name. */
static char *file_name(Export *export, const WeftJson *record)
{
	g_autofree char *title = weft_export_title(record);
	const char *id = weft_json_string(weft_json_member(record, "id"), NULL);
	char *dot = strrchr(title, '.');

	g_strdelimit(title, "/", '_');
	if (dot && dot > title)
		*dot = '\0';
	g_autofree char *name = g_strdup_printf("%s.%s", title, export->format->name);

	if (*title == '\0' || *title == '.' || g_hash_table_contains(export->names, name)) {
		g_free(name);
		name = g_strdup_printf("%s-%.8s.%s", title, id ? id + strlen("sha256:") : "record",
				       export->format->name);
	}
	g_hash_table_add(export->names, g_strdup(name));
	return g_steal_pointer(&name);
}

static gboolean export_one(Export *export, const char *path, GError **error)
{
	g_autoptr(WeftJson) record = weft_record_tree_read(path, error);
	g_autoptr(GString) text = g_string_new(NULL);

	if (!record)
		return FALSE;
	if (!export->format->write(text, record)) {
		g_autofree char *title = weft_export_title(record);

		if (!export->takes_all)
			fprintf(stderr, "weft export: %s: no speech that was read, no captions\n", title);
		if (export->folder)
			return TRUE;
	}
	if (!export->folder) {
		if (fwrite(text->str, 1, text->len, stdout) == text->len && fflush(stdout) == 0)
			return TRUE;
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "stdout can't be written");
		return FALSE;
	}
	g_autofree char *name = file_name(export, record);
	g_autofree char *target = g_build_filename(export->folder, name, NULL);

	return weft_file_write(target, text->str, text->len, error);
}

/* The records of these names, or all that the format has something to write of. */
static GPtrArray *find_records(WeftOutputs *outputs, char **names, GError **error)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

	if (!names) {
		g_autoptr(GPtrArray) listed = weft_outputs_list(outputs, error);
		g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

		if (!listed)
			return NULL;
		for (guint i = 0; i < listed->len; i++) {
			const WeftListed *entry = listed->pdata[i];

			if (g_hash_table_add(seen, entry->id)) /* copies of one document: once */
				g_ptr_array_add(paths, g_strdup(entry->record_path));
		}
		return g_steal_pointer(&paths);
	}
	for (gsize i = 0; names[i]; i++) {
		char *path = weft_outputs_record_path(outputs, names[i], error);

		if (!path)
			return NULL;
		g_ptr_array_add(paths, path);
	}
	return g_steal_pointer(&paths);
}

static int export_all(Export *export, WeftOutputs *outputs, char **names, GError **error)
{
	g_autoptr(GPtrArray) paths = find_records(outputs, names, error);

	if (!paths)
		return WEFT_EXIT_NOT_STARTED;
	if (paths->len > 1 && !export->folder && export->format->needs_speech) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "%u records make %u files of captions: say where with --to DIR, or name "
			    "one record", paths->len, paths->len);
		return WEFT_EXIT_USAGE;
	}
	if (export->folder && !weft_folder_make(export->folder, 0777, error))
		return WEFT_EXIT_OUTPUT;
	for (guint i = 0; i < paths->len; i++)
		if (!export_one(export, paths->pdata[i], error))
			return g_error_matches(*error, WEFT_ERROR, WEFT_ERROR_IO) ?
				       WEFT_EXIT_OUTPUT : WEFT_EXIT_NOT_STARTED;
	return WEFT_EXIT_DONE;
}

int weft_cmd_export(const WeftPlaces *places, int argc, char **argv)
{
	(void)places; /* reads an output folder only */
	g_autofree char *out = NULL, *state = NULL, *format = NULL, *folder = NULL;
	g_auto(GStrv) names = NULL;
	const GOptionEntry entries[] = {
	    {"format", 'f', 0, G_OPTION_ARG_STRING, &format, "srt, vtt, md or txt", "FORMAT"},
	    {"to", 0, 0, G_OPTION_ARG_FILENAME, &folder,
	     "a file for each record, in this folder (else stdout)", "DIR"},
	    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &out, "the output folder (./weft-out)",
	     "OUT"},
	    {"state", 0, 0, G_OPTION_ARG_FILENAME, &state, "its state folder (OUT/state)", "DIR"},
	    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &names, NULL, "[ID|PATH...]"},
	    G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_option_context_set_summary(
	    context, "Writes records of OUT in a form that others read: captions for a player (srt, "
	             "vtt), Markdown\nfor a wiki (md), plain text (txt). Without names, all records.");
	g_option_context_add_main_entries(context, entries, NULL);
	GError *error = NULL;
	if (!g_option_context_parse(context, &argc, &argv, &error))
		return weft_cmd_fail("export", &error, WEFT_EXIT_USAGE);
	const WeftExportFormat *found = format ? weft_export_format(format) : NULL;
	if (!found) {
		g_set_error(&error, WEFT_ERROR, WEFT_ERROR_USAGE, "--format %s: one of %s",
		            format ? format : "is missing", weft_export_formats());
		return weft_cmd_fail("export", &error, WEFT_EXIT_USAGE);
	}
	g_autoptr(WeftOutputs) outputs =
	    weft_outputs_open_existing(out ? out : "weft-out", state, &error);
	int code = WEFT_EXIT_NOT_STARTED;
	if (outputs) {
		g_autoptr(GHashTable) used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		Export export = {found, folder, names == NULL, used};

		code = export_all(&export, outputs, names, &error);
	}
	return error ? weft_cmd_fail("export", &error, code) : code;
}
