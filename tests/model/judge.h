/* judge.h - whether a JSON text is an instance of a schema, by jansson.
 *
 * Written apart from model/: it knows the keywords that the tests use, aborts on others, and
 * follows JSON Schema 2020-12. Texts with equal keys in one object are no JSON here.
 */
#ifndef WEFT_TESTS_MODEL_JUDGE_H
#define WEFT_TESTS_MODEL_JUDGE_H

#include <glib.h>

/* NULL when it is, else what is wrong and where. Caller frees. */
char *judge(const char *schema, const char *text);

#endif
