/* scene.h - private: which frames of a video are worth looking at.
 *
 * Each frame comes as a small grey copy with the time from which it stands and how long. Chosen is
 * the first frame; and then
 *   at a cut: it differs from the one before it, and by far more than frames have lately differed
 *     (the frame behind it is taken where it comes soon: what is gone by then was a flash);
 *   behind a gradual change (dissolve.h), since when the second picture is the stronger, or since
 *   when it is black, or no more black;
 *   a frame with places that stand still and differ from the last chosen one (a slide with one more
 *   word), from the time since which they stand: 0.3 s when nothing moves, 2 s when something
 *   else does (a speaker in the corner);
 *   and the next frame when the longest interval is over.
 * At most one a second, but for cuts and gradual changes (two). Whether what was chosen has been
 * seen before is another question (frame_book.h).
 *
 * Only times and brightness count: a variable frame rate needs no care, and a cut between two
 * pictures that differ in colour alone is not seen.
 */
#ifndef WEFT_INGEST_SCENE_H
#define WEFT_INGEST_SCENE_H

#include <glib.h>

#include "ingest/dissolve.h"
#include "ingest/grey.h"

typedef enum {
	WEFT_SCENE_SAME,     /* not chosen */
	WEFT_SCENE_FIRST,
	WEFT_SCENE_CUT,
	WEFT_SCENE_GRADUAL,
	WEFT_SCENE_STILL,
	WEFT_SCENE_INTERVAL, /* for no other reason than time */
} WeftSceneChoice;

typedef struct WeftScene {
	double interval_s; /* 0: no longest interval */
	gboolean begun, knows_motion;
	guint8 before[WEFT_GREY_PIXELS];
	guint8 chosen[WEFT_GREY_PIXELS];
	guint8 stands[WEFT_GREY_PIXELS]; /* each block as it was when it last moved */
	double stands_s[WEFT_GREY_BLOCKS];
	double chosen_s;   /* since when the chosen one stands */
	double change_s;   /* a change that came too soon after the last choice; negative: none */
	WeftSceneChoice change;
	double motion;     /* how much frames have lately differed */
	WeftDissolve dissolve;
} WeftScene;

void weft_scene_init(WeftScene *scene, double interval_s);

/* Unless it is WEFT_SCENE_SAME, this frame is chosen; it stands since *ret_from_s (not after time_s,
 * and after all that were returned before). */
WeftSceneChoice weft_scene_look(WeftScene *scene, const guint8 luma[WEFT_GREY_PIXELS], double time_s,
                                double stood_s, double *ret_from_s);

#endif
