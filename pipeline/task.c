#include "pipeline/task.h"

#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "base/fold.h"
#include "outputs/record.h"
#include "pipeline/shape.h"
#include "pipeline/task_types.h"

#define NAMES_MAX 1000u
#define FILE_MAX_BYTES ((gsize)1 << 20)
#define PLACEHOLDER "{document}"

void weft_task_free(WeftTask *task)
{
	if (task == NULL)
		return;
	weft_schema_free(task->schema);
	weft_json_free(task->schema_tree);
	g_free(task->schema_text);
	g_clear_pointer(&task->types, g_ptr_array_unref);
	g_free(task->type_system);
	weft_schema_free(task->type_schema);
	g_free(task->element_text);
	weft_schema_free(task->element_schema);
	weft_schema_free(task->begins_schema);
	g_clear_pointer(&task->begins, g_ptr_array_unref);
	g_strfreev(task->begins_words);
	g_free(task->question);
	g_free(task->system);
	g_free(task->prompt);
	g_free(task->adapter);
	g_free(task->adapter_path);
	g_free(task->name);
	g_free(task);
}

/* The words of schema/decline.h. Said once the schema has been seen, in so many words because the answer is
 * no JSON then. */
#define DECLINES                                                                                   \
	"\n\nWhere you answer null, you may say why, right behind it and without quotes: "         \
	"null:absent when the document does not have it, null:unreadable when it is there but "     \
	"cannot be read, null:not_examined when you were not shown what it would take to tell."

char *weft_task_system(const char *instructions, const char *schema_text, gboolean declines)
{
	return g_strdup_printf("%s\n\nAnswer with JSON that fits this schema:\n%s%s", instructions,
	                       schema_text, declines ? DECLINES : "");
}

const WeftSchema *weft_task_schema(const WeftTask *task, guint type)
{
	return type > 0 ? ((const WeftTaskType *)task->types->pdata[type - 1])->schema : task->schema;
}

WeftUsage weft_task_usage(const WeftTask *task, guint type)
{
	return type > 0 ? ((const WeftTaskType *)task->types->pdata[type - 1])->usage : task->usage;
}

const char *weft_task_schema_text(const WeftTask *task, guint type)
{
	return type > 0 ? ((const WeftTaskType *)task->types->pdata[type - 1])->schema_text
	                : task->schema_text;
}

const WeftJson *weft_task_schema_tree(const WeftTask *task, guint type)
{
	return type > 0 ? ((const WeftTaskType *)task->types->pdata[type - 1])->schema_tree
	                : task->schema_tree;
}

static gboolean is_shipped(const WeftJob *job)
{
	return strchr(job->task, '/') == NULL && !g_str_has_suffix(job->task, ".task") &&
	       job->tasks_dir != NULL;
}

/* A shipped task by its name, or a file. */
static char *task_path(const WeftJob *job)
{
	g_autofree char *file = NULL;

	if (!is_shipped(job))
		return g_strdup(job->task);
	file = g_strconcat(job->task, ".task", NULL);
	return g_build_filename(job->tasks_dir, file, NULL);
}

gboolean weft_task_text(GKeyFile *file, const char *path, const char *group, const char *key,
                        char **ret_text, GError **error)
{
	g_autofree char *value = g_key_file_get_string(file, group, key, NULL);
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *beside = NULL;
	gsize size_bytes;

	if (value == NULL || value[0] != '@') {
		*ret_text = g_steal_pointer(&value);
		return TRUE;
	}
	beside = g_path_is_absolute(value + 1) ? g_strdup(value + 1)
	                                       : g_build_filename(folder, value + 1, NULL);
	return weft_file_read(beside, FILE_MAX_BYTES, ret_text, &size_bytes, error);
}

/* The number of the value among `names`, `*ret_choice` as it is when the key is not there. */
static gboolean choice_of_key(GKeyFile *file, const char *path, const char *key,
                              const char *const *names, guint *ret_choice, GError **error)
{
	g_autofree char *value = g_key_file_get_string(file, "task", key, NULL);
	g_autofree char *all = NULL;

	if (value == NULL)
		return TRUE;
	for (guint i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], value) == 0) {
			*ret_choice = i;
			return TRUE;
		}
	}
	all = g_strjoinv(", ", (char **)names);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: %s=%s is none of %s", path, key,
	            value, all);
	return FALSE;
}

static gboolean check_keys(GKeyFile *file, const char *path, GError **error)
{
	static const char *const known[] = {"summary",       "prompt",   "schema", "merge",
	                                    "windows",       "pictures", "frames", "read",
	                                    "question",      "inventory", "answer_tokens",
	                                    "adapter",       "answer",    "documents", "begins",
	                                    "verbatim",      "declines",
	                                    NULL};
	g_autoptr(GError) failure = NULL;
	g_auto(GStrv) keys = g_key_file_get_keys(file, "task", NULL, &failure);

	if (keys == NULL) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: %s", path, failure->message);
		return FALSE;
	}
	for (char **key = keys; *key != NULL; key++) {
		if (!g_strv_contains(known, *key)) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			            "%s: %s is no key of a task", path, *key);
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean read_choices(WeftTask *task, GKeyFile *file, const char *path, GError **error)
{
	static const char *const merges[] = {"fields", "model", NULL};
	static const char *const windows[] = {"all", "ends", "none", NULL};
	static const char *const pictures[] = {"unread", "all", "none", NULL};
	static const char *const frames[] = {"all", "even", NULL};
	static const char *const truths[] = {"false", "true", NULL};
	guint merge_by = 0, windows_asked = 0, pictures_shown = 0, reads = 1, inventories = 0;
	static const char *const answers[] = {"", "slides", NULL};
	guint frames_shown = 0, answer = 0, verbatim = 0, declines = 0;

	if (!choice_of_key(file, path, "merge", merges, &merge_by, error) ||
	    !choice_of_key(file, path, "windows", windows, &windows_asked, error) ||
	    !choice_of_key(file, path, "pictures", pictures, &pictures_shown, error) ||
	    !choice_of_key(file, path, "frames", frames, &frames_shown, error) ||
	    !choice_of_key(file, path, "answer", answers, &answer, error) ||
	    !choice_of_key(file, path, "inventory", truths, &inventories, error) ||
	    !choice_of_key(file, path, "verbatim", truths, &verbatim, error) ||
	    !choice_of_key(file, path, "declines", truths, &declines, error) ||
	    !choice_of_key(file, path, "read", truths, &reads, error))
		return FALSE;
	task->schema_options.is_verbatim = verbatim != 0;
	task->schema_options.declines = declines != 0;
	task->merge_by = (WeftMergeBy)merge_by;
	task->windows = (WeftWindowsAsked)windows_asked;
	task->pictures = (WeftPicturesShown)pictures_shown;
	task->chooses_frames = frames_shown != 0;
	task->tells_slides = answer != 0;
	if (task->tells_slides && task->windows != WEFT_WINDOWS_NONE) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
		            "%s: answer=slides asks nothing: it needs windows=none", path);
		return FALSE;
	}
	task->reads = reads != 0;
	task->inventories = inventories != 0;
	if (g_key_file_has_key(file, "task", "answer_tokens", NULL)) {
		guint64 n_tokens = g_key_file_get_uint64(file, "task", "answer_tokens", NULL);

		if (n_tokens < 1 || n_tokens > G_MAXINT32) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			            "%s: answer_tokens is not a number of tokens", path);
			return FALSE;
		}
		task->answer_tokens = (gsize)n_tokens;
	}
	return TRUE;
}

static void read_adapter(WeftTask *task, GKeyFile *file, const char *path)
{
	g_autofree char *value = g_key_file_get_string(file, "task", "adapter", NULL);
	g_autofree char *folder = g_path_get_dirname(path);

	if (value == NULL)
		return;
	if (value[0] != '@')
		task->adapter = g_steal_pointer(&value);
	else
		task->adapter_path = g_path_is_absolute(value + 1)
		                         ? g_strdup(value + 1)
		                         : g_build_filename(folder, value + 1, NULL);
}

static gboolean read_schema(WeftTask *task, const WeftJob *job, GKeyFile *file, const char *path,
                            GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) failure = NULL;
	gsize size_bytes;

	if (job->schema != NULL && task->types != NULL) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            "task %s takes no schema: its types have their own", task->name);
		return FALSE;
	}
	if (job->schema != NULL) {
		if (!weft_file_read(job->schema, FILE_MAX_BYTES, &text, &size_bytes, error))
			return FALSE;
	} else if (!weft_task_text(file, path, "task", "schema", &text, error)) {
		return FALSE;
	}
	if (text == NULL && task->types != NULL)
		return TRUE;
	if (text == NULL) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            "task %s needs a schema: -s SCHEMA.json", task->name);
		return FALSE;
	}
	task->schema_tree = weft_json_parse(text, strlen(text), WEFT_JSON_STRICT, &failure);
	if (task->schema_tree != NULL &&
	    weft_usage_of_schema(task->schema_tree, &task->usage, &failure))
		task->schema = weft_schema_new(text, strlen(text), &task->schema_options, &failure);
	if (task->schema == NULL ||
	    !weft_agreement_read(task->schema_tree, task->schema, &failure)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA, "%s: %s",
		            job->schema != NULL ? job->schema : path, failure->message);
		return FALSE;
	}
	task->schema_text = weft_json_compact(task->schema_tree);
	return TRUE;
}

/* The schema of an element alone: its own keywords, and the definitions of the whole. */
static char *element_text(const WeftJson *schema, const WeftJson *items)
{
	static const char *const shared[] = {"$defs", "definitions"};
	GString *text = g_string_new(NULL);
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	for (gsize i = 0; i < weft_json_length(items); i++) {
		weft_json_write_key(&writer, weft_json_key_at(items, i, NULL));
		weft_json_write_tree(&writer, weft_json_at(items, i));
	}
	for (guint i = 0; i < G_N_ELEMENTS(shared); i++) {
		const WeftJson *definitions = weft_json_member(schema, shared[i]);

		if (definitions == NULL || weft_json_member(items, shared[i]) != NULL)
			continue;
		weft_json_write_key(&writer, shared[i]);
		weft_json_write_tree(&writer, definitions);
	}
	weft_json_write_object_end(&writer);
	return g_string_free(text, FALSE);
}

static gboolean is_type(const WeftJson *schema, const char *type)
{
	return g_strcmp0(weft_json_string(weft_json_member(schema, "type"), NULL), type) == 0;
}

/* By "documents", or where the schema is a list of objects. */
static gboolean read_documents(WeftTask *task, GKeyFile *file, const char *path, GError **error)
{
	static const char *const names[] = {"", "one", "many", NULL};
	const WeftJson *items = weft_json_member(task->schema_tree, "items");
	gboolean is_list = is_type(task->schema_tree, "array") && weft_json_type(items) == WEFT_JSON_OBJECT;
	gboolean can_be = task->types == NULL && task->merge_by == WEFT_MERGE_FIELDS &&
	                  task->windows == WEFT_WINDOWS_ALL;
	g_autoptr(GError) failure = NULL;
	guint documents = 0;

	if (!choice_of_key(file, path, "documents", names, &documents, error))
		return FALSE;
	if (documents == 2 && !(is_list && can_be)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
		            "%s: documents=many needs %s", path,
		            !is_list ? "a schema whose root is {\"type\": \"array\", \"items\": {...}}"
		                     : "windows=all and merge=fields, and no types");
		return FALSE;
	}
	if (documents == 1 || !is_list || !can_be ||
	    (documents == 0 && !is_type(weft_shape_item(weft_shape(task->schema_tree)).node, "object")))
		return TRUE;
	task->element_text = element_text(task->schema_tree, items);
	task->element_schema =
	    weft_schema_new(task->element_text, strlen(task->element_text), &task->schema_options,
	                    &failure);
	task->begins_schema = weft_schema_new(WEFT_TASK_BEGINS_SCHEMA,
	                                      strlen(WEFT_TASK_BEGINS_SCHEMA), NULL, NULL);
	if (task->element_schema != NULL)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_SCHEMA,
	            "%s: the items of the schema alone, as each document is asked for them: %s", path,
	            failure->message);
	return FALSE;
}

gboolean weft_task_words(GKeyFile *file, const char *path, const char *group, const char *key,
                         char ***ret_words, GPtrArray **ret_folded, GError **error)
{
	g_auto(GStrv) words = g_key_file_get_string_list(file, group, key, NULL, NULL);
	g_autoptr(GPtrArray) folded = g_ptr_array_new_with_free_func(g_free);

	for (char **word = words; word != NULL && *word != NULL; word++) {
		g_autofree char *valid = g_utf8_make_valid(*word, -1);
		char *text = weft_fold(valid);

		g_ptr_array_add(folded, text);
		if (text[1] != '\0')
			continue;
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
		            "%s: [%s]: %s: '%s' has no letter and no digit", path, group, key, valid);
		return FALSE;
	}
	*ret_words = g_steal_pointer(&words);
	*ret_folded = g_steal_pointer(&folded);
	return TRUE;
}

static gboolean read_begins(WeftTask *task, GKeyFile *file, const char *path, GError **error)
{
	if (!g_key_file_has_key(file, "task", "begins", NULL))
		return TRUE;
	if (task->element_text != NULL)
		return weft_task_words(file, path, "task", "begins", &task->begins_words,
		                       &task->begins, error);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
	            "%s: begins is for files with many documents: documents=many", path);
	return FALSE;
}

static gboolean read_prompt(WeftTask *task, const WeftJob *job, GKeyFile *file, const char *path,
                            GError **error)
{
	gboolean needs_question = g_key_file_get_boolean(file, "task", "question", NULL);
	g_autofree char *prompt = NULL;
	g_autofree char *after = NULL;
	char *place;

	if (!weft_task_text(file, path, "task", "prompt", &prompt, error))
		return FALSE;
	if (prompt == NULL) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: prompt is missing", path);
		return FALSE;
	}
	if (needs_question != (job->question != NULL)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
		            needs_question ? "task %s needs --question TEXT"
		                           : "task %s takes no --question",
		            task->name);
		return FALSE;
	}
	task->prompt = g_strdup(prompt);
	place = strstr(prompt, PLACEHOLDER);
	if (place != NULL) {
		after = g_strstrip(g_strdup(place + strlen(PLACEHOLDER)));
		*place = '\0';
	}
	(void)g_strstrip(prompt);
	if (task->schema_text != NULL)
		task->system = weft_task_system(prompt, task->element_text != NULL
		                                            ? task->element_text
		                                            : task->schema_text,
		                                task->schema_options.declines);
	if (task->types != NULL)
		weft_task_types_ask(task, prompt);
	if (job->question != NULL)
		task->question = after != NULL && after[0] != '\0'
		                     ? g_strdup_printf("%s\n%s", after, job->question)
		                     : g_strdup(job->question);
	else if (after != NULL && after[0] != '\0')
		task->question = g_steal_pointer(&after);
	return TRUE;
}

/* Why the task's file can't be read. A name alone that no shipped task has is mostly a slip of the hand. */
static void tell_unread(const WeftJob *job, const char *path, const GError *failure, GError **error)
{
	g_autoptr(GPtrArray) names = NULL;
	g_autoptr(GString) all = g_string_new(NULL);

	if (is_shipped(job) && g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_NOENT))
		names = weft_folder_names(job->tasks_dir, NAMES_MAX, NULL);
	for (guint i = 0; names != NULL && i < names->len; i++) {
		const char *name = names->pdata[i];

		if (g_str_has_suffix(name, ".task"))
			g_string_append_printf(all, "%s%.*s", all->len > 0 ? ", " : "",
			                       (int)(strlen(name) - strlen(".task")), name);
	}
	if (all->len == 0)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "task %s: %s", path, failure->message);
	else
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
		            "no task \"%s\" comes with weft, which has %s; your own is given by its path, "
		            "as in ./%s.task",
		            job->task, all->str, job->task);
}

WeftTask *weft_task_open(const WeftJob *job, GError **error)
{
	g_autoptr(WeftTask) task = g_new0(WeftTask, 1);
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) failure = NULL;
	g_autofree char *path = task_path(job);

	task->name = g_path_get_basename(path);
	if (g_str_has_suffix(task->name, ".task"))
		task->name[strlen(task->name) - strlen(".task")] = '\0';
	if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &failure)) {
		tell_unread(job, path, failure, error);
		return NULL;
	}
	if (!check_keys(file, path, error) || !read_choices(task, file, path, error) ||
	    !weft_task_types_read(task, file, path, error))
		return NULL;
	if (task->windows == WEFT_WINDOWS_NONE && task->types != NULL) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: windows=none asks nothing of types",
		            path);
		return NULL;
	}
	if (task->windows == WEFT_WINDOWS_NONE) {
		if (job->schema != NULL || job->question != NULL || job->adapters->len > 0) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			            "task %s asks nothing: it takes no schema, no question and no "
			            "adapter",
			            task->name);
			return NULL;
		}
		if (task->tells_slides && !read_schema(task, job, file, path, error))
			return NULL;
		return g_steal_pointer(&task);
	}
	read_adapter(task, file, path);
	if (!read_schema(task, job, file, path, error) || !read_documents(task, file, path, error) ||
	    !read_begins(task, file, path, error) || !read_prompt(task, job, file, path, error))
		return NULL;
	return g_steal_pointer(&task);
}
