/* cmd_run.c - weft run: a job from the command line, its progress, its last line, its exit code.
 *
 * Keys of the job are options (pipeline/pipeline.h has their list); the job file is read first, so
 * that options come over it. What ends a run before its end is in watch.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "cli/progress.h"
#include "cli/run_estimate.h"
#include "cli/watch.h"
#include "pipeline/pipeline.h"

#define PATH_BYTES_MAX (1 << 20) /* 200 folders of names of 255 bytes are 51,400 */

typedef struct Command {
	WeftJob *job;
	char *job_file, *files_from, *log;
	char *line; /* the command, to be run again */
	char **paths;
	gboolean is_quiet, is_strict, prints_graph, is_divided_by_nul;
} Command;

/* Options of the job, as they came: set once the job file has been read. */
typedef struct Setting {
	char *key, *text;
} Setting;

static gboolean note_setting(const char *option, const char *text, void *data, GError **error)
{
	GPtrArray *settings = data;
	const char *key = NULL;

	if (g_str_has_prefix(option, "--"))
		key = option + 2;
	for (const WeftJobKey *known = weft_job_keys(); key == NULL && known->name != NULL; known++) {
		if (known->letter != 0 && known->letter == option[1])
			key = known->name;
	}
	g_ptr_array_add(settings, g_strdup(key));
	g_ptr_array_add(settings, g_strdup(text != NULL ? text : "true"));
	return TRUE;
}

static GArray *option_entries(Command *command)
{
	const GOptionEntry more[] = {
		{"job", 'c', 0, G_OPTION_ARG_FILENAME, &command->job_file,
		 "a job file: [job] with the long names here as keys, and inputs", "FILE"},
		{"files-from", 0, 0, G_OPTION_ARG_FILENAME, &command->files_from,
		 "read paths from a file, one per line; -: stdin", "FILE"},
		{"null", '0', 0, G_OPTION_ARG_NONE, &command->is_divided_by_nul,
		 "paths of --files-from end with NUL", NULL},
		{"strict", 0, 0, G_OPTION_ARG_NONE, &command->is_strict,
		 "exit 1 also for files that had failed before", NULL},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &command->is_quiet,
		 "say nothing but what newly went wrong", NULL},
		{"log", 0, 0, G_OPTION_ARG_FILENAME, &command->log,
		 "plain (default) or json: the lines on stderr", "FORM"},
		{"graph", 0, 0, G_OPTION_ARG_NONE, &command->prints_graph,
		 "print the nodes and their counts at the end, and on SIGUSR1 beside the line of progress", NULL},
		{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &command->paths, NULL,
		 "PATH..."},
	};
	GArray *entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

	for (const WeftJobKey *key = weft_job_keys(); key->name != NULL; key++) {
		GOptionEntry entry = {.long_name = key->name,
				      .short_name = key->letter,
				      .arg = G_OPTION_ARG_CALLBACK,
				      .flags = key->value != NULL ? G_OPTION_FLAG_FILENAME
								  : G_OPTION_FLAG_NO_ARG,
				      .description = key->help,
				      .arg_description = key->value};
		GOptionArgFunc note = note_setting;

		memcpy(&entry.arg_data, &note, sizeof note);
		g_array_append_val(entries, entry);
	}
	g_array_append_vals(entries, more, G_N_ELEMENTS(more));
	return entries;
}

static gboolean take_path(GString *path, GPtrArray *paths, const char *list, GError **error)
{
	if (strlen(path->str) < path->len) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "%s: path %u holds a NUL: with -0 paths end with one", list, paths->len + 1);
		return FALSE;
	}
	if (path->len > 0)
		g_ptr_array_add(paths, g_strndup(path->str, path->len));
	g_string_truncate(path, 0);
	return TRUE;
}

/* Byte by byte, so that a list is never held beside its paths. */
static gboolean read_paths(FILE *list, const char *name, int divider, GPtrArray *paths, GError **error)
{
	g_autofree char *shown = weft_path_display(name);
	g_autoptr(GString) path = g_string_new(NULL);
	int byte;

	while ((byte = getc_unlocked(list)) != EOF) {
		if (byte == divider) {
			if (!take_path(path, paths, shown, error))
				return FALSE;
			continue;
		}
		if (path->len == PATH_BYTES_MAX) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
				    "%s: path %u has more than %d bytes", shown, paths->len + 1,
				    PATH_BYTES_MAX);
			return FALSE;
		}
		g_string_append_c(path, (char)byte);
	}
	if (ferror(list)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", shown, g_strerror(errno));
		return FALSE;
	}
	return take_path(path, paths, shown, error);
}

static gboolean read_list(Command *command, GError **error)
{
	int divider = command->is_divided_by_nul ? '\0' : '\n';
	gboolean is_stdin = strcmp(command->files_from, "-") == 0, is_read;
	FILE *list = is_stdin ? stdin : fopen(command->files_from, "re");

	if (list == NULL) {
		g_autofree char *shown = weft_path_display(command->files_from);

		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "%s: %s", shown, g_strerror(errno));
		return FALSE;
	}
	is_read = read_paths(list, is_stdin ? "standard input" : command->files_from, divider,
			     command->job->inputs, error);
	if (!is_stdin)
		fclose(list);
	return is_read;
}

static gboolean fill_job(Command *command, const WeftPlaces *places, const GPtrArray *settings,
			 GError **error)
{
	WeftJob *job = command->job;

	if (command->log != NULL && strcmp(command->log, "json") != 0 &&
	    strcmp(command->log, "plain") != 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "log: '%s' is not plain or json",
			    command->log);
		return FALSE;
	}
	job->tasks_dir = g_strdup(places->tasks_dir);
	if (command->job_file != NULL && !weft_job_read(job, command->job_file, error))
		return FALSE;
	for (guint i = 0; i < settings->len; i += 2) {
		if (!weft_job_set(job, g_ptr_array_index(settings, i),
				  g_ptr_array_index(settings, i + 1), error))
			return FALSE;
	}
	if (job->model == NULL)
		job->model = g_strdup(places->default_bundle);
	for (char **path = command->paths; path != NULL && *path != NULL; path++)
		g_ptr_array_add(job->inputs, g_strdup(*path));
	if (command->files_from != NULL && !read_list(command, error))
		return FALSE;
	job->lines_fd = STDOUT_FILENO;
	return TRUE;
}

static gboolean parse(Command *command, const WeftPlaces *places, int argc, char **argv,
		      GError **error)
{
	g_autoptr(GOptionContext) context = g_option_context_new("- read documents, a record for each");
	g_autoptr(GPtrArray) settings = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) entries = option_entries(command);
	GOptionGroup *group = g_option_group_new("run", "run", "run", settings, NULL);

	g_option_group_add_entries(group, (const GOptionEntry *)(void *)entries->data);
	g_option_context_set_main_group(context, group);
	g_option_context_set_description(
		context,
		"Exit codes: 0 done, nothing newly failed; 1 some inputs failed or are partial, each\n"
		"has its record; 2 usage; 3 nothing could start, or a helper program keeps ending;\n"
		"4 stopped by --until or --max-time with work left; 74 output can't be written;\n"
		"75 another run holds the output folder;\n"
		"130 interrupted, run again to go on.\n");
	return g_option_context_parse(context, &argc, &argv, error) &&
	       fill_job(command, places, settings, error);
}

/* ---- the run ---- */

/* How weft_run_new, start or join failed. A helper program that ended (GONE) counts as one that could
 * not start: the next run goes on. */
static int exit_of_error(const GError *error, gboolean failed_to_write, gboolean has_started)
{
	if (failed_to_write)
		return WEFT_EXIT_OUTPUT;
	if (g_error_matches(error, WEFT_ERROR, WEFT_ERROR_CANCELLED))
		return has_started ? WEFT_EXIT_INTERRUPTED : WEFT_EXIT_LOCKED;
	if (g_error_matches(error, WEFT_ERROR, WEFT_ERROR_USAGE))
		return WEFT_EXIT_USAGE;
	if (g_error_matches(error, WEFT_ERROR, WEFT_ERROR_INTERNAL))
		return WEFT_EXIT_SOME_FAILED;
	return WEFT_EXIT_NOT_STARTED;
}

/* What a dry run and a sample are for; FALSE: error is set. */
static gboolean say_estimate(const Command *command, const WeftPlaces *places, WeftRun *run,
			     WeftBar *bar, GError **error)
{
	g_autofree char *line = NULL;

	if (command->job->is_dry)
		line = weft_run_estimate_dry(command->job, places, run, error);
	else if (command->job->sample > 0)
		line = weft_run_estimate_sample(run);
	else
		return TRUE;
	if (line != NULL && !command->is_quiet)
		weft_bar_say(bar, "info", line);
	return line != NULL;
}

/* What is left, and how to go on. The counts stand on the line before. */
static void say_left(const Command *command, WeftBar *bar, WeftWatched by,
		     const WeftProgress *progress)
{
	g_autofree char *line = NULL;
	g_autofree char *left =
		progress->is_cut ? g_strdup("before all inputs were listed")
				 : g_strdup_printf("with %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
						   " inputs left",
						   progress->n_left, progress->n_inputs);

	if (by == WEFT_WATCHED_SIGNAL)
		line = g_strdup_printf("interrupted %s; to go on: %s", left, command->line);
	else
		line = g_strdup_printf("stopped in time %s; the next run goes on", left);
	weft_bar_say_unless_quiet(bar, "info", line);
}

static int end_of_run(const Command *command, const WeftPlaces *places, WeftRun *run, WeftBar *bar,
		      WeftWatched by, GError **error)
{
	WeftProgress progress;
	gboolean is_whole = weft_run_join(run, error);
	gboolean is_cancelled = !is_whole && g_error_matches(*error, WEFT_ERROR, WEFT_ERROR_CANCELLED);

	progress = weft_run_progress(run);
	if (!command->job->is_dry)
		weft_bar_end(bar, run, is_whole);
	if (command->prints_graph) {
		g_autofree char *graph = weft_run_graph(run);

		fputs(graph, stderr);
	}
	if (!is_whole && !is_cancelled)
		return weft_cmd_fail("run", error,
				     exit_of_error(*error, weft_run_failed_to_write(run), TRUE));
	g_clear_error(error);
	if (is_cancelled || progress.n_left > 0 || progress.is_cut) {
		say_left(command, bar, by, &progress);
		return by == WEFT_WATCHED_SIGNAL ? WEFT_EXIT_INTERRUPTED : WEFT_EXIT_STOPPED;
	}
	if (!say_estimate(command, places, run, bar, error))
		return weft_cmd_fail("run", error, WEFT_EXIT_NOT_STARTED);
	if (progress.n_failed + progress.n_partial > 0 ||
	    (command->is_strict && progress.n_known > 0))
		return WEFT_EXIT_SOME_FAILED;
	return WEFT_EXIT_DONE;
}

static int run_job(const Command *command, const WeftPlaces *places, WeftIngest *ingest)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftBar) bar = weft_bar_new(command->is_quiet, g_strcmp0(command->log, "json") == 0);
	g_autoptr(WeftRun) run = NULL;
	WeftWatched by;
	int signals;

	/* find ... | weft run --files-from -, on a quiet night */
	if (command->files_from != NULL && command->job->inputs->len == 0) {
		if (!command->is_quiet)
			weft_bar_say(bar, "info", "the list names no files: nothing to do");
		return WEFT_EXIT_DONE;
	}
	run = weft_run_new(command->job, ingest, &error);
	if (run == NULL)
		return weft_cmd_fail("run", &error, exit_of_error(error, FALSE, FALSE));
	signals = weft_watch_open(&error);
	if (signals < 0 || !weft_run_start(run, &error))
		return weft_cmd_fail("run", &error, WEFT_EXIT_NOT_STARTED);
	by = weft_watch(run, bar, signals, command->prints_graph);
	close(signals);
	return end_of_run(command, places, run, bar, by, &error);
}

static int start_job(const Command *command, const WeftPlaces *places)
{
	GError *error = NULL;
	WeftIngest *ingest;
	int code;

	weft_watch_prepare();
	ingest = weft_ingest_open(places->helper_dir, &error);
	if (ingest == NULL)
		return weft_cmd_fail("run", &error, WEFT_EXIT_NOT_STARTED);
	code = run_job(command, places, ingest);
	weft_ingest_close(ingest);
	return code;
}

static void command_done(Command *command)
{
	weft_job_free(command->job);
	g_strfreev(command->paths);
	g_free(command->job_file);
	g_free(command->files_from);
	g_free(command->log);
	g_free(command->line);
}

/* As it can be typed again. */
static char *command_line(int argc, char **argv)
{
	GString *line = g_string_new("weft");

	for (int i = 0; i < argc; i++) {
		gboolean is_plain = argv[i][0] != '\0';
		g_autofree char *quoted = g_shell_quote(argv[i]);

		for (const char *c = argv[i]; *c != '\0'; c++)
			is_plain = is_plain && (g_ascii_isalnum(*c) || strchr("-_./,:=+@%", *c) != NULL);
		g_string_append_printf(line, " %s", is_plain ? argv[i] : quoted);
	}
	return g_string_free(line, FALSE);
}

int weft_cmd_run(const WeftPlaces *places, int argc, char **argv)
{
	Command command = {.job = weft_job_new(), .line = command_line(argc, argv)};
	GError *error = NULL;
	int code;

	if (!parse(&command, places, argc, argv, &error)) {
		gboolean is_usage = error->domain == G_OPTION_ERROR ||
				    g_error_matches(error, WEFT_ERROR, WEFT_ERROR_USAGE);

		code = weft_cmd_fail("run", &error,
				     is_usage ? WEFT_EXIT_USAGE : WEFT_EXIT_NOT_STARTED);
	} else {
		code = start_job(&command, places);
	}
	command_done(&command);
	return code;
}
