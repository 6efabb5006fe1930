/* progress.h - what a run says on stderr while it runs.
 *
 * On a terminal a bar is drawn in place; otherwise a plain line comes every half minute. Lines about
 * documents come as they happen, the last line has the counts. Quiet: only lines about documents.
 * Everything that names a file or quotes a message has its control characters escaped.
 */
#ifndef WEFT_CLI_PROGRESS_H
#define WEFT_CLI_PROGRESS_H

#include <glib.h>

#include "pipeline/pipeline.h"

typedef struct WeftBar WeftBar;

WeftBar *weft_bar_new(gboolean is_quiet, gboolean is_json);
void weft_bar_free(WeftBar *bar);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftBar, weft_bar_free)

/* Prints new lines about documents and draws the bar again, when it is time to. */
void weft_bar_draw(WeftBar *bar, WeftRun *run);
void weft_bar_say(WeftBar *bar, const char *level, const char *text);
void weft_bar_say_unless_quiet(WeftBar *bar, const char *level, const char *text);
/* How far the run is, in one line, also where it is quiet: somebody has asked. */
void weft_bar_report(WeftBar *bar, WeftRun *run, gboolean prints_graph);
/* What is left to be said, and the counts; of a run that could not start (not whole, and nothing
 * done) nothing: the error says it. */
void weft_bar_end(WeftBar *bar, WeftRun *run, gboolean is_whole);

#endif
