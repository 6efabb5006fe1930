/* sample.h - a record with something in every field, for the tests of outputs. */
#ifndef WEFT_TESTS_OUTPUTS_SAMPLE_H
#define WEFT_TESTS_OUTPUTS_SAMPLE_H

#include "outputs/record.h"

#define SAMPLE_HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SAMPLE_ID "sha256:" SAMPLE_HEX

WeftRecord *sample_record(void);

/* Appends one item that is text of a page. */
void sample_add_text(WeftRecord *record, guint32 page, const char *text);

#endif
