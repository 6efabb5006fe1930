/* whisper_decoder.h - the decoder of Whisper, and the two parts together as a WeftListener.
 *
 *     x = embed_tokens[id] + embed_positions[position]
 *     x += o(attention(q(n1 x), k(n1 x), v(n1 x)))            causal, keys of the tokens so far
 *     x += co(attention(cq(n2 x), ck(sound), cv(sound)))      all frames of the window
 *     x += fc2(gelu(fc1(n3 x)))
 *     logits = embed_tokens (norm x)                          the head is the embedding
 *
 * Pre-norm, eps 1e-5; k and ck have no bias; scores are scaled by 1 / sqrt(D). All sizes are the
 * configuration's. Source: transformers, models/whisper.
 *
 * A scorer encodes its window once and keeps ck and cv of every layer (f32: 18 MB for tiny, 490 MB
 * for large). Rows with the same past share it (whisper_past.h): a beam costs a copy now and then,
 * never a pass. Rows of one call go through the weights together. Keys and values stay f32; a row
 * has the same bits step by step, all at once, and beside other rows.
 *
 * The model is immutable after opening: several threads may listen to it, each with scorers of its
 * own. Errors of opening: WEFT_ERROR_CONFIG, WEFT_ERROR_WEIGHTS.
 */
#ifndef WEFT_ENCODERS_WHISPER_DECODER_H
#define WEFT_ENCODERS_WHISPER_DECODER_H

#include <glib.h>

#include "bundle/bundle.h"
#include "encoders/scorer.h"
#include "encoders/whisper.h"
#include "kernels/kernels.h"

typedef struct WeftWhisperDecoder WeftWhisperDecoder;

/* Of a bundle that is a Whisper with a decoder. `encoder` is its encoder; all three outlive it. */
WeftWhisperDecoder *weft_whisper_decoder_new(const WeftBundle *bundle, const WeftWhisper *encoder,
					     const WeftKernels *kernels, GError **error);
void weft_whisper_decoder_free(WeftWhisperDecoder *decoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftWhisperDecoder, weft_whisper_decoder_free)

/* Borrowed. */
WeftListener *weft_whisper_decoder_listener(WeftWhisperDecoder *decoder);

/* A scorer of a window that was encoded before: rows[n_positions][width] of the encoder, not kept. */
WeftScorer *weft_whisper_decoder_hear(const WeftWhisperDecoder *decoder, const float *rows,
				      GError **error);

/* ret_logits[n_ids][n_vocab] behind each id, for one of its own scorers: in one pass. */
gboolean weft_whisper_decoder_logits(WeftScorer *scorer, const guint32 *ids, gsize n_ids,
				     float *ret_logits, GError **error);

#endif
