#include "pipeline/graph.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "pipeline/channel.h"

#define PORTS_MAX 4

typedef struct Node {
	const WeftNodeClass *node_class;
	char *name;
	void *shared;
	unsigned n_threads;
	WeftInbox inbox;
	size_t limit_bytes;

	unsigned ports[PORTS_MAX]; /* numbers of the nodes that it sends to */
	unsigned n_ports, n_senders;
	WeftChannel **lanes; /* made at the start; NULL for a source */
	unsigned n_lanes;

	atomic_uint_fast64_t n_in, n_out, busy_ns, waiting_ns;
} Node;

struct WeftRunner {
	WeftGraph *graph;
	Node *node;
	unsigned number;     /* of the node's threads */
	unsigned track;      /* in the trace */
	uint64_t sending_ns; /* of the step under way */
	pthread_t thread;
};

struct WeftGraph {
	const WeftItemClass *items;
	WeftBudget *budget;
	WeftTrace *trace;
	GPtrArray *nodes;   /* Node */
	GPtrArray *runners; /* WeftRunner, those that were started */
	bool is_started;
	atomic_bool is_cancelled;
	pthread_mutex_t mutex; /* guards error */
	GError *error;         /* the first */
};

static void node_free(void *data)
{
	Node *node = data;

	for (unsigned i = 0; i < node->n_lanes; i++)
		weft_channel_free(node->lanes[i]);
	g_free(node->lanes);
	g_free(node->name);
	g_free(node);
}

WeftGraph *weft_graph_new(const WeftItemClass *items, WeftBudget *budget, WeftTrace *trace)
{
	WeftGraph *graph = g_new0(WeftGraph, 1);

	graph->items = items;
	graph->budget = budget;
	graph->trace = trace;
	graph->nodes = g_ptr_array_new_with_free_func(node_free);
	graph->runners = g_ptr_array_new_with_free_func(g_free);
	atomic_init(&graph->is_cancelled, false);
	pthread_mutex_init(&graph->mutex, NULL);
	return graph;
}

void weft_graph_free(WeftGraph *graph)
{
	if (graph == NULL)
		return;
	if (graph->runners->len > 0) {
		weft_graph_cancel(graph);
		(void)weft_graph_join(graph, NULL); /* the caller did not ask how it ended */
	}
	g_ptr_array_unref(graph->runners);
	g_ptr_array_unref(graph->nodes);
	pthread_mutex_destroy(&graph->mutex);
	g_clear_error(&graph->error);
	g_free(graph);
}

static Node *node_at(WeftGraph *graph, unsigned number)
{
	return g_ptr_array_index(graph->nodes, number);
}

unsigned weft_graph_add(WeftGraph *graph, const WeftNodeClass *node_class, const char *name,
                        void *shared, unsigned n_threads, WeftInbox inbox, size_t limit_bytes)
{
	Node *node = g_new0(Node, 1);

	g_assert(!graph->is_started && n_threads > 0);
	node->node_class = node_class;
	node->name = g_strdup(name != NULL ? name : node_class->name);
	node->shared = shared;
	node->n_threads = n_threads;
	node->inbox = inbox;
	node->limit_bytes = limit_bytes;
	atomic_init(&node->n_in, 0);
	atomic_init(&node->n_out, 0);
	atomic_init(&node->busy_ns, 0);
	atomic_init(&node->waiting_ns, 0);
	g_ptr_array_add(graph->nodes, node);
	return graph->nodes->len - 1;
}

void weft_graph_connect(WeftGraph *graph, unsigned from, unsigned to)
{
	Node *sender = node_at(graph, from);

	g_assert(!graph->is_started && sender->n_ports < PORTS_MAX);
	sender->ports[sender->n_ports++] = to;
	node_at(graph, to)->n_senders++;
}

/* The nodes in an order in which everyone stands after all that send to it; NULL when there is a
 * cycle. Caller frees. */
static unsigned *topological_order(WeftGraph *graph)
{
	unsigned n = graph->nodes->len, n_done = 0;
	unsigned *order = g_new0(unsigned, n + 1);
	unsigned *n_left = g_new0(unsigned, n + 1);

	for (unsigned i = 0; i < n; i++) {
		n_left[i] = node_at(graph, i)->n_senders;
		if (n_left[i] == 0)
			order[n_done++] = i;
	}
	for (unsigned i = 0; i < n_done; i++) {
		const Node *node = node_at(graph, order[i]);

		for (unsigned p = 0; p < node->n_ports; p++) {
			if (--n_left[node->ports[p]] == 0)
				order[n_done++] = node->ports[p];
		}
	}
	g_free(n_left);
	if (n_done < n)
		g_clear_pointer(&order, g_free);
	return order;
}

static gboolean check_lanes(WeftGraph *graph, GError **error)
{
	for (unsigned i = 0; i < graph->nodes->len; i++) {
		const Node *from = node_at(graph, i);

		for (unsigned p = 0; p < from->n_ports; p++) {
			const Node *to = node_at(graph, from->ports[p]);

			if (to->inbox == WEFT_INBOX_LANES && to->n_threads != from->n_threads) {
				g_set_error(error, WEFT_ERROR, WEFT_ERROR_INTERNAL,
				            "graph: %s has %u threads, its lanes to %s are %u",
				            from->name, from->n_threads, to->name, to->n_threads);
				return FALSE;
			}
		}
	}
	return TRUE;
}

static void make_channels(WeftGraph *graph)
{
	for (unsigned i = 0; i < graph->nodes->len; i++) {
		Node *from = node_at(graph, i);

		for (unsigned p = 0; p < from->n_ports; p++) {
			Node *to = node_at(graph, from->ports[p]);

			to->n_lanes = to->inbox == WEFT_INBOX_LANES ? to->n_threads : 1;
		}
	}
	for (unsigned i = 0; i < graph->nodes->len; i++) {
		Node *to = node_at(graph, i);
		unsigned n_senders = 0;

		for (unsigned j = 0; j < graph->nodes->len; j++) {
			const Node *from = node_at(graph, j);

			for (unsigned p = 0; p < from->n_ports; p++) {
				if (from->ports[p] == i)
					n_senders += to->n_lanes > 1 ? 1 : from->n_threads;
			}
		}
		to->lanes = g_new0(WeftChannel *, to->n_lanes + 1);
		for (unsigned lane = 0; lane < to->n_lanes; lane++)
			to->lanes[lane] = weft_channel_new(to->limit_bytes, n_senders,
			                                   to->n_lanes > 1 ? 1 : to->n_threads,
			                                   graph->items->free, graph->budget);
	}
}

/* Takes the error. */
static void stop(WeftGraph *graph, GError *take_error)
{
	pthread_mutex_lock(&graph->mutex);
	if (graph->error == NULL)
		graph->error = g_steal_pointer(&take_error);
	pthread_mutex_unlock(&graph->mutex);
	g_clear_error(&take_error);

	atomic_store(&graph->is_cancelled, true);
	for (unsigned i = 0; i < graph->nodes->len; i++) {
		Node *node = node_at(graph, i);

		for (unsigned lane = 0; lane < node->n_lanes; lane++)
			weft_channel_cancel(node->lanes[lane]);
	}
	if (graph->budget != NULL)
		weft_budget_cancel(graph->budget);
}

void weft_graph_cancel(WeftGraph *graph)
{
	stop(graph, g_error_new(WEFT_ERROR, WEFT_ERROR_CANCELLED, "stopped on request"));
}

static WeftChannel *lane_of(const Node *node, unsigned number)
{
	return node->n_lanes > 1 ? node->lanes[number] : node->lanes[0];
}

bool weft_runner_send(WeftRunner *runner, void *take_item)
{
	WeftGraph *graph = runner->graph;
	Node *node = runner->node;
	uint64_t begin_ns = weft_trace_now_ns();
	Node *to;
	bool is_sent;

	g_assert(node->n_ports == 1);
	to = node_at(graph, node->ports[0]);
	is_sent = weft_channel_send(lane_of(to, runner->number), take_item,
	                            graph->items->size_bytes(take_item));
	if (is_sent)
		atomic_fetch_add(&node->n_out, 1);
	runner->sending_ns += weft_trace_now_ns() - begin_ns;
	return is_sent;
}

bool weft_runner_is_cancelled(const WeftRunner *runner)
{
	return atomic_load(&runner->graph->is_cancelled);
}

/* One step (or flush, when `item` is NULL and the node has an inbox), measured. */
static WeftStep take_step(WeftRunner *runner, void *state, void *item, GError **error)
{
	WeftGraph *graph = runner->graph;
	Node *node = runner->node;
	char label[48] = "";
	uint64_t begin_ns, end_ns;
	WeftStep step;

	if (item != NULL && graph->trace != NULL && graph->items->label != NULL)
		graph->items->label(item, label, sizeof label);
	runner->sending_ns = 0;
	begin_ns = weft_trace_now_ns();
	if (item == NULL && node->n_lanes > 0)
		step = node->node_class->flush(state, runner, error);
	else
		step = node->node_class->step(state, runner, item, error);
	end_ns = weft_trace_now_ns();
	atomic_fetch_add(&node->busy_ns, end_ns - begin_ns - runner->sending_ns);
	atomic_fetch_add(&node->waiting_ns, runner->sending_ns);
	weft_trace_step(graph->trace, runner->track, node->name, label, begin_ns, end_ns);
	if (graph->trace != NULL && graph->budget != NULL)
		weft_trace_bytes(graph->trace, end_ns, weft_budget_bytes(graph->budget));
	return step;
}

static WeftStep run_to_the_end(WeftRunner *runner, void *state, GError **error)
{
	Node *node = runner->node;
	bool is_source = node->n_lanes == 0;
	WeftStep step = WEFT_STEP_MORE;

	while (step == WEFT_STEP_MORE && !weft_runner_is_cancelled(runner)) {
		void *item = NULL;

		if (!is_source) {
			uint64_t begin_ns = weft_trace_now_ns();

			item = weft_channel_receive(lane_of(node, runner->number));
			atomic_fetch_add(&node->waiting_ns, weft_trace_now_ns() - begin_ns);
			if (item == NULL)
				break;
			atomic_fetch_add(&node->n_in, 1);
		}
		step = take_step(runner, state, item, error);
	}
	if (step == WEFT_STEP_MORE && node->node_class->flush != NULL && !is_source &&
	    !weft_runner_is_cancelled(runner))
		step = take_step(runner, state, NULL, error);
	return step;
}

static void *run_thread(void *data)
{
	WeftRunner *runner = data;
	WeftGraph *graph = runner->graph;
	Node *node = runner->node;
	void *state = NULL;
	GError *error = NULL;
	bool is_up;

	weft_trace_thread(graph->trace, runner->track, node->name);
	is_up = node->node_class->init == NULL ||
	        node->node_class->init(node->shared, runner, &state, &error);
	if (!is_up) {
		stop(graph, g_steal_pointer(&error));
	} else {
		if (node->node_class->init == NULL)
			state = node->shared;
		if (run_to_the_end(runner, state, &error) == WEFT_STEP_FAILED)
			stop(graph, g_steal_pointer(&error));
		if (node->node_class->done != NULL)
			node->node_class->done(state);
	}

	if (node->n_lanes > 0)
		weft_channel_finish_receiver(lane_of(node, runner->number));
	for (unsigned p = 0; p < node->n_ports; p++)
		weft_channel_finish_sender(lane_of(node_at(graph, node->ports[p]), runner->number));
	return NULL;
}

static gboolean start_node(WeftGraph *graph, Node *node, GError **error)
{
	for (unsigned i = 0; i < node->n_threads; i++) {
		WeftRunner *runner = g_new0(WeftRunner, 1);
		int failure;

		runner->graph = graph;
		runner->node = node;
		runner->number = i;
		runner->track = graph->runners->len + 1;
		failure = pthread_create(&runner->thread, NULL, run_thread, runner);
		if (failure != 0) {
			g_free(runner);
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "thread for %s: %s",
			            node->name, g_strerror(failure));
			return FALSE;
		}
		g_ptr_array_add(graph->runners, runner);
	}
	return TRUE;
}

gboolean weft_graph_start(WeftGraph *graph, GError **error)
{
	g_autofree unsigned *order = topological_order(graph);

	g_assert(!graph->is_started);
	if (order == NULL) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_INTERNAL, "graph: has a cycle");
		return FALSE;
	}
	if (!check_lanes(graph, error))
		return FALSE;
	graph->is_started = true;
	make_channels(graph);
	for (unsigned i = graph->nodes->len; i > 0; i--) {
		if (!start_node(graph, node_at(graph, order[i - 1]), error)) {
			weft_graph_cancel(graph);
			(void)weft_graph_join(graph,
			                      NULL); /* the first error is reported already */
			return FALSE;
		}
	}
	return TRUE;
}

gboolean weft_graph_join(WeftGraph *graph, GError **error)
{
	for (guint i = 0; i < graph->runners->len; i++) {
		WeftRunner *runner = g_ptr_array_index(graph->runners, i);

		pthread_join(runner->thread, NULL);
	}
	g_ptr_array_set_size(graph->runners, 0);
	if (graph->error != NULL) {
		g_propagate_error(error, g_steal_pointer(&graph->error));
		return FALSE;
	}
	return TRUE;
}

WeftNodeCounts weft_graph_counts(WeftGraph *graph, unsigned number)
{
	Node *node = node_at(graph, number);
	WeftNodeCounts counts = {
	    .n_in = atomic_load(&node->n_in),
	    .n_out = atomic_load(&node->n_out),
	    .busy_ns = atomic_load(&node->busy_ns),
	    .waiting_ns = atomic_load(&node->waiting_ns),
	};

	for (unsigned lane = 0; lane < node->n_lanes; lane++) {
		WeftChannelCounts channel = weft_channel_counts(node->lanes[lane]);

		counts.bytes += channel.bytes;
		counts.bytes_peak += channel.bytes_peak;
		counts.limit_bytes += channel.limit_bytes;
	}
	return counts;
}

char *weft_graph_text(WeftGraph *graph)
{
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, "%-16s %-16s %7s %9s %9s %10s %10s %10s %9s %9s\n", "node",
	                       "sends to", "threads", "in", "out", "queued", "peak", "limit",
	                       "busy s", "waits s");
	for (unsigned i = 0; i < graph->nodes->len; i++) {
		const Node *node = node_at(graph, i);
		WeftNodeCounts counts = weft_graph_counts(graph, i);
		g_autofree char *threads =
		    g_strdup_printf("%u%s", node->n_threads, node->n_lanes > 1 ? " lanes" : "");
		g_autoptr(GString) to = g_string_new(NULL);

		for (unsigned p = 0; p < node->n_ports; p++)
			g_string_append_printf(to, "%s%s", p > 0 ? "," : "",
			                       node_at(graph, node->ports[p])->name);
		g_string_append_printf(text,
		                       "%-16s %-16s %7s %9" G_GUINT64_FORMAT " %9" G_GUINT64_FORMAT
		                       " %10zu %10zu %10zu %9.3f %9.3f\n",
		                       node->name, to->len > 0 ? to->str : "-", threads,
		                       counts.n_in, counts.n_out, counts.bytes, counts.bytes_peak,
		                       counts.limit_bytes, (double)counts.busy_ns / 1e9,
		                       (double)counts.waiting_ns / 1e9);
	}
	return g_string_free(text, FALSE);
}
