/* Adapters over bases of tests/golden: what PEFT computed, and that nothing else changes. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "golden.h"
#include "model/adapter.h"
#include "schemas.h"

/* All of scout. */
static const char *const adapters[] = {"plain", "dora", "experts", "experts-old", "all", "saved"};

static const struct {
	const char *name, *logits, *prompts[3];
	const char *bases[3]; /* the same weights: as transformers stores them, and as GGUF */
} goldens[] = {
	{"plain", "plain", {"short", "long"}, {"scout", "gguf/scout"}},
	{"dora", "dora", {"short"}, {"scout", "gguf/scout"}},
	{"experts", "experts", {"short"}, {"scout", "gguf/scout"}},
	{"experts-old", "experts-old", {"short"}, {"scout", "gguf/scout"}},
	{"all", "all", {"short"}, {"scout", "gguf/scout"}},
	{"saved", "saved", {"short"}, {"scout", "gguf/scout"}},
	{"llama31", "llama31", {"short", "long"}, {"llama31", "gguf/llama31"}},
	{"mixtral", "mixtral", {"short"}, {"mixtral", "gguf/mixtral"}},
	{"mixtral-linear", "mixtral", {"short"}, {"mixtral", "gguf/mixtral"}},
};

static WeftLora *open_lora(const char *name)
{
	GError *error = NULL;
	g_autofree char *path = g_build_filename(TEST_GOLDEN, "lora", name, NULL);
	WeftLora *lora = weft_lora_open(path, &error);
	g_assert_no_error(error);
	return lora;
}

static WeftLora *add(const Golden *golden, const char *name)
{
	GError *error = NULL;
	WeftLora *lora = open_lora(name);
	weft_model_add_adapter(golden->model, lora, &error);
	g_assert_no_error(error);
	return lora;
}

static float *run(const Golden *golden, const WeftSequence *sequence, const WeftLora *lora,
		  gboolean step)
{
	GError *error = NULL;
	float *logits = g_new(float, weft_sequence_length(sequence) * weft_model_vocab(golden->model));
	weft_model_logits(golden->model, sequence, lora, step, TRUE, logits, &error);
	g_assert_no_error(error);
	return logits;
}

/* f32 sums in another order than PEFT's: 1e-4 of the largest logit. */
static void check(const char *base, const char *adapter, const char *prompt, const WeftNpy *want,
		  const float *have)
{
	float largest = 0, apart = 0;
	for (gsize i = 0; i < want->n_items; i++) {
		g_assert_false(isnan(have[i]));
		largest = fmaxf(largest, fabsf(want->f32[i]));
		apart = fmaxf(apart, fabsf(want->f32[i] - have[i]));
	}
	g_test_message("%s %s %s: %g of %g", base, adapter, prompt, (double)apart, (double)largest);
	g_assert_cmpfloat(apart, <=, 1e-4f * largest);
}

static void check_base(gsize i, const char *base)
{
	g_autoptr(WeftLora) lora = NULL;
	g_autoptr(Golden) golden = golden_open(base, NULL, 0);
	lora = add(golden, goldens[i].name);
	for (gsize p = 0; goldens[i].prompts[p]; p++) {
		const char *prompt = goldens[i].prompts[p];
		g_autofree char *folder = g_strconcat("lora/", goldens[i].logits, NULL);
		g_autoptr(WeftSequence) sequence =
			golden_sequence(golden, goldens[i].bases[0], prompt);
		g_autoptr(WeftNpy) want = golden_logits(folder, prompt);
		g_autofree float *have = run(golden, sequence, lora, FALSE);
		g_assert_cmpuint(want->n_items, ==,
				 weft_sequence_length(sequence) * weft_model_vocab(golden->model));
		check(base, goldens[i].name, prompt, want, have);
	}
}

static void test_golden(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(goldens); i++)
		for (gsize b = 0; goldens[i].bases[b]; b++)
			check_base(i, goldens[i].bases[b]);
}

/* Token by token through the cache, with other adapters loaded before and behind. */
static void test_step_is_prefill(void)
{
	g_autoptr(WeftLora) plain = NULL;
	g_autoptr(WeftLora) dora = NULL;
	g_autoptr(WeftLora) experts = NULL;
	g_autoptr(Golden) golden = golden_open("scout", NULL, 2);
	g_autoptr(WeftSequence) sequence = golden_sequence(golden, "scout", "long");
	gsize size = weft_sequence_length(sequence) * weft_model_vocab(golden->model) *
		     sizeof(float);
	g_autofree float *base = golden_run(golden, sequence, FALSE, TRUE);
	experts = add(golden, "experts");
	g_autofree float *alone = run(golden, sequence, experts, FALSE);
	plain = add(golden, "plain");
	dora = add(golden, "dora");
	g_autofree float *together = run(golden, sequence, experts, TRUE);
	g_autofree float *without = run(golden, sequence, NULL, FALSE);
	g_assert_cmpmem(alone, size, together, size);
	g_assert_cmpmem(base, size, without, size);
	g_assert_cmpint(memcmp(base, alone, size), !=, 0);
}

#define N_REQUESTS 12

/* Request i: adapters in turn, and none; prompts with a common beginning. */
static guint64 submit(const Golden *golden, const WeftSchema *schema, const WeftLora *const *loras,
		      gsize n_loras, int i)
{
	GError *error = NULL;
	guint64 ticket = 0;
	WeftSequence *sequence = golden_sequence(golden, "scout", i % 3 ? "long" : "short");
	WeftGeneration generation = {.schema = schema,
				     .n_tokens_max = weft_schema_min_bytes(schema) + 60,
				     .temperature = 0.5,
				     .adapter = loras[(gsize)i % n_loras]};
	weft_sequence_add_id(sequence, 40 + i);
	sequence->n_prefix = 12;
	weft_model_submit(golden->model, sequence, &generation, &ticket, &error);
	g_assert_no_error(error);
	return ticket;
}

static void take_all(const Golden *golden, const guint64 *tickets, WeftAnswer **answers, gsize n)
{
	for (gsize n_taken = 0; n_taken < n;) {
		guint64 ticket;
		WeftAnswer *answer = NULL;
		g_assert_true(weft_model_step(golden->model, NULL));
		while (weft_model_take(golden->model, &ticket, &answer, NULL)) {
			g_assert_nonnull(answer);
			for (gsize i = 0; i < n; i++)
				if (tickets[i] == ticket)
					answers[i] = answer;
			n_taken++;
		}
	}
}

/* The answers of requests with five adapters and none in one batch are those of each alone, in a
 * model that knows no other adapter. Adapters share no prefix: its keys are an adapter's own. */
static void test_batch_is_alone(void)
{
	const WeftLora *loras[G_N_ELEMENTS(adapters) + 1] = {NULL};
	g_autoptr(WeftSchema) schema = weft_schema_new(schemas[0], strlen(schemas[0]), NULL, NULL);
	g_autoptr(Golden) golden = golden_open("scout", NULL, 2);
	WeftAnswer *answers[N_REQUESTS] = {NULL};
	guint64 tickets[N_REQUESTS];
	gsize n_different = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(adapters); i++)
		loras[i + 1] = add(golden, adapters[i]);
	for (int i = 0; i < N_REQUESTS; i++)
		tickets[i] = submit(golden, schema, loras, G_N_ELEMENTS(loras), i);
	take_all(golden, tickets, answers, N_REQUESTS);
	for (int i = 0; i < N_REQUESTS; i++) {
		GError *error = NULL;
		g_autoptr(Golden) single = golden_open("scout", NULL, 1);
		const WeftLora *lora = loras[(gsize)i % G_N_ELEMENTS(loras)];
		WeftAnswer *answer = NULL;
		if (lora)
			weft_model_add_adapter(single->model, lora, &error);
		g_assert_no_error(error);
		guint64 ticket = submit(single, schema, loras, G_N_ELEMENTS(loras), i);
		take_all(single, &ticket, &answer, 1);
		g_assert_cmpstr(answer->json, ==, answers[i]->json);
		g_assert_true(answer->confidence == answers[i]->confidence);
		n_different += i > 0 && strcmp(answers[0]->json, answers[i]->json) != 0;
		weft_answer_free(answer);
	}
	g_assert_cmpuint(n_different, >, 0);
	g_clear_pointer(&golden, golden_free);
	for (gsize i = 0; i < N_REQUESTS; i++)
		weft_answer_free(answers[i]);
	for (gsize i = 1; i < G_N_ELEMENTS(loras); i++)
		weft_lora_close((WeftLora *)loras[i]);
}

/* Of a base whose q and k rows GGUF has permuted: B's rows, the bias and the lengths go with them. */
static void test_permuted(void)
{
	g_autoptr(WeftLora) lora = open_lora("saved");
	g_autoptr(Golden) golden = golden_open("scout", "ref", 1);
	WeftConfig config = *weft_bundle_config(golden->bundle);
	g_autoptr(WeftArch) arch = weft_arch_new(&config, NULL);
	g_autoptr(WeftWeights) weights =
		weft_weights_new(golden->bundle, arch, golden->kernels, NULL);
	g_autoptr(WeftAdapter) plain =
		weft_adapter_new(lora, &config, arch, weights, golden->kernels, NULL);
	config.text.qk_rows_permuted = TRUE;
	g_autoptr(WeftAdapter) permuted =
		weft_adapter_new(lora, &config, arch, weights, golden->kernels, NULL);
	gsize width = arch->head_width, n = arch->n_kv_heads * width;

	for (gsize row = 0; row < n; row++) {
		/* The converter: heads as (2, width / 2) become (width / 2, 2). */
		gsize head = row / width, pair = row % width / 2, half = row % 2;
		gsize from = head * width + half * width / 2 + pair;
		const WeftLowRank *k = weft_adapter_part(plain, 1, NULL, WEFT_ADAPTED_K);
		const WeftLowRank *turned = weft_adapter_part(permuted, 1, NULL, WEFT_ADAPTED_K);
		const WeftLowRank *v = weft_adapter_part(permuted, 1, NULL, WEFT_ADAPTED_V);
		g_assert_cmpmem(weft_tensor_row(&turned->b, row), turned->b.row_bytes,
				weft_tensor_row(&k->b, from), k->b.row_bytes);
		g_assert_true(turned->bias[row] == k->bias[from]);
		g_assert_true(v->b.data ==
			      weft_adapter_part(plain, 1, NULL, WEFT_ADAPTED_V)->b.data);
	}
}

static void test_refused(void)
{
	g_autoptr(WeftLora) lora = open_lora("plain");
	g_autoptr(WeftLora) experts = open_lora("experts");
	g_autoptr(Golden) scout = golden_open("scout", "ref", 1);
	g_autoptr(Golden) other = golden_open("maverick", "ref", 1);
	g_autoptr(GError) error = NULL;
	WeftGeneration generation = {.n_tokens_max = 5, .adapter = lora};
	guint64 ticket;

	g_assert_false(weft_model_add_adapter(other->model, lora, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
	g_assert_nonnull(strstr(error->message, "adapter plain: tensor base_model.model."));
	g_assert_nonnull(strstr(error->message, "has no layers.0.feed_forward.shared_expert"));
	g_clear_error(&error);
	g_assert_false(weft_model_add_adapter(other->model, experts, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
	g_clear_error(&error);
	g_assert_false(weft_model_submit(scout->model, golden_sequence(scout, "scout", "short"),
					 &generation, &ticket, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/adapter/golden", test_golden);
	g_test_add_func("/adapter/step-is-prefill", test_step_is_prefill);
	g_test_add_func("/adapter/batch-is-alone", test_batch_is_alone);
	g_test_add_func("/adapter/permuted", test_permuted);
	g_test_add_func("/adapter/refused", test_refused);
	return g_test_run();
}
