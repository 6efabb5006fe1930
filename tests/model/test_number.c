#include <stdlib.h>
#include <string.h>

#include "model/number.h"

static gboolean accepts(const WeftNumberRange *range, const char *text)
{
	WeftNumber number = {0};
	for (const char *p = text; *p; p++)
		if (!weft_number_advance(&number, range, (guint8)*p))
			return FALSE;
	return weft_number_close(&number, range) == 0;
}

static WeftNumberRange range_of(gboolean is_integer, const char *min, const char *max)
{
	WeftNumberRange range = weft_number_range(is_integer);
	g_assert_true(weft_number_range_min(&range, min, FALSE));
	g_assert_true(weft_number_range_max(&range, max, FALSE));
	return range;
}

static void test_spelling(void)
{
	WeftNumberRange integer = weft_number_range(TRUE), number = weft_number_range(FALSE);
	static const char *const good[] = {"0", "7", "-1", "10", "999999999999999"};
	static const char *const bad[] = {"", "-", "-0", "01", "1.", "1.0", "+1", "1e3",
					  "1000000000000000"};
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
		g_assert_true(accepts(&integer, good[i]));
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(accepts(&integer, bad[i]));
	g_assert_true(accepts(&number, "0.50"));
	g_assert_true(accepts(&number, "-0.000001"));
	g_assert_true(accepts(&number, "123456789012.123"));
	g_assert_false(accepts(&number, "-0.0"));
	g_assert_false(accepts(&number, "1."));
	g_assert_false(accepts(&number, ".5"));
	g_assert_false(accepts(&number, "0.1234567"));
	g_assert_false(accepts(&number, "123456789012.1234"));
}

/* Every integer of four digits against comparison of numbers. */
static void test_integer_bounds(void)
{
	static const int bounds[][2] = {{0, 9},	   {1400, 2100}, {-3, 12}, {-2000, -37}, {8, 8},
					{95, 105}, {-1, 1},	 {1000, 1001}};
	for (gsize i = 0; i < G_N_ELEMENTS(bounds); i++) {
		char min[16], max[16], text[16];
		g_snprintf(min, sizeof(min), "%d", bounds[i][0]);
		g_snprintf(max, sizeof(max), "%d", bounds[i][1]);
		WeftNumberRange range = range_of(TRUE, min, max);
		for (int value = -3000; value <= 3000; value++) {
			g_snprintf(text, sizeof(text), "%d", value);
			g_assert_cmpint(accepts(&range, text), ==,
					value >= bounds[i][0] && value <= bounds[i][1]);
		}
	}
}

/* Every number with one or two decimals between -2 and 2. */
static void test_decimal_bounds(void)
{
	static const char *const bounds[][2] = {
		{"-0.25", "0.125"}, {"0", "1"}, {"0.01", "0.02"}, {"-1.5", "-0.999999"}, {"1", "1"}};
	for (gsize i = 0; i < G_N_ELEMENTS(bounds); i++) {
		WeftNumberRange range = range_of(FALSE, bounds[i][0], bounds[i][1]);
		for (int value = -200; value <= 200; value++) {
			char text[24];
			double real = value / 100.0;
			gboolean inside = real >= strtod(bounds[i][0], NULL) &&
					  real <= strtod(bounds[i][1], NULL);
			g_snprintf(text, sizeof(text), "%.2f", real);
			g_assert_cmpint(accepts(&range, text), ==,
					inside && strcmp(text, "-0.00") != 0);
		}
	}
}

static void test_exclusive_and_refused(void)
{
	WeftNumberRange range = weft_number_range(FALSE), unchanged = range;
	g_assert_true(weft_number_range_min(&range, "0", TRUE));
	g_assert_false(accepts(&range, "0"));
	g_assert_true(accepts(&range, "0.000001"));
	g_assert_true(weft_number_range_max(&range, "1.0", TRUE));
	g_assert_false(accepts(&range, "1"));
	g_assert_true(accepts(&range, "0.999999"));
	range = unchanged;
	g_assert_false(weft_number_range_min(&range, "1e3", FALSE));
	g_assert_false(weft_number_range_max(&range, "1000000000000000", FALSE));
	g_assert_cmpmem(&range, sizeof(range), &unchanged, sizeof(unchanged));
	WeftNumberRange between = weft_number_range(TRUE);
	g_assert_true(weft_number_range_min(&between, "0.2", FALSE));
	g_assert_true(weft_number_range_max(&between, "0.8", FALSE));
	g_assert_cmpint(weft_number_close(&(WeftNumber){0}, &between), ==, -1);
}

/* The distance to the end is the length of the shortest way there. */
static void test_close(void)
{
	WeftNumberRange range = range_of(TRUE, "1400", "2100");
	WeftNumber number = {0};
	g_assert_cmpint(weft_number_close(&number, &range), ==, 4);
	g_assert_true(weft_number_advance(&number, &range, '2'));
	g_assert_cmpint(weft_number_close(&number, &range), ==, 3);
	WeftNumberRange tiny = range_of(FALSE, "0.0004", "0.0005");
	g_assert_cmpint(weft_number_close(&(WeftNumber){0}, &tiny), ==, 6);
	WeftNumberRange negative = range_of(FALSE, "-5", "-4.5");
	g_assert_cmpint(weft_number_close(&(WeftNumber){0}, &negative), ==, 2);
	for (int digit = 0; digit < 9; digit++)
		if (digit != 5 && digit != 4) {
			WeftNumber other = {.is_negative = TRUE};
			g_assert_false(weft_number_advance(&other, &negative, (guint8)('0' + digit)));
		}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/number/spelling", test_spelling);
	g_test_add_func("/number/integer-bounds", test_integer_bounds);
	g_test_add_func("/number/decimal-bounds", test_decimal_bounds);
	g_test_add_func("/number/exclusive-and-refused", test_exclusive_and_refused);
	g_test_add_func("/number/close", test_close);
	return g_test_run();
}
