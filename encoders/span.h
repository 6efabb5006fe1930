/* span.h - the tokens of one part.
 *
 * A span is a run of text ids, of patch rows or of audio rows, with the anchor of what it was made
 * from, and (text) with the item of content and the byte range of its text, so that a token can be
 * carried back to a place. Rows are f32, [n_tokens][width] with the width of the backbone.
 */
#ifndef WEFT_ENCODERS_SPAN_H
#define WEFT_ENCODERS_SPAN_H

#include <glib.h>

#include "base/anchor.h"

typedef enum {
	WEFT_SPAN_TEXT,
	WEFT_SPAN_PATCH,
	WEFT_SPAN_AUDIO,
} WeftSpanKind;

#define WEFT_SPAN_NO_CONTENT G_MAXUINT32 /* prompt, markers: nothing of the document */

typedef struct WeftSpan {
	WeftSpanKind kind;
	gsize token_first;     /* in the sequence that holds the span */
	gsize n_tokens;
	WeftAnchor anchor;
	guint32 content;       /* number of the item of content in the document, or NO_CONTENT */
	double shown[2];       /* PATCH: how much of the square of rows, from its left and from its top,
	                        * the anchor's box fills; what is beyond is padding */
} WeftSpan;

#endif
