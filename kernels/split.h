/* split.h - how operations on rows are cut into pieces: by shape only (team.h).
 *
 * A piece is whole rows with about WEFT_SPLIT_NUMBERS numbers, so that waking a thread is worth it
 * (some 10 us of work). Private to kernels/.
 */
#ifndef WEFT_KERNELS_SPLIT_H
#define WEFT_KERNELS_SPLIT_H

#include <stddef.h>

#define WEFT_SPLIT_NUMBERS 16384

typedef struct WeftSplit {
	size_t first, end;
} WeftSplit;

static inline size_t weft_split_rows_per_piece(size_t width)
{
	return width >= WEFT_SPLIT_NUMBERS ? 1 : WEFT_SPLIT_NUMBERS / (width ? width : 1);
}

static inline size_t weft_split_pieces(size_t n_rows, size_t width)
{
	size_t rows = weft_split_rows_per_piece(width);
	return n_rows / rows + (n_rows % rows != 0);
}

/* The rows of a piece. */
static inline WeftSplit weft_split_rows(size_t n_rows, size_t width, size_t piece)
{
	size_t rows = weft_split_rows_per_piece(width);
	WeftSplit split = {piece * rows, n_rows};
	if (n_rows - split.first > rows)
		split.end = split.first + rows;
	return split;
}

#endif
