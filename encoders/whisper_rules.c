#include "encoders/whisper_rules.h"

#include <math.h>

/* Times above 1.0 s do not begin a window. */
#define FIRST_TIME_MAX WEFT_WHISPER_TIMES_PER_S

static void forbid(float *logits, gsize first, gsize end)
{
	for (gsize id = first; id < end; id++)
		logits[id] = -INFINITY;
}

static void forbid_what_never_comes(const WeftWhisperTokens *tokens, float *logits)
{
	const guint32 special[] = { tokens->transcribe, tokens->translate,    tokens->sot,
				    tokens->startoflm,  tokens->startofprev,  tokens->nospeech,
				    tokens->notimestamps };

	for (gsize i = 0; i < G_N_ELEMENTS(special); i++)
		logits[special[i]] = -INFINITY;
	for (gsize i = 0; i < tokens->n_non_speech; i++)
		logits[tokens->non_speech[i]] = -INFINITY;
	for (gsize id = 0; id < tokens->n_vocab; id++)
		if (isnan(logits[id]))
			logits[id] = -INFINITY;
}

/* Rule 3. [first, end) are the ids of times. */
static void forbid_times(const WeftWhisperTokens *tokens, const guint32 *sampled, gsize n_sampled,
			 gsize first, gsize end, float *logits)
{
	gboolean last_is_time = sampled[n_sampled - 1] >= first;
	gboolean pair_is_whole = n_sampled < 2 || sampled[n_sampled - 2] >= first;
	gsize i = n_sampled;

	if (last_is_time && pair_is_whole)
		forbid(logits, first, end);
	else if (last_is_time)
		forbid(logits, 0, tokens->eot);
	while (i > 0 && sampled[i - 1] < first)
		i--;
	if (i == 0)
		return; /* no time yet */
	gsize allowed = sampled[i - 1] + (last_is_time && !pair_is_whole ? 0 : 1);

	forbid(logits, first, MIN(allowed, end));
}

/* Rule 5. Both sides of the comparison lack the same denominator. */
static gboolean times_outweigh_text(const float *logits, gsize first, gsize end)
{
	float text = -INFINITY, time = -INFINITY;
	double sum = 0;

	for (gsize id = 0; id < first; id++)
		text = fmaxf(text, logits[id]);
	for (gsize id = first; id < end; id++)
		time = fmaxf(time, logits[id]);
	if (isinf(time))
		return FALSE;
	for (gsize id = first; id < end; id++)
		sum += exp((double)logits[id] - time);
	return time + log(sum) > text;
}

void weft_whisper_rules_apply(const WeftWhisperTokens *tokens, const guint32 *sampled,
			      gsize n_sampled, float *logits)
{
	gsize first = tokens->first_timestamp;
	gsize end = MIN(tokens->n_vocab, first + WEFT_WHISPER_TIMES);

	forbid_what_never_comes(tokens, logits);
	forbid(logits, end, tokens->n_vocab);
	if (n_sampled == 0) {
		logits[tokens->blank] = -INFINITY;
		logits[tokens->eot] = -INFINITY;
		forbid(logits, 0, first);
		forbid(logits, MIN(first + FIRST_TIME_MAX + 1, end), end);
		return;
	}
	forbid_times(tokens, sampled, n_sampled, first, end, logits);
	if (times_outweigh_text(logits, first, end))
		forbid(logits, 0, first);
}

/* The largest logit and the logarithm of the sum over all. FALSE: nothing is finite. */
static gboolean log_sum(const float *logits, gsize n, double *ret_log_sum)
{
	float largest = -INFINITY;
	double sum = 0;

	for (gsize i = 0; i < n; i++)
		largest = fmaxf(largest, logits[i]);
	if (!isfinite(largest))
		return FALSE;
	for (gsize i = 0; i < n; i++)
		if (logits[i] > -INFINITY)
			sum += exp((double)logits[i] - largest);
	*ret_log_sum = largest + log(sum);
	return TRUE;
}

void weft_whisper_log_softmax(const float *logits, gsize n, float *ret)
{
	double denominator;

	if (!log_sum(logits, n, &denominator)) {
		forbid(ret, 0, n);
		return;
	}
	for (gsize i = 0; i < n; i++)
		ret[i] = (float)(logits[i] - denominator);
}

double weft_whisper_probability(const float *logits, gsize n, guint32 id)
{
	double denominator;

	if (isnan(logits[id]) || !log_sum(logits, n, &denominator))
		return 0;
	return exp(logits[id] - denominator);
}
