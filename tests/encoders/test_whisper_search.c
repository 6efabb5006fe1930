/* Searches where it is known what is best: by thought, or by openai/whisper's beams in the same
 * logits (golden/hear/search.txt). Parity of whole recordings is in test_hear.c. */
#include "encoders/whisper_search.h"

#include "base/draw.h"
#include "encoders/whisper_window.h"
#include "script.h"

/* Behind time 0, the likelier first token, any word may follow; behind time 1 one word, surely. */
typedef struct Fork {
	WeftScorer scorer;
	const WeftWhisperTokens *tokens;
	guint32 first[WEFT_SEARCH_ROWS_MAX];
	gsize depth;
} Fork;

static gboolean fork_begin(WeftScorer *scorer, const guint32 *ids, gsize n_ids, gsize at,
			   float *ret_logits_at, float *ret_logits_last, GError **error)
{
	Fork *fork = (Fork *)scorer;

	(void)ids, (void)n_ids, (void)at, (void)error;
	memset(ret_logits_at, 0, scorer->n_vocab * sizeof(float));
	memset(ret_logits_last, 0, scorer->n_vocab * sizeof(float));
	ret_logits_last[fork->tokens->first_timestamp] = 20.1F;
	ret_logits_last[fork->tokens->first_timestamp + 1] = 20;
	fork->depth = 0;
	return TRUE;
}

static gboolean fork_step(WeftScorer *scorer, const guint32 *parents, const guint32 *ids,
			  gsize n_rows, float *ret_logits, GError **error)
{
	Fork *fork = (Fork *)scorer;
	guint32 first[WEFT_SEARCH_ROWS_MAX];

	(void)error;
	memset(ret_logits, 0, n_rows * scorer->n_vocab * sizeof(float));
	fork->depth++;
	for (gsize i = 0; i < n_rows; i++) {
		float *logits = ret_logits + i * scorer->n_vocab;

		first[i] = fork->depth == 1 ? ids[i] : fork->first[parents[i]];
		if (fork->depth > 1)
			logits[fork->tokens->eot] = 30;
		else if (first[i] == fork->tokens->first_timestamp + 1)
			logits[70] = 30;
		else
			for (gsize id = 60; id < 90; id++)
				logits[id] = 20;
	}
	memcpy(fork->first, first, sizeof(first));
	return TRUE;
}

static void search_fork(gsize beam_size, guint32 *ret_first, gsize *ret_n)
{
	Vocabulary v = vocabulary_open();
	Fork fork = { .scorer = { .n_vocab = v.tokens->n_vocab, .n_context = 448,
				  .begin = fork_begin, .step = fork_step },
		      .tokens = v.tokens };
	WeftSearch search = { .beam_size = beam_size, .best_of = 1, .patience = 1,
			      .length_penalty = -1 };
	g_autoptr(GError) error = NULL;
	WeftHypothesis found;

	g_assert_true(weft_whisper_search(&search, &fork.scorer, v.tokens, &v.tokens->sot, 1,
					  &found, &error));
	*ret_first = found.tokens[0] - v.tokens->first_timestamp;
	*ret_n = found.n_tokens;
	g_free(found.tokens);
	vocabulary_close(&v);
}

static void test_beam(void)
{
	guint32 first;
	gsize n;

	search_fork(1, &first, &n);
	g_assert_cmpuint(first, ==, 0);
	g_assert_cmpuint(n, ==, 2);
	search_fork(2, &first, &n);
	g_assert_cmpuint(first, ==, 1);
	g_assert_cmpuint(n, ==, 2);
}

/* Logits that are hashes of all sampled tokens: Script of tools/make_golden_hear.py. */
typedef struct Maze {
	WeftScorer scorer;
	const WeftWhisperTokens *tokens;
	guint64 seed, states[WEFT_SEARCH_ROWS_MAX];
	gsize depth;
} Maze;

static float maze_logit(guint64 state, guint64 key, double least, double range)
{
	return (float)(least + range * ((double)(weft_draw_mix(state ^ key) >> 11) * 0x1p-53));
}

static void maze_logits(const Maze *maze, gsize n_rows, float *ret_logits)
{
	gsize n_vocab = maze->scorer.n_vocab;

	memset(ret_logits, 0, n_rows * n_vocab * sizeof(float));
	for (gsize i = 0; i < n_rows; i++) {
		float *logits = ret_logits + i * n_vocab;
		gsize first = maze->depth == 0 ? maze->tokens->first_timestamp : 64;

		for (guint64 k = 0; k < 6; k++)
			logits[first + k] = maze_logit(maze->states[i], 1000 + k, 12, 3);
		if (maze->depth > 1)
			logits[maze->tokens->eot] = maze_logit(maze->states[i], 2000, 11, 4);
	}
}

static gboolean maze_begin(WeftScorer *scorer, const guint32 *ids, gsize n_ids, gsize at,
			   float *ret_logits_at, float *ret_logits_last, GError **error)
{
	Maze *maze = (Maze *)scorer;

	(void)ids, (void)n_ids, (void)at, (void)error;
	maze->depth = 0;
	maze->states[0] = weft_draw_mix(maze->seed);
	maze_logits(maze, 1, ret_logits_last);
	memset(ret_logits_at, 0, scorer->n_vocab * sizeof(float));
	return TRUE;
}

static gboolean maze_step(WeftScorer *scorer, const guint32 *parents, const guint32 *ids,
			  gsize n_rows, float *ret_logits, GError **error)
{
	Maze *maze = (Maze *)scorer;
	guint64 states[WEFT_SEARCH_ROWS_MAX];

	(void)error;
	for (gsize i = 0; i < n_rows; i++)
		states[i] = weft_draw_mix(maze->states[parents[i]] ^ ids[i]);
	memcpy(maze->states, states, n_rows * sizeof(guint64));
	maze->depth++;
	maze_logits(maze, n_rows, ret_logits);
	return TRUE;
}

/* One line of search.txt: seed, beam_size, patience, length_penalty, average, tokens. */
static void check_maze(const Vocabulary *v, const char *line)
{
	g_auto(GStrv) fields = g_strsplit(line, " ", -1);
	g_autoptr(GString) ours = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	WeftHypothesis found;

	g_assert_cmpuint(g_strv_length(fields), ==, 6);
	Maze maze = { .scorer = { .n_vocab = v->tokens->n_vocab, .n_context = 24,
				  .begin = maze_begin, .step = maze_step },
		      .tokens = v->tokens, .seed = g_ascii_strtoull(fields[0], NULL, 10) };
	WeftSearch search = { .beam_size = (gsize)g_ascii_strtoull(fields[1], NULL, 10),
			      .best_of = 1, .patience = 1, .length_penalty = -1 };

	if (fields[2][0] != '-')
		search.patience = g_ascii_strtod(fields[2], NULL);
	if (fields[3][0] != '-')
		search.length_penalty = g_ascii_strtod(fields[3], NULL);
	g_assert_true(weft_whisper_search(&search, &maze.scorer, v->tokens, &v->tokens->sot, 1,
					  &found, &error));
	for (gsize i = 0; i < found.n_tokens; i++)
		g_string_append_printf(ours, "%s%u", i ? "," : "", found.tokens[i]);
	g_free(found.tokens);
	if (strcmp(ours->str, fields[5]) != 0 ||
	    fabs(found.average - g_ascii_strtod(fields[4], NULL)) > 1e-5)
		g_error("%g %s\nexpected\n%s", found.average, ours->str, line);
}

static void test_mazes(void)
{
	Vocabulary v = vocabulary_open();
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	g_file_get_contents(WEFT_HEAR "/search.txt", &text, NULL, &error);
	g_assert_no_error(error);
	g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);

	g_assert_cmpuint(g_strv_length(lines), >=, 80);
	for (gsize i = 0; lines[i]; i++)
		check_maze(&v, lines[i]);
	vocabulary_close(&v);
}

/* What `take` gives with these options and a prompt of n_prompt tokens that ends with sot. */
static WeftHypothesis play(const Take *take, const WeftSearch *search, gsize n_prompt)
{
	Vocabulary v = vocabulary_open();
	const Take *const windows[] = { take };
	g_autoptr(GError) error = NULL;
	g_autofree guint32 *prompt = g_new0(guint32, n_prompt);
	g_autofree float *mel = g_new0(float, 4);
	WeftHypothesis found;
	Script script;

	script_open(&script, v.tokens, windows, 1);
	prompt[n_prompt - 1] = v.tokens->sot;
	g_autoptr(WeftScorer) scorer = script.listener.listen(&script.listener, mel, 1, &error);

	g_assert_true(weft_whisper_search(search, scorer, v.tokens, prompt, n_prompt, &found,
					  &error));
	script_close(&script);
	vocabulary_close(&v);
	return found;
}

/* Text that never ends: half the context, or what is left of it. */
static void test_length(void)
{
	g_autoptr(GString) says = g_string_new("0.00|");
	WeftSearch search = { .beam_size = 1, .best_of = 1, .patience = 1, .length_penalty = -1 };

	for (gsize i = 0; i < 400; i++)
		g_string_append(says, " the");
	const Take takes[] = { { says->str, SCRIPT_SURE, 0.01 }, { NULL, 0, 0 } };
	WeftHypothesis found = play(takes, &search, 4);

	g_assert_cmpuint(found.n_tokens, ==, 224);
	g_assert_cmpfloat_with_epsilon(found.no_speech, 0.01, 1e-5);
	g_free(found.tokens);
	found = play(takes, &search, 227);
	g_assert_cmpuint(found.n_tokens, ==, 222);
	g_free(found.tokens);
	search.beam_size = 5;
	found = play(takes, &search, 448);
	g_assert_cmpuint(found.n_tokens, ==, 1);
	g_free(found.tokens);
}

static void test_draws(void)
{
	static const Take takes[] = { { "0.00| Yes.|2.00", 3, 0.01 }, { NULL, 0, 0 } };
	WeftSearch search = { .beam_size = 1, .best_of = 4, .temperature = 1, .patience = 1,
			      .length_penalty = -1, .seed = 1, .seed_key = 2 };
	WeftHypothesis found = play(takes, &search, 2), again = play(takes, &search, 2);

	g_assert_cmpmem(found.tokens, found.n_tokens * 4, again.tokens, again.n_tokens * 4);
	g_assert_cmpfloat(found.log_probability, ==, again.log_probability);
	g_free(again.tokens);
	search.seed_key = 3;
	again = play(takes, &search, 2);
	g_assert_cmpfloat(found.log_probability, !=, again.log_probability);
	g_free(again.tokens);
	/* More texts to choose from are never worse. */
	search.seed_key = 2;
	search.best_of = 1;
	again = play(takes, &search, 2);
	g_assert_cmpfloat(found.log_probability / (double)found.n_tokens, >=,
			  again.log_probability / (double)again.n_tokens);
	g_free(again.tokens);
	g_free(found.tokens);
}

static void fill_nan(float *ret_logits, gsize n)
{
	for (gsize i = 0; ret_logits && i < n; i++)
		ret_logits[i] = NAN;
}

static gboolean nan_begin(WeftScorer *scorer, const guint32 *ids, gsize n_ids, gsize at,
			  float *ret_logits_at, float *ret_logits_last, GError **error)
{
	(void)ids, (void)n_ids, (void)at, (void)error;
	fill_nan(ret_logits_at, scorer->n_vocab);
	fill_nan(ret_logits_last, scorer->n_vocab);
	return TRUE;
}

/* Weights that are broken give no numbers: an empty text that nobody believes. */
static void test_nothing_allowed(void)
{
	Vocabulary v = vocabulary_open();
	WeftScorer scorer = { .n_vocab = v.tokens->n_vocab, .n_context = 448, .begin = nan_begin };
	WeftSearch search = { .best_of = 3, .patience = 1, .length_penalty = -1 };
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < 3; i++) {
		WeftHypothesis found;

		search.beam_size = i == 0 ? 1 : 5;
		search.temperature = i == 2 ? 1 : 0;
		g_assert_true(weft_whisper_search(&search, &scorer, v.tokens, &v.tokens->sot, 1,
						  &found, &error));
		g_assert_cmpuint(found.n_tokens, ==, 0);
		g_assert_true(found.average == -INFINITY);
		g_assert_cmpfloat(found.no_speech, ==, 0);
		g_free(found.tokens);
	}
	vocabulary_close(&v);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/whisper_search/beam", test_beam);
	g_test_add_func("/whisper_search/mazes", test_mazes);
	g_test_add_func("/whisper_search/length", test_length);
	g_test_add_func("/whisper_search/draws", test_draws);
	g_test_add_func("/whisper_search/nothing_allowed", test_nothing_allowed);
	return g_test_run();
}
