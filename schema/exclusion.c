#include "schema/exclusion.h"

#include "base/error.h"
#include "schema/disjoint.h"
#include "schema/value.h"

/* Schemas turned round after each other. */
#define DEPTH_MAX 64
#define WAYS_MAX 256u

static const guint parts[] = {WEFT_TYPE_STRING, WEFT_TYPE_NUMBER, WEFT_TYPE_ARRAY,
			      WEFT_TYPE_OBJECT};

/* A case of a schema that must not fit. */
typedef struct Target {
	const GArray *elements;
	const WeftExclusion *exclusion;
	gboolean is_turned;
} Target;

typedef struct Clearing {
	WeftReading *reading;
	const GArray *exclusions;
	GArray *targets;    /* their cases */
	GPtrArray *cleared;
	guint n_before; /* in `cleared` */
	guint depth;
	GError **error;
} Clearing;

void weft_cleared_free(WeftCleared *cleared)
{
	if (!cleared)
		return;
	g_ptr_array_unref(cleared->values);
	g_free(cleared);
}

static gboolean refuse(Clearing *clearing, const Target *target)
{
	static const char *const reasons[] = {
		"may fit a value that the rest of the schema asks for, and how to keep clear of it "
		"is known only for enum, const, type, pattern, bounds and required keys",
		"several of its schemas may fit the same value; give each a required property "
		"with a const of its own, or write \"anyOf\"",
		"whether it fits can be decided only by enum, const, type, pattern, bounds and "
		"required keys"};
	const WeftExclusion *exclusion = target->exclusion;
	return weft_reading_refuse(
		clearing->reading, weft_reading_clause_at(clearing->reading, exclusion->origin),
		exclusion->keyword,
		reasons[exclusion->keyword == WEFT_KEYWORD_ONE_OF ? 1
			: exclusion->keyword == WEFT_KEYWORD_IF   ? 2
								  : 0],
		clearing->error);
}

/* ---- turning round ---- */

/* Everything of the type fits. */
static gboolean takes_all(const Clearing *clearing, const GArray *target, guint type)
{
	for (guint i = 0; i < target->len; i++) {
		const WeftElement *element = &g_array_index(target, WeftElement, i);
		if (element->kind == WEFT_ELEMENT_TYPES)
			continue;
		if (element->kind != WEFT_ELEMENT_CLAUSE)
			return FALSE;
		const WeftClause *clause = weft_reading_clause_at(clearing->reading, element->a);
		if (clause->is_false || clause->values[WEFT_KEYWORD_ENUM] ||
		    clause->values[WEFT_KEYWORD_CONST] || weft_clause_speaks_of(clause, type))
			return FALSE;
	}
	return TRUE;
}

static void add_way(GPtrArray *ways, const WeftElement *elements, guint n)
{
	GArray *way = weft_set_new();
	g_array_append_vals(way, elements, n);
	g_ptr_array_add(ways, way);
}

static gboolean turn_object(Clearing *clearing, const WeftClause *clause, GPtrArray *ways)
{
	WeftReading *reading = clearing->reading;
	const WeftJson *names = clause->values[WEFT_KEYWORD_REQUIRED];
	const WeftJson *properties = clause->values[WEFT_KEYWORD_PROPERTIES];
	gsize size_bytes;
	for (gsize i = 0; i < weft_json_length(names); i++) {
		const char *name = weft_json_string(weft_json_at(names, i), &size_bytes);
		WeftElement way = {WEFT_ELEMENT_FORBID,
				   weft_reading_key(reading, name, size_bytes), 0};
		add_way(ways, &way, 1);
	}
	for (gsize i = 0; i < weft_json_length(properties); i++) {
		const WeftJson *schema = weft_json_at(properties, i);
		const char *name = weft_json_key_at(properties, i, &size_bytes);
		const WeftClause *child = weft_reading_clause(reading, schema, clearing->error);
		if (!child)
			return FALSE;
		guint32 key = weft_reading_key(reading, name, size_bytes);
		WeftElement way[] = {{WEFT_ELEMENT_REQUIRE, key, 0},
				     {WEFT_ELEMENT_CHILD_NOT, key, child->index}};
		if (weft_json_length(schema) > 0 || child->is_false)
			add_way(ways, way, G_N_ELEMENTS(way));
	}
	return TRUE;
}

/* A bound that is broken is enough. */
static void turn_limits(const WeftClause *clause, WeftKeyword first, WeftKeyword last, GPtrArray *ways)
{
	for (WeftKeyword keyword = first; keyword <= last; keyword++) {
		WeftElement way = {WEFT_ELEMENT_NOT_LIMIT, clause->index, keyword};
		if (weft_json_raw_number(clause->values[keyword]))
			add_way(ways, &way, 1);
	}
}

/* The ways to keep clear of the target with a value of one type. */
static gboolean turn(Clearing *clearing, const GArray *target, guint type, GPtrArray *ways)
{
	for (guint i = 0; i < target->len; i++) {
		const WeftElement *element = &g_array_index(target, WeftElement, i);
		WeftElement way = {WEFT_ELEMENT_FORBID, element->a, 0};
		if (element->kind == WEFT_ELEMENT_REQUIRE && type == WEFT_TYPE_OBJECT)
			add_way(ways, &way, 1);
		way.kind = WEFT_ELEMENT_REQUIRE;
		if (element->kind == WEFT_ELEMENT_FORBID && type == WEFT_TYPE_OBJECT)
			add_way(ways, &way, 1);
		if (element->kind != WEFT_ELEMENT_CLAUSE)
			continue;
		const WeftClause *clause = weft_reading_clause_at(clearing->reading, element->a);
		if (type == WEFT_TYPE_OBJECT && !turn_object(clearing, clause, ways))
			return FALSE;
		if (type == WEFT_TYPE_NUMBER)
			turn_limits(clause, WEFT_KEYWORD_MINIMUM, WEFT_KEYWORD_EXCLUSIVE_MAXIMUM, ways);
		if (type == WEFT_TYPE_STRING)
			turn_limits(clause, WEFT_KEYWORD_MIN_LENGTH, WEFT_KEYWORD_MAX_LENGTH, ways);
		way.kind = WEFT_ELEMENT_NOT_PATTERN;
		if (type == WEFT_TYPE_STRING &&
		    weft_json_string(clause->values[WEFT_KEYWORD_PATTERN], NULL))
			add_way(ways, &way, 1);
		way.kind = WEFT_ELEMENT_NOT_VALUES;
		if (type == WEFT_TYPE_STRING && (clause->values[WEFT_KEYWORD_ENUM] ||
						 clause->values[WEFT_KEYWORD_CONST]))
			add_way(ways, &way, 1);
	}
	return TRUE;
}

/* ---- clearing ---- */

static gboolean keep(Clearing *clearing, const WeftSchemaShape *shape)
{
	if (clearing->cleared->len - clearing->n_before >= WAYS_MAX) {
		g_set_error(clearing->error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "schema with more than %u ways to keep clear of not, oneOf and if at "
			    "one place; give each schema of oneOf a required property with a const "
			    "of its own, or write \"anyOf\"",
			    WAYS_MAX);
		return FALSE;
	}
	g_autoptr(GPtrArray) values = g_ptr_array_new();
	for (guint i = 0; i < shape->values->len; i++) {
		gboolean is_clear = TRUE;
		for (guint j = 0; j < clearing->exclusions->len && is_clear; j++) {
			WeftFit fit;
			g_autoptr(GArray) set = weft_set_new();
			WeftElement not = {
				WEFT_ELEMENT_NOT,
				g_array_index(clearing->exclusions, WeftExclusion, j).clause, 0};
			g_array_append_val(set, not );
			if (!weft_value_fit(clearing->reading, set, shape->values->pdata[i], &fit,
					    clearing->error))
				return FALSE;
			is_clear = fit == WEFT_FIT_YES;
		}
		if (is_clear)
			g_ptr_array_add(values, shape->values->pdata[i]);
	}
	WeftCleared *cleared = g_new0(WeftCleared, 1);
	cleared->shape = shape;
	cleared->types = shape->types;
	cleared->values = g_steal_pointer(&values);
	g_ptr_array_add(clearing->cleared, cleared);
	return TRUE;
}

static gboolean clear(Clearing *clearing, const GArray *elements);

static gboolean clear_with(Clearing *clearing, const GArray *elements, guint types,
			   const GArray *more)
{
	g_autoptr(GArray) next = weft_set_new();
	WeftElement only = {WEFT_ELEMENT_TYPES, types, 0};
	if (elements->len > 0)
		g_array_append_vals(next, elements->data, elements->len);
	g_array_append_val(next, only);
	if (more)
		g_array_append_vals(next, more->data, more->len);
	return clear(clearing, next);
}

/* What is turned round stays so, whatever is added later. What was proved of a shape does not: a
 * key may have come to it. So all others are asked again. */
static gboolean clear_type(Clearing *clearing, const GArray *elements, guint type, Target *target)
{
	g_autoptr(GPtrArray) ways = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
	if (!turn(clearing, target->elements, type, ways))
		return FALSE;
	if (ways->len == 0)
		return refuse(clearing, target);
	target->is_turned = TRUE;
	gboolean fine = TRUE;
	for (guint i = 0; i < ways->len && fine; i++)
		fine = clear_with(clearing, elements, type, ways->pdata[i]);
	target->is_turned = FALSE;
	return fine;
}

/* *ret_open: types of which some may fit the target; *ret_gone: those of which all do. */
static gboolean compare(Clearing *clearing, const WeftSchemaShape *shape, const Target *target,
			guint *ret_open, guint *ret_gone)
{
	*ret_open = *ret_gone = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		gboolean is_disjoint;
		if (!(shape->types & parts[i]))
			continue;
		if (!weft_disjoint_part(clearing->reading, shape, parts[i], target->elements,
					&is_disjoint, clearing->error))
			return FALSE;
		if (!is_disjoint && takes_all(clearing, target->elements, parts[i]))
			*ret_gone |= parts[i];
		else if (!is_disjoint)
			*ret_open |= parts[i];
	}
	return weft_reading_spend(clearing->reading, 1, clearing->error);
}

static gboolean clear_types(Clearing *clearing, const GArray *elements, Target *target, guint open,
			    guint gone)
{
	if (clearing->depth >= DEPTH_MAX) {
		g_set_error(clearing->error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "schema with more than %d schemas that must not fit at one place",
			    DEPTH_MAX);
		return FALSE;
	}
	clearing->depth++;
	gboolean fine = clear_with(clearing, elements, ~(open | gone) & WEFT_TYPE_ALL, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(parts) && fine; i++)
		if (open & parts[i])
			fine = clear_type(clearing, elements, parts[i], target);
	clearing->depth--;
	return fine;
}

static gboolean clear(Clearing *clearing, const GArray *elements)
{
	const WeftSchemaShape *shape = weft_schema_shape_of(clearing->reading, elements, clearing->error);
	if (!shape)
		return FALSE;
	for (guint i = 0; i < clearing->targets->len; i++) {
		Target *target = &g_array_index(clearing->targets, Target, i);
		guint open, gone;
		if (target->is_turned)
			continue;
		if (!compare(clearing, shape, target, &open, &gone))
			return FALSE;
		if (open || gone)
			return clear_types(clearing, elements, target, open, gone);
	}
	return keep(clearing, shape);
}

gboolean weft_exclusion_clear(WeftReading *reading, const WeftCase *one, GPtrArray *ret_cleared,
			      GError **error)
{
	g_autoptr(GArray) targets = g_array_new(FALSE, FALSE, sizeof(Target));
	for (guint i = 0; i < one->exclusions->len; i++) {
		const WeftExclusion *exclusion =
			&g_array_index(one->exclusions, WeftExclusion, i);
		const GPtrArray *cases =
			weft_expansion_of_clause(reading, exclusion->clause, error);
		if (!cases)
			return FALSE;
		for (guint j = 0; j < cases->len; j++) {
			const WeftCase *other = g_ptr_array_index(cases, j);
			Target target = {other->elements, exclusion, FALSE};
			g_array_append_val(targets, target);
		}
	}
	Clearing clearing = {.reading = reading,
			     .exclusions = one->exclusions,
			     .targets = targets,
			     .cleared = ret_cleared,
			     .n_before = ret_cleared->len,
			     .error = error};
	return clear(&clearing, one->elements);
}
