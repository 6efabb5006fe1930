#include <math.h>
#include <string.h>

#include "base/draw.h"
#include "golden.h"
#include "model/sample.h"

typedef struct Setup {
	Golden *golden;
	WeftLexicon *lexicon;
	WeftSchema *schema;
	WeftLevels *levels;
	WeftConstraint constraint;
	float *logits;
} Setup;

static void setup_open(Setup *setup, gconstpointer schema)
{
	GError *error = NULL;
	setup->golden = golden_open("scout", "ref", 1);
	gsize n = weft_model_vocab(setup->golden->model);
	setup->lexicon = weft_lexicon_new(setup->golden->bundle, n, &error);
	g_assert_no_error(error);
	setup->schema = weft_schema_new(schema, strlen(schema), NULL, &error);
	g_assert_no_error(error);
	setup->levels = weft_levels_new();
	weft_constraint_init(&setup->constraint, setup->schema, setup->levels, NULL, 0);
	setup->logits = g_new0(float, n);
}

static void setup_close(Setup *setup, gconstpointer schema)
{
	g_free(setup->logits);
	weft_levels_free(setup->levels);
	weft_schema_free(setup->schema);
	weft_lexicon_free(setup->lexicon);
	golden_free(setup->golden);
}

static gint32 id_of(const Setup *setup, const char *text)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	weft_lexicon_encode(setup->lexicon, text, strlen(text), ids);
	g_assert_cmpuint(ids->len, ==, 1);
	return g_array_index(ids, gint32, 0);
}

static void test_greedy(Setup *setup, gconstpointer schema)
{
	WeftChoice choice = {.lexicon = setup->lexicon, .n_tokens_left = 10};
	gint32 a = id_of(setup, "a"), b = id_of(setup, "b");
	setup->logits[MIN(a, b)] = setup->logits[MAX(a, b)] = 3;
	g_assert_cmpint(weft_sample(&choice, setup->logits).id, ==, MIN(a, b));
	setup->logits[MIN(a, b)] = NAN;
	g_assert_cmpint(weft_sample(&choice, setup->logits).id, ==, MAX(a, b));
	/* A special token that ends nothing is never chosen. */
	gint32 special = weft_tokenizer_id(setup->lexicon->tokenizer, "<|image|>");
	g_assert_cmpint(special, >, 0);
	setup->logits[special] = 100;
	g_assert_cmpint(weft_sample(&choice, setup->logits).id, ==, MAX(a, b));
}

static void test_masked(Setup *setup, gconstpointer schema)
{
	WeftChoice choice = {.lexicon = setup->lexicon,
			     .constraint = &setup->constraint,
			     .n_tokens_left = 10};
	gint32 one = id_of(setup, "1"), minus = id_of(setup, "-"), a = id_of(setup, "a");
	gint32 end = weft_tokenizer_id(setup->lexicon->tokenizer, "<|eot|>");
	for (gsize i = 0; i < setup->lexicon->n_tokens; i++)
		setup->logits[i] = -40;
	setup->logits[a] = setup->logits[end] = 50;
	setup->logits[one] = 2;
	setup->logits[minus] = 1;
	WeftChosen chosen = weft_sample(&choice, setup->logits);
	g_assert_cmpint(chosen.id, ==, one);
	g_assert_false(chosen.was_limited);
	g_assert_cmpfloat_with_epsilon(chosen.log_probability, -log(1 + exp(-1)), 1e-6);
	/* "-" would need a second token. */
	setup->logits[minus] = 3;
	choice.n_tokens_left = 1;
	chosen = weft_sample(&choice, setup->logits);
	g_assert_cmpint(chosen.id, ==, one);
	g_assert_true(chosen.was_limited);
	/* Behind a digit the document may end. */
	choice.n_tokens_left = 10;
	g_assert_true(weft_constraint_advance(&setup->constraint, '1'));
	g_assert_cmpint(weft_sample(&choice, setup->logits).id, ==, end);
}

/* 20,000 draws against the softmax under the mask: five standard deviations. */
static void test_distribution(Setup *setup, gconstpointer schema)
{
	const char *const digits[] = {"1", "2", "3"};
	const double logits[] = {1, 0, -1};
	int counts[3] = {0}, n = 20000;
	double total = 0;
	WeftChoice choice = {.lexicon = setup->lexicon,
			     .constraint = &setup->constraint,
			     .n_tokens_left = 10,
			     .temperature = 0.5,
			     .seed = 11,
			     .seed_key = 12};
	for (gsize i = 0; i < setup->lexicon->n_tokens; i++)
		setup->logits[i] = -100;
	setup->logits[id_of(setup, "a")] = 0.5f; /* likely, and not allowed */
	for (int i = 0; i < 3; i++) {
		setup->logits[id_of(setup, digits[i])] = (float)logits[i];
		total += exp(logits[i] / choice.temperature);
	}
	for (choice.place = 0; choice.place < (guint64)n; choice.place++) {
		gint32 id = weft_sample(&choice, setup->logits).id;
		for (int i = 0; i < 3; i++)
			counts[i] += id == id_of(setup, digits[i]);
	}
	for (int i = 0; i < 3; i++) {
		double p = exp(logits[i] / choice.temperature) / total;
		g_assert_cmpfloat(fabs(counts[i] - n * p), <, 5 * sqrt(n * p * (1 - p)));
	}
}

static void test_draw(void)
{
	double sum = 0, before = -1;
	for (guint64 i = 0; i < 10000; i++) {
		double draw = weft_draw(1, 2, i, 0);
		g_assert_true(draw >= 0 && draw < 1 && draw != before);
		g_assert_cmpfloat(draw, ==, weft_draw(1, 2, i, 0));
		g_assert_cmpfloat(draw, !=, weft_draw(2, 1, i, 0));
		sum += draw;
		before = draw;
	}
	g_assert_cmpfloat(fabs(sum / 10000 - 0.5), <, 0.015); /* five standard deviations */
}

#define ADD(name, schema, function) \
	g_test_add(name, Setup, schema, setup_open, function, setup_close)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/sample/greedy", "{\"type\":\"null\"}", test_greedy);
	ADD("/sample/masked", "{\"type\":\"integer\"}", test_masked);
	ADD("/sample/distribution", "{\"type\":\"integer\"}", test_distribution);
	g_test_add_func("/sample/draw", test_draw);
	return g_test_run();
}
