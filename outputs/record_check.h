/* record_check.h - private: does a written record contradict itself?
 *
 * The schema says how a record is built; this is about what its parts say of each other: status and
 * errors, the sums of the ledger, ids of items, evidence and the contents that it quotes.
 */
#ifndef WEFT_OUTPUTS_RECORD_CHECK_H
#define WEFT_OUTPUTS_RECORD_CHECK_H

#include "base/json.h"

/* NULL: nothing is wrong. Else the first thing that is; caller frees. The record is valid against
 * its schema. */
char *weft_record_check(const WeftJson *record);

#endif
