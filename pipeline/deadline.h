/* deadline.h - when a run is to stop, as people write it.
 *
 * A duration is a row of whole numbers with units: "30s", "90m", "1h30m", "2d". A moment is a time of
 * the clock on the wall here, "06:00" (the next time that it shows it: today or tomorrow), or a date
 * with it, "2026-11-22T06:00"; seconds may follow. Pure functions: the clock is given to them.
 */
#ifndef WEFT_PIPELINE_DEADLINE_H
#define WEFT_PIPELINE_DEADLINE_H

#include <glib.h>

/* FALSE: not a duration above 0 and up to 10,000 days. */
gboolean weft_duration_parse(const char *text, double *ret_seconds);

/* Seconds since 1970. `now_s` is what "next" means. FALSE: not a moment. One that is over is no
 * mistake here. */
gboolean weft_moment_parse(const char *text, gint64 now_s, gint64 *ret_s);

#endif
