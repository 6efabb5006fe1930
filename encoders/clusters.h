/* clusters.h - points that belong together, from the bottom up.
 *
 * Points are rows of WEFT_CLUSTERS_DIMENSIONS numbers, scaled so that chance moves each coordinate of
 * a point of weight 1 by about 1. The two clusters whose union costs least are joined (J. Ward,
 * Hierarchical Grouping to Optimize an Objective Function, 1963) until a limit is reached, or until
 * the caller calls all that are left distinct. Ties go to the lowest index.
 */
#ifndef WEFT_ENCODERS_CLUSTERS_H
#define WEFT_ENCODERS_CLUSTERS_H

#include <glib.h>

#define WEFT_CLUSTERS_DIMENSIONS 19
#define WEFT_CLUSTERS_POINTS_MAX 4096

typedef struct WeftPoint {
	float x[WEFT_CLUSTERS_DIMENSIONS];
} WeftPoint;

typedef struct WeftClusters {
	gsize n;                /* points at the beginning */
	gsize n_alive;
	WeftPoint *means;
	float *weights;         /* 0: joined to another */
	guint32 *roots;         /* point -> the cluster that it is in, the index of its first point */
	guint32 *nearest;       /* of each that is alive, among those behind it */
	float *costs;
	guint8 *distinct;       /* [n, n] */
} WeftClusters;

/* Whether two clusters must not be joined. */
typedef gboolean (*WeftClustersDistinct)(const WeftClusters *clusters, guint32 a, guint32 b,
					 void *context);

/* Copies up to WEFT_CLUSTERS_POINTS_MAX points. */
WeftClusters *weft_clusters_new(const WeftPoint *points, const float *weights, gsize n);
void weft_clusters_free(WeftClusters *clusters);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftClusters, weft_clusters_free)

/* Joins until n_least are left or, when `distinct` is given, all that are left are. */
void weft_clusters_join(WeftClusters *clusters, gsize n_least, WeftClustersDistinct distinct,
			void *context);

/* Between the means of two clusters. */
float weft_clusters_distance(const WeftClusters *clusters, guint32 a, guint32 b);

#endif
