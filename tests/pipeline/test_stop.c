#include "pipeline/stop.h"

#include <time.h>

#include "base/error.h"
#include "pipeline/deadline.h"

static void assert_duration(const char *text, double wanted_s)
{
	double seconds = -1;

	g_assert_true(weft_duration_parse(text, &seconds));
	g_assert_cmpfloat(seconds, ==, wanted_s);
}

static void test_durations(void)
{
	static const char *const wrong[] = {"",     "90",  "s",     "-3s",  "1.5h", "30s1m", "1h1h", "90 m",
					    "30s ", "0s",  "1h30",  "1e3s", "+3s",  "10001d",
					    "99999999999999999999999s"};

	assert_duration("30s", 30);
	assert_duration("90m", 5400);
	assert_duration("2h", 7200);
	assert_duration("1h30m", 5400);
	assert_duration("1d2h3m4s", 93784);
	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		double seconds = -1;

		g_assert_false(weft_duration_parse(wrong[i], &seconds));
		g_assert_cmpfloat(seconds, ==, -1);
	}
}

/* What `date -d @N` says of the numbers, in central Europe (test's own rule for its summer). */
static void assert_moment(const char *text, gint64 now_s, gint64 wanted_s)
{
	gint64 moment_s = -1;

	g_assert_true(weft_moment_parse(text, now_s, &moment_s));
	g_assert_cmpint(moment_s, ==, wanted_s);
}

static void test_moments(void)
{
	static const char *const wrong[] = {"", "6", "25:00", "06:61", "06:00x", "noon", " 06:00", "T06:00",
					    "2026-11-22", "2026-13-01T06:00", "2026-11-22 06:00",
					    "2026-11-22T", "2026-11-22T06:00Z",
					    /* what strptime() would take */
					    "06:0", "6:00", "06:00:5", "06: 0", "06 :00", "06:00:60",
					    "06:00:", "+6:00", "2026-11-2T06:00", "26-11-22T06:00",
					    "2026-11-22T6:00", "2026-02-30T06:00",
					    "2026-11-2 T06:00"};
	const gint64 evening_s = 1795284000; /* 2026-11-21 19:00:00 +0100 */

	assert_moment("06:00", evening_s, evening_s + 11 * 3600);
	assert_moment("23:30", evening_s, evening_s + 4 * 3600 + 1800);
	assert_moment("23:30:15", evening_s, evening_s + 4 * 3600 + 1815);
	assert_moment("19:00", evening_s, evening_s + 24 * 3600); /* now is not the next time */
	assert_moment("19:00:01", evening_s, evening_s + 1);
	assert_moment("2026-11-22T06:00", evening_s, evening_s + 11 * 3600);
	assert_moment("2026-11-20T19:00", evening_s, evening_s - 24 * 3600);
	/* In the night of 2026-03-29 the clocks go from 02:00 to 03:00: 23:00 to 06:00 are six hours. */
	assert_moment("06:00", 1774735200, 1774735200 + 6 * 3600);
	/* In that of 2026-10-25 they go back: eight hours. */
	assert_moment("06:00", 1792875600, 1792875600 + 8 * 3600);
	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		gint64 moment_s = -1;

		if (weft_moment_parse(wrong[i], evening_s, &moment_s))
			g_test_message("'%s' was taken for a moment", wrong[i]);
		g_assert_cmpint(moment_s, ==, -1);
	}
}

static void test_stop(void)
{
	g_autoptr(WeftStop) never = weft_stop_new();
	g_autoptr(WeftStop) asked = weft_stop_new();
	g_autoptr(WeftStop) over = weft_stop_new();
	g_autoptr(WeftStop) later = weft_stop_new();
	g_autoptr(GError) fault = weft_stop_fault();

	g_assert_false(weft_stop_is_asked(NULL));
	g_assert_false(weft_stop_is_asked(never));
	weft_stop_ask(asked);
	g_assert_true(weft_stop_is_asked(asked));
	weft_stop_after(over, -5); /* a moment that is over */
	g_assert_true(weft_stop_is_asked(over));
	weft_stop_after(later, 1e300);
	weft_stop_after(later, 3600);
	g_assert_false(weft_stop_is_asked(later));
	weft_stop_after(later, 0);
	weft_stop_after(later, 3600); /* the earlier counts */
	g_assert_true(weft_stop_is_asked(later));
	g_assert_error(fault, WEFT_ERROR, WEFT_ERROR_CANCELLED);
}

int main(int argc, char **argv)
{
	g_setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", TRUE);
	tzset();
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stop/durations", test_durations);
	g_test_add_func("/stop/moments", test_moments);
	g_test_add_func("/stop/stop", test_stop);
	return g_test_run();
}
