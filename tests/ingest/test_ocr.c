/* test_ocr.c - pictures of examples/inbox read by the helper program, compared with what poppler
 * and the script that made them say. */
#include <glib/gstdio.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ingest/ingest.h"

static WeftIngest *ingest;

static char *shell(const char *format, ...) G_GNUC_PRINTF(1, 2);
static char *shell(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *line = g_strdup_vprintf(format, args);
	va_end(args);
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", line, NULL};
	char *out = NULL;
	int status = 0;
	g_autoptr(GError) error = NULL;
	if (!g_spawn_sync(TEST_INBOX, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL,
	                  &status, &error) ||
	    status != 0)
		g_error("%s: %s", line, error ? error->message : "failed");
	return out;
}

/* The output of a command as a raster: binary PPM. */
static WeftRaster raster_from(const char *command, double points_per_pixel)
{
	WeftRaster raster = {.points_per_pixel = points_per_pixel};
	g_autofree char *path = NULL, *bytes = NULL;
	gsize size = 0;
	int at = 0, fd = g_file_open_tmp("weft-ocr-XXXXXX", &path, NULL);
	g_assert_cmpint(fd, >=, 0);
	g_close(fd, NULL);
	g_free(shell("%s > %s", command, path));
	g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
	g_remove(path);
	g_assert_cmpint(sscanf(bytes, "P6 %u %u 255%n", &raster.width, &raster.height, &at), ==, 2);
	gsize n = (gsize)raster.width * raster.height * 3;
	g_assert_cmpuint(size, ==, (gsize)at + 1 + n);
	raster.pixels = g_memdup2(bytes + at + 1, n);
	return raster;
}

static WeftRaster page(const char *file, guint n, guint dpi)
{
	g_autofree char *command =
	    g_strdup_printf("pdftoppm -f %u -l %u -r %u %s", n, n, dpi, file);
	return raster_from(command, 72.0 / dpi);
}

static GPtrArray *read_raster(const WeftRaster *raster, WeftAnchor at)
{
	g_autoptr(GError) error = NULL;
	WeftReader *reader = weft_ingest_reader(ingest, NULL, NULL, &error);
	g_assert_no_error(error);
	GPtrArray *contents = NULL;
	gboolean ok = weft_reader_read(reader, raster, at, &contents, &error);
	g_assert_no_error(error);
	g_assert_true(ok);
	weft_reader_close(reader);
	return contents;
}

static char *text_of(const GPtrArray *contents)
{
	GString *text = g_string_new(NULL);
	for (guint i = 0; i < contents->len; i++)
		g_string_append_printf(text, "%s\n", ((WeftContent *)contents->pdata[i])->text);
	return g_string_free(text, FALSE);
}

/* Least number of characters to change, add or take away. */
static guint distance(const char *a, const char *b)
{
	gsize n = strlen(b);
	g_autofree guint *row = g_new(guint, n + 1);
	for (gsize k = 0; k <= n; k++)
		row[k] = (guint)k;
	for (gsize i = 0; a[i]; i++) {
		guint corner = row[0];
		row[0] = (guint)i + 1;
		for (gsize k = 0; k < n; k++) {
			guint change = corner + (a[i] != b[k]);
			corner = row[k + 1];
			row[k + 1] = MIN(change, MIN(row[k], row[k + 1]) + 1);
		}
	}
	return row[n];
}

static void assert_lines(const char *text, const char *const *lines)
{
	g_auto(GStrv) read = g_strsplit(text, "\n", -1);
	gsize wrong = 0, all = 0;
	for (guint i = 0; lines[i]; i++) {
		guint best = (guint)strlen(lines[i]);
		for (guint k = 0; read[k]; k++)
			best = MIN(best, distance(lines[i], read[k]));
		wrong += best;
		all += strlen(lines[i]);
	}
	g_test_message("%zu of %zu characters wrong", wrong, all);
	g_assert_cmpuint(wrong * 20, <=, all);
}

static void free_all(WeftRaster *raster, GPtrArray *contents)
{
	g_free(raster->pixels);
	g_ptr_array_unref(contents);
}

static void assert_well_formed(const GPtrArray *contents)
{
	for (guint i = 0; i < contents->len; i++) {
		const WeftContent *content = contents->pdata[i];
		g_assert_cmpint(content->kind, ==, WEFT_CONTENT_TEXT);
		g_assert_cmpint(content->by, ==, WEFT_BY_TESSERACT);
		g_assert_true(content->confidence > 0 && content->confidence <= 1);
		g_assert_true(g_utf8_validate(content->text, -1, NULL));
		guint32 end = 0;
		g_assert_nonnull(content->words);
		for (guint k = 0; k < content->words->len; k++) {
			const WeftWord *word = &g_array_index(content->words, WeftWord, k);
			g_assert_cmpuint(word->char_first, ==, k ? end + 1 : 0);
			g_assert_cmpuint(word->char_end, >, word->char_first);
			g_assert_true(word->at.has_bbox && word->at.bbox[2] > word->at.bbox[0]);
			end = word->char_end;
		}
		g_assert_cmpuint(end, ==, g_utf8_strlen(content->text, -1));
	}
}

static void letter_is_read(void)
{
	const char *const lines[] = {
	    "HALVORSEN MARINE WORKS",
	    "Repair of the north breakwater",
	    "Dear Ms Solheim,",
	    "thank you for showing us the damage on 27 January. We offer to rebuild "
	    "thirty-eight",
	    "EUR 1,240,000.00 (one million two hundred and forty thousand euros)",
	    "on 17 March 2025 and need twenty-four weeks, that is, until 31 August 2025. Stone",
	    "15 per cent after the final survey. We stand behind the work for ten years.",
	    "Managing Director",
	    NULL};
	WeftRaster raster = page("scanned-letter.pdf", 1, 150);
	WeftAnchor at = {.page = 1};
	GPtrArray *contents = read_raster(&raster, at);
	g_autofree char *text = text_of(contents);
	assert_lines(text, lines);
	assert_well_formed(contents);
	free_all(&raster, contents);
}

static void small_letters_are_read(void)
{
	const char *const lines[] = {"Annex to offer HMW-2025-031: the parts of the price",
	                             "4 Crown wall, concrete C45/55, 38 m 361,000.00",
	                             "Total without value added tax 1,240,000.00", NULL};
	WeftRaster raster = page("scanned-letter.pdf", 3, 100);
	WeftAnchor at = {.page = 3};
	GPtrArray *contents = read_raster(&raster, at);
	g_autofree char *text = text_of(contents);
	assert_lines(text, lines);
	free_all(&raster, contents);
}

/* The layer that the scanner wrote says where the words are. */
static void boxes_are_where_the_words_are(void)
{
	WeftRaster raster = page("scanned-with-ocr-layer.pdf", 1, 150);
	WeftAnchor at = {.page = 1};
	GPtrArray *contents = read_raster(&raster, at);
	g_autofree char *xml = shell("pdftotext -bbox scanned-with-ocr-layer.pdf -");
	const char *const words[] = {"HMW-7718", "223,200.00", "September", "Payable", "invoice."};
	for (guint w = 0; w < G_N_ELEMENTS(words); w++) {
		double box[4];
		g_autofree char *tail = g_strdup_printf("\">%s</word>", words[w]);
		const char *end = strstr(xml, tail), *line = end;
		g_assert_nonnull(end);
		while (line > xml && line[-1] != '\n')
			line--;
		g_assert_cmpint(sscanf(line,
		                       " <word xMin=\"%lf\" yMin=\"%lf\" xMax=\"%lf\" yMax=\"%lf",
		                       &box[0], &box[1], &box[2], &box[3]),
		                ==, 4);
		guint n = 0;
		for (guint i = 0; i < contents->len; i++) {
			const WeftContent *content = contents->pdata[i];
			const char *found = strstr(content->text, words[w]);
			if (!found)
				continue;
			guint32 first = (guint32)g_utf8_pointer_to_offset(content->text, found);
			guint32 last = first + (guint32)g_utf8_strlen(words[w], -1);
			WeftAnchor there = weft_content_anchor_of(content, first, last);
			g_assert_cmpuint(there.page, ==, 1);
			g_assert_true(there.has_bbox);
			/* sideways to 3 points; poppler's boxes are as high as the font's line */
			g_assert_cmpfloat(fabs(there.bbox[0] - box[0]), <, 3);
			g_assert_cmpfloat(fabs(there.bbox[2] - box[2]), <, 3);
			g_assert_cmpfloat(there.bbox[1], >, box[1] - 3);
			g_assert_cmpfloat(there.bbox[3], <, box[3] + 3);
			n++;
		}
		g_assert_cmpuint(n, >=, 1);
	}
	free_all(&raster, contents);
}

static void receipt_keeps_its_prices(void)
{
	const char *const lines[] = {"Mooring line 24 mm 389.00", "Paint, signal red 37.50",
	                             "TOTAL EUR 627.00", "Boat: pilot boat TERN", NULL};
	WeftRaster raster = raster_from("ffmpeg -nostdin -loglevel error -i photo-receipt.jpg "
	                                "-f image2pipe -c:v ppm -",
	                                0);
	WeftAnchor at = {0};
	GPtrArray *contents = read_raster(&raster, at);
	g_autofree char *text = text_of(contents);
	assert_lines(text, lines);
	free_all(&raster, contents);
}

static WeftRaster slide_at(guint time_s)
{
	g_autofree char *command =
	    g_strdup_printf("ffmpeg -nostdin -loglevel error -ss %u -i slides-talk.mp4 -frames:v 1 "
	                    "-f image2pipe -c:v ppm -",
	                    time_s);
	return raster_from(command, 0);
}

static void light_on_dark_is_read(void)
{
	const char *const lines[] = {"The repair", NULL};
	WeftRaster raster = slide_at(9);
	WeftAnchor at = {.track = 1, .has_time = TRUE, .time = {8, 10}};
	GPtrArray *contents = read_raster(&raster, at);
	g_autofree char *text = text_of(contents);
	assert_lines(text, lines);
	const WeftContent *first = contents->pdata[0];
	const WeftAnchor *there = &g_array_index(first->anchors, WeftAnchor, 0);
	g_assert_true(there->has_time && there->track == 1);
	g_assert_cmpfloat(there->time[1], ==, 10);
	g_assert_cmpfloat(there->bbox[3], <, 84); /* the height of the bar */
	free_all(&raster, contents);
}

/* JPEG leaves dots around letters, which the later passes saw where the letters were gone. */
static void shadows_are_no_words(void)
{
	const char *area = "-r 100 -f 1 -l 1 -x 0 -y 0 -W 827 -H 420";
	g_autofree char *picture = g_strdup_printf(
	    "pdftoppm %s -jpeg -jpegopt quality=50 annual-report.pdf | ffmpeg -nostdin "
	    "-loglevel error -f jpeg_pipe -i - -f image2pipe -c:v ppm -",
	    area);
	WeftRaster raster = raster_from(picture, 0.72);
	WeftAnchor at = {.page = 1};
	GPtrArray *contents = read_raster(&raster, at);
	g_autofree char *text = text_of(contents);
	g_autofree char *said = shell("pdftotext %s annual-report.pdf -", area);
	g_auto(GStrv) words = g_strsplit_set(text, " \n", -1);
	g_auto(GStrv) all = g_strsplit_set(said, " \n\f", -1);
	guint n = 0, n_invented = 0;
	for (guint i = 0; words[i]; i++) {
		n += words[i][0] != '\0';
		n_invented += !g_strv_contains((const char *const *)all, words[i]);
	}
	g_test_message("%u of %u words do not stand there", n_invented, n);
	g_assert_cmpuint(n, >, 50);
	g_assert_cmpuint(n_invented * 12, <=, n);
	free_all(&raster, contents);
}

static void nothing_legible_is_nothing(void)
{
	WeftRaster raster = page("scanned-letter.pdf", 2, 100);
	WeftAnchor at = {.page = 2};
	GPtrArray *contents = read_raster(&raster, at);
	g_assert_cmpuint(contents->len, ==, 0);
	free_all(&raster, contents);
	guint8 dot[3] = {0, 0, 0};
	WeftRaster one = {.width = 1, .height = 1, .pixels = dot};
	g_ptr_array_unref(read_raster(&one, at));
}

static void order_of_pages_does_not_matter(void)
{
	WeftRaster a = slide_at(2), b = slide_at(16);
	WeftAnchor at = {.track = 1};
	g_autoptr(GError) error = NULL;
	g_autofree char *first = NULL;
	GPtrArray *contents = read_raster(&b, at);
	first = text_of(contents);
	g_ptr_array_unref(contents);
	WeftReader *reader = weft_ingest_reader(ingest, "eng", NULL, &error);
	g_assert_no_error(error);
	g_assert_true(weft_reader_read(reader, &a, at, &contents, &error));
	g_ptr_array_unref(contents);
	g_assert_true(weft_reader_read(reader, &b, at, &contents, &error));
	weft_reader_close(reader);
	g_autofree char *second = text_of(contents);
	g_assert_cmpstr(first, ==, second);
	free_all(&b, contents);
	g_free(a.pixels);
}

static void unknown_language_is_refused(void)
{
	const char *const names[] = {"xyz", "../eng", "eng+xyz;", NULL};
	WeftRaster raster = page("scanned-letter.pdf", 2, 20);
	WeftAnchor at = {0};
	for (guint i = 0; names[i]; i++) {
		g_autoptr(GError) error = NULL;
		GPtrArray *contents = NULL;
		WeftReader *reader = weft_ingest_reader(ingest, names[i], NULL, &error);
		if (reader)
			g_assert_false(weft_reader_read(reader, &raster, at, &contents, &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_NO_READER);
		weft_reader_close(reader);
	}
	g_free(raster.pixels);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_test_init(&argc, &argv, NULL);
	ingest = weft_ingest_open(TEST_HELPERS, &error);
	g_assert_no_error(error);
	g_assert_true(weft_ingest_has_ocr(ingest));
	g_test_add_func("/ocr/letter-is-read", letter_is_read);
	g_test_add_func("/ocr/small-letters-are-read", small_letters_are_read);
	g_test_add_func("/ocr/boxes-are-where-the-words-are", boxes_are_where_the_words_are);
	g_test_add_func("/ocr/receipt-keeps-its-prices", receipt_keeps_its_prices);
	g_test_add_func("/ocr/light-on-dark-is-read", light_on_dark_is_read);
	g_test_add_func("/ocr/shadows-are-no-words", shadows_are_no_words);
	g_test_add_func("/ocr/nothing-legible-is-nothing", nothing_legible_is_nothing);
	g_test_add_func("/ocr/order-of-pages-does-not-matter", order_of_pages_does_not_matter);
	g_test_add_func("/ocr/unknown-language-is-refused", unknown_language_is_refused);
	int rc = g_test_run();
	weft_ingest_close(ingest);
	return rc;
}
