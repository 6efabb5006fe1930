/* ocr_ground.h - private: light letters on a dark area become dark letters on a light one.
 *
 * Tesseract's layout analysis takes a dark bar with a white title for a picture. Dark ground is a
 * connected dark area that is large and mostly solid (unlike the lines of a table); the light
 * spots that it encloses are its letters, and the dark spots in those are the inside of letters.
 * All of them are inverted; light areas that are large (a page in a scanner's black border) stay.
 */
#ifndef WEFT_INGEST_OCR_GROUND_H
#define WEFT_INGEST_OCR_GROUND_H

#include <glib.h>

/* pixels[height][width], changed in place. Without memory nothing is changed. */
void weft_ocr_even_ground(guint8 *pixels, guint32 width, guint32 height);

#endif
