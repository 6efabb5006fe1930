/* standing.h - where in a document's text a value stands.
 *
 * The text is that of all contents that are shown, in reading order, as base/running_text.h has it: an
 * item goes on in the next one, unless something without text lies between them, another speaker
 * speaks, or another file begins. It is made in pieces when it is first looked at, and a document of
 * many megabytes does not lie in memory whole; a value that begins in one piece and ends in the next is
 * not found, an item's end being between them.
 *
 * Numbers and days are found by what they mean (base/usage.h): the usage is the one that is given,
 * filled up with what the whole document says of itself.
 */
#ifndef WEFT_OUTPUTS_STANDING_H
#define WEFT_OUTPUTS_STANDING_H

#include "base/content.h"
#include "base/running_text.h"
#include "base/usage.h"

typedef struct WeftStanding WeftStanding;

/* Bytes [first, end) of a piece's text. */
typedef struct WeftSpot {
	guint piece;
	gsize first, end;
} WeftSpot;

/* Where to look: items [content_first, content_last], behind a spot or from the beginning. */
typedef struct WeftSearch {
	guint32 content_first, content_last;
	const WeftSpot *after; /* or NULL */
} WeftSearch;

/* The contents are WeftContent, borrowed. */
WeftStanding *weft_standing_new(const GPtrArray *contents, const WeftUsage *usage);
void weft_standing_free(WeftStanding *standing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftStanding, weft_standing_free)

/* How much a text stands by itself. */
typedef enum {
	WEFT_APART_WORD,   /* it begins and ends where words do (base/running_text.h) */
	WEFT_APART_LETTER, /* no letter or digit goes on: 2024 in 2024-03-12 */
	WEFT_APART_NOT,
} WeftApart;

/* The first place where the text stands; `value` normal (weft_running_text_normal) and not empty.
 * FALSE: nowhere. */
gboolean weft_standing_text(WeftStanding *standing, const char *value, WeftApart apart,
			    const WeftSearch *search, WeftSpot *ret_spot);
/* In how many places, at most `n_max`. */
guint weft_standing_count(WeftStanding *standing, const char *value, const WeftSearch *search,
			  guint n_max);

/* The first place that means the number, or the day (2024-03-12) and nothing else; if there is none, the
 * first that may mean it, with all that it may mean. */
gboolean weft_standing_number(WeftStanding *standing, WeftDecimal value, const WeftSearch *search,
			      WeftSpot *ret_spot, WeftReadings *ret_readings);
gboolean weft_standing_day(WeftStanding *standing, const char *value, const WeftSearch *search,
			   WeftSpot *ret_spot, WeftReadings *ret_readings);

/* Appends WeftTextPlace, one for each item. */
void weft_standing_places(WeftStanding *standing, const WeftSpot *spot, GArray *places);

#endif
