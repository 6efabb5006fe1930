/* publish.c - the verbs that change record files; each puts what it changes into the open commit.
 *
 * What is read back is the newest there is: what waits in a commit comes before the file in its place.
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
	return outputs->open ? outputs->open->entries->len : 0;
}

gboolean weft_outputs_is_full(const WeftOutputs *outputs)
{
	return outputs->open && (outputs->open->entries->len >= COMMIT_RECORDS_MAX ||
				 outputs->open->size_bytes >= COMMIT_BYTES_MAX);
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

	if (entry->is_removed ? !weft_catalog_forget_record(catalog, entry->known.id, error)
			      : !weft_catalog_put_record(catalog, &row, error))
		return FALSE;
	if (entry->is_gone)
		return weft_catalog_set_gone(catalog, entry->path, entry->fingerprint, error);
	if (!entry->path || entry->is_lost)
		return TRUE;
	return weft_catalog_put_source(catalog, entry->known.id, entry->path,
				       entry->has_status ? &entry->status : NULL,
				       entry->fingerprint, error) &&
	       (!entry->text || weft_catalog_put_text(catalog, entry->known.id, entry->path,
						      entry->text, error));
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

gboolean weft_outputs_commit(WeftOutputs *outputs, GError **error)
{
	WeftCommit *commit = weft_outputs_take_commit(outputs);

	if (!commit)
		return TRUE;
	if (weft_commit_publish(commit, error))
		return weft_outputs_put_commit(outputs, commit, error);
	weft_outputs_drop_commit(outputs, commit);
	return FALSE;
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

static WeftCommitEntry *new_entry(const char *file, const WeftRecordFile *before,
				 const WeftKnown *known, const char *sha256, const char *fingerprint)
{
	WeftCommitEntry *entry = g_new0(WeftCommitEntry, 1);

	entry->file = g_strdup(file);
	entry->known = *known;
	entry->sha256 = g_strdup(sha256);
	entry->fingerprint = g_strdup(fingerprint);
	if (before) {
		entry->has_before = TRUE;
		entry->before = before->facts.status;
	}
	return entry;
}

static void set_path(WeftCommitEntry *entry, const char *path, const struct stat *status)
{
	entry->path = g_strdup(path);
	if (status) {
		entry->has_status = TRUE;
		entry->status = *status;
	}
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

/* ---- paths that a record loses ---- */

/* The path leaves the record. is_gone: what was read keeps its last path, and the path's row becomes
 * gone. A record that said no more than that its path could not be read is removed. A damaged record
 * is left as it is; one that the disk does not give would keep the path for good. *ret_is_left TRUE:
 * nothing to change. */
static gboolean drop_path(WeftOutputs *outputs, const char *id, const char *path,
			  const char *fingerprint, gboolean is_gone, gboolean *ret_is_left,
			  GError **error)
{
	g_autofree char *file = weft_outputs_file_of_id(outputs, id, NULL);
	g_autoptr(GError) failure = NULL;
	g_autoptr(WeftRecordFile) record =
		file ? read_newest(outputs, file, id, NULL, NULL, &failure) : NULL;
	WeftCatalogRecord row;
	WeftKnown known;

	*ret_is_left = TRUE;
	if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_IO)) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	if (!record || !weft_record_row(record->head, id, &known, &row))
		return TRUE;
	g_autoptr(GPtrArray) paths = weft_record_paths_read(record->head);
	if ((is_gone && row.sha256 && paths->len == 1) || !weft_record_paths_remove(paths, path))
		return TRUE;
	*ret_is_left = FALSE;
	WeftCommitEntry *entry = new_entry(file, record, &known, row.sha256, fingerprint);
	set_path(entry, path, NULL);
	entry->is_lost = TRUE;
	entry->is_gone = is_gone;
	entry->is_removed = paths->len == 0 && !row.sha256;
	const WeftRecordText text = {.before = record, .paths = paths};
	return add_entry(outputs, entry, entry->is_removed ? NULL : &text, error);
}

/* Before the path gets its new record, so that a run that is killed in between does it again. */
static gboolean leave_record_before(WeftOutputs *outputs, const char *id, const char *path,
				    const char *fingerprint, GError **error)
{
	char before[72];
	gboolean is_left;

	if (!weft_catalog_id_of_source(outputs->catalog, path, fingerprint, before, error))
		return FALSE;
	if (before[0] == '\0' || strcmp(before, id) == 0)
		return TRUE;
	return drop_path(outputs, before, path, fingerprint, FALSE, &is_left, error);
}

gboolean weft_outputs_lose(WeftOutputs *outputs, const char *path, const char *fingerprint,
			   GError **error)
{
	char id[72];
	gboolean is_left;

	if (!weft_catalog_id_of_source(outputs->catalog, path, fingerprint, id, error))
		return FALSE;
	if (id[0] == '\0')
		return TRUE;
	return drop_path(outputs, id, path, fingerprint, TRUE, &is_left, error) &&
	       (!is_left || weft_catalog_set_gone(outputs->catalog, path, fingerprint, error));
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
	weft_record_paths_settle(record->paths);
	g_autoptr(GPtrArray) paths = weft_record_paths_read(before ? before->head : NULL);
	if (failure && !g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_EMPTY) &&
	    !weft_catalog_paths_of(outputs->catalog, record->id, paths, error))
		return FALSE;
	for (guint i = 0; i < paths->len; i++)
		weft_record_paths_add(record->paths, paths->pdata[i]);
	*ret_before = g_steal_pointer(&before);
	return TRUE;
}

gboolean weft_outputs_put(WeftOutputs *outputs, WeftRecord *record, const char *path,
			  const struct stat *status, const char *fingerprint, GError **error)
{
	g_autofree char *file =
		weft_outputs_file_of_id(outputs, record->id ? record->id : "", error);
	g_autoptr(WeftRecordFile) before = NULL;
	const WeftRecordText text = {.record = record};
	WeftKnown known;

	if (!file || !take_paths(outputs, file, record, &before, error) ||
	    !leave_record_before(outputs, record->id, path, fingerprint, error))
		return FALSE;
	weft_record_paths_add(record->paths, path);
	weft_known_of_record(record, &known);
	g_strlcpy(known.id, record->id, sizeof(known.id));
	WeftCommitEntry *entry =
		new_entry(file, before, &known, record->sha256, fingerprint);
	set_path(entry, path, status);
	entry->is_new = TRUE;
	entry->text = weft_search_text_of_record(record);
	return add_entry(outputs, entry, &text, error);
}

gboolean weft_outputs_add_path(WeftOutputs *outputs, const char *id, const char *path,
			       const struct stat *status, const char *fingerprint,
			       WeftKnown *ret_known, GError **error)
{
	g_autofree char *file = weft_outputs_file_of_id(outputs, id, error);
	g_autoptr(WeftRecordFile) record =
		file ? read_newest(outputs, file, id, NULL, NULL, error) : NULL;
	WeftCatalogRecord row;
	WeftKnown known;

	if (!record || !leave_record_before(outputs, id, path, fingerprint, error))
		return FALSE;
	if (!weft_record_row(record->head, id, &known, &row)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "%s: record without status", id);
		return FALSE;
	}
	WeftCommitEntry *entry = new_entry(file, record, &known, row.sha256, fingerprint);
	set_path(entry, path, status);
	/* A record that names it already gets its rows, no more. */
	g_autoptr(GPtrArray) paths = weft_record_paths_read(record->head);
	const WeftRecordText text = {.before = record, .paths = paths};
	gboolean is_added = weft_record_paths_add(paths, path);
	if (!is_added) {
		g_strlcpy(entry->file_sha256, record->facts.sha256, sizeof(entry->file_sha256));
		entry->file_status = record->facts.status;
	}
	if (!add_entry(outputs, entry, is_added ? &text : NULL, error))
		return FALSE;
	*ret_known = known;
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
	set_path(entry, path, status);
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
