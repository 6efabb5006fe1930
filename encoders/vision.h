/* vision.h - the Llama 4 vision tower, its adapter and the projector into the backbone.
 *
 * Each tile by itself: P x P patches of p x p pixels (channel, line, column) -> patch embedding, +
 * positions, a class row at the end (index P * P) -> LayerNorm -> layers with 2-D rotation ->
 * LayerNorm -> the class row is dropped -> neighbours 2 x 2 side by side (pixel shuffle) ->
 * gelu(fc2 gelu(fc1 x)) -> linear_1, the width of the backbone.
 * Rotation: of the D / 2 pairs of a head the first half turns with the column, the second with the
 * row, both counted from 1: angle (C + 1) theta^(-4m / D), m < D / 4; the class row does not turn.
 * Source: transformers, models/llama4.
 */
#ifndef WEFT_ENCODERS_VISION_H
#define WEFT_ENCODERS_VISION_H

#include <glib.h>

#include "bundle/bundle.h"
#include "encoders/encoders.h"
#include "encoders/vision_lora.h"
#include "kernels/kernels.h"

typedef struct WeftVision WeftVision;

/* For a bundle whose configuration has a vision part; both must outlive it. */
WeftVision *weft_vision_new(const WeftBundle *bundle, const WeftKernels *kernels, GError **error);
void weft_vision_free(WeftVision *vision);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftVision, weft_vision_free)

/* ret_rows[n_tiles * tokens_per_tile][width of the backbone], for g_free. `lora`: NULL, or what an
 * adapter adds. */
gboolean weft_vision_see(const WeftVision *vision, const WeftTiles *tiles,
			 const WeftVisionLora *lora, float **ret_rows, gsize *ret_n_rows,
			 GError **error);

/* Rows that one tile becomes, from the configuration alone. */
gsize weft_vision_tokens_per_tile(const WeftVisionConfig *config);

#endif
