/* pdf_page.h - private: one page of a PDF while it is decoded.
 *
 * poppler-glib gives the characters of a page, each with its box, and a rendering. It does not give
 * text outside the crop box (such text is dropped before it can be asked for), nor the way in which
 * text is painted. So pdf_ink.c decides by what the rendering shows, and pdf_text.c puts words into
 * lines, columns and blocks.
 */
#ifndef WEFT_INGEST_PDF_PAGE_H
#define WEFT_INGEST_PDF_PAGE_H

#include <cairo.h>
#include <glib.h>
#include <poppler.h>

#include "ingest/decoder.h"
#include "ingest/part.h"

typedef enum {
	PDF_WORD_VISIBLE,   /* the page shows it */
	PDF_WORD_OCR_LAYER, /* invisible, over the picture of a text */
	PDF_WORD_HIDDEN,    /* no ink, or the ink of something else */
} PdfWordKind;

typedef struct PdfWord {
	const char *text; /* within PdfPage.text */
	gsize size_bytes;
	guint glyph_first, glyph_end; /* within PdfPage.glyphs */
	double box[4];                /* on the page as seen */
	double upright[4]; /* the same, turned so that the page's text runs from left to right */
	gboolean spaced;   /* a space that stands in the text leads to it */
	gboolean standing; /* written up or down the page, once that is upright */
	gboolean letters; /* has a letter or digit: bare punctuation is judged with its neighbour */
	PdfWordKind kind;
} PdfWord;

typedef struct PdfPage {
	const WeftDecodeJob *job;
	guint32 n;
	PopplerPage *page;
	double width, height; /* points, as seen */
	int rotation;         /* 0, 90, 180, 270 as the file states it */
	char *text;
	PopplerRectangle *glyphs; /* one per character of `text`, from the top left */
	guint n_glyphs;
	GArray *words;      /* of PdfWord, in poppler's order */
	GList *images;      /* of PopplerImageMapping, areas mended */
	double image_cover; /* share of the page under pictures */

	guint8 *pixels; /* the rendering, RGB */
	guint32 pixels_width, pixels_height;
	double scale; /* pixels per point */
} PdfPage;

/* Finds words in `text` and `glyphs`, and which way the text of the page runs. */
void weft_pdf_page_find_words(PdfPage *page);

/* Renders at `scale`, replacing what was rendered before. */
gboolean weft_pdf_page_render(PdfPage *page, double scale, GError **error);

/* Fills in `image_cover` and the kind of each word; the page is rendered. */
void weft_pdf_page_judge_words(PdfPage *page);

/* Appends the page's text as contents (WeftPart), in reading order. */
void weft_pdf_page_contents(const PdfPage *page, GQueue *parts);

#endif
