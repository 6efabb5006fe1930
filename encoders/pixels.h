/* pixels.h - the Llama 4 image processor: a picture becomes square tiles of normalised values.
 *
 * With T the side of a tile and N the largest number of tiles (without the global one), the
 * canvases are all a x b tiles with a * b <= N. For a picture of H x W pixels:
 *  1. canvas: s = min(a T / H, b T / W) in f32; the smallest s >= 1, or the largest s where none
 *     reaches 1; among equals the smallest area.
 *  2. resize, keeping the proportions, to what fits in min(max(H, T), a T) x min(max(W, T), b T):
 *     a picture is enlarged at most until it touches one tile.
 *  3. black to the right and below, before normalisation; cut into tiles, row by row.
 *  4. for more than one tile: the whole picture, squeezed to T x T, is appended as the last tile.
 *  5. x = (v * rescale - mean) / std in f32.
 * Resizing is the triangle filter with antialias in whole numbers, as torch computes it for 8-bit
 * pictures: horizontal pass first, rounded to 8 bits, then the vertical pass; a pass that changes
 * nothing is left out. The source of the rules is transformers, models/llama4; theirs rounds step
 * 5 to bfloat16, ours does not.
 */
#ifndef WEFT_ENCODERS_PIXELS_H
#define WEFT_ENCODERS_PIXELS_H

#include <glib.h>

#include "encoders/encoders.h"
#include "ingest/part.h"

typedef struct WeftTiling {
	guint32 side;        /* T */
	guint32 n_tiles_max; /* N */
	gboolean largest_canvas; /* resize_to_max_canvas: enlarge as far as a canvas allows */
	float rescale, mean[3], std[3];
} WeftTiling;

/* Bounds of what a configuration may ask for; the published one is 336 and 16. */
#define WEFT_TILING_SIDE_MAX 4096
#define WEFT_TILING_TILES_MAX 256

/* Rows and columns of the canvas; 1, 1 when `single_tile`. */
void weft_tiling_canvas(const WeftTiling *tiling, guint32 width, guint32 height,
			gboolean single_tile, guint32 *ret_n_rows, guint32 *ret_n_cols);
/* Size of the picture on a canvas of that many tiles. */
void weft_tiling_fit(const WeftTiling *tiling, guint32 width, guint32 height, guint32 n_rows,
		     guint32 n_cols, guint32 *ret_width, guint32 *ret_height);
/* Longest side that survives, for pictures up to twice as long as wide. */
guint32 weft_tiling_side_useful(const WeftTiling *tiling);
/* All tiles of a picture. Memory of the result is g_try_malloc'd: WEFT_ERROR_LIMIT. */
gboolean weft_tiling_apply(const WeftTiling *tiling, const WeftRaster *raster,
			   gboolean single_tile, WeftTiles *ret_tiles, GError **error);

/* dst[height_dst][width_dst][3] = src[height][width][3], resized. FALSE: no memory. */
gboolean weft_pixels_resize(const guint8 *src, guint32 width, guint32 height, guint8 *dst,
			    guint32 width_dst, guint32 height_dst);

#endif
