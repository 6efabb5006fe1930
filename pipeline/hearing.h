/* hearing.h - private to node_hear: one recording, while Whisper listens to it.
 *
 * Takes what decode gives of the document, in its order, and gives it on with what was said, in the
 * order of time. Sound goes to the transcript of its track; it is given on without samples once that
 * is past it. Everything else waits until the transcripts have come as far as its time.
 *
 * So that a run which is killed goes on at the last window: between windows the state is a few
 * hundred bytes (weft_hearing_save), which belong to a position in what decode gives. What lies behind
 * that position and was given already is listed in it, and passed over when it comes again.
 *
 * One thread.
 */
#ifndef WEFT_PIPELINE_HEARING_H
#define WEFT_PIPELINE_HEARING_H

#include "pipeline/ears.h"
#include "pipeline/item.h"

typedef struct WeftHearing WeftHearing;

/* `key`: of the content; decides draws. */
WeftHearing *weft_hearing_new(WeftEars *ears, guint64 document, const char *key);
void weft_hearing_free(WeftHearing *hearing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftHearing, weft_hearing_free)

/* What came in SOUNDINGs, put together (track_sound.h; WEFT_ERROR_CORRUPT: nothing of the kind), and,
 * where an earlier run has listened to some of it, what weft_hearing_save had saved last. */
gboolean weft_hearing_add_track(WeftHearing *hearing, const GByteArray *bytes, GError **error);
void weft_hearing_set_state(WeftHearing *hearing, GBytes *state);
/* Opens the model, where that has not happened yet, and goes on from the state; before anything is
 * taken. WEFT_ERROR_CHANGED: it is no state of this recording. */
gboolean weft_hearing_open(WeftHearing *hearing, GError **error);

/* The next item of the document: a part or a fault. FALSE: it was given before the state was saved. */
gboolean weft_hearing_take(WeftHearing *hearing, WeftItem *take_item);
/* There are no more. */
void weft_hearing_end(WeftHearing *hearing);
/* Decodes one window, where there is sound enough for one. *ret_did FALSE: there is not. */
gboolean weft_hearing_listen(WeftHearing *hearing, gboolean *ret_did, GError **error);
/* The next item that may go on; NULL: all that is left waits. */
WeftItem *weft_hearing_give(WeftHearing *hearing);
/* Nobody listens any more: all that waits may go on as it is. */
void weft_hearing_stop(WeftHearing *hearing);

/* With nothing to give: appends the state. *ret_position: how many items decode need not give again. */
void weft_hearing_save(WeftHearing *hearing, GByteArray *bytes, guint64 *ret_position);

/* What listening took since weft_hearing_open. */
WeftHeardCounts weft_hearing_counts(const WeftHearing *hearing);
/* Of all that is listened to, tracks and channels added up; and how much of it is behind. */
double weft_hearing_seconds(const WeftHearing *hearing, double *ret_heard_s);

#endif
