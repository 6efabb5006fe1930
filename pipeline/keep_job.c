#include "pipeline/keep_job.h"

/* A job that asked for less than the default memory gets that. */
#define MEMORY_DEFAULT_BYTES ((guint64)1 << 30)

static void set_text(GKeyFile *file, const char *key, const char *text)
{
	if (text != NULL)
		g_key_file_set_string(file, "job", key, text);
}

static void set_path(GKeyFile *file, const char *key, const char *path)
{
	g_autofree char *absolute = path != NULL ? g_canonicalize_filename(path, NULL) : NULL;

	set_text(file, key, absolute);
}

static void set_uint(GKeyFile *file, const char *key, guint64 value)
{
	if (value != 0)
		g_key_file_set_uint64(file, "job", key, value);
}

/* As the fingerprint has it, so that it is the same number again. */
static char *number_text(double value)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	return g_strdup(g_ascii_dtostr(text, sizeof text, value));
}

static void set_number(GKeyFile *file, const char *key, double value)
{
	g_autofree char *text = value != 0 ? number_text(value) : NULL;

	set_text(file, key, text);
}

static void set_ranges(GKeyFile *file, const WeftJob *job)
{
	g_autofree char *first = number_text(job->time_first);
	g_autofree char *end = number_text(job->time_end);
	g_autofree char *times = g_strdup_printf("%s-%s", first, end);
	g_autofree char *pages = g_strdup_printf("%u-%u", job->page_first, job->page_last);

	set_number(file, "page-dpi", job->page_dpi);
	if (job->page_last > 0)
		set_text(file, "pages", pages);
	if (job->time_end > 0)
		set_text(file, "time", times);
}

static void set_adapters(GKeyFile *file, const WeftJob *job)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < job->adapters->len; i++)
		g_ptr_array_add(paths, g_canonicalize_filename(job->adapters->pdata[i], NULL));
	if (paths->len > 0)
		g_key_file_set_string_list(file, "job", "adapter",
					   (const char *const *)paths->pdata, paths->len);
}

static void set_limits(GKeyFile *file, const WeftLimits *limits)
{
	for (const WeftLimit *limit = weft_limit_table(); limit->name != NULL; limit++) {
		double value = G_STRUCT_MEMBER(double, limits, limit->offset);
		g_autofree char *text = value != 0 ? number_text(value) : NULL;

		if (text != NULL)
			g_key_file_set_string(file, "limits", limit->name, text);
	}
}

/* A Whisper may lie in the bundle, also of a task that asks nothing. */
static void set_hearing(GKeyFile *file, const WeftRun *run)
{
	const WeftJob *job = run->job;

	if (job->audio == NULL && run->engine == NULL)
		set_path(file, "model", job->model);
	set_text(file, "language", job->language);
	set_path(file, "terms", job->terms);
	if (job->translates)
		g_key_file_set_boolean(file, "job", "translate", TRUE);
}

static char *job_text(const WeftRun *run)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *task = g_strdup_printf("./%s.task", run->task->name);
	const WeftJob *job = run->job;

	set_text(file, "task", task);
	set_text(file, "question", job->question);
	if (run->engine != NULL) {
		set_path(file, "model", job->model);
		set_adapters(file, job);
		set_number(file, "temperature", job->temperature);
	}
	if (run->engine != NULL || run->ears != NULL) {
		set_path(file, "audio", job->audio);
		set_uint(file, "seed", job->seed);
	}
	if (run->ears != NULL)
		set_hearing(file, run);
	set_text(file, "names", job->names);
	if (job->checks_text)
		g_key_file_set_boolean(file, "job", "check-text", TRUE);
	if (job->is_together)
		g_key_file_set_boolean(file, "job", "together", TRUE);
	set_path(file, "guard", job->guard);
	set_text(file, "reader", weft_run_reader(run));
	set_text(file, "ocr-languages", job->ocr_languages);
	set_text(file, "tier", job->tier);
	set_text(file, "kv-type", job->kv_type);
	set_uint(file, "kv-memory", job->kv_memory_bytes);
	set_uint(file, "memory",
		 job->memory_bytes > MEMORY_DEFAULT_BYTES ? job->memory_bytes : 0);
	set_ranges(file, job);
	set_path(file, "password-file", job->password_file);
	set_limits(file, &job->limits);
	return g_key_file_to_data(file, NULL, NULL);
}

static void set_choices(GKeyFile *file, const WeftTask *task)
{
	static const char *const merges[] = {"fields", "model"};
	static const char *const windows[] = {"all", "ends", "none"};
	static const char *const pictures[] = {"unread", "all", "none"};

	g_key_file_set_string(file, "task", "merge", merges[task->merge_by]);
	g_key_file_set_string(file, "task", "windows", windows[task->windows]);
	g_key_file_set_string(file, "task", "pictures", pictures[task->pictures]);
	if (task->chooses_frames)
		g_key_file_set_string(file, "task", "frames", "even");
	if (task->tells_slides) {
		g_key_file_set_string(file, "task", "answer", "slides");
		g_key_file_set_string(file, "task", "schema", "@schema.json");
	}
	if (task->schema_options.is_verbatim)
		g_key_file_set_boolean(file, "task", "verbatim", TRUE);
	if (task->schema_options.declines)
		g_key_file_set_boolean(file, "task", "declines", TRUE);
	g_key_file_set_string(file, "task", "read", task->reads ? "true" : "false");
	if (task->answer_tokens > 0)
		g_key_file_set_uint64(file, "task", "answer_tokens", task->answer_tokens);
}

/* The schemas of types lie beside the task. */
static void set_types(GKeyFile *file, const WeftTask *task)
{
	for (guint i = 0; task->types != NULL && i < task->types->len; i++) {
		const WeftTaskType *type = task->types->pdata[i];
		g_autofree char *group = g_strconcat("type ", type->name, NULL);
		g_autofree char *schema = g_strconcat("@", type->name, ".type.json", NULL);

		if (type->about != NULL)
			g_key_file_set_string(file, group, "about", type->about);
		if (type->words != NULL)
			g_key_file_set_string_list(file, group, "match",
						   (const char *const *)type->words,
						   g_strv_length(type->words));
		g_key_file_set_string(file, group, "schema", schema);
	}
}

static void set_documents(GKeyFile *file, const WeftTask *task)
{
	if (task->schema_text == NULL || task->types != NULL || task->merge_by == WEFT_MERGE_MODEL ||
	    task->windows != WEFT_WINDOWS_ALL)
		return;
	g_key_file_set_string(file, "task", "documents", task->element_text != NULL ? "many" : "one");
	if (task->begins_words != NULL)
		g_key_file_set_string_list(file, "task", "begins",
					   (const char *const *)task->begins_words,
					   g_strv_length(task->begins_words));
}

static char *task_text(const WeftRun *run)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	const WeftTask *task = run->task;

	set_choices(file, task);
	if (task->prompt != NULL) {
		/* "@" at the begin would be the name of a file; space there does not count. */
		g_autofree char *prompt = g_strconcat("\n", task->prompt, NULL);

		g_key_file_set_string(file, "task", "prompt", prompt);
		if (task->schema_text != NULL)
			g_key_file_set_string(file, "task", "schema", "@schema.json");
		set_types(file, task);
		set_documents(file, task);
	}
	if (run->job->question != NULL)
		g_key_file_set_boolean(file, "task", "question", TRUE);
	if (task->adapter != NULL)
		g_key_file_set_string(file, "task", "adapter", task->adapter);
	if (task->adapter_path != NULL) {
		g_autofree char *absolute = g_canonicalize_filename(task->adapter_path, NULL);
		g_autofree char *value = g_strconcat("@", absolute, NULL);

		g_key_file_set_string(file, "task", "adapter", value);
	}
	return g_key_file_to_data(file, NULL, NULL);
}

gboolean weft_run_keep_job(const WeftRun *run, GError **error)
{
	g_autofree char *job = job_text(run);
	g_autofree char *task = task_text(run);
	g_autoptr(GPtrArray) types = g_ptr_array_new();

	for (guint i = 0; run->task->types != NULL && i < run->task->types->len; i++) {
		const WeftTaskType *type = run->task->types->pdata[i];

		g_ptr_array_add(types, type->name);
		g_ptr_array_add(types, type->schema_text);
	}
	g_ptr_array_add(types, NULL);
	const WeftKeptJob kept = {.job = job,
				  .task_name = run->task->name,
				  .task = task,
				  .schema = run->task->schema_text,
				  .types = (const char *const *)types->pdata};

	return weft_store_keep_job(run->store, &kept, error);
}
