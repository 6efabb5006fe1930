#include "ingest/video.h"

#include <math.h>

#include <libavcodec/avcodec.h>
#include <libavutil/display.h>

#include "ingest/av_picture.h"
#include "ingest/frame_book.h"
#include "ingest/scene.h"

#define TROUBLE_MAX 1000
#define FRAMES_PER_PACKET_MAX 4096
#define JUMP_S 0.5        /* time that goes back by more than this begins anew */
#define DURATION_S 0.04   /* of a last frame that does not state its own */
#define STANDS_MAX_S 300.0

struct WeftVideo {
	const WeftAvSource *source;
	AVStream *stream;
	const WeftDecodeOptions *options;
	GQueue *out;
	AVCodecContext *codec;
	AVFrame *incoming;
	AVFrame *waiting; /* decoded; how long it stands is known with the next one */
	double waiting_s; /* NAN: none */
	double end_s;
	struct SwsContext *grey;
	WeftAvTurn turn;
	WeftScene scene;
	WeftFrameBook *book;
	WeftPart *shown; /* chosen; until when it stands is known with the next choice */
	guint64 shown_number; /* in the book; 0: not in it */
	guint n_chosen;
	WeftAvTrouble trouble;
	gboolean done, ended;
};

WeftVideo *weft_video_open(const WeftAvSource *source, guint stream_index,
                           const WeftDecodeOptions *options, GQueue *out, GError **error)
{
	WeftVideo *video = g_new0(WeftVideo, 1);
	video->source = source;
	video->stream = source->format->streams[stream_index];
	video->options = options;
	video->out = out;
	video->waiting_s = NAN;
	video->end_s = -INFINITY;
	size_t size = 0;
	const guint8 *matrix =
	    av_stream_get_side_data(video->stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
	video->turn = weft_av_turn(
	    matrix && size >= 9 * sizeof(gint32) ? (const gint32 *)(gconstpointer)matrix : NULL);
	weft_scene_init(&video->scene, options->frame_interval_s);
	video->book = g_new0(WeftFrameBook, 1);
	video->incoming = av_frame_alloc();
	video->waiting = av_frame_alloc();
	video->codec = weft_av_decoder_open(video->stream, error);
	if (!video->codec || !video->incoming || !video->waiting) {
		if (video->codec)
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "no memory for a frame");
		weft_video_close(video);
		return NULL;
	}
	return video;
}

void weft_video_close(WeftVideo *video)
{
	if (!video)
		return;
	avcodec_free_context(&video->codec);
	av_frame_free(&video->incoming);
	av_frame_free(&video->waiting);
	sws_freeContext(video->grey);
	weft_part_free(video->shown);
	g_free(video->book);
	g_free(video);
}

static double aspect_of(const WeftAvSource *source, AVStream *stream, AVFrame *frame)
{
	AVRational aspect = av_guess_sample_aspect_ratio(source->format, stream, frame);
	return aspect.num > 0 && aspect.den > 0 ? av_q2d(aspect) : 1;
}

/* The frame that stands is given with its end, and no longer. */
static void give_shown(WeftVideo *video, double end_s)
{
	if (!video->shown)
		return;
	WeftAnchor *at = &video->shown->anchor;
	if (video->options->time_end > 0)
		end_s = MIN(end_s, video->options->time_end);
	at->time[1] = MAX(at->time[0], end_s);
	if (video->shown->content)
		g_array_index(video->shown->content->anchors, WeftAnchor, 0) = *at;
	else
		weft_frame_book_set_time(video->book, video->shown_number, at->time);
	g_queue_push_tail(video->out, g_steal_pointer(&video->shown));
}

/* What is not worth pixels: blank, or seen before. */
static void show_known(WeftVideo *video, WeftAnchor at, gboolean is_blank)
{
	WeftContentKind kind = is_blank ? WEFT_CONTENT_BLANK : WEFT_CONTENT_FRAME;
	WeftContent *content = weft_content_new(kind, WEFT_BY_FILE, NULL, at);
	if (!is_blank) {
		weft_frame_book_time(video->book, video->shown_number, at.time);
		g_array_append_val(content->anchors, at);
	}
	video->shown = weft_part_new_content(content);
}

static void show_new(WeftVideo *video, AVFrame *frame, const guint8 *luma, WeftAnchor at)
{
	WeftRaster raster;
	g_autoptr(GError) error = NULL;
	if (!weft_av_picture(frame, aspect_of(video->source, video->stream, frame), video->turn,
	                     video->options, &raster, &error)) {
		g_queue_push_tail(video->out, weft_part_new_fault(at, error->code, "track %u: %s",
		                                                  at.track, error->message));
		return;
	}
	video->shown = weft_part_new_raster(WEFT_PART_FRAME, at, raster.width, raster.height,
	                                    raster.pixels, raster.points_per_pixel);
	video->shown_number = weft_frame_book_add(video->book, luma);
}

static gboolean is_shown_blank(const WeftVideo *video)
{
	return video->shown && video->shown->content &&
	       video->shown->content->kind == WEFT_CONTENT_BLANK;
}

static void show(WeftVideo *video, AVFrame *frame, const guint8 *luma, double from_s,
                 gboolean roughly)
{
	gboolean is_blank = weft_grey_is_blank(luma, WEFT_GREY_PIXELS);
	guint64 number = is_blank ? 0 : weft_frame_book_find(video->book, luma, roughly);
	if (is_blank ? is_shown_blank(video)
	             : video->shown && number > 0 && number == video->shown_number)
		return;
	give_shown(video, from_s);
	WeftAnchor at = {.track = (guint32)video->stream->index + 1, .has_time = TRUE};
	at.time[0] = at.time[1] = MAX(from_s, video->options->time_first);
	double most = video->options->limits.scenes;
	if (++video->n_chosen > most) {
		g_queue_push_tail(
		    video->out,
		    weft_part_new_fault(at, WEFT_ERROR_LIMIT,
		                        "track %u: not looked at from %.3f s on: limit scenes=%.15g",
		                        at.track, at.time[0], most));
		video->done = TRUE;
		return;
	}
	video->shown_number = number;
	if (is_blank || number > 0)
		show_known(video, at, is_blank);
	else
		show_new(video, frame, luma, at);
}

/* What stands is told so far, and again from `time_s` on. */
static void renew(WeftVideo *video, double time_s)
{
	WeftAnchor at = video->shown->anchor;
	gboolean is_blank = is_shown_blank(video);
	at.time[0] = at.time[1] = time_s;
	give_shown(video, time_s);
	show_known(video, at, is_blank);
}

void weft_video_renew(WeftVideo *video)
{
	if (video->shown && video->waiting_s > video->shown->anchor.time[0])
		renew(video, video->waiting_s);
}

/* The frame that waited stood until `end_s`. */
static void settle(WeftVideo *video, double end_s)
{
	if (isnan(video->waiting_s) || video->done)
		return;
	AVFrame *frame = video->waiting;
	double time_s = video->waiting_s, from_s;
	video->waiting_s = NAN;
	guint8 luma[WEFT_GREY_PIXELS + 64]; /* swscale writes whole vectors */
	WeftSceneChoice choice = WEFT_SCENE_SAME;
	gboolean wanted = end_s > video->options->time_first;
	if (wanted &&
	    !weft_av_picture_grey(&video->grey, frame, WEFT_GREY_WIDTH, WEFT_GREY_HEIGHT, luma))
		weft_av_trouble_add(&video->trouble, time_s, AVERROR(ENOSYS));
	else if (wanted)
		choice = weft_scene_look(&video->scene, luma, time_s, end_s - time_s, &from_s);
	if (choice != WEFT_SCENE_SAME)
		show(video, frame, luma, from_s, choice == WEFT_SCENE_INTERVAL);
	av_frame_unref(frame);
	if (video->shown && time_s - video->shown->anchor.time[0] >= STANDS_MAX_S)
		renew(video, time_s);
}

static double duration_of(const WeftVideo *video, const AVFrame *frame)
{
	double seconds = (double)frame->pkt_duration * av_q2d(video->stream->time_base);
	if (!(seconds > 0) && video->stream->avg_frame_rate.num > 0)
		seconds = 1 / av_q2d(video->stream->avg_frame_rate);
	return seconds > 0 && seconds < 3600 ? seconds : DURATION_S;
}

static void take_frame(WeftVideo *video)
{
	AVFrame *frame = video->incoming;
	double time_s = weft_av_time_s(video->source, video->stream, frame->best_effort_timestamp);
	if (isnan(time_s))
		time_s = isfinite(video->end_s) ? video->end_s : 0;
	if (!isnan(video->waiting_s) && time_s < video->waiting_s - JUMP_S) {
		settle(video, video->end_s);
		give_shown(video, video->end_s);
		weft_scene_init(&video->scene, video->options->frame_interval_s);
	} else if (!isnan(video->waiting_s)) {
		time_s = MAX(time_s, video->waiting_s);
		settle(video, time_s);
	}
	if (video->options->time_end > 0 && time_s >= video->options->time_end)
		video->done = TRUE;
	if (video->done)
		return;
	av_frame_unref(video->waiting);
	av_frame_move_ref(video->waiting, frame);
	video->waiting_s = time_s;
	video->end_s = time_s + duration_of(video, video->waiting);
	video->trouble.n_in_a_row = 0;
}

static void take_frames(WeftVideo *video)
{
	for (guint i = 0; i < FRAMES_PER_PACKET_MAX && !video->done; i++) {
		int rc = avcodec_receive_frame(video->codec, video->incoming);
		if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF)
			return;
		if (rc < 0) {
			weft_av_trouble_add(&video->trouble, video->end_s, rc);
			return;
		}
		take_frame(video);
		av_frame_unref(video->incoming);
	}
}

void weft_video_feed(WeftVideo *video, const AVPacket *packet)
{
	if (video->ended)
		return;
	if (!video->done) {
		int rc = avcodec_send_packet(video->codec, packet);
		if (rc < 0 && rc != AVERROR_EOF) {
			double at = packet
			                ? weft_av_time_s(video->source, video->stream, packet->pts)
			                : video->end_s;
			weft_av_trouble_add(&video->trouble, isnan(at) ? video->end_s : at, rc);
		}
		take_frames(video);
	}
	if (video->trouble.n_in_a_row >= TROUBLE_MAX)
		video->done = TRUE;
	if (packet)
		return;
	settle(video, video->end_s);
	give_shown(video, video->end_s);
	video->ended = TRUE;
	WeftPart *fault =
	    weft_av_trouble_part(&video->trouble, (guint32)video->stream->index + 1, "video");
	if (fault)
		g_queue_push_tail(video->out, fault);
}

double weft_video_time(const WeftVideo *video)
{
	if (video->ended)
		return INFINITY;
	return video->shown ? video->shown->anchor.time[0] : -INFINITY;
}

gboolean weft_video_is_done(const WeftVideo *video)
{
	return video->done;
}

static gboolean decode_cover(AVCodecContext *codec, const AVPacket *packet, AVFrame *frame,
                             GError **error)
{
	int rc = avcodec_send_packet(codec, packet);
	if (rc >= 0)
		rc = avcodec_send_packet(codec, NULL);
	if (rc >= 0)
		rc = avcodec_receive_frame(codec, frame);
	if (rc < 0)
		weft_av_set_error(error, rc, "cover picture");
	return rc >= 0;
}

WeftPart *weft_video_cover(const WeftAvSource *source, guint stream_index,
                           const WeftDecodeOptions *options, GError **error)
{
	AVStream *stream = source->format->streams[stream_index];
	AVCodecContext *codec = weft_av_decoder_open(stream, error);
	AVFrame *frame = codec ? av_frame_alloc() : NULL;
	const WeftAvTurn upright = weft_av_turn(NULL);
	WeftAnchor at = {.track = stream_index + 1};
	WeftPart *part = NULL;
	WeftRaster raster;
	if (frame && decode_cover(codec, &stream->attached_pic, frame, error) &&
	    weft_av_picture(frame, aspect_of(source, stream, frame), upright, options, &raster,
	                    error))
		part = weft_part_new_raster(WEFT_PART_RASTER, at, raster.width, raster.height,
		                            raster.pixels, raster.points_per_pixel);
	else if (codec && !frame)
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "no memory for a frame");
	av_frame_free(&frame);
	avcodec_free_context(&codec);
	return part;
}
