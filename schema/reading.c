#include "schema/reading.h"

#include <string.h>

#include "base/error.h"

/* Keywords that are not known: of more of them nobody reads a list. */
#define IGNORED_MAX 100

gboolean weft_reading_spend(WeftReading *reading, gsize n, GError **error)
{
	if (n > WEFT_READING_WORK_MAX - reading->n_work) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "schema that takes more than %u steps to read: too many combinations of "
			    "anyOf, oneOf, allOf and not; write fewer of them, or divide it",
			    WEFT_READING_WORK_MAX);
		return FALSE;
	}
	reading->n_work += (guint)n;
	return TRUE;
}

static gboolean check_dialect(const WeftClause *clause, const char *pointer, GError **error)
{
	static const char *const dialects[] = {
		"draft-04/schema", "draft-06/schema", "draft-07/schema", "draft/2019-09/schema",
		"draft/2020-12/schema"};
	const char *text = weft_json_string(clause->values[WEFT_KEYWORD_SCHEMA], NULL);
	if (!clause->values[WEFT_KEYWORD_SCHEMA])
		return TRUE;
	for (gsize i = 0; text && i < G_N_ELEMENTS(dialects); i++) {
		g_autofree char *plain = g_strconcat("//json-schema.org/", dialects[i], NULL);
		const char *rest = g_str_has_prefix(text, "https:")  ? text + 6
				   : g_str_has_prefix(text, "http:") ? text + 5
								     : "";
		if (g_str_has_prefix(rest, plain) &&
		    (!rest[strlen(plain)] || !strcmp(rest + strlen(plain), "#")))
			return TRUE;
	}
	return weft_clause_refuse(
		pointer, "$schema",
		"not a dialect that is known; write https://json-schema.org/draft/2020-12/schema",
		error);
}

static void note_ignored(WeftReading *reading, const WeftJson *json, const char *pointer)
{
	GPtrArray *ignored = reading->schema->ignored;
	for (gsize i = 0; i < weft_json_length(json) && ignored->len < IGNORED_MAX; i++) {
		gsize size_bytes;
		const char *name = weft_json_key_at(json, i, &size_bytes);
		if (weft_keyword_is_known(name))
			continue;
		GString *place = g_string_new(pointer);
		weft_json_pointer_add(place, name, size_bytes);
		g_ptr_array_add(ignored, g_string_free(place, FALSE));
	}
}

/* Validators of a draft take keywords of younger ones for annotations: to count on them where
 * alternatives have to exclude each other would not be sound. */
static gboolean check_draft(const WeftClause *clause, guint draft, const char *pointer, GError **error)
{
	static const struct {
		WeftKeyword keyword;
		guint draft;
	} younger[] = {
		{WEFT_KEYWORD_CONST, 6},
		{WEFT_KEYWORD_CONTAINS, 6},
		{WEFT_KEYWORD_PROPERTY_NAMES, 6},
		{WEFT_KEYWORD_IF, 7},
		{WEFT_KEYWORD_DEPENDENT_REQUIRED, 2019},
		{WEFT_KEYWORD_DEPENDENT_SCHEMAS, 2019},
		{WEFT_KEYWORD_UNEVALUATED_ITEMS, 2019},
		{WEFT_KEYWORD_UNEVALUATED_PROPERTIES, 2019},
		{WEFT_KEYWORD_PREFIX_ITEMS, 2020},
		{WEFT_KEYWORD_DYNAMIC_REF, 2020},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(younger); i++)
		if (clause->values[younger[i].keyword] && draft < younger[i].draft)
			return weft_clause_refuse(
				pointer, weft_keyword_name(younger[i].keyword),
				"says nothing in the draft that $schema names; write \"$schema\": "
				"\"https://json-schema.org/draft/2020-12/schema\", or leave it out",
				error);
	for (WeftKeyword bound = WEFT_KEYWORD_EXCLUSIVE_MINIMUM; bound <= WEFT_KEYWORD_EXCLUSIVE_MAXIMUM;
	     bound++)
		if (clause->values[bound] &&
		    (weft_json_raw_number(clause->values[bound]) != NULL) == (draft == 4))
			return weft_clause_refuse(
				pointer, weft_keyword_name(bound),
				draft == 4 ? "not true or false, as draft 4 has it; write another "
					     "\"$schema\", or leave it out"
					   : "not a number; true and false are of draft 4: write the "
					     "bound itself",
				error);
	return TRUE;
}

/* Up to draft 7 what stands beside $ref says nothing. To hold answers to it all the same would be
 * sound, to take it for a proof that alternatives exclude each other would not. */
static void drop_siblings(WeftClause *clause)
{
	if (!clause->values[WEFT_KEYWORD_REF])
		return;
	for (guint i = 0; i < WEFT_KEYWORD_COUNT; i++)
		if (i != WEFT_KEYWORD_REF && i != WEFT_KEYWORD_VERBATIM &&
		    i != WEFT_KEYWORD_SCHEMA)
			clause->values[i] = NULL;
	clause->types = WEFT_TYPE_ALL;
	clause->is_own = clause->values[WEFT_KEYWORD_VERBATIM] != NULL;
}

WeftClause *weft_reading_clause(WeftReading *reading, const WeftJson *json, GError **error)
{
	WeftClause *clause = g_hash_table_lookup(reading->clause_of, json);
	if (clause)
		return clause;
	g_autofree char *pointer = weft_reading_pointer(reading, json);
	clause = weft_clause_new(json, reading->clauses->len, pointer, error);
	if (!clause)
		return NULL;
	guint draft = weft_references_draft(reading->references);
	if (!check_dialect(clause, pointer, error) || !check_draft(clause, draft, pointer, error)) {
		weft_clause_free(clause);
		return NULL;
	}
	if (draft <= 7)
		drop_siblings(clause);
	g_ptr_array_add(reading->clauses, clause);
	g_hash_table_insert(reading->clause_of, (gpointer)json, clause);
	note_ignored(reading, json, pointer);
	return clause;
}

gboolean weft_reading_add_clause(WeftReading *reading, GArray *set, WeftElementKind kind,
				 const WeftJson *json, GError **error)
{
	WeftClause *clause = weft_reading_clause(reading, json, error);
	if (!clause)
		return FALSE;
	WeftElement element = {kind, clause->index, 0};
	g_array_append_val(set, element);
	return TRUE;
}

guint32 weft_reading_key(WeftReading *reading, const char *text, gsize size_bytes)
{
	GString *spelled = g_string_new(NULL);
	WeftJsonWriter writer;
	weft_json_writer_init(&writer, spelled);
	weft_json_write_text(&writer, text, size_bytes);
	guint32 found = GPOINTER_TO_UINT(g_hash_table_lookup(reading->key_of, spelled->str));
	if (found) {
		g_string_free(spelled, TRUE);
		return found - 1;
	}
	WeftKey *key = g_new0(WeftKey, 1);
	key->text = g_malloc0(size_bytes + 1);
	if (size_bytes > 0)
		memcpy(key->text, text, size_bytes);
	key->size_bytes = size_bytes;
	key->spelled = g_string_free(spelled, FALSE);
	g_ptr_array_add(reading->keys, key);
	g_hash_table_insert(reading->key_of, key->spelled, GUINT_TO_POINTER(reading->keys->len));
	return reading->keys->len - 1;
}

const WeftJson *weft_reading_member(const WeftJson *object, const WeftKey *key)
{
	if (strlen(key->text) == key->size_bytes)
		return weft_json_member(object, key->text);
	for (gsize i = 0; i < weft_json_length(object); i++) {
		gsize size_bytes;
		const char *text = weft_json_key_at(object, i, &size_bytes);
		if (text && size_bytes == key->size_bytes &&
		    !memcmp(text, key->text, size_bytes))
			return weft_json_at(object, i);
	}
	return NULL;
}

/* Down from the root, each time into the last value that begins at or before the place: the text's
 * depth is limited, so is this. */
char *weft_reading_pointer(const WeftReading *reading, const WeftJson *json)
{
	GString *pointer = g_string_new(NULL);
	const WeftJson *at = reading->root;
	while (at != json && weft_json_length(at) > 0) {
		gsize low = 0, high = weft_json_length(at);
		while (high - low > 1) {
			gsize middle = low + (high - low) / 2;
			if (weft_json_offset(weft_json_at(at, middle)) <= weft_json_offset(json))
				low = middle;
			else
				high = middle;
		}
		if (weft_json_type(at) == WEFT_JSON_OBJECT) {
			gsize size_bytes;
			const char *key = weft_json_key_at(at, low, &size_bytes);
			weft_json_pointer_add(pointer, key, size_bytes);
		} else {
			g_string_append_printf(pointer, "/%" G_GSIZE_FORMAT, low);
		}
		at = weft_json_at(at, low);
	}
	return g_string_free(pointer, FALSE);
}

gboolean weft_reading_refuse(const WeftReading *reading, const WeftClause *clause,
			     WeftKeyword keyword, const char *reason, GError **error)
{
	g_autofree char *pointer = weft_reading_pointer(reading, clause->json);
	return weft_clause_refuse(pointer, weft_keyword_name(keyword), reason, error);
}

GArray *weft_set_new(void)
{
	return g_array_new(FALSE, FALSE, sizeof(WeftElement));
}

static int compare_elements(gconstpointer a_item, gconstpointer b_item)
{
	const WeftElement *a = a_item, *b = b_item;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->a != b->a)
		return a->a < b->a ? -1 : 1;
	return a->b == b->b ? 0 : a->b < b->b ? -1 : 1;
}

GBytes *weft_set_key(const GArray *set)
{
	g_autoptr(GArray) sorted = weft_set_new();
	if (set->len > 0)
		g_array_append_vals(sorted, set->data, set->len);
	g_array_sort(sorted, compare_elements);
	guint n = 0;
	WeftElement *elements = (WeftElement *)(void *)sorted->data;
	for (guint i = 0; i < sorted->len; i++)
		if (n == 0 || compare_elements(&elements[n - 1], &elements[i]) != 0)
			elements[n++] = elements[i];
	return g_bytes_new(elements, n * sizeof(WeftElement));
}
