/* program_image.c - weft-decode-image: pictures, plain text and captions. */
#include <png.h>
#include <stdio.h>

#include <jpeglib.h>
#include <libavcodec/avcodec.h>
#include <libavutil/log.h>

#include "ingest/captions.h"
#include "ingest/decoder.h"
#include "ingest/picture.h"
#include "ingest/text.h"

#define STRING(x) STRING_OF(x)
#define STRING_OF(x) #x

static char *version(void)
{
	return g_strdup_printf("libpng %s, libjpeg-turbo %s, FFmpeg %s", png_get_libpng_ver(NULL),
			       STRING(LIBJPEG_TURBO_VERSION), av_version_info());
}

static void warm(void)
{
	av_log_set_level(AV_LOG_QUIET);
}

static const WeftDecoder *const DECODERS[] = {
	&weft_png_decoder, &weft_jpeg_decoder, &weft_other_decoder,
	&weft_captions_decoder, &weft_text_decoder, NULL,
};

const WeftHelperProgram weft_helper_program = {
	.name = "weft-decode-image",
	.version = version,
	.warm = warm,
	.decoders = DECODERS,
};
