#include "cli/run_estimate.h"

#include <stdio.h>
#include <string.h>

#include "cli/survey.h"

/* The model of the job on this machine; *ret_plan stays NULL where nothing would be asked. */
static gboolean measure(const WeftJob *job, const WeftPlaces *places, WeftBundle *bundle,
			WeftPlan **ret_plan, WeftMachine **ret_machine, GError **error)
{
	const WeftPlanOptions options = {.assumed = WEFT_DTYPE_BF16, .kv_type = job->kv_type};
	g_autofree char *table = g_build_filename(places->data_dir, "devices.ini", NULL);
	const char *source;
	g_autoptr(WeftDevices) devices = weft_devices_open(table, error);
	g_autoptr(WeftPlan) plan = devices ? weft_plan_new(bundle, &options, error) : NULL;
	g_autoptr(WeftKernels) kernels =
		plan ? weft_kernels_open(job->tier, (int)job->jobs, error) : NULL;

	if (!kernels)
		return FALSE;
	WeftCalibration calibration = {.bundle = bundle, .assumed = options.assumed,
				       .kv = plan->kv_dtype,
				       .core_watts = weft_devices_core_watts(devices, &source)};
	*ret_machine = weft_machine_measure(kernels, &calibration, error);
	if (!*ret_machine)
		return FALSE;
	*ret_plan = g_steal_pointer(&plan);
	return TRUE;
}

char *weft_run_estimate_dry(const WeftJob *job, const WeftPlaces *places, WeftRun *run,
			    GError **error)
{
	WeftProgress progress = weft_run_progress(run);
	WeftEstimateTotal total = weft_estimate_total(weft_run_estimate(run));
	g_autoptr(WeftBundle) bundle = NULL;
	g_autoptr(WeftPlan) plan = NULL;
	g_autoptr(WeftMachine) machine = NULL;
	WeftPlanPaths paths;

	if (weft_run_asks(run).answer_tokens > 0 || strcmp(weft_run_reader(run), "bundle") == 0) {
		bundle = weft_bundle_open(job->model, error);
		if (!bundle || !measure(job, places, bundle, &plan, &machine, error))
			return NULL;
	}
	weft_survey_times(run, plan, machine, &paths);
	weft_words_estimate(stdout, paths.estimate);
	g_autofree char *fresh = weft_words_count((double)progress.n_new);
	g_autofree char *changed = weft_words_count((double)progress.n_changed);
	g_autofree char *known = weft_words_count((double)total.n_known);
	g_autofree char *pages = weft_words_count(total.counts.n_pages);
	g_autofree char *tokens = weft_words_count(total.counts.n_tokens + total.counts.n_read_tokens);
	g_autofree char *time = weft_words_time(paths.read_s + paths.model_s);
	GString *line = g_string_new(NULL);

	g_string_printf(line, "dry run: %s new, %s changed, %s unchanged", fresh, changed, known);
	if (progress.n_copies > 0) {
		g_autofree char *copies = weft_words_count((double)progress.n_copies);
		g_string_append_printf(line, ", %s %s", copies,
				       progress.n_copies == 1 ? "copy" : "copies");
	}
	if (progress.n_not_sampled > 0) {
		g_autofree char *rest = weft_words_count((double)progress.n_not_sampled);
		g_string_append_printf(line, ", %s not looked at", rest);
	}
	g_string_append_printf(line, "; %s pages, %s tokens: about %s", pages, tokens, time);
	if (total.counts.hear_s > 0) {
		g_autofree char *sound = weft_words_time(total.counts.hear_s);
		g_string_append_printf(line, "; listening to %s of sound is not in it: --sample N measures "
				       "that", sound);
	}
	return g_string_free(line, FALSE);
}

char *weft_run_estimate_sample(WeftRun *run)
{
	WeftProgress progress = weft_run_progress(run);
	WeftEstimateTotal total = weft_estimate_total(weft_run_estimate(run));
	g_autofree char *done = weft_words_count((double)(total.n_known + total.n_measured));
	g_autofree char *all = weft_words_count((double)total.n_files);

	if (progress.n_not_sampled == 0)
		return g_strdup_printf("%s of %s done", done, all);
	if (total.n_measured == 0)
		return g_strdup_printf("%s of %s done; nothing was measured now: a larger --sample is",
				       done, all);
	g_autofree char *time = weft_words_time(total.times * weft_run_busy_s(run));
	g_autofree char *error = weft_words_error(total.n_measured, total.error);
	return g_strdup_printf("%s of %s done; all of them: about %s%s%s%s", done, all, time,
			       error[0] ? " (" : "", error[0] ? error + strlen("; ") : "",
			       error[0] ? ")" : "");
}
