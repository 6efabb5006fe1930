/* node_source.c - the inputs of a job, in order; what is unchanged goes no further.
 *
 * The inputs are walked twice (walk.h): once to look whether they are to be believed (lost.h) and to
 * count them, then for the documents, one at a time, so that neither is held in memory. Nothing is
 * Of a task that asks for it, a look at all of them comes between (inventory.h). Nothing is
 * opened here but folders. With a sample, the documents whose lot comes first are taken: the first
 * eight bytes of the SHA-256 of the path.
 *
 * Inputs that are one document together are all held; it is unchanged when each of them is, and its
 * record is of no other file.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "pipeline/known.h"
#include "pipeline/lost.h"
#include "pipeline/members.h"
#include "pipeline/run.h"
#include "pipeline/walk.h"

typedef struct Source {
	WeftRun *run;
	WeftWalk *walk;
	gboolean has_sample;
	guint64 lot_last; /* of the sample: the largest that is taken */
	guint64 n_found;  /* by the second walk */
	gboolean is_finding; /* the first of two walks for documents: a look at each file (inventory.h) */
	gboolean is_cut;  /* the run was stopped before all was counted */
	gboolean is_sent; /* the one document that all are together */
	guint64 n_documents;
} Source;

static WeftWalk *new_walk(WeftRun *run)
{
	WeftWalk *walk = weft_walk_new(run->inputs, run->job->excludes);

	weft_walk_count_in(walk, run->job->counted);
	if (weft_store_is_folder(run->store)) {
		const char *folders[] = {run->job->output, run->job->state};

		for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
			struct stat status;

			if (folders[i] != NULL && stat(folders[i], &status) == 0)
				weft_walk_leave_out(walk, &status);
		}
	}
	return walk;
}

static guint64 lot_of(const char *path)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	guint8 digest[32];
	gsize size = sizeof digest;
	guint64 lot = 0;

	g_checksum_update(sum, (const guchar *)path, -1);
	g_checksum_get_digest(sum, digest, &size);
	for (int byte = 0; byte < 8; byte++)
		lot = lot << 8 | digest[byte];
	return lot;
}

static int by_lot(const void *a, const void *b)
{
	const guint64 *first = a, *second = b;

	return *first < *second ? -1 : *first > *second;
}

/* Leaves out what is not of the sample; gives how many are left in. */
static guint64 draw_sample(Source *source, GArray *lots, guint64 n_files)
{
	guint64 n_wanted = source->run->job->sample, n_taken = 0;

	if (n_wanted == 0 || n_wanted >= n_files)
		return n_files;
	qsort(lots->data, lots->len, sizeof(guint64), by_lot);
	source->has_sample = TRUE;
	source->lot_last = g_array_index(lots, guint64, n_wanted - 1);
	while (n_taken < lots->len && g_array_index(lots, guint64, n_taken) <= source->lot_last)
		n_taken++;
	WEFT_COUNT(source->run, n_not_sampled, n_files - n_taken);
	return n_taken;
}

/* A run that estimates knows all files by name and size, and which of them are done. */
static void list_for_estimate(WeftRun *run, const WeftFound *found)
{
	WeftKnown known;
	struct stat status = weft_found_status(found);
	gboolean is_known = found->has_status &&
			    weft_store_is_unchanged(run->store, found->path, &status, &known);

	weft_run_add_file(run, found->path,
			  found->has_status ? (guint64)found->status.st_size : 0, is_known);
}

static gboolean check_together(guint64 n_files, GError **error)
{
	if (n_files <= WEFT_MEMBERS_MAX)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		    "together: more than %d files can't be one document; name fewer, or leave some out with "
		    "--exclude",
		    WEFT_MEMBERS_MAX);
	return FALSE;
}

static gboolean count_files(Source *source, WeftRunner *runner, GError **error)
{
	WeftRun *run = source->run;
	g_autoptr(WeftWalk) walk = new_walk(run);
	g_autoptr(GArray) lots = g_array_new(FALSE, FALSE, sizeof(guint64));
	guint64 n_files = 0;
	WeftFound found;

	while (!source->is_cut && weft_walk_next(walk, &found)) {
		source->is_cut = weft_stop_is_asked(run->stop);
		if (weft_runner_is_cancelled(runner)) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CANCELLED, "the run was stopped");
			return FALSE;
		}
		n_files++;
		if (run->job->is_together) {
			if (!check_together(n_files, error))
				return FALSE;
			continue;
		}
		if (run->job->sample > 0) {
			guint64 lot = lot_of(found.path);

			g_array_append_val(lots, lot);
		}
		if (run->tally.estimate != NULL)
			list_for_estimate(run, &found);
	}
	WEFT_COUNT(run, n_left_out, weft_walk_n_left_out(walk));
	WEFT_COUNT(run, n_ignored, weft_walk_n_ignored(walk));
	n_files = run->job->is_together ? MIN(n_files, 1) : draw_sample(source, lots, n_files);
	weft_run_listed(run, n_files, !source->is_cut);
	if (source->is_cut)
		WEFT_COUNT(run, n_left, n_files);
	return TRUE;
}

static void source_done(void *state)
{
	Source *source = state;

	weft_walk_free(source->walk);
	g_free(source);
}

static gboolean source_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Source *source = g_new0(Source, 1);
	WeftRun *run = shared;

	source->run = run;
	if (!weft_lost_check(run, runner, &run->n_lost, error)) {
		run->is_refused = TRUE;
		source_done(source);
		return FALSE;
	}
	if (!count_files(source, runner, error)) {
		source_done(source);
		return FALSE;
	}
	source->walk = new_walk(run);
	source->is_finding = run->task->inventories && !run->job->is_together && run->engine != NULL && run->stash != NULL &&
			     run->job->sample == 0 && !run->job->rehashes && !source->is_cut;
	weft_run_finds(run, source->is_finding);
	*ret_state = source;
	return TRUE;
}

static gboolean is_done(const WeftRun *run, const WeftFound *found, WeftKnown *ret_known)
{
	struct stat status = weft_found_status(found);

	return !run->job->rehashes && found->has_status &&
	       weft_store_is_unchanged(run->store, found->path, &status, ret_known) &&
	       !weft_run_tries_again(run, ret_known);
}

/* Takes the place. */
static WeftDocument *new_document(guint64 number, const WeftFound *found, WeftBudget *take_place)
{
	WeftDocument *document = weft_document_new(number, found->path, take_place);

	document->begin_ns = weft_trace_now_ns();
	if (found->folder != NULL)
		document->folder = weft_folder_ref(found->folder);
	document->has_status = found->has_status;
	document->status = found->status;
	document->captions = g_strdup(found->captions);
	if (found->recordings != NULL)
		document->recordings = g_ptr_array_ref(found->recordings);
	document->mark = found->mark;
	if (found->failure != NULL)
		document->fault = weft_part_fault_new("open", g_error_copy(found->failure), NULL);
	return document;
}

static WeftItem *begin_document(Source *source, const WeftFound *found)
{
	WeftItem *item = weft_item_new(WEFT_ITEM_BEGIN, source->n_documents++);

	item->begin = new_document(item->document, found, source->run->budget);
	return item;
}

/* All have been looked at: from the first on again, for their documents. */
static WeftStep end_finding(Source *source)
{
	if (!weft_budget_drain(source->run->budget))
		return WEFT_STEP_END;
	weft_run_finds(source->run, FALSE);
	weft_walk_free(source->walk);
	source->walk = new_walk(source->run);
	source->is_finding = FALSE;
	return WEFT_STEP_MORE;
}

/* A look at a file of which nothing is known yet. */
static WeftStep find_step(Source *source, WeftRunner *runner)
{
	WeftRun *run = source->run;
	WeftFound found;
	WeftKnown known;
	struct stat status;
	WeftItem *item;

	if (weft_stop_is_asked(run->stop) || !weft_walk_next(source->walk, &found))
		return end_finding(source);
	WEFT_COUNT(run, n_walked, 1);
	status = weft_found_status(&found);
	if (found.failure != NULL || !found.has_status || is_done(run, &found, &known) ||
	    weft_store_is_found(run->store, found.path, &status))
		return WEFT_STEP_MORE;
	if (!weft_budget_enter(run->budget))
		return WEFT_STEP_END;
	item = begin_document(source, &found);
	item->begin->is_inventory = TRUE;
	return weft_step_after(weft_runner_send(runner, item));
}

/* ---- all inputs together ---- */

/* All inputs. *ret_known: of the record that they have together; its id is "": they have none. FALSE:
 * there are too many. */
static gboolean collect_members(Source *source, GPtrArray *members, guint64 *ret_size_bytes,
			     WeftKnown *ret_known, GError **error)
{
	gboolean are_done = TRUE;
	WeftFound found;
	WeftKnown known;

	while (weft_walk_next(source->walk, &found)) {
		if (!check_together(members->len + 1, error))
			return FALSE;
		g_ptr_array_add(members, new_document(0, &found, NULL));
		if (found.has_status)
			*ret_size_bytes += (guint64)found.status.st_size;
		are_done = are_done && is_done(source->run, &found, &known) &&
			   (members->len == 1 || strcmp(known.id, ret_known->id) == 0);
		if (are_done)
			*ret_known = known;
	}
	if (!are_done)
		ret_known->id[0] = '\0';
	return TRUE;
}

/* `n`: of the files that have this record. */
static gboolean has_no_other(const WeftRun *run, const WeftKnown *known, guint n)
{
	guint64 n_paths;

	return known->id[0] != '\0' && weft_store_count_paths(run->store, known->id, &n_paths) &&
	       n_paths == n;
}

/* That which stands for all: no captions, where there is another. */
static const WeftDocument *first_of(const GPtrArray *members)
{
	for (guint i = 0; i < members->len; i++) {
		const WeftDocument *member = members->pdata[i];

		if (member->recordings == NULL)
			return member;
	}
	return members->pdata[0];
}

/* Takes the members. */
static WeftStep send_together(Source *source, WeftRunner *runner, GPtrArray *take_members)
{
	WeftItem *item = weft_item_new(WEFT_ITEM_BEGIN, 0);
	const WeftDocument *first = first_of(take_members);

	item->begin = weft_document_new(0, first->path, source->run->budget);
	item->begin->begin_ns = first->begin_ns;
	item->begin->members = take_members;
	return weft_step_after(weft_runner_send(runner, item));
}

static WeftStep together_step(Source *source, WeftRunner *runner, GError **error)
{
	g_autoptr(GPtrArray) members =
		g_ptr_array_new_with_free_func((GDestroyNotify)weft_document_free);
	WeftRun *run = source->run;
	WeftKnown known = {0};
	guint64 size_bytes = 0;
	const WeftDocument *first;
	gboolean is_unchanged;

	if (source->is_sent || source->is_cut)
		return WEFT_STEP_END;
	source->is_sent = TRUE;
	if (!collect_members(source, members, &size_bytes, &known, error))
		return WEFT_STEP_FAILED;
	weft_run_listed(run, members->len > 0 ? 1 : 0, TRUE);
	if (members->len == 0)
		return WEFT_STEP_END;
	weft_members_sort(members);
	first = first_of(members);
	is_unchanged = has_no_other(run, &known, members->len);
	weft_run_add_file(run, first->path, size_bytes, is_unchanged);
	if (is_unchanged) {
		run->failed_to_write = !weft_known_count(run, first->path, &known, error);
		return run->failed_to_write ? WEFT_STEP_FAILED : WEFT_STEP_END;
	}
	if (!weft_stop_is_asked(run->stop) && weft_budget_enter(run->budget))
		return send_together(source, runner, g_steal_pointer(&members));
	if (weft_stop_is_asked(run->stop))
		WEFT_COUNT(run, n_left, 1);
	return WEFT_STEP_END;
}

static WeftStep source_step(void *state, WeftRunner *runner, void *nothing, GError **error)
{
	Source *source = state;
	WeftFound found;
	WeftKnown known;

	(void)nothing;
	if (source->run->job->is_together)
		return together_step(source, runner, error);
	if (source->is_finding)
		return find_step(source, runner);
	if (source->is_cut)
		return WEFT_STEP_END;
	if (!weft_walk_next(source->walk, &found)) {
		weft_run_listed(source->run, source->n_found, TRUE); /* what there was at last */
		return WEFT_STEP_END;
	}
	if (source->has_sample && lot_of(found.path) > source->lot_last)
		return WEFT_STEP_MORE;
	source->n_found++;
	if (is_done(source->run, &found, &known)) {
		if (weft_known_count(source->run, found.path, &known, error))
			return WEFT_STEP_MORE;
		source->run->failed_to_write = TRUE;
		return WEFT_STEP_FAILED;
	}
	if (weft_stop_is_asked(source->run->stop)) {
		WEFT_COUNT(source->run, n_left, 1);
		return WEFT_STEP_MORE;
	}
	if (!weft_budget_enter(source->run->budget))
		return WEFT_STEP_END;
	if (weft_stop_is_asked(source->run->stop)) { /* while it waited */
		WEFT_COUNT(source->run, n_left, 1);
		weft_budget_leave(source->run->budget);
		return WEFT_STEP_MORE;
	}

	return weft_step_after(weft_runner_send(runner, begin_document(source, &found)));
}

const WeftNodeClass weft_node_source = {"source", source_init, source_step, NULL, source_done};
