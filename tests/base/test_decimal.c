#include "base/decimal.h"

#include <string.h>

static WeftDecimal decimal(const char *text)
{
	WeftDecimal value = { 0, 0 };

	g_assert_true(weft_decimal_read(text, strlen(text), &value));
	return value;
}

static void test_spelling(void)
{
	static const char *const pairs[][2] = {
		{ "0", "0" }, { "-0", "0" }, { "0.0", "0" }, { "1240.50", "1240.5" }, { "-0.010", "-0.01" },
		{ "1e2", "100" }, { "1.5E-3", "0.0015" }, { "120e-1", "12" }, { "1e+0", "1" },
		{ "0e999", "0" }, { "12345678901234567890123456789012345678",
				    "12345678901234567890123456789012345678" },
		{ "0.1000000000000000000000000000000000000000000", "0.1" }, { "1.25e1", "12.5" },
		{ "0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		char text[WEFT_DECIMAL_CHARS];
		weft_decimal_write(decimal(pairs[i][0]), text);
		g_assert_cmpstr(text, ==, pairs[i][1]);
	}
}

static void test_refused(void)
{
	static const char *const texts[] = { "", "-", ".5", "5.", "1e", "1e+", "+1", "1,5", "0x1", "1 ",
					     "1e400", "1e-400", "1e99999999999",
					     "999999999999999999999999999999999999999" };

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		WeftDecimal value = { 7, 0 };
		g_assert_false(weft_decimal_read(texts[i], strlen(texts[i]), &value));
		g_assert_true(value.digits == 7);
	}
}

static void test_sums(void)
{
	WeftDecimal sum = decimal("0"), large = decimal("99999999999999999999999999999999999999");
	char text[WEFT_DECIMAL_CHARS];

	for (int i = 0; i < 1000; i++) /* as binary fractions this is not 100 */
		g_assert_true(weft_decimal_add(sum, decimal("0.1"), &sum));
	g_assert_cmpint(weft_decimal_compare(sum, decimal("100.00")), ==, 0);
	g_assert_true(weft_decimal_add(decimal("19.99"), weft_decimal_negate(decimal("20")), &sum));
	weft_decimal_write(sum, text);
	g_assert_cmpstr(text, ==, "-0.01");
	g_assert_false(weft_decimal_add(large, decimal("0.5"), &sum));
	g_assert_false(weft_decimal_add(large, large, &sum));
}

static void test_order(void)
{
	static const char *const rising[] = {
		"-99999999999999999999999999999999999999", "-1.5", "-1.49", "-0.00000000000000000000001",
		"0", "0.00000000000000000000001", "1", "1.0000000000000000001", "1.1",
		"99999999999999999999999999999999999999",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rising); i++)
		for (gsize k = 0; k < G_N_ELEMENTS(rising); k++)
			g_assert_cmpint(weft_decimal_compare(decimal(rising[i]), decimal(rising[k])), ==,
					(i > k) - (i < k));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/decimal/spelling", test_spelling);
	g_test_add_func("/decimal/refused", test_refused);
	g_test_add_func("/decimal/sums", test_sums);
	g_test_add_func("/decimal/order", test_order);
	return g_test_run();
}
