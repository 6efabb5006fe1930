#include "model/schema.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"

/* References and branches followed inside each other; containers alone are limited by
 * WEFT_SCHEMA_DEPTH_MAX, which the height of the finished tree is held against. */
#define NESTING_MAX 128

typedef struct SchemaReader {
	const WeftJson *root;
	WeftSchema *schema;
	GHashTable *references; /* target pointer -> WeftSchemaNode, or NULL while it is read */
	GString *pointer;       /* where we are */
	guint nesting;
} SchemaReader;

static WeftSchemaNode *read_node(SchemaReader *reader, const WeftJson *value, GError **error);

static void schema_node_free(gpointer data)
{
	WeftSchemaNode *node = data;
	g_clear_pointer(&node->branches, g_ptr_array_unref);
	g_clear_pointer(&node->literals, g_ptr_array_unref);
	g_clear_pointer(&node->opens, g_ptr_array_unref);
	g_clear_pointer(&node->properties, g_ptr_array_unref);
	g_clear_pointer(&node->tails, g_array_unref);
	g_free(node);
}

void weft_schema_free(WeftSchema *schema)
{
	if (!schema)
		return;
	g_ptr_array_unref(schema->nodes);
	g_free(schema);
}

static gboolean refuse(const SchemaReader *reader, const char *keyword, const char *reason,
		       GError **error)
{
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA, "#%s: keyword \"%s\": %s",
		    reader->pointer->str, keyword, reason);
	return FALSE;
}

static WeftSchemaNode *node_new(SchemaReader *reader, GError **error)
{
	if (reader->schema->nodes->len >= WEFT_SCHEMA_NODES_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "schema of more than %u nodes", WEFT_SCHEMA_NODES_MAX);
		return NULL;
	}
	WeftSchemaNode *node = g_new0(WeftSchemaNode, 1);
	node->items_max = WEFT_SCHEMA_UNLIMITED;
	node->length_max = WEFT_SCHEMA_UNLIMITED;
	g_ptr_array_add(reader->schema->nodes, node);
	return node;
}

/* Reads the value of `keyword` with the pointer leading there. */
static WeftSchemaNode *read_below(SchemaReader *reader, const WeftJson *value, const char *keyword,
				  const char *name, GError **error)
{
	gsize size = reader->pointer->len;
	weft_json_pointer_add(reader->pointer, keyword, strlen(keyword));
	if (name)
		weft_json_pointer_add(reader->pointer, name, strlen(name));
	WeftSchemaNode *node = read_node(reader, value, error);
	if (node)
		g_string_truncate(reader->pointer, size);
	return node;
}

static guint type_of_name(const char *name)
{
	static const struct {
		const char *name;
		guint type;
	} types[] = {
		{"null", WEFT_TYPE_NULL},     {"boolean", WEFT_TYPE_BOOLEAN},
		{"object", WEFT_TYPE_OBJECT}, {"array", WEFT_TYPE_ARRAY},
		{"string", WEFT_TYPE_STRING}, {"number", WEFT_TYPE_NUMBER},
		{"integer", WEFT_TYPE_NUMBER},
	};
	for (gsize i = 0; name && i < G_N_ELEMENTS(types); i++)
		if (g_str_equal(name, types[i].name))
			return types[i].type;
	return 0;
}

/* Where "type" is missing it follows from the keywords that need one: saying less than the schema
 * allows is sound. */
static gboolean read_types(SchemaReader *reader, const WeftJson *value, WeftSchemaNode *node,
			   GError **error)
{
	const WeftJson *type = weft_json_member(value, "type");
	gboolean is_list = weft_json_type(type) == WEFT_JSON_ARRAY, any_number = FALSE;
	gsize n = is_list ? weft_json_length(type) : 1;

	node->range = weft_number_range(TRUE);
	for (gsize i = 0; type && i < n; i++) {
		const char *name = weft_json_string(is_list ? weft_json_at(type, i) : type, NULL);
		guint bit = type_of_name(name);
		if (bit == 0)
			return refuse(reader, "type", "not the name of a type", error);
		any_number = any_number || g_str_equal(name, "number");
		node->types |= bit;
	}
	if (!type && weft_json_member(value, "properties"))
		node->types = WEFT_TYPE_OBJECT;
	else if (!type && weft_json_member(value, "items"))
		node->types = WEFT_TYPE_ARRAY;
	else if (!type &&
		 (weft_json_member(value, "enum") || weft_json_member(value, "const"))) {
		node->types = WEFT_TYPE_ALL;
		any_number = TRUE;
	}
	if (any_number)
		node->range = weft_number_range(FALSE);
	if (node->types == 0)
		return refuse(reader, "type", "missing, so that nothing says what to write", error);
	return TRUE;
}

static gboolean read_count(const SchemaReader *reader, const WeftJson *value, const char *keyword,
			   guint32 *ret_count, GError **error)
{
	const WeftJson *member = weft_json_member(value, keyword);
	guint64 count;
	if (!member)
		return TRUE;
	if (!weft_json_uint(member, &count) || count >= WEFT_SCHEMA_UNLIMITED)
		return refuse(reader, keyword, "not a whole number below 2^32 - 1", error);
	*ret_count = (guint32)count;
	return TRUE;
}

static gboolean read_string(SchemaReader *reader, const WeftJson *value, WeftSchemaNode *node,
			    GError **error)
{
	if (!read_count(reader, value, "minLength", &node->length_min, error) ||
	    !read_count(reader, value, "maxLength", &node->length_max, error))
		return FALSE;
	if (node->length_min > node->length_max)
		return refuse(reader, "minLength", "larger than maxLength", error);
	return TRUE;
}

static gboolean read_number(SchemaReader *reader, const WeftJson *value, WeftSchemaNode *node,
			    GError **error)
{
	static const char *const bounds[] = {"minimum", "exclusiveMinimum", "maximum",
					     "exclusiveMaximum"};
	for (gsize i = 0; i < G_N_ELEMENTS(bounds); i++) {
		const WeftJson *member = weft_json_member(value, bounds[i]);
		if (!member)
			continue;
		const char *text = weft_json_raw_number(member);
		if (!text)
			return refuse(reader, bounds[i], "not a number", error);
		gboolean held = i < 2 ? weft_number_range_min(&node->range, text, i == 1)
				      : weft_number_range_max(&node->range, text, i == 3);
		if (!held)
			return refuse(reader, bounds[i],
				      "has an exponent or more digits than can be held exactly",
				      error);
	}
	if (weft_number_close(&(WeftNumber){0}, &node->range) < 0)
		return refuse(reader, "type", "no number lies within the bounds", error);
	return TRUE;
}

static gboolean read_array(SchemaReader *reader, const WeftJson *value, WeftSchemaNode *node,
			   GError **error)
{
	const WeftJson *items = weft_json_member(value, "items");
	if (!read_count(reader, value, "minItems", &node->items_min, error) ||
	    !read_count(reader, value, "maxItems", &node->items_max, error))
		return FALSE;
	if (node->items_min > node->items_max)
		return refuse(reader, "minItems", "larger than maxItems", error);
	if (!items)
		return refuse(reader, "items", "missing, so that nothing says what to write",
			      error);
	node->items = read_below(reader, items, "items", NULL, error);
	if (!node->items)
		return FALSE;
	node->height = MAX(node->height, node->items->height + 1);
	return TRUE;
}

static gboolean check_required(const SchemaReader *reader, const WeftJson *value, GError **error)
{
	const WeftJson *required = weft_json_member(value, "required");
	const WeftJson *properties = weft_json_member(value, "properties");
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
	for (gsize i = 0; i < weft_json_length(properties); i++)
		g_hash_table_add(names, (gpointer)weft_json_key_at(properties, i, NULL));
	if (required && weft_json_type(required) != WEFT_JSON_ARRAY)
		return refuse(reader, "required", "not an array", error);
	for (gsize i = 0; i < weft_json_length(required); i++) {
		const char *name = weft_json_string(weft_json_at(required, i), NULL);
		if (!name || !g_hash_table_contains(names, name))
			return refuse(reader, "required", "names what properties do not declare",
				      error);
	}
	return TRUE;
}

static gboolean read_object(SchemaReader *reader, const WeftJson *value, WeftSchemaNode *node,
			    GError **error)
{
	const WeftJson *properties = weft_json_member(value, "properties");
	const WeftJson *others = weft_json_member(value, "additionalProperties");
	gboolean allowed;

	if (weft_json_type(properties) != WEFT_JSON_OBJECT)
		return refuse(reader, "properties",
			      properties ? "must be an object" :
					   "missing, so that nothing says what to write",
			      error);
	if (others && !weft_json_bool(others, &allowed))
		return refuse(reader, "additionalProperties",
			      "only true or false: undeclared properties are never written", error);
	if (!check_required(reader, value, error))
		return FALSE;
	node->opens = g_ptr_array_new_with_free_func(g_free);
	node->properties = g_ptr_array_new();
	for (gsize i = 0; i < weft_json_length(properties); i++) {
		gsize size;
		const char *key = weft_json_key_at(properties, i, &size);
		if (strlen(key) != size)
			return refuse(reader, "properties", "a name with U+0000", error);
		WeftSchemaNode *child =
			read_below(reader, weft_json_at(properties, i), "properties", key, error);
		if (!child)
			return FALSE;
		GString *open = g_string_new(i == 0 ? "{" : ",");
		WeftJsonWriter writer;
		weft_json_writer_init(&writer, open);
		weft_json_write_text(&writer, key, size);
		g_string_append_c(open, ':');
		g_ptr_array_add(node->opens, g_string_free(open, FALSE));
		g_ptr_array_add(node->properties, child);
		node->height = MAX(node->height, child->height + 1);
	}
	node->height = MAX(node->height, 1);
	return TRUE;
}

static guint type_of_value(const WeftJson *value, gboolean *ret_is_integer)
{
	*ret_is_integer = FALSE;
	switch (weft_json_type(value)) {
	case WEFT_JSON_NULL:
		return WEFT_TYPE_NULL;
	case WEFT_JSON_TRUE:
	case WEFT_JSON_FALSE:
		return WEFT_TYPE_BOOLEAN;
	case WEFT_JSON_STRING:
		return WEFT_TYPE_STRING;
	case WEFT_JSON_NUMBER:
		*ret_is_integer = strpbrk(weft_json_raw_number(value), ".eE") == NULL;
		return WEFT_TYPE_NUMBER;
	default:
		return 0;
	}
}

/* Keeps a value of enum or const that the types and lengths beside it allow. */
static gboolean read_literal(SchemaReader *reader, const WeftJson *value, const char *keyword,
			     WeftSchemaNode *node, guint *types, GError **error)
{
	gboolean is_integer;
	guint type = type_of_value(value, &is_integer);
	const char *string = weft_json_string(value, NULL);

	if (type == 0)
		return refuse(reader, keyword, "only over strings, numbers, booleans and null",
			      error);
	if (type == WEFT_TYPE_STRING && !string)
		return refuse(reader, keyword, "a string with U+0000", error);
	if (!(type & node->types) ||
	    (type == WEFT_TYPE_NUMBER && node->range.is_integer && !is_integer))
		return TRUE;
	if (string) {
		glong length = g_utf8_strlen(string, -1);
		if (length < (glong)node->length_min || length > (glong)node->length_max)
			return TRUE;
	}
	GString *json = g_string_new(NULL);
	WeftJsonWriter writer;
	weft_json_writer_init(&writer, json);
	weft_json_write_tree(&writer, value);
	g_ptr_array_add(node->literals, g_string_free(json, FALSE));
	*types |= type;
	return TRUE;
}

static gint compare_literals(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Equal ones are kept once. */
static void sort_literals(GPtrArray *literals)
{
	g_ptr_array_sort(literals, compare_literals);
	for (guint i = literals->len - 1; i > 0; i--)
		if (g_str_equal(literals->pdata[i], literals->pdata[i - 1]))
			g_ptr_array_remove_index(literals, i);
}

static gboolean read_literals(SchemaReader *reader, const WeftJson *value, WeftSchemaNode *node,
			      GError **error)
{
	static const char *const number_keywords[] = {"minimum", "maximum", "exclusiveMinimum",
						      "exclusiveMaximum"};
	const WeftJson *values = weft_json_member(value, "enum");
	const WeftJson *constant = weft_json_member(value, "const");
	const char *keyword = values ? "enum" : "const";
	guint types = 0;

	if (values && constant)
		return refuse(reader, "const", "beside enum", error);
	if (values && weft_json_type(values) != WEFT_JSON_ARRAY)
		return refuse(reader, "enum", "not an array", error);
	if (weft_json_length(values) > WEFT_SCHEMA_LITERALS_MAX)
		return refuse(reader, "enum", "of more than 4096 values", error);
	for (gsize i = 0; i < G_N_ELEMENTS(number_keywords); i++)
		if (weft_json_member(value, number_keywords[i]))
			return refuse(reader, number_keywords[i], "beside enum or const", error);
	if (!read_string(reader, value, node, error))
		return FALSE;
	node->literals = g_ptr_array_new_with_free_func(g_free);
	if (constant && !read_literal(reader, constant, keyword, node, &types, error))
		return FALSE;
	for (gsize i = 0; i < weft_json_length(values); i++)
		if (!read_literal(reader, weft_json_at(values, i), keyword, node, &types, error))
			return FALSE;
	if (node->literals->len == 0)
		return refuse(reader, keyword, "no value fits the keywords beside it", error);
	sort_literals(node->literals);
	node->types = types;
	return TRUE;
}

/* anyOf and oneOf say the same when no value can be of two branches. */
static gboolean read_branches(SchemaReader *reader, const WeftJson *branches, const char *keyword,
			      WeftSchemaNode *node, GError **error)
{
	gsize n = weft_json_length(branches);
	if (weft_json_type(branches) != WEFT_JSON_ARRAY || n == 0)
		return refuse(reader, keyword, "not an array of schemas", error);
	if (n > 1 && g_str_equal(keyword, "allOf"))
		return refuse(reader, keyword, "of more than one schema", error);
	node->branches = g_ptr_array_new();
	for (gsize i = 0; i < n; i++) {
		char name[24];
		g_snprintf(name, sizeof(name), "%" G_GSIZE_FORMAT, i);
		WeftSchemaNode *branch =
			read_below(reader, weft_json_at(branches, i), keyword, name, error);
		if (!branch)
			return FALSE;
		if (branch->types & node->types)
			return refuse(reader, keyword, "two of its schemas allow the same type",
				      error);
		node->types |= branch->types;
		node->height = MAX(node->height, branch->height);
		g_ptr_array_add(node->branches, branch);
	}
	return TRUE;
}

static WeftSchemaNode *read_reference(SchemaReader *reader, const WeftJson *reference,
				      GError **error)
{
	const char *text = weft_json_string(reference, NULL);
	WeftSchemaNode *node = NULL;
	if (!text || text[0] != '#' || (text[1] != '\0' && text[1] != '/')) {
		refuse(reader, "$ref", "only to a JSON pointer inside this schema (#/...)", error);
		return NULL;
	}
	g_autofree char *target = g_uri_unescape_string(text + 1, NULL);
	if (target &&
	    g_hash_table_lookup_extended(reader->references, target, NULL, (gpointer *)&node)) {
		if (!node)
			refuse(reader, "$ref", "leads back to itself", error);
		return node;
	}
	const WeftJson *value = target ? weft_json_at_pointer(reader->root, target) : NULL;
	if (!value) {
		refuse(reader, "$ref", "there is nothing at its target", error);
		return NULL;
	}
	g_hash_table_insert(reader->references, g_strdup(target), NULL);
	g_autofree char *from = g_strdup(reader->pointer->str);
	g_string_assign(reader->pointer, target);
	node = read_node(reader, value, error);
	if (node)
		g_string_assign(reader->pointer, from);
	g_hash_table_insert(reader->references, g_strdup(target), node);
	return node;
}

typedef enum {
	KEYWORD_ANNOTATION,
	KEYWORD_ASSERTION,
	KEYWORD_ALONE, /* nothing but annotations may stand beside it */
} KeywordKind;

/* FALSE for what is not known. */
static gboolean keyword_kind(const char *keyword, KeywordKind *ret_kind)
{
	static const struct {
		const char *name;
		KeywordKind kind;
	} keywords[] = {
		{"$schema", KEYWORD_ANNOTATION},     {"$id", KEYWORD_ANNOTATION},
		{"$comment", KEYWORD_ANNOTATION},    {"$defs", KEYWORD_ANNOTATION},
		{"definitions", KEYWORD_ANNOTATION}, {"title", KEYWORD_ANNOTATION},
		{"description", KEYWORD_ANNOTATION}, {"default", KEYWORD_ANNOTATION},
		{"examples", KEYWORD_ANNOTATION},    {"format", KEYWORD_ANNOTATION},
		{"deprecated", KEYWORD_ANNOTATION},  {"readOnly", KEYWORD_ANNOTATION},
		{"writeOnly", KEYWORD_ANNOTATION},   {"type", KEYWORD_ASSERTION},
		{"enum", KEYWORD_ASSERTION},         {"const", KEYWORD_ASSERTION},
		{"properties", KEYWORD_ASSERTION},   {"required", KEYWORD_ASSERTION},
		{"items", KEYWORD_ASSERTION},        {"additionalProperties", KEYWORD_ASSERTION},
		{"minItems", KEYWORD_ASSERTION},     {"maxItems", KEYWORD_ASSERTION},
		{"minLength", KEYWORD_ASSERTION},    {"maxLength", KEYWORD_ASSERTION},
		{"minimum", KEYWORD_ASSERTION},      {"maximum", KEYWORD_ASSERTION},
		{"exclusiveMinimum", KEYWORD_ASSERTION},
		{"exclusiveMaximum", KEYWORD_ASSERTION},
		{"$ref", KEYWORD_ALONE},             {"anyOf", KEYWORD_ALONE},
		{"oneOf", KEYWORD_ALONE},            {"allOf", KEYWORD_ALONE},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(keywords); i++)
		if (g_str_equal(keyword, keywords[i].name)) {
			*ret_kind = keywords[i].kind;
			return TRUE;
		}
	return FALSE;
}

/* *ret_alone: the keyword that stands alone, or NULL. */
static gboolean check_keywords(SchemaReader *reader, const WeftJson *value, const char **ret_alone,
			       GError **error)
{
	const char *alone = NULL;
	gsize n_counting = 0;
	for (gsize i = 0; i < weft_json_length(value); i++) {
		const char *keyword = weft_json_key_at(value, i, NULL);
		KeywordKind kind;
		if (!keyword_kind(keyword, &kind))
			return refuse(reader, keyword, "not supported", error);
		if (kind == KEYWORD_ALONE)
			alone = keyword;
		if (kind != KEYWORD_ANNOTATION)
			n_counting++;
	}
	if (alone && n_counting > 1)
		return refuse(reader, alone, "beside other keywords", error);
	*ret_alone = alone;
	return TRUE;
}

static gboolean read_values(SchemaReader *reader, const WeftJson *value, WeftSchemaNode *node,
			    GError **error)
{
	if (!read_types(reader, value, node, error))
		return FALSE;
	if (weft_json_member(value, "enum") || weft_json_member(value, "const"))
		return read_literals(reader, value, node, error);
	if (node->types & WEFT_TYPE_STRING && !read_string(reader, value, node, error))
		return FALSE;
	if (node->types & WEFT_TYPE_NUMBER && !read_number(reader, value, node, error))
		return FALSE;
	if (node->types & WEFT_TYPE_ARRAY && !read_array(reader, value, node, error))
		return FALSE;
	return !(node->types & WEFT_TYPE_OBJECT) || read_object(reader, value, node, error);
}

static WeftSchemaNode *read_here(SchemaReader *reader, const WeftJson *value, GError **error)
{
	const char *alone;
	if (weft_json_type(value) != WEFT_JSON_OBJECT) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA, "#%s: a schema is an object here",
			    reader->pointer->str);
		return NULL;
	}
	if (!check_keywords(reader, value, &alone, error))
		return NULL;
	if (alone && g_str_equal(alone, "$ref"))
		return read_reference(reader, weft_json_member(value, "$ref"), error);
	WeftSchemaNode *node = node_new(reader, error);
	if (!node)
		return NULL;
	if (!(alone ? read_branches(reader, weft_json_member(value, alone), alone, node, error)
		    : read_values(reader, value, node, error)))
		return NULL;
	weft_schema_node_measure(node);
	if (node->min_bytes > WEFT_SCHEMA_MIN_BYTES_MAX || node->height > WEFT_SCHEMA_DEPTH_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA,
			    "#%s: shortest instance of %" G_GSIZE_FORMAT
			    " bytes, limit %u; %u levels, limit %d",
			    reader->pointer->str, node->min_bytes, WEFT_SCHEMA_MIN_BYTES_MAX,
			    node->height, WEFT_SCHEMA_DEPTH_MAX);
		return NULL;
	}
	return node;
}

static WeftSchemaNode *read_node(SchemaReader *reader, const WeftJson *value, GError **error)
{
	if (reader->nesting >= NESTING_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA, "#%s: nested more than %d deep",
			    reader->pointer->str, NESTING_MAX);
		return NULL;
	}
	reader->nesting++;
	WeftSchemaNode *node = read_here(reader, value, error);
	reader->nesting--;
	return node;
}

WeftSchema *weft_schema_new(const char *json, gsize size_bytes, GError **error)
{
	if (size_bytes > WEFT_SCHEMA_BYTES_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "schema of %" G_GSIZE_FORMAT " bytes, limit %u", size_bytes,
			    WEFT_SCHEMA_BYTES_MAX);
		return NULL;
	}
	g_autoptr(WeftJson) root = weft_json_parse(json, size_bytes, WEFT_JSON_STRICT, error);
	if (!root)
		return NULL;
	g_autoptr(WeftSchema) schema = g_new0(WeftSchema, 1);
	schema->nodes = g_ptr_array_new_with_free_func(schema_node_free);
	g_autoptr(GHashTable) references =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GString) pointer = g_string_new(NULL);
	SchemaReader reader = {
		.root = root, .schema = schema, .references = references, .pointer = pointer};
	schema->root = read_node(&reader, root, error);
	return schema->root ? g_steal_pointer(&schema) : NULL;
}
