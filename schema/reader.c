#include "schema/reader.h"

#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "schema/disjoint.h"
#include "schema/exclusion.h"
#include "schema/value.h"

/* Slots and parts of nodes; what is left of them in the end is half. */
#define NODES_MAX (2 * WEFT_SCHEMA_NODES_MAX)
/* Properties times those of the optional ones that have to be there: the size of a table. */
#define TAILS_MAX (1u << 20)

typedef struct Waiting {
	WeftNode *slot;
	GArray *set;
} Waiting;

static WeftNode *node_new(WeftReading *reading, WeftNodeKind kind, GError **error)
{
	if (reading->schema->nodes->len >= NODES_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "schema of more than %u nodes",
			    WEFT_SCHEMA_NODES_MAX);
		return NULL;
	}
	WeftNode *node = g_new0(WeftNode, 1);
	node->kind = kind;
	node->id = reading->schema->nodes->len;
	node->least.bytes = G_MAXSIZE;
	node->n_max = WEFT_SCHEMA_UNLIMITED;
	node->length_max = WEFT_SCHEMA_UNLIMITED;
	g_ptr_array_add(reading->schema->nodes, node);
	g_ptr_array_add(reading->reasons, NULL);
	g_ptr_array_add(reading->places, NULL);
	return node;
}

static void set_reason(WeftReading *reading, const WeftNode *node, const char *why)
{
	if (why && !reading->reasons->pdata[node->id])
		reading->reasons->pdata[node->id] = g_strdup(why);
}

/* The slot of a set; it is filled later. */
static WeftNode *slot_of(WeftReading *reading, const GArray *set, GError **error)
{
	g_autoptr(GBytes) key = weft_set_key(set);
	WeftNode *slot = g_hash_table_lookup(reading->slots, key);
	if (slot)
		return slot;
	slot = node_new(reading, WEFT_NODE_BRANCHES, error);
	if (!slot)
		return NULL;
	slot->branches = g_ptr_array_new();
	if (set->len > 0 && g_array_index(set, WeftElement, 0).kind == WEFT_ELEMENT_CLAUSE)
		reading->places->pdata[slot->id] = (gpointer)weft_reading_clause_at(
			reading, g_array_index(set, WeftElement, 0).a)->json;
	g_hash_table_insert(reading->slots, g_steal_pointer(&key), slot);
	Waiting *waiting = g_new0(Waiting, 1);
	waiting->slot = slot;
	waiting->set = weft_set_new();
	if (set->len > 0)
		g_array_append_vals(waiting->set, set->data, set->len);
	g_queue_push_tail(&reading->waiting, waiting);
	return slot;
}

/* Takes over the set. */
static WeftNode *slot_of_set(WeftReading *reading, GArray *take_set, GError **error)
{
	WeftNode *slot = take_set ? slot_of(reading, take_set, error) : NULL;
	if (take_set)
		g_array_unref(take_set);
	return slot;
}

/* ---- one type of a shape ---- */

static WeftNode *string_node(WeftReading *reading, const WeftSchemaShape *shape, gboolean is_verbatim,
			     GError **error)
{
	WeftNode *node = node_new(reading, WEFT_NODE_STRING, error);
	if (!node)
		return NULL;
	node->lexeme = shape->lexeme;
	node->length_min = shape->length_min;
	node->length_max = shape->length_max;
	node->is_verbatim = is_verbatim;
	node->means = WEFT_SCHEMA_STRINGS;
	for (guint i = 0; i < shape->parts->len; i++) {
		const WeftLexemePart *part = &g_array_index(shape->parts, WeftLexemePart, i);
		if (part->kind != WEFT_LEXEME_FORMAT || part->is_not)
			continue;
		node->is_day |= g_str_equal(part->text, "date");
		node->means = g_str_has_prefix(part->text, "date") ? WEFT_SCHEMA_DAYS : WEFT_SCHEMA_OTHERS;
	}
	return node;
}

static WeftNode *number_node(WeftReading *reading, const WeftSchemaShape *shape, gboolean is_verbatim,
			     GError **error)
{
	WeftNode *node = node_new(reading, WEFT_NODE_NUMBER, error);
	if (!node)
		return NULL;
	node->numbers = shape->numbers;
	node->is_verbatim = is_verbatim;
	return node;
}

/* Items of the prefix differ from each other and from the rest whatever they are; or there is one
 * item at most. */
static gboolean prefix_is_unique(WeftReading *reading, const WeftSchemaShape *shape,
				 gboolean *ret_is_unique, GError **error)
{
	guint32 n = MIN(shape->n_prefix, shape->n_items_max);
	*ret_is_unique = n <= 8;
	for (guint32 i = 0; i < n && *ret_is_unique; i++) {
		guint32 end = shape->n_items_max > n ? n + 1 : n;
		for (guint32 j = i + 1; j < end && *ret_is_unique; j++) {
			g_autoptr(GArray) a = weft_schema_shape_item(reading, shape->set, i, error);
			g_autoptr(GArray) b =
				a ? weft_schema_shape_item(reading, shape->set,
						    j < n ? j : WEFT_SCHEMA_SHAPE_REST, error)
				  : NULL;
			if (!b || !weft_disjoint_sets(reading, a, b, ret_is_unique, error))
				return FALSE;
		}
	}
	return TRUE;
}

static gboolean refuse_unique(const WeftReading *reading, const WeftSchemaShape *shape, GError **error)
{
	for (guint i = 0; i < shape->set->len; i++) {
		const WeftElement *element = &g_array_index(shape->set, WeftElement, i);
		const WeftClause *clause = element->kind == WEFT_ELEMENT_CLAUSE
						   ? weft_reading_clause_at(reading, element->a)
						   : NULL;
		if (clause && clause->values[WEFT_KEYWORD_UNIQUE_ITEMS])
			return weft_reading_refuse(
				reading, clause, WEFT_KEYWORD_UNIQUE_ITEMS,
				"only over items that are strings, or else enum, const, boolean or null, "
				"and without a minItems above 1 over strings; leave it out, or give the "
				"items an \"enum\"",
				error);
	}
	return FALSE;
}

/* Strings and nothing else: the automaton keeps them apart. That a second one is there can't be promised
 * of every pattern and document. */
static gboolean are_strings(const WeftNode *node, const WeftSchemaShape *shape, const GPtrArray *cases,
			    const WeftSchemaShape *item)
{
	const WeftCase *one = g_ptr_array_index(cases, 0);
	return cases->len == 1 && item->types == WEFT_TYPE_STRING && item->values->len == 0 &&
	       one->exclusions->len == 0 && node->n_min <= shape->n_prefix + 1;
}

/* Finds the values of unique items: they bound the number of items. */
static gboolean make_unique(WeftReading *reading, WeftNode *node, const WeftSchemaShape *shape,
			    GError **error)
{
	gboolean is_unique;
	if (!prefix_is_unique(reading, shape, &is_unique, error))
		return FALSE;
	if (!is_unique)
		return refuse_unique(reading, shape, error);
	if (node->n_max <= shape->n_prefix + (shape->n_prefix == 0))
		return TRUE;
	g_autoptr(GArray) set = weft_schema_shape_item(reading, shape->set, WEFT_SCHEMA_SHAPE_REST, error);
	g_autoptr(GPtrArray) cases = set ? weft_expansion_new(reading, set, NULL, error) : NULL;
	g_autoptr(GHashTable) values =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (!cases)
		return FALSE;
	for (guint i = 0; i < cases->len; i++) {
		const WeftCase *one = g_ptr_array_index(cases, i);
		const WeftSchemaShape *item = weft_schema_shape_of(reading, one->elements, error);
		if (!item)
			return FALSE;
		if (are_strings(node, shape, cases, item)) {
			node->items_differ = TRUE;
			node->n_max = MIN(node->n_max, shape->n_prefix + WEFT_SCHEMA_KEYS_MAX);
			return TRUE;
		}
		if (item->types != 0)
			return refuse_unique(reading, shape, error);
		for (guint j = 0; j < item->values->len; j++) {
			char *text = weft_value_identity(item->values->pdata[j]);
			if (text)
				g_hash_table_add(values, text);
		}
	}
	node->is_unique = TRUE;
	node->n_max = MIN(node->n_max, shape->n_prefix + g_hash_table_size(values));
	if (node->n_min > node->n_max)
		set_reason(reading, node,
			   "keyword \"uniqueItems\": its items have fewer values than minItems asks for");
	return TRUE;
}

static WeftNode *array_node(WeftReading *reading, const WeftSchemaShape *shape, GError **error)
{
	WeftNode *node = node_new(reading, WEFT_NODE_ARRAY, error);
	if (!node)
		return NULL;
	guint32 n_prefix = MIN(shape->n_prefix, shape->n_items_max);
	node->n_min = shape->n_items_min;
	node->n_max = shape->n_items_max;
	if (shape->is_unique && !make_unique(reading, node, shape, error))
		return NULL;
	if (n_prefix > 0)
		node->prefix = g_ptr_array_new();
	for (guint32 i = 0; i < n_prefix; i++) {
		WeftNode *item = slot_of_set(
			reading, weft_schema_shape_item(reading, shape->set, i, error), error);
		if (!item)
			return NULL;
		g_ptr_array_add(node->prefix, item);
	}
	if (node->n_max <= n_prefix)
		return node;
	node->items = slot_of_set(
		reading, weft_schema_shape_item(reading, shape->set, WEFT_SCHEMA_SHAPE_REST, error), error);
	return node->items ? node : NULL;
}

static WeftNode *map_node(WeftReading *reading, const WeftSchemaShape *shape, GError **error)
{
	WeftNode *node = node_new(reading, WEFT_NODE_MAP, error);
	g_autoptr(GArray) keys = NULL;
	g_autoptr(GArray) values = NULL;
	if (!node || !weft_schema_shape_map(reading, shape, &keys, &values, error))
		return NULL;
	g_autoptr(GPtrArray) cases = weft_expansion_new(reading, keys, NULL, error);
	if (!cases)
		return NULL;
	const WeftCase *one = cases->len > 0 ? g_ptr_array_index(cases, 0) : NULL;
	const WeftSchemaShape *name = one ? weft_schema_shape_of(reading, one->elements, error) : NULL;
	if (one && !name)
		return NULL;
	node->n_min = shape->n_members_min;
	node->n_max = MIN(shape->n_members_max, WEFT_SCHEMA_KEYS_MAX);
	/* Of several kinds of names the first will do, unless it must keep clear of something. */
	if (!name || !(name->types & WEFT_TYPE_STRING) || one->exclusions->len > 0)
		node->n_max = 0;
	else
		node->keys = string_node(reading, name, FALSE, error);
	if (node->n_max > 0 && !node->keys)
		return NULL;
	if (node->keys && (name->lexeme || name->length_max < 2)) {
		if (node->n_min > 1)
			node->n_max = 0;
	}
	if (node->n_min > node->n_max)
		set_reason(reading, node,
			   "keyword \"minProperties\": more than the keys that can be promised to "
			   "differ; declare \"properties\"");
	node->items = slot_of(reading, values, error);
	return node->items ? node : NULL;
}

static gboolean refuse_noncharacter(const char *pointer, const char *keyword, gunichar c,
				    GError **error)
{
	g_autofree char *reason = g_strdup_printf(
		"holds U+%04X, which is no character and is never written (RFC 7493); write U+FFFD, or "
		"another character",
		c);
	return weft_clause_refuse(pointer, keyword, reason, error);
}

/* A key that is never written, at the keyword that names it. */
static gboolean check_key(const WeftReading *reading, const WeftSchemaShape *shape, const WeftKey *key,
			  GError **error)
{
	static const WeftKeyword keywords[] = {WEFT_KEYWORD_PROPERTIES, WEFT_KEYWORD_REQUIRED,
					       WEFT_KEYWORD_PROPERTY_NAMES};
	gunichar c = weft_utf8_noncharacter(key->text, key->size_bytes);
	for (guint i = 0; c && i < shape->set->len * G_N_ELEMENTS(keywords); i++) {
		WeftKeyword keyword = keywords[i / shape->set->len];
		const WeftElement *element =
			&g_array_index(shape->set, WeftElement, i % shape->set->len);
		const WeftClause *clause = element->kind == WEFT_ELEMENT_CLAUSE
						   ? weft_reading_clause_at(reading, element->a)
						   : NULL;
		if (!clause || !clause->values[keyword] ||
		    (keyword == WEFT_KEYWORD_PROPERTIES &&
		     !weft_reading_member(clause->values[keyword], key)))
			continue;
		g_autofree char *pointer = weft_reading_pointer(reading, clause->json);
		return refuse_noncharacter(pointer, weft_keyword_name(keyword), c, error);
	}
	return !c || refuse_noncharacter("", "required", c, error);
}

static WeftNode *object_node(WeftReading *reading, const WeftSchemaShape *shape, GError **error)
{
	if (shape->is_map)
		return map_node(reading, shape, error);
	WeftNode *node = node_new(reading, WEFT_NODE_OBJECT, error);
	if (!node)
		return NULL;
	node->properties = g_array_new(FALSE, FALSE, sizeof(WeftProperty));
	for (guint i = 0; i < shape->keys->len; i++) {
		guint32 key = g_array_index(shape->keys, guint32, i);
		WeftProperty property = {0};
		property.is_required =
			g_hash_table_contains(shape->required, GUINT_TO_POINTER(key + 1));
		property.node = slot_of_set(
			reading, weft_schema_shape_child(reading, shape->set, key, error), error);
		if (!property.node ||
		    !check_key(reading, shape, weft_reading_key_at(reading, key), error))
			return NULL;
		property.key = g_strconcat(weft_reading_key_at(reading, key)->spelled, ":", NULL);
		property.key_bytes = strlen(property.key);
		g_array_append_val(node->properties, property);
	}
	guint n_required = g_hash_table_size(shape->required);
	node->n_optional_min =
		shape->n_members_min > n_required ? shape->n_members_min - n_required : 0;
	node->n_optional_max =
		MIN(shape->n_members_max, shape->keys->len) - n_required;
	if ((gsize)(node->n_optional_min + 1) * (shape->keys->len + 1) > TAILS_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "schema of an object with %u properties of which %u optional ones must "
			    "be there",
			    shape->keys->len, node->n_optional_min);
		return NULL;
	}
	return node;
}

/* ---- a slot ---- */

typedef struct Filling {
	WeftNode *slot;
	GPtrArray *values;       /* of const WeftJson * */
	const WeftCleared *cleared;
	gboolean has_null;
} Filling;

/* A string or a number must stand in the document when the schema says so; a string also by default
 * when the schema says nothing but a length. There has to be a value that always stands there: "" or
 * null. */
static gboolean is_verbatim(WeftReading *reading, const Filling *filling, const WeftSchemaShape *shape,
			    guint type, gboolean *ret_is_verbatim, GError **error)
{
	gboolean has_way = filling->has_null ||
			   (type == WEFT_TYPE_STRING && shape->length_min == 0 &&
			    (!shape->lexeme || weft_lexeme_contains(shape->lexeme, "", 0)));
	*ret_is_verbatim = shape->says_verbatim ||
			   (type == WEFT_TYPE_STRING && reading->options.is_verbatim &&
			    !shape->says_free && shape->parts->len == 0 && has_way);
	if (!shape->says_verbatim || has_way)
		return TRUE;
	for (guint i = 0; i < shape->set->len; i++) {
		const WeftElement *element = &g_array_index(shape->set, WeftElement, i);
		const WeftClause *clause = element->kind == WEFT_ELEMENT_CLAUSE
						   ? weft_reading_clause_at(reading, element->a)
						   : NULL;
		if (clause && clause->values[WEFT_KEYWORD_VERBATIM])
			return weft_reading_refuse(
				reading, clause, WEFT_KEYWORD_VERBATIM,
				type == WEFT_TYPE_STRING
					? "a document may have no such text; write \"type\": "
					  "[\"string\", \"null\"]"
					: "a document may have no such number; write \"type\": "
					  "[\"number\", \"null\"]",
				error);
	}
	return TRUE;
}

static void note_verbatim(WeftReading *reading, const WeftSchemaShape *shape)
{
	const WeftClause *found = NULL;
	for (guint i = 0; i < shape->set->len && !found; i++) {
		const WeftElement *element = &g_array_index(shape->set, WeftElement, i);
		if (element->kind == WEFT_ELEMENT_CLAUSE)
			found = weft_reading_clause_at(reading, element->a);
	}
	if (!found)
		return;
	g_autofree char *pointer = weft_reading_pointer(reading, found->json);
	for (guint i = 0; i < reading->schema->verbatim->len; i++)
		if (g_str_equal(reading->schema->verbatim->pdata[i], pointer))
			return;
	g_ptr_array_add(reading->schema->verbatim, g_steal_pointer(&pointer));
}

/* The node of one type, shared by all slots with the same set. */
static WeftNode *part_of(WeftReading *reading, const Filling *filling, guint type, GError **error)
{
	const WeftSchemaShape *shape = filling->cleared->shape;
	gboolean verbatim = FALSE;
	if ((type == WEFT_TYPE_STRING || type == WEFT_TYPE_NUMBER) &&
	    !is_verbatim(reading, filling, shape, type, &verbatim, error))
		return NULL;
	g_autoptr(GArray) name = weft_set_new();
	WeftElement kind = {G_MAXUINT32, type, verbatim};
	g_array_append_vals(name, shape->set->data, shape->set->len);
	g_array_append_val(name, kind);
	g_autoptr(GBytes) key = weft_set_key(name);
	WeftNode *node = g_hash_table_lookup(reading->parts, key);
	if (node)
		return node;
	if (verbatim)
		note_verbatim(reading, shape);
	switch (type) {
	case WEFT_TYPE_STRING:
		node = string_node(reading, shape, verbatim, error);
		break;
	case WEFT_TYPE_NUMBER:
		node = number_node(reading, shape, verbatim, error);
		break;
	case WEFT_TYPE_ARRAY:
		node = array_node(reading, shape, error);
		break;
	default:
		node = object_node(reading, shape, error);
		break;
	}
	if (node)
		g_hash_table_insert(reading->parts, g_steal_pointer(&key), node);
	return node;
}

static gint compare_texts(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A value of enum or const that is never written. */
static gboolean check_literal(const WeftReading *reading, const WeftJson *value, const char *text,
			      GError **error)
{
	gunichar c = weft_utf8_noncharacter(text, strlen(text));
	if (!c)
		return TRUE;
	g_autofree char *pointer = weft_reading_pointer(reading, value);
	char *last = strrchr(pointer, '/');
	if (!g_str_equal(last, "/const")) { /* .../enum/3 */
		*last = '\0';
		last = strrchr(pointer, '/');
	}
	*last = '\0';
	return refuse_noncharacter(pointer, last + 1, c, error);
}

/* One node of all literals of the slot; none when there are none. */
static gboolean add_literals(WeftReading *reading, const Filling *filling, GError **error)
{
	if (filling->values->len == 0)
		return TRUE;
	if (filling->values->len > WEFT_READING_LITERALS_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "schema with more than %u values at one place",
			    WEFT_READING_LITERALS_MAX);
		return FALSE;
	}
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GPtrArray) literals = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < filling->values->len; i++) {
		char *identity = weft_value_identity(filling->values->pdata[i]);
		if (identity && !check_literal(reading, filling->values->pdata[i], identity, error)) {
			g_free(identity);
			return FALSE;
		}
		if (identity && g_hash_table_add(seen, identity))
			g_ptr_array_add(literals, weft_value_text(filling->values->pdata[i]));
	}
	if (literals->len == 0) {
		set_reason(reading, filling->slot, "keyword \"enum\": numbers that no double holds");
		return TRUE;
	}
	WeftNode *node = node_new(reading, WEFT_NODE_LITERALS, error);
	if (!node)
		return FALSE;
	g_ptr_array_sort(literals, compare_texts);
	node->literals = g_steal_pointer(&literals);
	g_ptr_array_add(filling->slot->branches, node);
	return TRUE;
}

static gboolean add_parts(WeftReading *reading, Filling *filling, GError **error)
{
	static const guint parts[] = {WEFT_TYPE_STRING, WEFT_TYPE_NUMBER, WEFT_TYPE_ARRAY,
				      WEFT_TYPE_OBJECT};
	GPtrArray *branches = filling->slot->branches;
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		if (!(filling->cleared->types & parts[i]))
			continue;
		WeftNode *node = part_of(reading, filling, parts[i], error);
		if (!node)
			return FALSE;
		if (!g_ptr_array_find(branches, node, NULL))
			g_ptr_array_add(branches, node);
		if (branches->len <= WEFT_SCHEMA_BRANCHES_MAX)
			continue;
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "schema with more than %d alternatives at one place, after enum and "
			    "const are counted as one; divide it, or let one object with an enum "
			    "stand for several",
			    WEFT_SCHEMA_BRANCHES_MAX);
		return FALSE;
	}
	return TRUE;
}

/* Why all that a case allows may be gone, if it is; NULL: it can't be. */
static const char *nothing_left(const WeftCase *one)
{
	if (one->exclusions->len == 0)
		return NULL;
	switch (g_array_index(one->exclusions, WeftExclusion, 0).keyword) {
	case WEFT_KEYWORD_ONE_OF:
		return "keyword \"oneOf\": what fits one of its schemas fits another one as well";
	case WEFT_KEYWORD_IF:
		return "keyword \"if\": leaves nothing";
	default:
		return "keyword \"not\": leaves nothing";
	}
}

static gboolean fill(WeftReading *reading, WeftNode *slot, const GArray *set, GError **error)
{
	g_autofree char *why = NULL;
	g_autoptr(GPtrArray) cases = weft_expansion_new(reading, set, &why, error);
	g_autoptr(GPtrArray) all =
		g_ptr_array_new_with_free_func((GDestroyNotify)weft_cleared_free);
	g_autoptr(GPtrArray) values = g_ptr_array_new();
	if (!cases)
		return FALSE;
	set_reason(reading, slot, why);
	Filling filling = {.slot = slot, .values = values};
	for (guint i = 0; i < cases->len; i++)
		if (!weft_exclusion_clear(reading, g_ptr_array_index(cases, i), all, error))
			return FALSE;
	for (guint i = 0; i < all->len; i++) {
		const WeftCleared *cleared = g_ptr_array_index(all, i);
		set_reason(reading, slot, cleared->shape->why);
		for (guint j = 0; j < cleared->values->len; j++) {
			g_ptr_array_add(values, cleared->values->pdata[j]);
			filling.has_null = filling.has_null ||
					   weft_json_type(cleared->values->pdata[j]) ==
						   WEFT_JSON_NULL;
		}
	}
	if (!add_literals(reading, &filling, error))
		return FALSE;
	if (cases->len > 0)
		set_reason(reading, slot, nothing_left(g_ptr_array_index(cases, 0)));
	for (guint i = 0; i < all->len; i++) {
		filling.cleared = g_ptr_array_index(all, i);
		if (!add_parts(reading, &filling, error))
			return FALSE;
	}
	return TRUE;
}

/* What went over a limit says only which: adds the place where it was being read. */
static void add_place(const WeftReading *reading, const GArray *set, GError **error)
{
	const WeftClause *clause = NULL;
	if (!error || !g_error_matches(*error, WEFT_ERROR, WEFT_ERROR_LIMIT) ||
	    (*error)->message[0] == '#')
		return;
	for (guint i = 0; i < set->len && !clause; i++) {
		const WeftElement *element = &g_array_index(set, WeftElement, i);
		if (element->kind == WEFT_ELEMENT_CLAUSE)
			clause = weft_reading_clause_at(reading, element->a);
	}
	g_autofree char *pointer = clause ? weft_reading_pointer(reading, clause->json) : g_strdup("");
	g_prefix_error(error, "#%s: ", pointer);
}

WeftNode *weft_reader_fill(WeftReading *reading, const GArray *set, GError **error)
{
	WeftNode *root = slot_of(reading, set, error);
	gboolean fine = root != NULL;
	Waiting *waiting;
	while ((waiting = g_queue_pop_head(&reading->waiting))) {
		if (fine && !fill(reading, waiting->slot, waiting->set, error)) {
			fine = FALSE;
			add_place(reading, waiting->set, error);
		}
		g_array_unref(waiting->set);
		g_free(waiting);
	}
	return fine ? root : NULL;
}
