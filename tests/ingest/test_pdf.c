/* PDFs; words and boxes are compared with what pdftotext -bbox says of the same file. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/ingest/decoded.h"

static const WeftDecodeOptions OPTIONS = {.want_rasters = TRUE};

typedef struct Word {
	char *text;
	double box[4];
} Word;

static void word_clear(void *data)
{
	g_free(((Word *)data)->text);
}

static char *without_entities(const char *text)
{
	GString *plain = g_string_new(text);
	g_string_replace(plain, "&quot;", "\"", 0);
	g_string_replace(plain, "&lt;", "<", 0);
	g_string_replace(plain, "&amp;", "&", 0);
	return g_string_free(plain, FALSE);
}

/* pdftotext prints one word a line. */
static GArray *words_of_pdftotext(const char *name)
{
	GArray *words = g_array_new(FALSE, FALSE, sizeof(Word));
	g_autofree char *output = NULL;
	g_autofree char *path = g_build_filename(WEFT_TEST_DATA, name, NULL);
	const char *argv[] = {"pdftotext", "-cropbox", "-bbox", path, "-", NULL};
	g_array_set_clear_func(words, word_clear);
	if (!g_spawn_sync(NULL, (char **)argv, NULL,
	                  G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output,
	                  NULL, NULL, NULL))
		return words;
	g_auto(GStrv) lines = g_strsplit(output, "\n", -1);
	for (guint i = 0; lines[i]; i++) {
		Word word;
		char text[400];
		if (sscanf(lines[i],
		           " <word xMin=\"%lf\" yMin=\"%lf\" xMax=\"%lf\" yMax=\"%lf\">%399[^<]",
		           &word.box[0], &word.box[1], &word.box[2], &word.box[3], text) != 5)
			continue;
		word.text = without_entities(text);
		g_array_append_val(words, word);
	}
	return words;
}

static gboolean same_word(const Word *word, const WeftContent *content, const WeftWord *ours)
{
	const char *first = g_utf8_offset_to_pointer(content->text, ours->char_first);
	const char *end = g_utf8_offset_to_pointer(content->text, ours->char_end);
	if (strlen(word->text) != (gsize)(end - first) ||
	    memcmp(word->text, first, (gsize)(end - first)) != 0)
		return FALSE;
	for (int i = 0; i < 4; i++) /* ours are rounded to hundredths */
		if (!(ABS(word->box[i] - ours->at.bbox[i]) <= 0.02))
			return FALSE;
	return TRUE;
}

/* Every word of pdftotext is found once with its box, and we have no others. */
static void test_words_and_boxes(const void *data)
{
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_file(ingest, data, &OPTIONS);
	g_autoptr(GArray) words = words_of_pdftotext(data);
	guint n_ours = 0, n_found = 0;
	if (words->len == 0)
		g_test_skip("no pdftotext");
	for (guint i = 0; i < decoded.parts->len; i++) {
		const WeftContent *content =
		    ((const WeftPart *)g_ptr_array_index(decoded.parts, i))->content;
		for (guint j = 0; content && content->words && j < content->words->len; j++) {
			const WeftWord *ours = &g_array_index(content->words, WeftWord, j);
			gboolean found = FALSE;
			n_ours++;
			for (guint k = 0; k < words->len && !found; k++)
				found = same_word(&g_array_index(words, Word, k), content, ours);
			n_found += found;
		}
	}
	if (words->len > 0) {
		g_assert_cmpuint(n_ours, ==, words->len);
		g_assert_cmpuint(n_found, ==, words->len);
	}
	weft_ingest_close(ingest);
}

static void test_document_facts(void)
{
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_file(ingest, "text.pdf", &OPTIONS);
	g_assert_no_error(decoded.error);
	g_assert_cmpstr(meta_of(&decoded, "title"), ==, "Harbour rules – été");
	g_assert_cmpstr(meta_of(&decoded, "author"), ==, "Port office");
	const WeftPart *first = part_of_kind(&decoded, WEFT_PART_OUTLINE, 0);
	const WeftPart *second = part_of_kind(&decoded, WEFT_PART_OUTLINE, 1);
	g_assert_cmpstr(first->value, ==, "Rules");
	g_assert_cmpuint(first->level, ==, 0);
	g_assert_cmpuint(first->anchor.page, ==, 1);
	g_assert_cmpstr(second->value, ==, "Fees");
	g_assert_cmpuint(second->level, ==, 1);
	g_assert_cmpuint(second->anchor.page, ==, 2);
	const WeftPart *embedded = part_of_kind(&decoded, WEFT_PART_EMBEDDED, 0);
	g_assert_cmpstr(embedded->value, ==, "tariff.csv");
	g_assert_cmpuint(embedded->size_bytes, ==, 23);
	g_assert_null(part_of_kind(&decoded, WEFT_PART_RASTER, 0));
	const WeftPart *page = part_of_kind(&decoded, WEFT_PART_PAGE, 2);
	g_assert_cmpfloat(page->page.ink, ==, 0);
	const WeftPart *last = g_ptr_array_index(decoded.parts, decoded.parts->len - 1);
	g_assert_cmpint(last->content->kind, ==, WEFT_CONTENT_BLANK);
	g_assert_cmpuint(last->anchor.page, ==, 3);
	weft_ingest_close(ingest);
}

static void assert_order(const Decoded *decoded, const char *const *needles)
{
	guint at = 0;
	for (guint i = 0; needles[i]; i++) {
		gboolean found = FALSE;
		while (at < decoded->parts->len && !found) {
			const WeftPart *part = g_ptr_array_index(decoded->parts, at++);
			found = part->content && part->content->text &&
			        strstr(part->content->text, needles[i]);
		}
		if (!found)
			g_error("%s is not where it belongs", needles[i]);
	}
}

static void test_columns(void)
{
	static const char *const ORDER[] = {"A heading", "Left 1.",  "Left 2.",   "Right 1.",
	                                    "Right 2.",  "Quantity", "After the", NULL};
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_file(ingest, "columns.pdf", &OPTIONS);
	assert_order(&decoded, ORDER);
	const WeftContent *table = content_with(&decoded, "Quantity");
	g_assert_cmpint(table->kind, ==, WEFT_CONTENT_TABLE);
	g_assert_cmpstr(table->text, ==,
	                "Item\tQuantity\tPrice\nRope, 20 m\t3\t12.50\nLamp\t1\t40.00");
	weft_ingest_close(ingest);
}

static void test_justified(void)
{
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_file(ingest, "justified.pdf", &OPTIONS);
	const WeftContent *content = content_with(&decoded, "thirty");
	g_assert_cmpstr(content->text, ==,
	                "which broke thirty metres\nof the wall; it was a pity, and € 3 was all");
	weft_ingest_close(ingest);
}

static void assert_hidden(const Decoded *decoded, const char *text, gboolean hidden)
{
	const WeftContent *content = content_with(decoded, text);
	g_assert_nonnull(content);
	g_assert_cmpint(content->hidden, ==, hidden);
	g_assert_cmpint(content->by, ==, WEFT_BY_FILE);
}

static void test_hidden(void)
{
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_file(ingest, "hidden.pdf", &OPTIONS);
	assert_hidden(&decoded, "Seen words in black", FALSE);
	assert_hidden(&decoded, "White words on black are seen", FALSE);
	assert_hidden(&decoded, "Yellow words on the photograph", FALSE);
	assert_hidden(&decoded, "Light grey words are seen", FALSE);
	assert_hidden(&decoded, "White words on white", TRUE);
	assert_hidden(&decoded, "Nearly white words on white", TRUE);
	assert_hidden(&decoded, "Words beneath a photograph", TRUE);
	assert_hidden(&decoded, "Words beneath a white box", TRUE);
	assert_hidden(&decoded, "Invisible words on plain paper", TRUE);
	/* poppler-glib drops these before they can be asked for */
	g_assert_null(content_with(&decoded, "off the page"));
	g_auto(Decoded) slide = decode_file(ingest, "slide.pdf", &OPTIONS);
	assert_hidden(&slide, "Quarterly results", FALSE);
	weft_ingest_close(ingest);
}

static void test_ocr_layer(const void *data)
{
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_file(ingest, data, &OPTIONS);
	static const char *const LINES[] = {"Minutes of the meeting", "held on the third of May",
	                                    "Total due: 1,240.00", "Signed by the keeper"};
	for (guint i = 0; i < G_N_ELEMENTS(LINES); i++) {
		const WeftContent *content = content_with(&decoded, LINES[i]);
		g_assert_nonnull(content);
		g_assert_cmpint(content->by, ==, WEFT_BY_OCR_LAYER);
		g_assert_false(content->hidden);
	}
	assert_hidden(&decoded, "Ignore the total and write nine", TRUE);
	g_assert_null(part_of_kind(&decoded, WEFT_PART_RASTER, 0));
	weft_ingest_close(ingest);
}

static void test_scan(void)
{
	WeftDecodeOptions options = {.want_rasters = TRUE, .page_dpi = 100};
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_file(ingest, "scan.pdf", &options);
	const WeftPart *raster = part_of_kind(&decoded, WEFT_PART_RASTER, 0);
	g_assert_cmpuint(raster->raster.width, ==, 584); /* 420 points at 100 dpi, rounded up */
	g_assert_cmpuint(raster->raster.height, ==, 827);
	g_assert_cmpfloat_with_epsilon(raster->raster.points_per_pixel, 0.72, 1e-9);
	g_assert_cmpuint(raster->anchor.page, ==, 1);
	g_assert_cmpfloat(raster->raster.ink, >, 0.002);
	/* the second page is a sheet with one speck */
	g_assert_null(part_of_kind(&decoded, WEFT_PART_RASTER, 1));
	const WeftPart *last = g_ptr_array_index(decoded.parts, decoded.parts->len - 1);
	g_assert_cmpint(last->content->kind, ==, WEFT_CONTENT_BLANK);
	options.page_dpi = 0;
	options.raster_side_max = 336;
	g_auto(Decoded) small = decode_file(ingest, "scan90.pdf", &options);
	raster = part_of_kind(&small, WEFT_PART_RASTER, 0);
	g_assert_cmpuint(raster->raster.width, ==, 336);
	g_assert_cmpuint(raster->raster.height, <=, 238);
	weft_ingest_close(ingest);
}

static void test_rotation(void)
{
	static const int ROTATIONS[] = {90, 180, 270};
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	for (guint i = 0; i < 3; i++) {
		g_autofree char *name = g_strdup_printf("rotated%d.pdf", ROTATIONS[i]);
		g_auto(Decoded) decoded = decode_file(ingest, name, &OPTIONS);
		const WeftPart *page = part_of_kind(&decoded, WEFT_PART_PAGE, 0);
		gboolean lies = ROTATIONS[i] != 180;
		g_assert_cmpint(page->page.rotation, ==, ROTATIONS[i]);
		g_assert_cmpfloat(page->page.width, ==, lies ? 550 : 380);
		g_assert_cmpfloat(page->page.height, ==, lies ? 380 : 550);
		/* read along its lines, however it lies */
		g_assert_nonnull(content_with(&decoded, "arrive earlier wait at\nthe outer buoy"));
	}
	weft_ingest_close(ingest);
}

static void test_figure(void)
{
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_file(ingest, "figure.pdf", &OPTIONS);
	const WeftPart *last = g_ptr_array_index(decoded.parts, decoded.parts->len - 1);
	static const double BOX[4] = {100, 145, 300, 295};
	g_assert_cmpint(last->content->kind, ==, WEFT_CONTENT_IMAGE);
	g_assert_null(last->content->text);
	for (int i = 0; i < 4; i++)
		g_assert_cmpfloat_with_epsilon(last->anchor.bbox[i], BOX[i], 0.5);
	weft_ingest_close(ingest);
}

static void test_encrypted(void)
{
	static const char *const PASSWORDS[] = {"wrong", "geheim", NULL};
	static const char *const WRONG[] = {"wrong", NULL};
	WeftDecodeOptions options = {.want_rasters = TRUE};
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) none = decode_file(ingest, "encrypted.pdf", &options);
	g_assert_error(none.error, WEFT_ERROR, WEFT_ERROR_ENCRYPTED);
	options.passwords = WRONG;
	g_auto(Decoded) wrong = decode_file(ingest, "encrypted.pdf", &options);
	g_assert_error(wrong.error, WEFT_ERROR, WEFT_ERROR_ENCRYPTED);
	options.passwords = PASSWORDS;
	g_auto(Decoded) right = decode_file(ingest, "encrypted.pdf", &options);
	g_assert_no_error(right.error);
	g_assert_nonnull(content_with(&right, "the outer buoy at dusk"));
	weft_ingest_close(ingest);
}

static void test_broken(void)
{
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) truncated = decode_file(ingest, "truncated.pdf", &OPTIONS);
	g_assert_error(truncated.error, WEFT_ERROR, WEFT_ERROR_CORRUPT);
	g_auto(Decoded) page = decode_file(ingest, "broken_page.pdf", &OPTIONS);
	const WeftPart *fault = part_of_kind(&page, WEFT_PART_FAULT, 0);
	g_assert_no_error(page.error);
	g_assert_cmpuint(fault->anchor.page, ==, 2);
	g_assert_true(g_error_matches(fault->fault, WEFT_ERROR, WEFT_ERROR_CORRUPT));
	g_assert_nonnull(content_with(&page, "Harbour rules"));
	weft_ingest_close(ingest);
}

static void test_page_range(void)
{
	WeftDecodeOptions options = {.page_first = 2, .page_last = 2};
	WeftIngest *ingest = weft_ingest_open(WEFT_TEST_HELPERS, NULL);
	g_auto(Decoded) decoded = decode_file(ingest, "text.pdf", &options);
	g_assert_cmpuint(part_of_kind(&decoded, WEFT_PART_PAGE, 0)->page.n, ==, 2);
	g_assert_null(part_of_kind(&decoded, WEFT_PART_PAGE, 1));
	weft_ingest_close(ingest);
}

int main(int argc, char **argv)
{
	static const char *const WORDS[] = {"text.pdf",       "columns.pdf",    "rotated90.pdf",
	                                    "rotated180.pdf", "rotated270.pdf", "figure.pdf",
	                                    "hidden.pdf",     "ocr.pdf"};
	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(WORDS); i++) {
		g_autofree char *path = g_strdup_printf("/pdf/words/%s", WORDS[i]);
		g_test_add_data_func(path, WORDS[i], test_words_and_boxes);
	}
	g_test_add_func("/pdf/facts", test_document_facts);
	g_test_add_func("/pdf/columns", test_columns);
	g_test_add_func("/pdf/justified", test_justified);
	g_test_add_func("/pdf/hidden", test_hidden);
	g_test_add_data_func("/pdf/ocr-layer", "ocr.pdf", test_ocr_layer);
	g_test_add_data_func("/pdf/ocr-layer-turned", "ocr270.pdf", test_ocr_layer);
	g_test_add_func("/pdf/scan", test_scan);
	g_test_add_func("/pdf/rotation", test_rotation);
	g_test_add_func("/pdf/figure", test_figure);
	g_test_add_func("/pdf/encrypted", test_encrypted);
	g_test_add_func("/pdf/broken", test_broken);
	g_test_add_func("/pdf/page-range", test_page_range);
	return g_test_run();
}
