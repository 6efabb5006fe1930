/* text.h - private: the decoder of plain text, which lives in weft-decode-image: light enough to
 * need no program of its own, and hostile enough not to be read in weft itself.
 */
#ifndef WEFT_INGEST_TEXT_H
#define WEFT_INGEST_TEXT_H

#include "ingest/decoder.h"

extern const WeftDecoder weft_text_decoder;

#endif
