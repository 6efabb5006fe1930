/* amount.h - numbers as people write them: 1,240.50  1.240,50  1 240,50  1'240.50  12,34,567
 *
 * A text is searched for numbers with what divides their groups and their point. One and the same
 * text can mean two numbers: 1.240 is a thousand in Munich and a little more than one in London. So
 * an amount has up to two readings; base/usage.h says which of them a document, or a schema's
 * locale, means. Groups are of three digits (in the last one, with commas, after pairs: lakhs), the
 * first begins with no zero; in that, 0.125 has one reading only.
 *
 * A space may divide groups, too, and it may divide two numbers: "2 100,00" gives 2 and 100.00, and
 * 2100.00 as well. A number that hangs on a letter in front of it, or is a piece of a time, a date or
 * a serial (12:30, 2024-03-12, A-17) is none. The sign is a minus just before it or, as
 * accountants have it, just behind.
 */
#ifndef WEFT_BASE_AMOUNT_H
#define WEFT_BASE_AMOUNT_H

#include "base/decimal.h"

typedef enum {
	WEFT_POINT_UNKNOWN,
	WEFT_POINT_DOT,   /* 1,240.50 */
	WEFT_POINT_COMMA, /* 1.240,50 */
} WeftPoint;

typedef struct WeftAmount {
	gsize first, end;          /* bytes of the text, sign included */
	gboolean has_dot, has_comma; /* it can be read that way */
	WeftDecimal dot, comma;
} WeftAmount;

typedef struct WeftAmounts {
	const char *text;          /* as base/running_text.h leaves it */
	gsize size_bytes, at;
	gboolean is_spaced_next;   /* the number just told again, with what a space divides */
} WeftAmounts;

/* In order of their beginning; FALSE: that was the last. */
gboolean weft_amount_next(WeftAmounts *amounts, WeftAmount *ret_amount);

/* Both readings are there and differ. */
gboolean weft_amount_is_ambiguous(const WeftAmount *amount);
/* What it means with this point; with an unknown one, if there is only one thing that it can mean. */
gboolean weft_amount_value(const WeftAmount *amount, WeftPoint point, WeftDecimal *ret_value);
/* Whether a writer of such a point writes this; UNKNOWN: both do. */
WeftPoint weft_amount_vote(const WeftAmount *amount);

#endif
