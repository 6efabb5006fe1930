/* grey.h - private: the small grey copy of a frame, by which frames are compared.
 *
 * 128 x 72 levels of 0..255, in 32 x 18 blocks. A block is as wide as one or two letters of a slide's
 * text: a word that changes moves the levels of some blocks by 8 and more, what a codec does to a
 * picture that stands still moves them by 2 at most.
 */
#ifndef WEFT_INGEST_GREY_H
#define WEFT_INGEST_GREY_H

#include <glib.h>

#define WEFT_GREY_WIDTH 128u
#define WEFT_GREY_HEIGHT 72u
#define WEFT_GREY_PIXELS (WEFT_GREY_WIDTH * WEFT_GREY_HEIGHT)
#define WEFT_GREY_BLOCK 4u
#define WEFT_GREY_BLOCKS_WIDE (WEFT_GREY_WIDTH / WEFT_GREY_BLOCK)
#define WEFT_GREY_BLOCKS (WEFT_GREY_PIXELS / (WEFT_GREY_BLOCK * WEFT_GREY_BLOCK))
#define WEFT_GREY_LEVELS_CHANGED 8u /* mean difference of a block that shows something else */
#define WEFT_GREY_BLOCKS_CHANGED 4u /* a word of a slide; a pointer that moved are 2 */

/* Half as wide and high. */
#define WEFT_GREY_SMALL_WIDTH (WEFT_GREY_WIDTH / 2)
#define WEFT_GREY_SMALL_HEIGHT (WEFT_GREY_HEIGHT / 2)
#define WEFT_GREY_SMALL_PIXELS (WEFT_GREY_PIXELS / 4)
void weft_grey_small(const guint8 luma[WEFT_GREY_PIXELS], guint8 small[WEFT_GREY_SMALL_PIXELS]);

/* Mean of the absolute differences. */
double weft_grey_difference(const guint8 *a, const guint8 *b, guint n_pixels);
/* Sum of the absolute differences in a block, numbered by rows. */
guint weft_grey_block_difference(const guint8 *a, const guint8 *b, guint block);
/* Blocks that show something else; counts no further than `most`. */
guint weft_grey_blocks_changed(const guint8 *a, const guint8 *b, guint most);

/* Nothing to be seen: all pixels nearly the same. */
gboolean weft_grey_is_blank(const guint8 *luma, guint n_pixels);

/* A perceptual hash: a bit for each of 8 x 8 places, set where the picture becomes brighter to the
 * right (a "difference hash"). Brightness, contrast and size of the picture hardly change it, a
 * little motion changes a few bits, pictures of unlike things differ in about 20 and more. */
guint64 weft_grey_hash(const guint8 luma[WEFT_GREY_PIXELS]);

#endif
