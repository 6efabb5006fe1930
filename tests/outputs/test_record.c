#include <glib/gstdio.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "outputs/outputs.h"
#include "outputs/record.h"
#include "sample.h"

static json_t *written(const WeftRecord *record, gboolean with_run)
{
	gsize size;
	g_autofree char *text = weft_record_json(record, with_run, &size);
	g_assert_cmpuint(size, ==, strlen(text));
	g_assert_null(strchr(text, '\n'));
	json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	g_assert_nonnull(value);
	return value;
}

/* The bytes are the format: a change here changes what every user has on disk. */
static void test_saved_bytes(void)
{
	g_autoptr(WeftRecord) record = sample_record();
	g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL));
	g_autofree char *text = weft_record_json(record, TRUE, NULL);
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "sample.json", NULL);
	g_autofree char *saved = NULL;
	g_assert_true(g_file_get_contents(path, &saved, NULL, NULL));
	g_assert_cmpstr(text, ==, g_strchomp(saved));
}

/* Another order of paths and another run: the same bytes without `run`. */
static void test_same_facts_same_bytes(void)
{
	g_autoptr(WeftRecord) a = sample_record();
	g_autoptr(WeftRecord) b = sample_record();
	g_ptr_array_set_size(b->run, 0);
	g_ptr_array_add(b->paths, g_ptr_array_steal_index(b->paths, 0));
	g_autofree char *a_text = weft_record_json(a, FALSE, NULL);
	g_autofree char *b_text = weft_record_json(b, FALSE, NULL);
	g_assert_cmpstr(a_text, ==, b_text);
}

/* In the order of the contract, all of them, whatever is empty, but for windows. */
static void test_main_keys(void)
{
	static const char *const KEYS[] = {
		"weft",	   "id",     "source", "status", "errors",     "document", "content",
		"hidden",  "answer", "absent", "checks", "provenance", "windows", "model", "ledger", "run",
	};
	g_autoptr(WeftRecord) full = sample_record();
	g_autoptr(WeftRecord) empty = weft_record_new();
	const WeftRecord *records[] = { full, empty };
	for (gsize i = 0; i < 2; i++) {
		json_t *value = written(records[i], TRUE);
		const char *key;
		json_t *member;
		gsize n = 0;
		json_object_foreach(value, key, member) {
			if (records[i] == empty && !strcmp(KEYS[n], "windows"))
				n++;
			g_assert_cmpstr(key, ==, KEYS[n]);
			n++;
		}
		g_assert_cmpuint(n, ==, G_N_ELEMENTS(KEYS));
		json_decref(value);
	}
	json_t *without = written(full, FALSE);
	g_assert_null(json_object_get(without, "run"));
	json_decref(without);
}

static void test_paths(void)
{
	g_autoptr(WeftRecord) record = sample_record();
	json_t *value = written(record, TRUE), *source = json_object_get(value, "source");
	json_t *paths = json_object_get(source, "paths");
	json_t *encoded = json_object_get(source, "paths_b64");
	g_assert_cmpuint(json_array_size(paths), ==, 2);
	g_assert_cmpstr(json_string_value(json_array_get(paths, 0)), ==, "a.pdf");
	g_assert_cmpstr(json_string_value(json_array_get(paths, 1)), ==, "b.pdf");
	g_assert_cmpuint(json_array_size(encoded), ==, 1);
	/* printf 'a\xff.pdf' | base64 */
	g_assert_cmpstr(json_string_value(json_array_get(encoded, 0)), ==, "Yf8ucGRm");
	json_decref(value);
}

static void test_hidden_apart(void)
{
	g_autoptr(WeftRecord) record = sample_record();
	json_t *value = written(record, TRUE);
	json_t *content = json_object_get(value, "content");
	json_t *hidden = json_object_get(value, "hidden");
	g_assert_cmpuint(json_array_size(content), ==, 2);
	g_assert_cmpuint(json_array_size(hidden), ==, 1);
	g_assert_cmpstr(json_string_value(json_object_get(json_array_get(hidden, 0), "id")), ==,
			"c2");
	g_assert_cmpstr(json_string_value(json_object_get(json_array_get(content, 1), "id")), ==,
			"c3");
	json_decref(value);
}

/* A document as a whole has no anchor; a track alone is one. */
static void test_anchors(void)
{
	g_autoptr(WeftRecord) record = weft_record_new();
	WeftAnchor track = { .track = 3 };
	sample_add_text(record, 0, "a");
	g_ptr_array_add(record->contents,
			weft_content_new(WEFT_CONTENT_SILENCE, WEFT_BY_FILE, NULL, track));
	g_autofree char *text = weft_record_json(record, FALSE, NULL);
	g_assert_nonnull(strstr(text, "\"text\":\"a\",\"at\":[],"));
	g_assert_nonnull(strstr(text, "\"text\":null,\"at\":[{\"track\":3}],"));
}

static void test_answer_values(void)
{
	static const struct {
		const char *answer;
		const char *written;
	} CASES[] = {
		{ NULL, "null" },
		{ " [1.50, \"\\u00e9\"] ", "[1.50,\"\xC3\xA9\"]" },
		{ "plain words", "\"plain words\"" },
		{ "{\"a\":1", "\"{\\\"a\\\":1\"" },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(WeftRecord) record = weft_record_new();
		record->answer = g_strdup(CASES[i].answer);
		g_autofree char *text = weft_record_json(record, FALSE, NULL);
		g_autofree char *expected =
			g_strdup_printf("\"answer\":%s,\"absent\"", CASES[i].written);
		g_assert_nonnull(strstr(text, expected));
	}
}

/* Whatever a file says, the record is valid UTF-8 and no key comes twice. */
static void test_hostile_strings(void)
{
	g_autoptr(WeftRecord) record = weft_record_new();
	static const char *const METADATA[] = { "k\xFF", "1", "k\xFE", "\x01\xED\xA0\x80", "\"", "\\" };
	for (gsize i = 0; i < G_N_ELEMENTS(METADATA); i++)
		g_ptr_array_add(record->metadata, g_strdup(METADATA[i]));
	WeftAbsent absent = { g_strdup("/a"), "absent" }, again = { g_strdup("/a"), "ambiguous" };
	g_array_append_val(record->absent, absent);
	g_array_append_val(record->absent, again);
	WeftPage page = { 0, 1, NAN, INFINITY, 0, -1, g_strdup("failed") };
	g_array_append_val(record->pages, page);
	json_t *value = written(record, TRUE);
	json_t *metadata = json_object_get(json_object_get(value, "document"), "metadata");
	g_assert_cmpuint(json_object_size(metadata), ==, 2);
	json_t *both = json_object_get(metadata, "k\xEF\xBF\xBD");
	g_assert_cmpuint(json_array_size(both), ==, 2);
	g_assert_cmpstr(json_string_value(json_object_get(json_object_get(value, "absent"), "/a")),
			==, "absent");
	json_decref(value);
}

static void test_settle(void)
{
	g_autoptr(GError) fault = g_error_new(WEFT_ERROR, WEFT_ERROR_IO, "gone");
	g_autoptr(WeftRecord) record = weft_record_new();
	weft_record_settle(record);
	g_assert_cmpint(record->status, ==, WEFT_STATUS_OK);
	weft_record_add_fault(record, "open", fault, NULL);
	weft_record_settle(record);
	g_assert_cmpint(record->status, ==, WEFT_STATUS_FAILED);
	sample_add_text(record, 1, "x");
	weft_record_settle(record);
	g_assert_cmpint(record->status, ==, WEFT_STATUS_PARTIAL);
	record->status = WEFT_STATUS_SKIPPED;
	weft_record_settle(record);
	g_assert_cmpint(record->status, ==, WEFT_STATUS_SKIPPED);
}

/* A scan of which nobody read a picture, cut by a limit: its pages are told of. */
static void test_settle_cut(void)
{
	g_autoptr(GError) limit = g_error_new(WEFT_ERROR, WEFT_ERROR_LIMIT, "limit pages=1");
	g_autoptr(GError) crash = g_error_new(WEFT_ERROR, WEFT_ERROR_CRASHED, "crashed");
	g_autoptr(WeftRecord) record = weft_record_new();
	WeftPage page = { .n = 1, .ink = -1, .status = g_strdup("not_read") };
	weft_record_add_fault(record, "decode", limit, NULL);
	weft_record_settle(record);
	g_assert_cmpint(record->status, ==, WEFT_STATUS_FAILED); /* a picture that is too large */
	g_array_append_val(record->pages, page);
	weft_record_settle(record);
	g_assert_cmpint(record->status, ==, WEFT_STATUS_PARTIAL);
	weft_record_add_fault(record, "decode", crash, NULL);
	weft_record_settle(record);
	g_assert_cmpint(record->status, ==, WEFT_STATUS_FAILED);
}

static void test_foreign_fault(void)
{
	g_autoptr(GError) fault = g_error_new(G_FILE_ERROR, G_FILE_ERROR_NOENT, "not ours");
	g_autoptr(WeftRecord) record = weft_record_new();
	weft_record_add_fault(record, "open", fault, NULL);
	g_assert_cmpint(g_array_index(record->faults, WeftFault, 0).code, ==, WEFT_ERROR_INTERNAL);
}

static int run_check(const char *folder, const char *text)
{
	g_autofree char *record = g_build_filename(folder, "record.json", NULL);
	g_autofree char *schema = g_build_filename(folder, "schema.json", NULL);
	g_autofree char *script = g_test_build_filename(G_TEST_DIST, "check_record.py", NULL);
	const char *argv[] = { TEST_PYTHON, script, schema, record, NULL };
	g_autofree char *out = NULL;
	int end;

	g_assert_true(g_file_set_contents(record, text, -1, NULL));
	g_assert_true(g_file_set_contents(schema, weft_record_schema(), -1, NULL));
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, 0, NULL, NULL, &out, NULL, &end, NULL));
	g_test_message("%s", out);
	g_remove(record);
	g_remove(schema);
	return end;
}

/* The same bytes, and what takes the most memory is gone. */
static void test_take(void)
{
	g_autoptr(WeftRecord) record = sample_record();
	g_autofree char *kept = weft_record_json(record, TRUE, NULL);
	for (guint i = 0; i < record->contents->len; i++)
		weft_content_pack(record->contents->pdata[i]);
	g_autoptr(GString) taken = g_string_new(NULL);
	WeftJsonWriter writer;
	weft_json_writer_init(&writer, taken);
	weft_record_take(record, &writer);
	g_assert_cmpstr(taken->str, ==, kept);
	g_assert_nonnull(strstr(kept, "\"words\":"));
	for (guint i = 0; i < record->contents->len; i++)
		g_assert_cmpuint(weft_content_n_words(record->contents->pdata[i]), ==, 0);
}

static void test_schema(void)
{
	g_autofree char *folder = g_dir_make_tmp("weft-schema-XXXXXX", NULL);
	g_autoptr(WeftRecord) record = sample_record();
	g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL));
	g_autofree char *text = weft_record_json(record, TRUE, NULL);
	g_assert_cmpint(run_check(folder, text), ==, 0);
	/* It is no schema that accepts everything. */
	static const char *const BREAK[][2] = {
		{ "\"status\":\"partial\"", "\"status\":\"half\"" },
		{ "\"kind\":\"derived\"", "\"kind\":\"guessed\"" },
		{ "\"page\":1", "\"page\":0" },
		{ "\"chars\":[", "\"chars\":[1," },
		{ "\"hidden\":", "\"hiding\":" },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(BREAK); i++) {
		g_auto(GStrv) pieces = g_strsplit(text, BREAK[i][0], 2);
		g_assert_nonnull(pieces[1]);
		g_autofree char *broken = g_strjoinv(BREAK[i][1], pieces);
		g_assert_cmpint(run_check(folder, broken), !=, 0);
	}
	g_rmdir(folder);
}

/* The worst of a document's windows counts, the worse of the two checks is the record's verdict. */
static void test_safety(void)
{
	enum { NONE, SAFE, UNSAFE };
	static const struct {
		int input[3], output[2]; /* -1: no more */
		const char *want;        /* verdicts: of the record, input, output */
	} CASES[] = {
		{ { SAFE, SAFE, SAFE }, { SAFE, SAFE }, "safe safe safe" },
		{ { SAFE, NONE, SAFE }, { SAFE, SAFE }, "none none safe" },
		{ { SAFE, NONE, UNSAFE }, { SAFE, -1 }, "unsafe unsafe safe" },
		{ { UNSAFE, SAFE, NONE }, { NONE, -1 }, "unsafe unsafe none" },
		{ { SAFE, -1, -1 }, { UNSAFE, SAFE }, "unsafe safe unsafe" },
		{ { NONE, SAFE, -1 }, { UNSAFE, -1 }, "unsafe none unsafe" },
		{ { SAFE, -1, -1 }, { -1, -1 }, "safe safe null" },
		{ { -1, -1, -1 }, { SAFE, -1 }, "safe null safe" },
		{ { -1, -1, -1 }, { -1, -1 }, "none null null" },
	};
	g_autofree char *folder = g_dir_make_tmp("weft-safety-XXXXXX", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autoptr(WeftRecord) record = sample_record();
		weft_record_set_guard(record, "guard", "sha256:2");
		for (int k = 0; k < 5; k++) {
			int kind = k < 3 ? CASES[i].input[k] : CASES[i].output[k - 3];
			WeftVerdict verdict = { (WeftVerdictKind)kind, 1u << (k * 3), k / 8.0 - 0.05,
						kind == NONE ? (char *)"why" : NULL };
			if (kind >= 0)
				weft_record_add_verdict(record, k < 3 ? WEFT_CHECK_INPUT
								      : WEFT_CHECK_OUTPUT,
							&verdict, 1);
		}
		json_t *value = written(record, FALSE);
		json_t *safety = json_object_get(value, "safety");
		json_t *input = json_object_get(safety, "input");
		json_t *output = json_object_get(safety, "output");
		const char *in = json_string_value(json_object_get(input, "verdict"));
		const char *out = json_string_value(json_object_get(output, "verdict"));
		g_autofree char *have =
			g_strdup_printf("%s %s %s",
					json_string_value(json_object_get(safety, "verdict")),
					in ? in : "null", out ? out : "null");
		g_assert_cmpstr(have, ==, CASES[i].want);
		if (i == 0) {
			g_autofree char *list = json_dumps(json_object_get(input, "categories"), 0);
			g_assert_cmpstr(list, ==, "[\"S1\", \"S4\", \"S7\"]");
			g_assert_cmpfloat(json_number_value(json_object_get(input, "score")), ==, 0.2);
			g_assert_cmpint(json_integer_value(json_object_get(input, "windows")), ==, 3);
		}
		json_decref(value);
		g_autofree char *text = weft_record_json(record, TRUE, NULL);
		g_assert_cmpint(run_check(folder, text), ==, 0);
	}
	g_rmdir(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/record/saved-bytes", test_saved_bytes);
	g_test_add_func("/record/same-facts-same-bytes", test_same_facts_same_bytes);
	g_test_add_func("/record/main-keys", test_main_keys);
	g_test_add_func("/record/paths", test_paths);
	g_test_add_func("/record/hidden-apart", test_hidden_apart);
	g_test_add_func("/record/anchors", test_anchors);
	g_test_add_func("/record/answer-values", test_answer_values);
	g_test_add_func("/record/hostile-strings", test_hostile_strings);
	g_test_add_func("/record/settle", test_settle);
	g_test_add_func("/record/settle-cut", test_settle_cut);
	g_test_add_func("/record/foreign-fault", test_foreign_fault);
	g_test_add_func("/record/take", test_take);
	g_test_add_func("/record/schema", test_schema);
	g_test_add_func("/record/safety", test_safety);
	return g_test_run();
}
