/* program_ocr.c - weft-decode-ocr. */
#include "ingest/decoder.h"
#include "ingest/ocr.h"

const WeftHelperProgram weft_helper_program = {
	.name = "weft-decode-ocr",
	.version = weft_ocr_version,
	.reader = &weft_ocr_reader,
};
