#include <string.h>

#include "base/running_text.h"
#include "outputs/record.h"

/* How far boxes and times of two readers may lie apart and still mean the same place. */
#define BOX_SLACK 1.0
#define TIME_SLACK_S 0.2

/* The middle of a word lies in the place; of an item without words, most of its box does. */
static gboolean is_in(const WeftAnchor *place, const WeftAnchor *word)
{
	if (place->document != word->document || place->page != word->page)
		return FALSE;
	if (place->has_bbox && word->has_bbox) {
		double x = (word->bbox[0] + word->bbox[2]) / 2, y = (word->bbox[1] + word->bbox[3]) / 2;

		if (x < place->bbox[0] - BOX_SLACK || x > place->bbox[2] + BOX_SLACK ||
		    y < place->bbox[1] - BOX_SLACK || y > place->bbox[3] + BOX_SLACK)
			return FALSE;
	}
	if (place->has_time != word->has_time)
		return FALSE;
	if (place->has_time) {
		double middle = (word->time[0] + word->time[1]) / 2;

		return middle >= place->time[0] - TIME_SLACK_S &&
		       middle <= place->time[1] + TIME_SLACK_S;
	}
	return place->has_bbox && word->has_bbox;
}

/* The words of an item that lie in the place; NULL: none do, or it has no words. */
static char *text_in(const WeftContent *content, const WeftAnchor *place)
{
	g_autoptr(GString) text = g_string_new(NULL);
	WeftWordReader reader = weft_content_words(content);
	WeftWord word;

	while (weft_word_next(&reader, &word)) {
		const char *first, *end;

		if (!is_in(place, &word.at))
			continue;
		first = g_utf8_offset_to_pointer(content->text, word.char_first);
		end = g_utf8_offset_to_pointer(first, word.char_end - word.char_first);
		if (text->len > 0)
			g_string_append_c(text, ' ');
		g_string_append_len(text, first, end - first);
	}
	return text->len > 0 ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

/* Letters and digits alone, in small letters: what readers of print and of speech agree about. */
static char *substance_of(const char *text)
{
	g_autofree char *folded = g_utf8_casefold(text, -1);
	GString *substance = g_string_new(NULL);

	for (const char *p = folded; *p; p = g_utf8_next_char(p))
		if (g_unichar_isalnum(g_utf8_get_char(p)))
			g_string_append_unichar(substance, g_utf8_get_char(p));
	return g_string_free(substance, FALSE);
}

static gboolean is_same(const char *a, const char *b)
{
	g_autofree char *own = substance_of(a), *other = substance_of(b);

	return strcmp(own, other) == 0;
}

static void add_reading(GArray *readings, guint32 content, const char *text)
{
	WeftOtherReading reading = { content, g_strdup(text) };

	g_array_append_val(readings, reading);
}

static void reading_clear(void *data)
{
	g_free(((WeftOtherReading *)data)->text);
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
	WeftAgreement agreement = { .kind = WEFT_AGREEMENT_DISAGREEMENT,
				    .state = WEFT_AGREEMENT_FAILED };

	for (guint32 i = 0; i < record->contents->len; i++) {
		const WeftContent *other = record->contents->pdata[i];
		g_autofree char *text = NULL;

		if (is_comparable(own, other, &found->at))
			text = text_in(other, &found->at);
		if (!text || is_same(found->quote, text))
			continue;
		if (!agreement.readings) {
			agreement.readings = g_array_new(FALSE, FALSE, sizeof(WeftOtherReading));
			g_array_set_clear_func(agreement.readings, reading_clear);
			add_reading(agreement.readings, found->content, found->quote);
		}
		add_reading(agreement.readings, i, text);
	}
	if (!agreement.readings)
		return;
	agreement.pointers = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(agreement.pointers, g_strdup(found->pointer));
	g_array_append_val(record->agreements, agreement);
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
