/* keep_job.h - private: the job of a run as files beside its records (outputs/kept_job.h).
 *
 * What is kept says the same as the job did, by itself: the task with its prompt as text, the schema
 * as a file of its own, models by absolute path, the reader that was chosen. `weft run -c` reads it
 * like any other job file. Left out is what makes no record another: inputs, output, threads, times;
 * and --no-sandbox, which nobody but the user may say.
 */
#ifndef WEFT_PIPELINE_KEEP_JOB_H
#define WEFT_PIPELINE_KEEP_JOB_H

#include "pipeline/run.h"

/* Of a run that writes to a folder, before its first record. */
gboolean weft_run_keep_job(const WeftRun *run, GError **error);

#endif
