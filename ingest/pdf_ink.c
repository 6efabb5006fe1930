/* pdf_ink.c - what of a page's text can be seen.
 *
 * A word is visible when its letters leave ink in the rendering. Where a word lies over a picture,
 * the rendering is compared with the picture alone: equal means that the word paints nothing. Such
 * words are an OCR layer when the picture is paper-like, and has ink where the words are and less
 * of it between them; otherwise the picture shows something else and the words are hidden. Letters that
 * are too small for anybody's eyes are hidden, whatever ink they leave.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "ingest/decoder.h"
#include "ingest/pdf_page.h"
#include "ingest/raster.h"

#define PAGE_BYTES (8u << 20) /* pictures and glyphs of an ordinary page */
#define CONTRAST_LEVELS 12 /* on a ground that is painted, not scanned: no noise */
#define WORD_INK_MIN 0.01  /* share of a word's box: "l" in a wide box is 0.03 */
#define EQUAL_LEVELS 9.0   /* mean of a word's box; black text of any size changes it by 20 */
#define PICTURE_INK_LEVELS 40
#define GRID 24 /* cells a side to find how a picture lies on the page */
#define GRID_EQUAL_LEVELS 14.0
#define PAPER_SHARE_MIN 0.4 /* of a picture of text: one colour */
#define WORDS_TO_GAPS 1.5   /* ink in words against ink between them; photographs have 1 */
#define COVER_CELLS 64
#define LETTER_POINTS_MIN 1.0 /* box of a letter; microprint on banknotes has 0.8 */
#define LETTER_SHARE_MIN (1.0 / 400) /* of the page: some files count in inches or pixels */
#define SMALL_PICTURE 0.01 /* share of the page: smaller ones are never under text */

typedef struct PixelBox {
	gint64 x0, y0, x1, y1;
} PixelBox;

/* A picture as it would look alone, in the pixels of the rendering. */
typedef struct Alone {
	PixelBox at;
	guint8 *pixels;
	guint32 width, height;
	guint8 ground[3];
	double ground_share;
} Alone;

static PixelBox pixel_box(const PdfPage *page, const double box[4])
{
	PixelBox pixels = {
	    (gint64)floor(CLAMP(box[0] * page->scale, -1, page->pixels_width + 1.0)),
	    (gint64)floor(CLAMP(box[1] * page->scale, -1, page->pixels_height + 1.0)),
	    (gint64)ceil(CLAMP(box[2] * page->scale, -1, page->pixels_width + 1.0)),
	    (gint64)ceil(CLAMP(box[3] * page->scale, -1, page->pixels_height + 1.0)),
	};
	pixels.x0 = MAX(pixels.x0, 0);
	pixels.y0 = MAX(pixels.y0, 0);
	pixels.x1 = MIN(pixels.x1, page->pixels_width);
	pixels.y1 = MIN(pixels.y1, page->pixels_height);
	return pixels;
}

static const guint8 *pixel(const PdfPage *page, gint64 x, gint64 y)
{
	return page->pixels + ((gsize)y * page->pixels_width + (gsize)x) * 3;
}

static gboolean differs(const guint8 *p, const guint8 ground[3], int levels)
{
	return ABS(p[0] - ground[0]) > levels || ABS(p[1] - ground[1]) > levels ||
	       ABS(p[2] - ground[2]) > levels;
}

gboolean weft_pdf_page_render(PdfPage *page, double scale, GError **error)
{
	double width = ceil(page->width * scale), height = ceil(page->height * scale);
	if (!(width >= 1 && height >= 1 && width <= WEFT_RASTER_SIDE_MAX &&
	      height <= WEFT_RASTER_SIDE_MAX && width * height <= WEFT_RASTER_PIXELS_MAX)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT,
		            "page %u: %g x %g points can't be rendered", page->n, page->width,
		            page->height);
		return FALSE;
	}
	if (page->job->claim) /* cairo's four bytes a pixel, ours, and those in shared memory */
		page->job->claim((gsize)(width * height) * (4 + 3 + 3) + PAGE_BYTES);
	cairo_surface_t *surface =
	    cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
	cairo_t *cairo = cairo_create(surface);
	cairo_set_source_rgb(cairo, 1, 1, 1);
	cairo_paint(cairo);
	cairo_scale(cairo, scale, scale);
	poppler_page_render(page->page, cairo);
	cairo_status_t status = cairo_status(cairo);
	cairo_destroy(cairo);
	cairo_surface_flush(surface);
	if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CORRUPT, "page %u: rendering: %s",
		            page->n, cairo_status_to_string(status));
		cairo_surface_destroy(surface);
		return FALSE;
	}
	const guint8 *from = cairo_image_surface_get_data(surface);
	gsize stride = (gsize)cairo_image_surface_get_stride(surface);
	g_free(page->pixels);
	page->pixels_width = (guint32)width;
	page->pixels_height = (guint32)height;
	page->scale = scale;
	page->pixels = g_malloc((gsize)page->pixels_width * page->pixels_height * 3);
	for (guint32 y = 0; y < page->pixels_height; y++) {
		const guint32 *row = (const guint32 *)(const void *)(from + y * stride);
		guint8 *to = page->pixels + (gsize)y * page->pixels_width * 3;
		for (guint32 x = 0; x < page->pixels_width; x++, to += 3) {
			to[0] = (guint8)(row[x] >> 16);
			to[1] = (guint8)(row[x] >> 8);
			to[2] = (guint8)row[x];
		}
	}
	cairo_surface_destroy(surface);
	return TRUE;
}

/* --- ink of a word --- */

static gboolean glyph_has_ink(const PdfPage *page, const PopplerRectangle *glyph,
                              const guint8 ground[3])
{
	PixelBox box = pixel_box(page, (double[]){glyph->x1, glyph->y1, glyph->x2, glyph->y2});
	for (gint64 y = box.y0; y < box.y1; y++)
		for (gint64 x = box.x0; x < box.x1; x++)
			if (differs(pixel(page, x, y), ground, CONTRAST_LEVELS))
				return TRUE;
	return FALSE;
}

/* Ink in most letters, over more than a line's height: a ruled line through white text is not it.
 */
static gboolean word_has_ink(const PdfPage *page, const PdfWord *word)
{
	PixelBox box = pixel_box(page, word->box);
	guint8 ground[3];
	guint64 inked = 0, inked_rows = 0;
	guint with_ink = 0, n_glyphs = word->glyph_end - word->glyph_first;
	if (box.x1 <= box.x0 || box.y1 <= box.y0)
		return FALSE;
	gint64 width = box.x1 - box.x0, height = box.y1 - box.y0;
	weft_raster_ground(pixel(page, box.x0, box.y0), (guint32)width, (guint32)height,
	                   (gsize)page->pixels_width * 3, ground);
	for (gint64 y = box.y0; y < box.y1; y++) {
		guint64 before = inked;
		for (gint64 x = box.x0; x < box.x1; x++)
			inked += differs(pixel(page, x, y), ground, CONTRAST_LEVELS);
		inked_rows += inked > before;
	}
	for (guint i = word->glyph_first; i < word->glyph_end; i++)
		with_ink += glyph_has_ink(page, &page->glyphs[i], ground);
	return (double)inked >= WORD_INK_MIN * (double)(width * height) &&
	       (double)inked_rows >= 0.2 * (double)height && with_ink * 2 > n_glyphs;
}

/* --- pictures --- */

/* The eight ways in which a picture can lie: the position in the picture (0..1) of a position in
 * its area on the page. */
static void turn(guint way, double u, double v, double *ret_u, double *ret_v)
{
	if (way & 4) {
		double swap = u;
		u = v;
		v = swap;
	}
	*ret_u = way & 1 ? 1 - u : u;
	*ret_v = way & 2 ? 1 - v : v;
}

/* Means over cells: from[height][stride] of 32-bit pixels, to ret[rows][columns][3]. */
static void reduce(const guint8 *from, guint width, guint height, gsize stride, guint columns,
                   guint rows, guint8 *ret_means)
{
	for (guint row = 0; row < rows; row++) {
		guint y0 = (guint)((guint64)row * height / rows);
		guint y1 = MAX(y0 + 1, (guint)((guint64)(row + 1) * height / rows));
		for (guint column = 0; column < columns; column++) {
			guint x0 = (guint)((guint64)column * width / columns);
			guint x1 = MAX(x0 + 1, (guint)((guint64)(column + 1) * width / columns));
			guint64 sums[3] = {0};
			for (guint y = y0; y < y1; y++) {
				const guint32 *p =
				    (const guint32 *)(const void *)(from + y * stride);
				for (guint x = x0; x < x1; x++) {
					sums[0] += p[x] >> 16 & 255;
					sums[1] += p[x] >> 8 & 255;
					sums[2] += p[x] & 255;
				}
			}
			guint64 n = (guint64)(x1 - x0) * (y1 - y0);
			guint8 *mean = ret_means + ((gsize)row * columns + column) * 3;
			for (guint c = 0; c < 3; c++)
				mean[c] = (guint8)(sums[c] / n);
		}
	}
}

/* How far the rendering is from a picture that lies in `way`: mean level of cells on the page. */
static double distance(const PdfPage *page, const PixelBox *area, const guint8 *grid, guint way)
{
	double sum = 0;
	guint n = 0;
	for (guint row = 0; row < GRID; row++) {
		for (guint column = 0; column < GRID; column++) {
			double cell_w = (double)(area->x1 - area->x0) / GRID;
			double cell_h = (double)(area->y1 - area->y0) / GRID;
			gint64 x0 = area->x0 + (gint64)(column * cell_w);
			gint64 y0 = area->y0 + (gint64)(row * cell_h);
			gint64 x1 = MAX(x0 + 1, area->x0 + (gint64)((column + 1) * cell_w));
			gint64 y1 = MAX(y0 + 1, area->y0 + (gint64)((row + 1) * cell_h));
			double u, v, mean = 0;
			if (x0 < 0 || y0 < 0 || x1 > page->pixels_width || y1 > page->pixels_height)
				continue;
			for (gint64 y = y0; y < y1; y++)
				for (gint64 x = x0; x < x1; x++)
					mean += pixel(page, x, y)[1];
			mean /= (double)((x1 - x0) * (y1 - y0));
			turn(way, (column + 0.5) / GRID, (row + 0.5) / GRID, &u, &v);
			gsize cell = (gsize)(v * GRID) * GRID + (gsize)(u * GRID);
			sum += fabs(mean - grid[cell * 3 + 1]);
			n++;
		}
	}
	return n > 0 ? sum / n : G_MAXDOUBLE;
}

static PixelBox whole_box(const PdfPage *page, const PopplerRectangle *area)
{
	double limit = 4.0 * WEFT_RASTER_SIDE_MAX;
	PixelBox box = {
	    (gint64)llround(CLAMP(area->x1 * page->scale, -limit, limit)),
	    (gint64)llround(CLAMP(area->y1 * page->scale, -limit, limit)),
	    (gint64)llround(CLAMP(area->x2 * page->scale, -limit, limit)),
	    (gint64)llround(CLAMP(area->y2 * page->scale, -limit, limit)),
	};
	return box;
}

/* The picture itself, when its pixels can be read; to be destroyed. */
static cairo_surface_t *picture_surface(const PdfPage *page, int image_id)
{
	cairo_surface_t *surface = poppler_page_get_image(page->page, image_id);
	if (!surface)
		return NULL;
	cairo_surface_flush(surface);
	cairo_format_t format = cairo_image_surface_get_format(surface);
	if (cairo_image_surface_get_data(surface) && cairo_image_surface_get_width(surface) >= 2 &&
	    cairo_image_surface_get_height(surface) >= 2 &&
	    (format == CAIRO_FORMAT_RGB24 || format == CAIRO_FORMAT_ARGB32))
		return surface;
	cairo_surface_destroy(surface);
	return NULL;
}

static void reduce_surface(cairo_surface_t *surface, guint columns, guint rows, guint8 *ret_means)
{
	reduce(cairo_image_surface_get_data(surface), (guint)cairo_image_surface_get_width(surface),
	       (guint)cairo_image_surface_get_height(surface),
	       (gsize)cairo_image_surface_get_stride(surface), columns, rows, ret_means);
}

/* How the picture lies in its area; FALSE when the page does not show it as it is. */
static gboolean find_way(const PdfPage *page, const PixelBox *area, cairo_surface_t *surface,
                         guint *ret_way)
{
	guint8 grid[GRID * GRID * 3];
	guint best = 0;
	double best_distance = G_MAXDOUBLE;
	reduce_surface(surface, GRID, GRID, grid);
	for (guint way = 0; way < 8; way++) {
		double d = distance(page, area, grid, way);
		if (d < best_distance) {
			best_distance = d;
			best = way;
		}
	}
	if (best_distance > GRID_EQUAL_LEVELS)
		return FALSE;
	*ret_way = best;
	return TRUE;
}

/* Paints the picture as it lies on the page, at the size of its area. */
static void paint_alone(Alone *alone, cairo_surface_t *surface, guint way)
{
	guint columns = way & 4 ? alone->height : alone->width;
	guint rows = way & 4 ? alone->width : alone->height;
	gsize row_bytes = (gsize)alone->width * 3;
	g_autofree guint8 *small = g_malloc((gsize)columns * rows * 3);
	reduce_surface(surface, columns, rows, small);
	alone->pixels = g_malloc(row_bytes * alone->height);
	for (guint32 y = 0; y < alone->height; y++) {
		for (guint32 x = 0; x < alone->width; x++) {
			double u, v;
			turn(way, (x + 0.5) / alone->width, (y + 0.5) / alone->height, &u, &v);
			gsize at = (gsize)(v * rows) * columns + (gsize)(u * columns);
			memcpy(alone->pixels + y * row_bytes + (gsize)x * 3, small + at * 3, 3);
		}
	}
	weft_raster_ground(alone->pixels, alone->width, alone->height, row_bytes, alone->ground);
	alone->ground_share =
	    1 - weft_raster_ink_of(alone->pixels, alone->width, alone->height, row_bytes);
}

/* FALSE when the picture can't be had, or the page does not show it as it is (blended, masked). */
static gboolean picture_alone(const PdfPage *page, const PopplerImageMapping *mapping,
                              Alone *ret_alone)
{
	guint way;
	PixelBox area = whole_box(page, &mapping->area);
	gint64 width = area.x1 - area.x0, height = area.y1 - area.y0;
	if (width < GRID || height < GRID || width * height > (gint64)WEFT_RASTER_PIXELS_MAX)
		return FALSE;
	cairo_surface_t *surface = picture_surface(page, mapping->image_id);
	gboolean found = surface && find_way(page, &area, surface, &way);
	if (found) {
		ret_alone->at = area;
		ret_alone->width = (guint32)width;
		ret_alone->height = (guint32)height;
		paint_alone(ret_alone, surface, way);
	}
	if (surface)
		cairo_surface_destroy(surface);
	return found;
}

/* The pixel of the picture alone that the page has at x, y, or NULL outside. */
static const guint8 *alone_pixel(const Alone *alone, gint64 x, gint64 y)
{
	gint64 column = x - alone->at.x0, row = y - alone->at.y0;
	if (column < 0 || row < 0 || column >= alone->width || row >= alone->height)
		return NULL;
	return alone->pixels + ((gsize)row * alone->width + (gsize)column) * 3;
}

/* TRUE when the page shows in this box what the picture has there. */
static gboolean paints_nothing(const PdfPage *page, const Alone *alone, const PdfWord *word)
{
	PixelBox box = pixel_box(page, word->box);
	double sums[3] = {0};
	guint64 n = 0;
	for (gint64 y = box.y0; y < box.y1; y++) {
		for (gint64 x = box.x0; x < box.x1; x++) {
			const guint8 *a = alone_pixel(alone, x, y), *p = pixel(page, x, y);
			for (guint c = 0; a && c < 3; c++)
				sums[c] += (double)p[c] - a[c];
			n += a != NULL;
		}
	}
	for (guint c = 0; c < 3; c++)
		if (n == 0 || fabs(sums[c]) > EQUAL_LEVELS * (double)n)
			return FALSE;
	return TRUE;
}

/* Share of pixels in the box that are not the picture's paper. */
static double picture_ink(const PdfPage *page, const Alone *alone, const double box[4])
{
	PixelBox pixels = pixel_box(page, box);
	guint64 inked = 0, n = 0;
	for (gint64 y = pixels.y0; y < pixels.y1; y++) {
		for (gint64 x = pixels.x0; x < pixels.x1; x++) {
			const guint8 *a = alone_pixel(alone, x, y);
			n += a != NULL;
			inked += a && differs(a, alone->ground, PICTURE_INK_LEVELS);
		}
	}
	return n > 0 ? (double)inked / (double)n : 0;
}

static gboolean inside(const PopplerRectangle *area, const PdfWord *word)
{
	double x = (word->box[0] + word->box[2]) / 2, y = (word->box[1] + word->box[3]) / 2;
	return x >= area->x1 && x <= area->x2 && y >= area->y1 && y <= area->y2;
}

/* Words in `group` (indices) paint nothing over this picture: an OCR layer, or hidden beneath? */
static void judge_group(PdfPage *page, const Alone *alone, const GArray *group)
{
	double in_words = 0, in_gaps = 0;
	guint n_gaps = 0;
	for (guint i = 0; i < group->len; i++) {
		guint at = g_array_index(group, guint, i);
		const PdfWord *word = &g_array_index(page->words, PdfWord, at);
		in_words += picture_ink(page, alone, word->box);
		if (i + 1 == group->len || g_array_index(group, guint, i + 1) != at + 1)
			continue;
		const PdfWord *next = word + 1;
		double height = word->box[3] - word->box[1];
		double gap[4] = {word->box[2], word->box[1], next->box[0], word->box[3]};
		if (gap[2] - gap[0] <= 0.1 * height || gap[2] - gap[0] > 2 * height ||
		    fabs(next->box[1] - word->box[1]) > 0.5 * height)
			continue;
		in_gaps += picture_ink(page, alone, gap);
		n_gaps++;
	}
	in_words /= group->len;
	in_gaps = n_gaps > 0 ? in_gaps / n_gaps : 0;
	gboolean text_below = alone->ground_share >= PAPER_SHARE_MIN && in_words >= WORD_INK_MIN &&
	                      in_words >= WORDS_TO_GAPS * in_gaps;
	for (guint i = 0; i < group->len; i++) {
		PdfWord *word =
		    &g_array_index(page->words, PdfWord, g_array_index(group, guint, i));
		gboolean inked = picture_ink(page, alone, word->box) >= WORD_INK_MIN / 2;
		word->kind = text_below && inked ? PDF_WORD_OCR_LAYER : PDF_WORD_HIDDEN;
	}
}

/* A picture that can't be compared: on a page that is all picture its text is taken for an OCR
 * layer (layered scans are drawn so), elsewhere for print over a picture. */
static void judge_uncompared(PdfPage *page, const PopplerRectangle *area)
{
	for (guint i = 0; i < page->words->len; i++) {
		PdfWord *word = &g_array_index(page->words, PdfWord, i);
		if (word->kind == PDF_WORD_VISIBLE && inside(area, word) &&
		    page->image_cover >= 0.9)
			word->kind = PDF_WORD_OCR_LAYER;
	}
}

static double share_of_page(const PdfPage *page, const PopplerRectangle *area)
{
	double width = MIN(area->x2, page->width) - MAX(area->x1, 0);
	double height = MIN(area->y2, page->height) - MAX(area->y1, 0);
	return width > 0 && height > 0 ? width * height / (page->width * page->height) : 0;
}

static void judge_picture(PdfPage *page, const PopplerImageMapping *mapping)
{
	g_autoptr(GArray) group = g_array_new(FALSE, FALSE, sizeof(guint));
	Alone alone = {0};
	gboolean any = FALSE;
	if (share_of_page(page, &mapping->area) < SMALL_PICTURE)
		return;
	for (guint i = 0; i < page->words->len && !any; i++)
		any = inside(&mapping->area, &g_array_index(page->words, PdfWord, i));
	if (!any)
		return;
	if (!picture_alone(page, mapping, &alone)) {
		judge_uncompared(page, &mapping->area);
		return;
	}
	for (guint i = 0; i < page->words->len; i++) {
		const PdfWord *word = &g_array_index(page->words, PdfWord, i);
		if (inside(&mapping->area, word) && paints_nothing(page, &alone, word))
			g_array_append_val(group, i);
	}
	if (group->len > 0)
		judge_group(page, &alone, group);
	g_free(alone.pixels);
}

static double cover(const PdfPage *page)
{
	g_autofree guint8 *cells = g_malloc0(COVER_CELLS * COVER_CELLS);
	guint covered = 0;
	for (GList *l = page->images; l; l = l->next) {
		const PopplerRectangle *area = &((const PopplerImageMapping *)l->data)->area;
		int x0 = (int)(CLAMP(area->x1 / page->width, 0, 1) * COVER_CELLS + 0.5);
		int y0 = (int)(CLAMP(area->y1 / page->height, 0, 1) * COVER_CELLS + 0.5);
		int x1 = (int)(CLAMP(area->x2 / page->width, 0, 1) * COVER_CELLS + 0.5);
		int y1 = (int)(CLAMP(area->y2 / page->height, 0, 1) * COVER_CELLS + 0.5);
		for (int y = y0; y < y1; y++)
			for (int x = x0; x < x1; x++)
				cells[y * COVER_CELLS + x] = 1;
	}
	for (guint i = 0; i < COVER_CELLS * COVER_CELLS; i++)
		covered += cells[i];
	return (double)covered / (COVER_CELLS * COVER_CELLS);
}

/* Nobody reads letters of a third of a millimetre that are a four-hundredth of the page's height, whatever
 * ink they leave. */
static gboolean is_too_small(const PdfPage *page, const PdfWord *word)
{
	double side = 0;

	for (guint i = word->glyph_first; i < word->glyph_end; i++) {
		const PopplerRectangle *glyph = &page->glyphs[i];

		side = fmax(side, fmax(fabs(glyph->x2 - glyph->x1), fabs(glyph->y2 - glyph->y1)));
	}
	return side < LETTER_POINTS_MIN && side < fmax(page->width, page->height) * LETTER_SHARE_MIN;
}

/* Dots and dashes leave too little ink to be judged: they go with the word before, or after. */
static void judge_punctuation(PdfPage *page)
{
	for (guint i = 0; i < page->words->len; i++) {
		PdfWord *word = &g_array_index(page->words, PdfWord, i);
		if (word->letters)
			continue;
		for (guint j = i + 1; i == 0 && j < page->words->len; j++) {
			const PdfWord *next = &g_array_index(page->words, PdfWord, j);
			if (next->letters) {
				word->kind = next->kind;
				break;
			}
		}
		if (i > 0)
			word->kind = (word - 1)->kind;
	}
}

void weft_pdf_page_judge_words(PdfPage *page)
{
	page->image_cover = cover(page);
	for (guint i = 0; i < page->words->len; i++) {
		PdfWord *word = &g_array_index(page->words, PdfWord, i);
		word->kind = word_has_ink(page, word) ? PDF_WORD_VISIBLE : PDF_WORD_HIDDEN;
	}
	for (GList *l = page->images; l; l = l->next)
		judge_picture(page, l->data);
	for (guint i = 0; i < page->words->len; i++) {
		PdfWord *word = &g_array_index(page->words, PdfWord, i);
		if (is_too_small(page, word))
			word->kind = PDF_WORD_HIDDEN;
	}
	judge_punctuation(page);
}
