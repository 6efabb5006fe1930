/* record_check.h - private: does a written record contradict itself?
 *
 * The schema says how a record is built; this is about what its parts say of each other: status and
 * errors, the sums of the ledger, ids of items, evidence and the contents that it quotes.
 */
#ifndef WEFT_OUTPUTS_RECORD_CHECK_H
#define WEFT_OUTPUTS_RECORD_CHECK_H

#include "outputs/record_file.h"

/* What is wrong with the items of a record, one by one. */
typedef struct WeftItemsCheck WeftItemsCheck;
WeftItemsCheck *weft_items_check_new(void);
void weft_items_check_free(WeftItemsCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftItemsCheck, weft_items_check_free)
void weft_items_check_add(WeftItemsCheck *check, const WeftJson *item);

/* NULL: nothing is wrong. Else the first thing that is; caller frees. Head and items are valid against
 * the schema, and `items` has seen all of them. The file is read once more when evidence quotes it. */
char *weft_record_check(WeftRecordFile *record, const WeftItemsCheck *items);

#endif
