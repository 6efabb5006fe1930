/* Calibration: its table at the edges of bins, its curve beside the definition of isotonic regression. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "outputs/calibration.h"

static GArray *observations_of(const double (*pairs)[2], gsize n, guint times)
{
	GArray *all = g_array_new(FALSE, FALSE, sizeof(WeftObservation));
	for (guint k = 0; k < times; k++)
		for (gsize i = 0; i < n; i++) {
			WeftObservation one = {pairs[i][0], pairs[i][1] > 0, all->len};
			g_array_append_val(all, one);
		}
	return all;
}

static void test_bins(void)
{
	static const double pairs[][2] = {{0, 0}, {0.1, 1}, {0.099, 0}, {1, 1}, {0.95, 0}};
	g_autoptr(GArray) all = observations_of(pairs, 5, 1);
	WeftReliability found = weft_reliability_of(all);
	g_assert_cmpuint(found.n, ==, 5);
	g_assert_cmpuint(found.n_right, ==, 2);
	g_assert_cmpuint(found.bins[0].n, ==, 2);
	g_assert_cmpuint(found.bins[1].n, ==, 1);
	g_assert_cmpuint(found.bins[9].n, ==, 2); /* 1 is in the last */
	g_assert_cmpfloat_with_epsilon(found.bins[9].confidence, 0.975, 1e-12);
	/* |0.0495 - 0| * 2 + |0.1 - 1| + |0.975 - 0.5| * 2, by 5 */
	g_assert_cmpfloat_with_epsilon(found.ece, (0.099 + 0.9 + 0.95) / 5, 1e-12);
	g_assert_cmpfloat_with_epsilon(found.brier, (0.81 + 0.099 * 0.099 + 0.95 * 0.95) / 5, 1e-12);
	g_autoptr(GArray) none = observations_of(pairs, 0, 0);
	found = weft_reliability_of(none);
	g_assert_cmpfloat(found.ece, ==, 0);
}

/* Equal confidences are one group; a group below the one before it is pooled with it. */
static void test_curve(void)
{
	/* 20 each: 0.2 -> 5 right, 0.4 -> 15, 0.6 -> 10, 0.8 -> 18 */
	static const guint rights[] = {5, 15, 10, 18};
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(WeftObservation));
	for (guint i = 0; i < 80; i++) {
		WeftObservation one = {0.2 * (i % 4 + 1), i / 4 < rights[i % 4], i};
		g_array_append_val(all, one);
	}
	g_autoptr(WeftCalibration) curve = weft_calibration_fit(all);
	g_assert_nonnull(curve);
	const GArray *points = weft_calibration_points(curve);
	g_assert_cmpuint(points->len, ==, 3);
	/* (right + 1) / (n + 2); the middle ones pooled: (16/22 + 11/22) / 2 at 0.5 */
	static const double wanted[][2] = {{0.2, 6.0 / 22}, {0.5, 13.5 / 22}, {0.8, 19.0 / 22}};
	for (guint i = 0; i < 3; i++) {
		const WeftCalibrationPoint *point = &g_array_index(points, WeftCalibrationPoint, i);
		g_assert_cmpfloat_with_epsilon(point->confidence, wanted[i][0], 1e-9);
		g_assert_cmpfloat_with_epsilon(point->share, wanted[i][1], 1e-9);
	}
	g_assert_cmpfloat_with_epsilon(weft_calibration_apply(curve, NULL, 0), 6.0 / 22, 1e-9);
	g_assert_cmpfloat_with_epsilon(weft_calibration_apply(curve, NULL, 0.35), 9.75 / 22, 1e-9);
	g_assert_cmpfloat_with_epsilon(weft_calibration_apply(curve, NULL, 1), 19.0 / 22, 1e-9);
	g_assert_cmpfloat(weft_calibration_apply(curve, NULL, -1), ==, -1);
	g_assert_cmpfloat(weft_calibration_apply(curve, "m", 0.5), ==, -1);
	weft_calibration_add_model(curve, "m");
	g_assert_cmpfloat(weft_calibration_apply(curve, "m", 0.5), >, 0);
}

static void test_too_few(void)
{
	static const double both[][2] = {{0.4, 0}, {0.8, 1}}, right[][2] = {{0.4, 1}}, wrong[][2] = {{0.4, 0}};
	g_autoptr(GArray) few = observations_of(both, 2, 24), enough = observations_of(both, 2, 25);
	g_autoptr(GArray) all_right = observations_of(right, 1, 100);
	g_autoptr(GArray) all_wrong = observations_of(wrong, 1, 100);
	g_autoptr(WeftCalibration) curve = weft_calibration_fit(enough);
	WeftReliability judged;
	g_assert_null(weft_calibration_fit(few));
	g_assert_null(weft_calibration_fit(all_right));
	g_assert_null(weft_calibration_fit(all_wrong));
	g_assert_nonnull(curve);
	g_assert_false(weft_calibration_judge(enough, &judged)); /* four fifths are too few */
}

static WeftCalibration *read_text(const char *text, GError **error)
{
	g_autoptr(WeftJson) file = weft_json_parse(text, strlen(text), WEFT_JSON_STRICT, NULL);
	WeftCalibration *calibration = NULL;
	return weft_calibration_read(file, &calibration, error) ? calibration : NULL;
}

static void test_file(void)
{
	static const char *const bad[] = {
		"{\"curve\":[]}", "{\"curve\":[[0.5]]}", "{\"curve\":[[0.5,2]]}", "{\"curve\":[[-1,0]]}",
		"{\"curve\":[[0.5,0.5],[0.5,0.6]]}", "{\"curve\":[[0.4,0.6],[0.5,0.5]]}", "{\"curve\":7}",
		"{\"curve\":[[1e999,0.5]]}", "{\"curve\":[[0.1,0.2],null]}"};
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(read_text(bad[i], &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT);
	}
	g_assert_null(read_text("{\"values\":3}", NULL)); /* no curve, no error */
	static const char good[] = "{\"models\":[\"a\",\"b\"],\"curve\":[[0.25,0.5],[0.75,1]]}";
	g_autoptr(WeftCalibration) calibration = read_text(good, NULL);
	g_assert_cmpfloat(weft_calibration_apply(calibration, "b", 0.5), ==, 0.75);
	g_autoptr(GString) text = g_string_new(NULL);
	WeftJsonWriter writer;
	weft_json_writer_init(&writer, text);
	weft_json_write_object(&writer);
	weft_calibration_write(calibration, &writer);
	weft_json_write_object_end(&writer);
	g_assert_cmpstr(text->str, ==, good);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/calibration/bins", test_bins);
	g_test_add_func("/calibration/curve", test_curve);
	g_test_add_func("/calibration/too-few", test_too_few);
	g_test_add_func("/calibration/file", test_file);
	return g_test_run();
}
