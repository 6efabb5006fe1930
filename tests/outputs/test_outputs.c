#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"

#include "outputs/outputs.h"
#include "sample.h"

typedef struct Fixture {
	char *folder; /* holds "out" and the input "in" */
	char *out;
	char *input;
	struct stat status;
	WeftOutputs *outputs;
} Fixture;

#define FINGERPRINT "job-1"
#define DECODERS "pdf 1;picture 2"
/* As the pipeline has them in a record, so that its rows can be made anew. */
static const char *const FACTS[] = { "fingerprint", "\"" FINGERPRINT "\"", "decoders",
				     "\"" DECODERS "\"" };

static void set_up(Fixture *fixture, gconstpointer data)
{
	fixture->folder = g_dir_make_tmp("weft-outputs-XXXXXX", NULL);
	fixture->out = g_build_filename(fixture->folder, "out", NULL);
	fixture->input = g_build_filename(fixture->folder, "in", NULL);
	g_assert_true(g_file_set_contents(fixture->input, "12345", -1, NULL));
	g_assert_cmpint(stat(fixture->input, &fixture->status), ==, 0);
	fixture->outputs = weft_outputs_open(fixture->out, NULL, WEFT_OUTPUTS_ALONE, NULL);
	g_assert_nonnull(fixture->outputs);
}

/* rm -r, a few levels deep. */
static void remove_tree(const char *path)
{
	struct stat status;
	if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
		g_autoptr(GPtrArray) names = weft_folder_names(path, 1000, NULL);
		for (guint i = 0; i < names->len; i++) {
			g_autofree char *child = g_build_filename(path, names->pdata[i], NULL);
			remove_tree(child);
		}
	}
	g_assert_cmpint(g_remove(path), ==, 0);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
	weft_outputs_close(fixture->outputs);
	remove_tree(fixture->folder);
	g_free(fixture->folder);
	g_free(fixture->out);
	g_free(fixture->input);
}

static void put(Fixture *fixture, const char *path)
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

static void commit(Fixture *fixture)
{
	g_autoptr(GError) error = NULL;
	weft_outputs_commit(fixture->outputs, &error);
	g_assert_no_error(error);
}

static void reopen(Fixture *fixture)
{
	weft_outputs_close(fixture->outputs);
	fixture->outputs = weft_outputs_open(fixture->out, NULL, WEFT_OUTPUTS_ALONE, NULL);
	g_assert_nonnull(fixture->outputs);
}

static json_t *load_sample(Fixture *fixture)
{
	g_autofree char *path =
		g_strdup_printf("%s/records/%.2s/%s.json", fixture->out, SAMPLE_HEX, SAMPLE_HEX);
	json_t *record = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	g_assert_nonnull(record);
	return record;
}

static void assert_paths(Fixture *fixture, const char *expected)
{
	json_t *record = load_sample(fixture);
	char *text = json_dumps(json_object_get(json_object_get(record, "source"), "paths"),
				JSON_COMPACT);
	g_assert_cmpstr(text, ==, expected);
	free(text);
	json_decref(record);
}

static gboolean is_unchanged(Fixture *fixture, const struct stat *status, const char *fingerprint)
{
	WeftKnown known = { .id = "" };
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

static void test_layout(Fixture *fixture, gconstpointer data)
{
	struct stat status;
	g_autofree char *database = g_build_filename(fixture->out, "state", "catalog.db", NULL);
	g_assert_cmpint(stat(fixture->out, &status), ==, 0);
	g_assert_cmphex(status.st_mode & 07777, ==, 0700);
	g_assert_cmpint(stat(database, &status), ==, 0);
	put(fixture, fixture->input);
	json_t *record = load_sample(fixture);
	g_assert_cmpstr(json_string_value(json_object_get(record, "id")), ==, SAMPLE_ID);
	json_decref(record);
}

static void test_state_elsewhere(Fixture *fixture, gconstpointer data)
{
	g_autofree char *state = g_build_filename(fixture->folder, "s", "t", NULL);
	g_autofree char *database = g_build_filename(state, "catalog.db", NULL);
	weft_outputs_close(fixture->outputs);
	fixture->outputs = weft_outputs_open(fixture->out, state, WEFT_OUTPUTS_ALONE, NULL);
	g_assert_nonnull(fixture->outputs);
	g_assert_true(g_file_test(database, G_FILE_TEST_EXISTS));
	put(fixture, fixture->input);
	g_assert_true(is_unchanged(fixture, &fixture->status, FINGERPRINT));
}

static void test_unchanged(Fixture *fixture, gconstpointer data)
{
	struct stat other;

	g_assert_false(is_unchanged(fixture, &fixture->status, FINGERPRINT));
	put(fixture, fixture->input);
	g_assert_true(is_unchanged(fixture, &fixture->status, FINGERPRINT));
	reopen(fixture);
	g_assert_true(is_unchanged(fixture, &fixture->status, FINGERPRINT));
	g_assert_false(is_unchanged(fixture, &fixture->status, "job-2"));
#define ASSERT_NOTICED(change)                                                                     \
	other = fixture->status;                                                                   \
	change;                                                                                    \
	g_assert_false(is_unchanged(fixture, &other, FINGERPRINT))
	ASSERT_NOTICED(other.st_dev++);
	ASSERT_NOTICED(other.st_ino++);
	ASSERT_NOTICED(other.st_size++);
	ASSERT_NOTICED(other.st_mtim.tv_sec--);
	ASSERT_NOTICED(other.st_mtim.tv_nsec ^= 1);
	ASSERT_NOTICED(other.st_ctim.tv_nsec ^= 1);
	/* The very same size and mtime after a write: ctime tells. */
	g_assert_cmpint(g_chmod(fixture->input, 0600), ==, 0);
	g_assert_true(g_file_set_contents(fixture->input, "54321", -1, NULL));
	struct timespec times[2] = { fixture->status.st_atim, fixture->status.st_mtim };
	g_assert_cmpint(utimensat(AT_FDCWD, fixture->input, times, 0), ==, 0);
	g_assert_cmpint(stat(fixture->input, &other), ==, 0);
	g_assert_cmpint(other.st_mtim.tv_nsec, ==, fixture->status.st_mtim.tv_nsec);
	g_assert_false(is_unchanged(fixture, &other, FINGERPRINT));
}

/* A row without its file is worth nothing: the files are the truth. */
static void test_record_file_gone(Fixture *fixture, gconstpointer data)
{
	put(fixture, fixture->input);
	g_autofree char *path = weft_outputs_record_path(fixture->outputs, SAMPLE_ID, NULL);
	g_assert_cmpint(g_remove(path), ==, 0);
	g_assert_false(is_unchanged(fixture, &fixture->status, FINGERPRINT));
	g_assert_false(weft_outputs_has(fixture->outputs, SAMPLE_ID));
}

/* The catalogue is an index: without it the record is still there, and a copy needs its
 * path only. */
static void test_catalogue_gone(Fixture *fixture, gconstpointer data)
{
	WeftKnown known;
	g_autofree char *state = g_build_filename(fixture->out, "state", NULL);
	put(fixture, fixture->input);
	g_clear_pointer(&fixture->outputs, weft_outputs_close);
	remove_tree(state);
	fixture->outputs = weft_outputs_open(fixture->out, NULL, WEFT_OUTPUTS_ALONE, NULL);
	g_assert_false(is_unchanged(fixture, &fixture->status, FINGERPRINT));
	g_assert_true(weft_outputs_has(fixture->outputs, SAMPLE_ID));
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, fixture->input,
					    &fixture->status, FINGERPRINT, &known, NULL));
	commit(fixture);
	g_assert_cmpstr(known.id, ==, SAMPLE_ID);
	g_assert_cmpint(known.status, ==, WEFT_STATUS_PARTIAL);
	g_assert_true(is_unchanged(fixture, &fixture->status, FINGERPRINT));
}

static void test_two_paths_one_record(Fixture *fixture, gconstpointer data)
{
	WeftKnown known;
	g_assert_false(weft_outputs_has(fixture->outputs, SAMPLE_ID));
	put(fixture, "/z/one");
	put(fixture, "/a/two");
	assert_paths(fixture, "[\"/a/two\",\"/z/one\"]");
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, "/m/\xC3\xA9",
					    &fixture->status, FINGERPRINT, &known, NULL));
	commit(fixture);
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, "/m/\xFF",
					    &fixture->status, FINGERPRINT, &known, NULL));
	commit(fixture);
	put(fixture, "/z/one");
	assert_paths(fixture, "[\"/a/two\",\"/m/\xC3\xA9\",\"/z/one\"]");
	json_t *record = load_sample(fixture);
	json_t *encoded = json_object_get(json_object_get(record, "source"), "paths_b64");
	g_assert_cmpstr(json_string_value(json_array_get(encoded, 0)), ==, "L20v/w==");
	g_assert_cmpuint(json_array_size(encoded), ==, 1);
	json_decref(record);
}

/* Adding a path changes nothing else, to the byte. */
static void test_add_path_keeps_bytes(Fixture *fixture, gconstpointer data)
{
	WeftKnown known;
	g_autofree char *before = NULL, *after = NULL;
	put(fixture, "/a");
	g_autofree char *path = weft_outputs_record_path(fixture->outputs, SAMPLE_ID, NULL);
	g_assert_true(g_file_get_contents(path, &before, NULL, NULL));
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, "/b", &fixture->status,
					    FINGERPRINT, &known, NULL));
	commit(fixture);
	g_assert_true(g_file_get_contents(path, &after, NULL, NULL));
	g_auto(GStrv) pieces = g_strsplit(before, "\"/a\"", 2);
	g_autofree char *expected = g_strjoinv("\"/a\",\"/b\"", pieces);
	g_assert_cmpstr(after, ==, expected);
	g_assert_true(g_str_has_suffix(after, "}\n"));
}

/* A record that was torn by something else is not believed, and put again whole, with the paths that
 * the catalogue has of it. */
static void test_torn_record(Fixture *fixture, gconstpointer data)
{
	WeftKnown known;
	g_autoptr(GError) error = NULL;
	put(fixture, "/a");
	g_autofree char *path = weft_outputs_record_path(fixture->outputs, SAMPLE_ID, NULL);
	g_assert_cmpint(truncate(path, 100), ==, 0);
	g_assert_false(weft_outputs_has(fixture->outputs, SAMPLE_ID));
	g_assert_false(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, "/b", &fixture->status,
					     FINGERPRINT, &known, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT);
	put(fixture, "/c");
	assert_paths(fixture, "[\"/a\",\"/c\"]");
	/* Nor is one that says that it is another. */
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_auto(GStrv) pieces = g_strsplit(text, "\"sha256:00", 2);
	g_autofree char *foreign = g_strjoinv("\"sha256:01", pieces);
	g_assert_true(g_file_set_contents(path, foreign, -1, NULL));
	g_assert_false(weft_outputs_has(fixture->outputs, SAMPLE_ID));
}

static void test_bad_ids(Fixture *fixture, gconstpointer data)
{
	static const char *const IDS[] = { "", "sha256:", "sha256:../../etc/passwd", "../x",
					   SAMPLE_ID "0", "sha256:ABCDEF" };
	for (gsize i = 0; i < G_N_ELEMENTS(IDS); i++) {
		g_autoptr(WeftRecord) record = sample_record();
		g_autoptr(GError) error = NULL;
		g_free(record->id);
		record->id = g_strdup(IDS[i]);
		g_assert_false(weft_outputs_put(fixture->outputs, record, "/a", &fixture->status,
						FINGERPRINT, &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
		g_assert_false(weft_outputs_has(fixture->outputs, IDS[i]));
	}
}

static void test_record_path(Fixture *fixture, gconstpointer data)
{
	static const char *const WAYS[] = { SAMPLE_ID, "00112233", "sha256:001122334455",
					    "/a/\xFF.pdf" };
	g_autoptr(GError) error = NULL;
	put(fixture, "/a/\xFF.pdf");
	for (int pass = 0; pass < 2; pass++) {
		for (gsize i = 0; i < G_N_ELEMENTS(WAYS); i++) {
			g_autofree char *path =
				weft_outputs_record_path(fixture->outputs, WAYS[i], NULL);
			g_assert_nonnull(path);
			g_assert_true(g_str_has_suffix(path, "ddeeff.json"));
			g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
		}
		g_assert_null(weft_outputs_record_path(fixture->outputs, "0011223", &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
		g_clear_error(&error);
		g_clear_pointer(&fixture->outputs, weft_outputs_close);
		fixture->outputs = weft_outputs_open_existing(fixture->out, NULL, NULL);
		g_assert_nonnull(fixture->outputs);
	}
}

static void test_ambiguous_prefix(Fixture *fixture, gconstpointer data)
{
	g_autoptr(WeftRecord) record = sample_record();
	g_autoptr(GError) error = NULL;
	put(fixture, "/a");
	record->id[strlen(record->id) - 1] = '0';
	g_assert_true(weft_outputs_put(fixture->outputs, record, "/b", NULL, FINGERPRINT, NULL));
	commit(fixture);
	g_assert_null(weft_outputs_record_path(fixture->outputs, "00112233", &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
	g_assert_cmpstr(error->message, ==, "00112233: 2 records begin so");
}

static void test_lock(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	int end;
	pid_t child = fork();
	if (child == 0) {
		/* flock is held by the open file, which a child shares: try with one of its own. */
		WeftOutputs *second = weft_outputs_open(fixture->out, NULL, WEFT_OUTPUTS_ALONE, &error);
		_exit(second ? 1 : error->code == WEFT_ERROR_CANCELLED ? 0 : 2);
	}
	g_assert_cmpint(waitpid(child, &end, 0), ==, child);
	g_assert_cmpint(end, ==, 0);
	g_autoptr(WeftOutputs) reader = weft_outputs_open_existing(fixture->out, NULL, &error);
	g_assert_true(reader && !error); /* reading works beside a run */
}

static void test_open_refused(Fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *missing = g_build_filename(fixture->folder, "none", NULL);
	g_assert_null(weft_outputs_open_existing(missing, NULL, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_IO);
	g_assert_false(g_file_test(missing, G_FILE_TEST_EXISTS));
	g_clear_error(&error);
	g_assert_null(weft_outputs_open(fixture->input, NULL, WEFT_OUTPUTS_ALONE, &error)); /* a file, no folder */
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_IO);
}

static void set_version(const char *path, const char *sql)
{
	sqlite3 *database;
	g_assert_cmpint(sqlite3_open(path, &database), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_exec(database, sql, NULL, NULL, NULL), ==, SQLITE_OK);
	sqlite3_close(database);
}

/* The first column of the first row. */
static char *ask(Fixture *fixture, const char *sql)
{
	g_autofree char *path = g_build_filename(fixture->out, "state", "catalog.db", NULL);
	sqlite3 *database;
	sqlite3_stmt *statement;
	g_assert_cmpint(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_step(statement), ==, SQLITE_ROW);
	char *text = g_strdup((const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_close(database);
	return text;
}

/* What can't be believed is built anew from the record files, by itself and with a line about it. */
static void assert_built_anew(Fixture *fixture, const char *reason)
{
	WeftKnown known;
	fixture->outputs = weft_outputs_open(fixture->out, NULL, WEFT_OUTPUTS_ALONE, NULL);
	g_assert_nonnull(fixture->outputs);
	const char *note = weft_outputs_note(fixture->outputs);
	g_assert_nonnull(note);
	g_assert_nonnull(strstr(note, reason));
	g_assert_nonnull(strstr(note, "built anew from 1 records (0 damaged)"));
	g_autofree char *rows = ask(fixture, "SELECT id || status || file_sha256 FROM record");
	g_autofree char *file = weft_outputs_record_path(fixture->outputs, fixture->input, NULL);
	g_autofree char *text = NULL;
	gsize size;
	g_assert_true(g_file_get_contents(file, &text, &size, NULL));
	g_autofree char *hex = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)text, size);
	g_autofree char *expected = g_strdup_printf(SAMPLE_ID "%d%s", WEFT_STATUS_PARTIAL, hex);
	g_assert_cmpstr(rows, ==, expected);
	/* What stat(2) said is not in a record: looked at again, and not written again. */
	g_assert_false(is_unchanged(fixture, &fixture->status, FINGERPRINT));
	g_assert_true(weft_outputs_has(fixture->outputs, SAMPLE_ID));
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, fixture->input,
					    &fixture->status, FINGERPRINT, &known, NULL));
	commit(fixture);
	g_assert_true(is_unchanged(fixture, &fixture->status, FINGERPRINT));
	reopen(fixture);
	g_assert_null(weft_outputs_note(fixture->outputs));
	g_clear_pointer(&fixture->outputs, weft_outputs_close);
}

static void test_unbelievable_catalogue(Fixture *fixture, gconstpointer data)
{
	g_autofree char *database = g_build_filename(fixture->out, "state", "catalog.db", NULL);
	g_autofree char *text = NULL;
	gsize size;

	put(fixture, fixture->input);
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

/* A path that the record has needs no writing. */
static void test_known_path(Fixture *fixture, gconstpointer data)
{
	WeftKnown known;
	struct stat before, after;
	put(fixture, fixture->input);
	g_autofree char *path = weft_outputs_record_path(fixture->outputs, SAMPLE_ID, NULL);
	g_assert_cmpint(stat(path, &before), ==, 0);
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, fixture->input,
					    &fixture->status, FINGERPRINT, &known, NULL));
	commit(fixture);
	g_assert_cmpint(stat(path, &after), ==, 0);
	g_assert_cmpuint(before.st_ino, ==, after.st_ino);
	g_autofree char *row = ask(fixture, "SELECT fingerprint || ' ' || decoders FROM record");
	char key[17];
	weft_decoders_key(DECODERS, key);
	g_autofree char *expected = g_strconcat(FINGERPRINT " ", key, NULL);
	g_assert_cmpstr(row, ==, expected);
}

static guint n_temporary(Fixture *fixture, const char *folder_name)
{
	g_autofree char *folder = g_build_filename(fixture->out, "records", folder_name, NULL);
	g_autoptr(GPtrArray) names = weft_folder_names(folder, 1000, NULL);
	guint n = 0;
	for (guint i = 0; names && i < names->len; i++)
		n += weft_file_is_temporary(names->pdata[i]);
	return n;
}

/* Until its commit a record is nowhere but in the eyes of the run that made it. */
static void test_waiting(Fixture *fixture, gconstpointer data)
{
	g_autofree char *file =
		g_strdup_printf("%s/records/%.2s/%s.json", fixture->out, SAMPLE_HEX, SAMPLE_HEX);
	g_autoptr(WeftRecord) record = sample_record();
	WeftKnown known;

	g_ptr_array_set_size(record->paths, 0);
	g_assert_true(weft_outputs_put(fixture->outputs, record, "/a", NULL, FINGERPRINT, NULL));
	g_assert_cmpuint(weft_outputs_n_waiting(fixture->outputs), ==, 1);
	g_assert_true(weft_outputs_has(fixture->outputs, SAMPLE_ID));
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, "/c", NULL, FINGERPRINT,
					    &known, NULL));
	g_assert_cmpint(known.status, ==, WEFT_STATUS_PARTIAL);
	/* Taken, and not yet published: the next one goes on from it. */
	g_assert_true(weft_outputs_write_paths(fixture->outputs, TRUE, NULL));
	WeftCommit *taken = weft_outputs_take_commit(fixture->outputs);
	g_assert_nonnull(taken);
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, "/b", NULL, FINGERPRINT,
					    &known, NULL));
	g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
	g_assert_true(weft_commit_publish(taken, NULL));
	assert_paths(fixture, "[\"/a\",\"/c\"]");
	/* Published, and without rows. */
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, "/d", NULL, FINGERPRINT,
					    &known, NULL));
	g_assert_true(weft_outputs_put_commit(fixture->outputs, taken, NULL));
	commit(fixture);
	assert_paths(fixture, "[\"/a\",\"/b\",\"/c\",\"/d\"]");
	g_assert_null(weft_outputs_take_commit(fixture->outputs));
	/* What never was committed leaves nothing behind. */
	put(fixture, "/a");
	g_assert_true(weft_outputs_put(fixture->outputs, record, "/z", NULL, FINGERPRINT, NULL));
	g_assert_cmpuint(n_temporary(fixture, "00"), ==, 1);
	reopen(fixture);
	g_assert_cmpuint(n_temporary(fixture, "00"), ==, 0);
	assert_paths(fixture, "[\"/a\",\"/b\",\"/c\",\"/d\"]");
}

static void assert_answer(Fixture *fixture, const char *sql, const char *expected)
{
	g_autofree char *answer = ask(fixture, sql);
	g_assert_cmpstr(answer, ==, expected);
}

/* However many paths a record gets or loses together, it is written once, and they have no rows
 * before. */
static void test_many_copies(Fixture *fixture, gconstpointer data)
{
	static const char SOURCES[] = "SELECT count(*) FROM source WHERE gone = 0";
	enum { N = 1000 };
	WeftKnown known;

	put(fixture, "/a");
	for (int pass = 0; pass < 3; pass++) {
		for (int i = 0; i < N; i++) {
			g_autofree char *path = g_strdup_printf("/copies/%03d", i);
			if (pass < 2)
				g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID,
								    path, &fixture->status,
								    FINGERPRINT, &known, NULL));
			else
				g_assert_true(weft_outputs_lose(fixture->outputs, path, FINGERPRINT,
								NULL));
		}
		g_assert_cmpuint(weft_outputs_n_waiting(fixture->outputs), ==, N);
		g_assert_false(weft_outputs_is_full(fixture->outputs));
		assert_answer(fixture, SOURCES, pass == 0 ? "1" : "1001");
		g_assert_cmpuint(n_temporary(fixture, "00"), ==, 0);
		g_assert_true(weft_outputs_write_paths(fixture->outputs, TRUE, NULL));
		g_assert_cmpuint(weft_outputs_n_waiting(fixture->outputs), ==, 1);
		g_assert_cmpuint(n_temporary(fixture, "00"), ==, pass == 1 ? 0 : 1);
		commit(fixture);
		assert_answer(fixture, SOURCES, pass < 2 ? "1001" : "1");
		json_t *record = load_sample(fixture);
		json_t *paths = json_object_get(json_object_get(record, "source"), "paths");
		g_assert_cmpuint(json_array_size(paths), ==, pass < 2 ? N + 1 : 1);
		for (guint i = 1; i < json_array_size(paths); i++)
			g_assert_cmpstr(json_string_value(json_array_get(paths, i - 1)), <,
					json_string_value(json_array_get(paths, i)));
		json_decref(record);
	}
}

/* A run that is killed when the new record of a path is on the disk, and the old one has it still: the
 * path has no new row, so that the next run finishes it. */
static void test_killed_between(Fixture *fixture, gconstpointer data)
{
	static const char OTHERS[] = "SELECT count(*) FROM source WHERE id != '" SAMPLE_ID "'";
	WeftKnown known;
	g_autofree char *other_id = NULL;

	put(fixture, "/a");
	for (int pass = 0; pass < 2; pass++) {
		g_autoptr(WeftRecord) other = sample_record();
		other->id[7] = 'f';
		g_ptr_array_set_size(other->paths, 0);
		if (!other_id) {
			other_id = g_strdup(other->id);
			g_assert_true(weft_outputs_put(fixture->outputs, other, "/a",
						       &fixture->status, FINGERPRINT, NULL));
			WeftCommit *taken = weft_outputs_take_commit(fixture->outputs);
			g_assert_true(weft_commit_publish(taken, NULL));
			g_assert_true(weft_outputs_put_commit(fixture->outputs, taken, NULL));
			assert_paths(fixture, "[\"/a\"]");
			assert_answer(fixture, OTHERS, "0");
			reopen(fixture);
			continue;
		}
		g_assert_true(weft_outputs_add_path(fixture->outputs, other_id, "/a",
						    &fixture->status, FINGERPRINT, &known, NULL));
		commit(fixture);
	}
	assert_paths(fixture, "[]");
	assert_answer(fixture, OTHERS, "1");
	assert_answer(fixture, "SELECT count(*) FROM source", "1");
}

/* A record of which another run has written the paths while ours waited has all of them. */
static void test_two_writers(Fixture *fixture, gconstpointer data)
{
	WeftKnown known;
	g_autofree char *text = NULL;

	put(fixture, "/a");
	g_autofree char *file = weft_outputs_record_path(fixture->outputs, SAMPLE_ID, NULL);
	for (int pass = 0; pass < 2; pass++) {
		const char *ours = pass == 0 ? "/c" : "/e", *theirs = pass == 0 ? "/b" : "/d";
		if (pass == 0) {
			g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, ours,
							    NULL, FINGERPRINT, &known, NULL));
		} else {
			g_autoptr(WeftRecord) record = sample_record();
			g_ptr_array_set_size(record->paths, 0);
			g_assert_true(weft_outputs_put(fixture->outputs, record, ours, NULL,
						       FINGERPRINT, NULL));
		}
		g_clear_pointer(&text, g_free);
		g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
		g_auto(GStrv) pieces = g_strsplit(text, "\"/a\"", 2);
		g_autofree char *with = g_strdup_printf("\"/a\",\"%s\"", theirs);
		g_autofree char *changed = g_strjoinv(with, pieces);
		g_assert_true(g_file_set_contents(file, changed, -1, NULL));
		commit(fixture);
	}
	/* The second pass put a new record over one that lacked what it had read: both count. */
	assert_paths(fixture, "[\"/a\",\"/b\",\"/c\",\"/d\",\"/e\"]");
	g_assert_cmpuint(n_temporary(fixture, "00"), ==, 0);
	g_assert_true(weft_outputs_finish(fixture->outputs, "{}", NULL));
}

/* More than a commit holds, in folders that are there and in new ones. */
static void test_many(Fixture *fixture, gconstpointer data)
{
	for (int i = 0; i < 150; i++) {
		g_autoptr(WeftRecord) record = sample_record();
		g_autofree char *hex = g_strdup_printf("%02x%062x", i % 100, i);
		g_autofree char *path = g_strdup_printf("/%d", i);
		g_free(record->id);
		record->id = g_strconcat("sha256:", hex, NULL);
		g_assert_true(weft_outputs_put(fixture->outputs, record, path, NULL, FINGERPRINT,
					       NULL));
		g_assert_cmpint(weft_outputs_is_full(fixture->outputs), ==, i % 64 == 63);
		if (weft_outputs_is_full(fixture->outputs))
			commit(fixture);
	}
	g_assert_true(weft_outputs_finish(fixture->outputs, "{}", NULL));
	g_autofree char *rows = ask(fixture, "SELECT count(*) FROM record JOIN source USING (id)");
	g_assert_cmpstr(rows, ==, "150");
	g_autofree char *manifest = NULL;
	g_autofree char *path = g_build_filename(fixture->out, "manifest.sha256", NULL);
	g_assert_true(g_file_get_contents(path, &manifest, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(manifest, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 151);
}

/* The rows as another program sees them. */
static void test_catalogue_rows(Fixture *fixture, gconstpointer data)
{
	g_autofree char *path = g_build_filename(fixture->out, "state", "catalog.db", NULL);
	sqlite3 *database;
	sqlite3_stmt *statement;
	put(fixture, "/a\xFF\nb");
	g_assert_cmpint(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
	g_assert_cmpint(sqlite3_prepare_v2(database,
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

static void assert_manifest(Fixture *fixture, gboolean is_good)
{
	const char *argv[] = { "sha256sum", "--check", "--strict", "manifest.sha256", NULL };
	g_autofree char *out = NULL;
	int end;
	g_assert_true(g_spawn_sync(fixture->out, (char **)argv, NULL,
				   G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
				   &out, NULL, &end, NULL));
	g_assert_cmpint(end == 0, ==, is_good);
	if (is_good)
		g_assert_nonnull(strstr(out, "ddeeff.json: OK"));
}

/* sha256sum is the judge: of what the catalogue remembers, and of a record that it did not see. */
static void test_finish(Fixture *fixture, gconstpointer data)
{
	WeftKnown known;
	g_autoptr(WeftRecord) other = sample_record();
	g_autofree char *summary_path = g_build_filename(fixture->out, "summary.json", NULL);
	g_autofree char *state = g_build_filename(fixture->out, "state", NULL);
	g_autofree char *summary = NULL;

	put(fixture, "/a");
	other->id[7] = 'f';
	g_assert_true(weft_outputs_put(fixture->outputs, other, "/b", NULL, FINGERPRINT, NULL));
	commit(fixture);
	g_assert_true(weft_outputs_finish(fixture->outputs, "{\"done\":2}", NULL));
	assert_manifest(fixture, TRUE);
	g_assert_true(g_file_get_contents(summary_path, &summary, NULL, NULL));
	g_assert_cmpstr(summary, ==, "{\"done\":2}\n");

	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, "/c", NULL, FINGERPRINT,
					    &known, NULL));
	commit(fixture);
	assert_manifest(fixture, FALSE);
	g_assert_true(weft_outputs_finish(fixture->outputs, "{}", NULL));
	assert_manifest(fixture, TRUE);

	g_clear_pointer(&fixture->outputs, weft_outputs_close);
	remove_tree(state);
	fixture->outputs = weft_outputs_open(fixture->out, NULL, WEFT_OUTPUTS_ALONE, NULL);
	g_assert_true(weft_outputs_finish(fixture->outputs, "{}", NULL));
	assert_manifest(fixture, TRUE);
}

/* A run that is killed while it writes: what it leaves is gone at the end of the next one. */
static void test_leftovers(Fixture *fixture, gconstpointer data)
{
	g_autofree char *records = g_build_filename(fixture->out, "records", "00", NULL);
	const char *folders[] = { fixture->out, records };
	put(fixture, "/a");
	for (int i = 0; i < 2; i++) {
		g_autofree char *left = g_build_filename(folders[i], ".x.json.tmp-0123abcd", NULL);
		g_autofree char *other = g_build_filename(folders[i], ".x.tmp-0123abcd.keep", NULL);
		g_assert_true(g_file_set_contents(left, "half", -1, NULL));
		g_assert_true(g_file_set_contents(other, "not ours", -1, NULL));
		g_assert_true(weft_outputs_finish(fixture->outputs, "{}", NULL));
		g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
		g_assert_true(g_file_test(other, G_FILE_TEST_EXISTS));
	}
	assert_manifest(fixture, TRUE);
}

/* The catalogue's checksum of a record counts only for the file that it saw. */
static void test_manifest_sees_the_file(Fixture *fixture, gconstpointer data)
{
	g_autofree char *text = NULL;
	put(fixture, "/a");
	g_autofree char *path = weft_outputs_record_path(fixture->outputs, SAMPLE_ID, NULL);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	text[10] ^= 1;
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	g_assert_true(weft_outputs_finish(fixture->outputs, "{}", NULL));
	assert_manifest(fixture, TRUE);
}

/* No room left: an error, the old record whole, nothing half beside it. */
static void test_write_refused(Fixture *fixture, gconstpointer data)
{
	g_autoptr(WeftRecord) record = sample_record();
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = g_build_filename(fixture->out, "records", "00", NULL);
	int end;

	put(fixture, "/a");
	pid_t child = fork();
	if (child == 0) {
		struct rlimit small = { 64, 64 };
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &small);
		gboolean is_good = weft_outputs_put(fixture->outputs, record, "/b",
						    &fixture->status, FINGERPRINT, &error);
		_exit(is_good ? 1 : error->code == WEFT_ERROR_IO ? 0 : 2);
	}
	g_assert_cmpint(waitpid(child, &end, 0), ==, child);
	g_assert_cmpint(end, ==, 0);
	assert_paths(fixture, "[\"/a\"]");
	g_autoptr(GPtrArray) names = weft_folder_names(folder, 10, NULL);
	g_assert_cmpuint(names->len, ==, 1);
}

/* Several files that are one document have a row each; with one file less it is another document, and
 * the first one keeps the files that no other has. */
static void test_together(Fixture *fixture, gconstpointer data)
{
	const WeftPlace places[] = {{"/b", &fixture->status}, {"/a", &fixture->status}, {"/c", NULL}};
	const char *const other_hex = "00" SAMPLE_HEX;
	g_autofree char *other_id = g_strdup_printf("sha256:%.64s", other_hex);
	g_autoptr(GError) error = NULL;
	WeftKnown known;
	guint64 n;

	for (guint round = 0; round < 2; round++) {
		g_autoptr(WeftRecord) record = sample_record();

		g_ptr_array_set_size(record->paths, 0);
		for (int i = 0; i < 4; i++)
			g_ptr_array_add(record->run, g_strdup(FACTS[i]));
		if (round == 1) {
			g_free(record->id);
			record->id = g_strdup(other_id);
		}
		g_assert_true(weft_outputs_put_together(fixture->outputs, record, places, 3 - round,
							FINGERPRINT, &error));
		g_assert_no_error(error);
		commit(fixture);
		if (round == 0)
			assert_paths(fixture, "[\"/a\",\"/b\",\"/c\"]");
		for (guint i = 0; i < 2; i++) {
			g_assert_true(weft_outputs_is_unchanged(fixture->outputs, places[i].path,
								&fixture->status, FINGERPRINT, &known));
			g_assert_cmpstr(known.id, ==, round == 0 ? SAMPLE_ID : other_id);
		}
		g_assert_true(weft_outputs_count_paths(fixture->outputs, known.id, &n, NULL));
		g_assert_cmpuint(n, ==, 3 - round);
	}
	assert_paths(fixture, "[\"/c\"]");
	/* "/c" could not be stat'ed: it is never unchanged. */
	g_assert_false(weft_outputs_is_unchanged(fixture->outputs, "/c", &fixture->status, FINGERPRINT,
						 &known));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/outputs/" name, Fixture, NULL, set_up, function, tear_down)
	ADD("together", test_together);
	ADD("layout", test_layout);
	ADD("state-elsewhere", test_state_elsewhere);
	ADD("unchanged", test_unchanged);
	ADD("record-file-gone", test_record_file_gone);
	ADD("catalogue-gone", test_catalogue_gone);
	ADD("two-paths-one-record", test_two_paths_one_record);
	ADD("add-path-keeps-bytes", test_add_path_keeps_bytes);
	ADD("torn-record", test_torn_record);
	ADD("bad-ids", test_bad_ids);
	ADD("record-path", test_record_path);
	ADD("ambiguous-prefix", test_ambiguous_prefix);
	ADD("lock", test_lock);
	ADD("open-refused", test_open_refused);
	ADD("unbelievable-catalogue", test_unbelievable_catalogue);
	ADD("known-path", test_known_path);
	ADD("waiting", test_waiting);
	ADD("many-copies", test_many_copies);
	ADD("killed-between", test_killed_between);
	ADD("two-writers", test_two_writers);
	ADD("many", test_many);
	ADD("catalogue-rows", test_catalogue_rows);
	ADD("finish", test_finish);
	ADD("leftovers", test_leftovers);
	ADD("manifest-sees-the-file", test_manifest_sees_the_file);
	ADD("write-refused", test_write_refused);
	return g_test_run();
}
