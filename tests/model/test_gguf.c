/* Models as GGUF, written by llama.cpp's converter: the logits that transformers has for the
 * checkpoints they were made from. */
#include <math.h>

#include "golden.h"

typedef struct Pair {
	const char *path;   /* below TEST_GOLDEN */
	const char *source; /* whose logits they are */
	gboolean has_vision;
} Pair;

static const Pair PAIRS[] = {
	{"gguf/scout", "scout", TRUE},
	{"gguf/scout/model.gguf", "scout", TRUE},
	{"gguf/maverick", "maverick", TRUE},
	{"gguf/maverick/model-00002-of-00002.gguf", "maverick", TRUE},
	{"gguf/llama31", "llama31", FALSE},
	{"gguf/mixtral", "mixtral", FALSE},
};

static void check(const Golden *golden, const Pair *pair, const char *prompt)
{
	g_autoptr(WeftSequence) sequence = golden_sequence(golden, pair->source, prompt);
	g_autoptr(WeftNpy) want = golden_logits(pair->source, prompt);
	g_autofree float *have = golden_run(golden, sequence, FALSE, TRUE);
	float largest = 0, apart = 0;

	g_assert_cmpuint(want->n_items, ==,
			 weft_sequence_length(sequence) * weft_model_vocab(golden->model));
	for (gsize i = 0; i < want->n_items; i++) {
		g_assert_false(isnan(have[i]));
		largest = fmaxf(largest, fabsf(want->f32[i]));
		apart = fmaxf(apart, fabsf(want->f32[i] - have[i]));
	}
	g_test_message("%s %s: %g of %g", pair->path, prompt, (double)apart, (double)largest);
	g_assert_cmpfloat(apart, <=, 1e-4f * largest); /* f32 sums in another order */
}

static void test_golden(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(PAIRS); i++) {
		g_autoptr(Golden) golden = golden_open(PAIRS[i].path, NULL, 0);
		check(golden, &PAIRS[i], "short");
		check(golden, &PAIRS[i], "long");
		if (PAIRS[i].has_vision)
			check(golden, &PAIRS[i], "image");
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/gguf/golden", test_golden);
	return g_test_run();
}
