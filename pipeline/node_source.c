/* node_source.c - the inputs of a job, listed in order; what is unchanged goes no further.
 *
 * Folders are walked depth first, names in bytewise order, symbolic links inside them not followed,
 * the output folder itself left out. What is no input (excluded, a link, a socket) is counted.
 * Nothing is opened here but folders. With a sample, the documents whose lot comes first are taken:
 * the first eight bytes of the SHA-256 of the path.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "pipeline/run.h"

#define DEPTH_MAX 200
#define NAMES_MAX ((gsize)10 * 1000 * 1000)

typedef struct Entry {
	char *path;
	gboolean has_status;
	struct stat status;
	GError *failure; /* why it can't be listed or opened, or NULL */
	gboolean is_left; /* not of the sample */
	guint64 lot;      /* of the sample: the smallest are taken */
} Entry;

typedef struct Source {
	WeftRun *run;
	GPtrArray *entries; /* Entry */
	GHashTable *paths;  /* char * of entries: each path once */
	struct stat left_out[2];
	guint n_left_out;
	gboolean is_cut; /* the run was stopped before all was listed */
	guint next;
	guint64 n_documents;
} Source;

static void entry_free(void *data)
{
	Entry *entry = data;

	g_clear_error(&entry->failure);
	g_free(entry->path);
	g_free(entry);
}

/* Without "./" in front, "/./", doubled or trailing slashes; links and ".." stay as they are. */
static char *tidy_path(const char *path)
{
	g_auto(GStrv) names = g_strsplit(path, "/", -1);
	GString *tidy = g_string_new(path[0] == '/' ? "/" : "");

	for (char **name = names; *name != NULL; name++) {
		if (**name == '\0' || strcmp(*name, ".") == 0)
			continue;
		if (tidy->len > 0 && tidy->str[tidy->len - 1] != '/')
			g_string_append_c(tidy, '/');
		g_string_append(tidy, *name);
	}
	if (tidy->len == 0)
		g_string_append_c(tidy, '.');
	return g_string_free(tidy, FALSE);
}

static gboolean is_excluded(const Source *source, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	const GPtrArray *globs = source->run->job->excludes;

	for (guint i = 0; i < globs->len; i++) {
		const char *glob = g_ptr_array_index(globs, i);

		if (fnmatch(glob, name, 0) == 0 || fnmatch(glob, path, 0) == 0)
			return TRUE;
	}
	return FALSE;
}

static gboolean is_left_out(const Source *source, const struct stat *status)
{
	for (guint i = 0; i < source->n_left_out; i++) {
		if (source->left_out[i].st_dev == status->st_dev &&
		    source->left_out[i].st_ino == status->st_ino)
			return TRUE;
	}
	return FALSE;
}

/* Takes the failure. */
static void add_entry(Source *source, const char *path, const struct stat *status, GError *failure)
{
	Entry *entry;

	if (g_hash_table_contains(source->paths, path)) {
		g_clear_error(&failure);
		return;
	}
	entry = g_new0(Entry, 1);
	entry->path = g_strdup(path);
	entry->failure = failure;
	if (status != NULL) {
		entry->has_status = TRUE;
		entry->status = *status;
	}
	g_ptr_array_add(source->entries, entry);
	g_hash_table_add(source->paths, entry->path);
}

static void walk(Source *source, const char *path, guint depth);

static void walk_folder(Source *source, const char *path, const struct stat *status, guint depth)
{
	GError *failure = NULL;
	g_autoptr(GPtrArray) names = NULL;

	if (depth > DEPTH_MAX)
		g_set_error(&failure, WEFT_ERROR, WEFT_ERROR_LIMIT, "folders inside each other: limit %d",
			    DEPTH_MAX);
	else
		names = weft_folder_names(path, NAMES_MAX, &failure);
	if (names == NULL) {
		add_entry(source, path, NULL, failure);
		return;
	}
	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);
		g_autofree char *below = strcmp(path, ".") == 0 ? g_strdup(name)
								: g_build_filename(path, name, NULL);

		walk(source, below, depth + 1);
	}
}

/* `depth` 0: an input of the job, links are followed. */
static void walk(Source *source, const char *path, guint depth)
{
	struct stat status;
	int found;

	if (weft_stop_is_asked(source->run->stop)) {
		source->is_cut = TRUE;
		return;
	}
	found = depth == 0 ? stat(path, &status) : lstat(path, &status);

	if (is_excluded(source, path)) {
		WEFT_COUNT(source->run, n_left_out, 1);
		return;
	}
	if (found != 0)
		add_entry(source, path, NULL,
			  g_error_new(WEFT_ERROR, WEFT_ERROR_IO, "%s", g_strerror(errno)));
	else if (S_ISDIR(status.st_mode) && !is_left_out(source, &status))
		walk_folder(source, path, &status, depth);
	else if (S_ISREG(status.st_mode))
		add_entry(source, path, &status, NULL);
	else if (depth == 0 && !S_ISDIR(status.st_mode))
		add_entry(source, path, NULL,
			  g_error_new(WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
				      "not a regular file and not a folder"));
	else if (!S_ISDIR(status.st_mode))
		WEFT_COUNT(source->run, n_left_out, 1);
}

static int by_lot(const void *a, const void *b)
{
	const guint64 *first = a, *second = b;

	return *first < *second ? -1 : *first > *second;
}

/* Leaves out what is not of the sample; gives how many are left in. */
static guint64 draw_sample(Source *source, guint64 n_wanted)
{
	guint n = source->entries->len;
	g_autofree guint64 *lots = g_new(guint64, n);
	guint64 n_left = 0;

	if (n_wanted == 0 || n_wanted >= n)
		return n;
	for (guint i = 0; i < n; i++) {
		Entry *entry = g_ptr_array_index(source->entries, i);
		g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
		guint8 digest[32];
		gsize size = sizeof digest;

		g_checksum_update(sum, (const guchar *)entry->path, -1);
		g_checksum_get_digest(sum, digest, &size);
		for (int byte = 0; byte < 8; byte++)
			entry->lot = entry->lot << 8 | digest[byte];
		lots[i] = entry->lot;
	}
	qsort(lots, n, sizeof *lots, by_lot);
	for (guint i = 0; i < n; i++) {
		Entry *entry = g_ptr_array_index(source->entries, i);

		entry->is_left = entry->lot > lots[n_wanted - 1];
		n_left += entry->is_left;
	}
	WEFT_COUNT(source->run, n_not_sampled, n_left);
	return n - n_left;
}

/* A run that estimates knows all files by name and size, and which of them are done. */
static void list_for_estimate(Source *source)
{
	if (source->run->tally.estimate == NULL)
		return;
	for (guint i = 0; i < source->entries->len; i++) {
		const Entry *entry = g_ptr_array_index(source->entries, i);
		WeftKnown known;
		gboolean is_known = entry->has_status &&
				    weft_store_is_unchanged(source->run->store, entry->path,
							    &entry->status, &known);

		weft_run_add_file(source->run, entry->path,
				  entry->has_status ? (guint64)entry->status.st_size : 0, is_known);
	}
}

static gboolean source_init(void *shared, WeftRunner *runner, void **ret_state, GError **error)
{
	Source *source = g_new0(Source, 1);
	WeftRun *run = shared;
	const WeftJob *job = run->job;

	source->run = run;
	source->entries = g_ptr_array_new_with_free_func(entry_free);
	source->paths = g_hash_table_new(g_str_hash, g_str_equal);
	if (weft_store_is_folder(run->store)) {
		const char *folders[] = {job->output, job->state};

		for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
			if (folders[i] != NULL &&
			    stat(folders[i], &source->left_out[source->n_left_out]) == 0)
				source->n_left_out++;
		}
	}
	for (guint i = 0; i < job->inputs->len; i++) {
		g_autofree char *path = tidy_path(g_ptr_array_index(job->inputs, i));

		walk(source, path, 0);
	}
	weft_run_listed(run, draw_sample(source, job->sample), !source->is_cut);
	list_for_estimate(source);
	*ret_state = source;
	return TRUE;
}

static gboolean is_unchanged(Source *source, const Entry *entry)
{
	WeftKnown known;

	if (!entry->has_status ||
	    !weft_store_is_unchanged(source->run->store, entry->path, &entry->status, &known))
		return FALSE;
	WEFT_COUNT(source->run, n_unchanged, 1);
	if (known.status == WEFT_STATUS_FAILED || known.status == WEFT_STATUS_PARTIAL)
		WEFT_COUNT(source->run, n_known, 1);
	return TRUE;
}

static WeftStep source_step(void *state, WeftRunner *runner, void *nothing, GError **error)
{
	Source *source = state;
	Entry *entry;
	WeftItem *item;

	if (source->next == source->entries->len)
		return WEFT_STEP_END;
	entry = g_ptr_array_index(source->entries, source->next++);
	if (entry->is_left || is_unchanged(source, entry))
		return WEFT_STEP_MORE;
	if (!weft_budget_enter(source->run->budget))
		return WEFT_STEP_END;
	if (weft_stop_is_asked(source->run->stop)) {
		WEFT_COUNT(source->run, n_left, 1);
		weft_budget_leave(source->run->budget);
		return WEFT_STEP_MORE;
	}

	item = weft_item_new(WEFT_ITEM_BEGIN, source->n_documents++);
	item->begin = weft_document_new(item->document, entry->path, source->run->budget);
	item->begin->begin_ns = weft_trace_now_ns();
	item->begin->has_status = entry->has_status;
	item->begin->status = entry->status;
	if (entry->failure != NULL)
		item->begin->fault = weft_part_fault_new("open", g_steal_pointer(&entry->failure),
							 NULL);
	return weft_step_after(weft_runner_send(runner, item));
}

static void source_done(void *state)
{
	Source *source = state;

	g_hash_table_unref(source->paths);
	g_ptr_array_unref(source->entries);
	g_free(source);
}

const WeftNodeClass weft_node_source = {"source", source_init, source_step, NULL, source_done};
