/* record_document.h - private: what a record says of its document: pages, tracks, metadata, outline, and
 * what is embedded in it. */
#ifndef WEFT_OUTPUTS_RECORD_DOCUMENT_H
#define WEFT_OUTPUTS_RECORD_DOCUMENT_H

#include "base/json.h"
#include "outputs/record.h"

/* The member "document" of the object at hand. */
void weft_record_document_write(WeftJsonWriter *w, const WeftRecord *record);

#endif
