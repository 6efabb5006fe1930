/* readdress.h - private: a written record under another id.
 *
 * When what makes an id is spelled differently and means the same, a record is not made again: it gets
 * the new id, the job's new fingerprint and the decoders, which the old spelling had in it.
 */
#ifndef WEFT_OUTPUTS_READDRESS_H
#define WEFT_OUTPUTS_READDRESS_H

#include "base/json.h"
#include "outputs/outputs.h"

/* Everything else as it stood, but for the paths: the new record has these alone. `address` NULL: only
 * the paths are new (weft_record_paths_replace). Caller frees. */
char *weft_record_readdress(const WeftJson *record, const WeftAddress *address,
			    const GPtrArray *paths, gsize *ret_size_bytes);

#endif
