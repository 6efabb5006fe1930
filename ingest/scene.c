#include "ingest/scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Levels are of 0..255. Set by trial on slides, fades and hand-held film. */
#define CUT_LEVELS 18.0 /* mean difference at a cut: 7 % of the range */
#define CUT_FACTOR 4.0  /* and this many times the motion before it */
#define CUT_GAP_S 0.5
#define STILL_LEVELS 1.0 /* below, two frames show the same: coding noise */
#define STILL_MIN_S 0.3  /* it must stand so long to be read by people either */
#define STILL_GAP_S 1.0
#define BLOCK 4u          /* 16 x 9 blocks */
#define BLOCK_LEVELS 8    /* a line of small text in one of them changes its mean by 11 */
#define BLOCKS_CHANGED 4u /* of 144: a short line of a slide */
#define BLANK_LEVELS 8

void weft_scene_init(WeftScene *scene, double interval_s)
{
	memset(scene, 0, sizeof *scene);
	scene->interval_s = interval_s;
	scene->cut_s = -1;
}

static double mean_difference(const guint8 *a, const guint8 *b)
{
	guint sum = 0;
	for (guint i = 0; i < WEFT_SCENE_PIXELS; i++)
		sum += (guint)abs(a[i] - b[i]);
	return (double)sum / WEFT_SCENE_PIXELS;
}

static guint blocks_changed(const guint8 *a, const guint8 *b)
{
	guint n = 0;
	for (guint y = 0; y < WEFT_SCENE_HEIGHT; y += BLOCK)
		for (guint x = 0; x < WEFT_SCENE_WIDTH; x += BLOCK) {
			int sum = 0;
			for (guint i = 0; i < BLOCK * BLOCK; i++) {
				guint at = (y + i / BLOCK) * WEFT_SCENE_WIDTH + x + i % BLOCK;
				sum += a[at] - b[at];
			}
			n += abs(sum) >= BLOCK_LEVELS * (int)(BLOCK * BLOCK);
		}
	return n;
}

/* Decides by what is known of this frame; the time since when it stands, or NAN. */
static double decide(WeftScene *s, const guint8 *luma, double time_s, double stood_s)
{
	double moved = mean_difference(luma, s->before);
	double since = time_s - s->chosen_s;
	if (moved >= STILL_LEVELS)
		s->still_s = time_s;
	if (moved >= CUT_LEVELS && moved >= CUT_FACTOR * s->motion)
		s->cut_s = time_s;
	else
		s->motion += 0.1 * (moved - s->motion);
	if (s->cut_s >= 0 && since >= CUT_GAP_S)
		return s->cut_s;
	if (time_s + stood_s - s->still_s >= STILL_MIN_S && since >= STILL_GAP_S &&
	    blocks_changed(luma, s->chosen) >= BLOCKS_CHANGED)
		return s->still_s > s->chosen_s ? s->still_s : time_s;
	if (s->interval_s > 0 && since >= s->interval_s)
		return time_s;
	return NAN;
}

gboolean weft_scene_look(WeftScene *s, const guint8 luma[WEFT_SCENE_PIXELS], double time_s,
                         double stood_s, double *ret_from_s)
{
	double from = time_s;
	if (s->begun)
		from = decide(s, luma, time_s, stood_s);
	else
		s->still_s = time_s;
	s->begun = TRUE;
	memcpy(s->before, luma, WEFT_SCENE_PIXELS);
	if (isnan(from))
		return FALSE;
	memcpy(s->chosen, luma, WEFT_SCENE_PIXELS);
	s->chosen_s = from;
	s->cut_s = -1;
	*ret_from_s = from;
	return TRUE;
}

gboolean weft_scene_is_blank(const guint8 luma[WEFT_SCENE_PIXELS])
{
	guint8 low = 255, high = 0;
	for (guint i = 0; i < WEFT_SCENE_PIXELS; i++) {
		low = MIN(low, luma[i]);
		high = MAX(high, luma[i]);
	}
	return high - low < BLANK_LEVELS;
}
