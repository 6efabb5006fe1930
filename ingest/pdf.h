/* pdf.h - private: the decoder of PDF documents. */
#ifndef WEFT_INGEST_PDF_H
#define WEFT_INGEST_PDF_H

#include "ingest/decoder.h"

extern const WeftDecoder weft_pdf_decoder;

#endif
