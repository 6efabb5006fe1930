#include "kernels/patches.h"

#include <stdbool.h>
#include <string.h>

#include "kernels/split.h"

typedef struct Unfold {
	float *y;
	const WeftUnfold *unfold;
	size_t n_rows;
} Unfold;

/* Both kinds of patches: a grid of blocks of side * side cells, a cell being `width` numbers. */
typedef struct Patches {
	float *y;
	const float *x;
	size_t n_channels, height, width, side, cell;
} Patches;

static void unfold_piece(void *context, size_t piece, void *scratch)
{
	const Unfold *self = context;
	const WeftUnfold *unfold = self->unfold;
	size_t width = unfold->n_channels * unfold->kernel;
	WeftSplit rows = weft_split_rows(self->n_rows, width, piece);
	for (size_t t = rows.first; t < rows.end; t++) {
		float *y = self->y + t * width;
		for (size_t c = 0; c < unfold->n_channels; c++) {
			for (size_t i = 0; i < unfold->kernel; i++) {
				size_t frame = t * unfold->stride + i; /* in the padded signal */
				bool inside = frame >= unfold->padding &&
					      frame - unfold->padding < unfold->n_frames;
				size_t at = c * unfold->channel_stride +
					    (frame - unfold->padding) * unfold->frame_stride;
				*y++ = inside ? unfold->x[at] : 0.0f;
			}
		}
	}
	(void)scratch;
}

static void patchify_piece(void *context, size_t row, void *scratch)
{
	const Patches *patches = context;
	size_t side = patches->side, n_cols = patches->width / side;
	float *y = patches->y + row * n_cols * patches->n_channels * side * side;
	for (size_t col = 0; col < n_cols; col++) {
		for (size_t line = 0; line < patches->n_channels * side; line++) {
			size_t channel = line / side, above = row * side + line % side;
			const float *x = patches->x + col * side +
					 (channel * patches->height + above) * patches->width;
			memcpy(y, x, side * sizeof *y);
			y += side;
		}
	}
	(void)scratch;
}

static void shuffle_piece(void *context, size_t row, void *scratch)
{
	const Patches *patches = context;
	size_t side = patches->side, n_cols = patches->width / side;
	size_t line_size = side * patches->cell; /* neighbours in x and in y alike */
	float *y = patches->y + row * n_cols * side * line_size;
	for (size_t col = 0; col < n_cols; col++) {
		for (size_t line = 0; line < side; line++) {
			size_t from = (row * side + line) * patches->width + col * side;
			memcpy(y, patches->x + from * patches->cell, line_size * sizeof *y);
			y += line_size;
		}
	}
	(void)scratch;
}

WEFT_UNFOLD(weft_unfold_ref)
{
	Unfold self = {y, unfold, 0};
	size_t padded = unfold->n_frames + 2 * unfold->padding;
	if (padded < unfold->kernel)
		return;
	self.n_rows = (padded - unfold->kernel) / unfold->stride + 1;
	size_t width = unfold->n_channels * unfold->kernel;
	weft_team_run(team, weft_split_pieces(self.n_rows, width), unfold_piece, &self);
}

WEFT_PATCHIFY(weft_patchify_ref)
{
	Patches patches = {y, x, n_channels, height, width, side, 1};
	weft_team_run(team, height / side, patchify_piece, &patches);
}

WEFT_PIXEL_SHUFFLE(weft_pixel_shuffle_ref)
{
	Patches patches = {y, x, 1, n_rows, n_cols, factor, width};
	weft_team_run(team, n_rows / factor, shuffle_piece, &patches);
}
