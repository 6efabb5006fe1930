/* Any text as one that has numbers and days: what is found has a place, each of its readings is one again,
 * and what was put into a normal or a folded form stays in it. */
#include <stdlib.h>
#include <string.h>

#include "base/fold.h"
#include "base/running_text.h"
#include "base/usage.h"
#include "base/utf8.h"
#include "fuzz.h"

static void check(gboolean holds)
{
	if (!holds)
		abort();
}

/* Written and read again the same, and a sum that fits can be taken back. */
static void check_number(const char *text)
{
	WeftDecimal value, again, sum;
	char written[WEFT_DECIMAL_CHARS];

	check(weft_decimal_read(text, strlen(text), &value));
	weft_decimal_write(value, written);
	check(strlen(written) < sizeof(written) && strcmp(written, text) == 0);
	check(weft_decimal_read(written, strlen(written), &again) && weft_decimal_compare(value, again) == 0);
	check(weft_decimal_compare(value, weft_decimal_negate(value)) ==
	      -weft_decimal_compare(weft_decimal_negate(value), value));
	if (weft_decimal_add(value, value, &sum) && weft_decimal_add(sum, weft_decimal_negate(value), &sum))
		check(weft_decimal_compare(sum, value) == 0);
}

static void check_amounts(const WeftUsage *usage, const char *text, gsize size_bytes)
{
	WeftAmounts amounts = { .text = text, .size_bytes = size_bytes };
	WeftAmount amount = { 0 };
	gsize first = 0;

	for (gsize n = 0; weft_amount_next(&amounts, &amount); n++) {
		WeftReadings readings = weft_usage_read_amount(usage, &amount);
		check(n <= 2 * size_bytes && amount.first >= first && amount.end > amount.first &&
		      amount.end <= size_bytes && readings.n <= WEFT_READINGS_MAX);
		check((amount.has_dot || amount.has_comma) &&
		      (usage->point != WEFT_POINT_UNKNOWN || readings.n > 0));
		for (guint i = 0; i < readings.n; i++)
			check_number(readings.values[i]);
		first = amount.first;
	}
}

static void check_days(const WeftUsage *usage, const char *text, gsize size_bytes)
{
	WeftDay day, again;

	for (gsize at = 0, end = 0; weft_day_next(text, size_bytes, &at, &day); end = day.end) {
		WeftReadings readings = weft_usage_read_day(usage, &day);
		check(day.first >= end && day.end > day.first && day.end <= size_bytes && at >= day.end);
		check(day.n_readings > 0 && day.n_readings <= WEFT_DAY_READINGS_MAX);
		for (guint i = 0; i < day.n_readings; i++) {
			char written[WEFT_DAY_CHARS];
			gsize from = 0;
			check(weft_day_exists(day.readings[i].year, day.readings[i].month, day.readings[i].day));
			weft_day_write(&day.readings[i], written);
			check(weft_day_next(written, strlen(written), &from, &again) && again.n_readings == 1 &&
			      again.readings[0].year == day.readings[i].year &&
			      again.readings[0].month == day.readings[i].month &&
			      again.readings[0].day == day.readings[i].day);
		}
		check(readings.n <= day.n_readings);
	}
}

/* The first line is a locale. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	g_autofree char *raw = g_strndup((const char *)data, size_bytes);
	g_autofree char *valid = g_utf8_make_valid(raw, -1);
	g_autofree char *normal = weft_running_text_normal(valid, strlen(valid));
	g_autofree char *again = weft_running_text_normal(normal, strlen(normal));
	g_autofree char *folded = weft_fold(valid), *twice = weft_fold(folded);
	g_autofree char *locale = g_strndup(raw, strcspn(raw, "\n"));
	g_autoptr(GPtrArray) words = weft_fold_words(folded);
	WeftUsage usage = { 0 }, filled = { 0 };
	WeftUsageVotes votes = { 0 };
	WeftDecimal decimal;

	check(g_utf8_validate(normal, -1, NULL) && strcmp(normal, again) == 0 &&
	      weft_utf8_noncharacter(normal, strlen(normal)) == 0);
	check(g_utf8_validate(folded, -1, NULL) && strcmp(folded, twice) == 0);
	for (guint i = 0; i < words->len; i++)
		check(*(const char *)words->pdata[i] != '\0' && !strchr(words->pdata[i], ' '));
	(void)weft_usage_of_locale(locale, &usage); /* or nothing is known */
	weft_usage_count(&votes, normal, strlen(normal));
	weft_usage_fill(&filled, &votes);
	if (weft_decimal_read(raw, strlen(raw), &decimal)) {
		char written[WEFT_DECIMAL_CHARS];
		weft_decimal_write(decimal, written);
		check_number(written);
	}
	for (int i = 0; i < 3; i++) {
		const WeftUsage *one = i == 0 ? &(WeftUsage){ 0 } : i == 1 ? &usage : &filled;
		check_amounts(one, normal, strlen(normal));
		check_days(one, normal, strlen(normal));
	}
	return 0;
}
