#include "outputs/schema_check.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "schema/schema.h"

/* Schemas inside each other, $ref included: deeper ones turn in a circle. */
#define DEPTH_MAX 1000

struct WeftSchemaCheck {
	WeftJson *root;
	GHashTable *patterns; /* const char * of the schema -> GRegex */
	GHashTable *targets;  /* const char * of a $ref -> const WeftJson */
	GString *at;          /* pointer to the value at hand */
	char *reason;         /* the first; NULL: none */
	WeftSchemaJudge *judge; /* of answers: made when the first one is looked at */
};

WeftSchemaCheck *weft_schema_check_new(const char *schema, GError **error)
{
	g_autoptr(WeftJson) root = weft_json_parse(schema, strlen(schema), WEFT_JSON_STRICT, error);
	if (!root)
		return NULL;
	WeftSchemaCheck *check = g_new0(WeftSchemaCheck, 1);
	check->root = g_steal_pointer(&root);
	check->patterns = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL,
						(GDestroyNotify)g_regex_unref);
	check->targets = g_hash_table_new(g_direct_hash, g_direct_equal);
	check->at = g_string_new(NULL);
	return check;
}

void weft_schema_check_free(WeftSchemaCheck *check)
{
	if (!check)
		return;
	weft_json_free(check->root);
	g_hash_table_unref(check->patterns);
	g_hash_table_unref(check->targets);
	g_string_free(check->at, TRUE);
	g_free(check->reason);
	weft_schema_judge_free(check->judge);
	g_free(check);
}

/* Always FALSE. Only the first reason is told. */
static gboolean refuse(WeftSchemaCheck *check, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean refuse(WeftSchemaCheck *check, const char *format, ...)
{
	if (check->reason)
		return FALSE;
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *why = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	check->reason = g_strdup_printf("%s: %s", check->at->len > 0 ? check->at->str : "/", why);
	return FALSE;
}

static gboolean check_value(WeftSchemaCheck *check, const WeftJson *schema, const WeftJson *value,
			    guint depth);

/* ---- simple keywords ---- */

static gboolean is_whole_number(const WeftJson *value)
{
	double number;
	return weft_json_double(value, &number) && number == floor(number);
}

static gboolean is_type(const WeftJson *value, const char *name)
{
	static const struct {
		const char *name;
		WeftJsonType type;
	} TYPES[] = {
		{ "null", WEFT_JSON_NULL },     { "boolean", WEFT_JSON_TRUE },
		{ "boolean", WEFT_JSON_FALSE }, { "number", WEFT_JSON_NUMBER },
		{ "string", WEFT_JSON_STRING }, { "array", WEFT_JSON_ARRAY },
		{ "object", WEFT_JSON_OBJECT },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(TYPES); i++)
		if (weft_json_type(value) == TYPES[i].type && strcmp(name, TYPES[i].name) == 0)
			return TRUE;
	return strcmp(name, "integer") == 0 && weft_json_type(value) == WEFT_JSON_NUMBER &&
	       is_whole_number(value);
}

static gboolean check_type(WeftSchemaCheck *check, const WeftJson *types, const WeftJson *value)
{
	const char *name = weft_json_string(types, NULL);
	if (name)
		return is_type(value, name) || refuse(check, "not of type %s", name);
	for (gsize i = 0; i < weft_json_length(types); i++) {
		name = weft_json_string(weft_json_at(types, i), NULL);
		if (name && is_type(value, name))
			return TRUE;
	}
	return weft_json_length(types) == 0 || refuse(check, "of none of the types allowed here");
}

static gboolean is_equal(const WeftJson *a, const WeftJson *b)
{
	double number_a, number_b;

	if (weft_json_double(a, &number_a) && weft_json_double(b, &number_b))
		return number_a == number_b;
	g_autofree char *text_a = weft_json_compact(a), *text_b = weft_json_compact(b);
	return strcmp(text_a, text_b) == 0;
}

static gboolean check_enum(WeftSchemaCheck *check, const WeftJson *values, const WeftJson *value)
{
	for (gsize i = 0; i < weft_json_length(values); i++)
		if (is_equal(weft_json_at(values, i), value))
			return TRUE;
	return weft_json_length(values) == 0 || refuse(check, "none of the values allowed here");
}

static gboolean check_bounds(WeftSchemaCheck *check, const WeftJson *schema, double number,
			     const char *key_min, const char *key_max)
{
	double bound;
	if (weft_json_double(weft_json_member(schema, key_min), &bound) && number < bound)
		return refuse(check, "%g, %s is %g", number, key_min, bound);
	if (weft_json_double(weft_json_member(schema, key_max), &bound) && number > bound)
		return refuse(check, "%g, %s is %g", number, key_max, bound);
	return TRUE;
}

static gboolean check_number(WeftSchemaCheck *check, const WeftJson *schema, double number)
{
	double bound;

	if (!check_bounds(check, schema, number, "minimum", "maximum"))
		return FALSE;
	if (weft_json_double(weft_json_member(schema, "exclusiveMinimum"), &bound) &&
	    number <= bound)
		return refuse(check, "%g, exclusiveMinimum is %g", number, bound);
	if (weft_json_double(weft_json_member(schema, "exclusiveMaximum"), &bound) &&
	    number >= bound)
		return refuse(check, "%g, exclusiveMaximum is %g", number, bound);
	return TRUE;
}

static gboolean check_pattern(WeftSchemaCheck *check, const char *pattern, const char *text)
{
	GRegex *regex = g_hash_table_lookup(check->patterns, pattern);
	if (!regex) {
		regex = g_regex_new(pattern, G_REGEX_OPTIMIZE | G_REGEX_DOLLAR_ENDONLY, 0, NULL);
		if (!regex) /* another dialect */
			return TRUE;
		g_hash_table_insert(check->patterns, (gpointer)pattern, regex);
	}
	return g_regex_match(regex, text, 0, NULL) ||
	       refuse(check, "does not match %s", pattern);
}

static gboolean check_string(WeftSchemaCheck *check, const WeftJson *schema, const WeftJson *value)
{
	gsize size;
	const char *text = weft_json_string(value, &size);
	const char *pattern = weft_json_string(weft_json_member(schema, "pattern"), NULL);
	return check_bounds(check, schema, (double)weft_utf8_length(text, size), "minLength",
			    "maxLength") &&
	       (!pattern || check_pattern(check, pattern, text));
}

/* ---- what holds others ---- */

static gboolean check_inside(WeftSchemaCheck *check, const WeftJson *schema, const WeftJson *value,
			     const char *key, guint depth)
{
	gsize length = check->at->len;
	weft_json_pointer_add(check->at, key, strlen(key));
	gboolean is_good = check_value(check, schema, value, depth + 1);
	g_string_truncate(check->at, length);
	return is_good;
}

static gboolean check_array(WeftSchemaCheck *check, const WeftJson *schema, const WeftJson *value,
			    guint depth)
{
	const WeftJson *items = weft_json_member(schema, "items");
	gsize n = weft_json_length(value);
	char key[24];

	if (!check_bounds(check, schema, (double)n, "minItems", "maxItems"))
		return FALSE;
	for (gsize i = 0; items && i < n; i++) {
		g_snprintf(key, sizeof(key), "%" G_GSIZE_FORMAT, i);
		if (!check_inside(check, items, weft_json_at(value, i), key, depth))
			return FALSE;
	}
	return TRUE;
}

static gboolean check_object(WeftSchemaCheck *check, const WeftJson *schema, const WeftJson *value,
			     guint depth)
{
	const WeftJson *properties = weft_json_member(schema, "properties");
	const WeftJson *others = weft_json_member(schema, "additionalProperties");
	const WeftJson *required = weft_json_member(schema, "required");
	gboolean may_have_others = TRUE;

	(void)weft_json_bool(others, &may_have_others); /* a schema: below */
	for (gsize i = 0; i < weft_json_length(required); i++) {
		const char *key = weft_json_string(weft_json_at(required, i), NULL);
		if (key && !weft_json_member(value, key))
			return refuse(check, "\"%s\" is missing", key);
	}
	for (gsize i = 0; i < weft_json_length(value); i++) {
		const char *key = weft_json_key_at(value, i, NULL);
		const WeftJson *named = key ? weft_json_member(properties, key) : NULL;
		if (!named && !may_have_others)
			return refuse(check, "\"%s\" is not allowed here", key ? key : "");
		if (!named && weft_json_type(others) == WEFT_JSON_OBJECT)
			named = others;
		if (named && key && !check_inside(check, named, weft_json_at(value, i), key, depth))
			return FALSE;
	}
	return TRUE;
}

static gboolean check_any(WeftSchemaCheck *check, const WeftJson *schemas, const WeftJson *value,
			  guint depth)
{
	/* What the others say against it does not count. */
	for (gsize i = 0; i < weft_json_length(schemas); i++) {
		if (check_value(check, weft_json_at(schemas, i), value, depth + 1))
			return TRUE;
		if (i + 1 < weft_json_length(schemas))
			g_clear_pointer(&check->reason, g_free);
	}
	return weft_json_length(schemas) == 0;
}

static gboolean check_all(WeftSchemaCheck *check, const WeftJson *schemas, const WeftJson *value,
			  guint depth)
{
	for (gsize i = 0; i < weft_json_length(schemas); i++)
		if (!check_value(check, weft_json_at(schemas, i), value, depth + 1))
			return FALSE;
	return TRUE;
}

static const WeftJson *target_of(WeftSchemaCheck *check, const char *reference)
{
	const WeftJson *target = g_hash_table_lookup(check->targets, reference);
	if (!target && reference[0] == '#') {
		target = weft_json_at_pointer(check->root, reference + 1);
		if (target)
			g_hash_table_insert(check->targets, (gpointer)reference, (gpointer)target);
	}
	return target;
}

static gboolean check_value(WeftSchemaCheck *check, const WeftJson *schema, const WeftJson *value,
			    guint depth)
{
	const char *reference = weft_json_string(weft_json_member(schema, "$ref"), NULL);
	const WeftJson *target = reference ? target_of(check, reference) : NULL;
	const WeftJson *constant = weft_json_member(schema, "const");
	double number;

	if (depth > DEPTH_MAX)
		return refuse(check, "nested too deeply");
	if (target && !check_value(check, target, value, depth + 1))
		return FALSE;
	if (!check_type(check, weft_json_member(schema, "type"), value) ||
	    !check_enum(check, weft_json_member(schema, "enum"), value) ||
	    !check_any(check, weft_json_member(schema, "anyOf"), value, depth) ||
	    !check_any(check, weft_json_member(schema, "oneOf"), value, depth) ||
	    !check_all(check, weft_json_member(schema, "allOf"), value, depth))
		return FALSE;
	if (constant && !is_equal(constant, value))
		return refuse(check, "not the value that is required here");
	if (weft_json_type(value) == WEFT_JSON_STRING)
		return check_string(check, schema, value);
	if (weft_json_type(value) == WEFT_JSON_ARRAY)
		return check_array(check, schema, value, depth);
	if (weft_json_type(value) == WEFT_JSON_OBJECT)
		return check_object(check, schema, value, depth);
	return !weft_json_double(value, &number) || check_number(check, schema, number);
}

static char *check_at(WeftSchemaCheck *check, const WeftJson *schema, const char *where,
		      const WeftJson *value)
{
	g_clear_pointer(&check->reason, g_free);
	g_string_assign(check->at, where);
	if (check_value(check, schema, value, 0))
		g_clear_pointer(&check->reason, g_free);
	return g_steal_pointer(&check->reason);
}

char *weft_schema_check_value(WeftSchemaCheck *check, const WeftJson *value)
{
	return check_at(check, check->root, "", value);
}

char *weft_schema_check_part(WeftSchemaCheck *check, const char *schema_pointer, const char *where,
			     const WeftJson *value)
{
	const WeftJson *schema = weft_json_at_pointer(check->root, schema_pointer);

	g_assert(schema);
	return check_at(check, schema, where, value);
}

char *weft_schema_check_answer(WeftSchemaCheck *check, const WeftJson *value)
{
	if (!check->judge) {
		g_autofree char *text = weft_json_compact(check->root);
		check->judge = weft_schema_judge_new(text, strlen(text), NULL);
	}
	if (!check->judge || !weft_schema_judge_refuses(check->judge, value))
		return NULL;
	char *reason = weft_schema_check_value(check, value);
	return reason ? reason : g_strdup("/: no instance of the schema");
}
