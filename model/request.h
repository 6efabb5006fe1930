/* request.h - one request in flight: its tokens so far and the answer that grows.
 *
 * `ids` is the prompt and behind it what was generated; the first `n_fed` of them are in the
 * cache. When all are, the logits of the last one decide what comes next, and what the schema
 * forces behind it is appended at once, so that a forced run costs one pass and no decisions.
 *
 * Forced runs are spelled in the tokens that the tokenizer makes of them. Those of its end that a
 * token could spell together with what the schema allows behind the run are left to the model: it
 * has seen the longer token there.
 *
 * The text is what the automaton followed; reasons of nulls (schema/decline.h) are taken out of it for
 * the answer. A reason that was written when the budget had begun to forbid what the model wanted is
 * not the model's, and is dropped.
 */
#ifndef WEFT_MODEL_REQUEST_H
#define WEFT_MODEL_REQUEST_H

#include "model/adapter.h"
#include "model/gaze.h"
#include "model/kv.h"
#include "model/model.h"
#include "model/sample.h"
#include "schema/constraint.h"

typedef struct WeftPrefix WeftPrefix;

typedef struct WeftActive {
	guint64 ticket;
	WeftSequence *sequence;
	GArray *ids;                /* gint32 */
	gsize n_prompt, n_fed, n_rows_fed;
	WeftCache *cache;           /* NULL until the first pass */
	WeftPrefix *prefix;         /* shared beginning, or NULL */
	const WeftSchema *schema;
	const WeftLexicon *lexicon;
	const WeftAdapter *adapter; /* NULL: none */
	WeftGeneration generation;
	WeftLevels *levels;
	WeftVerbatim *verbatim;     /* of the sequence's text; NULL: nothing in the schema is verbatim */
	WeftConstraint constraint;  /* with a schema */
	gsize n_tokens_left;
	GString *text;              /* written so far */
	GArray *choices;            /* Choice (request.c), in order of the text */
	WeftRouting *routing;       /* counted so far, or NULL */
	WeftGaze *gaze;             /* of each choice, or NULL */
	gint32 watched_id;          /* -1: none */
	double watched_probability;
	char *cut_pointer;          /* the value that the budget cut first, or NULL */
	gsize cut_bytes;            /* of the text, when it did; G_MAXSIZE: never */
	gboolean is_cut, is_done;
	GError *fault;              /* set: failed */
} WeftActive;

/* Takes the sequence, also on failure. WEFT_ERROR_USAGE for a sequence that contradicts itself or
 * the model, WEFT_ERROR_CONTEXT with the numbers when prompt and least answer do not fit. */
WeftActive *weft_active_new(WeftSequence *take_sequence, const WeftGeneration *generation,
			    const WeftLexicon *lexicon, gsize width, gsize context,
			    GError **error);
void weft_active_free(WeftActive *active);

/* ids, rows and sizes agree with a model of this width and vocabulary. */
gboolean weft_sequence_check(const WeftSequence *sequence, gsize width, gsize n_vocab,
			     GError **error);

/* The logits behind the last id: chooses, appends, and sets is_done at the end. */
void weft_active_choose(WeftActive *active, const float *logits);

/* The answer of a request that is done. */
WeftAnswer *weft_active_answer(const WeftActive *active);

#endif
