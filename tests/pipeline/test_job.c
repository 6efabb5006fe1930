#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "pipeline/pipeline.h"
#include "pipeline/task.h"

static void assert_refused(const char *key, const char *text, const char *message)
{
	g_autoptr(WeftJob) job = weft_job_new();
	g_autoptr(GError) error = NULL;

	g_assert_false(weft_job_set(job, key, text, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
	g_assert_cmpstr(error->message, ==, message);
}

static void test_values(void)
{
	g_autoptr(WeftJob) job = weft_job_new();

	g_assert_true(weft_job_set(job, "memory", "2g", NULL));
	g_assert_cmpuint(job->memory_bytes, ==, (guint64)2 << 30);
	g_assert_true(weft_job_set(job, "memory", "67108864", NULL));
	g_assert_cmpuint(job->memory_bytes, ==, 67108864);
	g_assert_true(weft_job_set(job, "pages", "3-9", NULL));
	g_assert_cmpuint(job->page_first, ==, 3);
	g_assert_cmpuint(job->page_last, ==, 9);
	g_assert_true(weft_job_set(job, "pages", "4", NULL));
	g_assert_cmpuint(job->page_last, ==, 4);
	g_assert_true(weft_job_set(job, "time", "12:30-1:02:03.5", NULL));
	g_assert_cmpfloat(job->time_first, ==, 750);
	g_assert_cmpfloat(job->time_end, ==, 3723.5);
	g_assert_true(weft_job_set(job, "reader", "tesseract", NULL));
	g_assert_cmpint(job->reader, ==, WEFT_READ_TESSERACT);
	g_assert_true(weft_job_set(job, "kv-memory", "3K", NULL));
	g_assert_cmpuint(job->kv_memory_bytes, ==, 3072);
	g_assert_true(weft_job_set(job, "mlock", "true", NULL));
	g_assert_true(job->locks_weights);
	g_assert_true(weft_job_set(job, "mlock", "false", NULL));
	g_assert_false(job->locks_weights);
	g_assert_true(weft_job_set(job, "exclude", "*.tmp", NULL));
	g_assert_true(weft_job_set(job, "exclude", "old", NULL));
	g_assert_cmpuint(job->excludes->len, ==, 2);
}

static void test_nonsense(void)
{
	assert_refused("memory", "1M", "memory: '1M' is not a size of 32M or more");
	assert_refused("memory", "99999999999999999999G",
	               "memory: '99999999999999999999G' is not a size of 32M or more");
	assert_refused("pages", "9-3", "pages: '9-3' is not a range of pages like 3-9");
	assert_refused("pages", "0-3", "pages: '0-3' is not a range of pages like 3-9");
	assert_refused("time", "5:00", "time: '5:00' is not a range of times like 12:30-15:00");
	assert_refused("time", "1:99-3:00",
	               "time: '1:99-3:00' is not a range of times like 12:30-15:00");
	assert_refused("temperature", "nan", "temperature: 'nan' is not a number from 0 to 100");
	assert_refused("jobs", "-1", "jobs: '-1' is not a number from 0 to 256");
	assert_refused("reader", "me", "reader: 'me' is not auto, bundle, tesseract or none");
	assert_refused("names", "S1", "names: 'S1' is not like S1=Anna,S2=Ben");
	assert_refused("kv-type", "q4_0", "kv-type: 'q4_0' is not f32, bf16, q8_0 or q4");
	assert_refused("kv-memory", "0", "kv-memory: '0' is not a size like 8G");
	assert_refused("cache", "much", "cache: 'much' is not a size like 2G, or 0");
	assert_refused("mlock", "yes", "mlock: 'yes' is not true or false");
	assert_refused("colour", "red", "colour: no such key");
}

/* Every key that is listed can be set, so that each option works in a job file too. */
static void test_every_key_is_known(void)
{
	const struct {
		const char *key, *text;
	} odd[] = {{"reader", "none"}, {"jobs", "2"},          {"memory", "64M"},
	           {"seed", "1"},      {"temperature", "0.5"}, {"page-dpi", "150"},
	           {"pages", "1-2"},   {"time", "0-1"},        {"password-file", "/dev/null"},
	           {"language", "de"}, {"translate", "true"}, {"terms", "words.txt"},
	           {"names", "S1=Anna, S2=Ben"},
	           {"kv-type", "q8_0"}, {"kv-memory", "8G"},   {"mlock", "true"},
	           {"prefetch", "false"}, {"routing", "true"}, {"rehash", "true"},
	           {"retry-failed", "true"}, {"upgrade", "true"}, {"accept-deletions", "true"},
	           {"join", "true"},   {"together", "true"}, {"check-text", "true"},
	           {"until", "23:59"}, {"max-time", "90m"},
	           {"limit", "pages=5"},   {"cache", "1G"},
	           {"sample", "200"},  {"dry-run", "true"}, {"no-sandbox", "true"}};

	for (const WeftJobKey *key = weft_job_keys(); key->name != NULL; key++) {
		g_autoptr(WeftJob) job = weft_job_new();
		g_autoptr(GError) error = NULL;
		const char *text = "x";

		if (strcmp(key->name, "password-file") == 0)
			continue; /* names a file; /dev/null is not one */
		for (gsize i = 0; i < G_N_ELEMENTS(odd); i++) {
			if (strcmp(odd[i].key, key->name) == 0)
				text = odd[i].text;
		}
		g_assert_true(weft_job_set(job, key->name, text, &error));
		g_assert_no_error(error);
	}
}

typedef struct Folder {
	char *path;
} Folder;

static void set_up(Folder *folder, const void *nothing)
{
	folder->path = g_dir_make_tmp("weft-job-XXXXXX", NULL);
	g_assert_nonnull(folder->path);
}

static void tear_down(Folder *folder, const void *nothing)
{
	g_autoptr(GDir) names = g_dir_open(folder->path, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(names)) != NULL) {
		g_autofree char *path = g_build_filename(folder->path, name, NULL);

		g_unlink(path);
	}
	g_rmdir(folder->path);
	g_free(folder->path);
}

static char *put(Folder *folder, const char *name, const char *text)
{
	char *path = g_build_filename(folder->path, name, NULL);

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
	return path;
}

static void put_beside(Folder *folder, const char *name, const char *text)
{
	g_free(put(folder, name, text));
}

static void test_job_file(Folder *folder, const void *nothing)
{
	g_autoptr(WeftJob) job = weft_job_new();
	g_autofree char *path =
	    put(folder, "nightly.job",
	        "[job]\ninputs=scans;/srv/pile\ntask=extract\n"
	        "schema=invoice.json\noutput=-\njobs=3\npassword-file=secrets\n");
	g_autofree char *scans = g_build_filename(folder->path, "scans", NULL);
	g_autofree char *schema = g_build_filename(folder->path, "invoice.json", NULL);
	g_autoptr(GError) error = NULL;

	put_beside(folder, "secrets", "first\n\nsecond\n");
	g_assert_true(weft_job_read(job, path, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(job->inputs->len, ==, 2);
	g_assert_cmpstr(g_ptr_array_index(job->inputs, 0), ==, scans);
	g_assert_cmpstr(g_ptr_array_index(job->inputs, 1), ==, "/srv/pile");
	g_assert_cmpstr(job->task, ==, "extract");
	g_assert_cmpstr(job->schema, ==, schema);
	g_assert_cmpstr(job->output, ==, "-");
	g_assert_cmpuint(job->jobs, ==, 3);
	g_assert_cmpuint(job->passwords->len, ==, 2);
	g_assert_cmpstr(g_ptr_array_index(job->passwords, 1), ==, "second");
}

static void test_limits(Folder *folder, const void *nothing)
{
	g_autoptr(WeftJob) job = weft_job_new();
	g_autofree char *path = put(folder, "a.job",
	                            "[job]\njobs=1\n[limits]\npages=5000\noutput-bytes=64M\n");
	g_autoptr(GError) error = NULL;

	g_assert_true(weft_job_read(job, path, &error));
	g_assert_cmpfloat(job->limits.pages, ==, 5000);
	g_assert_cmpfloat(job->limits.output_bytes, ==, 64 << 20);
	g_assert_true(weft_job_set(job, "limit", "pages=7", NULL));
	g_assert_cmpfloat(job->limits.pages, ==, 7);
	assert_refused("limit", "pages", "limit: 'pages' is not KEY=VALUE");
	put_beside(folder, "a.job", "[job]\njobs=1\n[limits]\npages=many\n");
	g_assert_false(weft_job_read(job, path, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG);
	g_assert_nonnull(strstr(error->message, "limit pages: 'many'"));
}

static void test_job_file_names_the_key(Folder *folder, const void *nothing)
{
	g_autoptr(WeftJob) job = weft_job_new();
	g_autofree char *path = put(folder, "a.job", "[job]\njobs=many\n");
	g_autoptr(GError) error = NULL;

	g_assert_false(weft_job_read(job, path, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG);
	g_assert_nonnull(strstr(error->message, "jobs"));
	g_assert_true(g_str_has_prefix(error->message, path));
}

static WeftTask *open_task(WeftJob *job, const char *path, GError **error)
{
	g_assert_true(weft_job_set(job, "task", path, NULL));
	return weft_task_open(job, error);
}

static void test_prompt_is_cut_at_the_document(Folder *folder, const void *nothing)
{
	g_autoptr(WeftJob) job = weft_job_new();
	g_autofree char *path =
	    put(folder, "total.task",
	        "[task]\nprompt=@p.md\nschema=@s.json\nmerge=model\nwindows=ends\n"
	        "answer_tokens=99\n");
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftTask) task = NULL;

	put_beside(folder, "p.md", "\nTake the total.\n\n{document}\nQuote it.\n");
	put_beside(folder, "s.json",
	           "{ \"type\": \"object\",\n  \"properties\": {\"b\": {\"type\": \"number\"}, "
	           "\"a\": {\"type\": \"null\"}},\n \"required\": [\"b\", \"a\"], "
	           "\"additionalProperties\": false }");
	task = open_task(job, path, &error);
	g_assert_no_error(error);
	/* To the byte what the shipped bundle is trained on (tools/train_default/data.py). */
	g_assert_cmpstr(task->system, ==,
	                "Take the total.\n\nAnswer with JSON that fits this schema:\n"
	                "{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"number\"},"
	                "\"a\":{\"type\":\"null\"}},\"required\":[\"b\",\"a\"],"
	                "\"additionalProperties\":false}");
	g_assert_cmpstr(task->question, ==, "Quote it.");
	g_assert_cmpstr(task->name, ==, "total");
	g_assert_cmpint(task->merge_by, ==, WEFT_MERGE_MODEL);
	g_assert_cmpint(task->windows, ==, WEFT_WINDOWS_ENDS);
	g_assert_cmpuint(task->answer_tokens, ==, 99);
	g_assert_true(task->reads);
}

/* The system turn tells of the words that the schema then allows. */
static void test_declines(Folder *folder, const void *nothing)
{
	static const char *const texts[] = {
	    "[task]\nprompt=x\nschema={\"type\":[\"string\",\"null\"]}\ndeclines=true\n",
	    "[task]\nprompt=x\nschema={\"type\":[\"string\",\"null\"]}\ndeclines=false\n",
	    "[task]\nprompt=x\nschema={\"type\":[\"string\",\"null\"]}\n",
	    "[task]\nprompt=x\ndeclines=true\n[type a]\nschema={\"type\":[\"string\",\"null\"]}\n",
	};

	for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(WeftJob) job = weft_job_new();
		g_autofree char *path = put(folder, "x.task", texts[i]);
		g_autoptr(GError) error = NULL;
		g_autoptr(WeftTask) task = open_task(job, path, &error);
		gboolean declines = i == 0 || i == 3;

		g_assert_no_error(error);
		for (guint d = WEFT_DECLINE_ABSENT; d <= WEFT_DECLINE_NOT_EXAMINED; d++) {
			const WeftTaskType *type = task->types != NULL ? task->types->pdata[0] : NULL;
			g_autoptr(GString) word = g_string_new("null");
			gsize byte;

			weft_decline_spell(word, (WeftDecline)d);
			g_assert_cmpint(weft_schema_accepts(type != NULL ? type->schema : task->schema,
			                                    word->str, word->len, &byte),
			                ==, declines);
			g_string_append_c(word, ' ');
			g_assert_cmpint(strstr(type != NULL ? type->system : task->system,
			                       word->str) != NULL,
			                ==, declines);
		}
		if (task->types != NULL) /* none of them is no value that is missing */
			g_assert_null(strstr(task->type_system, "null:"));
	}
}

static void test_task_files_are_checked(Folder *folder, const void *nothing)
{
	const struct {
		const char *text;
		int code;
	} broken[] = {
	    {"[task]\nprompt=x\n", WEFT_ERROR_USAGE},                    /* no schema */
	    {"[task]\nschema={\"type\":\"null\"}\n", WEFT_ERROR_CONFIG}, /* no prompt */
	    {"[task]\nprompt=x\nschema={}\nmerge=later\n", WEFT_ERROR_CONFIG},
	    {"[task]\nprompt=x\nschema={\"type\":\n", WEFT_ERROR_SCHEMA},
	    {"[task]\nprompt=x\nschema=@none.json\n", WEFT_ERROR_IO},
	    {"[task]\nprompt=x\nschema={\"type\":\"null\"}\nquestion=true\n", WEFT_ERROR_USAGE},
	    {"[task]\nprompt=x\nschema={\"type\":\"null\"}\nmurge=model\n", WEFT_ERROR_CONFIG},
	    {"[task]\nprompt=x\nschema={}\ndeclines=maybe\n", WEFT_ERROR_CONFIG},
	    {"[tsk]\n", WEFT_ERROR_CONFIG},
	    {"nonsense", WEFT_ERROR_CONFIG},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(broken); i++) {
		g_autoptr(WeftJob) job = weft_job_new();
		g_autofree char *path = put(folder, "broken.task", broken[i].text);
		g_autoptr(GError) error = NULL;
		g_autoptr(WeftTask) task = open_task(job, path, &error);

		g_assert_null(task);
		if (error->code != broken[i].code)
			g_error("%s: %s", broken[i].text, error->message);
	}
}

static void test_shipped_tasks_open(void)
{
	static const char *const names[] = {"inventory", "index", "transcript", "describe", NULL};
	g_autofree char *tasks = g_test_build_filename(G_TEST_DIST, "..", "..", "tasks", NULL);

	for (guint i = 0; names[i] != NULL; i++) {
		g_autoptr(WeftJob) job = weft_job_new();
		g_autoptr(GError) error = NULL;
		g_autoptr(WeftTask) task = NULL;

		job->tasks_dir = g_strdup(tasks);
		task = open_task(job, names[i], &error);
		g_assert_no_error(error);
		g_assert_cmpstr(task->name, ==, names[i]);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/job/values", test_values);
	g_test_add_func("/job/nonsense", test_nonsense);
	g_test_add_func("/job/every-key-is-known", test_every_key_is_known);
	g_test_add("/job/file", Folder, NULL, set_up, test_job_file, tear_down);
	g_test_add("/job/limits", Folder, NULL, set_up, test_limits, tear_down);
	g_test_add("/job/file-names-the-key", Folder, NULL, set_up, test_job_file_names_the_key,
	           tear_down);
	g_test_add("/task/prompt-is-cut-at-the-document", Folder, NULL, set_up,
	           test_prompt_is_cut_at_the_document, tear_down);
	g_test_add("/task/files-are-checked", Folder, NULL, set_up, test_task_files_are_checked,
	           tear_down);
	g_test_add("/task/declines", Folder, NULL, set_up, test_declines, tear_down);
	g_test_add_func("/task/shipped-ones-open", test_shipped_tasks_open);
	return g_test_run();
}
