/* gemm_fma.h - gemm and gemm_kn for vector units with fused multiply-add.
 *
 * The file of a tier defines the vector and what can be done with it, then includes this:
 *   Vector, LANES                      a register of floats and how many it holds
 *   BLOCK_ROWS, BLOCK_COLS             rows and columns of y whose sums live in registers (gemm)
 *   KN_ROWS, KN_VECTORS                rows, and vectors of columns (gemm_kn)
 *   vector_zero(), vector_set(x), vector_load(p), vector_store(p, v), vector_fma(a, b, c) = ab + c
 *   vector_widen(p, dtype), vector_widen_tail(p, dtype, n)    n < LANES numbers, then zeros;
 *                                      reads no byte behind them
 *   vector_sum(v)                      the lanes joined in a fixed tree
 *   TIER(name)                         name with the tier's suffix
 *
 * Sums as gemm.h says: LANES lanes of fused multiply-add over a block of K; every form below walks
 * a block in the same order, whether the weights are widened in registers (few rows: the weights
 * are read once, memory is the limit) or once into a panel in scratch memory (many rows).
 */
#include <stdbool.h>

#define INLINE static inline __attribute__((always_inline))

#define BLOCK WEFT_GEMM_BLOCK
#define KN_BLOCK WEFT_GEMM_KN_BLOCK

/* From these many rows on a panel pays. */
#define PANEL_ROWS 16
/* Rows of x in a piece, and those that stay in the second-level cache meanwhile. */
#define PIECE_ROWS 256
#define TILE_ROWS 64
/* Columns of a panel: whole blocks of every tier. */
#define PANEL_COLS 48
#define KN_PANEL_COLS 192
/* Columns of a piece of gemm_kn with few rows: 1 KiB of bf16 weights side by side. */
#define KN_STREAM_COLS 512
/* Rows of weights that meet one load of a partial sum there. */
#define KN_STREAM_DEPTH 8
/* A piece has at least these many multiplications, some 10 us. */
#define PIECE_PRODUCTS ((size_t)1 << 18)
/* The rows of a panel lie so far apart that they do not share the sets of a cache. */
#define PANEL_STRIDE (BLOCK + 16)

_Static_assert(PANEL_COLS * PANEL_STRIDE * sizeof(float) <= WEFT_TEAM_SCRATCH_BYTES, "panel");
_Static_assert((KN_BLOCK + TILE_ROWS) * KN_PANEL_COLS * sizeof(float) <= WEFT_TEAM_SCRATCH_BYTES,
	       "panel of gemm_kn");
_Static_assert(PANEL_COLS % BLOCK_COLS == 0 && KN_PANEL_COLS % (KN_VECTORS * LANES) == 0 &&
		       KN_STREAM_COLS % LANES == 0, "whole blocks");

typedef struct Gemm {
	float *y;
	const float *x;
	const WeftTensor *w;
	const float *bias;
	size_t n_rows, n_cols, n_inner;
	size_t piece_cols, n_col_pieces;
} Gemm;

typedef struct Range {
	size_t row, row_end, col, col_end;
} Range;

/* Where a block of columns finds its weights: rows of `dtype`, `stride` bytes apart. */
typedef struct Weights {
	const char *at;
	size_t stride;
} Weights;

INLINE size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static Range piece_range(const Gemm *gemm, size_t piece)
{
	Range range;
	range.row = piece / gemm->n_col_pieces * PIECE_ROWS;
	range.col = piece % gemm->n_col_pieces * gemm->piece_cols;
	range.row_end = smaller(range.row + PIECE_ROWS, gemm->n_rows);
	range.col_end = smaller(range.col + gemm->piece_cols, gemm->n_cols);
	return range;
}

static void add_bias(const Gemm *gemm, Range range)
{
	if (!gemm->bias)
		return;
	for (size_t t = range.row; t < range.row_end; t++)
		for (size_t n = range.col; n < range.col_end; n++)
			gemm->y[t * gemm->n_cols + n] += gemm->bias[n];
}

static const char *weights_at(const WeftTensor *w, size_t row, size_t col)
{
	return (const char *)weft_tensor_row(w, row) + weft_dtype_row_bytes(w->dtype, col);
}

/* to[n] = from[n] widened, then zeros up to a whole vector. */
INLINE void widen_row(float *to, const char *from, WeftDtype dtype, size_t n)
{
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		vector_store(to + i, vector_widen(from + weft_dtype_row_bytes(dtype, i), dtype));
	if (i < n)
		vector_store(to + i, vector_widen_tail(from + weft_dtype_row_bytes(dtype, i), dtype,
						       n - i));
}

/* y[rows, cols] (+)= x[rows, length] * w[cols, length]^T; rows, cols and dtype are constants where
 * this is called, so that the sums stay in registers. */
INLINE void multiply_block(float *y, size_t y_stride, const float *x, size_t x_stride, Weights w,
			   size_t length, bool is_first, size_t rows, size_t cols, WeftDtype dtype)
{
	Vector sum[BLOCK_ROWS][BLOCK_COLS], left[BLOCK_ROWS];
#pragma GCC unroll 8
	for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
		for (size_t c = 0; c < cols; c++)
			sum[r][c] = vector_zero();
	size_t k = 0;
	for (; k + LANES <= length; k += LANES) {
#pragma GCC unroll 8
		for (size_t r = 0; r < rows; r++)
			left[r] = vector_load(x + r * x_stride + k);
#pragma GCC unroll 8
		for (size_t c = 0; c < cols; c++) {
			Vector right = vector_widen(
				w.at + c * w.stride + weft_dtype_row_bytes(dtype, k), dtype);
#pragma GCC unroll 8
			for (size_t r = 0; r < rows; r++)
				sum[r][c] = vector_fma(left[r], right, sum[r][c]);
		}
	}
	if (k < length) {
#pragma GCC unroll 8
		for (size_t r = 0; r < rows; r++)
			left[r] = vector_widen_tail((const char *)(x + r * x_stride + k),
						    WEFT_DTYPE_F32, length - k);
#pragma GCC unroll 8
		for (size_t c = 0; c < cols; c++) {
			Vector right = vector_widen_tail(
				w.at + c * w.stride + weft_dtype_row_bytes(dtype, k), dtype,
				length - k);
#pragma GCC unroll 8
			for (size_t r = 0; r < rows; r++)
				sum[r][c] = vector_fma(left[r], right, sum[r][c]);
		}
	}
#pragma GCC unroll 8
	for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 8
		for (size_t c = 0; c < cols; c++) {
			float total = vector_sum(sum[r][c]);
			y[r * y_stride + c] = is_first ? total : y[r * y_stride + c] + total;
		}
	}
}

/* All columns of one group of rows; `rows` and `dtype` constant. */
INLINE void multiply_rows(float *y, size_t y_stride, const float *x, size_t x_stride, Weights w,
			  size_t length, bool is_first, size_t rows, size_t n_cols, WeftDtype dtype)
{
	size_t c = 0;
	for (; c + BLOCK_COLS <= n_cols; c += BLOCK_COLS, w.at += BLOCK_COLS * w.stride)
		multiply_block(y + c, y_stride, x, x_stride, w, length, is_first, rows, BLOCK_COLS,
			       dtype);
	for (; c < n_cols; c++, w.at += w.stride)
		multiply_block(y + c, y_stride, x, x_stride, w, length, is_first, rows, 1, dtype);
}

INLINE void multiply_tile(float *y, size_t y_stride, const float *x, size_t x_stride, Weights w,
			  size_t length, bool is_first, size_t n_rows, size_t n_cols,
			  WeftDtype dtype)
{
	size_t t = 0;
	for (; t + BLOCK_ROWS <= n_rows; t += BLOCK_ROWS)
		multiply_rows(y + t * y_stride, y_stride, x + t * x_stride, x_stride, w, length,
			      is_first, BLOCK_ROWS, n_cols, dtype);
	for (; t < n_rows; t++)
		multiply_rows(y + t * y_stride, y_stride, x + t * x_stride, x_stride, w, length,
			      is_first, 1, n_cols, dtype);
}

/* Few rows: every group of weight rows from first to last number: memory is read in order. */
INLINE void stream_piece(const Gemm *gemm, Range range, WeftDtype dtype)
{
	for (size_t n = range.col; n < range.col_end; n += BLOCK_COLS) {
		size_t cols = smaller(BLOCK_COLS, range.col_end - n), k = 0;
		do {
			size_t length = smaller(BLOCK, gemm->n_inner - k);
			Weights w = {weights_at(gemm->w, n, k), gemm->w->row_bytes};
			multiply_tile(gemm->y + range.row * gemm->n_cols + n, gemm->n_cols,
				      gemm->x + range.row * gemm->n_inner + k, gemm->n_inner, w,
				      length, k == 0, range.row_end - range.row, cols, dtype);
			k += length;
		} while (k < gemm->n_inner);
	}
}

static void panel_piece(const Gemm *gemm, Range range, float *panel)
{
	size_t k = 0, n_cols = range.col_end - range.col;
	do {
		size_t length = smaller(BLOCK, gemm->n_inner - k);
		for (size_t c = 0; c < n_cols; c++)
			widen_row(panel + c * PANEL_STRIDE, weights_at(gemm->w, range.col + c, k),
				  gemm->w->dtype, length);
		for (size_t t = range.row; t < range.row_end; t += TILE_ROWS) {
			size_t rows = smaller(TILE_ROWS, range.row_end - t);
			for (size_t c = 0; c < n_cols; c += BLOCK_COLS) {
				Weights w = {(const char *)(panel + c * PANEL_STRIDE),
					     PANEL_STRIDE * sizeof(float)};
				multiply_tile(gemm->y + t * gemm->n_cols + range.col + c,
					      gemm->n_cols, gemm->x + t * gemm->n_inner + k,
					      gemm->n_inner, w, length, k == 0, rows,
					      smaller(BLOCK_COLS, n_cols - c), WEFT_DTYPE_F32);
			}
		}
		k += length;
	} while (k < gemm->n_inner);
}

static void gemm_piece(void *context, size_t piece, void *scratch)
{
	const Gemm *gemm = context;
	Range range = piece_range(gemm, piece);
	if (gemm->n_rows >= PANEL_ROWS)
		panel_piece(gemm, range, scratch);
	else if (gemm->w->dtype == WEFT_DTYPE_F32)
		stream_piece(gemm, range, WEFT_DTYPE_F32);
	else if (gemm->w->dtype == WEFT_DTYPE_BF16)
		stream_piece(gemm, range, WEFT_DTYPE_BF16);
	else
		stream_piece(gemm, range, WEFT_DTYPE_F16);
	add_bias(gemm, range);
}

/* part[rows, vectors] = x[rows, length] * panel[length, vectors], from zero in order. */
INLINE void multiply_kn_block(float *part, const float *x, size_t x_stride, const float *panel,
			      size_t length, size_t rows)
{
	Vector sum[KN_ROWS][KN_VECTORS], right[KN_VECTORS];
#pragma GCC unroll 16
	for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 16
		for (size_t c = 0; c < KN_VECTORS; c++)
			sum[r][c] = vector_zero();
	for (size_t k = 0; k < length; k++) {
#pragma GCC unroll 16
		for (size_t c = 0; c < KN_VECTORS; c++)
			right[c] = vector_load(panel + k * KN_PANEL_COLS + c * LANES);
#pragma GCC unroll 16
		for (size_t r = 0; r < rows; r++) {
			Vector left = vector_set(x[r * x_stride + k]);
#pragma GCC unroll 16
			for (size_t c = 0; c < KN_VECTORS; c++)
				sum[r][c] = vector_fma(left, right[c], sum[r][c]);
		}
	}
#pragma GCC unroll 16
	for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 16
		for (size_t c = 0; c < KN_VECTORS; c++)
			vector_store(part + r * KN_PANEL_COLS + c * LANES, sum[r][c]);
}

/* y[rows, cols] (+)= part; the rows of part are part_stride apart. */
static void add_part(float *y, size_t y_stride, const float *part, size_t part_stride,
		     size_t n_rows, size_t n_cols, bool is_first)
{
	for (size_t t = 0; t < n_rows; t++)
		for (size_t n = 0; n < n_cols; n++)
			y[t * y_stride + n] = is_first ? part[t * part_stride + n]
						       : y[t * y_stride + n] +
								 part[t * part_stride + n];
}

static void kn_panel_piece(const Gemm *gemm, Range range, float *panel)
{
	float *part = panel + KN_BLOCK * KN_PANEL_COLS; /* [TILE_ROWS][KN_PANEL_COLS] */
	size_t k = 0, n_cols = range.col_end - range.col, step = KN_VECTORS * LANES;
	memset(panel, 0, KN_BLOCK * KN_PANEL_COLS * sizeof *panel);
	do {
		size_t length = smaller(KN_BLOCK, gemm->n_inner - k);
		for (size_t i = 0; i < length; i++)
			widen_row(panel + i * KN_PANEL_COLS, weights_at(gemm->w, k + i, range.col),
				  gemm->w->dtype, n_cols);
		for (size_t t = range.row; t < range.row_end; t += TILE_ROWS) {
			size_t rows = smaller(TILE_ROWS, range.row_end - t);
			const float *x = gemm->x + t * gemm->n_inner + k;
			for (size_t c = 0; c < n_cols; c += step) {
				size_t r = 0;
				for (; r + KN_ROWS <= rows; r += KN_ROWS)
					multiply_kn_block(part + r * KN_PANEL_COLS + c,
							  x + r * gemm->n_inner, gemm->n_inner,
							  panel + c, length, KN_ROWS);
				for (; r < rows; r++)
					multiply_kn_block(part + r * KN_PANEL_COLS + c,
							  x + r * gemm->n_inner, gemm->n_inner,
							  panel + c, length, 1);
			}
			add_part(gemm->y + t * gemm->n_cols + range.col, gemm->n_cols, part,
				 KN_PANEL_COLS, rows, n_cols, k == 0);
		}
		k += length;
	} while (k < gemm->n_inner);
}

/* part[rows, n_cols] += x[rows, depth] * w[depth, n_cols], one row of w after the other. */
INLINE void stream_kn_rows(float *part, const float *x, size_t x_stride, Weights w, size_t n_rows,
			   size_t n_cols, size_t depth, WeftDtype dtype)
{
	Vector right[KN_STREAM_DEPTH];
	for (size_t n = 0; n < n_cols; n += LANES) {
		const char *at = w.at + weft_dtype_row_bytes(dtype, n);
		for (size_t i = 0; i < depth; i++)
			right[i] = n + LANES <= n_cols
					   ? vector_widen(at + i * w.stride, dtype)
					   : vector_widen_tail(at + i * w.stride, dtype, n_cols - n);
		for (size_t t = 0; t < n_rows; t++) {
			Vector sum = vector_load(part + t * KN_STREAM_COLS + n);
			for (size_t i = 0; i < depth; i++)
				sum = vector_fma(vector_set(x[t * x_stride + i]), right[i], sum);
			vector_store(part + t * KN_STREAM_COLS + n, sum);
		}
	}
}

/* Few rows: the weights are read in order, the partial sums wait in the first-level cache. */
INLINE void kn_stream_piece(const Gemm *gemm, Range range, float *part, WeftDtype dtype)
{
	size_t n_rows = range.row_end - range.row, k = 0;
	for (size_t n = range.col; n < range.col_end; n += KN_STREAM_COLS, k = 0) {
		size_t n_cols = smaller(KN_STREAM_COLS, range.col_end - n);
		do {
			size_t end = smaller(k + KN_BLOCK, gemm->n_inner), i = k;
			memset(part, 0, n_rows * KN_STREAM_COLS * sizeof *part);
			for (; i < end; i += KN_STREAM_DEPTH) {
				const float *x = gemm->x + range.row * gemm->n_inner + i;
				Weights w = {weights_at(gemm->w, i, n), gemm->w->row_bytes};
				if (end - i >= KN_STREAM_DEPTH)
					stream_kn_rows(part, x, gemm->n_inner, w, n_rows, n_cols,
						       KN_STREAM_DEPTH, dtype);
				else
					stream_kn_rows(part, x, gemm->n_inner, w, n_rows, n_cols,
						       end - i, dtype);
			}
			add_part(gemm->y + range.row * gemm->n_cols + n, gemm->n_cols, part,
				 KN_STREAM_COLS, n_rows, n_cols, k == 0);
			k = end;
		} while (k < gemm->n_inner);
	}
}

static void gemm_kn_piece(void *context, size_t piece, void *scratch)
{
	const Gemm *gemm = context;
	Range range = piece_range(gemm, piece);
	if (gemm->n_rows >= PANEL_ROWS)
		kn_panel_piece(gemm, range, scratch);
	else if (gemm->w->dtype == WEFT_DTYPE_F32)
		kn_stream_piece(gemm, range, scratch, WEFT_DTYPE_F32);
	else if (gemm->w->dtype == WEFT_DTYPE_BF16)
		kn_stream_piece(gemm, range, scratch, WEFT_DTYPE_BF16);
	else
		kn_stream_piece(gemm, range, scratch, WEFT_DTYPE_F16);
	add_bias(gemm, range);
}

/* Pieces of `cols` columns, or of several times as many where that would be too little work. */
static void run(WeftTeam *team, Gemm *gemm, size_t cols, WeftPiece piece)
{
	size_t products = smaller(gemm->n_rows, PIECE_ROWS) * cols * (gemm->n_inner + 1) + 1;
	bool is_small = gemm->n_rows < PANEL_ROWS && products < PIECE_PRODUCTS;
	gemm->piece_cols = is_small ? cols * (PIECE_PRODUCTS / products) : cols;
	gemm->n_col_pieces = (gemm->n_cols + gemm->piece_cols - 1) / gemm->piece_cols;
	size_t n_row_pieces = (gemm->n_rows + PIECE_ROWS - 1) / PIECE_ROWS;
	weft_team_run(team, gemm->n_col_pieces * n_row_pieces, piece, gemm);
}

WEFT_GEMM(TIER(weft_gemm))
{
	Gemm gemm = {.y = y, .x = x, .w = w, .bias = bias, .n_rows = n_rows};
	gemm.n_cols = w->size[0];
	gemm.n_inner = w->size[1];
	run(team, &gemm, PANEL_COLS, gemm_piece);
}

WEFT_GEMM(TIER(weft_gemm_kn))
{
	Gemm gemm = {.y = y, .x = x, .w = w, .bias = bias, .n_rows = n_rows};
	gemm.n_cols = w->size[1];
	gemm.n_inner = w->size[0];
	run(team, &gemm, n_rows < PANEL_ROWS ? KN_STREAM_COLS : KN_PANEL_COLS, gemm_kn_piece);
}
