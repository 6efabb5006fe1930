/* known.h - private: documents that have their record from an earlier run.
 */
#ifndef WEFT_PIPELINE_KNOWN_H
#define WEFT_PIPELINE_KNOWN_H

#include "pipeline/run.h"

/* Counts a document that is not done again: a failure is a known one, unless the run that wrote it was
 * killed, or stopped before its end, so that no exit code has told of it; then it is told now, once. */
gboolean weft_known_count(WeftRun *run, const char *path, const WeftKnown *known, GError **error);

/* TRUE when a record, that is written now, says nothing that was told before. What is news is marked
 * as this run's to tell, before the record is put. */
gboolean weft_known_is_news(WeftRun *run, const WeftDocument *document, const WeftRecord *record,
			    gboolean *ret_is_news, GError **error);

#endif
