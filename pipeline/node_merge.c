/* node_merge.c - the answers of a document's windows become one.
 *
 * By fields, or, with merge=model and more than one answer, as text in windows of their own for the
 * next round; what that round answers is merged by fields again, should it have needed several.
 * Tokens are counted where they were spent: answers without JSON carry them to the record.
 */
#include <string.h>

#include "base/error.h"
#include "pipeline/merge.h"
#include "pipeline/run.h"
#include "pipeline/shape.h"

typedef struct Merging {
	WeftRun *run;
	gboolean asks_again;
	GHashTable *merges; /* number of the document -> WeftMerge */
	GHashTable *types;  /* number of the document -> GUINT_TO_POINTER(type) */
} Merging;

static void merge_free(void *data)
{
	weft_merge_free(data);
}

static gboolean merge_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	const WeftRoundNode *node = shared;
	Merging *merging = g_new0(Merging, 1);

	merging->run = node->run;
	merging->asks_again =
	    node->number == WEFT_ROUND_ANSWER && node->run->task->merge_by == WEFT_MERGE_MODEL;
	merging->merges = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, merge_free);
	merging->types = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	*ret_state = merging;
	return TRUE;
}

/* A bundle made for other tasks than this one knows nothing here, however sure it is of it. */
double weft_run_confidence_min(const WeftRun *run)
{
	const WeftTraits *traits = &weft_bundle_config(weft_engine_bundle(run->engine))->traits;

	return weft_engine_knows_task(run->engine) ? traits->answer_confidence_min : G_MAXDOUBLE;
}

static bool take_answer(Merging *merging, WeftRunner *runner, WeftItem *item)
{
	WeftMerge *merge = g_hash_table_lookup(merging->merges, &item->document);
	GError *failure = NULL;

	if (merge == NULL) {
		guint64 *key = g_new(guint64, 1);

		*key = item->document;
		merge = weft_merge_new(
		    weft_task_schema_tree(merging->run->task,
		                          GPOINTER_TO_UINT(g_hash_table_lookup(merging->types, key))),
		    weft_run_confidence_min(merging->run));
		g_hash_table_insert(merging->merges, key, merge);
	}
	if (weft_merge_add(merge, g_steal_pointer(&item->answer), item->window_number, item->element,
	                   &failure))
		return true;
	return weft_item_send_fault(runner, item->document, "merge", failure, NULL);
}

/* The answers as the text of windows for the next round. */
static bool send_windows(Merging *merging, WeftRunner *runner, guint64 document,
                         const WeftMerge *merge)
{
	WeftEngine *engine = merging->run->engine;
	g_autoptr(WeftCutter) cutter = weft_cutter_new(
	    weft_engine_encoders(engine), weft_engine_capacity(engine, WEFT_ROUND_MERGE));
	WeftWindow *window;
	bool is_sent = true;

	for (guint i = 0; is_sent && i < weft_merge_n_answers(merge); i++) {
		const WeftAnswer *answer = weft_merge_answer(merge, i);
		g_autofree char *spelled = weft_answer_spelled(answer);
		g_autofree char *text = g_strdup_printf("Part %u: %s", i + 1, spelled);
		WeftAnswer *tokens = weft_answer_new();

		tokens->n_text = answer->n_text;
		tokens->n_patch = answer->n_patch;
		tokens->n_audio = answer->n_audio;
		tokens->n_generated = answer->n_generated;
		is_sent = weft_item_send_answer(runner, document, tokens);
		weft_cutter_add_text(cutter, text);
	}
	weft_cutter_end(cutter);
	while (is_sent && (window = weft_cutter_take(cutter)) != NULL) {
		WeftItem *item = weft_item_new(WEFT_ITEM_WINDOW, document);

		item->window = window;
		is_sent = weft_runner_send(runner, item);
	}
	return is_sent;
}

/* What each window's answer had no tokens for; a pointer is into that answer. */
static bool send_cut_answers(WeftRunner *runner, guint64 document, const WeftMerge *merge)
{
	bool is_sent = true;

	for (guint i = 0; is_sent && i < weft_merge_n_answers(merge); i++) {
		g_autofree char *message = weft_answer_cut_message(weft_merge_answer(merge, i));
		guint32 window = weft_merge_n_answers(merge) > 1 ? weft_merge_window(merge, i) : 0;
		g_autofree char *place = window > 0 ? g_strdup_printf("window %u: ", window) : g_strdup("");

		if (message != NULL)
			is_sent = weft_item_send_fault(
			    runner, document, "answer",
			    g_error_new(WEFT_ERROR, WEFT_ERROR_LIMIT, "%s%s", place, message), NULL);
	}
	return is_sent;
}

/* Items that the schema has no room for are no secret. */
static bool send_cuts(WeftRunner *runner, guint64 document, const WeftMerge *merge)
{
	const GArray *cuts = weft_merge_cuts(merge);
	bool is_sent = true;

	for (guint i = 0; i < cuts->len && is_sent; i++) {
		const WeftMergeCut *cut = &g_array_index(cuts, WeftMergeCut, i);

		is_sent = weft_item_send_fault(
		    runner, document, "merge",
		    g_error_new(WEFT_ERROR, WEFT_ERROR_LIMIT,
		                "%" G_GUINT64_FORMAT " items of /answer%s were left out: its "
		                "schema says maxItems %" G_GUINT64_FORMAT,
		                cut->n_left_out, cut->pointer, cut->n_max),
		    NULL);
	}
	return is_sent;
}

/* Of a file with fewer documents than the schema of their list asks for, there is no answer. */
static bool settle_elements(const Merging *merging, WeftRunner *runner, WeftItem *item,
                            const WeftMerge *merge)
{
	const GArray *elements = weft_merge_elements(merge);
	guint64 n_min, n_max;

	if (elements == NULL)
		return true;
	weft_shape_items(weft_shape(merging->run->task->schema_tree), &n_min, &n_max);
	if (elements->len < n_min) {
		g_clear_pointer(&item->answer->json, g_free);
		return weft_item_send_fault(
		    runner, item->document, "merge",
		    g_error_new(WEFT_ERROR, WEFT_ERROR_SCHEMA,
		                "%u documents in the file: the schema says minItems %" G_GUINT64_FORMAT,
		                elements->len, n_min),
		    NULL);
	}
	item->elements = g_array_copy((GArray *)elements);
	return true;
}

/* An answer that is no instance never leaves. */
static bool settle_instance(Merging *merging, WeftRunner *runner, WeftItem *item,
                            const WeftMerge *merge)
{
	guint type = GPOINTER_TO_UINT(g_hash_table_lookup(merging->types, &item->document));
	const char *text = weft_task_schema_text(merging->run->task, type);
	g_autoptr(WeftSchemaJudge) judge =
	    text != NULL ? weft_schema_judge_new(text, strlen(text), NULL) : NULL;
	const char *json = item->answer->json;
	g_autoptr(WeftJson) tree =
	    json != NULL ? weft_json_parse(json, strlen(json), WEFT_JSON_STRICT, NULL) : NULL;
	guint window;

	if (judge == NULL || tree == NULL || !weft_schema_judge_refuses(judge, tree))
		return true;
	if (weft_merge_elements(merge) != NULL) {
		g_clear_pointer(&item->answer->json, g_free);
		return weft_item_send_fault(
		    runner, item->document, "merge",
		    g_error_new(WEFT_ERROR, WEFT_ERROR_SCHEMA,
		                "the answers about %u windows are no instance of the schema together",
		                weft_merge_n_answers(merge)),
		    NULL);
	}
	window = weft_merge_keep_one(merge, item->answer);
	g_ptr_array_set_size(item->withheld, 0);
	if (weft_merge_n_answers(merge) == 1)
		return true;
	return weft_item_send_fault(
	    runner, item->document, "merge",
	    g_error_new(WEFT_ERROR, WEFT_ERROR_SCHEMA,
	                "the answers about %u windows are no instance of the schema together; the one "
	                "about window %u, which says most, stands alone",
	                weft_merge_n_answers(merge), window),
	    NULL);
}

static bool end_document(Merging *merging, WeftRunner *runner, guint64 document)
{
	WeftMerge *merge = g_hash_table_lookup(merging->merges, &document);
	WeftItem *item;
	bool is_sent;

	if (merge == NULL || weft_merge_n_answers(merge) == 0)
		return true;
	is_sent = send_cut_answers(runner, document, merge);
	if (is_sent && merging->asks_again && weft_merge_n_answers(merge) > 1) {
		is_sent = send_windows(merging, runner, document, merge);
	} else if (is_sent) {
		item = weft_item_new(WEFT_ITEM_ANSWER, document);
		item->answer = weft_merge_finish(merge, &item->withheld);
		is_sent = send_cuts(runner, document, merge) &&
		          settle_elements(merging, runner, item, merge) &&
		          settle_instance(merging, runner, item, merge);
		if (is_sent)
			is_sent = weft_runner_send(runner, item);
		else
			weft_item_free(item);
	}
	g_hash_table_remove(merging->merges, &document);
	return is_sent;
}

static WeftStep merge_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Merging *merging = state;
	g_autoptr(WeftItem) item = take_item;

	/* An answer that is merged already came from the round before, alone. */
	if (item->kind == WEFT_ITEM_ANSWER && item->answer->json != NULL && item->withheld == NULL)
		return weft_step_after(take_answer(merging, runner, item));
	if (item->kind == WEFT_ITEM_TYPE)
		g_hash_table_insert(merging->types, g_memdup2(&item->document, sizeof item->document),
		                    GUINT_TO_POINTER(item->type));
	if (item->kind == WEFT_ITEM_END) {
		if (!end_document(merging, runner, item->document))
			return WEFT_STEP_END;
		g_hash_table_remove(merging->types, &item->document);
	}
	return weft_step_after(weft_runner_send(runner, g_steal_pointer(&item)));
}

static void merge_done(void *state)
{
	Merging *merging = state;

	g_hash_table_unref(merging->merges);
	g_hash_table_unref(merging->types);
	g_free(merging);
}

const WeftNodeClass weft_node_merge = {"merge", merge_init, merge_step, NULL, merge_done};
