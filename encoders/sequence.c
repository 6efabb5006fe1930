#include "encoders/sequence.h"

#include <string.h>

WeftSequence *weft_sequence_new(gsize width)
{
	WeftSequence *sequence = g_new0(WeftSequence, 1);

	sequence->ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	sequence->is_row = g_byte_array_new();
	sequence->rows = g_array_new(FALSE, FALSE, sizeof(float));
	sequence->width = width;
	sequence->spans = g_array_new(FALSE, FALSE, sizeof(WeftSpan));
	sequence->text = weft_running_text_new();
	return sequence;
}

void weft_sequence_free(WeftSequence *sequence)
{
	if (!sequence)
		return;
	g_array_unref(sequence->ids);
	g_byte_array_unref(sequence->is_row);
	g_array_unref(sequence->rows);
	g_array_unref(sequence->spans);
	weft_running_text_free(sequence->text);
	g_free(sequence);
}

gsize weft_sequence_length(const WeftSequence *sequence)
{
	return sequence->ids->len;
}

gsize weft_sequence_size_bytes(const WeftSequence *sequence)
{
	gsize text_bytes;

	(void)weft_running_text_bytes(sequence->text, &text_bytes);
	return sizeof(*sequence) + text_bytes + (gsize)sequence->ids->len * sizeof(gint32) +
	       sequence->is_row->len + (gsize)sequence->rows->len * sizeof(float) +
	       (gsize)sequence->spans->len * sizeof(WeftSpan);
}

static void append(WeftSequence *sequence, gint32 id, guint8 is_row)
{
	g_array_append_val(sequence->ids, id);
	g_byte_array_append(sequence->is_row, &is_row, 1);
}

void weft_sequence_add_id(WeftSequence *sequence, gint32 id)
{
	append(sequence, id, 0);
}

void weft_sequence_add_rows(WeftSequence *sequence, gint32 id, const float *rows, gsize n_rows)
{
	/* Row by row: one call of GArray counts in guint. */
	for (gsize i = 0; i < n_rows; i++) {
		append(sequence, id, 1);
		g_array_append_vals(sequence->rows, rows + i * sequence->width,
				    (guint)sequence->width);
	}
}

void weft_sequence_add_span(WeftSequence *sequence, WeftSpanKind kind, gsize token_first,
			    WeftAnchor anchor, guint32 content)
{
	WeftSpan span = { kind, token_first, weft_sequence_length(sequence) - token_first, anchor,
			  content, { 1, 1 } };

	if (span.n_tokens)
		g_array_append_val(sequence->spans, span);
}

void weft_sequence_add_tile(WeftSequence *sequence, gsize token_first, WeftAnchor anchor,
			    const double shown[2], guint32 content)
{
	guint n = sequence->spans->len;

	weft_sequence_add_span(sequence, WEFT_SPAN_PATCH, token_first, anchor, content);
	if (sequence->spans->len > n)
		memcpy(g_array_index(sequence->spans, WeftSpan, n).shown, shown,
		       2 * sizeof *shown);
}
