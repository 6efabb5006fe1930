#include "ingest/av.h"

#include <math.h>

#include <libavcodec/avcodec.h>

#include "ingest/audio.h"
#include "ingest/av_facts.h"
#include "ingest/av_source.h"
#include "ingest/subtitles.h"
#include "ingest/video.h"

#define PACKETS_MAX 200000000u /* a year of sound */
#define READ_FAILURES_MAX 16u
#define WAITING_MAX_BYTES (64u << 20) /* parts that wait for those of another track */
#define INTERLEAVE_S 10.0             /* how far apart the tracks of a container may lie */
#define SHORT_S 1.0                   /* what is missing at the end before it is said */
#define SHORT_SHARE 0.02

typedef struct Track {
	WeftAudio *audio;
	WeftVideo *video;
	WeftSubtitles *subtitles; /* one of them, or none: not read */
	double packet_end_s;
} Track;

typedef struct AvState {
	const WeftDecodeOptions *options; /* `limited`, once the job's are in it */
	WeftDecodeOptions limited;
	double limit_end_s; /* where the limit of seconds ends it; 0: it does not */
	WeftAvSource *source;
	AVPacket *packet;
	guint n_tracks;
	Track tracks[WEFT_AV_STREAMS_MAX + 1];
	GQueue facts;   /* given first, in this order */
	GQueue fresh;   /* from the tracks, as they come */
	GQueue waiting; /* in order of time */
	gsize waiting_bytes;
	double position_s; /* of the container, by its packets */
	guint64 n_packets;
	guint n_failures;
	gboolean late_told, at_end;
} AvState;

static void av_close(void *opaque)
{
	AvState *state = opaque;
	for (guint i = 0; i < state->n_tracks; i++) {
		weft_audio_close(state->tracks[i].audio);
		weft_video_close(state->tracks[i].video);
		weft_subtitles_close(state->tracks[i].subtitles);
	}
	g_queue_clear_full(&state->facts, (GDestroyNotify)weft_part_free);
	g_queue_clear_full(&state->fresh, (GDestroyNotify)weft_part_free);
	g_queue_clear_full(&state->waiting, (GDestroyNotify)weft_part_free);
	av_packet_free(&state->packet);
	weft_av_source_close(state->source);
	g_free(state);
}

static void tell_unread(AvState *state, guint stream_index, int code, const char *message)
{
	WeftAnchor at = {.track = stream_index + 1};
	g_queue_push_tail(&state->facts,
	                  weft_part_new_fault(at, (WeftErrorCode)code, "%s", message));
}

static void open_cover(AvState *state, guint i)
{
	g_autoptr(GError) error = NULL;
	if (!state->options->want_rasters)
		return;
	WeftPart *part =
	    weft_video_cover(state->source, i, state->options, &error);
	if (part)
		g_queue_push_tail(&state->facts, part);
	else
		tell_unread(state, i, error->code, error->message);
}

static void open_track(AvState *state, guint i, int video_index)
{
	AVStream *stream = state->source->format->streams[i];
	Track *track = &state->tracks[i];
	enum AVMediaType type = stream->codecpar->codec_type;
	g_autoptr(GError) error = NULL;
	track->packet_end_s = -INFINITY;
	stream->discard = AVDISCARD_ALL;
	if (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) {
		open_cover(state, i);
	} else if (type == AVMEDIA_TYPE_AUDIO) {
		track->audio =
		    weft_audio_open(state->source, i, state->options, &state->fresh, &error);
	} else if (type == AVMEDIA_TYPE_VIDEO && (int)i != video_index) {
		g_set_error(&error, WEFT_ERROR, WEFT_ERROR_NOT_EXAMINED,
		            "track %u: one track of video is read, track %d", i + 1,
		            video_index + 1);
	} else if (type == AVMEDIA_TYPE_VIDEO && state->options->want_rasters) {
		track->video =
		    weft_video_open(state->source, i, state->options, &state->fresh, &error);
	} else if (type == AVMEDIA_TYPE_SUBTITLE) {
		track->subtitles =
		    weft_subtitles_open(state->source, i, state->options, &state->fresh, &error);
	}
	if (track->audio || track->video || track->subtitles)
		stream->discard = AVDISCARD_DEFAULT;
	if (error)
		tell_unread(state, i, error->code, error->message);
}

static int first_video(const AVFormatContext *format)
{
	for (guint i = 0; i < format->nb_streams; i++)
		if (format->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
		    !(format->streams[i]->disposition & AV_DISPOSITION_ATTACHED_PIC))
			return (int)i;
	return -1;
}

/* Starts two seconds early, for decoders that need what came before; where the index is exact. */
static void skip_to(AvState *state, double time_s)
{
	AVFormatContext *format = state->source->format;
	if (time_s < 10 || !format->iformat || !format->iformat->read_seek ||
	    (format->iformat->flags & AVFMT_TS_DISCONT))
		return;
	int64_t target = (int64_t)((time_s - 2 + state->source->origin_s) * AV_TIME_BASE);
	/* where it fails, reading goes on from the start and drops what is too early */
	(void)av_seek_frame(format, -1, target, AVSEEK_FLAG_BACKWARD);
}

/* No more than so many seconds are read, as if they had been asked for. */
static void limit_time(AvState *state, const WeftDecodeOptions *options)
{
	double end_s = options->time_first + options->limits.recording_s;
	state->limited = *options;
	state->options = &state->limited;
	if (options->time_end > 0 && options->time_end <= end_s)
		return;
	state->limited.time_end = state->limit_end_s = end_s;
}

/* As far as the file says it; what FFmpeg guessed from the bit rate says nothing. */
static void tell_extent(AvState *state)
{
	const AVFormatContext *format = state->source->format;
	double begin_s = state->options->time_first, end_s = state->options->time_end;
	double whole_s =
	    format->duration != AV_NOPTS_VALUE ? (double)format->duration / AV_TIME_BASE : 0;
	WeftAnchor whole = {0};
	WeftPart *part = weft_part_new(WEFT_PART_EXTENT, whole);
	for (guint i = 0; i < state->n_tracks; i++) {
		const AVStream *stream = format->streams[i];
		double stated_s = whole_s;
		if (!state->tracks[i].audio)
			continue;
		if (stream->duration != AV_NOPTS_VALUE && stream->duration > 0)
			stated_s = (double)stream->duration * av_q2d(stream->time_base);
		if (end_s > 0)
			stated_s = MIN(stated_s, end_s);
		part->extent.sound_s += MAX(stated_s - begin_s, 0);
	}
	if (part->extent.sound_s > 0 && state->limit_end_s > 0)
		part->extent.sound_s_cut = MAX(whole_s - state->limit_end_s, 0);
	if (part->extent.sound_s > 0 &&
	    format->duration_estimation_method != AVFMT_DURATION_FROM_BITRATE)
		g_queue_push_head(&state->facts, part);
	else
		weft_part_free(part);
}

static gboolean av_open(const WeftDecodeJob *job, void **ret_state, GError **error)
{
	WeftAvSource *source = weft_av_source_open(job, error);
	if (!source)
		return FALSE;
	AvState *state = g_new0(AvState, 1);
	limit_time(state, job->options);
	state->source = source;
	state->position_s = -INFINITY;
	g_queue_init(&state->facts);
	g_queue_init(&state->fresh);
	g_queue_init(&state->waiting);
	state->packet = av_packet_alloc();
	if (!state->packet) {
		av_close(state);
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "no memory for a packet");
		return FALSE;
	}
	weft_av_facts(source, &state->facts);
	state->n_tracks = source->format->nb_streams;
	if (state->n_tracks > job->options->limits.streams) {
		state->n_tracks = (guint)job->options->limits.streams;
		g_autofree char *message =
		    g_strdup_printf("tracks behind the first %u not read: limit streams=%u",
		                    state->n_tracks, state->n_tracks);
		tell_unread(state, state->n_tracks, WEFT_ERROR_LIMIT, message);
		state->late_told = TRUE;
	}
	for (guint i = 0; i < state->n_tracks; i++)
		open_track(state, i, first_video(source->format));
	tell_extent(state);
	skip_to(state, job->options->time_first);
	*ret_state = state;
	return TRUE;
}

static double time_of(const WeftPart *part)
{
	return part->anchor.has_time ? part->anchor.time[0] : -INFINITY;
}

static int compare_parts(gconstpointer a, gconstpointer b, gpointer data)
{
	double x = time_of(a), y = time_of(b);
	return x < y ? -1 : x > y;
}

/* Sorts in what the tracks gave; equals stay in the order in which they came. */
static void gather(AvState *state)
{
	WeftPart *part;
	while ((part = g_queue_pop_head(&state->fresh))) {
		state->waiting_bytes += weft_part_size_bytes(part);
		GList *at = state->waiting.tail;
		while (at && compare_parts(at->data, part, NULL) > 0)
			at = at->prev;
		if (at)
			g_queue_insert_after(&state->waiting, at, part);
		else
			g_queue_push_head(&state->waiting, part);
	}
}

/* No track will give anything that begins before this. */
static double horizon(const AvState *state)
{
	double least = INFINITY;
	for (guint i = 0; i < state->n_tracks && !state->at_end; i++) {
		const Track *track = &state->tracks[i];
		double time = INFINITY;
		if (track->audio)
			time = weft_audio_time(track->audio);
		else if (track->video)
			time = weft_video_time(track->video);
		if (time == -INFINITY)
			time = state->position_s - INTERLEAVE_S;
		least = MIN(least, time);
	}
	return least;
}

/* A picture that stands long is what the rest waits for. */
static void renew_pictures(AvState *state)
{
	for (guint i = 0; i < state->n_tracks; i++)
		if (state->tracks[i].video)
			weft_video_renew(state->tracks[i].video);
	gather(state);
}

static WeftPart *take_ready(AvState *state)
{
	WeftPart *part = g_queue_pop_head(&state->facts);
	if (part)
		return part;
	gather(state);
	if (state->waiting_bytes >= WAITING_MAX_BYTES)
		renew_pictures(state);
	part = g_queue_peek_head(&state->waiting);
	if (!part || (time_of(part) > horizon(state) && state->waiting_bytes < WAITING_MAX_BYTES))
		return NULL;
	state->waiting_bytes -= weft_part_size_bytes(part);
	return g_queue_pop_head(&state->waiting);
}

/* Ends that are worth a word. */
static gboolean is_short(double stated_s, double found_s)
{
	return stated_s - found_s > SHORT_S && stated_s - found_s > SHORT_SHARE * stated_s;
}

static void tell_truncated(AvState *state, guint32 track, double end_s, double stated_s,
                           const char *message)
{
	WeftAnchor at = {.track = track, .has_time = TRUE};
	at.time[0] = end_s;
	at.time[1] = MAX(end_s, stated_s);
	g_queue_push_tail(&state->fresh,
	                  weft_part_new_fault(at, WEFT_ERROR_TRUNCATED, "%s", message));
}

/* Compares what the file states with what was found: each track that states its length, else the
 * container, else the size of a RIFF file. Lengths that FFmpeg guessed from the bit rate say
 * nothing. */
static void tell_missing(AvState *state)
{
	const AVFormatContext *format = state->source->format;
	gboolean guessed = format->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE;
	gboolean all_read = TRUE, told = FALSE;
	double found = 0;
	for (guint i = 0; i < state->n_tracks; i++) {
		const AVStream *stream = format->streams[i];
		const Track *track = &state->tracks[i];
		if (!track->audio && !track->video) {
			all_read &= stream->codecpar->codec_type != AVMEDIA_TYPE_VIDEO &&
			            stream->codecpar->codec_type != AVMEDIA_TYPE_AUDIO;
			found = MAX(found, track->packet_end_s); /* of subtitles */
			continue;
		}
		double end = MAX(track->packet_end_s, 0);
		found = MAX(found, end);
		if (stream->duration == AV_NOPTS_VALUE || guessed)
			continue;
		double start = weft_av_time_s(state->source, stream, stream->start_time);
		double stated = (isnan(start) ? 0 : start) +
		                weft_av_time_s(state->source, stream, stream->duration) +
		                state->source->origin_s;
		if (is_short(stated, end)) {
			g_autofree char *message = g_strdup_printf(
			    "track %u states %.3f s, its data end at %.3f s", i + 1, stated, end);
			tell_truncated(state, i + 1, end, stated, message);
			told = TRUE;
		}
	}
	double whole =
	    format->duration != AV_NOPTS_VALUE ? (double)format->duration / AV_TIME_BASE : 0;
	if (!told && all_read && !guessed && is_short(whole, found)) {
		g_autofree char *message =
		    g_strdup_printf("the file states %.3f s, its data end at "
		                    "%.3f s",
		                    whole, found);
		tell_truncated(state, 0, found, whole, message);
	} else if (!told && state->source->stated.stated_bytes > state->source->size_bytes) {
		g_autofree char *message = g_strdup_printf(
		    "the file states %" G_GUINT64_FORMAT " bytes and has %" G_GUINT64_FORMAT,
		    state->source->stated.stated_bytes, state->source->size_bytes);
		tell_truncated(state, 0, found, found, message);
	} else if (!told && state->source->stated.is_open) {
		tell_truncated(state, 0, found, found,
		               "the last page is not marked as the end of the recording");
	}
}

/* Behind the limit of seconds, as far as the container says how much there is. */
static void tell_cut(AvState *state)
{
	const AVFormatContext *format = state->source->format;
	double end_s = state->limit_end_s;
	double whole_s =
	    format->duration != AV_NOPTS_VALUE ? (double)format->duration / AV_TIME_BASE : 0;
	WeftAnchor at = {.has_time = TRUE};
	at.time[0] = end_s;
	at.time[1] = MAX(end_s, whole_s);
	g_queue_push_tail(&state->fresh,
	                  weft_part_new_fault(at, WEFT_ERROR_LIMIT,
	                                      "seconds %.3f to %.3f not read: limit seconds=%.15g",
	                                      at.time[0], at.time[1],
	                                      state->options->limits.recording_s));
}

/* A track had more than what is asked for. */
static gboolean is_any_done(const AvState *state)
{
	for (guint i = 0; i < state->n_tracks; i++) {
		const Track *track = &state->tracks[i];
		if ((track->audio && weft_audio_is_done(track->audio)) ||
		    (track->video && weft_video_is_done(track->video)))
			return TRUE;
	}
	return FALSE;
}

static void finish(AvState *state)
{
	if (state->limit_end_s > 0 && is_any_done(state) &&
	    state->position_s > state->limit_end_s - INTERLEAVE_S)
		tell_cut(state);
	else if (state->options->time_end <= 0 || state->limit_end_s > 0)
		tell_missing(state);
	for (guint i = 0; i < state->n_tracks; i++) {
		if (state->tracks[i].audio)
			weft_audio_feed(state->tracks[i].audio, NULL);
		if (state->tracks[i].video)
			weft_video_feed(state->tracks[i].video, NULL);
		if (state->tracks[i].subtitles)
			weft_subtitles_feed(state->tracks[i].subtitles, NULL);
	}
	state->at_end = TRUE;
}

static void feed(AvState *state)
{
	const AVPacket *packet = state->packet;
	guint i = (guint)packet->stream_index;
	if (i >= state->n_tracks) {
		if (!state->late_told)
			tell_unread(state, i, WEFT_ERROR_UNSUPPORTED,
			            "a track that begins later in the recording is not read");
		state->late_told = TRUE;
		return;
	}
	Track *track = &state->tracks[i];
	const AVStream *stream = state->source->format->streams[i];
	double time = weft_av_time_s(state->source, stream,
	                             packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts);
	if (!isnan(time)) {
		double end = time + (double)MAX(packet->duration, 0) * av_q2d(stream->time_base);
		track->packet_end_s = MAX(track->packet_end_s, end);
		state->position_s = MAX(state->position_s, time);
	}
	if (track->audio)
		weft_audio_feed(track->audio, packet);
	else if (track->video)
		weft_video_feed(track->video, packet);
	else if (track->subtitles)
		weft_subtitles_feed(track->subtitles, packet);
}

/* Subtitles alone are read to the end of the file, or of the wanted time. */
static gboolean all_done(const AvState *state)
{
	gboolean is_played = FALSE, has_subtitles = FALSE;
	for (guint i = 0; i < state->n_tracks; i++) {
		const Track *track = &state->tracks[i];
		if ((track->audio && !weft_audio_is_done(track->audio)) ||
		    (track->video && !weft_video_is_done(track->video)))
			return FALSE;
		is_played |= track->audio || track->video;
		has_subtitles |= track->subtitles != NULL;
	}
	return is_played || !has_subtitles ||
	       (state->options->time_end > 0 && state->position_s > state->options->time_end);
}

/* One packet further. */
static void advance(AvState *state)
{
	int rc =
	    all_done(state) ? AVERROR_EOF : av_read_frame(state->source->format, state->packet);
	if (rc >= 0) {
		feed(state);
		av_packet_unref(state->packet);
		if (++state->n_packets >= PACKETS_MAX)
			rc = AVERROR(E2BIG);
		else
			return;
	}
	gboolean is_end = rc == AVERROR_EOF;
	if (!is_end && rc != AVERROR(EAGAIN) && state->n_failures == 0) {
		WeftAnchor at = {.has_time = isfinite(state->position_s)};
		at.time[0] = at.time[1] = at.has_time ? state->position_s : 0;
		g_autoptr(GError) error = NULL;
		weft_av_set_error(&error, rc, "reading stops");
		g_queue_push_tail(&state->fresh,
		                  weft_part_new_fault(at, error->code, "%s", error->message));
	}
	if (is_end || ++state->n_failures >= READ_FAILURES_MAX || state->n_packets >= PACKETS_MAX)
		finish(state);
}

static gboolean av_next(void *opaque, WeftPart **ret_part, GError **error)
{
	AvState *state = opaque;
	for (;;) {
		WeftPart *part = take_ready(state);
		if (part || state->at_end) {
			*ret_part = part;
			return TRUE;
		}
		advance(state);
	}
}

void weft_av_quiet(void)
{
	av_log_set_level(AV_LOG_QUIET);
}

const WeftDecoder weft_av_decoder = {
    .name = "av",
    .family = WEFT_FAMILY_AV,
    .open = av_open,
    .next = av_next,
    .close = av_close,
};
