/* anchor.h - where something came from.
 *
 * A value of fixed size, copied freely, that travels with every part, token range and answer, so
 * that each value of a record can be traced to its place. Fields that do not apply are absent:
 * page 0, has_bbox FALSE, has_time FALSE. A document as a whole is the anchor with none of them.
 *
 * Of several files that are one document together, each has a number, and pages and times begin anew in
 * each. Whoever reads such a file does not know its number: that is set behind the last reader.
 */
#ifndef WEFT_BASE_ANCHOR_H
#define WEFT_BASE_ANCHOR_H

#include <glib.h>

typedef struct WeftAnchor {
	guint32 document;   /* which of several that are one together, from 1; 0: it is one by itself */
	guint32 page;       /* from 1; 0: not on a page */
	guint32 track;      /* stream of a container, from 1; 0: none */
	gboolean has_bbox;
	gboolean has_time;
	double bbox[4];     /* x0 y0 x1 y1 from the top left: PDF points of the rotated crop box when
	                     * page > 0, pixels after EXIF and display rotation otherwise */
	double time[2];     /* [begin, end) in seconds from the start of the recording */
} WeftAnchor;

/* Time is told to models in blocks of so many seconds. A marker takes about eight tokens. People say
 * three or four in a second, so that blocks of one second would spend most of a window on markers; in
 * two seconds lies a phrase, and nobody who looks for a place minds two. It divides a minute. */
#define WEFT_BLOCK_S 2

/* The block in which the anchor begins, from 0, as a marker can tell it: 99:59:58 at the most. 0, too,
 * for one without time. */
guint32 weft_anchor_block(const WeftAnchor *anchor);

/* The smallest anchor that covers both: union of boxes and of times when the page is the same, the
 * document alone (or nothing) when it is not. */
WeftAnchor weft_anchor_union(WeftAnchor a, WeftAnchor b);

gboolean weft_anchor_equal(const WeftAnchor *a, const WeftAnchor *b);

#endif
