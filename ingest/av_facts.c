#include "ingest/av_facts.h"

#include <math.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/dict.h>

#define TAGS_MAX 256u
#define CHAPTERS_MAX 4096u

/* What muxers write about themselves, not about the recording. */
static const char *const not_telling[] = {
    "language",    "handler_name",     "vendor_id",         "encoder",
    "major_brand", "minor_version",    "compatible_brands", "duration",
    "bps",         "number_of_frames", "number_of_bytes",   NULL,
};

static gboolean is_telling(const char *key)
{
	g_autofree char *lower = g_ascii_strdown(key, 64);
	return !g_strv_contains(not_telling, lower) && !g_str_has_prefix(lower, "_statistics");
}

/* "title" for the container, "track 2 title" for a track of several. */
static void add_tags(const AVDictionary *tags, guint32 track, GQueue *out)
{
	const AVDictionaryEntry *tag = NULL;
	for (guint i = 0; i < TAGS_MAX; i++) {
		tag = av_dict_get(tags, "", tag, AV_DICT_IGNORE_SUFFIX);
		if (!tag)
			return;
		if (!is_telling(tag->key))
			continue;
		g_autofree char *lower = g_ascii_strdown(tag->key, 64);
		g_autofree char *key =
		    track ? g_strdup_printf("track %u %s", track, lower) : g_strdup(lower);
		g_queue_push_tail(out, weft_part_new_meta(key, tag->value));
	}
}

static double seconds_of(const WeftAvSource *source, const AVStream *stream)
{
	if (stream->duration != AV_NOPTS_VALUE && stream->duration > 0 && stream->time_base.den)
		return (double)stream->duration * stream->time_base.num / stream->time_base.den;
	if (source->format->duration != AV_NOPTS_VALUE && source->format->duration > 0)
		return (double)source->format->duration / AV_TIME_BASE;
	return -1;
}

static const char *kind_of(const AVCodecParameters *codecpar)
{
	switch (codecpar->codec_type) {
	case AVMEDIA_TYPE_AUDIO:
		return "audio";
	case AVMEDIA_TYPE_VIDEO:
		return "video";
	case AVMEDIA_TYPE_SUBTITLE:
		return "subtitle";
	default:
		return "data";
	}
}

static void add_codec(const AVStream *stream, GQueue *out)
{
	const AVCodecParameters *c = stream->codecpar;
	g_autofree char *key = g_strdup_printf("track %d format", stream->index + 1);
	g_autofree char *value = NULL;
	const char *name = avcodec_get_name(c->codec_id);
	if (c->codec_type == AVMEDIA_TYPE_AUDIO)
		value = g_strdup_printf("%s, %d Hz, channels: %d", name, c->sample_rate,
		                        c->ch_layout.nb_channels);
	else if (c->codec_type == AVMEDIA_TYPE_VIDEO)
		value = g_strdup_printf("%s, %d x %d", name, c->width, c->height);
	else
		value = g_strdup(name);
	g_queue_push_tail(out, weft_part_new_meta(key, value));
}

static void add_track(const WeftAvSource *source, const AVStream *stream, GQueue *out)
{
	WeftAnchor at = {.track = (guint32)stream->index + 1};
	WeftPart *part = weft_part_new(WEFT_PART_TRACK, at);
	part->track.n = at.track;
	g_strlcpy(part->track.kind, kind_of(stream->codecpar), sizeof part->track.kind);
	const AVDictionaryEntry *tag = av_dict_get(stream->metadata, "language", NULL, 0);
	if (tag && strcmp(tag->value, "und") != 0 && g_str_is_ascii(tag->value))
		g_strlcpy(part->track.language, tag->value, sizeof part->track.language);
	part->track.seconds = seconds_of(source, stream);
	g_queue_push_tail(out, part);
	add_codec(stream, out);
	/* Ogg has no tags but those of its tracks */
	gboolean alone =
	    av_dict_count(source->format->metadata) == 0 && source->format->nb_streams == 1;
	add_tags(stream->metadata, alone ? 0 : at.track, out);
}

/* A picture or a file that travels along. */
static void add_attachment(const AVStream *stream, GQueue *out)
{
	WeftAnchor at = {.track = (guint32)stream->index + 1};
	const AVDictionaryEntry *tag = av_dict_get(stream->metadata, "filename", NULL, 0);
	if (!tag)
		tag = av_dict_get(stream->metadata, "title", NULL, 0);
	gboolean is_cover = stream->disposition & AV_DISPOSITION_ATTACHED_PIC;
	g_autofree char *valid = tag ? g_utf8_make_valid(tag->value, MIN(strlen(tag->value), 1024))
	                             : g_strdup(is_cover ? "cover picture" : "attachment");
	WeftPart *part = weft_part_new(WEFT_PART_EMBEDDED, at);
	part->value = g_steal_pointer(&valid);
	part->size_bytes = (guint64)MAX(
	    is_cover ? stream->attached_pic.size : stream->codecpar->extradata_size, 0);
	g_queue_push_tail(out, part);
}

static void add_chapters(const WeftAvSource *source, GQueue *out)
{
	const AVFormatContext *format = source->format;
	for (guint i = 0; i < MIN(format->nb_chapters, CHAPTERS_MAX); i++) {
		const AVChapter *chapter = format->chapters[i];
		if (chapter->time_base.den == 0)
			continue;
		double unit = (double)chapter->time_base.num / chapter->time_base.den;
		WeftAnchor at = {.has_time = TRUE};
		at.time[0] = (double)chapter->start * unit - source->origin_s;
		at.time[1] = MAX(at.time[0], (double)chapter->end * unit - source->origin_s);
		const AVDictionaryEntry *tag = av_dict_get(chapter->metadata, "title", NULL, 0);
		WeftPart *part = weft_part_new(WEFT_PART_OUTLINE, at);
		part->value = tag ? g_utf8_make_valid(tag->value, MIN(strlen(tag->value), 1024))
		                  : g_strdup_printf("chapter %u", i + 1);
		g_queue_push_tail(out, part);
	}
}

void weft_av_facts(const WeftAvSource *source, GQueue *out)
{
	const AVFormatContext *format = source->format;
	add_tags(format->metadata, 0, out);
	for (guint i = 0; i < format->nb_streams; i++) {
		const AVStream *stream = format->streams[i];
		if (stream->disposition & AV_DISPOSITION_ATTACHED_PIC ||
		    stream->codecpar->codec_type == AVMEDIA_TYPE_ATTACHMENT)
			add_attachment(stream, out);
		else
			add_track(source, stream, out);
	}
	add_chapters(source, out);
}
