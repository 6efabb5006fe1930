/* gaze_map.h - private to gaze: the part of a picture that was looked at most.
 *
 * A picture is seen several times over: in tiles side by side, and whole, in coarser patches. Each patch
 * that was looked at is a cell, a box with a mass. The mass is spread evenly over the cell, what overlaps
 * adds up, and the place is where that is densest: the cell with the largest density, and around it, one
 * touching the other, those no coarser that have at least half of it. So a value on the border of two tiles
 * is one place, a fine patch says more than a coarse one, and two places far apart are not the stretch
 * between them.
 */
#ifndef WEFT_MODEL_GAZE_MAP_H
#define WEFT_MODEL_GAZE_MAP_H

#include <glib.h>

typedef struct WeftGazeCell {
	double box[4];  /* x0 y0 x1 y1: what it shows of the picture */
	double area;    /* of the whole patch, which may reach beyond the picture */
	double mass;
	double density; /* set by weft_gaze_map_place */
} WeftGazeCell;

/* `cells` of WeftGazeCell. *ret_patch: the side of the densest one, if it is a square. FALSE: there are none with
 * a mass. */
gboolean weft_gaze_map_place(GArray *cells, double ret_box[4], double *ret_patch);

#endif
