#include "schema/node.h"

#include "schema/reading.h"

const WeftNode *weft_node_item(const WeftNode *array, guint32 i)
{
	if (array->prefix && i < array->prefix->len)
		return g_ptr_array_index(array->prefix, i);
	return array->items;
}

WeftLeast weft_node_tail(const WeftNode *object, guint i, guint n_missing)
{
	return object->tails[(gsize)i * (object->n_optional_min + 1) + n_missing];
}

void weft_node_free(gpointer data)
{
	WeftNode *node = data;
	g_clear_pointer(&node->literals, g_ptr_array_unref);
	g_clear_pointer(&node->prefix, g_ptr_array_unref);
	g_clear_pointer(&node->branches, g_ptr_array_unref);
	for (guint i = 0; node->properties && i < node->properties->len; i++)
		g_free(g_array_index(node->properties, WeftProperty, i).key);
	g_clear_pointer(&node->properties, g_array_unref);
	g_free(node->tails);
	g_free(node);
}
