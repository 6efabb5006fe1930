#include <string.h>

#include "base/error.h"
#include "schema/node.h"

static WeftSchema *schema_of(const char *text, GError **error)
{
	return weft_schema_new(text, strlen(text), NULL, error);
}

/* What can't be promised is refused with its place and keyword. */
static void test_refused(void)
{
	static const struct {
		const char *schema, *start;
	} cases[] = {
		{"{\"properties\":{\"a/b\":{\"contains\":{}}}}",
		 "#/properties/a~1b: keyword \"contains\": "},
		{"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"text\"}}}",
		 "#/properties/a: keyword \"type\": "},
		{"{\"type\":\"array\",\"minItems\":\"3\"}", "#: keyword \"minItems\": "},
		{"{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":3,\"maxItems\":2}",
		 "#: keyword \"minItems\": "},
		{"{\"type\":\"integer\",\"minimum\":5,\"maximum\":4}", "#: keyword \"minimum\": "},
		{"{\"enum\":[]}", "#: keyword \"enum\": "},
		{"{\"type\":\"integer\",\"enum\":[\"a\",1.5]}", "#: keyword \"enum\": "},
		{"{\"$ref\":\"http://example.org/x\"}", "#: keyword \"$ref\": "},
		{"{\"$ref\":\"#/$defs/none\"}", "#: keyword \"$ref\": "},
		{"{\"allOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}",
		 "#/allOf/1: keyword \"type\": "},
		{"{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"uniqueItems\":true,\"minItems\":2}",
		 "#: keyword \"uniqueItems\": "},
		{"{\"type\":\"array\",\"items\":{\"type\":\"number\"},\"uniqueItems\":true}",
		 "#: keyword \"uniqueItems\": "},
		{"{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"uniqueItems\":true,\"minItems\":3}",
		 "#: keyword \"uniqueItems\": its items have fewer values"},
		{"{\"type\":\"string\",\"not\":{\"minLength\":0}}", "#: keyword \"not\": leaves nothing"},
		{"{\"type\":\"integer\",\"not\":{\"multipleOf\":2}}", "#: keyword \"not\": may fit"},
		{"{\"type\":\"string\",\"nullable\":true}", "#: keyword \"nullable\": "},
		{"{\"type\":\"string\",\"format\":\"no-such\"}", "#: keyword \"format\": "},
		{"{\"type\":\"string\",\"pattern\":\"(?=a)\"}", "#: keyword \"pattern\": "},
		{"{\"oneOf\":[{\"properties\":{\"a\":true}},{\"properties\":{\"b\":true}}]}",
		 "#: keyword \"oneOf\": "},
		{"{\"type\":\"object\",\"properties\":{\"a\":true},\"required\":[\"b\"],"
		 "\"additionalProperties\":false}",
		 "#/additionalProperties: the schema false"},
		{"{\"type\":\"object\",\"properties\":{\"a\":true},\"minProperties\":2}",
		 "#: keyword \"minProperties\": "},
		{"{\"type\":\"string\",\"minLength\":1,\"x-weft-verbatim\":true}",
		 "#: keyword \"x-weft-verbatim\": "},
		{"{\"$schema\":\"http://example.org/mine\"}", "#: keyword \"$schema\": "},
		{"{\"$ref\":\"#\"}", "#: leads back to itself"},
		{"{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}",
		 "#/properties/a: every instance would have to hold another one"},
		{"{\"properties\":{\"x\":{\"enum\":[\"a\",\"b\\uffff\"]}}}",
		 "#/properties/x: keyword \"enum\": holds U+FFFF"},
		{"{\"const\":[{\"\xef\xb7\x90\":1}]}", "#: keyword \"const\": holds U+FDD0"},
		{"{\"properties\":{\"const\":{\"enum\":[[\"\\ud83f\\udffe\"]]}}}",
		 "#/properties/const: keyword \"enum\": holds U+1FFFE"},
		{"{\"items\":{\"properties\":{\"a\\ufffe\":true}}}",
		 "#/items: keyword \"properties\": holds U+FFFE"},
		{"{\"allOf\":[{\"properties\":{\"a\":true}},{\"required\":[\"a\",\"\\ufffe\"]}]}",
		 "#/allOf/1: keyword \"required\": holds U+FFFE"},
		{"{\"type\":\"object\",\"propertyNames\":{\"enum\":[\"\\ufffe\"]}}",
		 "#: keyword \"propertyNames\": holds U+FFFE"},
		{"{\"properties\":{\"a/b\":{\"items\":{\"prefixItems\":[{\"properties\":{\"c\":{}},"
		 "\"x-weft-check\":[]}]}}}}",
		 "#/properties/a~1b/items/prefixItems/0: keyword \"x-weft-check\": is read at the root of a schema "
		 "only; write it there, and \"/a~1b/*/0\" in front"},
		{"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"null\",\"x-weft-check\":[]}}}",
		 "#/$defs/a: keyword \"x-weft-check\": is read at the root of a schema only; write it there"},
		{"{\"items\":{\"type\":\"null\",\"x-weft-locale\":\"de\"}}",
		 "#/items: keyword \"x-weft-locale\": is read at the root"},
		{"{\"type\":\"null\",\"x-weft-chek\":[]}", "#: keyword \"x-weft-chek\": is none of weft's"},
		{"{\"type\":\"string\",\"pattern\":\"^a\\\\uFFFF$\"}", "#: keyword \"pattern\": no string fits it"},
		/* propertyNames with all that it leads to. */
		{"{\"properties\":{\"ab\":true},\"required\":[\"ab\"],\"propertyNames\":"
		 "{\"$ref\":\"#/$defs/n\"},\"$defs\":{\"n\":{\"maxLength\":1}}}",
		 "#: keyword \"required\": "},
		{"{\"properties\":{\"a\":true},\"minProperties\":1,\"propertyNames\":"
		 "{\"not\":{\"const\":\"a\"}}}",
		 "#: keyword \"minProperties\": "},
		/* What validators of the draft would not count. */
		{"{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"oneOf\":[{\"const\":1},"
		 "{\"const\":2}]}",
		 "#/oneOf/0: keyword \"const\": "},
		{"{\"$schema\":\"http://json-schema.org/draft-06/schema#\",\"if\":{\"const\":1},"
		 "\"else\":{\"type\":\"null\"}}",
		 "#: keyword \"if\": "},
		{"{\"$schema\":\"https://json-schema.org/draft/2019-09/schema\",\"prefixItems\":"
		 "[{\"type\":\"null\"}]}",
		 "#: keyword \"prefixItems\": "},
		{"{\"minimum\":1,\"exclusiveMinimum\":true}", "#: keyword \"exclusiveMinimum\": "},
		{"{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"exclusiveMaximum\":1}",
		 "#: keyword \"exclusiveMaximum\": "},
		/* Both sides of what is compared are refused: one error. */
		{"{\"oneOf\":[{\"properties\":{\"a\":{\"contains\":{}}},\"required\":[\"a\"]},"
		 "{\"properties\":{\"a\":{\"contains\":true}},\"required\":[\"a\"]}]}",
		 "#/oneOf/0/properties/a: keyword \"contains\": "},
		/* Python's $ stands in front of a line feed at the end, too. */
		{"{\"type\":\"string\",\"not\":{\"pattern\":\"^a*$\"},\"pattern\":\"^a*\\n$\"}",
		 "#: keyword \"pattern\": no string fits"},
		{"false", "#: the schema false"},
		{"[]", "#: neither an object nor true or false"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(WeftSchema) schema = schema_of(cases[i].schema, &error);
		g_assert_null(schema);
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA);
		if (!g_str_has_prefix(error->message, cases[i].start))
			g_error("%s: %s", cases[i].schema, error->message);
	}
}

/* What goes over a limit says where, and what to do. */
static void test_limits(void)
{
	g_autoptr(GString) text = g_string_new("{\"items\":{\"anyOf\":[");
	g_autoptr(GError) error = NULL;
	for (int i = 0; i < 70; i++)
		g_string_append_printf(text, "%s{\"required\":[\"k%d\"],\"properties\":{\"k%d\":true}}",
				       i > 0 ? "," : "", i, i);
	g_string_append(text, "]}}");
	g_assert_null(schema_of(text->str, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
	if (!g_str_has_prefix(error->message, "#/items: schema with more than 64 alternatives") ||
	    !strstr(error->message, "; divide it"))
		g_error("%s", error->message);
}

static void test_not_json(void)
{
	static const char *const texts[] = {"{\"type\":", "{\"type\":\"null\",\"type\":\"null\"}", ""};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(schema_of(texts[i], &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT);
	}
}

/* The smallest instance, and the one with nulls, by hand. */
static void test_least(void)
{
	static const struct {
		const char *schema;
		gsize n_bytes;
		const char *null;
	} cases[] = {
		{"{}", 1, "null"},
		{"{\"type\":[\"string\",\"null\"]}", 2, "null"},
		{"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":10},"
		 "\"b\":{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"minItems\":2}},"
		 "\"required\":[\"b\",\"a\"]}",
		 24, "{\"a\":10,\"b\":[true,true]}"},
		{"{\"properties\":{\"a\":{\"type\":\"null\"},\"b\":{\"type\":\"string\"}}}", 2,
		 "{\"a\":null}"},
		{"{\"properties\":{\"a\":{\"const\":\"long\"},\"b\":{\"const\":1}},"
		 "\"minProperties\":1}",
		 7, "{\"b\":1}"},
		{"{\"enum\":[\"long\",7.0,7,{\"b\":1e2,\"a\":[]}]}", 1, "7"},
		{"{\"const\":{\"b\":1e2,\"a\":[\"\\u0000\"]}}", 24, "{\"b\":100,\"a\":[\"\\u0000\"]}"},
		{"{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]}", 1, "null"},
		{"{\"type\":\"string\",\"pattern\":\"^[A-Z]{3}$\"}", 5, "\"AAA\""},
		{"{\"type\":\"array\",\"items\":{\"enum\":[\"ccc\",\"a\",\"bb\"]},\"uniqueItems\":true,"
		 "\"minItems\":2}",
		 10, "[\"a\",\"bb\"]"},
		{"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"boolean\"},"
		 "\"minProperties\":3}",
		 27, "{\"\":true,\"a\":true,\"b\":true}"},
		{"{\"type\":\"array\",\"prefixItems\":[{\"const\":1},{\"const\":22}],\"items\":false,"
		 "\"minItems\":2}",
		 6, "[1,22]"},
		{"{\"$defs\":{\"n\":{\"type\":\"object\",\"properties\":{\"next\":{\"anyOf\":[{\"type\":"
		 "\"null\"},{\"$ref\":\"#/$defs/n\"}]}},\"required\":[\"next\"]}},"
		 "\"$ref\":\"#/$defs/n\"}",
		 13, "{\"next\":null}"},
		{"{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"},\"b\":{\"const\":1}},"
		 "\"required\":[\"b\"]}",
		 7, "{\"b\":1}"},
		{"{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"bb\"]}],\"properties\":"
		 "{\"bb\":{\"const\":1},\"a\":{\"const\":1}}}",
		 7, "{\"a\":1}"},
		{"{\"not\":{\"enum\":[null,0]},\"type\":[\"null\",\"boolean\"]}", 4, "true"},
		{"{\"type\":\"integer\",\"not\":{\"maximum\":5}}", 1, "6"},
		{"{\"type\":\"number\",\"minimum\":4,\"not\":{\"exclusiveMaximum\":50}}", 2, "50"},
		{"{\"type\":\"integer\",\"minimum\":40,\"not\":{\"minimum\":20,\"maximum\":100}}", 3, "101"},
		{"{\"type\":\"string\",\"not\":{\"maxLength\":2}}", 5, "\"   \""},
		{"{\"enum\":[5,17,\"abc\"],\"not\":{\"type\":\"number\",\"maximum\":9}}", 2, "17"},
		{"{\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":10},\"m\":{\"const\":1}},"
		 "\"required\":[\"n\"],\"if\":{\"properties\":{\"n\":{\"minimum\":10}}},"
		 "\"then\":{\"required\":[\"m\"]}}",
		 14, "{\"n\":10,\"m\":1}"},
		{"{\"const\":1234567890123456789012}", 22, "1234567890123456789012"},
		{"{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"type\":\"integer\","
		 "\"minimum\":1,\"exclusiveMinimum\":true}",
		 1, "2"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(WeftSchema) schema = schema_of(cases[i].schema, &error);
		g_assert_no_error(error);
		g_autofree char *null = weft_schema_null_instance(schema);
		g_assert_cmpstr(null, ==, cases[i].null);
		g_assert_cmpuint(weft_schema_min_bytes(schema), ==, cases[i].n_bytes);
	}
}

/* Every node that is left has a text, and no alternative is one itself. */
static void test_nodes(void)
{
	static const char text[] =
		"{\"$defs\":{\"t\":{\"properties\":{\"kids\":{\"type\":\"array\",\"items\":"
		"{\"$ref\":\"#/$defs/t\"}},\"never\":{\"$ref\":\"#/$defs/loop\"},\"any\":true}},"
		"\"loop\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"$ref\":\"#/$defs/loop\"}}},"
		"\"anyOf\":[{\"$ref\":\"#/$defs/t\"},{\"type\":[\"null\",\"string\"]},"
		"{\"$ref\":\"#/$defs/loop\"}]}";
	g_autoptr(WeftSchema) schema = schema_of(text, NULL);
	g_assert_nonnull(schema);
	g_assert_cmpint(schema->root->kind, ==, WEFT_NODE_BRANCHES);
	g_assert_cmpuint(schema->root->branches->len, ==, 3);
	for (guint i = 0; i < schema->nodes->len; i++) {
		const WeftNode *node = schema->nodes->pdata[i];
		g_assert_cmpuint(node->id, ==, i);
		g_assert_cmpuint(node->least.bytes, <, G_MAXSIZE);
		for (guint j = 0; node->branches && j < node->branches->len; j++)
			g_assert_cmpint(weft_node_branch(node, j)->kind, !=, WEFT_NODE_BRANCHES);
		if (node->kind == WEFT_NODE_OBJECT)
			for (guint j = 0; j < node->properties->len; j++)
				g_assert_cmpstr(weft_node_property(node, j)->key, !=, "\"never\":");
	}
}

static void test_verbatim(void)
{
	static const char text[] =
		"{\"properties\":{\"free\":{\"type\":\"string\",\"x-weft-verbatim\":false},"
		"\"name\":{\"type\":\"string\",\"maxLength\":9},"
		"\"day\":{\"type\":\"string\",\"format\":\"date\"},"
		"\"long\":{\"type\":\"string\",\"minLength\":1},"
		"\"null\":{\"type\":[\"string\",\"null\"],\"minLength\":1},"
		"\"code\":{\"type\":[\"string\",\"null\"],\"pattern\":\"^A\","
		"\"x-weft-verbatim\":true},\"kind\":{\"enum\":[\"a\",\"b\"]}}}";
	static const char *const by_default[] = {"/properties/name", "/properties/null",
						 "/properties/code"};
	WeftSchemaOptions options = {.is_verbatim = TRUE};
	g_autoptr(WeftSchema) schema = weft_schema_new(text, strlen(text), &options, NULL);
	g_assert_nonnull(schema);
	g_assert_cmpuint(weft_schema_n_verbatim(schema), ==, G_N_ELEMENTS(by_default));
	for (guint i = 0; i < G_N_ELEMENTS(by_default); i++)
		g_assert_cmpstr(weft_schema_verbatim(schema, i), ==, by_default[i]);
	g_autoptr(WeftSchema) plain = weft_schema_new(text, strlen(text), NULL, NULL);
	g_assert_cmpuint(weft_schema_n_verbatim(plain), ==, 1);
	g_assert_cmpstr(weft_schema_verbatim(plain, 0), ==, "/properties/code");
}

static void test_formats(void)
{
	static const char text[] = "{\"type\":\"string\",\"format\":\"no-such\"}";
	WeftSchemaOptions options = {.ignores_formats = TRUE};
	g_autoptr(WeftSchema) schema = weft_schema_new(text, strlen(text), &options, NULL);
	g_assert_nonnull(schema);
	/* A hint leaves the string free, so it is verbatim by default. */
	static const char hint[] = "{\"type\":\"string\",\"format\":\"password\"}";
	options = (WeftSchemaOptions){.is_verbatim = TRUE};
	g_autoptr(WeftSchema) free = weft_schema_new(hint, strlen(hint), &options, NULL);
	g_assert_nonnull(free);
	g_assert_cmpuint(weft_schema_n_verbatim(free), ==, 1);
}

/* What is an instance for no validator is refused, also by keywords that no answer could be promised
 * for; what they may differ about is not. */
static void test_judge(void)
{
	static const struct {
		const char *schema, *value;
		gboolean is_refused;
	} cases[] = {
		{"{\"type\":\"integer\",\"multipleOf\":0.5}", "1.0", FALSE},
		{"{\"type\":\"integer\"}", "1.5", TRUE},
		{"{\"prefixItems\":[{\"type\":\"null\"}],\"items\":{\"type\":\"string\"}}", "[null,\"a\"]",
		 FALSE},
		{"{\"prefixItems\":[{\"type\":\"null\"}],\"items\":false}", "[null,1]", TRUE},
		{"{\"patternProperties\":{\"^x\":true},\"additionalProperties\":false}", "{\"xy\":1}",
		 FALSE},
		{"{\"patternProperties\":{\"^x\":true},\"additionalProperties\":false}", "{\"y\":1}",
		 TRUE},
		{"{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"b\":1,\"a\":2}", TRUE},
		{"{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"b\":1}", FALSE},
		{"{\"if\":{\"properties\":{\"k\":{\"const\":1}}},\"then\":{\"required\":[\"x\"]}}",
		 "{\"k\":1}", TRUE},
		{"{\"uniqueItems\":true}", "[1,1.0]", TRUE},
		/* what is never written may be there */
		{"{\"pattern\":\"^.$\",\"enum\":[\"\\uffff\"]}", "\"\\uffff\"", FALSE},
		{"{\"pattern\":\"^a$\"}", "\"\\uffff\"", FALSE},
		{"{\"enum\":[\"\\uffff\"]}", "\"\\ufffe\"", TRUE},
		{"{\"format\":\"no-such\"}", "\"x\"", FALSE},
		{"{\"format\":\"date\"}", "\"x\"", FALSE},
		{"{\"items\":{\"$ref\":\"#\"},\"type\":\"array\"}", "[[],[[1]]]", TRUE},
		{"{\"$ref\":\"#\"}", "1", FALSE},
		{"{\"not\":{\"minLength\":2}}", "\"ab\"", TRUE},
		{"{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", TRUE},
		{"{\"$ref\":\"#/$defs/a\",\"type\":\"null\",\"$defs\":{\"a\":{}}}", "1", TRUE},
		{"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$ref\":\"#/$defs/a\","
		 "\"type\":\"null\",\"$defs\":{\"a\":{}}}",
		 "1", FALSE},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(WeftSchemaJudge) judge =
			weft_schema_judge_new(cases[i].schema, strlen(cases[i].schema), &error);
		g_assert_no_error(error);
		g_autoptr(WeftJson) value = weft_json_parse(
			cases[i].value, strlen(cases[i].value), WEFT_JSON_STRICT, &error);
		g_assert_no_error(error);
		g_test_message("%s: %s", cases[i].schema, cases[i].value);
		g_assert_cmpint(weft_schema_judge_refuses(judge, value), ==, cases[i].is_refused);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/schema/refused", test_refused);
	g_test_add_func("/schema/limits", test_limits);
	g_test_add_func("/schema/not-json", test_not_json);
	g_test_add_func("/schema/least", test_least);
	g_test_add_func("/schema/nodes", test_nodes);
	g_test_add_func("/schema/verbatim", test_verbatim);
	g_test_add_func("/schema/formats", test_formats);
	g_test_add_func("/schema/judge", test_judge);
	return g_test_run();
}
