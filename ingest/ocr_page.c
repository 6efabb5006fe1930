#include "ingest/ocr_page.h"

#include <string.h>

#include "ingest/decoder.h"

#define GAP_HEIGHTS                                                                                \
	15.0        /* how far from a line, in heights of it, a word may stand that joins it       \
	             */
#define OVERLAP 0.5 /* share of the lower of the two that must be at the same height */

typedef struct Word {
	char *text;
	double box[4];
	float confidence;
} Word;

typedef struct Line {
	double box[4];
	GArray *words;
} Line;

typedef struct Block {
	double box[4];
	GPtrArray *lines;
} Block;

struct WeftOcrPage {
	GPtrArray *blocks;
};

static void word_clear(gpointer word)
{
	g_free(((Word *)word)->text);
}

static void line_free(gpointer opaque)
{
	Line *line = opaque;
	g_array_unref(line->words);
	g_free(line);
}

static void block_free(gpointer opaque)
{
	Block *block = opaque;
	g_ptr_array_unref(block->lines);
	g_free(block);
}

WeftOcrPage *weft_ocr_page_new(void)
{
	WeftOcrPage *page = g_new0(WeftOcrPage, 1);
	page->blocks = g_ptr_array_new_with_free_func(block_free);
	return page;
}

void weft_ocr_page_free(WeftOcrPage *page)
{
	if (!page)
		return;
	g_ptr_array_unref(page->blocks);
	g_free(page);
}

static void cover(double box[4], const double more[4])
{
	box[0] = MIN(box[0], more[0]);
	box[1] = MIN(box[1], more[1]);
	box[2] = MAX(box[2], more[2]);
	box[3] = MAX(box[3], more[3]);
}

static gpointer last_of(GPtrArray *array)
{
	return array->len ? array->pdata[array->len - 1] : NULL;
}

static Line *line_new(Block *block, const double box[4])
{
	Line *line = g_new0(Line, 1);
	line->words = g_array_new(FALSE, FALSE, sizeof(Word));
	g_array_set_clear_func(line->words, word_clear);
	memcpy(line->box, box, sizeof line->box);
	g_ptr_array_add(block->lines, line);
	return line;
}

void weft_ocr_page_add(WeftOcrPage *page, gboolean begins_block, gboolean begins_line,
                       const char *text, const double box[4], float confidence)
{
	Block *block = last_of(page->blocks);
	if (begins_block || !block) {
		block = g_new0(Block, 1);
		block->lines = g_ptr_array_new_with_free_func(line_free);
		memcpy(block->box, box, sizeof block->box);
		g_ptr_array_add(page->blocks, block);
	}
	Line *line = last_of(block->lines);
	if (begins_line || !line)
		line = line_new(block, box);
	Word word = {.text = g_utf8_make_valid(text, -1), .confidence = confidence};
	memcpy(word.box, box, sizeof word.box);
	g_array_append_val(line->words, word);
	cover(line->box, box);
	cover(block->box, box);
}

/* How far beside `line` the box stands, in heights of the line; negative when it is not beside. */
static double beside(const Line *line, const double box[4])
{
	const double *l = line->box;
	double overlap = MIN(l[3], box[3]) - MAX(l[1], box[1]);
	double least = MIN(l[3] - l[1], box[3] - box[1]);
	if (least <= 0 || overlap < OVERLAP * least)
		return -1;
	double gap = MAX(MAX(box[0] - l[2], l[0] - box[2]), 0);
	return gap / (l[3] - l[1]);
}

static gboolean join_line(WeftOcrPage *page, const Word *word)
{
	Line *best = NULL;
	Block *best_block = NULL;
	double least = GAP_HEIGHTS;
	for (guint b = 0; b < page->blocks->len; b++) {
		Block *block = page->blocks->pdata[b];
		for (guint i = 0; i < block->lines->len; i++) {
			double gap = beside(block->lines->pdata[i], word->box);
			if (gap >= 0 && gap < least) {
				least = gap;
				best = block->lines->pdata[i];
				best_block = block;
			}
		}
	}
	if (!best)
		return FALSE;
	guint at = 0;
	while (at < best->words->len && g_array_index(best->words, Word, at).box[0] <= word->box[0])
		at++;
	g_array_insert_vals(best->words, at, word, 1);
	cover(best->box, word->box);
	cover(best_block->box, word->box);
	return TRUE;
}

/* Above the first block that lies below it. */
static void place_block(WeftOcrPage *page, Block *take_block)
{
	guint at = 0;
	while (at < page->blocks->len &&
	       ((Block *)page->blocks->pdata[at])->box[1] < take_block->box[3])
		at++;
	g_ptr_array_insert(page->blocks, (int)at, take_block);
}

void weft_ocr_page_merge(WeftOcrPage *page, WeftOcrPage *take_more)
{
	g_autoptr(WeftOcrPage) more = take_more;
	g_autoptr(WeftOcrPage) rest = weft_ocr_page_new();
	for (guint b = 0; b < more->blocks->len; b++) {
		Block *block = more->blocks->pdata[b];
		gboolean begins_block = TRUE;
		for (guint i = 0; i < block->lines->len; i++) {
			Line *line = block->lines->pdata[i];
			gboolean begins_line = TRUE;
			for (guint w = 0; w < line->words->len; w++) {
				Word *word = &g_array_index(line->words, Word, w);
				if (join_line(page, word)) {
					word->text = NULL; /* it went along */
					continue;
				}
				weft_ocr_page_add(rest, begins_block, begins_line, word->text,
				                  word->box, word->confidence);
				begins_block = begins_line = FALSE;
			}
		}
	}
	while (rest->blocks->len)
		place_block(page, g_ptr_array_steal_index(rest->blocks, 0));
}

/* An item being filled. */
typedef struct Item {
	GString *text;
	GArray *words;
	guint32 n_chars;
	double box[4];
	double sum, weight; /* of confidences, by characters */
} Item;

static WeftAnchor placed(const double box[4], double unit, const WeftAnchor *at)
{
	WeftAnchor anchor = *at;
	double x = at->has_bbox ? at->bbox[0] : 0, y = at->has_bbox ? at->bbox[1] : 0;
	anchor.has_bbox = TRUE;
	for (guint i = 0; i < 4; i++)
		anchor.bbox[i] = box[i] * unit + (i % 2 ? y : x);
	return anchor;
}

static void item_give(Item *item, double unit, const WeftAnchor *at, GPtrArray *out)
{
	if (item->words->len) {
		WeftContent *content =
		    weft_content_new(WEFT_CONTENT_TEXT, WEFT_BY_TESSERACT,
		                     g_strdup(item->text->str), placed(item->box, unit, at));
		content->confidence = item->sum / item->weight;
		for (guint i = 0; i < item->words->len; i++)
			weft_content_add_word(content, g_array_index(item->words, WeftWord, i));
		g_ptr_array_add(out, content);
	}
	g_string_truncate(item->text, 0);
	g_array_set_size(item->words, 0);
	item->n_chars = 0;
	item->sum = item->weight = 0;
}

static void item_add(Item *item, const Word *word, gboolean begins_line, double unit,
                     const WeftAnchor *at, GPtrArray *out)
{
	gsize bytes = strlen(word->text);
	if (item->text->len + bytes + 1 > WEFT_PART_TEXT_MAX_BYTES ||
	    item->words->len >= WEFT_PART_WORDS_MAX)
		item_give(item, unit, at, out);
	if (bytes > WEFT_PART_TEXT_MAX_BYTES)
		return; /* no word of a language */
	if (item->words->len) {
		g_string_append_c(item->text, begins_line ? '\n' : ' ');
		item->n_chars++;
	}
	guint32 n = (guint32)g_utf8_strlen(word->text, -1);
	WeftWord entry = {.char_first = item->n_chars,
	                  .char_end = item->n_chars + n,
	                  .at = placed(word->box, unit, at),
	                  .confidence = word->confidence};
	if (item->words->len)
		cover(item->box, word->box);
	else
		memcpy(item->box, word->box, sizeof item->box);
	g_array_append_val(item->words, entry);
	g_string_append(item->text, word->text);
	item->n_chars += n;
	item->sum += (double)word->confidence * n;
	item->weight += n;
}

GPtrArray *weft_ocr_page_contents(const WeftOcrPage *page, double unit, const WeftAnchor *at)
{
	GPtrArray *out = g_ptr_array_new_with_free_func((GDestroyNotify)weft_content_free);
	Item item = {.text = g_string_new(NULL),
	             .words = g_array_new(FALSE, FALSE, sizeof(WeftWord))};
	for (guint b = 0; b < page->blocks->len; b++) {
		const Block *block = page->blocks->pdata[b];
		for (guint i = 0; i < block->lines->len; i++) {
			const Line *line = block->lines->pdata[i];
			for (guint w = 0; w < line->words->len; w++)
				item_add(&item, &g_array_index(line->words, Word, w), w == 0, unit,
				         at, out);
		}
		item_give(&item, unit, at, out);
	}
	g_string_free(item.text, TRUE);
	g_array_unref(item.words);
	return out;
}
