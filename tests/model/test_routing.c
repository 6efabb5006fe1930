/* Which experts were chosen, against transformers' routers (data/routing.json), alone, in company
 * and behind a shared prefix; and what the figures say. */
#include <math.h>

#include "base/files.h"
#include "base/json.h"
#include "golden.h"

static guint64 submit(const Golden *golden, WeftSequence *take_sequence, gsize n_tokens_max,
		      gboolean counts)
{
	WeftGeneration generation = {.n_tokens_max = n_tokens_max, .counts_routing = counts};
	GError *error = NULL;
	guint64 ticket = 0;
	weft_model_submit(golden->model, take_sequence, &generation, &ticket, &error);
	g_assert_no_error(error);
	return ticket;
}

static WeftAnswer *finish(const Golden *golden)
{
	WeftAnswer *answer = NULL;
	GError *error = NULL;
	guint64 ticket;
	while (!weft_model_take(golden->model, &ticket, &answer, &error))
		weft_model_step(golden->model, &error);
	g_assert_no_error(error);
	return answer;
}

static void check_counts(const WeftRouting *routing, const WeftJson *want)
{
	const WeftJson *layers = weft_json_member(want, "layers");
	const WeftJson *counts = weft_json_member(want, "counts");
	g_assert_nonnull(routing);
	g_assert_cmpuint(routing->n_layers, ==, weft_json_length(layers));
	for (gsize i = 0; i < routing->n_layers; i++) {
		const WeftJson *row = weft_json_at(counts, i);
		guint64 number;
		g_assert_true(weft_json_uint(weft_json_at(layers, i), &number));
		g_assert_cmpuint(routing->layers[i], ==, number);
		g_assert_cmpuint(routing->n_experts, ==, weft_json_length(row));
		for (gsize e = 0; e < routing->n_experts; e++) {
			g_assert_true(weft_json_uint(weft_json_at(row, e), &number));
			g_assert_cmpuint(routing->counts[i * routing->n_experts + e], ==, number);
		}
	}
}

static void test_golden(void)
{
	static const char *const folders[] = {"scout", "maverick", "mixtral"};
	GError *error = NULL;
	g_autofree char *text = NULL;
	gsize size;
	weft_file_read(TEST_DATA "/routing.json", 1 << 20, &text, &size, &error);
	g_assert_no_error(error);
	g_autoptr(WeftJson) all = weft_json_parse(text, size, WEFT_JSON_STRICT, &error);
	g_assert_no_error(error);
	for (gsize f = 0; f < G_N_ELEMENTS(folders); f++) {
		g_autoptr(Golden) golden = golden_open(folders[f], NULL, 2);
		const WeftJson *prompts = weft_json_member(all, folders[f]);
		g_assert_cmpuint(weft_json_length(prompts), >=, 2);
		for (gsize p = 0; p < weft_json_length(prompts); p++) {
			const char *what = weft_json_key_at(prompts, p, NULL);
			/* One token of answer goes through no layer: the counts are the prompt's. */
			submit(golden, golden_sequence(golden, folders[f], what), 1, TRUE);
			g_autoptr(WeftAnswer) answer = finish(golden);
			g_test_message("%s %s", folders[f], what);
			check_counts(answer->routing, weft_json_at(prompts, p));
		}
	}
}

static WeftRouting *routing_of(WeftAnswer *take_answer)
{
	g_autoptr(WeftAnswer) answer = take_answer;
	g_assert_nonnull(answer->routing);
	return g_steal_pointer(&answer->routing);
}

static void check_equal(const WeftRouting *a, const WeftRouting *b)
{
	gsize n = a->n_layers * a->n_experts * sizeof(*a->counts);
	g_assert_cmpmem(a->counts, n, b->counts, b->n_layers * b->n_experts * sizeof(*b->counts));
}

static WeftSequence *long_prompt(const Golden *golden, gsize n_prefix)
{
	WeftSequence *sequence = golden_sequence(golden, "scout", "long");
	sequence->n_prefix = n_prefix;
	return sequence;
}

/* A prefix is counted as if each request had computed it, also when one did that nobody asked. */
static void test_prefix(void)
{
	g_autoptr(Golden) golden = golden_open("scout", NULL, 1);
	submit(golden, long_prompt(golden, 0), 5, TRUE);
	g_autoptr(WeftRouting) alone = routing_of(finish(golden));
	submit(golden, long_prompt(golden, 20), 5, FALSE);
	g_autoptr(WeftAnswer) unasked = finish(golden);
	g_assert_null(unasked->routing);
	submit(golden, long_prompt(golden, 20), 5, TRUE);
	g_autoptr(WeftRouting) shared = routing_of(finish(golden));
	check_equal(alone, shared);
	/* Both in one batch, the second waiting for the first. */
	submit(golden, long_prompt(golden, 21), 5, TRUE);
	submit(golden, long_prompt(golden, 21), 5, TRUE);
	g_autoptr(WeftRouting) first = routing_of(finish(golden));
	g_autoptr(WeftRouting) second = routing_of(finish(golden));
	check_equal(alone, first);
	check_equal(alone, second);
}

/* Each token but the last, in each layer, whatever runs beside. */
static void test_tokens(void)
{
	g_autoptr(Golden) golden = golden_open("mixtral", NULL, 2);
	WeftRoutingFigures figures;
	submit(golden, golden_sequence(golden, "mixtral", "short"), 9, TRUE);
	g_autoptr(WeftAnswer) alone = finish(golden);
	submit(golden, golden_sequence(golden, "mixtral", "short"), 9, TRUE);
	submit(golden, golden_sequence(golden, "mixtral", "long"), 9, FALSE);
	g_autoptr(WeftAnswer) beside = finish(golden);
	g_autoptr(WeftAnswer) other = finish(golden);
	if (!beside->routing)
		check_equal(alone->routing, other->routing);
	else
		check_equal(alone->routing, beside->routing);
	for (gsize i = 0; i < alone->routing->n_layers; i++) {
		weft_routing_figures(alone->routing, i, &figures);
		g_assert_cmpuint(figures.n_tokens, ==, alone->n_text + alone->n_generated - 1);
	}
}

static void test_without_experts(void)
{
	g_autoptr(Golden) golden = golden_open("guard4", NULL, 1);
	submit(golden, golden_sequence(golden, "guard4", "short"), 2, TRUE);
	g_autoptr(WeftAnswer) answer = finish(golden);
	g_assert_null(answer->routing);
}

typedef struct Case {
	gsize n_active;
	guint64 counts[8];
	double entropy, load_max;
	gsize n_unused;
	gboolean is_collapsed;
} Case;

/* Entropies that can be worked out by hand. */
static const Case cases[] = {
	{1, {0}, 0, 0, 0, FALSE},
	{1, {50, 50, 50, 50, 50, 50, 50, 50}, 3, 1, 0, FALSE},
	{1, {128, 64, 32, 32, 0, 0, 0, 0}, 1.75, 4, 4, FALSE},
	{1, {0, 0, 0, 159, 0, 0, 0, 0}, 0, 8, 7, FALSE}, /* one token too few to say so */
	{1, {0, 0, 0, 160, 0, 0, 0, 0}, 0, 8, 7, TRUE},
	{1, {80, 80, 0, 0, 0, 0, 0, 0}, 1, 4, 6, FALSE},
	{2, {160, 160, 0, 0, 0, 0, 0, 0}, 1, 4, 6, TRUE}, /* two are the least that two can use */
	{2, {160, 80, 80, 0, 0, 0, 0, 0}, 1.5, 4, 5, TRUE},
	{2, {160, 40, 40, 40, 40, 0, 0, 0}, 2, 4, 3, FALSE},
};

static void test_figures(void)
{
	for (gsize c = 0; c < G_N_ELEMENTS(cases); c++) {
		g_autoptr(WeftRouting) routing = weft_routing_new(2, 8, cases[c].n_active);
		WeftRoutingFigures figures;
		for (gsize e = 0; e < 8; e++)
			routing->counts[8 + e] = cases[c].counts[e];
		weft_routing_figures(routing, 1, &figures);
		g_test_message("case %zu", c);
		g_assert_cmpfloat(fabs(figures.entropy - cases[c].entropy), <, 1e-12);
		g_assert_cmpfloat(fabs(figures.load_max - cases[c].load_max), <, 1e-12);
		g_assert_cmpuint(figures.n_unused, ==, cases[c].n_unused);
		g_assert_cmpint(figures.is_collapsed, ==, cases[c].is_collapsed);
		weft_routing_figures(routing, 0, &figures);
		g_assert_cmpuint(figures.n_tokens, ==, 0);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/routing/golden", test_golden);
	g_test_add_func("/routing/prefix", test_prefix);
	g_test_add_func("/routing/tokens", test_tokens);
	g_test_add_func("/routing/without-experts", test_without_experts);
	g_test_add_func("/routing/figures", test_figures);
	return g_test_run();
}
