#include "kernels/norm.h"

#include "kernels/lanes.h"
#include "kernels/split.h"

typedef struct Norm {
	float *y;
	const float *x, *weight, *bias;
	size_t n_rows, width;
	double eps;
} Norm;

static void rmsnorm_piece(void *context, size_t piece, void *scratch)
{
	const Norm *norm = context;
	WeftSplit rows = weft_split_rows(norm->n_rows, norm->width, piece);
	for (size_t t = rows.first; t < rows.end; t++) {
		const float *x = norm->x + t * norm->width;
		float *y = norm->y + t * norm->width;
		double mean = weft_sum_squares(x, norm->width, 0) / (double)norm->width;
		float factor = (float)(1 / sqrt(mean + norm->eps));
		for (size_t i = 0; i < norm->width; i++)
			y[i] = norm->weight ? x[i] * factor * norm->weight[i] : x[i] * factor;
	}
	(void)scratch;
}

static void layernorm_piece(void *context, size_t piece, void *scratch)
{
	const Norm *norm = context;
	WeftSplit rows = weft_split_rows(norm->n_rows, norm->width, piece);
	for (size_t t = rows.first; t < rows.end; t++) {
		const float *x = norm->x + t * norm->width;
		float *y = norm->y + t * norm->width;
		double mean = weft_sum(x, norm->width) / (double)norm->width;
		double variance = weft_sum_squares(x, norm->width, mean) / (double)norm->width;
		double factor = 1 / sqrt(variance + norm->eps);
		for (size_t i = 0; i < norm->width; i++) {
			float value = (float)(((double)x[i] - mean) * factor);
			value = norm->weight ? value * norm->weight[i] : value;
			y[i] = norm->bias ? value + norm->bias[i] : value;
		}
	}
	(void)scratch;
}

static void softmax_piece(void *context, size_t piece, void *scratch)
{
	const Norm *norm = context;
	WeftSplit rows = weft_split_rows(norm->n_rows, norm->width, piece);
	for (size_t t = rows.first; t < rows.end; t++) {
		const float *x = norm->x + t * norm->width;
		float *y = norm->y + t * norm->width;
		float max = -INFINITY;
		for (size_t i = 0; i < norm->width; i++)
			max = x[i] > max ? x[i] : max;
		max = max == -INFINITY ? 0.0f : max;
		for (size_t i = 0; i < norm->width; i++)
			y[i] = weft_exp(x[i] - max);
		double total = weft_sum(y, norm->width);
		float factor = total == 0 ? 0.0f : (float)(1 / total);
		for (size_t i = 0; i < norm->width; i++)
			y[i] *= factor;
	}
	(void)scratch;
}

WEFT_RMSNORM(weft_rmsnorm_ref)
{
	Norm norm = {y, x, weight, NULL, n_rows, width, (double)eps};
	weft_team_run(team, weft_split_pieces(n_rows, width), rmsnorm_piece, &norm);
}

WEFT_LAYERNORM(weft_layernorm_ref)
{
	Norm norm = {y, x, weight, bias, n_rows, width, (double)eps};
	weft_team_run(team, weft_split_pieces(n_rows, width), layernorm_piece, &norm);
}

WEFT_SOFTMAX(weft_softmax_ref)
{
	Norm norm = {y, x, NULL, NULL, n_rows, width, 0};
	weft_team_run(team, weft_split_pieces(n_rows, width), softmax_piece, &norm);
}
