#include "ingest/audio.h"

#include <math.h>

#include <libavcodec/avcodec.h>

#include "ingest/resample.h"
#include "ingest/segment.h"

#define GAP_S 0.1        /* more than this between two frames is a gap, less is rounding */
#define TROUBLE_MAX 1000 /* packets that fail one after the other */
#define FRAMES_PER_PACKET_MAX 65536

struct WeftAudio {
	const WeftAvSource *source;
	const AVStream *stream;
	const WeftDecodeOptions *options;
	GQueue *out;
	AVCodecContext *codec;
	AVFrame *frame;
	WeftResampler *resampler;
	WeftSegmenter *segmenter;
	WeftAvTrouble trouble;
	double next_s; /* where the next frame is expected; NAN at the start */
	double out_s;  /* time of the next sample out of the resampler */
	gboolean done, ended;
};

WeftAudio *weft_audio_open(const WeftAvSource *source, guint stream_index,
                           const WeftDecodeOptions *options, GQueue *out, GError **error)
{
	WeftAudio *audio = g_new0(WeftAudio, 1);
	audio->source = source;
	audio->stream = source->format->streams[stream_index];
	audio->options = options;
	audio->out = out;
	audio->next_s = NAN;
	audio->segmenter = weft_segmenter_new(stream_index + 1, options, out);
	audio->frame = av_frame_alloc();
	audio->codec = weft_av_decoder_open(audio->stream, error);
	if (!audio->codec || !audio->frame) {
		if (audio->codec)
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "no memory for a frame");
		weft_audio_close(audio);
		return NULL;
	}
	return audio;
}

void weft_audio_close(WeftAudio *audio)
{
	if (!audio)
		return;
	avcodec_free_context(&audio->codec);
	av_frame_free(&audio->frame);
	weft_resampler_free(audio->resampler);
	weft_segmenter_free(audio->segmenter);
	g_free(audio);
}

/* Samples within the wanted stretch of time go on. */
static void push_wanted(WeftAudio *audio, WeftSound sound)
{
	const WeftDecodeOptions *options = audio->options;
	double begin = audio->out_s;
	gsize n = sound.n_samples;
	audio->out_s += (double)n / WEFT_PCM_RATE_HZ;
	if (options->time_first > 0 && begin < options->time_first) {
		double skip = floor((options->time_first - begin) * WEFT_PCM_RATE_HZ + 0.5);
		if (skip >= (double)n)
			return;
		for (guint c = 0; c < sound.n_channels; c++)
			sound.samples[c] += (gsize)skip;
		n -= (gsize)skip;
		begin += skip / WEFT_PCM_RATE_HZ;
	}
	if (options->time_end > 0 && begin + (double)n / WEFT_PCM_RATE_HZ > options->time_end) {
		double keep = floor((options->time_end - begin) * WEFT_PCM_RATE_HZ + 0.5);
		n = keep > 0 ? MIN(n, (gsize)keep) : 0;
		audio->done = TRUE;
	}
	sound.n_samples = n;
	if (n)
		weft_segmenter_push(audio->segmenter, &sound, begin);
}

static gboolean resample(WeftAudio *audio, const AVFrame *frame)
{
	WeftSound sound;
	if (!weft_resampler_push(audio->resampler, frame, &sound, NULL)) {
		weft_av_trouble_add(&audio->trouble, audio->out_s, AVERROR_INVALIDDATA);
		return FALSE;
	}
	push_wanted(audio, sound);
	return TRUE;
}

/* The sound stops here, or is interrupted. */
static void finish_stretch(WeftAudio *audio)
{
	if (!audio->resampler)
		return;
	(void)resample(audio, NULL); /* a failure is counted */
	weft_segmenter_break(audio->segmenter);
	g_clear_pointer(&audio->resampler, weft_resampler_free);
}

static void take_frame(WeftAudio *audio)
{
	const AVFrame *frame = audio->frame;
	double time_s = weft_av_time_s(audio->source, audio->stream, frame->best_effort_timestamp);
	if (isnan(time_s))
		time_s = isnan(audio->next_s) ? 0 : audio->next_s;
	if (frame->nb_samples <= 0)
		return;
	if (audio->resampler &&
	    (fabs(time_s - audio->next_s) > GAP_S || !weft_resampler_fits(audio->resampler, frame)))
		finish_stretch(audio);
	if (!audio->resampler) {
		audio->resampler = weft_resampler_new(frame, audio->options->apart, NULL);
		if (!audio->resampler) {
			weft_av_trouble_add(&audio->trouble, time_s, AVERROR_INVALIDDATA);
			return;
		}
		audio->out_s = time_s;
	} else if (fabs(time_s - audio->next_s) > GAP_S / 20) {
		audio->out_s +=
		    time_s - audio->next_s; /* the clocks drift: keep to the timestamps */
	} else {
		time_s = audio->next_s;
	}
	audio->next_s = time_s + (double)frame->nb_samples / frame->sample_rate;
	if (resample(audio, frame))
		audio->trouble.n_in_a_row = 0;
}

static void take_frames(WeftAudio *audio)
{
	for (guint i = 0; i < FRAMES_PER_PACKET_MAX; i++) {
		int rc = avcodec_receive_frame(audio->codec, audio->frame);
		if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF)
			return;
		if (rc < 0) {
			weft_av_trouble_add(&audio->trouble, audio->next_s, rc);
			return;
		}
		take_frame(audio);
		av_frame_unref(audio->frame);
		if (audio->done)
			return;
	}
}

void weft_audio_feed(WeftAudio *audio, const AVPacket *packet)
{
	if (audio->ended)
		return;
	if (!audio->done) {
		int rc = avcodec_send_packet(audio->codec, packet);
		if (rc < 0 && rc != AVERROR_EOF) {
			double at = packet
			                ? weft_av_time_s(audio->source, audio->stream, packet->pts)
			                : audio->next_s;
			weft_av_trouble_add(&audio->trouble, isnan(at) ? audio->next_s : at, rc);
		}
		take_frames(audio);
	}
	if (audio->trouble.n_in_a_row >= TROUBLE_MAX)
		audio->done = TRUE;
	if (packet)
		return;
	audio->ended = TRUE;
	finish_stretch(audio);
	WeftPart *fault =
	    weft_av_trouble_part(&audio->trouble, (guint32)audio->stream->index + 1, "sound");
	if (fault)
		g_queue_push_tail(audio->out, fault);
}

double weft_audio_time(const WeftAudio *audio)
{
	return audio->ended ? INFINITY : weft_segmenter_time(audio->segmenter);
}

gboolean weft_audio_is_done(const WeftAudio *audio)
{
	return audio->done;
}
