#include "outputs/gather.h"

#include <string.h>

#include "outputs/record_paths.h"

/* A change is half a kilobyte, with its path. */
#define CHANGES_MAX 32768
#define RECORDS_MAX 1024
/* Reading a record and writing it again takes about a twentieth of this. */
#define HOLD_BYTES_PER_US 2

/* ---- changes ---- */

WeftPathRow *weft_path_row_new(const char *id, const char *path, const struct stat *status,
			       const char *fingerprint)
{
	WeftPathRow *row = g_new0(WeftPathRow, 1);

	row->n_refs = 1;
	g_strlcpy(row->id, id, sizeof(row->id));
	row->path = g_strdup(path);
	row->fingerprint = g_strdup(fingerprint);
	if (status) {
		row->has_status = TRUE;
		row->status = *status;
	}
	return row;
}

void weft_path_row_unref(WeftPathRow *row)
{
	if (!row || --row->n_refs > 0)
		return;
	g_free(row->path);
	g_free(row->fingerprint);
	g_free(row);
}

static void change_clear(void *data)
{
	weft_path_row_unref(((WeftPathChange *)data)->row);
}

GArray *weft_path_changes_new(void)
{
	GArray *changes = g_array_new(FALSE, FALSE, sizeof(WeftPathChange));

	g_array_set_clear_func(changes, change_clear);
	return changes;
}

void weft_path_changes_add(GArray *changes, WeftPathRow *row, gboolean is_lost)
{
	WeftPathChange change = { row, is_lost };

	row->n_refs++;
	row->n_changes++;
	g_array_append_val(changes, change);
}

gboolean weft_path_changes_apply(const GArray *changes, GPtrArray *paths, gboolean keeps_last)
{
	g_autoptr(GHashTable) set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	gboolean has_changed = FALSE;
	GHashTableIter iter;
	gpointer path;

	for (guint i = 0; i < paths->len; i++)
		g_hash_table_add(set, g_strdup(paths->pdata[i]));
	for (guint i = 0; i < changes->len; i++) {
		const WeftPathChange *change = &g_array_index(changes, WeftPathChange, i);

		if (!change->is_lost)
			has_changed |= g_hash_table_add(set, g_strdup(change->row->path));
		else if (!change->row->is_gone || !keeps_last || g_hash_table_size(set) > 1)
			has_changed |= g_hash_table_remove(set, change->row->path);
	}
	if (!has_changed)
		return FALSE;
	g_ptr_array_set_size(paths, 0);
	g_hash_table_iter_init(&iter, set);
	while (g_hash_table_iter_next(&iter, &path, NULL)) {
		g_hash_table_iter_steal(&iter);
		g_ptr_array_add(paths, path);
	}
	weft_record_paths_settle(paths);
	return TRUE;
}

/* ---- what waits ---- */

struct WeftGather {
	GHashTable *open;   /* id -> WeftGathered of `records` */
	GQueue records;     /* WeftGathered that more is added to */
	GQueue ready;       /* and those that are to be written, before the others */
	guint n_open, n_ready; /* changes */
	gsize open_bytes;   /* of the files of the records */
	gint64 first_us;    /* when the first change came to those that are open */
};

WeftGather *weft_gather_new(void)
{
	WeftGather *gather = g_new0(WeftGather, 1);

	gather->open = g_hash_table_new(g_str_hash, g_str_equal);
	g_queue_init(&gather->records);
	g_queue_init(&gather->ready);
	return gather;
}

void weft_gathered_free(WeftGathered *gathered)
{
	if (!gathered)
		return;
	g_array_unref(gathered->changes);
	g_free(gathered);
}

void weft_gather_free(WeftGather *gather)
{
	if (!gather)
		return;
	g_hash_table_unref(gather->open);
	g_queue_clear_full(&gather->records, (GDestroyNotify)weft_gathered_free);
	g_queue_clear_full(&gather->ready, (GDestroyNotify)weft_gathered_free);
	g_free(gather);
}

WeftGathered *weft_gather_find(const WeftGather *gather, const char *id)
{
	return g_hash_table_lookup(gather->open, id);
}

WeftGathered *weft_gather_open(WeftGather *gather, const char *id, gsize size_bytes)
{
	WeftGathered *gathered = g_new0(WeftGathered, 1);

	g_strlcpy(gathered->id, id, sizeof(gathered->id));
	gathered->changes = weft_path_changes_new();
	if (gather->n_open == 0)
		gather->first_us = g_get_monotonic_time();
	g_hash_table_replace(gather->open, gathered->id, gathered);
	g_queue_push_tail(&gather->records, gathered);
	gather->open_bytes += size_bytes;
	return gathered;
}

void weft_gather_add(WeftGather *gather, WeftGathered *gathered, WeftPathRow *row, gboolean is_lost)
{
	weft_path_changes_add(gathered->changes, row, is_lost);
	gather->n_open++;
}

guint weft_gather_n_waiting(const WeftGather *gather)
{
	return gather->n_open + gather->n_ready;
}

gboolean weft_gather_is_full(const WeftGather *gather)
{
	return gather->n_open >= CHANGES_MAX || gather->records.length >= RECORDS_MAX;
}

gint64 weft_gather_due_us(const WeftGather *gather)
{
	if (gather->n_ready > 0 || weft_gather_is_full(gather))
		return 0;
	if (gather->n_open == 0)
		return G_MAXINT64;
	return gather->first_us + WEFT_COMMIT_WAIT_US +
	       (gint64)(gather->open_bytes / HOLD_BYTES_PER_US);
}

/* Those that come from here on wait anew. */
static void make_ready(WeftGather *gather)
{
	WeftGathered *gathered;

	g_hash_table_remove_all(gather->open);
	while ((gathered = g_queue_pop_head(&gather->records)) != NULL)
		g_queue_push_tail(&gather->ready, gathered);
	gather->n_ready += gather->n_open;
	gather->n_open = 0;
	gather->open_bytes = 0;
}

WeftGathered *weft_gather_take(WeftGather *gather, gboolean at_once)
{
	WeftGathered *gathered;

	if (gather->n_ready == 0 && gather->n_open > 0 &&
	    (at_once || g_get_monotonic_time() >= weft_gather_due_us(gather)))
		make_ready(gather);
	gathered = g_queue_pop_head(&gather->ready);
	if (gathered)
		gather->n_ready -= gathered->changes->len;
	return gathered;
}
