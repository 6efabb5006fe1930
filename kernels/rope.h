/* rope.h - rotary positions: the table of angles, the two ways to pair numbers; see kernels.h. */
#ifndef WEFT_KERNELS_ROPE_H
#define WEFT_KERNELS_ROPE_H

#include <stdint.h>

#include "kernels/team.h"

#define WEFT_ROPE_TABLE(name)                                                                      \
	void name(WeftTeam *team, float *cosine, float *sine, const int64_t *positions,            \
		  size_t n_rows, const double *frequencies, size_t n_pairs)
#define WEFT_ROPE(name)                                                                            \
	void name(WeftTeam *team, float *x, const float *cosine, const float *sine, size_t n_rows, \
		  size_t n_heads, size_t head_width)

WEFT_ROPE_TABLE(weft_rope_table_ref);
WEFT_ROPE(weft_rope_pairs_ref);
WEFT_ROPE(weft_rope_halves_ref);

#endif
