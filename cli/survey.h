/* survey.h - what documents hold and how long they take: for weft plan and weft run --dry-run. */
#ifndef WEFT_CLI_SURVEY_H
#define WEFT_CLI_SURVEY_H

#include <glib.h>

#include "cli/plan_page.h"

/* Runs the job to its end, silently. NULL on error, and when it was stopped. Caller frees. */
WeftRun *weft_survey_run(const WeftJob *job, WeftIngest *ingest, GError **error);

/* From a dry run that has ended: what the model is asked, and the two times. The estimate is
 * borrowed from the run. */
void weft_survey_times(const WeftRun *run, const WeftPlan *plan, const WeftMachine *machine,
		       WeftPlanPaths *ret_paths);

#endif
