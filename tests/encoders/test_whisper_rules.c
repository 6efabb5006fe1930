/* The filters with logits that favour what they forbid. */
#include "script.h"

/* The token that the rules leave as the likeliest behind `says` when `wanted` has the most, then
 * `second`, and all others nothing. */
static guint32 likeliest(const WeftWhisperTokens *tokens, const char *says, guint32 wanted,
			 guint32 second)
{
	g_autoptr(GArray) ids = script_ids(tokens, says);
	g_autofree float *logits = g_new0(float, tokens->n_vocab);
	guint32 best = 0;

	logits[second] = 20;
	logits[wanted] = 40;
	weft_whisper_rules_apply(tokens, (const guint32 *)(gconstpointer)ids->data, ids->len,
				 logits);
	for (guint32 id = 0; id < tokens->n_vocab; id++)
		if (logits[id] > logits[best])
			best = id;
	return best;
}

static void test_what_never_comes(void)
{
	Vocabulary v = vocabulary_open();
	const WeftWhisperTokens *t = v.tokens;
	g_autoptr(GArray) word = script_ids(t, " the");
	guint32 the = g_array_index(word, guint32, 0);
	const guint32 never[] = { t->transcribe,   t->translate, t->sot,         t->startoflm,
				  t->startofprev, t->nospeech,  t->notimestamps };

	for (gsize i = 0; i < G_N_ELEMENTS(never); i++)
		g_assert_cmpuint(likeliest(t, "0.00| a", never[i], the), ==, the);
	g_assert_cmpuint(t->n_non_speech, >, 10);
	for (gsize i = 0; i < t->n_non_speech; i++)
		g_assert_cmpuint(likeliest(t, "0.00| a", t->non_speech[i], the), ==, the);
	/* A language is not forbidden: the reference lets it pass. */
	g_assert_cmpuint(likeliest(t, "0.00| a", t->first_language, the), ==, t->first_language);
	g_assert_cmpuint(likeliest(t, "0.00| a", the, t->eot), ==, the);
	vocabulary_close(&v);
}

static void test_first_token(void)
{
	Vocabulary v = vocabulary_open();
	const WeftWhisperTokens *t = v.tokens;
	guint32 time = t->first_timestamp;

	g_assert_cmpuint(likeliest(t, "", 40, time + 7), ==, time + 7);
	g_assert_cmpuint(likeliest(t, "", t->eot, time + 7), ==, time + 7);
	g_assert_cmpuint(likeliest(t, "", t->blank, time + 7), ==, time + 7);
	g_assert_cmpuint(likeliest(t, "", time + 51, time + 50), ==, time + 50);
	vocabulary_close(&v);
}

static void test_pairs(void)
{
	Vocabulary v = vocabulary_open();
	const WeftWhisperTokens *t = v.tokens;
	g_autoptr(GArray) word = script_ids(t, " the");
	guint32 the = g_array_index(word, guint32, 0), time = t->first_timestamp;

	/* Text behind the first time and behind a pair. */
	g_assert_cmpuint(likeliest(t, "0.00", time + 10, the), ==, the);
	g_assert_cmpuint(likeliest(t, "0.00| a|1.00|1.00", time + 90, the), ==, the);
	/* A time or the end behind the first of a pair. */
	g_assert_cmpuint(likeliest(t, "0.00| a|1.00", the, time + 60), ==, time + 60);
	g_assert_cmpuint(likeliest(t, "0.00| a|1.00", the, t->eot), ==, t->eot);
	/* Never back; the second of a pair may be the same, a segment without length may not be. */
	g_assert_cmpuint(likeliest(t, "0.00| a|1.00", time + 49, time + 50), ==, time + 50);
	g_assert_cmpuint(likeliest(t, "0.00| a|1.00|1.00| b", time + 50, time + 51), ==, time + 51);
	vocabulary_close(&v);
}

/* All times together against the likeliest text. */
static void test_times_outweigh(void)
{
	Vocabulary v = vocabulary_open();
	const WeftWhisperTokens *t = v.tokens;
	g_autoptr(GArray) ids = script_ids(t, "0.00| a");
	g_autofree float *logits = g_new0(float, t->n_vocab);

	for (gsize id = t->first_timestamp; id < t->n_vocab; id++)
		logits[id] = 1;
	/* log(1500) + 1 = 8.313: the first time is forbidden, the others count. */
	logits[70] = 8.33F;
	weft_whisper_rules_apply(t, (const guint32 *)(gconstpointer)ids->data, ids->len, logits);
	g_assert_cmpfloat(logits[70], ==, 8.33F);
	logits[70] = 8.30F;
	weft_whisper_rules_apply(t, (const guint32 *)(gconstpointer)ids->data, ids->len, logits);
	g_assert_true(isinf(logits[70]));
	g_assert_true(isinf(logits[t->eot]));
	vocabulary_close(&v);
}

static void test_no_numbers(void)
{
	Vocabulary v = vocabulary_open();
	const WeftWhisperTokens *t = v.tokens;
	g_autofree float *logits = g_new(float, t->n_vocab);

	for (gsize id = 0; id < t->n_vocab; id++)
		logits[id] = NAN;
	weft_whisper_rules_apply(t, NULL, 0, logits);
	weft_whisper_log_softmax(logits, t->n_vocab, logits);
	for (gsize id = 0; id < t->n_vocab; id++)
		g_assert_true(logits[id] == -INFINITY);
	vocabulary_close(&v);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/whisper_rules/what_never_comes", test_what_never_comes);
	g_test_add_func("/whisper_rules/first_token", test_first_token);
	g_test_add_func("/whisper_rules/pairs", test_pairs);
	g_test_add_func("/whisper_rules/times_outweigh", test_times_outweigh);
	g_test_add_func("/whisper_rules/no_numbers", test_no_numbers);
	return g_test_run();
}
