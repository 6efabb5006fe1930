/* What goes beyond a limit is cut there, said with the number, and what came before is kept. */
#include <math.h>

#include "tests/ingest/decoded.h"

static WeftIngest *ingest;

/* The n-th fault with code `limit`. */
static const WeftPart *cut(const Decoded *decoded, guint nth)
{
	for (guint i = 0; i < decoded->parts->len; i++) {
		const WeftPart *part = g_ptr_array_index(decoded->parts, i);
		if (part->kind == WEFT_PART_FAULT &&
		    g_error_matches(part->fault, WEFT_ERROR, WEFT_ERROR_LIMIT) && nth-- == 0)
			return part;
	}
	return NULL;
}

static void test_table(void)
{
	g_autofree char *page = NULL;
	g_assert_true(g_file_get_contents(WEFT_TEST_MAN, &page, NULL, NULL));
	for (const WeftLimit *limit = weft_limit_table(); limit->name; limit++) {
		WeftLimits limits = {0};
		g_autofree char *shown = g_strdup_printf("%.15g", limit->value);
		g_autofree char *bytes = g_strdup_printf("%.0fM", limit->value / (1 << 20));
		g_auto(GStrv) words = g_strsplit(limit->name, "-", -1);
		g_autofree char *dashed = g_strjoinv("\\-", words);
		g_autofree char *entry =
		    g_strdup_printf("\\fB%s\\fR=%s\n", dashed, limit->is_bytes ? bytes : shown);
		if (!strstr(page, entry))
			g_error("the manual has no entry %s", entry);
		g_assert_cmpfloat(limit->value, >=, limit->least);
		g_assert_cmpfloat(limit->value, <=, limit->most);
		g_assert_true(weft_limits_set(&limits, limit->name, shown, NULL));
		g_assert_cmpfloat(weft_limit_of(&limits, limit), ==, limit->value);
		g_autofree char *text = weft_limits_text(&limits);
		g_assert_cmpstr(text, ==, ""); /* the default, though it was set */
	}
}

static void test_values(void)
{
	static const struct {
		const char *name, *text, *message;
	} REFUSED[] = {
	    {"pages", "0", "limit pages: '0' is not a number from 1 to 1000000"},
	    {"pages", "1.5", "limit pages: '1.5' is not a number from 1 to 1000000"},
	    {"pages", "nan", "limit pages: 'nan' is not a number from 1 to 1000000"},
	    {"pages", "", "limit pages: '' is not a number from 1 to 1000000"},
	    {"output-bytes", "2T",
	     "limit output-bytes: '2T' is not a number from 65536 to 939524096"},
	    {"colour", "1", "limit colour: no such limit; weft-run(1) lists them under LIMITS"},
	};
	WeftLimits limits = {0};
	for (guint i = 0; i < G_N_ELEMENTS(REFUSED); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_false(
		    weft_limits_set(&limits, REFUSED[i].name, REFUSED[i].text, &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
		g_assert_cmpstr(error->message, ==, REFUSED[i].message);
	}
	g_assert_true(weft_limits_set(&limits, "stall-seconds", "0.5", NULL));
	g_assert_true(weft_limits_set(&limits, "output-bytes", "1M", NULL));
	g_assert_true(weft_limits_set(&limits, "pages", "7", NULL));
	g_autofree char *text = weft_limits_text(&limits);
	g_assert_cmpstr(text, ==, "pages=7 output-bytes=1048576"); /* no time: it changes nothing */
	weft_limits_fill(&limits);
	g_assert_cmpfloat(limits.pages, ==, 7);
	g_assert_cmpfloat(limits.streams, ==, 32);
}

static void test_pages(void)
{
	WeftDecodeOptions options = {.limits.pages = 1};
	g_auto(Decoded) whole = decode_file(ingest, "text.pdf", &(WeftDecodeOptions){0});
	g_auto(Decoded) first = decode_file(ingest, "text.pdf", &options);
	g_assert_no_error(first.error);
	g_assert_null(cut(&whole, 0));
	guint n_pages = 0;
	while (part_of_kind(&whole, WEFT_PART_PAGE, n_pages))
		n_pages++;
	g_assert_cmpuint(n_pages, >, 1);
	g_assert_null(part_of_kind(&first, WEFT_PART_PAGE, 1));
	g_assert_cmpuint(n_pages, ==, 3);
	g_assert_cmpstr(cut(&first, 0)->fault->message, ==, "page 2 to 3 not read: limit pages=1");
	g_assert_cmpuint(cut(&first, 0)->anchor.page, ==, 2);
	g_assert_cmpuint(cut(&first, 0)->page.n, ==, n_pages - 1);
	/* pages that were not asked for are not missing */
	options.page_last = 1;
	g_auto(Decoded) asked = decode_file(ingest, "text.pdf", &options);
	g_assert_null(cut(&asked, 0));
}

static void test_output(void)
{
	WeftDecodeOptions options = {.limits.output_bytes = 65536};
	g_autofree char *line = g_strnfill(100000, 'a');
	for (gsize i = 99; i < 100000; i += 100)
		line[i] = '\n';
	int fd = file_of(line, 100000);
	g_auto(Decoded) decoded = decode_fd(ingest, fd, &options);
	close(fd);
	g_assert_error(decoded.error, WEFT_ERROR, WEFT_ERROR_LIMIT);
	g_assert_nonnull(strstr(decoded.error->message, "limit output-bytes=65536"));
	gsize size = 0;
	for (guint i = 0; i < decoded.parts->len; i++)
		size += weft_part_output_bytes(g_ptr_array_index(decoded.parts, i));
	g_assert_cmpuint(size, <=, 65536);
	g_assert_cmpuint(size, >, 60000);
}

static void test_pixels(void)
{
	static const char *const NAMES[] = {"rgb.png", "rgb.jpg", "rgb.bmp"};
	const WeftDecodeOptions options = {.want_rasters = TRUE, .limits.pixels = 100};
	for (guint i = 0; i < G_N_ELEMENTS(NAMES); i++) {
		g_auto(Decoded) decoded = decode_file(ingest, NAMES[i], &options);
		g_assert_error(decoded.error, WEFT_ERROR, WEFT_ERROR_LIMIT);
		g_assert_cmpuint(decoded.parts->len, ==, 0);
	}
}

/* The mean of one channel. */
static double mean(const WeftRaster *raster, guint channel)
{
	double sum = 0;
	gsize n = (gsize)raster->width * raster->height;
	for (gsize i = 0; i < n; i++)
		sum += raster->pixels[i * 3 + channel];
	return sum / (double)n;
}

/* Made smaller, showing the same, with its box in the pixels of the whole. */
static void test_raster_pixels(void)
{
	static const char *const NAMES[] = {"rgb.png", "rgb.jpg", "rgb.bmp", "grey16.png", "alpha.png"};
	const WeftDecodeOptions all = {.want_rasters = TRUE};
	for (guint i = 0; i < G_N_ELEMENTS(NAMES); i++) {
		g_auto(Decoded) whole = decode_file(ingest, NAMES[i], &all);
		const WeftPart *large = part_of_kind(&whole, WEFT_PART_RASTER, 0);
		WeftDecodeOptions options = {.want_rasters = TRUE};
		options.limits.raster_pixels = large->raster.width * large->raster.height / 3.0;
		g_auto(Decoded) decoded = decode_file(ingest, NAMES[i], &options);
		g_assert_no_error(decoded.error);
		g_assert_null(part_of_kind(&decoded, WEFT_PART_FAULT, 0));
		const WeftPart *small = part_of_kind(&decoded, WEFT_PART_RASTER, 0);
		g_assert_cmpfloat((double)small->raster.width * small->raster.height, <=,
		                  options.limits.raster_pixels);
		g_assert_true(weft_anchor_equal(&small->anchor, &large->anchor));
		g_assert_cmpfloat_with_epsilon(small->raster.points_per_pixel * small->raster.width,
		                               large->raster.width, 1e-6);
		for (guint c = 0; c < 3; c++) /* levels: edges that are cut off, and rounding */
			g_assert_cmpfloat_with_epsilon(mean(&small->raster, c),
			                               mean(&large->raster, c), 3);
	}
}

static void test_decoder_bytes(void)
{
	static const char *const NAMES[] = {"rgb.png", "progressive.jpg", "rgb.bmp"};
	const WeftDecodeOptions options = {.want_rasters = TRUE, .limits.decoder_bytes = 1000};
	for (guint i = 0; i < G_N_ELEMENTS(NAMES); i++) {
		g_auto(Decoded) decoded = decode_file(ingest, NAMES[i], &options);
		g_assert_error(decoded.error, WEFT_ERROR, WEFT_ERROR_LIMIT);
		if (!strstr(decoded.error->message, "limit decoder-bytes=1000"))
			g_error("%s", decoded.error->message);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_test_add_func("/limit/table", test_table);
	g_test_add_func("/limit/values", test_values);
	g_test_add_func("/limit/pages", test_pages);
	g_test_add_func("/limit/output", test_output);
	g_test_add_func("/limit/pixels", test_pixels);
	g_test_add_func("/limit/raster-pixels", test_raster_pixels);
	g_test_add_func("/limit/decoder-bytes", test_decoder_bytes);
	int status = g_test_run();
	weft_ingest_close(ingest);
	return status;
}
