#include "kernels/rope.h"

#include <math.h>

#include "kernels/split.h"

typedef struct Table {
	float *cosine, *sine;
	const int64_t *positions;
	const double *frequencies;
	size_t n_rows, n_pairs;
} Table;

typedef struct Rope {
	float *x;
	const float *cosine, *sine;
	size_t n_rows, n_heads, head_width;
} Rope;

static void table_piece(void *context, size_t piece, void *scratch)
{
	const Table *table = context;
	WeftSplit rows = weft_split_rows(table->n_rows, table->n_pairs, piece);
	for (size_t t = rows.first; t < rows.end; t++) {
		for (size_t i = 0; i < table->n_pairs; i++) {
			double angle = (double)table->positions[t] * table->frequencies[i];
			table->cosine[t * table->n_pairs + i] = (float)cos(angle);
			table->sine[t * table->n_pairs + i] = (float)sin(angle);
		}
	}
	(void)scratch;
}

/* Number i of a head's first halves of pairs is at i * step, its partner `apart` further. */
static void turn(float *head, const float *cosine, const float *sine, size_t n_pairs, size_t step,
		 size_t apart)
{
	for (size_t i = 0; i < n_pairs; i++) {
		float a = head[i * step], b = head[i * step + apart];
		head[i * step] = a * cosine[i] - b * sine[i];
		head[i * step + apart] = a * sine[i] + b * cosine[i];
	}
}

static void turn_rows(const Rope *rope, size_t piece, size_t step, size_t apart)
{
	size_t width = rope->n_heads * rope->head_width, n_pairs = rope->head_width / 2;
	WeftSplit rows = weft_split_rows(rope->n_rows, width, piece);
	for (size_t t = rows.first; t < rows.end; t++)
		for (size_t h = 0; h < rope->n_heads; h++)
			turn(rope->x + t * width + h * rope->head_width, rope->cosine + t * n_pairs,
			     rope->sine + t * n_pairs, n_pairs, step, apart);
}

static void pairs_piece(void *context, size_t piece, void *scratch)
{
	turn_rows(context, piece, 2, 1);
	(void)scratch;
}

static void halves_piece(void *context, size_t piece, void *scratch)
{
	const Rope *rope = context;
	turn_rows(rope, piece, 1, rope->head_width / 2);
	(void)scratch;
}

WEFT_ROPE_TABLE(weft_rope_table_ref)
{
	Table table = {cosine, sine, positions, frequencies, n_rows, n_pairs};
	weft_team_run(team, weft_split_pieces(n_rows, n_pairs), table_piece, &table);
}

WEFT_ROPE(weft_rope_pairs_ref)
{
	Rope rope = {x, cosine, sine, n_rows, n_heads, head_width};
	weft_team_run(team, weft_split_pieces(n_rows, n_heads * head_width), pairs_piece, &rope);
}

WEFT_ROPE(weft_rope_halves_ref)
{
	Rope rope = {x, cosine, sine, n_rows, n_heads, head_width};
	weft_team_run(team, weft_split_pieces(n_rows, n_heads * head_width), halves_piece, &rope);
}
