#include "schema/node.h"

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
