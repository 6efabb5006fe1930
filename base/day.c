#include "base/day.h"

#include <string.h>

#define YEAR_MIN 1000
#define YEAR_MAX 2999
#define MONTH_CHARS_MAX 12 /* septiembre has ten */

/* Lower case; the first letters of a name are enough from the length on that stands here. */
static const struct {
	const char *name;
	guint8 month, n_chars_min;
} months[] = {
	{ "january", 1, 3 }, { "januar", 1, 3 }, { "jänner", 1, 3 }, { "janvier", 1, 4 },
	{ "enero", 1, 3 }, { "gennaio", 1, 3 }, { "januari", 1, 3 }, { "janeiro", 1, 3 },
	{ "february", 2, 3 }, { "februar", 2, 3 }, { "février", 2, 3 }, { "fevrier", 2, 3 },
	{ "febrero", 2, 3 }, { "febbraio", 2, 3 }, { "februari", 2, 3 }, { "fevereiro", 2, 3 },
	{ "march", 3, 3 }, { "märz", 3, 3 }, { "maerz", 3, 5 }, { "mars", 3, 4 }, { "marzo", 3, 3 },
	{ "maart", 3, 5 }, { "mrt", 3, 3 }, { "março", 3, 3 }, { "april", 4, 3 }, { "avril", 4, 3 },
	{ "abril", 4, 3 }, { "aprile", 4, 3 }, { "may", 5, 3 }, { "mai", 5, 3 }, { "mayo", 5, 4 },
	{ "maggio", 5, 3 }, { "mei", 5, 3 }, { "maio", 5, 3 }, { "june", 6, 3 }, { "juni", 6, 3 },
	{ "juin", 6, 4 }, { "junio", 6, 3 }, { "giugno", 6, 3 }, { "junho", 6, 3 }, { "july", 7, 3 },
	{ "juli", 7, 3 }, { "juillet", 7, 4 }, { "julio", 7, 3 }, { "luglio", 7, 3 }, { "julho", 7, 3 },
	{ "august", 8, 3 }, { "août", 8, 4 }, { "aout", 8, 4 }, { "agosto", 8, 3 },
	{ "augustus", 8, 3 }, { "september", 9, 3 }, { "septembre", 9, 3 }, { "septiembre", 9, 3 },
	{ "setiembre", 9, 3 }, { "settembre", 9, 3 }, { "setembro", 9, 3 }, { "october", 10, 3 },
	{ "oktober", 10, 3 }, { "octobre", 10, 3 }, { "octubre", 10, 3 }, { "ottobre", 10, 3 },
	{ "outubro", 10, 3 }, { "november", 11, 3 }, { "novembre", 11, 3 }, { "noviembre", 11, 3 },
	{ "novembro", 11, 3 }, { "december", 12, 3 }, { "dezember", 12, 3 }, { "décembre", 12, 3 },
	{ "decembre", 12, 3 }, { "diciembre", 12, 3 }, { "dicembre", 12, 3 }, { "dezembro", 12, 3 },
};

/* Between the pieces of a day; "th", "er" and their like hang on its number. */
static const char *const joints[] = { "of", "de", "del", "di", "d'", "do", NULL };
static const char *const endings[] = { "st", "nd", "rd", "th", "er", "º", "°", "e", NULL };

typedef struct Cursor {
	const char *p, *end;
} Cursor;

gboolean weft_day_exists(guint year, guint month, guint day)
{
	return year >= YEAR_MIN && year <= YEAR_MAX && month >= 1 && month <= 12 && day >= 1 &&
	       day <= g_date_get_days_in_month((GDateMonth)month, (GDateYear)year);
}

void weft_day_write(const WeftDayReading *reading, char ret_text[WEFT_DAY_CHARS])
{
	g_snprintf(ret_text, WEFT_DAY_CHARS, "%04u-%02u-%02u", reading->year % 10000,
		   reading->month % 100, reading->day % 100);
}

/* ---- pieces ---- */

/* At most four digits; *ret_n of them. */
static gboolean take_number(Cursor *cursor, guint *ret_value, gsize *ret_n)
{
	const char *p = cursor->p;
	guint value = 0;

	while (p < cursor->end && g_ascii_isdigit(*p) && p - cursor->p < 5)
		value = value * 10 + (guint)(*p++ - '0');
	*ret_n = (gsize)(p - cursor->p);
	if (*ret_n == 0 || *ret_n > 4)
		return FALSE;
	cursor->p = p;
	*ret_value = value;
	return TRUE;
}

static gboolean take_text(Cursor *cursor, const char *text)
{
	gsize size = strlen(text);

	if ((gsize)(cursor->end - cursor->p) < size || g_ascii_strncasecmp(cursor->p, text, size) != 0)
		return FALSE;
	cursor->p += size;
	return TRUE;
}

static gboolean is_letter_at(const Cursor *cursor)
{
	return cursor->p < cursor->end && g_unichar_isalpha(g_utf8_get_char(cursor->p));
}

/* One of the words, with nothing of a word behind it. */
static gboolean take_one_of(Cursor *cursor, const char *const *words)
{
	for (gsize i = 0; words[i]; i++) {
		Cursor ahead = *cursor;
		if (take_text(&ahead, words[i]) &&
		    (!is_letter_at(&ahead) || words[i][strlen(words[i]) - 1] == '\'')) {
			*cursor = ahead;
			return TRUE;
		}
	}
	return FALSE;
}

static guint month_of(const char *name, gsize n_chars)
{
	for (gsize i = 0; i < G_N_ELEMENTS(months); i++)
		if (n_chars >= months[i].n_chars_min && g_str_has_prefix(months[i].name, name))
			return months[i].month;
	return 0;
}

static gboolean take_month(Cursor *cursor, guint *ret_month)
{
	g_autoptr(GString) name = g_string_new(NULL);
	Cursor ahead = *cursor;
	gsize n_chars = 0;

	while (is_letter_at(&ahead) && n_chars++ <= MONTH_CHARS_MAX) {
		g_string_append_unichar(name, g_unichar_tolower(g_utf8_get_char(ahead.p)));
		ahead.p = g_utf8_next_char(ahead.p);
	}
	/* "sept." is no beginning of "set", and four letters are written of it. */
	guint month = strcmp(name->str, "sept") == 0 ? 9 : month_of(name->str, n_chars);
	if (month == 0)
		return FALSE;
	(void)take_text(&ahead, ".");
	*cursor = ahead;
	*ret_month = month;
	return TRUE;
}

static gboolean is_number_behind(const Cursor *cursor)
{
	const char *p = cursor->p;

	if (p < cursor->end && g_ascii_isdigit(*p))
		return TRUE;
	return p + 1 < cursor->end && strchr("./-:,'", *p) && g_ascii_isdigit(p[1]);
}

/* ---- whole days ---- */

static void add_reading(WeftDay *day, WeftDayOrder order, guint year, guint month, guint n)
{
	WeftDayReading reading = { order, TRUE, year, month, n };

	if (!weft_day_exists(year, month, n) || day->n_readings == WEFT_DAY_READINGS_MAX)
		return;
	for (guint i = 0; i < day->n_readings; i++) {
		WeftDayReading *known = &day->readings[i];
		if (known->year == year && known->month == month && known->day == n) {
			known->order = WEFT_ORDER_UNKNOWN; /* 03/03/2024 */
			return;
		}
	}
	day->readings[day->n_readings++] = reading;
}

/* A year of two digits is of the last century or of this one. */
static void add_readings(WeftDay *day, WeftDayOrder order, guint year, gsize n_digits, guint month,
			 guint n)
{
	if (n_digits == 4) {
		add_reading(day, order, year, month, n);
		return;
	}
	guint first = day->n_readings;
	add_reading(day, order, 1900 + year, month, n);
	add_reading(day, order, 2000 + year, month, n);
	for (guint i = first; i < day->n_readings; i++)
		day->readings[i].has_century = FALSE;
}

static gboolean read_digits(Cursor *cursor, WeftDay *day)
{
	guint a, b, c;
	gsize n_a, n_b, n_c;
	Cursor ahead = *cursor;

	if (!take_number(&ahead, &a, &n_a) || ahead.p == ahead.end || !strchr("./-", *ahead.p))
		return FALSE;
	char mark = *ahead.p++;
	gboolean is_spaced = mark == '.' && take_text(&ahead, " ");
	if (!take_number(&ahead, &b, &n_b) || n_b > 2 || ahead.p == ahead.end || *ahead.p != mark)
		return FALSE;
	ahead.p++;
	if (is_spaced)
		(void)take_text(&ahead, " ");
	if (!take_number(&ahead, &c, &n_c) || is_number_behind(&ahead))
		return FALSE;
	if (n_a == 4 && n_c <= 2) {
		add_reading(day, WEFT_ORDER_UNKNOWN, a, b, c);
	} else if (n_a <= 2 && (n_c == 4 || n_c == 2)) {
		add_readings(day, mark == '.' ? WEFT_ORDER_UNKNOWN : WEFT_ORDER_DAY_FIRST, c, n_c, b,
			     a);
		if (mark != '.')
			add_readings(day, WEFT_ORDER_MONTH_FIRST, c, n_c, a, b);
	}
	*cursor = ahead;
	return day->n_readings > 0;
}

static gboolean take_year(Cursor *cursor, guint *ret_year)
{
	gsize n;

	(void)take_text(cursor, ",");
	(void)take_text(cursor, " ");
	if (take_one_of(cursor, joints))
		(void)take_text(cursor, " ");
	return take_number(cursor, ret_year, &n) && n == 4 && !is_number_behind(cursor);
}

/* 12. März 2024, 12 de marzo de 2024, 12th of March, 2024 */
static gboolean read_day_first(Cursor *cursor, WeftDay *day)
{
	guint n, month, year;
	gsize n_digits;
	Cursor ahead = *cursor;

	if (!take_number(&ahead, &n, &n_digits) || n_digits > 2)
		return FALSE;
	if (!take_text(&ahead, "."))
		(void)take_one_of(&ahead, endings);
	if (!take_text(&ahead, " "))
		(void)take_text(&ahead, "-");
	if (take_one_of(&ahead, joints))
		(void)take_text(&ahead, " ");
	if (!take_month(&ahead, &month))
		return FALSE;
	(void)take_text(&ahead, "-");
	if (!take_year(&ahead, &year))
		return FALSE;
	*cursor = ahead;
	add_reading(day, WEFT_ORDER_UNKNOWN, year, month, n);
	return day->n_readings > 0;
}

/* March 12, 2024 */
static gboolean read_month_first(Cursor *cursor, WeftDay *day)
{
	guint n, month, year;
	gsize n_digits;
	Cursor ahead = *cursor;

	if (!take_month(&ahead, &month) || !take_text(&ahead, " ") ||
	    !take_number(&ahead, &n, &n_digits) || n_digits > 2)
		return FALSE;
	(void)take_one_of(&ahead, endings);
	if (!take_year(&ahead, &year))
		return FALSE;
	*cursor = ahead;
	add_reading(day, WEFT_ORDER_UNKNOWN, year, month, n);
	return day->n_readings > 0;
}

/* A day may begin here: no word and no number goes on. */
static gboolean may_begin(const char *text, const char *p)
{
	if (p == text)
		return TRUE;
	const char *before = g_utf8_prev_char(p);
	if (g_unichar_isalnum(g_utf8_get_char(before)) || *before == '_')
		return FALSE;
	return !(*before && strchr("./-:,", *before) && before > text && g_ascii_isdigit(before[-1]));
}

gboolean weft_day_next(const char *text, gsize size_bytes, gsize *at, WeftDay *ret_day)
{
	const char *end = text + size_bytes;

	for (const char *p = text + *at; p < end; p = g_utf8_next_char(p)) {
		Cursor cursor = { p, end };
		WeftDay day = { .first = (gsize)(p - text) };
		gboolean is_digit = g_ascii_isdigit(*p);

		if ((!is_digit && !is_letter_at(&cursor)) || !may_begin(text, p))
			continue;
		if (is_digit ? read_digits(&cursor, &day) || read_day_first(&cursor, &day)
			     : read_month_first(&cursor, &day)) {
			day.end = (gsize)(cursor.p - text);
			*at = day.end;
			*ret_day = day;
			return TRUE;
		}
	}
	*at = size_bytes;
	return FALSE;
}
