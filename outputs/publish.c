/* publish.c - the verbs that change record files; each puts what it changes into the open commit.
 *
 * What is read back is the newest there is: what waits in a commit comes before the file in its place.
 * Records that are there already and get or lose paths are written again now and then only (gather.h).
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "outputs/catalog_search.h"
#include "outputs/outputs_private.h"
#include "outputs/record_paths.h"
#include "outputs/search_text.h"

/* A group commit has so many records, or so many bytes: what waits is in memory as text to search. */
#define COMMIT_RECORDS_MAX 64
#define COMMIT_BYTES_MAX ((gsize)16 << 20)
/* Records with few paths are looked at for each. */
#define PATHS_FEW 16
/* A sync of the filesystem that takes longer waits for what others write; so many batches then sync
 * file by file. */
#define SYNC_SLOW_US 1000000
#define ALONE_COMMITS 16

/* ---- the commit ---- */

static WeftCommit *open_commit(WeftOutputs *outputs)
{
	if (!outputs->open)
		outputs->open = weft_commit_new(outputs->records, outputs->publish_lock,
					       outputs->n_alone > 0);
	return outputs->open;
}

guint weft_outputs_n_waiting(const WeftOutputs *outputs)
{
	return (outputs->open ? outputs->open->entries->len : 0) +
	       weft_gather_n_waiting(outputs->gather);
}

gboolean weft_outputs_is_full(const WeftOutputs *outputs)
{
	return weft_gather_is_full(outputs->gather) ||
	       (outputs->open && (outputs->open->entries->len >= COMMIT_RECORDS_MAX ||
				  outputs->open->size_bytes >= COMMIT_BYTES_MAX));
}

gint64 weft_outputs_due_us(const WeftOutputs *outputs)
{
	gint64 due_us = weft_gather_due_us(outputs->gather);

	if (weft_outputs_is_full(outputs))
		return 0;
	return outputs->open ? MIN(due_us, outputs->open->first_us + WEFT_COMMIT_WAIT_US) : due_us;
}

static gboolean put_path(WeftCatalog *catalog, const WeftPathRow *row, GError **error)
{
	if (row->is_gone)
		return weft_catalog_set_gone(catalog, row->path, row->fingerprint, error);
	return weft_catalog_put_source(catalog, row->id, row->path,
				       row->has_status ? &row->status : NULL, row->fingerprint,
				       error);
}

/* A record with a text has the paths that it came with. */
static const char *text_path(const WeftCommitEntry *entry)
{
	return g_array_index(entry->changes, WeftPathChange, 0).row->path;
}

static gboolean put_rows(WeftCatalog *catalog, const WeftCommitEntry *entry, GError **error)
{
	WeftCatalogRecord row = {
		.id = entry->known.id,
		.status = entry->known.status,
		.known = &entry->known,
		.sha256 = entry->sha256,
		.fingerprint = entry->fingerprint,
		.file_sha256 = entry->file_sha256,
		.file_status = entry->file_status,
	};

	if (entry->is_removed && !weft_catalog_forget_record(catalog, entry->known.id, error))
		return FALSE;
	if (entry->has_record && !entry->is_removed &&
	    !weft_catalog_put_record(catalog, &row, error))
		return FALSE;
	for (guint i = 0; entry->changes && i < entry->changes->len; i++) {
		WeftPathRow *path = g_array_index(entry->changes, WeftPathChange, i).row;
		if (--path->n_changes == 0 && !put_path(catalog, path, error))
			return FALSE;
	}
	return !entry->text || weft_catalog_put_text(catalog, entry->known.id, text_path(entry),
						     entry->text, error);
}

static gboolean put_all_rows(WeftCatalog *catalog, const WeftCommit *commit, GError **error)
{
	if (!weft_catalog_begin(catalog, error))
		return FALSE;
	for (guint i = 0; i < commit->entries->len; i++)
		if (!put_rows(catalog, commit->entries->pdata[i], error)) {
			weft_catalog_rollback(catalog);
			return FALSE;
		}
	if (weft_catalog_commit(catalog, error))
		return TRUE;
	weft_catalog_rollback(catalog);
	return FALSE;
}

gboolean weft_outputs_put_commit(WeftOutputs *outputs, WeftCommit *take_commit, GError **error)
{
	g_autoptr(WeftCommit) commit = take_commit;

	g_assert(commit == outputs->taken);
	outputs->taken = NULL;
	if (outputs->n_alone > 0)
		outputs->n_alone--;
	if (commit->sync_us > SYNC_SLOW_US)
		outputs->n_alone = ALONE_COMMITS;
	if (!put_all_rows(outputs->catalog, commit, error))
		return FALSE;
	for (guint i = 0; i < commit->entries->len; i++)
		weft_outputs_release(outputs,
				     ((WeftCommitEntry *)commit->entries->pdata[i])->known.id);
	return TRUE;
}

void weft_outputs_drop_commit(WeftOutputs *outputs, WeftCommit *take_commit)
{
	outputs->taken = NULL;
	weft_commit_free(take_commit);
}

/* ---- entries ---- */

/* The record of this id as it will be when all that waits is on the disk. */
static WeftRecordFile *read_newest(const WeftOutputs *outputs, const char *file, const char *id,
				   WeftRecordItem item, gpointer data, GError **error)
{
	const WeftCommitEntry *waiting = weft_outputs_waiting(outputs, id);
	g_autoptr(GError) failure = NULL;
	WeftRecordFile *record;

	if (waiting && waiting->is_removed) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_EMPTY, "%s: was removed", id);
		return NULL;
	}
	if (!waiting || !waiting->temporary)
		return weft_record_file_open(file, id, item, data, error);
	record = weft_record_file_open(waiting->temporary, id, item, data, &failure);
	/* It has become the record in between. */
	if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_EMPTY))
		return weft_record_file_open(file, id, item, data, error);
	if (failure)
		g_propagate_error(error, g_steal_pointer(&failure));
	return record;
}

static gboolean fail_status(const char *id, GError **error)
{
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "%s: record without status", id);
	return FALSE;
}

static WeftCommitEntry *new_entry(const char *file, const WeftRecordFile *before,
				 const WeftKnown *known, const char *sha256, const char *fingerprint)
{
	WeftCommitEntry *entry = g_new0(WeftCommitEntry, 1);

	entry->file = g_strdup(file);
	entry->has_record = TRUE;
	entry->known = *known;
	entry->sha256 = g_strdup(sha256);
	entry->fingerprint = g_strdup(fingerprint);
	if (before) {
		entry->has_before = TRUE;
		entry->before = before->facts.status;
	}
	return entry;
}

static void set_path(WeftCommitEntry *entry, WeftPathRow *row)
{
	if (!entry->changes)
		entry->changes = weft_path_changes_new();
	weft_path_changes_add(entry->changes, row, FALSE);
}

/* Writes it, when `text` is not NULL, and adds it. */
static gboolean add_entry(WeftOutputs *outputs, WeftCommitEntry *take_entry,
			  const WeftRecordText *text, GError **error)
{
	g_autoptr(WeftCommitEntry) entry = take_entry;
	WeftCommit *commit = open_commit(outputs);

	if (text && !weft_commit_write(commit, entry, text, error))
		return FALSE;
	weft_commit_add(commit, g_steal_pointer(&entry));
	return TRUE;
}

/* ---- paths that wait ---- */

/* No record to write, only rows of paths. */
static WeftCommitEntry *new_rows(const WeftGathered *gathered)
{
	WeftCommitEntry *entry = g_new0(WeftCommitEntry, 1);

	g_strlcpy(entry->known.id, gathered->id, sizeof(entry->known.id));
	return entry;
}

/* A record that said no more than that its path could not be read is removed with that path. */
static gboolean write_record(WeftOutputs *outputs, const WeftGathered *gathered,
			     WeftRecordFile *record, WeftCommitEntry *take_entry, GError **error)
{
	g_autoptr(WeftCommitEntry) entry = take_entry;
	g_autoptr(GPtrArray) paths = weft_record_paths_read(record->head);
	const WeftRecordText text = {.before = record, .paths = paths};
	gboolean is_written =
		weft_path_changes_apply(gathered->changes, paths, entry->sha256 != NULL);

	if (is_written) {
		entry->is_removed = paths->len == 0 && !entry->sha256;
		is_written = !entry->is_removed;
	} else {
		g_strlcpy(entry->file_sha256, record->facts.sha256, sizeof(entry->file_sha256));
		entry->file_status = record->facts.status;
	}
	entry->changes = g_array_ref(gathered->changes);
	return add_entry(outputs, g_steal_pointer(&entry), is_written ? &text : NULL, error);
}

/* Where paths are only lost, a damaged record is left as it is; one that the disk does not give would
 * keep them. */
static gboolean write_gathered(WeftOutputs *outputs, const WeftGathered *gathered, GError **error)
{
	g_autofree char *file = weft_outputs_file_of_id(outputs, gathered->id, NULL);
	const char *fingerprint =
		g_array_index(gathered->changes, WeftPathChange, 0).row->fingerprint;
	g_autoptr(GError) failure = NULL;
	g_autoptr(WeftRecordFile) record =
		file ? read_newest(outputs, file, gathered->id, NULL, NULL, &failure) : NULL;
	WeftCatalogRecord row;
	WeftKnown known;

	if (failure && (gathered->has_known || g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_IO))) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	if (record && weft_record_row(record->head, gathered->id, &known, &row))
		return write_record(outputs, gathered, record,
				    new_entry(file, record, &known, row.sha256, fingerprint), error);
	if (gathered->has_known)
		return fail_status(gathered->id, error);
	WeftCommitEntry *rows = new_rows(gathered);
	rows->changes = g_array_ref(gathered->changes);
	return add_entry(outputs, rows, NULL, error);
}

gboolean weft_outputs_write_paths(WeftOutputs *outputs, gboolean at_once, GError **error)
{
	for (guint n = 0; n < COMMIT_RECORDS_MAX; n++) {
		g_autoptr(WeftGathered) gathered = weft_gather_take(outputs->gather, at_once);
		if (!gathered)
			return TRUE;
		if (!write_gathered(outputs, gathered, error))
			return FALSE;
	}
	return TRUE;
}

WeftCommit *weft_outputs_take_commit(WeftOutputs *outputs)
{
	g_assert(!outputs->taken);
	outputs->taken = outputs->open;
	if (outputs->open && outputs->has_new_marks) {
		outputs->open->untold = g_strdup(outputs->untold);
		outputs->has_new_marks = FALSE;
	}
	return g_steal_pointer(&outputs->open);
}

gboolean weft_outputs_commit(WeftOutputs *outputs, GError **error)
{
	while (weft_outputs_n_waiting(outputs) > 0) {
		if (!weft_outputs_write_paths(outputs, TRUE, error))
			return FALSE;
		WeftCommit *commit = weft_outputs_take_commit(outputs);
		if (!weft_commit_publish(commit, error)) {
			weft_outputs_drop_commit(outputs, commit);
			return FALSE;
		}
		if (!weft_outputs_put_commit(outputs, commit, error))
			return FALSE;
	}
	return TRUE;
}

static WeftGathered *gather(WeftOutputs *outputs, const char *id)
{
	WeftGathered *gathered = weft_gather_find(outputs->gather, id);
	g_autofree char *file = gathered ? NULL : weft_outputs_file_of_id(outputs, id, NULL);
	struct stat status;

	if (gathered)
		return gathered;
	gboolean is_there = file && stat(file, &status) == 0;
	return weft_gather_open(outputs->gather, id, is_there ? (gsize)status.st_size : 0);
}

/* Before the path gets its new record: its row waits until both are on the disk, so that a run that is
 * killed in between does it again. */
static gboolean leave_record_before(WeftOutputs *outputs, WeftPathRow *row, GError **error)
{
	char before[72];

	if (!weft_catalog_id_of_source(outputs->catalog, row->path, row->fingerprint, before, error))
		return FALSE;
	if (before[0] != '\0' && strcmp(before, row->id) != 0)
		weft_gather_add(outputs->gather, gather(outputs, before), row, TRUE);
	return TRUE;
}

gboolean weft_outputs_lose(WeftOutputs *outputs, const char *path, const char *fingerprint,
			   GError **error)
{
	char id[72];

	if (!weft_catalog_id_of_source(outputs->catalog, path, fingerprint, id, error))
		return FALSE;
	if (id[0] == '\0')
		return TRUE;
	g_autoptr(WeftPathRow) row = weft_path_row_new(id, path, NULL, fingerprint);
	row->is_gone = TRUE;
	weft_gather_add(outputs->gather, gather(outputs, id), row, TRUE);
	return TRUE;
}

/* ---- records and their paths ---- */

/* Paths of a record of this id that is there already join those of the new one; of a damaged one, the
 * catalogue may know them. One that the disk does not give may be whole, and is not replaced. */
static gboolean take_paths(WeftOutputs *outputs, const char *file, WeftRecord *record,
			   WeftRecordFile **ret_before, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(WeftRecordFile) before =
		read_newest(outputs, file, record->id, NULL, NULL, &failure);

	if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_IO)) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	g_autoptr(GPtrArray) paths = weft_record_paths_read(before ? before->head : NULL);
	if (failure && !g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_EMPTY) &&
	    !weft_catalog_paths_of(outputs->catalog, record->id, paths, error))
		return FALSE;
	for (guint i = 0; i < paths->len; i++)
		g_ptr_array_add(record->paths, g_strdup(paths->pdata[i]));
	weft_record_paths_settle(record->paths);
	*ret_before = g_steal_pointer(&before);
	return TRUE;
}

gboolean weft_outputs_put_together(WeftOutputs *outputs, WeftRecord *record, const WeftPlace *places,
				   gsize n, const char *fingerprint, GError **error)
{
	g_autofree char *file =
		weft_outputs_file_of_id(outputs, record->id ? record->id : "", error);
	g_autoptr(WeftRecordFile) before = NULL;
	const WeftRecordText text = {.record = record};
	WeftKnown known;

	for (gsize i = 0; i < n; i++)
		g_ptr_array_add(record->paths, g_strdup(places[i].path));
	if (!file || !take_paths(outputs, file, record, &before, error))
		return FALSE;
	weft_known_of_record(record, &known);
	g_strlcpy(known.id, record->id, sizeof(known.id));
	g_autoptr(WeftCommitEntry) entry =
		new_entry(file, before, &known, record->sha256, fingerprint);
	for (gsize i = 0; i < n; i++) {
		g_autoptr(WeftPathRow) row = weft_path_row_new(record->id, places[i].path,
							       places[i].status, fingerprint);
		if (!leave_record_before(outputs, row, error))
			return FALSE;
		set_path(entry, row);
	}
	entry->is_new = TRUE;
	entry->text = weft_search_text_of_record(record);
	return add_entry(outputs, g_steal_pointer(&entry), &text, error);
}

gboolean weft_outputs_put(WeftOutputs *outputs, WeftRecord *record, const char *path,
			  const struct stat *status, const char *fingerprint, GError **error)
{
	const WeftPlace place = {path, status};

	return weft_outputs_put_together(outputs, record, &place, 1, fingerprint, error);
}

/* What the record says; *ret_rows is its entry when it has few paths, and this one among them. */
static gboolean look_at_paths(WeftOutputs *outputs, const WeftPathRow *row, WeftKnown *ret_known,
			      WeftCommitEntry **ret_rows, GError **error)
{
	g_autofree char *file = weft_outputs_file_of_id(outputs, row->id, error);
	g_autoptr(WeftRecordFile) record =
		file ? read_newest(outputs, file, row->id, NULL, NULL, error) : NULL;
	WeftCatalogRecord record_row;

	if (!record)
		return FALSE;
	if (!weft_record_row(record->head, row->id, ret_known, &record_row))
		return fail_status(row->id, error);
	g_autoptr(GPtrArray) paths = weft_record_paths_read(record->head);
	if (paths->len > PATHS_FEW ||
	    !g_ptr_array_find_with_equal_func(paths, row->path, g_str_equal, NULL))
		return TRUE;
	*ret_rows = new_entry(file, record, ret_known, record_row.sha256, row->fingerprint);
	g_strlcpy((*ret_rows)->file_sha256, record->facts.sha256, sizeof((*ret_rows)->file_sha256));
	(*ret_rows)->file_status = record->facts.status;
	return TRUE;
}

gboolean weft_outputs_add_path(WeftOutputs *outputs, const char *id, const char *path,
			       const struct stat *status, const char *fingerprint,
			       WeftKnown *ret_known, GError **error)
{
	g_autoptr(WeftPathRow) row = weft_path_row_new(id, path, status, fingerprint);
	WeftGathered *gathered = weft_gather_find(outputs->gather, id);
	WeftCommitEntry *rows = NULL;
	WeftKnown known;

	if (gathered && gathered->has_known)
		known = gathered->known;
	else if (!look_at_paths(outputs, row, &known, &rows, error))
		return FALSE;
	if (!leave_record_before(outputs, row, error)) {
		weft_commit_entry_free(rows);
		return FALSE;
	}
	*ret_known = known;
	if (rows) {
		set_path(rows, row);
		return add_entry(outputs, rows, NULL, error);
	}
	gathered = gather(outputs, id);
	gathered->has_known = TRUE;
	gathered->known = known;
	weft_gather_add(outputs->gather, gathered, row, FALSE);
	return TRUE;
}

/* ---- records of an older weft ---- */

gboolean weft_outputs_adopt(WeftOutputs *outputs, const char *id_before, const WeftAddress *address,
			    const char *path, const struct stat *status, GError **error)
{
	g_autofree char *file_before = weft_outputs_file_of_id(outputs, id_before, error);
	g_autofree char *file = weft_outputs_file_of_id(outputs, address->id, error);
	g_autoptr(WeftSearchText) words = weft_search_text_new();
	g_autoptr(WeftRecordFile) record =
		file && file_before ? read_newest(outputs, file_before, id_before,
						  weft_search_text_take_item, words, NULL)
				    : NULL;
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	WeftCatalogRecord row;
	WeftKnown known;

	if (!record || !weft_record_row(record->head, id_before, &known, &row))
		return FALSE;
	gboolean is_whole = known.status == WEFT_STATUS_OK || known.status == WEFT_STATUS_SKIPPED;
	const WeftAddress here = {address->id, address->fingerprint,
				  is_whole ? address->decoders : NULL};
	WeftCommitEntry *old =
		new_entry(file_before, record, &known, row.sha256, row.fingerprint);
	old->is_removed = TRUE;
	g_strlcpy(known.id, address->id, sizeof(known.id));
	if (here.decoders)
		weft_decoders_key(here.decoders, known.decoders);
	WeftCommitEntry *entry = new_entry(file, NULL, &known, row.sha256, address->fingerprint);
	g_autoptr(WeftPathRow) source =
		weft_path_row_new(address->id, path, status, address->fingerprint);
	set_path(entry, source);
	entry->is_new = TRUE;
	weft_search_text_add_head(words, record->head);
	entry->text = g_steal_pointer(&words);
	g_ptr_array_add(paths, g_strdup(path));
	const WeftRecordText text = {.before = record, .address = &here, .paths = paths};
	if (!add_entry(outputs, entry, &text, error)) {
		weft_commit_entry_free(old);
		return FALSE;
	}
	/* Behind the new one, so that a run that is killed in between has both. */
	return add_entry(outputs, old, NULL, error);
}
