/* Models as GGUF, written by llama.cpp's converter: the logits that transformers has for the
 * checkpoints they were made from. */
#include <math.h>

#include <glib/gstdio.h>

#include "base/files.h"
#include "base/json.h"
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
	{"gguf/mixed", "gguf/mixed", FALSE}, /* every type that is read */
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

static void quantize(const WeftQuantizeJob *job)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(WeftQuantizer) quantizer = weft_quantizer_open(job, &error);
	gboolean is_done = FALSE;
	g_assert_no_error(error);
	while (!is_done) {
		gboolean is_good = weft_quantizer_next(quantizer, &is_done, &error);
		g_assert_no_error(error);
		g_assert_true(is_good);
	}
}

/* Every layout of a checkpoint, written as GGUF by weft and opened again, without any loss. */
static void test_written(void)
{
	static const Pair pairs[] = {
		{"scout", "scout", TRUE},        {"maverick", "maverick", TRUE},
		{"llama31", "llama31", FALSE},   {"mixtral", "mixtral", FALSE},
		{"guard4", "guard4", FALSE},     {"mixtral_fused", "mixtral_fused", FALSE},
		{"linearised", "linearised", FALSE},
		{"scout_text", "scout_text", FALSE},
		{"maverick_fp8", "maverick_fp8", FALSE},
	};
	g_autofree char *folder = g_dir_make_tmp("weft-gguf-XXXXXX", NULL);
	g_autofree char *file = g_build_filename(folder, "model.gguf", NULL);
	g_autofree char *vision = g_build_filename(folder, "vision.gguf", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autofree char *source = g_build_filename(TEST_GOLDEN, pairs[i].path, NULL);
		WeftQuantizeJob job = {source, file, WEFT_DTYPE_F32, FALSE};
		quantize(&job);
		if (pairs[i].has_vision) {
			job.target = vision;
			job.is_vision = TRUE;
			quantize(&job);
		}
		g_autoptr(Golden) golden = golden_open_folder(folder, NULL, 0);
		check(golden, &pairs[i], "short");
		check(golden, &pairs[i], "long");
		if (pairs[i].has_vision)
			check(golden, &pairs[i], "image");
		(void)g_unlink(vision); /* the next may have none */
	}
	g_assert_cmpint(g_unlink(file), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

/* The bytes of each matrix are those that gguf.quants.quantize makes. */
static void check_bytes(const WeftBundle *bundle, const WeftJson *hashes)
{
	g_assert_cmpuint(weft_json_length(hashes), >, 0);
	for (gsize i = 0; i < weft_json_length(hashes); i++) {
		const char *name = weft_json_key_at(hashes, i, NULL);
		const WeftTensorView *view = NULL;
		for (gsize k = 0; k < weft_bundle_n_tensors(bundle); k++) {
			view = weft_bundle_tensor_at(bundle, k);
			if (g_str_equal(view->name, name))
				break;
			view = NULL;
		}
		g_assert_nonnull(view);
		g_autofree char *hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, view->data,
								    view->size_bytes);
		g_assert_cmpstr(hash, ==, weft_json_string(weft_json_at(hashes, i), NULL));
	}
}

/* Root of the mean square, of the logits and of what is between them. */
static double distance(const Golden *golden)
{
	g_autoptr(WeftSequence) sequence = golden_sequence(golden, "gguf/wide", "long");
	g_autoptr(WeftNpy) want = golden_logits("gguf/wide", "long");
	g_autofree float *have = golden_run(golden, sequence, FALSE, TRUE);
	double apart = 0, all = 0;
	for (gsize i = 0; i < want->n_items; i++) {
		apart += pow((double)(have[i] - want->f32[i]), 2);
		all += pow((double)want->f32[i], 2);
	}
	return sqrt(apart / all);
}

static void test_types(void)
{
	/* Measured: 0.013, 0.038, 0.151, 0.194, with random weights: each two bits less, four times. */
	static const struct {
		const char *type;
		double limit;
	} types[] = {{"q8_0", 0.016}, {"q6_k", 0.05}, {"q4_k", 0.18}, {"q4_0", 0.23}};
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = g_dir_make_tmp("weft-gguf-XXXXXX", NULL);
	g_autofree char *file = g_build_filename(folder, "model.gguf", NULL);
	g_autofree char *text = NULL;
	gsize size_bytes;

	weft_file_read(TEST_GOLDEN "/gguf/wide/quantised.json", 1 << 20, &text, &size_bytes, &error);
	g_assert_no_error(error);
	g_autoptr(WeftJson) hashes = weft_json_parse(text, size_bytes, WEFT_JSON_STRICT, &error);
	g_assert_no_error(error);
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		WeftQuantizeJob job = {TEST_GOLDEN "/gguf/wide", file, WEFT_DTYPE_F32, FALSE};
		g_assert_true(weft_quantize_type(types[i].type, &job.dtype));
		quantize(&job);
		g_autoptr(Golden) golden = golden_open_folder(file, NULL, 0);
		const WeftJson *of_type = weft_json_member(hashes, types[i].type);
		if (of_type)
			check_bytes(golden->bundle, of_type);
		double apart = distance(golden);
		g_test_message("%s: %g", types[i].type, apart);
		g_assert_cmpfloat(apart, <=, types[i].limit);
		g_assert_cmpfloat(apart, >, 0);
	}
	g_assert_cmpint(g_unlink(file), ==, 0);
	g_assert_cmpint(g_rmdir(folder), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/gguf/golden", test_golden);
	g_test_add_func("/gguf/written", test_written);
	g_test_add_func("/gguf/types", test_types);
	return g_test_run();
}
