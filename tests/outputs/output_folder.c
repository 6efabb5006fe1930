#include "output_folder.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

#include "base/files.h"
#include "sample.h"

const char *const FACTS[N_FACTS] = {"fingerprint", "\"" FINGERPRINT "\"", "decoders",
                                    "\"" DECODERS "\""};

void output_folder_set_up(OutputFolder *fixture, gconstpointer data)
{
	fixture->folder = g_dir_make_tmp("weft-outputs-XXXXXX", NULL);
	fixture->out = g_build_filename(fixture->folder, "out", NULL);
	fixture->input = g_build_filename(fixture->folder, "in", NULL);
	g_assert_true(g_file_set_contents(fixture->input, "12345", -1, NULL));
	g_assert_cmpint(stat(fixture->input, &fixture->status), ==, 0);
	fixture->outputs = weft_outputs_open(fixture->out, NULL, WEFT_OUTPUTS_ALONE, NULL);
	g_assert_nonnull(fixture->outputs);
}

void output_folder_remove(const char *path)
{
	struct stat status;
	if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
		g_autoptr(GPtrArray) names = weft_folder_names(path, 1000, NULL);
		for (guint i = 0; i < names->len; i++) {
			g_autofree char *child = g_build_filename(path, names->pdata[i], NULL);
			output_folder_remove(child);
		}
	}
	g_assert_cmpint(g_remove(path), ==, 0);
}

void output_folder_tear_down(OutputFolder *fixture, gconstpointer data)
{
	weft_outputs_close(fixture->outputs);
	output_folder_remove(fixture->folder);
	g_free(fixture->folder);
	g_free(fixture->out);
	g_free(fixture->input);
}

void output_folder_put(OutputFolder *fixture, const char *path)
{
	g_autoptr(WeftRecord) record = sample_record();
	g_autoptr(GError) error = NULL;
	g_ptr_array_set_size(record->paths, 0);
	for (int i = 0; i < 4; i++)
		g_ptr_array_add(record->run, g_strdup(FACTS[i]));
	weft_outputs_put(fixture->outputs, record, path, &fixture->status, FINGERPRINT, &error);
	g_assert_no_error(error);
	weft_outputs_commit(fixture->outputs, &error);
	g_assert_no_error(error);
}

void output_folder_commit(OutputFolder *fixture)
{
	g_autoptr(GError) error = NULL;
	weft_outputs_commit(fixture->outputs, &error);
	g_assert_no_error(error);
}

void output_folder_reopen(OutputFolder *fixture)
{
	weft_outputs_close(fixture->outputs);
	fixture->outputs = weft_outputs_open(fixture->out, NULL, WEFT_OUTPUTS_ALONE, NULL);
	g_assert_nonnull(fixture->outputs);
}

json_t *output_folder_sample(OutputFolder *fixture)
{
	g_autofree char *path =
	    g_strdup_printf("%s/records/%.2s/%s.json", fixture->out, SAMPLE_HEX, SAMPLE_HEX);
	json_t *record = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	g_assert_nonnull(record);
	return record;
}

void output_folder_assert_paths(OutputFolder *fixture, const char *expected)
{
	json_t *record = output_folder_sample(fixture);
	char *text =
	    json_dumps(json_object_get(json_object_get(record, "source"), "paths"), JSON_COMPACT);
	g_assert_cmpstr(text, ==, expected);
	free(text);
	json_decref(record);
}

gboolean output_folder_is_unchanged(OutputFolder *fixture, const struct stat *status,
                                    const char *fingerprint)
{
	WeftKnown known = {.id = ""};
	gboolean is = weft_outputs_is_unchanged(fixture->outputs, fixture->input, status,
	                                        fingerprint, &known);
	if (is) {
		g_assert_cmpstr(known.id, ==, SAMPLE_ID);
		g_assert_cmpint(known.status, ==, WEFT_STATUS_PARTIAL);
	} else {
		g_assert_cmpstr(known.id, ==, ""); /* untouched */
	}
	return is;
}

char *output_folder_ask(OutputFolder *fixture, const char *sql)
{
	g_autofree char *path = g_build_filename(fixture->out, "state", "catalog.db", NULL);
	sqlite3 *database;
	sqlite3_stmt *statement;
	g_assert_cmpint(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL), ==,
	                SQLITE_OK);
	g_assert_cmpint(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
	char *text = g_strdup((const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_close(database);
	return text;
}
