#include "model/sample.h"

#include <math.h>

#include "base/draw.h"

/* Tokens e^16 times less likely than the chosen one do not count in the denominator of its
 * probability when that saves building the mask: with 200,000 of them it is off by 2 % at worst. */
#define NEGLIGIBLE 16.0

typedef enum {
	NOT_ALLOWED,
	ALLOWED_BY_SCHEMA, /* but not by the budget */
	ALLOWED,
} Verdict;

static Verdict judge(const WeftChoice *choice, gsize id)
{
	const WeftToken *token = &choice->lexicon->tokens[id];
	if (token->is_end)
		return !choice->constraint || weft_constraint_is_complete(choice->constraint)
			       ? ALLOWED
			       : NOT_ALLOWED;
	if (token->size_bytes == 0)
		return NOT_ALLOWED;
	if (!choice->constraint)
		return ALLOWED;
	WeftConstraint next;
	weft_constraint_copy(&next, choice->constraint);
	for (guint32 i = 0; i < token->size_bytes; i++)
		if (!weft_constraint_advance(&next, (guint8)token->bytes[i]))
			return NOT_ALLOWED;
	return weft_constraint_close_bytes(&next) < choice->n_tokens_left ? ALLOWED
									   : ALLOWED_BY_SCHEMA;
}

static guint8 *build_mask(const WeftChoice *choice)
{
	gsize n = choice->lexicon->n_tokens;
	guint8 *mask = g_new(guint8, n);
	gboolean first_allowed[256];

	for (int byte = 0; byte < 256; byte++) {
		WeftConstraint next;
		first_allowed[byte] = TRUE;
		if (!choice->constraint)
			continue;
		weft_constraint_copy(&next, choice->constraint);
		first_allowed[byte] = weft_constraint_advance(&next, (guint8)byte);
	}
	for (gsize id = 0; id < n; id++) {
		const WeftToken *token = &choice->lexicon->tokens[id];
		gboolean hopeless =
			token->size_bytes > 0 && !first_allowed[(guint8)token->bytes[0]];
		mask[id] = hopeless ? NOT_ALLOWED : (guint8)judge(choice, id);
	}
	return mask;
}

static double logit_of(float logit)
{
	return isnan(logit) ? -INFINITY : (double)logit;
}

/* The best id among those whose mask is at least `level` (all without a mask), or -1. */
static gint32 pick_best(const float *logits, gsize n, const guint8 *mask, Verdict level)
{
	gint32 best = -1;
	for (gsize id = 0; id < n; id++)
		if ((!mask || mask[id] >= level) &&
		    (best < 0 || logit_of(logits[id]) > logit_of(logits[best])))
			best = (gint32)id;
	return best;
}

static gint32 pick(const WeftChoice *choice, const float *logits, const guint8 *mask, Verdict level)
{
	gsize n = choice->lexicon->n_tokens;
	gint32 best = pick_best(logits, n, mask, level), last = best;
	if (best < 0 || choice->temperature <= 0 || !isfinite(logits[best]))
		return best;
	double top = logits[best], total = 0, sum = 0;
	for (gsize id = 0; id < n; id++)
		if (!mask || mask[id] >= level)
			total += exp((logit_of(logits[id]) - top) / choice->temperature);
	double goal = total * weft_draw(choice->seed, choice->seed_key, choice->place,
					mask ? level : 0);
	for (gsize id = 0; id < n; id++) {
		if (mask && mask[id] < level)
			continue;
		double weight = exp((logit_of(logits[id]) - top) / choice->temperature);
		sum += weight;
		if (weight > 0)
			last = (gint32)id;
		if (sum > goal)
			return (gint32)id;
	}
	return last;
}

static double log_probability(const WeftChoice *choice, const float *logits, const guint8 *mask,
			      gint32 id)
{
	double own = logit_of(logits[id]), sum = 0;
	if (!isfinite(own))
		return 0; /* a model without opinion */
	for (gsize i = 0; i < choice->lexicon->n_tokens; i++) {
		double logit = logit_of(logits[i]);
		if (mask ? mask[i] == ALLOWED
			 : (gint32)i == id ||
				   (logit >= own - NEGLIGIBLE && judge(choice, i) == ALLOWED))
			sum += exp(logit - own);
	}
	return -log(sum);
}

WeftChosen weft_sample(const WeftChoice *choice, const float *logits)
{
	WeftChosen chosen = {.id = pick(choice, logits, NULL, ALLOWED)};
	if (judge(choice, (gsize)chosen.id) == ALLOWED) {
		chosen.log_probability = log_probability(choice, logits, NULL, chosen.id);
		return chosen;
	}
	g_autofree guint8 *mask = build_mask(choice);
	chosen.id = pick(choice, logits, mask, ALLOWED_BY_SCHEMA);
	if (chosen.id >= 0 && mask[chosen.id] != ALLOWED) {
		chosen.was_limited = TRUE;
		chosen.id = pick(choice, logits, mask, ALLOWED);
	}
	if (chosen.id >= 0)
		chosen.log_probability = log_probability(choice, logits, mask, chosen.id);
	return chosen;
}
