/* test_catalogue.c - the index beside the records: believed while it holds, made anew when not. */
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

#include "output_folder.h"
#include "sample.h"

/* The catalogue is an index: without it the record is still there, and a copy needs its
 * path only. */
static void test_catalogue_gone(OutputFolder *fixture, gconstpointer data)
{
	WeftKnown known;
	g_autofree char *state = g_build_filename(fixture->out, "state", NULL);
	output_folder_put(fixture, fixture->input);
	g_clear_pointer(&fixture->outputs, weft_outputs_close);
	output_folder_remove(state);
	fixture->outputs = weft_outputs_open(fixture->out, NULL, WEFT_OUTPUTS_ALONE, NULL);
	g_assert_false(output_folder_is_unchanged(fixture, &fixture->status, FINGERPRINT));
	g_assert_true(weft_outputs_has(fixture->outputs, SAMPLE_ID));
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, fixture->input,
	                                    &fixture->status, FINGERPRINT, &known, NULL));
	output_folder_commit(fixture);
	g_assert_cmpstr(known.id, ==, SAMPLE_ID);
	g_assert_cmpint(known.status, ==, WEFT_STATUS_PARTIAL);
	g_assert_true(output_folder_is_unchanged(fixture, &fixture->status, FINGERPRINT));
}

static void set_version(const char *path, const char *sql)
{
	sqlite3 *database;
	g_assert_cmpint(sqlite3_open(path, &database), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(database, sql, NULL, NULL, NULL), ==, SQLITE_OK);
	sqlite3_close(database);
}

/* What can't be believed is built anew from the record files, by itself and with a line about it.
 */
static void assert_built_anew(OutputFolder *fixture, const char *reason)
{
	WeftKnown known;
	fixture->outputs = weft_outputs_open(fixture->out, NULL, WEFT_OUTPUTS_ALONE, NULL);
	g_assert_nonnull(fixture->outputs);
	const char *note = weft_outputs_note(fixture->outputs);
	g_assert_nonnull(note);
	g_assert_nonnull(strstr(note, reason));
	g_assert_nonnull(strstr(note, "built anew from 1 records (0 damaged)"));
	g_autofree char *rows =
	    output_folder_ask(fixture, "SELECT id || status || file_sha256 FROM record");
	g_autofree char *file = weft_outputs_record_path(fixture->outputs, fixture->input, NULL);
	g_autofree char *text = NULL;
	gsize size;
	g_assert_true(g_file_get_contents(file, &text, &size, NULL));
	g_autofree char *hex = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)text, size);
	g_autofree char *expected = g_strdup_printf(SAMPLE_ID "%d%s", WEFT_STATUS_PARTIAL, hex);
	g_assert_cmpstr(rows, ==, expected);
	/* What stat(2) said is not in a record: looked at again, and not written again. */
	g_assert_false(output_folder_is_unchanged(fixture, &fixture->status, FINGERPRINT));
	g_assert_true(weft_outputs_has(fixture->outputs, SAMPLE_ID));
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, fixture->input,
	                                    &fixture->status, FINGERPRINT, &known, NULL));
	output_folder_commit(fixture);
	g_assert_true(output_folder_is_unchanged(fixture, &fixture->status, FINGERPRINT));
	output_folder_reopen(fixture);
	g_assert_null(weft_outputs_note(fixture->outputs));
	g_clear_pointer(&fixture->outputs, weft_outputs_close);
}

static void test_unbelievable_catalogue(OutputFolder *fixture, gconstpointer data)
{
	g_autofree char *database = g_build_filename(fixture->out, "state", "catalog.db", NULL);
	g_autofree char *text = NULL;
	gsize size;

	output_folder_put(fixture, fixture->input);
	g_clear_pointer(&fixture->outputs, weft_outputs_close);
	set_version(database, "PRAGMA user_version = 99");
	assert_built_anew(fixture, "catalogue of version 99");
	set_version(database, "PRAGMA user_version = 1");
	assert_built_anew(fixture, "catalogue of version 1,");
	set_version(database, "DROP TABLE record");
	assert_built_anew(fixture, "no such table");
	g_assert_true(g_file_set_contents(database, "this is no database, not at all", -1, NULL));
	assert_built_anew(fixture, "not a database");
	g_assert_true(g_file_set_contents(database, "", 0, NULL));
	assert_built_anew(fixture, "not finished");
	g_assert_cmpint(g_remove(database), ==, 0);
	assert_built_anew(fixture, "no catalogue");
	/* One that was cut short. */
	g_assert_true(g_file_get_contents(database, &text, &size, NULL));
	g_assert_true(g_file_set_contents(database, text, 4096 + 100, NULL));
	assert_built_anew(fixture, "malformed");
}

/* The rows as another program sees them. */
static void test_catalogue_rows(OutputFolder *fixture, gconstpointer data)
{
	g_autofree char *path = g_build_filename(fixture->out, "state", "catalog.db", NULL);
	sqlite3 *database;
	sqlite3_stmt *statement;
	output_folder_put(fixture, "/a\xFF\nb");
	g_assert_cmpint(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL), ==,
	                SQLITE_OK);
	g_assert_cmpint(
	    sqlite3_prepare_v2(database,
	                       "SELECT path, bytes, typeof(path), journal_mode, status"
	                       " FROM source JOIN record USING (id), pragma_journal_mode",
	                       -1, &statement, NULL),
	    ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
	g_assert_cmpmem(sqlite3_column_blob(statement, 0), sqlite3_column_bytes(statement, 0),
	                "/a\xFF\nb", 5);
	g_assert_cmpint(sqlite3_column_int(statement, 1), ==, 5);
	g_assert_cmpstr((const char *)sqlite3_column_text(statement, 2), ==, "blob");
	g_assert_cmpstr((const char *)sqlite3_column_text(statement, 3), ==, "wal");
	g_assert_cmpint(sqlite3_column_int(statement, 4), ==, WEFT_STATUS_PARTIAL);
	g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_DONE);
	sqlite3_finalize(statement);
	sqlite3_close(database);
}

/* A path that the record has needs no writing. */
static void test_known_path(OutputFolder *fixture, gconstpointer data)
{
	WeftKnown known;
	struct stat before, after;
	output_folder_put(fixture, fixture->input);
	g_autofree char *path = weft_outputs_record_path(fixture->outputs, SAMPLE_ID, NULL);
	g_assert_cmpint(stat(path, &before), ==, 0);
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, fixture->input,
	                                    &fixture->status, FINGERPRINT, &known, NULL));
	output_folder_commit(fixture);
	g_assert_cmpint(stat(path, &after), ==, 0);
	g_assert_cmpuint(before.st_ino, ==, after.st_ino);
	g_autofree char *row =
	    output_folder_ask(fixture, "SELECT fingerprint || ' ' || decoders FROM record");
	char key[17];
	weft_decoders_key(DECODERS, key);
	g_autofree char *expected = g_strconcat(FINGERPRINT " ", key, NULL);
	g_assert_cmpstr(row, ==, expected);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
	g_test_add("/catalogue/" name, OutputFolder, NULL, output_folder_set_up, function,         \
	           output_folder_tear_down)
	ADD("catalogue-gone", test_catalogue_gone);
	ADD("unbelievable-catalogue", test_unbelievable_catalogue);
	ADD("catalogue-rows", test_catalogue_rows);
	ADD("known-path", test_known_path);
	return g_test_run();
}
