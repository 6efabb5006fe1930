/* A schema, a byte 0, and answers of windows, a line each: what the automaton takes is an instance for those
 * that judge it later; merged it is JSON, and what one window is kept of is an instance again. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "outputs/schema_check.h"
#include "pipeline/merge.h"
#include "schema/schema.h"

#define SCHEMA_BYTES_MAX 3000
#define ANSWERS_MAX 6

static void check(gboolean holds)
{
	if (!holds)
		abort();
}

static void check_instance(WeftSchemaJudge *judge, WeftSchemaCheck *second, const char *text)
{
	g_autoptr(WeftJson) value = weft_json_parse(text, strlen(text), WEFT_JSON_STRICT, NULL);

	check(value != NULL && !weft_schema_judge_refuses(judge, value));
	g_autofree char *wrong = second ? weft_schema_check_answer(second, value) : NULL;
	check(!wrong);
}

static void add(WeftMerge *merge, const char *text, guint32 element)
{
	WeftAnswer *answer = weft_answer_new();
	WeftAnswerValue value = {.pointer = g_strdup(""), .confidence = 0.25};

	answer->json = g_strdup(text);
	g_array_append_val(answer->values, value);
	check(weft_merge_add(merge, answer, weft_merge_n_answers(merge) + 1, element, NULL));
}

static void follow(const WeftJson *tree, const WeftSchema *schema, const char *text, char **answers)
{
	g_autoptr(WeftSchemaJudge) judge = weft_schema_judge_new(text, strlen(text), NULL);
	g_autoptr(WeftSchemaCheck) second = weft_schema_check_new(text, NULL);
	g_autoptr(WeftMerge) merge = weft_merge_new(tree, 0.5);
	g_autofree char *smallest = weft_schema_null_instance(schema);
	g_autoptr(GPtrArray) withheld = NULL;
	gsize byte;

	check(judge != NULL && second != NULL);
	check(weft_schema_accepts(schema, smallest, strlen(smallest), &byte));
	check_instance(judge, second, smallest);
	add(merge, smallest, 0);
	for (char **answer = answers; *answer; answer++) {
		if (!weft_schema_accepts(schema, *answer, strlen(*answer), &byte))
			continue;
		check_instance(judge, second, *answer);
		add(merge, *answer, 0);
	}
	g_autoptr(WeftAnswer) merged = weft_merge_finish(merge, &withheld);
	g_autoptr(WeftJson) value =
		weft_json_parse(merged->json, strlen(merged->json), WEFT_JSON_STRICT, NULL);
	check(value != NULL);
	(void)weft_merge_keep_one(merge, merged);
	check_instance(judge, NULL, merged->json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	const uint8_t *end = memchr(data, 0, MIN(size_bytes, (size_t)SCHEMA_BYTES_MAX));
	if (!end)
		return 0;
	g_autofree char *text = g_strndup((const char *)data, (gsize)(end - data));
	g_autofree char *rest = g_strndup((const char *)end + 1, size_bytes - (size_t)(end - data) - 1);
	g_auto(GStrv) answers = g_strsplit(rest, "\n", ANSWERS_MAX);
	g_autoptr(WeftJson) tree = weft_json_parse(text, strlen(text), WEFT_JSON_STRICT, NULL);
	g_autoptr(WeftSchema) schema = tree ? weft_schema_new(text, strlen(text), NULL, NULL) : NULL;
	if (schema)
		follow(tree, schema, text, answers);
	return 0;
}
