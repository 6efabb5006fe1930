/* window.h - a piece of a document that fits one request.
 *
 * A WeftCutter is given the parts of one document in reading order and fills windows with whole
 * parts: as many as fit `capacity_tokens`, and at most four pictures (published models were tested
 * with five). What alone is larger than a window is cut: text at the end of a paragraph, a line, a
 * sentence, a word, else anywhere between two characters, each piece keeping its place in the item
 * and so its anchors; a picture is shown as one tile. So windows depend on the document, the bundle
 * and the task only. Tokens are counted by the encoders, markers included.
 *
 * What has a time comes by blocks of time (encoders.h): the frames of a block, then what is said in
 * it, then of each clip of sound the rows that begin in it. So a clip is many pieces, which share the
 * part, and may be in two windows. The rows of blocks to come wait until something comes that begins
 * behind them; what begins in an earlier block than what came before it ends all waiting.
 *
 * A fifth picture begins a window, so that each is looked at. With weft_cutter_choose_frames the
 * window goes on as long as text fits, and of five frames one is left out: one whose text was read, if
 * there is any; of these, else of all, the one whose neighbours are the closest in time, so never the
 * first; ties go to the earlier. What remains is spread over the window. Frames that are left out are
 * counted, and their pixels are gone at once.
 *
 * Where several files are one document together, a window says before the first piece of each which one
 * it is of (weft_cutter_begin_member), and blocks of time end with it.
 *
 * Pieces own their text, pixels and samples; nothing is encoded yet.
 */
#ifndef WEFT_PIPELINE_WINDOW_H
#define WEFT_PIPELINE_WINDOW_H

#include <glib.h>

#include "base/content.h"
#include "encoders/encoders.h"
#include "ingest/part.h"
#include "outputs/record.h"

#define WEFT_WINDOW_PICTURES_MAX 4

typedef struct WeftWindowPiece {
	char *text;     /* or NULL */
	char *speaker;  /* who says it, or NULL */
	WeftPart *part; /* or NULL: picture, or sound that its other pieces have, too */
	gsize row_first, n_rows, n_rows_of; /* sound: which of the clip's rows, of so many */
	gboolean single_tile;
	gboolean is_read; /* a picture: its text, if it has any, stands in the window */
	guint32 content; /* number of the item in the document, or WEFT_SPAN_NO_CONTENT */
	WeftAnchor anchor;
	gsize n_tokens;
	guint64 part_number; /* its part's, in the order in which they were added, from 1 */
	WeftAnchor before;   /* of the part added before that one */
} WeftWindowPiece;

typedef struct WeftWindow {
	guint32 number; /* in the document, from 0 */
	GPtrArray *pieces;
	guint n_pictures, n_left_out; /* frames that the window has no room for */
	gsize n_tokens;
	gboolean has_done; /* once it is full: */
	WeftAnchor done;   /* all pictures and sound up to this part are in windows up to this one */
	guint32 element; /* of a file with many documents the one that it is of, from 1; 0: not such a file */
} WeftWindow;

/* Frames that nobody looks at: no reader has, and they were left out. */
typedef struct WeftLeftOut {
	guint n_frames, n_of; /* left out, of so many that nobody had read */
	WeftAnchor at;        /* the stretch of time that they cover */
} WeftLeftOut;

void weft_window_free(WeftWindow *window);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftWindow, weft_window_free)
gsize weft_window_size_bytes(const WeftWindow *window);
/* What the record will say of it, if it is asked about. */
WeftWindowFacts weft_window_facts(const WeftWindow *window);

typedef struct WeftCutter WeftCutter;

/* The encoders must outlive it. */
WeftCutter *weft_cutter_new(const WeftEncoders *encoders, gsize capacity_tokens);
void weft_cutter_free(WeftCutter *cutter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftCutter, weft_cutter_free)

/* Before the first part: of five frames in a window one is left out. */
void weft_cutter_choose_frames(WeftCutter *cutter);

/* What comes from here on is of the member of this number: "[document 2: NAME]". The name is bytes of the
 * file system, and is told on one line, shortened where it is long. */
void weft_cutter_begin_member(WeftCutter *cutter, guint32 number, const char *name);

/* Text of no item: metadata, answers about other windows. */
void weft_cutter_add_text(WeftCutter *cutter, const char *text);
void weft_cutter_add_content(WeftCutter *cutter, const WeftContent *content, guint32 number);
/* A picture, frame or sound. Takes the part, also when it answers FALSE: WEFT_ERROR_CONTEXT, it
 * does not fit any window. `is_read`: its text, if it has any, was added as content. */
gboolean weft_cutter_add_part(WeftCutter *cutter, WeftPart *take_part, guint32 number,
                              gboolean is_read, GError **error);

/* A piece of another cutter's window, in their order; it fits one of this. Takes it. */
void weft_cutter_add_piece(WeftCutter *cutter, WeftWindowPiece *take_piece);
void weft_window_piece_free(WeftWindowPiece *piece);

/* What is added next begins a window. */
void weft_cutter_turn(WeftCutter *cutter);

/* The next window that is full, or NULL. */
WeftWindow *weft_cutter_take(WeftCutter *cutter);
/* No more parts: what is left becomes the last window. */
void weft_cutter_end(WeftCutter *cutter);
/* Of all windows so far. */
WeftLeftOut weft_cutter_left_out(const WeftCutter *cutter);

#endif
