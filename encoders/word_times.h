/* word_times.h - when each word of a window was said, and how surely.
 *
 * As openai/whisper (timing.py): the text of all segments of a window goes through the decoder once
 * more, alignment.h finds each token's frame, word_split.h the words. Then its clean-up: words at
 * the end of a sentence, and the first ones after a pause, are not longer than twice the median
 * (0.7 s at most); a segment begins and ends with its words, unless its own times are more than
 * half a second nearer. Times are rounded to hundredths of a second.
 *
 * A word that reaches from one segment into the next belongs to the first, as there.
 */
#ifndef WEFT_ENCODERS_WORD_TIMES_H
#define WEFT_ENCODERS_WORD_TIMES_H

#include "encoders/scorer.h"
#include "encoders/segments.h"
#include "encoders/word_split.h"

typedef struct WeftWordTimes {
	WeftScorer *scorer; /* heard the window */
	const WeftWhisperTokens *tokens;
	guint32 language; /* its token */
	gboolean translates;
	gsize seek, n_frames; /* the window, in frames of log-mel */
} WeftWordTimes;

/* Sets the words of all segments of the cut and moves their times. *last_speech_s: end of the last
 * segment that said something, before and after. */
gboolean weft_word_times_add(const WeftWordTimes *times, WeftCut *cut, double *last_speech_s,
			     GError **error);

#endif
