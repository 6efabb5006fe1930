/* stop.h - a run that is to end in order: by a deadline, or because somebody asked.
 *
 * One object per run, borrowed by all who begin things. Before a document, a page, a picture or a
 * window is begun, who would begin it looks here; once stopping, it is not begun, and a fault with
 * WEFT_ERROR_CANCELLED takes its place (weft_stop_fault), so that all nodes behind know that the
 * document is left for the next run: no record is written of it. What is under way is finished, so
 * the graph runs empty by itself. Cancelling (graph.h) is the other thing: it drops what is under way.
 *
 * The deadline is on CLOCK_BOOTTIME, which nobody can set back and which goes on while the machine
 * sleeps. Any thread may call any of these; stopping never ends.
 */
#ifndef WEFT_PIPELINE_STOP_H
#define WEFT_PIPELINE_STOP_H

#include <glib.h>
#include <stdbool.h>

typedef struct WeftStop WeftStop;

WeftStop *weft_stop_new(void);
void weft_stop_free(WeftStop *stop);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftStop, weft_stop_free)

/* `seconds` from now; 0 or less: at once. The earlier of two counts. Before the first thread. */
void weft_stop_after(WeftStop *stop, double seconds);
void weft_stop_ask(WeftStop *stop);
/* NULL: never. */
bool weft_stop_is_asked(const WeftStop *stop);
/* Why a part or a document was left. Caller frees. */
GError *weft_stop_fault(void);

#endif
