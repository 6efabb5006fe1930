/* record_json.h - private: how a record is spelt.
 *
 * Main keys are always there, also when they are empty; inside the items of lists, keys that do not
 * apply are left out. record.schema.json says which is which.
 */
#ifndef WEFT_OUTPUTS_RECORD_JSON_H
#define WEFT_OUTPUTS_RECORD_JSON_H

#include <glib.h>

#include "outputs/record.h"

/* "ok", "partial", ...; and back: FALSE when there is no such status. */
const char *weft_status_name(WeftStatus status);
gboolean weft_status_from_name(const char *name, WeftStatus *ret_status);

#endif
