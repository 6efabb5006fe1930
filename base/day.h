/* day.h - days as people write them: 2024-03-12  12.03.2024  03/12/24  12. März 2024  March 12th, 2024
 *
 * In digits (year, month, day; day, month, year; month, day, year), and with the month's name in
 * English, German, French, Spanish, Italian, Dutch and Portuguese, whole or shortened. Only days that
 * the Gregorian calendar has, of the years 1000 to 2999. Where the order or the century is open, a
 * day has several readings: 03/04/2024 is in March or in April (with dots it is in April: nobody
 * puts dots behind months first); 12.03.24 is of two centuries. base/usage.h chooses.
 */
#ifndef WEFT_BASE_DAY_H
#define WEFT_BASE_DAY_H

#include <glib.h>

#define WEFT_DAY_CHARS 12      /* "2024-03-12" and NUL */
#define WEFT_DAY_READINGS_MAX 4

typedef enum {
	WEFT_ORDER_UNKNOWN, /* of a day: its digits leave no choice */
	WEFT_ORDER_DAY_FIRST,
	WEFT_ORDER_MONTH_FIRST,
} WeftDayOrder;

typedef struct WeftDayReading {
	WeftDayOrder order;    /* that it supposes; UNKNOWN: none */
	gboolean has_century;  /* it stands in the text */
	guint year, month, day;
} WeftDayReading;

typedef struct WeftDay {
	gsize first, end;      /* bytes of the text */
	WeftDayReading readings[WEFT_DAY_READINGS_MAX];
	guint n_readings;      /* at least one */
} WeftDay;

/* The next day behind *at in a text as base/running_text.h leaves it; *at goes behind it. FALSE:
 * there is none. */
gboolean weft_day_next(const char *text, gsize size_bytes, gsize *at, WeftDay *ret_day);

gboolean weft_day_exists(guint year, guint month, guint day);
/* 2024-03-12. */
void weft_day_write(const WeftDayReading *reading, char ret_text[WEFT_DAY_CHARS]);

#endif
