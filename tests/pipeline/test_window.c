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
	g_autofree char *audio = g_test_build_filename(G_TEST_DIST, "..", "encoders", "golden",
	                                               "ultravox", NULL);
	GError *error = NULL;

	fixture->bundle = weft_bundle_open(path, &error);
	g_assert_no_error(error);
	weft_bundle_attach_audio(fixture->bundle, audio, &error);
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
			g_assert_true(weft_request_add_text(
			    request,
			    &(WeftPassage){piece->text, strlen(piece->text), piece->speaker,
			                   piece->content, piece->anchor},
			    NULL));
		else if (piece->part->kind == WEFT_PART_PCM)
			g_assert_true(weft_request_add_audio(
			    request,
			    &(WeftSoundSlice){&piece->part->pcm, piece->row_first, piece->n_rows},
			    piece->content, piece->anchor, NULL));
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
		    weft_cutter_add_part(cutter, make_picture(WEFT_PART_FRAME, 56), i,
		                         FALSE, &error));
		g_assert_no_error(error);
	}
	windows = take_all(fixture, cutter, capacity);
	g_assert_cmpuint(windows->len, ==, 3);
	g_assert_cmpuint(((WeftWindow *)g_ptr_array_index(windows, 0))->n_pictures, ==, 4);
	g_assert_cmpuint(((WeftWindow *)g_ptr_array_index(windows, 2))->n_pictures, ==, 1);
}

static WeftPart *make_frame(double time_s)
{
	WeftPart *part = make_picture(WEFT_PART_FRAME, 56);

	part->anchor = (WeftAnchor){.track = 1, .has_time = TRUE, .time = {time_s, time_s + 1}};
	return part;
}

static void add_frame(WeftCutter *cutter, double time_s, guint32 number, gboolean is_read)
{
	g_assert_true(weft_cutter_add_part(cutter, make_frame(time_s), number, is_read, NULL));
}

static void add_said(WeftCutter *cutter, double time_s, guint32 number, const char *speaker)
{
	WeftAnchor at = {.track = 2, .has_time = TRUE, .time = {time_s, time_s + 1}};
	g_autoptr(WeftContent) content =
	    weft_content_new(WEFT_CONTENT_SPEECH, WEFT_BY_FILE, g_strdup("So be it."), at);

	content->speaker = g_strdup(speaker);
	weft_cutter_add_content(cutter, content, number);
}

/* The numbers of the items in the order in which the windows tell them. */
static char *order_of(const GPtrArray *windows)
{
	GString *order = g_string_new(NULL);

	for (guint w = 0; w < windows->len; w++) {
		const WeftWindow *window = g_ptr_array_index(windows, w);

		for (guint i = 0; i < window->pieces->len; i++) {
			const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);

			g_string_append_printf(order, "%s%u", i > 0 ? " " : w > 0 ? " | " : "",
			                       piece->content);
		}
	}
	return g_string_free(order, FALSE);
}

/* Two seconds each: frames first, then what is said, in the order of time. */
static void test_blocks_of_time(Fixture *fixture, const void *nothing)
{
	const gsize capacity = 100000;
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, capacity);
	g_autoptr(GPtrArray) windows = NULL;
	g_autofree char *order = NULL;

	add_said(cutter, 0.2, 0, "Anna");
	add_said(cutter, 0.9, 1, "Ben");
	add_frame(cutter, 1.1, 2, FALSE);
	add_said(cutter, 1.3, 3, NULL);
	add_frame(cutter, 1.9, 4, TRUE);
	add_frame(cutter, 2.0, 5, FALSE);
	add_said(cutter, 7.5, 6, "Anna");
	windows = take_all(fixture, cutter, capacity);
	order = order_of(windows);
	g_assert_cmpstr(order, ==, "2 4 0 1 3 5 6");
}

/* A window is filled to the end of its room, whatever stands in a block. */
static void test_blocks_fill_windows(Fixture *fixture, const void *nothing)
{
	const gsize capacity = 150;
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, capacity);
	g_autoptr(GPtrArray) windows = NULL;
	guint32 n = 0;

	for (guint32 i = 0; i < 200; i++)
		add_said(cutter, i * 0.7, i, i % 3 ? "Anna" : "Ben");
	windows = take_all(fixture, cutter, capacity);
	g_assert_cmpuint(windows->len, >, 10);
	for (guint w = 0; w < windows->len; w++) {
		const WeftWindow *window = g_ptr_array_index(windows, w);

		for (guint i = 0; i < window->pieces->len; i++)
			g_assert_cmpuint(
			    ((WeftWindowPiece *)g_ptr_array_index(window->pieces, i))->content, ==,
			    n++);
	}
	g_assert_cmpuint(n, ==, 200);
}

/* Of five frames one is left out: what was read first, then what stands closest; what was said all
 * stays in one window. */
static void test_frames_are_chosen(Fixture *fixture, const void *nothing)
{
	const gsize capacity = 100000;
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, capacity);
	g_autoptr(GPtrArray) windows = NULL;
	g_autofree char *order = NULL;
	WeftLeftOut left_out;

	weft_cutter_choose_frames(cutter);
	add_frame(cutter, 10, 0, FALSE);
	add_frame(cutter, 20, 1, TRUE);
	add_frame(cutter, 30, 2, FALSE);
	add_frame(cutter, 40, 3, FALSE);
	add_said(cutter, 40, 4, "Anna");
	add_frame(cutter, 44, 5, FALSE); /* 1 was read */
	add_frame(cutter, 50, 6, FALSE); /* 3 or 5: between 30 and 44, 40 and 50 */
	add_frame(cutter, 90, 7, FALSE); /* 2 or 5 or 6: 10-44, 30-50, 44-90 */
	windows = take_all(fixture, cutter, capacity);
	order = order_of(windows);
	g_assert_cmpstr(order, ==, "0 2 4 6 7");
	g_assert_cmpuint(((WeftWindow *)g_ptr_array_index(windows, 0))->n_left_out, ==, 3);
	left_out = weft_cutter_left_out(cutter);
	g_assert_cmpuint(left_out.n_frames, ==, 2);
	g_assert_cmpuint(left_out.n_of, ==, 6);
	g_assert_cmpfloat(left_out.at.time[0], ==, 40);
	g_assert_cmpfloat(left_out.at.time[1], ==, 45);
}

/* The first of a hundred stays, and no half of the time is without one. */
static void test_chosen_frames_are_spread(Fixture *fixture, const void *nothing)
{
	const gsize capacity = 100000;
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, capacity);
	g_autoptr(GPtrArray) windows = NULL;
	const WeftWindow *window;
	double before = 0;

	weft_cutter_choose_frames(cutter);
	for (guint32 i = 0; i < 100; i++)
		add_frame(cutter, 3.0 * i, i, FALSE);
	windows = take_all(fixture, cutter, capacity);
	g_assert_cmpuint(windows->len, ==, 1);
	window = g_ptr_array_index(windows, 0);
	g_assert_cmpuint(window->pieces->len, ==, 4);
	g_assert_cmpuint(window->n_left_out, ==, 96);
	for (guint i = 0; i < 4; i++) {
		const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);

		g_assert_cmpfloat(piece->anchor.time[0] - before, <=, i == 0 ? 0 : 150);
		before = piece->anchor.time[0];
	}
	g_assert_cmpfloat(before, ==, 297);
}

static void add_clip(WeftCutter *cutter, double from_s, double seconds, guint32 number)
{
	WeftPart *part = weft_part_new(WEFT_PART_PCM, (WeftAnchor){.track = 2, .has_time = TRUE});

	part->anchor.time[0] = from_s;
	part->anchor.time[1] = from_s + seconds;
	part->pcm.n_samples = (gsize)(seconds * 16000);
	part->pcm.samples = g_new0(float, part->pcm.n_samples);
	g_assert_true(weft_cutter_add_part(cutter, part, number, FALSE, NULL));
}

/* A clip is dealt out: each block has its frames, what is said, and the rows that begin in it. */
static void test_blocks_of_sound(Fixture *fixture, const void *nothing)
{
	const gsize capacity = 100000;
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, capacity);
	g_autoptr(GPtrArray) windows = NULL;
	g_autofree char *order = NULL;
	const WeftWindow *window;
	gsize row = 0;

	add_clip(cutter, 0.5, 7, 0);
	add_said(cutter, 0.9, 1, "Anna");
	add_frame(cutter, 1.9, 2, FALSE);
	add_said(cutter, 4.5, 3, NULL);
	add_frame(cutter, 5, 4, FALSE);
	add_clip(cutter, 7.4, 1.5, 5);
	windows = take_all(fixture, cutter, capacity);
	order = order_of(windows);
	/*        block:            0     2 4     6   8 */
	g_assert_cmpstr(order, ==, "2 1 0 0 4 3 0 0 5 5");
	window = g_ptr_array_index(windows, 0);
	for (guint i = 0; i < window->pieces->len; i++) {
		const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);

		if (piece->content != 0)
			continue;
		g_assert_cmpuint(piece->row_first, ==, row);
		g_assert_cmpuint(piece->n_rows, <=, 13);
		row += piece->n_rows;
	}
	g_assert_cmpuint(row, ==, weft_encoders_audio_rows(fixture->encoders, 7 * 16000));
	g_assert_true(window->has_done);
	g_assert_cmpfloat(window->done.time[0], ==, 7.4);
}

/* A clip may end in the next window. Only parts before the first that does are done with then. */
static void test_sound_over_windows(Fixture *fixture, const void *nothing)
{
	const gsize capacity = 110;
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, capacity);
	g_autoptr(GPtrArray) windows = NULL;
	const WeftWindow *window;
	gsize row = 0;

	add_frame(cutter, 0, 0, FALSE);
	add_clip(cutter, 0.5, 29, 1);
	add_frame(cutter, 1, 2, FALSE);
	add_frame(cutter, 28, 3, FALSE);
	add_clip(cutter, 29.5, 29, 4);
	windows = take_all(fixture, cutter, capacity);
	g_assert_cmpuint(windows->len, >, 4);
	for (guint w = 0; w < windows->len; w++) {
		window = g_ptr_array_index(windows, w);
		for (guint i = 0; i < window->pieces->len; i++) {
			const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);

			if (piece->n_rows == 0)
				continue;
			g_assert_cmpuint(piece->row_first, ==, row);
			row = (row + piece->n_rows) % piece->n_rows_of;
		}
	}
	g_assert_cmpuint(row, ==, 0);
	window = g_ptr_array_index(windows, 0);
	g_assert_true(window->has_done);
	g_assert_cmpfloat(window->done.time[0], ==, 0);
	window = g_ptr_array_index(windows, windows->len - 2);
	g_assert_cmpfloat(window->done.time[0], ==, 28);
	window = g_ptr_array_index(windows, windows->len - 1);
	g_assert_cmpfloat(window->done.time[0], ==, 29.5);
}

/* Times that go back end what waits, and nothing is lost. */
static void test_times_that_go_back(Fixture *fixture, const void *nothing)
{
	const gsize capacity = 100000;
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, capacity);
	g_autoptr(GPtrArray) windows = NULL;
	g_autofree char *order = NULL;

	add_clip(cutter, 10, 3, 0);
	add_said(cutter, 5, 1, NULL);
	add_said(cutter, 12, 2, NULL);
	add_said(cutter, 11, 3, NULL);
	windows = take_all(fixture, cutter, capacity);
	order = order_of(windows);
	g_assert_cmpstr(order, ==, "0 0 1 2 3");
}

static WeftContent *make_speech(guint32 document, double time_s, const char *text)
{
	WeftAnchor at = {.document = document, .has_time = TRUE, .time = {time_s, time_s + 1}};

	return weft_content_new(WEFT_CONTENT_SPEECH, WEFT_BY_FILE, g_strdup(text), at);
}

static gboolean is_heading(const WeftWindowPiece *piece)
{
	return piece->content == WEFT_SPAN_NO_CONTENT;
}

/* Wherever a window goes on with another file it says with which; nothing of one block of time of two
 * files is mixed, and no window ends with a heading. */
static void test_several_files(Fixture *fixture, const void *nothing)
{
	static const char *const names[] = {"03.wav", "a [document 1: b]\n\x1b[2J.wav",
	                                    ("<|eot|> long \xff name that goes on and on and on and on and on and "
	                                     "on and on.wav")};
	static const char *const told[] = {"[document 1: 03.wav]", "[document 2: a (document 1: b)  (2J.wav]",
	                                   NULL};
	const gsize capacity = 300;
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, capacity);
	g_autoptr(GPtrArray) windows = NULL;
	guint n_headings = 0, n_pieces = 0;

	for (guint32 n = 1; n <= 3; n++) {
		weft_cutter_begin_member(cutter, n, names[n - 1]);
		for (guint32 i = 0; i < 20; i++) {
			g_autoptr(WeftContent) content =
			    make_speech(n, i / 4.0, "The harbour master wrote.");

			weft_cutter_add_content(cutter, content, 20 * (n - 1) + i);
		}
	}
	windows = take_all(fixture, cutter, capacity);
	g_assert_cmpuint(windows->len, >, 3);
	for (guint w = 0; w < windows->len; w++) {
		const WeftWindow *window = g_ptr_array_index(windows, w);
		const WeftWindowPiece *before = NULL;

		for (guint i = 0; i < window->pieces->len; i++) {
			const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);
			guint32 n = piece->anchor.document;

			g_assert_true(n >= 1 && n <= 3);
			g_assert_true(is_heading(piece) ==
			              (before == NULL || before->anchor.document != n));
			if (is_heading(piece) && told[n - 1] != NULL)
				g_assert_cmpstr(piece->text, ==, told[n - 1]);
			if (is_heading(piece))
				g_assert_cmpuint(piece->n_tokens, <=, capacity / 4);
			else
				g_assert_cmpuint(piece->content, ==, n_pieces++);
			n_headings += is_heading(piece) ? 1 : 0;
			before = piece;
		}
		g_assert_false(is_heading(before));
	}
	g_assert_cmpuint(n_pieces, ==, 60);
	g_assert_cmpuint(n_headings, >=, windows->len);
}

/* Text that is longer than a window is cut so that its heading has room, too. */
static void test_long_text_of_several_files(Fixture *fixture, const void *nothing)
{
	const gsize capacity = 120;
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, capacity);
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GString) found = g_string_new(NULL);
	g_autoptr(GPtrArray) windows = NULL;
	WeftAnchor at = {.document = 2};
	g_autoptr(WeftContent) content = NULL;

	for (int i = 0; i < 60; i++)
		g_string_append_printf(text, "Line %d of the harbour master's book. ", i);
	content = weft_content_new(WEFT_CONTENT_TEXT, WEFT_BY_FILE, g_strdup(text->str), at);
	weft_cutter_begin_member(cutter, 2, "book.txt");
	weft_cutter_add_content(cutter, content, 0);
	windows = take_all(fixture, cutter, capacity);
	for (guint w = 0; w < windows->len; w++) {
		const WeftWindow *window = g_ptr_array_index(windows, w);

		g_assert_cmpuint(window->pieces->len, ==, 2);
		g_assert_cmpstr(((WeftWindowPiece *)window->pieces->pdata[0])->text, ==,
		                "[document 2: book.txt]");
		g_string_append(found, ((WeftWindowPiece *)window->pieces->pdata[1])->text);
	}
	g_assert_cmpstr(found->str, ==, text->str);
}

static void test_too_large_picture_is_refused(Fixture *fixture, const void *nothing)
{
	g_autoptr(WeftCutter) cutter = weft_cutter_new(fixture->encoders, 2);
	g_autoptr(GError) error = NULL;

	g_assert_false(weft_cutter_add_part(cutter, make_picture(WEFT_PART_RASTER, 56), 0,
	                                    FALSE, &error));
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
	    {"/window/blocks-of-time", test_blocks_of_time},
	    {"/window/blocks-fill-windows", test_blocks_fill_windows},
	    {"/window/frames-are-chosen", test_frames_are_chosen},
	    {"/window/chosen-frames-are-spread", test_chosen_frames_are_spread},
	    {"/window/blocks-of-sound", test_blocks_of_sound},
	    {"/window/sound-over-windows", test_sound_over_windows},
	    {"/window/times-that-go-back", test_times_that_go_back},
	    {"/window/several-files", test_several_files},
	    {"/window/long-text-of-several-files", test_long_text_of_several_files},
	    {"/window/too-large-picture-is-refused", test_too_large_picture_is_refused},
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].function, tear_down);
	return g_test_run();
}
