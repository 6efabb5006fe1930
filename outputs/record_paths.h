/* record_paths.h - part of the door of outputs: where a record's document lies, as the record says it.
 *
 * The same bytes at several places are one record, so its paths change after it was written: a
 * written record is read, and written again with other paths (record_file.h). Paths are bytes; those that are no
 * UTF-8 stand in base64 under a key of their own.
 */
#ifndef WEFT_OUTPUTS_RECORD_PATHS_H
#define WEFT_OUTPUTS_RECORD_PATHS_H

#include <glib.h>

#include "base/json.h"

/* Sorts bytewise and drops doubles. */
void weft_record_paths_settle(GPtrArray *paths);

/* The members "paths" and, where it is needed, "paths_b64" of the object at hand. */
void weft_record_paths_write(WeftJsonWriter *w, const GPtrArray *paths);

/* The paths of a written record, as bytes; an empty array when it has none. */
GPtrArray *weft_record_paths_read(const WeftJson *record);

/* The value of a record's `source`, with these paths (settled). */
void weft_record_source_write(WeftJsonWriter *w, const WeftJson *source, const GPtrArray *paths);

#endif
