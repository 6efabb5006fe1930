/* record_division.h - private: what a record says of the type of its document, and of the documents
 * that its file holds one after another.
 */
#ifndef WEFT_OUTPUTS_RECORD_DIVISION_H
#define WEFT_OUTPUTS_RECORD_DIVISION_H

#include "base/json.h"
#include "outputs/record.h"

/* "type" and "elements", where they are known. */
void weft_record_division_write(WeftJsonWriter *w, const WeftRecord *record);

#endif
