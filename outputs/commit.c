#include "outputs/commit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "outputs/outputs_private.h"
#include "outputs/record_paths.h"
#include "outputs/search_text.h"

/* From so many files on, one sync of the filesystem is less waiting than one for each. Measured on
 * ext4: 64 files in 13 ms against 480 ms. */
#define SYNC_TOGETHER_MIN 4

WeftCommit *weft_commit_new(const char *records, const char *lock_path, gboolean syncs_alone)
{
	WeftCommit *commit = g_new0(WeftCommit, 1);

	commit->entries = g_ptr_array_new_with_free_func((GDestroyNotify)weft_commit_entry_free);
	commit->last = g_hash_table_new(g_str_hash, g_str_equal);
	commit->records = g_strdup(records);
	commit->lock_path = g_strdup(lock_path);
	commit->syncs_alone = syncs_alone;
	commit->first_us = g_get_monotonic_time();
	return commit;
}

void weft_commit_free(WeftCommit *commit)
{
	if (!commit)
		return;
	g_hash_table_unref(commit->last);
	g_ptr_array_unref(commit->entries);
	g_free(commit->records);
	g_free(commit->untold);
	g_free(commit->lock_path);
	g_free(commit);
}

void weft_commit_entry_free(WeftCommitEntry *entry)
{
	if (!entry)
		return;
	weft_new_file_close(entry->written);
	weft_search_text_free(entry->text);
	g_free(entry->file);
	g_free(entry->temporary);
	g_free(entry->sha256);
	g_free(entry->fingerprint);
	g_clear_pointer(&entry->changes, g_array_unref);
	g_free(entry);
}

const WeftCommitEntry *weft_commit_find(const WeftCommit *commit, const char *id)
{
	return commit ? g_hash_table_lookup(commit->last, id) : NULL;
}

void weft_commit_add(WeftCommit *commit, WeftCommitEntry *take_entry)
{
	g_ptr_array_add(commit->entries, take_entry);
	/* Rows alone say nothing new about the record. */
	if (take_entry->temporary || take_entry->is_removed)
		g_hash_table_replace(commit->last, take_entry->known.id,
				     take_entry);
}

/* ---- writing ---- */

typedef struct Writing {
	WeftNewFile *file;
	GChecksum *sum;
	gsize size_bytes;
} Writing;

static gboolean write_piece(gpointer data, const char *text, gsize size_bytes, GError **error)
{
	Writing *writing = data;

	g_checksum_update(writing->sum, (const guchar *)text, (gssize)size_bytes);
	writing->size_bytes += size_bytes;
	return weft_new_file_write(writing->file, text, size_bytes, error);
}

static gboolean write_text(Writing *writing, const WeftRecordText *text, GError **error)
{
	g_autoptr(GString) piece = g_string_new(NULL);
	WeftJsonWriter writer;
	gboolean is_good = TRUE;

	weft_json_writer_init(&writer, piece);
	weft_json_writer_hand_on(&writer, write_piece, writing);
	if (text->record)
		weft_record_take(text->record, &writer);
	else
		is_good = weft_record_file_copy(text->before, text->address, text->paths, &writer,
						error);
	if (is_good)
		g_string_append_c(piece, '\n');
	return weft_json_writer_finish(&writer, is_good ? error : NULL) && is_good;
}

/* The new file, its checksum, size and facts, in the entry; none of them when it fails. */
static gboolean write_file(WeftCommitEntry *entry, const WeftRecordText *text, GError **error)
{
	g_autoptr(WeftNewFile) written = weft_new_file_open(entry->file, error);
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	Writing writing = {written, sum, 0};
	struct stat status;

	if (!written || !write_text(&writing, text, error) ||
	    !weft_new_file_status(written, &status, error))
		return FALSE;
	weft_new_file_close(entry->written);
	entry->written = g_steal_pointer(&written);
	g_strlcpy(entry->file_sha256, g_checksum_get_string(sum), sizeof(entry->file_sha256));
	entry->file_status = status;
	return TRUE;
}

gboolean weft_commit_write(WeftCommit *commit, WeftCommitEntry *entry, const WeftRecordText *text,
			   GError **error)
{
	g_autofree char *folder = g_path_get_dirname(entry->file);

	if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
		if (!weft_folder_make(folder, 0700, error))
			return FALSE;
		commit->makes_folders = TRUE;
	}
	if (!write_file(entry, text, error))
		return FALSE;
	entry->temporary = g_strdup(weft_new_file_temporary(entry->written));
	weft_new_file_begin_sync(entry->written);
	if (entry->text)
		commit->size_bytes += weft_search_text_bytes(entry->text);
	return TRUE;
}

/* ---- publishing ---- */

/* All at once, where the filesystem can. FALSE without an error: one by one. */
static gboolean sync_together(WeftCommit *commit, gsize n, GError **error)
{
	if (commit->syncs_alone || n < SYNC_TOGETHER_MIN)
		return FALSE;
	int folder = weft_folder_open(commit->records, error);
	if (folder < 0)
		return FALSE;
	gint64 begin_us = g_get_monotonic_time();
	gboolean is_synced = weft_filesystem_sync(folder, commit->records, error);
	commit->sync_us += g_get_monotonic_time() - begin_us;
	close(folder);
	return is_synced;
}

static gboolean sync_files(WeftCommit *commit, GError **error)
{
	g_autoptr(GError) failure = NULL;
	gsize n = 0;

	for (guint i = 0; i < commit->entries->len; i++)
		n += ((WeftCommitEntry *)commit->entries->pdata[i])->written != NULL;
	gboolean is_synced = sync_together(commit, n, &failure);
	if (failure) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	for (guint i = 0; i < commit->entries->len; i++) {
		WeftCommitEntry *entry = commit->entries->pdata[i];
		if (entry->written && !weft_new_file_sync(entry->written, is_synced, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* TRUE when the record in the entry's place is not the one that the entry was made from. */
static gboolean has_changed(const WeftCommitEntry *entry)
{
	struct stat now;

	if (stat(entry->file, &now) < 0)
		return FALSE; /* nothing to merge with */
	return !entry->has_before || !is_same_file(&now, &entry->before);
}

/* Writes the record anew over the one that is there: with that one's paths, and the entry's changes. A
 * new record takes them over, one that was there before is written again with them. */
static gboolean merge(WeftCommitEntry *entry, WeftRecordFile *there, GError **error)
{
	g_autoptr(GPtrArray) paths = weft_record_paths_read(there->head);
	g_autoptr(WeftRecordFile) ours = NULL;
	WeftRecordText text = {.before = there, .paths = paths};

	weft_record_paths_settle(paths);
	if (entry->changes)
		(void)weft_path_changes_apply(entry->changes, paths, entry->sha256 != NULL);
	if (entry->is_new) {
		text.before = ours =
			weft_record_file_open(entry->temporary, entry->known.id, NULL, NULL, error);
		if (!ours)
			return FALSE;
	}
	return write_file(entry, &text, error) &&
	       weft_new_file_sync(entry->written, FALSE, error);
}

/* Writes the entry's record once more, over one that another run has written meanwhile. A record
 * there that is damaged is replaced; one that the disk does not give has paths that are its own. */
static gboolean write_again(WeftCommitEntry *entry, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(WeftRecordFile) there =
		weft_record_file_open(entry->file, entry->known.id, NULL, NULL, &failure);

	if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_IO)) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	return !there || merge(entry, there, error);
}

static gboolean rename_entry(WeftCommitEntry *entry, GError **error)
{
	if (entry->is_removed && unlink(entry->file) < 0 && errno != ENOENT) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", entry->known.id,
			    g_strerror(errno));
		return FALSE;
	}
	if (!entry->written)
		return TRUE;
	if (has_changed(entry) && !write_again(entry, error))
		return FALSE;
	return weft_new_file_rename(entry->written, error);
}

static gboolean sync_folders(WeftCommit *commit, GError **error)
{
	g_autoptr(GHashTable) folders =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GError) failure = NULL;
	GHashTableIter iter;
	gpointer folder;

	if (commit->makes_folders)
		g_hash_table_add(folders, g_strdup(commit->records));
	for (guint i = 0; i < commit->entries->len; i++) {
		const WeftCommitEntry *entry = commit->entries->pdata[i];
		if (entry->written || entry->is_removed)
			g_hash_table_add(folders, g_path_get_dirname(entry->file));
	}
	if (sync_together(commit, g_hash_table_size(folders), &failure))
		return TRUE;
	if (failure) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	g_hash_table_iter_init(&iter, folders);
	while (g_hash_table_iter_next(&iter, &folder, NULL))
		if (!weft_folder_sync(folder, error))
			return FALSE;
	return TRUE;
}

gboolean weft_commit_publish(WeftCommit *commit, GError **error)
{
	if (!sync_files(commit, error) ||
	    (commit->untold && !weft_folder_sync(commit->untold, error)))
		return FALSE;
	g_autoptr(WeftLock) lock = weft_lock_open(commit->lock_path, WEFT_LOCK_ALONE, TRUE, error);
	if (!lock)
		return FALSE;
	for (guint i = 0; i < commit->entries->len; i++)
		if (!rename_entry(commit->entries->pdata[i], error))
			return FALSE;
	return sync_folders(commit, error);
}
