/* blocks.h - stored numbers turned into f32 and back, format by format; plain C.
 *
 * The layouts are GGUF's (facts of each in blocks*.c beside its code) and, for F8_E4M3, the one of
 * safetensors. `x` is whole blocks, at any address. Widening is exact: what gguf's reference
 * computes in f32. These are the definition; tiers have faster forms of some with the same values.
 */
#ifndef WEFT_KERNELS_BLOCKS_H
#define WEFT_KERNELS_BLOCKS_H

#include "kernels/dtype.h"

/* y[n] = x[n]; n is a multiple of the format's block. Every format. */
void weft_blocks_widen(float *y, const void *x, WeftDtype dtype, size_t n);

#endif
