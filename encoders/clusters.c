#include "encoders/clusters.h"

#include <math.h>
#include <string.h>

#define NONE G_MAXUINT32

WeftClusters *weft_clusters_new(const WeftPoint *points, const float *weights, gsize n)
{
	WeftClusters *self = g_new0(WeftClusters, 1);

	g_assert(n <= WEFT_CLUSTERS_POINTS_MAX);
	self->n = self->n_alive = n;
	self->means = g_new(WeftPoint, MAX(n, 1));
	memcpy(self->means, points, n * sizeof *self->means);
	self->weights = g_memdup2(weights, MAX(n, 1) * sizeof *weights);
	self->roots = g_new(guint32, MAX(n, 1));
	self->nearest = g_new(guint32, MAX(n, 1));
	self->costs = g_new(float, MAX(n, 1));
	self->distinct = g_malloc0(MAX(n * n, 1));
	for (gsize i = 0; i < n; i++)
		self->roots[i] = (guint32)i;
	return self;
}

void weft_clusters_free(WeftClusters *self)
{
	if (!self)
		return;
	g_free(self->means);
	g_free(self->weights);
	g_free(self->roots);
	g_free(self->nearest);
	g_free(self->costs);
	g_free(self->distinct);
	g_free(self);
}

static float square_distance(const WeftClusters *self, guint32 a, guint32 b)
{
	float sum = 0;

	for (gsize k = 0; k < WEFT_CLUSTERS_DIMENSIONS; k++) {
		float d = self->means[a].x[k] - self->means[b].x[k];
		sum += d * d;
	}
	return sum;
}

float weft_clusters_distance(const WeftClusters *self, guint32 a, guint32 b)
{
	return sqrtf(square_distance(self, a, b));
}

/* What joining adds to the sum of squares; infinite for those that stay apart. */
static float cost(const WeftClusters *self, guint32 a, guint32 b)
{
	float u = self->weights[a], v = self->weights[b];

	if (self->distinct[a * self->n + b])
		return INFINITY;
	return u * v / (u + v) * square_distance(self, a, b);
}

static void find_nearest(WeftClusters *self, guint32 a)
{
	self->nearest[a] = NONE;
	self->costs[a] = INFINITY;
	for (guint32 b = a + 1; b < self->n; b++) {
		float c = self->weights[b] > 0 ? cost(self, a, b) : INFINITY;

		if (c < self->costs[a]) {
			self->costs[a] = c;
			self->nearest[a] = b;
		}
	}
}

/* b into a, a < b. */
static void join_two(WeftClusters *self, guint32 a, guint32 b)
{
	float u = self->weights[a], v = self->weights[b];

	for (gsize k = 0; k < WEFT_CLUSTERS_DIMENSIONS; k++)
		self->means[a].x[k] = (u * self->means[a].x[k] + v * self->means[b].x[k]) / (u + v);
	self->weights[a] = u + v;
	self->weights[b] = 0;
	self->n_alive--;
	for (gsize i = 0; i < self->n; i++) {
		if (self->roots[i] == b)
			self->roots[i] = a;
		/* what was distinct from one of them is asked for again */
		self->distinct[a * self->n + i] = self->distinct[i * self->n + a] = 0;
	}
	for (guint32 i = 0; i < self->n; i++) {
		if (self->weights[i] == 0)
			continue;
		if (i == a || self->nearest[i] == a || self->nearest[i] == b) {
			find_nearest(self, i);
		} else if (i < a) {
			float c = cost(self, i, a);
			if (c < self->costs[i]) {
				self->costs[i] = c;
				self->nearest[i] = a;
			}
		}
	}
}

void weft_clusters_join(WeftClusters *self, gsize n_least, WeftClustersDistinct distinct,
                        void *context)
{
	for (guint32 i = 0; i < self->n; i++)
		if (self->weights[i] > 0)
			find_nearest(self, i);
	while (self->n_alive > MAX(n_least, 1)) {
		guint32 a = NONE;

		for (guint32 i = 0; i < self->n; i++)
			if (self->weights[i] > 0 && self->nearest[i] != NONE &&
			    (a == NONE || self->costs[i] < self->costs[a]))
				a = i;
		if (a == NONE)
			return;
		guint32 b = self->nearest[a];

		if (distinct && distinct(self, a, b, context)) {
			self->distinct[a * self->n + b] = self->distinct[b * self->n + a] = 1;
			find_nearest(self, a);
		} else {
			join_two(self, a, b);
		}
	}
}
