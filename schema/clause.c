#include "schema/clause.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "schema/node.h"

typedef enum {
	FORM_ANY,
	FORM_SCHEMA,
	FORM_SCHEMAS,
	FORM_SCHEMA_OBJECT,
	FORM_ITEMS,         /* a schema, or in older drafts an array of them */
	FORM_DEPENDENCIES,  /* older drafts: of each name a schema or an array of names */
	FORM_TEXT,
	FORM_NAMES,
	FORM_NAMES_OBJECT,
	FORM_COUNT,
	FORM_NUMBER,
	FORM_POSITIVE,
	FORM_LIMIT,         /* a number, or in draft 4 a boolean */
	FORM_BOOLEAN,
	FORM_ARRAY,
	FORM_TYPE,
	FORM_NEVER,
} Form;

typedef struct Row {
	WeftKeyword keyword;
	const char *name;
	Form form;
	const char *reason; /* FORM_NEVER */
} Row;

static const Row rows[] = {
	{WEFT_KEYWORD_TYPE, "type", FORM_TYPE, NULL},
	{WEFT_KEYWORD_ENUM, "enum", FORM_ARRAY, NULL},
	{WEFT_KEYWORD_CONST, "const", FORM_ANY, NULL},
	{WEFT_KEYWORD_MIN_LENGTH, "minLength", FORM_COUNT, NULL},
	{WEFT_KEYWORD_MAX_LENGTH, "maxLength", FORM_COUNT, NULL},
	{WEFT_KEYWORD_PATTERN, "pattern", FORM_TEXT, NULL},
	{WEFT_KEYWORD_FORMAT, "format", FORM_TEXT, NULL},
	{WEFT_KEYWORD_VERBATIM, "x-weft-verbatim", FORM_BOOLEAN, NULL},
	{WEFT_KEYWORD_MINIMUM, "minimum", FORM_NUMBER, NULL},
	{WEFT_KEYWORD_MAXIMUM, "maximum", FORM_NUMBER, NULL},
	{WEFT_KEYWORD_EXCLUSIVE_MINIMUM, "exclusiveMinimum", FORM_LIMIT, NULL},
	{WEFT_KEYWORD_EXCLUSIVE_MAXIMUM, "exclusiveMaximum", FORM_LIMIT, NULL},
	{WEFT_KEYWORD_MULTIPLE_OF, "multipleOf", FORM_POSITIVE, NULL},
	{WEFT_KEYWORD_MIN_ITEMS, "minItems", FORM_COUNT, NULL},
	{WEFT_KEYWORD_MAX_ITEMS, "maxItems", FORM_COUNT, NULL},
	{WEFT_KEYWORD_UNIQUE_ITEMS, "uniqueItems", FORM_BOOLEAN, NULL},
	{WEFT_KEYWORD_PREFIX_ITEMS, "prefixItems", FORM_SCHEMAS, NULL},
	{WEFT_KEYWORD_ITEMS, "items", FORM_ITEMS, NULL},
	{WEFT_KEYWORD_ADDITIONAL_ITEMS, "additionalItems", FORM_SCHEMA, NULL},
	{WEFT_KEYWORD_UNEVALUATED_ITEMS, "unevaluatedItems", FORM_SCHEMA, NULL},
	{WEFT_KEYWORD_MIN_PROPERTIES, "minProperties", FORM_COUNT, NULL},
	{WEFT_KEYWORD_MAX_PROPERTIES, "maxProperties", FORM_COUNT, NULL},
	{WEFT_KEYWORD_REQUIRED, "required", FORM_NAMES, NULL},
	{WEFT_KEYWORD_PROPERTIES, "properties", FORM_SCHEMA_OBJECT, NULL},
	{WEFT_KEYWORD_PATTERN_PROPERTIES, "patternProperties", FORM_SCHEMA_OBJECT, NULL},
	{WEFT_KEYWORD_ADDITIONAL_PROPERTIES, "additionalProperties", FORM_SCHEMA, NULL},
	{WEFT_KEYWORD_PROPERTY_NAMES, "propertyNames", FORM_SCHEMA, NULL},
	{WEFT_KEYWORD_UNEVALUATED_PROPERTIES, "unevaluatedProperties", FORM_SCHEMA, NULL},
	{WEFT_KEYWORD_REF, "$ref", FORM_TEXT, NULL},
	{WEFT_KEYWORD_DYNAMIC_REF, "$dynamicRef", FORM_TEXT, NULL},
	{WEFT_KEYWORD_ALL_OF, "allOf", FORM_SCHEMAS, NULL},
	{WEFT_KEYWORD_ANY_OF, "anyOf", FORM_SCHEMAS, NULL},
	{WEFT_KEYWORD_ONE_OF, "oneOf", FORM_SCHEMAS, NULL},
	{WEFT_KEYWORD_NOT, "not", FORM_SCHEMA, NULL},
	{WEFT_KEYWORD_IF, "if", FORM_SCHEMA, NULL},
	{WEFT_KEYWORD_THEN, "then", FORM_SCHEMA, NULL},
	{WEFT_KEYWORD_ELSE, "else", FORM_SCHEMA, NULL},
	{WEFT_KEYWORD_DEPENDENT_REQUIRED, "dependentRequired", FORM_NAMES_OBJECT, NULL},
	{WEFT_KEYWORD_DEPENDENT_SCHEMAS, "dependentSchemas", FORM_SCHEMA_OBJECT, NULL},
	{WEFT_KEYWORD_DEPENDENCIES, "dependencies", FORM_DEPENDENCIES, NULL},
	{WEFT_KEYWORD_SCHEMA, "$schema", FORM_TEXT, NULL},
	{WEFT_KEYWORD_ID, "$id", FORM_TEXT, NULL},
	{WEFT_KEYWORD_ID_OF_DRAFT_4, "id", FORM_ANY, NULL},
	{WEFT_KEYWORD_ANCHOR, "$anchor", FORM_TEXT, NULL},
	{WEFT_KEYWORD_DYNAMIC_ANCHOR, "$dynamicAnchor", FORM_TEXT, NULL},
	{WEFT_KEYWORD_DEFS, "$defs", FORM_SCHEMA_OBJECT, NULL},
	{WEFT_KEYWORD_DEFINITIONS, "definitions", FORM_SCHEMA_OBJECT, NULL},
	{WEFT_KEYWORD_CONTAINS, "contains", FORM_SCHEMA, NULL},
	{WEFT_KEYWORD_MIN_CONTAINS, "minContains", FORM_COUNT, NULL},
	{WEFT_KEYWORD_MAX_CONTAINS, "maxContains", FORM_COUNT, NULL},
	{WEFT_KEYWORD_REFUSED, "nullable", FORM_NEVER,
	 "is not JSON Schema; write \"type\": [T, \"null\"]"},
	{WEFT_KEYWORD_REFUSED, "$recursiveRef", FORM_NEVER,
	 "depends on who refers to it; write \"$ref\""},
	{WEFT_KEYWORD_REFUSED, "$vocabulary", FORM_NEVER,
	 "is for meta-schemas; leave it out"},
};

static const struct {
	const char *name;
	guint types;
} type_names[] = {
	{"null", WEFT_TYPE_NULL},     {"boolean", WEFT_TYPE_BOOLEAN}, {"object", WEFT_TYPE_OBJECT},
	{"array", WEFT_TYPE_ARRAY},   {"string", WEFT_TYPE_STRING},   {"number", WEFT_TYPE_NUMBER},
	{"integer", WEFT_TYPE_INTEGER},
};

const char *weft_keyword_name(WeftKeyword keyword)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].keyword == keyword)
			return rows[i].name;
	return NULL;
}

static const Row *row_of(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

gboolean weft_keyword_is_known(const char *name)
{
	static const char *const annotations[] = {
		"title",       "description",     "default",          "examples",
		"example",     "$comment",        "deprecated",       "readOnly",
		"writeOnly",   "contentEncoding", "contentMediaType", "contentSchema",
		"discriminator", "externalDocs", "xml", "$recursiveAnchor", NULL};
	return row_of(name) || g_str_has_prefix(name, "x-") || g_strv_contains(annotations, name);
}

WeftBelow weft_keyword_below(const char *name)
{
	const Row *row = row_of(name);
	switch (row ? row->form : FORM_ANY) {
	case FORM_SCHEMA:
		return WEFT_BELOW_SCHEMA;
	case FORM_SCHEMAS:
		return WEFT_BELOW_ARRAY;
	case FORM_SCHEMA_OBJECT:
	case FORM_DEPENDENCIES:
		return WEFT_BELOW_OBJECT;
	case FORM_ITEMS:
		return WEFT_BELOW_EITHER;
	default:
		return WEFT_BELOW_NONE;
	}
}

gboolean weft_clause_refuse(const char *pointer, const char *keyword, const char *reason,
			    GError **error)
{
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA, "#%s: keyword \"%s\": %s", pointer,
		    keyword, reason);
	return FALSE;
}

static gboolean is_schema(const WeftJson *value)
{
	WeftJsonType type = weft_json_type(value);
	return value && (type == WEFT_JSON_OBJECT || type == WEFT_JSON_TRUE ||
			 type == WEFT_JSON_FALSE);
}

static gboolean is_names(const WeftJson *value)
{
	if (weft_json_type(value) != WEFT_JSON_ARRAY)
		return FALSE;
	for (gsize i = 0; i < weft_json_length(value); i++)
		if (weft_json_type(weft_json_at(value, i)) != WEFT_JSON_STRING)
			return FALSE;
	return TRUE;
}

typedef gboolean (*IsForm)(const WeftJson *value);

/* Every item of an array, or value of an object. */
static gboolean is_all(const WeftJson *value, WeftJsonType type, IsForm is_form)
{
	if (weft_json_type(value) != type)
		return FALSE;
	for (gsize i = 0; i < weft_json_length(value); i++)
		if (!is_form(weft_json_at(value, i)))
			return FALSE;
	return TRUE;
}

static gboolean is_dependency(const WeftJson *value)
{
	return is_schema(value) || is_names(value);
}

static gboolean is_boolean(const WeftJson *value)
{
	gboolean flag;
	return weft_json_bool(value, &flag);
}

static gboolean is_positive(const WeftJson *value)
{
	const char *text = weft_json_raw_number(value);
	return text && text[0] != '-' && text[strcspn(text, "123456789eE")] >= '1' &&
	       text[strcspn(text, "123456789eE")] <= '9';
}

/* A whole number that is not negative, however it is spelled. */
static gboolean is_count(const WeftJson *value)
{
	double count;
	return weft_json_double(value, &count) && count >= 0 && floor(count) == count;
}

static guint types_of_name(const char *name)
{
	for (gsize i = 0; name && i < G_N_ELEMENTS(type_names); i++)
		if (!strcmp(name, type_names[i].name))
			return type_names[i].types;
	return 0;
}

static gboolean is_type_name(const WeftJson *value)
{
	return types_of_name(weft_json_string(value, NULL)) != 0;
}

/* NULL: well formed. */
static const char *malformed(const WeftJson *value, Form form)
{
	switch (form) {
	case FORM_SCHEMA:
		return is_schema(value) ? NULL : "not a schema";
	case FORM_SCHEMAS:
		return is_all(value, WEFT_JSON_ARRAY, is_schema) && weft_json_length(value) > 0
			       ? NULL
			       : "not an array of schemas";
	case FORM_SCHEMA_OBJECT:
		return is_all(value, WEFT_JSON_OBJECT, is_schema) ? NULL
								  : "not an object of schemas";
	case FORM_ITEMS:
		return is_schema(value) || is_all(value, WEFT_JSON_ARRAY, is_schema)
			       ? NULL
			       : "not a schema";
	case FORM_DEPENDENCIES:
		return is_all(value, WEFT_JSON_OBJECT, is_dependency)
			       ? NULL
			       : "not an object of schemas or names";
	case FORM_TEXT:
		return weft_json_type(value) == WEFT_JSON_STRING ? NULL : "not a string";
	case FORM_NAMES:
		return is_names(value) ? NULL : "not an array of names";
	case FORM_NAMES_OBJECT:
		return is_all(value, WEFT_JSON_OBJECT, is_names) ? NULL
								 : "not an object of names";
	case FORM_COUNT:
		return is_count(value) ? NULL : "not a whole number from 0 on";
	case FORM_NUMBER:
		return weft_json_raw_number(value) ? NULL : "not a number";
	case FORM_POSITIVE:
		return is_positive(value) ? NULL : "not a number above 0";
	case FORM_LIMIT:
		return weft_json_raw_number(value) || is_boolean(value) ? NULL : "not a number";
	case FORM_BOOLEAN:
		return is_boolean(value) ? NULL : "not true or false";
	case FORM_ARRAY:
		return weft_json_type(value) == WEFT_JSON_ARRAY ? NULL : "not an array";
	case FORM_TYPE:
		return is_type_name(value) || (is_all(value, WEFT_JSON_ARRAY, is_type_name) &&
					       weft_json_length(value) > 0)
			       ? NULL
			       : "not the name of a type, or an array of them (array, boolean, integer, null, "
				 "number, object, string)";
	case FORM_ANY:
	case FORM_NEVER:
		break;
	}
	return NULL;
}

static guint read_types(const WeftJson *type)
{
	guint found = 0;
	if (!type)
		return WEFT_TYPE_ALL;
	if (weft_json_type(type) != WEFT_JSON_ARRAY)
		return types_of_name(weft_json_string(type, NULL));
	for (gsize i = 0; i < weft_json_length(type); i++)
		found |= types_of_name(weft_json_string(weft_json_at(type, i), NULL));
	return found;
}

/* A schema that every array fulfils needs no promise. */
static const char *contains_reason(const WeftClause *clause)
{
	guint32 least;
	if (!clause->values[WEFT_KEYWORD_CONTAINS])
		return NULL;
	if (weft_clause_count(clause, WEFT_KEYWORD_MIN_CONTAINS, &least) && least == 0 &&
	    !clause->values[WEFT_KEYWORD_MAX_CONTAINS])
		return NULL;
	return "which item will fit is not known in advance; write \"prefixItems\" for an item "
	       "at a known place, or \"items\" for all";
}

WeftClause *weft_clause_new(const WeftJson *json, guint index, const char *pointer, GError **error)
{
	if (!is_schema(json)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA,
			    "#%s: neither an object nor true or false, so no schema", pointer);
		return NULL;
	}
	WeftClause *clause = g_new0(WeftClause, 1);
	clause->json = json;
	clause->index = index;
	clause->is_false = weft_json_type(json) == WEFT_JSON_FALSE;
	for (gsize i = 0; i < weft_json_length(json); i++) {
		const WeftJson *value = weft_json_at(json, i);
		const Row *row = row_of(weft_json_key_at(json, i, NULL));
		const char *reason = !row                      ? NULL
				     : row->form == FORM_NEVER ? row->reason
							       : malformed(value, row->form);
		if (reason) {
			weft_clause_refuse(pointer, row->name, reason, error);
			weft_clause_free(clause);
			return NULL;
		}
		if (row)
			clause->values[row->keyword] = value;
	}
	clause->types = read_types(clause->values[WEFT_KEYWORD_TYPE]);
	for (guint i = 0; i < WEFT_KEYWORD_OWN_END; i++)
		clause->is_own = clause->is_own || clause->values[i];
	const char *reason = contains_reason(clause);
	if (reason) {
		weft_clause_refuse(pointer, "contains", reason, error);
		weft_clause_free(clause);
		return NULL;
	}
	return clause;
}

void weft_clause_free(WeftClause *clause)
{
	if (!clause)
		return;
	g_clear_pointer(&clause->reach, g_hash_table_unref);
	g_free(clause);
}

gboolean weft_clause_count(const WeftClause *clause, WeftKeyword keyword, guint32 *ret_count)
{
	double count;
	if (!weft_json_double(clause->values[keyword], &count))
		return FALSE;
	*ret_count = count < WEFT_SCHEMA_UNLIMITED - 1 ? (guint32)count : WEFT_SCHEMA_UNLIMITED - 1;
	return TRUE;
}

gboolean weft_clause_speaks_of(const WeftClause *clause, guint types)
{
	static const struct {
		guint type;
		WeftKeyword first, last;
	} ranges[] = {
		{WEFT_TYPE_STRING, WEFT_KEYWORD_MIN_LENGTH, WEFT_KEYWORD_FORMAT},
		{WEFT_TYPE_NUMBER, WEFT_KEYWORD_MINIMUM, WEFT_KEYWORD_MULTIPLE_OF},
		{WEFT_TYPE_ARRAY, WEFT_KEYWORD_MIN_ITEMS, WEFT_KEYWORD_UNEVALUATED_ITEMS},
		{WEFT_TYPE_OBJECT, WEFT_KEYWORD_MIN_PROPERTIES,
		 WEFT_KEYWORD_UNEVALUATED_PROPERTIES},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(ranges); i++)
		for (WeftKeyword keyword = ranges[i].first;
		     types & ranges[i].type && keyword <= ranges[i].last; keyword++)
			if (clause->values[keyword])
				return TRUE;
	return FALSE;
}
