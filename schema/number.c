#include "schema/number.h"

#include "base/error.h"
#include "schema/numeral.h"

/* The largest integer that a double and all below it hold, 2^53 - 1, has 16 digits. */
#define INTEGER_MAX 9007199254740991
#define INTEGER_DIGITS_MAX 16
/* Bounds and steps beyond are cut to this power of ten; scaled numbers stay below 10^22. */
#define POWER_MAX 30

/* 15 digits before the point, scaled by 10^6. */
__extension__ typedef __int128 Wide;

struct WeftNumbers {
	gboolean is_integer;
	Wide min, max;          /* scaled, both included */
	Wide step;              /* scaled: all numbers are multiples of it */
	/* units[f]: numbers with f digits behind the point are multiples of this */
	Wide units[WEFT_NUMBER_FRACTION_MAX + 1];
};

static Wide power_of_ten(int exponent)
{
	static const gint64 powers[] = {1,	   10,	       100,	    1000,     10000,
					100000,	   1000000,    10000000,    100000000, 1000000000};
	Wide power = powers[exponent % 10];
	for (int i = 0; i < exponent / 10; i++)
		power *= 10 * (Wide)powers[9];
	return power;
}

static int fraction_max(const WeftNumbers *numbers)
{
	return numbers->is_integer ? 0 : WEFT_NUMBER_FRACTION_MAX;
}

static int digits_max(const WeftNumbers *numbers)
{
	return numbers->is_integer ? INTEGER_DIGITS_MAX : WEFT_NUMBER_DIGITS_MAX;
}

static Wide greatest_divisor(Wide a, Wide b)
{
	while (b != 0) {
		Wide rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* Products beyond POWER_MAX are cut: nothing but 0 is a multiple of them. */
static Wide least_multiple(Wide a, Wide b)
{
	Wide factor = a / greatest_divisor(a, b);
	return factor > power_of_ten(POWER_MAX) / b ? power_of_ten(POWER_MAX) : factor * b;
}

static void find_units(WeftNumbers *numbers)
{
	int scale = fraction_max(numbers);
	for (int f = 0; f <= scale; f++)
		numbers->units[f] = least_multiple(power_of_ten(scale - f), numbers->step);
}

/* The largest number that has a spelling, scaled. */
static Wide largest(gboolean is_integer)
{
	return is_integer ? INTEGER_MAX
			  : power_of_ten(WEFT_NUMBER_DIGITS_MAX + WEFT_NUMBER_FRACTION_MAX) - 1;
}

WeftNumbers *weft_numbers_new(gboolean is_integer)
{
	WeftNumbers *numbers = g_new0(WeftNumbers, 1);
	numbers->is_integer = is_integer;
	numbers->max = largest(is_integer);
	numbers->min = -numbers->max;
	numbers->step = 1;
	find_units(numbers);
	return numbers;
}

void weft_numbers_free(WeftNumbers *numbers)
{
	g_free(numbers);
}

/* The scaled number, rounded towards minus infinity, cut at +-10^POWER_MAX; *ret_is_exact: nothing was
 * lost. */
static Wide scaled(const WeftNumbers *numbers, const WeftNumeral *numeral, gboolean *ret_is_exact)
{
	gint64 n_places = numeral->exponent + fraction_max(numbers); /* digits that stay */
	const char *cursor = numeral->first;
	Wide value = 0;
	*ret_is_exact = (gint64)numeral->n_digits <= n_places && n_places <= POWER_MAX;
	if (n_places > POWER_MAX)
		return numeral->is_negative ? -power_of_ten(POWER_MAX) : power_of_ten(POWER_MAX);
	for (gint64 i = 0; i < n_places; i++)
		value = value * 10 +
			(i < (gint64)numeral->n_digits ? weft_numeral_digit(&cursor) : 0);
	if (!numeral->is_negative)
		return value;
	return *ret_is_exact ? -value : -value - 1;
}

/* A judge with doubles may take two numbers for one: then they are not on two sides of a bound. */
static gboolean is_same_double(const WeftNumbers *numbers, Wide value, const char *text)
{
	double scale = numbers->is_integer ? 1 : 1e6;
	return (double)value / scale == g_ascii_strtod(text, NULL);
}

gboolean weft_numbers_min(WeftNumbers *numbers, const char *text, gboolean is_exclusive, GError **error)
{
	WeftNumeral numeral = weft_numeral(text);
	gboolean is_exact = TRUE;
	Wide value = numeral.n_digits > 0 ? scaled(numbers, &numeral, &is_exact) : 0;
	if (!is_exact)
		value++;
	if (is_exclusive && (is_exact || is_same_double(numbers, value, text)))
		value++;
	if (value > largest(numbers->is_integer)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA,
			    "numbers above %.40s are not written: integers end at 2^53 - 1, others at %d "
			    "digits",
			    text, WEFT_NUMBER_DIGITS_MAX);
		return FALSE;
	}
	numbers->min = MAX(numbers->min, value);
	return TRUE;
}

gboolean weft_numbers_max(WeftNumbers *numbers, const char *text, gboolean is_exclusive, GError **error)
{
	WeftNumeral numeral = weft_numeral(text);
	gboolean is_exact = TRUE;
	Wide value = numeral.n_digits > 0 ? scaled(numbers, &numeral, &is_exact) : 0;
	if (is_exclusive && (is_exact || is_same_double(numbers, value, text)))
		value--;
	if (value < -largest(numbers->is_integer)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA,
			    "numbers below %.40s are not written: integers begin at -(2^53 - 1), others "
			    "have %d digits",
			    text, WEFT_NUMBER_DIGITS_MAX);
		return FALSE;
	}
	numbers->max = MIN(numbers->max, value);
	return TRUE;
}

/* A step of `digits` / 10^n_places: which integers are multiples of it. */
static Wide whole_step(Wide digits, gint64 n_places)
{
	for (gint64 n = n_places; n > 0 && digits % 2 == 0; n--)
		digits /= 2;
	for (gint64 n = n_places; n > 0 && digits % 5 == 0; n--)
		digits /= 5;
	return digits;
}

gboolean weft_numbers_multiple_of(WeftNumbers *numbers, const char *text, GError **error)
{
	WeftNumeral numeral = weft_numeral(text);
	const char *cursor = numeral.first;
	Wide digits = 0;
	if (numeral.n_digits == 0 || numeral.is_negative) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA, "%.40s is not above 0", text);
		return FALSE;
	}
	if (numeral.n_digits > POWER_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA, "%.40s... has %u digits, limit %d", text,
			    numeral.n_digits, POWER_MAX);
		return FALSE;
	}
	for (guint i = 0; i < numeral.n_digits; i++)
		digits = digits * 10 + weft_numeral_digit(&cursor);
	/* The scaled step is digits * 10^shift. */
	gint64 shift = numeral.exponent - (gint64)numeral.n_digits + fraction_max(numbers);
	Wide step = power_of_ten(POWER_MAX);
	if (shift < 0)
		step = whole_step(digits, -shift);
	else if (shift + (gint64)numeral.n_digits <= POWER_MAX)
		step = digits * power_of_ten((int)shift);
	numbers->step = least_multiple(numbers->step, step);
	find_units(numbers);
	return TRUE;
}

/* Whether a multiple of `unit` lies in [low, high]; low is not below 0. */
static gboolean has_multiple(Wide low, Wide high, Wide unit)
{
	if (low > high)
		return FALSE;
	if (unit == 1 || low == 0)
		return TRUE;
	if (high <= G_MAXINT64 && unit <= G_MAXINT64)
		return (gint64)high / (gint64)unit > (gint64)(low - 1) / (gint64)unit;
	return high / unit > (low - 1) / unit;
}

/* What the search below has to know of a walk behind its first digit. */
typedef struct Magnitudes {
	Wide low, high;         /* of those on this side of 0 */
	gboolean is_any;        /* any end will do */
} Magnitudes;

/* The fewest bytes for k more digits in front of the point, less than `best`; else `best`. Reachable
 * with f digits behind the point are the multiples of units[f] from the digits filled up with zeros
 * to those filled up with nines. */
static guint32 close_fraction(const WeftNumbers *numbers, const WeftNumberState *state,
			      const Magnitudes *magnitudes, int k, guint32 best)
{
	int scale = fraction_max(numbers), n_fraction = state->n_fraction;
	int f = state->has_point ? MAX(n_fraction, 1) : 0;
	Wide first = state->digits * power_of_ten(k) * power_of_ten(scale - n_fraction);
	Wide end = first + power_of_ten(k) * power_of_ten(scale - n_fraction);
	if (end <= magnitudes->low || first > magnitudes->high)
		return best;
	for (; f <= scale && state->n_whole + k + f <= digits_max(numbers); f++) {
		int cost = k + f - n_fraction + (!state->has_point && f > 0);
		Wide last = end - power_of_ten(scale - f);
		if ((guint32)cost >= best)
			break;
		if (has_multiple(MAX(first, magnitudes->low), MIN(last, magnitudes->high),
				 numbers->units[f]))
			return (guint32)cost;
	}
	return best;
}

static guint32 close_digits(const WeftNumbers *numbers, const WeftNumberState *state,
			    const Magnitudes *magnitudes)
{
	guint32 best = WEFT_NUMBER_NEVER;
	gboolean is_zero = state->digits == 0 && state->n_whole == 1;
	gboolean is_bare = state->has_point && state->n_fraction == 0;
	Wide value = state->digits * power_of_ten(fraction_max(numbers) - state->n_fraction);
	/* Without steps what stands there will do, with a 0 behind a bare point, and nothing shorter. */
	if (numbers->step == 1 && value >= magnitudes->low && value <= magnitudes->high &&
	    !(is_bare && state->n_whole == digits_max(numbers)))
		return is_bare ? 1 : 0;
	int k_end = state->has_point || is_zero ? 0 : digits_max(numbers) - state->n_whole;
	for (int k = 0; k <= k_end && (guint32)k < best; k++) {
		best = close_fraction(numbers, state, magnitudes, k, best);
		if (magnitudes->is_any && best != WEFT_NUMBER_NEVER)
			break;
	}
	return best;
}

/* From behind the sign, if there is one. */
static guint32 close_signed(const WeftNumbers *numbers, const WeftNumberState *state, gboolean is_any)
{
	Magnitudes magnitudes = {.is_any = is_any};
	magnitudes.low = state->is_negative ? MAX(1, -numbers->max) : MAX(0, numbers->min);
	magnitudes.high = state->is_negative ? -numbers->min : numbers->max;
	if (magnitudes.low > magnitudes.high)
		return WEFT_NUMBER_NEVER;
	if (state->n_whole > 0)
		return close_digits(numbers, state, &magnitudes);
	guint32 best = WEFT_NUMBER_NEVER;
	for (int digit = 0; digit <= 9 && best != 1; digit++) {
		WeftNumberState next = *state;
		next.digits = digit;
		next.n_whole = 1;
		guint32 cost = close_digits(numbers, &next, &magnitudes);
		if (cost != WEFT_NUMBER_NEVER)
			best = MIN(best, cost + 1);
	}
	return best;
}

static guint32 close_state(const WeftNumbers *numbers, const WeftNumberState *state, gboolean is_any)
{
	WeftNumberState negative = {.is_negative = TRUE};
	guint32 plain = close_signed(numbers, state, is_any);
	if (state->n_whole > 0 || state->is_negative || plain == 1)
		return plain;
	guint32 below = close_signed(numbers, &negative, is_any);
	return below == WEFT_NUMBER_NEVER ? plain : MIN(plain, below + 1);
}

guint32 weft_numbers_close(const WeftNumbers *numbers, const WeftNumberState *state)
{
	return weft_numbers_accepts(numbers, state) ? 0 : close_state(numbers, state, FALSE);
}

gboolean weft_numbers_is_empty(const WeftNumbers *numbers)
{
	WeftNumberState begin = {0};
	return close_state(numbers, &begin, TRUE) == WEFT_NUMBER_NEVER;
}

gboolean weft_numbers_accepts(const WeftNumbers *numbers, const WeftNumberState *state)
{
	WeftNumberState whole = *state;
	Wide low = state->is_negative ? MAX(1, -numbers->max) : MAX(0, numbers->min);
	Wide high = state->is_negative ? -numbers->min : numbers->max;
	Wide value = whole.digits * power_of_ten(fraction_max(numbers) - state->n_fraction);
	return state->n_whole > 0 && (!state->has_point || state->n_fraction > 0) && value >= low &&
	       value <= high && (numbers->step == 1 || value % numbers->step == 0);
}

/* The state behind `byte`, if numbers are spelled so at all. */
static gboolean spell(const WeftNumbers *numbers, WeftNumberState *state, guint8 byte)
{
	gboolean is_zero = state->digits == 0 && state->n_whole == 1;
	if (byte == '-') {
		if (state->is_negative || state->n_whole > 0)
			return FALSE;
		state->is_negative = TRUE;
		return TRUE;
	}
	if (byte == '.') {
		if (state->has_point || state->n_whole == 0 || numbers->is_integer)
			return FALSE;
		state->has_point = TRUE;
		return TRUE;
	}
	if (!g_ascii_isdigit(byte) || (!state->has_point && is_zero) ||
	    state->n_whole + state->n_fraction == digits_max(numbers) ||
	    (state->has_point && state->n_fraction == fraction_max(numbers)))
		return FALSE;
	if (state->has_point)
		state->n_fraction++;
	else
		state->n_whole++;
	state->digits = state->digits * 10 + (byte - '0');
	return TRUE;
}

gboolean weft_numbers_step(const WeftNumbers *numbers, WeftNumberState *state, guint8 byte)
{
	WeftNumberState next = *state;
	if (!spell(numbers, &next, byte) ||
	    (!weft_numbers_accepts(numbers, &next) &&
	     close_state(numbers, &next, TRUE) == WEFT_NUMBER_NEVER))
		return FALSE;
	*state = next;
	return TRUE;
}

int weft_numbers_forced(const WeftNumbers *numbers, const WeftNumberState *state)
{
	static const char bytes[] = "-.0123456789";
	int forced = -1;
	if (weft_numbers_accepts(numbers, state))
		return -1;
	for (const char *byte = bytes; *byte; byte++) {
		WeftNumberState next = *state;
		if (!weft_numbers_step(numbers, &next, (guint8)*byte))
			continue;
		if (forced >= 0)
			return -1;
		forced = (guint8)*byte;
	}
	return forced;
}

/* Above all digits: any number that is not 0, and 0, where no bound and no step is near. */
#define FREE_DIGITS ((G_GINT64_CONSTANT(1) << 54) - 1)

guint64 weft_numbers_key(const WeftNumbers *numbers, const WeftNumberState *state, guint32 reach)
{
	int scale = fraction_max(numbers), n_fraction = state->n_fraction;
	int n_most = digits_max(numbers) - state->n_whole - n_fraction;
	int k = state->has_point ? 0 : MIN(n_most, (int)MIN(reach, WEFT_NUMBER_DIGITS_MAX + 1));
	Wide low = state->is_negative ? MAX(1, -numbers->max) : MAX(0, numbers->min);
	Wide high = state->is_negative ? -numbers->min : numbers->max;
	Wide first = state->digits * power_of_ten(scale - n_fraction);
	Wide end = (state->digits + 1) * power_of_ten(scale - n_fraction) * power_of_ten(k);
	gint64 digits = state->digits;
	gboolean is_zero = digits == 0 && state->n_whole == 1 && !state->has_point;
	if (state->n_whole > 0 && numbers->step == 1 && first >= low && end <= high + 1)
		digits = FREE_DIGITS - is_zero;
	return (guint64)digits << 10 | (guint64)state->n_whole << 5 | (guint64)n_fraction << 2 |
	       (guint64)(state->is_negative << 1) | state->has_point;
}
