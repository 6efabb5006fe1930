/* draw.h - chance without a state.
 *
 * A draw is a hash of what it is for: the seed of the job, the key of the request, the place in
 * its text and the attempt. So it depends on nothing that ran before or beside.
 */
#ifndef WEFT_BASE_DRAW_H
#define WEFT_BASE_DRAW_H

#include <glib.h>

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
static inline guint64 weft_draw_mix(guint64 x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* Uniform in [0, 1). */
static inline double weft_draw(guint64 seed, guint64 key, guint64 place, guint64 attempt)
{
	guint64 bits = weft_draw_mix(
		weft_draw_mix(weft_draw_mix(weft_draw_mix(seed) ^ key) ^ place) ^ attempt);
	return (double)(bits >> 11) * 0x1p-53;
}

#endif
