/* node_generate.c - two nodes: generate hands requests to the batcher, collect waits for answers.
 *
 * Between them lies a channel of requests under way, in order, so that neither has to wait for two
 * things at once and the order of a document's items stays.
 */
#include <string.h>

#include "base/error.h"
#include "pipeline/run.h"

static WeftStep generate_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	const WeftRoundNode *node = state;
	WeftItem *item = take_item;

	if (item->kind == WEFT_ITEM_REQUEST) {
		const WeftRound *round = weft_engine_round(node->engine, node->number);
		WeftGeneration generation = {
		    .schema = round->schema,
		    .n_tokens_max = round->answer_tokens,
		    .seed = node->run->job->seed,
		    .temperature = round->is_greedy ? 0 : node->run->job->temperature,
		    .watched = round->watched,
		    .adapter = round->adapter,
		    .counts_routing =
		        node->run->job->counts_routing && node->engine == node->run->engine,
		};

		item->pending = weft_batcher_submit(weft_engine_batcher(node->engine),
		                                    g_steal_pointer(&item->sequence), &generation);
		item->kind = WEFT_ITEM_PENDING;
	}
	return weft_step_after(weft_runner_send(runner, item));
}

/* What was read in a picture, in front of the picture. Takes the answer. */
static bool send_reading(WeftRunner *runner, WeftItem *item, WeftAnswer *answer)
{
	WeftContentKind image =
	    item->part->kind == WEFT_PART_FRAME ? WEFT_CONTENT_FRAME : WEFT_CONTENT_IMAGE;
	char *text = g_strstrip(g_steal_pointer(&answer->json));
	WeftContent *content = weft_content_new(text[0] != '\0' ? WEFT_CONTENT_TEXT : image,
	                                        WEFT_BY_BUNDLE, text, item->part->anchor);

	content->confidence = answer->confidence;
	return weft_item_send_answer(runner, item->document, answer) &&
	       weft_item_send_content(runner, item->document, content);
}

/* With its window, when a guard will be asked about both. The experts that it used travel apart:
 * the record wants those of all answers, and merging keeps only some. Takes the answer. */
static bool send_answer(WeftRunner *runner, WeftItem *item, WeftAnswer *answer)
{
	WeftItem *out = weft_item_new(WEFT_ITEM_ANSWER, item->document);
	WeftAnswer *routing;

	if (answer->routing != NULL) {
		routing = weft_answer_new();
		routing->routing = g_steal_pointer(&answer->routing);
		if (!weft_item_send_answer(runner, item->document, routing)) {
			weft_answer_free(answer);
			weft_item_free(out);
			return false;
		}
	}
	out->answer = answer;
	out->window = g_steal_pointer(&item->window);
	return weft_runner_send(runner, out);
}

static WeftStep collect_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	const WeftRoundNode *node = state;
	const WeftRound *round = weft_engine_round(node->engine, node->number);
	g_autoptr(WeftItem) item = take_item;
	WeftAnswer *answer = NULL;
	GError *failure = NULL;
	gboolean is_picture = item->part != NULL;
	bool is_sent;

	if (item->kind != WEFT_ITEM_PENDING)
		return weft_step_after(weft_runner_send(runner, g_steal_pointer(&item)));
	if (!weft_pending_wait(item->pending, &answer, &failure)) {
		is_sent = weft_item_send_fault(runner, item->document, round->stage, failure,
		                               is_picture ? &item->part->anchor : NULL);
		item->picture = WEFT_PICTURE_FAULTED;
	} else if (is_picture) {
		is_sent = send_reading(runner, item, answer);
		item->picture = WEFT_PICTURE_READ;
	} else {
		is_sent = send_answer(runner, item, answer);
	}
	if (is_sent && (is_picture || item->window != NULL)) {
		item->kind = is_picture ? WEFT_ITEM_PART : WEFT_ITEM_WINDOW;
		g_clear_pointer(&item->pending, weft_pending_free);
		is_sent = weft_runner_send(runner, g_steal_pointer(&item));
	}
	return weft_step_after(is_sent);
}

const WeftNodeClass weft_node_generate = {"generate", NULL, generate_step, NULL, NULL};
const WeftNodeClass weft_node_collect = {"collect", NULL, collect_step, NULL, NULL};
