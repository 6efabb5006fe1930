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

/* The sound of one file, beside what the record holds. */
typedef struct WeftFileSound {
	guint64 heard_ms;   /* Whisper has listened to so much */
	guint64 unkept_ms;  /* contents of so much were not kept, for a limit */
	gboolean is_heard;  /* Whisper has listened, in this run or an earlier one */
	WeftSum missing;    /* what was announced and never came */
	gboolean has_captions; /* filled by the ledger */
} WeftFileSound;

/* Sound: what was read, heard by the model or found silent is done; all of it, where what is said
 * stands in captions. `files` (WeftFileSound): of those that are one document together by their number,
 * behind a first that stands for none; or the only one. `unheard_ms`: as the end has it. */
WeftSum weft_record_ledger_sound(const WeftRecord *record, const GArray *files, guint64 unheard_ms);
/* Fills the ledger of seconds. */
void weft_record_ledger_seconds(WeftRecord *record, const WeftSum *sound);

/* Where what came in of the document goes. */
WeftLedgers weft_record_ledger_of(const WeftRecord *record, const WeftSum *sound);
/* The same when its record will not have it, before pages were counted: it is left, or has changed. */
WeftLedgers weft_record_ledger_unrecorded(const WeftRecord *record, gboolean is_left,
                                          const WeftSum *sound);

#endif
