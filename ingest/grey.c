#include "ingest/grey.h"

#include <stdlib.h>

#define BLANK_LEVELS 8
#define HASH_SIDE 8u
#define HASH_LEVELS 2 /* brighter by less is noise of an even ground */

void weft_grey_small(const guint8 luma[WEFT_GREY_PIXELS], guint8 small[WEFT_GREY_SMALL_PIXELS])
{
	for (guint y = 0; y < WEFT_GREY_SMALL_HEIGHT; y++)
		for (guint x = 0; x < WEFT_GREY_SMALL_WIDTH; x++) {
			const guint8 *at = luma + 2 * y * WEFT_GREY_WIDTH + 2 * x;
			guint sum = at[0] + at[1] + at[WEFT_GREY_WIDTH] + at[WEFT_GREY_WIDTH + 1];
			small[y * WEFT_GREY_SMALL_WIDTH + x] = (guint8)((sum + 2) / 4);
		}
}

double weft_grey_difference(const guint8 *a, const guint8 *b, guint n_pixels)
{
	guint sum = 0;
	for (guint i = 0; i < n_pixels; i++)
		sum += (guint)abs(a[i] - b[i]);
	return (double)sum / n_pixels;
}

guint weft_grey_block_difference(const guint8 *a, const guint8 *b, guint block)
{
	guint first = block / WEFT_GREY_BLOCKS_WIDE * WEFT_GREY_BLOCK * WEFT_GREY_WIDTH +
	              block % WEFT_GREY_BLOCKS_WIDE * WEFT_GREY_BLOCK;
	guint sum = 0;
	for (guint y = 0; y < WEFT_GREY_BLOCK; y++)
		for (guint x = 0; x < WEFT_GREY_BLOCK; x++) {
			guint at = first + y * WEFT_GREY_WIDTH + x;
			sum += (guint)abs(a[at] - b[at]);
		}
	return sum;
}

guint weft_grey_blocks_changed(const guint8 *a, const guint8 *b, guint most)
{
	guint n = 0;
	for (guint i = 0; i < WEFT_GREY_BLOCKS && n < most; i++)
		n += weft_grey_block_difference(a, b, i) >=
		     WEFT_GREY_LEVELS_CHANGED * WEFT_GREY_BLOCK * WEFT_GREY_BLOCK;
	return n;
}

gboolean weft_grey_is_blank(const guint8 *luma, guint n_pixels)
{
	guint8 low = 255, high = 0;
	for (guint i = 0; i < n_pixels; i++) {
		low = MIN(low, luma[i]);
		high = MAX(high, luma[i]);
	}
	return high - low < BLANK_LEVELS;
}

guint64 weft_grey_hash(const guint8 luma[WEFT_GREY_PIXELS])
{
	guint64 hash = 0;
	for (guint row = 0; row < HASH_SIDE; row++) {
		int before = 0;
		for (guint column = 0; column <= HASH_SIDE; column++) {
			guint left = column * WEFT_GREY_WIDTH / (HASH_SIDE + 1);
			guint right = (column + 1) * WEFT_GREY_WIDTH / (HASH_SIDE + 1);
			guint top = row * WEFT_GREY_HEIGHT / HASH_SIDE;
			guint bottom = (row + 1) * WEFT_GREY_HEIGHT / HASH_SIDE;
			guint sum = 0;
			for (guint y = top; y < bottom; y++)
				for (guint x = left; x < right; x++)
					sum += luma[y * WEFT_GREY_WIDTH + x];
			int mean = (int)(sum / ((bottom - top) * (right - left)));
			if (column > 0)
				hash = hash << 1 | (guint64)(mean > before + HASH_LEVELS);
			before = mean;
		}
	}
	return hash;
}
