/* numeral.h - numbers as JSON spells them, compared without rounding.
 *
 * The texts are numbers of JSON (the caller has read them as such), of any length and with any
 * exponent, which base/decimal.h has not; what is asked of them is answered exactly.
 */
#ifndef WEFT_SCHEMA_NUMERAL_H
#define WEFT_SCHEMA_NUMERAL_H

#include <glib.h>

/* Longer exponents are as good as this one. */
#define WEFT_NUMERAL_EXPONENT_MAX 1000000000

/* A number taken apart: 0.d1d2d3... * 10^exponent, d1 not 0. */
typedef struct WeftNumeral {
	const char *first;      /* the first digit that is not 0, in the text; a point may follow */
	guint n_digits;         /* from there to the last one that is not 0; 0: the number is 0 */
	gint64 exponent;
	gboolean is_negative;   /* never of 0 */
} WeftNumeral;

WeftNumeral weft_numeral(const char *text);

/* The next of its digits, 0 to 9: begin with *cursor = numeral->first, take n_digits of them. */
guint weft_numeral_digit(const char **cursor);

/* Below 0, 0, above 0: a before, equal to, after b. */
int weft_numeral_compare(const char *a, const char *b);

gboolean weft_numeral_is_integer(const char *text);

/* Whether the number is a multiple of `of`, which is above 0. FALSE also when `of` has more than 18
 * digits. */
gboolean weft_numeral_is_multiple(const char *text, const char *of);

#endif
