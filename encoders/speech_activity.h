/* speech_activity.h - where speech is: speech, other sound or silence, for every 10 ms.
 *
 * Frames of sound_frames.h come in, a kind for each goes out, in order, at most
 * WEFT_ACTIVITY_DELAY_FRAMES later. What says so is measured over a second or two, because no single
 * frame knows:
 *   - variability: the levels of the bands move. Noise, hum and applause stand still (P. Ghosh, A.
 *     Tsiartas, S. Narayanan, Robust Voice Activity Detection Using Long-Term Signal Variability,
 *     2011).
 *   - glides: the pitch moves without a step for 60 ms and longer, by more than the fraction of a
 *     percent of a played note. Voices do that all the time, instruments hold and jump. It is
 *     found under music and noise too, as long as the voice is the loudest thing below 1 kHz.
 *   - whispering has no pitch: unvoiced, the shape of the spectrum changes from syllable to
 *     syllable, and it is there for longer at a time than the strokes of a drum, which fall at once.
 * Where there is evidence, everything around it that stands above the noise of its surroundings is
 * speech, with a margin on both sides: a word that is lost here is lost for good, while music that
 * passes costs time alone. Singing glides and is speech; so is a siren. Kinds depend on the
 * frames alone, never on the pieces in which they came.
 *
 * Own measurements, no learned weights: docs/benchmarks.md has recall and false alarms. What
 * Debian packages was looked at first: speexdsp's detector knows nothing but energy, that of WebRTC
 * has a C++ interface in that package and takes music for speech.
 */
#ifndef WEFT_ENCODERS_SPEECH_ACTIVITY_H
#define WEFT_ENCODERS_SPEECH_ACTIVITY_H

#include <glib.h>

#include "encoders/sound_frames.h"

typedef enum {
	WEFT_ACTIVITY_SILENCE, /* below -55 dB of full scale */
	WEFT_ACTIVITY_SOUND,   /* something else */
	WEFT_ACTIVITY_SPEECH,
} WeftActivity;
#define WEFT_N_ACTIVITIES 3

#define WEFT_ACTIVITY_DELAY_FRAMES 800

typedef struct WeftSpeechActivity WeftSpeechActivity;

WeftSpeechActivity *weft_speech_activity_new(void);
void weft_speech_activity_free(WeftSpeechActivity *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSpeechActivity, weft_speech_activity_free)

/* Appends the kinds (guint8, a WeftActivity) of the frames that are decided now. */
void weft_speech_activity_push(WeftSpeechActivity *self, const WeftSoundFrame *frames, gsize n,
			       GByteArray *kinds);
/* The kinds of all frames that are left. What is pushed next is a new recording. */
void weft_speech_activity_end(WeftSpeechActivity *self, GByteArray *kinds);

#endif
