#include "cli/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/cmd.h"

#define TICK_MS 100 /* between two drawings of the bar */
/* A page of Tesseract takes seconds, a window of a large model up to a minute; dist/ has units whose
 * TimeoutStopSec is 90 s. */
#define GRACE_S 60
#define CANCEL_S 10 /* for threads that are told to drop all */

static void end_early(int number)
{
	(void)number;
	_exit(WEFT_EXIT_INTERRUPTED);
}

void weft_watch_prepare(void)
{
	const struct sigaction early_end = {.sa_handler = end_early};
	sigset_t early;

	sigaction(SIGINT, &early_end, NULL);
	sigaction(SIGTERM, &early_end, NULL);
	sigemptyset(&early);
	sigaddset(&early, SIGUSR1);
	sigprocmask(SIG_BLOCK, &early, NULL);
}

int weft_watch_open(GError **error)
{
	sigset_t watched;
	int signals;

	sigemptyset(&watched);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGUSR1);
	sigprocmask(SIG_BLOCK, &watched, NULL);
	signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "signalfd: %s", g_strerror(errno));
	return signals;
}

static int exit_code(WeftWatched by)
{
	return by == WEFT_WATCHED_SIGNAL ? WEFT_EXIT_INTERRUPTED : WEFT_EXIT_STOPPED;
}

static void say_stopping(WeftBar *bar, WeftWatched by)
{
	g_autofree char *line = g_strdup_printf(
	    "%s: pages and windows under way are finished, in %d s at most%s",
	    by == WEFT_WATCHED_SIGNAL ? "stopping" : "the time is over", GRACE_S,
	    by == WEFT_WATCHED_SIGNAL ? "; a second signal ends at once" : "");

	weft_bar_say_unless_quiet(bar, "info", line);
}

/* How far a run that is stopping has got; TRUE when it has been cancelled. */
static gboolean hurry(WeftRun *run, WeftWatched by, gint64 since_us, gboolean is_cancelled)
{
	gint64 waited_us = g_get_monotonic_time() - since_us;

	if (waited_us > (gint64)(GRACE_S + CANCEL_S) * G_USEC_PER_SEC)
		_exit(exit_code(by));
	if (!is_cancelled && waited_us > (gint64)GRACE_S * G_USEC_PER_SEC) {
		weft_run_cancel(run);
		return TRUE;
	}
	return is_cancelled;
}

/* The signal that came, or 0. */
static int next_signal(int signals)
{
	struct signalfd_siginfo info;

	return read(signals, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

WeftWatched weft_watch(WeftRun *run, WeftBar *bar, int signals, gboolean prints_graph)
{
	struct pollfd events[] = {
		{.fd = weft_run_done_fd(run), .events = POLLIN},
		{.fd = signals, .events = POLLIN},
	};
	WeftWatched by = WEFT_WATCHED_END;
	gboolean is_cancelled = FALSE;
	gint64 since_us = 0;

	while (events[0].revents == 0) {
		int number;

		(void)poll(events, G_N_ELEMENTS(events), TICK_MS); /* EINTR is a tick, too */
		weft_bar_draw(bar, run);
		weft_run_beat(run);
		number = events[1].revents != 0 ? next_signal(signals) : 0;
		if (number == SIGUSR1)
			weft_bar_report(bar, run, prints_graph);
		else if (number != 0 && by == WEFT_WATCHED_SIGNAL)
			_exit(WEFT_EXIT_INTERRUPTED);
		if (number != 0 && number != SIGUSR1) {
			by = WEFT_WATCHED_SIGNAL;
			since_us = g_get_monotonic_time();
			say_stopping(bar, by);
			weft_run_stop(run);
		} else if (by == WEFT_WATCHED_END && weft_run_is_stopping(run) &&
			   events[0].revents == 0) {
			by = WEFT_WATCHED_DEADLINE;
			since_us = g_get_monotonic_time();
			say_stopping(bar, by);
		}
		if (by != WEFT_WATCHED_END)
			is_cancelled = hurry(run, by, since_us, is_cancelled);
	}
	return by;
}
