#include "schema/numeral.h"

#define DIVISOR_DIGITS_MAX 18

/* 128 bits are enough for two factors below the divisor. */
__extension__ typedef unsigned __int128 Wide;

static gint64 read_exponent(const char *p)
{
	gint64 value = 0;
	gboolean is_negative = *p == '-';
	if (*p == '-' || *p == '+')
		p++;
	for (; g_ascii_isdigit(*p); p++)
		value = MIN(value * 10 + (*p - '0'), WEFT_NUMERAL_EXPONENT_MAX);
	return is_negative ? -value : value;
}

WeftNumeral weft_numeral(const char *text)
{
	WeftNumeral numeral = {.is_negative = *text == '-'};
	gint64 n_whole = 0;     /* digits in front of the point, less zeros behind it and in front */
	gboolean has_point = FALSE;
	guint n = 0;
	const char *p = text + (numeral.is_negative ? 1 : 0);
	for (; g_ascii_isdigit(*p) || *p == '.'; p++) {
		if (*p == '.') {
			has_point = TRUE;
			continue;
		}
		if (!numeral.first && *p == '0') {
			n_whole -= has_point;
			continue;
		}
		if (!numeral.first)
			numeral.first = p;
		n_whole += !has_point;
		n++;
		if (*p != '0')
			numeral.n_digits = n;
	}
	if (numeral.n_digits == 0)
		return (WeftNumeral){.first = text};
	numeral.exponent = n_whole + (*p == 'e' || *p == 'E' ? read_exponent(p + 1) : 0);
	return numeral;
}

guint weft_numeral_digit(const char **cursor)
{
	if (**cursor == '.')
		(*cursor)++;
	return (guint)(*(*cursor)++ - '0');
}

static int compare_magnitudes(const WeftNumeral *a, const WeftNumeral *b)
{
	const char *p = a->first, *q = b->first;
	if (a->exponent != b->exponent)
		return a->exponent < b->exponent ? -1 : 1;
	for (guint i = 0; i < MAX(a->n_digits, b->n_digits); i++) {
		guint x = i < a->n_digits ? weft_numeral_digit(&p) : 0;
		guint y = i < b->n_digits ? weft_numeral_digit(&q) : 0;
		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

static int sign_of(const WeftNumeral *numeral)
{
	return numeral->n_digits == 0 ? 0 : numeral->is_negative ? -1 : 1;
}

int weft_numeral_compare(const char *a, const char *b)
{
	WeftNumeral x = weft_numeral(a), y = weft_numeral(b);
	int sign = sign_of(&x);
	if (sign != sign_of(&y))
		return sign < sign_of(&y) ? -1 : 1;
	return sign == 0 ? 0 : sign * compare_magnitudes(&x, &y);
}

gboolean weft_numeral_is_integer(const char *text)
{
	WeftNumeral numeral = weft_numeral(text);
	return numeral.exponent >= (gint64)numeral.n_digits;
}

static guint64 power_modulo(guint64 base, guint64 exponent, guint64 divisor)
{
	Wide power = 1 % divisor, factor = base % divisor;
	for (; exponent > 0; exponent >>= 1) {
		if (exponent & 1)
			power = power * factor % divisor;
		factor = factor * factor % divisor;
	}
	return (guint64)power;
}

gboolean weft_numeral_is_multiple(const char *text, const char *of)
{
	WeftNumeral number = weft_numeral(text), unit = weft_numeral(of);
	const char *p = number.first, *q = unit.first;
	guint64 divisor = 0;
	Wide rest = 0;
	if (number.n_digits == 0)
		return TRUE;
	if (unit.n_digits == 0 || unit.n_digits > DIVISOR_DIGITS_MAX)
		return FALSE;
	for (guint i = 0; i < unit.n_digits; i++)
		divisor = divisor * 10 + weft_numeral_digit(&q);
	/* Both are integers without zeros at their end, times a power of ten. */
	gint64 shift = (number.exponent - (gint64)number.n_digits) -
		       (unit.exponent - (gint64)unit.n_digits);
	if (shift < 0)
		return FALSE;
	for (guint i = 0; i < number.n_digits; i++)
		rest = (rest * 10 + weft_numeral_digit(&p)) % divisor;
	return rest * power_modulo(10, (guint64)shift, divisor) % divisor == 0;
}
