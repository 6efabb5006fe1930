#include "pipeline/window.h"

#include <string.h>

#include "base/error.h"

struct WeftCutter {
	const WeftEncoders *encoders;
	gsize capacity_tokens;
	guint32 n_windows;
	WeftWindow *open; /* being filled, or NULL */
	GQueue full;
};

static void piece_free(void *data)
{
	WeftWindowPiece *piece = data;

	if (piece == NULL)
		return;
	weft_part_free(piece->part);
	g_free(piece->text);
	g_free(piece);
}

static WeftWindow *window_new(guint32 number)
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
		if (piece->part != NULL)
			size += weft_part_size_bytes(piece->part);
	}
	return size;
}

WeftCutter *weft_cutter_new(const WeftEncoders *encoders, gsize capacity_tokens)
{
	WeftCutter *cutter = g_new0(WeftCutter, 1);

	cutter->encoders = encoders;
	cutter->capacity_tokens = capacity_tokens;
	g_queue_init(&cutter->full);
	return cutter;
}

void weft_cutter_free(WeftCutter *cutter)
{
	if (cutter == NULL)
		return;
	weft_window_free(cutter->open);
	g_queue_clear_full(&cutter->full, (GDestroyNotify)weft_window_free);
	g_free(cutter);
}

WeftWindow *weft_cutter_take(WeftCutter *cutter)
{
	return g_queue_pop_head(&cutter->full);
}

void weft_cutter_end(WeftCutter *cutter)
{
	if (cutter->open != NULL)
		g_queue_push_tail(&cutter->full, g_steal_pointer(&cutter->open));
}

static const WeftAnchor *last_anchor(const WeftCutter *cutter)
{
	const WeftWindowPiece *last;

	if (cutter->open == NULL || cutter->open->pieces->len == 0)
		return NULL;
	last = g_ptr_array_index(cutter->open->pieces, cutter->open->pieces->len - 1);
	return &last->anchor;
}

static gsize count_tokens(const WeftCutter *cutter, const WeftWindowPiece *piece, gsize size_bytes)
{
	const WeftAnchor *before = last_anchor(cutter);

	if (piece->part == NULL)
		return weft_encoders_text_tokens(cutter->encoders, piece->text, size_bytes,
		                                 &piece->anchor, before);
	if (piece->part->kind == WEFT_PART_PCM)
		return weft_encoders_audio_tokens(cutter->encoders, piece->part->pcm.n_samples,
		                                  &piece->anchor, before);
	return weft_encoders_image_tokens(cutter->encoders, piece->part->raster.width,
	                                  piece->part->raster.height, piece->single_tile,
	                                  &piece->anchor, before);
}

/* TRUE when the piece went into the open window; it is taken then. */
static gboolean put(WeftCutter *cutter, WeftWindowPiece *piece, gsize n_tokens)
{
	gboolean is_picture = piece->part != NULL && piece->part->kind != WEFT_PART_PCM;

	if (cutter->open == NULL)
		cutter->open = window_new(cutter->n_windows++);
	if (n_tokens > cutter->capacity_tokens - cutter->open->n_tokens ||
	    (is_picture && cutter->open->n_pictures == WEFT_WINDOW_PICTURES_MAX))
		return FALSE;
	piece->n_tokens = n_tokens;
	cutter->open->n_tokens += n_tokens;
	cutter->open->n_pictures += is_picture ? 1 : 0;
	g_ptr_array_add(cutter->open->pieces, piece);
	return TRUE;
}

/* Closes the open window when there is anything in it: the next piece opens a fresh one. */
static void turn(WeftCutter *cutter)
{
	if (cutter->open != NULL && cutter->open->pieces->len > 0)
		weft_cutter_end(cutter);
}

/* Puts a whole piece into this window or the next; FALSE when it is larger than any. */
static gboolean put_whole(WeftCutter *cutter, WeftWindowPiece *piece)
{
	gsize size_bytes = piece->text != NULL ? strlen(piece->text) : 0;

	if (put(cutter, piece, count_tokens(cutter, piece, size_bytes)))
		return TRUE;
	turn(cutter);
	return put(cutter, piece, count_tokens(cutter, piece, size_bytes));
}

/* The character's end at or before `end`. */
static gsize char_floor(const char *text, gsize end)
{
	while (end > 0 && ((guchar)text[end] & 0xc0) == 0x80)
		end--;
	return end;
}

/* The largest number of bytes of the text, at a character's end, that fits an empty window. */
static gsize fitting_bytes(const WeftCutter *cutter, const WeftWindowPiece *piece)
{
	gsize low = 0, high = strlen(piece->text);

	while (low < high) {
		gsize middle = low + (high - low + 1) / 2;
		gsize end = middle;

		while (end < high && ((guchar)piece->text[end] & 0xc0) == 0x80)
			end++;
		if (count_tokens(cutter, piece, end) <= cutter->capacity_tokens)
			low = end;
		else
			high = middle - 1;
	}
	return char_floor(piece->text, low);
}

/* Moves the cut back to the end of a paragraph, line, sentence or word, when there is one in the
 * second half. */
static gsize good_cut(const char *text, gsize end)
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

static WeftWindowPiece *text_piece(const char *text, guint32 content, const WeftAnchor *anchor)
{
	WeftWindowPiece *piece = g_new0(WeftWindowPiece, 1);

	piece->text = g_strdup(text);
	piece->content = content;
	if (anchor != NULL)
		piece->anchor = *anchor;
	return piece;
}

static WeftAnchor anchor_of(const WeftContent *content, guint32 first, guint32 end)
{
	WeftAnchor none = {0};

	return content == NULL ? none : weft_content_anchor_of(content, first, end);
}

/* Cuts off what fits one window and puts it there; gives the rest of the piece, which is taken, or
 * NULL when nothing is left. `char_first` is where the piece begins in its item. */
static WeftWindowPiece *put_head(WeftCutter *cutter, WeftWindowPiece *piece,
                                 const WeftContent *content, guint32 *char_first)
{
	gsize end = good_cut(piece->text, fitting_bytes(cutter, piece));
	WeftWindowPiece *head = NULL;
	guint32 n_chars = 0;
	gboolean is_put = FALSE;

	/* A shorter text may take more tokens, and its markers may be longer: rare, and a loop. */
	for (; end > 0; end = char_floor(piece->text, end / 8 * 7)) {
		g_autofree char *text = g_strndup(piece->text, end);
		WeftAnchor anchor;

		n_chars = (guint32)g_utf8_strlen(text, -1);
		anchor = anchor_of(content, *char_first, *char_first + n_chars);
		piece_free(head);
		head = text_piece(text, piece->content, &anchor);
		is_put = put_whole(cutter, head);
		if (is_put)
			break;
	}
	if (is_put && piece->text[end] != '\0') {
		WeftAnchor anchor = anchor_of(content, *char_first + n_chars, G_MAXUINT32);
		WeftWindowPiece *rest = text_piece(piece->text + end, piece->content, &anchor);

		*char_first += n_chars;
		piece_free(piece);
		return rest;
	}
	/* Not even one character fits: the capacity was checked against 256 tokens when the run
	 * began, so there is nothing here but markers. */
	if (!is_put)
		piece_free(head);
	piece_free(piece);
	return NULL;
}

/* Takes the piece. `content` NULL: text of no item. */
static void add_text(WeftCutter *cutter, WeftWindowPiece *piece, const WeftContent *content)
{
	guint32 char_first = 0;

	while (piece != NULL && !put_whole(cutter, piece))
		piece = put_head(cutter, piece, content, &char_first);
}

void weft_cutter_add_text(WeftCutter *cutter, const char *text)
{
	if (text[0] != '\0')
		add_text(cutter, text_piece(text, WEFT_SPAN_NO_CONTENT, NULL), NULL);
}

void weft_cutter_add_content(WeftCutter *cutter, const WeftContent *content, guint32 number)
{
	const WeftAnchor *anchor = &g_array_index(content->anchors, WeftAnchor, 0);

	if (content->text != NULL && content->text[0] != '\0')
		add_text(cutter, text_piece(content->text, number, anchor), content);
}

gboolean weft_cutter_add_part(WeftCutter *cutter, WeftPart *take_part, guint32 number,
                              GError **error)
{
	WeftWindowPiece *piece = g_new0(WeftWindowPiece, 1);

	piece->part = take_part;
	piece->content = number;
	piece->anchor = take_part->anchor;
	piece->single_tile = take_part->kind == WEFT_PART_FRAME;
	if (put_whole(cutter, piece))
		return TRUE;
	if (take_part->kind == WEFT_PART_RASTER) {
		piece->single_tile = TRUE;
		if (put_whole(cutter, piece))
			return TRUE;
	}
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONTEXT,
	            "takes %zu tokens, a window of this bundle has %zu",
	            count_tokens(cutter, piece, 0), cutter->capacity_tokens);
	piece_free(piece);
	return FALSE;
}
