/* json_private.h - what the tree needs of the reader beyond its door. */
#ifndef WEFT_BASE_JSON_PRIVATE_H
#define WEFT_BASE_JSON_PRIVATE_H

#include "base/json.h"

/* The event of the value at hand: the next one after KEY and before the first event, else the last
 * one again. */
gboolean weft_json_reader_at_hand(WeftJsonReader *reader, WeftJsonType *ret_event, GError **error);

#endif
