/* av.h - private: the decoder of sound and video (FFmpeg's libraries).
 *
 * Facts come first: what the file states about itself, its tracks, its chapters (as outline, with
 * times), pictures and files attached to it. Then all tracks of one container in one pass, their
 * parts in order of the time at which they begin, as far as a bounded store of waiting parts
 * allows. All tracks of sound are read, and the first of video; what is left out is said.
 */
#ifndef WEFT_INGEST_AV_H
#define WEFT_INGEST_AV_H

#include "ingest/decoder.h"

extern const WeftDecoder weft_av_decoder;

/* FFmpeg's own messages are off from here on, for the whole process: call it once at the start. */
void weft_av_quiet(void);

#endif
