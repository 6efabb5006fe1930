#include "ingest/raster.h"

/* A pixel is ink when a channel is further from the ground than this: the noise of JPEG and of
 * scanners stays below, light grey text (#cccccc on white: 51) is above. */
#define INK_LEVELS 40

void weft_raster_ground(const guint8 *pixels, guint32 width, guint32 height, gsize stride,
                        guint8 ret_rgb[3])
{
	/* 16 levels a channel; the mean within the fullest cell is exact enough. */
	g_autofree guint32 *counts = g_new0(guint32, 4096);
	g_autofree guint64 *sums = g_new0(guint64, 4096 * 3);
	for (guint32 y = 0; y < height; y++) {
		const guint8 *p = pixels + y * stride;
		for (guint32 x = 0; x < width; x++, p += 3) {
			guint cell = (guint)(p[0] >> 4) << 8 | (guint)(p[1] >> 4) << 4 | p[2] >> 4;
			counts[cell]++;
			sums[cell * 3] += p[0];
			sums[cell * 3 + 1] += p[1];
			sums[cell * 3 + 2] += p[2];
		}
	}
	guint best = 4095;
	for (guint i = 0; i < 4096; i++)
		if (counts[i] > counts[best])
			best = i;
	for (guint c = 0; c < 3; c++)
		ret_rgb[c] = counts[best] ? (guint8)(sums[best * 3 + c] / counts[best]) : 255;
}

double weft_raster_differing(const guint8 *pixels, guint32 width, guint32 height, gsize stride,
                             int levels)
{
	guint8 ground[3];
	guint64 inked = 0;
	if (width == 0 || height == 0)
		return 0;
	weft_raster_ground(pixels, width, height, stride, ground);
	for (guint32 y = 0; y < height; y++) {
		const guint8 *p = pixels + y * stride;
		for (guint32 x = 0; x < width; x++, p += 3)
			inked += ABS(p[0] - ground[0]) > levels || ABS(p[1] - ground[1]) > levels ||
			         ABS(p[2] - ground[2]) > levels;
	}
	return (double)inked / ((double)width * height);
}

double weft_raster_ink_of(const guint8 *pixels, guint32 width, guint32 height, gsize stride)
{
	return weft_raster_differing(pixels, width, height, stride, INK_LEVELS);
}
