#include "encoders/variation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELL_STEPS_MIN 12
#define WINDOW_STEPS_MIN 4
#define KEPT_STEPS 0.8
#define ROUNDS 4
#define SHRINKAGE 0.1
#define STEP_MEDIAN 36.7 /* of the squared length in 19 dimensions, variance 2: of chi squared */

typedef double Matrix[WEFT_CLUSTERS_DIMENSIONS][WEFT_CLUSTERS_DIMENSIONS];

/* Lower triangle L of L L' = m; the diagonal of m is positive. */
static void factor(Matrix m, WeftVariation *variation)
{
	double(*l)[WEFT_CLUSTERS_DIMENSIONS] = variation->factor;

	memset(variation, 0, sizeof *variation);
	for (gsize i = 0; i < WEFT_CLUSTERS_DIMENSIONS; i++)
		for (gsize j = 0; j <= i; j++) {
			double sum = m[i][j];
			for (gsize k = 0; k < j; k++)
				sum -= l[i][k] * l[j][k];
			l[i][j] = i == j ? sqrt(fmax(sum, 1e-9)) : sum / l[j][j];
		}
}

void weft_variation_divide(const WeftVariation *variation, WeftPoint *point)
{
	for (gsize i = 0; i < WEFT_CLUSTERS_DIMENSIONS; i++) {
		const double *row = variation->factor[i];
		double sum = point->x[i];

		for (gsize k = 0; k < i; k++)
			sum -= row[k] * point->x[k];
		point->x[i] = (float)(sum / row[i]);
	}
}

static int compare_floats(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* The covariance of the differences that are used, halved, shrunk towards its diagonal. */
static void covariance(const WeftPoint *differences, const guint8 *is_used, gsize n, Matrix m)
{
	double n_used = 0, shrinkage = SHRINKAGE + fmin(0.5, 5 / (double)n);

	memset(m, 0, sizeof(Matrix));
	for (gsize i = 0; i < n; i++) {
		if (!is_used[i])
			continue;
		n_used++;
		for (gsize a = 0; a < WEFT_CLUSTERS_DIMENSIONS; a++)
			for (gsize b = 0; b <= a; b++)
				m[a][b] += (double)differences[i].x[a] * differences[i].x[b] / 2;
	}
	for (gsize a = 0; a < WEFT_CLUSTERS_DIMENSIONS; a++)
		for (gsize b = 0; b <= a; b++) {
			m[a][b] *= (a == b ? 1 : 1 - shrinkage) / fmax(n_used, 1);
			if (a == b)
				m[a][b] += 1e-6;
		}
}

/* The squared length of each step in units of the variation, and the one that `share` of them do
 * not pass.
 */
static float measure_steps(const GArray *steps, const WeftVariation *variation, double share,
                           float *ret_sizes)
{
	g_autofree float *sorted = g_new(float, steps->len);

	for (guint i = 0; i < steps->len; i++) {
		WeftPoint step = g_array_index(steps, WeftPoint, i);

		weft_variation_divide(variation, &step);
		ret_sizes[i] = 0;
		for (gsize k = 0; k < WEFT_CLUSTERS_DIMENSIONS; k++)
			ret_sizes[i] += step.x[k] * step.x[k];
	}
	memcpy(sorted, ret_sizes, steps->len * sizeof(float));
	qsort(sorted, steps->len, sizeof(float), compare_floats);
	return sorted[(gsize)((double)(steps->len - 1) * share)];
}

gboolean weft_variation_find(const GArray *cell_steps, const GArray *window_steps,
                             WeftVariation *ret_variation)
{
	guint n = cell_steps->len;
	g_autofree guint8 *is_used = g_malloc(n + 1);
	g_autofree float *sizes = g_new(float, MAX(n, window_steps->len) + 1);
	WeftVariation variation;
	Matrix m;

	if (n < CELL_STEPS_MIN || window_steps->len < WINDOW_STEPS_MIN)
		return FALSE;
	memset(is_used, 1, n);
	for (gsize round = 0; round < ROUNDS; round++) {
		covariance((const void *)cell_steps->data, is_used, n, m);
		factor(m, &variation);
		float limit = measure_steps(cell_steps, &variation, KEPT_STEPS, sizes);

		for (guint i = 0; i < n; i++)
			is_used[i] = sizes[i] <= limit;
	}
	double scale = sqrt(measure_steps(window_steps, &variation, 0.5, sizes) / STEP_MEDIAN);

	for (gsize i = 0; i < WEFT_CLUSTERS_DIMENSIONS; i++)
		for (gsize k = 0; k <= i; k++)
			variation.factor[i][k] *= fmax(scale, 1e-3);
	*ret_variation = variation;
	return TRUE;
}
