/* node_generate.c - two nodes: generate hands requests to the batcher, collect waits for answers.
 *
 * Between them lies a channel of requests under way, in order, so that neither has to wait for two
 * things at once and the order of a document's items stays. Answers about windows are kept until the
 * record is written, but for a first one that nothing follows: most documents have one window.
 */
#include <string.h>

#include "base/error.h"
#include "pipeline/answers.h"
#include "pipeline/run.h"

static WeftStep generate_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	const WeftRoundNode *node = state;
	WeftItem *item = take_item;

	if (item->kind == WEFT_ITEM_REQUEST) {
		const WeftRound *round =
		    weft_engine_round_of(node->engine, node->number, item->type);
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
	out->window_number = item->window_number;
	out->element = item->element;
	out->window = g_steal_pointer(&item->window);
	return weft_runner_send(runner, out);
}

/* ---- answers that are kept ---- */

typedef struct Keeping {
	WeftJournal *journal;
	GByteArray *first; /* the answer about `window`, not written yet */
	guint32 window;
} Keeping;

typedef struct Collect {
	const WeftRoundNode *node;
	GHashTable *keepings; /* number of the document -> Keeping */
} Collect;

static void keeping_free(void *data)
{
	Keeping *keeping = data;

	weft_journal_close(keeping->journal);
	g_clear_pointer(&keeping->first, g_byte_array_unref);
	g_free(keeping);
}

static gboolean collect_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Collect *collect = g_new0(Collect, 1);

	collect->node = shared;
	collect->keepings = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, keeping_free);
	*ret_state = collect;
	return TRUE;
}

/* Ahead of the answer there is no other way to know it: when answers are found, so must this be. */
static gboolean is_kept_alone(const Collect *collect)
{
	return collect->node->number == WEFT_ROUND_TYPE || collect->node->number == WEFT_ROUND_DIVIDE;
}

static void keep_answer(Collect *collect, const WeftItem *item, const WeftAnswer *answer)
{
	Keeping *keeping = g_hash_table_lookup(collect->keepings, &item->document);
	g_autoptr(GByteArray) entry = weft_answers_entry(item->asked, answer);

	if (keeping == NULL) {
		keeping = g_new0(Keeping, 1);
		g_hash_table_insert(collect->keepings,
				    g_memdup2(&item->document, sizeof item->document), keeping);
		if (!item->asked->has_journal && !is_kept_alone(collect)) {
			keeping->first = g_steal_pointer(&entry);
			keeping->window = item->asked->number;
			return;
		}
	}
	if (keeping->journal == NULL)
		keeping->journal = weft_stash_begin(collect->node->run->stash, item->asked->key);
	if (keeping->journal == NULL)
		return;
	if (keeping->first != NULL)
		weft_answers_write(keeping->journal, keeping->window, keeping->first);
	g_clear_pointer(&keeping->first, g_byte_array_unref);
	weft_answers_write(keeping->journal, item->asked->number, entry);
}

/* The journal goes with the end to the sink. */
static void end_keeping(Collect *collect, WeftItem *item)
{
	Keeping *keeping = g_hash_table_lookup(collect->keepings, &item->document);

	if (keeping != NULL && keeping->journal != NULL) {
		if (item->answers == NULL)
			item->answers =
			    g_ptr_array_new_with_free_func((GDestroyNotify)weft_journal_close);
		g_ptr_array_add(item->answers, g_steal_pointer(&keeping->journal));
	}
	g_hash_table_remove(collect->keepings, &item->document);
}

static WeftStep collect_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Collect *collect = state;
	const WeftRoundNode *node = collect->node;
	const WeftRound *round = weft_engine_round(node->engine, node->number);
	g_autoptr(WeftItem) item = take_item;
	WeftAnswer *answer = NULL;
	GError *failure = NULL;
	gboolean is_picture = item->part != NULL;
	bool is_sent;

	if (item->kind == WEFT_ITEM_END)
		end_keeping(collect, item);
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
		if (item->asked != NULL)
			keep_answer(collect, item, answer);
		is_sent = send_answer(runner, item, answer);
	}
	if (is_sent && (is_picture || item->window != NULL)) {
		item->kind = is_picture ? WEFT_ITEM_PART : WEFT_ITEM_WINDOW;
		g_clear_pointer(&item->pending, weft_pending_free);
		is_sent = weft_runner_send(runner, g_steal_pointer(&item));
	}
	return weft_step_after(is_sent);
}

static void collect_done(void *state)
{
	Collect *collect = state;

	g_hash_table_unref(collect->keepings);
	g_free(collect);
}

const WeftNodeClass weft_node_generate = {"generate", NULL, generate_step, NULL, NULL};
const WeftNodeClass weft_node_collect = {"collect", collect_init, collect_step, NULL, collect_done};
