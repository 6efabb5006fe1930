#include "schema/decline.h"

#include <string.h>

#include "schema/constraint.h"
#include "schema/node.h"
#include "schema/schema.h"

static WeftSchema *schema_of(const char *text, gboolean declines)
{
	const WeftSchemaOptions options = {.declines = declines};
	GError *error = NULL;
	WeftSchema *schema = weft_schema_new(text, strlen(text), &options, &error);
	g_assert_no_error(error);
	return schema;
}

static gboolean accepts(const char *schema_text, gboolean declines, const char *text)
{
	g_autoptr(WeftSchema) schema = schema_of(schema_text, declines);
	gsize byte;
	return weft_schema_accepts(schema, text, strlen(text), &byte);
}

#define OBJECT "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":"

/* Where null is a choice it may say why; `with` is an instance once the reasons are out. */
static void test_places(void)
{
	static const struct {
		const char *schema, *plain, *with;
		gboolean may;
	} rows[] = {
		{"{\"type\":[\"string\",\"null\"]}", "null", "null:absent", TRUE},
		{"{\"type\":[\"string\",\"null\"]}", "null", "null:unreadable", TRUE},
		{"{\"type\":[\"string\",\"null\"]}", "null", "null:not_examined", TRUE},
		{"{\"type\":[\"string\",\"null\"]}", "null", "null:ambiguous", FALSE},
		{"{\"type\":[\"string\",\"null\"]}", "null", "null:", FALSE},
		{"{\"type\":[\"string\",\"null\"]}", "null", "null:absent:absent", FALSE},
		{"{\"enum\":[\"x\",null]}", "null", "null:absent", TRUE},
		{"{\"enum\":[null,[null]]}", "[null]", "[null:absent]", FALSE},
		{"{}", "null", "null:absent", TRUE},
		{"{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"integer\"}]}", "null", "null:unreadable",
		 TRUE},
		{OBJECT "{\"anyOf\":[{\"$ref\":\"#/$defs/d\"},{\"type\":\"null\"}]}},"
			"\"$defs\":{\"d\":{\"type\":\"object\",\"properties\":{}}}}",
		 "{\"a\":null}", "{\"a\":null:not_examined}", TRUE},
		{OBJECT "{\"$ref\":\"#/$defs/d\"}},\"$defs\":{\"d\":{\"type\":[\"number\",\"null\"]}}}",
		 "{\"a\":null}", "{\"a\":null:absent}", TRUE},
		{OBJECT "{\"type\":[\"string\",\"null\"],\"x-weft-verbatim\":true}}}", "{\"a\":null}",
		 "{\"a\":null:absent}", TRUE},
		{"{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"null\"]}}", "[null,null,\"\"]",
		 "[null:absent,null,\"\"]", TRUE},
		{"{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"integer\",\"null\"]}}",
		 "{\"x\":null}", "{\"x\":null:unreadable}", TRUE},
		/* Nothing but null: there is nothing to decline. */
		{"{\"const\":null}", "null", "null:absent", FALSE},
		{OBJECT "{\"type\":\"null\"}}}", "{\"a\":null}", "{\"a\":null:absent}", FALSE},
		{"{\"allOf\":[{\"type\":[\"string\",\"null\"]},{\"type\":[\"integer\",\"null\"]}]}", "null",
		 "null:absent", FALSE},
		/* Two reasons would be two items. */
		{"{\"type\":\"array\",\"uniqueItems\":true,\"items\":{\"enum\":[1,null]}}", "[null,1]",
		 "[null:absent,1]", FALSE},
		/* A string is a string. */
		{"{\"type\":\"string\"}", "\"null:absent\"", "null:absent", FALSE},
		{"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}", "{\"null\":1}",
		 "{null:1}", FALSE},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_test_message("%s: %s", rows[i].schema, rows[i].with);
		g_assert_true(accepts(rows[i].schema, FALSE, rows[i].plain));
		g_assert_true(accepts(rows[i].schema, TRUE, rows[i].plain));
		g_assert_false(accepts(rows[i].schema, FALSE, rows[i].with));
		g_assert_cmpint(accepts(rows[i].schema, TRUE, rows[i].with), ==, rows[i].may);
	}
}

/* Whoever has to be short says no reason, and the least is what it was. */
static void test_least(void)
{
	static const char *const texts[] = {
		"{\"type\":[\"string\",\"null\"]}",
		"{\"enum\":[\"invoice\",null]}",
		OBJECT "{\"type\":[\"string\",\"null\"],\"minLength\":9}}}",
		"{\"type\":\"array\",\"minItems\":3,\"items\":{\"enum\":[\"long enough\",null]}}",
	};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(WeftSchema) plain = schema_of(texts[i], FALSE);
		g_autoptr(WeftSchema) declining = schema_of(texts[i], TRUE);
		g_autofree char *a = weft_schema_null_instance(plain);
		g_autofree char *b = weft_schema_null_instance(declining);
		g_assert_cmpuint(weft_schema_min_bytes(plain), ==, weft_schema_min_bytes(declining));
		g_assert_cmpstr(a, ==, b);
		g_assert_cmpuint(plain->fingerprint, !=, declining->fingerprint);
		g_assert_true(weft_schema_place(declining, "").allows_null ==
			      weft_schema_place(plain, "").allows_null);
	}
}

static void test_bytes_to_close(void)
{
	g_autoptr(WeftSchema) schema = schema_of(OBJECT "{\"type\":[\"string\",\"null\"]}}}", TRUE);
	g_autoptr(WeftLevels) levels = weft_levels_new();
	static const struct {
		const char *bytes;
		gsize close;
		int forced;
	} steps[] = {
		{"{\"a\":", 3, -1}, /* "" */
		{"n", 4, 'u'}, {"ull", 1, -1}, {":", 7, -1}, {"u", 10, 'n'},
		{"nreadabl", 2, 'e'}, {"e", 1, '}'}, {"}", 0, -1},
	};
	WeftConstraint now;
	weft_constraint_init(&now, schema, levels, NULL, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		for (const char *byte = steps[i].bytes; *byte; byte++)
			g_assert_true(weft_constraint_advance(&now, (guint8)*byte));
		g_assert_cmpuint(weft_constraint_close_bytes(&now), ==, steps[i].close);
		g_assert_cmpint(weft_constraint_forced(&now), ==, steps[i].forced);
	}
}

static void test_taken_out(void)
{
	static const struct {
		const char *text, *left;
		guint n;
		WeftDeclined declined[3];
	} rows[] = {
		{"null", "null", 0, {{0}}},
		{"null:absent", "null", 1, {{4, 7, WEFT_DECLINE_ABSENT}}},
		{"{\"a\":null:unreadable,\"b\":[null,null:not_examined,\"x\"],\"c\":null:absent}",
		 "{\"a\":null,\"b\":[null,null,\"x\"],\"c\":null}",
		 3,
		 {{9, 11, WEFT_DECLINE_UNREADABLE},
		  {24, 13, WEFT_DECLINE_NOT_EXAMINED},
		  {38, 7, WEFT_DECLINE_ABSENT}}},
		/* Keys and strings, also with quotes in them. */
		{"{\"null\":\"null:absent\",\"a\\\"null\":1,\"\\\\\":null:absent}",
		 "{\"null\":\"null:absent\",\"a\\\"null\":1,\"\\\\\":null}",
		 1,
		 {{43, 7, WEFT_DECLINE_ABSENT}}},
		{"{\"a\":\"null:absent", "{\"a\":\"null:absent", 0, {{0}}},
		{"{\"a\":\"null:absent\\", "{\"a\":\"null:absent\\", 0, {{0}}},
		/* One that is not finished. */
		{"{\"a\":null:unread", "{\"a\":null", 0, {{0}}},
		{"{\"a\":null:", "{\"a\":null", 0, {{0}}},
		{"", "", 0, {{0}}},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) text = g_string_new(rows[i].text);
		g_autoptr(GArray) declined = g_array_new(FALSE, FALSE, sizeof(WeftDeclined));
		weft_decline_take_out(text, declined);
		g_assert_cmpstr(text->str, ==, rows[i].left);
		g_assert_cmpuint(text->len, ==, strlen(rows[i].left));
		g_assert_cmpuint(declined->len, ==, rows[i].n);
		for (guint k = 0; k < rows[i].n; k++) {
			const WeftDeclined *one = &g_array_index(declined, WeftDeclined, k);
			g_assert_cmpuint(one->byte, ==, rows[i].declined[k].byte);
			g_assert_cmpuint(one->n_bytes, ==, rows[i].declined[k].n_bytes);
			g_assert_cmpint(one->decline, ==, rows[i].declined[k].decline);
		}
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/decline/places", test_places);
	g_test_add_func("/decline/least", test_least);
	g_test_add_func("/decline/bytes-to-close", test_bytes_to_close);
	g_test_add_func("/decline/taken-out", test_taken_out);
	return g_test_run();
}
