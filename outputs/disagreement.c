#include <string.h>

#include "base/utf8.h"
#include "outputs/record.h"

/* How far boxes and times of two readers may lie apart and still mean the same place. */
#define BOX_SLACK 1.0
#define TIME_SLACK_S 0.2
/* Boxes of text layers are often a letter or two beside the ink: of the height of a line. */
#define SIDE_SLACK 1.5
/* What a reader believes less does not contradict anybody. */
#define CONFIDENCE_MIN 0.5
/* Where there are more, some reader has some letter wrong in most of them. */
#define QUOTE_CHARS_MAX 120

/* A word that was read near the place. */
typedef struct Seen {
	char *text, *substance;
	float confidence;   /* negative: not known */
	int line;           /* of the quote, in which it lies; negative: only beside it */
} Seen;

static void seen_clear(void *data)
{
	Seen *seen = data;

	g_free(seen->text);
	g_free(seen->substance);
}

/* Letters and digits alone, in small letters and without accents: what readers of print and of speech agree
 * about. */
static char *substance_of(const char *text)
{
	g_autofree char *plain = g_utf8_normalize(text, -1, G_NORMALIZE_ALL);
	g_autofree char *folded = g_utf8_casefold(plain ? plain : "", -1);
	GString *substance = g_string_new(NULL);

	for (const char *p = folded; *p; p = g_utf8_next_char(p))
		if (g_unichar_isalnum(g_utf8_get_char(p)))
			g_string_append_unichar(substance, g_utf8_get_char(p));
	return g_string_free(substance, FALSE);
}

/* ---- what was read near the place ---- */

/* The middle of a word lies in the box, or up to `side` beside it. */
static gboolean is_in_box(const double box[4], const double word[4], double side)
{
	double x = (word[0] + word[2]) / 2, y = (word[1] + word[3]) / 2;

	return x >= box[0] - side && x <= box[2] + side && y >= box[1] - BOX_SLACK &&
	       y <= box[3] + BOX_SLACK;
}

static guint n_lines_of(const WeftProvenance *found)
{
	return found->boxes ? found->boxes->len : 1;
}

/* In which line of the evidence; negative: in none. */
static int line_of(const WeftProvenance *found, const WeftAnchor *word, double side)
{
	const WeftAnchor *place = &found->at;

	if (place->document != word->document || place->page != word->page ||
	    place->has_time != word->has_time || (place->has_bbox && !word->has_bbox))
		return -1;
	if (place->has_time) {
		double middle = (word->time[0] + word->time[1]) / 2;

		if (middle < place->time[0] - TIME_SLACK_S || middle > place->time[1] + TIME_SLACK_S)
			return -1;
	}
	if (!place->has_bbox)
		return place->has_time ? 0 : -1;
	for (guint i = 0; i < n_lines_of(found); i++) {
		const double *box = found->boxes ? &g_array_index(found->boxes, double, 4 * i) : place->bbox;

		if (is_in_box(box, word->bbox, side))
			return (int)i;
	}
	return -1;
}

static GArray *seen_new(void)
{
	GArray *seen = g_array_new(FALSE, FALSE, sizeof(Seen));

	g_array_set_clear_func(seen, seen_clear);
	return seen;
}

/* Adds the words of an item that lie in the place or up to `side` beside it. */
static void see(GArray *seen, const WeftContent *content, const WeftProvenance *found, double side)
{
	WeftWordReader reader = weft_content_words(content);
	WeftWord word;

	while (weft_word_next(&reader, &word)) {
		Seen one = { .confidence = word.confidence };

		word.at.document = g_array_index(content->anchors, WeftAnchor, 0).document;
		if (line_of(found, &word.at, side) < 0)
			continue;
		const char *first = g_utf8_offset_to_pointer(content->text, word.char_first);
		const char *end = g_utf8_offset_to_pointer(first, word.char_end - word.char_first);

		one.text = g_strndup(first, (gsize)(end - first));
		one.substance = substance_of(one.text);
		one.line = line_of(found, &word.at, 0);
		g_array_append_val(seen, one);
	}
}

/* What readers of pixels make of a speck, or of the rest of a letter. */
static gboolean is_stray(const char *word)
{
	return *word && *g_utf8_next_char(word) == '\0' && !g_unichar_isdigit(g_utf8_get_char(word));
}

/* Whole words one after the other that are the quote: [*ret_first, *ret_end). A place may have more than the
 * quote: a caption has no place for each of its words. */
static gboolean find_quote(const GArray *seen, const char *quote, guint *ret_first, guint *ret_end)
{
	for (guint i = 0; i < seen->len; i++) {
		const char *rest = quote;

		for (guint k = i; k < seen->len; k++) {
			const char *word = g_array_index(seen, Seen, k).substance;

			if (g_str_has_prefix(rest, word))
				rest += strlen(word);
			else if (k == i || !is_stray(word))
				break;
			if (*rest)
				continue;
			*ret_first = i;
			*ret_end = k + 1;
			return TRUE;
		}
	}
	return FALSE;
}

static char *joined(const GArray *seen, guint first, guint end, gboolean is_inside)
{
	GString *text = g_string_new(NULL);

	for (guint i = first; i < end; i++) {
		const Seen *one = &g_array_index(seen, Seen, i);

		if (one->line >= 0 || !is_inside)
			g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", one->text);
	}
	return g_string_free(text, FALSE);
}

/* Something was read in each of the lines, and believed. */
static gboolean is_read(const GArray *seen, guint n_lines)
{
	guint n_read = 0;
	int last = -1;

	for (guint i = 0; i < seen->len; i++) {
		const Seen *one = &g_array_index(seen, Seen, i);

		if (one->line < 0)
			continue;
		if (one->confidence >= 0 && one->confidence < CONFIDENCE_MIN)
			return FALSE;
		n_read += one->line > last ? 1 : 0;
		last = MAX(last, one->line);
	}
	return n_read == n_lines;
}

/* What was read: the quote, if it is there, else what stands in its place. NULL: nothing that says anything. */
static char *text_of(const GArray *seen, const WeftProvenance *found, gboolean *ret_is_same)
{
	g_autofree char *quote = substance_of(found->quote);
	guint first, end;

	*ret_is_same = find_quote(seen, quote, &first, &end);
	if (*ret_is_same)
		return joined(seen, first, end, FALSE);
	return is_read(seen, n_lines_of(found)) ? joined(seen, 0, seen->len, TRUE) : NULL;
}

/* ---- what the record says of it ---- */

static void add_reading(GArray *readings, guint32 content, WeftBy by, const char *text)
{
	WeftOtherReading reading = { content, by, g_strdup(text) };

	g_array_append_val(readings, reading);
}

static void reading_clear(void *data)
{
	g_free(((WeftOtherReading *)data)->text);
}

/* The value's own reading is the first. */
static WeftAgreement disagreement_of(const WeftRecord *record, const WeftProvenance *found)
{
	const WeftContent *own = record->contents->pdata[found->content];
	WeftAgreement agreement = { .kind = WEFT_AGREEMENT_DISAGREEMENT,
				    .state = WEFT_AGREEMENT_FAILED };

	agreement.readings = g_array_new(FALSE, FALSE, sizeof(WeftOtherReading));
	g_array_set_clear_func(agreement.readings, reading_clear);
	add_reading(agreement.readings, found->content, own->by, found->quote);
	agreement.pointers = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(agreement.pointers, g_strdup(found->pointer));
	return agreement;
}

/* Readers see and hear differently: pixels are not compared with sound. Items elsewhere are passed over
 * without a look at their words. */
static gboolean is_comparable(const WeftContent *own, const WeftContent *other,
			      const WeftAnchor *place)
{
	const WeftAnchor *at = &g_array_index(other->anchors, WeftAnchor, 0);

	if (own == other || !other->text || other->hidden || own->by == other->by ||
	    (own->kind == WEFT_CONTENT_SPEECH) != (other->kind == WEFT_CONTENT_SPEECH))
		return FALSE;
	if (at->has_time && place->has_time &&
	    (at->time[1] + TIME_SLACK_S < place->time[0] || at->time[0] - TIME_SLACK_S > place->time[1]))
		return FALSE;
	return at->page == place->page && at->document == place->document;
}

static void compare(WeftRecord *record, const WeftProvenance *found)
{
	const WeftContent *own = record->contents->pdata[found->content];
	WeftAgreement agreement = disagreement_of(record, found);

	for (guint32 i = 0; i < record->contents->len; i++) {
		const WeftContent *other = record->contents->pdata[i];
		g_autoptr(GArray) seen = seen_new();
		g_autofree char *text = NULL;
		gboolean is_same = FALSE;

		if (is_comparable(own, other, &found->at))
			see(seen, other, found, 0);
		text = text_of(seen, found, &is_same);
		if (text && !is_same)
			add_reading(agreement.readings, i, other->by, text);
	}
	if (agreement.readings->len > 1)
		g_array_append_val(record->agreements, agreement);
	else
		weft_agreement_done(&agreement);
}

/* Most documents have one reader only. */
static gboolean has_readers(const WeftRecord *record)
{
	guint readers = 0;

	for (guint32 i = 0; i < record->contents->len; i++) {
		const WeftContent *content = record->contents->pdata[i];

		if (content->text && !content->hidden)
			readers |= 1u << content->by;
	}
	return (readers & (readers - 1)) != 0;
}

void weft_record_compare_readings(WeftRecord *record)
{
	guint before = record->agreements->len;

	if (!has_readers(record))
		return;
	for (guint i = 0; i < record->provenance->len; i++) {
		const WeftProvenance *found = &g_array_index(record->provenance, WeftProvenance, i);

		if (found->quote && record->agreements->len - before < WEFT_AGREEMENT_RESULTS_MAX)
			compare(record, found);
	}
}

/* ---- read alone ---- */

gboolean weft_record_can_be_read(const WeftRecord *record, guint evidence, gboolean drawn_too)
{
	const WeftProvenance *found = &g_array_index(record->provenance, WeftProvenance, evidence);
	g_autofree char *substance = NULL;

	if (!found->quote || found->content >= record->contents->len || !found->at.has_bbox)
		return FALSE;
	const WeftContent *content = record->contents->pdata[found->content];

	if (!(content->by == WEFT_BY_OCR_LAYER ||
	      (drawn_too && content->by == WEFT_BY_FILE && found->at.page > 0)) ||
	    weft_utf8_length(found->quote, strlen(found->quote)) > QUOTE_CHARS_MAX)
		return FALSE;
	substance = substance_of(found->quote);
	return *substance != '\0';
}

void weft_record_note_reading(WeftRecord *record, guint evidence, const GPtrArray *contents)
{
	WeftProvenance *found = &g_array_index(record->provenance, WeftProvenance, evidence);
	g_autoptr(GArray) seen = seen_new();
	const double *line = found->boxes ? &g_array_index(found->boxes, double, 0) : found->at.bbox;
	double height = MIN(line[3] - line[1], line[2] - line[0]);

	for (guint i = 0; i < contents->len; i++)
		see(seen, contents->pdata[i], found, SIDE_SLACK * height);
	found->read = text_of(seen, found, &found->is_confirmed);
	if (!found->read || found->is_confirmed)
		return;
	WeftAgreement agreement = disagreement_of(record, found);

	add_reading(agreement.readings, found->content, WEFT_BY_TESSERACT, found->read);
	g_array_append_val(record->agreements, agreement);
}
