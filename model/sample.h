/* sample.h - the one place where a token is chosen.
 *
 * Greedy, or at a temperature with draws that are a hash of seed, request and place, so that they
 * depend on nothing that ran before or beside. What the constraint or the budget does not allow is
 * never chosen: the free choice is tried first, and only when it is not allowed the mask of all
 * allowed tokens (schema/mask.h) is looked for. (For draws: trying freely and drawing again under the mask gives the
 * distribution under the mask.) Ties go to the lowest id; NaN counts as minus infinity.
 */
#ifndef WEFT_MODEL_SAMPLE_H
#define WEFT_MODEL_SAMPLE_H

#include "model/lexicon.h"
#include "schema/constraint.h"

typedef struct WeftChoice {
	const WeftLexicon *lexicon;
	const WeftConstraint *constraint; /* NULL: free text until an end token */
	gsize n_tokens_left;              /* this one included, at least 1 */
	double temperature;               /* 0: greedy */
	guint64 seed, seed_key, place;
} WeftChoice;

typedef struct WeftChosen {
	gint32 id;              /* -1: a complete document that only the budget ends */
	double log_probability; /* at temperature 1 among the allowed tokens */
	gboolean was_limited;   /* the budget, not the schema, forbade what would have been chosen */
} WeftChosen;

/* logits[n_tokens of the lexicon]. While the document is not complete and can be closed in
 * n_tokens_left bytes there is always an allowed token. */
WeftChosen weft_sample(const WeftChoice *choice, const float *logits);

#endif
