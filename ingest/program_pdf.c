/* program_pdf.c - weft-decode-pdf. */
#include <cairo.h>
#include <poppler.h>

#include "ingest/decoder.h"
#include "ingest/pdf.h"

static char *version(void)
{
	return g_strdup_printf("poppler %s, cairo %s", poppler_get_version(),
			       cairo_version_string());
}

static const WeftDecoder *const DECODERS[] = { &weft_pdf_decoder, NULL };

const WeftHelperProgram weft_helper_program = {
	.name = "weft-decode-pdf",
	.version = version,
	.decoders = DECODERS,
};
