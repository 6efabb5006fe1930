/* spans.h - what verbatim.h is made of: sorted suffixes, and which of them end where.
 *
 * Private to the floor. The ends of a suffix are kept in two forms: `near` has a bit for each of the
 * first 63 bytes behind which a value may end, `far` the last such place of all. In trees over the
 * sorted suffixes, so that both are known for any interval of them in a few steps: near by OR, far
 * as the suffix that goes on furthest, the first of equal ones. What is not near any more is answered
 * by that suffix alone: it stays in the interval for whoever follows it, so the way to its end, once
 * told, stays open.
 */
#ifndef WEFT_SCHEMA_SPANS_H
#define WEFT_SCHEMA_SPANS_H

#include "schema/verbatim.h"

/* A place in the text where a value may begin or end. */
typedef struct WeftStart {
	guint32 offset; /* in the spelled text */
	guint32 n_chars; /* in front of it, in all */
	guint32 n_bars;
} WeftStart;

typedef struct WeftIndexed {
	guint8 *text;     /* spelled; behind it zeros for WEFT_VERBATIM_SORTED_BYTES and one */
	gsize size_bytes;
	WeftStart *starts; /* sorted by the text behind them */
	guint32 n;
	GArray *ends;     /* WeftStart, in order of the text */
} WeftIndexed;

/* Sorts the starts. */
void weft_indexed_sort(WeftIndexed *indexed);
void weft_indexed_done(WeftIndexed *indexed);

struct WeftSpans {
	WeftSpansRule rule;
	const WeftIndexed *indexed; /* `own`, or that of the text */
	WeftIndexed *own;      /* of a list of values; NULL: none */
	const void *of;        /* whose list it is */
	guint32 *far;   /* per suffix: bytes to the last end; 0: it has none */
	guint32 *furthest; /* [2n]: tree of suffixes */
	guint64 *near;  /* [2n]: tree of bits 1 to 63 */
};

/* Spans over a list of different texts (char *), each as a whole. */
WeftSpans *weft_spans_of_list(const GPtrArray *values, const void *of);
WeftSpans *weft_spans_new(const WeftIndexed *indexed, const WeftSpansRule *rule);
void weft_spans_free(WeftSpans *spans);

#endif
