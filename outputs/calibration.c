#include "outputs/calibration.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/files.h"

#define FOLDS 5u
#define POINTS_MAX 100000u

struct WeftCalibration {
	GArray *points;    /* WeftCalibrationPoint, rising in both */
	GHashTable *models; /* char * */
};

/* ---- the table ---- */

static guint bin_of(double confidence)
{
	return MIN((guint)(confidence * WEFT_CALIBRATION_BINS), WEFT_CALIBRATION_BINS - 1u);
}

WeftReliability weft_reliability_of(const GArray *observations)
{
	WeftReliability all = { .n = observations->len };

	for (guint i = 0; i < observations->len; i++) {
		const WeftObservation *one = &g_array_index(observations, WeftObservation, i);
		WeftReliabilityBin *bin = &all.bins[bin_of(one->confidence)];
		double missed = one->confidence - (one->is_right ? 1 : 0);

		bin->n++;
		bin->n_right += one->is_right;
		bin->confidence += one->confidence;
		all.n_right += one->is_right;
		all.brier += missed * missed / observations->len;
	}
	for (guint i = 0; i < WEFT_CALIBRATION_BINS; i++) {
		WeftReliabilityBin *bin = &all.bins[i];

		if (bin->n == 0)
			continue;
		bin->confidence /= (double)bin->n;
		all.ece += fabs(bin->confidence - (double)bin->n_right / (double)bin->n) *
			   (double)bin->n / (double)all.n;
	}
	return all;
}

/* ---- the curve ---- */

typedef struct Group {
	double n, n_right, confidence, share; /* confidence: the sum */
} Group;

static double share_of(const Group *group)
{
	return (group->n_right + 1) / (group->n + 2);
}

static int by_confidence(gconstpointer a, gconstpointer b)
{
	const WeftObservation *x = a, *y = b;

	return (x->confidence > y->confidence) - (x->confidence < y->confidence);
}

/* Equal confidences stay together: what is equally sure has one share. */
static GArray *make_groups(const GArray *sorted)
{
	GArray *groups = g_array_new(FALSE, TRUE, sizeof(Group));
	Group group = { 0 };

	for (guint i = 0; i < sorted->len; i++) {
		const WeftObservation *one = &g_array_index(sorted, WeftObservation, i);
		gboolean goes_on = i + 1 < sorted->len &&
				   one[1].confidence == one->confidence;

		group.n++;
		group.n_right += one->is_right;
		group.confidence += one->confidence;
		if (goes_on || group.n < WEFT_CALIBRATION_GROUP ||
		    (sorted->len - i - 1 > 0 && sorted->len - i - 1 < WEFT_CALIBRATION_GROUP))
			continue;
		group.share = share_of(&group);
		g_array_append_val(groups, group);
		group = (Group){ 0 };
	}
	if (group.n > 0) {
		group.share = share_of(&group);
		g_array_append_val(groups, group);
	}
	return groups;
}

/* Pool adjacent violators: while a group is below the one before it, they become one. */
static void pool(GArray *groups)
{
	guint n = 0;

	for (guint i = 0; i < groups->len; i++) {
		Group last = g_array_index(groups, Group, i);

		while (n > 0 && g_array_index(groups, Group, n - 1).share >= last.share) {
			const Group *before = &g_array_index(groups, Group, n - 1);
			double weight = before->n + last.n;

			last.share = (before->share * before->n + last.share * last.n) / weight;
			last.confidence += before->confidence;
			last.n_right += before->n_right;
			last.n = weight;
			n--;
		}
		g_array_index(groups, Group, n++) = last;
	}
	g_array_set_size(groups, n);
}

WeftCalibration *weft_calibration_fit(const GArray *observations)
{
	guint n_right = 0;

	for (guint i = 0; i < observations->len; i++)
		n_right += g_array_index(observations, WeftObservation, i).is_right;
	if (observations->len < WEFT_CALIBRATION_MIN || n_right == 0 || n_right == observations->len)
		return NULL;
	g_autoptr(GArray) sorted = g_array_copy((GArray *)observations);
	g_array_sort(sorted, by_confidence);
	g_autoptr(GArray) groups = make_groups(sorted);
	WeftCalibration *calibration = g_new0(WeftCalibration, 1);

	pool(groups);
	calibration->points = g_array_new(FALSE, FALSE, sizeof(WeftCalibrationPoint));
	calibration->models = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < groups->len; i++) {
		const Group *group = &g_array_index(groups, Group, i);
		WeftCalibrationPoint point = { group->confidence / group->n, group->share };

		g_array_append_val(calibration->points, point);
	}
	return calibration;
}

void weft_calibration_free(WeftCalibration *calibration)
{
	if (!calibration)
		return;
	g_array_unref(calibration->points);
	g_hash_table_unref(calibration->models);
	g_free(calibration);
}

void weft_calibration_add_model(WeftCalibration *calibration, const char *model_id)
{
	g_hash_table_add(calibration->models, g_strdup(model_id));
}

const GArray *weft_calibration_points(const WeftCalibration *calibration)
{
	return calibration->points;
}

double weft_calibration_apply(const WeftCalibration *calibration, const char *model_id,
			      double confidence)
{
	const WeftCalibrationPoint *points = (const WeftCalibrationPoint *)(gpointer)calibration->points->data;
	guint low = 0, high = calibration->points->len;

	if (!(confidence >= 0) || (model_id && !g_hash_table_contains(calibration->models, model_id)))
		return -1;
	while (low < high) { /* the first point beyond */
		guint middle = (low + high) / 2;

		if (points[middle].confidence > confidence)
			high = middle;
		else
			low = middle + 1;
	}
	if (low == 0)
		return points[0].share;
	if (low == calibration->points->len)
		return points[low - 1].share;
	double along = (confidence - points[low - 1].confidence) /
		       (points[low].confidence - points[low - 1].confidence);
	return points[low - 1].share + along * (points[low].share - points[low - 1].share);
}

gboolean weft_calibration_judge(const GArray *observations, WeftReliability *ret_reliability)
{
	g_autoptr(GArray) judged = g_array_new(FALSE, FALSE, sizeof(WeftObservation));

	for (guint fold = 0; fold < FOLDS; fold++) {
		g_autoptr(GArray) others = g_array_new(FALSE, FALSE, sizeof(WeftObservation));

		for (guint i = 0; i < observations->len; i++) {
			WeftObservation one = g_array_index(observations, WeftObservation, i);

			if (one.hash % FOLDS != fold)
				g_array_append_val(others, one);
		}
		g_autoptr(WeftCalibration) curve = weft_calibration_fit(others);
		if (!curve)
			return FALSE;
		for (guint i = 0; i < observations->len; i++) {
			WeftObservation one = g_array_index(observations, WeftObservation, i);

			if (one.hash % FOLDS != fold)
				continue;
			one.confidence = weft_calibration_apply(curve, NULL, one.confidence);
			g_array_append_val(judged, one);
		}
	}
	*ret_reliability = weft_reliability_of(judged);
	return TRUE;
}

/* ---- the file ---- */

void weft_calibration_write(const WeftCalibration *calibration, WeftJsonWriter *w)
{
	g_autoptr(GPtrArray) models = weft_names_of_keys(calibration->models);

	weft_json_write_key(w, "models");
	weft_json_write_array(w);
	for (guint i = 0; i < models->len; i++)
		weft_json_write_string(w, models->pdata[i]);
	weft_json_write_array_end(w);
	weft_json_write_key(w, "curve");
	weft_json_write_array(w);
	for (guint i = 0; i < calibration->points->len; i++) {
		const WeftCalibrationPoint *point =
			&g_array_index(calibration->points, WeftCalibrationPoint, i);

		weft_json_write_array(w);
		(void)weft_json_write_double(w, point->confidence);
		(void)weft_json_write_double(w, point->share);
		weft_json_write_array_end(w);
	}
	weft_json_write_array_end(w);
}

/* Rising in both, between 0 and 1. */
static gboolean read_points(const WeftJson *curve, GArray *points)
{
	WeftCalibrationPoint before = { -1, -1 };

	for (gsize i = 0; i < weft_json_length(curve); i++) {
		const WeftJson *pair = weft_json_at(curve, i);
		WeftCalibrationPoint point;

		if (!weft_json_double(weft_json_at(pair, 0), &point.confidence) ||
		    !weft_json_double(weft_json_at(pair, 1), &point.share) ||
		    !(point.confidence > before.confidence && point.confidence <= 1) ||
		    !(point.share >= before.share && point.share <= 1) || point.confidence < 0 ||
		    point.share < 0)
			return FALSE;
		g_array_append_val(points, point);
		before = point;
	}
	return points->len > 0 && points->len <= POINTS_MAX;
}

gboolean weft_calibration_read(const WeftJson *file, WeftCalibration **ret_calibration, GError **error)
{
	const WeftJson *curve = weft_json_member(file, "curve");
	const WeftJson *models = weft_json_member(file, "models");
	g_autoptr(WeftCalibration) calibration = g_new0(WeftCalibration, 1);

	calibration->points = g_array_new(FALSE, FALSE, sizeof(WeftCalibrationPoint));
	calibration->models = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (!curve) {
		*ret_calibration = NULL;
		return TRUE;
	}
	if (!read_points(curve, calibration->points)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT,
			    "/curve: not points that rise from 0 to 1; weft calibrate makes it anew");
		return FALSE;
	}
	for (gsize i = 0; i < weft_json_length(models); i++) {
		const char *model = weft_json_string(weft_json_at(models, i), NULL);

		if (model)
			weft_calibration_add_model(calibration, model);
	}
	*ret_calibration = g_steal_pointer(&calibration);
	return TRUE;
}
