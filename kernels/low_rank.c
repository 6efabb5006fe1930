#include <math.h>

#include "kernels/kernels.h"

size_t weft_low_rank_room(const WeftLowRank *low_rank)
{
	return WEFT_LOW_RANK_ROWS * (low_rank->b.size[0] + low_rank->b.size[1]);
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
	float *inner = room, *outer = room + WEFT_LOW_RANK_ROWS * rank;
	for (size_t row = 0; row < n_rows; row += WEFT_LOW_RANK_ROWS) {
		size_t n = n_rows - row < WEFT_LOW_RANK_ROWS ? n_rows - row : WEFT_LOW_RANK_ROWS;
		kernels->gemm(kernels->team, inner, x + row * width_in, n, &low_rank->a, NULL);
		kernels->scale(kernels->team, inner, inner, low_rank->scale, n * rank);
		kernels->gemm(kernels->team, outer, inner, n, &low_rank->b, low_rank->bias);
		kernels->add(kernels->team, y + row * width, outer, n * width);
	}
	if (low_rank->gain)
		turn(low_rank, y, n_rows);
}

static double length_of(const float *x, size_t width)
{
	double squares = 0;
	for (size_t i = 0; i < width; i++)
		squares += (double)x[i] * (double)x[i];
	return sqrt(squares);
}

gboolean weft_low_rank_divide(const WeftKernels *kernels, const WeftLowRank *low_rank,
			      const WeftTensor *w, float *gain, GError **error)
{
	size_t width = low_rank->a.size[1], rank = low_rank->b.size[1];
	uint32_t rows[WEFT_LOW_RANK_ROWS];
	float *sum = weft_kernels_alloc(kernels, WEFT_LOW_RANK_ROWS * (2 * width + rank), sizeof(*sum),
					error);
	float *low = sum + WEFT_LOW_RANK_ROWS * width, *b = low + WEFT_LOW_RANK_ROWS * width;

	for (size_t first = 0; sum && first < low_rank->b.size[0]; first += WEFT_LOW_RANK_ROWS) {
		size_t left = low_rank->b.size[0] - first;
		size_t n = left < WEFT_LOW_RANK_ROWS ? left : WEFT_LOW_RANK_ROWS;
		for (size_t i = 0; i < n; i++)
			rows[i] = (uint32_t)(first + i);
		kernels->fetch_rows(kernels->team, sum, w, rows, n);
		kernels->fetch_rows(kernels->team, b, &low_rank->b, rows, n);
		kernels->scale(kernels->team, b, b, low_rank->scale, n * rank);
		kernels->gemm_kn(kernels->team, low, b, n, &low_rank->a, NULL);
		kernels->add(kernels->team, sum, low, n * width);
		for (size_t i = 0; i < n; i++)
			gain[first + i] =
				(float)(gain[first + i] / length_of(sum + i * width, width));
	}
	weft_kernels_free(kernels, sum);
	return sum != NULL;
}
