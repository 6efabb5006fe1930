#include "model/sample.h"

#include <math.h>

#include "base/draw.h"

/* Tokens e^16 times less likely than the chosen one do not count in the denominator of its
 * probability: with 200,000 of them it is off by 2 % at worst. */
#define NEGLIGIBLE 16.0f
/* Up to so many tokens that do count are tried one by one, for more the mask is made. */
#define FEW 24
#define LANES 16

typedef enum {
	NOT_ALLOWED,
	ALLOWED_BY_SCHEMA, /* but not by the budget */
	ALLOWED,
} Verdict;

/* Tokens that may be chosen, and whether those that end the answer may. */
typedef struct Allowed {
	WeftMask mask;
	gboolean ends;
} Allowed;

static Verdict judge(const WeftChoice *choice, gsize id)
{
	const WeftToken *token = &choice->lexicon->tokens[id];
	gsize close;
	if (token->is_end)
		return !choice->constraint || weft_constraint_is_complete(choice->constraint)
			       ? ALLOWED
			       : NOT_ALLOWED;
	if (token->word.size_bytes == 0)
		return NOT_ALLOWED;
	if (!choice->constraint)
		return ALLOWED;
	if (!weft_word_is_usable(&token->word) ||
	    !weft_constraint_allows(choice->constraint, token->word.bytes, token->word.size_bytes,
				    &close))
		return NOT_ALLOWED;
	return close < choice->n_tokens_left ? ALLOWED : ALLOWED_BY_SCHEMA;
}

/* All that `judge` gives at least `level`. Valid until the next call. */
static Allowed find_allowed(const WeftChoice *choice, Verdict level)
{
	const WeftLexicon *lexicon = choice->lexicon;
	if (!choice->constraint)
		return (Allowed){{.bits = lexicon->writing}, TRUE};
	return (Allowed){weft_masks_find(lexicon->masks, choice->constraint,
					 level == ALLOWED ? choice->n_tokens_left : G_MAXSIZE),
			 weft_constraint_is_complete(choice->constraint)};
}

static float logit_of(float logit)
{
	return isnan(logit) ? -INFINITY : logit;
}

static float largest_of(const float *logits, gsize n)
{
	float lanes[LANES], largest = -INFINITY;
	gsize i = 0;
	for (int lane = 0; lane < LANES; lane++)
		lanes[lane] = -INFINITY;
	for (; i + LANES <= n; i += LANES)
		for (int lane = 0; lane < LANES; lane++) /* false for NaN */
			lanes[lane] = logits[i + (gsize)lane] > lanes[lane]
					      ? logits[i + (gsize)lane]
					      : lanes[lane];
	for (; i < n; i++)
		largest = logits[i] > largest ? logits[i] : largest;
	for (int lane = 0; lane < LANES; lane++)
		largest = lanes[lane] > largest ? lanes[lane] : largest;
	return largest;
}

static gint32 first_with(const float *logits, gsize n, float value)
{
	for (gsize id = 0; id < n; id++)
		if (logit_of(logits[id]) == value)
			return (gint32)id;
	return -1;
}

/* The ids of a set one by one: bits, then ids, then those that end. */
typedef struct Each {
	const Allowed *allowed;
	const WeftLexicon *lexicon;
	gsize word, n_ids, n_ends;
	guint64 left;
} Each;

static Each each_of(const WeftLexicon *lexicon, const Allowed *allowed)
{
	const guint64 *bits = allowed->mask.bits;
	return (Each){.allowed = allowed, .lexicon = lexicon, .left = bits ? bits[0] : 0};
}

static gint32 each_next(Each *each)
{
	const WeftMask *mask = &each->allowed->mask;
	gsize n_words = mask->bits ? (each->lexicon->n_tokens + 63) / 64 : 0;
	while (!each->left && each->word + 1 < n_words)
		each->left = mask->bits[++each->word];
	if (each->left) {
		gsize bit = (gsize)__builtin_ctzll(each->left);
		each->left &= each->left - 1;
		return (gint32)(each->word * 64 + bit);
	}
	if (each->n_ids < mask->n_ids)
		return mask->ids[each->n_ids++];
	if (each->allowed->ends && each->n_ends < each->lexicon->n_ends)
		return each->lexicon->end_ids[each->n_ends++];
	return -1;
}

static void prefer(const float *logits, gint32 id, gint32 *best)
{
	float own = logit_of(logits[id]), other = *best >= 0 ? logit_of(logits[*best]) : 0;
	if (*best < 0 || own > other || (own == other && id < *best))
		*best = id;
}

/* The best id of the set (of all without one), or -1. */
static gint32 pick_best(const WeftLexicon *lexicon, const float *logits, const Allowed *allowed)
{
	gint32 best = -1, id;
	if (!allowed)
		return first_with(logits, lexicon->n_tokens, largest_of(logits, lexicon->n_tokens));
	Each each = each_of(lexicon, allowed);
	const guint64 *bits = allowed->mask.bits;
	gsize n_whole = bits ? lexicon->n_tokens / 64 : 0;
	while (each.word < n_whole) {
		/* Most words of a large mask are full; such a word is left at once. */
		if (each.left == G_MAXUINT64 && best >= 0 &&
		    !(largest_of(logits + each.word * 64, 64) > logit_of(logits[best])))
			each.left = 0;
		for (; each.left; each.left &= each.left - 1)
			prefer(logits,
			       (gint32)(each.word * 64 + (gsize)__builtin_ctzll(each.left)), &best);
		if (each.word + 1 == (lexicon->n_tokens + 63) / 64)
			break;
		each.left = bits[++each.word];
	}
	while ((id = each_next(&each)) >= 0)
		prefer(logits, id, &best);
	return best;
}

static gint32 pick(const WeftChoice *choice, const float *logits, const Allowed *allowed,
		   guint64 attempt)
{
	const WeftLexicon *lexicon = choice->lexicon;
	const Allowed everything = {{.bits = lexicon->everything}, FALSE};
	gint32 best = pick_best(lexicon, logits, allowed), last = best, id;
	if (best < 0 || choice->temperature <= 0 || !isfinite(logits[best]))
		return best;
	double top = logits[best], total = 0, sum = 0;
	Each each = each_of(lexicon, allowed ? allowed : &everything);
	while ((id = each_next(&each)) >= 0)
		total += exp(((double)logit_of(logits[id]) - top) / choice->temperature);
	double goal = total * weft_draw(choice->seed, choice->seed_key, choice->place, attempt);
	each = each_of(lexicon, allowed ? allowed : &everything);
	while ((id = each_next(&each)) >= 0) {
		double weight = exp(((double)logit_of(logits[id]) - top) / choice->temperature);
		sum += weight;
		if (weight > 0)
			last = id;
		if (sum > goal)
			return id;
	}
	return last;
}

/* The ids from `floor` on, at most FEW + 1 of them. */
static gsize find_near(const float *logits, gsize n, float floor, gint32 *ids)
{
	gsize n_near = 0;
	for (gsize first = 0; first < n && n_near <= FEW; first += 64) {
		gsize n_block = MIN((gsize)64, n - first);
		if (!(largest_of(logits + first, n_block) >= floor))
			continue;
		for (gsize id = first; id < first + n_block && n_near <= FEW; id++)
			if (logits[id] >= floor)
				ids[n_near++] = (gint32)id;
	}
	return n_near;
}

/* The sum over the allowed tokens that count, in the same order whichever way they are found: those
 * that end first (not here), then by id. */
static double sum_allowed(const WeftChoice *choice, const float *logits, float floor, double own)
{
	const Allowed allowed = find_allowed(choice, ALLOWED);
	const WeftMask *mask = &allowed.mask;
	double sum = 0;
	gsize at = 0;
	if (!mask->bits) {
		for (; at < mask->n_ids; at++)
			if (logits[mask->ids[at]] >= floor)
				sum += exp((double)logits[mask->ids[at]] - own);
		return sum;
	}
	for (gsize id = 0; id < choice->lexicon->n_tokens; id++) {
		while (at < mask->n_ids && mask->ids[at] < (gint32)id)
			at++;
		if (logits[id] >= floor && ((mask->bits[id / 64] >> (id % 64) & 1) ||
					    (at < mask->n_ids && mask->ids[at] == (gint32)id)))
			sum += exp((double)logits[id] - own);
	}
	return sum;
}

/* At temperature 1 among the allowed tokens. */
static double log_probability(const WeftChoice *choice, const float *logits, gint32 chosen)
{
	const WeftLexicon *lexicon = choice->lexicon;
	float own = logits[chosen], floor = own - NEGLIGIBLE;
	gint32 near[FEW + 1];
	double sum = 0;
	if (!isfinite(own))
		return 0; /* a model without opinion */
	gsize n_near = find_near(logits, lexicon->n_tokens, floor, near);
	for (gsize i = 0; i < lexicon->n_ends; i++) {
		gint32 id = lexicon->end_ids[i];
		if (logits[id] >= floor && judge(choice, (gsize)id) == ALLOWED)
			sum += exp((double)logits[id] - own);
	}
	if (n_near > FEW)
		return -log(sum + sum_allowed(choice, logits, floor, own));
	double others = 0;
	for (gsize i = 0; i < n_near; i++)
		if (!lexicon->tokens[near[i]].is_end &&
		    judge(choice, (gsize)near[i]) == ALLOWED)
			others += exp((double)logits[near[i]] - own);
	return -log(sum + others);
}

WeftChosen weft_sample(const WeftChoice *choice, const float *logits)
{
	WeftChosen chosen = {.id = pick(choice, logits, NULL, 0)};
	if (judge(choice, (gsize)chosen.id) == ALLOWED) {
		chosen.log_probability = log_probability(choice, logits, chosen.id);
		return chosen;
	}
	Allowed allowed = find_allowed(choice, ALLOWED_BY_SCHEMA);
	chosen.id = pick(choice, logits, &allowed, ALLOWED_BY_SCHEMA);
	if (chosen.id >= 0 && judge(choice, (gsize)chosen.id) != ALLOWED) {
		chosen.was_limited = TRUE;
		allowed = find_allowed(choice, ALLOWED);
		chosen.id = pick(choice, logits, &allowed, ALLOWED);
	}
	if (chosen.id >= 0)
		chosen.log_probability = log_probability(choice, logits, chosen.id);
	return chosen;
}
