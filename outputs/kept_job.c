#include "outputs/kept_job.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "outputs/catalog_rows.h"
#include "outputs/outputs_private.h"

#define FILE_BYTES_MAX ((gsize)4 << 20)
#define FILES_MAX ((gsize)100)
#define TYPE_END ".type.json"
#define JOBS_MAX ((gsize)1 << 20)
/* The end of a run looks for jobs that nobody needs when there are more. */
#define JOBS_MANY 16

static gboolean is_fingerprint(const char *text)
{
	return strlen(text) == WEFT_HEX_BYTES && strspn(text, "0123456789abcdef") == WEFT_HEX_BYTES;
}

static char *folder_of(const WeftOutputs *outputs, const char *fingerprint)
{
	return g_build_filename(outputs->folder, "jobs", fingerprint, NULL);
}

static gboolean keep_file(const char *folder, const char *name, const char *text, GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *before = NULL;
	gsize size, size_before;

	if (!text)
		return TRUE;
	size = strlen(text);
	if (weft_file_read(path, FILE_BYTES_MAX, &before, &size_before, NULL) &&
	    size == size_before && memcmp(before, text, size) == 0)
		return TRUE;
	return weft_file_write(path, text, size, error);
}

/* Names of types are letters, digits, - and _. */
static char *type_file(const char *type)
{
	return g_strconcat(type, TYPE_END, NULL);
}

static gboolean keep_types(const char *folder, const char *const *types, GError **error)
{
	for (; types && types[0]; types += 2) {
		g_autofree char *name = type_file(types[0]);

		if (!keep_file(folder, name, types[1], error))
			return FALSE;
	}
	return TRUE;
}

gboolean weft_outputs_keep_job(WeftOutputs *outputs, const char *fingerprint, const WeftKeptJob *job,
			       GError **error)
{
	g_autofree char *folder = folder_of(outputs, fingerprint);
	g_autofree char *task = g_strconcat(job->task_name, ".task", NULL);

	g_free(outputs->job);
	outputs->job = g_strdup(fingerprint);
	return weft_folder_make(folder, 0700, error) &&
	       keep_file(folder, "schema.json", job->schema, error) &&
	       keep_types(folder, job->types, error) &&
	       keep_file(folder, task, job->task, error) && keep_file(folder, "job", job->job, error);
}

static char *file_of(const WeftOutputs *outputs, const char *fingerprint, const char *name)
{
	g_autofree char *folder = is_fingerprint(fingerprint) ? folder_of(outputs, fingerprint) : NULL;
	g_autofree char *file = folder ? g_build_filename(folder, name, NULL) : NULL;

	return file && g_file_test(file, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer(&file) : NULL;
}

char *weft_outputs_job_file(const WeftOutputs *outputs, const char *fingerprint)
{
	return file_of(outputs, fingerprint, "job");
}

char *weft_outputs_job_schema(const WeftOutputs *outputs, const char *fingerprint, const char *type,
			      GError **error)
{
	g_autofree char *name = type ? type_file(type) : g_strdup("schema.json");
	/* The type is what a record says. */
	g_autofree char *file =
		strchr(name, '/') ? NULL : file_of(outputs, fingerprint, name);
	char *text = NULL;
	gsize size;

	if (file && !weft_file_read(file, FILE_BYTES_MAX, &text, &size, error))
		return NULL;
	return text;
}

GPtrArray *weft_outputs_job_types(const WeftOutputs *outputs, const char *fingerprint)
{
	g_autofree char *folder = is_fingerprint(fingerprint) ? folder_of(outputs, fingerprint) : NULL;
	g_autoptr(GPtrArray) names = folder ? weft_folder_names(folder, FILES_MAX, NULL) : NULL;
	GPtrArray *types = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; names && i < names->len; i++) {
		const char *name = names->pdata[i];

		if (g_str_has_suffix(name, TYPE_END) && !weft_file_is_temporary(name))
			g_ptr_array_add(types, g_strndup(name, strlen(name) - strlen(TYPE_END)));
	}
	weft_names_sort(types);
	return types;
}

/* ---- jobs that no record needs ---- */

static gboolean clean_job(const char *folder, gboolean is_needed, GError **error)
{
	g_autoptr(GPtrArray) names = weft_folder_names(folder, FILES_MAX, error);

	if (!names)
		return FALSE;
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);

		if ((!is_needed || weft_file_is_temporary(names->pdata[i])) && unlink(path) < 0 &&
		    errno != ENOENT) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", path,
				    g_strerror(errno));
			return FALSE;
		}
	}
	return is_needed || rmdir(folder) == 0 || errno == ENOENT || errno == ENOTEMPTY;
}

gboolean weft_outputs_clean_jobs(WeftOutputs *outputs, gboolean forgets_few, GError **error)
{
	g_autofree char *jobs = g_build_filename(outputs->folder, "jobs", NULL);
	g_autoptr(GHashTable) needed = NULL;

	if (!g_file_test(jobs, G_FILE_TEST_IS_DIR))
		return TRUE;
	g_autoptr(GPtrArray) names = weft_folder_names(jobs, JOBS_MAX, error);
	if (!names)
		return FALSE;
	/* A record that a killed run has left without its row needs its job, too. */
	if ((forgets_few || names->len > JOBS_MANY) &&
	    outputs->n_listed == weft_catalog_count_records(outputs->catalog)) {
		needed = weft_catalog_fingerprints(outputs->catalog, error);
		if (!needed)
			return FALSE;
	}
	for (guint i = 0; i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autofree char *folder = folder_of(outputs, name);

		if (is_fingerprint(name) &&
		    !clean_job(folder, !needed || g_strcmp0(name, outputs->job) == 0 ||
					       g_hash_table_contains(needed, name), error))
			return FALSE;
	}
	return TRUE;
}
