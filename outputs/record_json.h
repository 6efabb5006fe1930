/* record_json.h - private: a record's spelling, and a written record with other paths.
 *
 * Main keys are always there, also when they are empty; inside the items of lists, keys that do not
 * apply are left out. record.schema.json says which is which.
 */
#ifndef WEFT_OUTPUTS_RECORD_JSON_H
#define WEFT_OUTPUTS_RECORD_JSON_H

#include <glib.h>

#include "base/json.h"
#include "outputs/record.h"

/* "ok", "partial", ...; and back: FALSE when there is no such status. */
const char *weft_status_name(WeftStatus status);
gboolean weft_status_from_name(const char *name, WeftStatus *ret_status);

/* The paths of a written record, as bytes; an empty array when it has none. */
GPtrArray *weft_record_json_paths(const WeftJson *record);

/* Sorts bytewise and drops doubles. */
void weft_paths_settle(GPtrArray *paths);

/* The same record with these paths (settled); everything else as it stood. Caller frees. */
char *weft_record_json_with_paths(const WeftJson *record, const GPtrArray *paths,
				  gsize *ret_size_bytes);

#endif
