/* node_divide.c - a file that holds many documents, one after another, is cut where they begin.
 *
 * Whoever scans thirty invoices in one go gets one file. A task with a schema for a list of objects
 * (task.h, documents=many) asks about each by itself, so that none is cut in two by the end of a window, none
 * is counted twice where two windows meet, and each has its pages:
 *
 *     window > [fuse > generate > collect] > divide > fuse ...
 *
 * A document begins on a page: the first of the file, each on which one of the task's words stands, or,
 * without such words, each that the model names when it is asked about windows of all pages. divide
 * gathers the pieces of these windows page by page and cuts them again, so that a window holds pieces of one
 * document only; a document that is larger than a window has several, which merge puts together. What
 * has no pages is one document. Two documents on one page are not told apart.
 */
#include <string.h>

#include "base/error.h"
#include "base/fold.h"
#include "pipeline/run.h"

typedef struct Flow {
	WeftCutter *cutter;
	GPtrArray *held;    /* WeftWindowPiece: of the page at hand */
	GHashTable *begins; /* GUINT_TO_POINTER(page): where a document begins, as the model says */
	guint32 file, page; /* at hand: of several that are one together; 0: none yet */
	guint32 element;    /* at hand, from 1; 0: none yet */
	gboolean is_unsure; /* the model named pages, and is not believed */
	GArray *facts;      /* WeftWindowFacts */
} Flow;

typedef struct Dividing {
	WeftRun *run;
	GHashTable *flows; /* number of the document -> Flow */
} Dividing;

static void free_piece(void *piece)
{
	weft_window_piece_free(piece);
}

static void flow_free(void *data)
{
	Flow *flow = data;

	weft_cutter_free(flow->cutter);
	g_ptr_array_unref(flow->held);
	g_hash_table_unref(flow->begins);
	g_clear_pointer(&flow->facts, g_array_unref);
	g_free(flow);
}

static gboolean divide_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Dividing *dividing = g_new0(Dividing, 1);

	dividing->run = shared;
	dividing->flows = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, flow_free);
	*ret_state = dividing;
	return TRUE;
}

static Flow *flow_of(Dividing *dividing, guint64 document)
{
	WeftEngine *engine = dividing->run->engine;
	Flow *flow = g_hash_table_lookup(dividing->flows, &document);

	if (flow != NULL)
		return flow;
	flow = g_new0(Flow, 1);
	flow->cutter = weft_cutter_new(weft_engine_encoders(engine),
	                               weft_engine_capacity(engine, WEFT_ROUND_ANSWER));
	if (dividing->run->task->chooses_frames)
		weft_cutter_choose_frames(flow->cutter);
	flow->held = g_ptr_array_new_with_free_func(free_piece);
	flow->begins = g_hash_table_new(NULL, NULL);
	flow->facts = g_array_new(FALSE, TRUE, sizeof(WeftWindowFacts));
	g_hash_table_insert(dividing->flows, g_memdup2(&document, sizeof document), flow);
	return flow;
}

static bool send_full(WeftRunner *runner, guint64 document, Flow *flow)
{
	WeftWindow *window;
	bool is_sent = true;

	while (is_sent && (window = weft_cutter_take(flow->cutter)) != NULL) {
		WeftItem *item = weft_item_new(WEFT_ITEM_WINDOW, document);
		WeftWindowFacts facts;

		window->element = flow->element;
		facts = weft_window_facts(window);
		g_array_append_val(flow->facts, facts);
		item->window = window;
		is_sent = weft_runner_send(runner, item);
	}
	return is_sent;
}

/* ---- where a document begins ---- */

static gboolean has_word(const GPtrArray *words, const GPtrArray *pieces)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *folded = NULL;

	for (guint i = 0; i < pieces->len; i++) {
		const WeftWindowPiece *piece = g_ptr_array_index(pieces, i);

		if (piece->text != NULL)
			g_string_append_printf(text, "%s\n", piece->text);
	}
	folded = weft_fold(text->str);
	for (guint i = 0; i < words->len; i++) {
		if (strstr(folded, words->pdata[i]) != NULL)
			return TRUE;
	}
	return FALSE;
}

static gboolean is_begin(const Dividing *dividing, const Flow *flow)
{
	const GPtrArray *words = dividing->run->task->begins;

	if (flow->element == 0)
		return TRUE;
	return words != NULL ? has_word(words, flow->held)
	                     : g_hash_table_contains(flow->begins, GUINT_TO_POINTER(flow->page));
}

/* The pages that the model names, of those that its window holds. */
static void note_begins(const Dividing *dividing, Flow *flow, const WeftAnswer *answer)
{
	g_autoptr(WeftJson) tree =
	    weft_json_parse(answer->json, strlen(answer->json), WEFT_JSON_STRICT, NULL);
	gboolean is_sure = answer->confidence >= weft_run_confidence_min(dividing->run);

	for (gsize i = 0; i < weft_json_length(tree); i++) {
		guint64 page;

		if (!weft_json_uint(weft_json_at(tree, i), &page) || page > G_MAXUINT32)
			continue;
		flow->is_unsure |= !is_sure;
		if (is_sure)
			g_hash_table_add(flow->begins, GUINT_TO_POINTER((guint)page));
	}
}

/* ---- pages ---- */

/* The page is over: its pieces go to a document. */
static bool end_page(const Dividing *dividing, WeftRunner *runner, guint64 document, Flow *flow)
{
	if (flow->held->len == 0)
		return true;
	if (is_begin(dividing, flow)) {
		weft_cutter_turn(flow->cutter);
		if (!send_full(runner, document, flow))
			return false;
		flow->element++;
	}
	for (guint i = 0; i < flow->held->len; i++)
		weft_cutter_add_piece(flow->cutter,
		                      g_steal_pointer(&g_ptr_array_index(flow->held, i)));
	g_ptr_array_set_size(flow->held, 0);
	return send_full(runner, document, flow);
}

/* Takes the window. A piece without a page belongs to the one before. */
static bool take_window(const Dividing *dividing, WeftRunner *runner, guint64 document, Flow *flow,
                        WeftWindow *take_window)
{
	g_autoptr(WeftWindow) window = take_window;
	bool is_sent = true;

	for (guint i = 0; i < window->pieces->len && is_sent; i++) {
		WeftWindowPiece *piece = g_steal_pointer(&g_ptr_array_index(window->pieces, i));

		if (piece->anchor.page > 0 && (piece->anchor.page != flow->page ||
		                               piece->anchor.document != flow->file)) {
			is_sent = end_page(dividing, runner, document, flow);
			flow->page = piece->anchor.page;
			flow->file = piece->anchor.document;
		}
		g_ptr_array_add(flow->held, piece);
	}
	return is_sent;
}

/* What was spent on the question belongs to the record. */
static bool take_answer(Dividing *dividing, WeftRunner *runner, WeftItem *item, Flow *flow)
{
	bool is_sent = true;

	note_begins(dividing, flow, item->answer);
	if (item->answer->is_cut)
		is_sent = weft_item_send_fault(
		    runner, item->document, "divide",
		    g_error_new(WEFT_ERROR, WEFT_ERROR_LIMIT,
		                "more documents begin in a window than its answer has room for"),
		    NULL);
	g_clear_pointer(&item->answer->json, g_free);
	item->answer->is_cut = FALSE;
	return is_sent &&
	       weft_item_send_answer(runner, item->document, g_steal_pointer(&item->answer));
}

static bool end_document(Dividing *dividing, WeftRunner *runner, WeftItem *end)
{
	Flow *flow = g_hash_table_lookup(dividing->flows, &end->document);
	bool is_sent;

	if (flow == NULL)
		return true;
	is_sent = end_page(dividing, runner, end->document, flow);
	weft_cutter_end(flow->cutter);
	is_sent = is_sent && send_full(runner, end->document, flow);
	if (is_sent && flow->is_unsure)
		is_sent = weft_item_send_fault(
		    runner, end->document, "divide",
		    g_error_new(WEFT_ERROR, WEFT_ERROR_NOT_EXAMINED,
		                "where documents begin is not known: the model is not sure enough, or was "
		                "not made for this task; words on their first pages would say it (begins= in "
		                "the task's file)"),
		    NULL);
	end->n_windows = flow->facts->len;
	end->n_windows_skipped = 0;
	g_clear_pointer(&end->windows, g_array_unref);
	end->windows = g_steal_pointer(&flow->facts);
	g_hash_table_remove(dividing->flows, &end->document);
	return is_sent;
}

static WeftStep divide_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Dividing *dividing = state;
	g_autoptr(WeftItem) item = take_item;
	Flow *flow = item->window != NULL ? flow_of(dividing, item->document) : NULL;

	(void)error; /* what goes wrong belongs to the document */
	if (flow != NULL && item->kind == WEFT_ITEM_ANSWER &&
	    !take_answer(dividing, runner, item, flow))
		return WEFT_STEP_END;
	if (flow != NULL)
		return weft_step_after(take_window(dividing, runner, item->document, flow,
		                                   g_steal_pointer(&item->window)));
	if (item->kind == WEFT_ITEM_END && !end_document(dividing, runner, item))
		return WEFT_STEP_END;
	return weft_step_after(weft_runner_send(runner, g_steal_pointer(&item)));
}

static void divide_done(void *state)
{
	Dividing *dividing = state;

	g_hash_table_unref(dividing->flows);
	g_free(dividing);
}

const WeftNodeClass weft_node_divide = {"divide", divide_init, divide_step, NULL, divide_done};
