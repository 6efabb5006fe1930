#include "schema/shape.h"

#include <string.h>

#include "base/error.h"
#include "schema/expansion.h"
#include "schema/value.h"

void weft_schema_shape_free(WeftSchemaShape *shape)
{
	if (!shape)
		return;
	g_array_unref(shape->set);
	g_ptr_array_unref(shape->values);
	g_ptr_array_unref(shape->listed);
	g_array_unref(shape->parts);
	g_array_unref(shape->limits);
	g_array_unref(shape->keys);
	g_hash_table_unref(shape->known);
	g_hash_table_unref(shape->required);
	g_hash_table_unref(shape->forbidden);
	g_array_unref(shape->asked);
	g_free(shape->why);
	g_free(shape);
}

static WeftSchemaShape *shape_new(const GArray *set)
{
	WeftSchemaShape *shape = g_new0(WeftSchemaShape, 1);
	shape->set = weft_set_new();
	if (set->len > 0)
		g_array_append_vals(shape->set, set->data, set->len);
	shape->types = WEFT_TYPE_ALL;
	shape->values = g_ptr_array_new();
	shape->listed = g_ptr_array_new();
	shape->parts = g_array_new(FALSE, FALSE, sizeof(WeftLexemePart));
	shape->limits = g_array_new(FALSE, FALSE, sizeof(WeftSchemaLimit));
	shape->keys = g_array_new(FALSE, FALSE, sizeof(guint32));
	shape->known = g_hash_table_new(NULL, NULL);
	shape->required = g_hash_table_new(NULL, NULL);
	shape->asked = g_array_new(FALSE, FALSE, sizeof(guint32));
	shape->forbidden = g_hash_table_new(NULL, NULL);
	shape->length_max = WEFT_SCHEMA_UNLIMITED;
	shape->n_items_max = WEFT_SCHEMA_UNLIMITED;
	shape->n_members_max = WEFT_SCHEMA_UNLIMITED;
	return shape;
}

/* Takes types out of the shape, and keeps the first reason. */
static void drop(WeftReading *reading, WeftSchemaShape *shape, guint types, const WeftClause *clause,
		 WeftKeyword keyword, const char *reason)
{
	shape->types &= ~types;
	if (shape->why)
		return;
	g_autofree char *pointer =
		clause ? weft_reading_pointer(reading, clause->json) : g_strdup("");
	shape->why = g_strdup_printf("#%s: keyword \"%s\": %s", pointer,
				     weft_keyword_name(keyword), reason);
}

/* The clauses of a set one after the other; NULL at the end. */
static const WeftClause *next_clause(const WeftReading *reading, const GArray *set, guint *i)
{
	while (*i < set->len) {
		const WeftElement *element = &g_array_index(set, WeftElement, (*i)++);
		if (element->kind == WEFT_ELEMENT_CLAUSE)
			return weft_reading_clause_at(reading, element->a);
	}
	return NULL;
}

/* The clause that says a keyword, for messages. */
static const WeftClause *who_says(const WeftReading *reading, const GArray *set,
				  WeftKeyword keyword)
{
	const WeftClause *clause;
	for (guint i = 0; (clause = next_clause(reading, set, &i));)
		if (clause->values[keyword])
			return clause;
	return NULL;
}

static void narrow(const WeftClause *clause, WeftKeyword least, WeftKeyword most, guint32 *min,
		   guint32 *max)
{
	guint32 count;
	if (weft_clause_count(clause, least, &count))
		*min = MAX(*min, count);
	if (weft_clause_count(clause, most, &count))
		*max = MIN(*max, count);
}

/* ---- strings ---- */

static WeftLexeme *keep_lexeme(WeftReading *reading, WeftLexeme *lexeme)
{
	if (lexeme)
		g_ptr_array_add(reading->schema->lexemes, lexeme);
	return lexeme;
}

/* One pattern or format alone, kept; the error names the place. */
static const WeftLexeme *lexeme_of(WeftReading *reading, const WeftClause *clause,
				   WeftKeyword keyword, const WeftLexemePart *part, GError **error)
{
	g_autofree char *name = g_strdup_printf("%d%d%s", part->kind, part->is_loose, part->text);
	WeftLexeme *lexeme = g_hash_table_lookup(reading->part_lexemes, name);
	if (lexeme)
		return lexeme;
	WeftLexemeSpec spec = {part, 1, 0, WEFT_LEXEME_UNLIMITED};
	lexeme = keep_lexeme(reading, weft_lexeme_new(reading->maker, &spec, error));
	if (!lexeme) {
		g_autofree char *pointer = weft_reading_pointer(reading, clause->json);
		g_prefix_error(error, "#%s: keyword \"%s\": ", pointer,
			       weft_keyword_name(keyword));
		return NULL;
	}
	g_hash_table_insert(reading->part_lexemes, g_steal_pointer(&name), lexeme);
	return lexeme;
}

gboolean weft_schema_shape_matches(WeftReading *reading, const WeftClause *clause, WeftKeyword keyword,
			    const char *pattern, const char *text, gsize size_bytes,
			    gboolean *ret_surely, gboolean *ret_maybe, GError **error)
{
	WeftLexemePart part = {.kind = keyword == WEFT_KEYWORD_FORMAT ? WEFT_LEXEME_FORMAT
								      : WEFT_LEXEME_PATTERN,
			       .text = pattern};
	const WeftLexeme *strict = lexeme_of(reading, clause, keyword, &part, error);
	if (!strict)
		return FALSE;
	*ret_surely = weft_lexeme_contains(strict, text, size_bytes);
	*ret_maybe = TRUE;
	if (*ret_surely || part.kind == WEFT_LEXEME_FORMAT)
		return TRUE;
	part.is_loose = TRUE;
	const WeftLexeme *loose = lexeme_of(reading, clause, keyword, &part, error);
	if (!loose)
		return FALSE;
	*ret_maybe = weft_lexeme_contains(loose, text, size_bytes);
	return TRUE;
}

/* A regular expression for exactly this text. */
static void append_quoted(GString *pattern, const char *text)
{
	g_string_append(pattern, "^");
	for (; *text; text++) {
		if (strchr("^$\\.*+?()[]{}|/", *text))
			g_string_append_c(pattern, '\\');
		g_string_append_c(pattern, *text);
	}
	g_string_append(pattern, "$");
}

/* The texts of parts that we make ourselves live as long as the reading. */
static void add_part(WeftReading *reading, WeftSchemaShape *shape, char *take_text, gboolean is_not)
{
	WeftLexemePart part = {.kind = WEFT_LEXEME_PATTERN, .text = take_text, .is_not = is_not,
			       .is_loose = is_not};
	g_ptr_array_add(reading->texts, take_text);
	g_array_append_val(shape->parts, part);
}

static gboolean gather_format(WeftReading *reading, WeftSchemaShape *shape, const WeftClause *clause,
			      GError **error)
{
	const char *format = weft_json_string(clause->values[WEFT_KEYWORD_FORMAT], NULL);
	if (!clause->values[WEFT_KEYWORD_FORMAT] || (shape->types & WEFT_TYPE_STRING) == 0)
		return TRUE;
	if (format && weft_format_is_hint(format))
		return TRUE;
	if (!format || !weft_format_known(format)) {
		if (reading->options.ignores_formats)
			return TRUE;
		g_autofree char *names = g_strjoinv(", ", (char **)weft_format_names());
		g_autofree char *reason = g_strdup_printf(
			"\"%s\" is not a format that is known; these are: %s; or write \"pattern\"",
			format ? format : "", names);
		return weft_reading_refuse(reading, clause, WEFT_KEYWORD_FORMAT, reason, error);
	}
	WeftLexemePart part = {.kind = WEFT_LEXEME_FORMAT, .text = format};
	g_array_append_val(shape->parts, part);
	return lexeme_of(reading, clause, WEFT_KEYWORD_FORMAT, &part, error) != NULL;
}

static gboolean gather_string(WeftReading *reading, WeftSchemaShape *shape, const WeftClause *clause,
			      GError **error)
{
	gboolean flag;
	narrow(clause, WEFT_KEYWORD_MIN_LENGTH, WEFT_KEYWORD_MAX_LENGTH, &shape->length_min,
	       &shape->length_max);
	if (weft_json_bool(clause->values[WEFT_KEYWORD_VERBATIM], &flag)) {
		shape->says_verbatim = shape->says_verbatim || flag;
		shape->says_free = shape->says_free || !flag;
	}
	const WeftJson *pattern = clause->values[WEFT_KEYWORD_PATTERN];
	if (pattern && shape->types & WEFT_TYPE_STRING) {
		const char *text = weft_json_string(pattern, NULL);
		if (!text)
			return weft_reading_refuse(reading, clause, WEFT_KEYWORD_PATTERN,
						   "holds U+0000, which is never written", error);
		WeftLexemePart part = {.kind = WEFT_LEXEME_PATTERN, .text = text};
		g_array_append_val(shape->parts, part);
		if (!lexeme_of(reading, clause, WEFT_KEYWORD_PATTERN, &part, error))
			return FALSE;
	}
	return gather_format(reading, shape, clause, error);
}

/* A string that is none of these values. */
static void gather_not_values(WeftReading *reading, WeftSchemaShape *shape, const WeftClause *clause)
{
	const WeftJson *values = clause->values[WEFT_KEYWORD_ENUM];
	const WeftJson *constant = clause->values[WEFT_KEYWORD_CONST];
	gsize n = weft_json_length(values);
	GString *pattern = g_string_new(NULL);
	for (gsize i = 0; i <= n; i++) {
		const char *text =
			weft_json_string(i < n ? weft_json_at(values, i) : constant, NULL);
		if (!text)
			continue;
		if (pattern->len > 0)
			g_string_append_c(pattern, '|');
		append_quoted(pattern, text);
	}
	if (pattern->len > 0)
		add_part(reading, shape, g_string_free(pattern, FALSE), TRUE);
	else
		g_string_free(pattern, TRUE);
}

static gboolean finish_string(WeftReading *reading, WeftSchemaShape *shape, GError **error)
{
	if (!(shape->types & WEFT_TYPE_STRING))
		return TRUE;
	if (shape->length_min > shape->length_max) {
		drop(reading, shape, WEFT_TYPE_STRING,
		     who_says(reading, shape->set, WEFT_KEYWORD_MIN_LENGTH),
		     WEFT_KEYWORD_MIN_LENGTH, "larger than maxLength");
		return TRUE;
	}
	if (shape->parts->len == 0)
		return TRUE;
	WeftLexemeSpec spec = {(const WeftLexemePart *)(void *)shape->parts->data,
			       shape->parts->len, shape->length_min,
			       shape->length_max == WEFT_SCHEMA_UNLIMITED ? WEFT_LEXEME_UNLIMITED
									  : shape->length_max};
	shape->lexeme = keep_lexeme(reading, weft_lexeme_new(reading->maker, &spec, error));
	if (!shape->lexeme) {
		const WeftClause *clause = who_says(reading, shape->set, WEFT_KEYWORD_PATTERN);
		g_autofree char *pointer =
			clause ? weft_reading_pointer(reading, clause->json) : g_strdup("");
		g_prefix_error(error, "#%s: ", pointer);
		return FALSE;
	}
	if (weft_lexeme_is_empty(shape->lexeme)) {
		const WeftClause *clause = who_says(reading, shape->set, WEFT_KEYWORD_PATTERN);
		WeftKeyword keyword = clause ? WEFT_KEYWORD_PATTERN : WEFT_KEYWORD_FORMAT;
		drop(reading, shape, WEFT_TYPE_STRING, clause ? clause : who_says(reading, shape->set, keyword),
		     keyword, "no string fits it and the keywords beside it");
	}
	return TRUE;
}

/* ---- numbers ---- */

static void gather_numbers(WeftSchemaShape *shape, const WeftClause *clause)
{
	for (WeftKeyword keyword = WEFT_KEYWORD_MINIMUM; keyword <= WEFT_KEYWORD_MULTIPLE_OF;
	     keyword++) {
		WeftSchemaLimit limit = {clause, keyword,
					weft_json_raw_number(clause->values[keyword])};
		gboolean flag;
		/* Draft 4 said it of the bound beside it. */
		if (weft_json_bool(clause->values[keyword], &flag) && flag) {
			WeftKeyword plain = keyword == WEFT_KEYWORD_EXCLUSIVE_MINIMUM
						    ? WEFT_KEYWORD_MINIMUM
						    : WEFT_KEYWORD_MAXIMUM;
			limit.text = weft_json_raw_number(clause->values[plain]);
		}
		if (limit.text)
			g_array_append_val(shape->limits, limit);
	}
}

static gboolean narrow_numbers(WeftReading *reading, WeftNumbers *numbers, const GArray *limits,
			       GError **error)
{
	for (guint i = 0; limits && i < limits->len; i++) {
		const WeftSchemaLimit *limit = &g_array_index(limits, WeftSchemaLimit, i);
		gboolean fine;
		switch (limit->keyword) {
		case WEFT_KEYWORD_MINIMUM:
		case WEFT_KEYWORD_EXCLUSIVE_MINIMUM:
			fine = weft_numbers_min(numbers, limit->text,
						limit->keyword != WEFT_KEYWORD_MINIMUM, error);
			break;
		case WEFT_KEYWORD_MAXIMUM:
		case WEFT_KEYWORD_EXCLUSIVE_MAXIMUM:
			fine = weft_numbers_max(numbers, limit->text,
						limit->keyword != WEFT_KEYWORD_MAXIMUM, error);
			break;
		default:
			fine = weft_numbers_multiple_of(numbers, limit->text, error);
			break;
		}
		if (fine)
			continue;
		g_autofree char *pointer = weft_reading_pointer(reading, limit->clause->json);
		g_prefix_error(error, "#%s: keyword \"%s\": ", pointer,
			       weft_keyword_name(limit->keyword));
		return FALSE;
	}
	return TRUE;
}

WeftNumbers *weft_schema_shape_numbers(WeftReading *reading, const GArray *limits, const GArray *more,
				gboolean is_integer, GError **error)
{
	WeftNumbers *numbers = weft_numbers_new(is_integer);
	g_ptr_array_add(reading->schema->numbers, numbers);
	return narrow_numbers(reading, numbers, limits, error) &&
			       narrow_numbers(reading, numbers, more, error)
		       ? numbers
		       : NULL;
}

static gboolean finish_numbers(WeftReading *reading, WeftSchemaShape *shape, GError **error)
{
	guint types = shape->types & WEFT_TYPE_NUMBER;
	if (types == WEFT_TYPE_FRACTION)
		drop(reading, shape, WEFT_TYPE_NUMBER, NULL, WEFT_KEYWORD_NOT,
		     "numbers that are no integers, without the others");
	if (!(shape->types & WEFT_TYPE_NUMBER))
		return TRUE;
	shape->numbers =
		weft_schema_shape_numbers(reading, shape->limits, NULL, types == WEFT_TYPE_INTEGER, error);
	if (!shape->numbers)
		return FALSE;
	if (weft_numbers_is_empty(shape->numbers)) {
		WeftKeyword keyword = shape->limits->len > 0
					      ? g_array_index(shape->limits, WeftSchemaLimit, 0).keyword
					      : WEFT_KEYWORD_TYPE;
		drop(reading, shape, WEFT_TYPE_NUMBER, who_says(reading, shape->set, keyword),
		     keyword, "no number fits it and the keywords beside it");
	}
	return TRUE;
}

/* ---- values ---- */

/* Those that fit everything; several enumerations are searched from the shortest one's view. */
static gboolean gather_values(WeftReading *reading, WeftSchemaShape *shape, GError **error)
{
	const WeftClause *clause, *found = NULL;
	for (guint i = 0; (clause = next_clause(reading, shape->set, &i));)
		if (clause->values[WEFT_KEYWORD_CONST] ||
		    (clause->values[WEFT_KEYWORD_ENUM] && !found))
			found = clause;
	shape->is_enumerated = found != NULL;
	const WeftJson *constant = found ? found->values[WEFT_KEYWORD_CONST] : NULL;
	const WeftJson *list = found && !constant ? found->values[WEFT_KEYWORD_ENUM] : NULL;
	gsize n = found ? (constant ? 1 : weft_json_length(list)) : G_N_ELEMENTS(reading->words);
	if (n > WEFT_READING_LITERALS_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "schema with an enum of more than %u values",
			    WEFT_READING_LITERALS_MAX);
		return FALSE;
	}
	for (gsize i = 0; i < n; i++) {
		const WeftJson *value = !found     ? reading->words[i]
					: constant ? constant
						   : weft_json_at(list, i);
		WeftFit fit;
		if (found)
			g_ptr_array_add(shape->listed, (gpointer)value);
		if (!(weft_value_type(value) & shape->types))
			continue;
		if (!weft_value_fit(reading, shape->set, value, &fit, error))
			return FALSE;
		if (fit == WEFT_FIT_YES)
			g_ptr_array_add(shape->values, (gpointer)value);
	}
	if (found && shape->values->len == 0)
		drop(reading, shape, 0, found,
		     constant ? WEFT_KEYWORD_CONST : WEFT_KEYWORD_ENUM,
		     "no value fits the keywords beside it");
	return TRUE;
}

/* ---- all ---- */

static gboolean gather_clauses(WeftReading *reading, WeftSchemaShape *shape, GError **error)
{
	const WeftClause *clause;
	for (guint i = 0; (clause = next_clause(reading, shape->set, &i));) {
		gboolean flag;
		gather_numbers(shape, clause);
		narrow(clause, WEFT_KEYWORD_MIN_ITEMS, WEFT_KEYWORD_MAX_ITEMS, &shape->n_items_min,
		       &shape->n_items_max);
		if (weft_json_bool(clause->values[WEFT_KEYWORD_UNIQUE_ITEMS], &flag) && flag)
			shape->is_unique = TRUE;
		if (!gather_string(reading, shape, clause, error) ||
		    !weft_reading_spend(reading, 1, error))
			return FALSE;
	}
	if (shape->n_items_min > shape->n_items_max)
		drop(reading, shape, WEFT_TYPE_ARRAY,
		     who_says(reading, shape->set, WEFT_KEYWORD_MIN_ITEMS),
		     WEFT_KEYWORD_MIN_ITEMS, "larger than maxItems");
	return TRUE;
}

static void gather_types(WeftReading *reading, WeftSchemaShape *shape)
{
	for (guint i = 0; i < shape->set->len; i++) {
		const WeftElement *element = &g_array_index(shape->set, WeftElement, i);
		if (element->kind == WEFT_ELEMENT_CLAUSE)
			shape->types &= weft_reading_clause_at(reading, element->a)->types;
		else if (element->kind == WEFT_ELEMENT_TYPES)
			shape->types &= element->a;
	}
}

/* Where nobody names a type, the keywords that speak of one only are taken to mean it: whoever
 * writes "properties" wants an object. */
static void guess_types(const WeftReading *reading, WeftSchemaShape *shape)
{
	static const guint types[] = {WEFT_TYPE_STRING, WEFT_TYPE_NUMBER, WEFT_TYPE_ARRAY,
				      WEFT_TYPE_OBJECT};
	const WeftClause *clause;
	guint found = 0;
	for (guint i = 0; (clause = next_clause(reading, shape->set, &i));) {
		if (clause->values[WEFT_KEYWORD_TYPE] || clause->values[WEFT_KEYWORD_ENUM] ||
		    clause->values[WEFT_KEYWORD_CONST])
			return;
		for (gsize j = 0; j < G_N_ELEMENTS(types); j++)
			if (weft_clause_speaks_of(clause, types[j]))
				found |= types[j];
	}
	if (found)
		shape->types &= found;
}

/* A number or a length on the other side of a bound; of an exclusive one in draft 4's way a little further. */
static void break_limit(WeftSchemaShape *shape, const WeftClause *clause, WeftKeyword keyword)
{
	static const WeftKeyword contrary[][2] = {
		{WEFT_KEYWORD_MINIMUM, WEFT_KEYWORD_EXCLUSIVE_MAXIMUM},
		{WEFT_KEYWORD_MAXIMUM, WEFT_KEYWORD_EXCLUSIVE_MINIMUM},
		{WEFT_KEYWORD_EXCLUSIVE_MINIMUM, WEFT_KEYWORD_MAXIMUM},
		{WEFT_KEYWORD_EXCLUSIVE_MAXIMUM, WEFT_KEYWORD_MINIMUM},
	};
	WeftSchemaLimit limit = {clause, keyword, weft_json_raw_number(clause->values[keyword])};
	guint32 count;
	for (gsize i = 0; i < G_N_ELEMENTS(contrary); i++)
		if (contrary[i][0] == keyword) {
			limit.keyword = contrary[i][1];
			g_array_append_val(shape->limits, limit);
		}
	if (keyword == WEFT_KEYWORD_MAX_LENGTH && weft_clause_count(clause, keyword, &count))
		shape->length_min = MAX(shape->length_min, count + 1);
	if (keyword != WEFT_KEYWORD_MIN_LENGTH || !weft_clause_count(clause, keyword, &count))
		return;
	if (count == 0) /* nothing is shorter */
		shape->types &= ~(guint)WEFT_TYPE_STRING;
	else
		shape->length_max = MIN(shape->length_max, count - 1);
}

static void gather_contraries(WeftReading *reading, WeftSchemaShape *shape)
{
	for (guint i = 0; i < shape->set->len; i++) {
		const WeftElement *element = &g_array_index(shape->set, WeftElement, i);
		if (element->kind == WEFT_ELEMENT_NOT_VALUES)
			gather_not_values(reading, shape,
					  weft_reading_clause_at(reading, element->a));
		else if (element->kind == WEFT_ELEMENT_NOT_PATTERN)
			add_part(reading, shape,
				 g_strdup(weft_json_string(
					 weft_reading_clause_at(reading, element->a)
						 ->values[WEFT_KEYWORD_PATTERN],
					 NULL)),
				 TRUE);
		else if (element->kind == WEFT_ELEMENT_NOT_LIMIT)
			break_limit(shape, weft_reading_clause_at(reading, element->a), element->b);
		else if (element->kind == WEFT_ELEMENT_PATTERN)
			add_part(reading, shape,
				 g_strdup(weft_reading_key_at(reading, element->a)->text), FALSE);
	}
}

const WeftSchemaShape *weft_schema_shape_of(WeftReading *reading, const GArray *set, GError **error)
{
	g_autoptr(GBytes) key = weft_set_key(set);
	WeftSchemaShape *shape = g_hash_table_lookup(reading->shapes, key);
	if (shape)
		return shape;
	shape = shape_new(set);
	gather_types(reading, shape);
	shape->said_types = shape->types;
	guess_types(reading, shape);
	gboolean fine = gather_values(reading, shape, error);
	shape->types &= shape->is_enumerated ? 0u : ~(guint)(WEFT_TYPE_NULL | WEFT_TYPE_BOOLEAN);
	gather_contraries(reading, shape);
	weft_schema_shape_gather_prefix(reading, shape);
	fine = fine && (shape->types == 0 ||
			(gather_clauses(reading, shape, error) &&
			 finish_string(reading, shape, error) &&
			 finish_numbers(reading, shape, error) &&
			 weft_schema_shape_gather_keys(reading, shape, error)));
	if (!fine) {
		weft_schema_shape_free(shape);
		return NULL;
	}
	g_hash_table_insert(reading->shapes, g_steal_pointer(&key), shape);
	return shape;
}
