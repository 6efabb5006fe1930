/* watch.h - waits for the end of a run, beside signals and the deadline.
 *
 * INT and TERM, and the job's deadline, stop a run in order: nothing is begun any more, pages and
 * windows under way are finished. That has GRACE_S; then the run is cancelled, which drops what is
 * under way, and if it still does not end, the program does. A second signal ends the program at
 * once. Nothing is lost by either: what is written is whole, and the next run does the rest. USR1
 * prints a line of progress (and the graph, where it was asked for).
 *
 * The signals are blocked and come through a descriptor.
 */
#ifndef WEFT_CLI_WATCH_H
#define WEFT_CLI_WATCH_H

#include "cli/progress.h"
#include "pipeline/pipeline.h"

typedef enum {
	WEFT_WATCHED_END,      /* the run came to its end by itself */
	WEFT_WATCHED_DEADLINE, /* it was stopped by its deadline */
	WEFT_WATCHED_SIGNAL,   /* by somebody */
} WeftWatched;

/* Until there is something to stop, INT and TERM end the program with 130 (a start can take long: a
 * catalogue that is built anew), and a USR1 waits. Before the helper programs are started. */
void weft_watch_prepare(void);
/* Blocks the signals and gives the descriptor; -1 and the error. Before any thread is made. */
int weft_watch_open(GError **error);
WeftWatched weft_watch(WeftRun *run, WeftBar *bar, int signals, gboolean prints_graph);

#endif
