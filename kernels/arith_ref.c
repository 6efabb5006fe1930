#include "kernels/arith.h"

#include "kernels/blocks.h"
#include "kernels/lanes.h"
#include "kernels/split.h"

typedef struct Arith {
	void *y;
	const void *x;
	const float *other;
	size_t n_rows, width, in_stride;
	float factor;
	WeftDtype dtype;
} Arith;

static void swiglu_piece(void *context, size_t piece, void *scratch)
{
	const Arith *arith = context;
	WeftSplit rows = weft_split_rows(arith->n_rows, arith->width, piece);
	for (size_t t = rows.first; t < rows.end; t++) {
		const float *gate = (const float *)arith->x + t * arith->in_stride;
		const float *up = arith->other + t * arith->in_stride;
		float *y = (float *)arith->y + t * arith->width;
		for (size_t i = 0; i < arith->width; i++)
			y[i] = gate[i] / (1.0f + weft_exp(-gate[i])) * up[i];
	}
	(void)scratch;
}

static void gelu_piece(void *context, size_t piece, void *scratch)
{
	const Arith *arith = context;
	const float *x = arith->x;
	float *y = arith->y;
	WeftSplit part = weft_split_rows(arith->n_rows, 1, piece);
	for (size_t i = part.first; i < part.end; i++) {
		/* 1 + erf(z) is erfc(-z), and 2 - erfc(z) where z > 0. */
		float tail = weft_erfc(fabsf(x[i]) * 0.707106781f);
		y[i] = 0.5f * x[i] * (x[i] > 0 ? 2.0f - tail : tail);
	}
	(void)scratch;
}

static void add_piece(void *context, size_t piece, void *scratch)
{
	const Arith *arith = context;
	const float *x = arith->x;
	float *y = arith->y;
	WeftSplit part = weft_split_rows(arith->n_rows, 1, piece);
	for (size_t i = part.first; i < part.end; i++)
		y[i] += x[i];
	(void)scratch;
}

static void scale_piece(void *context, size_t piece, void *scratch)
{
	const Arith *arith = context;
	const float *x = arith->x;
	float *y = arith->y;
	WeftSplit rows = weft_split_rows(arith->n_rows, arith->width, piece);
	for (size_t t = rows.first; t < rows.end; t++) {
		float factor = arith->other ? arith->other[t] : arith->factor;
		for (size_t i = t * arith->width; i < (t + 1) * arith->width; i++)
			y[i] = x[i] * factor;
	}
	(void)scratch;
}

static void to_f32_piece(void *context, size_t piece, void *scratch)
{
	const Arith *arith = context;
	WeftSplit part = weft_split_rows(arith->n_rows, 1, piece);
	const char *x = (const char *)arith->x + weft_dtype_row_bytes(arith->dtype, part.first);
	weft_blocks_widen((float *)arith->y + part.first, x, arith->dtype, part.end - part.first);
	(void)scratch;
}

static void from_f32_piece(void *context, size_t piece, void *scratch)
{
	const Arith *arith = context;
	WeftSplit part = weft_split_rows(arith->n_rows, 1, piece);
	char *y = (char *)arith->y + weft_dtype_row_bytes(arith->dtype, part.first);
	weft_blocks_narrow(y, (const float *)arith->x + part.first, arith->dtype,
			   part.end - part.first);
	(void)scratch;
}

static void run(WeftTeam *team, Arith *arith, WeftPiece piece)
{
	weft_team_run(team, weft_split_pieces(arith->n_rows, arith->width), piece, arith);
}

WEFT_SWIGLU(weft_swiglu_ref)
{
	Arith arith = {.y = y, .x = gate, .other = up};
	arith.n_rows = n_rows;
	arith.width = width;
	arith.in_stride = in_stride;
	run(team, &arith, swiglu_piece);
}

WEFT_GELU(weft_gelu_ref)
{
	Arith arith = {.y = y, .x = x, .n_rows = n, .width = 1};
	run(team, &arith, gelu_piece);
}

WEFT_ADD(weft_add_ref)
{
	Arith arith = {.y = y, .x = x, .n_rows = n, .width = 1};
	run(team, &arith, add_piece);
}

WEFT_SCALE(weft_scale_ref)
{
	Arith arith = {.y = y, .x = x, .factor = factor, .n_rows = n, .width = 1};
	run(team, &arith, scale_piece);
}

WEFT_SCALE_ROWS(weft_scale_rows_ref)
{
	Arith arith = {.y = y, .x = x, .other = factors, .n_rows = n_rows, .width = width};
	run(team, &arith, scale_piece);
}

WEFT_TO_F32(weft_to_f32_ref)
{
	Arith arith = {.y = y, .x = x, .dtype = dtype, .n_rows = n, .width = 1};
	run(team, &arith, to_f32_piece);
}

WEFT_FROM_F32(weft_from_f32_ref)
{
	Arith arith = {.y = y, .x = x, .dtype = dtype, .n_rows = n, .width = 1};
	run(team, &arith, from_f32_piece);
}
