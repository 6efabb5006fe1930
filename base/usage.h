/* usage.h - how a document writes numbers and days, when one text can mean two.
 *
 * A schema's locale says it, or the document itself does: by the numbers and days in it that can only
 * be read in one way. What they contradict each other about stays unknown, and then a text with two
 * readings is ambiguous: nobody chooses for it. The order of days follows the decimal comma where
 * nothing else is known (who writes 1.240,50 does not put the month first); the century of years with
 * two digits follows the other years, if all are of the same one.
 */
#ifndef WEFT_BASE_USAGE_H
#define WEFT_BASE_USAGE_H

#include "base/amount.h"
#include "base/day.h"
#include "base/json.h"

typedef struct WeftUsage {
	WeftPoint point;
	WeftDayOrder order;
	guint century; /* 1900, 2000; 0: unknown */
} WeftUsage;

/* What a locale like "de", "en-US" or "fr_CH" says; "en" alone does not say where the month stands.
 * FALSE: not known. */
gboolean weft_usage_of_locale(const char *locale, WeftUsage *ret_usage);

/* What the `x-weft-locale` at the root of a schema says; nothing is known where there is none. FALSE:
 * WEFT_ERROR_SCHEMA, it is no such locale. */
gboolean weft_usage_of_schema(const WeftJson *schema, WeftUsage *ret_usage, GError **error);

/* What texts say of themselves. */
typedef struct WeftUsageVotes {
	guint n_dots, n_commas, n_day_first, n_month_first;
	guint n_centuries[30]; /* by the first two digits */
} WeftUsageVotes;

/* The text as base/running_text.h leaves it. */
void weft_usage_count(WeftUsageVotes *votes, const char *text, gsize size_bytes);
/* What the votes say fills what is unknown. */
void weft_usage_fill(WeftUsage *usage, const WeftUsageVotes *votes);

/* The readings that such a usage leaves, written as JSON has them (a day without quotes): how many, and
 * the first ones. 1: that is what it means; more: ambiguous; 0: nobody of this usage writes that. */
#define WEFT_READINGS_MAX 4
typedef struct WeftReadings {
	guint n;
	char values[WEFT_READINGS_MAX][WEFT_DECIMAL_CHARS];
} WeftReadings;
WeftReadings weft_usage_read_amount(const WeftUsage *usage, const WeftAmount *amount);
WeftReadings weft_usage_read_day(const WeftUsage *usage, const WeftDay *day);

#endif
