#include "ingest/av_source.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define IO_BUFFER_BYTES 65536
#define PROBE_BYTES (2 << 20)
#define PROBE_FORMAT_BYTES (1 << 20)
#define ANALYSE_US (5 * AV_TIME_BASE)
#define SAMPLES_MAX (1 << 22) /* of one frame of sound: 20 s at 192 kHz */

/* Demuxers that hold their own data. Each name is one of those in AVInputFormat.name. */
static const char *const formats[] = {
    "mov",  "matroska",  "mp3",  "wav",  "w64",  "flac", "ogg", "avi",  "mpegts", "aac",
    "mpeg", "mpegvideo", "m4v",  "h264", "hevc", "flv",  "asf", "aiff", "au",     "amr",
    "caf",  "ac3",       "eac3", "dts",  "ape",  "wv",   "tta", "mpc",  "mpc8",   "voc",
    "dv",   "mxf",       "nut",  "rm",   "ivf",  "gsm",  NULL,
};

static int read_bytes(void *opaque, uint8_t *buffer, int size)
{
	WeftAvSource *source = opaque;
	ssize_t n;
	do
		n = pread(source->fd, buffer, (size_t)MAX(size, 0), (off_t)source->position);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return AVERROR(errno);
	if (n == 0)
		return AVERROR_EOF;
	source->position += (guint64)n;
	return (int)n;
}

static int64_t seek_bytes(void *opaque, int64_t offset, int whence)
{
	WeftAvSource *source = opaque;
	int64_t base = 0, target;
	switch (whence & ~AVSEEK_FORCE) {
	case AVSEEK_SIZE:
		return (int64_t)source->size_bytes;
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = (int64_t)source->position;
		break;
	case SEEK_END:
		base = (int64_t)source->size_bytes;
		break;
	default:
		return AVERROR(EINVAL);
	}
	if (__builtin_add_overflow(base, offset, &target) || target < 0)
		return AVERROR(EINVAL);
	source->position = (guint64)target;
	return target;
}

/* Nothing but the document is ever opened. */
static int refuse_to_open(AVFormatContext *format, AVIOContext **io, const char *url, int flags,
                          AVDictionary **options)
{
	return AVERROR(EPERM);
}

void weft_av_set_error(GError **error, int number, const char *what)
{
	char words[AV_ERROR_MAX_STRING_SIZE] = "";
	(void)av_strerror(number, words, sizeof words); /* says "Error number N" for unknown ones */
	int code = WEFT_ERROR_CORRUPT;
	if (number == AVERROR_EOF)
		code = WEFT_ERROR_TRUNCATED;
	else if (number == AVERROR(ENOMEM))
		code = WEFT_ERROR_LIMIT;
	else if (number == AVERROR(EIO))
		code = WEFT_ERROR_IO;
	else if (number == AVERROR_DECODER_NOT_FOUND || number == AVERROR_PATCHWELCOME ||
	         number == AVERROR(EPERM) || number == AVERROR(ENOSYS))
		code = WEFT_ERROR_UNSUPPORTED;
	g_set_error(error, WEFT_ERROR, code, "%s: %s", what, words);
}

static gboolean is_accepted(const AVInputFormat *input)
{
	g_auto(GStrv) names = g_strsplit(input->name, ",", -1);
	for (const char *const *name = formats; *name; name++)
		if (g_strv_contains((const char *const *)names, *name))
			return TRUE;
	return FALSE;
}

static gboolean open_io(WeftAvSource *source, const AVInputFormat **ret_input, GError **error)
{
	uint8_t *buffer = av_malloc(IO_BUFFER_BYTES);
	source->io = buffer ? avio_alloc_context(buffer, IO_BUFFER_BYTES, 0, source, read_bytes,
	                                         NULL, seek_bytes)
	                    : NULL;
	source->format = avformat_alloc_context();
	if (!source->io || !source->format) {
		if (!source->io)
			av_free(buffer);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "no memory to open the container");
		return FALSE;
	}
	const AVInputFormat *input = NULL;
	int rc = av_probe_input_buffer2(source->io, &input, "", NULL, 0, PROBE_FORMAT_BYTES);
	if (rc < 0 || !input) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT,
		            "no format of sound or video is recognised");
		return FALSE;
	}
	if (!is_accepted(input)) {
		g_set_error(
		    error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
		    "format %s is not read: it is not sound or video, or it refers to other files",
		    input->name);
		return FALSE;
	}
	*ret_input = input;
	return TRUE;
}

static gboolean open_format(WeftAvSource *source, const AVInputFormat *input, GError **error)
{
	AVFormatContext *format = source->format;
	format->pb = source->io;
	format->io_open = refuse_to_open;
	format->flags |= AVFMT_FLAG_CUSTOM_IO;
	/* Not the limit: some demuxers refuse a file that has more. */
	format->max_streams = WEFT_AV_STREAMS_MAX + 1;
	format->probesize = PROBE_BYTES;
	format->max_analyze_duration = ANALYSE_US;
	AVDictionary *options = NULL;
	av_dict_set(&options, "protocol_whitelist", "none", 0);
	av_dict_set(&options, "format_whitelist", input->name, 0);
	int rc =
	    avformat_open_input(&source->format, NULL, input, &options); /* frees it on failure */
	av_dict_free(&options);
	if (rc < 0 && source->stated.lacks_index) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_TRUNCATED,
		            "%s: there is no index (moov) in it: the recording was not finished, or "
		            "its end is missing",
		            input->name);
		return FALSE;
	}
	if (rc < 0) {
		weft_av_set_error(error, rc, input->name);
		return FALSE;
	}
	rc = avformat_find_stream_info(source->format, NULL);
	if (rc < 0) {
		weft_av_set_error(error, rc, input->name);
		return FALSE;
	}
	if (source->format->nb_streams == 0 && !(source->format->ctx_flags & AVFMTCTX_NOHEADER)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_EMPTY, "%s: no tracks in it",
		            input->name);
		return FALSE;
	}
	return TRUE;
}

/* A clock that begins at zero by the format's definition. */
static gboolean has_own_zero(const AVInputFormat *input)
{
	return strstr(input->name, "mov") || strstr(input->name, "matroska");
}

WeftAvSource *weft_av_source_open(const WeftDecodeJob *job, GError **error)
{
	g_autoptr(WeftAvSource) source = g_new0(WeftAvSource, 1);
	source->fd = job->fd;
	source->size_bytes = job->size_bytes;
	source->stated = weft_container_size(job->fd, job->size_bytes);
	const AVInputFormat *input = NULL;
	if (!open_io(source, &input, error) ||
	    !open_format(source, input, error))
		return NULL;
	int64_t start = source->format->start_time;
	if (start != AV_NOPTS_VALUE && !has_own_zero(input))
		source->origin_s = (double)start / AV_TIME_BASE;
	return g_steal_pointer(&source);
}

void weft_av_source_close(WeftAvSource *source)
{
	if (!source)
		return;
	avformat_close_input(&source->format); /* leaves custom io alone */
	if (source->io)
		av_freep(&source->io->buffer);
	avio_context_free(&source->io);
	g_free(source);
}

double weft_av_time_s(const WeftAvSource *source, const AVStream *stream, int64_t timestamp)
{
	if (timestamp == AV_NOPTS_VALUE || stream->time_base.den == 0)
		return NAN;
	double time_s =
	    (double)timestamp * stream->time_base.num / stream->time_base.den - source->origin_s;
	return fabs(time_s) < 1e-6 ? 0 : time_s; /* the container's own zero is rounded, too */
}

AVCodecContext *weft_av_decoder_open(const AVStream *stream, GError **error)
{
	const AVCodecParameters *codecpar = stream->codecpar;
	g_autofree char *what = g_strdup_printf("track %d (%s)", stream->index + 1,
	                                        avcodec_get_name(codecpar->codec_id));
	if (av_stream_get_side_data(stream, AV_PKT_DATA_ENCRYPTION_INIT_INFO, NULL)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_ENCRYPTED, "%s is encrypted", what);
		return NULL;
	}
	const AVCodec *codec = avcodec_find_decoder(codecpar->codec_id);
	AVCodecContext *context = codec ? avcodec_alloc_context3(codec) : NULL;
	int rc = codec ? AVERROR(ENOMEM) : AVERROR_DECODER_NOT_FOUND;
	if (context) {
		rc = avcodec_parameters_to_context(context, codecpar);
		context->pkt_timebase = stream->time_base;
		context->thread_count = 1;
		context->max_pixels = WEFT_RASTER_PIXELS_MAX;
		context->max_samples = SAMPLES_MAX;
		if (rc >= 0)
			rc = avcodec_open2(context, codec, NULL);
	}
	if (rc < 0) {
		avcodec_free_context(&context);
		weft_av_set_error(error, rc, what);
	}
	return context;
}

void weft_av_trouble_add(WeftAvTrouble *trouble, double time_s, int number)
{
	if (trouble->n == 0) {
		trouble->first_s = time_s;
		trouble->number = number;
	}
	trouble->last_s = time_s;
	trouble->n++;
	trouble->n_in_a_row++;
}

WeftPart *weft_av_trouble_part(const WeftAvTrouble *trouble, guint32 track, const char *kind)
{
	if (trouble->n == 0)
		return NULL;
	WeftAnchor at = {.track = track};
	if (isfinite(trouble->first_s) && isfinite(trouble->last_s)) {
		at.has_time = TRUE;
		at.time[0] = MIN(trouble->first_s, trouble->last_s);
		at.time[1] = MAX(trouble->first_s, trouble->last_s);
	}
	char words[AV_ERROR_MAX_STRING_SIZE] = "";
	(void)av_strerror(trouble->number, words, sizeof words);
	return weft_part_new_fault(at, WEFT_ERROR_CORRUPT,
	                           "track %u: %" G_GUINT64_FORMAT
	                           " packet%s of %s could not be decoded; "
	                           "the first: %s",
	                           track, trouble->n, trouble->n == 1 ? "" : "s", kind, words);
}
