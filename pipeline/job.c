#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/files.h"
#include "pipeline/deadline.h"
#include "pipeline/names.h"
#include "pipeline/pipeline.h"

#define JOBS_MAX 256
#define MEMORY_MIN_BYTES ((guint64)32 << 20)
#define MEMORY_DEFAULT_BYTES ((guint64)1 << 30)
#define PASSWORD_FILE_MAX_BYTES ((gsize)1 << 20)

WeftJob *weft_job_new(void)
{
	WeftJob *job = g_new0(WeftJob, 1);

	job->inputs = g_ptr_array_new_with_free_func(g_free);
	job->excludes = g_ptr_array_new_with_free_func(g_free);
	job->counted = g_ptr_array_new_with_free_func(g_free);
	job->adapters = g_ptr_array_new_with_free_func(g_free);
	job->passwords = g_ptr_array_new_with_free_func(g_free);
	job->task = g_strdup("index");
	job->output = g_strdup("weft-out");
	job->memory_bytes = MEMORY_DEFAULT_BYTES;
	job->cache_bytes = WEFT_CACHE_DEFAULT_BYTES;
	job->lines_fd = -1;
	return job;
}

void weft_job_free(WeftJob *job)
{
	if (job == NULL)
		return;
	g_ptr_array_unref(job->inputs);
	g_ptr_array_unref(job->excludes);
	g_ptr_array_unref(job->counted);
	g_ptr_array_unref(job->adapters);
	g_ptr_array_unref(job->passwords);
	g_free(job->task);
	g_free(job->tasks_dir);
	g_free(job->schema);
	g_free(job->question);
	g_free(job->model);
	g_free(job->audio);
	g_free(job->language);
	g_free(job->terms);
	g_free(job->names);
	g_free(job->guard);
	g_free(job->output);
	g_free(job->state);
	g_free(job->ocr_languages);
	g_free(job->tier);
	g_free(job->kv_type);
	g_free(job->trace);
	g_free(job->password_file);
	g_free(job);
}

static gboolean refuse(const char *key, const char *text, const char *wanted, GError **error)
{
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "%s: '%s' is not %s", key, text, wanted);
	return FALSE;
}

static gboolean parse_count(const char *text, guint64 limit, guint64 *ret_value)
{
	guint64 value;

	if (!g_ascii_string_to_unsigned(text, 10, 0, limit, &value, NULL))
		return FALSE;
	*ret_value = value;
	return TRUE;
}

static gboolean parse_number(const char *text, double min, double max, double *ret_value)
{
	char *end = NULL;
	double value = g_ascii_strtod(text, &end);

	if (end == text || *end != '\0' || !(value >= min && value <= max))
		return FALSE;
	*ret_value = value;
	return TRUE;
}

/* "12.5", "12:30", "1:02:03.5": seconds. */
static gboolean parse_time(const char *text, double *ret_seconds)
{
	g_auto(GStrv) fields = g_strsplit(text, ":", 4);
	guint n = g_strv_length(fields);
	double seconds = 0;

	if (n == 0 || n > 3)
		return FALSE;
	for (guint i = 0; i < n; i++) {
		double field;

		if (!parse_number(fields[i], 0, i > 0 ? 59.9999999 : 1e7, &field))
			return FALSE;
		seconds = seconds * 60 + field;
	}
	*ret_seconds = seconds;
	return TRUE;
}

static gboolean set_path(char **field, const char *text)
{
	g_free(*field);
	*field = g_strdup(text);
	return TRUE;
}

static gboolean set_reader(WeftJob *job, const char *text)
{
	static const char *const names[] = {"auto", "bundle", "tesseract", "none"};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			job->reader = (WeftReadBy)i;
			return TRUE;
		}
	}
	return FALSE;
}

static gboolean set_jobs(WeftJob *job, const char *text)
{
	guint64 value;

	if (!parse_count(text, JOBS_MAX, &value))
		return FALSE;
	job->jobs = (guint)value;
	return TRUE;
}

static gboolean set_memory(WeftJob *job, const char *text)
{
	guint64 bytes;

	if (!weft_size_parse(text, &bytes) || bytes < MEMORY_MIN_BYTES)
		return FALSE;
	job->memory_bytes = bytes;
	return TRUE;
}

static gboolean set_kv_type(WeftJob *job, const char *text)
{
	static const char *const names[] = {"f32", "bf16", "q8_0", "q4", NULL};

	return g_strv_contains(names, text) && set_path(&job->kv_type, text);
}

/* The text is "true" where the option has none. */
static gboolean set_switch(gboolean *field, const char *text)
{
	*field = strcmp(text, "true") == 0;
	return *field || strcmp(text, "false") == 0;
}

static gboolean set_pages(WeftJob *job, const char *text)
{
	g_auto(GStrv) ends = g_strsplit(text, "-", 3);
	guint n = g_strv_length(ends);
	guint64 first, last;

	if (n < 1 || n > 2 || !parse_count(ends[0], G_MAXUINT32, &first) ||
	    !parse_count(ends[n - 1], G_MAXUINT32, &last) || first < 1 || last < first)
		return FALSE;
	job->page_first = (guint32)first;
	job->page_last = (guint32)last;
	return TRUE;
}

static gboolean set_times(WeftJob *job, const char *text)
{
	g_auto(GStrv) ends = g_strsplit(text, "-", 3);
	double first, end;

	if (g_strv_length(ends) != 2 || !parse_time(ends[0], &first) ||
	    !parse_time(ends[1], &end) || end <= first)
		return FALSE;
	job->time_first = first;
	job->time_end = end;
	return TRUE;
}

static gboolean set_until(WeftJob *job, const char *text, GError **error)
{
	gint64 now_s = g_get_real_time() / G_USEC_PER_SEC, until_s;

	if (!weft_moment_parse(text, now_s, &until_s))
		return refuse("until", text, "a time like 06:00 or 2026-11-22T06:00", error);
	if (until_s <= now_s) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "until: %s is over", text);
		return FALSE;
	}
	job->until_s = until_s;
	return TRUE;
}

static gboolean set_password_file(WeftJob *job, const char *path, GError **error)
{
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	gsize size_bytes;

	if (!weft_file_read(path, PASSWORD_FILE_MAX_BYTES, &text, &size_bytes, error))
		return FALSE;
	(void)set_path(&job->password_file, path);
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL; line++) {
		if (**line != '\0')
			g_ptr_array_add(job->passwords, g_strdup(*line));
	}
	return TRUE;
}

static gboolean set_limit(WeftJob *job, const char *text, GError **error)
{
	const char *equals = strchr(text, '=');
	g_autofree char *name = NULL;

	if (equals == NULL)
		return refuse("limit", text, "KEY=VALUE", error);
	name = g_strndup(text, (gsize)(equals - text));
	return weft_limits_set(&job->limits, name, equals + 1, error);
}

static gboolean set_names(WeftJob *job, const char *text, GError **error)
{
	g_autoptr(WeftNames) names = weft_names_new(text, error);

	return names != NULL && set_path(&job->names, text);
}

static const WeftJobKey keys[] = {
    {"task", "NAME|FILE",
     "what to ask: index (default), inventory, transcript, describe, extract, ask, minutes, chapters, "
     "questions, slides",
     't'},
    {"schema", "FILE", "JSON Schema of the answer, in place of the task's", 's'},
    {"question", "TEXT", "the question of the task 'ask'", 0},
    {"model", "BUNDLE", "a folder as Hugging Face publishes it, or a GGUF file (default: the shipped one)", 'm'},
    {"audio", "DIR|FILE.bin", "a Whisper checkpoint that listens to recordings, or an Ultravox folder", 0},
    {"language", "CODE", "that is spoken, as in de (default: the one that is heard)", 0},
    {"translate", NULL, "write what is said in English", 0},
    {"terms", "FILE", "names and words that may be said, a line each", 0},
    {"names", "S1=Anna,S2=Ben", "who the speakers are", 0},
    {"adapter", "DIR", "a LoRA adapter that answers; again: more, one of which the task names", 0},
    {"guard", "BUNDLE", "a Llama Guard 4, folder or GGUF: labels each document and answer, withholds nothing", 0},
    {"output", "DIR", "where records go (default: weft-out); '-': JSON Lines to stdout", 'o'},
    {"state", "DIR", "where the catalogue goes (default: state in the output folder)", 0},
    {"cache", "SIZE", "what was read is kept there for other questions, at most so much (default: 2G)", 0},
    {"reader", "WHO", "who reads pictures of pages: auto, bundle, tesseract, none", 0},
    {"ocr-languages", "LIST", "languages for Tesseract, as in eng+deu", 0},
    {"jobs", "N", "threads (default: one per core); 64 at most are used", 'j'},
    {"memory", "SIZE", "private and shared memory at most, of all its processes, as in 1G (the default)", 0},
    {"seed", "N", "of every random choice (default: 0)", 0},
    {"temperature", "T", "0 (default): always the most likely token", 0},
    {"tier", "NAME", "kernels: ref, avx2, avx512 (default: the best of this machine)", 0},
    {"kv-type", "TYPE",
     "keys and values as f32, bf16, q8_0 or q4 (default: f32 for weights in f32, else bf16)", 0},
    {"kv-memory", "SIZE",
     "keys and values in memory at most; the rest goes to a file in the state folder", 0},
    {"mlock", NULL, "lock the model's weights in memory", 0},
    {"prefetch", NULL, "read at once what every token needs of the weights", 0},
    {"page-dpi", "N", "resolution at which pages are rendered", 0},
    {"pages", "3-9", "only these pages of each document", 0},
    {"time", "12:30-15:00", "only this stretch of each recording", 0},
    {"limit", "KEY=VALUE",
     "what a document may cost, as in pages=5000; again: another (weft-run(1) has the list)", 0},
    {"password-file", "FILE", "passwords for documents, one per line", 0},
    {"exclude", "GLOB", "leave out files and folders with this name or path", 0},
    {"rehash", NULL, "open and hash every file, also those that seem unchanged", 0},
    {"retry-failed", NULL, "try again what had failed or was partial, whatever the reason", 0},
    {"upgrade", NULL, "make again what other versions of weft or of its decoders made", 0},
    {"join", NULL, "share the work with runs that hold the output folder", 0},
    {"check-text", NULL, "read alone the pixels of values from PDF text, too: is it what the page shows?", 0},
    {"together", NULL, "all inputs are one document: a month of meetings", 0},
    {"accept-deletions", NULL, "believe a folder that is missing, empty or lost many files", 0},
    {"routing", NULL, "note in each record (run) which experts its tokens chose", 0},
    {"trace", "FILE", "write who worked when, in the Chrome trace format", 0},
    {"until", "TIME", "stop in order at 06:00 (the next one) or 2026-11-22T06:00; exit 4 with work left", 0},
    {"max-time", "TIME", "stop in order after so long, as in 30s, 90m or 2h; exit 4 with work left", 0},
    {"sample", "N", "only N documents, always the same; says how long all would take", 0},
    {"dry-run", NULL, "count what would be done; nothing is written, no weights are read", 0},
    {"no-sandbox", NULL, "decode also where decoders can't be locked down", 0},
    {NULL, NULL, NULL, 0},
};

const WeftJobKey *weft_job_keys(void)
{
	return keys;
}

static gboolean set_number(WeftJob *job, const char *key, const char *text, GError **error)
{
	if (strcmp(key, "jobs") == 0)
		return set_jobs(job, text) || refuse(key, text, "a number from 0 to 256", error);
	if (strcmp(key, "memory") == 0)
		return set_memory(job, text) || refuse(key, text, "a size of 32M or more", error);
	if (strcmp(key, "kv-memory") == 0)
		return (weft_size_parse(text, &job->kv_memory_bytes) && job->kv_memory_bytes > 0) ||
		       refuse(key, text, "a size like 8G", error);
	if (strcmp(key, "cache") == 0)
		return weft_size_parse(text, &job->cache_bytes) ||
		       refuse(key, text, "a size like 2G, or 0", error);
	if (strcmp(key, "seed") == 0)
		return parse_count(text, G_MAXUINT64, &job->seed) ||
		       refuse(key, text, "a whole number", error);
	if (strcmp(key, "sample") == 0)
		return (parse_count(text, G_MAXUINT64, &job->sample) && job->sample > 0) ||
		       refuse(key, text, "a whole number above 0", error);
	if (strcmp(key, "temperature") == 0)
		return parse_number(text, 0, 100, &job->temperature) ||
		       refuse(key, text, "a number from 0 to 100", error);
	if (strcmp(key, "max-time") == 0)
		return weft_duration_parse(text, &job->max_time_s) ||
		       refuse(key, text, "a time like 30s, 90m or 2h", error);
	if (strcmp(key, "until") == 0)
		return set_until(job, text, error);
	if (strcmp(key, "page-dpi") == 0)
		return parse_number(text, 10, 1200, &job->page_dpi) ||
		       refuse(key, text, "a number from 10 to 1200", error);
	if (strcmp(key, "pages") == 0)
		return set_pages(job, text) ||
		       refuse(key, text, "a range of pages like 3-9", error);
	if (strcmp(key, "time") == 0)
		return set_times(job, text) ||
		       refuse(key, text, "a range of times like 12:30-15:00", error);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "%s: no such key", key);
	return FALSE;
}

gboolean weft_job_set(WeftJob *job, const char *key, const char *text, GError **error)
{
	const struct {
		const char *key;
		char **field;
	} fields[] = {
	    {"task", &job->task},         {"schema", &job->schema},
	    {"question", &job->question}, {"model", &job->model},
	    {"audio", &job->audio},       {"output", &job->output},
	    {"state", &job->state},       {"tier", &job->tier},
	    {"trace", &job->trace},       {"ocr-languages", &job->ocr_languages},
	    {"guard", &job->guard},       {"language", &job->language},
	    {"terms", &job->terms},
	};

	const struct {
		const char *key;
		gboolean *field;
	} switches[] = {
	    {"dry-run", &job->is_dry},           {"mlock", &job->locks_weights},
	    {"prefetch", &job->prefetches_weights}, {"routing", &job->counts_routing},
	    {"rehash", &job->rehashes},          {"retry-failed", &job->retries_failed},
	    {"upgrade", &job->upgrades},         {"accept-deletions", &job->accepts_deletions},
	    {"join", &job->joins},               {"translate", &job->translates},
	    {"together", &job->is_together},     {"check-text", &job->checks_text},
	};

	for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
		if (strcmp(key, fields[i].key) == 0)
			return set_path(fields[i].field, text);
	}
	if (strcmp(key, "exclude") == 0) {
		g_ptr_array_add(job->excludes, g_strdup(text));
		return TRUE;
	}
	if (strcmp(key, "adapter") == 0) {
		g_ptr_array_add(job->adapters, g_strdup(text));
		return TRUE;
	}
	if (strcmp(key, "no-sandbox") == 0)
		return set_switch(&job->is_unlocked, text) ||
		       refuse(key, text, "true or false", error);
	for (guint i = 0; i < G_N_ELEMENTS(switches); i++) {
		if (strcmp(key, switches[i].key) == 0)
			return set_switch(switches[i].field, text) ||
			       refuse(key, text, "true or false", error);
	}
	if (strcmp(key, "reader") == 0)
		return set_reader(job, text) ||
		       refuse(key, text, "auto, bundle, tesseract or none", error);
	if (strcmp(key, "kv-type") == 0)
		return set_kv_type(job, text) ||
		       refuse(key, text, "f32, bf16, q8_0 or q4", error);
	if (strcmp(key, "limit") == 0)
		return set_limit(job, text, error);
	if (strcmp(key, "names") == 0)
		return set_names(job, text, error);
	if (strcmp(key, "password-file") == 0)
		return set_password_file(job, text, error);
	return set_number(job, key, text, error);
}

/* Values of a job file that name files: relative to the folder of the job file. */
static gboolean is_file_key(const char *key, const char *text)
{
	static const char *const names[] = {"schema", "model", "audio", "guard",         "output",
	                                    "state",  "terms", "trace", "password-file", NULL};

	if (strcmp(key, "task") == 0)
		return strchr(text, '/') != NULL || g_str_has_suffix(text, ".task");
	return g_strv_contains(names, key) && strcmp(text, "-") != 0;
}

static char *beside(const char *path, const char *text)
{
	g_autofree char *folder = g_path_get_dirname(path);

	if (g_path_is_absolute(text) || strcmp(folder, ".") == 0)
		return g_strdup(text);
	return g_build_filename(folder, text, NULL);
}

static gboolean read_key(WeftJob *job, GKeyFile *file, const char *path, const char *key,
                         GError **error)
{
	static const char *const lists[] = {"inputs", "adapter", "exclude", NULL};
	gboolean is_list = g_strv_contains(lists, key);
	g_autofree char *text = NULL;
	g_autofree char *value = NULL;

	if (is_list) {
		g_auto(GStrv) items = g_key_file_get_string_list(file, "job", key, NULL, error);

		for (char **item = items; item != NULL && *item != NULL; item++) {
			if (strcmp(key, "inputs") == 0)
				g_ptr_array_add(job->inputs, beside(path, *item));
			else if (strcmp(key, "adapter") == 0)
				g_ptr_array_add(job->adapters, beside(path, *item));
			else
				g_ptr_array_add(job->excludes, g_strdup(*item));
		}
		return items != NULL;
	}
	text = g_key_file_get_string(file, "job", key, error);
	if (text == NULL)
		return FALSE;
	value = is_file_key(key, text) ? beside(path, text) : g_strdup(text);
	return weft_job_set(job, key, value, error);
}

static gboolean read_limits(WeftJob *job, GKeyFile *file, GError **error)
{
	g_auto(GStrv) names = NULL;

	if (!g_key_file_has_group(file, "limits"))
		return TRUE;
	names = g_key_file_get_keys(file, "limits", NULL, error);
	for (char **name = names; name != NULL && *name != NULL; name++) {
		g_autofree char *text = g_key_file_get_string(file, "limits", *name, error);

		if (text == NULL || !weft_limits_set(&job->limits, *name, text, error))
			return FALSE;
	}
	return names != NULL;
}

gboolean weft_job_read(WeftJob *job, const char *path, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) failure = NULL;
	g_auto(GStrv) names = NULL;

	if (g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &failure))
		names = g_key_file_get_keys(file, "job", NULL, &failure);
	for (char **name = names; name != NULL && *name != NULL; name++) {
		if (!read_key(job, file, path, *name, &failure))
			break;
	}
	if (failure == NULL && read_limits(job, file, &failure))
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: %s", path, failure->message);
	return FALSE;
}
