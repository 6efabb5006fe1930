#include "pipeline/deadline.h"

#include <string.h>
#include <time.h>

#define DURATION_MAX_S (10000.0 * 24 * 3600)

gboolean weft_duration_parse(const char *text, double *ret_seconds)
{
	double seconds = 0, smaller_than = 1e9;

	if (*text == '\0')
		return FALSE;
	while (*text != '\0') {
		static const char letters[] = "dhms";
		static const double unit_s[] = {86400, 3600, 60, 1};
		const char *letter;
		char *end = NULL;
		guint64 n;

		if (!g_ascii_isdigit(*text))
			return FALSE;
		n = g_ascii_strtoull(text, &end, 10);
		letter = *end != '\0' ? strchr(letters, *end) : NULL;
		if (letter == NULL || unit_s[letter - letters] >= smaller_than)
			return FALSE;
		smaller_than = unit_s[letter - letters];
		seconds += (double)n * smaller_than;
		text = end + 1;
	}
	if (!(seconds > 0 && seconds <= DURATION_MAX_S))
		return FALSE;
	*ret_seconds = seconds;
	return TRUE;
}

/* strptime() takes fewer digits, blanks and signs, too. `form`: "00:00", a digit for each 0. */
static gboolean has_form(const char *text, gsize size_bytes, const char *form)
{
	if (size_bytes != strlen(form))
		return FALSE;
	for (gsize i = 0; i < size_bytes; i++)
		if (form[i] == '0' ? !g_ascii_isdigit(text[i]) : text[i] != form[i])
			return FALSE;
	return TRUE;
}

/* "06:00" or "06:00:30", to its end. */
static gboolean parse_clock(const char *text, struct tm *clock)
{
	gboolean has_seconds = has_form(text, strlen(text), "00:00:00");
	const char *end;

	if (!has_seconds && !has_form(text, strlen(text), "00:00"))
		return FALSE;
	clock->tm_sec = 0;
	end = strptime(text, has_seconds ? "%H:%M:%S" : "%H:%M", clock);
	return end != NULL && *end == '\0' && clock->tm_sec < 60;
}

/* "2026-11-22", of the calendar. */
static gboolean parse_date(const char *text, gsize size_bytes, struct tm *date)
{
	struct tm noon;

	if (!has_form(text, size_bytes, "0000-00-00") ||
	    strptime(text, "%Y-%m-%d", date) != text + size_bytes)
		return FALSE;
	noon = (struct tm){.tm_year = date->tm_year, .tm_mon = date->tm_mon,
			   .tm_mday = date->tm_mday, .tm_hour = 12, .tm_isdst = -1};
	return mktime(&noon) != (time_t)-1 && noon.tm_mday == date->tm_mday; /* no 31 February */
}

gboolean weft_moment_parse(const char *text, gint64 now_s, gint64 *ret_s)
{
	const char *t = strchr(text, 'T');
	time_t now = (time_t)now_s, moment;
	struct tm local;

	if (localtime_r(&now, &local) == NULL)
		return FALSE;
	if (t != NULL && !parse_date(text, (gsize)(t - text), &local))
		return FALSE;
	if (!parse_clock(t != NULL ? t + 1 : text, &local))
		return FALSE;
	local.tm_isdst = -1; /* what holds there, not what holds now */
	moment = mktime(&local);
	if (t == NULL && moment <= now) {
		/* mktime has filled in the rest of today */
		parse_clock(text, &local);
		local.tm_mday++;
		local.tm_isdst = -1;
		moment = mktime(&local);
	}
	if (moment == (time_t)-1)
		return FALSE;
	*ret_s = (gint64)moment;
	return TRUE;
}
