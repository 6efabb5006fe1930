/* transcript.h - a recording of any length becomes text with times, window by window.
 *
 * Sound goes in by weft_transcript_push, in order; whenever there is enough of it for a window
 * (30 s), weft_transcript_listen decodes one, and weft_transcript_take gives what was said in it:
 *
 *     push; do { listen(&did); while (h = take()) ...; save } while (did);  ... end; the same again
 *
 * Windows follow each other as openai/whisper does it (transcribe.py with its defaults and
 * word_timestamps): the next begins where the last finished segment (its last word) ended; the text
 * of the windows before is the prompt of the next, unless one was decoded hot (above 0.5); a window
 * that probably holds no speech and gave nothing likely is skipped. The language is heard once, in
 * the first window. With all marked as speech, and no guards (as_reference), the result equals the
 * reference's.
 *
 * transformers (5.23, generate() of what is longer than 30 s) has no words to move segments and
 * windows by, keeps segments that are blank or of no length in the prompt, and leaves only the very
 * next window without a prompt when one was hot: text from before it comes back. Its largest mel
 * value is that of all it was given at once, its last frame is mirrored, and what is shorter than
 * 30 s ends in silence (with padding="longest": in zeros, as here).
 *
 * What is ours:
 *  - The gate (speech_gate.h): where nobody speaks, and where the recording has a hole, the decoder
 *    is not called.
 *  - The loudest log-mel value of the whole recording is given, so nothing but a window lies in
 *    memory. Draws are hashes of seed, key, frame and place.
 *  - Times are cut at the end of what was heard.
 *  - What is not believed comes out all the same, marked with the reason (WeftDoubt), and is not
 *    put into the prompt of the next window; a loop ends the prompt as a hot window does.
 *  - `terms` (names and words) stand before the text in every prompt, as carry_initial_prompt does;
 *    at most half a prompt of them, weft_transcript_counts tells how many tokens were left out.
 *
 * Confidence of a segment is the mean probability of its words, which is that of their tokens when
 * the text is read once more without times; without words it is exp(average) of its window.
 *
 * State: between windows, with nothing left to take, everything that the windows to come depend on
 * is a few hundred bytes. A new transcript of the same listener, options and sound that restores
 * them goes on from there and gives the same results; samples are needed from
 * weft_transcript_needs_from_s on. (Push the same pieces as before: where one jitters against the
 * clock it is the earlier ones that say where it lies.)
 */
#ifndef WEFT_ENCODERS_TRANSCRIPT_H
#define WEFT_ENCODERS_TRANSCRIPT_H

#include "base/content.h"
#include "encoders/scorer.h"
#include "encoders/speech_gate.h"
#include "encoders/whisper_tokens.h"
#include "kernels/kernels.h"

typedef struct WeftTranscript WeftTranscript;

typedef struct WeftTranscriptOptions {
	const char *language; /* "de"; NULL: the one that is heard */
	gboolean translates;  /* into English */
	const char *terms;    /* NULL: none */
	gsize beam_size, best_of; /* 1 .. WEFT_SEARCH_ROWS_MAX; 0: 5, as the reference's program */
	gboolean as_reference;    /* no gate, nothing is doubted */
	guint64 seed, seed_key;   /* key: of document and track */
	guint32 track;            /* for the anchors */
} WeftTranscriptOptions;

/* What the first pass measured. */
typedef struct WeftTranscriptSound {
	float largest; /* log10 mel of the whole recording (weft_mel_measure) */
	const WeftStretch *speech;
	gsize n_speech;
	gboolean is_all_speech; /* nobody looked for speech: `speech` is not used */
} WeftTranscriptSound;

/* Why a segment is not believed. */
typedef enum {
	WEFT_DOUBT_NONE,
	WEFT_DOUBT_NO_SPEECH,      /* the window probably has no speech, and its text is unlikely */
	WEFT_DOUBT_REPETITION,     /* a loop (repetition.h) */
	WEFT_DOUBT_LOW_CONFIDENCE, /* unlikely at every temperature */
	WEFT_DOUBT_OUTSIDE_SPEECH, /* nobody speaks at its time, or the window has ended by then */
} WeftDoubt;
/* "no_speech", "repetition", "low confidence", "outside speech"; NULL for none. */
const char *weft_doubt_name(WeftDoubt doubt);

/* One segment. */
typedef struct WeftHeard {
	WeftContent *content; /* speech by Whisper: text, time, words with times and confidence */
	WeftDoubt doubt;
	double average, no_speech, compression, temperature; /* of its window */
	gsize seek;      /* first frame of its window, 100 a second */
	guint32 *tokens; /* as decoded, times included */
	gsize n_tokens;
} WeftHeard;
void weft_heard_free(WeftHeard *heard);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftHeard, weft_heard_free)

typedef struct WeftTranscriptCounts {
	guint64 n_windows;  /* decoded */
	guint64 n_encodes;  /* calls of the encoder: one a window, one more to hear the language when
	                     * the first window is not full */
	guint64 n_searches; /* passes of the decoder over a window, one for each temperature */
	guint64 n_frames_skipped; /* by the gate, 100 a second */
	guint64 n_doubted;        /* segments */
	gsize n_terms_left_out;   /* tokens of the terms that have no place in a prompt */
} WeftTranscriptCounts;

/* Listener, kernels and tokens must outlive it; options and sound are copied. WEFT_ERROR_USAGE: a
 * language that the vocabulary does not have, translation by an English model, times of speech that
 * are not in order, a beam out of range. */
WeftTranscript *weft_transcript_new(WeftListener *listener, const WeftWhisperTokens *tokens,
				    const WeftKernels *kernels,
				    const WeftTranscriptOptions *options,
				    const WeftTranscriptSound *sound, GError **error);
void weft_transcript_free(WeftTranscript *transcript);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftTranscript, weft_transcript_free)

/* samples[n], 16 kHz, the first at time_s; in order, holes are allowed. They are kept until they
 * were listened to. */
void weft_transcript_push(WeftTranscript *transcript, const float *samples, gsize n, double time_s);
/* There is no more sound. */
void weft_transcript_end(WeftTranscript *transcript);
/* Decodes the next window if there is enough sound for it. *ret_did FALSE: not, push more; or, after
 * weft_transcript_end, all is done. */
gboolean weft_transcript_listen(WeftTranscript *transcript, gboolean *ret_did, GError **error);
/* The next segment, in order of time; NULL: none waits. */
WeftHeard *weft_transcript_take(WeftTranscript *transcript);

/* "de"; NULL: not heard yet. Its probability, 1 when it was given. */
const char *weft_transcript_language(const WeftTranscript *transcript, double *ret_probability);
WeftTranscriptCounts weft_transcript_counts(const WeftTranscript *transcript);

/* Appends the state. Nothing may wait to be taken. */
void weft_transcript_save(const WeftTranscript *transcript, GByteArray *bytes);
/* Into a transcript to which nothing was pushed. FALSE: these bytes are no such state, and the
 * transcript is as it was. */
gboolean weft_transcript_restore(WeftTranscript *transcript, const guint8 *bytes, gsize size_bytes);
/* No segment to come begins before it, either: times count from the begin of their window, and the
 * clean-up moves a segment's begin only forward. (A word's own it may move back by 0.2 s.) */
double weft_transcript_needs_from_s(const WeftTranscript *transcript);

#endif
