/* answer.h - the product of the model: the JSON of one request.
 *
 * `json` is always complete and valid against the schema of the request, whatever the model is;
 * where the token budget forbade what the model would have written, `is_cut` is set, and
 * `cut_pointer` says where that happened first. Per value (by
 * JSON pointer) it says how sure the model was: the geometric mean of the probabilities that it
 * gave its choices among the allowed tokens. Tokens that the schema left no choice about do not
 * count; where there was no choice at all the confidence is 1.
 *
 * Where the schema lets a null say why (schema/decline.h), the reason stands beside the value and not
 * in `json`; its tokens do not count for the confidence, which is that of the null.
 */
#ifndef WEFT_MODEL_ANSWER_H
#define WEFT_MODEL_ANSWER_H

#include <glib.h>

#include "encoders/span.h"
#include "model/routing.h"
#include "schema/decline.h"

/* Where the model looked most while it wrote a value (gaze.h): a hint, never evidence. */
typedef struct WeftPointed {
	gboolean is_known;
	WeftSpanKind kind;
	guint32 content;    /* number of the item of content in the document, or WEFT_SPAN_NO_CONTENT */
	WeftAnchor at;
	double share;       /* 0..1, of all that it looked at, instructions included */
	double patch;       /* of a picture: how wide a patch is there, in units of `at`; else 0 */
} WeftPointed;

typedef struct WeftAnswerValue {
	char *pointer;      /* RFC 6901, of a scalar */
	gsize byte_first, byte_end; /* of the value in json */
	double confidence;  /* 0..1, see above */
	WeftDecline decline; /* of a null: why, as the model said it */
	WeftPointed pointed;
	guint32 window;     /* of a document's windows the one that it is about, from 1; 0: not known.
	                     * Whoever merges answers sets it */
} WeftAnswerValue;

typedef struct WeftAnswer {
	char *json;         /* or plain text, when the request had no schema */
	GArray *values;     /* WeftAnswerValue, in document order */
	gboolean is_cut;
	char *cut_pointer;  /* of the value that was cut; NULL: none, or not known */
	double confidence;  /* of the whole */
	gsize n_text, n_patch, n_audio, n_generated; /* tokens */
	WeftRouting *routing; /* NULL: not asked for, or a model without experts */
	double watched_probability; /* of WeftGeneration's watched text; negative: not known */
} WeftAnswer;

WeftAnswer *weft_answer_new(void);
void weft_answer_free(WeftAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftAnswer, weft_answer_free)

/* The JSON with the reasons of its nulls, as a model spells them. Caller frees. */
char *weft_answer_spelled(const WeftAnswer *answer);

/* What to tell of an answer that is cut, with the place; NULL: it is not. Caller frees. */
char *weft_answer_cut_message(const WeftAnswer *answer);

/* What a guard says, read from its answer. */
typedef enum {
	WEFT_VERDICT_NONE, /* it said nothing that counts */
	WEFT_VERDICT_SAFE,
	WEFT_VERDICT_UNSAFE,
} WeftVerdictKind;

#define WEFT_VERDICT_CATEGORIES 14 /* S1 to S14 of Llama Guard 4 */

typedef struct WeftVerdict {
	WeftVerdictKind kind;
	guint32 categories; /* bit i: S(i + 1) */
	double score;       /* 0..1: the probability of "unsafe", not calibrated; negative: not known */
	char *reason;       /* why there is no verdict, or what is odd about it; NULL */
} WeftVerdict;

/* Reads Llama Guard 4's form of answer: space around it aside, "safe", or "unsafe" and a second line
 * with categories divided by commas, of which S1 to S14 are kept. Anything else, also a third line,
 * is no verdict, and the reason quotes how it begins. Of a list that was cut, the last category is
 * dropped: it may be half of another. Never fails. */
WeftVerdict *weft_verdict_read(const WeftAnswer *answer);
/* No verdict. Takes the reason. */
WeftVerdict *weft_verdict_none(char *take_reason);
void weft_verdict_free(WeftVerdict *verdict);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftVerdict, weft_verdict_free)

#endif
