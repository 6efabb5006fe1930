/* ocr_page.h - private: what was recognised on one picture, on its way to become content.
 *
 * Words stand in lines, lines in blocks, blocks in reading order. Recognition is done in several
 * passes, each over what the ones before left; a word of a later pass that stands beside a line
 * (a price at the right edge of a receipt) joins it, others form blocks of their own, placed above
 * the first block that lies below them.
 */
#ifndef WEFT_INGEST_OCR_PAGE_H
#define WEFT_INGEST_OCR_PAGE_H

#include <glib.h>

#include "ingest/part.h"

typedef struct WeftOcrPage WeftOcrPage;

WeftOcrPage *weft_ocr_page_new(void);
void weft_ocr_page_free(WeftOcrPage *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftOcrPage, weft_ocr_page_free)

/* Appends a word: text (copied, repaired to valid UTF-8), box x0 y0 x1 y1 in pixels of the picture,
 * confidence in 0..1. */
void weft_ocr_page_add(WeftOcrPage *page, gboolean begins_block, gboolean begins_line,
                       const char *text, const double box[4], float confidence);

/* `take_more`: what a later pass found. */
void weft_ocr_page_merge(WeftOcrPage *page, WeftOcrPage *take_more);

/* One item a block, or several where it is too long for one; lines are joined by newlines. Boxes
 * are multiplied by `unit` and moved by what `at` has as the corner of its box. */
GPtrArray *weft_ocr_page_contents(const WeftOcrPage *page, double unit, const WeftAnchor *at);

#endif
