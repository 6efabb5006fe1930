/* scorer.h - what the decoding rules of Whisper need of a network, and nothing else.
 *
 * A WeftListener is a network that can hear: given one window of log-mel it gives a WeftScorer,
 * which knows that window's sound and scores tokens for it. whisper_decoder.h implements both with
 * Whisper's encoder and decoder; tests play scripts. Everything between logits and a transcript
 * (whisper_rules.h, whisper_search.h, whisper_window.h, word_times.h, transcript.h) sees these
 * two structs and never a weight.
 *
 * Logits are raw: no filter, no softmax, no temperature. The caller owns all arrays. Results depend
 * on the arguments alone: a row's logits are the same bits alone or beside other rows. One thread
 * at a time. All functions fail only for want of memory, or for a sequence longer than n_context
 * (WEFT_ERROR_LIMIT, a mistake of the caller).
 */
#ifndef WEFT_ENCODERS_SCORER_H
#define WEFT_ENCODERS_SCORER_H

#include <glib.h>

typedef struct WeftScorer WeftScorer;
typedef void WeftTakeHead(float *scores, gpointer data);
struct WeftScorer {
	gsize n_vocab;
	gsize n_context; /* positions of the decoder: 448 */
	gsize n_heads;   /* alignment heads */

	/* A new sequence: the prompt is fed to one row; the logits behind ids[at] (for the
	 * probability of no speech) and behind the last id, n_vocab each. ret_logits_at may be
	 * NULL. May be called any number of times; it forgets the rows of before. */
	gboolean (*begin)(WeftScorer *scorer, const guint32 *ids, gsize n_ids, gsize at,
			  float *ret_logits_at, float *ret_logits_last, GError **error);
	/* n_rows rows; row i goes on from row parents[i] of the call before (the one row of begin is
	 * row 0; a parent may have several children or none) with ids[i]:
	 * ret_logits[n_rows][n_vocab]. */
	gboolean (*step)(WeftScorer *scorer, const guint32 *parents, const guint32 *ids,
			 gsize n_rows, float *ret_logits, GError **error);
	/* One pass over a whole sequence. Calls take_head n_heads times, layer by layer, each time
	 * with scores[n_ids][n_frames], its own to overwrite: cross-attention of one alignment head
	 * before softmax (q k / sqrt(head size)), cut to the first n_frames frames of the encoder
	 * (20 ms each). One head at a time, because a large model has up to 320 of them, 1 MB each
	 * and more. ret_probabilities[n_ids]: [i + 1] is the probability of
	 * ids[i + 1] behind ids[0..i] in a softmax over the ids below `n_plain` alone, 0 when it is
	 * not below; [0] is 0. It leaves the rows of begin and step undefined. */
	gboolean (*align)(WeftScorer *scorer, const guint32 *ids, gsize n_ids, gsize n_frames,
			  guint32 n_plain, WeftTakeHead *take_head, gpointer data,
			  float *ret_probabilities, GError **error);
	void (*free)(WeftScorer *scorer);
};

static inline void weft_scorer_free(WeftScorer *scorer)
{
	if (scorer)
		scorer->free(scorer);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftScorer, weft_scorer_free)

/* Borrowed by whoever listens; outlives all scorers that it gave. */
typedef struct WeftListener WeftListener;
struct WeftListener {
	gsize n_bins;    /* of log-mel */
	gsize n_context; /* of all its scorers */
	/* mel[bin * mel_stride + frame], WEFT_MEL_WINDOW_FRAMES frames; not kept. */
	WeftScorer *(*listen)(WeftListener *listener, const float *mel, gsize mel_stride,
			      GError **error);
};

#endif
