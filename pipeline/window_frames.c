#include "pipeline/window_frames.h"

#include <math.h>

typedef struct Frames {
	const WeftWindowPiece *pieces[WEFT_WINDOW_PICTURES_MAX + 1];
	guint places[WEFT_WINDOW_PICTURES_MAX + 1]; /* in the window */
	guint n;
} Frames;

static Frames frames_of(const WeftWindow *window, const WeftWindowPiece *more)
{
	Frames frames = {.n = 0};

	for (guint i = 0; i < window->pieces->len && frames.n < WEFT_WINDOW_PICTURES_MAX; i++) {
		const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);

		if (!weft_window_piece_is_picture(piece))
			continue;
		frames.pieces[frames.n] = piece;
		frames.places[frames.n++] = i;
	}
	frames.pieces[frames.n] = more;
	frames.places[frames.n++] = window->pieces->len;
	return frames;
}

/* How far its neighbours are apart; those of two files have no distance. */
static double gap_of(const Frames *frames, guint i)
{
	if (i == 0 || i + 1 == frames->n ||
	    frames->pieces[i - 1]->anchor.document != frames->pieces[i + 1]->anchor.document)
		return HUGE_VAL;
	return frames->pieces[i + 1]->anchor.time[0] - frames->pieces[i - 1]->anchor.time[0];
}

guint weft_window_spare_frame(const WeftWindow *window, const WeftWindowPiece *more)
{
	Frames frames = frames_of(window, more);
	guint chosen = 0;

	for (guint i = 1; i < frames.n; i++) {
		gboolean is_read = frames.pieces[i]->is_read;

		if ((is_read && !frames.pieces[chosen]->is_read) ||
		    (is_read == frames.pieces[chosen]->is_read &&
		     gap_of(&frames, i) < gap_of(&frames, chosen)))
			chosen = i;
	}
	return frames.places[chosen];
}
