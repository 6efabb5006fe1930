/* record_source.h - private: what a record says of the files that it is about.
 *
 * Of several inputs that are one document together, `parts` lists each by its number, with a name that
 * tells it from the others: its path from the folder on that all of them lie in. Where they lie is in
 * `paths`, which changes when they are moved or copied (record_paths.h); the parts do not.
 */
#ifndef WEFT_OUTPUTS_RECORD_SOURCE_H
#define WEFT_OUTPUTS_RECORD_SOURCE_H

#include "base/json.h"
#include "outputs/outputs.h"
#include "outputs/record.h"

/* The member "source" of the object at hand. */
void weft_record_source_begin(WeftJsonWriter *w, const WeftRecord *record);

/* The first of the paths (char *, as bytes) that ends with the name; NULL: none does. Borrowed. */
const char *weft_record_part_path(const GPtrArray *paths, const char *name);

#endif
