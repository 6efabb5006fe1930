/* node_type.c - two nodes: match and type say which of the task's types a document is.
 *
 * match looks for the words of each type in the first window, before the model is asked; type reads what
 * the model says, where it was asked. One TYPE goes ahead of the document's first window. What is of no
 * type is asked by the task's own schema; without one its windows end here, and the record says so.
 */
#include <string.h>

#include "base/error.h"
#include "base/fold.h"
#include "pipeline/run.h"

typedef struct Sorting {
	WeftRun *run;
	GHashTable *decided; /* number of the document -> GUINT_TO_POINTER(type) */
} Sorting;

static gboolean type_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Sorting *sorting = g_new0(Sorting, 1);

	sorting->run = shared;
	sorting->decided = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	*ret_state = sorting;
	return TRUE;
}

static void type_done(void *state)
{
	Sorting *sorting = state;

	g_hash_table_unref(sorting->decided);
	g_free(sorting);
}

static gboolean is_decided(const Sorting *sorting, guint64 document, guint *ret_type)
{
	gpointer type;

	if (!g_hash_table_lookup_extended(sorting->decided, &document, NULL, &type))
		return FALSE;
	*ret_type = GPOINTER_TO_UINT(type);
	return TRUE;
}

static void decide(Sorting *sorting, guint64 document, guint type)
{
	g_hash_table_insert(sorting->decided, g_memdup2(&document, sizeof document),
	                    GUINT_TO_POINTER(type));
}

/* Takes the facts. */
static bool send_type(Sorting *sorting, WeftRunner *runner, guint64 document, guint type,
                      WeftTypeFacts *take_facts)
{
	WeftItem *item = weft_item_new(WEFT_ITEM_TYPE, document);

	decide(sorting, document, type);
	item->type = type;
	item->chosen = take_facts;
	if (type > 0) {
		const WeftTaskType *of = sorting->run->task->types->pdata[type - 1];

		item->chosen->name = g_strdup(of->name);
	}
	return weft_runner_send(runner, item);
}

/* ---- by rule ---- */

/* The number of its word that stands in the text, or of none: the number of words. */
static guint find_word(const WeftTaskType *type, const char *folded)
{
	guint i = 0;

	while (i < type->match->len && strstr(folded, type->match->pdata[i]) == NULL)
		i++;
	return i;
}

/* The first item that has the word; one that goes over its end is in none. */
static guint32 content_with(const WeftWindow *window, const char *word)
{
	for (guint i = 0; i < window->pieces->len; i++) {
		const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);
		g_autofree char *folded = piece->text != NULL ? weft_fold(piece->text) : NULL;

		if (folded != NULL && strstr(folded, word) != NULL)
			return piece->content;
	}
	return WEFT_SPAN_NO_CONTENT;
}

static char *fold_window(const WeftWindow *window)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < window->pieces->len; i++) {
		const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);

		if (piece->text != NULL)
			g_string_append_printf(text, "%s\n", piece->text);
	}
	return weft_fold(text->str);
}

static bool match_window(Sorting *sorting, WeftRunner *runner, const WeftItem *item)
{
	const GPtrArray *types = sorting->run->task->types;
	g_autofree char *folded = fold_window(item->window);

	for (guint t = 0; t < types->len; t++) {
		const WeftTaskType *type = types->pdata[t];
		guint word = find_word(type, folded);
		WeftTypeFacts *facts;
		guint32 content;

		if (word == type->match->len)
			continue;
		facts = weft_type_facts_new();
		facts->is_by_rule = TRUE;
		facts->word = g_strdup(type->words[word]);
		content = content_with(item->window, type->match->pdata[word]);
		if (content != WEFT_SPAN_NO_CONTENT)
			facts->content = content;
		return send_type(sorting, runner, item->document, t + 1, facts);
	}
	return true;
}

static WeftStep match_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Sorting *sorting = state;
	WeftItem *item = take_item;

	if (item->kind == WEFT_ITEM_WINDOW && item->window->number == 0 &&
	    !match_window(sorting, runner, item)) {
		weft_item_free(item);
		return WEFT_STEP_END;
	}
	if (item->kind == WEFT_ITEM_END)
		g_hash_table_remove(sorting->decided, &item->document);
	return weft_step_after(weft_runner_send(runner, item));
}

/* ---- by the model ---- */

/* Its number; 0: none, also where the model is not sure enough, which the reason says. */
static guint read_choice(const Sorting *sorting, const WeftAnswer *answer, WeftTypeFacts *facts)
{
	const GPtrArray *types = sorting->run->task->types;
	g_autoptr(WeftJson) tree =
	    weft_json_parse(answer->json, strlen(answer->json), WEFT_JSON_STRICT, NULL);
	const char *name = weft_json_string(tree, NULL);

	facts->confidence = answer->confidence;
	if (name != NULL && answer->confidence < weft_run_confidence_min(sorting->run)) {
		facts->reason = g_strdup("the model is not sure enough, or was not made for this task");
		return 0;
	}
	for (guint i = 0; name != NULL && i < types->len; i++) {
		if (strcmp(((const WeftTaskType *)types->pdata[i])->name, name) == 0)
			return i + 1;
	}
	return 0;
}

/* What was spent on the question belongs to the record, and the window goes on. */
static bool take_answer(Sorting *sorting, WeftRunner *runner, WeftItem *item)
{
	WeftTypeFacts *facts = weft_type_facts_new();
	guint type = read_choice(sorting, item->answer, facts);

	g_clear_pointer(&item->answer->json, g_free);
	return send_type(sorting, runner, item->document, type, facts) &&
	       weft_item_send_answer(runner, item->document, g_steal_pointer(&item->answer));
}

/* Nobody has chosen, by the time of the first window: the question failed. */
static bool settle(Sorting *sorting, WeftRunner *runner, guint64 document)
{
	WeftTypeFacts *facts = weft_type_facts_new();

	facts->reason = g_strdup("the model could not be asked");
	return send_type(sorting, runner, document, 0, facts);
}

static void end_document(Sorting *sorting, WeftItem *end)
{
	guint type = 0;

	if (is_decided(sorting, end->document, &type) &&
	    weft_task_schema(sorting->run->task, type) == NULL) {
		end->n_windows_skipped = end->n_windows;
		for (guint i = 0; end->windows != NULL && i < end->windows->len; i++)
			g_array_index(end->windows, WeftWindowFacts, i).is_asked = FALSE;
	}
	g_hash_table_remove(sorting->decided, &end->document);
}

static WeftStep type_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Sorting *sorting = state;
	g_autoptr(WeftItem) item = take_item;
	guint type = 0;

	if (item->kind == WEFT_ITEM_TYPE)
		decide(sorting, item->document, item->type);
	if (item->kind == WEFT_ITEM_ANSWER && item->window != NULL && item->answer->json != NULL) {
		if (!take_answer(sorting, runner, item))
			return WEFT_STEP_END;
		item->kind = WEFT_ITEM_WINDOW;
	}
	if (item->kind == WEFT_ITEM_WINDOW) {
		if (!is_decided(sorting, item->document, &type) &&
		    !settle(sorting, runner, item->document))
			return WEFT_STEP_END;
		if (weft_task_schema(sorting->run->task, type) == NULL)
			return WEFT_STEP_MORE;
	}
	if (item->kind == WEFT_ITEM_END)
		end_document(sorting, item);
	return weft_step_after(weft_runner_send(runner, g_steal_pointer(&item)));
}

const WeftNodeClass weft_node_match = {"match", type_init, match_step, NULL, type_done};
const WeftNodeClass weft_node_type = {"type", type_init, type_step, NULL, type_done};
