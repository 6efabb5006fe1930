#include "base/amount.h"

#include <string.h>

#define AMOUNT_BYTES_MAX 40 /* longer runs of digits are serial numbers */
#define MINUS "\xe2\x88\x92" /* U+2212 */
#define APOSTROPHE "\xe2\x80\x99" /* U+2019 */

typedef struct Run {
	const char *first, *end; /* digits and what divides them, from digit to digit */
} Run;

/* What divides the digits at p from those behind it, 0 if nothing does; *ret_size: its bytes. */
static char mark_at(const char *p, const char *end, gsize *ret_size)
{
	char mark = 0;

	*ret_size = 1;
	if (p < end && (*p == '.' || *p == ',' || *p == '\'' || *p == ' '))
		mark = *p;
	if (end - p > 3 && memcmp(p, APOSTROPHE, 3) == 0) {
		*ret_size = 3;
		mark = '\'';
	}
	return mark && p + *ret_size < end && g_ascii_isdigit(p[*ret_size]) ? mark : 0;
}

static gsize count_digits(const char *p, const char *end)
{
	const char *first = p;

	while (p < end && g_ascii_isdigit(*p))
		p++;
	return (gsize)(p - first);
}

static Run run_from(const char *first, const char *end, gboolean is_spaced)
{
	const char *p = first + count_digits(first, end);
	gsize size;

	for (char mark; (mark = mark_at(p, end, &size)) != 0;) {
		if (mark == ' ' && (!is_spaced || count_digits(p + 1, end) != 3))
			break;
		p += size + count_digits(p + size, end);
	}
	return (Run){ first, p };
}

/* The group behind a divider is whole: three digits, or two and more groups of the same kind. */
static gboolean is_group(gsize n_digits, char mark, gboolean is_last)
{
	return n_digits == 3 || (n_digits == 2 && mark == ',' && !is_last);
}

/* Reads with `point`; what else divides is a divider of groups, the same in all places. */
static gboolean read_with(Run run, char point, WeftDecimal *ret_value)
{
	char plain[AMOUNT_BYTES_MAX + 1], divider = 0, mark;
	const char *p = run.first;
	gsize n = 0, n_digits = count_digits(p, run.end), size;
	gboolean has_pair = FALSE;

	memcpy(plain, p, n_digits);
	n = n_digits;
	p += n_digits;
	while ((mark = mark_at(p, run.end, &size)) != 0 && mark != point) {
		p += size;
		gsize n_group = count_digits(p, run.end), next;
		char behind = mark_at(p + n_group, run.end, &next);

		if ((divider && divider != mark) || (!divider && (n_digits > 3 || run.first[0] == '0')) ||
		    !is_group(n_group, mark, behind != mark))
			return FALSE;
		/* Pairs come before the last three, and none of three before them. */
		if (n_group == 2 ? (divider && !has_pair) || n_digits > 2
				 : has_pair && behind == mark)
			return FALSE;
		has_pair |= n_group == 2;
		divider = mark;
		memcpy(plain + n, p, n_group);
		n += n_group;
		p += n_group;
	}
	if (mark == point) {
		gsize n_fraction = count_digits(p + size, run.end);
		plain[n++] = '.';
		memcpy(plain + n, p + size, n_fraction);
		n += n_fraction;
		p += size + n_fraction;
	}
	return p == run.end && weft_decimal_read(plain, n, ret_value);
}

static gboolean is_word_before(const char *text, const char *p)
{
	if (p == text)
		return FALSE;
	gunichar c = g_utf8_get_char(g_utf8_prev_char(p));
	return g_unichar_isalnum(c) || c == '_';
}

static gboolean is_digit_before(const char *text, const char *p)
{
	return p > text && g_ascii_isdigit(p[-1]);
}

/* A piece of a date, a time or a serial, which is no number. */
static gboolean is_tied(const char *text, const char *end, Run run)
{
	const char *before = run.first > text ? run.first - 1 : NULL;
	gunichar after = run.end + 1 < end ? g_utf8_get_char(run.end + 1) : 0;

	if (is_word_before(text, run.first))
		return TRUE;
	if (before && (*before == '-' || *before == '/') && is_word_before(text, before))
		return TRUE;
	if (before && *before == ':' && is_digit_before(text, before))
		return TRUE;
	if (run.end == end)
		return FALSE;
	return *run.end == '-' ? g_unichar_isalnum(after)
			       : (*run.end == ':' || *run.end == '/') && g_unichar_isdigit(after);
}

/* The run with its sign. */
static gboolean take_sign(const char *text, const char *end, Run *run)
{
	const char *p = run->first;

	if (p > text && p[-1] == '-')
		run->first = p - 1;
	else if (p - text >= 3 && memcmp(p - 3, MINUS, 3) == 0)
		run->first = p - 3;
	else if (run->end < end && *run->end == '-' &&
		 (run->end + 1 == end || run->end[1] == ' ' || run->end[1] == '\0'))
		run->end++;
	else
		return FALSE;
	return TRUE;
}

static gboolean read_run(const WeftAmounts *amounts, Run run, WeftAmount *ret_amount)
{
	const char *end = amounts->text + amounts->size_bytes;
	WeftAmount amount = { 0 };

	if (run.end - run.first > AMOUNT_BYTES_MAX || is_tied(amounts->text, end, run))
		return FALSE;
	amount.has_dot = read_with(run, '.', &amount.dot);
	amount.has_comma = read_with(run, ',', &amount.comma);
	if (!amount.has_dot && !amount.has_comma)
		return FALSE;
	if (take_sign(amounts->text, end, &run)) {
		amount.dot = weft_decimal_negate(amount.dot);
		amount.comma = weft_decimal_negate(amount.comma);
	}
	amount.first = (gsize)(run.first - amounts->text);
	amount.end = (gsize)(run.end - amounts->text);
	*ret_amount = amount;
	return TRUE;
}

gboolean weft_amount_next(WeftAmounts *amounts, WeftAmount *ret_amount)
{
	const char *text = amounts->text, *end = text + amounts->size_bytes;

	while (amounts->at < amounts->size_bytes) {
		const char *p = text + amounts->at;
		if (!g_ascii_isdigit(*p)) {
			amounts->at++;
			continue;
		}
		Run run = run_from(p, end, FALSE), spaced = run_from(p, end, TRUE);
		gboolean was_spaced = amounts->is_spaced_next;

		amounts->is_spaced_next = !was_spaced && spaced.end > run.end;
		if (!amounts->is_spaced_next)
			amounts->at = (gsize)(run.end - text);
		if (read_run(amounts, was_spaced ? spaced : run, ret_amount))
			return TRUE;
	}
	return FALSE;
}

gboolean weft_amount_is_ambiguous(const WeftAmount *amount)
{
	return amount->has_dot && amount->has_comma &&
	       weft_decimal_compare(amount->dot, amount->comma) != 0;
}

gboolean weft_amount_value(const WeftAmount *amount, WeftPoint point, WeftDecimal *ret_value)
{
	if (weft_amount_is_ambiguous(amount) && point == WEFT_POINT_UNKNOWN)
		return FALSE;
	if (point == WEFT_POINT_UNKNOWN)
		point = amount->has_dot ? WEFT_POINT_DOT : WEFT_POINT_COMMA;
	if (point == WEFT_POINT_DOT ? !amount->has_dot : !amount->has_comma)
		return FALSE;
	*ret_value = point == WEFT_POINT_DOT ? amount->dot : amount->comma;
	return TRUE;
}

WeftPoint weft_amount_vote(const WeftAmount *amount)
{
	if (amount->has_dot == amount->has_comma)
		return WEFT_POINT_UNKNOWN;
	return amount->has_dot ? WEFT_POINT_DOT : WEFT_POINT_COMMA;
}
