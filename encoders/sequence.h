/* sequence.h - the product of the encoders: one request to the backbone.
 *
 * `ids` has one entry per position. Where a position holds an encoder row, its id is the image
 * token's id (or WEFT_SEQUENCE_ROW_ID for sound) and `rows` holds the embedding: the k-th position
 * whose `is_row` is set takes row k. The first `n_prefix` positions (system turn: instructions and
 * schema) are equal for all requests of a job, so that the model may compute them once.
 */
#ifndef WEFT_ENCODERS_SEQUENCE_H
#define WEFT_ENCODERS_SEQUENCE_H

#include <glib.h>

#include "base/running_text.h"
#include "encoders/span.h"

#define WEFT_SEQUENCE_ROW_ID (-1) /* never looked up */

typedef struct WeftSequence {
	GArray *ids;      /* gint32[n_tokens] */
	GByteArray *is_row; /* guint8[n_tokens] */
	GArray *rows;     /* float[n_rows][width] */
	gsize width;      /* of a row: hidden size of the backbone */
	GArray *spans;    /* WeftSpan, in order, covering the document's part of the request */
	WeftRunningText *text; /* of the document's items in it: what a verbatim value stands in */
	gsize n_prefix;
	guint64 seed_key; /* hash of document and window: with the seed it decides every draw */
} WeftSequence;

WeftSequence *weft_sequence_new(gsize width);
void weft_sequence_free(WeftSequence *sequence);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSequence, weft_sequence_free)

gsize weft_sequence_length(const WeftSequence *sequence);
gsize weft_sequence_size_bytes(const WeftSequence *sequence);
void weft_sequence_add_id(WeftSequence *sequence, gint32 id);
/* Copies `n_rows` rows in; each position's id is `id`. */
void weft_sequence_add_rows(WeftSequence *sequence, gint32 id, const float *rows, gsize n_rows);
/* The positions from token_first to the end are one span; no span when there are none. */
void weft_sequence_add_span(WeftSequence *sequence, WeftSpanKind kind, gsize token_first,
			    WeftAnchor anchor, guint32 content);
/* The same for the patches of a tile; span.h says what `shown` is. */
void weft_sequence_add_tile(WeftSequence *sequence, gsize token_first, WeftAnchor anchor,
			    const double shown[2], guint32 content);

#endif
