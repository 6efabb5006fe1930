/* reader.h - nodes from sets: the middle of weft_schema_new. Private.
 *
 * Every set that was met has a slot, a BRANCHES node, which is filled with a node for each type of each
 * of the set's cases; least.h takes out the slots that turn out to have one branch only.
 */
#ifndef WEFT_SCHEMA_READER_H
#define WEFT_SCHEMA_READER_H

#include "schema/reading.h"

/* Fills the slots of all sets that are met from `set` on. NULL on error, else the slot of `set`. */
WeftNode *weft_reader_fill(WeftReading *reading, const GArray *set, GError **error);

#endif
