#include "pipeline/merge.h"

#include <jansson.h>
#include <string.h>

#include "pipeline/shape.h"
#include "schema/schema.h"

static const char schema_text[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"title\":{\"type\":[\"string\",\"null\"]},"
    "\"total\":{\"type\":\"number\"},"
    "\"kind\":{\"enum\":[\"letter\",\"invoice\",null]},"
    "\"people\":{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"string\"},\"maxItems\":3},"
    "\"lines\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/$defs/line\"}},"
    "\"from\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"object\",\"properties\":"
    "{\"name\":{\"type\":[\"string\",\"null\"]},\"town\":{\"type\":[\"string\",\"null\"]}}}]}},"
    "\"$defs\":{\"line\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"},"
    "\"text\":{\"type\":[\"string\",\"null\"]}}}}}";

static void add(WeftMerge *merge, const char *json, const char *pointer, double confidence)
{
	WeftAnswer *answer = weft_answer_new();
	g_autoptr(GError) error = NULL;

	answer->json = g_strdup(json);
	answer->n_text = 100;
	answer->n_generated = 10;
	if (pointer != NULL) {
		WeftAnswerValue value = {.pointer = g_strdup(pointer), .confidence = confidence};

		g_array_append_val(answer->values, value);
	}
	g_assert_true(weft_merge_add(merge, answer, weft_merge_n_answers(merge) + 1, 0, &error));
	g_assert_no_error(error);
}

/* Equal as JSON, by jansson. */
static void assert_json(const char *json, const char *expected)
{
	json_t *a = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	json_t *b = json_loads(expected, JSON_REJECT_DUPLICATES, NULL);

	g_assert_nonnull(b);
	if (a == NULL || !json_equal(a, b))
		g_error("%s is not %s", json, expected);
	json_decref(a);
	json_decref(b);
}

static guint32 window_at(const WeftAnswer *answer, const char *pointer)
{
	for (guint i = 0; i < answer->values->len; i++) {
		const WeftAnswerValue *value = &g_array_index(answer->values, WeftAnswerValue, i);

		if (strcmp(value->pointer, pointer) == 0)
			return value->window;
	}
	return G_MAXUINT32;
}

static double confidence_at(const WeftAnswer *answer, const char *pointer)
{
	for (guint i = 0; i < answer->values->len; i++) {
		const WeftAnswerValue *value = &g_array_index(answer->values, WeftAnswerValue, i);

		if (strcmp(value->pointer, pointer) == 0)
			return value->confidence;
	}
	return -2;
}

static void test_fields(void)
{
	g_autoptr(WeftJson) schema = weft_json_parse(schema_text, strlen(schema_text), 0, NULL);
	g_autoptr(WeftMerge) merge = weft_merge_new(schema, 0);
	g_autoptr(GPtrArray) withheld = NULL;
	g_autoptr(WeftAnswer) answer = NULL;

	add(merge,
	    "{\"title\":null,\"total\":1.50,\"kind\":\"invoice\",\"people\":[\"Ada\",\"Ben\"],"
	    "\"lines\":[{\"n\":1,\"text\":\"a\"}],\"from\":{\"name\":\"X\",\"town\":null}}",
	    "/people/1", 0.25);
	add(merge,
	    "{\"title\":\"T\",\"total\":2,\"kind\":\"letter\",\"people\":[\"Ben\",\"Cy\",\"Di\"],"
	    "\"lines\":[{\"n\":1,\"text\":\"a\"},{\"n\":2,\"text\":null}],"
	    "\"from\":{\"name\":\"Y\",\"town\":\"Z\"}}",
	    "/people/1", 0.75);
	answer = weft_merge_finish(merge, &withheld);
	assert_json(answer->json, "{\"title\":\"T\",\"total\":1.50,\"kind\":\"invoice\","
	                          "\"people\":[\"Ada\",\"Ben\",\"Cy\"],"
	                          "\"lines\":[{\"n\":1,\"text\":\"a\"},{\"n\":2,\"text\":null}],"
	                          "\"from\":{\"name\":\"X\",\"town\":\"Z\"}}");
	/* The number stays as it was written. */
	g_assert_nonnull(strstr(answer->json, "\"total\":1.50"));
	g_assert_cmpuint(withheld->len, ==, 0);
	g_assert_cmpuint(answer->n_text, ==, 200);
	g_assert_cmpuint(answer->n_generated, ==, 20);
	/* Pointers are those of the result, confidences of the window that said it. */
	g_assert_cmpfloat(confidence_at(answer, "/people/1"), ==, 0.25);
	g_assert_cmpfloat(confidence_at(answer, "/people/2"), ==, 0.75);
	/* Each value knows the window that said it first. */
	g_assert_cmpuint(window_at(answer, "/title"), ==, 2);
	g_assert_cmpuint(window_at(answer, "/people/1"), ==, 1);
	g_assert_cmpuint(window_at(answer, "/people/2"), ==, 2);
	g_assert_cmpuint(window_at(answer, "/lines/1/n"), ==, 2);
	g_assert_cmpuint(window_at(answer, "/from/town"), ==, 2);
}

static void test_unsure_values_are_withheld(void)
{
	g_autoptr(WeftJson) schema = weft_json_parse(schema_text, strlen(schema_text), 0, NULL);
	g_autoptr(WeftMerge) merge = weft_merge_new(schema, 0.5);
	g_autoptr(GPtrArray) withheld = NULL;
	g_autoptr(WeftAnswer) answer = NULL;

	add(merge,
	    "{\"title\":\"guess\",\"total\":1,\"kind\":\"letter\",\"people\":[\"Ada\"],"
	    "\"lines\":[{\"n\":1,\"text\":\"a\"}],\"from\":null}",
	    "/title", 0.49);
	answer = weft_merge_finish(merge, &withheld);
	assert_json(answer->json,
	            "{\"title\":null,\"total\":1,\"kind\":\"letter\",\"people\":[\"Ada\"],"
	            "\"lines\":[{\"n\":1,\"text\":\"a\"}],\"from\":null}");
	g_assert_cmpuint(withheld->len, ==, 1);
	g_assert_cmpstr(g_ptr_array_index(withheld, 0), ==, "/title");
}

static void test_later_window_fills_what_was_withheld(void)
{
	g_autoptr(WeftJson) schema = weft_json_parse(schema_text, strlen(schema_text), 0, NULL);
	g_autoptr(WeftMerge) merge = weft_merge_new(schema, 0.5);
	g_autoptr(GPtrArray) withheld = NULL;
	g_autoptr(WeftAnswer) answer = NULL;

	add(merge, "{\"title\":\"guess\"}", "/title", 0.1);
	add(merge, "{\"title\":\"sure\"}", "/title", 0.9);
	answer = weft_merge_finish(merge, &withheld);
	assert_json(answer->json, "{\"title\":\"sure\"}");
	g_assert_cmpuint(withheld->len, ==, 0);
}

static void test_what_cannot_be_null_stays(void)
{
	g_autoptr(WeftJson) schema = weft_json_parse(schema_text, strlen(schema_text), 0, NULL);
	g_autoptr(WeftMerge) merge = weft_merge_new(schema, 0.5);
	g_autoptr(GPtrArray) withheld = NULL;
	g_autoptr(WeftAnswer) answer = NULL;

	add(merge, "{\"total\":7,\"people\":[\"Ada\"]}", "/total", 0.1);
	answer = weft_merge_finish(merge, &withheld);
	assert_json(answer->json, "{\"total\":7,\"people\":[\"Ada\"]}");
	g_assert_cmpuint(withheld->len, ==, 0);
}

static void test_unsure_items_leave_the_array(void)
{
	g_autoptr(WeftJson) schema = weft_json_parse(schema_text, strlen(schema_text), 0, NULL);
	g_autoptr(WeftMerge) merge = weft_merge_new(schema, 0.5);
	g_autoptr(WeftMerge) emptied = weft_merge_new(schema, 0.5);
	g_autoptr(GPtrArray) withheld = NULL;
	g_autoptr(WeftAnswer) answer = NULL;

	add(merge, "{\"people\":[\"Ada\",\"Ben\"]}", "/people/0", 0.1);
	answer = weft_merge_finish(merge, &withheld);
	assert_json(answer->json, "{\"people\":[\"Ben\"]}");
	g_clear_pointer(&answer, weft_answer_free);
	g_clear_pointer(&withheld, g_ptr_array_unref);

	add(emptied, "{\"people\":[\"Ada\"]}", "/people/0", 0.1);
	answer = weft_merge_finish(emptied, &withheld);
	assert_json(answer->json, "{\"people\":null}");
	g_assert_cmpuint(withheld->len, ==, 1);
	g_assert_cmpstr(g_ptr_array_index(withheld, 0), ==, "/people");
}

/* Items for which there is no room are counted, repetitions are not. */
static void test_items_left_out(void)
{
	g_autoptr(WeftJson) schema = weft_json_parse(schema_text, strlen(schema_text), 0, NULL);
	g_autoptr(WeftMerge) merge = weft_merge_new(schema, 0);
	g_autoptr(GPtrArray) withheld = NULL;
	g_autoptr(WeftAnswer) answer = NULL;
	const GArray *cuts = weft_merge_cuts(merge);

	add(merge, "{\"people\":[\"Ada\",\"Ben\"]}", NULL, 0);
	add(merge, "{\"people\":[\"Cem\",\"Ada\"]}", NULL, 0);
	answer = weft_merge_finish(merge, &withheld);
	assert_json(answer->json, "{\"people\":[\"Ada\",\"Ben\",\"Cem\"]}");
	g_assert_cmpuint(cuts->len, ==, 0);
	g_clear_pointer(&answer, weft_answer_free);
	g_clear_pointer(&withheld, g_ptr_array_unref);

	add(merge, "{\"people\":[\"Dan\",\"Ada\",\"Eve\"]}", NULL, 0);
	answer = weft_merge_finish(merge, &withheld);
	assert_json(answer->json, "{\"people\":[\"Ada\",\"Ben\",\"Cem\"]}");
	g_assert_cmpuint(cuts->len, ==, 1);
	g_assert_cmpstr(g_array_index(cuts, WeftMergeCut, 0).pointer, ==, "/people");
	g_assert_cmpuint(g_array_index(cuts, WeftMergeCut, 0).n_left_out, ==, 2);
	g_assert_cmpuint(g_array_index(cuts, WeftMergeCut, 0).n_max, ==, 3);
}

static void test_odd_keys(void)
{
	g_autoptr(WeftMerge) merge = weft_merge_new(NULL, 0.5);
	g_autoptr(GPtrArray) withheld = NULL;
	g_autoptr(WeftAnswer) answer = NULL;

	add(merge, "{\"a/b\":{\"~\\\"\":1},\"\":[[1],[1]]}", "/a~1b/~0\"", 0.25);
	answer = weft_merge_finish(merge, &withheld);
	assert_json(answer->json, "{\"a/b\":{\"~\\\"\":null},\"\":[[1]]}");
	g_assert_cmpstr(g_ptr_array_index(withheld, 0), ==, "/a~1b/~0\"");
}

static void test_broken_answer_is_refused(void)
{
	g_autoptr(WeftMerge) merge = weft_merge_new(NULL, 0);
	g_autoptr(GError) error = NULL;
	WeftAnswer *answer = weft_answer_new();

	answer->json = g_strdup("{\"a\":");
	g_assert_false(weft_merge_add(merge, answer, weft_merge_n_answers(merge) + 1, 0, &error));
	g_assert_nonnull(error);
	g_assert_cmpuint(weft_merge_n_answers(merge), ==, 0);
}

static void test_shape(void)
{
	g_autoptr(WeftJson) schema = weft_json_parse(schema_text, strlen(schema_text), 0, NULL);
	WeftShape root = weft_shape(schema);
	WeftShape line = weft_shape_item(weft_shape_property(root, "lines"));
	guint64 min, max;

	g_assert_false(weft_shape_allows_null(root));
	g_assert_true(weft_shape_allows_null(weft_shape_property(root, "title")));
	g_assert_false(weft_shape_allows_null(weft_shape_property(root, "total")));
	g_assert_true(weft_shape_allows_null(weft_shape_property(root, "kind")));
	g_assert_true(weft_shape_allows_null(weft_shape_property(root, "from")));
	g_assert_true(
	    weft_shape_allows_null(weft_shape_property(weft_shape_property(root, "from"), "town")));
	g_assert_false(weft_shape_allows_null(line));
	g_assert_false(weft_shape_allows_null(weft_shape_property(line, "n")));
	g_assert_true(weft_shape_allows_null(weft_shape_property(line, "text")));
	weft_shape_items(weft_shape_property(root, "people"), &min, &max);
	g_assert_cmpuint(min, ==, 0);
	g_assert_cmpuint(max, ==, 3);
	weft_shape_items(weft_shape_property(root, "lines"), &min, &max);
	g_assert_cmpuint(min, ==, 1);
	g_assert_cmpuint(max, ==, G_MAXUINT64);
}

/* Alternatives that exclude each other do not join; one answer is kept whole. */
static void test_one_is_kept(void)
{
	static const char text[] =
	    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},"
	    "\"b\":{\"type\":\"string\"}},\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}";
	g_autoptr(WeftJson) schema = weft_json_parse(text, strlen(text), WEFT_JSON_STRICT, NULL);
	g_autoptr(WeftSchemaJudge) judge = weft_schema_judge_new(text, strlen(text), NULL);
	g_autoptr(WeftMerge) merge = weft_merge_new(schema, 0);
	g_autoptr(GPtrArray) withheld = NULL;

	add(merge, "{\"a\":\"x\"}", "/a", 0.5);
	add(merge, "{\"b\":\"longer\"}", "/b", 0.5);
	g_autoptr(WeftAnswer) answer = weft_merge_finish(merge, &withheld);
	g_autoptr(WeftJson) mixed =
	    weft_json_parse(answer->json, strlen(answer->json), WEFT_JSON_STRICT, NULL);
	g_assert_true(weft_schema_judge_refuses(judge, mixed));
	g_assert_cmpuint(weft_merge_keep_one(merge, answer), ==, 2);
	assert_json(answer->json, "{\"b\":\"longer\"}");
	g_assert_cmpuint(answer->values->len, ==, 1);
	g_assert_cmpuint(window_at(answer, "/b"), ==, 2);
	g_assert_cmpuint(answer->n_text, ==, 200);
}

/* A key that the first window left out comes from the one that has it, to its place. */
static void test_keys_that_are_left_out(void)
{
	g_autoptr(WeftJson) schema =
	    weft_json_parse(schema_text, strlen(schema_text), WEFT_JSON_STRICT, NULL);
	g_autoptr(WeftMerge) merge = weft_merge_new(schema, 0);
	g_autoptr(GPtrArray) withheld = NULL;

	add(merge, "{\"kind\":null}", NULL, 0);
	add(merge, "{\"title\":\"A\",\"kind\":\"map\"}", NULL, 0);
	add(merge, "{\"title\":\"B\",\"total\":2,\"people\":[\"x\"]}", NULL, 0);
	g_autoptr(WeftAnswer) answer = weft_merge_finish(merge, &withheld);
	g_assert_cmpstr(answer->json, ==,
	                "{\"title\":\"A\",\"total\":2,\"people\":[\"x\"],\"kind\":\"map\"}");
}

/* Each letter is what a window says at /title: null for no reason, as absent, unreadable or not examined. */
static void add_nulls(WeftMerge *merge, const char *windows, double confidence)
{
	for (const char *window = windows; *window != '\0'; window++) {
		static const char letters[] = "naux"; /* in the order of WeftDecline */

		add(merge, *window == 'v' ? "{\"title\":\"A\"}" : "{\"title\":null}", "/title",
		    confidence);
		g_array_index(weft_merge_answer(merge, weft_merge_n_answers(merge) - 1)->values,
		              WeftAnswerValue, 0)
		    .decline = *window == 'v' ? WEFT_DECLINE_NONE
		                              : (WeftDecline)(strchr(letters, *window) - letters);
	}
}

static WeftDecline decline_at(const WeftAnswer *answer, const char *pointer)
{
	for (guint i = 0; i < answer->values->len; i++) {
		const WeftAnswerValue *value = &g_array_index(answer->values, WeftAnswerValue, i);

		if (strcmp(value->pointer, pointer) == 0)
			return value->decline;
	}
	return WEFT_DECLINE_NONE;
}

static void test_reasons_of_nulls(void)
{
	static const struct {
		const char *windows;
		WeftDecline together;
	} rows[] = {
	    {"a", WEFT_DECLINE_ABSENT},        {"u", WEFT_DECLINE_UNREADABLE},
	    {"x", WEFT_DECLINE_NOT_EXAMINED},  {"n", WEFT_DECLINE_NONE},
	    {"aaa", WEFT_DECLINE_ABSENT},      {"ana", WEFT_DECLINE_NONE},
	    {"axa", WEFT_DECLINE_NOT_EXAMINED}, {"nx", WEFT_DECLINE_NOT_EXAMINED},
	    {"xau", WEFT_DECLINE_UNREADABLE},  {"un", WEFT_DECLINE_UNREADABLE},
	    {"uva", WEFT_DECLINE_NONE},        {"av", WEFT_DECLINE_NONE},
	};
	g_autoptr(WeftJson) schema = weft_json_parse(schema_text, strlen(schema_text), 0, NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(WeftMerge) merge = weft_merge_new(schema, 0);
		g_autoptr(GPtrArray) withheld = NULL;
		gboolean has_value = strchr(rows[i].windows, 'v') != NULL;

		add_nulls(merge, rows[i].windows, 0.9);
		g_autoptr(WeftAnswer) answer = weft_merge_finish(merge, &withheld);
		assert_json(answer->json, has_value ? "{\"title\":\"A\"}" : "{\"title\":null}");
		g_test_message("%s", rows[i].windows);
		g_assert_cmpint(decline_at(answer, "/title"), ==, rows[i].together);
		g_assert_cmpuint(withheld->len, ==, 0);
	}
}

/* Who is not sure that there is nothing is not asked why; a value that is withheld was there. */
static void test_unsure_reasons(void)
{
	g_autoptr(WeftJson) schema = weft_json_parse(schema_text, strlen(schema_text), 0, NULL);
	g_autoptr(WeftMerge) merge = weft_merge_new(schema, 0.5);
	g_autoptr(WeftMerge) other = weft_merge_new(schema, 0.5);
	g_autoptr(GPtrArray) withheld = NULL, also = NULL;

	add_nulls(merge, "u", 0.4);
	add_nulls(merge, "a", 0.6);
	g_autoptr(WeftAnswer) answer = weft_merge_finish(merge, &withheld);
	g_assert_cmpint(decline_at(answer, "/title"), ==, WEFT_DECLINE_NONE);
	g_assert_cmpuint(withheld->len, ==, 0);
	add_nulls(other, "v", 0.4);
	add_nulls(other, "a", 0.6);
	g_autoptr(WeftAnswer) doubted = weft_merge_finish(other, &also);
	assert_json(doubted->json, "{\"title\":null}");
	g_assert_cmpint(decline_at(doubted, "/title"), ==, WEFT_DECLINE_NONE);
	g_assert_cmpuint(also->len, ==, 1);
}

/* A window with null for all of an object says so of its members. */
static void test_reasons_from_above(void)
{
	g_autoptr(WeftJson) schema = weft_json_parse(schema_text, strlen(schema_text), 0, NULL);
	g_autoptr(WeftMerge) merge = weft_merge_new(schema, 0);
	g_autoptr(GPtrArray) withheld = NULL;

	add(merge, "{\"from\":null}", "/from", 0.9);
	g_array_index(weft_merge_answer(merge, 0)->values, WeftAnswerValue, 0).decline =
	    WEFT_DECLINE_UNREADABLE;
	add(merge, "{\"from\":{\"name\":null,\"town\":\"Ulm\"}}", "/from/name", 0.9);
	g_array_index(weft_merge_answer(merge, 1)->values, WeftAnswerValue, 0).decline =
	    WEFT_DECLINE_ABSENT;
	g_autoptr(WeftAnswer) answer = weft_merge_finish(merge, &withheld);
	assert_json(answer->json, "{\"from\":{\"name\":null,\"town\":\"Ulm\"}}");
	g_assert_cmpint(decline_at(answer, "/from/name"), ==, WEFT_DECLINE_UNREADABLE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/merge/fields", test_fields);
	g_test_add_func("/merge/unsure-values-are-withheld", test_unsure_values_are_withheld);
	g_test_add_func("/merge/later-window-fills-what-was-withheld",
	                test_later_window_fills_what_was_withheld);
	g_test_add_func("/merge/what-cannot-be-null-stays", test_what_cannot_be_null_stays);
	g_test_add_func("/merge/unsure-items-leave-the-array", test_unsure_items_leave_the_array);
	g_test_add_func("/merge/items-left-out", test_items_left_out);
	g_test_add_func("/merge/one-is-kept", test_one_is_kept);
	g_test_add_func("/merge/reasons-of-nulls", test_reasons_of_nulls);
	g_test_add_func("/merge/unsure-reasons", test_unsure_reasons);
	g_test_add_func("/merge/reasons-from-above", test_reasons_from_above);
	g_test_add_func("/merge/keys-that-are-left-out", test_keys_that_are_left_out);
	g_test_add_func("/merge/odd-keys", test_odd_keys);
	g_test_add_func("/merge/broken-answer-is-refused", test_broken_answer_is_refused);
	g_test_add_func("/shape/what-may-stand-where", test_shape);
	return g_test_run();
}
