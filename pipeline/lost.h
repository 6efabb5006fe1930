/* lost.h - private: what earlier runs of a job have seen in its folders and is not there any more.
 *
 * A folder of which much is missing is more often not mounted, or not yet copied back, than emptied
 * on purpose. So it is looked at before any work: every path beneath it that the catalogue has for
 * this job is asked for. The folder is not believed when it is not there, when it is empty, or when
 * more than a tenth of its files are lost. A file that is there by another name (the same size and
 * the same time of change, at a path that is new) is not lost, nor is one that exists and is left
 * aside now, or that can't be seen: only what the system says is not there.
 *
 * When a run has come to its end, the lost paths are marked gone in the catalogue and leave the
 * paths of records that have others; records stay. Runs over a sample look at neither.
 */
#ifndef WEFT_PIPELINE_LOST_H
#define WEFT_PIPELINE_LOST_H

#include "pipeline/run.h"

/* WEFT_ERROR_IO with the numbers: a folder is not believed. WEFT_ERROR_CANCELLED when the runner is.
 * *ret_n_lost: how many paths there are to mark gone. */
gboolean weft_lost_check(WeftRun *run, WeftRunner *runner, guint64 *ret_n_lost, GError **error);

/* Marks them gone; counts them. */
gboolean weft_lost_settle(WeftRun *run, GError **error);

#endif
