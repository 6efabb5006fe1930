/* run_estimate.h - the last words of weft run --dry-run and --sample. */
#ifndef WEFT_CLI_RUN_ESTIMATE_H
#define WEFT_CLI_RUN_ESTIMATE_H

#include <glib.h>

#include "cli/cmd.h"
#include "pipeline/pipeline.h"

/* The table of a dry run that has ended, on stdout; gives the line that sums it up. Measures this
 * machine where a model would be asked. Caller frees. */
char *weft_run_estimate_dry(const WeftJob *job, const WeftPlaces *places, WeftRun *run,
			    GError **error);

/* "200 of 2,013,441 done; all of them: about 11 d (+- 8 %)". Caller frees. */
char *weft_run_estimate_sample(WeftRun *run);

#endif
