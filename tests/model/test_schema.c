#include <string.h>

#include "base/error.h"
#include "judge.h"
#include "model/schema.h"
#include "schemas.h"

static void test_refused(void)
{
	static const struct {
		const char *schema, *pointer, *keyword;
	} cases[] = {
		{"{\"type\":\"string\",\"pattern\":\"a\"}", "#:", "pattern"},
		{"{\"type\":\"object\",\"properties\":{\"a/b\":{\"not\":{}}}}", "#/properties/a~1b:",
		 "not"},
		{"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"text\"}}}",
		 "#/properties/a:", "type"},
		{"{\"type\":\"object\",\"properties\":{},\"required\":[\"b\"]}", "#:", "required"},
		{"{\"type\":\"object\"}", "#:", "properties"},
		{"{\"type\":\"object\",\"properties\":{},\"additionalProperties\":{}}", "#:",
		 "additionalProperties"},
		{"{\"type\":\"array\",\"items\":{}}", "#/items:", "type"},
		{"{\"type\":\"array\"}", "#:", "items"},
		{"{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":3,\"maxItems\":2}",
		 "#:", "minItems"},
		{"{\"type\":\"integer\",\"minimum\":5,\"maximum\":4}", "#:", "type"},
		{"{\"type\":\"integer\",\"minimum\":1e9}", "#:", "minimum"},
		{"{\"enum\":[]}", "#:", "enum"},
		{"{\"enum\":[{}]}", "#:", "enum"},
		{"{\"type\":\"integer\",\"enum\":[\"a\",1.5]}", "#:", "enum"},
		{"{\"$ref\":\"#\"}", "#:", "$ref"},
		{"{\"$defs\":{\"a\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/a\"}}},"
		 "\"$ref\":\"#/$defs/a\"}",
		 "#/$defs/a/items:", "$ref"},
		{"{\"$ref\":\"http://example.org/x\"}", "#:", "$ref"},
		{"{\"$ref\":\"#/$defs/none\"}", "#:", "$ref"},
		{"{\"$defs\":{\"a\":{\"type\":\"null\"}},\"$ref\":\"#/$defs/a\",\"type\":\"null\"}",
		 "#:", "$ref"},
		{"{\"anyOf\":[{\"type\":\"string\"},{\"enum\":[\"a\"]}]}", "#:", "anyOf"},
		{"{\"allOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "#:", "allOf"},
		{"{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"uniqueItems\":true}",
		 "#:", "uniqueItems"},
		{"{\"type\":\"string\",\"maxLength\":-1}", "#:", "maxLength"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *start =
			g_strdup_printf("%s keyword \"%s\": ", cases[i].pointer, cases[i].keyword);
		g_autoptr(WeftSchema) schema =
			weft_schema_new(cases[i].schema, strlen(cases[i].schema), &error);
		g_assert_null(schema);
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA);
		g_assert_true(g_str_has_prefix(error->message, start));
	}
}

static void test_not_json(void)
{
	g_autoptr(GError) error = NULL;
	g_assert_null(weft_schema_new("{\"type\":", 8, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT);
	g_clear_error(&error);
	g_assert_null(weft_schema_new("true", 4, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA);
}

static void test_min_bytes(void)
{
	static const struct {
		const char *schema, *shortest, *null;
	} cases[] = {
		{"{\"type\":[\"string\",\"null\"]}", "\"\"", "null"},
		{"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":10},"
		 "\"b\":{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"minItems\":2}}}",
		 "{\"a\":10,\"b\":[true,true]}", "{\"a\":10,\"b\":[false,false]}"},
		{"{\"enum\":[\"long\",null,7]}", "7", "null"},
		{"{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]}", "0", "null"},
		{"{\"type\":\"number\",\"maximum\":-0.5}", "-1", "-1"},
		{"{\"type\":\"string\",\"minLength\":2}", "\"  \"", "\"  \""},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(WeftSchema) schema =
			weft_schema_new(cases[i].schema, strlen(cases[i].schema), NULL);
		g_assert_nonnull(schema);
		g_assert_cmpuint(weft_schema_min_bytes(schema), ==, strlen(cases[i].shortest));
		g_autofree char *null = weft_schema_null_instance(schema);
		g_assert_cmpstr(null, ==, cases[i].null);
	}
}

static void test_null_instance_is_one(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(schemas); i++) {
		g_autoptr(WeftSchema) schema = weft_schema_new(schemas[i], strlen(schemas[i]), NULL);
		g_assert_nonnull(schema);
		g_autofree char *null = weft_schema_null_instance(schema);
		g_autofree char *wrong = judge(schemas[i], null);
		g_assert_cmpstr(wrong, ==, NULL);
	}
}

/* 2^40 leaves behind forty references: refused by size, at once. */
static void test_doubling(void)
{
	g_autoptr(GString) text = g_string_new("{\"$defs\":{\"d0\":{\"type\":\"null\"}");
	for (int i = 1; i <= 30; i++)
		g_string_append_printf(text,
				       ",\"d%d\":{\"type\":\"object\",\"properties\":{"
				       "\"a\":{\"$ref\":\"#/$defs/d%d\"},"
				       "\"b\":{\"$ref\":\"#/$defs/d%d\"}}}",
				       i, i - 1, i - 1);
	g_string_append(text, "},\"$ref\":\"#/$defs/d30\"}");
	g_autoptr(GError) error = NULL;
	g_assert_null(weft_schema_new(text->str, text->len, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA);
}

static void test_too_deep(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (int i = 0; i < 40; i++)
		g_string_append(text, "{\"type\":\"array\",\"items\":");
	g_string_append(text, "{\"type\":\"null\"}");
	for (int i = 0; i < 40; i++)
		g_string_append_c(text, '}');
	g_autoptr(GError) error = NULL;
	g_assert_null(weft_schema_new(text->str, text->len, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/schema/refused", test_refused);
	g_test_add_func("/schema/not-json", test_not_json);
	g_test_add_func("/schema/min-bytes", test_min_bytes);
	g_test_add_func("/schema/null-instance-is-one", test_null_instance_is_one);
	g_test_add_func("/schema/doubling", test_doubling);
	g_test_add_func("/schema/too-deep", test_too_deep);
	return g_test_run();
}
