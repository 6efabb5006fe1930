#include <string.h>

#include "base/utf8.h"
#include "schema/numeral.h"
#include "schema/shape.h"
#include "schema/value.h"

/* Schemas inside each other that are followed for one value. */
#define DEPTH_MAX 64

typedef struct Check {
	WeftReading *reading;
	guint depth;
	GError **error;
	gboolean failed; /* *error is set */
} Check;

static WeftFit fit_schema(Check *check, const WeftJson *schema, const WeftJson *value);

static WeftFit both(WeftFit a, WeftFit b)
{
	return a == WEFT_FIT_NO || b == WEFT_FIT_NO ? WEFT_FIT_NO
	       : a == WEFT_FIT_YES                  ? b
						    : WEFT_FIT_UNKNOWN;
}

static WeftFit either(WeftFit a, WeftFit b)
{
	return a == WEFT_FIT_YES || b == WEFT_FIT_YES ? WEFT_FIT_YES
	       : a == WEFT_FIT_NO                     ? b
						      : WEFT_FIT_UNKNOWN;
}

static WeftFit contrary(WeftFit fit)
{
	return fit == WEFT_FIT_NO ? WEFT_FIT_YES : fit == WEFT_FIT_YES ? WEFT_FIT_NO : fit;
}

static WeftFit truth(gboolean is_true)
{
	return is_true ? WEFT_FIT_YES : WEFT_FIT_NO;
}

/* ---- single values ---- */

static WeftFit equal(const WeftJson *a, const WeftJson *b)
{
	g_autofree char *a_text = weft_value_identity(a), *b_text = weft_value_identity(b);
	return a_text && b_text ? truth(g_str_equal(a_text, b_text)) : WEFT_FIT_UNKNOWN;
}

static WeftFit fit_counts(const WeftClause *clause, WeftKeyword least, WeftKeyword most, gsize n)
{
	guint32 count;
	if (weft_clause_count(clause, least, &count) && n < count)
		return WEFT_FIT_NO;
	return truth(!weft_clause_count(clause, most, &count) || n <= count);
}

/* One of the keywords that bound numbers. */
static WeftFit fit_limit(const WeftClause *clause, WeftKeyword keyword, const char *number)
{
	const WeftJson *bound = clause->values[keyword];
	const char *text = weft_json_raw_number(bound);
	if (!text) /* draft 4: true or false */
		return bound ? WEFT_FIT_UNKNOWN : WEFT_FIT_YES;
	if (keyword == WEFT_KEYWORD_MULTIPLE_OF)
		return weft_value_is_multiple(number, text);
	int order = weft_numeral_compare(number, text);
	return truth(keyword == WEFT_KEYWORD_MINIMUM             ? order >= 0
		     : keyword == WEFT_KEYWORD_MAXIMUM           ? order <= 0
		     : keyword == WEFT_KEYWORD_EXCLUSIVE_MINIMUM ? order > 0
								 : order < 0);
}

static WeftFit fit_number(const WeftClause *clause, const WeftJson *value)
{
	WeftFit fit = WEFT_FIT_YES;
	for (WeftKeyword keyword = WEFT_KEYWORD_MINIMUM; keyword <= WEFT_KEYWORD_MULTIPLE_OF; keyword++)
		fit = both(fit, fit_limit(clause, keyword, weft_json_raw_number(value)));
	return fit;
}

static WeftFit fit_string(Check *check, const WeftClause *clause, const WeftJson *value)
{
	static const WeftKeyword keywords[] = {WEFT_KEYWORD_PATTERN, WEFT_KEYWORD_FORMAT};
	gsize size_bytes;
	const char *text = weft_json_string(value, &size_bytes);
	/* U+0000 counts as one as well. */
	gsize n_chars = 0;
	for (gsize i = 0; i < size_bytes; i++)
		n_chars += ((guint8)text[i] & 0xc0) != 0x80;
	WeftFit fit =
		fit_counts(clause, WEFT_KEYWORD_MIN_LENGTH, WEFT_KEYWORD_MAX_LENGTH, n_chars);
	/* Patterns are read without what is never written. */
	gboolean is_foreign = weft_utf8_noncharacter(text, size_bytes) != 0;
	for (gsize i = 0; i < G_N_ELEMENTS(keywords) && fit != WEFT_FIT_NO; i++) {
		const char *said = weft_json_string(clause->values[keywords[i]], NULL);
		gboolean surely, maybe;
		if (!clause->values[keywords[i]] || (i == 1 && said && weft_format_is_hint(said)))
			continue;
		if (!said || (i == 0 && is_foreign) ||
		    (i == 1 && !weft_format_known(said))) {
			if (i == 0 || !check->reading->options.ignores_formats)
				fit = WEFT_FIT_UNKNOWN;
			continue;
		}
		if (!weft_schema_shape_matches(check->reading, clause, keywords[i], said, text,
					size_bytes, &surely, &maybe, check->error)) {
			check->failed = TRUE;
			return WEFT_FIT_NO;
		}
		fit = both(fit, surely ? WEFT_FIT_YES : maybe ? WEFT_FIT_UNKNOWN : WEFT_FIT_NO);
	}
	return fit;
}

/* ---- containers ---- */

static WeftFit fit_unique(const WeftJson *value)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (gsize i = 0; i < weft_json_length(value); i++) {
		char *text = weft_value_identity(weft_json_at(value, i));
		if (!text)
			return WEFT_FIT_UNKNOWN;
		if (!g_hash_table_add(seen, text))
			return WEFT_FIT_NO;
	}
	return WEFT_FIT_YES;
}

static WeftFit fit_array(Check *check, const WeftClause *clause, const WeftJson *value)
{
	const WeftJson *items = clause->values[WEFT_KEYWORD_ITEMS];
	const WeftJson *prefix = clause->values[WEFT_KEYWORD_PREFIX_ITEMS], *rest = items;
	gsize n = weft_json_length(value);
	gboolean flag;
	WeftFit fit = fit_counts(clause, WEFT_KEYWORD_MIN_ITEMS, WEFT_KEYWORD_MAX_ITEMS, n);
	if (weft_json_type(items) == WEFT_JSON_ARRAY) {
		prefix = items;
		rest = clause->values[WEFT_KEYWORD_ADDITIONAL_ITEMS];
	}
	for (gsize i = 0; i < n && fit != WEFT_FIT_NO; i++) {
		const WeftJson *schema =
			i < weft_json_length(prefix) ? weft_json_at(prefix, i) : rest;
		if (schema)
			fit = both(fit, fit_schema(check, schema, weft_json_at(value, i)));
	}
	if (weft_json_bool(clause->values[WEFT_KEYWORD_UNIQUE_ITEMS], &flag) && flag)
		fit = both(fit, fit_unique(value));
	if (clause->values[WEFT_KEYWORD_UNEVALUATED_ITEMS] && !rest &&
	    n > weft_json_length(prefix))
		fit = both(fit, WEFT_FIT_UNKNOWN);
	return fit;
}

static WeftFit fit_name(Check *check, const WeftJson *names, const char *key, gsize size_bytes)
{
	GString *spelled = g_string_new(NULL);
	WeftJsonWriter writer;
	weft_json_writer_init(&writer, spelled);
	weft_json_write_text(&writer, key, size_bytes);
	g_autoptr(WeftJson) name =
		weft_json_parse(spelled->str, spelled->len, WEFT_JSON_STRICT, NULL);
	g_string_free(spelled, TRUE);
	return name ? fit_schema(check, names, name) : WEFT_FIT_UNKNOWN;
}

static WeftFit fit_member(Check *check, const WeftClause *clause, const WeftKey *key,
			  const WeftJson *value)
{
	const WeftJson *patterns = clause->values[WEFT_KEYWORD_PATTERN_PROPERTIES];
	const WeftJson *others = clause->values[WEFT_KEYWORD_ADDITIONAL_PROPERTIES];
	const WeftJson *declared =
		weft_reading_member(clause->values[WEFT_KEYWORD_PROPERTIES], key);
	gboolean is_named = declared != NULL, is_maybe = FALSE;
	WeftFit fit = declared ? fit_schema(check, declared, value) : WEFT_FIT_YES;
	for (gsize i = 0; i < weft_json_length(patterns); i++) {
		gboolean surely, maybe;
		if (!weft_schema_shape_matches(check->reading, clause, WEFT_KEYWORD_PATTERN_PROPERTIES,
					weft_json_key_at(patterns, i, NULL), key->text,
					key->size_bytes, &surely, &maybe, check->error)) {
			check->failed = TRUE;
			return WEFT_FIT_NO;
		}
		if (surely)
			fit = both(fit, fit_schema(check, weft_json_at(patterns, i), value));
		is_named = is_named || surely;
		is_maybe = is_maybe || (maybe && !surely);
	}
	if (is_maybe)
		fit = both(fit, WEFT_FIT_UNKNOWN);
	if (!is_named && others)
		fit = both(fit, is_maybe ? WEFT_FIT_UNKNOWN : fit_schema(check, others, value));
	if (!is_named && !others && clause->values[WEFT_KEYWORD_UNEVALUATED_PROPERTIES])
		fit = both(fit, WEFT_FIT_UNKNOWN);
	return fit;
}

static gboolean has_all(const WeftJson *value, const WeftJson *names)
{
	for (gsize i = 0; i < weft_json_length(names); i++) {
		WeftKey key = {0};
		key.text = (char *)weft_json_string(weft_json_at(names, i), &key.size_bytes);
		if (!weft_reading_member(value, &key))
			return FALSE;
	}
	return TRUE;
}

static WeftFit fit_object(Check *check, const WeftClause *clause, const WeftJson *value)
{
	const WeftJson *names = clause->values[WEFT_KEYWORD_PROPERTY_NAMES];
	gsize n = weft_json_length(value);
	WeftFit fit = fit_counts(clause, WEFT_KEYWORD_MIN_PROPERTIES,
				 WEFT_KEYWORD_MAX_PROPERTIES, n);
	fit = both(fit, truth(has_all(value, clause->values[WEFT_KEYWORD_REQUIRED])));
	for (gsize i = 0; i < n && fit != WEFT_FIT_NO; i++) {
		WeftKey key = {0};
		key.text = (char *)weft_json_key_at(value, i, &key.size_bytes);
		fit = both(fit, fit_member(check, clause, &key, weft_json_at(value, i)));
		if (names && fit != WEFT_FIT_NO)
			fit = both(fit, fit_name(check, names, key.text, key.size_bytes));
	}
	return fit;
}

/* ---- a clause's own assertions ---- */

static WeftFit fit_literals(const WeftClause *clause, const WeftJson *value)
{
	const WeftJson *constant = clause->values[WEFT_KEYWORD_CONST];
	const WeftJson *values = clause->values[WEFT_KEYWORD_ENUM];
	WeftFit fit = constant ? equal(constant, value) : WEFT_FIT_YES;
	if (!values || fit == WEFT_FIT_NO)
		return fit;
	/* One of them itself: items of an array lie side by side. */
	gsize n = weft_json_length(values);
	if (n > 0 && value >= weft_json_at(values, 0) && value <= weft_json_at(values, n - 1))
		return fit;
	g_autofree char *text = weft_value_identity(value);
	for (gsize i = 0; text && i < n; i++) {
		const WeftJson *one = weft_json_at(values, i);
		if (weft_json_type(one) != weft_json_type(value))
			continue;
		g_autofree char *other = weft_value_identity(one);
		if (other && g_str_equal(text, other))
			return fit;
	}
	return text ? WEFT_FIT_NO : WEFT_FIT_UNKNOWN;
}

static WeftFit fit_own(Check *check, const WeftClause *clause, const WeftJson *value)
{
	if (!weft_reading_spend(check->reading, 1, check->error)) {
		check->failed = TRUE;
		return WEFT_FIT_NO;
	}
	guint type = weft_value_type(value);
	if (clause->is_false || !(type & clause->types))
		return WEFT_FIT_NO;
	WeftFit fit = fit_literals(clause, value);
	if (fit == WEFT_FIT_NO)
		return fit;
	switch (type) {
	case WEFT_TYPE_STRING:
		return both(fit, fit_string(check, clause, value));
	case WEFT_TYPE_INTEGER:
	case WEFT_TYPE_FRACTION:
		return both(fit, fit_number(clause, value));
	case WEFT_TYPE_ARRAY:
		return both(fit, fit_array(check, clause, value));
	case WEFT_TYPE_OBJECT:
		return both(fit, fit_object(check, clause, value));
	default:
		return fit;
	}
}

/* ---- and what it leads to ---- */

static WeftFit fit_lists(Check *check, const WeftClause *clause, const WeftJson *value)
{
	const WeftJson *all = clause->values[WEFT_KEYWORD_ALL_OF];
	const WeftJson *any = clause->values[WEFT_KEYWORD_ANY_OF];
	const WeftJson *one = clause->values[WEFT_KEYWORD_ONE_OF];
	WeftFit fit = WEFT_FIT_YES, found = any ? WEFT_FIT_NO : WEFT_FIT_YES;
	for (gsize i = 0; i < weft_json_length(all) && fit != WEFT_FIT_NO; i++)
		fit = both(fit, fit_schema(check, weft_json_at(all, i), value));
	for (gsize i = 0; i < weft_json_length(any) && found != WEFT_FIT_YES; i++)
		found = either(found, fit_schema(check, weft_json_at(any, i), value));
	fit = both(fit, found);
	gsize n_yes = 0, n_unknown = 0;
	for (gsize i = 0; i < weft_json_length(one); i++) {
		WeftFit said = fit_schema(check, weft_json_at(one, i), value);
		n_yes += said == WEFT_FIT_YES;
		n_unknown += said == WEFT_FIT_UNKNOWN;
	}
	if (one)
		fit = both(fit, n_yes > 1         ? WEFT_FIT_NO
				: n_unknown > 0   ? WEFT_FIT_UNKNOWN
						  : truth(n_yes == 1));
	return fit;
}

static WeftFit fit_conditions(Check *check, const WeftClause *clause, const WeftJson *value)
{
	static const WeftKeyword keywords[] = {WEFT_KEYWORD_DEPENDENT_REQUIRED,
					       WEFT_KEYWORD_DEPENDENT_SCHEMAS,
					       WEFT_KEYWORD_DEPENDENCIES};
	const WeftJson *condition = clause->values[WEFT_KEYWORD_IF];
	const WeftJson *then = clause->values[WEFT_KEYWORD_THEN];
	const WeftJson *otherwise = clause->values[WEFT_KEYWORD_ELSE];
	WeftFit fit = WEFT_FIT_YES;
	if (condition && (then || otherwise)) {
		WeftFit is = fit_schema(check, condition, value);
		WeftFit yes = then ? fit_schema(check, then, value) : WEFT_FIT_YES;
		WeftFit no = otherwise ? fit_schema(check, otherwise, value) : WEFT_FIT_YES;
		fit = is == WEFT_FIT_YES ? yes : is == WEFT_FIT_NO ? no : WEFT_FIT_UNKNOWN;
	}
	if (weft_json_type(value) != WEFT_JSON_OBJECT)
		return fit;
	for (gsize i = 0; i < G_N_ELEMENTS(keywords); i++) {
		const WeftJson *object = clause->values[keywords[i]];
		for (gsize j = 0; j < weft_json_length(object); j++) {
			WeftKey key = {0};
			key.text = (char *)weft_json_key_at(object, j, &key.size_bytes);
			const WeftJson *asked = weft_json_at(object, j);
			if (!weft_reading_member(value, &key))
				continue;
			fit = both(fit, weft_json_type(asked) == WEFT_JSON_ARRAY
						? truth(has_all(value, asked))
						: fit_schema(check, asked, value));
		}
	}
	return fit;
}

static WeftFit fit_references(Check *check, const WeftClause *clause, const WeftJson *value)
{
	static const WeftKeyword keywords[] = {WEFT_KEYWORD_REF, WEFT_KEYWORD_DYNAMIC_REF};
	WeftFit fit = WEFT_FIT_YES;
	for (gsize i = 0; i < G_N_ELEMENTS(keywords) && !check->failed; i++) {
		if (!clause->values[keywords[i]])
			continue;
		g_autofree char *pointer = weft_reading_pointer(check->reading, clause->json);
		const WeftJson *target = weft_references_find(check->reading->references,
							      clause->json, keywords[i], pointer,
							      check->error);
		check->failed = !target;
		if (target)
			fit = both(fit, fit_schema(check, target, value));
	}
	return fit;
}

static WeftFit fit_schema(Check *check, const WeftJson *schema, const WeftJson *value)
{
	if (check->failed)
		return WEFT_FIT_NO;
	if (check->depth >= DEPTH_MAX)
		return WEFT_FIT_UNKNOWN;
	WeftClause *clause = weft_reading_clause(check->reading, schema, check->error);
	if (!clause) {
		check->failed = TRUE;
		return WEFT_FIT_NO;
	}
	check->depth++;
	const WeftJson *not = clause->values[WEFT_KEYWORD_NOT];
	WeftFit fit = fit_own(check, clause, value);
	if (fit != WEFT_FIT_NO)
		fit = both(fit, fit_lists(check, clause, value));
	if (fit != WEFT_FIT_NO)
		fit = both(fit, fit_conditions(check, clause, value));
	if (fit != WEFT_FIT_NO)
		fit = both(fit, fit_references(check, clause, value));
	if (fit != WEFT_FIT_NO && not )
		fit = both(fit, contrary(fit_schema(check, not, value)));
	check->depth--;
	return fit;
}

/* Of what is no clause, those of strings and objects that choices leave behind. */
static WeftFit fit_element(Check *check, const WeftElement *element, const WeftJson *value)
{
	WeftReading *reading = check->reading;
	gboolean is_object = weft_json_type(value) == WEFT_JSON_OBJECT;
	const WeftJson *member;
	switch (element->kind) {
	case WEFT_ELEMENT_CLAUSE:
		return fit_own(check, weft_reading_clause_at(reading, element->a), value);
	case WEFT_ELEMENT_TYPES:
		return truth((weft_value_type(value) & element->a) != 0);
	case WEFT_ELEMENT_REQUIRE:
	case WEFT_ELEMENT_FORBID:
		member = is_object ? weft_reading_member(value,
							 weft_reading_key_at(reading, element->a))
				   : NULL;
		return truth(!is_object || (member != NULL) == (element->kind == WEFT_ELEMENT_REQUIRE));
	case WEFT_ELEMENT_CHILD_NOT:
		member = weft_reading_member(value, weft_reading_key_at(reading, element->a));
		return member ? contrary(fit_schema(
					check, weft_reading_clause_at(reading, element->b)->json,
					member))
			      : WEFT_FIT_YES;
	case WEFT_ELEMENT_ALL:
		return fit_schema(check, weft_reading_clause_at(reading, element->a)->json, value);
	case WEFT_ELEMENT_NOT:
		return contrary(fit_schema(
			check, weft_reading_clause_at(reading, element->a)->json, value));
	case WEFT_ELEMENT_NOT_VALUES:
		return contrary(
			fit_literals(weft_reading_clause_at(reading, element->a), value));
	case WEFT_ELEMENT_NOT_LIMIT:
		return weft_json_raw_number(value) && element->b >= WEFT_KEYWORD_MINIMUM
			       ? contrary(fit_limit(weft_reading_clause_at(reading, element->a),
						    element->b, weft_json_raw_number(value)))
			       : WEFT_FIT_UNKNOWN;
	default: /* patterns: only of keys and strings that are no literals */
		return WEFT_FIT_UNKNOWN;
	}
}

gboolean weft_value_fit(WeftReading *reading, const GArray *set, const WeftJson *value,
			WeftFit *ret_fit, GError **error)
{
	Check check = {.reading = reading, .error = error};
	WeftFit fit = WEFT_FIT_YES;
	for (guint i = 0; i < set->len && fit != WEFT_FIT_NO && !check.failed; i++)
		fit = both(fit, fit_element(&check, &g_array_index(set, WeftElement, i), value));
	if (check.failed)
		return FALSE;
	*ret_fit = fit;
	return TRUE;
}
