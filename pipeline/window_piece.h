/* window_piece.h - private to window: making windows and their pieces, what they hold in memory, and where
 * text is cut.
 */
#ifndef WEFT_PIPELINE_WINDOW_PIECE_H
#define WEFT_PIPELINE_WINDOW_PIECE_H

#include "pipeline/window.h"

/* Empty, with this number. */
WeftWindow *weft_window_new(guint32 number);

/* Copies the texts; `speaker` and `anchor` may be NULL. */
WeftWindowPiece *weft_window_piece_of_text(const char *text, const char *speaker, guint32 content,
                                           const WeftAnchor *anchor);

/* Moves the cut back to the end of a paragraph, line, sentence or word, when there is one in the
 * second half. */
gsize weft_window_good_cut(const char *text, gsize end);

#endif
