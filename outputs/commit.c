#include "outputs/commit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "outputs/outputs_private.h"
#include "outputs/record_paths.h"

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
	g_free(entry->path);
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

/* The new file, its checksum and its facts; none of the three when it fails. */
static WeftNewFile *write_file(const char *file, const char *text, gsize size_bytes,
			       char ret_sha256[65], struct stat *ret_status, GError **error)
{
	g_autoptr(WeftNewFile) written = weft_new_file_open(file, error);
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	struct stat status;

	if (!written || !weft_new_file_write(written, text, size_bytes, error) ||
	    !weft_new_file_write(written, "\n", 1, error) ||
	    !weft_new_file_status(written, &status, error))
		return NULL;
	g_checksum_update(sum, (const guchar *)text, (gssize)size_bytes);
	g_checksum_update(sum, (const guchar *)"\n", 1);
	g_strlcpy(ret_sha256, g_checksum_get_string(sum), 65);
	*ret_status = status;
	return g_steal_pointer(&written);
}

gboolean weft_commit_write(WeftCommit *commit, WeftCommitEntry *entry, const char *text,
			  gsize size_bytes, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(entry->file);

	if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
		if (!weft_folder_make(folder, 0700, error))
			return FALSE;
		commit->makes_folders = TRUE;
	}
	entry->written = write_file(entry->file, text, size_bytes, entry->file_sha256,
				    &entry->file_status, error);
	if (!entry->written)
		return FALSE;
	entry->temporary = g_strdup(weft_new_file_temporary(entry->written));
	weft_new_file_begin_sync(entry->written);
	commit->size_bytes += size_bytes;
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

/* The paths of the record that is there, with the entry's change. A new record takes them over, one
 * that was there before is written again with them. */
static char *merge(const WeftCommitEntry *entry, const WeftJson *there, gsize *ret_size_bytes,
		   GError **error)
{
	g_autoptr(GPtrArray) paths = weft_record_paths_read(there);
	g_autoptr(WeftJson) ours = NULL;

	if (entry->is_lost)
		weft_record_paths_remove(paths, entry->path);
	else if (entry->path)
		weft_record_paths_add(paths, entry->path);
	if (!entry->is_new)
		return weft_record_paths_replace(there, paths, ret_size_bytes);
	ours = weft_record_read(entry->temporary, entry->known.id, NULL, error);
	return ours ? weft_record_paths_replace(ours, paths, ret_size_bytes) : NULL;
}

/* Writes the entry's record once more, over one that another run has written meanwhile. A record
 * there that is damaged is replaced; one that the disk does not give has paths that are its own. */
static gboolean write_again(WeftCommitEntry *entry, GError **error)
{
	g_autoptr(GError) failure = NULL;
	g_autoptr(WeftJson) there = weft_record_read(entry->file, entry->known.id, NULL, &failure);
	gsize size;

	if (g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_IO)) {
		g_propagate_error(error, g_steal_pointer(&failure));
		return FALSE;
	}
	if (!there)
		return TRUE;
	g_autofree char *text = merge(entry, there, &size, error);
	g_autoptr(WeftNewFile) written = NULL;
	if (text)
		written = write_file(entry->file, text, size, entry->file_sha256,
				     &entry->file_status, error);
	if (!written || !weft_new_file_sync(written, FALSE, error))
		return FALSE;
	weft_new_file_close(entry->written);
	entry->written = g_steal_pointer(&written);
	return TRUE;
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
