#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>

#include "ingest/av.h"
#include "ingest/decoder.h"

static const WeftDecoder *const decoders[] = {&weft_av_decoder, NULL};

static char *number(const char *name, unsigned v)
{
	return g_strdup_printf("%s %u.%u.%u", name, AV_VERSION_MAJOR(v), AV_VERSION_MINOR(v),
	                       AV_VERSION_MICRO(v));
}

static char *version(void)
{
	g_autofree char *format = number("libavformat", avformat_version());
	g_autofree char *codec = number("libavcodec", avcodec_version());
	g_autofree char *resample = number("libswresample", swresample_version());
	g_autofree char *scale = number("libswscale", swscale_version());
	return g_strjoin(" ", format, codec, resample, scale, NULL);
}

static void warm(void)
{
	weft_av_quiet();
	(void)avcodec_find_decoder(AV_CODEC_ID_H264); /* registers all codecs */
}

const WeftHelperProgram weft_helper_program = {
    .name = "weft-decode-av",
    .version = version,
    .warm = warm,
    .decoders = decoders,
};
