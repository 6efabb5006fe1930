/* segments.h - the tokens of one window as segments with times, and where the next window begins.
 *
 * As openai/whisper (transcribe.py): where two times stand together one segment ends and the next
 * begins. A window that ends with one time behind text is done as a whole; else what stands behind
 * the last pair of times is not finished: it is dropped, and the next window begins there. Without
 * any pair the window is one segment, which ends at its last time, or with the window.
 * Windows are counted in frames of log-mel, 100 a second; times are seconds of the recording.
 */
#ifndef WEFT_ENCODERS_SEGMENTS_H
#define WEFT_ENCODERS_SEGMENTS_H

#include "encoders/whisper_tokens.h"

#define WEFT_FRAMES_PER_S 100

typedef struct WeftSegment {
	const guint32 *tokens; /* borrowed, times included */
	gsize n_tokens;
	double time[2];
	gsize text_first, n_text; /* of the text tokens of all segments of the window */
	GArray *words; /* of WeftTimedWord, in seconds of the recording; NULL: none were asked for */
} WeftSegment;

typedef struct WeftCut {
	GArray *segments; /* of WeftSegment */
	gsize seek;       /* the next window's first frame */
	gboolean is_whole; /* one time behind text at the end */
} WeftCut;

void weft_cut_done(WeftCut *cut);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WeftCut, weft_cut_done)

/* The window begins at frame `seek` and has n_frames of sound; ids[n_ids] must outlive the cut. */
void weft_segments_cut(const WeftWhisperTokens *tokens, const guint32 *ids, gsize n_ids, gsize seek,
		       gsize n_frames, WeftCut *ret_cut);

#endif
