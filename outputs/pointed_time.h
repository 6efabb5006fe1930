/* pointed_time.h - private to provenance: what a value points to that is a time, as a request tells it.
 *
 * "00:12:34" points to what begins in that block of time: speech before anything else, of equals the
 * first. Of several files that are one document, each has that time. What counts then is, in this order:
 * that other values of the same object were found in the file; that the window which gave the value holds
 * it; that the model looked there.
 */
#ifndef WEFT_OUTPUTS_POINTED_TIME_H
#define WEFT_OUTPUTS_POINTED_TIME_H

#include "outputs/record.h"

/* TRUE: the text is a time. */
gboolean weft_pointed_time_is(const char *text);
/* FALSE: it is none, or nothing begins there. `pointer` of the value; what else was found is in the
 * record's provenance. *ret_content: index. */
gboolean weft_pointed_time_find(const WeftRecord *record, const char *pointer, const char *text,
				guint32 *ret_content);

#endif
