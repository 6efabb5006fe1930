/* fault.h - something that went wrong with a document, on its way to the record.
 *
 * A node that cannot read a part does not stop the run and does not drop the part: it sends on a
 * fault that says at which stage, why, and where in the document, in the place of what it could
 * not give. Faults travel the same channels as everything else and end in the record's `errors`.
 */
#ifndef WEFT_PIPELINE_FAULT_H
#define WEFT_PIPELINE_FAULT_H

#include <glib.h>

#include "base/anchor.h"

typedef struct WeftPartFault {
	const char *stage; /* static: the spelling of the record, "open", "decode", "read" ... */
	GError *error;     /* in WEFT_ERROR */
	WeftAnchor at;
} WeftPartFault;

/* Takes the error. `at` NULL: the document. */
WeftPartFault *weft_part_fault_new(const char *stage, GError *take_error, const WeftAnchor *at);
void weft_part_fault_free(WeftPartFault *fault);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftPartFault, weft_part_fault_free)

#endif
