/* node_guard.c - two nodes: guard asks whether a window and its answer are safe, verdict reads the
 * guard's answer.
 *
 * A window is asked about as the model saw it; one that is larger than the guard's context is cut
 * again. The answer passes on unchanged, whatever comes of it. What the guard can't be shown, or
 * fails at, counts as no verdict.
 */
#include <string.h>

#include "base/error.h"
#include "pipeline/run.h"

/* What the guard must be able to see of the document beside an answer. */
#define DOCUMENT_TOKENS_MIN 256

static bool send_verdict(WeftRunner *runner, guint64 document, WeftCheck check,
                         WeftVerdict *take_verdict, guint32 n_windows)
{
	WeftItem *item = weft_item_new(WEFT_ITEM_VERDICT, document);

	item->check = check;
	item->verdict = take_verdict;
	item->n_windows = n_windows;
	return weft_runner_send(runner, item);
}

/* Takes the failure. */
static bool send_failure(WeftRunner *runner, guint64 document, WeftCheck check, GError *failure,
                         guint32 n_windows)
{
	WeftVerdict *verdict = weft_verdict_none(g_strdup(failure->message));

	return weft_item_send_fault(runner, document, "guard", failure, NULL) &&
	       send_verdict(runner, document, check, verdict, n_windows);
}

/* Takes the failure, for which neither of what was to be asked has a verdict. */
static bool send_unasked(WeftRunner *runner, guint64 document, gboolean of_input,
                         gboolean of_output, GError *failure)
{
	g_autofree char *reason = g_strdup(failure->message);

	return send_failure(runner, document, of_input ? WEFT_CHECK_INPUT : WEFT_CHECK_OUTPUT,
	                    failure, 1) &&
	       (!of_input || !of_output ||
	        send_verdict(runner, document, WEFT_CHECK_OUTPUT,
	                     weft_verdict_none(g_steal_pointer(&reason)), 1));
}

static bool send_request(WeftRunner *runner, guint64 document, WeftCheck check,
                         const WeftConversation *conversation, const char *reply)
{
	WeftItem *item = weft_item_new(WEFT_ITEM_REQUEST, document);

	item->check = check;
	item->sequence = weft_conversation_ask(conversation, reply);
	return weft_runner_send(runner, item);
}

static gboolean add_piece(WeftConversation *conversation, const WeftWindowPiece *piece,
                          GError **error)
{
	if (piece->part != NULL)
		return weft_conversation_add_image(conversation, &piece->part->raster,
		                                   piece->single_tile, error);
	weft_conversation_add_text(conversation, piece->text);
	return TRUE;
}

/* `window` NULL: the reply alone. `reply` NULL: the window alone. */
static bool ask(const WeftRoundNode *node, WeftRunner *runner, guint64 document,
                const WeftWindow *window, const char *reply)
{
	g_autoptr(WeftConversation) conversation =
	    weft_conversation_new(weft_engine_encoders(node->engine));
	gboolean asks_input = window != NULL && node->number == WEFT_ROUND_GUARD;
	GError *failure = NULL;

	for (guint i = 0; window != NULL && i < window->pieces->len; i++) {
		if (!add_piece(conversation, g_ptr_array_index(window->pieces, i), &failure))
			return send_unasked(runner, document, asks_input, reply != NULL, failure);
	}
	return (!asks_input ||
	        send_request(runner, document, WEFT_CHECK_INPUT, conversation, NULL)) &&
	       (reply == NULL ||
	        send_request(runner, document, WEFT_CHECK_OUTPUT, conversation, reply));
}

/* What is said, behind the name of who says it. */
static void add_told(WeftCutter *cutter, const WeftWindowPiece *piece)
{
	g_autofree char *name = weft_passage_name(&(WeftPassage){.speaker = piece->speaker});
	g_autofree char *told = name != NULL ? g_strdup_printf("%s: %s", name, piece->text) : NULL;

	weft_cutter_add_text(cutter, told != NULL ? told : piece->text);
}

/* The window again, in as many as the guard needs for it, beside `reply_tokens`. What it has no part
 * for is counted and left out. */
static WeftCutter *cut_again(const WeftRoundNode *node, WeftWindow *window, gsize reply_tokens,
                             guint *ret_n_unshown)
{
	const WeftEncoders *encoders = weft_engine_encoders(node->engine);
	WeftCutter *cutter = weft_cutter_new(
	    encoders, weft_engine_capacity(node->engine, node->number) - reply_tokens);
	const WeftPart *clip = NULL; /* is one thing that is not shown, in however many pieces */

	*ret_n_unshown = 0;
	for (guint i = 0; i < window->pieces->len; i++) {
		WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);
		gboolean is_shown = piece->part == NULL || (piece->part->kind != WEFT_PART_PCM &&
		                                            weft_encoders_can_see(encoders));

		if (piece->part == NULL)
			add_told(cutter, piece);
		else if (is_shown)
			is_shown = weft_cutter_add_part(cutter, g_steal_pointer(&piece->part), 0,
			                                FALSE, NULL); /* it is counted */
		if (!is_shown && (piece->n_rows == 0 || piece->part != clip))
			*ret_n_unshown += 1;
		if (piece->n_rows > 0)
			clip = piece->part;
	}
	weft_cutter_end(cutter);
	return cutter;
}

/* Takes the window. */
static bool check_window(const WeftRoundNode *node, WeftRunner *runner, guint64 document,
                         WeftWindow *take_window, const char *reply)
{
	g_autoptr(WeftWindow) window = take_window;
	const WeftEncoders *encoders = weft_engine_encoders(node->engine);
	gsize capacity = weft_engine_capacity(node->engine, node->number);
	gsize reply_tokens = 0;
	guint n_unshown, n_asked = 0;
	bool is_sent = true;

	if (reply != NULL)
		reply_tokens = weft_encoders_text_tokens(
		    encoders, &(WeftPassage){.text = reply, .size_bytes = strlen(reply)}, NULL);
	if (reply_tokens > 0 &&
	    (reply_tokens > capacity || DOCUMENT_TOKENS_MIN > capacity - reply_tokens)) {
		is_sent = send_failure(
		    runner, document, WEFT_CHECK_OUTPUT,
		    g_error_new(WEFT_ERROR, WEFT_ERROR_CONTEXT,
		                "an answer of %zu tokens, the guard has room for %zu with %d of the "
		                "document",
		                reply_tokens, capacity, DOCUMENT_TOKENS_MIN),
		    1);
		reply = NULL;
		reply_tokens = 0;
	}
	g_autoptr(WeftCutter) cutter = cut_again(node, window, reply_tokens, &n_unshown);
	while (is_sent) {
		g_autoptr(WeftWindow) piece = weft_cutter_take(cutter);

		if (piece == NULL && (n_asked > 0 || reply == NULL))
			break;
		is_sent = ask(node, runner, document, piece, reply);
		n_asked++;
	}
	if (is_sent && n_unshown > 0 && node->number == WEFT_ROUND_GUARD)
		is_sent = send_verdict(
		    runner, document, WEFT_CHECK_INPUT,
		    weft_verdict_none(g_strdup("the guard could not be shown all pictures or sound")),
		    0);
	return is_sent;
}

static WeftStep guard_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	const WeftRoundNode *node = state;
	g_autoptr(WeftItem) item = take_item;
	const char *reply = item->kind == WEFT_ITEM_ANSWER ? item->answer->json : NULL;

	if (item->window != NULL && weft_stop_is_asked(node->run->stop)) {
		if (!weft_item_send_stop(runner, item->document))
			return WEFT_STEP_END;
		g_clear_pointer(&item->window, weft_window_free);
	} else if (item->window != NULL) {
		if (!weft_engine_open(node->engine, error))
			return WEFT_STEP_FAILED;
		if (!check_window(node, runner, item->document, g_steal_pointer(&item->window),
		                  reply))
			return WEFT_STEP_END;
	}
	if (item->kind == WEFT_ITEM_WINDOW)
		return WEFT_STEP_MORE;
	return weft_step_after(weft_runner_send(runner, g_steal_pointer(&item)));
}

static WeftStep verdict_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	g_autoptr(WeftItem) item = take_item;
	g_autoptr(WeftAnswer) answer = NULL;
	GError *failure = NULL;

	(void)state, (void)error; /* what goes wrong belongs to the document */
	if (item->kind != WEFT_ITEM_PENDING)
		return weft_step_after(weft_runner_send(runner, g_steal_pointer(&item)));
	if (!weft_pending_wait(item->pending, &answer, &failure))
		return weft_step_after(
		    send_failure(runner, item->document, item->check, failure, 1));
	return weft_step_after(send_verdict(runner, item->document, item->check,
	                                    weft_verdict_read(answer), 1));
}

const WeftNodeClass weft_node_guard = {"guard", NULL, guard_step, NULL, NULL};
const WeftNodeClass weft_node_verdict = {"verdict", NULL, verdict_step, NULL, NULL};
