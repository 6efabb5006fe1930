/* audio.h - sound as rows of the sequence: a projector in Ultravox layout behind Whisper's encoder.
 *
 * A clip is padded with silence to whole hops (at least two); its mel is taken as a whole and cut
 * into chunks of 3000 frames. The first chunk keeps its length; chunks after it are padded with
 * zeros to 3000 frames and the rows of the padding are hidden from attention. Rows of the encoder
 * are joined `stack` by `stack` (zeros where they end): L frames give ceil(L / (2 stack)) tokens,
 * 160 ms each for stack 8. Each token:
 *
 *     x = rmsnorm(x) ln_pre;  (a, b) = halves of linear_1 x;  y = a silu(b)
 *     linear_2(rmsnorm(y) ln_mid)  from v0.5   |   rmsnorm(linear_2 y) ln_post  up to v0.4.1
 *
 * eps 1e-6. Source: fixie-ai/ultravox. Such a projector fits one base only: shapes that agree are
 * not enough, its configuration must name that base.
 *
 * How many tokens a clip gives, and when each begins, follows from the configurations alone.
 */
#ifndef WEFT_ENCODERS_AUDIO_H
#define WEFT_ENCODERS_AUDIO_H

#include <glib.h>

#include "bundle/bundle.h"
#include "kernels/kernels.h"

typedef struct WeftAudio WeftAudio;

typedef struct WeftAudioShape {
	gsize stack;      /* rows of the encoder, 20 ms each, in a token */
	gsize frames_max; /* of mel in a chunk */
} WeftAudioShape;

/* Why the projector of `bundle` must not be used with it, in words for a person; NULL when it may.
 * Caller frees. */
char *weft_audio_mismatch(const WeftBundle *bundle);

/* The projector (weft_bundle_projector) and the encoder before it: its own audio_tower.*, else the
 * Whisper of the bundle. `width`: of the backbone's rows. */
WeftAudio *weft_audio_new(const WeftBundle *bundle, gsize width, const WeftKernels *kernels,
			  GError **error);
void weft_audio_free(WeftAudio *audio);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftAudio, weft_audio_free)

/* Of the projector of the bundle, which has one; reads no weights. */
WeftAudioShape weft_audio_shape(const WeftBundle *bundle);
gsize weft_audio_tokens(const WeftAudioShape *shape, gsize n_samples);
/* When what a token is made of begins, in seconds from the beginning of the clip. */
double weft_audio_token_s(const WeftAudioShape *shape, gsize token);

/* ret_rows[weft_audio_tokens(n_samples)][width], for g_free. */
gboolean weft_audio_hear(const WeftAudio *audio, const float *samples, gsize n_samples,
			 float **ret_rows, gsize *ret_n_rows, GError **error);

#endif
