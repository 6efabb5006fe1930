#include "kernels/rows.h"

#include <stdbool.h>

#include "kernels/blocks.h"
#include "kernels/lanes.h"
#include "kernels/split.h"

typedef struct Rows {
	float *y;
	const float *x;
	const WeftTensor *w;
	const uint32_t *index;
	const float *factors;
	size_t n_rows, width;
} Rows;

typedef struct Topk {
	uint32_t *index;
	float *weight;
	const float *logits;
	size_t n_rows, n_experts, k;
	WeftRouter router;
} Topk;

static void fetch_piece(void *context, size_t piece, void *scratch)
{
	const Rows *rows = context;
	WeftSplit part = weft_split_rows(rows->n_rows, rows->width, piece);
	for (size_t t = part.first; t < part.end; t++) {
		float *y = rows->y + t * rows->width;
		weft_blocks_widen(y, weft_tensor_row(rows->w, rows->index[t]), rows->w->dtype,
				  rows->width);
		for (size_t i = 0; i < rows->width && rows->w->scales; i++)
			y[i] *= rows->w->scales[rows->index[t]];
	}
	(void)scratch;
}

static void add_piece(void *context, size_t piece, void *scratch)
{
	const Rows *rows = context;
	WeftSplit part = weft_split_rows(rows->n_rows, rows->width, piece);
	for (size_t t = part.first; t < part.end; t++) {
		float *y = rows->y + rows->index[t] * rows->width;
		const float *x = rows->x + t * rows->width;
		float factor = rows->factors ? rows->factors[t] : 1.0f;
		for (size_t i = 0; i < rows->width; i++)
			y[i] += x[i] * factor;
	}
	(void)scratch;
}

/* TRUE when expert e was chosen before place n. */
static bool is_chosen(const uint32_t *index, size_t n, size_t e)
{
	for (size_t i = 0; i < n; i++)
		if (index[i] == e)
			return true;
	return false;
}

static void choose(const Topk *topk, size_t t)
{
	const float *logits = topk->logits + t * topk->n_experts;
	uint32_t *index = topk->index + t * topk->k;
	float *weight = topk->weight + t * topk->k;
	for (size_t n = 0; n < topk->k; n++) {
		size_t best = topk->n_experts;
		float best_logit = -INFINITY;
		for (size_t e = 0; e < topk->n_experts; e++) {
			float logit = logits[e] == logits[e] ? logits[e] : -INFINITY;
			if ((best < topk->n_experts && logit <= best_logit) || is_chosen(index, n, e))
				continue;
			best = e;
			best_logit = logit;
		}
		index[n] = (uint32_t)best;
		weight[n] = best_logit;
	}
}

static void topk_piece(void *context, size_t piece, void *scratch)
{
	const Topk *topk = context;
	WeftSplit part = weft_split_rows(topk->n_rows, topk->n_experts * topk->k, piece);
	for (size_t t = part.first; t < part.end; t++) {
		choose(topk, t);
		float *weight = topk->weight + t * topk->k, max = weight[0], total = 0;
		for (size_t n = 0; n < topk->k; n++) {
			if (topk->router == WEFT_ROUTER_SIGMOID)
				weight[n] = 1.0f / (1.0f + weft_exp(-weight[n]));
			else
				total += weight[n] = weft_exp(weight[n] - max);
		}
		for (size_t n = 0; n < topk->k && topk->router == WEFT_ROUTER_SOFTMAX; n++)
			weight[n] /= total;
	}
	(void)scratch;
}

WEFT_FETCH_ROWS(weft_fetch_rows_ref)
{
	Rows rows = {.y = y, .w = w, .index = index, .n_rows = n_rows};
	rows.width = weft_tensor_cols(w);
	weft_team_run(team, weft_split_pieces(n_rows, rows.width), fetch_piece, &rows);
}

WEFT_ADD_ROWS(weft_add_rows_ref)
{
	Rows rows = {.y = y, .x = x, .index = index, .factors = factors};
	rows.n_rows = n_rows;
	rows.width = width;
	weft_team_run(team, weft_split_pieces(n_rows, width), add_piece, &rows);
}

WEFT_ROUTER_TOPK(weft_router_topk_ref)
{
	Topk topk = {index, weight, logits, n_rows, n_experts, k, router};
	if (k > 0)
		weft_team_run(team, weft_split_pieces(n_rows, n_experts * k), topk_piece, &topk);
}
