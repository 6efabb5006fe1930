#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "schema/reading.h"

/* Where a document without an address of its own lies. */
#define BASE_OF_NOTHING "schema:///"

struct WeftReferences {
	const WeftJson *root;
	GHashTable *resources;  /* address without fragment -> const WeftJson * */
	GHashTable *anchors;    /* address#name -> const WeftJson * */
	GHashTable *dynamics;   /* name -> how often it is a $dynamicAnchor, as a number */
	GHashTable *bases;      /* const WeftJson * of a schema -> its address, one of `addresses` */
	GPtrArray *addresses;
	guint draft;            /* 4, 6, 7, 2019 or 2020 */
};

void weft_references_free(WeftReferences *references)
{
	if (!references)
		return;
	g_hash_table_unref(references->resources);
	g_hash_table_unref(references->anchors);
	g_hash_table_unref(references->dynamics);
	g_hash_table_unref(references->bases);
	g_ptr_array_unref(references->addresses);
	g_free(references);
}

/* NULL when the reference is none. The fragment is cut off and given apart (NULL: none). */
static char *absolute(const char *base, const char *reference, char **ret_fragment)
{
	const char *hash = strchr(reference, '#');
	g_autofree char *without = hash ? g_strndup(reference, (gsize)(hash - reference))
					: g_strdup(reference);
	*ret_fragment = hash ? g_strdup(hash + 1) : NULL;
	if (!without[0])
		return g_strdup(base);
	return g_uri_resolve_relative(base, without, G_URI_FLAGS_ENCODED, NULL);
}

typedef struct Walk {
	WeftReferences *references;
	GError **error;
} Walk;

static gboolean walk_schema(Walk *walk, const WeftJson *json, const char *base, guint depth);

static gboolean too_deep(Walk *walk, const WeftJson *json)
{
	g_set_error(walk->error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		    "schema of more than %u arrays and objects inside each other at byte %" G_GSIZE_FORMAT,
		    WEFT_READING_DEPTH_MAX, weft_json_offset(json));
	return FALSE;
}

static gboolean walk_all(Walk *walk, const WeftJson *container, const char *base, guint depth)
{
	if (depth > WEFT_READING_DEPTH_MAX)
		return too_deep(walk, container);
	for (gsize i = 0; i < weft_json_length(container); i++)
		if (!walk_schema(walk, weft_json_at(container, i), base, depth))
			return FALSE;
	return TRUE;
}

/* $id, or "id" of draft 4. "#name" was an anchor up to draft 7. */
static const char *enter_resource(WeftReferences *references, const WeftJson *json,
				  const char *base)
{
	const char *name = references->draft == 4 ? "id" : "$id";
	const char *id = weft_json_string(weft_json_member(json, name), NULL);
	if (!id)
		return base;
	g_autofree char *fragment = NULL;
	char *address = absolute(base, id, &fragment);
	if (!address)
		return base;
	g_ptr_array_add(references->addresses, address);
	if (fragment && fragment[0])
		g_hash_table_insert(references->anchors,
				    g_strconcat(address, "#", fragment, NULL), (gpointer)json);
	if (id[0] != '#')
		g_hash_table_insert(references->resources, g_strdup(address), (gpointer)json);
	return address;
}

static void enter_anchor(WeftReferences *references, const WeftJson *json, const char *base,
			 gboolean is_dynamic)
{
	const char *name = weft_json_string(
		weft_json_member(json, is_dynamic ? "$dynamicAnchor" : "$anchor"), NULL);
	if (!name)
		return;
	g_hash_table_insert(references->anchors, g_strconcat(base, "#", name, NULL),
			    (gpointer)json);
	if (is_dynamic) {
		guint n = GPOINTER_TO_UINT(g_hash_table_lookup(references->dynamics, name));
		g_hash_table_insert(references->dynamics, g_strdup(name), GUINT_TO_POINTER(n + 1));
	}
}

static gboolean walk_schema(Walk *walk, const WeftJson *json, const char *base, guint depth)
{
	if (depth > WEFT_READING_DEPTH_MAX)
		return too_deep(walk, json);
	if (weft_json_type(json) != WEFT_JSON_OBJECT)
		return TRUE;
	base = enter_resource(walk->references, json, base);
	enter_anchor(walk->references, json, base, FALSE);
	enter_anchor(walk->references, json, base, TRUE);
	g_hash_table_insert(walk->references->bases, (gpointer)json, (gpointer)base);
	for (gsize i = 0; i < weft_json_length(json); i++) {
		const WeftJson *value = weft_json_at(json, i);
		gboolean is_array = weft_json_type(value) == WEFT_JSON_ARRAY, fine = TRUE;
		switch (weft_keyword_below(weft_json_key_at(json, i, NULL))) {
		case WEFT_BELOW_SCHEMA:
			fine = walk_schema(walk, value, base, depth + 1);
			break;
		case WEFT_BELOW_ARRAY:
		case WEFT_BELOW_OBJECT:
			fine = walk_all(walk, value, base, depth + 1);
			break;
		case WEFT_BELOW_EITHER:
			fine = is_array ? walk_all(walk, value, base, depth + 1)
					: walk_schema(walk, value, base, depth + 1);
			break;
		case WEFT_BELOW_NONE:
			break;
		}
		if (!fine)
			return FALSE;
	}
	return TRUE;
}

static guint draft_of(const WeftJson *root)
{
	const char *dialect = weft_json_string(weft_json_member(root, "$schema"), NULL);
	const char *number = dialect ? strstr(dialect, "/draft") : NULL;
	return number ? (guint)strtoul(number + strlen("/draft/"), NULL, 10) : 2020;
}

WeftReferences *weft_references_new(const WeftJson *root, GError **error)
{
	WeftReferences *references = g_new0(WeftReferences, 1);
	references->root = root;
	references->draft = draft_of(root);
	references->resources = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	references->anchors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	references->dynamics = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	references->bases = g_hash_table_new(NULL, NULL);
	references->addresses = g_ptr_array_new_with_free_func(g_free);
	g_hash_table_insert(references->resources, g_strdup(BASE_OF_NOTHING), (gpointer)root);
	Walk walk = {.references = references, .error = error};
	if (!walk_schema(&walk, root, BASE_OF_NOTHING, 0)) {
		weft_references_free(references);
		return NULL;
	}
	return references;
}

guint weft_references_draft(const WeftReferences *references)
{
	return references->draft;
}

/* RFC 6901 inside a resource. */
static const WeftJson *at_fragment(const WeftReferences *references, const char *address,
				   const char *fragment)
{
	const WeftJson *resource = g_hash_table_lookup(references->resources, address);
	if (!fragment || !fragment[0])
		return resource;
	g_autofree char *plain = g_uri_unescape_string(fragment, NULL);
	if (plain && plain[0] == '/')
		return resource ? weft_json_at_pointer(resource, plain) : NULL;
	g_autofree char *name = g_strconcat(address, "#", plain, NULL);
	return plain ? g_hash_table_lookup(references->anchors, name) : NULL;
}

const WeftJson *weft_references_find(WeftReferences *references, const WeftJson *from,
				     WeftKeyword keyword, const char *pointer, GError **error)
{
	const char *name = weft_keyword_name(keyword);
	const char *reference = weft_json_string(weft_json_member(from, name), NULL);
	const char *base = g_hash_table_lookup(references->bases, from);
	g_autofree char *fragment = NULL;
	g_autofree char *address =
		reference ? absolute(base ? base : BASE_OF_NOTHING, reference, &fragment) : NULL;
	const WeftJson *target = address ? at_fragment(references, address, fragment) : NULL;
	if (!target) {
		gboolean is_here =
			address && g_hash_table_contains(references->resources, address);
		g_autofree char *reason = g_strdup_printf(
			is_here ? "there is nothing at \"%s\""
				: "\"%s\" is not in this document, and nothing is fetched; put it "
				  "into \"$defs\" and write \"#/$defs/NAME\"",
			reference ? reference : "");
		weft_clause_refuse(pointer, name, reason, error);
		return NULL;
	}
	/* Found where no schema was looked for: its own references count from there. */
	if (!g_hash_table_contains(references->bases, target)) {
		Walk walk = {.references = references, .error = error};
		g_ptr_array_add(references->addresses, g_strdup(address));
		if (!walk_schema(&walk, target,
				 g_ptr_array_index(references->addresses,
						   references->addresses->len - 1),
				 0))
			return NULL;
	}
	/* With one target there is nothing dynamic about it. */
	if (keyword == WEFT_KEYWORD_DYNAMIC_REF && fragment && fragment[0] != '/' &&
	    GPOINTER_TO_UINT(g_hash_table_lookup(references->dynamics, fragment)) > 1) {
		weft_clause_refuse(pointer, name,
				   "several schemas have this $dynamicAnchor, so its target depends "
				   "on who refers to it; write \"$ref\"",
				   error);
		return NULL;
	}
	return target;
}
