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

/* y[n] = x[n] rounded; n is a multiple of the format's block. F32, BF16 and F16 to nearest even; Q8_0
 * and Q4_0 as gguf's reference rounds them, the same bytes; Q4_K and Q6_K by a search for the scales
 * of the least weighted squares (some 40 million numbers a second). A block of these four with an
 * infinity or a NaN becomes NaN. No other format. */
void weft_blocks_narrow(void *y, const float *x, WeftDtype dtype, size_t n);

#endif
