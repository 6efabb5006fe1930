#include "model/number.h"

static const gint64 power_of_ten[] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
	100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
};

static int fraction_max(const WeftNumberRange *range)
{
	return range->is_integer ? 0 : WEFT_NUMBER_FRACTION_MAX;
}

static int whole_max(const WeftNumberRange *range)
{
	return range->is_integer ? WEFT_NUMBER_DIGITS_MAX : WEFT_NUMBER_WHOLE_MAX;
}

WeftNumberRange weft_number_range(gboolean is_integer)
{
	gint64 limit = is_integer
			       ? power_of_ten[WEFT_NUMBER_DIGITS_MAX] - 1
			       : power_of_ten[WEFT_NUMBER_WHOLE_MAX] *
					 power_of_ten[WEFT_NUMBER_FRACTION_MAX] - 1;
	return (WeftNumberRange){.is_integer = is_integer, .min = -limit, .max = limit};
}

/* The scaled value of a bound, rounded towards minus infinity; *ret_exact says whether it is the
 * bound itself. FALSE for what cannot be held. */
static gboolean scaled_bound(const WeftNumberRange *range, const char *text, gint64 *ret_value,
			     gboolean *ret_exact)
{
	gboolean negative = *text == '-';
	gint64 whole = 0, part = 0;
	int n_whole = 0, n_part = 0, scale = fraction_max(range);
	gboolean rest = FALSE;
	const char *p = text + (negative ? 1 : 0);

	for (; g_ascii_isdigit(*p); p++) {
		whole = whole * 10 + (*p - '0');
		if (++n_whole > whole_max(range))
			return FALSE;
	}
	if (*p == '.')
		for (p++; g_ascii_isdigit(*p); p++) {
			if (n_part < scale) {
				part = part * 10 + (*p - '0');
				n_part++;
			} else if (*p != '0') {
				rest = TRUE;
			}
		}
	if (*p != '\0' || n_whole == 0)
		return FALSE;
	gint64 value = whole * power_of_ten[scale] + part * power_of_ten[scale - n_part];
	if (negative)
		value = rest ? -value - 1 : -value;
	*ret_value = value;
	*ret_exact = !rest;
	return TRUE;
}

gboolean weft_number_range_min(WeftNumberRange *range, const char *text, gboolean exclusive)
{
	gint64 value;
	gboolean exact;
	if (!scaled_bound(range, text, &value, &exact))
		return FALSE;
	if (!exact || exclusive)
		value++;
	range->min = MAX(range->min, value);
	return TRUE;
}

gboolean weft_number_range_max(WeftNumberRange *range, const char *text, gboolean exclusive)
{
	gint64 value;
	gboolean exact;
	if (!scaled_bound(range, text, &value, &exact))
		return FALSE;
	if (exact && exclusive)
		value--;
	range->max = MIN(range->max, value);
	return TRUE;
}

/* Whether a multiple of `unit` lies in [low, high]. */
static gboolean has_multiple(gint64 low, gint64 high, gint64 unit)
{
	return low <= high && (low + unit - 1) / unit * unit <= high;
}

/* The fewest bytes once at least one digit stands. Magnitudes must lie in [low, high]; with k more
 * whole digits and a fraction of f digits the reachable ones are the multiples of 10^(scale - f)
 * from the digits filled up with zeros to those filled up with nines. */
static int close_digits(const WeftNumber *number, const WeftNumberRange *range, gint64 low,
			gint64 high)
{
	int scale = fraction_max(range), best = -1;
	gboolean is_zero = number->digits == 0 && number->n_whole == 1;
	int k_end = number->has_point || is_zero ? 0 : whole_max(range) - number->n_whole;

	for (int k = 0; k <= k_end; k++) {
		int f_first = number->has_point ? MAX(number->n_fraction, 1) : 0;
		for (int f = f_first; f <= scale; f++) {
			int n_more = k + f - number->n_fraction;
			int n_digits = number->n_whole + number->n_fraction + n_more;
			int cost = n_more + (!number->has_point && f > 0 ? 1 : 0);
			if (n_digits > WEFT_NUMBER_DIGITS_MAX)
				break;
			gint64 unit = power_of_ten[scale - f];
			gint64 first = number->digits * power_of_ten[n_more] * unit;
			gint64 last = first + (power_of_ten[n_more] - 1) * unit;
			if ((best < 0 || cost < best) &&
			    has_multiple(MAX(first, low), MIN(last, high), unit))
				best = cost;
		}
	}
	return best;
}

static int close_signed(const WeftNumber *number, const WeftNumberRange *range)
{
	gint64 low = number->is_negative ? MAX(1, -range->max) : MAX(0, range->min);
	gint64 high = number->is_negative ? -range->min : range->max;
	if (low > high)
		return -1;
	if (number->n_whole > 0)
		return close_digits(number, range, low, high);
	int best = -1;
	for (int digit = 0; digit <= 9; digit++) {
		WeftNumber next = *number;
		next.digits = digit;
		next.n_whole = 1;
		int cost = close_digits(&next, range, low, high);
		if (cost >= 0 && (best < 0 || cost + 1 < best))
			best = cost + 1;
	}
	return best;
}

int weft_number_close(const WeftNumber *number, const WeftNumberRange *range)
{
	int plain = close_signed(number, range);
	if (number->n_whole > 0 || number->is_negative)
		return plain;
	WeftNumber negative = {.is_negative = TRUE};
	int signed_cost = close_signed(&negative, range);
	if (signed_cost < 0)
		return plain;
	return plain >= 0 && plain <= signed_cost + 1 ? plain : signed_cost + 1;
}

gboolean weft_number_advance(WeftNumber *number, const WeftNumberRange *range, guint8 byte)
{
	WeftNumber next = *number;
	if (byte == '-') {
		if (next.is_negative || next.n_whole > 0)
			return FALSE;
		next.is_negative = TRUE;
	} else if (byte == '.') {
		if (next.has_point || next.n_whole == 0 || range->is_integer)
			return FALSE;
		next.has_point = TRUE;
	} else if (g_ascii_isdigit(byte)) {
		gboolean is_zero = next.digits == 0 && next.n_whole == 1;
		if (next.has_point) {
			if (++next.n_fraction > fraction_max(range))
				return FALSE;
		} else if (is_zero || ++next.n_whole > whole_max(range)) {
			return FALSE;
		}
		if (next.n_whole + next.n_fraction > WEFT_NUMBER_DIGITS_MAX)
			return FALSE;
		next.digits = next.digits * 10 + (byte - '0');
	} else {
		return FALSE;
	}
	if (weft_number_close(&next, range) < 0)
		return FALSE;
	*number = next;
	return TRUE;
}
