/* ocr.h - private: text in pictures, read by Tesseract through its C interface.
 *
 * A picture is made grey and, when its letters are small, larger; light letters on dark become
 * dark on light. Three passes: the page as Tesseract lays it out, then twice what that left (as one
 * block, as scattered words), because layout analysis drops words that stand alone, such as the
 * prices of a receipt. Of a page (its ground is the lightest there is) the shadows that JPEG leaves
 * around letters go with them, and a page on which no ink is left is not looked at again. Words come
 * with boxes and confidences; what is not confident is no word.
 * The same picture gives the same words, whatever was read before.
 */
#ifndef WEFT_INGEST_OCR_H
#define WEFT_INGEST_OCR_H

#include "ingest/decoder.h"

extern const WeftPictureReader weft_ocr_reader;

/* "tesseract 5.3.0 eng:4113088 osd:10562727": languages with the size of their data; owned. */
char *weft_ocr_version(void);

#endif
