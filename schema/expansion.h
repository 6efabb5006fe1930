/* expansion.h - from a set as it was met to its cases.
 *
 * References and allOf are followed, and of each anyOf, oneOf, if, dependentRequired and
 * dependentSchemas one way is chosen: a case for each combination of choices. An instance of the
 * set is an instance of one of its cases at least; an instance of a case that fits none of the
 * case's `exclusions` is one of the set. Schemas that lead back to themselves without a value
 * between are refused: they say nothing.
 */
#ifndef WEFT_SCHEMA_EXPANSION_H
#define WEFT_SCHEMA_EXPANSION_H

#include "schema/reading.h"

/* A schema that must not fit, and who says so. */
typedef struct WeftExclusion {
	guint32 clause;      /* that must not fit */
	guint32 origin;      /* clause that holds the keyword */
	WeftKeyword keyword; /* not, oneOf or if */
} WeftExclusion;

typedef struct WeftCase {
	GArray *elements;   /* no choices left; clauses with assertions of their own, and the rest */
	GArray *exclusions; /* of WeftExclusion */
} WeftCase;

void weft_case_free(WeftCase *one);

/* The cases in the order of the text. None: *ret_why says why, when there is something to say
 * ("#/a: keyword ..."; caller frees); it may be NULL. Caller unrefs the array. */
GPtrArray *weft_expansion_new(WeftReading *reading, const GArray *set, char **ret_why,
			      GError **error);

/* The cases of one clause, kept in the reading. */
const GPtrArray *weft_expansion_of_clause(WeftReading *reading, guint32 clause, GError **error);

/* All clauses that speak of the same value as this one, it included, whichever way is chosen:
 * WeftClause * as a set. Kept with the clause. */
GHashTable *weft_expansion_reach(WeftReading *reading, WeftClause *clause, GError **error);

#endif
