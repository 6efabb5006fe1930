#include "encoders/whisper_search.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/draw.h"
#include "base/error.h"
#include "encoders/whisper_rules.h"

/* A text on its way. */
typedef struct Trace {
	guint32 *tokens;
	gsize n_tokens;
	double log_probability;
	guint32 text; /* number of the text that is drawn */
} Trace;

typedef struct Run {
	const WeftSearch *search;
	WeftScorer *scorer;
	const WeftWhisperTokens *tokens;
	gsize width;    /* rows at most */
	gsize n_steps;  /* tokens at most */
	gsize n_live, n_done, n_done_max;
	Trace *live, *next, *done;
	Trace *traces;   /* memory of all three */
	guint32 *memory; /* of their tokens */
	float *logits;   /* [width][n_vocab] */
	guint32 parents[WEFT_SEARCH_ROWS_MAX], ids[WEFT_SEARCH_ROWS_MAX];
} Run;

static void clear_run(Run *run)
{
	g_free(run->traces);
	g_free(run->memory);
	g_free(run->logits);
}

/* Of texts that ended there are at most `width` more than are asked for. */
static gboolean init_run(Run *run, gsize n_prompt, GError **error)
{
	const WeftSearch *search = run->search;
	gboolean is_beam = search->temperature <= 0 && search->beam_size > 1;
	gsize n_context = run->scorer->n_context;

	run->width = search->temperature > 0 ? search->best_of : search->beam_size;
	g_assert(run->width >= 1 && run->width <= WEFT_SEARCH_ROWS_MAX);
	run->n_done_max =
		is_beam ? (gsize)MAX(rint((double)run->width * search->patience), 1) : run->width;
	run->n_steps = MIN(n_context / 2, n_context + 1 - n_prompt);
	gsize n_traces = 2 * run->width + MAX(run->n_done_max, run->width);

	run->traces = run->live = g_new0(Trace, n_traces);
	run->memory = weft_alloc_array(n_traces * run->n_steps, sizeof(guint32), 0, "tokens", error);
	run->logits = weft_alloc_array(run->width * run->scorer->n_vocab, sizeof(float), 0,
				       "logits", error);
	if (!run->memory || !run->logits)
		return FALSE;
	for (gsize i = 0; i < n_traces; i++)
		run->live[i].tokens = run->memory + i * run->n_steps;
	run->next = run->live + run->width;
	run->done = run->next + run->width;
	return TRUE;
}

static void copy_trace(Trace *to, const Trace *from)
{
	guint32 *tokens = to->tokens;

	memcpy(tokens, from->tokens, from->n_tokens * sizeof(guint32));
	*to = *from;
	to->tokens = tokens;
}

/* The same text, which ends here. */
static void finish(Run *run, const Trace *trace, double log_probability)
{
	Trace *done = &run->done[run->n_done++];

	copy_trace(done, trace);
	done->log_probability = log_probability;
}

/* `trace` with one more token becomes the next row. */
static void go_on(Run *run, gsize n_next, gsize parent, guint32 id, double log_probability)
{
	Trace *next = &run->next[n_next];

	copy_trace(next, &run->live[parent]);
	next->tokens[next->n_tokens++] = id;
	next->log_probability = log_probability;
	run->parents[n_next] = (guint32)parent;
	run->ids[n_next] = id;
}

static void take_next(Run *run, gsize n_next)
{
	Trace *live = run->live;

	run->live = run->next;
	run->next = live;
	run->n_live = n_next;
}

/* ret_ids: the k likeliest, best first, ties to the lowest id; fewer when fewer are allowed. */
static gsize pick_likeliest(const float *log_probabilities, gsize n, gsize k, guint32 *ret_ids)
{
	gsize n_found = 0;

	for (gsize id = 0; id < n; id++) {
		float x = log_probabilities[id];
		gsize i = n_found;

		if (!(x > -INFINITY) || (i == k && !(x > log_probabilities[ret_ids[k - 1]])))
			continue;
		if (i == k)
			i--;
		else
			n_found++;
		for (; i > 0 && x > log_probabilities[ret_ids[i - 1]]; i--)
			ret_ids[i] = ret_ids[i - 1];
		ret_ids[i] = (guint32)id;
	}
	return n_found;
}

/* One of softmax(x / temperature); the likeliest at temperature 0; the end where nothing is
 * allowed. */
static guint32 choose(const Run *run, const Trace *trace, const float *x)
{
	const WeftSearch *search = run->search;
	gsize n = run->tokens->n_vocab;
	guint32 best, last;

	if (!pick_likeliest(x, n, 1, &best))
		return run->tokens->eot;
	if (search->temperature <= 0)
		return best;
	double total = 0, sum = 0;

	for (gsize id = 0; id < n; id++)
		if (x[id] > -INFINITY)
			total += exp(((double)x[id] - x[best]) / search->temperature);
	double goal = total * weft_draw(search->seed, search->seed_key, trace->n_tokens,
					trace->text);

	last = best;
	for (gsize id = 0; id < n; id++) {
		if (!(x[id] > -INFINITY))
			continue;
		double weight = exp(((double)x[id] - x[best]) / search->temperature);

		sum += weight;
		if (weight > 0)
			last = (guint32)id;
		if (sum > goal)
			break;
	}
	return last;
}

/* Every row for itself. TRUE: all have ended. */
static gboolean draw_rows(Run *run)
{
	gsize n_next = 0, n_vocab = run->tokens->n_vocab;

	for (gsize i = 0; i < run->n_live; i++) {
		const float *x = run->logits + i * n_vocab;
		guint32 id = choose(run, &run->live[i], x);
		double log_probability = run->live[i].log_probability + x[id];

		if (id == run->tokens->eot)
			finish(run, &run->live[i], log_probability);
		else
			go_on(run, n_next++, i, id, log_probability);
	}
	take_next(run, n_next);
	return n_next == 0;
}

typedef struct Candidate {
	gsize parent;
	guint32 id;
	double log_probability;
} Candidate;

/* The likeliest continuations of all rows, best first; equal ones stay in order. */
static gsize collect(const Run *run, Candidate *ret_candidates)
{
	gsize n = 0, n_vocab = run->tokens->n_vocab;
	guint32 ids[WEFT_SEARCH_ROWS_MAX + 1];

	for (gsize row = 0; row < run->n_live; row++) {
		const float *x = run->logits + row * n_vocab;
		gsize n_ids = pick_likeliest(x, n_vocab, run->width + 1, ids);

		for (gsize i = 0; i < n_ids; i++) {
			Candidate new = { row, ids[i],
					  run->live[row].log_probability + x[ids[i]] };
			gsize at = n++;

			for (; at > 0 && new.log_probability > ret_candidates[at - 1].log_probability;
			     at--)
				ret_candidates[at] = ret_candidates[at - 1];
			ret_candidates[at] = new;
		}
	}
	return n;
}

/* TRUE: as many texts have ended as are asked for, or none can go on. */
static gboolean widen_beam(Run *run)
{
	Candidate candidates[WEFT_SEARCH_ROWS_MAX * (WEFT_SEARCH_ROWS_MAX + 1)];
	gsize n = collect(run, candidates), n_next = 0;

	/* Nothing is allowed, as when no logit is a number: all texts end here. */
	for (gsize i = 0; n == 0 && i < run->n_live && run->n_done < run->n_done_max; i++)
		finish(run, &run->live[i], -INFINITY);
	for (gsize i = 0; i < n && n_next < run->width; i++) {
		const Candidate *c = &candidates[i];

		if (c->id != run->tokens->eot)
			go_on(run, n_next++, c->parent, c->id, c->log_probability);
		else if (run->n_done < run->n_done_max)
			finish(run, &run->live[c->parent], c->log_probability);
	}
	take_next(run, n_next);
	return n_next == 0 || run->n_done >= run->n_done_max;
}

/* Filters, and log probabilities in place of logits. */
static void judge_rows(Run *run)
{
	gsize n_vocab = run->tokens->n_vocab;

	for (gsize i = 0; i < run->n_live; i++) {
		float *logits = run->logits + i * n_vocab;

		weft_whisper_rules_apply(run->tokens, run->live[i].tokens, run->live[i].n_tokens,
					 logits);
		weft_whisper_log_softmax(logits, n_vocab, logits);
	}
}

/* The rows of the first step: one beam, or all texts that are drawn, behind the same prompt. */
static gboolean begin(Run *run, const guint32 *prompt, gsize n_prompt, double *ret_no_speech,
		      GError **error)
{
	gsize n_vocab = run->tokens->n_vocab, at = 0;
	g_autofree float *logits_sot = weft_alloc_array(n_vocab, sizeof(float), 0, "logits", error);

	while (at < n_prompt - 1 && prompt[at] != run->tokens->sot)
		at++;
	if (!logits_sot || !run->scorer->begin(run->scorer, prompt, n_prompt, at, logits_sot,
					       run->logits, error))
		return FALSE;
	*ret_no_speech = weft_whisper_probability(logits_sot, n_vocab, run->tokens->nospeech);
	run->n_live = run->search->temperature > 0 ? run->width : 1;
	for (gsize i = 0; i < run->n_live; i++) {
		run->live[i].text = (guint32)i;
		if (i > 0)
			memcpy(run->logits + i * n_vocab, run->logits, n_vocab * sizeof(float));
	}
	return TRUE;
}

static gboolean steps(Run *run, GError **error)
{
	gboolean is_beam = run->search->temperature <= 0 && run->width > 1;

	for (gsize i = 0; i < run->n_steps; i++) {
		if (i > 0 && !run->scorer->step(run->scorer, run->parents, run->ids, run->n_live,
						run->logits, error))
			return FALSE;
		judge_rows(run);
		if (is_beam ? widen_beam(run) : draw_rows(run))
			break;
		/* All texts stand behind the one row of the prompt. */
		if (i == 0)
			memset(run->parents, 0, sizeof(run->parents));
	}
	return TRUE;
}

static int by_likelihood(const void *a, const void *b)
{
	const Trace *x = a, *y = b;

	return (x->log_probability < y->log_probability) - (x->log_probability > y->log_probability);
}

/* What has not ended counts as if it had, the likeliest first, until there are enough. */
static void finish_rest(Run *run)
{
	qsort(run->live, run->n_live, sizeof(Trace), by_likelihood);
	for (gsize i = 0; i < run->n_live && run->n_done < run->width; i++)
		finish(run, &run->live[i], run->live[i].log_probability);
}

static const Trace *best_of_done(const Run *run)
{
	const Trace *best = NULL;
	double best_score = 0;

	for (gsize i = 0; i < run->n_done; i++) {
		double length = (double)MAX(run->done[i].n_tokens, 1);
		double penalty = run->search->length_penalty < 0 ?
					 length :
					 pow((5 + length) / 6, run->search->length_penalty);
		double score = run->done[i].log_probability / penalty;

		if (!best || score > best_score ||
		    (score == best_score && run->done[i].text < best->text)) {
			best = &run->done[i];
			best_score = score;
		}
	}
	return best;
}

gboolean weft_whisper_search(const WeftSearch *search, WeftScorer *scorer,
			     const WeftWhisperTokens *tokens, const guint32 *prompt, gsize n_prompt,
			     WeftHypothesis *ret_hypothesis, GError **error)
{
	Run run = { .search = search, .scorer = scorer, .tokens = tokens };
	double no_speech;
	gboolean is_done = FALSE;

	if (n_prompt == 0 || n_prompt > scorer->n_context) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "a prompt of %" G_GSIZE_FORMAT " tokens, the decoder takes 1 to %"
			    G_GSIZE_FORMAT, n_prompt, scorer->n_context);
		return FALSE;
	}
	if (init_run(&run, n_prompt, error) &&
	    begin(&run, prompt, n_prompt, &no_speech, error) && steps(&run, error)) {
		finish_rest(&run);
		const Trace *best = best_of_done(&run);

		*ret_hypothesis = (WeftHypothesis){
			.tokens = g_memdup2(best->tokens, best->n_tokens * sizeof(guint32)),
			.n_tokens = best->n_tokens,
			.log_probability = best->log_probability,
			.average = best->log_probability / (double)(best->n_tokens + 1),
			.no_speech = no_speech,
		};
		is_done = TRUE;
	}
	clear_run(&run);
	return is_done;
}
