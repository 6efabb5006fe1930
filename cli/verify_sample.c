#include "cli/verify_sample.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cli/original.h"
#include "pipeline/pipeline.h"

#define RECORD_BYTES_MAX ((gsize)1 << 30)

/* The record without what may differ: `run`, and the paths, of which only one was done again. */
static char *comparable(const WeftJson *record)
{
	GString *text = g_string_new(NULL);
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	for (gsize i = 0; i < weft_json_length(record); i++) {
		const char *key = weft_json_key_at(record, i, NULL);
		const WeftJson *value = weft_json_at(record, i);
		gboolean is_source = strcmp(key, "source") == 0;

		if (strcmp(key, "run") == 0)
			continue;
		weft_json_write_key(&writer, key);
		if (!is_source) {
			weft_json_write_tree(&writer, value);
			continue;
		}
		weft_json_write_object(&writer);
		for (gsize k = 0; k < weft_json_length(value); k++) {
			const char *name = weft_json_key_at(value, k, NULL);
			const WeftJson *fact = weft_json_at(value, k);

			if (g_str_has_prefix(name, "paths"))
				continue;
			weft_json_write_key(&writer, name);
			weft_json_write_tree(&writer, strcmp(name, "sidecar") == 0
							      ? weft_json_member(fact, "sha256")
							      : fact);
		}
		weft_json_write_object_end(&writer);
	}
	weft_json_write_object_end(&writer);
	return g_string_free(text, FALSE);
}

/* ---- telling ---- */

static void tell(const char *path, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void tell(const char *path, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_autofree char *line = g_strconcat(path, ": ", what, NULL);
	g_autofree char *shown = weft_path_display(line);

	puts(shown);
}

static void tell_not_done(WeftSampleCounts *counts, const char *path, const char *why)
{
	tell(path, "can't be done again: %s", why);
	counts->n_not_done++;
}

/* ---- documents ---- */

/* What is done again for one job: id -> the path at which the document is. */
typedef struct Batch {
	const WeftSample *sample;
	const char *job_file;
	GHashTable *paths;
	GPtrArray *recordings; /* char *: of captions among them */
	GPtrArray *together;   /* char *: all files of the one document of `paths`; NULL: it is no such
	                        * document */
} Batch;

/* NULL when there is none, or none that can be read. `ret_is_there` may be NULL. */
static WeftJson *read_record(const Batch *batch, const char *id, gboolean *ret_is_there)
{
	g_autofree char *file = weft_outputs_record_path(batch->sample->outputs, id, NULL);
	g_autofree char *text = NULL;
	gsize size;
	gboolean is_there = file && weft_file_read(file, RECORD_BYTES_MAX, &text, &size, NULL);

	if (ret_is_there)
		*ret_is_there = is_there;
	return is_there ? weft_json_parse(text, size, WEFT_JSON_STRICT, NULL) : NULL;
}

/* Captions of a recording are its captions where it is an input, too. */
static void note_recording(Batch *batch, const char *id, const char *path)
{
	g_autoptr(WeftJson) record = read_record(batch, id, NULL);
	const char *message = weft_json_string(
		weft_json_at_pointer(record, "/errors/0/message"), NULL);
	const char *slash = strrchr(path, '/');
	g_autofree char *folder = g_strndup(path, slash ? (gsize)(slash + 1 - path) : 0);

	if (message && g_str_has_prefix(message, WEFT_CAPTIONS_OF))
		g_ptr_array_add(batch->recordings,
				g_strconcat(folder, message + strlen(WEFT_CAPTIONS_OF), NULL));
}

static void tell_no_bytes(const Batch *batch, const WeftSampled *sampled)
{
	const GPtrArray *paths = sampled->paths;
	g_autofree char *why = g_strdup_printf(
		"at none of the %u paths of record %.12s is a file with its bytes; restore it there, or "
		"run weft where it is now", paths->len, sampled->id + strlen("sha256:"));

	tell_not_done(batch->sample->counts, paths->len > 0 ? paths->pdata[0] : sampled->id, why);
}

/* At the first of its paths where its bytes are. */
static void find_document(Batch *batch, const WeftSampled *sampled)
{
	const GPtrArray *paths = sampled->paths;
	const char *path;
	int fd = weft_original_find(paths, sampled->sha256, &path);

	if (fd >= 0) {
		close(fd);
		g_hash_table_insert(batch->paths, g_strdup(sampled->id), g_strdup(path));
		note_recording(batch, sampled->id, path);
		return;
	}
	tell_no_bytes(batch, sampled);
}

/* ---- comparing ---- */

static const char *tier_of(const WeftJson *record)
{
	const char *tier = weft_json_string(weft_json_at_pointer(record, "/run/tier"), NULL);
	return tier ? tier : "none";
}

/* The file of the record is there and says the same. */
static gboolean is_same(const Batch *batch, const char *path, const WeftJson *again)
{
	const char *id = weft_json_string(weft_json_member(again, "id"), NULL);
	gboolean is_there = FALSE;
	g_autoptr(WeftJson) before = id ? read_record(batch, id, &is_there) : NULL;

	if (!is_there)
		return FALSE;
	g_autofree char *a = before ? comparable(before) : NULL;
	g_autofree char *b = comparable(again);
	if (g_strcmp0(a, b) == 0)
		return TRUE;
	tell(path, "done again it gives another record %.12s (kernels then: %s, now: %s); restore the "
		   "record, or delete it and run weft again", id + strlen("sha256:"),
	     before ? tier_of(before) : "not known", tier_of(again));
	return FALSE;
}

/* What has not come out under its id is of another job. */
static void tell_others(const Batch *batch)
{
	GHashTableIter iter;
	gpointer id, path;

	g_hash_table_iter_init(&iter, batch->paths);
	while (g_hash_table_iter_next(&iter, &id, &path)) {
		tell(path, "done again it gives a record of another job: something that %s names (the "
			   "model, an adapter), captions beside it or the reader is not what it was",
		     batch->job_file);
		batch->sample->counts->n_other++;
	}
}

static gboolean compare_lines(Batch *batch, FILE *lines, GError **error)
{
	WeftSampleCounts *counts = batch->sample->counts;
	g_autofree char *line = NULL;
	size_t room = 0;
	ssize_t size;

	rewind(lines);
	while ((size = getline(&line, &room, lines)) > 0) {
		g_autoptr(WeftJson) again =
			weft_json_parse(line, (gsize)size, WEFT_JSON_STRICT, error);
		if (!again)
			return FALSE;
		const char *id = weft_json_string(weft_json_member(again, "id"), NULL);
		const char *path = id ? g_hash_table_lookup(batch->paths, id) : NULL;

		if (!path)
			continue;
		if (is_same(batch, path, again))
			counts->n_same++;
		else
			counts->n_other++;
		g_hash_table_remove(batch->paths, id);
	}
	tell_others(batch);
	return TRUE;
}

/* ---- doing ---- */

static gboolean run_job(WeftJob *job, WeftIngest *ingest, GError **error)
{
	g_autoptr(WeftRun) run = weft_run_new(job, ingest, error);

	return run && weft_run_start(run, error) && weft_run_join(run, error);
}

/* Those that name none of the documents, which other runs of the job may have excluded: what they name
 * beside a document does not belong to it. */
static void keep_excludes(const Batch *batch, GPtrArray *excludes)
{
	GHashTableIter iter;
	gpointer path;

	g_hash_table_iter_init(&iter, batch->paths);
	while (g_hash_table_iter_next(&iter, NULL, &path)) {
		for (guint i = excludes->len; i > 0; i--) {
			if (weft_path_matches(path, excludes->pdata[i - 1]))
				g_ptr_array_remove_index(excludes, i - 1);
		}
	}
}

static WeftJob *read_job(const Batch *batch, GError **error)
{
	g_autoptr(WeftJob) job = weft_job_new();
	GHashTableIter iter;
	gpointer path;

	job->tasks_dir = g_strdup(batch->sample->places->tasks_dir);
	if (!weft_job_read(job, batch->job_file, error))
		return NULL;
	if (!job->model)
		job->model = g_strdup(batch->sample->places->default_bundle);
	g_ptr_array_set_size(job->inputs, 0);
	keep_excludes(batch, job->excludes);
	for (guint i = 0; i < batch->recordings->len; i++)
		g_ptr_array_add(job->counted, g_strdup(batch->recordings->pdata[i]));
	for (guint i = 0; batch->together && i < batch->together->len; i++)
		g_ptr_array_add(job->inputs, g_strdup(batch->together->pdata[i]));
	g_hash_table_iter_init(&iter, batch->paths);
	while (!batch->together && g_hash_table_iter_next(&iter, NULL, &path))
		g_ptr_array_add(job->inputs, g_strdup(path));
	g_free(job->output);
	job->output = g_strdup("-");
	g_clear_pointer(&job->trace, g_free);
	job->sample = 0;
	job->is_dry = FALSE;
	job->until_s = 0;
	job->max_time_s = 0;
	return g_steal_pointer(&job);
}

static gboolean do_again(Batch *batch, GError **error)
{
	g_autoptr(WeftJob) job = read_job(batch, error);
	FILE *lines;

	if (!job)
		return FALSE;
	lines = tmpfile();
	if (!lines) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "a temporary file: %s",
			    g_strerror(errno));
		return FALSE;
	}
	job->lines_fd = fileno(lines);
	gboolean is_good = run_job(job, batch->sample->ingest, error) &&
			   compare_lines(batch, lines, error);
	fclose(lines);
	return is_good;
}

/* Of a job that can't be run, each document is told. */
static void tell_all(const Batch *batch, const char *why)
{
	GHashTableIter iter;
	gpointer path;

	g_hash_table_iter_init(&iter, batch->paths);
	while (g_hash_table_iter_next(&iter, NULL, &path))
		tell_not_done(batch->sample->counts, path, why);
}

static void do_kept_job(Batch *batch)
{
	g_autoptr(GError) failure = NULL;

	if (!batch->job_file) {
		tell_all(batch, "its job is not kept (an older weft ran it, or jobs/ was deleted); give "
				"the job file with -c");
	} else if (!do_again(batch, &failure)) {
		g_autofree char *why = g_strdup_printf(
			"%s; that is what %s names: put it back, or give a job file with -c",
			failure->message, batch->job_file);
		tell_all(batch, why);
	}
}

/* ---- several files that are one document ---- */

/* Where each of its files is, with its bytes; what could not be read may have any. */
static GPtrArray *find_files(const WeftSampled *sampled, const WeftJson *record)
{
	g_autoptr(GPtrArray) files = weft_record_part_paths(record, sampled->paths);

	for (guint i = 0; files && i < files->len; i++) {
		const char *sha256 = weft_record_sha256_at(record, files->pdata[i]);
		int fd = sha256 ? weft_original_open(files->pdata[i], sha256) : -1;

		if (fd >= 0)
			close(fd);
		else if (sha256)
			return NULL;
	}
	return g_steal_pointer(&files);
}

/* In a run of its own, as all inputs of one are one document. FALSE: it is a single file. */
static gboolean do_together(const WeftSample *sample, const char *job_file, const WeftSampled *sampled)
{
	g_autoptr(GHashTable) paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GPtrArray) recordings = g_ptr_array_new_with_free_func(g_free);
	Batch batch = {sample, job_file, paths, recordings, NULL};
	g_autoptr(WeftJson) record = read_record(&batch, sampled->id, NULL);

	if (!weft_json_at_pointer(record, "/source/parts"))
		return FALSE;
	g_autoptr(GPtrArray) files = find_files(sampled, record);

	if (!files) {
		tell_no_bytes(&batch, sampled);
		return TRUE;
	}
	g_hash_table_insert(paths, g_strdup(sampled->id), g_strdup(files->pdata[0]));
	batch.together = files;
	do_kept_job(&batch);
	return TRUE;
}

/* Those of one job from `first` on, of a list in the order of jobs; gives the first of the next. */
static guint do_next_job(const WeftSample *sample, const GPtrArray *all, guint first)
{
	const WeftSampled *document = all->pdata[first];
	const char *fingerprint = document->fingerprint;
	g_autofree char *job_file = weft_outputs_job_file(sample->outputs, fingerprint);
	g_autoptr(GHashTable) paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GPtrArray) recordings = g_ptr_array_new_with_free_func(g_free);
	Batch batch = {sample, job_file, paths, recordings, NULL};
	guint i = first;

	for (; i < all->len; i++) {
		document = all->pdata[i];
		if (strcmp(document->fingerprint, fingerprint) != 0)
			break;
		if (!do_together(sample, job_file, document))
			find_document(&batch, document);
	}
	if (g_hash_table_size(paths) > 0)
		do_kept_job(&batch);
	return i;
}

static int by_job(gconstpointer a, gconstpointer b)
{
	const WeftSampled *x = *(WeftSampled *const *)a, *y = *(WeftSampled *const *)b;
	int order = strcmp(x->fingerprint, y->fingerprint);

	return order != 0 ? order : strcmp(x->id, y->id);
}

gboolean weft_verify_sample(const WeftSample *sample, guint n, GError **error)
{
	gboolean has_job = sample->job_file != NULL;
	g_autoptr(GPtrArray) all = weft_outputs_sample(sample->outputs, has_job, n, error);

	if (!all)
		return FALSE;
	if (has_job) {
		g_autoptr(GHashTable) paths =
			g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
		g_autoptr(GPtrArray) recordings = g_ptr_array_new_with_free_func(g_free);
		Batch batch = {sample, sample->job_file, paths, recordings, NULL};

		for (guint i = 0; i < all->len; i++)
			if (!do_together(sample, sample->job_file, all->pdata[i]))
				find_document(&batch, all->pdata[i]);
		g_autoptr(WeftJob) job = read_job(&batch, error);
		return job && (g_hash_table_size(paths) == 0 || do_again(&batch, error));
	}
	g_ptr_array_sort(all, by_job);
	for (guint i = 0; i < all->len;)
		i = do_next_job(sample, all, i);
	return TRUE;
}
