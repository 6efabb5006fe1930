/* number.h - an automaton over the bytes of one JSON number.
 *
 * Which numbers can be written: an optional '-', an integer part without leading zeros and, unless
 * the number is an integer, a fraction of at most WEFT_NUMBER_FRACTION_MAX digits; no exponent, no
 * "-0", at most WEFT_NUMBER_DIGITS_MAX digits together, so that every number survives a double.
 * Bounds hold exactly: values are compared as integers scaled by 10^WEFT_NUMBER_FRACTION_MAX (by 1
 * for an integer), and a byte is accepted only if some number within the bounds begins that way.
 */
#ifndef WEFT_MODEL_NUMBER_H
#define WEFT_MODEL_NUMBER_H

#include <glib.h>

#define WEFT_NUMBER_DIGITS_MAX 15
#define WEFT_NUMBER_FRACTION_MAX 6
/* Digits before the point of a number that may have a fraction: scaled, it fits 64 bits. */
#define WEFT_NUMBER_WHOLE_MAX 12

typedef struct WeftNumberRange {
	gboolean is_integer;
	gint64 min, max; /* scaled, both included */
} WeftNumberRange;

typedef struct WeftNumber {
	gint64 digits;      /* all digits so far, without sign and point */
	guint8 n_whole, n_fraction;
	gboolean is_negative, has_point;
} WeftNumber;

/* The range without bounds. */
WeftNumberRange weft_number_range(gboolean is_integer);

/* Narrows the range by a bound spelled as in JSON. FALSE when the text cannot be held exactly
 * (exponent, or more digits than the limits above); then the range is unchanged. */
gboolean weft_number_range_min(WeftNumberRange *range, const char *text, gboolean exclusive);
gboolean weft_number_range_max(WeftNumberRange *range, const char *text, gboolean exclusive);

/* The fewest bytes that complete `number`, 0 when it is complete as it is, -1 when none do. The
 * zeroed WeftNumber is the empty text. */
int weft_number_close(const WeftNumber *number, const WeftNumberRange *range);

/* FALSE, and `number` unchanged, when no number in the range goes on with `byte`. */
gboolean weft_number_advance(WeftNumber *number, const WeftNumberRange *range, guint8 byte);

#endif
