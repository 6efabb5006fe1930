/* program_image.c - weft-decode-image: pictures and plain text. */
#include "ingest/decoder.h"
#include "ingest/text.h"

static char *version(void)
{
	return g_strdup("text 1");
}

static const WeftDecoder *const DECODERS[] = { &weft_text_decoder, NULL };

const WeftHelperProgram weft_helper_program = {
	.name = "weft-decode-image",
	.version = version,
	.decoders = DECODERS,
};
