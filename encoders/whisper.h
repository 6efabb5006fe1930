/* whisper.h - the encoder of Whisper: log-mel to frames of 20 ms.
 *
 * gelu(conv1), gelu(conv2) (kernels of 3, padding 1, the second with stride 2), + positions, layers
 * of blocks.h, LayerNorm. L frames of mel give (L + 1) / 2 rows. Whisper itself always hears 3000
 * frames and attends to all of them; Ultravox gives it the length there is and hides what pads.
 * Source: transformers, models/whisper.
 */
#ifndef WEFT_ENCODERS_WHISPER_H
#define WEFT_ENCODERS_WHISPER_H

#include <glib.h>

#include "bundle/bundle.h"
#include "kernels/kernels.h"

typedef struct WeftWhisper WeftWhisper;

/* `config` has the sizes; tensors are <prefix>conv1.weight ... ("encoder.", "audio_tower."). */
WeftWhisper *weft_whisper_new(const WeftBundle *bundle, const WeftAudioConfig *config,
			      const char *prefix, const WeftKernels *kernels, GError **error);
void weft_whisper_free(WeftWhisper *whisper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftWhisper, weft_whisper_free)

gsize weft_whisper_n_bins(const WeftWhisper *whisper);
gsize weft_whisper_width(const WeftWhisper *whisper);
gsize weft_whisper_frames_max(const WeftWhisper *whisper); /* of mel: 3000 */

/* ret_rows[(n_frames + 1) / 2][width] from mel[bin * mel_stride + frame], for g_free. Rows attend
 * to those of the first n_heard frames. n_frames in 1..frames_max, n_heard in 1..n_frames. */
gboolean weft_whisper_encode(const WeftWhisper *whisper, const float *mel, gsize mel_stride,
			     gsize n_frames, gsize n_heard, float **ret_rows, GError **error);

#endif
