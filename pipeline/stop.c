#include "pipeline/stop.h"

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"

struct WeftStop {
	int64_t deadline_ns; /* of CLOCK_BOOTTIME; INT64_MAX: none */
	atomic_bool is_asked;
};

/* Longer than any run; a double of nanoseconds beyond would not fit. */
#define SECONDS_MAX 3e9

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

WeftStop *weft_stop_new(void)
{
	WeftStop *stop = g_new0(WeftStop, 1);

	stop->deadline_ns = INT64_MAX;
	atomic_init(&stop->is_asked, false);
	return stop;
}

void weft_stop_free(WeftStop *stop)
{
	g_free(stop);
}

void weft_stop_after(WeftStop *stop, double seconds)
{
	int64_t deadline_ns = now_ns() + (int64_t)(CLAMP(seconds, 0, SECONDS_MAX) * 1e9);

	stop->deadline_ns = MIN(stop->deadline_ns, deadline_ns);
}

void weft_stop_ask(WeftStop *stop)
{
	atomic_store(&stop->is_asked, true);
}

bool weft_stop_is_asked(const WeftStop *stop)
{
	return stop != NULL && (atomic_load(&stop->is_asked) ||
	                        (stop->deadline_ns != INT64_MAX && now_ns() >= stop->deadline_ns));
}

GError *weft_stop_fault(void)
{
	return g_error_new(WEFT_ERROR, WEFT_ERROR_CANCELLED, "left for the next run");
}
