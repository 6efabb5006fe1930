#include "pipeline/shape.h"

#include <string.h>

#define REFERENCES_MAX 16 /* in a row; the model's room has refused cycles */
#define DEPTH_MAX 32      /* of anyOf in anyOf */

static const char *const branch_keys[] = {"anyOf", "oneOf"};

static WeftShape resolve(WeftShape shape)
{
	for (int i = 0; i < REFERENCES_MAX; i++) {
		const char *reference =
		    weft_json_string(weft_json_member(shape.node, "$ref"), NULL);

		if (reference == NULL || reference[0] != '#')
			return shape;
		shape.node = weft_json_at_pointer(shape.root, reference + 1);
	}
	return shape;
}

WeftShape weft_shape(const WeftJson *schema)
{
	WeftShape shape = {schema, schema};

	return resolve(shape);
}

/* The member `key` of the schema or of the first of its branches that has one. */
static WeftShape find_keyword(WeftShape shape, const char *key, int depth)
{
	WeftShape found = {shape.root, weft_json_member(shape.node, key)};

	for (gsize k = 0; found.node == NULL && depth < DEPTH_MAX && k < G_N_ELEMENTS(branch_keys);
	     k++) {
		const WeftJson *branches = weft_json_member(shape.node, branch_keys[k]);

		for (gsize i = 0; found.node == NULL && i < weft_json_length(branches); i++) {
			WeftShape branch = {shape.root, weft_json_at(branches, i)};

			found = find_keyword(resolve(branch), key, depth + 1);
		}
	}
	return found;
}

WeftShape weft_shape_property(WeftShape shape, const char *key)
{
	WeftShape properties = find_keyword(shape, "properties", 0);

	properties.node = weft_json_member(properties.node, key);
	return resolve(properties);
}

WeftShape weft_shape_item(WeftShape shape)
{
	return resolve(find_keyword(shape, "items", 0));
}

static gboolean is_null(const WeftJson *value)
{
	return value != NULL && weft_json_type(value) == WEFT_JSON_NULL;
}

static gboolean type_allows_null(const WeftJson *type)
{
	if (g_strcmp0(weft_json_string(type, NULL), "null") == 0)
		return TRUE;
	for (gsize i = 0; i < weft_json_length(type); i++) {
		if (g_strcmp0(weft_json_string(weft_json_at(type, i), NULL), "null") == 0)
			return TRUE;
	}
	return FALSE;
}

static gboolean allows_null(WeftShape shape, int depth)
{
	const WeftJson *type = weft_json_member(shape.node, "type");
	const WeftJson *choices = weft_json_member(shape.node, "enum");
	const WeftJson *constant = weft_json_member(shape.node, "const");

	if (depth >= DEPTH_MAX || (type != NULL && !type_allows_null(type)))
		return FALSE;
	if (constant != NULL)
		return is_null(constant);
	if (choices != NULL) {
		for (gsize i = 0; i < weft_json_length(choices); i++) {
			if (is_null(weft_json_at(choices, i)))
				return TRUE;
		}
		return FALSE;
	}
	for (gsize k = 0; k < G_N_ELEMENTS(branch_keys); k++) {
		const WeftJson *branches = weft_json_member(shape.node, branch_keys[k]);
		gboolean is_allowed = branches == NULL;

		for (gsize i = 0; !is_allowed && i < weft_json_length(branches); i++) {
			WeftShape branch = {shape.root, weft_json_at(branches, i)};

			is_allowed = allows_null(resolve(branch), depth + 1);
		}
		if (!is_allowed)
			return FALSE;
	}
	return TRUE;
}

gboolean weft_shape_allows_null(WeftShape shape)
{
	return allows_null(shape, 0);
}

void weft_shape_items(WeftShape shape, guint64 *ret_min, guint64 *ret_max)
{
	*ret_min = 0;
	*ret_max = G_MAXUINT64;
	(void)weft_json_uint(find_keyword(shape, "minItems", 0).node, ret_min); /* absent: 0 */
	(void)weft_json_uint(find_keyword(shape, "maxItems", 0).node, ret_max); /* absent: none */
}
