/* speakers.h - who speaks when, as far as the sound of the voices tells.
 *
 * Frames and their activity come in; at the end turns go out: from when to when which of n voices
 * spoke, numbered by first appearance. How many there are is not known before. No weights were
 * learned anywhere; all that is known about voices comes from the recording itself:
 *   1. A stretch of speech without a pause of 0.25 s is cut into cells of half a second. A cell is the
 *      mean over its voiced frames of 18 cepstral coefficients (S. Davis, P. Mermelstein, Comparison
 *      of Parametric Representations for Monosyllabic Word Recognition, 1980) and of the logarithm
 *      of the pitch. Three cells are a window.
 *   2. What one voice varies from window to window by what it says is measured on neighbouring
 *      windows of a stretch, which mostly are of one voice: their differences, the largest fifth
 *      left out, give the covariance within speakers. In its units all voices are compared (A.
 *      Hatch, S. Kajarekar, A. Stolcke, Within-Class Covariance Normalization, 2006, without their
 *      labelled speakers; variation.h).
 *   3. Windows are joined from the bottom up (clusters.h), in two levels, so that ten hours take
 *      seconds. Clusters stay apart that are far from each other, large enough, and take turns:
 *      whoever speaks goes on speaking, while clusters of sounds alternate within a sentence.
 *      Cohen's kappa of neighbouring windows says so; the farther apart clusters are, the less of it
 *      they need. What sounds again (a loop, a jingle) counts less each time.
 *   4. The sequence of cells is decoded with a price for each change, lower in a pause (Viterbi).
 *   5. Where the voice changes without a pause, cells on both sides that fit their own voice badly
 *      and the other one not much worse hold both: turns of both that lie over each other, marked.
 *      About half of the overlap is found, two thirds of what is marked are right; the rest goes
 *      to one of the two.
 * Memory: 96 bytes for a half second of speech, 7 MB for ten hours; beyond WEFT_SPEAKERS_CELLS_MAX
 * nothing is noted.
 *
 * The margin of a turn is the smaller of two: how far the decisions about the number of voices were
 * from the other side, and how much better its voice fits than the second best. From
 * WEFT_TURN_MARGIN_SURE on the measured error is below 10 %, below WEFT_TURN_MARGIN_MIN there is no
 * label at all. docs/benchmarks.md has the error of each class and how it was measured: on voices of
 * synthesisers. People in a room are harder, and were not measured.
 *
 * Left out: speakers with less than some eight seconds in all, learned embeddings, voices known from
 * other recordings, one voice through two microphones (it is two).
 */
#ifndef WEFT_ENCODERS_SPEAKERS_H
#define WEFT_ENCODERS_SPEAKERS_H

#include <glib.h>

#include "encoders/sound_frames.h"

#define WEFT_SPEAKERS_CELLS_MAX 300000 /* 40 hours of speech */
#define WEFT_SPEAKERS_MAX 64
#define WEFT_TURN_MARGIN_SURE 1.0F
#define WEFT_TURN_MARGIN_MIN 0.1F

typedef struct WeftVoiceTurn {
	double from_s, to_s;
	guint32 speaker;     /* from 1 */
	float margin;        /* 0 .. 10 */
	gboolean is_overlap; /* somebody else speaks at the same time */
} WeftVoiceTurn;

typedef struct WeftSpeakers WeftSpeakers;

WeftSpeakers *weft_speakers_new(void);
void weft_speakers_free(WeftSpeakers *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSpeakers, weft_speakers_free)

/* The next frames and the kind (WeftActivity) of each. */
void weft_speakers_push(WeftSpeakers *self, const WeftSoundFrame *frames, const guint8 *kinds,
			gsize n);
/* As if that many frames without speech followed. */
void weft_speakers_skip(WeftSpeakers *self, guint32 n_frames);
/* Appends the turns (WeftVoiceTurn) in order of time. What is pushed next is a new recording. */
void weft_speakers_end(WeftSpeakers *self, GArray *turns);

#endif
