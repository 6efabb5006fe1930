/* cmd_plan.c - weft plan: memory, place, time and cost, before anything is loaded.
 *
 * The bundle's configuration and table of tensors are read, this machine is measured for a second
 * or two (or a row of the table of devices is taken), and, with paths, a dry run counts what they
 * hold and a few documents are run for real, without a folder: their time is the better estimate.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "cli/cmd.h"
#include "cli/plan_page.h"
#include "cli/survey.h"

#define PROMPT_TOKENS 4096
#define ANSWER_TOKENS 256
#define SAMPLE_DEFAULT 5
/* A sample is not run for longer than this, as the plan expects it. */
#define SAMPLE_S 60

typedef struct Command {
	char **paths; /* the bundle first */
	char *context, *device, *devices, *kv_type, *type, *task, *tier;
	int n_requests, jobs, sample, n_prompt, n_answer;
	gboolean as_json, is_unlocked, is_together;
} Command;

/* "10M", "128k", "4096": K and M are powers of 1024, as contexts are named. */
static gboolean parse_context(const char *text, gsize *ret_n, GError **error)
{
	gsize size = strlen(text);
	guint shift = 0;
	guint64 value;

	if (size > 0 && g_ascii_toupper(text[size - 1]) == 'K')
		shift = 10;
	else if (size > 0 && g_ascii_toupper(text[size - 1]) == 'M')
		shift = 20;
	g_autofree char *digits = g_strndup(text, shift > 0 ? size - 1 : size);
	if (!g_ascii_string_to_unsigned(digits, 10, 1, G_MAXINT64 >> shift, &value, NULL)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "context: '%s' is not a number of tokens like 4096, 128K or 10M", text);
		return FALSE;
	}
	*ret_n = (gsize)(value << shift);
	return TRUE;
}

static gboolean parse_type(const char *text, WeftDtype *ret_dtype, GError **error)
{
	g_autoptr(GString) names = g_string_new(NULL);

	*ret_dtype = WEFT_DTYPE_BF16;
	for (int d = 0; text && d < WEFT_DTYPE_COUNT; d++) {
		if (g_ascii_strcasecmp(text, weft_dtype_name((WeftDtype)d)) == 0) {
			*ret_dtype = (WeftDtype)d;
			return TRUE;
		}
		g_string_append_printf(names, "%s%s", d > 0 ? ", " : "", weft_dtype_name((WeftDtype)d));
	}
	if (!text)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE, "type: '%s' is none of %s", text, names->str);
	return FALSE;
}

static gboolean parse(Command *command, int argc, char **argv, GError **error)
{
	const GOptionEntry entries[] = {
		{"context", 0, 0, G_OPTION_ARG_FILENAME, &command->context,
		 "tokens of a request, as in 128K or 10M (default: what the model was made for)", "N"},
		{"requests", 0, 0, G_OPTION_ARG_INT, &command->n_requests,
		 "requests in flight that have such a cache (default: 1)", "N"},
		{"kv-type", 0, 0, G_OPTION_ARG_FILENAME, &command->kv_type,
		 "type of keys and values: f32, bf16, q8_0, q4", "TYPE"},
		{"device", 0, 0, G_OPTION_ARG_FILENAME, &command->device,
		 "cpu (default: this machine, measured now), or a row of the table: h100, h200, "
		 "rtx4090", "NAME"},
		{"devices", 0, 0, G_OPTION_ARG_FILENAME, &command->devices,
		 "a table of devices and prices in place of the one that comes with weft", "FILE"},
		{"type", 0, 0, G_OPTION_ARG_FILENAME, &command->type,
		 "type of weights that are not there yet (default: bf16)", "TYPE"},
		{"prompt", 'p', 0, G_OPTION_ARG_INT, &command->n_prompt,
		 "tokens of the request that is timed (default: 4096, less where the context is)", "N"},
		{"answer", 'n', 0, G_OPTION_ARG_INT, &command->n_answer,
		 "tokens of its answer (default: 256)", "N"},
		{"task", 't', 0, G_OPTION_ARG_FILENAME, &command->task,
		 "what would be asked of the documents (default: index)", "NAME|FILE"},
		{"sample", 0, 0, G_OPTION_ARG_INT, &command->sample,
		 "documents that are run to measure (default: 5; 0: none)", "N"},
		{"jobs", 'j', 0, G_OPTION_ARG_INT, &command->jobs,
		 "threads (default: one per core)", "N"},
		{"tier", 0, 0, G_OPTION_ARG_FILENAME, &command->tier,
		 "kernels: ref, avx2, avx512 (default: the best of this machine)", "NAME"},
		{"together", 0, 0, G_OPTION_ARG_NONE, &command->is_together,
		 "all paths are one document (weft run --together); none is run to measure", NULL},
		{"no-sandbox", 0, 0, G_OPTION_ARG_NONE, &command->is_unlocked,
		 "decode also where decoders can't be locked down", NULL},
		{"json", 0, 0, G_OPTION_ARG_NONE, &command->as_json, "one JSON object", NULL},
		{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &command->paths, NULL,
		 "BUNDLE [PATH...]"},
		G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context =
		g_option_context_new("- memory, place, time and cost before anything is loaded");

	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, error))
		return FALSE;
	if (!command->paths || !command->paths[0] || command->n_requests < 0 ||
	    command->n_prompt < 0 || command->n_answer < 0 || command->sample < 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    command->paths && command->paths[0] ? "a number is negative"
								: "a BUNDLE is needed");
		return FALSE;
	}
	return TRUE;
}

/* Memory of this process before anything is measured: program and tokenizer. */
static guint64 program_bytes(void)
{
	g_autofree char *text = NULL;
	gsize size_bytes;
	const char *at;

	if (!weft_file_read("/proc/self/status", 1 << 16, &text, &size_bytes, NULL) ||
	    !(at = strstr(text, "RssAnon:")))
		return 0;
	return g_ascii_strtoull(at + strlen("RssAnon:"), NULL, 10) * 1024;
}

static WeftMachine *find_machine(const Command *command, const WeftDevices *devices,
				 const WeftBundle *bundle, const WeftPlan *plan, WeftDtype assumed,
				 GError **error)
{
	const char *source;
	WeftCalibration calibration = {.bundle = bundle, .assumed = assumed, .kv = plan->kv_dtype,
				       .touches = TRUE,
				       .core_watts = weft_devices_core_watts(devices, &source)};

	if (command->device && strcmp(command->device, "cpu") != 0)
		return weft_devices_machine(devices, command->device, error);
	g_autoptr(WeftKernels) kernels = weft_kernels_open(command->tier, command->jobs, error);
	return kernels ? weft_machine_measure(kernels, &calibration, error) : NULL;
}

/* ---- documents ---- */

static WeftJob *job_of(const Command *command, const WeftPlaces *places, GError **error)
{
	g_autoptr(WeftJob) job = weft_job_new();

	job->tasks_dir = g_strdup(places->tasks_dir);
	job->model = g_strdup(command->paths[0]);
	job->jobs = (guint)CLAMP(command->jobs, 0, 256);
	job->is_unlocked = command->is_unlocked;
	if ((command->task && !weft_job_set(job, "task", command->task, error)) ||
	    (command->tier && !weft_job_set(job, "tier", command->tier, error)) ||
	    (command->kv_type && !weft_job_set(job, "kv-type", command->kv_type, error)) ||
	    !weft_job_set(job, "output", "-", error))
		return NULL;
	for (char **path = command->paths + 1; *path; path++)
		g_ptr_array_add(job->inputs, g_strdup(*path));
	return g_steal_pointer(&job);
}

/* Runs a few documents for real; their records go nowhere. */
static gboolean run_sample(const Command *command, const WeftPlaces *places, WeftIngest *ingest,
			   WeftPlanPaths *paths, GError **error)
{
	g_autoptr(WeftJob) job = job_of(command, places, error);
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (!job || nowhere < 0) {
		if (job)
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "/dev/null can't be opened");
		return FALSE;
	}
	job->sample = (guint64)command->sample;
	job->lines_fd = nowhere;
	g_autoptr(WeftRun) run = weft_survey_run(job, ingest, error);
	close(nowhere);
	if (!run)
		return FALSE;
	WeftEstimateTotal total = weft_estimate_total(weft_run_estimate(run));
	paths->measured_s = total.times * weft_run_busy_s(run);
	paths->error = total.error;
	paths->n_sampled = total.n_measured;
	return TRUE;
}

static gboolean print_plan(const Command *command, const WeftPlaces *places, WeftIngest *ingest,
			   WeftPlanPage *page, GError **error)
{
	g_autoptr(WeftJob) job = NULL;
	g_autoptr(WeftRun) survey = NULL;
	WeftPlanPaths paths = {0};

	if (command->paths[1]) {
		job = job_of(command, places, error);
		if (!job)
			return FALSE;
		job->is_dry = TRUE;
		job->is_together = command->is_together;
		survey = weft_survey_run(job, ingest, error);
		if (!survey)
			return FALSE;
		weft_survey_times(survey, page->plan, page->machine, &paths);
		double share = (double)command->sample /
			       (double)MAX(weft_estimate_total(paths.estimate).n_files, 1);
		gboolean is_here = page->machine->is_measured && !page->plan->is_assumed;
		if (is_here && command->sample > 0 && !command->is_together && MIN(share, 1) * paths.model_s < SAMPLE_S &&
		    !run_sample(command, places, ingest, &paths, error))
			return FALSE;
		page->task = job->task;
		page->paths = &paths;
	}
	if (!command->as_json) {
		weft_plan_page_print(page);
	} else {
		g_autofree char *json = weft_plan_page_json(page);
		puts(json);
	}
	return TRUE;
}

static gboolean plan(const Command *command, const WeftPlaces *places, WeftIngest *ingest,
		     GError **error)
{
	WeftPlanOptions options = {.kv_type = command->kv_type,
				   .n_requests = (gsize)command->n_requests};
	g_autofree char *table = command->devices ? g_strdup(command->devices) :
						    g_build_filename(places->data_dir, "devices.ini", NULL);
	if ((command->context && !parse_context(command->context, &options.context, error)) ||
	    !parse_type(command->type, &options.assumed, error))
		return FALSE;
	g_autoptr(WeftDevices) devices = weft_devices_open(table, error);
	g_autoptr(WeftBundle) bundle = devices ? weft_bundle_open(command->paths[0], error) : NULL;
	g_autoptr(WeftPlan) made = bundle ? weft_plan_new(bundle, &options, error) : NULL;
	if (!made)
		return FALSE;
	guint64 base_bytes = program_bytes();
	g_autoptr(WeftMachine) machine =
		find_machine(command, devices, bundle, made, options.assumed, error);
	if (!machine)
		return FALSE;
	gsize most = MIN(made->context, made->context_max);
	WeftPlanPage page = {.name = weft_bundle_name(bundle),
			     .plan = made,
			     .machine = machine,
			     .devices = devices,
			     .n_answer = command->n_answer > 0 ? (gsize)command->n_answer
							       : MIN(ANSWER_TOKENS, MAX(most / 4, 1)),
			     .n_prompt = command->n_prompt > 0 ? (gsize)command->n_prompt
							       : MIN(PROMPT_TOKENS, MAX(most / 2, 1)),
			     .base_bytes = base_bytes};
	return print_plan(command, places, ingest, &page, error);
}

int weft_cmd_plan(const WeftPlaces *places, WeftIngest *ingest, int argc, char **argv)
{
	Command command = {.sample = SAMPLE_DEFAULT};
	GError *error = NULL;
	int code = WEFT_EXIT_DONE;

	if (!parse(&command, argc, argv, &error))
		code = weft_cmd_fail("plan", &error, WEFT_EXIT_USAGE);
	else if (!plan(&command, places, ingest, &error))
		code = weft_cmd_fail("plan", &error,
				     g_error_matches(error, WEFT_ERROR, WEFT_ERROR_USAGE)
					     ? WEFT_EXIT_USAGE
					     : WEFT_EXIT_NOT_STARTED);
	g_strfreev(command.paths);
	g_free(command.context);
	g_free(command.device);
	g_free(command.devices);
	g_free(command.kv_type);
	g_free(command.type);
	g_free(command.task);
	g_free(command.tier);
	return code;
}
