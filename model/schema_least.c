#include <string.h>

#include "model/schema.h"

static gsize literals_min_bytes(const WeftSchemaNode *node)
{
	gsize best = G_MAXSIZE;
	for (guint i = 0; i < node->literals->len; i++)
		best = MIN(best, strlen(g_ptr_array_index(node->literals, i)));
	return best;
}

/* From the shortest values of the children, which are known: each is at most
 * WEFT_SCHEMA_MIN_BYTES_MAX, and so are the counts below 2^32, so nothing here overflows. */
static gsize object_min_bytes(WeftSchemaNode *node)
{
	guint n = node->opens->len;
	gsize tail = 1;
	node->tails = g_array_sized_new(FALSE, TRUE, sizeof(gsize), n + 1);
	g_array_set_size(node->tails, n + 1);
	for (guint i = n + 1; i-- > 0;) {
		if (i < n) {
			const WeftSchemaNode *child = g_ptr_array_index(node->properties, i);
			tail += strlen(g_ptr_array_index(node->opens, i)) + child->min_bytes;
		}
		g_array_index(node->tails, gsize, i) = tail;
	}
	return n == 0 ? 2 : tail;
}

static gsize least_bytes(WeftSchemaNode *node)
{
	gsize best = G_MAXSIZE;
	for (guint i = 0; node->branches && i < node->branches->len; i++) {
		const WeftSchemaNode *branch = g_ptr_array_index(node->branches, i);
		best = MIN(best, branch->min_bytes);
	}
	if (node->branches)
		return best;
	if (node->literals)
		return literals_min_bytes(node);
	if (node->types & (WEFT_TYPE_NULL | WEFT_TYPE_BOOLEAN))
		best = 4;
	if (node->types & WEFT_TYPE_STRING)
		best = MIN(best, (gsize)node->length_min + 2);
	if (node->types & WEFT_TYPE_NUMBER)
		best = MIN(best, (gsize)weft_number_close(&(WeftNumber){0}, &node->range));
	if (node->types & WEFT_TYPE_ARRAY)
		best = MIN(best, node->items_min == 0
					 ? 2
					 : node->items_min * (node->items->min_bytes + 1) + 1);
	if (node->types & WEFT_TYPE_OBJECT) {
		gsize object = object_min_bytes(node);
		best = MIN(best, object);
	}
	return best;
}

void weft_schema_node_measure(WeftSchemaNode *node)
{
	node->min_bytes = least_bytes(node);
}

gsize weft_schema_min_bytes(const WeftSchema *schema)
{
	return schema->root->min_bytes;
}

static void append_node(GString *json, const WeftSchemaNode *node);

/* Of an enumeration: null when it is there, else the shortest, the first of equals. */
static void append_literal(GString *json, const WeftSchemaNode *node)
{
	const char *best = NULL;
	for (guint i = 0; i < node->literals->len; i++) {
		const char *literal = g_ptr_array_index(node->literals, i);
		if (g_str_equal(literal, "null") || !best ||
		    (!g_str_equal(best, "null") && strlen(literal) < strlen(best)))
			best = literal;
	}
	g_string_append(json, best);
}

/* A shortest number, the one with the lowest digits. */
static void append_number(GString *json, const WeftNumberRange *range)
{
	WeftNumber number = {0};
	int missing;
	while ((missing = weft_number_close(&number, range)) > 0)
		for (const char *byte = "0123456789-."; *byte; byte++) {
			WeftNumber next = number;
			if (weft_number_advance(&next, range, (guint8)*byte) &&
			    weft_number_close(&next, range) < missing) {
				number = next;
				g_string_append_c(json, *byte);
				break;
			}
		}
}

static void append_object(GString *json, const WeftSchemaNode *node)
{
	if (node->opens->len == 0)
		g_string_append_c(json, '{');
	for (guint i = 0; i < node->opens->len; i++) {
		g_string_append(json, g_ptr_array_index(node->opens, i));
		append_node(json, g_ptr_array_index(node->properties, i));
	}
	g_string_append_c(json, '}');
}

static void append_array(GString *json, const WeftSchemaNode *node)
{
	g_string_append_c(json, '[');
	for (guint32 i = 0; i < node->items_min; i++) {
		if (i > 0)
			g_string_append_c(json, ',');
		append_node(json, node->items);
	}
	g_string_append_c(json, ']');
}

static void append_branch(GString *json, const WeftSchemaNode *node)
{
	const WeftSchemaNode *best = NULL;
	for (guint i = 0; i < node->branches->len; i++) {
		const WeftSchemaNode *branch = g_ptr_array_index(node->branches, i);
		if (branch->types & WEFT_TYPE_NULL || !best ||
		    (!(best->types & WEFT_TYPE_NULL) && branch->min_bytes < best->min_bytes))
			best = branch;
	}
	append_node(json, best);
}

/* The depth is limited by WEFT_SCHEMA_DEPTH_MAX, the size by WEFT_SCHEMA_MIN_BYTES_MAX. */
static void append_node(GString *json, const WeftSchemaNode *node)
{
	if (node->branches) {
		append_branch(json, node);
	} else if (node->literals) {
		append_literal(json, node);
	} else if (node->types & WEFT_TYPE_NULL) {
		g_string_append(json, "null");
	} else if (node->types & WEFT_TYPE_NUMBER) {
		append_number(json, &node->range);
	} else if (node->types & WEFT_TYPE_STRING) {
		g_string_append_c(json, '"');
		for (guint32 i = 0; i < node->length_min; i++)
			g_string_append_c(json, ' ');
		g_string_append_c(json, '"');
	} else if (node->types & WEFT_TYPE_ARRAY) {
		append_array(json, node);
	} else if (node->types & WEFT_TYPE_OBJECT) {
		append_object(json, node);
	} else {
		g_string_append(json, "false");
	}
}

char *weft_schema_null_instance(const WeftSchema *schema)
{
	GString *json = g_string_new(NULL);
	append_node(json, schema->root);
	return g_string_free(json, FALSE);
}
