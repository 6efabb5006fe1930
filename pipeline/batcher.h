/* batcher.h - the one thread that owns the model.
 *
 * All generate nodes of a run hand their requests to one batcher, so that documents, rounds and
 * windows share each pass over the weights. The batcher never waits for a channel: a result is kept
 * in its WeftPending until the node that asked comes for it. What is in flight is bounded in number
 * and in bytes of encoder rows, and submitting waits for room there; a request larger than the
 * bytes goes alone.
 */
#ifndef WEFT_PIPELINE_BATCHER_H
#define WEFT_PIPELINE_BATCHER_H

#include <glib.h>

#include "encoders/sequence.h"
#include "model/answer.h"
#include "model/model.h"
#include "pipeline/stop.h"

typedef struct WeftBatcher WeftBatcher;
typedef struct WeftPending WeftPending; /* one request under way */

/* Takes the model and starts the thread. */
WeftBatcher *weft_batcher_new(WeftModel *take_model, guint in_flight_max, gsize bytes_max,
                              GError **error);
/* Once stopping, what the model has not begun ends as WEFT_ERROR_CANCELLED. Borrowed; before the first
 * request. */
void weft_batcher_heed(WeftBatcher *batcher, const WeftStop *stop);
/* Nothing waits from here on; requests under way end as WEFT_ERROR_CANCELLED. */
void weft_batcher_cancel(WeftBatcher *batcher);
/* Cancels, joins the thread, closes the model. All pendings must have been freed. */
void weft_batcher_free(WeftBatcher *batcher);

/* Takes the sequence. The generation is copied; its schema must outlive the request. */
WeftPending *weft_batcher_submit(WeftBatcher *batcher, WeftSequence *take_sequence,
                                 const WeftGeneration *generation);

/* Waits for the result. FALSE: the request failed. */
gboolean weft_pending_wait(WeftPending *pending, WeftAnswer **ret_answer, GError **error);
/* A request that is still under way is given up. NULL is fine. */
void weft_pending_free(WeftPending *pending);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftPending, weft_pending_free)

#endif
