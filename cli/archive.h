/* archive.h - what the verbs that look after an output folder share. */
#ifndef WEFT_CLI_ARCHIVE_H
#define WEFT_CLI_ARCHIVE_H

#include <glib.h>

#include "outputs/outputs.h"

/* Opens a folder that has records, to change it: with its lock. Where there are none nothing is made.
 * `out` NULL: weft-out. What opening had to do is said on stderr. */
WeftOutputs *weft_archive_open(const char *verb, const char *out, const char *state, GError **error);

/* The exit code of what went wrong: usage, the lock, output that can't be written, or that the
 * folder can't be used at all. */
int weft_archive_exit(const GError *error, gboolean is_open);

/* A line on stderr that is drawn over the last one, on a terminal only, a few times a second. */
typedef struct WeftTicker {
	gboolean is_shown, is_drawn; /* private */
	gint64 drawn_us;
} WeftTicker;

void weft_ticker_init(WeftTicker *ticker, gboolean is_quiet);
/* TRUE when it is time for the next line. */
gboolean weft_ticker_is_due(const WeftTicker *ticker);
void weft_ticker_draw(WeftTicker *ticker, const char *text);
/* Before anything else is printed. */
void weft_ticker_wipe(WeftTicker *ticker);

#endif
