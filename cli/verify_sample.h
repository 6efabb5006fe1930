/* verify_sample.h - some documents are done again: does the same job give the same records?
 *
 * The job comes from a job file, as weft run reads it. Of the records that the last run's job made
 * those with the lowest ids are taken: ids are hashes, so the choice is fair, and the same each time.
 * They are done as for standard output: no folder, no catalogue and nothing kept is used.
 */
#ifndef WEFT_CLI_VERIFY_SAMPLE_H
#define WEFT_CLI_VERIFY_SAMPLE_H

#include "cli/cmd.h"
#include "outputs/outputs.h"

/* Prints a line for each record that did not come out the same, and counts both kinds. FALSE: the
 * job can't be run. */
gboolean weft_verify_sample(const WeftPlaces *places, WeftIngest *ingest, WeftOutputs *outputs,
			    const char *job_file, guint n, guint64 *ret_n_same,
			    guint64 *ret_n_other, GError **error);

#endif
