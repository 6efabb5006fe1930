/* Pictures are compared with what Pillow and numpy made of them (data/ORIGIN). */
#include <stdio.h>
#include <stdlib.h>

#include "tests/ingest/decoded.h"

static const WeftDecodeOptions OPTIONS = {.want_rasters = TRUE};

typedef struct Reference {
	guint32 width, height;
	guint8 *pixels;
} Reference;

static Reference load_ppm(const char *name)
{
	Reference reference = {0};
	gsize size;
	char *bytes, *at;
	g_autofree char *path = g_strdup_printf("%s/%s.ppm", WEFT_TEST_DATA, name);
	g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
	g_assert_cmpint(bytes[1], ==, '6');
	reference.width = (guint32)strtoul(bytes + 2, &at, 10);
	reference.height = (guint32)strtoul(at, &at, 10);
	g_assert_cmpuint(strtoul(at, &at, 10), ==, 255);
	g_assert_cmpuint(size - (gsize)(at + 1 - bytes), ==,
	                 (gsize)reference.width * reference.height * 3);
	reference.pixels = g_memdup2(at + 1, (gsize)reference.width * reference.height * 3);
	g_free(bytes);
	return reference;
}

static void test_like_reference(const void *data)
{
	const char *name = data;
	gboolean jpeg = g_str_has_suffix(name, ".jpg");
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_file(ingest, name, &OPTIONS);
	Reference reference = load_ppm(name);
	const WeftPart *part = part_of_kind(&decoded, WEFT_PART_RASTER, 0);
	g_assert_no_error(decoded.error);
	g_assert_nonnull(part);
	g_assert_cmpuint(part->raster.width, ==, reference.width);
	g_assert_cmpuint(part->raster.height, ==, reference.height);
	g_assert_cmpfloat(part->anchor.bbox[2], ==, reference.width);
	g_assert_cmpfloat(part->anchor.bbox[3], ==, reference.height);
	int worst = 0;
	for (gsize i = 0; i < (gsize)reference.width * reference.height * 3; i++)
		worst = MAX(worst, abs(part->raster.pixels[i] - reference.pixels[i]));
	/* two decoders of JPEG may round the transform and the colours differently */
	g_assert_cmpint(worst, <=, jpeg ? 2 : 0);
	g_free(reference.pixels);
	weft_ingest_close(ingest);
}

static void test_facts(void)
{
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_file(ingest, "facts.jpg", &OPTIONS);
	g_assert_cmpstr(meta_of(&decoded, "make"), ==, "Pinhole");
	g_assert_cmpstr(meta_of(&decoded, "model"), ==, "Box 2");
	g_assert_cmpstr(meta_of(&decoded, "date_time_original"), ==, "2024:05:03 10:11:12");
	g_assert_cmpstr(meta_of(&decoded, "gps"), ==, "-33.856900,151.215000");
	g_auto(Decoded) png = decode_file(ingest, "rgb.png", &OPTIONS);
	g_assert_cmpstr(meta_of(&png, "title"), ==, "Kleine Größe");
	g_assert_cmpstr(meta_of(&png, "author"), ==, "Zoë");
	weft_ingest_close(ingest);
}

/* Boxes stay those of the whole picture when it is decoded smaller. */
static void test_smaller(void)
{
	WeftDecodeOptions options = {.want_rasters = TRUE, .raster_side_max = 100};
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_file(ingest, "facts.jpg", &options);
	const WeftPart *part = part_of_kind(&decoded, WEFT_PART_RASTER, 0);
	g_assert_cmpuint(part->raster.width, ==,
	                 120); /* 3/8 of 320: the first that is at least 100 */
	g_assert_cmpuint(part->raster.height, ==, 90);
	g_assert_cmpfloat(part->anchor.bbox[2], ==, 320);
	g_assert_cmpfloat(part->anchor.bbox[3], ==, 240);
	g_assert_cmpfloat_with_epsilon(part->raster.points_per_pixel, 320 / 120.0, 1e-9);
	weft_ingest_close(ingest);
}

static void test_uniform_is_blank(void)
{
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_file(ingest, "uniform.png", &OPTIONS);
	const WeftPart *part = part_of_kind(&decoded, WEFT_PART_CONTENT, 0);
	g_assert_null(part_of_kind(&decoded, WEFT_PART_RASTER, 0));
	g_assert_cmpint(part->content->kind, ==, WEFT_CONTENT_BLANK);
	weft_ingest_close(ingest);
}

/* What is there of a JPEG is kept, and the rest is said to be missing. */
static void test_truncated_jpeg(void)
{
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) whole = decode_file(ingest, "facts.jpg", &OPTIONS);
	g_auto(Decoded) cut = decode_file(ingest, "truncated.jpg", &OPTIONS);
	const WeftPart *fault = part_of_kind(&cut, WEFT_PART_FAULT, 0);
	const guint8 *a = part_of_kind(&whole, WEFT_PART_RASTER, 0)->raster.pixels;
	const guint8 *b = part_of_kind(&cut, WEFT_PART_RASTER, 0)->raster.pixels;
	g_assert_no_error(cut.error);
	g_assert_true(g_error_matches(fault->fault, WEFT_ERROR, WEFT_ERROR_TRUNCATED));
	g_assert_cmpmem(a, 320 * 100 * 3, b, 320 * 100 * 3);
	for (gsize i = 0; i < 320 * 40 * 3; i++)
		g_assert_cmpuint(b[320 * 200 * 3 + i], ==, 255);
	weft_ingest_close(ingest);
}

/* What is wrong is told in words. */
static void assert_told(const GError *fault)
{
	g_assert_nonnull(fault);
	g_assert_false(g_str_has_suffix(fault->message, ": "));
}

/* Cut anywhere: no crash, and whole only when whole. */
static void test_cut_at_every_byte(const void *data)
{
	const char *name = data;
	gsize size;
	g_autofree char *bytes = NULL;
	g_autofree char *path = g_build_filename(WEFT_TEST_DATA, name, NULL);
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
	gsize step =
	    size > 500 ? size / 60 + 1 : 1; /* each is a process: small files at every byte */
	for (gsize n = 16; n + 2 < size; n += step) {
		int fd = file_of(bytes, n);
		g_auto(Decoded) cut = decode_fd(ingest, fd, &OPTIONS);
		close(fd);
		const WeftPart *fault = part_of_kind(&cut, WEFT_PART_FAULT, 0);
		if (cut.error) {
			g_assert_false(g_error_matches(cut.error, WEFT_ERROR, WEFT_ERROR_CRASHED));
			assert_told(cut.error);
		} else if (cut.sniff.family == WEFT_FAMILY_IMAGE) {
			g_assert_cmpuint(cut.parts->len, >, 0);
			if (fault)
				assert_told(fault->fault);
		}
	}
	weft_ingest_close(ingest);
}

static void test_cut_png_keeps_rows(void)
{
	gsize size;
	g_autofree char *bytes = NULL;
	g_autofree char *path = g_build_filename(WEFT_TEST_DATA, "rgb.png", NULL);
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
	int fd = file_of(bytes, size - 60);
	g_auto(Decoded) whole = decode_file(ingest, "rgb.png", &OPTIONS);
	g_auto(Decoded) cut = decode_fd(ingest, fd, &OPTIONS);
	close(fd);
	const WeftPart *raster = part_of_kind(&cut, WEFT_PART_RASTER, 0);
	g_assert_no_error(cut.error);
	g_assert_nonnull(part_of_kind(&cut, WEFT_PART_FAULT, 0));
	g_assert_cmpmem(raster->raster.pixels, 40 * 8 * 3,
	                part_of_kind(&whole, WEFT_PART_RASTER, 0)->raster.pixels, 40 * 8 * 3);
	weft_ingest_close(ingest);
}

/* A header alone must not make anybody allocate. */
static void test_huge_png(void)
{
	static const guint8 HUGE_PNG[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\0\0\0\1\0\0\10\2\0\0\0"
	                                 "\0\0\0\0";
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	int fd = file_of(HUGE_PNG, sizeof HUGE_PNG - 1);
	g_auto(Decoded) decoded = decode_fd(ingest, fd, &OPTIONS);
	close(fd);
	g_assert_nonnull(decoded.error);
	g_assert_cmpuint(decoded.parts->len, ==, 0);
	weft_ingest_close(ingest);
}

int main(int argc, char **argv)
{
	static const char *const LIKE[] = {
	    "rgb.png",     "grey.png",       "palette.png",   "alpha.png",       "grey16.png",
	    "bits.png",    "interlaced.png", "rgb.jpg",       "progressive.jpg", "grey.jpg",
	    "cmyk.jpg",    "turned1.jpg",    "turned2.jpg",   "turned3.jpg",     "turned4.jpg",
	    "turned5.jpg", "turned6.jpg",    "turned7.jpg",   "turned8.jpg",     "rgb.bmp",
	    "rgb.tif",     "rgb.pnm",        "lossless.webp", "palette.gif",     "fax.tif",
	    "pages.tif",
	};
	static const char *const CUT[] = {"rgb.png",         "interlaced.png", "rgb.jpg",
	                                  "progressive.jpg", "palette.gif",    "rgb.tif",
	                                  "lossless.webp"};
	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(LIKE); i++) {
		g_autofree char *path = g_strdup_printf("/pictures/like/%s", LIKE[i]);
		g_test_add_data_func(path, LIKE[i], test_like_reference);
	}
	for (guint i = 0; i < G_N_ELEMENTS(CUT); i++) {
		g_autofree char *path = g_strdup_printf("/pictures/cut/%s", CUT[i]);
		g_test_add_data_func(path, CUT[i], test_cut_at_every_byte);
	}
	g_test_add_func("/pictures/facts", test_facts);
	g_test_add_func("/pictures/smaller", test_smaller);
	g_test_add_func("/pictures/uniform", test_uniform_is_blank);
	g_test_add_func("/pictures/truncated-jpeg", test_truncated_jpeg);
	g_test_add_func("/pictures/cut-png-keeps-rows", test_cut_png_keeps_rows);
	g_test_add_func("/pictures/huge", test_huge_png);
	return g_test_run();
}
