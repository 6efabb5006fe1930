/* record_ledger.h - private to record: what came in of one document, and what became of it.
 *
 * Counted when its end is there, from what its record holds and from what the end says of parts that
 * never came. It stands in the record, and goes to the run's own ledger (ledger.h) with the record, or
 * without one.
 */
#ifndef WEFT_PIPELINE_RECORD_LEDGER_H
#define WEFT_PIPELINE_RECORD_LEDGER_H

#include "pipeline/item.h"

/* Fills the ledger of pages, and the status of each. `reads`: the task has pictures read. */
void weft_record_ledger_pages(WeftRecord *record, gboolean reads);
/* Fills the windows, which are those of `end`, and their ledger. */
void weft_record_ledger_windows(WeftRecord *record, const WeftItem *end);

/* Sound: what was read, heard by the model or found silent is done; all of it, where what is said
 * stands in captions. `heard_ms`: Whisper has listened to that much; `unkept_ms`: contents of so much
 * were not kept, for a limit. */
WeftSum weft_record_ledger_sound(const WeftRecord *record, guint64 heard_ms, guint64 unkept_ms,
                                 const WeftItem *end);
/* Fills the ledger of seconds. */
void weft_record_ledger_seconds(WeftRecord *record, const WeftSum *sound);

/* Where what came in of the document goes. */
WeftLedgers weft_record_ledger_of(const WeftRecord *record, const WeftSum *sound);
/* The same when its record will not have it, before pages were counted: it is left, or has changed. */
WeftLedgers weft_record_ledger_unrecorded(const WeftRecord *record, gboolean is_left,
                                          const WeftSum *sound);

#endif
