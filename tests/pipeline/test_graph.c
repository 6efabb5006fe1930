#include "pipeline/graph.h"

#include <glib/gstdio.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/error.h"

/* Items are numbers with a weight; what is alive is counted. */
typedef struct Item {
	atomic_int *n_alive;
	unsigned value, hops;
	size_t size_bytes;
	bool is_fault;
} Item;

static size_t item_size_bytes(const void *item)
{
	return ((const Item *)item)->size_bytes;
}

static void item_free(void *data)
{
	Item *item = data;

	atomic_fetch_sub(item->n_alive, 1);
	g_free(item);
}

static void item_label(const void *item, char *label, size_t size)
{
	g_snprintf(label, size, "item \"%u\"", ((const Item *)item)->value);
}

static const WeftItemClass items = {item_size_bytes, item_free, item_label};

/* What a test counts and decides; shared by all nodes of a graph. */
typedef struct Ledger {
	atomic_int n_alive, n_made, n_sunk, n_faults, n_init, n_done;
	unsigned n_items;
	size_t size_bytes;
	int fail_at, end_at; /* value at which the sink fails or ends; -1: never */
	atomic_int gate;     /* the sink takes this many items, then waits for the gate */
	bool is_gated;
	pthread_mutex_t mutex;
	pthread_cond_t opened;
	unsigned next_of_lane[4];
	unsigned n_flushed;
} Ledger;

static void ledger_init(Ledger *ledger, unsigned n_items, size_t size_bytes)
{
	*ledger =
	    (Ledger){.n_items = n_items, .size_bytes = size_bytes, .fail_at = -1, .end_at = -1};
	pthread_mutex_init(&ledger->mutex, NULL);
	pthread_cond_init(&ledger->opened, NULL);
}

static gboolean count_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	atomic_fetch_add(&((Ledger *)shared)->n_init, 1);
	*ret_state = shared;
	return TRUE;
}

static void count_done(void *state)
{
	atomic_fetch_add(&((Ledger *)state)->n_done, 1);
}

static WeftStep source_step(void *state, WeftRunner *runner, void *nothing, GError **error)
{
	Ledger *ledger = state;
	int value = atomic_load(&ledger->n_made);
	Item *item;

	if ((unsigned)value >= ledger->n_items)
		return WEFT_STEP_END;
	item = g_new0(Item, 1);
	item->n_alive = &ledger->n_alive;
	item->value = (unsigned)value;
	item->size_bytes = ledger->size_bytes;
	atomic_fetch_add(&ledger->n_alive, 1);
	atomic_fetch_add(&ledger->n_made, 1);
	return weft_runner_send(runner, item) ? WEFT_STEP_MORE : WEFT_STEP_END;
}

static WeftStep pass_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Item *item = take_item;

	item->hops++;
	if (item->value % 7 == 3)
		item->is_fault = true; /* this node could not do it: the item says so and goes on */
	return weft_runner_send(runner, item) ? WEFT_STEP_MORE : WEFT_STEP_END;
}

static WeftStep sink_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Ledger *ledger = state;
	Item *item = take_item;
	int value = (int)item->value;

	pthread_mutex_lock(&ledger->mutex);
	while (ledger->is_gated && atomic_load(&ledger->gate) <= 0)
		pthread_cond_wait(&ledger->opened, &ledger->mutex);
	pthread_mutex_unlock(&ledger->mutex);
	atomic_fetch_sub(&ledger->gate, 1);
	atomic_fetch_add(&ledger->n_sunk, 1);
	if (item->is_fault)
		atomic_fetch_add(&ledger->n_faults, 1);
	item_free(item);
	if (value == ledger->end_at)
		return WEFT_STEP_END;
	if (value == ledger->fail_at) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "sink is full at %d", value);
		return WEFT_STEP_FAILED;
	}
	return WEFT_STEP_MORE;
}

static WeftStep sink_flush(void *state, WeftRunner *runner, GError **error)
{
	((Ledger *)state)->n_flushed++;
	return WEFT_STEP_MORE;
}

static const WeftNodeClass source_class = {"source", count_init, source_step, NULL, count_done};
static const WeftNodeClass pass_class = {"pass", count_init, pass_step, NULL, count_done};
static const WeftNodeClass sink_class = {"sink", count_init, sink_step, sink_flush, count_done};

static void open_gate(Ledger *ledger, int n)
{
	pthread_mutex_lock(&ledger->mutex);
	atomic_store(&ledger->gate, n);
	pthread_cond_broadcast(&ledger->opened);
	pthread_mutex_unlock(&ledger->mutex);
}

/* source -> pass (n threads) => pass (n lanes) -> sink */
static WeftGraph *make_line(Ledger *ledger, WeftBudget *budget, WeftTrace *trace,
                            unsigned n_threads, size_t limit_bytes)
{
	WeftGraph *graph = weft_graph_new(&items, budget, trace);
	unsigned source =
	    weft_graph_add(graph, &source_class, NULL, ledger, 1, WEFT_INBOX_SHARED, 0);
	unsigned first = weft_graph_add(graph, &pass_class, "first", ledger, n_threads,
	                                WEFT_INBOX_SHARED, limit_bytes);
	unsigned second = weft_graph_add(graph, &pass_class, "second", ledger, n_threads,
	                                 WEFT_INBOX_LANES, limit_bytes);
	unsigned sink =
	    weft_graph_add(graph, &sink_class, NULL, ledger, 1, WEFT_INBOX_SHARED, limit_bytes);

	weft_graph_connect(graph, source, first);
	weft_graph_connect(graph, first, second);
	weft_graph_connect(graph, second, sink);
	return graph;
}

static void assert_all_gone(Ledger *ledger, WeftBudget *budget)
{
	g_assert_cmpint(atomic_load(&ledger->n_alive), ==, 0);
	g_assert_cmpint(atomic_load(&ledger->n_init), ==, atomic_load(&ledger->n_done));
	if (budget != NULL)
		g_assert_cmpuint(weft_budget_bytes(budget), ==, 0);
}

static void test_everything_arrives(void)
{
	Ledger ledger;
	g_autoptr(WeftGraph) graph = NULL;
	g_autoptr(GError) error = NULL;

	ledger_init(&ledger, 1000, 16);
	graph = make_line(&ledger, NULL, NULL, 3, 64);
	g_assert_true(weft_graph_start(graph, &error));
	g_assert_true(weft_graph_join(graph, &error));
	g_assert_no_error(error);
	g_assert_cmpint(atomic_load(&ledger.n_sunk), ==, 1000);
	/* 3, 10, 17 ... below 1000: faults are items, they arrive like everything else. */
	g_assert_cmpint(atomic_load(&ledger.n_faults), ==, 143);
	g_assert_cmpuint(ledger.n_flushed, ==, 1);
	g_assert_cmpuint(weft_graph_counts(graph, 1).n_in, ==, 1000);
	g_assert_cmpuint(weft_graph_counts(graph, 2).n_out, ==, 1000);
	assert_all_gone(&ledger, NULL);
}

static void test_slow_sink_holds_the_source(void)
{
	const size_t limit_bytes = 1000;
	g_autoptr(WeftBudget) budget = weft_budget_new(1);
	g_autoptr(WeftGraph) graph = NULL;
	struct timespec tick = {0, 1000000};
	Ledger ledger;

	ledger_init(&ledger, 10000, 100);
	ledger.is_gated = true;
	graph = make_line(&ledger, budget, NULL, 1, limit_bytes);
	g_assert_true(weft_graph_start(graph, NULL));
	/* All channels fill up, then nothing moves: 3 inboxes of 10 items, one item in the hand of
	 * each node. */
	while (atomic_load(&ledger.n_made) < 34)
		nanosleep(&tick, NULL);
	for (int i = 0; i < 20; i++) {
		g_assert_cmpint(atomic_load(&ledger.n_made), ==, 34);
		nanosleep(&tick, NULL);
	}
	g_assert_cmpint(atomic_load(&ledger.n_sunk), ==, 0);
	open_gate(&ledger, 100000);
	g_assert_true(weft_graph_join(graph, NULL));
	g_assert_cmpint(atomic_load(&ledger.n_sunk), ==, 10000);
	g_assert_cmpuint(weft_budget_peak(budget), ==, 3 * limit_bytes);
	for (unsigned i = 1; i < 4; i++)
		g_assert_cmpuint(weft_graph_counts(graph, i).bytes_peak, <=, limit_bytes);
	assert_all_gone(&ledger, budget);
}

static void test_first_error_wins(void)
{
	g_autoptr(WeftBudget) budget = weft_budget_new(1);
	g_autoptr(WeftGraph) graph = NULL;
	g_autoptr(GError) error = NULL;
	Ledger ledger;

	ledger_init(&ledger, 100000, 16);
	ledger.fail_at = 500;
	graph = make_line(&ledger, budget, NULL, 2, 64);
	g_assert_true(weft_graph_start(graph, NULL));
	g_assert_false(weft_graph_join(graph, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_IO);
	g_assert_cmpstr(error->message, ==, "sink is full at 500");
	g_assert_cmpint(atomic_load(&ledger.n_made), <, 2000);
	assert_all_gone(&ledger, budget);
}

static void test_sink_ends_early(void)
{
	g_autoptr(WeftGraph) graph = NULL;
	g_autoptr(GError) error = NULL;
	Ledger ledger;

	ledger_init(&ledger, 1000000, 16);
	ledger.end_at = 500;
	graph = make_line(&ledger, NULL, NULL, 2, 64);
	g_assert_true(weft_graph_start(graph, NULL));
	g_assert_true(weft_graph_join(graph, &error));
	g_assert_no_error(error);
	g_assert_cmpint(atomic_load(&ledger.n_made), <, 2000);
	assert_all_gone(&ledger, NULL);
}

static void test_cancel_at_random_points(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);

	for (int i = 0; i < 60; i++) {
		g_autoptr(WeftBudget) budget = weft_budget_new(1);
		g_autoptr(WeftGraph) graph = NULL;
		g_autoptr(GError) error = NULL;
		struct timespec pause = {0, g_rand_int_range(rand, 0, 2000000)};
		Ledger ledger;

		ledger_init(&ledger, G_MAXINT, 16);
		graph = make_line(&ledger, budget, NULL, 1 + (unsigned)i % 3, 64);
		g_assert_true(weft_graph_start(graph, NULL));
		nanosleep(&pause, NULL);
		weft_graph_cancel(graph);
		g_assert_false(weft_graph_join(graph, &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CANCELLED);
		assert_all_gone(&ledger, budget);
	}
}

static gboolean refuse_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "no model here");
	return FALSE;
}

static const WeftNodeClass refusing_class = {"refusing", refuse_init, pass_step, NULL, count_done};

static void test_failing_init_stops_all(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftGraph) graph = weft_graph_new(&items, NULL, NULL);
	unsigned source, refusing, sink;
	Ledger ledger;

	ledger_init(&ledger, G_MAXINT, 16);
	source = weft_graph_add(graph, &source_class, NULL, &ledger, 1, WEFT_INBOX_SHARED, 0);
	refusing = weft_graph_add(graph, &refusing_class, NULL, &ledger, 1, WEFT_INBOX_SHARED, 64);
	sink = weft_graph_add(graph, &sink_class, NULL, &ledger, 1, WEFT_INBOX_SHARED, 64);
	weft_graph_connect(graph, source, refusing);
	weft_graph_connect(graph, refusing, sink);
	g_assert_true(weft_graph_start(graph, NULL));
	g_assert_false(weft_graph_join(graph, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG);
	assert_all_gone(&ledger, NULL);
}

static void test_cycle_is_refused(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftGraph) graph = weft_graph_new(&items, NULL, NULL);
	unsigned source, a, b;
	Ledger ledger;

	ledger_init(&ledger, 1, 1);
	source = weft_graph_add(graph, &source_class, NULL, &ledger, 1, WEFT_INBOX_SHARED, 0);
	a = weft_graph_add(graph, &pass_class, "a", &ledger, 1, WEFT_INBOX_SHARED, 64);
	b = weft_graph_add(graph, &pass_class, "b", &ledger, 1, WEFT_INBOX_SHARED, 64);
	weft_graph_connect(graph, source, a);
	weft_graph_connect(graph, a, b);
	weft_graph_connect(graph, b, a);
	g_assert_false(weft_graph_start(graph, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_INTERNAL);
	g_assert_cmpint(atomic_load(&ledger.n_init), ==, 0);
}

static void test_unequal_lanes_are_refused(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftGraph) graph = weft_graph_new(&items, NULL, NULL);
	unsigned source, lanes;
	Ledger ledger;

	ledger_init(&ledger, 1, 1);
	source = weft_graph_add(graph, &source_class, NULL, &ledger, 1, WEFT_INBOX_SHARED, 0);
	lanes = weft_graph_add(graph, &sink_class, NULL, &ledger, 2, WEFT_INBOX_LANES, 64);
	weft_graph_connect(graph, source, lanes);
	g_assert_false(weft_graph_start(graph, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_INTERNAL);
}

static void test_text_names_nodes_and_counts(void)
{
	g_autoptr(WeftGraph) graph = NULL;
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	Ledger ledger;

	ledger_init(&ledger, 321, 16);
	graph = make_line(&ledger, NULL, NULL, 2, 64);
	g_assert_true(weft_graph_start(graph, NULL));
	g_assert_true(weft_graph_join(graph, NULL));
	text = weft_graph_text(graph);
	lines = g_strsplit(text, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 6); /* heading, four nodes, the end */
	g_assert_true(g_str_has_prefix(lines[2], "first            second "));
	g_assert_nonnull(strstr(lines[2], " 321       321 "));
	g_assert_nonnull(strstr(lines[3], "2 lanes"));
}

static void test_trace_is_json(void)
{
	g_autofree char *path = NULL;
	g_autoptr(WeftGraph) graph = NULL;
	g_autoptr(GError) error = NULL;
	const char *argv[] = {"python3", "-c",
	                      "import json,sys\n"
	                      "e = json.load(open(sys.argv[1]))['traceEvents']\n"
	                      "x = [v for v in e if v['ph'] == 'X']\n"
	                      "assert sum(v['name'] == 'second' for v in x) == 50, len(x)\n"
	                      "assert all(v['dur'] >= 0 and v['ts'] >= 0 for v in x)\n"
	                      "assert 'item ?7?' in [v.get('args', {}).get('item') for v in x]\n",
	                      NULL, NULL};
	WeftTrace *trace;
	int status, file;
	Ledger ledger;

	file = g_file_open_tmp("weft-trace-XXXXXX", &path, NULL);
	g_assert_cmpint(file, >=, 0);
	g_close(file, NULL);
	trace = weft_trace_open(path, &error);
	g_assert_no_error(error);
	ledger_init(&ledger, 50, 16);
	graph = make_line(&ledger, NULL, trace, 1, 64);
	g_assert_true(weft_graph_start(graph, NULL));
	g_assert_true(weft_graph_join(graph, NULL));
	g_assert_true(weft_trace_close(trace, &error));
	argv[3] = path;
	g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
	                           NULL, &status, &error));
	g_assert_true(g_spawn_check_wait_status(status, &error));
	g_unlink(path);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/graph/everything-arrives", test_everything_arrives);
	g_test_add_func("/graph/slow-sink-holds-the-source", test_slow_sink_holds_the_source);
	g_test_add_func("/graph/first-error-wins", test_first_error_wins);
	g_test_add_func("/graph/sink-ends-early", test_sink_ends_early);
	g_test_add_func("/graph/cancel-at-random-points", test_cancel_at_random_points);
	g_test_add_func("/graph/failing-init-stops-all", test_failing_init_stops_all);
	g_test_add_func("/graph/cycle-is-refused", test_cycle_is_refused);
	g_test_add_func("/graph/unequal-lanes-are-refused", test_unequal_lanes_are_refused);
	g_test_add_func("/graph/text-names-nodes-and-counts", test_text_names_nodes_and_counts);
	g_test_add_func("/graph/trace-is-json", test_trace_is_json);
	return g_test_run();
}
