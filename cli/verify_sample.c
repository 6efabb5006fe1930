#include "cli/verify_sample.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
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

			if (g_str_has_prefix(name, "paths"))
				continue;
			weft_json_write_key(&writer, name);
			weft_json_write_tree(&writer, weft_json_at(value, k));
		}
		weft_json_write_object_end(&writer);
	}
	weft_json_write_object_end(&writer);
	return g_string_free(text, FALSE);
}

/* The file of the record is there and says the same. */
static gboolean is_same(WeftOutputs *outputs, const WeftJson *again)
{
	const char *id = weft_json_string(weft_json_member(again, "id"), NULL);
	g_autofree char *file = id ? weft_outputs_record_path(outputs, id, NULL) : NULL;
	g_autofree char *text = NULL;
	gsize size;

	if (!file || !weft_file_read(file, RECORD_BYTES_MAX, &text, &size, NULL))
		return FALSE;
	g_autoptr(WeftJson) before = weft_json_parse(text, size, WEFT_JSON_STRICT, NULL);
	g_autofree char *a = before ? comparable(before) : NULL;
	g_autofree char *b = comparable(again);
	return g_strcmp0(a, b) == 0;
}

static gboolean compare_lines(WeftOutputs *outputs, FILE *lines, guint64 *ret_n_same,
			      guint64 *ret_n_other, GError **error)
{
	g_autofree char *line = NULL;
	size_t room = 0;
	ssize_t size;

	rewind(lines);
	while ((size = getline(&line, &room, lines)) > 0) {
		g_autoptr(WeftJson) again =
			weft_json_parse(line, (gsize)size, WEFT_JSON_STRICT, error);
		if (!again)
			return FALSE;
		if (is_same(outputs, again)) {
			++*ret_n_same;
			continue;
		}
		const char *path =
			weft_json_string(weft_json_at_pointer(again, "/source/paths/0"), NULL);
		g_autofree char *shown = weft_path_display(path ? path : "(a name that is no UTF-8)");
		printf("%s: done again it gives another record; is the job the same, and the machine's "
		       "kernels?\n", shown);
		++*ret_n_other;
	}
	return TRUE;
}

static gboolean run_again(WeftJob *job, WeftIngest *ingest, GError **error)
{
	g_autoptr(WeftRun) run = weft_run_new(job, ingest, error);

	return run && weft_run_start(run, error) && weft_run_join(run, error);
}

gboolean weft_verify_sample(const WeftPlaces *places, WeftIngest *ingest, WeftOutputs *outputs,
			    const char *job_file, guint n, guint64 *ret_n_same,
			    guint64 *ret_n_other, GError **error)
{
	g_autoptr(WeftJob) job = weft_job_new();
	g_autoptr(GPtrArray) paths = weft_outputs_sample(outputs, n, error);
	FILE *lines;

	if (!paths)
		return FALSE;
	job->tasks_dir = g_strdup(places->tasks_dir);
	if (!weft_job_read(job, job_file, error))
		return FALSE;
	if (!job->model)
		job->model = g_strdup(places->default_bundle);
	g_ptr_array_set_size(job->inputs, 0);
	g_ptr_array_set_size(job->excludes, 0);
	for (guint i = 0; i < paths->len; i++)
		g_ptr_array_add(job->inputs, g_strdup(paths->pdata[i]));
	if (paths->len == 0)
		return TRUE;
	lines = tmpfile();
	if (!lines) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "a temporary file: %s",
			    g_strerror(errno));
		return FALSE;
	}
	g_free(job->output);
	job->output = g_strdup("-");
	job->lines_fd = fileno(lines);
	g_clear_pointer(&job->trace, g_free);
	job->sample = 0;
	job->is_dry = FALSE;
	job->until_s = 0;
	job->max_time_s = 0;
	gboolean is_good = run_again(job, ingest, error) &&
			   compare_lines(outputs, lines, ret_n_same, ret_n_other, error);
	fclose(lines);
	return is_good;
}
