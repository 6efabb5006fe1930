/* whisper_rules.h - which tokens may come next: the filters in front of every choice.
 *
 * In the order of the reference (openai/whisper, decoding.py: SuppressBlank, SuppressTokens,
 * ApplyTimestampRules), on the logits behind the last token:
 *
 *  1. The first token is neither one blank nor the end.
 *  2. No symbols of annotation, none of the task, start and no-speech tokens.
 *  3. No notimestamps. Times come in pairs, the end of one segment and the begin of the next:
 *     behind a pair (or behind the very first time) text follows, behind the first of a pair a time
 *     or the end. Times never go back, and a segment is never of no length.
 *  4. The first token is a time of at most 1.0 s.
 *  5. When all times together are more likely than the likeliest text, it is a time.
 *
 * What is not allowed becomes minus infinity, and so do NaN and ids behind the last time (padding
 * of the vocabulary).
 */
#ifndef WEFT_ENCODERS_WHISPER_RULES_H
#define WEFT_ENCODERS_WHISPER_RULES_H

#include "encoders/whisper_tokens.h"

#define WEFT_WHISPER_TIMES 1501 /* 0.00 to 30.00 s */
#define WEFT_WHISPER_TIMES_PER_S 50

/* logits[n_vocab] behind sampled[n_sampled], which are the tokens behind the prompt. */
void weft_whisper_rules_apply(const WeftWhisperTokens *tokens, const guint32 *sampled,
			      gsize n_sampled, float *logits);

/* ret[i] = log of the probability of id i in a softmax of logits[n]; minus infinity stays. Sums in
 * f64. All minus infinity when no logit is finite. `ret` may be `logits`. */
void weft_whisper_log_softmax(const float *logits, gsize n, float *ret);

/* Probability of `id` in a softmax of logits[n]. */
double weft_whisper_probability(const float *logits, gsize n, guint32 id);

#endif
