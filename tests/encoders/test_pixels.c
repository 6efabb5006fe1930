/* The image processor against what transformers' Llama4ImageProcessor makes of the same pictures
 * (golden/pixels.txt, see ORIGIN): canvas, number of tiles and every 8-bit level. */
#include "encoders/pixels.h"

#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "check.h"

static WeftTiling published(guint32 side, guint32 n_tiles_max)
{
	WeftTiling tiling = { side, n_tiles_max, FALSE, 1.0F / 255, { 0.5F, 0.5F, 0.5F },
			      { 0.5F, 0.5F, 0.5F } };
	return tiling;
}

static char *levels_sha256(const WeftTiles *tiles)
{
	gsize n = tiles->n_tiles * 3 * tiles->side * tiles->side;
	g_autofree guint8 *levels = g_malloc(n);

	for (gsize i = 0; i < n; i++) {
		double v = (tiles->pixels[i] * 0.5 + 0.5) * 255;
		levels[i] = (guint8)lround(v);
		g_assert_cmpfloat(fabs(v - levels[i]), <, 1e-4);
	}
	return g_compute_checksum_for_data(G_CHECKSUM_SHA256, levels, n);
}

static void check_line(const char *line)
{
	guint side, n_max, height, width, single, n_rows, n_cols, n_tiles;
	char sha256[65];
	WeftTiles tiles = { 0 };
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(sscanf(line, "%u %u %u %u %u %u %u %u %64s", &side, &n_max, &height, &width,
			       &single, &n_rows, &n_cols, &n_tiles, sha256), ==, 9);
	WeftTiling tiling = published(side, n_max);
	WeftRaster raster = check_picture(width, height, 0);

	weft_tiling_apply(&tiling, &raster, (gboolean)single, &tiles, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(tiles.side, ==, side);
	g_assert_cmpuint(tiles.n_rows, ==, n_rows);
	g_assert_cmpuint(tiles.n_cols, ==, n_cols);
	g_assert_cmpuint(tiles.n_tiles, ==, n_tiles);
	g_autofree char *found = levels_sha256(&tiles);
	g_test_message("%s", line);
	g_assert_cmpstr(found, ==, sha256);
	g_free(tiles.pixels);
	g_free(raster.pixels);
}

static void test_golden(void)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	guint n_checked = 0;

	g_file_get_contents(WEFT_GOLDEN "/pixels.txt", &text, NULL, &error);
	g_assert_no_error(error);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (guint i = 0; lines[i]; i++)
		if (*lines[i] && *lines[i] != '#') {
			check_line(lines[i]);
			n_checked++;
		}
	g_assert_cmpuint(n_checked, ==, 60);
}

/* Resized sizes of the published processor (H x W -> h x w on the canvas). */
static void test_fit(void)
{
	static const guint32 cases[][4] = {
		{ 100, 100, 336, 336 },	    { 300, 800, 300, 800 },	{ 480, 640, 480, 640 },
		{ 1080, 1920, 945, 1680 },  { 1700, 2200, 1038, 1344 }, { 2200, 1700, 1344, 1038 },
		{ 1754, 1240, 1425, 1008 }, { 1131, 800, 1131, 800 },
	};
	WeftTiling tiling = published(336, 16);

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		guint32 n_rows, n_cols, width, height;

		weft_tiling_canvas(&tiling, cases[i][1], cases[i][0], FALSE, &n_rows, &n_cols);
		weft_tiling_fit(&tiling, cases[i][1], cases[i][0], n_rows, n_cols, &width, &height);
		g_assert_cmpuint(height, ==, cases[i][2]);
		g_assert_cmpuint(width, ==, cases[i][3]);
		/* No picture up to 2:1 keeps more than the side that callers render for. */
		g_assert_cmpuint(MAX(width, height), <=, weft_tiling_side_useful(&tiling));
	}
	g_assert_cmpuint(weft_tiling_side_useful(&tiling), ==, 1680);
}

/* Each channel has its own mean and deviation: x = (v * rescale - mean) / std. */
static void test_normalise(void)
{
	WeftTiling tiling = { 4, 1, FALSE, 1.0F / 255, { 0.48F, 0.45F, 0.40F },
			      { 0.26F, 0.27F, 0.28F } };
	guint8 pixels[4 * 4 * 3];
	WeftRaster raster = { .width = 4, .height = 4, .pixels = pixels };
	WeftTiles tiles = { 0 };

	for (guint i = 0; i < sizeof(pixels); i++)
		pixels[i] = (guint8)(i * 5);
	g_assert_true(weft_tiling_apply(&tiling, &raster, FALSE, &tiles, NULL));
	for (guint c = 0; c < 3; c++)
		for (guint i = 0; i < 16; i++) {
			double x = ((i * 3 + c) * 5 / 255.0 - tiling.mean[c]) / tiling.std[c];
			g_assert_cmpfloat(fabs(tiles.pixels[c * 16 + i] - x), <, 1e-5);
		}
	g_free(tiles.pixels);
}

static void test_nothing(void)
{
	WeftTiling tiling = published(28, 4);
	WeftRaster raster = { .width = 0, .height = 5 };
	WeftTiles tiles = { .n_tiles = 77 };
	g_autoptr(GError) error = NULL;

	g_assert_false(weft_tiling_apply(&tiling, &raster, FALSE, &tiles, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_EMPTY);
	g_assert_cmpuint(tiles.n_tiles, ==, 77);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pixels/golden", test_golden);
	g_test_add_func("/pixels/fit", test_fit);
	g_test_add_func("/pixels/normalise", test_normalise);
	g_test_add_func("/pixels/nothing", test_nothing);
	return g_test_run();
}
