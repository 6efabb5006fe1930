#include "cli/survey.h"

#include <string.h>

/* Answers are taken to have so many tokens, where the task leaves room for them: records and cards
 * of the shipped tasks have 60 to 250. */
#define ANSWER_TOKENS 200
/* What is written down of a page that the bundle reads. */
#define READ_TOKENS 500
/* Tesseract takes about so long for a page of 300 dots per inch on one core. */
#define OCR_PAGE_S 2

WeftRun *weft_survey_run(const WeftJob *job, WeftIngest *ingest, GError **error)
{
	g_autoptr(WeftRun) run = weft_run_new(job, ingest, error);

	if (!run || !weft_run_start(run, error) || !weft_run_join(run, error))
		return NULL;
	return g_steal_pointer(&run);
}

void weft_survey_times(const WeftRun *run, const WeftPlan *plan, const WeftMachine *machine,
		       WeftPlanPaths *ret_paths)
{
	WeftPlanPaths paths = {.estimate = weft_run_estimate(run)};
	WeftRunAsks asks = weft_run_asks(run);
	WeftEstimateTotal total = weft_estimate_total(paths.estimate);
	const char *reader = weft_run_reader(run);
	WeftPlanWork reading = {.answer_tokens = READ_TOKENS};

	paths.work = (WeftPlanWork){
		.n_requests = asks.answer_tokens > 0 ? total.counts.n_requests : 0,
		.n_tokens = total.counts.n_tokens,
		.frame_tokens = (double)asks.frame_tokens,
		.answer_tokens = (double)MIN(asks.answer_tokens, ANSWER_TOKENS),
		.n_tiles = total.counts.n_tiles,
	};
	paths.read_s = total.times * weft_run_busy_s(run);
	if (strcmp(reader, "tesseract") == 0)
		paths.read_s += total.counts.n_read * OCR_PAGE_S / weft_run_n_threads(run);
	if (plan && machine) {
		paths.model_s = weft_plan_work_s(plan, machine, &paths.work);
		if (strcmp(reader, "bundle") == 0) {
			reading.n_requests = total.counts.n_read;
			reading.n_tokens = total.counts.n_read_tokens;
			paths.model_s += weft_plan_work_s(plan, machine, &reading);
		}
	}
	*ret_paths = paths;
}
