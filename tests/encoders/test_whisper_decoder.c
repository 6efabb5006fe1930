/* Whisper's decoder as a scorer, against transformers (tests/golden/whisper_decoder, see ORIGIN there):
 * three texts that begin alike are prompt, steps and beams here, and one pass each there. */
#include <string.h>

#include "check.h"

#define DECODER WEFT_FAMILY "/whisper_decoder"
#define TOLERANCE 1e-5F /* of the largest: ORIGIN says why */
#define N_TEXTS 3
#define N 80
#define N_VOCAB 40
#define N_SCORED 50
#define N_FRAMES 17
#define N_HEADS 2

typedef struct Golden {
	WeftNpy *mel, *ids, *logits, *scores;
	guint32 texts[N_TEXTS][N];
} Golden;

static WeftNpy *read_array(const char *path, gsize n)
{
	g_autoptr(GError) error = NULL;
	WeftNpy *npy = weft_npy_read(path, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(npy->n_items, ==, n);
	return npy;
}

static void golden_open(Golden *golden)
{
	golden->mel = read_array(DECODER "/mel.npy", 8 * 40);
	golden->ids = read_array(DECODER "/ids.npy", N_TEXTS * N);
	golden->logits = read_array(DECODER "/logits.npy", N_TEXTS * N * N_VOCAB);
	golden->scores = read_array(DECODER "/scores.npy", N_HEADS * N_SCORED * N_FRAMES);
	for (gsize i = 0; i < N_TEXTS * N; i++)
		golden->texts[i / N][i % N] = (guint32)golden->ids->f32[i];
}

static void golden_close(Golden *golden)
{
	weft_npy_free(golden->mel);
	weft_npy_free(golden->ids);
	weft_npy_free(golden->logits);
	weft_npy_free(golden->scores);
}

static void assert_close(const float *values, const float *golden, gsize n, float largest)
{
	for (gsize i = 0; i < n; i++)
		if (!(fabsf(values[i] - golden[i]) <= TOLERANCE * largest))
			g_error("number %zu is %g, expected %g", i, values[i], golden[i]);
}

static const float *logits_of(const Golden *golden, gsize text, gsize position)
{
	return golden->logits->f32 + (text * N + position) * N_VOCAB;
}

static void assert_logits(const Golden *golden, gsize text, gsize position, const float *logits)
{
	assert_close(logits, logits_of(golden, text, position), N_VOCAB, 13.6F);
}

static WeftScorer *listen(const Opened *opened, const Golden *golden)
{
	g_autoptr(GError) error = NULL;
	WeftListener *listener = weft_encoders_listener(opened->encoders);
	WeftScorer *scorer;

	g_assert_nonnull(listener);
	g_assert_cmpuint(listener->n_bins, ==, 8);
	scorer = listener->listen(listener, golden->mel->f32, 40, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(scorer->n_vocab, ==, N_VOCAB);
	g_assert_cmpuint(scorer->n_context, ==, 90);
	g_assert_cmpuint(scorer->n_heads, ==, N_HEADS);
	return scorer;
}

/* The rows of the texts: one while they agree, three in turning order behind that. Texts part at
 * positions 61 (inside a page) and 70. */
static void follow(const Golden *golden, WeftScorer *scorer, gsize n_prompt)
{
	float logits[4 * N_VOCAB], at[N_VOCAB];
	gsize order[4] = { 0, 0, 1, 2 }, n_rows = 1; /* the text of each row */
	g_autoptr(GError) error = NULL;

	g_assert_true(scorer->begin(scorer, golden->texts[0], n_prompt, 3, at, logits, &error));
	g_assert_no_error(error);
	assert_logits(golden, 0, 3, at);
	assert_logits(golden, 0, n_prompt - 1, logits);
	for (gsize p = n_prompt; p < N; p++) {
		guint32 parents[4], ids[4];
		gsize before[4], n_before = n_rows;

		memcpy(before, order, sizeof before);
		n_rows = p < 61 ? 1 : 4; /* text 0 twice: rows with one past and one future */
		for (gsize i = 0; i < n_rows; i++) {
			static const gsize texts[] = { 0, 1, 0, 2 };
			order[i] = n_rows == 1 ? 0 : texts[(i + p) % 4];
			ids[i] = golden->texts[order[i]][p];
			parents[i] = 0;
			for (gsize k = 0; n_before > 1 && k < n_before; k++)
				if (before[k] == order[i])
					parents[i] = (guint32)k;
		}
		g_assert_true(scorer->step(scorer, parents, ids, n_rows, logits, &error));
		for (gsize i = 0; i < n_rows; i++)
			assert_logits(golden, order[i], p, logits + i * N_VOCAB);
	}
}

static void check_rows(const char *tier)
{
	Opened opened = check_open_tier(DECODER, NULL, tier);
	Golden golden;

	golden_open(&golden);
	g_autoptr(WeftScorer) scorer = listen(&opened, &golden);
	follow(&golden, scorer, 60);
	follow(&golden, scorer, 4); /* nothing is left of before */
	g_clear_pointer(&scorer, weft_scorer_free);
	golden_close(&golden);
	check_close(&opened);
}

static void test_rows(void)
{
	check_rows("ref");
	check_rows(NULL);
}

typedef struct Heads {
	float scores[N_HEADS * N_SCORED * N_FRAMES];
	gsize n;
} Heads;

static void take_head(float *scores, gpointer data)
{
	const gsize size = N_SCORED * N_FRAMES;
	Heads *heads = data;

	g_assert_cmpuint(heads->n, <, N_HEADS);
	memcpy(heads->scores + heads->n++ * size, scores, size * sizeof(float));
	memset(scores, 0xff, size * sizeof(float)); /* it is ours */
}

static void test_align(void)
{
	Opened opened = check_open_tier(DECODER, NULL, NULL);
	Golden golden;
	const guint32 n_plain = 30;
	float probabilities[N_SCORED];
	Heads heads = { .n = 0 };
	g_autoptr(GError) error = NULL;

	golden_open(&golden);
	g_autoptr(WeftScorer) scorer = listen(&opened, &golden);
	g_assert_true(scorer->align(scorer, golden.texts[0], N_SCORED, N_FRAMES, n_plain,
				    take_head, &heads, probabilities, &error));
	g_assert_cmpuint(heads.n, ==, N_HEADS);
	assert_close(heads.scores, golden.scores->f32, G_N_ELEMENTS(heads.scores), 6.16F);
	g_assert_cmpfloat(probabilities[0], ==, 0);
	for (gsize i = 1; i < N_SCORED; i++) {
		const float *logits = logits_of(&golden, 0, i - 1);
		guint32 id = golden.texts[0][i];
		double sum = 0;

		for (guint32 k = 0; k < n_plain; k++)
			sum += exp(logits[k]);
		double expected = id < n_plain ? exp(logits[id]) / sum : 0;
		g_assert_cmpfloat(fabs(probabilities[i] - expected), <=, 2e-4 * expected);
	}
	g_clear_pointer(&scorer, weft_scorer_free);
	golden_close(&golden);
	check_close(&opened);
}

/* Rows have the same bits alone and beside others, step by step and at once. */
static void test_company(void)
{
	Opened opened = check_open_tier(DECODER, NULL, NULL);
	Golden golden;
	const guint32 parents[] = { 0, 0, 0 };
	float alone[N_VOCAB], beside[3 * N_VOCAB], at_once[N_VOCAB];

	golden_open(&golden);
	g_autoptr(WeftScorer) scorer = listen(&opened, &golden);
	const guint32 *ids = golden.texts[0];
	const guint32 three[] = { 7, ids[9], 8 };

	g_assert_true(scorer->begin(scorer, ids, 10, 0, NULL, at_once, NULL));
	g_assert_true(scorer->begin(scorer, ids, 9, 0, NULL, alone, NULL));
	g_assert_true(scorer->step(scorer, parents, ids + 9, 1, alone, NULL));
	g_assert_true(scorer->begin(scorer, ids, 9, 0, NULL, beside, NULL));
	g_assert_true(scorer->step(scorer, parents, three, 3, beside, NULL));
	g_assert_cmpmem(alone, sizeof alone, at_once, sizeof at_once);
	g_assert_cmpmem(alone, sizeof alone, beside + N_VOCAB, sizeof alone);
	g_clear_pointer(&scorer, weft_scorer_free);
	golden_close(&golden);
	check_close(&opened);
}

static void test_limit(void)
{
	Opened opened = check_open(DECODER, NULL);
	Golden golden;
	guint32 ids[91] = { 0 };
	const guint32 parent = 0, beyond = N_VOCAB;
	float logits[N_VOCAB];
	g_autoptr(GError) error = NULL;

	golden_open(&golden);
	g_autoptr(WeftScorer) scorer = listen(&opened, &golden);
	g_assert_false(scorer->begin(scorer, ids, 91, 0, NULL, logits, &error));
	g_assert_cmpstr(error->message, ==, "91 tokens, this Whisper takes 90");
	g_clear_error(&error);
	g_assert_true(scorer->begin(scorer, ids, 90, 0, NULL, logits, &error));
	g_assert_false(scorer->step(scorer, &parent, ids, 1, logits, &error));
	g_assert_cmpstr(error->message, ==, "91 tokens, this Whisper takes 90");
	g_clear_error(&error);
	g_assert_false(scorer->begin(scorer, &beyond, 1, 0, NULL, logits, &error));
	g_assert_cmpstr(error->message, ==, "id 40, this Whisper has ids below 40");
	g_clear_pointer(&scorer, weft_scorer_free);
	golden_close(&golden);
	check_close(&opened);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/whisper_decoder/rows", test_rows);
	g_test_add_func("/whisper_decoder/align", test_align);
	g_test_add_func("/whisper_decoder/company", test_company);
	g_test_add_func("/whisper_decoder/limit", test_limit);
	return g_test_run();
}
