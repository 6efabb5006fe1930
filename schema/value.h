/* value.h - values that stand in a schema: one text for each, and whether they fit a schema.
 *
 * Two values are equal when JSON Schema says so: 1 and 1.0 are, {"a":1,"b":2} and {"b":2,"a":1} are.
 */
#ifndef WEFT_SCHEMA_VALUE_H
#define WEFT_SCHEMA_VALUE_H

#include "schema/reading.h"

/* Compact JSON: members as they stand, integers by their digits, other numbers in one spelling. NULL:
 * holds a number that no double holds. Caller frees. */
char *weft_value_text(const WeftJson *value);

/* The same for equal values, different for others. NULL as above. Caller frees. */
char *weft_value_identity(const WeftJson *value);

/* Appends a decimal number in its one spelling; FALSE: no double holds it. */
gboolean weft_value_append_number(GString *text, const char *number);

/* Its type, one bit. */
guint weft_value_type(const WeftJson *value);

typedef enum {
	WEFT_FIT_NO,
	WEFT_FIT_YES,
	WEFT_FIT_UNKNOWN, /* validators may differ, or it was not looked at */
} WeftFit;

/* Whether `number` is a whole multiple of `step`, which is above 0. */
WeftFit weft_value_is_multiple(const char *number, const char *step);

/* Whether the value fits all of the set: schemas by their own assertions alone, because what they
 * lead to is in a set without choices as well. FALSE: an error. */
gboolean weft_value_fit(WeftReading *reading, const GArray *set, const WeftJson *value,
			WeftFit *ret_fit, GError **error);

#endif
