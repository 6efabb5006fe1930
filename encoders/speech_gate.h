/* speech_gate.h - where the decoder listens at all.
 *
 * Whisper invents words where nobody speaks. So windows begin where speech is, and end with it when
 * at least a second of something else follows. Nothing is cut out of the recording: windows keep
 * their place, and a pause within a window is heard. Where all is speech nothing changes.
 * Frames are those of log-mel, 100 a second.
 */
#ifndef WEFT_ENCODERS_SPEECH_GATE_H
#define WEFT_ENCODERS_SPEECH_GATE_H

#include <glib.h>

/* Seconds of the recording in which somebody speaks: in order, not overlapping. */
typedef struct WeftStretch {
	double time[2];
} WeftStretch;

typedef struct WeftSpeechGate {
	const WeftStretch *speech;
	gsize n_speech;
	gboolean is_open; /* all is speech */
} WeftSpeechGate;

/* The first frame from `seek` on at which a window may begin. The last 0.2 s of a stretch are not
 * worth a window, unless the recording (n_frames, or G_MAXSIZE while its end is not known) ends
 * with it. FALSE: there is no more speech. */
gboolean weft_speech_gate_next(const WeftSpeechGate *gate, gsize seek, gsize n_frames,
			       gsize *ret_seek);
/* How many of n_frames frames from `seek` on, which is in speech, belong to the window. */
gsize weft_speech_gate_window(const WeftSpeechGate *gate, gsize seek, gsize n_frames);
/* Somebody speaks between the two times, or less than 0.25 s away. */
gboolean weft_speech_gate_hears(const WeftSpeechGate *gate, const double time[2]);

#endif
