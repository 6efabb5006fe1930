/* whisper_search.h - the tokens of one window: greedy, by beam, or drawn.
 *
 * One pass over a window at one temperature, as openai/whisper (decoding.py, DecodingTask) does it:
 * at most half the decoder's context is sampled, and no more than fits behind the prompt.
 *
 *  - Temperature 0, beam_size 1: the likeliest token each time (ties: the lowest id).
 *  - Temperature 0, beam_size b > 1: the b likeliest unfinished texts go on, chosen from the b + 1
 *    likeliest tokens of each; texts that end on the way are kept, and the search ends with
 *    round(b * patience) of them.
 *  - Temperature > 0: best_of independent texts, drawn from softmax(logits / temperature). A draw
 *    is a hash of seed, key, place and text (base/draw.h), so it depends on nothing else.
 *
 * Of several texts that one is taken whose log probability divided by its length is the largest;
 * with a length penalty a >= 0 it is divided by ((5 + length) / 6)^a. Log probabilities are those
 * of the filtered logits, without temperature, the end token included.
 * Tokens that no rule allows are never taken; where nothing is allowed the text ends.
 *
 * transformers (5.23, generation/utils.py, _beam_search) has other beams: it adds log probabilities
 * of the logits before the filters; a text that ends counts only among the b best of its step; the
 * score is divided by length^a, the end counted; and it goes on until no text can become better than
 * those that ended. With renormalize_logits, early_stopping and no penalty (0 in both) the same text
 * wins. It averages over the n tokens, not n + 1, where no end was sampled, and draws from the 50
 * likeliest unless top_k is 0. Greedy texts are equal.
 */
#ifndef WEFT_ENCODERS_WHISPER_SEARCH_H
#define WEFT_ENCODERS_WHISPER_SEARCH_H

#include "encoders/scorer.h"
#include "encoders/whisper_tokens.h"

#define WEFT_SEARCH_ROWS_MAX 32 /* of beam_size and best_of */

typedef struct WeftSearch {
	gsize beam_size, best_of; /* 1 .. WEFT_SEARCH_ROWS_MAX */
	double patience;          /* 1: as many finished texts as beams */
	double length_penalty;    /* negative: by length alone */
	double temperature;
	guint64 seed, seed_key;
} WeftSearch;

typedef struct WeftHypothesis {
	guint32 *tokens; /* without prompt and end; for g_free */
	gsize n_tokens;
	double log_probability; /* sum */
	double average;         /* log_probability / (n_tokens + 1) */
	double no_speech;       /* probability of the no-speech token behind sot, unfiltered */
} WeftHypothesis;

/* `prompt` ends with the start sequence and holds sot. */
gboolean weft_whisper_search(const WeftSearch *search, WeftScorer *scorer,
			     const WeftWhisperTokens *tokens, const guint32 *prompt, gsize n_prompt,
			     WeftHypothesis *ret_hypothesis, GError **error);

#endif
