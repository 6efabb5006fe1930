#include <string.h>

#include "base/error.h"
#include "schema/expansion.h"
#include "schema/shape.h"
#include "schema/value.h"

static void add_element(GArray *set, WeftElementKind kind, guint32 a)
{
	WeftElement element = {kind, a, 0};
	g_array_append_val(set, element);
}

static WeftClause *clause_at(const WeftReading *reading, const GArray *set, guint i)
{
	const WeftElement *element = &g_array_index(set, WeftElement, i);
	return element->kind == WEFT_ELEMENT_CLAUSE ? weft_reading_clause_at(reading, element->a)
						    : NULL;
}

/* ---- objects ---- */

/* Adds what `properties` and `patternProperties` of the clause say of the key. *ret_is_named: they
 * surely do. `set` may be NULL. */
static gboolean add_named(WeftReading *reading, GArray *set, const WeftClause *clause,
			  const WeftKey *key, gboolean *ret_is_named, GError **error)
{
	const WeftJson *patterns = clause->values[WEFT_KEYWORD_PATTERN_PROPERTIES];
	const WeftJson *declared =
		weft_reading_member(clause->values[WEFT_KEYWORD_PROPERTIES], key);
	*ret_is_named = declared != NULL;
	if (declared && set &&
	    !weft_reading_add_clause(reading, set, WEFT_ELEMENT_CLAUSE, declared, error))
		return FALSE;
	for (gsize i = 0; i < weft_json_length(patterns); i++) {
		gboolean surely, maybe;
		if (!weft_reading_spend(reading, 1, error) ||
		    !weft_schema_shape_matches(reading, clause, WEFT_KEYWORD_PATTERN_PROPERTIES,
					weft_json_key_at(patterns, i, NULL), key->text,
					key->size_bytes, &surely, &maybe, error))
			return FALSE;
		*ret_is_named = *ret_is_named || surely;
		if (maybe && set &&
		    !weft_reading_add_clause(reading, set, WEFT_ELEMENT_CLAUSE,
					     weft_json_at(patterns, i), error))
			return FALSE;
	}
	return TRUE;
}

/* Whether a schema of the set that speaks of the same value as `clause`, by its will, has evaluated
 * the key. What is pulled in by others does not count for it. */
static gboolean is_evaluated(WeftReading *reading, const GArray *set, WeftClause *clause,
			     const WeftKey *key, gboolean *ret_is_evaluated, GError **error)
{
	GHashTable *reach = weft_expansion_reach(reading, clause, error);
	*ret_is_evaluated = FALSE;
	if (!reach)
		return FALSE;
	for (guint i = 0; i < set->len && !*ret_is_evaluated; i++) {
		WeftClause *other = clause_at(reading, set, i);
		if (!other || other == clause || !g_hash_table_contains(reach, other))
			continue;
		if (!add_named(reading, NULL, other, key, ret_is_evaluated, error))
			return FALSE;
		*ret_is_evaluated = *ret_is_evaluated ||
				    other->values[WEFT_KEYWORD_ADDITIONAL_PROPERTIES] ||
				    other->values[WEFT_KEYWORD_UNEVALUATED_PROPERTIES];
	}
	return TRUE;
}

static gboolean add_child(WeftReading *reading, const GArray *set, GArray *child,
			  WeftClause *clause, const WeftKey *key, GError **error)
{
	const WeftJson *others = clause->values[WEFT_KEYWORD_ADDITIONAL_PROPERTIES];
	const WeftJson *rest = clause->values[WEFT_KEYWORD_UNEVALUATED_PROPERTIES];
	gboolean is_named, evaluated;
	if (!add_named(reading, child, clause, key, &is_named, error))
		return FALSE;
	if (is_named)
		return TRUE;
	if (others)
		return weft_reading_add_clause(reading, child, WEFT_ELEMENT_CLAUSE, others, error);
	if (!rest)
		return TRUE;
	return is_evaluated(reading, set, clause, key, &evaluated, error) &&
	       (evaluated ||
		weft_reading_add_clause(reading, child, WEFT_ELEMENT_CLAUSE, rest, error));
}

GArray *weft_schema_shape_child(WeftReading *reading, const GArray *set, guint32 key, GError **error)
{
	g_autoptr(GArray) child = weft_set_new();
	const WeftKey *name = weft_reading_key_at(reading, key);
	for (guint i = 0; i < set->len; i++) {
		const WeftElement *element = &g_array_index(set, WeftElement, i);
		if (!weft_reading_spend(reading, 1, error))
			return NULL;
		if (element->kind == WEFT_ELEMENT_CLAUSE) {
			WeftClause *clause = weft_reading_clause_at(reading, element->a);
			if (!add_child(reading, set, child, clause, name, error))
				return NULL;
		} else if (element->kind == WEFT_ELEMENT_FORBID && element->a == key) {
			add_element(child, WEFT_ELEMENT_TYPES, 0);
		} else if (element->kind == WEFT_ELEMENT_CHILD_NOT && element->a == key) {
			add_element(child, WEFT_ELEMENT_NOT, element->b);
		}
	}
	return g_steal_pointer(&child);
}

static void know_key(WeftSchemaShape *shape, guint32 key)
{
	if (g_hash_table_add(shape->known, GUINT_TO_POINTER(key + 1)))
		g_array_append_val(shape->keys, key);
}

static void ask_key(WeftSchemaShape *shape, guint32 key)
{
	if (g_hash_table_add(shape->required, GUINT_TO_POINTER(key + 1)))
		g_array_append_val(shape->asked, key);
}

static gboolean require(WeftReading *reading, WeftSchemaShape *shape, const WeftJson *names,
			GError **error)
{
	for (gsize i = 0; i < weft_json_length(names); i++) {
		gsize size_bytes;
		const char *name = weft_json_string(weft_json_at(names, i), &size_bytes);
		guint32 key = weft_reading_key(reading, name, size_bytes);
		ask_key(shape, key);
		if (!weft_reading_spend(reading, 1, error))
			return FALSE;
	}
	return TRUE;
}

/* Declared keys first, in the order of the text. */
static gboolean declare(WeftReading *reading, WeftSchemaShape *shape, const WeftJson *properties,
			GError **error)
{
	for (gsize i = 0; i < weft_json_length(properties); i++) {
		gsize size_bytes;
		const char *name = weft_json_key_at(properties, i, &size_bytes);
		know_key(shape, weft_reading_key(reading, name, size_bytes));
		if (!weft_reading_spend(reading, 1, error))
			return FALSE;
	}
	return TRUE;
}

/* propertyNames that leave so many names only: they are as good as declared. */
static gboolean declare_names(WeftReading *reading, WeftSchemaShape *shape, GError **error)
{
	g_autoptr(GArray) names = weft_set_new();
	for (guint i = 0; i < shape->set->len; i++) {
		const WeftClause *clause = clause_at(reading, shape->set, i);
		if (clause && clause->values[WEFT_KEYWORD_PROPERTY_NAMES] &&
		    !weft_reading_add_clause(reading, names, WEFT_ELEMENT_CLAUSE,
					     clause->values[WEFT_KEYWORD_PROPERTY_NAMES], error))
			return FALSE;
	}
	if (names->len == 0)
		return TRUE;
	g_autoptr(GPtrArray) cases = weft_expansion_new(reading, names, NULL, error);
	if (!cases)
		return FALSE;
	for (guint i = 0; i < cases->len; i++) {
		const WeftCase *one = g_ptr_array_index(cases, i);
		const WeftSchemaShape *name = weft_schema_shape_of(reading, one->elements, error);
		if (!name)
			return FALSE;
		if (!name->is_enumerated || one->exclusions->len > 0)
			return TRUE;
	}
	for (guint i = 0; i < cases->len; i++) {
		const WeftCase *one = g_ptr_array_index(cases, i);
		const WeftSchemaShape *name = weft_schema_shape_of(reading, one->elements, error);
		for (guint j = 0; name && j < name->values->len; j++) {
			gsize size_bytes;
			const char *text = weft_json_string(name->values->pdata[j], &size_bytes);
			if (text)
				know_key(shape, weft_reading_key(reading, text, size_bytes));
		}
	}
	shape->is_map = FALSE;
	return TRUE;
}

/* A key that propertyNames do not surely take is never written. */
static gboolean forbid_names(WeftReading *reading, WeftSchemaShape *shape, GError **error)
{
	for (guint i = 0; i < shape->set->len; i++) {
		const WeftClause *clause = clause_at(reading, shape->set, i);
		const WeftJson *names =
			clause ? clause->values[WEFT_KEYWORD_PROPERTY_NAMES] : NULL;
		g_autoptr(GArray) set = weft_set_new();
		if (!names)
			continue;
		if (!weft_reading_add_clause(reading, set, WEFT_ELEMENT_ALL, names, error))
			return FALSE;
		for (guint j = 0; j < shape->keys->len; j++) {
			guint32 key = g_array_index(shape->keys, guint32, j);
			const char *spelled = weft_reading_key_at(reading, key)->spelled;
			g_autoptr(WeftJson) text =
				weft_json_parse(spelled, strlen(spelled), WEFT_JSON_STRICT, error);
			WeftFit fit;
			if (!text || !weft_value_fit(reading, set, text, &fit, error))
				return FALSE;
			if (fit != WEFT_FIT_YES)
				g_hash_table_add(shape->forbidden, GUINT_TO_POINTER(key + 1));
		}
	}
	return TRUE;
}

static void drop_objects(WeftReading *reading, WeftSchemaShape *shape, const char *keyword,
			 const char *reason)
{
	const WeftClause *clause = NULL;
	for (guint i = 0; i < shape->set->len && !clause; i++)
		clause = clause_at(reading, shape->set, i);
	shape->types &= ~(guint)WEFT_TYPE_OBJECT;
	if (shape->why)
		return;
	g_autofree char *pointer =
		clause ? weft_reading_pointer(reading, clause->json) : g_strdup("");
	shape->why = g_strdup_printf("#%s: keyword \"%s\": %s", pointer, keyword, reason);
}

/* Takes out what may not be written, and what can't be counted. */
static void finish_keys(WeftReading *reading, WeftSchemaShape *shape)
{
	guint n = 0;
	for (guint i = 0; i < shape->keys->len; i++) {
		guint32 key = g_array_index(shape->keys, guint32, i);
		if (!g_hash_table_contains(shape->forbidden, GUINT_TO_POINTER(key + 1))) {
			g_array_index(shape->keys, guint32, n++) = key;
			continue;
		}
		g_hash_table_remove(shape->known, GUINT_TO_POINTER(key + 1));
		if (g_hash_table_contains(shape->required, GUINT_TO_POINTER(key + 1)))
			drop_objects(reading, shape, "required",
				     "names a key that other keywords forbid");
	}
	g_array_set_size(shape->keys, n);
	if (shape->n_members_min > shape->n_members_max)
		drop_objects(reading, shape, "minProperties", "larger than maxProperties");
	else if (g_hash_table_size(shape->required) > shape->n_members_max)
		drop_objects(reading, shape, "maxProperties", "smaller than the number of required keys");
	else if (!shape->is_map && shape->n_members_min > n)
		drop_objects(reading, shape, "minProperties",
			     "larger than the number of declared keys, and no others are written; "
			     "declare more \"properties\"");
}

gboolean weft_schema_shape_gather_keys(WeftReading *reading, WeftSchemaShape *shape, GError **error)
{
	if (!(shape->types & WEFT_TYPE_OBJECT))
		return TRUE;
	for (guint i = 0; i < shape->set->len; i++) {
		const WeftElement *element = &g_array_index(shape->set, WeftElement, i);
		const WeftClause *clause = clause_at(reading, shape->set, i);
		guint32 count;
		if (element->kind == WEFT_ELEMENT_REQUIRE)
			ask_key(shape, element->a);
		if (element->kind == WEFT_ELEMENT_FORBID)
			g_hash_table_add(shape->forbidden, GUINT_TO_POINTER(element->a + 1));
		if (!clause)
			continue;
		if (weft_clause_count(clause, WEFT_KEYWORD_MIN_PROPERTIES, &count))
			shape->n_members_min = MAX(shape->n_members_min, count);
		if (weft_clause_count(clause, WEFT_KEYWORD_MAX_PROPERTIES, &count))
			shape->n_members_max = MIN(shape->n_members_max, count);
		if (!declare(reading, shape, clause->values[WEFT_KEYWORD_PROPERTIES], error) ||
		    !require(reading, shape, clause->values[WEFT_KEYWORD_REQUIRED], error))
			return FALSE;
	}
	/* Required keys that nobody declares come last, in the order in which they are named. */
	for (guint i = 0; i < shape->asked->len; i++)
		know_key(shape, g_array_index(shape->asked, guint32, i));
	shape->is_map = shape->keys->len == 0 && g_hash_table_size(shape->forbidden) == 0;
	if (shape->is_map && !declare_names(reading, shape, error))
		return FALSE;
	if (shape->keys->len > WEFT_READING_PROPERTIES_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "schema of an object with %u properties, limit %u", shape->keys->len,
			    WEFT_READING_PROPERTIES_MAX);
		return FALSE;
	}
	if (!forbid_names(reading, shape, error))
		return FALSE;
	finish_keys(reading, shape);
	return TRUE;
}

gboolean weft_schema_shape_writes(const WeftSchemaShape *shape, guint32 key)
{
	return shape->is_map || g_hash_table_contains(shape->known, GUINT_TO_POINTER(key + 1));
}

/* The first pattern of patternProperties in the set; NULL: none. */
static const char *first_pattern(const WeftReading *reading, const GArray *set)
{
	for (guint i = 0; i < set->len; i++) {
		const WeftClause *clause = clause_at(reading, set, i);
		const WeftJson *patterns =
			clause ? clause->values[WEFT_KEYWORD_PATTERN_PROPERTIES] : NULL;
		if (weft_json_length(patterns) > 0)
			return weft_json_key_at(patterns, 0, NULL);
	}
	return NULL;
}

/* With patterns, all keys of a map fit the first one; other patterns may fit as well, so their
 * values fit those schemas, too. */
gboolean weft_schema_shape_map(WeftReading *reading, const WeftSchemaShape *shape, GArray **ret_keys,
			GArray **ret_values, GError **error)
{
	g_autoptr(GArray) keys = weft_set_new();
	g_autoptr(GArray) values = weft_set_new();
	const char *pattern = first_pattern(reading, shape->set);
	add_element(keys, WEFT_ELEMENT_TYPES, WEFT_TYPE_STRING);
	for (guint i = 0; i < shape->set->len; i++) {
		const WeftClause *clause = clause_at(reading, shape->set, i);
		if (!clause)
			continue;
		const WeftJson *patterns = clause->values[WEFT_KEYWORD_PATTERN_PROPERTIES];
		const WeftJson *others = clause->values[WEFT_KEYWORD_ADDITIONAL_PROPERTIES];
		const WeftJson *names = clause->values[WEFT_KEYWORD_PROPERTY_NAMES];
		if (!others)
			others = clause->values[WEFT_KEYWORD_UNEVALUATED_PROPERTIES];
		gboolean is_named = FALSE;
		for (gsize j = 0; j < weft_json_length(patterns); j++) {
			is_named = is_named ||
				   g_str_equal(weft_json_key_at(patterns, j, NULL), pattern);
			if (!weft_reading_add_clause(reading, values, WEFT_ELEMENT_CLAUSE,
						     weft_json_at(patterns, j), error))
				return FALSE;
		}
		if (others && !is_named &&
		    !weft_reading_add_clause(reading, values, WEFT_ELEMENT_CLAUSE, others, error))
			return FALSE;
		if (names && !weft_reading_add_clause(reading, keys, WEFT_ELEMENT_CLAUSE, names,
						      error))
			return FALSE;
	}
	if (pattern) {
		WeftElement element = {WEFT_ELEMENT_PATTERN,
				       weft_reading_key(reading, pattern, strlen(pattern)), 0};
		g_array_append_val(keys, element);
	}
	*ret_keys = g_steal_pointer(&keys);
	*ret_values = g_steal_pointer(&values);
	return TRUE;
}

/* ---- arrays ---- */

/* What a clause says of single items and of the rest, in whichever draft's words. */
static void item_schemas(const WeftClause *clause, const WeftJson **ret_prefix,
			 const WeftJson **ret_rest)
{
	const WeftJson *items = clause->values[WEFT_KEYWORD_ITEMS];
	*ret_prefix = clause->values[WEFT_KEYWORD_PREFIX_ITEMS];
	*ret_rest = items;
	if (weft_json_type(items) == WEFT_JSON_ARRAY) {
		*ret_prefix = items;
		*ret_rest = clause->values[WEFT_KEYWORD_ADDITIONAL_ITEMS];
	}
}

static gboolean is_item_evaluated(WeftReading *reading, const GArray *set, WeftClause *clause,
				  guint32 index, gboolean *ret_is_evaluated, GError **error)
{
	GHashTable *reach = weft_expansion_reach(reading, clause, error);
	*ret_is_evaluated = FALSE;
	if (!reach)
		return FALSE;
	for (guint i = 0; i < set->len; i++) {
		WeftClause *other = clause_at(reading, set, i);
		const WeftJson *prefix, *rest;
		if (!other || other == clause || !g_hash_table_contains(reach, other))
			continue;
		item_schemas(other, &prefix, &rest);
		if (index < weft_json_length(prefix) || rest ||
		    other->values[WEFT_KEYWORD_UNEVALUATED_ITEMS])
			*ret_is_evaluated = TRUE;
	}
	return TRUE;
}

GArray *weft_schema_shape_item(WeftReading *reading, const GArray *set, guint32 index, GError **error)
{
	g_autoptr(GArray) item = weft_set_new();
	for (guint i = 0; i < set->len; i++) {
		WeftClause *clause = clause_at(reading, set, i);
		const WeftJson *prefix, *rest;
		gboolean evaluated;
		if (!clause)
			continue;
		item_schemas(clause, &prefix, &rest);
		const WeftJson *said = index < weft_json_length(prefix) ? weft_json_at(prefix, index)
									: rest;
		const WeftJson *others = clause->values[WEFT_KEYWORD_UNEVALUATED_ITEMS];
		if (!said && others) {
			if (!is_item_evaluated(reading, set, clause, index, &evaluated, error))
				return NULL;
			said = evaluated ? NULL : others;
		}
		if (!weft_reading_spend(reading, 1, error) ||
		    (said && !weft_reading_add_clause(reading, item, WEFT_ELEMENT_CLAUSE, said,
						      error)))
			return NULL;
	}
	return g_steal_pointer(&item);
}

void weft_schema_shape_gather_prefix(const WeftReading *reading, WeftSchemaShape *shape)
{
	for (guint i = 0; i < shape->set->len; i++) {
		const WeftClause *clause = clause_at(reading, shape->set, i);
		const WeftJson *prefix, *rest;
		if (!clause)
			continue;
		item_schemas(clause, &prefix, &rest);
		shape->n_prefix = MAX(shape->n_prefix, (guint32)weft_json_length(prefix));
	}
}

