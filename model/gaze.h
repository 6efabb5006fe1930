/* gaze.h - where the model looked when it decided: a hint, never evidence.
 *
 * The row whose logits decide a token attends to the request. Its probabilities, averaged over heads
 * and over the layers that see the whole request (not those with chunks), say how much it looked at
 * each position. Of a decision the positions of the document that were looked at most are
 * kept; a value's decisions together point at the text, the stretch of sound or the picture, all its tiles
 * together, with the largest sum. In a picture that is narrowed to the place which was looked at most
 * (gaze_map.h), in sound to the rows that have at least half of the largest one's mass.
 *
 * The same numbers with any batch and any number of threads: heads, layers and positions are summed in
 * order. One request, one thread.
 */
#ifndef WEFT_MODEL_GAZE_H
#define WEFT_MODEL_GAZE_H

#include "encoders/sequence.h"
#include "model/answer.h"

typedef struct WeftGaze WeftGaze;

/* NULL when no position of the sequence is of the document. The sequence must outlive it. */
WeftGaze *weft_gaze_new(const WeftSequence *sequence, gsize n_heads);
void weft_gaze_free(WeftGaze *gaze);

/* A new decision: nothing has been seen for it. */
void weft_gaze_begin(WeftGaze *gaze);
/* Room for the attention of its row in one layer, mass[n_heads][n_keys]; valid until the next call. */
float *weft_gaze_room(WeftGaze *gaze, gsize n_keys);
/* Adds what was written there. */
void weft_gaze_add(WeftGaze *gaze);
/* The decision has been made: it is the next one, from 0. */
void weft_gaze_keep(WeftGaze *gaze);

/* Where the decisions [first, end) looked. is_known FALSE: there are none, or nowhere. */
WeftPointed weft_gaze_place(const WeftGaze *gaze, gsize first, gsize end);

#endif
