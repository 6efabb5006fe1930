/* answer.h - the product of the model: the JSON of one request.
 *
 * `json` is always complete and valid against the schema of the request, whatever the model is;
 * where the token budget forbade what the model would have written, `is_cut` is set. Per value (by
 * JSON pointer) it says how sure the model was: the geometric mean of the probabilities that it
 * gave its choices among the allowed tokens. Tokens that the schema left no choice about do not
 * count; where there was no choice at all the confidence is 1.
 */
#ifndef WEFT_MODEL_ANSWER_H
#define WEFT_MODEL_ANSWER_H

#include <glib.h>

typedef struct WeftAnswerValue {
	char *pointer;      /* RFC 6901, of a scalar */
	gsize byte_first, byte_end; /* of the value in json */
	double confidence;  /* 0..1, see above */
} WeftAnswerValue;

typedef struct WeftAnswer {
	char *json;         /* or plain text, when the request had no schema */
	GArray *values;     /* WeftAnswerValue, in document order */
	gboolean is_cut;
	double confidence;  /* of the whole */
	gsize n_text, n_patch, n_audio, n_generated; /* tokens */
} WeftAnswer;

WeftAnswer *weft_answer_new(void);
void weft_answer_free(WeftAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftAnswer, weft_answer_free)

#endif
