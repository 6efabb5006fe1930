#include "base/decimal.h"

#include <string.h>

#define SCALE_MAX 38

static gboolean times_ten(WeftInt128 *digits)
{
	return !__builtin_mul_overflow(*digits, (WeftInt128)10, digits);
}

static gboolean add_digit(WeftInt128 *digits, char digit)
{
	return times_ten(digits) && !__builtin_add_overflow(*digits, (WeftInt128)(digit - '0'), digits);
}

/* Without zeros at the end, so that 1e2 and 100.00 are the same. */
static void settle(WeftDecimal *value)
{
	while (value->scale > 0 && value->digits % 10 == 0) {
		value->digits /= 10;
		value->scale--;
	}
}

/* What stands behind the e: moves the point. */
static gboolean read_exponent(const char *p, const char *end, WeftDecimal *value)
{
	gboolean is_negative = p < end && *p == '-';
	gint exponent = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end)
		return FALSE;
	for (; p < end; p++) {
		if (!g_ascii_isdigit(*p))
			return FALSE;
		exponent = MIN(exponent * 10 + (*p - '0'), 1000);
	}
	if (value->digits == 0)
		return TRUE;
	for (; exponent > 0 && !is_negative; exponent--) {
		if (value->scale > 0)
			value->scale--;
		else if (!times_ten(&value->digits))
			return FALSE;
	}
	value->scale += (guint)exponent;
	settle(value);
	return TRUE;
}

gboolean weft_decimal_read(const char *text, gsize size_bytes, WeftDecimal *ret_value)
{
	const char *p = text, *end = text + size_bytes;
	WeftDecimal value = { 0, 0 };
	gboolean is_negative = p < end && *p == '-', has_digit = FALSE;

	p += is_negative;
	for (; p < end && g_ascii_isdigit(*p); p++, has_digit = TRUE)
		if (!add_digit(&value.digits, *p))
			return FALSE;
	if (!has_digit)
		return FALSE;
	if (p < end && *p == '.') {
		const char *first = ++p, *last = p;
		for (; p < end && g_ascii_isdigit(*p); p++)
			last = *p == '0' ? last : p + 1;
		for (const char *digit = first; digit < last; digit++, value.scale++)
			if (!add_digit(&value.digits, *digit))
				return FALSE;
		if (p == first)
			return FALSE;
	}
	if (p < end && (*p == 'e' || *p == 'E') && !read_exponent(p + 1, end, &value))
		return FALSE;
	else if (p < end && *p != 'e' && *p != 'E')
		return FALSE;
	settle(&value);
	if (value.scale > SCALE_MAX)
		return FALSE;
	value.digits = is_negative ? -value.digits : value.digits;
	*ret_value = value;
	return TRUE;
}

/* Both with the same scale; FALSE: one does not fit then. */
static gboolean align(WeftDecimal *a, WeftDecimal *b)
{
	for (; a->scale < b->scale; a->scale++)
		if (!times_ten(&a->digits))
			return FALSE;
	for (; b->scale < a->scale; b->scale++)
		if (!times_ten(&b->digits))
			return FALSE;
	return TRUE;
}

gboolean weft_decimal_add(WeftDecimal a, WeftDecimal b, WeftDecimal *ret_sum)
{
	WeftDecimal sum;

	if (!align(&a, &b) || __builtin_add_overflow(a.digits, b.digits, &sum.digits))
		return FALSE;
	sum.scale = a.scale;
	settle(&sum);
	*ret_sum = sum;
	return TRUE;
}

WeftDecimal weft_decimal_negate(WeftDecimal value)
{
	value.digits = -value.digits;
	return value;
}

int weft_decimal_compare(WeftDecimal a, WeftDecimal b)
{
	WeftDecimal x = a, y = b;

	if (align(&x, &y))
		return (x.digits > y.digits) - (x.digits < y.digits);
	/* One is too long for the other's scale, so it is the one that is further from 0: it has more
	 * digits in front of the point than the other can have. */
	return a.scale < b.scale ? (a.digits > 0 ? 1 : -1) : (b.digits > 0 ? -1 : 1);
}

void weft_decimal_write(WeftDecimal value, char ret_text[WEFT_DECIMAL_CHARS])
{
	char turned[WEFT_DECIMAL_CHARS];
	gsize n = 0, at = 0;
	gboolean is_negative = value.digits < 0;

	settle(&value);
	for (guint i = 0; value.digits != 0 || i <= value.scale; i++) {
		int digit = (int)(value.digits % 10);
		turned[n++] = (char)('0' + ABS(digit));
		value.digits /= 10;
		if (i + 1 == value.scale)
			turned[n++] = '.';
	}
	if (is_negative)
		ret_text[at++] = '-';
	while (n > 0)
		ret_text[at++] = turned[--n];
	ret_text[at] = '\0';
}
