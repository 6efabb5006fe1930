#include "model/gaze.h"

#include <math.h>
#include <string.h>

#include "golden.h"

/* Every position an item of its own, so that the one that was looked at most is named. */
static WeftSequence *sequence_of_items(const Golden *golden)
{
	WeftSequence *sequence = golden_sequence(golden, "scout", "long");
	gsize n = weft_sequence_length(sequence);

	for (gsize i = 0; i < n; i++) {
		WeftSpan span = {.token_first = i, .n_tokens = 1, .content = (guint32)i};
		g_array_append_val(sequence->spans, span);
	}
	return sequence;
}

static WeftAnswer *ask(const Golden *golden, WeftSequence *take_sequence, const char *schema_text)
{
	g_autoptr(WeftSchema) schema = weft_schema_new(schema_text, strlen(schema_text), NULL, NULL);
	WeftGeneration generation = {.schema = schema, .n_tokens_max = 40};
	WeftAnswer *answer = NULL;
	guint64 ticket;

	g_assert_nonnull(schema);
	g_assert_true(weft_model_submit(golden->model, take_sequence, &generation, &ticket, NULL));
	for (int i = 0; i < 1000 && !answer; i++) {
		g_assert_true(weft_model_step(golden->model, NULL));
		(void)weft_model_take(golden->model, &ticket, &answer, NULL);
	}
	g_assert_nonnull(answer);
	return answer;
}

/* The one decision between true and false is made where transformers was asked to look from. */
static void test_as_transformers(void)
{
	for (int n_threads = 1; n_threads <= 2; n_threads++) {
		g_autoptr(Golden) golden = golden_open("scout", NULL, n_threads);
		g_autoptr(WeftNpy) expected = weft_npy_read(TEST_DATA "/scout.gaze.npy", NULL);
		g_autoptr(WeftAnswer) answer =
			ask(golden, sequence_of_items(golden), "{\"type\":\"boolean\"}");
		const WeftAnswerValue *value = &g_array_index(answer->values, WeftAnswerValue, 0);
		const float *mass;
		gsize best = 0;

		g_assert_nonnull(expected);
		mass = expected->f32;
		for (gsize i = 1; i < expected->shape[0]; i++)
			best = mass[i] > mass[best] ? i : best;
		g_assert_true(value->pointed.is_known);
		g_assert_cmpuint(value->pointed.content, ==, best);
		g_assert_cmpfloat_with_epsilon(value->pointed.share, (double)mass[best], 1e-5);
	}
}

/* Of a request that holds no content nothing is said. */
static void test_nothing_to_look_at(void)
{
	g_autoptr(Golden) golden = golden_open("scout", NULL, 1);
	g_autoptr(WeftAnswer) answer =
		ask(golden, golden_sequence(golden, "scout", "long"), "{\"type\":\"boolean\"}");

	g_assert_false(g_array_index(answer->values, WeftAnswerValue, 0).pointed.is_known);
}

/* ---- the place within a span, by masses that the test writes ---- */

static WeftSequence *sequence_of_tile_and_sound(void)
{
	WeftSequence *sequence = weft_sequence_new(1);
	WeftAnchor tile = {.page = 2, .has_bbox = TRUE, .bbox = {100, 200, 140, 280}};
	WeftAnchor sound = {.track = 1, .has_time = TRUE, .time = {10, 12}};
	const float row = 0;

	for (int i = 0; i < 16; i++)
		weft_sequence_add_rows(sequence, 7, &row, 1);
	weft_sequence_add_span(sequence, WEFT_SPAN_PATCH, 0, tile, 3);
	for (int i = 0; i < 8; i++)
		weft_sequence_add_rows(sequence, WEFT_SEQUENCE_ROW_ID, &row, 1);
	weft_sequence_add_span(sequence, WEFT_SPAN_AUDIO, 16, sound, 4);
	weft_sequence_add_id(sequence, 1);
	return sequence;
}

/* A decision that looks at these positions; what is left goes to the prompt's last one. */
static void decide(WeftGaze *gaze, gsize first, float first_mass, gsize second, float second_mass)
{
	float *mass;

	weft_gaze_begin(gaze);
	mass = weft_gaze_room(gaze, 25);
	memset(mass, 0, 25 * sizeof *mass);
	mass[24] = 1 - first_mass - second_mass;
	mass[first] += first_mass;
	mass[second] += second_mass;
	weft_gaze_add(gaze);
	weft_gaze_keep(gaze);
}

static void assert_box(const WeftAnchor *at, double x0, double y0, double x1, double y1)
{
	const double box[4] = {x0, y0, x1, y1};

	for (int i = 0; i < 4; i++)
		g_assert_cmpfloat_with_epsilon(at->bbox[i], box[i], 1e-9);
}

static void test_place(void)
{
	g_autoptr(WeftSequence) sequence = sequence_of_tile_and_sound();
	WeftGaze *gaze = weft_gaze_new(sequence, 1);
	WeftPointed pointed;

	decide(gaze, 5, 0.4f, 17, 0.1f);  /* second row and column of the tile's four */
	decide(gaze, 6, 0.3f, 5, 0.1f);   /* the patch beside it */
	decide(gaze, 18, 0.25f, 19, 0.2f); /* the third and fourth of eight rows of sound */
	pointed = weft_gaze_place(gaze, 0, 2);
	g_assert_true(pointed.is_known);
	g_assert_cmpuint(pointed.content, ==, 3);
	g_assert_cmpuint(pointed.kind, ==, WEFT_SPAN_PATCH);
	g_assert_cmpuint(pointed.at.page, ==, 2);
	assert_box(&pointed.at, 110, 220, 130, 240);
	g_assert_cmpfloat_with_epsilon(pointed.share, 0.4, 1e-6);

	pointed = weft_gaze_place(gaze, 2, 3);
	g_assert_cmpuint(pointed.content, ==, 4);
	g_assert_cmpfloat_with_epsilon(pointed.at.time[0], 10.5, 1e-9);
	g_assert_cmpfloat_with_epsilon(pointed.at.time[1], 11, 1e-9);

	g_assert_false(weft_gaze_place(gaze, 3, 3).is_known);
	g_assert_false(weft_gaze_place(gaze, 3, 9).is_known);
	weft_gaze_free(gaze);
}

/* ---- pictures of several tiles: 2 x 2 patches each, and the whole in 2 x 2 once more ---- */

#define N_TILES 3

/* Two tiles side by side of a picture of 60 x 40 points; the second shows 20 points and padding. */
static WeftSequence *sequence_of_picture(void)
{
	WeftSequence *sequence = weft_sequence_new(1);
	static const double boxes[N_TILES][4] = {{0, 0, 40, 40}, {40, 0, 60, 40}, {0, 0, 60, 40}};
	static const double shown[N_TILES][2] = {{1, 1}, {0.5, 1}, {1, 1}};
	const float row = 0;

	for (int i = 0; i < N_TILES; i++) {
		WeftAnchor anchor = {.page = 1, .has_bbox = TRUE};
		gsize first = weft_sequence_length(sequence);

		memcpy(anchor.bbox, boxes[i], sizeof boxes[i]);
		for (int k = 0; k < 4; k++)
			weft_sequence_add_rows(sequence, 7, &row, 1);
		weft_sequence_add_tile(sequence, first, anchor, shown[i], 3);
		first = weft_sequence_length(sequence);
		weft_sequence_add_id(sequence, 1); /* between tiles stands a mark */
		weft_sequence_add_span(sequence, WEFT_SPAN_TEXT, first, anchor, WEFT_SPAN_NO_CONTENT);
	}
	for (gsize i = weft_sequence_length(sequence); i < 25; i++)
		weft_sequence_add_id(sequence, 1);
	return sequence;
}

/* Positions of patch k of a tile; the first of the whole picture's four is at 10. */
static gsize patch_at(gsize tile, gsize k)
{
	return tile * 5 + k;
}

static WeftAnchor looked_at(gsize first, float first_mass, gsize second, float second_mass)
{
	g_autoptr(WeftSequence) sequence = sequence_of_picture();
	WeftGaze *gaze = weft_gaze_new(sequence, 1);
	WeftPointed pointed;

	decide(gaze, first, first_mass, second, second_mass);
	pointed = weft_gaze_place(gaze, 0, 1);
	g_assert_true(pointed.is_known);
	g_assert_cmpuint(pointed.kind, ==, WEFT_SPAN_PATCH);
	g_assert_cmpfloat_with_epsilon(pointed.share, (double)(first_mass + second_mass), 1e-6);
	if (pointed.at.bbox[2] - pointed.at.bbox[0] < 60)
		g_assert_cmpfloat_with_epsilon(pointed.patch, first < 10 ? 20 : sqrt(600), 1e-9);
	weft_gaze_free(gaze);
	return pointed.at;
}

static void test_picture(void)
{
	WeftAnchor at;

	/* The second tile's left half shows the picture, its right half nothing. */
	at = looked_at(patch_at(1, 2), 0.5f, patch_at(1, 2), 0.5f);
	assert_box(&at, 40, 20, 60, 40);
	at = looked_at(patch_at(1, 1), 0.5f, patch_at(1, 1), 0.5f);
	assert_box(&at, 0, 0, 60, 40);
	/* Over the border between two tiles. */
	at = looked_at(patch_at(0, 1), 0.3f, patch_at(1, 0), 0.4f);
	assert_box(&at, 20, 0, 60, 20);
	/* The whole picture's patches are coarser: what they add to lies below the fine one. */
	at = looked_at(patch_at(0, 3), 0.3f, patch_at(2, 2), 0.3f);
	assert_box(&at, 20, 20, 40, 40);
	at = looked_at(patch_at(2, 3), 0.4f, patch_at(2, 3), 0.4f);
	assert_box(&at, 30, 20, 60, 40);
	/* What is far away, or has less than half, is another place. */
	at = looked_at(patch_at(0, 0), 0.3f, patch_at(1, 0), 0.31f);
	assert_box(&at, 40, 0, 60, 20);
	at = looked_at(patch_at(0, 0), 0.3f, patch_at(0, 1), 0.1f);
	assert_box(&at, 0, 0, 20, 20);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/gaze/as-transformers", test_as_transformers);
	g_test_add_func("/gaze/nothing-to-look-at", test_nothing_to_look_at);
	g_test_add_func("/gaze/place", test_place);
	g_test_add_func("/gaze/picture", test_picture);
	return g_test_run();
}
