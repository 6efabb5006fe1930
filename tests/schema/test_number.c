#include <string.h>

#include "base/error.h"
#include "schema/numeral.h"
#include "schema/number.h"

/* Bounds and steps are compared with Python's decimals in set_brute.py. */

static gboolean has(const WeftNumbers *numbers, const char *text)
{
	WeftNumberState state = {0};
	for (; *text; text++)
		if (!weft_numbers_step(numbers, &state, (guint8)*text))
			return FALSE;
	return weft_numbers_accepts(numbers, &state);
}

static void test_spelling(void)
{
	g_autoptr(WeftNumbers) integers = weft_numbers_new(TRUE);
	g_autoptr(WeftNumbers) numbers = weft_numbers_new(FALSE);
	static const char *const good[] = {"0", "7", "-1", "10", "9007199254740991"};
	static const char *const bad[] = {"", "-", "-0", "01", "1.", "1.0", "+1", "1e3",
					  "9007199254740992"};
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
		g_assert_true(has(integers, good[i]));
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(has(integers, bad[i]));
	g_assert_true(has(numbers, "0.50"));
	g_assert_true(has(numbers, "-0.000001"));
	g_assert_true(has(numbers, "1732012345678.25"));
	g_assert_true(has(numbers, "999999999999999"));
	g_assert_false(has(numbers, "-0.0"));
	g_assert_false(has(numbers, "1."));
	g_assert_false(has(numbers, ".5"));
	g_assert_false(has(numbers, "0.1234567"));
	g_assert_false(has(numbers, "1234567890123.125"));
}

static void test_refused(void)
{
	g_autoptr(WeftNumbers) numbers = weft_numbers_new(FALSE);
	static const char *const steps[] = {"0", "-1", "0.0", "1234567890123456789012345678901"};
	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_false(weft_numbers_multiple_of(numbers, steps[i], &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA);
	}
	g_autoptr(GError) error = NULL;
	g_assert_false(weft_numbers_min(numbers, "1e15", FALSE, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA);
	g_clear_error(&error);
	g_assert_false(weft_numbers_max(numbers, "-1e999999999999", FALSE, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA);
	g_clear_error(&error);
	/* Bounds beyond what is written, on the side where they bound nothing. */
	g_assert_true(weft_numbers_min(numbers, "-1e400", FALSE, &error));
	g_assert_true(weft_numbers_max(numbers, "1e400", TRUE, &error));
	g_assert_false(weft_numbers_is_empty(numbers));
	/* Between two spellings. */
	g_assert_true(weft_numbers_min(numbers, "1.0000001", FALSE, &error));
	g_assert_true(weft_numbers_max(numbers, "1.0000009", FALSE, &error));
	g_assert_true(weft_numbers_is_empty(numbers));
}

/* A judge that reads doubles takes 0.30000000000000001 for 0.3. */
static void test_near_bound(void)
{
	g_autoptr(WeftNumbers) numbers = weft_numbers_new(FALSE);
	g_assert_true(weft_numbers_max(numbers, "0.30000000000000001", TRUE, NULL));
	g_assert_false(has(numbers, "0.3"));
	g_assert_true(has(numbers, "0.299999"));
}

static void test_forced(void)
{
	g_autoptr(WeftNumbers) years = weft_numbers_new(TRUE);
	WeftNumberState state = {0};
	g_assert_true(weft_numbers_min(years, "1980", FALSE, NULL));
	g_assert_true(weft_numbers_max(years, "1.9899e3", FALSE, NULL));
	g_assert_cmpuint(weft_numbers_close(years, &state), ==, 4);
	for (const char *p = "198"; *p; p++) {
		g_assert_cmpint(weft_numbers_forced(years, &state), ==, *p);
		g_assert_true(weft_numbers_step(years, &state, (guint8)*p));
	}
	g_assert_cmpint(weft_numbers_forced(years, &state), ==, -1);
	g_assert_cmpuint(weft_numbers_close(years, &state), ==, 1);
}

static void test_numerals(void)
{
	static const char *const rising[] = {"-1e400", "-12.5", "-12.4999999999999999999", "-0.001", "0",
					     "1e-400", "0.1",   "0.1000000000000000000001", "1.5e-1",
					     "1",      "9.99e0", "10", "123456789012345678901234567890",
					     "1.3e29", "1e99999999999"};
	for (gsize i = 0; i < G_N_ELEMENTS(rising); i++)
		for (gsize j = 0; j < G_N_ELEMENTS(rising); j++)
			g_assert_cmpint(weft_numeral_compare(rising[i], rising[j]), ==,
					i < j ? -1 : i > j);
	g_assert_cmpint(weft_numeral_compare("-0.0", "0e5"), ==, 0);
	g_assert_cmpint(weft_numeral_compare("1.50", "15e-1"), ==, 0);
	g_assert_cmpint(weft_numeral_compare("0.0150E2", "1.5"), ==, 0);
	g_assert_true(weft_numeral_is_integer("1.0"));
	g_assert_true(weft_numeral_is_integer("1.25e2"));
	g_assert_true(weft_numeral_is_integer("0e-3"));
	g_assert_false(weft_numeral_is_integer("1.25e1"));
	g_assert_true(weft_numeral_is_multiple("4.35", "0.01"));
	g_assert_true(weft_numeral_is_multiple("-1e300", "7e-3") ==
		      weft_numeral_is_multiple("1e300", "0.007"));
	g_assert_true(weft_numeral_is_multiple("1e308", "1e-8"));
	g_assert_true(weft_numeral_is_multiple("1001", "7"));
	g_assert_false(weft_numeral_is_multiple("1000", "7"));
	g_assert_false(weft_numeral_is_multiple("0.0075", "0.01"));
	g_assert_true(weft_numeral_is_multiple("0", "3"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/number/spelling", test_spelling);
	g_test_add_func("/number/refused", test_refused);
	g_test_add_func("/number/near_bound", test_near_bound);
	g_test_add_func("/number/forced", test_forced);
	g_test_add_func("/number/numerals", test_numerals);
	return g_test_run();
}
