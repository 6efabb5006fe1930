/* Places cut out of documents, beside what poppler's and FFmpeg's own programs make of them. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "pipeline/crop.h"

#define TOLERANCE_LEVELS 12.0 /* mean, of 255: poppler's two ways of drawing smooth edges differently */

static WeftPart *crop_file(const char *folder, const char *file, const WeftAnchor *at,
			   const WeftCropOptions *options, GError **error)
{
	g_autoptr(WeftIngest) ingest = weft_ingest_open(TEST_HELPERS, NULL);
	g_autofree char *path = g_build_filename(TEST_SOURCE, folder, file, NULL);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	g_assert_cmpint(fd, >=, 0);
	WeftPart *part = weft_crop(ingest, fd, file, at, options, error);
	close(fd);
	return part;
}

/* What a program writes on its stdout; NULL: it is not installed. */
static char *output_of(char **argv, gsize *ret_size)
{
	g_autofree char *found = g_find_program_in_path(argv[0]);
	char *text = NULL;
	gint out;
	if (!found) {
		g_test_skip("the program to compare with is not installed");
		return NULL;
	}
	g_assert_true(g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
					       NULL, NULL, &out, NULL, NULL));
	GString *all = g_string_new(NULL);
	char block[65536];
	for (ssize_t n; (n = read(out, block, sizeof block)) > 0;)
		g_string_append_len(all, block, n);
	close(out);
	*ret_size = all->len;
	text = g_string_free(all, FALSE);
	return text;
}

/* The pixels of a binary PPM with its sides. */
static const guint8 *ppm_pixels(const char *text, guint32 *ret_width, guint32 *ret_height)
{
	int begin = 0;
	g_assert_cmpint(sscanf(text, "P6 %u %u 255%n", ret_width, ret_height, &begin), ==, 2);
	return (const guint8 *)text + begin + 1;
}

/* Mean difference of the part's pixels from those of a picture, from (x, y) on. */
static double difference(const WeftRaster *raster, const guint8 *pixels, guint32 width, guint32 x,
			 guint32 y)
{
	double sum = 0;
	for (guint32 row = 0; row < raster->height; row++)
		for (guint32 i = 0; i < raster->width * 3; i++)
			sum += abs(raster->pixels[(gsize)row * raster->width * 3 + i] -
				   pixels[((gsize)(y + row) * width + x) * 3 + i]);
	return sum / ((double)raster->width * raster->height * 3);
}

static void test_page(void)
{
	g_autofree char *path = g_build_filename(TEST_SOURCE, "tests/ingest/data/text.pdf", NULL);
	char *argv[] = {"pdftoppm", "-cropbox", "-r", "144", "-f", "1", "-l", "1", path, NULL};
	gsize size;
	g_autofree char *page = output_of(argv, &size);
	if (!page)
		return;
	guint32 width, height;
	const guint8 *pixels = ppm_pixels(page, &width, &height);
	/* a box that has ink in it: of the words of the first line */
	WeftAnchor at = {.page = 1, .has_bbox = TRUE, .bbox = {60, 60, 260, 130}};
	const WeftCropOptions options = {.page_dpi = 144, .margin = 5};
	g_autoptr(WeftPart) part = crop_file("tests/ingest/data", "text.pdf", &at, &options, NULL);
	g_assert_nonnull(part);
	g_assert_cmpint(part->kind, ==, WEFT_PART_RASTER);
	g_assert_cmpuint(part->raster.width, ==, 420);
	g_assert_cmpuint(part->raster.height, ==, 160);
	for (int i = 0; i < 4; i++)
		g_assert_cmpfloat_with_epsilon(part->anchor.bbox[i], at.bbox[i] + (i < 2 ? -5 : 5),
					       1e-6);
	double here = difference(&part->raster, pixels, width, 110, 110);
	double beside = difference(&part->raster, pixels, width, 118, 116);
	g_test_message("mean difference %.2f; 8 pixels beside: %.2f", here, beside);
	g_assert_cmpfloat(here, <, TOLERANCE_LEVELS);
	g_assert_cmpfloat(beside, >, 2 * here);
}

/* The box reaches over the edge: what is there is given. */
static void test_picture(void)
{
	g_autofree char *path = g_build_filename(TEST_SOURCE, "tests/ingest/data/rgb.png.ppm", NULL);
	g_autofree char *text = NULL;
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	guint32 width, height;
	const guint8 *pixels = ppm_pixels(text, &width, &height);
	WeftAnchor at = {.has_bbox = TRUE, .bbox = {5.5, 3, 8, 1e300}};
	const WeftCropOptions options = {.margin = 2};
	g_autoptr(WeftPart) part = crop_file("tests/ingest/data", "rgb.png", &at, &options, NULL);
	g_assert_nonnull(part);
	g_assert_cmpuint(part->raster.width, ==, 7); /* 3.5 to 10 */
	g_assert_cmpuint(part->raster.height, ==, height - 1);
	g_assert_cmpfloat(difference(&part->raster, pixels, width, 3, 1), ==, 0);
	g_assert_cmpfloat(part->anchor.bbox[3], ==, height);
}

static void test_frame(void)
{
	WeftAnchor at = {.has_bbox = TRUE, .has_time = TRUE, .bbox = {0, 0, 100, 60}, .time = {2, 3}};
	const WeftCropOptions options = {.around_s = 1};
	g_autoptr(WeftPart) part =
		crop_file("examples/inbox", "slides-talk.mp4", &at, &options, NULL);
	g_assert_nonnull(part);
	g_assert_cmpint(part->kind, ==, WEFT_PART_FRAME);
	g_assert_cmpuint(part->raster.width, ==, 100);
	g_assert_cmpuint(part->raster.height, ==, 60);
}

static void test_sound(void)
{
	g_autofree char *path =
		g_build_filename(TEST_SOURCE, "examples/inbox/voice-memo.flac", NULL);
	char *argv[] = {"ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-ac", "1", "-ar",
			"16000", "-", NULL};
	gsize size;
	g_autofree char *text = output_of(argv, &size);
	if (!text)
		return;
	const float *samples = (const float *)(gpointer)text;
	WeftAnchor at = {.has_time = TRUE, .time = {2, 3.5}};
	const WeftCropOptions options = {.around_s = 0.5};
	g_autoptr(WeftPart) part =
		crop_file("examples/inbox", "voice-memo.flac", &at, &options, NULL);
	g_assert_nonnull(part);
	g_assert_cmpint(part->kind, ==, WEFT_PART_PCM);
	g_assert_cmpuint(part->pcm.n_samples, ==, 40000);
	g_assert_cmpfloat(part->anchor.time[0], ==, 1.5);
	g_assert_cmpfloat_with_epsilon(part->anchor.time[1], 4, 1e-9);
	double worst = 0, loudest = 0, beside = 0;
	for (gsize i = 0; i < part->pcm.n_samples; i++) {
		worst = MAX(worst, fabs(part->pcm.samples[i] - samples[24000 + i]));
		beside = MAX(beside, fabs(part->pcm.samples[i] - samples[24001 + i]));
		loudest = MAX(loudest, fabs(part->pcm.samples[i]));
	}
	g_test_message("largest difference %g of %g; a sample beside: %g", worst, loudest, beside);
	g_assert_cmpfloat(loudest, >, 0.01);
	g_assert_cmpfloat(worst, <, 0.02 * loudest);
	g_assert_cmpfloat(beside, >, 2 * worst);
}

static void assert_refused(const char *folder, const char *file, WeftAnchor at, int code)
{
	const WeftCropOptions options = {0};
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftPart) part = crop_file(folder, file, &at, &options, &error);
	g_assert_null(part);
	g_assert_error(error, WEFT_ERROR, code);
}

static void test_no_place(void)
{
	const WeftAnchor document = {0}, page = {.page = 77, .has_bbox = TRUE};
	const WeftAnchor late = {.has_time = TRUE, .time = {5000, 5001}};
	const WeftAnchor mad = {.has_time = TRUE, .time = {1e300, 1e300}};
	const WeftAnchor backwards = {.has_time = TRUE, .time = {3, 2}};
	assert_refused("tests/ingest/data", "text.pdf", document, WEFT_ERROR_NOT_EXAMINED);
	assert_refused("tests/ingest/data", "text.pdf", page, WEFT_ERROR_EMPTY);
	assert_refused("examples/inbox", "voice-memo.flac", late, WEFT_ERROR_EMPTY);
	assert_refused("examples/inbox", "voice-memo.flac", mad, WEFT_ERROR_CORRUPT);
	assert_refused("examples/inbox", "voice-memo.flac", backwards, WEFT_ERROR_CORRUPT);
	assert_refused("examples/inbox", "notes.md", page, WEFT_ERROR_UNSUPPORTED);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/crop/page", test_page);
	g_test_add_func("/crop/picture", test_picture);
	g_test_add_func("/crop/frame", test_frame);
	g_test_add_func("/crop/sound", test_sound);
	g_test_add_func("/crop/no-place", test_no_place);
	return g_test_run();
}
