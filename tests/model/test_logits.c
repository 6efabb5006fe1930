#include <math.h>
#include <string.h>

#include "base/error.h"
#include "golden.h"

static const char *const folders[] = {"scout", "maverick"};
static const char *const prompts[] = {"short", "long", "image"};

/* Text alone: each family and each way to name and store its tensors. */
static const char *const family[] = {"llama31", "mixtral", "mixtral_fused", "guard4",
				     "scout_text", "maverick_fp8", "linearised"};

static gsize size_of(const Golden *golden, const WeftSequence *sequence)
{
	return weft_sequence_length(sequence) * weft_model_vocab(golden->model);
}

/* f32 sums in another order than transformers': 1e-4 of the largest logit. */
static void check_golden(const Golden *golden, const char *folder, const char *prompt)
{
	g_autoptr(WeftSequence) sequence = golden_sequence(golden, folder, prompt);
	g_autoptr(WeftNpy) want = golden_logits(folder, prompt);
	g_autofree float *have = golden_run(golden, sequence, FALSE, TRUE);
	float largest = 0, apart = 0;

	g_assert_cmpuint(want->n_items, ==, size_of(golden, sequence));
	for (gsize i = 0; i < want->n_items; i++) {
		float difference = fabsf(want->f32[i] - have[i]);
		g_assert_false(isnan(have[i]));
		largest = fmaxf(largest, fabsf(want->f32[i]));
		apart = fmaxf(apart, difference);
	}
	g_test_message("%s %s: %g of %g", folder, prompt, (double)apart, (double)largest);
	g_assert_cmpfloat(apart, <=, 1e-4f * largest);
}

/* Also with the cache of a run, which is bf16 where the weights are (maverick). */
static void check_step(const Golden *golden, const WeftSequence *sequence, gboolean exact)
{
	g_autofree float *whole = golden_run(golden, sequence, FALSE, exact);
	g_autofree float *steps = golden_run(golden, sequence, TRUE, exact);
	gsize size = size_of(golden, sequence) * sizeof(float);
	g_assert_cmpmem(whole, size, steps, size);
}

static void test_golden(void)
{
	for (gsize f = 0; f < G_N_ELEMENTS(folders); f++) {
		g_autoptr(Golden) golden = golden_open(folders[f], NULL, 0);
		for (gsize p = 0; p < G_N_ELEMENTS(prompts); p++)
			check_golden(golden, folders[f], prompts[p]);
	}
}

static void test_family(void)
{
	for (gsize f = 0; f < G_N_ELEMENTS(family); f++) {
		g_autoptr(Golden) golden = golden_open(family[f], NULL, 0);
		check_golden(golden, family[f], "short");
		check_golden(golden, family[f], "long");
		g_autoptr(WeftSequence) sequence = golden_sequence(golden, family[f], "long");
		check_step(golden, sequence, TRUE);
		check_step(golden, sequence, FALSE);
	}
}

/* The long prompt is more than three chunks, so every wrong mask would show. */
static void test_long_is_long(void)
{
	for (gsize f = 0; f < G_N_ELEMENTS(folders); f++) {
		g_autoptr(Golden) golden = golden_open(folders[f], "ref", 1);
		g_autoptr(WeftSequence) sequence = golden_sequence(golden, folders[f], "long");
		gsize chunk = weft_bundle_config(golden->bundle)->text.chunk_size;
		g_assert_cmpuint(chunk, >, 0);
		g_assert_cmpuint(weft_sequence_length(sequence), >, 3 * chunk);
	}
}

static void test_step_is_prefill(void)
{
	for (gsize f = 0; f < G_N_ELEMENTS(folders); f++) {
		g_autoptr(Golden) golden = golden_open(folders[f], NULL, 2);
		for (gsize p = 0; p < G_N_ELEMENTS(prompts); p++) {
			g_autoptr(WeftSequence) sequence =
				golden_sequence(golden, folders[f], prompts[p]);
			check_step(golden, sequence, TRUE);
			check_step(golden, sequence, FALSE);
		}
	}
}

/* A bf16 cache is used and changes something, though little. */
static void test_cache_type(void)
{
	g_autoptr(Golden) golden = golden_open("maverick", NULL, 1);
	g_autoptr(WeftSequence) sequence = golden_sequence(golden, "maverick", "long");
	g_autofree float *exact = golden_run(golden, sequence, FALSE, TRUE);
	g_autofree float *rounded = golden_run(golden, sequence, FALSE, FALSE);
	float apart = 0;
	for (gsize i = 0; i < size_of(golden, sequence); i++)
		apart = fmaxf(apart, fabsf(exact[i] - rounded[i]));
	g_assert_cmpfloat(apart, >, 0);
	g_assert_cmpfloat(apart, <, 0.1f); /* of logits around 5: keys and values to 2^-9 */
}

/* Ten pages a layer, of which four stay in memory: the same bits, whatever lies where. */
static void test_spilled(void)
{
	g_autoptr(Golden) golden = golden_open("scout", NULL, 2);
	g_autoptr(WeftSequence) sequence = weft_sequence_new(weft_model_width(golden->model));
	WeftModelOptions options = {.kv_memory_max_bytes = 1, .kv_folder = g_get_tmp_dir()};
	gsize n_vocab = weft_model_vocab(golden->model);
	for (gsize i = 0; i < 600; i++)
		weft_sequence_add_id(sequence, (gint32)(i * i * 7 % n_vocab));
	g_autofree float *want = golden_run(golden, sequence, FALSE, FALSE);
	for (int what = 0; what < 2; what++) {
		GError *error = NULL;
		g_autofree float *have = g_new(float, size_of(golden, sequence));
		g_autoptr(WeftModel) model =
			weft_model_open(golden->bundle, golden->kernels, &options, &error);
		g_assert_no_error(error);
		weft_model_logits(model, sequence, NULL, what == 1, FALSE, have, &error);
		g_assert_no_error(error);
		gsize size = size_of(golden, sequence) * sizeof(float);
		g_assert_cmpmem(have, size, want, size);
		options.kv_memory_max_bytes = 200000; /* of 4 layers of 10 pages of 16 KiB */
	}
}

static void test_threads(void)
{
	for (gsize f = 0; f < G_N_ELEMENTS(folders); f++) {
		g_autoptr(Golden) one = golden_open(folders[f], NULL, 1);
		g_autoptr(Golden) four = golden_open(folders[f], NULL, 4);
		g_autoptr(WeftSequence) sequence = golden_sequence(one, folders[f], "image");
		g_autofree float *a = golden_run(one, sequence, FALSE, TRUE);
		g_autofree float *b = golden_run(four, sequence, FALSE, TRUE);
		gsize size = size_of(one, sequence) * sizeof(float);
		g_assert_cmpmem(a, size, b, size);
	}
}

static void test_refused(void)
{
	g_autoptr(Golden) golden = golden_open("scout", "ref", 1);
	g_autofree float *logits = g_new(float, 4 * weft_model_vocab(golden->model));
	const float row[8] = {0};
	for (int what = 0; what < 3; what++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(WeftSequence) sequence = weft_sequence_new(what == 1 ? 8 : 32);
		if (what == 1)
			weft_sequence_add_rows(sequence, 479, row, 1);
		if (what == 2)
			weft_sequence_add_id(sequence, (gint32)weft_model_vocab(golden->model));
		g_assert_false(weft_model_logits(golden->model, sequence, NULL, FALSE, TRUE, logits,
						 &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/logits/golden", test_golden);
	g_test_add_func("/logits/family", test_family);
	g_test_add_func("/logits/long-is-long", test_long_is_long);
	g_test_add_func("/logits/step-is-prefill", test_step_is_prefill);
	g_test_add_func("/logits/cache-type", test_cache_type);
	g_test_add_func("/logits/spilled", test_spilled);
	g_test_add_func("/logits/threads", test_threads);
	g_test_add_func("/logits/refused", test_refused);
	return g_test_run();
}
