/* test_commit.c - what waits for its commit: records, paths of copies, another writer, a kill. */
#include <glib/gstdio.h>

#include "base/files.h"
#include "output_folder.h"
#include "sample.h"

static guint n_temporary(OutputFolder *fixture, const char *folder_name)
{
	g_autofree char *folder = g_build_filename(fixture->out, "records", folder_name, NULL);
	g_autoptr(GPtrArray) names = weft_folder_names(folder, 1000, NULL);
	guint n = 0;
	for (guint i = 0; names && i < names->len; i++)
		n += weft_file_is_temporary(names->pdata[i]);
	return n;
}

static void assert_answer(OutputFolder *fixture, const char *sql, const char *expected)
{
	g_autofree char *answer = output_folder_ask(fixture, sql);
	g_assert_cmpstr(answer, ==, expected);
}

/* Until its commit a record is nowhere but in the eyes of the run that made it. */
static void test_waiting(OutputFolder *fixture, gconstpointer data)
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
	output_folder_assert_paths(fixture, "[\"/a\",\"/c\"]");
	/* Published, and without rows. */
	g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, "/d", NULL, FINGERPRINT,
	                                    &known, NULL));
	g_assert_true(weft_outputs_put_commit(fixture->outputs, taken, NULL));
	output_folder_commit(fixture);
	output_folder_assert_paths(fixture, "[\"/a\",\"/b\",\"/c\",\"/d\"]");
	g_assert_null(weft_outputs_take_commit(fixture->outputs));
	/* What never was committed leaves nothing behind. */
	output_folder_put(fixture, "/a");
	g_assert_true(weft_outputs_put(fixture->outputs, record, "/z", NULL, FINGERPRINT, NULL));
	g_assert_cmpuint(n_temporary(fixture, "00"), ==, 1);
	output_folder_reopen(fixture);
	g_assert_cmpuint(n_temporary(fixture, "00"), ==, 0);
	output_folder_assert_paths(fixture, "[\"/a\",\"/b\",\"/c\",\"/d\"]");
}

/* However many paths a record gets or loses together, it is written once, and they have no rows
 * before. */
static void test_many_copies(OutputFolder *fixture, gconstpointer data)
{
	static const char SOURCES[] = "SELECT count(*) FROM source WHERE gone = 0";
	enum { N = 1000 };
	WeftKnown known;

	output_folder_put(fixture, "/a");
	for (int pass = 0; pass < 3; pass++) {
		for (int i = 0; i < N; i++) {
			g_autofree char *path = g_strdup_printf("/copies/%03d", i);
			if (pass < 2)
				g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID,
				                                    path, &fixture->status,
				                                    FINGERPRINT, &known, NULL));
			else
				g_assert_true(
				    weft_outputs_lose(fixture->outputs, path, FINGERPRINT, NULL));
		}
		g_assert_cmpuint(weft_outputs_n_waiting(fixture->outputs), ==, N);
		g_assert_false(weft_outputs_is_full(fixture->outputs));
		assert_answer(fixture, SOURCES, pass == 0 ? "1" : "1001");
		g_assert_cmpuint(n_temporary(fixture, "00"), ==, 0);
		g_assert_true(weft_outputs_write_paths(fixture->outputs, TRUE, NULL));
		g_assert_cmpuint(weft_outputs_n_waiting(fixture->outputs), ==, 1);
		g_assert_cmpuint(n_temporary(fixture, "00"), ==, pass == 1 ? 0 : 1);
		output_folder_commit(fixture);
		assert_answer(fixture, SOURCES, pass < 2 ? "1001" : "1");
		json_t *record = output_folder_sample(fixture);
		json_t *paths = json_object_get(json_object_get(record, "source"), "paths");
		g_assert_cmpuint(json_array_size(paths), ==, pass < 2 ? N + 1 : 1);
		for (guint i = 1; i < json_array_size(paths); i++)
			g_assert_cmpstr(json_string_value(json_array_get(paths, i - 1)), <,
			                json_string_value(json_array_get(paths, i)));
		json_decref(record);
	}
}

/* A run that is killed when the new record of a path is on the disk, and the old one has it still:
 * the path has no new row, so that the next run finishes it. */
static void test_killed_between(OutputFolder *fixture, gconstpointer data)
{
	static const char OTHERS[] = "SELECT count(*) FROM source WHERE id != '" SAMPLE_ID "'";
	WeftKnown known;
	g_autofree char *other_id = NULL;

	output_folder_put(fixture, "/a");
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
			output_folder_assert_paths(fixture, "[\"/a\"]");
			assert_answer(fixture, OTHERS, "0");
			output_folder_reopen(fixture);
			continue;
		}
		g_assert_true(weft_outputs_add_path(fixture->outputs, other_id, "/a",
		                                    &fixture->status, FINGERPRINT, &known, NULL));
		output_folder_commit(fixture);
	}
	output_folder_assert_paths(fixture, "[]");
	assert_answer(fixture, OTHERS, "1");
	assert_answer(fixture, "SELECT count(*) FROM source", "1");
}

/* A record of which another run has written the paths while ours waited has all of them. */
static void test_two_writers(OutputFolder *fixture, gconstpointer data)
{
	WeftKnown known;
	g_autofree char *text = NULL;

	output_folder_put(fixture, "/a");
	g_autofree char *file = weft_outputs_record_path(fixture->outputs, SAMPLE_ID, NULL);
	for (int pass = 0; pass < 2; pass++) {
		const char *ours = pass == 0 ? "/c" : "/e", *theirs = pass == 0 ? "/b" : "/d";
		if (pass == 0) {
			g_assert_true(weft_outputs_add_path(fixture->outputs, SAMPLE_ID, ours, NULL,
			                                    FINGERPRINT, &known, NULL));
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
		output_folder_commit(fixture);
	}
	/* The second pass put a new record over one that lacked what it had read: both count. */
	output_folder_assert_paths(fixture, "[\"/a\",\"/b\",\"/c\",\"/d\",\"/e\"]");
	g_assert_cmpuint(n_temporary(fixture, "00"), ==, 0);
	g_assert_true(weft_outputs_finish(fixture->outputs, "{}", NULL));
}

/* More than a commit holds, in folders that are there and in new ones. */
static void test_many(OutputFolder *fixture, gconstpointer data)
{
	for (int i = 0; i < 150; i++) {
		g_autoptr(WeftRecord) record = sample_record();
		g_autofree char *hex = g_strdup_printf("%02x%062x", i % 100, i);
		g_autofree char *path = g_strdup_printf("/%d", i);
		g_free(record->id);
		record->id = g_strconcat("sha256:", hex, NULL);
		g_assert_true(
		    weft_outputs_put(fixture->outputs, record, path, NULL, FINGERPRINT, NULL));
		g_assert_cmpint(weft_outputs_is_full(fixture->outputs), ==, i % 64 == 63);
		if (weft_outputs_is_full(fixture->outputs))
			output_folder_commit(fixture);
	}
	g_assert_true(weft_outputs_finish(fixture->outputs, "{}", NULL));
	g_autofree char *rows =
	    output_folder_ask(fixture, "SELECT count(*) FROM record JOIN source USING (id)");
	g_assert_cmpstr(rows, ==, "150");
	g_autofree char *manifest = NULL;
	g_autofree char *path = g_build_filename(fixture->out, "manifest.sha256", NULL);
	g_assert_true(g_file_get_contents(path, &manifest, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(manifest, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 151);
}

/* Several files that are one document have a row each; with one file less it is another document,
 * and the first one keeps the files that no other has. */
static void test_together(OutputFolder *fixture, gconstpointer data)
{
	const WeftPlace places[] = {
	    {"/b", &fixture->status}, {"/a", &fixture->status}, {"/c", NULL}};
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
		output_folder_commit(fixture);
		if (round == 0)
			output_folder_assert_paths(fixture, "[\"/a\",\"/b\",\"/c\"]");
		for (guint i = 0; i < 2; i++) {
			g_assert_true(weft_outputs_is_unchanged(fixture->outputs, places[i].path,
			                                        &fixture->status, FINGERPRINT,
			                                        &known));
			g_assert_cmpstr(known.id, ==, round == 0 ? SAMPLE_ID : other_id);
		}
		g_assert_true(weft_outputs_count_paths(fixture->outputs, known.id, &n, NULL));
		g_assert_cmpuint(n, ==, 3 - round);
	}
	output_folder_assert_paths(fixture, "[\"/c\"]");
	/* "/c" could not be stat'ed: it is never unchanged. */
	g_assert_false(weft_outputs_is_unchanged(fixture->outputs, "/c", &fixture->status,
	                                         FINGERPRINT, &known));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
	g_test_add("/commit/" name, OutputFolder, NULL, output_folder_set_up, function,            \
	           output_folder_tear_down)
	ADD("waiting", test_waiting);
	ADD("many-copies", test_many_copies);
	ADD("killed-between", test_killed_between);
	ADD("two-writers", test_two_writers);
	ADD("many", test_many);
	ADD("together", test_together);
	return g_test_run();
}
