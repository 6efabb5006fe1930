#include "base/usage.h"

#include <string.h>

#include "base/error.h"

/* By language, and by country where that differs from it. Months come first in few places. */
static const struct {
	const char *locale;
	WeftPoint point;
	WeftDayOrder order;
} locales[] = {
	{ "bg", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },   { "cs", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },
	{ "da", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },   { "de", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },
	{ "de-CH", WEFT_POINT_DOT, WEFT_ORDER_DAY_FIRST },  { "el", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },
	{ "en", WEFT_POINT_DOT, WEFT_ORDER_UNKNOWN },       { "en-AU", WEFT_POINT_DOT, WEFT_ORDER_DAY_FIRST },
	{ "en-GB", WEFT_POINT_DOT, WEFT_ORDER_DAY_FIRST },  { "en-IE", WEFT_POINT_DOT, WEFT_ORDER_DAY_FIRST },
	{ "en-IN", WEFT_POINT_DOT, WEFT_ORDER_DAY_FIRST },  { "en-NZ", WEFT_POINT_DOT, WEFT_ORDER_DAY_FIRST },
	{ "en-US", WEFT_POINT_DOT, WEFT_ORDER_MONTH_FIRST }, { "es", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },
	{ "es-MX", WEFT_POINT_DOT, WEFT_ORDER_DAY_FIRST },  { "es-US", WEFT_POINT_DOT, WEFT_ORDER_MONTH_FIRST },
	{ "et", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },   { "fi", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },
	{ "fr", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },   { "fr-CH", WEFT_POINT_UNKNOWN, WEFT_ORDER_DAY_FIRST },
	{ "hr", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },   { "hu", WEFT_POINT_COMMA, WEFT_ORDER_UNKNOWN },
	{ "it", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },   { "it-CH", WEFT_POINT_DOT, WEFT_ORDER_DAY_FIRST },
	{ "ja", WEFT_POINT_DOT, WEFT_ORDER_UNKNOWN },       { "ko", WEFT_POINT_DOT, WEFT_ORDER_UNKNOWN },
	{ "lt", WEFT_POINT_COMMA, WEFT_ORDER_UNKNOWN },     { "lv", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },
	{ "nb", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },   { "nl", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },
	{ "no", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },   { "pl", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },
	{ "pt", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },   { "ro", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },
	{ "ru", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },   { "sk", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },
	{ "sl", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },   { "sv", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },
	{ "tr", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },   { "uk", WEFT_POINT_COMMA, WEFT_ORDER_DAY_FIRST },
	{ "zh", WEFT_POINT_DOT, WEFT_ORDER_UNKNOWN },
};

static gboolean find_locale(const char *name, WeftUsage *ret_usage)
{
	for (gsize i = 0; i < G_N_ELEMENTS(locales); i++)
		if (g_ascii_strcasecmp(locales[i].locale, name) == 0) {
			*ret_usage = (WeftUsage){ locales[i].point, locales[i].order, 0 };
			return TRUE;
		}
	return FALSE;
}

gboolean weft_usage_of_locale(const char *locale, WeftUsage *ret_usage)
{
	g_autofree char *name = g_strdelimit(g_strdup(locale), "_", '-');

	if (find_locale(name, ret_usage))
		return TRUE;
	name[strcspn(name, "-")] = '\0';
	return find_locale(name, ret_usage);
}

gboolean weft_usage_of_schema(const WeftJson *schema, WeftUsage *ret_usage, GError **error)
{
	const WeftJson *value = weft_json_member(schema, "x-weft-locale");
	const char *locale = weft_json_string(value, NULL);
	WeftUsage usage = { 0 };

	if (value && (!locale || !weft_usage_of_locale(locale, &usage))) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA,
			    "#/x-weft-locale: %s: no locale whose numbers and dates are known; write a "
			    "language, or language-COUNTRY: \"de\", \"en-US\"",
			    locale ? locale : "not a string");
		return FALSE;
	}
	*ret_usage = usage;
	return TRUE;
}

static void count_day(WeftUsageVotes *votes, const WeftDay *day)
{
	WeftDayOrder order = day->readings[0].order;

	for (guint i = 1; i < day->n_readings; i++)
		if (day->readings[i].order != order)
			order = WEFT_ORDER_UNKNOWN;
	votes->n_day_first += order == WEFT_ORDER_DAY_FIRST;
	votes->n_month_first += order == WEFT_ORDER_MONTH_FIRST;
	if (day->readings[0].has_century)
		votes->n_centuries[day->readings[0].year / 100]++;
}

void weft_usage_count(WeftUsageVotes *votes, const char *text, gsize size_bytes)
{
	WeftAmounts amounts = { .text = text, .size_bytes = size_bytes };
	WeftAmount amount;
	WeftDay day;

	while (weft_amount_next(&amounts, &amount)) {
		WeftPoint vote = weft_amount_vote(&amount);
		votes->n_dots += vote == WEFT_POINT_DOT;
		votes->n_commas += vote == WEFT_POINT_COMMA;
	}
	for (gsize at = 0; weft_day_next(text, size_bytes, &at, &day);)
		count_day(votes, &day);
}

void weft_usage_fill(WeftUsage *usage, const WeftUsageVotes *votes)
{
	guint n_centuries = 0, century = 0;

	if (usage->point == WEFT_POINT_UNKNOWN && !votes->n_dots != !votes->n_commas)
		usage->point = votes->n_dots ? WEFT_POINT_DOT : WEFT_POINT_COMMA;
	if (usage->order == WEFT_ORDER_UNKNOWN && !votes->n_day_first != !votes->n_month_first)
		usage->order = votes->n_day_first ? WEFT_ORDER_DAY_FIRST : WEFT_ORDER_MONTH_FIRST;
	if (usage->order == WEFT_ORDER_UNKNOWN && !votes->n_day_first && !votes->n_month_first &&
	    usage->point == WEFT_POINT_COMMA)
		usage->order = WEFT_ORDER_DAY_FIRST;
	for (guint i = 0; i < G_N_ELEMENTS(votes->n_centuries); i++)
		if (votes->n_centuries[i]) {
			n_centuries++;
			century = i * 100;
		}
	if (usage->century == 0 && n_centuries == 1)
		usage->century = century;
}

static void add_number(WeftReadings *readings, WeftDecimal value)
{
	char text[WEFT_DECIMAL_CHARS];

	weft_decimal_write(value, text);
	for (guint i = 0; i < readings->n; i++)
		if (strcmp(readings->values[i], text) == 0)
			return;
	g_strlcpy(readings->values[readings->n++], text, WEFT_DECIMAL_CHARS);
}

WeftReadings weft_usage_read_amount(const WeftUsage *usage, const WeftAmount *amount)
{
	WeftReadings readings = { 0 };

	if (amount->has_dot && usage->point != WEFT_POINT_COMMA)
		add_number(&readings, amount->dot);
	if (amount->has_comma && usage->point != WEFT_POINT_DOT)
		add_number(&readings, amount->comma);
	/* A writer of commas has 12.50 in a table of another hand: it still means one thing only. */
	if (readings.n == 0)
		add_number(&readings, amount->has_dot ? amount->dot : amount->comma);
	return readings;
}

static gboolean agrees(const WeftUsage *usage, const WeftDayReading *reading)
{
	if (!reading->has_century && usage->century && reading->year / 100 * 100 != usage->century)
		return FALSE;
	return reading->order == WEFT_ORDER_UNKNOWN || usage->order == WEFT_ORDER_UNKNOWN ||
	       reading->order == usage->order;
}

WeftReadings weft_usage_read_day(const WeftUsage *usage, const WeftDay *day)
{
	WeftReadings readings = { 0 };

	for (guint i = 0; i < day->n_readings; i++)
		if (agrees(usage, &day->readings[i]))
			weft_day_write(&day->readings[i], readings.values[readings.n++]);
	if (readings.n == 0 && day->n_readings == 1)
		weft_day_write(&day->readings[0], readings.values[readings.n++]);
	return readings;
}
