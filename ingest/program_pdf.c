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

/* Fonts that are not in the file, what fontconfig says of them, and the tables of poppler-data. */
static const char *const FOLDERS[] = {
	"/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/poppler", "/usr/share/fontconfig",
	"/etc/fonts", "/var/cache/fontconfig", NULL,
};

const WeftHelperProgram weft_helper_program = {
	.name = "weft-decode-pdf",
	.version = version,
	.decoders = DECODERS,
	.folders = FOLDERS,
};
