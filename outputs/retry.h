/* retry.h - private: what a record says about being made again by a later run.
 *
 * Three things are taken from a record, whether it is about to be written or was read back: when
 * what went wrong is worth another try (WeftRetry), which decoders made it, and how it failed, so
 * that a failure that comes again the same way is no new one. The two last are hashes, cut to 16
 * hex digits: they are compared, never shown; the record itself has the words.
 */
#ifndef WEFT_OUTPUTS_RETRY_H
#define WEFT_OUTPUTS_RETRY_H

#include "base/json.h"
#include "outputs/outputs.h"

/* Sets retry, decoders and faults of *known; id and status stay. What is not written yet:
 * weft_known_of_record of the door. */
void weft_retry_of_json(const WeftJson *record, WeftKnown *known);

#endif
