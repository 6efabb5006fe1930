/* scene.h - private: which frames of a video are worth looking at.
 *
 * Each frame comes as a small grey copy with the time from which it stands and how long. Chosen is
 * the first frame; a frame at a cut (it differs from the one before it, and by far more than frames
 * have lately differed); a frame that stands still and differs in some places from the last chosen
 * one (a slide with one more line, the end of a fade), from the time since which it stands; and
 * the next frame when the longest interval is over. At most one a second, but for cuts (two).
 * Only times and pixels count, so a variable frame rate needs no care.
 */
#ifndef WEFT_INGEST_SCENE_H
#define WEFT_INGEST_SCENE_H

#include <glib.h>

#define WEFT_SCENE_WIDTH 64u
#define WEFT_SCENE_HEIGHT 36u
#define WEFT_SCENE_PIXELS (WEFT_SCENE_WIDTH * WEFT_SCENE_HEIGHT)

typedef struct WeftScene {
	double interval_s; /* 0: no longest interval */
	gboolean begun;
	guint8 before[WEFT_SCENE_PIXELS];
	guint8 chosen[WEFT_SCENE_PIXELS];
	double chosen_s; /* since when the chosen one stands */
	double still_s;  /* since when nothing has moved */
	double cut_s;    /* a cut that came too soon after the last choice; negative: none */
	double motion;   /* how much frames have lately differed */
} WeftScene;

void weft_scene_init(WeftScene *scene, double interval_s);

/* TRUE when this frame is chosen; it stands since *ret_from_s (not after time_s, and after all
 * that were returned before). */
gboolean weft_scene_look(WeftScene *scene, const guint8 luma[WEFT_SCENE_PIXELS], double time_s,
                         double stood_s, double *ret_from_s);

/* Nothing to be seen: all pixels nearly the same. */
gboolean weft_scene_is_blank(const guint8 luma[WEFT_SCENE_PIXELS]);

#endif
