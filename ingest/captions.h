/* captions.h - private: captions as files, WebVTT and SubRip.
 *
 * One content of kind speech for each caption, with its time, and who speaks where the file says it:
 * by <v Anna>, or by "Anna: " before (nearly) all captions, as conference programs write it. Lines
 * that a rolling caption repeats of the one before are said once. What can't be read is counted and
 * told in one fault.
 */
#ifndef WEFT_INGEST_CAPTIONS_H
#define WEFT_INGEST_CAPTIONS_H

#include "ingest/decoder.h"

extern const WeftDecoder weft_captions_decoder;

#endif
