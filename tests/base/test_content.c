#include "base/content.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

static WeftAnchor box(guint32 page, double x0, double y0, double x1, double y1)
{
	WeftAnchor at = { .page = page, .has_bbox = TRUE, .bbox = { x0, y0, x1, y1 } };
	return at;
}

static void test_union(void)
{
	WeftAnchor a = box(3, 10, 20, 30, 40), b = box(3, 5, 25, 28, 50);
	WeftAnchor both = weft_anchor_union(a, b), expected = box(3, 5, 20, 30, 50);
	g_assert_true(weft_anchor_equal(&both, &expected));
	WeftAnchor other = weft_anchor_union(a, box(4, 0, 0, 1, 1)), none = { 0 };
	g_assert_true(weft_anchor_equal(&other, &none));
	WeftAnchor page = { .page = 3 };
	WeftAnchor wide = weft_anchor_union(a, page);
	g_assert_true(weft_anchor_equal(&wide, &page)); /* all of the page covers the box */
	g_assert_false(weft_anchor_equal(&a, &page));

	WeftAnchor early = { .track = 1, .has_time = TRUE, .time = { 1, 2 } };
	WeftAnchor late = { .track = 1, .has_time = TRUE, .time = { 5, 6 } };
	WeftAnchor span = weft_anchor_union(late, early);
	g_assert_true(span.has_time && span.time[0] == 1 && span.time[1] == 6);
	g_assert_false(weft_anchor_equal(&early, &late));

	WeftAnchor second = box(3, 10, 20, 30, 40), apart;
	second.document = 2;
	g_assert_false(weft_anchor_equal(&a, &second)); /* page 3 of another document */
	apart = weft_anchor_union(a, second);
	g_assert_true(weft_anchor_equal(&apart, &none));
	WeftAnchor next = box(4, 0, 0, 1, 1);
	next.document = 2;
	apart = weft_anchor_union(second, next);
	g_assert_true(apart.document == 2 && apart.page == 0 && !apart.has_bbox);
}

static void test_document(void)
{
	WeftAnchor whole = box(1, 0, 0, 100, 100);
	g_autoptr(WeftContent) content =
		weft_content_new(WEFT_CONTENT_TEXT, WEFT_BY_FILE, g_strdup("one two six"), whole);

	weft_content_add_word(content, (WeftWord){ 0, 3, box(1, 0, 0, 10, 10), -1 });
	weft_content_add_word(content, (WeftWord){ 4, 7, box(2, 20, 5, 30, 15), -1 });
	weft_content_set_document(content, 3);
	g_assert_cmpuint(weft_content_anchor_of(content, 0, 3).document, ==, 3);
	g_assert_cmpuint(weft_content_anchor_of(content, 0, 3).page, ==, 1);
	g_assert_cmpuint(weft_content_anchor_of(content, 0, 7).document, ==, 3); /* two pages */
	g_assert_cmpuint(weft_content_anchor_of(content, 8, 11).document, ==, 3); /* no words */
}

static void test_lines(void)
{
	WeftAnchor whole = box(1, 0, 0, 100, 100), timed = { .has_time = TRUE };
	g_autoptr(WeftContent) content = weft_content_new(
		WEFT_CONTENT_TEXT, WEFT_BY_FILE, g_strdup("\xC3\xBC" "ber one\ttwo\nsix ten\n\nend"), whole);
	const WeftWord words[] = {
		{ 0, 4, box(1, 0, 0, 10, 10), -1 },   { 5, 8, box(1, 80, 0, 90, 11), -1 },
		{ 9, 12, box(1, 91, 1, 99, 10), -1 }, { 13, 16, box(1, 0, 12, 10, 22), -1 },
		{ 17, 20, box(1, 12, 11, 22, 21), -1 }, { 22, 25, box(2, 0, 24, 10, 34), -1 },
	};
	const double wanted[] = { 80, 0, 99, 11, 0, 11, 22, 22 };
	g_autoptr(GArray) boxes = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		weft_content_add_word(content, words[i]);
	g_assert_null(weft_content_boxes_of(content, 0, 12));  /* one line */
	g_assert_null(weft_content_boxes_of(content, 14, 20));
	g_assert_null(weft_content_boxes_of(content, 14, 25)); /* goes over a page */
	g_assert_null(weft_content_boxes_of(content, 12, 13)); /* no word */
	weft_content_pack(content);
	boxes = weft_content_boxes_of(content, 6, 18);
	g_assert_cmpmem(boxes->data, boxes->len * 4 * sizeof(double), wanted, sizeof wanted);

	g_autoptr(WeftContent) cue =
		weft_content_new(WEFT_CONTENT_SPEECH, WEFT_BY_SIDECAR, g_strdup("one\ntwo"), timed);
	g_assert_null(weft_content_boxes_of(cue, 0, 7));
	weft_content_add_word(cue, (WeftWord){ 0, 3, timed, -1 });
	weft_content_add_word(cue, (WeftWord){ 4, 7, timed, -1 });
	g_assert_null(weft_content_boxes_of(cue, 0, 7)); /* times alone */
}

static void test_words(void)
{
	WeftAnchor whole = box(1, 0, 0, 100, 100);
	g_autoptr(WeftContent) content =
		weft_content_new(WEFT_CONTENT_TEXT, WEFT_BY_FILE, g_strdup("one two six"), whole);
	WeftWord one = { 0, 3, box(1, 0, 0, 10, 10), -1 };
	WeftWord two = { 4, 7, box(1, 20, 5, 30, 15), -1 };
	WeftWord six = { 8, 11, box(1, 40, 0, 50, 10), -1 };
	const struct {
		guint32 first, end;
		WeftAnchor at;
	} CASES[] = {
		{ 0, 3, one.at },
		{ 3, 4, whole }, /* between words */
		{ 2, 5, box(1, 0, 0, 30, 15) },
		{ 4, 5, two.at },
		{ 7, 9, six.at },
		{ 0, 11, box(1, 0, 0, 50, 15) },
		{ 11, 20, whole },
	};
	WeftAnchor before = weft_content_anchor_of(content, 0, 3);
	g_assert_true(weft_anchor_equal(&before, &whole)); /* without words */
	weft_content_add_word(content, one);
	weft_content_add_word(content, two);
	weft_content_add_word(content, six);
	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
		WeftAnchor at = weft_content_anchor_of(content, CASES[i].first, CASES[i].end);
		g_assert_true(weft_anchor_equal(&at, &CASES[i].at));
	}
}

/* A copy shares nothing with the original. */
static void test_copy(void)
{
	WeftAnchor at = box(1, 0, 0, 1, 1), other = box(2, 0, 0, 1, 1);
	WeftContent *content =
		weft_content_new(WEFT_CONTENT_SPEECH, WEFT_BY_WHISPER, g_strdup("text"), at);
	WeftWord word = { 0, 4, at, 0.5f };
	content->speaker = g_strdup("S1");
	weft_content_add_word(content, word);
	g_autoptr(WeftContent) copy = weft_content_copy(content);
	content->text[0] = 'n';
	g_array_index(content->anchors, WeftAnchor, 0) = other;
	weft_content_add_word(content, word);
	weft_content_free(content);
	g_assert_cmpstr(copy->text, ==, "text");
	g_assert_cmpstr(copy->speaker, ==, "S1");
	g_assert_cmpuint(copy->words->len, ==, 1);
	g_assert_true(weft_anchor_equal(&g_array_index(copy->anchors, WeftAnchor, 0), &at));
	g_assert_cmpint(copy->by, ==, WEFT_BY_WHISPER);
}

static gboolean is_same_word(const WeftWord *a, const WeftWord *b)
{
	return a->char_first == b->char_first && a->char_end == b->char_end &&
	       a->at.page == b->at.page && a->at.track == b->at.track &&
	       a->at.has_bbox == b->at.has_bbox && a->at.has_time == b->at.has_time &&
	       memcmp(a->at.bbox, b->at.bbox, sizeof a->at.bbox) == 0 &&
	       memcmp(a->at.time, b->at.time, sizeof a->at.time) == 0 &&
	       memcmp(&a->confidence, &b->confidence, sizeof a->confidence) == 0;
}

/* Packed words are read as they were put in, bit by bit, also what no document should have. */
static void test_pack(void)
{
	const double ODD[] = { 0, -0.0, 0.1, -1e300, 5e-324, NAN, INFINITY, 595.276 };
	const guint32 GAPS[] = { 0, 1, 255, 256, 70000 };
	g_autoptr(WeftContent) content = weft_content_new(
		WEFT_CONTENT_TEXT, WEFT_BY_FILE, g_strdup("text"), box(1, 0, 0, 1, 1));
	g_autoptr(GRand) rand = g_rand_new_with_seed(7);
	WeftWord word = { 0 };

	for (int n = 0; n < 3000; n++) {
		if (g_rand_int_range(rand, 0, 9) == 0) {
			word.at.page = g_rand_int(rand) % 3;
			word.at.track = g_rand_int(rand) % 2;
			word.at.has_bbox = g_rand_boolean(rand);
			word.at.has_time = g_rand_boolean(rand);
		}
		for (int i = 0; i < 4; i++)
			if (g_rand_boolean(rand))
				word.at.bbox[i] = ODD[g_rand_int(rand) % G_N_ELEMENTS(ODD)];
		if (g_rand_int_range(rand, 0, 5) == 0)
			word.at.time[g_rand_int(rand) % 2] = g_rand_double(rand);
		if (g_rand_int_range(rand, 0, 3) == 0)
			word.confidence = (float)g_rand_double_range(rand, -1, 1);
		word.char_first = word.char_end + GAPS[g_rand_int(rand) % G_N_ELEMENTS(GAPS)];
		word.char_end = word.char_first + GAPS[g_rand_int(rand) % G_N_ELEMENTS(GAPS)];
		weft_content_add_word(content, word);
	}
	g_autoptr(WeftContent) other = weft_content_copy(content);
	weft_content_pack(other);
	g_assert_null(other->words);
	g_autoptr(WeftContent) packed = weft_content_copy(other);
	WeftWordReader a = weft_content_words(content), b = weft_content_words(packed);
	WeftWord one, two;
	while (weft_word_next(&a, &one)) {
		g_assert_true(weft_word_next(&b, &two));
		g_assert_true(is_same_word(&one, &two));
	}
	g_assert_false(weft_word_next(&b, &two));
	g_assert_cmpuint(weft_content_n_words(packed), ==, 3000);
	g_assert_cmpuint(weft_content_output_bytes(packed), ==, weft_content_output_bytes(content));
	weft_content_drop_words(packed);
	g_assert_cmpuint(weft_content_n_words(packed), ==, 0);
}

/* The spellings of the record: each of them, and none twice. */
static void test_names(void)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	for (int i = 0; i <= WEFT_ERROR_INTERNAL; i++)
		g_assert_true(g_hash_table_add(seen, (gpointer)weft_error_code_name(i)));
	g_assert_cmpstr(weft_error_code_name(WEFT_ERROR_NOT_EXAMINED), ==, "not_examined");
	g_assert_cmpstr(weft_error_code_name(-1), ==, "internal");
	g_assert_cmpstr(weft_error_code_name(1000), ==, "internal");
	g_assert_cmpstr(weft_content_kind_name(WEFT_CONTENT_SILENCE), ==, "silence");
	g_assert_cmpstr(weft_by_name(WEFT_BY_OCR_LAYER), ==, "ocr-layer");
	g_assert_cmpstr(weft_by_name(WEFT_BY_SIDECAR), ==, "sidecar");
}

/* GLib's validation is the judge, over strings of the bytes where its rules change. */
static void test_utf8(void)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(3);
	static const guint8 EDGES[] = { 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2,
					0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF };
	for (int i = 0; i < 200000; i++) {
		guint8 bytes[5];
		gsize n = 1 + i % 4, n_good = 0;
		gboolean is_good = TRUE;
		for (gsize k = 0; k < n; k++)
			bytes[k] = EDGES[g_rand_int_range(random, 0, G_N_ELEMENTS(EDGES))];
		const char *end;
		gboolean expected = g_utf8_validate((const char *)bytes, n, &end);
		while (n_good < n && is_good) {
			gsize step = weft_utf8_step(bytes + n_good, bytes + n, &is_good);
			g_assert_true(step >= 1 && step <= n - n_good);
			if (is_good)
				n_good += step;
		}
		g_assert_cmpint(is_good, ==, expected);
		g_assert_true((const char *)bytes + n_good == end);
		g_autoptr(GString) text = g_string_new(NULL);
		gsize n_put = weft_utf8_append_valid(text, (const char *)bytes, n);
		g_assert_true(g_utf8_validate(text->str, text->len, NULL));
		g_assert_cmpint(n_put == 0, ==, expected);
		g_assert_cmpuint(weft_utf8_length(text->str, text->len), ==,
				 (gsize)g_utf8_strlen(text->str, text->len));
	}
}

/* In a file it says the same, and a copy of it is its own. */
static void test_spill(void)
{
	g_autoptr(WeftSpill) spill = weft_spill_new(g_get_tmp_dir());
	g_autoptr(GPtrArray) contents =
		g_ptr_array_new_with_free_func((GDestroyNotify)weft_content_free);
	g_autofree char *large = g_strnfill(9 << 20, 'x'); /* more than one extent */
	g_autoptr(WeftContent) copy = NULL;
	const WeftAnchor at = { .page = 3 };

	for (guint i = 0; i < 2000; i++) {
		char *text = i == 1000 ? g_strdup(large) : g_strdup_printf("%u%.*s", i, 4000, large);
		WeftContent *content = weft_content_new(WEFT_CONTENT_TEXT, WEFT_BY_FILE,
							i == 7 ? (g_free(text), NULL) : text, at);
		for (guint k = 0; k < i % 5; k++)
			weft_content_add_word(content, (WeftWord){ k, k + 1, at, 0.5f });
		weft_content_pack(content);
		gsize size = weft_content_bytes(content);
		gsize output = weft_content_output_bytes(content);
		g_ptr_array_add(contents, content);
		g_assert_true(weft_content_spill(content, spill, NULL));
		g_assert_true(weft_content_spill(content, spill, NULL)); /* once */
		g_assert_cmpuint(weft_content_bytes(content), ==, size);
		g_assert_cmpuint(weft_content_output_bytes(content), ==, output);
		if (i == 4)
			copy = weft_content_copy(content);
	}
	for (guint i = 0; i < contents->len; i++) {
		WeftContent *content = contents->pdata[i];
		WeftWordReader reader = weft_content_words(content);
		WeftWord word;
		guint n = 0;
		for (; weft_word_next(&reader, &word); n++)
			g_assert_cmpuint(word.char_first, ==, n);
		g_assert_cmpuint(n, ==, i % 5);
		if (i == 7)
			g_assert_null(content->text);
		else if (i != 1000)
			g_assert_cmpuint(g_ascii_strtoull(content->text, NULL, 10), ==, i);
		weft_content_drop_words(content);
		g_assert_cmpuint(weft_content_n_words(content), ==, 0);
	}
	g_assert_cmpstr(((WeftContent *)contents->pdata[1000])->text, ==, large);
	g_clear_pointer(&contents, g_ptr_array_unref);
	g_clear_pointer(&spill, weft_spill_free);
	g_assert_cmpuint(weft_content_n_words(copy), ==, 4);
	g_assert_true(g_str_has_prefix(copy->text, "4xxx"));
}

static void test_spill_without_room(void)
{
	g_autoptr(WeftSpill) spill = weft_spill_new("/nowhere at all");
	g_autoptr(WeftContent) content = weft_content_new(WEFT_CONTENT_TEXT, WEFT_BY_FILE,
							  g_strdup("x"), (WeftAnchor){ .page = 1 });
	g_autoptr(GError) error = NULL;

	g_assert_false(weft_content_spill(content, spill, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_IO);
	g_assert_cmpstr(content->text, ==, "x");
}

static void test_confidence(void)
{
	g_autoptr(WeftContent) content = weft_content_new(WEFT_CONTENT_TEXT, WEFT_BY_TESSERACT,
							  g_strdup("one two six"), (WeftAnchor){ .page = 1 });
	WeftWord word = { .at = { .page = 1 }, .char_end = 3, .confidence = 0.5f };

	g_assert_cmpfloat(weft_content_confidence_of(content, 0, 3), ==, 1);
	content->confidence = 0.25;
	g_assert_cmpfloat(weft_content_confidence_of(content, 0, 3), ==, 0.25);
	weft_content_add_word(content, word);
	word = (WeftWord){ .at = { .page = 1 }, .char_first = 4, .char_end = 7, .confidence = 0.75f };
	weft_content_add_word(content, word);
	word = (WeftWord){ .at = { .page = 1 }, .char_first = 8, .char_end = 11, .confidence = -1 };
	weft_content_add_word(content, word);
	g_assert_cmpfloat(weft_content_confidence_of(content, 0, 3), ==, 0.5);
	g_assert_cmpfloat(weft_content_confidence_of(content, 2, 11), ==, 0.625);
	g_assert_cmpfloat(weft_content_confidence_of(content, 8, 11), ==, 0.25);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/content/union", test_union);
	g_test_add_func("/content/confidence", test_confidence);
	g_test_add_func("/content/words", test_words);
	g_test_add_func("/content/lines", test_lines);
	g_test_add_func("/content/document", test_document);
	g_test_add_func("/content/copy", test_copy);
	g_test_add_func("/content/pack", test_pack);
	g_test_add_func("/content/spill", test_spill);
	g_test_add_func("/content/spill-without-room", test_spill_without_room);
	g_test_add_func("/content/names", test_names);
	g_test_add_func("/content/utf8", test_utf8);
	return g_test_run();
}
