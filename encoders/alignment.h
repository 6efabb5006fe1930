/* alignment.h - when each token was said: a path through the decoder's attention to the sound.
 *
 * As openai/whisper (timing.py, find_alignment): the scores of the alignment heads are a softmax
 * over frames; each frame of each head is set to mean 0 and deviation 1 over the tokens, smoothed
 * along the frames by a median of 7 (mirrored at the ends), and the heads are averaged. Through the
 * matrix of tokens by frames goes the path of least cost (dynamic time warping; costs summed in
 * f32, ties as there). The first frame of each token is its time.
 */
#ifndef WEFT_ENCODERS_ALIGNMENT_H
#define WEFT_ENCODERS_ALIGNMENT_H

#include <glib.h>

/* The heads that were added so far, as one matrix. */
typedef struct WeftAlignment {
	gsize n_ids, n_frames, row_first, n_heads;
	float *cost; /* [n_ids - 1 - row_first][n_frames]: minus their sum */
} WeftAlignment;

/* Rows [row_first, n_ids - 1) are the tokens looked for. n_frames >= 1. */
gboolean weft_alignment_init(WeftAlignment *alignment, gsize n_ids, gsize n_frames, gsize row_first,
			     GError **error);
void weft_alignment_done(WeftAlignment *alignment);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WeftAlignment, weft_alignment_done)

/* scores[n_ids][n_frames] of the next head, overwritten. */
void weft_alignment_add(WeftAlignment *alignment, float *scores);
/* Behind at least one head, once: ret_frames[n_ids - 1 - row_first] gets the frame at which each
 * token begins. */
gboolean weft_alignment_find(WeftAlignment *alignment, guint32 *ret_frames, GError **error);

#endif
