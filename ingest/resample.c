#include "ingest/resample.h"

#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>

#include "ingest/av_source.h"

#define CHANNELS_MAX 64
#define RATE_MAX_HZ 768000

struct WeftResampler {
	SwrContext *swr;
	int format, rate_hz;
	AVChannelLayout layout; /* as the frames state it */
	guint n_channels; /* that come out */
	float *buffer;    /* one channel behind the other */
	int buffer_samples; /* of one channel */
};

/* A layout that only counts its channels is taken as the usual one of that many. */
static int usual_layout(AVChannelLayout *layout, const AVChannelLayout *stated)
{
	if (stated->order != AV_CHANNEL_ORDER_UNSPEC)
		return av_channel_layout_copy(layout, stated);
	av_channel_layout_default(layout, stated->nb_channels);
	return 0;
}

static int open_swr(WeftResampler *r)
{
	AVChannelLayout in = {0}, out = AV_CHANNEL_LAYOUT_MONO;
	int rc = usual_layout(&in, &r->layout);
	if (rc >= 0 && r->n_channels > 1)
		rc = av_channel_layout_copy(&out, &in);
	if (rc >= 0)
		rc = swr_alloc_set_opts2(&r->swr, &out, AV_SAMPLE_FMT_FLTP, WEFT_PCM_RATE_HZ, &in,
		                         r->format, r->rate_hz, 0, NULL);
	if (rc >= 0)
		rc = av_opt_set_double(r->swr, "rematrix_maxval", 1.0, 0);
	if (rc >= 0)
		rc = swr_init(r->swr);
	av_channel_layout_uninit(&in);
	av_channel_layout_uninit(&out);
	return rc;
}

WeftResampler *weft_resampler_new(const AVFrame *frame, gboolean apart, GError **error)
{
	if (frame->sample_rate < 1 || frame->sample_rate > RATE_MAX_HZ ||
	    frame->ch_layout.nb_channels < 1 || frame->ch_layout.nb_channels > CHANNELS_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		            "sound of %d Hz in %d channels, limits %d and %d", frame->sample_rate,
		            frame->ch_layout.nb_channels, RATE_MAX_HZ, CHANNELS_MAX);
		return NULL;
	}
	g_autoptr(WeftResampler) r = g_new0(WeftResampler, 1);
	r->format = frame->format;
	r->rate_hz = frame->sample_rate;
	r->n_channels = apart && frame->ch_layout.nb_channels == 2 ? 2 : 1;
	int rc = av_channel_layout_copy(&r->layout, &frame->ch_layout);
	if (rc >= 0)
		rc = open_swr(r);
	if (rc < 0) {
		weft_av_set_error(error, rc, "resampling");
		return NULL;
	}
	return g_steal_pointer(&r);
}

void weft_resampler_free(WeftResampler *r)
{
	if (!r)
		return;
	swr_free(&r->swr);
	av_channel_layout_uninit(&r->layout);
	av_freep(&r->buffer);
	g_free(r);
}

gboolean weft_resampler_fits(const WeftResampler *r, const AVFrame *frame)
{
	return r->format == frame->format && r->rate_hz == frame->sample_rate &&
	       av_channel_layout_compare(&r->layout, &frame->ch_layout) == 0;
}

gboolean weft_resampler_push(WeftResampler *r, const AVFrame *frame, WeftSound *ret_sound,
                             GError **error)
{
	int room = swr_get_out_samples(r->swr, frame ? frame->nb_samples : 0);
	if (room > r->buffer_samples) {
		av_freep(&r->buffer);
		r->buffer_samples = 0;
		r->buffer = av_malloc_array((size_t)room, r->n_channels * sizeof(float));
		if (!r->buffer)
			room = AVERROR(ENOMEM);
		else
			r->buffer_samples = room;
	}
	int n = room;
	float *planes[WEFT_SIDES_MAX] = {r->buffer};
	if (room > 0 && r->n_channels > 1)
		planes[1] = r->buffer + room;
	if (room > 0)
		n = swr_convert(r->swr, (uint8_t **)planes, room,
		                frame ? (const uint8_t **)frame->extended_data : NULL,
		                frame ? frame->nb_samples : 0);
	if (n < 0) {
		weft_av_set_error(error, n, "resampling");
		return FALSE;
	}
	*ret_sound = (WeftSound){.n_channels = r->n_channels, .n_samples = (gsize)n};
	for (guint c = 0; c < r->n_channels; c++) {
		for (int i = 0; i < n; i++) {
			float x = planes[c][i];
			planes[c][i] = x >= -1 ? MIN(x, 1.0f) : x < -1 ? -1.0f : 0.0f;
		}
		ret_sound->samples[c] = planes[c];
	}
	return TRUE;
}
