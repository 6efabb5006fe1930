#include "pipeline/store.h"

#include <pthread.h>

struct WeftStore {
	char *fingerprint;
	gboolean is_folder;
	pthread_mutex_t mutex; /* guards outputs */
	WeftOutputs *outputs;
};

WeftStore *weft_store_new(WeftOutputs *take_outputs, const char *fingerprint)
{
	WeftStore *store = g_new0(WeftStore, 1);

	store->fingerprint = g_strdup(fingerprint);
	store->outputs = take_outputs;
	store->is_folder = take_outputs != NULL;
	pthread_mutex_init(&store->mutex, NULL);
	return store;
}

void weft_store_free(WeftStore *store)
{
	if (store == NULL)
		return;
	if (store->outputs != NULL)
		weft_outputs_close(store->outputs);
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
	gboolean is_unchanged;

	if (!store->is_folder)
		return FALSE;
	pthread_mutex_lock(&store->mutex);
	is_unchanged =
	    weft_outputs_is_unchanged(store->outputs, path, status, store->fingerprint, ret_known);
	pthread_mutex_unlock(&store->mutex);
	return is_unchanged;
}

gboolean weft_store_knows(WeftStore *store, const char *path)
{
	g_autofree char *file = NULL;

	if (!store->is_folder)
		return FALSE;
	pthread_mutex_lock(&store->mutex);
	file = weft_outputs_record_path(store->outputs, path, NULL);
	pthread_mutex_unlock(&store->mutex);
	return file != NULL;
}

gboolean weft_store_has(WeftStore *store, const char *id)
{
	gboolean has;

	if (!store->is_folder)
		return FALSE;
	pthread_mutex_lock(&store->mutex);
	has = weft_outputs_has(store->outputs, id);
	pthread_mutex_unlock(&store->mutex);
	return has;
}

gboolean weft_store_look(WeftStore *store, const char *id, WeftKnown *ret_known)
{
	gboolean is_there;

	if (!store->is_folder)
		return FALSE;
	pthread_mutex_lock(&store->mutex);
	is_there = weft_outputs_look(store->outputs, id, ret_known);
	pthread_mutex_unlock(&store->mutex);
	return is_there;
}

gboolean weft_store_sources(WeftStore *store, const char *folder, const char *after, guint n_max,
                            GArray **ret_sources, GError **error)
{
	gboolean is_read;

	pthread_mutex_lock(&store->mutex);
	is_read = weft_outputs_sources(store->outputs, folder, after, store->fingerprint, n_max,
	                               ret_sources, error);
	pthread_mutex_unlock(&store->mutex);
	return is_read;
}

gboolean weft_store_has_seen(WeftStore *store, const char *path)
{
	gboolean has_seen;

	pthread_mutex_lock(&store->mutex);
	has_seen = weft_outputs_has_seen(store->outputs, path, store->fingerprint);
	pthread_mutex_unlock(&store->mutex);
	return has_seen;
}

gboolean weft_store_knows_folder(WeftStore *store, const char *folder)
{
	gboolean is_known;

	pthread_mutex_lock(&store->mutex);
	is_known = weft_outputs_knows_folder(store->outputs, folder);
	pthread_mutex_unlock(&store->mutex);
	return is_known;
}

gboolean weft_store_lose(WeftStore *store, const char *path, GError **error)
{
	gboolean is_lost;

	pthread_mutex_lock(&store->mutex);
	is_lost = weft_outputs_lose(store->outputs, path, store->fingerprint, error);
	pthread_mutex_unlock(&store->mutex);
	return is_lost;
}

static const struct stat *status_of(const WeftDocument *document)
{
	return document->has_status ? &document->status : NULL;
}

gboolean weft_store_put(WeftStore *store, WeftRecord *record, const WeftDocument *document,
                        GError **error)
{
	gboolean is_put;

	pthread_mutex_lock(&store->mutex);
	is_put = weft_outputs_put(store->outputs, record, document->path, status_of(document),
	                          store->fingerprint, error);
	pthread_mutex_unlock(&store->mutex);
	return is_put;
}

gboolean weft_store_add_path(WeftStore *store, const WeftDocument *document, WeftKnown *ret_known,
                             GError **error)
{
	gboolean is_added;

	pthread_mutex_lock(&store->mutex);
	is_added = weft_outputs_add_path(store->outputs, document->id, document->path,
	                                 status_of(document), store->fingerprint, ret_known, error);
	pthread_mutex_unlock(&store->mutex);
	return is_added;
}

gboolean weft_store_finish(WeftStore *store, const char *summary_json, GError **error)
{
	gboolean is_finished;

	if (!store->is_folder)
		return TRUE;
	pthread_mutex_lock(&store->mutex);
	is_finished = weft_outputs_finish(store->outputs, summary_json, error);
	pthread_mutex_unlock(&store->mutex);
	return is_finished;
}
