/* patches.h - numbers put in another order: unfold, patchify, pixel_shuffle; see kernels.h. */
#ifndef WEFT_KERNELS_PATCHES_H
#define WEFT_KERNELS_PATCHES_H

#include "kernels/kernels.h"

#define WEFT_UNFOLD(name) void name(WeftTeam *team, float *y, const WeftUnfold *unfold)
#define WEFT_PATCHIFY(name)                                                                        \
	void name(WeftTeam *team, float *y, const float *x, size_t n_channels, size_t height,      \
		  size_t width, size_t side)
#define WEFT_PIXEL_SHUFFLE(name)                                                                   \
	void name(WeftTeam *team, float *y, const float *x, size_t n_rows, size_t n_cols,          \
		  size_t width, size_t factor)

WEFT_UNFOLD(weft_unfold_ref);
WEFT_PATCHIFY(weft_patchify_ref);
WEFT_PIXEL_SHUFFLE(weft_pixel_shuffle_ref);

#endif
