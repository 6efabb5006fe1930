#include "judge.h"

#include <jansson.h>
#include <string.h>

static char *judge_value(const json_t *root, const json_t *schema, const json_t *value);

static gboolean has_type(const char *type, const json_t *value)
{
	if (g_str_equal(type, "null"))
		return json_is_null(value);
	if (g_str_equal(type, "boolean"))
		return json_is_boolean(value);
	if (g_str_equal(type, "object"))
		return json_is_object(value);
	if (g_str_equal(type, "array"))
		return json_is_array(value);
	if (g_str_equal(type, "string"))
		return json_is_string(value);
	if (g_str_equal(type, "number"))
		return json_is_number(value);
	g_assert_cmpstr(type, ==, "integer");
	return json_is_integer(value);
}

static gboolean fits_type(const json_t *type, const json_t *value)
{
	if (json_is_string(type))
		return has_type(json_string_value(type), value);
	for (gsize i = 0; i < json_array_size(type); i++)
		if (has_type(json_string_value(json_array_get(type, i)), value))
			return TRUE;
	return FALSE;
}

static gboolean is_among(const json_t *values, const json_t *value)
{
	for (gsize i = 0; i < json_array_size(values); i++)
		if (json_equal(json_array_get(values, i), value))
			return TRUE;
	return FALSE;
}

static char *judge_object(const json_t *root, const json_t *schema, const json_t *value)
{
	const json_t *properties = json_object_get(schema, "properties");
	const json_t *required = json_object_get(schema, "required");
	const char *key;
	json_t *member;
	for (gsize i = 0; i < json_array_size(required); i++)
		if (!json_object_get(value, json_string_value(json_array_get(required, i))))
			return g_strdup("a required property is missing");
	json_object_foreach((json_t *)value, key, member) {
		const json_t *below = json_object_get(properties, key);
		if (!below && json_is_false(json_object_get(schema, "additionalProperties")))
			return g_strdup_printf("property %s is not declared", key);
		char *wrong = below ? judge_value(root, below, member) : NULL;
		if (wrong)
			return wrong;
	}
	return NULL;
}

static char *judge_array(const json_t *root, const json_t *schema, const json_t *value)
{
	const json_t *items = json_object_get(schema, "items");
	for (gsize i = 0; items && i < json_array_size(value); i++) {
		char *wrong = judge_value(root, items, json_array_get(value, i));
		if (wrong)
			return wrong;
	}
	return NULL;
}

/* The number that the keyword limits, for a value of its kind. */
static gboolean measure(const char *keyword, const json_t *value, double *ret_measure)
{
	if (g_str_has_suffix(keyword, "Items")) {
		*ret_measure = (double)json_array_size(value);
		return json_is_array(value);
	}
	if (g_str_has_suffix(keyword, "Length")) {
		*ret_measure = json_is_string(value)
				       ? (double)g_utf8_strlen(json_string_value(value), -1)
				       : 0;
		return json_is_string(value);
	}
	*ret_measure = json_number_value(value);
	return json_is_number(value);
}

static gboolean within(const char *keyword, double limit, double measured)
{
	if (g_str_equal(keyword, "exclusiveMinimum"))
		return measured > limit;
	if (g_str_equal(keyword, "exclusiveMaximum"))
		return measured < limit;
	return g_str_has_prefix(keyword, "min") ? measured >= limit : measured <= limit;
}

static char *judge_keyword(const json_t *root, const json_t *schema, const char *keyword,
			   const json_t *argument, const json_t *value)
{
	static const char *const limits[] = {
		"minimum",   "maximum",	  "exclusiveMinimum", "exclusiveMaximum", "minItems",
		"maxItems",  "minLength", "maxLength",	      NULL};
	static const char *const passed[] = {"title",	     "description", "format", "$defs",
					     "definitions",  "$schema",	    "required", "items",
					     "additionalProperties", NULL};
	double measured;
	if (g_strv_contains(limits, keyword)) {
		gboolean fits = !measure(keyword, value, &measured) ||
				within(keyword, json_number_value(argument), measured);
		return fits ? NULL : g_strdup_printf("%s", keyword);
	}
	if (g_str_equal(keyword, "type"))
		return fits_type(argument, value) ? NULL : g_strdup("type");
	if (g_str_equal(keyword, "enum"))
		return is_among(argument, value) ? NULL : g_strdup("enum");
	if (g_str_equal(keyword, "const"))
		return json_equal(argument, value) ? NULL : g_strdup("const");
	if (g_str_equal(keyword, "properties"))
		return json_is_object(value) ? judge_object(root, schema, value) : NULL;
	if (g_str_equal(keyword, "$ref")) {
		const char *name = strrchr(json_string_value(argument), '/') + 1;
		return judge_value(root, json_object_get(json_object_get(root, "$defs"), name),
				   value);
	}
	if (g_str_equal(keyword, "anyOf")) {
		for (gsize i = 0; i < json_array_size(argument); i++) {
			g_autofree char *wrong =
				judge_value(root, json_array_get(argument, i), value);
			if (!wrong)
				return NULL;
		}
		return g_strdup("anyOf");
	}
	g_assert_true(g_strv_contains(passed, keyword));
	return NULL;
}

static char *judge_value(const json_t *root, const json_t *schema, const json_t *value)
{
	const char *keyword;
	json_t *argument;
	json_object_foreach((json_t *)schema, keyword, argument) {
		char *wrong = judge_keyword(root, schema, keyword, argument, value);
		if (wrong)
			return wrong;
	}
	return json_is_array(value) ? judge_array(root, schema, value) : NULL;
}

char *judge(const char *schema, const char *text)
{
	json_error_t error;
	json_t *root = json_loads(schema, JSON_REJECT_DUPLICATES, &error);
	g_assert_nonnull(root);
	json_t *value = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	char *wrong = value ? judge_value(root, root, value)
			    : g_strdup_printf("not JSON: %s", error.text);
	json_decref(value);
	json_decref(root);
	return wrong;
}
