/* The guard's form of answer as it is described: "safe", or "unsafe" and on the second line the
 * categories; and the score, which is the softmax of transformers' logits. */
#include <math.h>
#include <string.h>

#include "golden.h"

typedef struct Case {
	const char *text;
	gboolean is_cut;
	WeftVerdictKind kind;
	guint32 categories;
	gboolean has_reason;
} Case;

#define S(n) (1u << ((n)-1))

static const Case cases[] = {
	{"safe", FALSE, WEFT_VERDICT_SAFE, 0, FALSE},
	{"\n\nsafe", FALSE, WEFT_VERDICT_SAFE, 0, FALSE},
	{"  safe \n\n", FALSE, WEFT_VERDICT_SAFE, 0, FALSE},
	{"unsafe\nS1", FALSE, WEFT_VERDICT_UNSAFE, S(1), FALSE},
	{"\n\nunsafe\nS1,S10", FALSE, WEFT_VERDICT_UNSAFE, S(1) | S(10), FALSE},
	{"unsafe\n S2 , S14\n", FALSE, WEFT_VERDICT_UNSAFE, S(2) | S(14), FALSE},
	{"unsafe\r\nS3", FALSE, WEFT_VERDICT_UNSAFE, S(3), FALSE},
	{"unsafe\nS5,S5,S4", FALSE, WEFT_VERDICT_UNSAFE, S(4) | S(5), FALSE},
	/* Only S1 to S14 are categories. */
	{"unsafe\nS15,S0,S01,s1,S1x,S,13,S9", FALSE, WEFT_VERDICT_UNSAFE, S(9), FALSE},
	{"unsafe", FALSE, WEFT_VERDICT_UNSAFE, 0, TRUE},
	{"unsafe\nviolence", FALSE, WEFT_VERDICT_UNSAFE, 0, TRUE},
	/* Cut: "S1" may have been about to be "S10". */
	{"unsafe\nS2,S1", TRUE, WEFT_VERDICT_UNSAFE, S(2), TRUE},
	{"unsafe\nS1", TRUE, WEFT_VERDICT_UNSAFE, 0, TRUE},
	/* Anything else is no verdict. */
	{"", FALSE, WEFT_VERDICT_NONE, 0, TRUE},
	{"Safe", FALSE, WEFT_VERDICT_NONE, 0, TRUE},
	{"safe.", FALSE, WEFT_VERDICT_NONE, 0, TRUE},
	{"safe\nS1", FALSE, WEFT_VERDICT_NONE, 0, TRUE},
	{"safe unsafe", FALSE, WEFT_VERDICT_NONE, 0, TRUE},
	{"unsafe S1", FALSE, WEFT_VERDICT_NONE, 0, TRUE},
	{"unsafe\nS1\nbecause", FALSE, WEFT_VERDICT_NONE, 0, TRUE},
	{"The answer is:\nsafe", FALSE, WEFT_VERDICT_NONE, 0, TRUE},
	{"unsaf", TRUE, WEFT_VERDICT_NONE, 0, TRUE},
};

static WeftVerdict *verdict_of(const char *text, gboolean is_cut)
{
	g_autoptr(WeftAnswer) answer = weft_answer_new();
	answer->json = g_strdup(text);
	answer->is_cut = is_cut;
	answer->watched_probability = 0.25;
	return weft_verdict_read(answer);
}

static void test_table(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(WeftVerdict) verdict = verdict_of(cases[i].text, cases[i].is_cut);
		g_test_message("case %zu: %s", i, cases[i].text);
		g_assert_cmpint(verdict->kind, ==, cases[i].kind);
		g_assert_cmphex(verdict->categories, ==, cases[i].categories);
		g_assert_cmpint(verdict->reason != NULL, ==, cases[i].has_reason);
		/* A score of what was not understood means nothing. */
		g_assert_cmpfloat(verdict->score, ==, verdict->kind ? 0.25 : -1);
	}
}

/* Only the begin is quoted, in whole characters. */
static void test_quote(void)
{
	g_autoptr(GString) text = g_string_new("x");
	for (int i = 0; i < 100; i++)
		g_string_append(text, "é");
	g_autoptr(WeftVerdict) verdict = verdict_of(text->str, FALSE);
	g_assert_true(g_utf8_validate(verdict->reason, -1, NULL));
	g_assert_nonnull(strstr(verdict->reason, "\"xéé"));
	g_assert_cmpuint(strlen(verdict->reason), <, 150);
	g_assert_true(g_str_has_suffix(verdict->reason, "é\""));
}

static WeftAnswer *answer_of(const Golden *golden, WeftSequence *take_sequence, const char *watched)
{
	WeftGeneration generation = {.n_tokens_max = 3, .watched = watched};
	WeftAnswer *answer = NULL;
	GError *error = NULL;
	guint64 ticket;
	weft_model_submit(golden->model, take_sequence, &generation, &ticket, &error);
	g_assert_no_error(error);
	while (!weft_model_take(golden->model, &ticket, &answer, &error))
		weft_model_step(golden->model, &error);
	g_assert_no_error(error);
	return answer;
}

/* " of" is one token of the fixture's tokenizer, "unsafe" is none. */
static void test_score(void)
{
	g_autoptr(Golden) golden = golden_open("scout", NULL, 1);
	WeftSequence *prompt = golden_sequence(golden, "scout", "short");
	gsize n_vocab = weft_model_vocab(golden->model), last = weft_sequence_length(prompt) - 1;
	g_autoptr(WeftNpy) logits = golden_logits("scout", "short");
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	double sum = 0, want;

	weft_tokenizer_encode(weft_bundle_tokenizer(golden->bundle), " of", 3, FALSE, ids);
	g_assert_cmpuint(ids->len, ==, 1);
	for (gsize id = 0; id < n_vocab; id++)
		sum += exp((double)logits->f32[last * n_vocab + id]);
	want = exp((double)logits->f32[last * n_vocab + (gsize)g_array_index(ids, gint32, 0)]) / sum;
	g_autoptr(WeftAnswer) known = answer_of(golden, prompt, " of");
	g_autoptr(WeftAnswer) split =
		answer_of(golden, golden_sequence(golden, "scout", "short"), "unsafe");
	g_autoptr(WeftAnswer) unasked =
		answer_of(golden, golden_sequence(golden, "scout", "short"), NULL);

	/* Of logits to 1e-4 of the largest (about 6). */
	g_assert_cmpfloat(fabs(known->watched_probability - want), <=, 2e-3 * want);
	g_assert_cmpfloat(known->watched_probability, >, 0);
	g_assert_cmpfloat(split->watched_probability, <, 0);
	g_assert_cmpfloat(unasked->watched_probability, <, 0);
	g_assert_cmpstr(known->json, ==, unasked->json);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/verdict/table", test_table);
	g_test_add_func("/verdict/quote", test_quote);
	g_test_add_func("/verdict/score", test_score);
	return g_test_run();
}
