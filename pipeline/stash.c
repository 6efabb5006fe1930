#include "pipeline/stash.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"

#define NAMES_MAX ((gsize)10 * 1000 * 1000)
/* More than two group commits hold, one under way and one being filled: older ones are on disk. */
#define DROPPED_MAX 160u
/* What goes at once when the cache is full: listing it is dear. */
#define EVICTED_SHARE 10u

struct WeftStash {
	char *work_dir, *cache_dir;
	guint64 limit_bytes;

	pthread_mutex_t mutex; /* guards all below */
	gboolean is_measured;
	guint64 size_bytes;
	GQueue dropped; /* WeftJournal: of records that may not be on disk yet */
};

typedef struct Kept {
	char *path;
	guint64 size_bytes;
	struct timespec used;
} Kept;

static void kept_free(void *data)
{
	Kept *kept = data;

	g_free(kept->path);
	g_free(kept);
}

WeftStash *weft_stash_new(const char *state_dir, guint64 limit_bytes)
{
	WeftStash *stash = g_new0(WeftStash, 1);

	stash->work_dir = g_build_filename(state_dir, "work", NULL);
	stash->cache_dir = g_build_filename(state_dir, "cache", NULL);
	stash->limit_bytes = limit_bytes;
	pthread_mutex_init(&stash->mutex, NULL);
	g_queue_init(&stash->dropped);
	return stash;
}

/* Unlinked while its lock is held, so that nobody goes on with it. */
static void remove_journal(WeftJournal *take_journal)
{
	weft_journal_freeze(take_journal);
	(void)unlink(weft_journal_path(take_journal)); /* what stays is bounded by settle */
	weft_journal_close(take_journal);
}

void weft_stash_free(WeftStash *stash)
{
	WeftJournal *journal;

	if (stash == NULL)
		return;
	while ((journal = g_queue_pop_head(&stash->dropped)) != NULL)
		remove_journal(journal);
	pthread_mutex_destroy(&stash->mutex);
	g_free(stash->work_dir);
	g_free(stash->cache_dir);
	g_free(stash);
}

static char *kept_path(const WeftStash *stash, const char *key)
{
	const char folder[] = {key[0], key[1], '\0'};

	return g_build_filename(stash->cache_dir, folder, key, NULL);
}

static gboolean is_key(const char *name)
{
	return strlen(name) == WEFT_JOURNAL_KEY_DIGITS &&
	       strspn(name, "0123456789abcdef") == WEFT_JOURNAL_KEY_DIGITS;
}

static guint64 size_of(const struct stat *status)
{
	return (guint64)status->st_blocks * 512;
}

/* ---- what lies there ---- */

static void list_folder(const char *folder, GPtrArray *kept)
{
	g_autoptr(GPtrArray) names = weft_folder_names(folder, NAMES_MAX, NULL);

	for (guint i = 0; names != NULL && i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *path = g_build_filename(folder, name, NULL);
		struct stat status;
		Kept *one;

		if (!is_key(name) || lstat(path, &status) != 0 || !S_ISREG(status.st_mode))
			continue;
		one = g_new0(Kept, 1);
		one->path = g_steal_pointer(&path);
		one->size_bytes = size_of(&status);
		one->used = status.st_mtim;
		g_ptr_array_add(kept, one);
	}
}

static GPtrArray *list_cache(const WeftStash *stash)
{
	GPtrArray *kept = g_ptr_array_new_with_free_func(kept_free);
	g_autoptr(GPtrArray) folders = weft_folder_names(stash->cache_dir, NAMES_MAX, NULL);

	for (guint i = 0; folders != NULL && i < folders->len; i++) {
		g_autofree char *folder =
			g_build_filename(stash->cache_dir, g_ptr_array_index(folders, i), NULL);

		list_folder(folder, kept);
	}
	return kept;
}

static gint by_use(gconstpointer a, gconstpointer b)
{
	const Kept *first = *(const Kept *const *)a, *second = *(const Kept *const *)b;

	if (first->used.tv_sec != second->used.tv_sec)
		return first->used.tv_sec < second->used.tv_sec ? -1 : 1;
	if (first->used.tv_nsec != second->used.tv_nsec)
		return first->used.tv_nsec < second->used.tv_nsec ? -1 : 1;
	return strcmp(first->path, second->path);
}

/* One that a run reads or writes stays. */
static gboolean evict(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	gboolean is_gone =
		fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && unlink(path) == 0;

	if (fd >= 0)
		close(fd);
	return is_gone;
}

/* Measures, and makes room when it is more than `limit_bytes`. */
static void measure_locked(WeftStash *stash, guint64 limit_bytes)
{
	g_autoptr(GPtrArray) kept = list_cache(stash);

	stash->size_bytes = 0;
	for (guint i = 0; i < kept->len; i++)
		stash->size_bytes += ((const Kept *)g_ptr_array_index(kept, i))->size_bytes;
	stash->is_measured = TRUE;
	if (stash->size_bytes <= limit_bytes)
		return;
	g_ptr_array_sort(kept, by_use);
	for (guint i = 0; i < kept->len && stash->size_bytes > limit_bytes; i++) {
		const Kept *one = g_ptr_array_index(kept, i);

		if (evict(one->path))
			stash->size_bytes -= one->size_bytes;
	}
}

/* ---- journals ---- */

WeftJournal *weft_stash_begin(WeftStash *stash, const char *key)
{
	g_autofree char *path = g_build_filename(stash->work_dir, key, NULL);
	g_autofree char *kept = kept_path(stash, key);
	WeftJournal *journal;
	struct stat status;

	if (access(path, F_OK) != 0 && lstat(kept, &status) == 0) {
		if (!weft_folder_make(stash->work_dir, 0700, NULL) || rename(kept, path) != 0)
			return NULL;
		pthread_mutex_lock(&stash->mutex);
		stash->size_bytes -= MIN(stash->size_bytes, size_of(&status));
		pthread_mutex_unlock(&stash->mutex);
	}
	journal = weft_journal_open(path, key, NULL);
	if (journal == NULL && access(stash->work_dir, F_OK) != 0 &&
	    weft_folder_make(stash->work_dir, 0700, NULL))
		journal = weft_journal_open(path, key, NULL);
	return journal;
}

WeftJournalReader *weft_stash_look(WeftStash *stash, const char *key)
{
	g_autofree char *path = g_build_filename(stash->work_dir, key, NULL);
	g_autofree char *kept = kept_path(stash, key);
	WeftJournalReader *reader = weft_journal_reader_open(kept, key, NULL);

	if (reader != NULL)
		(void)utimensat(AT_FDCWD, kept, NULL, 0); /* used now: it goes last */
	return reader != NULL ? reader : weft_journal_reader_open(path, key, NULL);
}

void weft_stash_keep(WeftStash *stash, WeftJournal *take_journal, gboolean may_evict)
{
	g_autoptr(WeftJournal) journal = take_journal;
	g_autofree char *path = kept_path(stash, weft_journal_key(journal));
	g_autofree char *folder = g_path_get_dirname(path);
	struct stat status;
	gboolean has_room;

	weft_journal_flush(journal);
	if (weft_journal_position(journal) == 0 && !weft_journal_is_complete(journal)) {
		remove_journal(g_steal_pointer(&journal));
		return;
	}
	if (stat(weft_journal_path(journal), &status) != 0)
		return;
	pthread_mutex_lock(&stash->mutex);
	if (!stash->is_measured && stash->limit_bytes > 0)
		measure_locked(stash, stash->limit_bytes);
	has_room = size_of(&status) <= stash->limit_bytes;
	if (has_room && stash->size_bytes + size_of(&status) > stash->limit_bytes) {
		if (may_evict)
			measure_locked(stash, stash->limit_bytes - MAX(size_of(&status),
								       stash->limit_bytes /
									       EVICTED_SHARE));
		has_room = stash->size_bytes + size_of(&status) <= stash->limit_bytes;
	}
	if (has_room)
		stash->size_bytes += size_of(&status);
	pthread_mutex_unlock(&stash->mutex);
	if (!has_room) {
		remove_journal(g_steal_pointer(&journal));
		return;
	}
	(void)utimensat(AT_FDCWD, weft_journal_path(journal), NULL, 0);
	if (rename(weft_journal_path(journal), path) != 0 && errno == ENOENT &&
	    weft_folder_make(folder, 0700, NULL))
		(void)rename(weft_journal_path(journal), path); /* stays in work: settle */
}

void weft_stash_drop(WeftStash *stash, WeftJournal *take_journal)
{
	WeftJournal *oldest = NULL;

	pthread_mutex_lock(&stash->mutex);
	g_queue_push_tail(&stash->dropped, take_journal);
	if (g_queue_get_length(&stash->dropped) > DROPPED_MAX)
		oldest = g_queue_pop_head(&stash->dropped);
	pthread_mutex_unlock(&stash->mutex);
	if (oldest != NULL)
		remove_journal(oldest);
}

/* Moves what nobody writes to out of work. */
static void clear_work(WeftStash *stash)
{
	g_autoptr(GPtrArray) left = g_ptr_array_new_with_free_func(kept_free);

	list_folder(stash->work_dir, left);
	for (guint i = 0; i < left->len; i++) {
		const Kept *one = g_ptr_array_index(left, i);
		g_autofree char *key = g_path_get_basename(one->path);
		WeftJournal *journal = weft_journal_open(one->path, key, NULL);

		if (journal == NULL)
			continue;
		weft_stash_keep(stash, journal, TRUE);
	}
}

void weft_stash_forget(WeftStash *stash, const char *key)
{
	g_autofree char *path = g_build_filename(stash->work_dir, key, NULL);

	(void)unlink(path); /* whoever writes to it has a file without a name */
}

void weft_stash_settle(WeftStash *stash)
{
	clear_work(stash);
}

gboolean weft_stash_collect(const char *state_dir, guint64 limit_bytes, WeftStashCounts *ret_counts,
			    GError **error)
{
	g_autoptr(WeftStash) stash = weft_stash_new(state_dir, limit_bytes);
	struct stat status;
	guint64 before;

	if (stat(state_dir, &status) != 0) {
		g_autofree char *shown = weft_path_display(state_dir);

		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", shown, g_strerror(errno));
		return FALSE;
	}
	clear_work(stash);
	pthread_mutex_lock(&stash->mutex);
	measure_locked(stash, G_MAXUINT64);
	before = stash->size_bytes;
	measure_locked(stash, limit_bytes);
	*ret_counts = (WeftStashCounts){.size_bytes = stash->size_bytes,
					.freed_bytes = before - stash->size_bytes};
	pthread_mutex_unlock(&stash->mutex);
	return TRUE;
}
