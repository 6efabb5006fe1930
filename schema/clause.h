/* clause.h - one schema object of the text, its keywords sorted out and their forms checked.
 *
 * The table of all keywords is clause.c's. What is malformed ("minLength": "x"), and what can't be
 * promised whatever stands beside it, is refused here; what depends on its neighbours is not.
 * Keywords that nobody knows are annotations, as the standard has it.
 */
#ifndef WEFT_SCHEMA_CLAUSE_H
#define WEFT_SCHEMA_CLAUSE_H

#include "base/json.h"

typedef enum {
	/* What a value itself has to be. */
	WEFT_KEYWORD_TYPE,
	WEFT_KEYWORD_ENUM,
	WEFT_KEYWORD_CONST,
	WEFT_KEYWORD_MIN_LENGTH,
	WEFT_KEYWORD_MAX_LENGTH,
	WEFT_KEYWORD_PATTERN,
	WEFT_KEYWORD_FORMAT,
	WEFT_KEYWORD_VERBATIM,
	WEFT_KEYWORD_MINIMUM,
	WEFT_KEYWORD_MAXIMUM,
	WEFT_KEYWORD_EXCLUSIVE_MINIMUM,
	WEFT_KEYWORD_EXCLUSIVE_MAXIMUM,
	WEFT_KEYWORD_MULTIPLE_OF,
	WEFT_KEYWORD_MIN_ITEMS,
	WEFT_KEYWORD_MAX_ITEMS,
	WEFT_KEYWORD_UNIQUE_ITEMS,
	WEFT_KEYWORD_PREFIX_ITEMS,
	WEFT_KEYWORD_ITEMS,
	WEFT_KEYWORD_ADDITIONAL_ITEMS,
	WEFT_KEYWORD_UNEVALUATED_ITEMS,
	WEFT_KEYWORD_MIN_PROPERTIES,
	WEFT_KEYWORD_MAX_PROPERTIES,
	WEFT_KEYWORD_REQUIRED,
	WEFT_KEYWORD_PROPERTIES,
	WEFT_KEYWORD_PATTERN_PROPERTIES,
	WEFT_KEYWORD_ADDITIONAL_PROPERTIES,
	WEFT_KEYWORD_PROPERTY_NAMES,
	WEFT_KEYWORD_UNEVALUATED_PROPERTIES,
	WEFT_KEYWORD_OWN_END, /* above: assertions of the clause itself */
	/* What leads to other schemas for the same value. */
	WEFT_KEYWORD_REF = WEFT_KEYWORD_OWN_END,
	WEFT_KEYWORD_DYNAMIC_REF,
	WEFT_KEYWORD_ALL_OF,
	WEFT_KEYWORD_ANY_OF,
	WEFT_KEYWORD_ONE_OF,
	WEFT_KEYWORD_NOT,
	WEFT_KEYWORD_IF,
	WEFT_KEYWORD_THEN,
	WEFT_KEYWORD_ELSE,
	WEFT_KEYWORD_DEPENDENT_REQUIRED,
	WEFT_KEYWORD_DEPENDENT_SCHEMAS,
	WEFT_KEYWORD_DEPENDENCIES,
	/* What is neither. */
	WEFT_KEYWORD_SCHEMA,
	WEFT_KEYWORD_ID,
	WEFT_KEYWORD_ID_OF_DRAFT_4,
	WEFT_KEYWORD_ANCHOR,
	WEFT_KEYWORD_DYNAMIC_ANCHOR,
	WEFT_KEYWORD_DEFS,
	WEFT_KEYWORD_DEFINITIONS,
	WEFT_KEYWORD_CONTAINS,
	WEFT_KEYWORD_MIN_CONTAINS,
	WEFT_KEYWORD_MAX_CONTAINS,
	WEFT_KEYWORD_REFUSED, /* those that only say no */
	WEFT_KEYWORD_COUNT,
} WeftKeyword;

enum {
	WEFT_TYPE_NULL = 1,
	WEFT_TYPE_BOOLEAN = 2,
	WEFT_TYPE_OBJECT = 4,
	WEFT_TYPE_ARRAY = 8,
	WEFT_TYPE_STRING = 16,
	WEFT_TYPE_INTEGER = 32,
	WEFT_TYPE_FRACTION = 64, /* a number that is no integer; 1.0 is one */
	WEFT_TYPE_NUMBER = WEFT_TYPE_INTEGER | WEFT_TYPE_FRACTION,
	WEFT_TYPE_ALL = 127,
};

typedef struct WeftClause {
	const WeftJson *json;  /* borrowed; the place in the text */
	guint index;           /* in the order in which they were met */
	gboolean is_false;     /* the schema `false` */
	guint types;
	gboolean is_own;       /* has assertions of its own */
	const WeftJson *values[WEFT_KEYWORD_COUNT]; /* NULL: not there */
	/* expansion.c: whether in-place schemas lead back to it. */
	guint8 walk;
	GHashTable *reach;     /* of WeftClause *: all that speak of the same value; NULL: not asked yet */
} WeftClause;

/* NULL: `name` is not known. */
const char *weft_keyword_name(WeftKeyword keyword);

/* Not known: neither a keyword, nor one of the annotations that the standard or others name. */
gboolean weft_keyword_is_known(const char *name);

/* Whether the value of the keyword is a schema, an array of schemas, or an object of schemas, for
 * walks through the text. FALSE as well for keywords that are not known. */
typedef enum {
	WEFT_BELOW_NONE,
	WEFT_BELOW_SCHEMA,
	WEFT_BELOW_ARRAY,
	WEFT_BELOW_OBJECT,
	WEFT_BELOW_EITHER, /* a schema or an array of them */
} WeftBelow;
WeftBelow weft_keyword_below(const char *name);

/* `pointer` of the place is only for messages. */
WeftClause *weft_clause_new(const WeftJson *json, guint index, const char *pointer, GError **error);
void weft_clause_free(WeftClause *clause);

/* The value of a count; FALSE: the keyword is not there. Above G_MAXUINT32 - 1 it is that. */
gboolean weft_clause_count(const WeftClause *clause, WeftKeyword keyword, guint32 *ret_count);

/* Whether it has keywords that say something of values of one of these types only; enum and const
 * speak of all. */
gboolean weft_clause_speaks_of(const WeftClause *clause, guint types);

/* Sets `#POINTER: keyword "NAME": reason`; returns FALSE. */
gboolean weft_clause_refuse(const char *pointer, const char *keyword, const char *reason,
			    GError **error);

#endif
