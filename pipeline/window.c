#include "pipeline/window.h"

#include <string.h>

#include "base/error.h"
#include "pipeline/members.h"
#include "pipeline/window_frames.h"
#include "pipeline/window_piece.h"

/* Pieces that wait for their block to end: half a minute of sound of ten tracks are 150. */
#define WAITING_MAX 1024
/* A heading takes no more than a part of a window. */
#define HEADING_PARTS 4

struct WeftCutter {
	const WeftEncoders *encoders;
	guint32 member;       /* that pieces are of now; 0: the document is one file */
	char *heading;        /* which one that is; or NULL */
	gsize heading_tokens; /* in front of all else */
	gsize capacity_tokens;
	guint32 n_windows;
	WeftWindow *open; /* being filled, or NULL */
	GQueue full;
	GPtrArray *waiting;   /* pieces with a time, as they came; each fits a window */
	guint32 last_block;   /* of the piece that came last */
	const WeftWindowPiece *at_hand; /* on its way into a window */
	guint64 n_parts;
	WeftAnchor last_part;
	gboolean chooses_frames;
	WeftLeftOut left_out;
};

static void piece_free(void *data)
{
	weft_window_piece_free(data);
}

WeftCutter *weft_cutter_new(const WeftEncoders *encoders, gsize capacity_tokens)
{
	WeftCutter *cutter = g_new0(WeftCutter, 1);

	cutter->encoders = encoders;
	cutter->capacity_tokens = capacity_tokens;
	g_queue_init(&cutter->full);
	cutter->waiting = g_ptr_array_new_with_free_func(piece_free);
	return cutter;
}

void weft_cutter_choose_frames(WeftCutter *cutter)
{
	cutter->chooses_frames = TRUE;
}

WeftLeftOut weft_cutter_left_out(const WeftCutter *cutter)
{
	return cutter->left_out;
}

void weft_cutter_free(WeftCutter *cutter)
{
	if (cutter == NULL)
		return;
	weft_window_free(cutter->open);
	g_free(cutter->heading);
	g_ptr_array_unref(cutter->waiting);
	g_queue_clear_full(&cutter->full, (GDestroyNotify)weft_window_free);
	g_free(cutter);
}

WeftWindow *weft_cutter_take(WeftCutter *cutter)
{
	return g_queue_pop_head(&cutter->full);
}

/* The anchor of the open window's piece before the one at `index`, or NULL. */
static const WeftAnchor *anchor_before(const WeftCutter *cutter, guint index)
{
	const WeftWindowPiece *last;

	if (cutter->open == NULL || index == 0)
		return NULL;
	last = g_ptr_array_index(cutter->open->pieces, index - 1);
	return &last->anchor;
}

static const WeftAnchor *last_anchor(const WeftCutter *cutter)
{
	return anchor_before(cutter, cutter->open != NULL ? cutter->open->pieces->len : 0);
}

/* Of the piece, or of the first `size_bytes` of its text. */
static gsize count_tokens(const WeftCutter *cutter, const WeftWindowPiece *piece, gsize size_bytes,
                          const WeftAnchor *before)
{
	if (piece->part == NULL) {
		const WeftPassage passage = {piece->text, size_bytes, piece->speaker,
		                             piece->content, piece->anchor};

		return weft_encoders_text_tokens(cutter->encoders, &passage, before);
	}
	if (piece->part->kind == WEFT_PART_PCM)
		return weft_encoders_audio_tokens(cutter->encoders, piece->n_rows, &piece->anchor,
		                                  before);
	return weft_encoders_image_tokens(cutter->encoders, piece->part->raster.width,
	                                  piece->part->raster.height, piece->single_tile,
	                                  &piece->anchor, before);
}

static gsize count_whole(const WeftCutter *cutter, const WeftWindowPiece *piece,
                         const WeftAnchor *before)
{
	return count_tokens(cutter, piece, piece->text != NULL ? strlen(piece->text) : 0, before);
}

static gboolean is_sound(const WeftWindowPiece *piece)
{
	return piece->part != NULL && piece->part->kind == WEFT_PART_PCM;
}

/* ---- which frames a window shows ---- */

/* Counts the frame that is left out of the open window. */
static void count_left_out(WeftCutter *cutter, const WeftWindowPiece *piece)
{
	WeftLeftOut *left_out = &cutter->left_out;

	cutter->open->n_left_out++;
	if (piece->is_read)
		return;
	left_out->at = left_out->n_frames == 0 ? piece->anchor
	                                       : weft_anchor_union(left_out->at, piece->anchor);
	left_out->n_frames++;
}

/* Takes a piece out of the open window; the marker that it had may go to the one behind it. */
static void take_out(WeftCutter *cutter, guint place)
{
	WeftWindow *window = cutter->open;
	const WeftWindowPiece *piece = g_ptr_array_index(window->pieces, place);
	WeftWindowPiece *next;

	count_left_out(cutter, piece);
	window->n_tokens -= piece->n_tokens;
	window->n_pictures--;
	g_ptr_array_remove_index(window->pieces, place);
	if (place == window->pieces->len)
		return;
	next = g_ptr_array_index(window->pieces, place);
	window->n_tokens -= next->n_tokens;
	next->n_tokens = count_whole(cutter, next, anchor_before(cutter, place));
	window->n_tokens += next->n_tokens;
}

/* The window has all the pictures that it may have. TRUE: the piece is left out. */
static gboolean make_room(WeftCutter *cutter, const WeftWindowPiece *piece)
{
	guint place = weft_window_spare_frame(cutter->open, piece);
	const WeftWindowPiece *spare;

	if (place == cutter->open->pieces->len) {
		count_left_out(cutter, piece);
		return TRUE;
	}
	spare = g_ptr_array_index(cutter->open->pieces, place);
	/* Where even that makes no room, the frame begins the next window and this one keeps its own. */
	if (count_whole(cutter, piece, last_anchor(cutter)) <=
	    cutter->capacity_tokens - cutter->open->n_tokens + spare->n_tokens)
		take_out(cutter, place);
	return FALSE;
}

/* ---- filling ---- */

/* What stands before a piece of another file than the one before it; NULL: nothing. */
static WeftWindowPiece *heading_of(const WeftCutter *cutter)
{
	const WeftAnchor *before = last_anchor(cutter), at = {.document = cutter->member};
	WeftWindowPiece *heading;

	if (cutter->heading == NULL || (before != NULL && before->document == cutter->member))
		return NULL;
	heading = weft_window_piece_of_text(cutter->heading, NULL, WEFT_SPAN_NO_CONTENT, &at);
	heading->n_tokens = count_whole(cutter, heading, before);
	return heading;
}

static void add_piece(WeftCutter *cutter, WeftWindowPiece *take_piece)
{
	cutter->open->n_tokens += take_piece->n_tokens;
	g_ptr_array_add(cutter->open->pieces, take_piece);
}

/* What a piece may take in a window that holds nothing else. */
static gsize alone_tokens(const WeftCutter *cutter)
{
	return cutter->capacity_tokens - cutter->heading_tokens;
}

/* TRUE when the piece went into the open window, or is left out; it is taken then. */
static gboolean put(WeftCutter *cutter, WeftWindowPiece *piece)
{
	WeftWindowPiece *heading;
	gsize n_tokens;

	if (cutter->open == NULL)
		cutter->open = weft_window_new(cutter->n_windows++);
	if (weft_window_piece_is_picture(piece) && cutter->open->n_pictures == WEFT_WINDOW_PICTURES_MAX) {
		if (cutter->chooses_frames && make_room(cutter, piece)) {
			piece_free(piece);
			return TRUE;
		}
		if (cutter->open->n_pictures == WEFT_WINDOW_PICTURES_MAX)
			return FALSE;
	}
	heading = heading_of(cutter);
	piece->n_tokens =
	    count_whole(cutter, piece, heading != NULL ? &heading->anchor : last_anchor(cutter));
	n_tokens = piece->n_tokens + (heading != NULL ? heading->n_tokens : 0);
	if (n_tokens > cutter->capacity_tokens - cutter->open->n_tokens) {
		weft_window_piece_free(heading);
		return FALSE;
	}
	if (heading != NULL)
		add_piece(cutter, heading);
	add_piece(cutter, piece);
	cutter->open->n_pictures += weft_window_piece_is_picture(piece) ? 1 : 0;
	return TRUE;
}

/* How far the parts are in windows, up to the open one: to the one before the first that is not, as a
 * whole. */
static void note_done(WeftCutter *cutter)
{
	const WeftWindowPiece *first = cutter->at_hand;

	for (guint i = 0; i < cutter->waiting->len; i++) {
		const WeftWindowPiece *piece = g_ptr_array_index(cutter->waiting, i);

		if (piece->part != NULL &&
		    (first == NULL || first->part == NULL ||
		     piece->part_number < first->part_number))
			first = piece;
	}
	if (first != NULL && first->part != NULL) {
		cutter->open->has_done = first->part_number > 1;
		cutter->open->done = first->before;
	} else {
		cutter->open->has_done = cutter->n_parts > 0;
		cutter->open->done = cutter->last_part;
	}
}

static void close_window(WeftCutter *cutter)
{
	if (cutter->open == NULL)
		return;
	note_done(cutter);
	g_queue_push_tail(&cutter->full, g_steal_pointer(&cutter->open));
}

/* Closes the open window when there is anything in it: the next piece opens a fresh one. */
static void turn(WeftCutter *cutter)
{
	if (cutter->open != NULL && cutter->open->pieces->len > 0)
		close_window(cutter);
}

/* Puts a whole piece into this window or the next; FALSE when it is larger than any. */
static gboolean put_whole(WeftCutter *cutter, WeftWindowPiece *piece)
{
	gboolean is_put = put(cutter, piece);

	if (is_put)
		return TRUE;
	cutter->at_hand = piece;
	turn(cutter);
	is_put = put(cutter, piece);
	cutter->at_hand = NULL;
	return is_put;
}

/* ---- blocks of time ---- */

/* What comes first in a block: frames, what is said, sound. */
static guint place_in_block(const WeftWindowPiece *piece)
{
	return weft_window_piece_is_picture(piece) ? 0 : is_sound(piece) ? 2 : 1;
}

static gboolean is_before(const WeftWindowPiece *a, const WeftWindowPiece *b)
{
	guint32 block_a = weft_anchor_block(&a->anchor), block_b = weft_anchor_block(&b->anchor);

	return block_a != block_b ? block_a < block_b : place_in_block(a) < place_in_block(b);
}

/* The first of what waits; of equals the one that came first. */
static guint first_waiting(const WeftCutter *cutter)
{
	guint first = 0;

	for (guint i = 1; i < cutter->waiting->len; i++)
		if (is_before(g_ptr_array_index(cutter->waiting, i),
		              g_ptr_array_index(cutter->waiting, first)))
			first = i;
	return first;
}

/* Puts what waits, as far as it begins before this block. Each fits, alone. */
static void put_until(WeftCutter *cutter, guint32 block)
{
	while (cutter->waiting->len > 0) {
		guint i = first_waiting(cutter);
		WeftWindowPiece *piece = g_ptr_array_index(cutter->waiting, i);

		if (weft_anchor_block(&piece->anchor) >= block)
			return;
		(void)g_ptr_array_steal_index(cutter->waiting, i);
		if (!put_whole(cutter, piece))
			piece_free(piece);
	}
}

static void put_waiting(WeftCutter *cutter)
{
	put_until(cutter, G_MAXUINT32);
}

/* Something begins here, and will wait. */
static void come_to(WeftCutter *cutter, const WeftAnchor *at)
{
	guint32 block = weft_anchor_block(at);
	gboolean ends_all = block < cutter->last_block || cutter->waiting->len >= WAITING_MAX;

	put_until(cutter, ends_all ? G_MAXUINT32 : block);
	cutter->last_block = block;
}

void weft_cutter_turn(WeftCutter *cutter)
{
	put_waiting(cutter);
	turn(cutter);
}

void weft_cutter_end(WeftCutter *cutter)
{
	put_waiting(cutter);
	close_window(cutter);
}

/* ---- text that is longer than a window ---- */

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
		if (count_tokens(cutter, piece, end, last_anchor(cutter)) <= alone_tokens(cutter))
			low = end;
		else
			high = middle - 1;
	}
	return char_floor(piece->text, low);
}

/* Without its content a piece has one place. */
static WeftAnchor anchor_of(const WeftWindowPiece *piece, const WeftContent *content, guint32 first,
                            guint32 end)
{
	return content == NULL ? piece->anchor : weft_content_anchor_of(content, first, end);
}

/* Cuts off what fits one window and puts it there; gives the rest of the piece, which is taken, or
 * NULL when nothing is left. `char_first` is where the piece begins in its item. */
static WeftWindowPiece *put_head(WeftCutter *cutter, WeftWindowPiece *piece,
                                 const WeftContent *content, guint32 *char_first)
{
	gsize end = weft_window_good_cut(piece->text, fitting_bytes(cutter, piece));
	WeftWindowPiece *head = NULL;
	guint32 n_chars = 0;
	gboolean is_put = FALSE;

	/* A shorter text may take more tokens, and its markers may be longer: rare, and a loop. */
	for (; end > 0; end = char_floor(piece->text, end / 8 * 7)) {
		g_autofree char *text = g_strndup(piece->text, end);
		WeftAnchor anchor;

		n_chars = (guint32)g_utf8_strlen(text, -1);
		anchor = anchor_of(piece, content, *char_first, *char_first + n_chars);
		piece_free(head);
		head = weft_window_piece_of_text(text, piece->speaker, piece->content, &anchor);
		is_put = put_whole(cutter, head);
		if (is_put)
			break;
	}
	if (is_put && piece->text[end] != '\0') {
		WeftAnchor anchor = anchor_of(piece, content, *char_first + n_chars, G_MAXUINT32);
		WeftWindowPiece *rest =
		    weft_window_piece_of_text(piece->text + end, piece->speaker, piece->content, &anchor);

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

/* ---- several files together ---- */

static void set_heading(WeftCutter *cutter, char *take_heading)
{
	WeftWindowPiece piece = {.text = take_heading, .content = WEFT_SPAN_NO_CONTENT};

	g_free(cutter->heading);
	cutter->heading = take_heading;
	cutter->heading_tokens = count_whole(cutter, &piece, NULL);
}

void weft_cutter_begin_member(WeftCutter *cutter, guint32 number, const char *name)
{
	put_waiting(cutter);
	cutter->last_block = 0;
	cutter->member = number;
	set_heading(cutter, weft_member_heading(number, name));
	if (cutter->heading_tokens > cutter->capacity_tokens / HEADING_PARTS)
		set_heading(cutter, weft_member_heading(number, NULL));
}

/* ---- what is added ---- */

/* Takes the piece. `content` NULL: text of no item. */
static void add_text(WeftCutter *cutter, WeftWindowPiece *piece, const WeftContent *content)
{
	guint32 char_first = 0;

	if (piece->anchor.has_time &&
	    count_whole(cutter, piece, NULL) <= alone_tokens(cutter)) {
		come_to(cutter, &piece->anchor);
		g_ptr_array_add(cutter->waiting, piece);
		return;
	}
	put_waiting(cutter);
	while (piece != NULL && !put_whole(cutter, piece))
		piece = put_head(cutter, piece, content, &char_first);
}

void weft_cutter_add_piece(WeftCutter *cutter, WeftWindowPiece *take_piece)
{
	WeftWindowPiece *piece = take_piece;
	guint32 char_first = 0;

	if (piece->part == NULL) {
		while (piece != NULL && !put_whole(cutter, piece))
			piece = put_head(cutter, piece, NULL, &char_first);
		return;
	}
	cutter->n_parts = piece->part_number;
	cutter->last_part = piece->part->anchor;
	if (!put_whole(cutter, piece)) /* never: it fits an empty one */
		piece_free(piece);
}

void weft_cutter_add_text(WeftCutter *cutter, const char *text)
{
	WeftAnchor at = {.document = cutter->member};

	if (text[0] != '\0')
		add_text(cutter, weft_window_piece_of_text(text, NULL, WEFT_SPAN_NO_CONTENT, &at), NULL);
}

void weft_cutter_add_content(WeftCutter *cutter, const WeftContent *content, guint32 number)
{
	const WeftAnchor *anchor = &g_array_index(content->anchors, WeftAnchor, 0);

	if (content->text != NULL && content->text[0] != '\0')
		add_text(cutter, weft_window_piece_of_text(content->text, content->speaker, number, anchor),
		         content);
}

/* Takes the part. */
static WeftWindowPiece *part_piece(WeftCutter *cutter, WeftPart *take_part, guint32 number)
{
	WeftWindowPiece *piece = g_new0(WeftWindowPiece, 1);

	piece->part = take_part;
	piece->content = number;
	piece->anchor = take_part->anchor;
	piece->part_number = cutter->n_parts + 1;
	piece->before = cutter->last_part;
	return piece;
}

/* From here on it will be in windows. */
static void note_part(WeftCutter *cutter, const WeftAnchor *at)
{
	cutter->n_parts++;
	cutter->last_part = *at;
}

static gboolean fits(const WeftCutter *cutter, const WeftWindowPiece *piece, GError **error)
{
	gsize n_tokens = count_whole(cutter, piece, NULL);

	if (n_tokens <= alone_tokens(cutter))
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONTEXT,
	            "takes %zu tokens, a window of this bundle has %zu", n_tokens,
	            alone_tokens(cutter));
	return FALSE;
}

/* The clip, block by block; takes the part. */
static gboolean add_sound(WeftCutter *cutter, WeftPart *take_part, guint32 number, GError **error)
{
	g_autoptr(WeftPart) part = take_part;
	g_autoptr(GPtrArray) slices = g_ptr_array_new_with_free_func(piece_free);
	gsize n_rows = weft_encoders_audio_rows(cutter->encoders, part->pcm.n_samples);

	for (gsize row = 0; row < n_rows;) {
		WeftWindowPiece *piece = part_piece(cutter, weft_part_share(part), number);

		g_ptr_array_add(slices, piece);
		piece->row_first = row;
		piece->n_rows_of = n_rows;
		piece->n_rows = weft_encoders_audio_block(cutter->encoders, part->pcm.n_samples,
		                                          &part->anchor, row, &piece->anchor);
		row += piece->n_rows;
		if (!fits(cutter, piece, error))
			return FALSE;
	}
	if (part->anchor.has_time)
		come_to(cutter, &part->anchor);
	else
		put_waiting(cutter);
	note_part(cutter, &part->anchor);
	g_ptr_array_extend_and_steal(cutter->waiting, g_steal_pointer(&slices));
	if (!part->anchor.has_time)
		put_waiting(cutter);
	return TRUE;
}

gboolean weft_cutter_add_part(WeftCutter *cutter, WeftPart *take_part, guint32 number,
                              gboolean is_read, GError **error)
{
	WeftWindowPiece *piece;

	if (take_part->kind == WEFT_PART_PCM)
		return add_sound(cutter, take_part, number, error);
	piece = part_piece(cutter, take_part, number);
	piece->is_read = is_read;
	piece->single_tile =
	    take_part->kind == WEFT_PART_FRAME ||
	    count_whole(cutter, piece, NULL) > alone_tokens(cutter);
	if (!fits(cutter, piece, error)) {
		piece_free(piece);
		return FALSE;
	}
	cutter->left_out.n_of += take_part->kind == WEFT_PART_FRAME && !is_read ? 1 : 0;
	if (piece->anchor.has_time) {
		come_to(cutter, &piece->anchor);
		note_part(cutter, &piece->anchor);
		g_ptr_array_add(cutter->waiting, piece);
		return TRUE;
	}
	put_waiting(cutter);
	note_part(cutter, &piece->anchor);
	if (!put_whole(cutter, piece)) /* never: it fits an empty one */
		piece_free(piece);
	return TRUE;
}
