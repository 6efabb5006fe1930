/* graph.h - nodes joined by channels, and the threads that run them.
 *
 * The runtime knows nothing of documents. Nodes are added, then connected, then all is started:
 * the graph must be acyclic, every node must be reachable by data, and the receiving ends are
 * started before the sending ones. Each node owns one inbox; all that are connected to it send
 * there. With WEFT_INBOX_LANES each of its threads has an inbox of its own, fed by the thread of
 * the same number of each sender: so what one thread sends in order is received in order by one
 * thread, and the limit holds for each lane.
 *
 * The first error of any node wins: it cancels all channels and budget places, every thread ends at
 * its next call, and weft_graph_join reports it. weft_graph_cancel does the same from outside, from
 * any thread, at any time between start and free.
 */
#ifndef WEFT_PIPELINE_GRAPH_H
#define WEFT_PIPELINE_GRAPH_H

#include <glib.h>
#include <stdbool.h>

#include "pipeline/budget.h"
#include "pipeline/node.h"
#include "pipeline/trace.h"

typedef struct WeftGraph WeftGraph;

typedef enum {
	WEFT_INBOX_SHARED, /* all threads of the node take from one inbox */
	WEFT_INBOX_LANES,
} WeftInbox;

/* `budget` and `trace` (may be NULL) are borrowed and outlive the graph. */
WeftGraph *weft_graph_new(const WeftItemClass *items, WeftBudget *budget, WeftTrace *trace);
/* Cancels and joins what still runs. */
void weft_graph_free(WeftGraph *graph);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftGraph, weft_graph_free)

/* Gives the node's number. `name` is copied; NULL: the name of the class. `limit_bytes` is per
 * inbox (per lane). */
unsigned weft_graph_add(WeftGraph *graph, const WeftNodeClass *node_class, const char *name,
                        void *shared, unsigned n_threads, WeftInbox inbox, size_t limit_bytes);
void weft_graph_connect(WeftGraph *graph, unsigned from, unsigned to);

gboolean weft_graph_start(WeftGraph *graph, GError **error);
void weft_graph_cancel(WeftGraph *graph);
/* Waits for all threads. FALSE with the first error; cancelled from outside: WEFT_ERROR_CANCELLED.
 */
gboolean weft_graph_join(WeftGraph *graph, GError **error);

/* The graph as text, one line per node with its counts so far. From any thread. Caller frees. */
char *weft_graph_text(WeftGraph *graph);

typedef struct WeftNodeCounts {
	guint64 n_in, n_out, busy_ns, waiting_ns;
	gsize bytes, bytes_peak, limit_bytes; /* of the inbox; of all lanes together */
} WeftNodeCounts;

WeftNodeCounts weft_graph_counts(WeftGraph *graph, unsigned node);

#endif
