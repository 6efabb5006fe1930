/* verify_sample.h - some documents are done again: does the same job give the same records?
 *
 * Each is done again by the job that made its record, as it is kept beside the records
 * (outputs/kept_job.h), found at any of its paths. With a job file given, that one does it, for
 * records of the job that ran last. Those with the lowest ids are taken: ids are hashes, so the choice
 * is fair, and the same each time. They are done as for standard output: no folder, no catalogue and
 * nothing kept is used.
 */
#ifndef WEFT_CLI_VERIFY_SAMPLE_H
#define WEFT_CLI_VERIFY_SAMPLE_H

#include "cli/cmd.h"
#include "outputs/outputs.h"

typedef struct WeftSampleCounts {
	guint64 n_same, n_other;
	guint64 n_not_done; /* document, job or model are not to be had */
} WeftSampleCounts;

typedef struct WeftSample {
	const WeftPlaces *places;
	WeftIngest *ingest;
	WeftOutputs *outputs;
	const char *job_file; /* or NULL: the kept ones */
	WeftSampleCounts *counts;
} WeftSample;

/* Prints a line for each of n records that did not come out the same, or could not be done again, and
 * counts all. FALSE: nothing can be taken, or the given job can't be run. */
gboolean weft_verify_sample(const WeftSample *sample, guint n, GError **error);

#endif
