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

/* ---- schemas ---- */

typedef struct Schemas {
	WeftOutputs *outputs;
	const char *verb;
	GHashTable *seen; /* fingerprints of jobs */
	WeftTakeSchema take;
	gpointer data;
} Schemas;

/* Of documents of this type (NULL: of none). */
static gboolean take_one(const Schemas *schemas, const char *fingerprint, const char *type,
                         GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autofree char *schema =
	    weft_outputs_job_schema(schemas->outputs, fingerprint, type, &failure);

	if (failure) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	return !schema || schemas->take(schemas->data, schema, type != NULL, error);
}

static gboolean take_job(const Schemas *schemas, const char *fingerprint, GError **error)
{
	if (!g_hash_table_add(schemas->seen, g_strdup(fingerprint)))
		return TRUE;
	g_autofree char *job = weft_outputs_job_file(schemas->outputs, fingerprint);
	g_autoptr(GPtrArray) types = weft_outputs_job_types(schemas->outputs, fingerprint);

	if (!job) {
		g_autofree char *name = weft_path_display(fingerprint);

		fprintf(stderr,
		        "weft %s: job %.12s is not kept (an older weft ran it, or jobs/ was deleted): "
		        "the answers of its records are left out\n", schemas->verb, name);
	}
	for (guint i = 0; i < types->len; i++)
		if (!take_one(schemas, fingerprint, types->pdata[i], error))
			return FALSE;
	return take_one(schemas, fingerprint, NULL, error);
}

gboolean weft_records_schemas(WeftOutputs *outputs, char **names, const char *verb,
                              WeftTakeSchema take, gpointer data, GError **error)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const Schemas schemas = {outputs, verb, seen, take, data};
	g_auto(WeftRecords) records = {0};

	weft_records_init(&records, outputs, names);
	for (;;) {
		g_autofree char *path = NULL, *fingerprint = NULL;
		g_autoptr(WeftJson) head = NULL;

		if (!weft_records_next(&records, &path, &fingerprint, error))
			return FALSE;
		if (!path)
			return TRUE;
		if (!fingerprint) {
			head = weft_record_head(path, NULL); /* who reads it next tells what is damaged */
			fingerprint = g_strdup(
			    weft_json_string(weft_json_at_pointer(head, "/run/fingerprint"), NULL));
		}
		if (fingerprint && *fingerprint && !take_job(&schemas, fingerprint, error))
			return FALSE;
	}
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
