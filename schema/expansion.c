#include "schema/expansion.h"

#include "base/error.h"

/* In-place schemas inside each other; a chain of references counts. */
#define IN_PLACE_MAX 256u

typedef struct Choice {
	WeftKeyword keyword;
	guint32 clause;
	gsize member; /* of dependentRequired and the like */
} Choice;

/* One combination of choices, as far as it has come. */
typedef struct Way {
	GArray *elements;   /* what is kept */
	GArray *pending;    /* still to be looked at, the next one last */
	GArray *choices;    /* of Choice */
	guint n_chosen;
	GArray *exclusions;
	GHashTable *seen;   /* of clauses, by number + 1 */
	guint types;
} Way;

typedef struct Expansion {
	WeftReading *reading;
	GPtrArray *cases;
	char *why;
} Expansion;

void weft_case_free(WeftCase *one)
{
	if (!one)
		return;
	g_array_unref(one->elements);
	g_array_unref(one->exclusions);
	g_free(one);
}

static GArray *copy(const GArray *array)
{
	GArray *other = g_array_new(FALSE, FALSE, g_array_get_element_size((GArray *)array));
	if (array->len > 0)
		g_array_append_vals(other, array->data, array->len);
	return other;
}

static void way_done(Way *way)
{
	g_array_unref(way->elements);
	g_array_unref(way->pending);
	g_array_unref(way->choices);
	g_array_unref(way->exclusions);
	g_hash_table_unref(way->seen);
}

static void way_copy(Way *to, const Way *from)
{
	GHashTableIter iter;
	gpointer key;
	*to = (Way){.elements = copy(from->elements),
		    .pending = copy(from->pending),
		    .choices = copy(from->choices),
		    .n_chosen = from->n_chosen,
		    .exclusions = copy(from->exclusions),
		    .seen = g_hash_table_new(NULL, NULL),
		    .types = from->types};
	g_hash_table_iter_init(&iter, from->seen);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_hash_table_add(to->seen, key);
}

/* ---- what a clause leads to ---- */

typedef gboolean (*Visit)(WeftReading *reading, const WeftJson *json, gpointer context,
			  GError **error);

static const WeftJson *target_of(WeftReading *reading, const WeftClause *clause,
				 WeftKeyword keyword, GError **error)
{
	g_autofree char *pointer = weft_reading_pointer(reading, clause->json);
	return weft_references_find(reading->references, clause->json, keyword, pointer, error);
}

/* Every schema that speaks of the same value, whichever way is chosen. */
static gboolean visit_in_place(WeftReading *reading, const WeftClause *clause, gboolean with_not,
			       Visit visit, gpointer context, GError **error)
{
	static const WeftKeyword references[] = {WEFT_KEYWORD_REF, WEFT_KEYWORD_DYNAMIC_REF};
	static const WeftKeyword lists[] = {WEFT_KEYWORD_ALL_OF, WEFT_KEYWORD_ANY_OF,
					    WEFT_KEYWORD_ONE_OF, WEFT_KEYWORD_DEPENDENT_SCHEMAS,
					    WEFT_KEYWORD_DEPENDENCIES};
	static const WeftKeyword singles[] = {WEFT_KEYWORD_IF, WEFT_KEYWORD_THEN,
					      WEFT_KEYWORD_ELSE};
	for (gsize i = 0; i < G_N_ELEMENTS(references); i++) {
		if (!clause->values[references[i]])
			continue;
		const WeftJson *target = target_of(reading, clause, references[i], error);
		if (!target || !visit(reading, target, context, error))
			return FALSE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
		const WeftJson *list = clause->values[lists[i]];
		for (gsize j = 0; j < weft_json_length(list); j++) {
			const WeftJson *member = weft_json_at(list, j);
			if (weft_json_type(member) != WEFT_JSON_ARRAY &&
			    !visit(reading, member, context, error))
				return FALSE;
		}
	}
	for (gsize i = 0; i < G_N_ELEMENTS(singles); i++)
		if (clause->values[singles[i]] &&
		    !visit(reading, clause->values[singles[i]], context, error))
			return FALSE;
	return !with_not || !clause->values[WEFT_KEYWORD_NOT] ||
	       visit(reading, clause->values[WEFT_KEYWORD_NOT], context, error);
}

enum { WALK_NEW, WALK_OPEN, WALK_DONE };

/* Depth first, with IN_PLACE_MAX as the limit of the recursion. */
static gboolean check_loop(WeftReading *reading, const WeftJson *json, gpointer context,
			   GError **error)
{
	guint depth = GPOINTER_TO_UINT(context);
	WeftClause *clause = weft_reading_clause(reading, json, error);
	if (!clause)
		return FALSE;
	if (clause->walk == WALK_DONE)
		return TRUE;
	if (clause->walk == WALK_OPEN) {
		g_autofree char *pointer = weft_reading_pointer(reading, json);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA,
			    "#%s: leads back to itself without a value between, so nothing is an "
			    "instance of it; refer to it from inside \"properties\" or \"items\"",
			    pointer);
		return FALSE;
	}
	if (depth >= IN_PLACE_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "schema with a chain of more than %u references and alternatives",
			    IN_PLACE_MAX);
		return FALSE;
	}
	clause->walk = WALK_OPEN;
	gboolean fine = weft_reading_spend(reading, 1, error) &&
			visit_in_place(reading, clause, TRUE, check_loop,
				       GUINT_TO_POINTER(depth + 1), error);
	clause->walk = WALK_DONE;
	return fine;
}

static gboolean collect_reach(WeftReading *reading, const WeftJson *json, gpointer context,
			      GError **error)
{
	GHashTable *reach = context;
	WeftClause *clause = weft_reading_clause(reading, json, error);
	if (!clause || !weft_reading_spend(reading, 1, error))
		return FALSE;
	return !g_hash_table_add(reach, clause) ||
	       visit_in_place(reading, clause, FALSE, collect_reach, reach, error);
}

GHashTable *weft_expansion_reach(WeftReading *reading, WeftClause *clause, GError **error)
{
	if (clause->reach)
		return clause->reach;
	g_autoptr(GHashTable) reach = g_hash_table_new(NULL, NULL);
	if (!check_loop(reading, clause->json, GUINT_TO_POINTER(0), error) ||
	    !collect_reach(reading, clause->json, reach, error))
		return NULL;
	clause->reach = g_steal_pointer(&reach);
	return clause->reach;
}

/* ---- following ---- */

static void add_element(GArray *set, WeftElementKind kind, guint32 a, guint32 b)
{
	WeftElement element = {kind, a, b};
	g_array_append_val(set, element);
}

static void add_choice(Way *way, WeftKeyword keyword, guint32 clause, gsize member)
{
	Choice choice = {keyword, clause, member};
	g_array_append_val(way->choices, choice);
}

static gboolean add_exclusion(WeftReading *reading, Way *way, const WeftJson *json,
			      guint32 origin, WeftKeyword keyword, GError **error)
{
	WeftClause *clause = weft_reading_clause(reading, json, error);
	if (!clause)
		return FALSE;
	WeftExclusion exclusion = {clause->index, origin, keyword};
	g_array_append_val(way->exclusions, exclusion);
	return TRUE;
}

static void set_why(Expansion *expansion, const WeftClause *clause, const char *reason)
{
	if (expansion->why)
		return;
	g_autofree char *pointer = weft_reading_pointer(expansion->reading, clause->json);
	expansion->why = g_strdup_printf("#%s: %s", pointer, reason);
}

/* Choices of a clause; those with one way only are none. */
static gboolean take_choices(WeftReading *reading, Way *way, const WeftClause *clause,
			     GError **error)
{
	static const WeftKeyword alternatives[] = {WEFT_KEYWORD_ANY_OF, WEFT_KEYWORD_ONE_OF};
	static const WeftKeyword dependencies[] = {WEFT_KEYWORD_DEPENDENT_REQUIRED,
						   WEFT_KEYWORD_DEPENDENT_SCHEMAS,
						   WEFT_KEYWORD_DEPENDENCIES};
	for (gsize i = 0; i < G_N_ELEMENTS(alternatives); i++) {
		const WeftJson *list = clause->values[alternatives[i]];
		if (weft_json_length(list) == 1 &&
		    !weft_reading_add_clause(reading, way->pending, WEFT_ELEMENT_CLAUSE,
					     weft_json_at(list, 0), error))
			return FALSE;
		if (weft_json_length(list) > 1)
			add_choice(way, alternatives[i], clause->index, 0);
	}
	if (clause->values[WEFT_KEYWORD_IF] &&
	    (clause->values[WEFT_KEYWORD_THEN] || clause->values[WEFT_KEYWORD_ELSE]))
		add_choice(way, WEFT_KEYWORD_IF, clause->index, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(dependencies); i++)
		for (gsize j = 0; j < weft_json_length(clause->values[dependencies[i]]); j++)
			add_choice(way, dependencies[i], clause->index, j);
	return TRUE;
}

/* A "not" of nothing but a "not" asks for what stands in that. */
static gboolean take_not(WeftReading *reading, Way *way, const WeftClause *clause, GError **error)
{
	const WeftJson *json = clause->values[WEFT_KEYWORD_NOT];
	const WeftClause *inner = weft_reading_clause(reading, json, error);
	gboolean is_double = inner && !inner->is_own && inner->values[WEFT_KEYWORD_NOT];
	for (WeftKeyword keyword = WEFT_KEYWORD_REF; keyword <= WEFT_KEYWORD_DEPENDENCIES;
	     keyword++)
		is_double = is_double &&
			    (keyword == WEFT_KEYWORD_NOT || !inner->values[keyword]);
	if (is_double)
		return weft_reading_add_clause(reading, way->pending, WEFT_ELEMENT_CLAUSE,
					       inner->values[WEFT_KEYWORD_NOT], error);
	return inner && add_exclusion(reading, way, json, clause->index, WEFT_KEYWORD_NOT, error);
}

/* *ret_is_possible: FALSE when nothing fits the way any more. */
static gboolean take_clause(Expansion *expansion, Way *way, const WeftClause *clause,
			    gboolean *ret_is_possible, GError **error)
{
	WeftReading *reading = expansion->reading;
	const WeftJson *all = clause->values[WEFT_KEYWORD_ALL_OF];
	*ret_is_possible = TRUE;
	if (!g_hash_table_add(way->seen, GUINT_TO_POINTER(clause->index + 1)))
		return TRUE;
	way->types &= clause->types;
	*ret_is_possible = !clause->is_false && way->types != 0;
	if (!*ret_is_possible) {
		set_why(expansion, clause,
			clause->is_false ? "the schema false, where something has to stand (a required key that "
					   "\"properties\" has not?)"
					 : "keyword \"type\": excludes what stands beside it");
		return TRUE;
	}
	if (clause->is_own)
		add_element(way->elements, WEFT_ELEMENT_CLAUSE, clause->index, 0);
	for (gsize i = weft_json_length(all); i-- > 0;)
		if (!weft_reading_add_clause(reading, way->pending, WEFT_ELEMENT_CLAUSE,
					     weft_json_at(all, i), error))
			return FALSE;
	for (WeftKeyword keyword = WEFT_KEYWORD_DYNAMIC_REF; keyword >= WEFT_KEYWORD_REF;
	     keyword--) {
		if (!clause->values[keyword])
			continue;
		const WeftJson *target = target_of(reading, clause, keyword, error);
		if (!target || !weft_reading_add_clause(reading, way->pending,
							WEFT_ELEMENT_CLAUSE, target, error))
			return FALSE;
	}
	if (clause->values[WEFT_KEYWORD_NOT] && !take_not(reading, way, clause, error))
		return FALSE;
	return take_choices(reading, way, clause, error);
}

static gboolean take_all(Expansion *expansion, Way *way, gboolean *ret_is_possible,
			 GError **error)
{
	WeftReading *reading = expansion->reading;
	*ret_is_possible = TRUE;
	while (way->pending->len > 0 && *ret_is_possible) {
		WeftElement element =
			g_array_index(way->pending, WeftElement, way->pending->len - 1);
		const WeftClause *clause;
		g_array_set_size(way->pending, way->pending->len - 1);
		if (!weft_reading_spend(reading, 1, error))
			return FALSE;
		switch (element.kind) {
		case WEFT_ELEMENT_CLAUSE:
			clause = weft_reading_clause_at(reading, element.a);
			if (!check_loop(reading, clause->json, GUINT_TO_POINTER(0), error) ||
			    !take_clause(expansion, way, clause, ret_is_possible, error))
				return FALSE;
			break;
		case WEFT_ELEMENT_NOT:
			clause = weft_reading_clause_at(reading, element.a);
			if (!check_loop(reading, clause->json, GUINT_TO_POINTER(0), error) ||
			    !add_exclusion(reading, way, clause->json, element.a,
					   WEFT_KEYWORD_NOT, error))
				return FALSE;
			break;
		case WEFT_ELEMENT_TYPES:
			way->types &= element.a;
			*ret_is_possible = way->types != 0;
			g_array_append_val(way->elements, element);
			break;
		default:
			g_array_append_val(way->elements, element);
		}
	}
	return TRUE;
}

/* ---- choosing ---- */

static gboolean run(Expansion *expansion, Way *way, GError **error);

/* The way with one more thing to look at; both may be absent. */
static gboolean run_with(Expansion *expansion, const Way *way, const GArray *more,
			 const WeftExclusion *exclusion, GError **error)
{
	Way next;
	way_copy(&next, way);
	for (guint i = more->len; i-- > 0;)
		g_array_append_val(next.pending, g_array_index(more, WeftElement, i));
	if (exclusion)
		g_array_append_val(next.exclusions, *exclusion);
	gboolean fine = weft_reading_spend(expansion->reading,
					   1 + way->elements->len + way->choices->len, error) &&
			run(expansion, &next, error);
	way_done(&next);
	return fine;
}

static gboolean run_alternatives(Expansion *expansion, Way *way, const Choice *choice,
				 GError **error)
{
	WeftReading *reading = expansion->reading;
	const WeftClause *clause = weft_reading_clause_at(reading, choice->clause);
	const WeftJson *list = clause->values[choice->keyword];
	guint n_before = way->exclusions->len;
	for (gsize i = 0; i < weft_json_length(list); i++) {
		g_autoptr(GArray) more = weft_set_new();
		if (!weft_reading_add_clause(reading, more, WEFT_ELEMENT_CLAUSE,
					     weft_json_at(list, i), error))
			return FALSE;
		for (gsize j = 0; choice->keyword == WEFT_KEYWORD_ONE_OF &&
				  j < weft_json_length(list);
		     j++)
			if (j != i && !add_exclusion(reading, way, weft_json_at(list, j),
						     choice->clause, WEFT_KEYWORD_ONE_OF, error))
				return FALSE;
		gboolean fine = run_with(expansion, way, more, NULL, error);
		g_array_set_size(way->exclusions, n_before);
		if (!fine)
			return FALSE;
	}
	return TRUE;
}

static gboolean run_condition(Expansion *expansion, Way *way, const Choice *choice,
			      GError **error)
{
	WeftReading *reading = expansion->reading;
	const WeftClause *clause = weft_reading_clause_at(reading, choice->clause);
	const WeftJson *then = clause->values[WEFT_KEYWORD_THEN];
	const WeftJson *otherwise = clause->values[WEFT_KEYWORD_ELSE];
	WeftClause *condition =
		weft_reading_clause(reading, clause->values[WEFT_KEYWORD_IF], error);
	g_autoptr(GArray) more = weft_set_new();
	if (!condition)
		return FALSE;
	add_element(more, WEFT_ELEMENT_CLAUSE, condition->index, 0);
	if ((then && !weft_reading_add_clause(reading, more, WEFT_ELEMENT_CLAUSE, then, error)) ||
	    !run_with(expansion, way, more, NULL, error))
		return FALSE;
	g_array_set_size(more, 0);
	WeftExclusion exclusion = {condition->index, choice->clause, WEFT_KEYWORD_IF};
	return (!otherwise || weft_reading_add_clause(reading, more, WEFT_ELEMENT_CLAUSE,
						      otherwise, error)) &&
	       run_with(expansion, way, more, &exclusion, error);
}

/* Without the key, or with it and what it asks for. */
static gboolean run_dependency(Expansion *expansion, Way *way, const Choice *choice,
			       GError **error)
{
	WeftReading *reading = expansion->reading;
	const WeftClause *clause = weft_reading_clause_at(reading, choice->clause);
	const WeftJson *object = clause->values[choice->keyword];
	const WeftJson *asked = weft_json_at(object, choice->member);
	gsize size_bytes;
	const char *text = weft_json_key_at(object, choice->member, &size_bytes);
	guint32 key = weft_reading_key(reading, text, size_bytes);
	g_autoptr(GArray) without = weft_set_new();
	g_autoptr(GArray) with = weft_set_new();
	add_element(without, WEFT_ELEMENT_FORBID, key, 0);
	add_element(with, WEFT_ELEMENT_TYPES, WEFT_TYPE_OBJECT, 0);
	add_element(with, WEFT_ELEMENT_REQUIRE, key, 0);
	gboolean is_names = weft_json_type(asked) == WEFT_JSON_ARRAY;
	if (is_names && weft_json_length(asked) == 0)
		return run_with(expansion, way, way->pending, NULL, error);
	for (gsize i = 0; is_names && i < weft_json_length(asked); i++) {
		const char *name = weft_json_string(weft_json_at(asked, i), &size_bytes);
		add_element(with, WEFT_ELEMENT_REQUIRE, weft_reading_key(reading, name, size_bytes),
			    0);
	}
	if (!is_names &&
	    !weft_reading_add_clause(reading, with, WEFT_ELEMENT_CLAUSE, asked, error))
		return FALSE;
	return run_with(expansion, way, with, NULL, error) &&
	       run_with(expansion, way, without, NULL, error);
}

static gboolean keep_case(Expansion *expansion, const Way *way, GError **error)
{
	if (expansion->cases->len >= WEFT_READING_CASES_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "schema with more than %u combinations of alternatives at one place",
			    WEFT_READING_CASES_MAX);
		return FALSE;
	}
	WeftCase *one = g_new0(WeftCase, 1);
	one->elements = copy(way->elements);
	one->exclusions = copy(way->exclusions);
	g_ptr_array_add(expansion->cases, one);
	return TRUE;
}

/* The recursion is as deep as there are choices. */
static gboolean run(Expansion *expansion, Way *way, GError **error)
{
	gboolean is_possible;
	if (!take_all(expansion, way, &is_possible, error))
		return FALSE;
	if (!is_possible)
		return TRUE;
	if (way->n_chosen == way->choices->len)
		return keep_case(expansion, way, error);
	if (way->n_chosen >= WEFT_READING_CHOICES_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "schema with more than %u anyOf, oneOf, if and the like at one place",
			    WEFT_READING_CHOICES_MAX);
		return FALSE;
	}
	Choice choice = g_array_index(way->choices, Choice, way->n_chosen);
	way->n_chosen++;
	switch (choice.keyword) {
	case WEFT_KEYWORD_ANY_OF:
	case WEFT_KEYWORD_ONE_OF:
		return run_alternatives(expansion, way, &choice, error);
	case WEFT_KEYWORD_IF:
		return run_condition(expansion, way, &choice, error);
	default:
		return run_dependency(expansion, way, &choice, error);
	}
}

GPtrArray *weft_expansion_new(WeftReading *reading, const GArray *set, char **ret_why,
			      GError **error)
{
	g_autoptr(GPtrArray) cases =
		g_ptr_array_new_with_free_func((GDestroyNotify)weft_case_free);
	Expansion expansion = {.reading = reading, .cases = cases};
	Way way = {.elements = weft_set_new(),
		   .pending = weft_set_new(),
		   .choices = g_array_new(FALSE, FALSE, sizeof(Choice)),
		   .exclusions = g_array_new(FALSE, FALSE, sizeof(WeftExclusion)),
		   .seen = g_hash_table_new(NULL, NULL),
		   .types = WEFT_TYPE_ALL};
	for (guint i = set->len; i-- > 0;)
		g_array_append_val(way.pending, g_array_index(set, WeftElement, i));
	gboolean fine = run(&expansion, &way, error);
	way_done(&way);
	if (!fine || cases->len > 0)
		g_clear_pointer(&expansion.why, g_free);
	if (!fine)
		return NULL;
	if (ret_why)
		*ret_why = expansion.why;
	else
		g_free(expansion.why);
	return g_steal_pointer(&cases);
}

const GPtrArray *weft_expansion_of_clause(WeftReading *reading, guint32 clause, GError **error)
{
	g_autoptr(GArray) set = weft_set_new();
	add_element(set, WEFT_ELEMENT_CLAUSE, clause, 0);
	g_autoptr(GBytes) key = weft_set_key(set);
	GPtrArray *cases = g_hash_table_lookup(reading->expansions, key);
	if (cases)
		return cases;
	cases = weft_expansion_new(reading, set, NULL, error);
	if (cases)
		g_hash_table_insert(reading->expansions, g_steal_pointer(&key), cases);
	return cases;
}
