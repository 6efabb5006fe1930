#include <string.h>

#include "base/error.h"
#include "outputs/record.h"
#include "sample.h"

static const WeftProvenance *evidence(const WeftRecord *record, const char *pointer)
{
	for (guint i = 0; i < record->provenance->len; i++) {
		const WeftProvenance *one = &g_array_index(record->provenance, WeftProvenance, i);
		if (strcmp(one->pointer, pointer) == 0)
			return one;
	}
	return NULL;
}

static WeftRecord *traced(const char *answer, const char *const *texts)
{
	WeftRecord *record = weft_record_new();
	for (guint32 i = 0; texts[i]; i++)
		sample_add_text(record, i + 1, texts[i]);
	record->answer = g_strdup(answer);
	g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "not_examined" }, NULL));
	return record;
}

static void assert_evidence(const WeftRecord *record, const char *pointer, WeftProvenanceKind kind,
			    guint32 content, guint32 first, const char *quote)
{
	const WeftProvenance *found = evidence(record, pointer);
	g_assert_nonnull(found);
	g_assert_cmpint(found->kind, ==, kind);
	g_assert_cmpstr(found->quote, ==, quote);
	g_assert_cmpuint(found->content, ==, content);
	g_assert_cmpuint(found->char_first, ==, first);
	g_assert_cmpuint(found->char_end, ==, first + g_utf8_strlen(quote, -1));
	g_assert_cmpuint(found->at.page, ==, content + 1);
}

static void assert_found(const WeftRecord *record, const char *pointer, guint32 content,
			 guint32 first, const char *quote)
{
	assert_evidence(record, pointer, WEFT_PROVENANCE_MATCHED, content, first, quote);
}

static void assert_derived(const WeftRecord *record, const char *pointer, guint32 content,
			   guint32 first, const char *quote)
{
	assert_evidence(record, pointer, WEFT_PROVENANCE_DERIVED, content, first, quote);
}

static void assert_none(const WeftRecord *record, const char *pointer)
{
	const WeftProvenance *none = evidence(record, pointer);
	g_assert_nonnull(none);
	g_assert_cmpint(none->kind, ==, WEFT_PROVENANCE_NONE);
	g_assert_cmpuint(none->content, ==, G_MAXUINT32);
}

/* Evidence on different pages, counted in code points, not bytes. */
static void test_pages(void)
{
	static const char *const TEXTS[] = {
		"\xC3\x9C" "berweisung\xE2\x82\xAC an M\xC3\xBCller & S\xC3\xB6hne", "Datum: 2024-03-05",
		"Widget, blue", NULL };
	g_autoptr(WeftRecord) record = traced(
		"{\"to\":\"M\\u00fcller & S\xC3\xB6hne\",\"date\":\"2024-03-05\","
		"\"items\":[{\"name/x\":\"Widget, blue\"}],\"note\":\"nowhere\",\"vat\":null}",
		TEXTS);
	assert_found(record, "/to", 0, 16, "M\xC3\xBCller & S\xC3\xB6hne");
	assert_derived(record, "/date", 1, 7, "2024-03-05");
	assert_found(record, "/items/0/name~1x", 2, 0, "Widget, blue");
	assert_none(record, "/note");
	g_assert_null(evidence(record, "/vat"));
	g_assert_cmpuint(record->absent->len, ==, 1);
	const WeftAbsent *absent = &g_array_index(record->absent, WeftAbsent, 0);
	g_assert_cmpstr(absent->pointer, ==, "/vat");
	g_assert_cmpstr(absent->reason, ==, "not_examined");
}

/* What a window said is looked for there first: the third "Anna" is meant, not the first. */
static void test_windows(void)
{
	static const char *const TEXTS[] = { "Anna opens", "Ben closes", "Anna agrees", "nobody 7",
					     NULL };
	g_autoptr(WeftRecord) record = weft_record_new();
	const WeftWindowFacts windows[] = {
		{ .n = 1, .is_asked = TRUE, .content_first = 0, .content_last = 1 },
		{ .n = 2, .is_asked = TRUE, .content_first = 2, .content_last = 3 },
		{ .n = 3, .content_first = G_MAXUINT32, .content_last = G_MAXUINT32 },
	};

	for (guint32 i = 0; TEXTS[i]; i++)
		sample_add_text(record, i + 1, TEXTS[i]);
	g_array_append_vals(record->windows, windows, G_N_ELEMENTS(windows));
	record->answer = g_strdup("{\"a\":\"Anna\",\"b\":[\"Ben\"],\"c\":\"Anna\",\"n\":7,"
				  "\"e\":\"Ben\",\"f\":\"Anna\"}");
	g_hash_table_insert(record->value_windows, g_strdup("/a"), GUINT_TO_POINTER(2));
	g_hash_table_insert(record->value_windows, g_strdup("/b/0"), GUINT_TO_POINTER(2));
	g_hash_table_insert(record->value_windows, g_strdup("/n"), GUINT_TO_POINTER(2));
	g_hash_table_insert(record->value_windows, g_strdup("/e"), GUINT_TO_POINTER(3));
	g_hash_table_insert(record->value_windows, g_strdup("/f"), GUINT_TO_POINTER(9));
	g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL));
	assert_found(record, "/a", 2, 0, "Anna");
	assert_found(record, "/b/0", 1, 0, "Ben");
	assert_found(record, "/c", 0, 0, "Anna");
	assert_derived(record, "/n", 3, 7, "7");
	assert_found(record, "/e", 1, 0, "Ben");
	assert_found(record, "/f", 0, 0, "Anna");
	g_assert_cmpuint(evidence(record, "/a")->window, ==, 2);
	g_assert_cmpuint(evidence(record, "/c")->window, ==, 0);
}

/* A time points to what begins then, to speech before a frame; a time of no place points nowhere. */
static void test_times(void)
{
	g_autoptr(WeftRecord) record = weft_record_new();
	WeftContentKind kinds[] = { WEFT_CONTENT_FRAME, WEFT_CONTENT_SPEECH, WEFT_CONTENT_SPEECH };
	double times[] = { 754.0, 755.5, 3600.2 };

	for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
		WeftAnchor at = { .has_time = TRUE, .time = { times[i], times[i] + 3 } };

		g_ptr_array_add(record->contents, weft_content_new(kinds[i], WEFT_BY_FILE,
								   g_strdup("12:34 \xC3\xBC"), at));
	}
	record->answer = g_strdup("[\"00:12:34\",\"01:00:01\",\"00:12:36\",\"00:12:3\",\"00:12:74\"]");
	g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL));
	const WeftProvenance *at = evidence(record, "/0");

	g_assert_cmpint(at->kind, ==, WEFT_PROVENANCE_POINTED);
	g_assert_cmpuint(at->content, ==, 1);
	g_assert_cmpuint(at->char_end, ==, 7);
	g_assert_cmpfloat(at->at.time[0], ==, 755.5);
	g_assert_cmpuint(evidence(record, "/1")->content, ==, 2);
	assert_none(record, "/2");
	assert_none(record, "/3");
	assert_none(record, "/4");
}

/* Of several files each has the time: what was found beside it counts, then the window, then where the
 * model looked. */
static void test_times_of_several_files(void)
{
	g_autoptr(WeftRecord) record = weft_record_new();
	static const char *const words[] = { "Zebra", "Yonder", "Xylo" };
	WeftWindowFacts window = { .n = 1, .content_first = 2, .content_last = 2 };
	WeftPointed looked = { .is_known = TRUE, .at = { .document = 2 } };

	for (guint32 i = 0; i < 3; i++) {
		WeftRecordPart part = { .n = i + 1, .name = g_strdup(words[i]) };
		WeftAnchor at = { .document = i + 1, .has_time = TRUE, .time = { 754, 757 } };

		g_array_append_val(record->parts, part);
		g_ptr_array_add(record->contents, weft_content_new(WEFT_CONTENT_SPEECH, WEFT_BY_FILE,
								   g_strdup(words[i]), at));
	}
	g_array_append_val(record->windows, window);
	record->answer = g_strdup("[{\"at\":\"00:12:34\",\"word\":\"Yonder\"},"
				  "{\"at\":\"00:12:34\",\"word\":null},{\"at\":\"00:12:34\"},"
				  "{\"at\":\"00:12:34\"},{\"at\":\"00:12:50\"}]");
	g_hash_table_insert(record->value_windows, g_strdup("/0/at"), GUINT_TO_POINTER(1));
	g_hash_table_insert(record->value_windows, g_strdup("/1/at"), GUINT_TO_POINTER(1));
	g_hash_table_insert(record->value_pointed, g_strdup("/1/at"), g_memdup2(&looked, sizeof(looked)));
	g_hash_table_insert(record->value_pointed, g_strdup("/2/at"), g_memdup2(&looked, sizeof(looked)));
	g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL));
	g_assert_cmpuint(evidence(record, "/0/at")->at.document, ==, 2); /* as Yonder */
	g_assert_cmpuint(evidence(record, "/1/at")->at.document, ==, 3); /* the window */
	g_assert_cmpuint(evidence(record, "/2/at")->at.document, ==, 2); /* looked at */
	g_assert_cmpuint(evidence(record, "/3/at")->at.document, ==, 1); /* the first */
	g_assert_cmpint(evidence(record, "/3/at")->kind, ==, WEFT_PROVENANCE_POINTED);
	assert_none(record, "/4/at");
}

static void test_numbers(void)
{
	static const char *const TEXTS[] = {
		"Nr. A1240, 12.50 kg, 1,240.00 net, 1.475,60 brutto, 2'000'000 CHF, 2024-03-05, "
		"paid -7.5, 19 %. 1,2345", NULL };
	g_autoptr(WeftRecord) record =
		traced("[1240, 12.5, 1475.6, 2000000, 2024, -7.5, 19, 1.9e1, 12, 50, 125, 12345]", TEXTS);
	assert_derived(record, "/0", 0, 21, "1,240.00");
	assert_derived(record, "/1", 0, 11, "12.50");
	assert_derived(record, "/2", 0, 35, "1.475,60");
	assert_derived(record, "/3", 0, 52, "2'000'000");
	assert_found(record, "/4", 0, 67, "2024");
	assert_derived(record, "/5", 0, 84, "-7.5");
	assert_derived(record, "/6", 0, 90, "19");
	assert_derived(record, "/7", 0, 90, "19");
	assert_none(record, "/10");
	assert_none(record, "/11"); /* no group of four */
}

/* What a document says of itself decides, else the locale, else nobody. */
static void test_meanings(void)
{
	static const char *const GERMAN[] = { "Rechnung vom 3. M\xC3\xA4rz 2024, f\xC3\xA4llig 03/04/2024",
					      "Netto 1.240 EUR, Porto 4,90 EUR", NULL };
	static const char *const OPEN[] = { "due 03/04/2024: 1.240", NULL };
	static const char answer[] = "{\"d\":\"2024-03-03\",\"due\":\"2024-04-03\",\"net\":1240,"
				     "\"post\":4.9,\"us\":\"2024-03-04\",\"small\":1.24}";
	g_autoptr(WeftRecord) german = traced(answer, GERMAN);
	g_autoptr(WeftRecord) open = traced(answer, OPEN);
	g_autoptr(WeftRecord) english = weft_record_new();
	WeftTraceRules rules = { .reason_of_null = "absent" };

	assert_derived(german, "/d", 0, 13, "3. M\xC3\xA4rz 2024");
	assert_derived(german, "/due", 0, 34, "03/04/2024");
	assert_derived(german, "/net", 1, 6, "1.240");
	assert_derived(german, "/post", 1, 23, "4,90");
	assert_none(german, "/us");
	assert_none(german, "/small");
	g_assert_null(evidence(german, "/net")->readings);
	assert_derived(open, "/net", 0, 16, "1.240");
	g_assert_cmpstr(evidence(open, "/net")->readings[0], ==, "1.24");
	g_assert_cmpstr(evidence(open, "/net")->readings[1], ==, "1240");
	g_assert_null(evidence(open, "/net")->readings[2]);
	assert_derived(open, "/small", 0, 16, "1.240");
	g_assert_cmpstr(evidence(open, "/due")->readings[0], ==, "2024-04-03");
	g_assert_cmpstr(evidence(open, "/us")->readings[1], ==, "2024-03-04");
	g_assert_cmpstr(open->answer, ==, answer); /* without a schema nobody knows where null may stand */
	sample_add_text(english, 1, OPEN[0]);
	english->answer = g_strdup(answer);
	g_assert_true(weft_usage_of_locale("en-US", &rules.usage));
	g_assert_true(weft_record_trace(english, &rules, NULL));
	assert_none(english, "/net");
	assert_derived(english, "/small", 0, 16, "1.240");
	assert_derived(english, "/us", 0, 4, "03/04/2024");
	g_assert_null(evidence(english, "/us")->readings);
}

/* A value that begins in one item and ends in the next has a place in each. */
static void test_two_items(void)
{
	static const char *const TEXTS[] = { "sold to Harbour\n", "  Works of\nTrieste Ltd", NULL };
	g_autoptr(WeftRecord) record = traced("[\"Harbour Works of Trieste\"]", TEXTS);
	const WeftProvenance *first = evidence(record, "/0");

	g_assert_cmpuint(record->provenance->len, ==, 2);
	assert_found(record, "/0", 0, 8, "Harbour");
	g_assert_cmpstr(first[1].pointer, ==, "/0");
	g_assert_cmpuint(first[1].content, ==, 1);
	g_assert_cmpuint(first[1].char_first, ==, 2);
	g_assert_cmpstr(first[1].quote, ==, "Works of\nTrieste");
	g_assert_cmpuint(first[1].at.page, ==, 2);
}

/* A box for each line, beside the one that covers both; on one line that is enough. */
static void test_two_lines(void)
{
	WeftAnchor at = { .page = 1, .has_bbox = TRUE, .bbox = { 0, 0, 100, 22 } }, first = at, second = at;
	g_autoptr(WeftRecord) record = weft_record_new();
	WeftContent *content = weft_content_new(WEFT_CONTENT_TEXT, WEFT_BY_FILE,
						g_strdup("Anna\nMartin"), at);

	memcpy(first.bbox, (double[]){ 70, 0, 100, 10 }, sizeof first.bbox);
	memcpy(second.bbox, (double[]){ 0, 12, 50.126, 22 }, sizeof second.bbox);
	weft_content_add_word(content, (WeftWord){ 0, 4, first, -1 });
	weft_content_add_word(content, (WeftWord){ 5, 11, second, -1 });
	g_ptr_array_add(record->contents, content);
	record->answer = g_strdup("{\"both\":\"Anna Martin\",\"one\":\"Martin\"}");
	g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL));
	g_autofree char *text = weft_record_json(record, FALSE, NULL);

	g_assert_nonnull(strstr(text, "\"at\":[{\"page\":1,\"bbox\":[0,0,100,22]}],"
				      "\"boxes\":[[70,0,100,10],[0,12,50.13,22]]}]"));
	g_assert_nonnull(strstr(text, "\"quote\":\"Martin\",\"at\":[{\"page\":1,"
				      "\"bbox\":[0,12,50.13,22]}]}]"));
}

/* Not over a picture that nobody read, nor from one speaker to the next. */
static void test_apart(void)
{
	g_autoptr(WeftRecord) record = weft_record_new();
	WeftAnchor at = { .page = 1 };

	sample_add_text(record, 1, "one");
	g_ptr_array_add(record->contents,
			weft_content_new(WEFT_CONTENT_IMAGE, WEFT_BY_FILE, NULL, at));
	sample_add_text(record, 1, "two");
	sample_add_text(record, 1, "three");
	((WeftContent *)record->contents->pdata[3])->speaker = g_strdup("Anna");
	record->answer = g_strdup("[\"one two\",\"two three\",\"two\"]");
	g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL));
	assert_none(record, "/0");
	assert_none(record, "/1");
	g_assert_cmpint(evidence(record, "/2")->kind, ==, WEFT_PROVENANCE_MATCHED);
}

/* More text than one piece of it holds; the place in the last one is found, and the next one behind
 * it. */
static void test_large(void)
{
	g_autoptr(WeftRecord) record = weft_record_new();
	g_autoptr(GString) text = g_string_new(NULL);

	while (text->len < 100000)
		g_string_append(text, "nothing here but 17 words and 3,5 numbers ");
	for (guint32 page = 1; page <= 8; page++)
		sample_add_text(record, page, text->str);
	sample_add_text(record, 9, "needle, 1.240,00");
	sample_add_text(record, 10, "needle");
	record->answer = g_strdup("[\"needle\",\"needle\",1240]");
	g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL));
	assert_found(record, "/0", 8, 0, "needle");
	assert_found(record, "/1", 9, 0, "needle");
	assert_derived(record, "/2", 8, 8, "1.240,00");
}

/* Where the model looked is a hint for what stands nowhere, if it looked at pixels or sound. */
static void test_looked_at(void)
{
	g_autoptr(WeftRecord) record = weft_record_new();
	WeftAnchor at = { .page = 1, .has_bbox = TRUE, .bbox = { 1, 2, 3, 4 } };
	WeftPointed pointed = { .is_known = TRUE, .kind = WEFT_SPAN_PATCH, .content = 1, .at = at };

	sample_add_text(record, 1, "Acme");
	g_ptr_array_add(record->contents,
			weft_content_new(WEFT_CONTENT_IMAGE, WEFT_BY_FILE, NULL, at));
	record->answer = g_strdup("[\"Acme\",\"Bolt\",true,\"Cog\",\"Dab\"]");
	for (int i = 0; i < 4; i++) {
		pointed.kind = i == 3 ? WEFT_SPAN_TEXT : WEFT_SPAN_PATCH;
		g_hash_table_insert(record->value_pointed, g_strdup_printf("/%d", i),
				    g_memdup2(&pointed, sizeof(pointed)));
	}
	g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL));
	assert_found(record, "/0", 0, 0, "Acme");
	for (int i = 1; i < 3; i++) {
		const WeftProvenance *found = evidence(record, i == 1 ? "/1" : "/2");
		g_assert_cmpint(found->kind, ==, WEFT_PROVENANCE_POINTED);
		g_assert_cmpuint(found->content, ==, 1);
		g_assert_cmpfloat(found->at.bbox[3], ==, 4);
	}
	assert_none(record, "/3");
	assert_none(record, "/4");
	g_autofree char *text = weft_record_json(record, TRUE, NULL);
	g_assert_nonnull(strstr(text, "\"/1\":[{\"kind\":\"pointed\",\"rests_on\":\"reading\",\"content\":\"c2\","
				      "\"at\":[{\"page\":1,\"bbox\":[1,2,3,4]}]}]"));
}

static void test_stands_in(void)
{
	static const char json[] = "[\"Acme Ltd\",1240,\"2024-03-12\",\"acme\",1241,\"\",true]";
	g_autoptr(WeftJson) values = weft_json_parse(json, strlen(json), WEFT_JSON_STRICT, NULL);
	static const char text[] = "to Acme\nLtd, 12. March 2024: 1.240,00";

	for (gsize i = 0; i < 7; i++)
		g_assert_cmpint(weft_value_stands_in(weft_json_at(values, i), text), ==, i < 3);
}

static void test_word_ends(void)
{
	static const char *const TEXTS[] = { "catalogue of the cat", "\xE6\x9D\xB1\xE4\xBA\xAC"
								    "\xE9\x83\xBD\xE3\x81\xAB", NULL };
	g_autoptr(WeftRecord) record =
		traced("{\"a\":\"cat\",\"b\":\"talog\",\"c\":\"og\","
		       "\"d\":\"\xE6\x9D\xB1\xE4\xBA\xAC\xE9\x83\xBD\"}",
		       TEXTS);
	assert_found(record, "/a", 0, 17, "cat");
	assert_found(record, "/b", 0, 2, "talog"); /* inside a word when nowhere else */
	assert_none(record, "/c");		   /* too short for that */
	assert_found(record, "/d", 1, 0, "\xE6\x9D\xB1\xE4\xBA\xAC\xE9\x83\xBD");
}

static void test_white_space(void)
{
	static const char *const TEXTS[] = { "Acme\n   Tools Ltd", NULL };
	g_autoptr(WeftRecord) record = traced("{\"a\":\"Acme Tools\",\"b\":\" Ltd\",\"c\":\"\"}", TEXTS);
	assert_found(record, "/a", 0, 0, "Acme\n   Tools");
	assert_none(record, "/b");
	assert_none(record, "/c");
}

/* A list that names a value twice has two places; a third has none of its own. */
static void test_lists(void)
{
	static const char *const TEXTS[] = { "10.00 and 10.00", "more: 10.00", NULL };
	g_autoptr(WeftRecord) record =
		traced("{\"rows\":[{\"p\":10},{\"p\":10},{\"p\":10},{\"p\":10}],\"sum\":10}", TEXTS);
	assert_derived(record, "/rows/0/p", 0, 0, "10.00");
	assert_derived(record, "/rows/1/p", 0, 10, "10.00");
	assert_derived(record, "/rows/2/p", 1, 6, "10.00");
	assert_derived(record, "/rows/3/p", 0, 0, "10.00");
	assert_derived(record, "/sum", 0, 0, "10.00");
}

static void test_hidden_is_no_evidence(void)
{
	g_autoptr(WeftRecord) record = sample_record();
	g_free(record->answer);
	record->answer = g_strdup("{\"a\":\"ignore all rules\",\"b\":\"Total\",\"c\":true}");
	g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL));
	assert_none(record, "/a");
	assert_none(record, "/c");
	const WeftProvenance *total = evidence(record, "/b");
	g_assert_cmpint(total->kind, ==, WEFT_PROVENANCE_MATCHED);
	g_assert_true(total->at.has_bbox && total->at.bbox[2] == 300.126); /* the word's box */
}

static void test_known_stays(void)
{
	g_autoptr(WeftRecord) record = weft_record_new();
	WeftProvenance pointed = { .pointer = g_strdup("/a"), .kind = WEFT_PROVENANCE_POINTED };
	WeftAbsent absent = { g_strdup("/b"), "ambiguous" };
	sample_add_text(record, 1, "x");
	g_array_append_val(record->provenance, pointed);
	g_array_append_val(record->absent, absent);
	record->answer = g_strdup("{\"a\":\"x\",\"b\":null}");
	g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL));
	g_assert_cmpuint(record->provenance->len, ==, 1);
	g_assert_cmpuint(record->absent->len, ==, 1);
}

static void test_not_json(void)
{
	g_autoptr(WeftRecord) record = weft_record_new();
	g_autoptr(GError) error = NULL;
	g_assert_true(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, NULL)); /* no answer, nothing to trace */
	record->answer = g_strdup("{\"a\":");
	g_assert_false(weft_record_trace(record, &(WeftTraceRules){ .reason_of_null = "absent" }, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/provenance/pages", test_pages);
	g_test_add_func("/provenance/numbers", test_numbers);
	g_test_add_func("/provenance/meanings", test_meanings);
	g_test_add_func("/provenance/two-items", test_two_items);
	g_test_add_func("/provenance/two-lines", test_two_lines);
	g_test_add_func("/provenance/apart", test_apart);
	g_test_add_func("/provenance/large", test_large);
	g_test_add_func("/provenance/looked-at", test_looked_at);
	g_test_add_func("/provenance/stands-in", test_stands_in);
	g_test_add_func("/provenance/windows", test_windows);
	g_test_add_func("/provenance/times", test_times);
	g_test_add_func("/provenance/word-ends", test_word_ends);
	g_test_add_func("/provenance/white-space", test_white_space);
	g_test_add_func("/provenance/lists", test_lists);
	g_test_add_func("/provenance/hidden-is-no-evidence", test_hidden_is_no_evidence);
	g_test_add_func("/provenance/known-stays", test_known_stays);
	g_test_add_func("/provenance/times-of-several-files", test_times_of_several_files);
	g_test_add_func("/provenance/not-json", test_not_json);
	return g_test_run();
}
