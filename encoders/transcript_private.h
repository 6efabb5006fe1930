/* transcript_private.h - what the files of a transcript share. */
#ifndef WEFT_ENCODERS_TRANSCRIPT_PRIVATE_H
#define WEFT_ENCODERS_TRANSCRIPT_PRIVATE_H

#include "encoders/mel.h"
#include "encoders/repetition.h"
#include "encoders/segments.h"
#include "encoders/sound_buffer.h"
#include "encoders/transcript.h"
#include "encoders/whisper_window.h"

#define NO_LANGUAGE G_MAXUINT32

/* All that the windows to come depend on; saved whole (transcript_state.c). */
typedef struct TranscriptState {
	gsize seek;          /* frame at which the next window looks for speech */
	guint32 language;    /* token, or NO_LANGUAGE */
	double language_probability;
	double last_speech_s; /* end of the last segment with words */
	GArray *prompt;       /* of guint32: text since the last reset, as much as a prompt takes */
	WeftRepetition repetition;
	WeftTranscriptCounts counts;
} TranscriptState;

struct WeftTranscript {
	WeftListener *listener;
	const WeftWhisperTokens *tokens;
	const WeftKernels *kernels;
	WeftMel *mel;
	WeftSearch search;
	gboolean translates, as_reference;
	guint32 track;
	GArray *terms;      /* of guint32: put before every prompt */
	gsize n_prompt_max; /* tokens of terms and text, half the decoder's context less one */
	float largest;
	WeftStretch *speech;
	WeftSpeechGate gate;
	WeftSoundBuffer *sound;
	gboolean is_ended;
	TranscriptState state;
	GQueue heard; /* of WeftHeard, to be taken */
};

/* What one segment of the window of n_frames at seek says, and whether it is believed; NULL: nothing
 * (blank, or no time). */
WeftHeard *weft_heard_new(WeftTranscript *transcript, const WeftWindow *window,
			  const WeftSegment *segment, gsize seek, gsize n_frames);
/* The text of a window that is skipped as silence; NULL: there is none. */
WeftHeard *weft_heard_new_silent(WeftTranscript *transcript, const WeftWindow *window, gsize seek,
				 gsize n_frames);

#endif
