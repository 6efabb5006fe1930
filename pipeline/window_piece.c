#include "pipeline/window_piece.h"

#include <string.h>

void weft_window_piece_free(WeftWindowPiece *piece)
{
	if (piece == NULL)
		return;
	weft_part_free(piece->part);
	g_free(piece->text);
	g_free(piece->speaker);
	g_free(piece);
}

static void piece_free(void *data)
{
	weft_window_piece_free(data);
}

WeftWindow *weft_window_new(guint32 number)
{
	WeftWindow *window = g_new0(WeftWindow, 1);

	window->number = number;
	window->pieces = g_ptr_array_new_with_free_func(piece_free);
	return window;
}

void weft_window_free(WeftWindow *window)
{
	if (window == NULL)
		return;
	g_ptr_array_unref(window->pieces);
	g_free(window);
}

gsize weft_window_size_bytes(const WeftWindow *window)
{
	gsize size = sizeof *window;

	for (guint i = 0; i < window->pieces->len; i++) {
		const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);

		size += sizeof *piece;
		if (piece->text != NULL)
			size += strlen(piece->text) + 1;
		if (piece->speaker != NULL)
			size += strlen(piece->speaker) + 1;
		if (piece->part != NULL)
			size += weft_part_size_bytes(piece->part) /
			        MAX(piece->n_rows_of, 1) * MAX(piece->n_rows, 1);
	}
	return size;
}

static gboolean has_place(const WeftWindowPiece *piece)
{
	const WeftAnchor *at = &piece->anchor;

	return at->page > 0 || at->has_time ||
	       (at->document > 0 && piece->content != WEFT_SPAN_NO_CONTENT);
}

WeftWindowFacts weft_window_facts(const WeftWindow *window)
{
	gboolean has_from = FALSE;
	WeftWindowFacts facts = {
	    .n = window->number + 1,
	    .is_asked = TRUE,
	    .content_first = G_MAXUINT32,
	    .content_last = G_MAXUINT32,
	    .n_tokens = window->n_tokens,
	    .n_pictures = window->n_pictures,
	    .n_left_out = window->n_left_out,
	    .element = window->element,
	};

	for (guint i = 0; i < window->pieces->len; i++) {
		const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, i);

		if (has_place(piece)) {
			facts.to = piece->anchor;
			facts.to.has_bbox = FALSE;
			if (!has_from)
				facts.from = facts.to;
			has_from = TRUE;
		}
		if (piece->content == WEFT_SPAN_NO_CONTENT)
			continue;
		if (facts.content_first == G_MAXUINT32) {
			facts.content_first = facts.content_last = piece->content;
		} else {
			facts.content_first = MIN(facts.content_first, piece->content);
			facts.content_last = MAX(facts.content_last, piece->content);
		}
	}
	return facts;
}

WeftWindowPiece *weft_window_piece_of_text(const char *text, const char *speaker, guint32 content,
                                           const WeftAnchor *anchor)
{
	WeftWindowPiece *piece = g_new0(WeftWindowPiece, 1);

	piece->text = g_strdup(text);
	piece->speaker = g_strdup(speaker);
	piece->content = content;
	if (anchor != NULL)
		piece->anchor = *anchor;
	return piece;
}

gsize weft_window_good_cut(const char *text, gsize end)
{
	static const char *const ends[] = {"\n\n", "\n", ". ", " "};

	for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
		gsize size = strlen(ends[i]);

		for (gsize at = end; at >= size && at > end / 2; at--) {
			if (memcmp(text + at - size, ends[i], size) == 0)
				return at;
		}
	}
	return end;
}
