#include "base/anchor.h"

#include <math.h>

/* 99:59:59: a marker keeps its form. */
#define TIME_S_MAX 359999.0

guint32 weft_anchor_block(const WeftAnchor *anchor)
{
	if (!anchor->has_time || !isfinite(anchor->time[0]))
		return 0;
	return (guint32)CLAMP(anchor->time[0], 0, TIME_S_MAX) / WEFT_BLOCK_S;
}

static void union_of_boxes(WeftAnchor *a, const WeftAnchor *b)
{
	if (!b->has_bbox) {
		a->has_bbox = FALSE;
		return;
	}
	a->bbox[0] = MIN(a->bbox[0], b->bbox[0]);
	a->bbox[1] = MIN(a->bbox[1], b->bbox[1]);
	a->bbox[2] = MAX(a->bbox[2], b->bbox[2]);
	a->bbox[3] = MAX(a->bbox[3], b->bbox[3]);
}

WeftAnchor weft_anchor_union(WeftAnchor a, WeftAnchor b)
{
	if (a.document != b.document || a.page != b.page || a.track != b.track) {
		WeftAnchor whole = { .document = a.document == b.document ? a.document : 0 };
		return whole;
	}
	if (a.has_bbox)
		union_of_boxes(&a, &b);
	if (a.has_time && b.has_time) {
		a.time[0] = MIN(a.time[0], b.time[0]);
		a.time[1] = MAX(a.time[1], b.time[1]);
	} else {
		a.has_time = FALSE;
	}
	return a;
}

gboolean weft_anchor_equal(const WeftAnchor *a, const WeftAnchor *b)
{
	if (a->document != b->document || a->page != b->page || a->track != b->track ||
	    a->has_bbox != b->has_bbox || a->has_time != b->has_time)
		return FALSE;
	for (int i = 0; a->has_bbox && i < 4; i++)
		if (a->bbox[i] != b->bbox[i])
			return FALSE;
	return !a->has_time || (a->time[0] == b->time[0] && a->time[1] == b->time[1]);
}
