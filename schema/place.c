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

static void add_member(GPtrArray *nodes, const WeftNode *object, const char *spelled)
{
	for (guint i = 0; i < object->properties->len; i++) {
		const WeftProperty *property = weft_node_property(object, i);
		if (strcmp(property->key, spelled) == 0)
			add(nodes, property->node);
	}
}

/* What lies below any of `nodes` under this key. */
static GPtrArray *below(const GPtrArray *nodes, const char *key)
{
	GPtrArray *found = g_ptr_array_new();
	g_autoptr(GString) spelled = g_string_new(NULL);
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, spelled);
	weft_json_write_string(&writer, key);
	g_string_append_c(spelled, ':');
	for (guint n = 0; n < nodes->len; n++) {
		const WeftNode *node = nodes->pdata[n];
		for (guint i = 0; i < n_alternatives(node) && found->len < NODES_MAX; i++) {
			const WeftNode *one = alternative(node, i);
			if (one->kind == WEFT_NODE_OBJECT)
				add_member(found, one, spelled->str);
			else if (one->kind == WEFT_NODE_MAP)
				add(found, one->items);
			else if (one->kind == WEFT_NODE_ARRAY && is_index(key))
				add(found, weft_node_item(one, (guint32)g_ascii_strtoull(key, NULL, 10)));
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
