#include "encoders/alignment.h"

#include <math.h>

#include "base/bytes.h"

#define MEDIAN 7
#define HALF (MEDIAN / 2)

enum { DIAGONAL, UP, LEFT };

static void softmax(float *x, gsize n)
{
	float largest = -INFINITY;
	double sum = 0;

	for (gsize i = 0; i < n; i++)
		largest = fmaxf(largest, x[i]);
	for (gsize i = 0; i < n; i++) {
		x[i] = expf(x[i] - largest);
		sum += x[i];
	}
	for (gsize i = 0; i < n; i++)
		x[i] = (float)(x[i] / sum);
}

/* One frame of one head, over all tokens. */
static void normalise(float *x, gsize n, gsize stride)
{
	double mean = 0, variance = 0;

	for (gsize i = 0; i < n; i++)
		mean += x[i * stride];
	mean /= (double)n;
	for (gsize i = 0; i < n; i++)
		variance += (x[i * stride] - mean) * (x[i * stride] - mean);
	double deviation = sqrt(variance / (double)n);

	for (gsize i = 0; i < n; i++)
		x[i * stride] = (float)((x[i * stride] - mean) / deviation);
}

static float median_at(const float *x, gsize n, gsize at)
{
	float sorted[MEDIAN];

	for (gsize k = 0; k < MEDIAN; k++) {
		gssize i = (gssize)(at + k) - HALF, last = (gssize)n - 1;
		gsize j = k;

		i = i < 0 ? -i : i > last ? 2 * last - i : i;
		for (; j > 0 && x[i] < sorted[j - 1]; j--)
			sorted[j] = sorted[j - 1];
		sorted[j] = x[i];
	}
	return sorted[HALF];
}

/* cost[row][frame] -= the smoothed head. What is too short to mirror is not smoothed. */
static void add_head(const float *scores, gsize n_rows, gsize n_frames, float *cost)
{
	for (gsize row = 0; row < n_rows; row++, scores += n_frames, cost += n_frames)
		for (gsize i = 0; i < n_frames; i++)
			cost[i] -= n_frames > HALF ? median_at(scores, n_frames, i) : scores[i];
}

/* steps[n_rows][n_frames]: from where the cheapest way to each cell comes. */
static void warp(const float *cost, gsize n_rows, gsize n_frames, float *before, float *sums,
		 guint8 *steps)
{
	/* before[j + 1]: the sum of the row above at frame j; outside of the matrix it is infinite,
	 * but for the begin. */
	for (gsize j = 0; j <= n_frames; j++)
		before[j] = j == 0 ? 0 : INFINITY;
	for (gsize i = 0; i < n_rows; i++) {
		sums[0] = INFINITY;
		for (gsize j = 0; j < n_frames; j++) {
			float diagonal = before[j], up = before[j + 1], left = sums[j], least;
			guint8 step = LEFT;

			if (diagonal < up && diagonal < left)
				step = DIAGONAL;
			else if (up < diagonal && up < left)
				step = UP;
			least = step == DIAGONAL ? diagonal : step == UP ? up : left;
			sums[j + 1] = (float)((double)cost[i * n_frames + j] + least);
			steps[i * n_frames + j] = step;
		}
		float *row = before;

		before = sums;
		sums = row;
	}
}

/* The path backwards, from the last cell. Broken weights give costs that are no numbers: the path
 * stays inside all the same. */
static void trace_back(const guint8 *steps, gsize n_rows, gsize n_frames, guint32 *ret_frames)
{
	gsize i = n_rows - 1, j = n_frames - 1;

	for (;;) {
		guint8 step = i == 0 ? LEFT : j == 0 ? UP : steps[i * n_frames + j];

		ret_frames[i] = (guint32)j;
		if (i == 0 && j == 0)
			break;
		i -= step != LEFT;
		j -= step != UP;
	}
}

static gsize n_rows(const WeftAlignment *alignment)
{
	return alignment->n_ids - 1 - alignment->row_first;
}

gboolean weft_alignment_init(WeftAlignment *alignment, gsize n_ids, gsize n_frames, gsize row_first,
			     GError **error)
{
	*alignment = (WeftAlignment){ .n_ids = n_ids, .n_frames = n_frames, .row_first = row_first };
	alignment->cost = weft_alloc_array(n_rows(alignment) * n_frames, sizeof(float), 0,
					   "alignment", error);
	return alignment->cost != NULL;
}

void weft_alignment_done(WeftAlignment *alignment)
{
	g_clear_pointer(&alignment->cost, g_free);
}

void weft_alignment_add(WeftAlignment *alignment, float *scores)
{
	gsize n_frames = alignment->n_frames;

	for (gsize i = 0; i < alignment->n_ids; i++)
		softmax(scores + i * n_frames, n_frames);
	for (gsize j = 0; j < n_frames; j++)
		normalise(scores + j, alignment->n_ids, n_frames);
	add_head(scores + alignment->row_first * n_frames, n_rows(alignment), n_frames,
		 alignment->cost);
	alignment->n_heads++;
}

gboolean weft_alignment_find(WeftAlignment *alignment, guint32 *ret_frames, GError **error)
{
	gsize n_frames = alignment->n_frames, n = n_rows(alignment);
	g_autofree guint8 *steps = weft_alloc_array(n * n_frames, 1, 0, "alignment", error);
	g_autofree float *sums =
		weft_alloc_array(2 * (n_frames + 1), sizeof(float), 0, "alignment", error);

	if (!steps || !sums)
		return FALSE;
	for (gsize i = 0; i < n * n_frames; i++)
		alignment->cost[i] /= (float)alignment->n_heads;
	warp(alignment->cost, n, n_frames, sums, sums + n_frames + 1, steps);
	trace_back(steps, n, n_frames, ret_frames);
	return TRUE;
}
