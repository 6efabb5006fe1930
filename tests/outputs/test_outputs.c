/* test_outputs.c - records in their folder: layout, paths, names, lock, manifest. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "output_folder.h"
#include "sample.h"

static void test_layout(OutputFolder *fixture, gconstpointer data)
{
	struct stat status;
	g_autofree char *database = g_build_filename(fixture->out, "state", "catalog.db", NULL);
	g_assert_cmpint(stat(fixture->out, &status), ==, 0);
	g_assert_cmphex(status.st_mode & 07777, ==, 0700);
	g_assert_cmpint(stat(database, &status), ==, 0);
	output_folder_put(fixture, fixture->input);
	json_t *record = output_folder_sample(fixture);
	g_assert_cmpstr(json_string_value(json_object_get(record, "id")), ==, SAMPLE_ID);
	json_decref(record);
}

static void test_state_elsewhere(OutputFolder *fixture, gconstpointer data)
{
	g_autofree char *state = g_build_filename(fixture->folder, "s", "t", NULL);
	g_autofree char *database = g_build_filename(state, "catalog.db", NULL);
	weft_outputs_close(fixture->outputs);
	fixture->outputs = weft_outputs_open(fixture->out, state, WEFT_OUTPUTS_ALONE, NULL);
	g_assert_nonnull(fixture->outputs);
	g_assert_true(g_file_test(database, G_FILE_TEST_EXISTS));
	output_folder_put(fixture, fixture->input);
	g_assert_true(output_folder_is_unchanged(fixture, &fixture->status, FINGERPRINT));
}

static void test_unchanged(OutputFolder *fixture, gconstpointer data)
{
	struct stat other;

	g_assert_false(output_folder_is_unchanged(fixture, &fixture->status, FINGERPRINT));
	output_folder_put(fixture, fixture->input);
	g_assert_true(output_folder_is_unchanged(fixture, &fixture->status, FINGERPRINT));
	output_folder_reopen(fixture);
	g_assert_true(output_folder_is_unchanged(fixture, &fixture->status, FINGERPRINT));
	g_assert_false(output_folder_is_unchanged(fixture, &fixture->status, "job-2"));
#define ASSERT_NOTICED(change)                                                                     \
	other = fixture->status;                                                                   \
	change;                                                                                    \
	g_assert_false(output_folder_is_unchanged(fixture, &other, FINGERPRINT))
	ASSERT_NOTICED(other.st_dev++);
	ASSERT_NOTICED(other.st_ino++);
	ASSERT_NOTICED(other.st_size++);
	ASSERT_NOTICED(other.st_mtim.tv_sec--);
	ASSERT_NOTICED(other.st_mtim.tv_nsec ^= 1);
	ASSERT_NOTICED(other.st_ctim.tv_nsec ^= 1);
	/* The very same size and mtime after a write: ctime tells. */
	g_assert_cmpint(g_chmod(fixture->input, 0600), ==, 0);
	g_assert_true(g_file_set_contents(fixture->input, "54321", -1, NULL));
	struct timespec times[2] = {fixture->status.st_atim, fixture->status.st_mtim};
	g_assert_cmpint(utimensat(AT_FDCWD, fixture->input, times, 0), ==, 0);
	g_assert_cmpint(stat(fixture->input, &other), ==, 0);
	g_assert_cmpint(other.st_mtim.tv_nsec, ==, fixture->status.st_mtim.tv_nsec);
	g_assert_false(output_folder_is_unchanged(fixture, &other, FINGERPRINT));
}

/* A row without its file is worth nothing: the files are the truth. */
static void test_record_file_gone(OutputFolder *fixture, gconstpointer data)
{
	output_folder_put(fixture, fixture->input);
	g_autofree char *path = weft_outputs_record_path(fixture->outputs, SAMPLE_ID, NULL);
	g_assert_cmpint(g_remove(path), ==, 0);
	g_assert_false(output_folder_is_unchanged(fixture, &fixture->status, FINGERPRINT));
	g_assert_false(weft_outputs_has(fixture->outputs, SAMPLE_ID));
}

static void test_two_paths_one_record(OutputFolder *fixture, gconstpointer data)
{
	WeftKnown known;
	g_assert_false(weft_outputs_has(fixture->outputs, SAMPLE_ID));
	output_folder_put(fixture, "/z/one");
	output_folder_put(fixture, "/a/two");
	output_folder_assert_paths(fixture, "[\"/a/two\",\"/z/one\"]");
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, "/m/\xC3\xA9",
	                                    &fixture->status, FINGERPRINT, &known, NULL));
	output_folder_commit(fixture);
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, "/m/\xFF",
	                                    &fixture->status, FINGERPRINT, &known, NULL));
	output_folder_commit(fixture);
	output_folder_put(fixture, "/z/one");
	output_folder_assert_paths(fixture, "[\"/a/two\",\"/m/\xC3\xA9\",\"/z/one\"]");
	json_t *record = output_folder_sample(fixture);
	json_t *encoded = json_object_get(json_object_get(record, "source"), "paths_b64");
	g_assert_cmpstr(json_string_value(json_array_get(encoded, 0)), ==, "L20v/w==");
	g_assert_cmpuint(json_array_size(encoded), ==, 1);
	json_decref(record);
}

/* Adding a path changes nothing else, to the byte. */
static void test_add_path_keeps_bytes(OutputFolder *fixture, gconstpointer data)
{
	WeftKnown known;
	g_autofree char *before = NULL, *after = NULL;
	output_folder_put(fixture, "/a");
	g_autofree char *path = weft_outputs_record_path(fixture->outputs, SAMPLE_ID, NULL);
	g_assert_true(g_file_get_contents(path, &before, NULL, NULL));
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, "/b", &fixture->status,
	                                    FINGERPRINT, &known, NULL));
	output_folder_commit(fixture);
	g_assert_true(g_file_get_contents(path, &after, NULL, NULL));
	g_auto(GStrv) pieces = g_strsplit(before, "\"/a\"", 2);
	g_autofree char *expected = g_strjoinv("\"/a\",\"/b\"", pieces);
	g_assert_cmpstr(after, ==, expected);
	g_assert_true(g_str_has_suffix(after, "}\n"));
}

/* A record that was torn by something else is not believed, and put again whole, with the paths
 * that the catalogue has of it. */
static void test_torn_record(OutputFolder *fixture, gconstpointer data)
{
	WeftKnown known;
	g_autoptr(GError) error = NULL;
	output_folder_put(fixture, "/a");
	g_autofree char *path = weft_outputs_record_path(fixture->outputs, SAMPLE_ID, NULL);
	g_assert_cmpint(truncate(path, 100), ==, 0);
	g_assert_false(weft_outputs_has(fixture->outputs, SAMPLE_ID));
	g_assert_false(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, "/b", &fixture->status,
	                                     FINGERPRINT, &known, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT);
	output_folder_put(fixture, "/c");
	output_folder_assert_paths(fixture, "[\"/a\",\"/c\"]");
	/* Nor is one that says that it is another. */
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_auto(GStrv) pieces = g_strsplit(text, "\"sha256:00", 2);
	g_autofree char *foreign = g_strjoinv("\"sha256:01", pieces);
	g_assert_true(g_file_set_contents(path, foreign, -1, NULL));
	g_assert_false(weft_outputs_has(fixture->outputs, SAMPLE_ID));
}

static void test_bad_ids(OutputFolder *fixture, gconstpointer data)
{
	static const char *const IDS[] = {"",     "sha256:",     "sha256:../../etc/passwd",
	                                  "../x", SAMPLE_ID "0", "sha256:ABCDEF"};
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

static void test_record_path(OutputFolder *fixture, gconstpointer data)
{
	static const char *const WAYS[] = {SAMPLE_ID, "00112233", "sha256:001122334455",
	                                   "/a/\xFF.pdf"};
	g_autoptr(GError) error = NULL;
	output_folder_put(fixture, "/a/\xFF.pdf");
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

static void test_ambiguous_prefix(OutputFolder *fixture, gconstpointer data)
{
	g_autoptr(WeftRecord) record = sample_record();
	g_autoptr(GError) error = NULL;
	output_folder_put(fixture, "/a");
	record->id[strlen(record->id) - 1] = '0';
	g_assert_true(weft_outputs_put(fixture->outputs, record, "/b", NULL, FINGERPRINT, NULL));
	output_folder_commit(fixture);
	g_assert_null(weft_outputs_record_path(fixture->outputs, "00112233", &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
	g_assert_cmpstr(error->message, ==, "00112233: 2 records begin so");
}

static void test_lock(OutputFolder *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	int end;
	pid_t child = fork();
	if (child == 0) {
		/* flock is held by the open file, which a child shares: try with one of its own. */
		WeftOutputs *second =
		    weft_outputs_open(fixture->out, NULL, WEFT_OUTPUTS_ALONE, &error);
		_exit(second ? 1 : error->code == WEFT_ERROR_CANCELLED ? 0 : 2);
	}
	g_assert_cmpint(waitpid(child, &end, 0), ==, child);
	g_assert_cmpint(end, ==, 0);
	g_autoptr(WeftOutputs) reader = weft_outputs_open_existing(fixture->out, NULL, &error);
	g_assert_true(reader && !error); /* reading works beside a run */
}

static void test_open_refused(OutputFolder *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *missing = g_build_filename(fixture->folder, "none", NULL);
	g_assert_null(weft_outputs_open_existing(missing, NULL, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_IO);
	g_assert_false(g_file_test(missing, G_FILE_TEST_EXISTS));
	g_clear_error(&error);
	g_assert_null(weft_outputs_open(fixture->input, NULL, WEFT_OUTPUTS_ALONE,
	                                &error)); /* a file, no folder */
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_IO);
}

static void assert_manifest(OutputFolder *fixture, gboolean is_good)
{
	const char *argv[] = {"sha256sum", "--check", "--strict", "manifest.sha256", NULL};
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
static void test_finish(OutputFolder *fixture, gconstpointer data)
{
	WeftKnown known;
	g_autoptr(WeftRecord) other = sample_record();
	g_autofree char *summary_path = g_build_filename(fixture->out, "summary.json", NULL);
	g_autofree char *state = g_build_filename(fixture->out, "state", NULL);
	g_autofree char *summary = NULL;

	output_folder_put(fixture, "/a");
	other->id[7] = 'f';
	g_assert_true(weft_outputs_put(fixture->outputs, other, "/b", NULL, FINGERPRINT, NULL));
	output_folder_commit(fixture);
	g_assert_true(weft_outputs_finish(fixture->outputs, "{\"done\":2}", NULL));
	assert_manifest(fixture, TRUE);
	g_assert_true(g_file_get_contents(summary_path, &summary, NULL, NULL));
	g_assert_cmpstr(summary, ==, "{\"done\":2}\n");

	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, "/c", NULL, FINGERPRINT,
	                                    &known, NULL));
	output_folder_commit(fixture);
	assert_manifest(fixture, FALSE);
	g_assert_true(weft_outputs_finish(fixture->outputs, "{}", NULL));
	assert_manifest(fixture, TRUE);

	g_clear_pointer(&fixture->outputs, weft_outputs_close);
	output_folder_remove(state);
	fixture->outputs = weft_outputs_open(fixture->out, NULL, WEFT_OUTPUTS_ALONE, NULL);
	g_assert_true(weft_outputs_finish(fixture->outputs, "{}", NULL));
	assert_manifest(fixture, TRUE);
}

/* A run that is killed while it writes: what it leaves is gone at the end of the next one. */
static void test_leftovers(OutputFolder *fixture, gconstpointer data)
{
	g_autofree char *records = g_build_filename(fixture->out, "records", "00", NULL);
	const char *folders[] = {fixture->out, records};
	output_folder_put(fixture, "/a");
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
static void test_manifest_sees_the_file(OutputFolder *fixture, gconstpointer data)
{
	g_autofree char *text = NULL;
	output_folder_put(fixture, "/a");
	g_autofree char *path = weft_outputs_record_path(fixture->outputs, SAMPLE_ID, NULL);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	text[10] ^= 1;
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	g_assert_true(weft_outputs_finish(fixture->outputs, "{}", NULL));
	assert_manifest(fixture, TRUE);
}

/* No room left: an error, the old record whole, nothing half beside it. */
static void test_write_refused(OutputFolder *fixture, gconstpointer data)
{
	g_autoptr(WeftRecord) record = sample_record();
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = g_build_filename(fixture->out, "records", "00", NULL);
	int end;

	output_folder_put(fixture, "/a");
	pid_t child = fork();
	if (child == 0) {
		struct rlimit small = {64, 64};
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &small);
		gboolean is_good = weft_outputs_put(fixture->outputs, record, "/b",
		                                    &fixture->status, FINGERPRINT, &error);
		_exit(is_good ? 1 : error->code == WEFT_ERROR_IO ? 0 : 2);
	}
	g_assert_cmpint(waitpid(child, &end, 0), ==, child);
	g_assert_cmpint(end, ==, 0);
	output_folder_assert_paths(fixture, "[\"/a\"]");
	g_autoptr(GPtrArray) names = weft_folder_names(folder, 10, NULL);
	g_assert_cmpuint(names->len, ==, 1);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
	g_test_add("/outputs/" name, OutputFolder, NULL, output_folder_set_up, function,           \
	           output_folder_tear_down)
	ADD("layout", test_layout);
	ADD("state-elsewhere", test_state_elsewhere);
	ADD("unchanged", test_unchanged);
	ADD("record-file-gone", test_record_file_gone);
	ADD("two-paths-one-record", test_two_paths_one_record);
	ADD("add-path-keeps-bytes", test_add_path_keeps_bytes);
	ADD("torn-record", test_torn_record);
	ADD("bad-ids", test_bad_ids);
	ADD("record-path", test_record_path);
	ADD("ambiguous-prefix", test_ambiguous_prefix);
	ADD("lock", test_lock);
	ADD("open-refused", test_open_refused);
	ADD("finish", test_finish);
	ADD("leftovers", test_leftovers);
	ADD("manifest-sees-the-file", test_manifest_sees_the_file);
	ADD("write-refused", test_write_refused);
	return g_test_run();
}
