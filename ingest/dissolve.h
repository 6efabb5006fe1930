/* dissolve.h - private: one picture that turns into another bit by bit.
 *
 * A dissolve, a fade to black and a fade from it are the same thing: for a while each frame is a mix
 * of two pictures. So, of frames that lie up to 2.25 s apart, the change from one to the other is a
 * line, and all frames between them must lie near that line, some of them well between its ends, in
 * order, and the last ones at its end; and the two are unlike. What moves leaves the line. Seen is a change when it is over;
 * what takes longer than that window is seen by its end, or by what then stands still (scene.h).
 */
#ifndef WEFT_INGEST_DISSOLVE_H
#define WEFT_INGEST_DISSOLVE_H

#include <glib.h>

#include "ingest/grey.h"

#define WEFT_DISSOLVE_FRAMES 46u /* 0.05 s apart at least */

typedef struct WeftDissolve {
	guint n, first; /* a ring, oldest first */
	double times[WEFT_DISSOLVE_FRAMES];
	guint8 small[WEFT_DISSOLVE_FRAMES][WEFT_GREY_SMALL_PIXELS];
} WeftDissolve;

/* What came before is not looked at any more. */
void weft_dissolve_forget(WeftDissolve *dissolve);

/* TRUE when a change is over with this frame: the second picture stands since *ret_from_s, by which
 * is meant that it is the stronger one; that it is black, or that it is no more black. What came
 * before is forgotten then. */
gboolean weft_dissolve_look(WeftDissolve *dissolve, const guint8 luma[WEFT_GREY_PIXELS],
                            double time_s, double *ret_from_s);

#endif
