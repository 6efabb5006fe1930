#include "kernels/kernels.h"

/* Rows that go through together: enough to read B once for many, and room for few wide rows. */
#define ROWS_AT_ONCE 32

size_t weft_low_rank_room(const WeftLowRank *low_rank)
{
	return ROWS_AT_ONCE * (low_rank->b.size[0] + low_rank->b.size[1]);
}

static void turn(const WeftLowRank *low_rank, float *y, size_t n_rows)
{
	size_t width = low_rank->b.size[0];
	for (size_t row = 0; row < n_rows; row++)
		for (size_t i = 0; i < width; i++)
			y[row * width + i] =
				y[row * width + i] * low_rank->gain[i] +
				(low_rank->offset ? low_rank->offset[i] : 0);
}

void weft_low_rank_add(const WeftKernels *kernels, const WeftLowRank *low_rank, float *y,
		       const float *x, size_t n_rows, float *room)
{
	size_t width = low_rank->b.size[0], rank = low_rank->b.size[1];
	size_t width_in = low_rank->a.size[1];
	float *inner = room, *outer = room + ROWS_AT_ONCE * rank;
	for (size_t row = 0; row < n_rows; row += ROWS_AT_ONCE) {
		size_t n = n_rows - row < ROWS_AT_ONCE ? n_rows - row : ROWS_AT_ONCE;
		kernels->gemm(kernels->team, inner, x + row * width_in, n, &low_rank->a, NULL);
		kernels->scale(kernels->team, inner, inner, low_rank->scale, n * rank);
		kernels->gemm(kernels->team, outer, inner, n, &low_rank->b, low_rank->bias);
		kernels->add(kernels->team, y + row * width, outer, n * width);
	}
	if (low_rank->gain)
		turn(low_rank, y, n_rows);
}
