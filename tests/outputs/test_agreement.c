/* What agrees was worked out by hand. */
#include "outputs/agreement.h"

#include <string.h>

#include "base/error.h"
#include "outputs/record.h"
#include "sample.h"

/* As weft_agreement_read, of a schema's text. */
static gboolean reads(const char *text, GError **error)
{
	g_autoptr(WeftJson) tree = weft_json_parse(text, strlen(text), WEFT_JSON_STRICT, NULL);
	g_autoptr(WeftSchema) schema = weft_schema_new(text, strlen(text), NULL, error);

	return schema && weft_agreement_read(tree, schema, error);
}

/* The schema allows another answer, too, that has what this one lacks. */
static WeftRecord *agreed(const char *answer, const char *rules)
{
	static const char other[] = "{\"nowhere\":1,\"none\":1,\"c\":\"x\",\"empty\":[{\"x\":1}]}";
	WeftRecord *record = weft_record_new();
	g_autofree char *text =
		g_strdup_printf("{\"enum\":[%s,%s],\"x-weft-check\":%s}", answer, other, rules);
	g_autoptr(WeftJson) schema = weft_json_parse(text, strlen(text), WEFT_JSON_STRICT, NULL);
	g_autoptr(GError) error = NULL;

	reads(text, &error);
	g_assert_no_error(error);
	record->answer = g_strdup(answer);
	weft_record_agree(record, schema, &(WeftUsage){ 0 });
	return record;
}

/* All results as the record tells them. */
static void assert_checks(const WeftRecord *record, const char *wanted)
{
	g_autofree char *text = weft_record_json(record, FALSE, NULL);
	char *first = strstr(text, "\"checks\":"), *end = strstr(text, ",\"provenance\":");

	*end = '\0';
	g_assert_cmpstr(first + strlen("\"checks\":"), ==, wanted);
}

static void test_sums(void)
{
	static const char answer[] =
		"{\"lines\":[{\"total\":19.99},{\"total\":0.01},{\"total\":1e2}],\"net\":120.00,\"off\":120.02,"
		"\"none\":null,\"empty\":[],\"zero\":0}";
	static const struct {
		const char *rule, *wanted;
	} cases[] = {
		{ "{\"sum\":\"/lines/*/total\",\"equals\":\"/net\"}",
		  "\"ok\":true,\"of\":[\"/lines/0/total\",\"/lines/1/total\",\"/lines/2/total\"],"
		  "\"equals\":\"/net\",\"values\":[\"120\",\"120\"]}" },
		{ "{\"sum\":\"/lines/*/total\",\"equals\":\"/off\"}",
		  "\"ok\":false,\"of\":[\"/lines/0/total\",\"/lines/1/total\",\"/lines/2/total\"],"
		  "\"equals\":\"/off\",\"values\":[\"120\",\"120.02\"]}" },
		{ "{\"sum\":\"/lines/*/total\",\"equals\":\"/off\",\"within\":0.02}",
		  "\"ok\":true,\"of\":[\"/lines/0/total\",\"/lines/1/total\",\"/lines/2/total\"],"
		  "\"equals\":\"/off\",\"values\":[\"120\",\"120.02\"]}" },
		{ "{\"sum\":[\"/lines/1/total\",\"/zero\"],\"equals\":\"/lines/1/total\"}",
		  "\"ok\":true,\"of\":[\"/lines/1/total\",\"/zero\"],\"equals\":\"/lines/1/total\","
		  "\"values\":[\"0.01\",\"0.01\"]}" },
		{ "{\"sum\":\"/empty/*/x\",\"equals\":\"/zero\"}",
		  "\"ok\":true,\"of\":[],\"equals\":\"/zero\",\"values\":[\"0\",\"0\"]}" },
		{ "{\"sum\":\"/lines/*/total\",\"equals\":\"/none\"}",
		  "\"ok\":null,\"reason\":\"a value is missing\",\"of\":[\"/lines/0/total\","
		  "\"/lines/1/total\",\"/lines/2/total\"],\"equals\":\"/none\"}" },
		{ "{\"sum\":\"/nowhere\",\"equals\":\"/net\"}",
		  "\"ok\":null,\"reason\":\"a value is missing\",\"of\":[\"/nowhere\"],"
		  "\"equals\":\"/net\"}" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *rules = g_strdup_printf("[%s]", cases[i].rule);
		g_autofree char *wanted = g_strdup_printf(
			"[{\"kind\":\"sum\",\"rule\":\"/x-weft-check/0\",%s]", cases[i].wanted);
		g_autoptr(WeftRecord) record = agreed(answer, rules);

		assert_checks(record, wanted);
	}
}

/* The stars of `equals` are the same ones in `sum`. */
static void test_stars(void)
{
	g_autoptr(WeftRecord) record =
		agreed("[{\"net\":3,\"lines\":[{\"t\":1},{\"t\":2}]},{\"net\":3,\"lines\":[{\"t\":4}]}]",
		       "[{\"sum\":\"/*/lines/*/t\",\"equals\":\"/*/net\"}]");

	assert_checks(record, "[{\"kind\":\"sum\",\"rule\":\"/x-weft-check/0\",\"ok\":true,"
			      "\"of\":[\"/0/lines/0/t\",\"/0/lines/1/t\"],\"equals\":\"/0/net\","
			      "\"values\":[\"3\",\"3\"]},"
			      "{\"kind\":\"sum\",\"rule\":\"/x-weft-check/0\",\"ok\":false,"
			      "\"of\":[\"/1/lines/0/t\"],\"equals\":\"/1/net\",\"values\":[\"4\",\"3\"]}]");
}

/* Strings count by what they mean, if that is one thing. */
static void test_strings(void)
{
	g_autoptr(WeftRecord) record =
		agreed("{\"a\":\"EUR 1.240,50\",\"b\":\"-0,50\",\"c\":1240,\"d\":\"1.240\",\"e\":\"3 x 5\",\"f\":\"x\"}",
		       "[{\"sum\":[\"/a\",\"/b\"],\"equals\":\"/c\"},{\"sum\":\"/d\",\"equals\":\"/c\"},"
		       "{\"sum\":\"/e\",\"equals\":\"/c\"},{\"sum\":\"/f\",\"equals\":\"/c\"}]");

	assert_checks(record,
		      "[{\"kind\":\"sum\",\"rule\":\"/x-weft-check/0\",\"ok\":true,\"of\":[\"/a\",\"/b\"],"
		      "\"equals\":\"/c\",\"values\":[\"1240\",\"1240\"]},"
		      "{\"kind\":\"sum\",\"rule\":\"/x-weft-check/1\",\"ok\":null,"
		      "\"reason\":\"a number is ambiguous\",\"of\":[\"/d\"],\"equals\":\"/c\"},"
		      "{\"kind\":\"sum\",\"rule\":\"/x-weft-check/2\",\"ok\":null,"
		      "\"reason\":\"a text has several numbers\",\"of\":[\"/e\"],\"equals\":\"/c\"},"
		      "{\"kind\":\"sum\",\"rule\":\"/x-weft-check/3\",\"ok\":null,"
		      "\"reason\":\"a text has no number\",\"of\":[\"/f\"],\"equals\":\"/c\"}]");
}

static void test_order(void)
{
	g_autoptr(WeftRecord) record =
		agreed("{\"a\":\"2024-03-12\",\"b\":\"12. April 2024\",\"c\":null,\"d\":\"2024-03-12\"}",
		       "[{\"before\":[\"/a\",\"/d\",\"/b\"]},{\"before\":[\"/b\",\"/a\"]},"
		       "{\"before\":[\"/b\",\"/a\",\"/c\"]}]");

	assert_checks(record, "[{\"kind\":\"order\",\"rule\":\"/x-weft-check/0\",\"ok\":true,"
			      "\"of\":[\"/a\",\"/d\",\"/b\"],"
			      "\"values\":[\"2024-03-12\",\"2024-03-12\",\"2024-04-12\"]},"
			      "{\"kind\":\"order\",\"rule\":\"/x-weft-check/1\",\"ok\":false,"
			      "\"of\":[\"/b\",\"/a\"],\"values\":[\"2024-04-12\",\"2024-03-12\"]},"
			      "{\"kind\":\"order\",\"rule\":\"/x-weft-check/2\",\"ok\":null,"
			      "\"reason\":\"a value is missing\",\"of\":[\"/b\",\"/a\",\"/c\"]}]");
}

static void test_refused(void)
{
	static const char *const rules[] = {
		"{}", "[7]", "[{}]", "[{\"sum\":\"/a\"}]", "[{\"sum\":\"a\",\"equals\":\"/b\"}]",
		"[{\"sum\":[],\"equals\":\"/b\"}]", "[{\"sum\":\"/a\",\"equals\":\"/b\",\"within\":-1}]",
		"[{\"sum\":\"/a\",\"equals\":\"/b\",\"within\":\"1\"}]",
		"[{\"sum\":\"/a\",\"equals\":\"/b\",\"x\":1}]", "[{\"sum\":\"/a\",\"equals\":\"/*/b\"}]",
		"[{\"before\":[\"/a\"]}]", "[{\"before\":\"/a\"}]", "[{\"before\":[\"/a\",\"/*/b\"]}]",
		"[{\"before\":[\"/*/a\",\"/b\"]}]",
		"[{\"sum\":\"/*/*/*/*/*/*/*/*/*\",\"equals\":\"/b\"}]",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
		g_autofree char *text =
			g_strdup_printf("{\"const\":{\"a\":\"x\",\"b\":1},\"x-weft-check\":%s}", rules[i]);
		g_autoptr(GError) error = NULL;

		g_assert_false(reads(text, &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA);
		g_assert_true(g_str_has_prefix(error->message, "#/x-weft-check"));
		g_assert_null(strstr(error->message, "no answer has")); /* its form is wrong */
	}
}

#define INVOICE \
	"{\"type\":\"object\",\"properties\":{\"lines\":{\"type\":\"array\",\"maxItems\":9,\"items\":{\"type\":" \
	"\"object\",\"properties\":{\"total\":{\"type\":[\"number\",\"null\"]},\"a/b\":{\"type\":\"string\"}," \
	"\"paid\":{\"type\":\"boolean\"}}}},\"net\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}," \
	"\"issued\":{\"type\":\"string\",\"format\":\"date\"},\"at\":{\"type\":\"string\",\"format\":\"time\"},\"tax\":{\"type\":\"object\"," \
	"\"additionalProperties\":{\"type\":\"integer\"}},\"next\":{\"$ref\":\"#/$defs/next\"}}," \
	"\"$defs\":{\"next\":{\"type\":[\"array\",\"null\"],\"items\":{\"$ref\":\"#/$defs/next\"}}}"

/* What has no place in the schema, or a wrong one, is refused with what there is. */
static void test_paths(void)
{
	static const struct {
		const char *rule, *refused; /* NULL: taken */
	} cases[] = {
		{ "{\"sum\":\"/lines/*/total\",\"equals\":\"/net\",\"within\":0.01}", NULL },
		{ "{\"sum\":[\"/lines/8/a~1b\",\"/tax/*\"],\"equals\":\"/tax/19 %\"}", NULL },
		{ "{\"before\":[\"/issued\",\"/net\",\"/lines/0/a~1b\"]}", NULL },
		{ "{\"sum\":\"/*/*/total\",\"equals\":\"/lines/0/total\"}", NULL },
		{ "{\"sum\":\"/lines/total\",\"equals\":\"/net\"}",
		  "#/x-weft-check/0: keyword \"sum\": no answer has /lines/total; behind /lines comes /*" },
		{ "{\"sum\":\"/lines/*/totl\",\"equals\":\"/net\"}",
		  "#/x-weft-check/0: keyword \"sum\": no answer has /lines/*/totl; behind /lines/* comes /total, "
		  "/a~1b, /paid" },
		{ "{\"sum\":\"/lines/*/total\",\"equals\":\"/gross\"}",
		  "#/x-weft-check/0: keyword \"equals\": no answer has /gross; an answer begins with /lines, /net, "
		  "/issued, /at, /tax, /next" },
		{ "{\"sum\":[\"/net\",\"/lines/9/total\"],\"equals\":\"/net\"}",
		  "#/x-weft-check/0: keyword \"sum\": no answer has /lines/9/total; behind /lines comes /*" },
		{ "{\"sum\":\"/net/value\",\"equals\":\"/net\"}",
		  "#/x-weft-check/0: keyword \"sum\": no answer has /net/value; behind /net comes nothing" },
		{ "{\"sum\":\"/lines/*\",\"equals\":\"/net\"}",
		  "#/x-weft-check/0: keyword \"sum\": what answers have at /lines/* is never a number; write a "
		  "pointer to one, from there on /total, /a~1b, /paid" },
		{ "{\"sum\":\"/issued\",\"equals\":\"/net\"}",
		  "#/x-weft-check/0: keyword \"sum\": what answers have at /issued is never a number; write a "
		  "pointer to one" },
		{ "{\"sum\":\"/lines/*/paid\",\"equals\":\"/net\"}",
		  "#/x-weft-check/0: keyword \"sum\": what answers have at /lines/*/paid is never a number; write a "
		  "pointer to one" },
		{ "{\"before\":[\"/issued\",\"/at\"]}",
		  "#/x-weft-check/0: keyword \"before\": what answers have at /at is never a day; write a pointer to "
		  "one" },
		{ "{\"before\":[\"/issued\",\"/tax/x\"]}",
		  "#/x-weft-check/0: keyword \"before\": what answers have at /tax/x is never a day; write a pointer "
		  "to one" },
		{ "{\"sum\":\"/next/0/0/*/1\",\"equals\":\"/net\"}",
		  "#/x-weft-check/0: keyword \"sum\": what answers have at /next/0/0/*/1 is never a number; write a "
		  "pointer to one, from there on /*" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = g_strdup_printf(INVOICE ",\"x-weft-check\":[%s]}", cases[i].rule);
		g_autoptr(GError) error = NULL;

		g_assert_cmpint(reads(text, &error), ==, cases[i].refused == NULL);
		g_assert_cmpstr(error ? error->message : NULL, ==, cases[i].refused);
	}
}

/* An answer that is a list of documents, each with checks of its own; also where they are written to them. */
static void test_lists(void)
{
#define BILL "\"items\":{\"properties\":{\"parts\":{\"items\":{\"type\":\"number\"}},\"net\":{\"type\":\"number\"}}"
	static const struct {
		const char *schema, *refused; /* NULL: taken */
	} cases[] = {
		{ "{" BILL "},\"x-weft-check\":[{\"sum\":\"/*/parts/*\",\"equals\":\"/*/net\"}]}", NULL },
		{ "{" BILL ",\"x-weft-check\":[{\"sum\":\"/parts/*\",\"equals\":\"/net\"}]}}",
		  "#/items: keyword \"x-weft-check\": is read at the root of a schema only; write it there, and "
		  "\"/*\" in front of each of its pointers" },
		{ "{" BILL "},\"x-weft-check\":[{\"sum\":\"/parts/*\",\"equals\":\"/net\"}]}",
		  "#/x-weft-check/0: keyword \"sum\": no answer has /parts/*; an answer begins with /*" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_cmpint(reads(cases[i].schema, &error), ==, cases[i].refused == NULL);
		g_assert_cmpstr(error ? error->message : NULL, ==, cases[i].refused);
	}
}

static void add_item(WeftRecord *record, WeftBy by, const char *text, double left)
{
	WeftAnchor at = { .page = 1, .has_bbox = TRUE, .bbox = { left, 10, left + 100, 20 } };
	WeftContent *content = weft_content_new(WEFT_CONTENT_TEXT, by, g_strdup(text), at);
	guint32 n = 0;

	for (const char *p = text; *p;) { /* a word is ten points wide */
		guint32 size = (guint32)strcspn(p, " ");
		WeftWord word = { .char_first = n, .char_end = n + size, .at = at, .confidence = -1 };
		word.at.bbox[0] = left + n * 10.0;
		word.at.bbox[2] = word.at.bbox[0] + size * 10.0;
		if (by == WEFT_BY_TESSERACT)
			word.confidence = strchr(p, '?') ? 0.4f : 0.6f;
		weft_content_add_word(content, word);
		p += size + (p[size] == ' ');
		n += size + 1;
	}
	g_ptr_array_add(record->contents, content);
}

static void test_disagreement(void)
{
	g_autoptr(WeftRecord) record = weft_record_new();

	add_item(record, WEFT_BY_FILE, "Total 1240.00 EUR", 0);
	add_item(record, WEFT_BY_TESSERACT, "TOTAL, 1740.00 EUR", -10);
	add_item(record, WEFT_BY_FILE, "1999", 600);
	record->answer = g_strdup("{\"total\":1240,\"currency\":\"EUR\",\"word\":\"Total\",\"other\":1999}");
	g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL));
	weft_record_compare_readings(record);
	assert_checks(record, "[{\"kind\":\"disagreement\",\"ok\":false,\"of\":[\"/total\"],\"readings\":["
			      "{\"content\":\"c1\",\"by\":\"file\",\"text\":\"1240.00\"},"
			      "{\"content\":\"c2\",\"by\":\"tesseract\",\"text\":\"1740.00\"}]}]");
}

/* A caption has no place for each of its words: that it has more than the value is no disagreement. */
static void test_captions(void)
{
	WeftAnchor cue = { .has_time = TRUE, .time = { 2, 6 } };
	g_autoptr(WeftRecord) record = weft_record_new();
	WeftContent *heard = weft_content_new(WEFT_CONTENT_SPEECH, WEFT_BY_WHISPER,
					      g_strdup("it is 1240 for Mia"), cue);
	WeftWord word = { .at = cue, .confidence = 0.9f };

	for (guint32 i = 0; i < 5; i++) { /* a word is half a second long */
		static const guint32 ends[] = { 2, 5, 10, 14, 18 };

		word.char_first = i == 0 ? 0 : ends[i - 1] + 1;
		word.char_end = ends[i];
		word.at.time[0] = 2.5 + i * 0.5;
		word.at.time[1] = 3 + i * 0.5;
		weft_content_add_word(heard, word);
	}
	g_ptr_array_add(record->contents,
			weft_content_new(WEFT_CONTENT_SPEECH, WEFT_BY_FILE, g_strdup("It is 1,240 for Maya."), cue));
	g_ptr_array_add(record->contents, heard);
	record->answer = g_strdup("{\"total\":1240,\"name\":\"Maya\"}");
	g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL));
	weft_record_compare_readings(record);
	assert_checks(record, "[{\"kind\":\"disagreement\",\"ok\":false,\"of\":[\"/name\"],\"readings\":["
			      "{\"content\":\"c1\",\"by\":\"file\",\"text\":\"Maya\"},"
			      "{\"content\":\"c2\",\"by\":\"whisper\",\"text\":\"it is 1240 for Mia\"}]}]");
}

/* What was read of the place of "1240.00 EUR" alone, with what stands beside it. */
static void test_read_alone(void)
{
	static const struct {
		const char *seen, *read;
		double left;
		gboolean is_same;
	} cases[] = {
		{ "1240.00 Eur", "1240.00 Eur", 60, TRUE },
		{ "12 40.00 E\xC3\x9AR", "12 40.00 E\xC3\x9AR", 60, TRUE }, /* an accent, and a word more */
		{ "Total 1240.00 EUR", "1240.00 EUR", 0, TRUE },
		{ "1240.00 EUR 7", "1240.00 EUR", 53, TRUE }, /* half a letter beside */
		{ "Total 1740.00 EUR", "1740.00 EUR", 0, FALSE },
		{ "21240.00 EUR", "21240.00 EUR", 55, FALSE },
		{ "Total", NULL, 0, FALSE }, /* nothing where it stands */
		{ "1240.00 r EUR", "1240.00 r EUR", 60, TRUE }, /* a speck */
		{ "1240.00 1 EUR", "1240.00 1", 60, FALSE },
		{ "1740.00 EUR?", NULL, 60, FALSE }, /* not believed */
		{ "1240.00 EUR?", "1240.00 EUR?", 60, TRUE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(WeftRecord) record = weft_record_new(), seen = weft_record_new();

		add_item(record, WEFT_BY_OCR_LAYER, "Total 1240.00 EUR", 0);
		add_item(seen, WEFT_BY_TESSERACT, cases[i].seen, cases[i].left);
		record->answer = g_strdup("{\"total\":\"1240.00 EUR\"}");
		g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL));
		g_assert_true(weft_record_can_be_read(record, 0, FALSE));
		weft_record_note_reading(record, 0, seen->contents);
		const WeftProvenance *found = &g_array_index(record->provenance, WeftProvenance, 0);

		g_assert_cmpstr(found->read, ==, cases[i].read);
		g_assert_cmpint(found->is_confirmed, ==, cases[i].is_same);
		g_assert_cmpuint(record->agreements->len, ==, cases[i].read && !cases[i].is_same ? 1 : 0);
	}
}

static void test_what_can_be_read(void)
{
	static const struct {
		WeftBy by;
		const char *text;
		gboolean can;
	} cases[] = {
		{ WEFT_BY_OCR_LAYER, "Maya", TRUE }, { WEFT_BY_FILE, "Maya", FALSE },
		{ WEFT_BY_TESSERACT, "Maya", FALSE }, { WEFT_BY_OCR_LAYER, "***", FALSE },
	};
	g_autofree char *much = g_strnfill(121, 'x');

	for (gsize i = 0; i <= G_N_ELEMENTS(cases); i++) {
		const char *text = i < G_N_ELEMENTS(cases) ? cases[i].text : much;
		g_autoptr(WeftRecord) record = weft_record_new();

		add_item(record, i < G_N_ELEMENTS(cases) ? cases[i].by : WEFT_BY_OCR_LAYER, text, 0);
		record->answer = g_strdup_printf("\"%s\"", text);
		g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL));
		g_assert_nonnull(g_array_index(record->provenance, WeftProvenance, 0).quote);
		g_assert_cmpint(weft_record_can_be_read(record, 0, FALSE), ==, i < G_N_ELEMENTS(cases) && cases[i].can);
		g_assert_cmpint(weft_record_can_be_read(record, 0, TRUE), ==,
				i < G_N_ELEMENTS(cases) && (cases[i].can || cases[i].by == WEFT_BY_FILE));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/agreement/sums", test_sums);
	g_test_add_func("/agreement/stars", test_stars);
	g_test_add_func("/agreement/strings", test_strings);
	g_test_add_func("/agreement/order", test_order);
	g_test_add_func("/agreement/refused", test_refused);
	g_test_add_func("/agreement/paths", test_paths);
	g_test_add_func("/agreement/lists", test_lists);
	g_test_add_func("/agreement/disagreement", test_disagreement);
	g_test_add_func("/agreement/captions", test_captions);
	g_test_add_func("/agreement/read-alone", test_read_alone);
	g_test_add_func("/agreement/what-can-be-read", test_what_can_be_read);
	return g_test_run();
}
