/* replay.h - private to decode: what stands in a journal goes down the flow once more.
 *
 * Items leave in their order, as they came out of the reading. Pictures and sound come without pixels
 * and samples, but for those that somebody will look at: of these the document is decoded again, from
 * their page on (pages are independent), recordings and pictures from their start.
 */
#ifndef WEFT_PIPELINE_REPLAY_H
#define WEFT_PIPELINE_REPLAY_H

#include "pipeline/decode_flow.h"

/* The journal of this key, to be written to, and what stands in it: NULL when it begins here. One that
 * does not hold together is begun anew. NULL: there can be none. */
WeftJournal *weft_replay_begin(WeftStash *stash, const char *key, WeftJournalReader **ret_known);

/* Sends all entries. `seen`: the last picture or sound that nobody will look at any more, because
 * all windows that hold it, or any before it, are answered; NULL: there is none. FALSE with an error: what was
 * read does not fit the document, or WEFT_ERROR_GONE; without: nobody receives any more. */
bool weft_replay_send(WeftDecodeFlow *flow, WeftJournalReader *reader, const WeftAnchor *seen,
                      GError **error);

/* Counts the item for what it counted for when it was decoded. */
void weft_replay_tally(WeftDecodeFlow *flow, const WeftItem *item);

#endif
