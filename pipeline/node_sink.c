/* node_sink.c - writes records: into the output folder as they come, or as lines in order.
 *
 * Lines wait for the documents before them; how many can wait is bounded by the documents under
 * way. A copy waits until the record of its content is written, then adds its path.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "pipeline/known.h"
#include "pipeline/members.h"
#include "pipeline/run.h"

typedef struct Sink {
	WeftRun *run;
	GHashTable *waiting; /* lines: number -> WeftItem that came before its turn */
	guint64 next;
	GPtrArray *copies;   /* WeftItem whose original is not written yet */
	gboolean has_changed; /* a file that was written to while it was read */
} Sink;

static gboolean sink_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Sink *sink = g_new0(Sink, 1);

	sink->run = shared;
	sink->waiting = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
					      (GDestroyNotify)weft_item_free);
	sink->copies = g_ptr_array_new_with_free_func((GDestroyNotify)weft_item_free);
	*ret_state = sink;
	return TRUE;
}

static void count_status(WeftRun *run, WeftStatus status)
{
	if (status == WEFT_STATUS_OK)
		WEFT_COUNT(run, n_done, 1);
	else if (status == WEFT_STATUS_PARTIAL)
		WEFT_COUNT(run, n_partial, 1);
	else if (status == WEFT_STATUS_FAILED)
		WEFT_COUNT(run, n_failed, 1);
	else
		WEFT_COUNT(run, n_skipped, 1);
}

/* Of several files that are one document: the one with the fault, or how many there are. Caller frees. */
static char *told_path(const WeftDocument *document, const WeftFault *fault)
{
	const WeftDocument *member = weft_members_find(document, fault->at.document);
	g_autofree char *path =
		weft_path_display(member != NULL ? member->path : document->path);

	if (member != NULL || document->n_members < 2)
		return g_steal_pointer(&path);
	return g_strdup_printf("%s and %u more", path, document->n_members - 1);
}

/* One line for people about what did not go well. */
static void tell(WeftRun *run, const WeftDocument *document, const WeftRecord *record)
{
	static const char *const words[] = {"done", "partial", "failed", "skipped"};
	const WeftFault *fault;
	g_autofree char *path = NULL;
	g_autofree char *message = NULL;
	g_autofree char *more = NULL;
	g_autofree char *place = NULL;
	char *line;

	if (record->status == WEFT_STATUS_OK || record->faults->len == 0)
		return;
	fault = &g_array_index(record->faults, WeftFault, 0);
	path = told_path(document, fault);
	if (record->faults->len > 1)
		more = g_strdup_printf(" (and %u more)", record->faults->len - 1);
	message = weft_path_display(fault->message);
	if (fault->at.page > 0 && !g_str_has_prefix(message, "page "))
		place = g_strdup_printf("page %u: ", fault->at.page);
	line = g_strdup_printf("%s: %s: %s%s%s", path, words[record->status],
			       place != NULL ? place : "", message, more != NULL ? more : "");
	if (record->status == WEFT_STATUS_SKIPPED)
		weft_run_remark(run, line);
	else
		weft_run_say(run, line);
}

static gboolean write_piece(gpointer data, const char *text, gsize size_bytes, GError **error)
{
	const Sink *sink = data;

	return weft_fd_write(sink->run->job->lines_fd, "standard output", text, size_bytes, error);
}

static gboolean write_line(Sink *sink, const WeftItem *item, GError **error)
{
	g_autoptr(GString) piece = g_string_new(NULL);
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, piece);
	weft_json_writer_hand_on(&writer, write_piece, sink);
	weft_record_take(item->record, &writer);
	g_string_append_c(piece, '\n');
	return weft_json_writer_finish(&writer, error);
}

static gboolean write_in_order(Sink *sink, WeftItem *take_item, GError **error)
{
	WeftItem *item;

	g_hash_table_insert(sink->waiting, &take_item->document, take_item);
	while ((item = g_hash_table_lookup(sink->waiting, &sink->next)) != NULL) {
		gboolean is_written = item->begin->is_left || write_line(sink, item, error);

		if (item->begin->is_left) {
			WEFT_COUNT(sink->run, n_left, 1);
			weft_run_add_ledgers(sink->run, &item->ledgers);
		} else if (is_written) {
			weft_run_add_ledgers(sink->run, &item->ledgers);
			count_status(sink->run, item->record->status);
			tell(sink->run, item->begin, item->record);
			weft_run_measured(sink->run, item->begin, NULL);
		}
		g_hash_table_remove(sink->waiting, &sink->next);
		if (!is_written)
			return FALSE;
		sink->next++;
	}
	return TRUE;
}

static gboolean add_copy(Sink *sink, const WeftItem *item, GError **error)
{
	WeftKnown known = {0};

	if (!weft_store_add_path(sink->run->store, item->begin, &known, error))
		return FALSE;
	if (!item->begin->is_known) {
		WEFT_COUNT(sink->run, n_copies, 1);
		return TRUE;
	}
	return weft_known_count(sink->run, item->begin->path, &known, error);
}

static gboolean add_waiting_copies(Sink *sink, const char *id, GError **error)
{
	for (guint i = sink->copies->len; i > 0; i--) {
		const WeftItem *copy = g_ptr_array_index(sink->copies, i - 1);

		if (strcmp(copy->begin->id, id) != 0)
			continue;
		if (!add_copy(sink, copy, error))
			return FALSE;
		g_ptr_array_remove_index(sink->copies, i - 1);
	}
	return TRUE;
}

static gboolean is_of_a_change(const WeftRecord *record)
{
	return record->faults->len > 0 &&
	       g_array_index(record->faults, WeftFault, 0).code == WEFT_ERROR_CHANGED;
}

/* The record is written: answers have done their service, what was read may serve other questions,
 * unless it is not what the hash is of. */
static void settle_journals(WeftRun *run, WeftItem *item)
{
	if (item->journal != NULL && is_of_a_change(item->record))
		weft_stash_drop(run->stash, g_steal_pointer(&item->journal));
	else if (item->journal != NULL)
		weft_stash_keep(run->stash, g_steal_pointer(&item->journal), TRUE);
	while (item->answers != NULL && item->answers->len > 0)
		weft_stash_drop(run->stash, g_ptr_array_steal_index_fast(item->answers, 0));
}

static gboolean put(Sink *sink, WeftItem *take_item, GError **error)
{
	g_autoptr(WeftItem) item = take_item;
	WeftRun *run = sink->run;
	gboolean is_news;

	if (item->begin->is_left) {
		WEFT_COUNT(run, n_left, 1);
		weft_run_add_ledgers(run, &item->ledgers);
		return TRUE;
	}
	if (item->begin->is_elsewhere) {
		WEFT_COUNT(run, n_elsewhere, 1);
		return TRUE;
	}
	weft_run_measured(run, item->begin, NULL);
	if (item->record == NULL) {
		if (weft_store_has(run->store, item->begin->id))
			return add_copy(sink, item, error);
		g_ptr_array_add(sink->copies, g_steal_pointer(&item));
		return TRUE;
	}
	sink->has_changed |= is_of_a_change(item->record);
	if (!weft_known_is_news(run, item->begin, item->record, &is_news, error) ||
	    !weft_store_put(run->store, item->record, item->begin, error))
		return FALSE;
	weft_run_add_ledgers(run, &item->ledgers);
	settle_journals(run, item);
	if (is_news) {
		count_status(run, item->record->status);
		tell(run, item->begin, item->record);
	} else {
		WEFT_COUNT(run, n_unchanged, 1);
		WEFT_COUNT(run, n_known, 1);
	}
	return add_waiting_copies(sink, item->begin->id, error);
}

static WeftStep sink_step(void *state, WeftRunner *runner, void *take_item, GError **error)
{
	Sink *sink = state;
	gboolean is_written = weft_store_is_folder(sink->run->store)
				      ? put(sink, take_item, error)
				      : write_in_order(sink, take_item, error);

	if (is_written)
		return WEFT_STEP_MORE;
	sink->run->failed_to_write = TRUE;
	return WEFT_STEP_FAILED;
}

/* A copy of a file that changed while it was read, so that no record is made of that content. */
static gboolean put_alone(Sink *sink, const WeftItem *copy, GError **error)
{
	WeftDocument *document = copy->begin;
	g_autoptr(WeftRecord) record = weft_record_new();
	g_autoptr(GError) changed =
		g_error_new(WEFT_ERROR, WEFT_ERROR_CHANGED,
			    "a file of the same content changed while it was read; run again");

	document->sha256[0] = '\0';
	weft_document_name(document, sink->run->fingerprint);
	record->id = g_strdup(document->id);
	record->size_bytes = document->size_bytes;
	g_ptr_array_add(record->paths, g_strdup(document->path));
	weft_record_add_fault(record, "sniff", changed, NULL);
	weft_record_settle(record);
	if (!weft_store_will_tell(sink->run->store, document->id, error) ||
	    !weft_store_put(sink->run->store, record, document, error))
		return FALSE;
	count_status(sink->run, record->status);
	tell(sink->run, document, record);
	return TRUE;
}

/* Copies whose content is left are left with it. */
static gboolean settle_copy(Sink *sink, const WeftItem *copy, GError **error)
{
	WeftRun *run = sink->run;

	if (!weft_store_has(run->store, copy->begin->id)) {
		if (weft_run_is_stopping(run)) {
			WEFT_COUNT(run, n_left, 1);
			return TRUE;
		}
		if (sink->has_changed)
			return put_alone(sink, copy, error);
	}
	/* The record could not be read when the copy came. */
	return add_copy(sink, copy, error);
}

static WeftStep sink_flush(void *state, WeftRunner *runner, GError **error)
{
	Sink *sink = state;

	(void)runner;
	for (guint i = 0; i < sink->copies->len; i++) {
		if (settle_copy(sink, g_ptr_array_index(sink->copies, i), error))
			continue;
		sink->run->failed_to_write = TRUE;
		return WEFT_STEP_FAILED;
	}
	g_ptr_array_set_size(sink->copies, 0);
	if (weft_store_flush(sink->run->store, error))
		return WEFT_STEP_MORE;
	sink->run->failed_to_write = TRUE;
	return WEFT_STEP_FAILED;
}

static void sink_done(void *state)
{
	Sink *sink = state;
	const guint64 one = 1;

	g_hash_table_unref(sink->waiting);
	g_ptr_array_unref(sink->copies);
	/* The sink is the last to end, in any run that ends. */
	if (write(sink->run->done_fd, &one, sizeof one) < 0)
		g_warning("the end of the run could not be told: %s", g_strerror(errno));
	g_free(sink);
}

const WeftNodeClass weft_node_sink = {"sink", sink_init, sink_step, sink_flush, sink_done};
