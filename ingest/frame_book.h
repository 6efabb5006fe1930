/* frame_book.h - private: the frames of a video that were looked at, so that none is looked at twice.
 *
 * Holds the grey copies of the last ones, each with its hash (grey.h) and when it first stood. The
 * same as an earlier one is a frame whose hash is near, and which shows something else in fewer
 * blocks than a word takes; where only the time spoke for a frame (an interval), the hash alone
 * decides: what stood there long enough to be read was chosen for that.
 */
#ifndef WEFT_INGEST_FRAME_BOOK_H
#define WEFT_INGEST_FRAME_BOOK_H

#include <glib.h>

#include "ingest/grey.h"

#define WEFT_FRAME_BOOK_FRAMES 128u

typedef struct WeftFrameBook {
	guint64 n_added; /* the n-th lies at n modulo WEFT_FRAME_BOOK_FRAMES */
	struct {
		guint64 hash;
		double time[2];
		guint8 luma[WEFT_GREY_PIXELS];
	} frames[WEFT_FRAME_BOOK_FRAMES];
} WeftFrameBook;

/* The number of an added frame that shows the same, the latest of several; 0: there is none.
 * `roughly`: by the hash alone. */
guint64 weft_frame_book_find(const WeftFrameBook *book, const guint8 luma[WEFT_GREY_PIXELS],
                             gboolean roughly);

/* Its number, from 1. `book` begins as zeroes. */
guint64 weft_frame_book_add(WeftFrameBook *book, const guint8 luma[WEFT_GREY_PIXELS]);

/* When it first stood; where the book has it no longer, nothing is kept and (0, 0) is given. */
void weft_frame_book_set_time(WeftFrameBook *book, guint64 number, const double time[2]);
void weft_frame_book_time(const WeftFrameBook *book, guint64 number, double ret_time[2]);

#endif
