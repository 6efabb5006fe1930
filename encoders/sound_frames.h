/* sound_frames.h - sound as a row of numbers every 10 ms: what is measured before it is judged.
 *
 * Samples of 16 kHz mono come in, in pieces of any size; frames go out in order, frame t centred on
 * sample 160 t. Each is measured on the window of Whisper's log-mel (mel.h), so the same spectrum
 * also gives the largest log-mel value of the whole recording, which Whisper's clamp needs: the one
 * that openai/whisper has, whose spectrogram goes over the file and 30 s of silence behind it.
 *
 * Voicing and pitch: the normalised cross-correlation of the sound below 1 kHz, at 4 kHz, over 30 ms
 * and lags of 60 to 400 Hz (D. Talkin, A Robust Algorithm for Pitch Tracking, 1995). Steadiness: how
 * much the spectrum up to 2 kHz is the one of 60 ms before; the partials of a note stand still, those
 * of a voice glide.
 *
 * Memory is fixed at birth. A sample that is no number counts as 0, one beyond +-16 as that.
 */
#ifndef WEFT_ENCODERS_SOUND_FRAMES_H
#define WEFT_ENCODERS_SOUND_FRAMES_H

#include <glib.h>

#include "kernels/kernels.h"

#define WEFT_SOUND_BANDS 32
#define WEFT_SOUND_FRAMES_PER_S 100

typedef struct WeftSoundFrame {
	float bands[WEFT_SOUND_BANDS]; /* log10 of power in mel bands, 0 to 8 kHz; at least -10 */
	float level_db;                /* of all bands above 80 Hz; 0 is a sine of full scale */
	float voicing;                 /* 0..1 */
	float pitch_hz;                /* of the best lag, also where nothing is voiced */
	float steadiness;              /* 0..1 */
} WeftSoundFrame;

typedef struct WeftSoundFrames WeftSoundFrames;

/* `n_mel_bins`: of the largest value. The kernels stay the caller's and must outlive it. */
WeftSoundFrames *weft_sound_frames_new(const WeftKernels *kernels, gsize n_mel_bins);
void weft_sound_frames_free(WeftSoundFrames *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSoundFrames, weft_sound_frames_free)

/* Appends the frames (WeftSoundFrame) that are whole now; a frame is whole about 30 ms after its
 * centre. */
void weft_sound_frames_push(WeftSoundFrames *self, const float *samples, gsize n, GArray *frames);
/* As if silence followed; appends the rest of the frames of the samples before. What is pushed next
 * is behind that silence, and its first frame is centred on its first sample. */
void weft_sound_frames_end(WeftSoundFrames *self, GArray *frames);
/* Of all frames so far, before any clamp: log10, at least -10. */
float weft_sound_frames_largest(const WeftSoundFrames *self);

#endif
