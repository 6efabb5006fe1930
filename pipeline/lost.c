#include "pipeline/lost.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "base/long_path.h"
#include "pipeline/walk.h"

#define ROWS_AT_ONCE 1000
/* Lost files among which renamed ones are looked for; 32 bytes each, and their slots. */
#define KEYS_MAX ((guint64)4 << 20)
#define LOST_PERCENT_MAX 10

typedef struct Root {
	const char *path;
	guint64 n_known, n_lost; /* of n_known; renamed ones are taken off */
	guint64 n_gone;          /* lost, with those whose size was not known */
} Root;

/* Called for each path of the job beneath a folder. */
typedef gboolean (*SourceFunc)(const WeftSource *source, void *data, GError **error);

/* From "." relative paths alone are reached, and those that do not lead out of it. */
static gboolean is_beneath(const char *root, const char *path)
{
	return strcmp(root, ".") != 0 || (path[0] != '/' && !g_str_has_prefix(path, "../"));
}

static gboolean for_each_source(WeftRun *run, WeftRunner *runner, const char *root,
				SourceFunc function, void *data, GError **error)
{
	g_autofree char *after = NULL;

	for (;;) {
		g_autoptr(GArray) sources = NULL;

		if (runner != NULL && weft_runner_is_cancelled(runner)) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CANCELLED, "the run was stopped");
			return FALSE;
		}
		if (!weft_store_sources(run->store, root, after, ROWS_AT_ONCE, &sources, error))
			return FALSE;
		if (sources->len == 0 || weft_stop_is_asked(run->stop))
			return TRUE;
		for (guint i = 0; i < sources->len; i++) {
			const WeftSource *source = &g_array_index(sources, WeftSource, i);

			if (is_beneath(root, source->path) && !function(source, data, error))
				return FALSE;
		}
		g_free(after);
		after = g_strdup(g_array_index(sources, WeftSource, sources->len - 1).path);
	}
}

static gboolean can_be_listed(const char *path)
{
	DIR *folder = opendir(path);

	if (folder != NULL)
		closedir(folder);
	return folder != NULL;
}

/* What can't be asked for (permissions, a disk that fails) is not lost. A folder is when it can be
 * listed: its record said that it could not, or was a file's. */
static gboolean is_lost(const char *path)
{
	struct stat status;

	if (weft_path_stat(path, AT_SYMLINK_NOFOLLOW, &status) == 0)
		return S_ISDIR(status.st_mode) ? can_be_listed(path) : !S_ISREG(status.st_mode);
	return errno == ENOENT || errno == ENOTDIR;
}

static gboolean count_source(const WeftSource *source, void *data, GError **error)
{
	Root *root = data;
	gboolean lost = is_lost(source->path);

	(void)error;
	root->n_gone += lost;
	if (source->has_status) {
		root->n_known++;
		root->n_lost += lost;
	}
	return TRUE;
}

/* ---- renamed files ---- */

/* Size and time of change, 61 bits of nanoseconds, hardly meet by chance. With the inode it is the
 * same file; 0: whatever file. */
static guint64 key_of(guint64 size_bytes, gint64 mtime_ns, guint64 inode)
{
	return (guint64)mtime_ns ^ size_bytes * G_GUINT64_CONSTANT(0x9E3779B97F4A7C15) ^
	       inode * G_GUINT64_CONSTANT(0xC2B2AE3D27D4EB4F);
}

static guint count_of(GHashTable *counts, guint64 key)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(counts, &key));
}

static void set_count(GHashTable *counts, guint64 key, guint n)
{
	g_hash_table_insert(counts, g_memdup2(&key, sizeof key), GUINT_TO_POINTER(n));
}

static gboolean note_lost(const WeftSource *source, void *data, GError **error)
{
	GHashTable *lost = data;
	guint64 any, same;

	(void)error;
	if (!source->has_status || !is_lost(source->path))
		return TRUE;
	any = key_of(source->size_bytes, source->mtime_ns, 0);
	same = key_of(source->size_bytes, source->mtime_ns, source->inode);
	set_count(lost, any, count_of(lost, any) + 1);
	set_count(lost, same, 1);
	return TRUE;
}

/* A path that was seen before is one that was renamed when a run that was killed has seen it: then
 * it is the very file that was lost. */
static gboolean is_renamed(WeftRun *run, GHashTable *lost, const WeftFound *found)
{
	guint64 size_bytes = (guint64)found->status.st_size;
	gint64 mtime_ns = (gint64)found->status.st_mtim.tv_sec * 1000000000 +
			  found->status.st_mtim.tv_nsec;
	guint64 any = key_of(size_bytes, mtime_ns, 0);
	guint n = count_of(lost, any);

	if (n == 0 || (weft_store_has_seen(run->store, found->path) &&
		       count_of(lost, key_of(size_bytes, mtime_ns, found->status.st_ino)) == 0))
		return FALSE;
	set_count(lost, any, n - 1);
	return TRUE;
}

/* Files beneath the root at new paths that have size and time of a lost one. */
static gboolean count_renamed(WeftRun *run, WeftRunner *runner, const char *root,
			      guint64 *ret_n_renamed, GError **error)
{
	g_autoptr(GHashTable) lost = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	g_autoptr(GPtrArray) inputs = g_ptr_array_new();
	g_autoptr(WeftWalk) walk = NULL;
	guint64 n_renamed = 0;
	WeftFound found;

	if (!for_each_source(run, runner, root, note_lost, lost, error))
		return FALSE;
	g_ptr_array_add(inputs, (char *)root);
	walk = weft_walk_new(inputs, run->job->excludes);
	while (weft_walk_next(walk, &found) && !weft_runner_is_cancelled(runner) &&
	       !weft_stop_is_asked(run->stop)) {
		if (found.has_status)
			n_renamed += is_renamed(run, lost, &found);
	}
	*ret_n_renamed = n_renamed;
	return TRUE;
}

/* ---- belief ---- */

static gboolean refuse(const char *root, const char *what, GError **error)
{
	g_autofree char *name = weft_path_display(root);

	g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO,
		    "%s: %s; is it mounted? Nothing was done; --accept-deletions goes on", name, what);
	return FALSE;
}

static gboolean refuse_numbers(const Root *root, GError **error)
{
	g_autofree char *what = g_strdup_printf(
		"%" G_GUINT64_FORMAT " of the %" G_GUINT64_FORMAT " files of earlier runs are not there "
		"any more (%.1f %%, believed up to %d %%)",
		root->n_lost, root->n_known, 100.0 * (double)root->n_lost / (double)root->n_known,
		LOST_PERCENT_MAX);

	return refuse(root->path, what, error);
}

static gboolean is_too_much(const Root *root)
{
	return root->n_lost > 0 && root->n_lost > root->n_known * LOST_PERCENT_MAX / 100;
}

/* A folder without any name in it. */
static gboolean is_empty(const char *path)
{
	g_autoptr(GPtrArray) inputs = g_ptr_array_new();
	g_autoptr(GPtrArray) excludes = g_ptr_array_new();
	g_autoptr(WeftWalk) walk = NULL;
	WeftFound found;

	g_ptr_array_add(inputs, (char *)path);
	walk = weft_walk_new(inputs, excludes);
	return !weft_walk_next(walk, &found) &&
	       weft_walk_n_left_out(walk) + weft_walk_n_ignored(walk) == 0;
}

/* `is_there`: the root is a folder now. */
static gboolean believe(WeftRun *run, WeftRunner *runner, Root *root, gboolean is_there,
			GError **error)
{
	gboolean is_known = weft_store_knows_folder(run->store, root->path);

	if (!for_each_source(run, runner, root->path, count_source, root, error))
		return FALSE;
	/* Of a run that stops not all was looked at; it does nothing, either. */
	if (run->job->accepts_deletions || weft_stop_is_asked(run->stop))
		return TRUE;
	if (!is_there && root->n_known == 0)
		return !is_known || refuse(root->path, "earlier runs found files in this folder, "
						       "which is not there any more", error);
	if (is_too_much(root) && is_there && root->n_lost <= KEYS_MAX) {
		guint64 n_renamed;

		if (!count_renamed(run, runner, root->path, &n_renamed, error))
			return FALSE;
		root->n_lost -= MIN(n_renamed, root->n_lost);
	}
	if (weft_stop_is_asked(run->stop))
		return TRUE;
	if (is_too_much(root))
		return refuse_numbers(root, error);
	if (is_known && is_there && is_empty(root->path))
		return refuse(root->path, "earlier runs found files in this folder, which is empty now",
			      error);
	return TRUE;
}

/* Folders, and what was one. */
static gboolean is_root(WeftRun *run, const char *path, gboolean *ret_is_there)
{
	*ret_is_there = g_file_test(path, G_FILE_TEST_IS_DIR);
	return *ret_is_there || (!g_file_test(path, G_FILE_TEST_IS_REGULAR) &&
				 weft_store_knows_folder(run->store, path));
}

/* A folder has a row only where an earlier run could not list it. */
static gboolean is_listed_again(WeftRun *run, const char *path)
{
	return weft_store_has_seen(run->store, path) && can_be_listed(path);
}

static gboolean has_whole_inputs(const WeftRun *run)
{
	return weft_store_is_folder(run->store) && run->job->sample == 0 && !run->job->is_dry;
}

gboolean weft_lost_check(WeftRun *run, WeftRunner *runner, guint64 *ret_n_lost, GError **error)
{
	*ret_n_lost = 0;
	if (!has_whole_inputs(run))
		return TRUE;
	for (guint i = 0; i < run->inputs->len && !weft_stop_is_asked(run->stop); i++) {
		Root root = {.path = g_ptr_array_index(run->inputs, i)};
		gboolean is_there;

		if (!is_root(run, root.path, &is_there))
			continue;
		if (!believe(run, runner, &root, is_there, error))
			return FALSE;
		*ret_n_lost += root.n_gone + is_listed_again(run, root.path);
	}
	return TRUE;
}

static gboolean lose_source(const WeftSource *source, void *data, GError **error)
{
	WeftRun *run = data;

	if (!is_lost(source->path))
		return TRUE;
	WEFT_COUNT(run, n_gone, 1);
	return weft_store_lose(run->store, source->path, error);
}

gboolean weft_lost_settle(WeftRun *run, GError **error)
{
	if (!has_whole_inputs(run))
		return TRUE;
	for (guint i = 0; i < run->inputs->len; i++) {
		const char *path = g_ptr_array_index(run->inputs, i);
		gboolean is_there;

		if (!is_root(run, path, &is_there))
			continue;
		if (!for_each_source(run, NULL, path, lose_source, run, error))
			return FALSE;
		if (is_listed_again(run, path) && !weft_store_lose(run->store, path, error))
			return FALSE;
	}
	return TRUE;
}
