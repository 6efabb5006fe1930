/* answer.h - the product of the model: the JSON of one request.
 *
 * `json` is always complete and valid against the schema of the request, whatever the model is;
 * where the token budget ended first, the rest was closed by rule and `is_cut` is set. Per value
 * (by JSON pointer) it says how sure the model was.
 */
#ifndef WEFT_MODEL_ANSWER_H
#define WEFT_MODEL_ANSWER_H

#include <glib.h>

typedef struct WeftAnswerValue {
	char *pointer;      /* RFC 6901, of a scalar */
	gsize byte_first, byte_end; /* of the value in json */
	double confidence;  /* geometric mean of the token probabilities under the mask, 0..1 */
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
