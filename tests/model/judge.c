#include "judge.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

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
		const json_t *others = json_object_get(schema, "additionalProperties");
		const json_t *names = json_object_get(schema, "propertyNames");
		g_autoptr(json_t) name = json_string(key);
		char *misnamed = names ? judge_value(root, names, name) : NULL;
		if (misnamed)
			return misnamed;
		if (!below && json_is_false(others))
			return g_strdup_printf("property %s is not declared", key);
		if (!below && json_is_object(others))
			below = others;
		char *wrong = below ? judge_value(root, below, member) : NULL;
		if (wrong)
			return wrong;
	}
	return NULL;
}

static char *judge_array(const json_t *root, const json_t *schema, const json_t *value)
{
	const json_t *items = json_object_get(schema, "items");
	const json_t *prefix = json_object_get(schema, "prefixItems");
	gboolean is_unique = json_is_true(json_object_get(schema, "uniqueItems"));
	for (gsize i = 0; i < json_array_size(value); i++) {
		const json_t *item = json_array_get(value, i);
		const json_t *below = i < json_array_size(prefix) ? json_array_get(prefix, i) : items;
		char *wrong = below ? judge_value(root, below, item) : NULL;
		if (wrong)
			return wrong;
		for (gsize j = 0; is_unique && j < i; j++)
			if (json_equal(json_array_get(value, j), item))
				return g_strdup("an item is there twice");
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
	if (g_str_has_suffix(keyword, "Properties")) {
		*ret_measure = (double)json_object_size(value);
		return json_is_object(value);
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

/* A pattern as PCRE reads it: those of the tests mean the same there. */
static gboolean matches(const json_t *pattern, const json_t *value)
{
	return !json_is_string(value) ||
	       g_regex_match_simple(json_string_value(pattern), json_string_value(value),
				    G_REGEX_DOLLAR_ENDONLY, 0);
}

static gboolean is_multiple(const json_t *step, const json_t *value)
{
	double n = json_number_value(value) / json_number_value(step);
	return !json_is_number(value) || fabs(n - round(n)) < 1e-6;
}

/* Of formats the days alone. */
static gboolean has_format(const json_t *format, const json_t *value)
{
	const char *text = json_string_value(value);
	int year, month, day;
	if (!text || !g_str_equal(json_string_value(format), "date"))
		return TRUE;
	return strlen(text) == 10 && sscanf(text, "%4d-%2d-%2d", &year, &month, &day) == 3 &&
	       g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)MAX(year, 1));
}

static char *judge_keyword(const json_t *root, const json_t *schema, const char *keyword,
			   const json_t *argument, const json_t *value)
{
	static const char *const limits[] = {
		"minimum",   "maximum",	  "exclusiveMinimum", "exclusiveMaximum", "minItems",
		"maxItems",  "minLength", "maxLength",	      "minProperties",	  "maxProperties",
		NULL};
	static const char *const passed[] = {
		"title",       "description",	       "$defs",	      "definitions", "$schema",
		"required",    "items",		       "prefixItems", "properties",  "uniqueItems",
		"propertyNames", "additionalProperties", NULL};
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
	if (g_str_equal(keyword, "pattern"))
		return matches(argument, value) ? NULL : g_strdup("pattern");
	if (g_str_equal(keyword, "multipleOf"))
		return is_multiple(argument, value) ? NULL : g_strdup("multipleOf");
	if (g_str_equal(keyword, "format"))
		return has_format(argument, value) ? NULL : g_strdup("format");
	if (g_str_equal(keyword, "$ref") && g_str_equal(json_string_value(argument), "#"))
		return judge_value(root, root, value);
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
	g_assert_true(g_strv_contains(passed, keyword) || g_str_has_prefix(keyword, "x-"));
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
	if (json_is_object(value))
		return judge_object(root, schema, value);
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
