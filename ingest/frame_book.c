#include "ingest/frame_book.h"

#include <string.h>

/* Of 64 bits. */
#define HASH_NEAR 10 /* it may be the same */
#define HASH_SAME 5  /* it is, but for what moves */

static gboolean has(const WeftFrameBook *book, guint64 number)
{
	return number > 0 && number <= book->n_added &&
	       number + WEFT_FRAME_BOOK_FRAMES > book->n_added;
}

guint64 weft_frame_book_find(const WeftFrameBook *book, const guint8 luma[WEFT_GREY_PIXELS],
                             gboolean roughly)
{
	guint64 hash = weft_grey_hash(luma);
	for (guint64 number = book->n_added; has(book, number); number--) {
		guint at = (guint)(number % WEFT_FRAME_BOOK_FRAMES);
		int distance = __builtin_popcountll(hash ^ book->frames[at].hash);
		if (roughly && distance <= HASH_SAME)
			return number;
		if (distance <= HASH_NEAR &&
		    weft_grey_blocks_changed(luma, book->frames[at].luma, WEFT_GREY_BLOCKS_CHANGED) <
		        WEFT_GREY_BLOCKS_CHANGED)
			return number;
	}
	return 0;
}

guint64 weft_frame_book_add(WeftFrameBook *book, const guint8 luma[WEFT_GREY_PIXELS])
{
	guint at = (guint)(++book->n_added % WEFT_FRAME_BOOK_FRAMES);
	book->frames[at].hash = weft_grey_hash(luma);
	book->frames[at].time[0] = book->frames[at].time[1] = 0;
	memcpy(book->frames[at].luma, luma, WEFT_GREY_PIXELS);
	return book->n_added;
}

void weft_frame_book_set_time(WeftFrameBook *book, guint64 number, const double time[2])
{
	if (has(book, number))
		memcpy(book->frames[number % WEFT_FRAME_BOOK_FRAMES].time, time, 2 * sizeof *time);
}

void weft_frame_book_time(const WeftFrameBook *book, guint64 number, double ret_time[2])
{
	ret_time[0] = ret_time[1] = 0;
	if (has(book, number))
		memcpy(ret_time, book->frames[number % WEFT_FRAME_BOOK_FRAMES].time,
		       2 * sizeof *ret_time);
}
