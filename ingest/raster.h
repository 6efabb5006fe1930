/* raster.h - private: what is measured in a picture before anybody looks at it.
 *
 * Ink is the share of pixels that differ from the ground, the ground being the most common colour.
 * A page of text has some percent of it, a blank sheet none, a scan of a blank sheet only specks.
 */
#ifndef WEFT_INGEST_RASTER_H
#define WEFT_INGEST_RASTER_H

#include <glib.h>

/* Below this share nothing is written there: a full stop of 10 points on A4 is 6e-6, a line of ten
 * words 2e-3; specks of a scanner's glass reach 1e-4. */
#define WEFT_INK_BLANK 1.5e-4

/* pixels[height][stride]: RGB, 8 bit. The share of pixels in which a channel is more than `levels`
 * from the ground. */
double weft_raster_differing(const guint8 *pixels, guint32 width, guint32 height, gsize stride,
                             int levels);

double weft_raster_ink_of(const guint8 *pixels, guint32 width, guint32 height, gsize stride);

/* The most common colour, each channel to within 8 levels. */
void weft_raster_ground(const guint8 *pixels, guint32 width, guint32 height, gsize stride,
                        guint8 ret_rgb[3]);

#endif
