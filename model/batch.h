/* batch.h - which rows run in the next step.
 *
 * A step is one pass of at most WEFT_STEP_ROWS rows. Requests that have few tokens to feed (those
 * that answer) come first, then pieces of prompts in the order of submission. A piece ends at a
 * multiple of WEFT_PIECE_ROWS positions or at the end of a shared prefix. What ran beside changes
 * when a request gets its turn, never its result.
 *
 * A prefix (the ids that requests of a job have in common) is computed by the first request that
 * has it; the others wait for it and go on from a shared cache. A few prefixes are kept. Keys and
 * values are an adapter's own, so only requests of one adapter share.
 */
#ifndef WEFT_MODEL_BATCH_H
#define WEFT_MODEL_BATCH_H

#include "model/layer.h"
#include "model/request.h"

#define WEFT_STEP_ROWS 512
#define WEFT_BATCH_DEFAULT 16
#define WEFT_BATCH_MAX 256
#define WEFT_PREFIXES_KEPT 4

typedef struct WeftBatch WeftBatch;

/* WEFT_ERROR_LIMIT when there is no memory for the logits. The rest must outlive it. */
WeftBatch *weft_batch_new(WeftPass *pass, WeftPagePool *pool, gsize requests_max, GError **error);
void weft_batch_free(WeftBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftBatch, weft_batch_free)

gboolean weft_batch_has_room(const WeftBatch *batch);
guint64 weft_batch_add(WeftBatch *batch, WeftActive *take_active); /* its ticket */
void weft_batch_step(WeftBatch *batch);
/* A request that is done or failed, in the order in which they ended; NULL: none. Caller frees. */
WeftActive *weft_batch_take(WeftBatch *batch);
void weft_batch_cancel(WeftBatch *batch, guint64 ticket);

/* Copies rows [first, first + n) of a sequence's embeddings into the pass from `row`; *n_rows_fed
 * counts the encoder rows used so far. `adapter` may be NULL. */
void weft_batch_embed(WeftPass *pass, gsize row, const WeftSequence *sequence, const gint32 *ids,
		      gsize first, gsize n, const WeftAdapter *adapter, gsize *n_rows_fed);

#endif
