/* mel.h - the log-mel spectrogram of Whisper.
 *
 * 16 kHz mono; windows of 400 samples (periodic Hann), 160 apart, centred: the samples are
 * mirrored by 200 at both ends, without repeating the first and the last. Frame t is centred on
 * sample 160 t, the frame behind the last hop is dropped: n samples give n / 160 frames. Power
 * spectrum, filter bank of Slaney (triangles between n_bins + 2 points equally spaced in mel from
 * 0 to 8000 Hz, height 2 / width), x = log10(max(x, 1e-10)), x = max(x, largest of all - 8),
 * x = (x + 4) / 4.
 * Source: openai/whisper and transformers' WhisperFeatureExtractor, which agree.
 */
#ifndef WEFT_ENCODERS_MEL_H
#define WEFT_ENCODERS_MEL_H

#include <glib.h>

#include "kernels/kernels.h"

#define WEFT_MEL_RATE_HZ 16000
#define WEFT_MEL_HOP 160
#define WEFT_MEL_WINDOW_FRAMES 3000 /* 30 s: what Whisper hears at once */
#define WEFT_MEL_REACH 200          /* samples that a frame hears on either side of its centre */

typedef struct WeftMel WeftMel;

WeftMel *weft_mel_new(gsize n_bins);
void weft_mel_free(WeftMel *mel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftMel, weft_mel_free)
gsize weft_mel_n_bins(const WeftMel *mel);

/* out[bin] = log10 of one frame, before the clamp that needs all frames. `power`: the 201 numbers of
 * its spectrum. */
void weft_mel_log(const WeftMel *mel, const float *power, float *out);

/* out[bin * out_stride + frame], (n_samples + silence) / 160 frames, for n_samples followed by
 * n_silence zeros; together a multiple of 160 and at least 320. The largest value is taken over all
 * of them. */
gboolean weft_mel_apply(const WeftMel *mel, const WeftKernels *kernels, const float *samples,
			gsize n_samples, gsize n_silence, float *out, gsize out_stride,
			GError **error);

/* The same in two steps, for recordings that never lie in memory as a whole. First
 * out[bin * out_stride + frame] = log10 of frames whose first is centred on
 * samples[WEFT_MEL_REACH]; it reads WEFT_MEL_REACH samples on either side of all centres, and
 * mirrors nothing. A frame is the same bits whichever were measured with it. Then, with the largest
 * of all frames of the recording, the clamp and the scale. */
gboolean weft_mel_measure(const WeftMel *mel, const WeftKernels *kernels, const float *samples,
			  gsize n_frames, float *out, gsize out_stride, float *ret_largest,
			  GError **error);
void weft_mel_clamp(const WeftMel *mel, float *out, gsize out_stride, gsize n_frames,
		    float largest);

#endif
