/* resample.h - private: sound of any rate and layout to 16 kHz in -1..1 (libswresample).
 *
 * It comes out mono, or, where that is asked for, what has exactly two channels stays two.
 * Channels are mixed so that no sum leaves the range (two channels: half of each), as FFmpeg does
 * when it writes 16 bit. What still does, by overshoot of the filter, is clipped; what is not a
 * number is silent. The filter is centred: the first sample out stands where the first one in did.
 */
#ifndef WEFT_INGEST_RESAMPLE_H
#define WEFT_INGEST_RESAMPLE_H

#include <glib.h>
#include <libavutil/frame.h>

#include "ingest/segment.h"

typedef struct WeftResampler WeftResampler;

/* For frames like this one. */
WeftResampler *weft_resampler_new(const AVFrame *frame, gboolean apart, GError **error);
void weft_resampler_free(WeftResampler *resampler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftResampler, weft_resampler_free)

gboolean weft_resampler_fits(const WeftResampler *resampler, const AVFrame *frame);

/* `frame` NULL: what the filter still holds. The samples are borrowed until the next call. */
gboolean weft_resampler_push(WeftResampler *resampler, const AVFrame *frame, WeftSound *ret_sound,
                             GError **error);

#endif
