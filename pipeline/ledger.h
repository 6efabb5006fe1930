/* ledger.h - what came in, and where all of it went.
 *
 * Files, pages and milliseconds of sound are counted twice, at the two ends of the graph: where they come
 * in (the walk lists files; decode sees pages and stretches of sound, also those behind a limit, and what
 * a document announced and did not give, because its decoder ended too early) and where
 * they go (the sink, from the records that it has written and from documents that are left). Nothing on
 * the way can be lost without the two differing: then the run says so and ends with 1, whatever else it
 * did. Of a run that ended by an error or was cancelled nobody saw the end; there `left` is the rest.
 *
 * It stands in OUT/summary.json, as `ledger`; weft-run(1) documents each number. One run, one thread at a
 * time, but for the sums, which the tally guards (run.h).
 */
#ifndef WEFT_PIPELINE_LEDGER_H
#define WEFT_PIPELINE_LEDGER_H

#include <glib.h>

#include "base/content.h"
#include "ingest/part.h"

typedef struct WeftSum {
	guint64 in;
	guint64 done, failed, skipped; /* as the records have them */
	guint64 left;                  /* of documents that are for the next run */
} WeftSum;

typedef struct WeftLedgers {
	WeftSum pages, milliseconds;
} WeftLedgers;

struct WeftRun;

/* A stretch of sound itself: silence, or speech that nobody has read; not what was read in one. */
gboolean weft_ledger_is_sound(const WeftContent *content);
/* Of a stretch of time; 0: it is none. */
guint64 weft_ledger_milliseconds(const WeftAnchor *at);
/* Milliseconds of sound that a part brings. Of channels that come apart the left one counts. */
guint64 weft_ledger_sound(const WeftPart *part);
void weft_ledger_add(WeftLedgers *ledgers, const WeftLedgers *more);

/* Once the graph has ended; `is_whole` FALSE: by an error, or cancelled. */
void weft_ledger_close(struct WeftRun *run, gboolean is_whole);
/* WEFT_ERROR_INTERNAL: something that came in is nowhere. */
gboolean weft_ledger_check(struct WeftRun *run, GError **error);
/* The text of summary.json; caller frees. */
char *weft_ledger_summary(struct WeftRun *run, gboolean is_whole);

#endif
