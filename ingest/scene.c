#include "ingest/scene.h"

#include <math.h>
#include <string.h>

/* Levels are of 0..255. Set by trial on slides, fades and hand-held film. */
#define CUT_LEVELS 18.0 /* mean difference at a cut: 7 % of the range */
#define CUT_FACTOR 4.0  /* and this many times the motion before it */
#define CUT_LEVELS_LOW 10.0 /* enough where little had moved before */
#define CUT_FACTOR_LOW 10.0
#define CUT_SURE_S 0.1   /* a picture that stands so long is no flash */
#define CUTS_APART_S 0.3 /* closer ones are a flash, or motion that has just begun */
#define CHANGE_GAP_S 0.5
#define STILL_MIN_S 0.3  /* it must stand so long to be read by people either */
#define STILL_BLOCKS 8u  /* that move, and yet nothing does: a pointer, a clock */
#define STILL_BESIDE_S 2.0 /* where something else moves: longer than people hold still */
#define BESIDE_BLOCKS 12u /* ... and more than what it uncovers: a line of a slide */
#define STILL_GAP_S 1.0
#define MOVED_LEVELS 3u /* mean difference of a block that moved: noise stays below 2 */

void weft_scene_init(WeftScene *scene, double interval_s)
{
	memset(scene, 0, sizeof *scene);
	scene->interval_s = interval_s;
	scene->change_s = -1;
}

static void watch_blocks(WeftScene *s, const guint8 *luma, double time_s)
{
	for (guint i = 0; i < WEFT_GREY_BLOCKS; i++) {
		if (s->begun && weft_grey_block_difference(luma, s->stands, i) <
		                    MOVED_LEVELS * WEFT_GREY_BLOCK * WEFT_GREY_BLOCK)
			continue;
		guint first = i / WEFT_GREY_BLOCKS_WIDE * WEFT_GREY_BLOCK * WEFT_GREY_WIDTH +
		              i % WEFT_GREY_BLOCKS_WIDE * WEFT_GREY_BLOCK;
		for (guint y = 0; y < WEFT_GREY_BLOCK; y++)
			memcpy(s->stands + first + y * WEFT_GREY_WIDTH,
			       luma + first + y * WEFT_GREY_WIDTH, WEFT_GREY_BLOCK);
		s->stands_s[i] = time_s;
	}
}

/* Since when there are places that stand and show something else than what was chosen; NAN: there
 * are none. */
static double changed_since(const WeftScene *s, const guint8 *luma, double end_s)
{
	guint n = 0;
	for (guint i = 0; i < WEFT_GREY_BLOCKS; i++)
		n += end_s - s->stands_s[i] < STILL_MIN_S;
	gboolean is_still = n <= STILL_BLOCKS;
	double needed_s = is_still ? STILL_MIN_S : STILL_BESIDE_S, since_s = s->chosen_s;
	n = 0;
	for (guint i = 0; i < WEFT_GREY_BLOCKS; i++) {
		if (end_s - s->stands_s[i] < needed_s ||
		    weft_grey_block_difference(luma, s->chosen, i) <
		        WEFT_GREY_LEVELS_CHANGED * WEFT_GREY_BLOCK * WEFT_GREY_BLOCK)
			continue;
		since_s = MAX(since_s, s->stands_s[i]);
		n++;
	}
	return n >= (is_still ? WEFT_GREY_BLOCKS_CHANGED : BESIDE_BLOCKS) ? since_s : NAN;
}

/* Compares the frame with the one before it. TRUE: there is a cut, but a flash would look like it. */
static gboolean watch_cut(WeftScene *s, const guint8 *luma, double time_s, double stood_s)
{
	double moved = weft_grey_difference(luma, s->before, WEFT_GREY_PIXELS);
	if (!s->knows_motion && time_s - s->chosen_s < CUTS_APART_S)
		s->motion = MIN(moved, CUT_LEVELS);
	s->knows_motion = TRUE;
	if (!(moved >= CUT_LEVELS && moved >= CUT_FACTOR * s->motion) &&
	    !(moved >= CUT_LEVELS_LOW && moved >= CUT_FACTOR_LOW * s->motion)) {
		s->motion += 0.1 * (moved - s->motion);
		return FALSE;
	}
	if (s->change_s >= 0 && s->change == WEFT_SCENE_CUT && time_s - s->change_s < CUTS_APART_S)
		s->motion = MIN(moved, CUT_LEVELS);
	s->change_s = time_s;
	s->change = WEFT_SCENE_CUT;
	weft_dissolve_forget(&s->dissolve);
	return stood_s < CUT_SURE_S;
}

/* Decides by what is known of this frame; *ret_from_s: the time since when it stands. */
static WeftSceneChoice decide(WeftScene *s, const guint8 *luma, double time_s, double stood_s,
                              double *ret_from_s)
{
	double since = time_s - s->chosen_s, from = time_s;
	gboolean is_unsure = watch_cut(s, luma, time_s, stood_s);
	if (weft_dissolve_look(&s->dissolve, luma, time_s, &from) && from > s->chosen_s) {
		s->change_s = from;
		s->change = WEFT_SCENE_GRADUAL;
	}
	*ret_from_s = s->change_s;
	if (is_unsure)
		return WEFT_SCENE_SAME;
	if (s->change_s >= 0 && since >= CHANGE_GAP_S)
		return s->change;
	from = since >= STILL_GAP_S ? changed_since(s, luma, time_s + stood_s) : NAN;
	*ret_from_s = from > s->chosen_s ? MIN(from, time_s) : time_s;
	if (!isnan(from))
		return WEFT_SCENE_STILL;
	*ret_from_s = time_s;
	return s->interval_s > 0 && since >= s->interval_s ? WEFT_SCENE_INTERVAL
	                                                   : WEFT_SCENE_SAME;
}

WeftSceneChoice weft_scene_look(WeftScene *s, const guint8 luma[WEFT_GREY_PIXELS], double time_s,
                                double stood_s, double *ret_from_s)
{
	WeftSceneChoice choice = WEFT_SCENE_FIRST;
	double from = time_s;
	watch_blocks(s, luma, time_s);
	if (s->begun)
		choice = decide(s, luma, time_s, stood_s, &from);
	else
		(void)weft_dissolve_look(&s->dissolve, luma, time_s, &from); /* the first of many */
	s->begun = TRUE;
	memcpy(s->before, luma, WEFT_GREY_PIXELS);
	if (choice == WEFT_SCENE_SAME)
		return choice;
	memcpy(s->chosen, luma, WEFT_GREY_PIXELS);
	s->chosen_s = from;
	s->change_s = -1;
	*ret_from_s = from;
	return choice;
}
