/* What a text means was written down by hand, reading by reading. */
#include "base/usage.h"

#include <string.h>

static WeftUsage usage_of(const char *locale, const char *document)
{
	WeftUsage usage = { 0 };
	WeftUsageVotes votes = { 0 };

	if (locale)
		g_assert_true(weft_usage_of_locale(locale, &usage));
	if (document)
		weft_usage_count(&votes, document, strlen(document));
	weft_usage_fill(&usage, &votes);
	return usage;
}

static void add_readings(GString *all, const char *text, gsize first, gsize end, WeftReadings readings)
{
	g_string_append_printf(all, "%s%.*s =", all->len ? "; " : "", (int)(end - first), text + first);
	for (guint i = 0; i < readings.n; i++)
		g_string_append_printf(all, "%s%s", i ? " or " : " ", readings.values[i]);
}

static void assert_amounts(const char *text, const char *locale, const char *wanted)
{
	g_autoptr(GString) all = g_string_new(NULL);
	WeftUsage usage = usage_of(locale, NULL);
	WeftAmounts amounts = { .text = text, .size_bytes = strlen(text) };
	WeftAmount amount;

	while (weft_amount_next(&amounts, &amount))
		add_readings(all, text, amount.first, amount.end,
			     weft_usage_read_amount(&usage, &amount));
	g_assert_cmpstr(all->str, ==, wanted);
}

static void test_amounts(void)
{
	assert_amounts("", NULL, "");
	assert_amounts("total 12", NULL, "12 = 12");
	assert_amounts("1.240,00", NULL, "1.240,00 = 1240");
	assert_amounts("1,240.00", NULL, "1,240.00 = 1240");
	assert_amounts("1.240", NULL, "1.240 = 1.24 or 1240");
	assert_amounts("1.240", "de", "1.240 = 1240");
	assert_amounts("1.240", "de-AT", "1.240 = 1240");
	assert_amounts("1.240", "de_CH", "1.240 = 1.24");
	assert_amounts("1.240", "en-US", "1.240 = 1.24");
	assert_amounts("1,240", NULL, "1,240 = 1240 or 1.24");
	assert_amounts("1,240", "fr", "1,240 = 1.24");
	assert_amounts("0.125 and 0,125", NULL, "0.125 = 0.125; 0,125 = 0.125");
	assert_amounts("12.50", "de", "12.50 = 12.5");
	assert_amounts("1240.5 1240,5", NULL, "1240.5 = 1240.5; 1240,5 = 1240.5");
	assert_amounts("1.234.567", NULL, "1.234.567 = 1234567");
	assert_amounts("1,234,567.89", NULL, "1,234,567.89 = 1234567.89");
	assert_amounts("12,34,567.00", NULL, "12,34,567.00 = 1234567");
	assert_amounts("1'240.50 1\xe2\x80\x99" "240", NULL, "1'240.50 = 1240.5; 1\xe2\x80\x99" "240 = 1240");
	assert_amounts("1 240,50 \xe2\x82\xac", NULL, "1 = 1; 1 240,50 = 1240.5; 240,50 = 240.5");
	assert_amounts("2 100,00", "de", "2 = 2; 2 100,00 = 2100; 100,00 = 100");
	assert_amounts("12 3456", NULL, "12 = 12; 3456 = 3456");
	assert_amounts("-5 \xe2\x88\x92" "7,5 100,00- EUR", NULL,
		       "-5 = -5; \xe2\x88\x92" "7,5 = -7.5; 100,00- = -100");
	assert_amounts("Total:100 (3) 5kg 19 %.", NULL, "100 = 100; 3 = 3; 5 = 5; 19 = 19");
	/* pieces of other things */
	assert_amounts("12:30 2024-03-12 A-17 RE2024 v7 3/4 10-20", NULL, "");
	assert_amounts("12.03.2024", NULL, "");
	assert_amounts("1.24.5 1,2,3", NULL, "");
	assert_amounts("12345678901234567890123456789012345678901234567890", NULL, "");
}

static void assert_days(const char *text, const char *locale, const char *wanted)
{
	g_autoptr(GString) all = g_string_new(NULL);
	WeftUsage usage = usage_of(locale, NULL);
	WeftDay day;

	for (gsize at = 0; weft_day_next(text, strlen(text), &at, &day);)
		add_readings(all, text, day.first, day.end, weft_usage_read_day(&usage, &day));
	g_assert_cmpstr(all->str, ==, wanted);
}

static void test_days(void)
{
	assert_days("2024-03-12", NULL, "2024-03-12 = 2024-03-12");
	assert_days("2024-03-12T10:00 2024/3/2", NULL, "2024-03-12 = 2024-03-12; 2024/3/2 = 2024-03-02");
	assert_days("12.03.2024, 12. 3. 2024", NULL, "12.03.2024 = 2024-03-12; 12. 3. 2024 = 2024-03-12");
	assert_days("12/03/2024", NULL, "12/03/2024 = 2024-03-12 or 2024-12-03");
	assert_days("12/03/2024", "en-US", "12/03/2024 = 2024-12-03");
	assert_days("12/03/2024", "en-GB", "12/03/2024 = 2024-03-12");
	assert_days("12/03/2024", "en", "12/03/2024 = 2024-03-12 or 2024-12-03");
	assert_days("12/03/2024", "es", "12/03/2024 = 2024-03-12");
	assert_days("13/02/2024 02/13/2024 03/03/2024", NULL,
		    "13/02/2024 = 2024-02-13; 02/13/2024 = 2024-02-13; 03/03/2024 = 2024-03-03");
	assert_days("12.03.24", NULL, "12.03.24 = 1924-03-12 or 2024-03-12");
	assert_days("12. M\xc3\xa4rz 2024", NULL, "12. M\xc3\xa4rz 2024 = 2024-03-12");
	assert_days("March 12, 2024", NULL, "March 12, 2024 = 2024-03-12");
	assert_days("MARCH 12th 2024", NULL, "MARCH 12th 2024 = 2024-03-12");
	assert_days("the 2nd of May, 1999.", NULL, "2nd of May, 1999 = 1999-05-02");
	assert_days("1er ao\xc3\xbbt 1789", NULL, "1er ao\xc3\xbbt 1789 = 1789-08-01");
	assert_days("12 de marzo de 2024", NULL, "12 de marzo de 2024 = 2024-03-12");
	assert_days("le 3 f\xc3\xa9vr. 2021", NULL, "3 f\xc3\xa9vr. 2021 = 2021-02-03");
	assert_days("3-Sept-2021, 4 Dez 2020", NULL, "3-Sept-2021 = 2021-09-03; 4 Dez 2020 = 2020-12-04");
	assert_days("29.02.2024 29.02.2023 31.04.2024", NULL, "29.02.2024 = 2024-02-29");
	/* no days */
	assert_days("1.2.3 192.168.1.10 12:30 1/2 March 2024 12.03.20245 3.12.03.2024", NULL, "");
	assert_days("2024 items, may 5 people", NULL, "");
}

static void assert_usage(const char *locale, const char *document, WeftPoint point, WeftDayOrder order,
			 guint century)
{
	WeftUsage usage = usage_of(locale, document);

	g_assert_cmpint(usage.point, ==, point);
	g_assert_cmpint(usage.order, ==, order);
	g_assert_cmpuint(usage.century, ==, century);
}

static void test_usage(void)
{
	WeftUsage usage;

	assert_usage(NULL, "1.240 03/04/2024", WEFT_POINT_UNKNOWN, WEFT_ORDER_UNKNOWN, 2000);
	assert_usage(NULL, "1.240 and 19,99", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST, 0);
	assert_usage(NULL, "1.240 and 19.99", WEFT_POINT_DOT, WEFT_ORDER_UNKNOWN, 0);
	assert_usage(NULL, "19.99 and 19,99", WEFT_POINT_UNKNOWN, WEFT_ORDER_UNKNOWN, 0);
	assert_usage(NULL, "03/04/24 and 13/04/24", WEFT_POINT_UNKNOWN, WEFT_ORDER_DAY_FIRST, 0);
	assert_usage(NULL, "03/04/2024, 04/13/2024, 19.99", WEFT_POINT_DOT, WEFT_ORDER_MONTH_FIRST, 2000);
	assert_usage(NULL, "13/04/2024 04/13/2024 1.5,1", WEFT_POINT_UNKNOWN, WEFT_ORDER_UNKNOWN, 2000);
	assert_usage(NULL, "1.1.1999 1.1.2001", WEFT_POINT_UNKNOWN, WEFT_ORDER_UNKNOWN, 0);
	assert_usage("de", "19.99", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST, 0);
	assert_usage("en", "13/04/2024", WEFT_POINT_DOT, WEFT_ORDER_DAY_FIRST, 2000);
	g_assert_false(weft_usage_of_locale("tlh", &usage));
	g_assert_false(weft_usage_of_locale("", &usage));
}

static void test_schema(void)
{
	static const struct {
		const char *schema;
		gboolean is_known;
		WeftPoint point;
	} cases[] = {
		{ "{}", TRUE, WEFT_POINT_UNKNOWN },
		{ "true", TRUE, WEFT_POINT_UNKNOWN },
		{ "{\"x-weft-locale\":\"de-DE\"}", TRUE, WEFT_POINT_COMMA },
		{ "{\"x-weft-locale\":\"german\"}", FALSE, WEFT_POINT_DOT },
		{ "{\"x-weft-locale\":[\"de\"]}", FALSE, WEFT_POINT_DOT },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(WeftJson) schema = weft_json_parse(cases[i].schema, strlen(cases[i].schema),
							     WEFT_JSON_STRICT, NULL);
		WeftUsage usage = { .point = WEFT_POINT_DOT };
		g_autoptr(GError) error = NULL;

		g_assert_cmpint(weft_usage_of_schema(schema, &usage, &error), ==, cases[i].is_known);
		g_assert_cmpint(usage.point, ==, cases[i].point);
		g_assert_cmpint(error == NULL, ==, cases[i].is_known);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/usage/amounts", test_amounts);
	g_test_add_func("/usage/days", test_days);
	g_test_add_func("/usage/usage", test_usage);
	g_test_add_func("/usage/schema", test_schema);
	return g_test_run();
}
