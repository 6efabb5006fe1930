#include "ingest/dissolve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SPACING_S 0.049     /* of frames that are kept: each at 20 a second, every other at 25 to 40 */
#define ENDS_LEVELS 14.0    /* the two pictures differ by so much at least */
#define ALIKE 0.5           /* correlation: a camera that turns slowly is near a line, too, but only as
                             * long as what it shows at both ends is still much the same */
#define OFF_LINE_SHARE 0.25 /* and what lies between them lies off the line by so much of it at most */
#define BETWEEN_SHARE 0.15
#define BETWEEN_FRAMES 2u   /* one may be a frame that a cut left mixed */
#define BACK_SHARE 0.1      /* how far motion lets it seem to go back */
#define OVER_SHARE 0.95
#define BLACK_SHARE 0.03

/* One window: how far each frame is from the first to the last. */
typedef struct Line {
	const guint8 *from, *to;
	double length2, length; /* sum of squares; mean of absolute differences */
} Line;

void weft_dissolve_forget(WeftDissolve *d)
{
	d->n = d->first = 0;
}

static guint place(const WeftDissolve *d, guint i)
{
	return (d->first + i) % WEFT_DISSOLVE_FRAMES;
}

static void keep(WeftDissolve *d, const guint8 *luma, double time_s)
{
	if (d->n == WEFT_DISSOLVE_FRAMES)
		d->first = place(d, 1);
	else
		d->n++;
	guint at = place(d, d->n - 1);
	d->times[at] = time_s;
	weft_grey_small(luma, d->small[at]);
}

static gboolean line_between(Line *line, const guint8 *from, const guint8 *to)
{
	gint64 sum2 = 0;
	for (guint i = 0; i < WEFT_GREY_SMALL_PIXELS; i++)
		sum2 += (to[i] - from[i]) * (to[i] - from[i]);
	*line = (Line){from, to, (double)sum2,
	               weft_grey_difference(from, to, WEFT_GREY_SMALL_PIXELS)};
	return line->length >= ENDS_LEVELS;
}

/* Correlation of the two; what is blank is like nothing. */
static double likeness(const guint8 *a, const guint8 *b)
{
	const double n = WEFT_GREY_SMALL_PIXELS;
	guint64 sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
	for (guint i = 0; i < WEFT_GREY_SMALL_PIXELS; i++) {
		sum_a += a[i];
		sum_b += b[i];
		aa += (guint)(a[i] * a[i]);
		bb += (guint)(b[i] * b[i]);
		ab += (guint)(a[i] * b[i]);
	}
	double var_a = (double)aa - (double)sum_a * (double)sum_a / n;
	double var_b = (double)bb - (double)sum_b * (double)sum_b / n;
	double both = (double)ab - (double)sum_a * (double)sum_b / n;
	return var_a > n && var_b > n ? both / sqrt(var_a * var_b) : 0;
}

/* How far `frame` is on the line, 0..1, and how far off it, as a share of its length. */
static double share_on(const Line *line, const guint8 *frame, double *ret_off)
{
	gint64 sum = 0;
	for (guint i = 0; i < WEFT_GREY_SMALL_PIXELS; i++)
		sum += (frame[i] - line->from[i]) * (line->to[i] - line->from[i]);
	double share = (double)sum / line->length2;
	int weight = (int)(share * 256);
	guint off = 0;
	for (guint i = 0; i < WEFT_GREY_SMALL_PIXELS; i++)
		off += (guint)abs((frame[i] - line->from[i]) * 256 -
		                  weight * (line->to[i] - line->from[i]));
	*ret_off = off / 256.0 / WEFT_GREY_SMALL_PIXELS / line->length;
	return share;
}

/* The last `n_steps` + 1 frames as one change. */
static gboolean is_change(const WeftDissolve *d, guint n_steps, double *ret_from_s)
{
	guint first = d->n - 1 - n_steps;
	guint last_sure = d->n - 1 - MAX(2, n_steps / 8);
	guint n_between = 0;
	double before = 0, times[3] = {-1, -1, -1}; /* it begins, is half over, is over */
	Line line;
	if (!line_between(&line, d->small[place(d, first)], d->small[place(d, d->n - 1)]) ||
	    likeness(line.from, line.to) > ALIKE)
		return FALSE;
	for (guint i = first + 1; i + 1 < d->n; i++) {
		double off, share = share_on(&line, d->small[place(d, i)], &off);
		if (off > OFF_LINE_SHARE || share < before - BACK_SHARE ||
		    (i == last_sure && share < OVER_SHARE))
			return FALSE;
		n_between += share > BETWEEN_SHARE && share < 1 - BETWEEN_SHARE;
		before = MAX(before, share);
		const double steps[3] = {BLACK_SHARE, 0.5, 1 - BLACK_SHARE};
		for (guint k = 0; k < 3; k++)
			if (times[k] < 0 && share >= steps[k])
				times[k] = d->times[place(d, i)];
	}
	if (n_between < BETWEEN_FRAMES || times[2] < 0)
		return FALSE;
	gboolean from_black = weft_grey_is_blank(line.from, WEFT_GREY_SMALL_PIXELS);
	gboolean to_black = weft_grey_is_blank(line.to, WEFT_GREY_SMALL_PIXELS);
	*ret_from_s = times[from_black ? 0 : to_black ? 2 : 1];
	return TRUE;
}

gboolean weft_dissolve_look(WeftDissolve *d, const guint8 luma[WEFT_GREY_PIXELS], double time_s,
                            double *ret_from_s)
{
	static const guint STEPS[] = {5, 10, 20, 45};
	if (d->n > 0 && time_s - d->times[place(d, d->n - 1)] < SPACING_S)
		return FALSE;
	keep(d, luma, time_s);
	for (guint k = 0; k < G_N_ELEMENTS(STEPS) && STEPS[k] < d->n; k++)
		if (is_change(d, STEPS[k], ret_from_s)) {
			weft_dissolve_forget(d);
			keep(d, luma, time_s);
			return TRUE;
		}
	return FALSE;
}
