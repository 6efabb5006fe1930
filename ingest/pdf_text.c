/* pdf_text.c - from characters with boxes to blocks of text in reading order.
 *
 * Characters make words, words that follow each other make runs, runs of one height make rows.
 * Rows are cut where a gutter of white goes down through several of them with running text on both
 * sides: those are columns, read one after the other, and cut again inside. Short pieces side by
 * side are a table and stay in their row, tab between them. Rows close to each other make a block.
 */
#include <math.h>
#include <string.h>

#include "ingest/decoder.h"
#include "ingest/pdf_page.h"

#define WORDS_MAX 200000u
#define CUT_DEPTH_MAX 12
#define RUN_GAP 0.9       /* of the letters' height: as wide as a gutter */
#define SPACE_GAP 4.0     /* the same, where the file has a space: a justified line */
#define COLUMN_CHARS 18.0 /* mean length of a column's lines; cells of tables are shorter */
#define COLUMN_ROWS 3u
#define BLOCK_BYTES 8192u /* a block of text, well below what a part may hold */

/* Words that stand side by side with nothing between but spaces. */
typedef struct Run {
	guint word_first, word_end; /* within PdfPage.words */
	double box[4];
	guint n_chars;
	gboolean upright; /* FALSE: written up or down the page */
} Run;

typedef struct Gutter {
	double x0, x1;
} Gutter;

typedef struct Layout {
	const PdfPage *page;
	GQueue *parts;
	/* the block being put together */
	GString *text;
	WeftContent *content;
	guint n_chars;
	double last[4];
	double last_height;
	PdfWordKind kind;
	guint n_rows, n_rows_with_cells;
} Layout;

static double height_of(const double box[4])
{
	return box[3] - box[1];
}

static void box_add(double box[4], const double other[4])
{
	box[0] = MIN(box[0], other[0]);
	box[1] = MIN(box[1], other[1]);
	box[2] = MAX(box[2], other[2]);
	box[3] = MAX(box[3], other[3]);
}

static void box_of_glyph(const PopplerRectangle *glyph, double ret_box[4])
{
	ret_box[0] = MIN(glyph->x1, glyph->x2);
	ret_box[1] = MIN(glyph->y1, glyph->y2);
	ret_box[2] = MAX(glyph->x1, glyph->x2);
	ret_box[3] = MAX(glyph->y1, glyph->y2);
}

/* The white between two boxes, along the line or down the page, whichever is more. */
static double white_between(const double a[4], const double b[4])
{
	double x = MAX(b[0] - a[2], a[0] - b[2]), y = MAX(b[1] - a[3], a[1] - b[3]);
	return MAX(x, y);
}

static void end_word(PdfPage *page, PdfWord *word, const char *end)
{
	word->size_bytes = (gsize)(end - word->text);
	if (word->size_bytes > 0 && page->words->len < WORDS_MAX)
		g_array_append_val(page->words, *word);
}

/* Quarter turns, clockwise, by which most of the text is turned as the page is seen: scans that
 * were laid wrongly, tables across the page. Scripts that run from right to left don't vote. */
static guint text_turn(const PdfPage *page)
{
	guint votes[4] = {0}, best = 0;
	for (guint w = 0; w < page->words->len; w++) {
		const PdfWord *word = &g_array_index(page->words, PdfWord, w);
		GUnicodeScript script = g_unichar_get_script(g_utf8_get_char(word->text));
		const PopplerRectangle *first = &page->glyphs[word->glyph_first];
		const PopplerRectangle *last = &page->glyphs[word->glyph_end - 1];
		double dx = last->x1 + last->x2 - first->x1 - first->x2;
		double dy = last->y1 + last->y2 - first->y1 - first->y2;
		if (script == G_UNICODE_SCRIPT_ARABIC || script == G_UNICODE_SCRIPT_HEBREW ||
		    script == G_UNICODE_SCRIPT_SYRIAC || word->glyph_end - word->glyph_first < 2)
			continue;
		if (fabs(dx) >= fabs(dy))
			votes[dx >= 0 ? 0 : 2]++;
		else
			votes[dy >= 0 ? 1 : 3]++;
	}
	for (guint i = 1; i < 4; i++)
		if (votes[i] > votes[best])
			best = i;
	return best;
}

/* Its letters follow each other across the way in which the page's text runs. */
static gboolean is_standing(const PdfPage *page, const PdfWord *word, guint turn)
{
	const PopplerRectangle *first = &page->glyphs[word->glyph_first];
	const PopplerRectangle *last = &page->glyphs[word->glyph_end - 1];
	double dx = fabs(last->x1 + last->x2 - first->x1 - first->x2);
	double dy = fabs(last->y1 + last->y2 - first->y1 - first->y2);
	if (word->glyph_end - word->glyph_first < 2)
		return FALSE;
	return turn % 2 == 0 ? dy > dx : dx > dy;
}

static void turn_upright(PdfPage *page)
{
	guint turn = text_turn(page);
	double width = page->width, height = page->height;
	for (guint i = 0; i < page->words->len; i++) {
		PdfWord *word = &g_array_index(page->words, PdfWord, i);
		const double *b = word->box;
		const double turned[4][4] = {
		    {b[0], b[1], b[2], b[3]},
		    {b[1], width - b[2], b[3], width - b[0]},
		    {width - b[2], height - b[3], width - b[0], height - b[1]},
		    {height - b[3], b[0], height - b[1], b[2]},
		};
		memcpy(word->upright, turned[turn], sizeof word->upright);
		word->standing = is_standing(page, word, turn);
	}
}

void weft_pdf_page_find_words(PdfPage *page)
{
	PdfWord word = {0};
	double before[4] = {0};
	gboolean open = FALSE;
	gboolean spaced = FALSE;
	const char *at = page->text;
	for (guint i = 0; *at && i < page->n_glyphs; i++, at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);
		double box[4];
		box_of_glyph(&page->glyphs[i], box);
		gboolean space = g_unichar_isspace(c) || g_unichar_iscntrl(c);
		double size = MAX(height_of(box), MIN(box[2] - box[0], 2 * height_of(box)));
		if (open && (space || white_between(before, box) > 0.35 * size)) {
			end_word(page, &word, at);
			open = FALSE;
		}
		if (space) {
			spaced = c == ' ';
			continue;
		}
		if (!open) {
			memset(&word, 0, sizeof word);
			word.text = at;
			word.glyph_first = i;
			word.spaced = spaced;
			memcpy(word.box, box, sizeof box);
			open = TRUE;
		}
		spaced = FALSE;
		word.glyph_end = i + 1;
		word.letters = word.letters || g_unichar_isalnum(c);
		box_add(word.box, box);
		memcpy(before, box, sizeof box);
	}
	if (open)
		end_word(page, &word, at);
	turn_upright(page);
}

/* --- runs --- */

static gboolean continues(const Run *run, const PdfWord *last, const PdfWord *word)
{
	double height = height_of(last->upright), width = last->upright[2] - last->upright[0];
	double dx = MAX(word->upright[0] - last->upright[2], last->upright[0] - word->upright[2]);
	double dy = MAX(word->upright[1] - last->upright[3], last->upright[1] - word->upright[3]);
	if (word->kind != last->kind)
		return FALSE;
	if (run->upright)
		return !word->standing && dx < (word->spaced ? SPACE_GAP : RUN_GAP) * height &&
		       -dy > 0.5 * MIN(height, height_of(word->upright));
	return dy < RUN_GAP * width && -dx > 0.5 * MIN(width, word->upright[2] - word->upright[0]);
}

static GArray *find_runs(const PdfPage *page)
{
	GArray *runs = g_array_new(FALSE, FALSE, sizeof(Run));
	for (guint i = 0; i < page->words->len; i++) {
		const PdfWord *word = &g_array_index(page->words, PdfWord, i);
		guint n_chars = word->glyph_end - word->glyph_first;
		Run *run = runs->len ? &g_array_index(runs, Run, runs->len - 1) : NULL;
		if (run && continues(run, word - 1, word)) {
			run->word_end = i + 1;
			run->n_chars += n_chars + 1;
			box_add(run->box, word->upright);
			continue;
		}
		Run fresh = {.word_first = i, .word_end = i + 1, .n_chars = n_chars};
		memcpy(fresh.box, word->upright, sizeof fresh.box);
		fresh.upright = !word->standing;
		g_array_append_val(runs, fresh);
	}
	return runs;
}

static int by_top(const void *a, const void *b)
{
	const Run *first = *(const Run *const *)a, *second = *(const Run *const *)b;
	double d = (first->box[1] + first->box[3]) - (second->box[1] + second->box[3]);
	if (d != 0)
		return d < 0 ? -1 : 1;
	return first->word_first < second->word_first ? -1 : 1;
}

static int by_left(const void *a, const void *b)
{
	const Run *first = *(const Run *const *)a, *second = *(const Run *const *)b;
	if (first->box[0] != second->box[0])
		return first->box[0] < second->box[0] ? -1 : 1;
	return first->word_first < second->word_first ? -1 : 1;
}

/* Groups runs that share a height; each row is sorted from left to right. */
static GPtrArray *find_rows(GPtrArray *runs)
{
	GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	double top = 0, bottom = 0;
	g_ptr_array_sort(runs, by_top);
	for (guint i = 0; i < runs->len; i++) {
		Run *run = g_ptr_array_index(runs, i);
		double overlap = MIN(bottom, run->box[3]) - MAX(top, run->box[1]);
		double height = MIN(bottom - top, height_of(run->box));
		if (rows->len == 0 || overlap < 0.5 * height) {
			g_ptr_array_add(rows, g_ptr_array_new());
			top = run->box[1];
			bottom = run->box[3];
		}
		g_ptr_array_add(g_ptr_array_index(rows, rows->len - 1), run);
	}
	for (guint i = 0; i < rows->len; i++)
		g_ptr_array_sort(g_ptr_array_index(rows, i), by_left);
	return rows;
}

/* --- columns --- */

/* The part of `gutter` that stays white in this row; FALSE when something stands in it. */
static gboolean narrow(Gutter *gutter, const GPtrArray *row, double *ret_height)
{
	double height = 0;
	for (guint i = 0; i < row->len; i++) {
		const Run *run = g_ptr_array_index(row, i);
		double middle = (gutter->x0 + gutter->x1) / 2;
		height = MAX(height, MIN(height_of(run->box), 24));
		if (run->box[2] <= middle)
			gutter->x0 = MAX(gutter->x0, run->box[2]);
		else if (run->box[0] >= middle)
			gutter->x1 = MIN(gutter->x1, run->box[0]);
		else if (run->box[2] < gutter->x1 &&
		         gutter->x1 - run->box[2] > run->box[0] - gutter->x0)
			gutter->x0 = run->box[2];
		else if (run->box[0] > gutter->x0)
			gutter->x1 = run->box[0];
		else
			return FALSE;
	}
	*ret_height = height;
	return gutter->x1 - gutter->x0 >= 0.7 * height;
}

/* Running text on both sides, in several rows. */
static gboolean is_column_gutter(GPtrArray *rows, guint first, guint end, const Gutter *gutter)
{
	guint n[2] = {0}, n_chars[2] = {0};
	for (guint i = first; i < end; i++) {
		const GPtrArray *row = g_ptr_array_index(rows, i);
		for (guint j = 0; j < row->len; j++) {
			const Run *run = g_ptr_array_index(row, j);
			guint side = run->box[0] >= gutter->x1 - 0.01;
			n[side]++;
			n_chars[side] += run->n_chars;
		}
	}
	for (guint side = 0; side < 2; side++)
		if (n[side] < COLUMN_ROWS || n_chars[side] < COLUMN_CHARS * n[side])
			return FALSE;
	return TRUE;
}

/* Looks for a gutter that begins in row `first`; the rows that it runs through are [first, *end).
 */
static gboolean find_gutter(GPtrArray *rows, guint first, guint *ret_end, Gutter *ret_gutter)
{
	const GPtrArray *row = g_ptr_array_index(rows, first);
	gboolean found = FALSE;
	for (guint i = 0; i + 1 < row->len && i < 16; i++) {
		const Run *left = g_ptr_array_index(row, i), *right = g_ptr_array_index(row, i + 1);
		Gutter gutter = {left->box[2], right->box[0]};
		double height;
		guint end = first;
		while (end < rows->len) {
			Gutter narrower = gutter;
			const GPtrArray *next = g_ptr_array_index(rows, end);
			const Run *next_run = g_ptr_array_index(next, 0);
			const GPtrArray *above = g_ptr_array_index(rows, MAX(end, 1) - 1);
			const Run *above_run = g_ptr_array_index(above, 0);
			if (!narrow(&narrower, next, &height) ||
			    (end > first && next_run->box[1] - above_run->box[3] > 6 * height))
				break;
			gutter = narrower;
			end++;
		}
		if (is_column_gutter(rows, first, end, &gutter) && (!found || end > *ret_end)) {
			*ret_end = end;
			*ret_gutter = gutter;
			found = TRUE;
		}
	}
	return found;
}

static void lay_rows(Layout *layout, GPtrArray *rows, guint first, guint end);

/* Reads runs in columns, then cuts each column again. */
static void cut(Layout *layout, GPtrArray *runs, int depth)
{
	g_autoptr(GPtrArray) rows = find_rows(runs);
	guint first = 0;
	while (first < rows->len) {
		guint end = first, columns_at = first;
		Gutter gutter = {0};
		gboolean found = FALSE;
		while (depth < CUT_DEPTH_MAX && columns_at < rows->len && !found) {
			found = find_gutter(rows, columns_at, &end, &gutter);
			columns_at += !found;
		}
		lay_rows(layout, rows, first, columns_at);
		if (!found)
			return;
		g_autoptr(GPtrArray) left = g_ptr_array_new(), right = g_ptr_array_new();
		for (guint i = columns_at; i < end; i++) {
			const GPtrArray *row = g_ptr_array_index(rows, i);
			for (guint j = 0; j < row->len; j++) {
				Run *run = g_ptr_array_index(row, j);
				gboolean is_right = run->box[0] >= gutter.x1 - 0.01;
				g_ptr_array_add(is_right ? right : left, run);
			}
		}
		cut(layout, left, depth + 1);
		cut(layout, right, depth + 1);
		first = end;
	}
}

/* --- blocks --- */

static void end_block(Layout *layout)
{
	if (!layout->content)
		return;
	WeftContent *content = g_steal_pointer(&layout->content);
	content->text = g_strdup(layout->text->str);
	if (layout->n_rows_with_cells >= 2 && layout->n_rows_with_cells * 10 >= layout->n_rows * 6)
		content->kind = WEFT_CONTENT_TABLE;
	g_string_truncate(layout->text, 0);
	layout->n_chars = 0;
	layout->n_rows = layout->n_rows_with_cells = 0;
	g_queue_push_tail(layout->parts, weft_part_new_content(content));
}

static double to_hundredth(double points)
{
	return round(points * 100) / 100;
}

static WeftAnchor anchor_of(const Layout *layout, const double box[4])
{
	WeftAnchor at = {.page = layout->page->n, .has_bbox = TRUE};
	for (int i = 0; i < 4; i++)
		at.bbox[i] = to_hundredth(box[i]);
	return at;
}

static void add_separator(Layout *layout, const char *separator)
{
	if (layout->n_chars == 0)
		return;
	g_string_append(layout->text, separator);
	layout->n_chars += 1;
}

static void add_word(Layout *layout, const PdfWord *word)
{
	WeftAnchor at = anchor_of(layout, word->box);
	if (!layout->content) {
		WeftBy by = word->kind == PDF_WORD_OCR_LAYER ? WEFT_BY_OCR_LAYER : WEFT_BY_FILE;
		layout->content = weft_content_new(WEFT_CONTENT_TEXT, by, NULL, at);
		layout->content->hidden = word->kind == PDF_WORD_HIDDEN;
		layout->kind = word->kind;
	} else {
		WeftAnchor *whole = &g_array_index(layout->content->anchors, WeftAnchor, 0);
		box_add(whole->bbox, at.bbox);
	}
	/* a word of a million characters is cut: nobody misses the rest */
	gsize size = MIN(word->size_bytes, BLOCK_BYTES / 4);
	g_autofree char *text = g_utf8_make_valid(word->text, (gssize)size);
	guint n_chars = (guint)g_utf8_strlen(text, -1);
	WeftWord item = {layout->n_chars, layout->n_chars + n_chars, at, -1};
	g_string_append(layout->text, text);
	layout->n_chars += n_chars;
	weft_content_add_word(layout->content, item);
}

static gboolean block_is_full(const Layout *layout)
{
	return layout->text->len > BLOCK_BYTES ||
	       (layout->content && layout->content->words &&
	        layout->content->words->len + 1 >= WEFT_PART_WORDS_MAX);
}

/* Of the same size, close below, and not beside. Rows of a table stand further apart than lines. */
static gboolean same_block(const Layout *layout, const Run *run, gboolean cells)
{
	double limit = cells && layout->n_rows_with_cells > 0 ? 1.8 : 0.75;
	double height = height_of(run->box);
	double gap = run->box[1] - layout->last[3];
	double overlap = MIN(run->box[2], layout->last[2]) - MAX(run->box[0], layout->last[0]);
	return layout->content && !block_is_full(layout) && height < 1.35 * layout->last_height &&
	       layout->last_height < 1.35 * height &&
	       gap < limit * MIN(height, layout->last_height) && gap > -height && overlap > 0;
}

static void add_run(Layout *layout, const Run *run)
{
	for (guint i = run->word_first; i < run->word_end; i++) {
		const PdfWord *word = &g_array_index(layout->page->words, PdfWord, i);
		if (block_is_full(layout))
			end_block(layout);
		if (i > run->word_first)
			add_separator(layout, " ");
		add_word(layout, word);
	}
	memcpy(layout->last, run->box, sizeof layout->last);
	layout->last_height = height_of(run->box);
}

static PdfWordKind kind_of(const Layout *layout, const Run *run)
{
	return g_array_index(layout->page->words, PdfWord, run->word_first).kind;
}

static void lay_row(Layout *layout, const GPtrArray *row)
{
	const Run *before = NULL;
	double row_box[4], row_height = 0;
	for (guint i = 0; i < row->len; i++) {
		const Run *run = g_ptr_array_index(row, i);
		gboolean same_kind = layout->content && layout->kind == kind_of(layout, run);
		if (before && same_kind && run->upright && before->upright &&
		    !block_is_full(layout)) {
			add_separator(layout, "\t");
		} else if (!before && same_kind && run->upright &&
		           same_block(layout, run, row->len > 1)) {
			add_separator(layout, "\n");
			layout->n_rows++;
		} else {
			end_block(layout);
			layout->n_rows = 1;
		}
		add_run(layout, run);
		if (before)
			box_add(row_box, run->box);
		else
			memcpy(row_box, run->box, sizeof row_box);
		row_height = MAX(row_height, layout->last_height);
		before = run;
	}
	layout->n_rows_with_cells += row->len > 1;
	memcpy(layout->last, row_box, sizeof layout->last);
}

static void lay_rows(Layout *layout, GPtrArray *rows, guint first, guint end)
{
	for (guint i = first; i < end; i++)
		lay_row(layout, g_ptr_array_index(rows, i));
	end_block(layout);
}

/* Text that is seen, and hidden text, are laid out apart, so that none tears the other. */
static void lay_out(Layout *layout, GArray *runs, gboolean hidden)
{
	g_autoptr(GPtrArray) chosen = g_ptr_array_new();
	for (guint i = 0; i < runs->len; i++) {
		Run *run = &g_array_index(runs, Run, i);
		if ((kind_of(layout, run) == PDF_WORD_HIDDEN) == hidden)
			g_ptr_array_add(chosen, run);
	}
	cut(layout, chosen, 0);
}

void weft_pdf_page_contents(const PdfPage *page, GQueue *parts)
{
	Layout layout = {.page = page, .parts = parts, .text = g_string_new(NULL)};
	g_autoptr(GArray) runs = find_runs(page);
	lay_out(&layout, runs, FALSE);
	lay_out(&layout, runs, TRUE);
	g_string_free(layout.text, TRUE);
}
