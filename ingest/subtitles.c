#include "ingest/subtitles.h"

#include <math.h>

#include <libavcodec/avcodec.h>

#include "ingest/cue_text.h"

#define SECONDS_DEFAULT 3.0 /* of a subtitle that does not say how long it stands */

struct WeftSubtitles {
	const WeftAvSource *source;
	const AVStream *stream;
	const WeftDecodeOptions *options;
	GQueue *out;
	AVCodecContext *codec;
	WeftAvTrouble trouble;
	double last_s;
};

WeftSubtitles *weft_subtitles_open(const WeftAvSource *source, guint stream_index,
                                   const WeftDecodeOptions *options, GQueue *out, GError **error)
{
	const AVStream *stream = source->format->streams[stream_index];
	const AVCodecDescriptor *what = avcodec_descriptor_get(stream->codecpar->codec_id);
	if (what && !(what->props & AV_CODEC_PROP_TEXT_SUB)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_NOT_EXAMINED,
		            "track %u: subtitles that are pictures (%s) are not read",
		            stream_index + 1, what->name);
		return NULL;
	}
	AVCodecContext *codec = weft_av_decoder_open(stream, error);
	if (!codec)
		return NULL;
	WeftSubtitles *subtitles = g_new0(WeftSubtitles, 1);
	*subtitles = (WeftSubtitles){source, stream, options, out, codec, {0}, 0};
	return subtitles;
}

void weft_subtitles_close(WeftSubtitles *subtitles)
{
	if (!subtitles)
		return;
	avcodec_free_context(&subtitles->codec);
	g_free(subtitles);
}

static double seconds_of(const WeftSubtitles *subtitles, const AVPacket *packet,
                         const AVSubtitle *event)
{
	double seconds = (double)packet->duration * av_q2d(subtitles->stream->time_base);
	if (!(seconds > 0) && event->end_display_time != UINT32_MAX)
		seconds = (double)(event->end_display_time - event->start_display_time) / 1000;
	return seconds > 0 && isfinite(seconds) ? seconds : SECONDS_DEFAULT;
}

static void give(WeftSubtitles *subtitles, const AVSubtitle *event, WeftAnchor at)
{
	GQueue contents = G_QUEUE_INIT;
	for (guint i = 0; i < event->num_rects; i++) {
		const AVSubtitleRect *rect = event->rects[i];
		if (rect->ass) {
			weft_cue_text_add_ass(&contents, rect->ass, at);
		} else if (rect->text) {
			g_autofree char *valid = g_utf8_make_valid(rect->text, -1);
			weft_cue_text_add(&contents, valid, at);
		}
	}
	WeftContent *content;
	while ((content = g_queue_pop_head(&contents)))
		g_queue_push_tail(subtitles->out, weft_part_new_content(content));
}

static gboolean is_wanted(const WeftDecodeOptions *options, const WeftAnchor *at)
{
	return at->time[1] > options->time_first &&
	       (options->time_end <= 0 || at->time[0] < options->time_end);
}

void weft_subtitles_feed(WeftSubtitles *subtitles, const AVPacket *packet)
{
	guint32 track = (guint32)subtitles->stream->index + 1;
	if (!packet) {
		WeftPart *fault = weft_av_trouble_part(&subtitles->trouble, track, "subtitles");
		if (fault)
			g_queue_push_tail(subtitles->out, fault);
		return;
	}
	AVSubtitle event = {0};
	int is_there = 0;
	AVPacket *copy = av_packet_clone(packet); /* libavcodec asks for one it may change */
	int rc = copy ? avcodec_decode_subtitle2(subtitles->codec, &event, &is_there, copy)
	              : AVERROR(ENOMEM);
	double time_s = weft_av_time_s(subtitles->source, subtitles->stream, packet->pts);
	if (isnan(time_s))
		time_s = subtitles->last_s;
	subtitles->last_s = time_s;
	av_packet_free(&copy);
	if (rc < 0) {
		weft_av_trouble_add(&subtitles->trouble, time_s, rc);
		return;
	}
	if (!is_there)
		return;
	WeftAnchor at = {.track = track, .has_time = TRUE};
	at.time[0] = MAX(time_s + (double)event.start_display_time / 1000, 0);
	at.time[1] = at.time[0] + seconds_of(subtitles, packet, &event);
	if (is_wanted(subtitles->options, &at))
		give(subtitles, &event, at);
	avsubtitle_free(&event);
}
