#include "base/json.h"
#include "schema/node.h"

#include <string.h>

/* Alternatives side by side; more are not followed, and then nothing is said. */
#define NODES_MAX 256

/* One by one what a node may be: itself, or its branches. */
static guint n_alternatives(const WeftNode *node)
{
	return node->kind == WEFT_NODE_BRANCHES ? node->branches->len : 1;
}

static const WeftNode *alternative(const WeftNode *node, guint i)
{
	return node->kind == WEFT_NODE_BRANCHES ? weft_node_branch(node, i) : node;
}

static void add(GPtrArray *nodes, const WeftNode *node)
{
	if (node && !g_ptr_array_find(nodes, node, NULL))
		g_ptr_array_add(nodes, (gpointer)node);
}

static gboolean is_index(const char *key)
{
	return *key && strspn(key, "0123456789") == strlen(key) && strlen(key) < 10;
}

/* NULL: of every key. */
static void add_member(GPtrArray *nodes, const WeftNode *object, const char *spelled)
{
	for (guint i = 0; i < object->properties->len; i++) {
		const WeftProperty *property = weft_node_property(object, i);
		if (!spelled || strcmp(property->key, spelled) == 0)
			add(nodes, property->node);
	}
}

/* NULL: of every index. */
static void add_item(GPtrArray *nodes, const WeftNode *array, const char *key)
{
	guint32 n_prefix = array->prefix ? array->prefix->len : 0;
	guint64 first = key ? g_ascii_strtoull(key, NULL, 10) : 0;
	guint64 last = key ? first : n_prefix;

	for (guint64 i = first; i <= last && i < array->n_max; i++)
		add(nodes, weft_node_item(array, (guint32)i));
}

/* What lies below any of `nodes` under this key; NULL: under any. */
static GPtrArray *below(const GPtrArray *nodes, const char *key)
{
	GPtrArray *found = g_ptr_array_new();
	g_autoptr(GString) spelled = g_string_new(NULL);
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, spelled);
	weft_json_write_string(&writer, key ? key : "");
	g_string_append_c(spelled, ':');
	for (guint n = 0; n < nodes->len; n++) {
		const WeftNode *node = nodes->pdata[n];
		for (guint i = 0; i < n_alternatives(node) && found->len < NODES_MAX; i++) {
			const WeftNode *one = alternative(node, i);
			if (one->kind == WEFT_NODE_OBJECT)
				add_member(found, one, key ? spelled->str : NULL);
			else if (one->kind == WEFT_NODE_MAP)
				add(found, one->items);
			else if (one->kind == WEFT_NODE_ARRAY && (!key || is_index(key)))
				add_item(found, one, key);
		}
	}
	return found;
}

/* What the texts of nodes may be. */
typedef struct Kinds {
	gboolean has_null, has_verbatim, has_free; /* free: a string of another kind */
	gboolean has_verbatim_number, has_free_number;
} Kinds;

static Kinds kinds_of(const WeftNode *node)
{
	Kinds kinds = { 0 };

	for (guint i = 0; i < n_alternatives(node); i++) {
		const WeftNode *one = alternative(node, i);
		if (one->kind == WEFT_NODE_STRING && one->is_verbatim)
			kinds.has_verbatim = TRUE;
		else if (one->kind == WEFT_NODE_STRING)
			kinds.has_free = TRUE;
		kinds.has_verbatim_number |= one->kind == WEFT_NODE_NUMBER && one->is_verbatim;
		kinds.has_free_number |= one->kind == WEFT_NODE_NUMBER && !one->is_verbatim;
		for (guint k = 0; one->kind == WEFT_NODE_LITERALS && k < one->literals->len; k++) {
			const char *literal = one->literals->pdata[k];
			kinds.has_null |= strcmp(literal, "null") == 0;
			kinds.has_free |= *literal == '"';
			kinds.has_free_number |= *literal == '-' || g_ascii_isdigit(*literal);
		}
	}
	return kinds;
}

WeftSchemaPlace weft_schema_place(const WeftSchema *schema, const char *pointer)
{
	g_auto(GStrv) keys = g_strsplit(*pointer ? pointer + 1 : "", "/", -1);
	g_autoptr(GPtrArray) nodes = g_ptr_array_new();
	WeftSchemaPlace place = { .allows_null = TRUE };
	gboolean has_free = FALSE, has_free_number = FALSE;

	add(nodes, schema->root);
	for (gsize i = 0; keys[i] && *pointer; i++) {
		g_autoptr(GString) key = g_string_new(keys[i]);
		g_autoptr(GPtrArray) lower = NULL;

		g_string_replace(key, "~1", "/", 0);
		g_string_replace(key, "~0", "~", 0);
		lower = below(nodes, key->str);
		g_ptr_array_unref(nodes);
		nodes = g_steal_pointer(&lower);
	}
	if (nodes->len == 0 || nodes->len >= NODES_MAX)
		return (WeftSchemaPlace){ 0 };
	for (guint i = 0; i < nodes->len; i++) {
		Kinds kinds = kinds_of(nodes->pdata[i]);
		place.allows_null &= kinds.has_null;
		place.is_verbatim |= kinds.has_verbatim;
		place.is_verbatim_number |= kinds.has_verbatim_number;
		has_free |= kinds.has_free;
		has_free_number |= kinds.has_free_number;
	}
	place.is_verbatim &= !has_free;
	place.is_verbatim_number &= !has_free_number;
	return place;
}

/* ---- paths ---- */

/* Where a path has come to: nodes, and values inside of literals. */
typedef struct Front {
	GPtrArray *nodes;
	GPtrArray *values; /* of const WeftJson * */
	GPtrArray *texts;  /* of WeftJson *, whose the values are */
	gboolean is_lost;  /* too many to follow */
} Front;

static void front_done(Front *front)
{
	g_ptr_array_unref(front->nodes);
	g_ptr_array_unref(front->values);
	g_ptr_array_unref(front->texts);
}

/* Literals that have something inside become values. */
static void open_literals(Front *front)
{
	for (guint n = 0; n < front->nodes->len; n++)
		for (guint i = 0; i < n_alternatives(front->nodes->pdata[n]); i++) {
			const WeftNode *one = alternative(front->nodes->pdata[n], i);
			for (guint k = 0; one->kind == WEFT_NODE_LITERALS && k < one->literals->len; k++) {
				const char *text = one->literals->pdata[k];
				front->is_lost |= front->values->len >= NODES_MAX;
				if ((*text != '{' && *text != '[') || front->is_lost)
					continue;
				WeftJson *value = weft_json_parse(text, strlen(text), WEFT_JSON_STRICT, NULL);
				g_ptr_array_add(front->texts, value);
				g_ptr_array_add(front->values, value);
			}
		}
}

/* `key` NULL: every one. */
static void front_step(Front *front, const char *key)
{
	GPtrArray *values = g_ptr_array_new();

	open_literals(front);
	for (guint i = 0; i < front->values->len; i++) {
		const WeftJson *value = front->values->pdata[i], *inside;
		gboolean is_array = weft_json_type(value) == WEFT_JSON_ARRAY;
		for (gsize k = 0; !key && k < weft_json_length(value) && values->len < NODES_MAX; k++)
			g_ptr_array_add(values, (gpointer)weft_json_at(value, k));
		if (!key || (is_array && !is_index(key)))
			continue;
		inside = is_array ? weft_json_at(value, (gsize)g_ascii_strtoull(key, NULL, 10))
				  : weft_json_member(value, key);
		if (inside)
			g_ptr_array_add(values, (gpointer)inside);
	}
	g_ptr_array_unref(front->values);
	front->values = values;
	GPtrArray *nodes = below(front->nodes, key);
	g_ptr_array_unref(front->nodes);
	front->nodes = nodes;
	front->is_lost |= nodes->len >= NODES_MAX || values->len >= NODES_MAX;
}

/* As far as there is something; the bytes of the path as far as that. */
static Front front_at(const WeftSchema *schema, const char *path, gsize *ret_n_bytes)
{
	Front front = { .nodes = g_ptr_array_new(), .values = g_ptr_array_new(),
			.texts = g_ptr_array_new_with_free_func((GDestroyNotify)weft_json_free) };
	const char *p = path;
	guint depth = 0;

	g_ptr_array_add(front.nodes, (gpointer)schema->root);
	*ret_n_bytes = 0;
	while (*p == '/' && !front.is_lost && front.nodes->len + front.values->len > 0) {
		gsize size = strcspn(p + 1, "/");
		g_autoptr(GString) key = g_string_new_len(p + 1, (gssize)size);

		g_string_replace(key, "~1", "/", 0);
		g_string_replace(key, "~0", "~", 0);
		front_step(&front, size == 1 && p[1] == '*' ? NULL : key->str);
		if (depth++ == WEFT_SCHEMA_DEPTH_MAX) { /* no instance is that deep */
			g_ptr_array_set_size(front.nodes, 0);
			g_ptr_array_set_size(front.values, 0);
		}
		if (front.nodes->len + front.values->len > 0)
			*ret_n_bytes = (gsize)(p + 1 + size - path);
		p += 1 + size;
	}
	return front;
}

static guint kind_of_node(const WeftNode *node)
{
	guint kinds = 0;

	switch (node->kind) {
	case WEFT_NODE_STRING:
		return node->means;
	case WEFT_NODE_NUMBER:
		return WEFT_SCHEMA_NUMBERS;
	case WEFT_NODE_LITERALS:
		for (guint k = 0; k < node->literals->len; k++) {
			const char *text = node->literals->pdata[k];
			kinds |= *text == '"' ? WEFT_SCHEMA_STRINGS
				 : *text == '-' || g_ascii_isdigit(*text) ? WEFT_SCHEMA_NUMBERS
									  : WEFT_SCHEMA_OTHERS;
		}
		return kinds;
	default:
		return WEFT_SCHEMA_OTHERS;
	}
}

guint weft_schema_kinds(const WeftSchema *schema, const char *path, gsize *ret_n_bytes)
{
	Front front = front_at(schema, path, ret_n_bytes);
	guint kinds = front.is_lost ? WEFT_SCHEMA_ANYTHING : 0;

	for (guint n = 0; n < front.nodes->len; n++)
		for (guint i = 0; i < n_alternatives(front.nodes->pdata[n]); i++)
			kinds |= kind_of_node(alternative(front.nodes->pdata[n], i));
	for (guint i = 0; i < front.values->len; i++) {
		WeftJsonType type = weft_json_type(front.values->pdata[i]);
		kinds |= type == WEFT_JSON_NUMBER   ? WEFT_SCHEMA_NUMBERS
			 : type == WEFT_JSON_STRING ? WEFT_SCHEMA_STRINGS
						    : WEFT_SCHEMA_OTHERS;
	}
	front_done(&front);
	return kinds;
}

static void add_name(GPtrArray *names, const char *key, gsize size_bytes)
{
	g_autoptr(GString) name = g_string_new(NULL);

	weft_json_pointer_add(name, key, size_bytes);
	if (!g_ptr_array_find_with_equal_func(names, name->str, g_str_equal, NULL))
		g_ptr_array_add(names, g_strdup(name->str));
}

static void add_names(GPtrArray *names, const WeftNode *one, guint n_max)
{
	gboolean is_open = one->kind == WEFT_NODE_MAP || one->kind == WEFT_NODE_ARRAY;

	if (is_open && one->n_max > 0)
		add_name(names, "*", 1);
	for (guint i = 0; one->kind == WEFT_NODE_OBJECT && i < one->properties->len; i++) {
		const WeftProperty *property = weft_node_property(one, i);
		g_autoptr(WeftJson) key = weft_json_parse(property->key, property->key_bytes - 1, /* without ':' */
							  WEFT_JSON_STRICT, NULL);
		gsize size_bytes;
		const char *text = weft_json_string(key, &size_bytes);
		if (names->len > n_max)
			return;
		add_name(names, text, size_bytes);
	}
}

char *weft_schema_below(const WeftSchema *schema, const char *path, guint n_max)
{
	gsize n_bytes;
	Front front = front_at(schema, path, &n_bytes);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	GString *text = g_string_new(NULL);

	open_literals(&front);
	for (guint n = 0; n < front.nodes->len; n++)
		for (guint i = 0; i < n_alternatives(front.nodes->pdata[n]); i++)
			add_names(names, alternative(front.nodes->pdata[n], i), n_max);
	for (guint i = 0; i < front.values->len && names->len <= n_max; i++) {
		const WeftJson *value = front.values->pdata[i];
		gboolean is_array = weft_json_type(value) == WEFT_JSON_ARRAY;
		for (gsize k = 0; k < weft_json_length(value) && names->len <= n_max; k++) {
			gsize size_bytes = 1;
			const char *key = is_array ? "*" : weft_json_key_at(value, k, &size_bytes);
			add_name(names, key, size_bytes);
		}
	}
	for (guint i = 0; i < MIN(names->len, n_max); i++)
		g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", (char *)names->pdata[i]);
	if (names->len > n_max)
		g_string_append(text, "...");
	front_done(&front);
	return g_string_free(text, FALSE);
}
