/* residency.h - which parts of the mapped weights are read from disk, and when.
 *
 * Weights are mapped, so what nobody touches is never read. Left alone, the system would read around
 * every first touch, in small pieces that it waits for, and neighbours with it. So each part is asked
 * for as a whole just before its first use: a layer's attention, norms, router and dense or shared
 * feed-forward; the head; a routed expert when a token has chosen it. An expert that no token chose
 * stays absent. Embeddings are fetched row by row and are never asked for.
 *
 * Asking only starts the reading, and each part is asked for once: where memory is too small for all
 * that is used, the system reads what it had let go in its own pieces.
 */
#ifndef WEFT_MODEL_RESIDENCY_H
#define WEFT_MODEL_RESIDENCY_H

#include "model/weights.h"

typedef struct WeftResidency WeftResidency;

/* The weights must outlive it. */
WeftResidency *weft_residency_new(const WeftWeights *weights, gsize n_experts);
void weft_residency_free(WeftResidency *residency);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftResidency, weft_residency_free)

void weft_residency_need_layer(WeftResidency *residency, gsize layer);
void weft_residency_need_expert(WeftResidency *residency, gsize layer, gsize expert);
void weft_residency_need_head(WeftResidency *residency);

/* All that every token needs; experts are left alone. */
void weft_residency_prefetch(WeftResidency *residency);

/* Bytes of all parts that were asked for so far. */
guint64 weft_residency_bytes(const WeftResidency *residency);

#endif
