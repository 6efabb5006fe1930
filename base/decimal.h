/* decimal.h - decimal numbers, exactly: for money, which binary fractions spoil.
 *
 * digits / 10^scale, at most 38 digits in all, which is what a 128-bit integer holds. What does not fit
 * is no decimal, and a sum that does not fit says so: nothing is rounded.
 */
#ifndef WEFT_BASE_DECIMAL_H
#define WEFT_BASE_DECIMAL_H

#include <glib.h>

__extension__ typedef __int128 WeftInt128;

#define WEFT_DECIMAL_CHARS 48 /* of the longest that is written, with NUL */

typedef struct WeftDecimal {
	WeftInt128 digits;
	guint scale; /* 0 to 38 */
} WeftDecimal;

/* A number as JSON spells it, exponents too. FALSE: it is none, or too long. */
gboolean weft_decimal_read(const char *text, gsize size_bytes, WeftDecimal *ret_value);
/* FALSE: the sum is too long. */
gboolean weft_decimal_add(WeftDecimal a, WeftDecimal b, WeftDecimal *ret_sum);
WeftDecimal weft_decimal_negate(WeftDecimal value);
/* Negative, 0, positive: a less than, equal to, more than b. */
int weft_decimal_compare(WeftDecimal a, WeftDecimal b);
/* The one spelling of a value: -1240.5, 0; no exponent, no zeros at the end. */
void weft_decimal_write(WeftDecimal value, char ret_text[WEFT_DECIMAL_CHARS]);

#endif
