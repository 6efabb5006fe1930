#include "pipeline/store.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/error.h"
#include "pipeline/seen.h"

struct WeftStore {
	char *fingerprint;
	gboolean is_folder;
	gboolean has_thread;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t changed;
	WeftOutputs *outputs;
	GHashTable *under_way; /* ids (char *) of this run's documents that have no record yet */
	WeftSeen *seen;        /* and of those that have one */
	gboolean is_committing, is_flushing, is_ending;
	GError *failure;       /* of a commit */
};

/* Whoever has one holds the mutex until its scope ends, behind the value that it returns. */
typedef pthread_mutex_t Hold;

static Hold *hold(WeftStore *store)
{
	pthread_mutex_lock(&store->mutex);
	return &store->mutex;
}

static void hold_end(Hold *held)
{
	pthread_mutex_unlock(held);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hold, hold_end)

/* ---- the thread that commits ---- */

/* The batch, with the paths that have waited long enough. */
static WeftCommit *take_locked(WeftStore *store, GError **error)
{
	return weft_outputs_write_paths(store->outputs, store->is_flushing, error)
		   ? weft_outputs_take_commit(store->outputs)
		   : NULL;
}

static void commit_locked(WeftStore *store)
{
	GError *failure = NULL;
	WeftCommit *commit = take_locked(store, &failure);
	gboolean is_published;

	store->failure = failure;
	store->is_committing = commit != NULL;
	pthread_cond_broadcast(&store->changed); /* there is room */
	if (commit == NULL)
		return;
	pthread_mutex_unlock(&store->mutex);
	is_published = weft_commit_publish(commit, &failure);
	pthread_mutex_lock(&store->mutex);
	if (is_published)
		(void)weft_outputs_put_commit(store->outputs, commit, &failure);
	else
		weft_outputs_drop_commit(store->outputs, commit);
	store->failure = failure;
	store->is_committing = FALSE;
	pthread_cond_broadcast(&store->changed);
}

/* Until something has changed, or what waits has waited long enough. */
static void wait_locked(WeftStore *store)
{
	gint64 due_us = weft_outputs_due_us(store->outputs);
	struct timespec until = {.tv_sec = (time_t)(due_us / 1000000),
				 .tv_nsec = (long)(due_us % 1000000) * 1000};

	if (due_us == G_MAXINT64 || store->failure != NULL)
		pthread_cond_wait(&store->changed, &store->mutex);
	else
		(void)pthread_cond_timedwait(&store->changed, &store->mutex, &until);
}

static gboolean is_due_locked(const WeftStore *store)
{
	if (store->failure != NULL || weft_outputs_n_waiting(store->outputs) == 0)
		return FALSE;
	return store->is_flushing || g_get_monotonic_time() >= weft_outputs_due_us(store->outputs);
}

static void *commit_thread(void *data)
{
	WeftStore *store = data;

	pthread_mutex_lock(&store->mutex);
	while (!store->is_ending) {
		if (is_due_locked(store))
			commit_locked(store);
		else
			wait_locked(store);
	}
	pthread_mutex_unlock(&store->mutex);
	return NULL;
}

/* FALSE with the error of a commit that failed. */
static gboolean is_good_locked(const WeftStore *store, GError **error)
{
	if (store->failure != NULL && error != NULL)
		*error = g_error_copy(store->failure);
	return store->failure == NULL;
}

/* Waits for room in the open batch; *ret_due_us is for put_locked. */
static gboolean enter_locked(WeftStore *store, gint64 *ret_due_us, GError **error)
{
	while (store->failure == NULL && weft_outputs_is_full(store->outputs))
		pthread_cond_wait(&store->changed, &store->mutex);
	*ret_due_us = weft_outputs_due_us(store->outputs);
	return is_good_locked(store, error);
}

/* After something was put: the thread is woken when it has to look at the clock, or to work. */
static void put_locked(WeftStore *store, gint64 due_before_us)
{
	if (weft_outputs_due_us(store->outputs) < due_before_us)
		pthread_cond_broadcast(&store->changed);
}

/* ---- the store ---- */

static gboolean start(WeftStore *store, GError **error)
{
	sigset_t all, before;
	int number;

	/* Signals are for the thread that waits for the run; this one is older than its descriptor. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	number = pthread_create(&store->thread, NULL, commit_thread, store);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	store->has_thread = number == 0;
	if (number != 0)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "the thread that commits: %s",
			    g_strerror(number));
	return number == 0;
}

WeftStore *weft_store_new(WeftOutputs *take_outputs, const char *fingerprint, GError **error)
{
	g_autoptr(WeftStore) store = g_new0(WeftStore, 1);
	pthread_condattr_t monotonic;

	store->fingerprint = g_strdup(fingerprint);
	store->outputs = take_outputs;
	store->is_folder = take_outputs != NULL;
	store->under_way = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	store->seen = weft_seen_new();
	pthread_mutex_init(&store->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&store->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (store->is_folder && !start(store, error))
		return NULL;
	return g_steal_pointer(&store);
}

void weft_store_free(WeftStore *store)
{
	if (store == NULL)
		return;
	if (store->has_thread) {
		pthread_mutex_lock(&store->mutex);
		store->is_ending = TRUE;
		pthread_cond_broadcast(&store->changed);
		pthread_mutex_unlock(&store->mutex);
		pthread_join(store->thread, NULL);
	}
	if (store->outputs != NULL)
		weft_outputs_close(store->outputs);
	g_hash_table_unref(store->under_way);
	weft_seen_free(store->seen);
	g_clear_error(&store->failure);
	pthread_cond_destroy(&store->changed);
	pthread_mutex_destroy(&store->mutex);
	g_free(store->fingerprint);
	g_free(store);
}

gboolean weft_store_is_folder(const WeftStore *store)
{
	return store->is_folder;
}

gboolean weft_store_is_unchanged(WeftStore *store, const char *path, const struct stat *status,
                                 WeftKnown *ret_known)
{
	if (!store->is_folder)
		return FALSE;
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	return weft_outputs_is_unchanged(store->outputs, path, status, store->fingerprint, ret_known);
}

gboolean weft_store_knows(WeftStore *store, const char *path)
{
	if (!store->is_folder)
		return FALSE;
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	g_autofree char *file = weft_outputs_record_path(store->outputs, path, NULL);
	return file != NULL;
}

gboolean weft_store_has(WeftStore *store, const char *id)
{
	if (!store->is_folder)
		return FALSE;
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	return weft_outputs_has(store->outputs, id);
}

WeftClaim weft_store_claim(WeftStore *store, const char *id)
{
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);

	if (g_hash_table_contains(store->under_way, id) ||
	    (weft_seen_has(store->seen, id) && weft_outputs_has(store->outputs, id)))
		return WEFT_CLAIM_COPY;
	if (!weft_outputs_claim(store->outputs, id))
		return WEFT_CLAIM_ELSEWHERE;
	g_hash_table_add(store->under_way, g_strdup(id));
	return WEFT_CLAIM_FIRST;
}

/* It has a record from here on. */
static void end_turn_locked(WeftStore *store, const char *id)
{
	g_hash_table_remove(store->under_way, id);
	weft_seen_add(store->seen, id);
}

gboolean weft_store_look(WeftStore *store, const char *id, WeftKnown *ret_known)
{
	if (!store->is_folder)
		return FALSE;
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	return weft_outputs_look(store->outputs, id, ret_known);
}

gboolean weft_store_sources(WeftStore *store, const char *folder, const char *after, guint n_max,
                            GArray **ret_sources, GError **error)
{
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);

	return weft_outputs_sources(store->outputs, folder, after, store->fingerprint, n_max,
				    ret_sources, error);
}

gboolean weft_store_count_paths(WeftStore *store, const char *id, guint64 *ret_n)
{
	if (!store->is_folder)
		return FALSE;
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	return weft_outputs_count_paths(store->outputs, id, ret_n, NULL);
}

gboolean weft_store_has_seen(WeftStore *store, const char *path)
{
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);

	return weft_outputs_has_seen(store->outputs, path, store->fingerprint);
}

gboolean weft_store_knows_folder(WeftStore *store, const char *folder)
{
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);

	return weft_outputs_knows_folder(store->outputs, folder);
}

gboolean weft_store_put_found(WeftStore *store, const WeftFoundFile *file, const WeftSearchText *text,
                              GError **error)
{
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);

	return weft_outputs_put_found(store->outputs, file, store->fingerprint, text, error);
}

gboolean weft_store_is_found(WeftStore *store, const char *path, const struct stat *status)
{
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);

	return weft_outputs_is_found(store->outputs, path, status, store->fingerprint);
}

gboolean weft_store_settle_found(WeftStore *store, GError **error)
{
	if (!store->is_folder)
		return TRUE;
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	return weft_outputs_settle_found(store->outputs, store->fingerprint, error);
}

static const struct stat *status_of(const WeftDocument *document, struct stat *ret_status)
{
	*ret_status = weft_document_row_status(document);
	return document->has_status ? ret_status : NULL;
}

gboolean weft_store_adopt(WeftStore *store, const char *id_before, const WeftAddress *address,
                          const WeftDocument *document, GError **error)
{
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	gboolean is_adopted;
	gint64 due_before_us;
	struct stat status;

	if (!enter_locked(store, &due_before_us, error))
		return FALSE;
	is_adopted = weft_outputs_adopt(store->outputs, id_before, address, document->path,
					status_of(document, &status), error);
	put_locked(store, due_before_us);
	return is_adopted;
}

/* The document's file, or all that are one together. */
static guint n_files(const WeftDocument *document)
{
	return document->members != NULL ? document->members->len : 1;
}

static const WeftDocument *file_at(const WeftDocument *document, guint i)
{
	return document->members != NULL ? document->members->pdata[i] : document;
}

static gboolean put_all(WeftStore *store, WeftRecord *record, const WeftDocument *document,
                        GError **error)
{
	guint n = n_files(document);
	g_autofree WeftPlace *places = g_new0(WeftPlace, n);
	g_autofree struct stat *status = g_new0(struct stat, n);

	for (guint i = 0; i < n; i++) {
		const WeftDocument *file = file_at(document, i);

		places[i] = (WeftPlace){file->path, status_of(file, &status[i])};
	}
	return weft_outputs_put_together(store->outputs, record, places, n, store->fingerprint, error);
}

static gboolean add_paths(WeftStore *store, const WeftDocument *document, WeftKnown *ret_known,
                          GError **error)
{
	for (guint i = 0; i < n_files(document); i++) {
		const WeftDocument *file = file_at(document, i);
		struct stat status;

		if (!weft_outputs_add_path(store->outputs, document->id, file->path,
		                           status_of(file, &status), store->fingerprint, ret_known,
		                           error))
			return FALSE;
	}
	return TRUE;
}

gboolean weft_store_put(WeftStore *store, WeftRecord *record, const WeftDocument *document,
                        GError **error)
{
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	gboolean is_put;
	gint64 due_before_us;

	if (!enter_locked(store, &due_before_us, error))
		return FALSE;
	is_put = put_all(store, record, document, error);
	put_locked(store, due_before_us);
	if (is_put)
		end_turn_locked(store, document->id);
	return is_put;
}

gboolean weft_store_add_path(WeftStore *store, const WeftDocument *document, WeftKnown *ret_known,
                             GError **error)
{
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	gboolean is_added;
	gint64 due_before_us;

	if (!enter_locked(store, &due_before_us, error))
		return FALSE;
	is_added = add_paths(store, document, ret_known, error);
	put_locked(store, due_before_us);
	if (is_added)
		end_turn_locked(store, document->id);
	return is_added;
}

gboolean weft_store_lose(WeftStore *store, const char *path, GError **error)
{
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	gboolean is_lost;
	gint64 due_before_us;

	if (!enter_locked(store, &due_before_us, error))
		return FALSE;
	is_lost = weft_outputs_lose(store->outputs, path, store->fingerprint, error);
	put_locked(store, due_before_us);
	return is_lost;
}

gboolean weft_store_keep_job(WeftStore *store, const WeftKeptJob *job, GError **error)
{
	if (!store->is_folder)
		return TRUE;
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	return weft_outputs_keep_job(store->outputs, store->fingerprint, job, error);
}

void weft_store_set_run(WeftStore *store, guint64 number)
{
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	weft_outputs_set_run(store->outputs, number);
}

gboolean weft_store_will_tell(WeftStore *store, const char *id, GError **error)
{
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	return weft_outputs_will_tell(store->outputs, id, error);
}

gboolean weft_store_take_over(WeftStore *store, const char *id, gboolean *ret_is_untold,
                              GError **error)
{
	*ret_is_untold = FALSE;
	if (!store->is_folder)
		return TRUE;
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	return weft_outputs_take_over(store->outputs, id, ret_is_untold, error);
}

gboolean weft_store_has_told(WeftStore *store, GError **error)
{
	if (!store->is_folder)
		return TRUE;
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	return weft_outputs_has_told(store->outputs, error);
}

static gboolean flush_locked(WeftStore *store, GError **error)
{
	store->is_flushing = TRUE;
	pthread_cond_broadcast(&store->changed);
	while (store->failure == NULL &&
	       (store->is_committing || weft_outputs_n_waiting(store->outputs) > 0))
		pthread_cond_wait(&store->changed, &store->mutex);
	store->is_flushing = FALSE;
	return is_good_locked(store, error);
}

gboolean weft_store_flush(WeftStore *store, GError **error)
{
	if (!store->is_folder)
		return TRUE;
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	return flush_locked(store, error);
}

gboolean weft_store_finish(WeftStore *store, const char *summary_json, GError **error)
{
	if (!store->is_folder)
		return TRUE;
	g_autoptr(Hold) held G_GNUC_UNUSED = hold(store);
	return flush_locked(store, error) &&
	       weft_outputs_finish(store->outputs, summary_json, error);
}
