#include <string.h>

#include "schema/node.h"

/* Nodes by hand: {"a": null | verbatim, "b/c": [verbatim, null-or-free ...], "m": map of verbatim} or
 * {"a": null | 7}. */
static WeftNode *node_of(GPtrArray *all, WeftNodeKind kind)
{
	WeftNode *node = g_new0(WeftNode, 1);

	node->kind = kind;
	g_ptr_array_add(all, node);
	return node;
}

static WeftNode *literals_of(GPtrArray *all, const char *first, const char *second)
{
	WeftNode *node = node_of(all, WEFT_NODE_LITERALS);

	node->literals = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(node->literals, g_strdup(first));
	if (second)
		g_ptr_array_add(node->literals, g_strdup(second));
	return node;
}

static WeftNode *either(GPtrArray *all, WeftNode *a, WeftNode *b)
{
	WeftNode *node = node_of(all, WEFT_NODE_BRANCHES);

	node->branches = g_ptr_array_new();
	g_ptr_array_add(node->branches, a);
	g_ptr_array_add(node->branches, b);
	return node;
}

static WeftNode *string_of(GPtrArray *all, gboolean is_verbatim)
{
	WeftNode *node = node_of(all, WEFT_NODE_STRING);

	node->is_verbatim = is_verbatim;
	return node;
}

static void add_property(WeftNode *object, const char *key, WeftNode *node)
{
	WeftProperty property = { (char *)key, strlen(key), node, TRUE };

	if (!object->properties)
		object->properties = g_array_new(FALSE, FALSE, sizeof(WeftProperty));
	g_array_append_val(object->properties, property);
}

static void assert_place(const WeftSchema *schema, const char *pointer, gboolean allows_null,
			 gboolean is_verbatim)
{
	WeftSchemaPlace place = weft_schema_place(schema, pointer);

	g_assert_cmpint(place.allows_null, ==, allows_null);
	g_assert_cmpint(place.is_verbatim, ==, is_verbatim);
}

static void node_free(void *data)
{
	WeftNode *node = data;

	g_clear_pointer(&node->literals, g_ptr_array_unref);
	g_clear_pointer(&node->branches, g_ptr_array_unref);
	g_clear_pointer(&node->prefix, g_ptr_array_unref);
	g_clear_pointer(&node->properties, g_array_unref);
	g_free(node);
}

static void test_places(void)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(node_free);
	WeftNode *verbatim = string_of(all, TRUE), *loose = string_of(all, FALSE);
	WeftNode *null = literals_of(all, "null", NULL);
	WeftNode *object = node_of(all, WEFT_NODE_OBJECT), *other = node_of(all, WEFT_NODE_OBJECT);
	WeftNode *array = node_of(all, WEFT_NODE_ARRAY), *map = node_of(all, WEFT_NODE_MAP);
	WeftSchema schema = { .root = either(all, object, other) };

	array->n_max = WEFT_SCHEMA_UNLIMITED;
	array->prefix = g_ptr_array_new();
	g_ptr_array_add(array->prefix, verbatim);
	array->items = either(all, null, loose);
	map->items = verbatim;
	add_property(object, "\"a\":", either(all, null, verbatim));
	add_property(object, "\"b/c\":", array);
	add_property(object, "\"m\":", map);
	add_property(object, "\"r\":", (WeftNode *)schema.root);
	add_property(object, "\"s\":", either(all, loose, verbatim));
	add_property(object, "\"d\":", verbatim);
	add_property(object, "\"e\":", either(all, literals_of(all, "\"x\"", NULL), verbatim));
	add_property(other, "\"a\":", literals_of(all, "7", "null"));
	add_property(other, "\"d\":", null);
	assert_place(&schema, "", FALSE, FALSE);
	assert_place(&schema, "/a", TRUE, TRUE); /* in one of the two it is no string */
	assert_place(&schema, "/b~1c", FALSE, FALSE);
	assert_place(&schema, "/b~1c/0", FALSE, TRUE);
	assert_place(&schema, "/b~1c/1", TRUE, FALSE);
	assert_place(&schema, "/b~1c/x", FALSE, FALSE);
	assert_place(&schema, "/m/any", FALSE, TRUE);
	assert_place(&schema, "/r/r/b~1c/0", FALSE, TRUE);
	assert_place(&schema, "/s", FALSE, FALSE);
	assert_place(&schema, "/d", FALSE, TRUE); /* null in one, a string in the other */
	assert_place(&schema, "/e", FALSE, FALSE);
	assert_place(&schema, "/nowhere/0", FALSE, FALSE);
}

static void test_numbers(void)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(node_free);
	WeftNode *number = node_of(all, WEFT_NODE_NUMBER), *loose = node_of(all, WEFT_NODE_NUMBER);
	WeftNode *object = node_of(all, WEFT_NODE_OBJECT);
	WeftSchema schema = { .root = object };

	number->is_verbatim = TRUE;
	add_property(object, "\"a\":", either(all, literals_of(all, "null", NULL), number));
	add_property(object, "\"b\":", either(all, literals_of(all, "7", "null"), number));
	add_property(object, "\"c\":", either(all, loose, number));
	g_assert_true(weft_schema_place(&schema, "/a").is_verbatim_number);
	g_assert_false(weft_schema_place(&schema, "/b").is_verbatim_number);
	g_assert_false(weft_schema_place(&schema, "/c").is_verbatim_number);
	g_assert_false(weft_schema_place(&schema, "/a").is_verbatim);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/place/places", test_places);
	g_test_add_func("/place/numbers", test_numbers);
	return g_test_run();
}
