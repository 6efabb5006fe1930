#include "kernels/gemm.h"

#include <assert.h>

#include "kernels/blocks.h"
#include "kernels/lanes.h"

/* A piece is these many rows of x and columns of y. */
#define PIECE_ROWS 256
#define PIECE_COLS 64
#define PIECE_COLS_KN 256

typedef struct Gemm {
	float *y;
	const float *x;
	const WeftTensor *w;
	const float *bias;
	size_t n_rows, n_cols, n_inner;
	size_t n_col_pieces;
} Gemm;

typedef struct Range {
	size_t row, row_end, col, col_end;
} Range;

static inline size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static Range piece_range(const Gemm *gemm, size_t piece, size_t cols)
{
	Range range;
	range.row = piece / gemm->n_col_pieces * PIECE_ROWS;
	range.col = piece % gemm->n_col_pieces * cols;
	range.row_end = smaller(range.row + PIECE_ROWS, gemm->n_rows);
	range.col_end = smaller(range.col + cols, gemm->n_cols);
	return range;
}

/* The sums of the outputs become results: times the scale, plus the bias. */
static void finish(const Gemm *gemm, Range range)
{
	const float *scales = gemm->w->scales, *bias = gemm->bias;
	if (!scales && !bias)
		return;
	for (size_t t = range.row; t < range.row_end; t++) {
		float *y = gemm->y + t * gemm->n_cols;
		for (size_t n = range.col; n < range.col_end && scales; n++)
			y[n] *= scales[n];
		for (size_t n = range.col; n < range.col_end && bias; n++)
			y[n] += bias[n];
	}
}

static const void *weights_at(const WeftTensor *w, size_t row, size_t col)
{
	return (const char *)weft_tensor_row(w, row) + weft_dtype_row_bytes(w->dtype, col);
}

static void gemm_piece(void *context, size_t piece, void *scratch)
{
	const Gemm *gemm = context;
	Range range = piece_range(gemm, piece, PIECE_COLS);
	float *panel = scratch; /* [PIECE_COLS][WEFT_GEMM_BLOCK] */
	size_t k = 0;
	do {
		size_t length = smaller(WEFT_GEMM_BLOCK, gemm->n_inner - k);
		for (size_t n = range.col; n < range.col_end; n++)
			weft_blocks_widen(panel + (n - range.col) * WEFT_GEMM_BLOCK,
					  weights_at(gemm->w, n, k), gemm->w->dtype, length);
		for (size_t t = range.row; t < range.row_end; t++) {
			const float *x = gemm->x + t * gemm->n_inner + k;
			float *y = gemm->y + t * gemm->n_cols;
			for (size_t n = range.col; n < range.col_end; n++) {
				const float *row = panel + (n - range.col) * WEFT_GEMM_BLOCK;
				float sum = weft_dot(x, row, length);
				y[n] = k == 0 ? sum : y[n] + sum;
			}
		}
		k += length;
	} while (k < gemm->n_inner);
	finish(gemm, range);
}

static void gemm_kn_piece(void *context, size_t piece, void *scratch)
{
	const Gemm *gemm = context;
	Range range = piece_range(gemm, piece, PIECE_COLS_KN);
	size_t width = range.col_end - range.col;
	float *panel = scratch; /* [WEFT_GEMM_KN_BLOCK][PIECE_COLS_KN], zeros behind the columns */
	size_t k = 0;
	do {
		size_t length = smaller(WEFT_GEMM_KN_BLOCK, gemm->n_inner - k);
		for (size_t i = 0; i < length; i++) {
			float *row = panel + i * PIECE_COLS_KN;
			weft_blocks_widen(row, weights_at(gemm->w, k + i, range.col),
					  gemm->w->dtype, width);
			memset(row + width, 0, (PIECE_COLS_KN - width) * sizeof *row);
		}
		for (size_t t = range.row; t < range.row_end; t++) {
			const float *x = gemm->x + t * gemm->n_inner + k;
			float *y = gemm->y + t * gemm->n_cols + range.col;
			for (size_t n = 0; n < width; n += WEFT_LANES) {
				WeftLanes sum = {0};
				float part[WEFT_LANES];
				for (size_t i = 0; i < length; i++)
					sum += x[i] * *weft_lanes_at(panel + i * PIECE_COLS_KN + n);
				memcpy(part, &sum, sizeof part);
				for (size_t j = 0; j < WEFT_LANES && n + j < width; j++)
					y[n + j] = k == 0 ? part[j] : y[n + j] + part[j];
			}
		}
		k += length;
	} while (k < gemm->n_inner);
	finish(gemm, range);
}

static void run(WeftTeam *team, Gemm *gemm, size_t cols, WeftPiece piece)
{
	gemm->n_col_pieces = (gemm->n_cols + cols - 1) / cols;
	size_t n_row_pieces = (gemm->n_rows + PIECE_ROWS - 1) / PIECE_ROWS;
	weft_team_run(team, gemm->n_col_pieces * n_row_pieces, piece, gemm);
}

WEFT_GEMM(weft_gemm_ref)
{
	Gemm gemm = {.y = y, .x = x, .w = w, .bias = bias, .n_rows = n_rows};
	gemm.n_cols = w->size[0];
	gemm.n_inner = w->size[1];
	run(team, &gemm, PIECE_COLS, gemm_piece);
}

WEFT_GEMM(weft_gemm_kn_ref)
{
	Gemm gemm = {.y = y, .x = x, .w = w, .bias = bias, .n_rows = n_rows};
	gemm.n_cols = w->size[1];
	gemm.n_inner = w->size[0];
	assert(weft_dtype_block_values(w->dtype) == 1);
	run(team, &gemm, PIECE_COLS_KN, gemm_kn_piece);
}
