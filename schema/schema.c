#include "schema/schema.h"

#include <string.h>

#include "base/error.h"
#include "schema/decline.h"
#include "schema/expansion.h"
#include "schema/least.h"
#include "schema/node.h"
#include "schema/reader.h"
#include "schema/shape.h"
#include "schema/tables.h"

static void key_free(gpointer data)
{
	WeftKey *key = data;
	g_free(key->spelled);
	g_free(key->text);
	g_free(key);
}

static GHashTable *set_table(GDestroyNotify value_free)
{
	return g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref,
				     value_free);
}

gboolean weft_reading_init(WeftReading *reading, WeftSchema *schema, const WeftJson *root,
			   const WeftSchemaOptions *options, GError **error)
{
	static const char *const words[] = {"null", "false", "true"};
	*reading = (WeftReading){.schema = schema, .root = root};
	if (options)
		reading->options = *options;
	reading->clause_of = g_hash_table_new(NULL, NULL);
	reading->clauses = g_ptr_array_new_with_free_func((GDestroyNotify)weft_clause_free);
	reading->key_of = g_hash_table_new(g_str_hash, g_str_equal);
	reading->keys = g_ptr_array_new_with_free_func(key_free);
	reading->expansions = set_table((GDestroyNotify)g_ptr_array_unref);
	reading->shapes = set_table((GDestroyNotify)weft_schema_shape_free);
	reading->slots = set_table(NULL);
	reading->parts = set_table(NULL);
	reading->part_lexemes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	reading->texts = g_ptr_array_new_with_free_func(g_free);
	g_queue_init(&reading->waiting);
	reading->reasons = g_ptr_array_new_with_free_func(g_free);
	reading->places = g_ptr_array_new();
	reading->maker = weft_lexeme_maker_new();
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		reading->words[i] =
			weft_json_parse(words[i], i == 1 ? 5 : 4, WEFT_JSON_STRICT, NULL);
	reading->references = weft_references_new(root, error);
	return reading->references != NULL;
}

void weft_reading_done(WeftReading *reading)
{
	weft_references_free(reading->references);
	g_hash_table_unref(reading->clause_of);
	g_ptr_array_unref(reading->clauses);
	g_hash_table_unref(reading->key_of);
	g_ptr_array_unref(reading->keys);
	g_hash_table_unref(reading->expansions);
	g_hash_table_unref(reading->shapes);
	g_hash_table_unref(reading->slots);
	g_hash_table_unref(reading->parts);
	g_hash_table_unref(reading->part_lexemes);
	g_ptr_array_unref(reading->texts);
	g_ptr_array_unref(reading->reasons);
	g_ptr_array_unref(reading->places);
	weft_lexeme_maker_free(reading->maker);
	for (gsize i = 0; i < G_N_ELEMENTS(reading->words); i++)
		weft_json_free(reading->words[i]);
}

/* What is written in front of a pointer that was meant from the schema at `pointer` on, when it is meant
 * from the root on; NULL: it stands at several places, or at none that has a pointer. */
static char *path_of(const char *pointer)
{
	static const char *const every[] = {"items", "additionalProperties", NULL};
	static const char *const named[] = {"properties", "prefixItems", NULL};
	g_auto(GStrv) keys = g_strsplit(*pointer ? pointer + 1 : "", "/", -1);
	g_autoptr(GString) path = g_string_new(NULL);
	for (char **key = keys; *key; key++) {
		if (g_strv_contains(every, *key))
			g_string_append(path, "/*");
		else if (g_strv_contains(named, *key) && key[1])
			g_string_append_printf(path, "/%s", *++key);
		else
			return NULL;
	}
	return g_string_free(g_steal_pointer(&path), FALSE);
}

/* What begins with our name and says nothing where it stands; NULL: it is not so. */
static const char *idle_keyword(const WeftJson *clause, gboolean is_root)
{
	static const char *const of_root[] = {"x-weft-check", "x-weft-locale", NULL};
	for (gsize i = 0; i < weft_json_length(clause); i++) {
		const char *name = weft_json_key_at(clause, i, NULL);
		if (name && g_str_has_prefix(name, "x-weft-") && strcmp(name, "x-weft-verbatim") != 0 &&
		    !(is_root && g_strv_contains(of_root, name)))
			return name;
	}
	return NULL;
}

static gboolean check_own_keywords(const WeftReading *reading, GError **error)
{
	for (guint i = 0; i < reading->clauses->len; i++) {
		const WeftJson *json = weft_reading_clause_at(reading, i)->json;
		const char *name = idle_keyword(json, json == reading->root);
		if (!name)
			continue;
		g_autofree char *pointer = weft_reading_pointer(reading, json);
		g_autofree char *path = path_of(pointer);
		g_autofree char *reason = NULL;
		if (strcmp(name, "x-weft-check") == 0 && path)
			reason = g_strdup_printf("is read at the root of a schema only; write it there, and "
						 "\"%s\" in front of each of its pointers", path);
		else if (strcmp(name, "x-weft-check") == 0 || strcmp(name, "x-weft-locale") == 0)
			reason = g_strdup("is read at the root of a schema only; write it there");
		return weft_clause_refuse(pointer, name, reason ? reason : "is none of weft's; write "
					  "x-weft-verbatim, or at the root x-weft-check or x-weft-locale", error);
	}
	return TRUE;
}

static gboolean read_schema(WeftReading *reading, const WeftJson *root, GError **error)
{
	g_autoptr(GArray) set = weft_set_new();
	if (!weft_reading_add_clause(reading, set, WEFT_ELEMENT_CLAUSE, root, error))
		return FALSE;
	WeftNode *slot = weft_reader_fill(reading, set, error);
	return slot && weft_least_finish(reading, slot, error) &&
	       check_own_keywords(reading, error);
}

WeftSchema *weft_reading_schema(void)
{
	WeftSchema *schema = g_new0(WeftSchema, 1);
	schema->nodes = g_ptr_array_new_with_free_func(weft_node_free);
	schema->lexemes = g_ptr_array_new_with_free_func((GDestroyNotify)weft_lexeme_free);
	schema->numbers = g_ptr_array_new_with_free_func((GDestroyNotify)weft_numbers_free);
	schema->verbatim = g_ptr_array_new_with_free_func(g_free);
	schema->ignored = g_ptr_array_new_with_free_func(g_free);
	return schema;
}

/* Caches trust it, so it has to be one that nobody can meet twice on purpose. */
static guint64 fingerprint(const char *json, gsize size_bytes, const WeftSchemaOptions *options)
{
	const guint8 flags[] = {options && options->is_verbatim,
				options && options->ignores_formats, options && options->declines};
	guint8 digest[32];
	gsize digest_bytes = sizeof(digest);
	guint64 first = 0;
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	g_checksum_update(checksum, flags, sizeof(flags));
	g_checksum_update(checksum, (const guchar *)json, (gssize)size_bytes);
	g_checksum_get_digest(checksum, digest, &digest_bytes);
	memcpy(&first, digest, sizeof(first));
	return first;
}

WeftSchema *weft_schema_new(const char *json, gsize size_bytes, const WeftSchemaOptions *options,
			    GError **error)
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
	g_autoptr(WeftSchema) schema = weft_reading_schema();
	WeftReading reading;
	gboolean fine = weft_reading_init(&reading, schema, root, options, error) &&
			read_schema(&reading, root, error);
	weft_reading_done(&reading);
	if (fine) {
		if (options && options->declines)
			weft_decline_add(schema);
		schema->fingerprint = fingerprint(json, size_bytes, options);
		schema->tables = weft_tables_new(schema->nodes);
	}
	return fine ? g_steal_pointer(&schema) : NULL;
}

void weft_schema_free(WeftSchema *schema)
{
	if (!schema)
		return;
	weft_tables_free(schema->tables);
	g_ptr_array_unref(schema->nodes);
	g_ptr_array_unref(schema->lexemes);
	g_ptr_array_unref(schema->numbers);
	g_ptr_array_unref(schema->verbatim);
	g_ptr_array_unref(schema->ignored);
	g_free(schema);
}

gsize weft_schema_min_bytes(const WeftSchema *schema)
{
	return schema->root->least.bytes;
}

guint weft_schema_n_ignored(const WeftSchema *schema)
{
	return schema->ignored->len;
}

const char *weft_schema_ignored(const WeftSchema *schema, guint i)
{
	return g_ptr_array_index(schema->ignored, i);
}

guint weft_schema_n_verbatim(const WeftSchema *schema)
{
	return schema->verbatim->len;
}

const char *weft_schema_verbatim(const WeftSchema *schema, guint i)
{
	return g_ptr_array_index(schema->verbatim, i);
}
