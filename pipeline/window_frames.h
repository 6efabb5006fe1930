/* window_frames.h - private to window.c: which frame of a full window is left out for one more.
 */
#ifndef WEFT_PIPELINE_WINDOW_FRAMES_H
#define WEFT_PIPELINE_WINDOW_FRAMES_H

#include "pipeline/window.h"

static inline gboolean weft_window_piece_is_picture(const WeftWindowPiece *piece)
{
	return piece->part != NULL && piece->part->kind != WEFT_PART_PCM;
}

/* The place of the piece that the window can best do without (window.h says by which rule), when it has
 * WEFT_WINDOW_PICTURES_MAX pictures; the number of its pieces: that is `more`. All are frames. */
guint weft_window_spare_frame(const WeftWindow *window, const WeftWindowPiece *more);

#endif
