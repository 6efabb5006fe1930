/* sound_pass.h - private to decode: the first pass over a recording that will be listened to.
 *
 * Sound alone, far faster than real time: the loudest value of the whole file, where somebody speaks
 * and who (encoders/sounding.h), for each track. Where the two channels of a track turn out to be two
 * speakers, the file is decoded once more and each channel is measured by itself. A recording that
 * brings its own captions needs nobody to listen: then there is nothing of all this.
 *
 * Who speaks, where that is known: on a channel that is a speaker, that one, as the next numbers; on
 * one of several tracks of one language, the title of the track. Voices of other tracks are never
 * taken for the same: their numbers follow each other.
 */
#ifndef WEFT_PIPELINE_SOUND_PASS_H
#define WEFT_PIPELINE_SOUND_PASS_H

#include "pipeline/decode_flow.h"

/* Sends what it finds, and a mark behind it. FALSE: nobody receives any more, or error is set
 * (WEFT_ERROR_GONE; what is wrong with the document is for the second pass to tell). */
bool weft_sound_pass(WeftDecodeFlow *flow, GError **error);

#endif
