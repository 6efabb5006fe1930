#include "model/gaze_map.h"

#include <math.h>
#include <string.h>

/* Of the densest place. A value seldom fills the patches at its border; half of the peak is also what
 * optics calls the width of one. */
#define DENSITY_LEAST 0.5
/* Patches of one picture as large as each other, but for rounding, are of one fineness. */
#define AREA_MOST 1.1
/* Boxes that touch differ by what floating point makes of them; far below a point and a pixel. */
#define TOUCH 1e-3

static WeftGazeCell *cell_at(GArray *cells, guint i)
{
	return &g_array_index(cells, WeftGazeCell, i);
}

static double overlap(const WeftGazeCell *a, const WeftGazeCell *b)
{
	double width = MIN(a->box[2], b->box[2]) - MAX(a->box[0], b->box[0]);
	double height = MIN(a->box[3], b->box[3]) - MAX(a->box[1], b->box[1]);

	return width > 0 && height > 0 ? width * height : 0;
}

static gboolean touches(const WeftGazeCell *a, const WeftGazeCell *b)
{
	return a->box[0] <= b->box[2] + TOUCH && b->box[0] <= a->box[2] + TOUCH &&
	       a->box[1] <= b->box[3] + TOUCH && b->box[1] <= a->box[3] + TOUCH;
}

/* Sums in the order of cells. Returns the densest, of equals the first; NULL: none has a mass. */
static const WeftGazeCell *measure(GArray *cells)
{
	const WeftGazeCell *peak = NULL;

	for (guint i = 0; i < cells->len; i++) {
		WeftGazeCell *cell = cell_at(cells, i);
		double area = overlap(cell, cell);

		cell->density = 0;
		for (guint k = 0; area > 0 && k < cells->len; k++) {
			const WeftGazeCell *other = cell_at(cells, k);

			cell->density += other->mass / other->area * overlap(cell, other) / area;
		}
		if (cell->density > 0 && (!peak || cell->density > peak->density))
			peak = cell;
	}
	return peak;
}

gboolean weft_gaze_map_place(GArray *cells, double ret_box[4], double *ret_patch)
{
	const WeftGazeCell *peak = measure(cells);
	g_autofree gboolean *is_in = g_new0(gboolean, cells->len + 1);
	g_autofree guint *queue = g_new(guint, cells->len + 1);
	guint n = 0;

	if (!peak)
		return FALSE;
	queue[n++] = (guint)(peak - cell_at(cells, 0));
	is_in[queue[0]] = TRUE;
	memcpy(ret_box, peak->box, sizeof peak->box);
	*ret_patch = sqrt(peak->area);
	for (guint at = 0; at < n; at++) {
		const WeftGazeCell *cell = cell_at(cells, queue[at]);

		for (int axis = 0; axis < 2; axis++) {
			ret_box[axis] = MIN(ret_box[axis], cell->box[axis]);
			ret_box[axis + 2] = MAX(ret_box[axis + 2], cell->box[axis + 2]);
		}
		for (guint k = 0; k < cells->len; k++) {
			const WeftGazeCell *other = cell_at(cells, k);

			if (is_in[k] || other->density < DENSITY_LEAST * peak->density ||
			    other->area > AREA_MOST * peak->area || !touches(cell, other))
				continue;
			is_in[k] = TRUE;
			queue[n++] = k;
		}
	}
	return TRUE;
}
