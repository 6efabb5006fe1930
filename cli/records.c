#include "cli/records.h"

#include <stdio.h>

#include "base/error.h"
#include "base/files.h"

#define CALIBRATION_BYTES_MAX ((gsize)16 << 20)

/* ---- one by one ---- */

void weft_records_init(WeftRecords *records, WeftOutputs *outputs, char **names)
{
	*records = (WeftRecords){.outputs = outputs, .names = names};
}

void weft_records_done(WeftRecords *records)
{
	g_clear_pointer(&records->after, g_free);
}

static gboolean next_named(WeftRecords *records, char **ret_path, GError **error)
{
	const char *name = records->names[records->n_given];

	*ret_path = NULL;
	if (!name)
		return TRUE;
	records->n_given++;
	*ret_path = weft_outputs_record_path(records->outputs, name, error);
	return *ret_path != NULL;
}

gboolean weft_records_next(WeftRecords *records, char **ret_path, char **ret_fingerprint,
                           GError **error)
{
	g_autoptr(WeftDocumentRow) row = NULL;

	*ret_path = *ret_fingerprint = NULL;
	if (records->names)
		return next_named(records, ret_path, error);
	if (!weft_outputs_next_document(records->outputs, records->after, &row, error))
		return FALSE;
	if (row) {
		g_free(records->after);
		records->after = g_steal_pointer(&row->path);
		*ret_path = g_steal_pointer(&row->record_path);
		*ret_fingerprint = g_steal_pointer(&row->fingerprint);
	}
	return TRUE;
}

/* ---- what people say ---- */

static void tell_bad(const char *verb, const GPtrArray *bad)
{
	for (guint i = 0; i < bad->len; i++) {
		g_autofree char *line = weft_path_display(bad->pdata[i]);

		fprintf(stderr, "weft %s: %s\n", verb, line);
	}
}

static gboolean read_calibration(WeftSaid *said, const char *out, GError **error)
{
	g_autofree char *path = g_build_filename(out, "calibration.json", NULL);
	g_autofree char *text = NULL;
	gsize size;

	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return TRUE;
	if (!weft_file_read(path, CALIBRATION_BYTES_MAX, &text, &size, error))
		return FALSE;
	g_autoptr(WeftJson) file = weft_json_parse(text, size, WEFT_JSON_STRICT, error);
	if (file && weft_calibration_read(file, &said->calibration, error))
		return TRUE;
	g_prefix_error(error, "%s: ", path);
	return FALSE;
}

gboolean weft_said_corrections(WeftSaid *said, const char *verb, const char *file, GError **error)
{
	g_autoptr(GPtrArray) bad = g_ptr_array_new_with_free_func(g_free);

	*said = (WeftSaid){.corrections = weft_corrections_read(file, bad, error)};
	tell_bad(verb, bad);
	return said->corrections != NULL;
}

gboolean weft_said_read(WeftSaid *said, const char *verb, const char *out, const char *file,
                        GError **error)
{
	g_autofree char *usual = g_build_filename(out, "corrections.csv", NULL);

	*said = (WeftSaid){0};
	if (!file && !g_file_test(usual, G_FILE_TEST_EXISTS))
		said->corrections = weft_corrections_new();
	else if (!weft_said_corrections(said, verb, file ? file : usual, error))
		return FALSE;
	return read_calibration(said, out, error);
}

void weft_said_done(WeftSaid *said)
{
	g_clear_pointer(&said->corrections, weft_corrections_free);
	g_clear_pointer(&said->calibration, weft_calibration_free);
}

WeftJson *weft_said_apply(WeftSaid *said, const char *verb, WeftJson *take_record, GError **error)
{
	g_autoptr(GPtrArray) bad = g_ptr_array_new_with_free_func(g_free);
	WeftJson *record = weft_corrections_apply(said->corrections, take_record, bad, error);

	tell_bad(verb, bad);
	return record;
}
