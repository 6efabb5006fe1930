#include "pipeline/window.h"

#include <string.h>

#include "base/error.h"
#include "kernels/kernels.h"

/* The small checkpoint: its tokens are few bytes long, so windows are easily filled. */
typedef struct Fixture {
	WeftBundle *bundle;
	WeftKernels *kernels;
	WeftEncoders *encoders;
} Fixture;

static void set_up(Fixture *fixture, const void *nothing)
{
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "golden", "scout", NULL);
	GError *error = NULL;

	fixture->bundle = weft_bundle_open(path, &error);
	g_assert_no_error(error);
	fixture->kernels = weft_kernels_open("ref", 1, &error);
	g_assert_no_error(error);
	fixture->encoders = weft_encoders_open(fixture->bundle, fixture->kernels, &error);
	g_assert_no_error(error);
}

static void tear_down(Fixture *fixture, const void *nothing)
{
	weft_encoders_close(fixture->encoders);
	weft_kernels_close(fixture->kernels);
	weft_bundle_close(fixture->bundle);
}

static WeftContent *make_text(const char *text, guint32 page)
{
	WeftAnchor at = {.page = page};

	return weft_content_new(WEFT_CONTENT_TEXT, WEFT_BY_FILE, g_strdup(text), at);
}

/* Tokens that a request takes beyond an empty one: what the window promised. */
static gsize measure(Fixture *fixture, const WeftWindow *window)
{
	g_autoptr(WeftRequest) empty = weft_request_new(fixture->encoders, "Read.");
	g_autoptr(WeftRequest) request = weft_request_new(fixture->encoders, "Read.");

	for (guint i = 0; i < window->pieces->len; i++) {
		const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);

		if (piece->part == NULL)
			g_assert_true(weft_request_add_text(request, piece->text,
			                                    strlen(piece->text), piece->content,
			                                    piece->anchor, NULL));
		else
			g_assert_true(weft_request_add_image(request, &piece->part->raster,
			                                     piece->single_tile, piece->content,
			                                     piece->anchor, NULL));
	}
	return weft_request_length(request) - weft_request_length(empty);
}

/* All windows, checked: each within the capacity and as long as it says. */
static GPtrArray *take_all(Fixture *fixture, WeftCutter *cutter, gsize capacity)
{
	GPtrArray *windows = g_ptr_array_new_with_free_func((GDestroyNotify)weft_window_free);
	WeftWindow *window;

	weft_cutter_end(cutter);
	while ((window = weft_cutter_take(cutter)) != NULL) {
		g_assert_cmpuint(window->number, ==, windows->len);
		g_assert_cmpuint(window->n_tokens, <=, capacity);
		g_assert_cmpuint(measure(fixture, window), ==, window->n_tokens);
		g_ptr_array_add(windows, window);
	}
	return windows;
}

static void test_whole_parts(Fixture *fixture, const void *nothing)
{
	const gsize capacity = 300;
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, capacity);
	g_autoptr(GPtrArray) windows = NULL;
	guint32 next = 0;

	for (guint32 i = 0; i < 40; i++) {
		g_autoptr(WeftContent) content =
		    make_text("The harbour master wrote down each arrival.", 1 + i / 10);

		weft_cutter_add_content(cutter, content, i);
	}
	windows = take_all(fixture, cutter, capacity);
	g_assert_cmpuint(windows->len, >, 2);
	for (guint w = 0; w < windows->len; w++) {
		const WeftWindow *window = g_ptr_array_index(windows, w);

		for (guint i = 0; i < window->pieces->len; i++) {
			const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);

			g_assert_cmpuint(piece->content, ==, next);
			g_assert_cmpuint(piece->anchor.page, ==, 1 + next / 10);
			next++;
		}
	}
	g_assert_cmpuint(next, ==, 40);
}

static void test_long_text_is_cut_at_good_places(Fixture *fixture, const void *nothing)
{
	const gsize capacity = 200;
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, capacity);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GString) joined = g_string_new(NULL);
	g_autoptr(GPtrArray) windows = NULL;
	g_autoptr(WeftContent) content = NULL;

	for (int i = 0; i < 60; i++)
		g_string_append_printf(text, "Line %d is about stones and the sea.\n", i);
	content = make_text(text->str, 3);
	weft_cutter_add_content(cutter, content, 7);
	windows = take_all(fixture, cutter, capacity);
	g_assert_cmpuint(windows->len, >, 3);
	for (guint w = 0; w < windows->len; w++) {
		const WeftWindow *window = g_ptr_array_index(windows, w);
		const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, 0);

		g_assert_cmpuint(window->pieces->len, ==, 1);
		g_assert_cmpuint(piece->content, ==, 7);
		g_assert_true(g_str_has_suffix(piece->text, "\n"));
		g_string_append(joined, piece->text);
	}
	g_assert_cmpstr(joined->str, ==, text->str);
}

static void test_anchors_follow_the_cut(Fixture *fixture, const void *nothing)
{
	const gsize capacity = 120;
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, capacity);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GPtrArray) windows = NULL;
	g_autoptr(WeftContent) content = NULL;
	double bottom = -1;

	for (int i = 0; i < 30; i++)
		g_string_append(text, "Ä0123456789 abcdefghi\n");
	content = make_text(text->str, 1);
	for (guint32 i = 0; i < 30; i++) {
		WeftWord word = {i * 22, i * 22 + 21, {.page = 1, .has_bbox = TRUE}, -1};

		word.at.bbox[1] = i;
		word.at.bbox[2] = 1;
		word.at.bbox[3] = i + 1;
		weft_content_add_word(content, word);
	}
	weft_cutter_add_content(cutter, content, 0);
	windows = take_all(fixture, cutter, capacity);
	g_assert_cmpuint(windows->len, >, 2);
	for (guint w = 0; w < windows->len; w++) {
		const WeftWindow *window = g_ptr_array_index(windows, w);
		const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, 0);
		glong n_lines = g_utf8_strlen(piece->text, -1) / 22;

		/* The box of a piece is that of its own lines. */
		g_assert_true(piece->anchor.has_bbox);
		g_assert_cmpfloat(piece->anchor.bbox[1], ==, MAX(bottom, 0));
		bottom = piece->anchor.bbox[3];
		g_assert_cmpfloat(piece->anchor.bbox[3] - piece->anchor.bbox[1], ==, n_lines);
	}
	g_assert_cmpfloat(bottom, ==, 30);
}

static void test_text_without_any_space(Fixture *fixture, const void *nothing)
{
	const gsize capacity = 100;
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, capacity);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GString) joined = g_string_new(NULL);
	g_autoptr(GPtrArray) windows = NULL;

	for (int i = 0; i < 500; i++)
		g_string_append(text, i % 2 == 0 ? "漢" : "🌊");
	weft_cutter_add_text(cutter, text->str);
	windows = take_all(fixture, cutter, capacity);
	g_assert_cmpuint(windows->len, >, 3);
	for (guint w = 0; w < windows->len; w++) {
		const WeftWindow *window = g_ptr_array_index(windows, w);
		const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, 0);

		g_assert_true(g_utf8_validate(piece->text, -1, NULL));
		g_string_append(joined, piece->text);
	}
	g_assert_cmpstr(joined->str, ==, text->str);
}

static WeftPart *make_picture(WeftPartKind kind, guint32 side)
{
	WeftPart *part = weft_part_new(kind, (WeftAnchor){0});

	part->raster.width = part->raster.height = side;
	part->raster.pixels = g_malloc0((gsize)side * side * 3);
	return part;
}

static void test_four_pictures_a_window(Fixture *fixture, const void *nothing)
{
	const gsize capacity = 100000;
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, capacity);
	g_autoptr(GPtrArray) windows = NULL;
	GError *error = NULL;

	for (guint32 i = 0; i < 9; i++) {
		g_assert_true(
		    weft_cutter_add_part(cutter, make_picture(WEFT_PART_FRAME, 56), i, &error));
		g_assert_no_error(error);
	}
	windows = take_all(fixture, cutter, capacity);
	g_assert_cmpuint(windows->len, ==, 3);
	g_assert_cmpuint(((WeftWindow *)g_ptr_array_index(windows, 0))->n_pictures, ==, 4);
	g_assert_cmpuint(((WeftWindow *)g_ptr_array_index(windows, 2))->n_pictures, ==, 1);
}

static void test_too_large_picture_is_refused(Fixture *fixture, const void *nothing)
{
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, 2);
	g_autoptr(GError) error = NULL;

	g_assert_false(weft_cutter_add_part(cutter, make_picture(WEFT_PART_RASTER, 56), 0, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_CONTEXT);
}

int main(int argc, char **argv)
{
	const struct {
		const char *path;
		void (*function)(Fixture *, const void *);
	} tests[] = {
	    {"/window/whole-parts", test_whole_parts},
	    {"/window/long-text-is-cut-at-good-places", test_long_text_is_cut_at_good_places},
	    {"/window/anchors-follow-the-cut", test_anchors_follow_the_cut},
	    {"/window/text-without-any-space", test_text_without_any_space},
	    {"/window/four-pictures-a-window", test_four_pictures_a_window},
	    {"/window/too-large-picture-is-refused", test_too_large_picture_is_refused},
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].function, tear_down);
	return g_test_run();
}
