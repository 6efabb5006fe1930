#include "outputs/passages.h"

#include <string.h>

#include "base/error.h"
#include "base/fold.h"
#include "base/running_text.h"
#include "outputs/outputs.h"
#include "outputs/record_file.h"
#include "outputs/stop_words.h"

#define WORDS_MAX 32u
/* Words of so many letters and more are looked for without their last one, at the begin of others: "ferry"
 * finds "ferries", "Rechnung" finds "Rechnungen". */
#define STEM_CHARS 5
/* Of a long item, how much stands before its first word. */
#define LEAD_BYTES 400u /* and at most, in which a word is looked for at once */

static void document_free(void *data)
{
	WeftHeldDocument *document = data;

	g_free(document->path);
	g_free(document->reason);
	g_free(document);
}

static void passage_free(void *data)
{
	WeftHeldPassage *passage = data;

	weft_content_free(passage->content);
	g_free(passage);
}

void weft_passages_free(WeftPassages *passages)
{
	if (!passages)
		return;
	g_ptr_array_unref(passages->words);
	g_ptr_array_unref(passages->documents);
	g_ptr_array_unref(passages->passages);
	g_free(passages);
}

/* ---- the words of a question ---- */

static gboolean has_string(const GPtrArray *strings, const char *string)
{
	return g_ptr_array_find_with_equal_func((GPtrArray *)strings, string, g_str_equal, NULL);
}

/* Each once. A question of stop words alone is looked for as it is. */
static GPtrArray *words_of(const char *question)
{
	g_autofree char *folded = weft_fold(question);
	g_autoptr(GPtrArray) all = weft_fold_words(folded);
	GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

	for (int keeps_all = 0; keeps_all < 2 && words->len == 0; keeps_all++)
		for (guint i = 0; i < all->len && words->len < WORDS_MAX; i++)
			if ((keeps_all || !weft_stop_words_have(all->pdata[i])) &&
			    !has_string(words, all->pdata[i]))
				g_ptr_array_add(words, g_strdup(all->pdata[i]));
	return words;
}

/* Of the word, with what follows it: a space, or, of a stem, nothing. Caller frees. */
static char *stem_of(const char *word, gboolean *ret_is_stem)
{
	*ret_is_stem = g_utf8_strlen(word, -1) >= STEM_CHARS;
	return *ret_is_stem ? g_strndup(word, g_utf8_find_prev_char(word, word + strlen(word)) - word)
			    : g_strdup(word);
}

/* In the language of FTS5; folded words have no quotation marks. */
static char *query_of(const GPtrArray *words)
{
	GString *query = g_string_new(NULL);

	for (guint i = 0; i < words->len; i++) {
		gboolean is_stem;
		g_autofree char *stem = stem_of(words->pdata[i], &is_stem);

		g_string_append_printf(query, "%s\"%s\"%s", i > 0 ? " OR " : "", stem,
				       is_stem ? " *" : "");
	}
	return g_string_free(query, FALSE);
}

static gboolean stands_in(const char *word, const char *folded)
{
	gboolean is_stem;
	g_autofree char *stem = stem_of(word, &is_stem);
	g_autofree char *part = g_strconcat(" ", stem, is_stem ? "" : " ", NULL);

	return strstr(folded, part) != NULL;
}

static guint count_words(const GPtrArray *words, const char *text)
{
	g_autofree char *folded = weft_fold(text);
	guint n = 0;

	for (guint i = 0; i < words->len; i++)
		n += stands_in(words->pdata[i], folded) ? 1 : 0;
	return n;
}

/* ---- items of a record ---- */

static void read_numbers(const WeftJson *list, double *ret_values, gsize n)
{
	for (gsize i = 0; i < n; i++)
		(void)weft_json_double(weft_json_at(list, i), &ret_values[i]); /* else it stays 0 */
}

static WeftAnchor read_anchor(const WeftJson *json)
{
	const WeftJson *bbox = weft_json_member(json, "bbox"), *time = weft_json_member(json, "time");
	WeftAnchor at = { 0 };
	guint64 number;

	if (weft_json_uint(weft_json_member(json, "document"), &number))
		at.document = (guint32)number;
	if (weft_json_uint(weft_json_member(json, "page"), &number))
		at.page = (guint32)number;
	if (weft_json_uint(weft_json_member(json, "track"), &number))
		at.track = (guint32)number;
	at.has_bbox = weft_json_length(bbox) == 4;
	at.has_time = weft_json_length(time) == 2;
	read_numbers(bbox, at.bbox, at.has_bbox ? 4 : 0);
	read_numbers(time, at.time, at.has_time ? 2 : 0);
	return at;
}

/* A record's names, as base/content.h has them. */
static WeftContentKind kind_named(const char *name)
{
	for (int kind = WEFT_CONTENT_TEXT; kind <= WEFT_CONTENT_SOUND; kind++)
		if (g_strcmp0(weft_content_kind_name((WeftContentKind)kind), name) == 0)
			return (WeftContentKind)kind;
	return WEFT_CONTENT_TEXT;
}

static WeftBy by_named(const char *name)
{
	for (int by = WEFT_BY_FILE; by <= WEFT_BY_SIDECAR; by++)
		if (g_strcmp0(weft_by_name((WeftBy)by), name) == 0)
			return (WeftBy)by;
	return WEFT_BY_FILE;
}

/* The words of the item that stand in characters [first, end) of it. */
static void read_words(const WeftJson *words, guint32 first, guint32 end, WeftContent *content)
{
	for (gsize i = 0; i < weft_json_length(words); i++) {
		const WeftJson *json = weft_json_at(words, i);
		const WeftJson *chars = weft_json_member(json, "chars");
		guint64 begin, behind;
		WeftWord word = { .at = read_anchor(weft_json_member(json, "at")), .confidence = -1 };

		if (!weft_json_uint(weft_json_at(chars, 0), &begin) ||
		    !weft_json_uint(weft_json_at(chars, 1), &behind) || begin < first ||
		    behind > end || begin >= behind)
			continue;
		word.char_first = (guint32)begin - first;
		word.char_end = (guint32)behind - first;
		weft_content_add_word(content, word);
	}
}

/* `at` or the next begin of a character. */
static gsize character(const char *text, gsize at)
{
	while (((guchar)text[at] & 0xC0) == 0x80)
		at++;
	return at;
}

/* Where in a long text a word stands, about: in the first stretch that has one, or 0. */
static gsize find_stretch(const char *text, gsize size, const GPtrArray *words)
{
	for (gsize at = 0; at < size; at = character(text, MIN(at + LEAD_BYTES / 2, size))) {
		g_autofree char *stretch =
			g_strndup(text + at, character(text, MIN(at + LEAD_BYTES, size)) - at);

		if (count_words(words, stretch) > 0)
			return at;
	}
	return 0;
}

/* Of a long text the part from a little before its first word on. */
static char *narrow(const char *text, const GPtrArray *words, guint32 *ret_char_first)
{
	gsize size = strlen(text), first = 0, end = size;

	if (size > WEFT_PASSAGE_BYTES_MAX) {
		gsize at = find_stretch(text, size, words);

		first = at > LEAD_BYTES ? character(text, at - LEAD_BYTES) : 0;
		end = character(text, MIN(size, first + WEFT_PASSAGE_BYTES_MAX));
	}
	*ret_char_first = (guint32)g_utf8_strlen(text, (gssize)first);
	return g_strndup(text + first, end - first);
}

typedef struct Taking {
	const GPtrArray *words;
	guint document, n_max;
	GPtrArray *best; /* WeftHeldPassage of this document, best first */
} Taking;

static WeftHeldPassage *passage_of(const Taking *taking, const WeftJson *item, guint n_words)
{
	WeftHeldPassage *passage = g_new0(WeftHeldPassage, 1);
	const WeftJson *at = weft_json_member(item, "at");
	const char *text = weft_json_string(weft_json_member(item, "text"), NULL);
	const char *id = weft_json_string(weft_json_member(item, "id"), NULL);
	char *part;

	passage->document = taking->document;
	passage->n_words = n_words;
	g_strlcpy(passage->item, id ? id : "", sizeof(passage->item));
	part = narrow(text, taking->words, &passage->char_first);
	passage->content = weft_content_new(
		kind_named(weft_json_string(weft_json_member(item, "kind"), NULL)),
		by_named(weft_json_string(weft_json_member(item, "by"), NULL)), part,
		read_anchor(weft_json_at(at, 0)));
	passage->content->speaker =
		g_strdup(weft_json_string(weft_json_member(item, "speaker"), NULL));
	read_words(weft_json_member(item, "words"), passage->char_first,
		   passage->char_first + (guint32)g_utf8_strlen(part, -1), passage->content);
	return passage;
}

/* Keeps the best; of equals the first. */
static gboolean take_item(gpointer data, const char *list, const WeftJson *item)
{
	Taking *taking = data;
	const char *text = weft_json_string(weft_json_member(item, "text"), NULL);
	guint n_words, place = taking->best->len;

	if (strcmp(list, "content") != 0 || !text)
		return TRUE;
	n_words = count_words(taking->words, text);
	while (place > 0 &&
	       ((const WeftHeldPassage *)taking->best->pdata[place - 1])->n_words < n_words)
		place--;
	if (n_words == 0 || place == taking->n_max)
		return TRUE;
	g_ptr_array_insert(taking->best, (gint)place, passage_of(taking, item, n_words));
	if (taking->best->len > taking->n_max)
		g_ptr_array_remove_index(taking->best, taking->n_max);
	return TRUE;
}

/* ---- documents ---- */

static void take_document(WeftOutputs *outputs, WeftPassages *passages, const WeftHit *hit, guint n_max)
{
	WeftHeldDocument *document = g_new0(WeftHeldDocument, 1);
	g_autoptr(GPtrArray) best = g_ptr_array_new_with_free_func(passage_free);
	Taking taking = { passages->words, passages->documents->len, n_max, best };
	g_autoptr(GError) failure = NULL;
	g_autofree char *file = weft_outputs_record_path(outputs, hit->id, NULL);
	g_autoptr(WeftRecordFile) record =
		file ? weft_record_file_open(file, hit->id, take_item, &taking, &failure) : NULL;

	g_strlcpy(document->id, hit->id, sizeof(document->id));
	document->path = g_strdup(hit->path);
	g_ptr_array_add(passages->documents, document);
	if (!record) {
		document->reason = g_strdup(failure ? "its record is damaged" : "it has no record yet");
		return;
	}
	if (best->len == 0)
		document->reason = g_strdup("the words stand in what is said about it, not in its text");
	g_ptr_array_extend_and_steal(passages->passages, g_steal_pointer(&best));
}

/* Of equals the better document's, then the first of it: the sort is stable. */
static int compare_passages(gconstpointer a, gconstpointer b)
{
	const WeftHeldPassage *one = *(WeftHeldPassage *const *)a, *other = *(WeftHeldPassage *const *)b;

	if (one->n_words != other->n_words)
		return one->n_words > other->n_words ? -1 : 1;
	return (one->document > other->document) - (one->document < other->document);
}

WeftPassages *weft_outputs_passages(WeftOutputs *outputs, const char *question, guint n_documents_max,
				    guint n_each_max, GError **error)
{
	g_autoptr(WeftPassages) passages = g_new0(WeftPassages, 1);
	g_autofree char *query = NULL;

	passages->words = words_of(question);
	passages->documents = g_ptr_array_new_with_free_func(document_free);
	passages->passages = g_ptr_array_new_with_free_func(passage_free);
	query = query_of(passages->words);
	g_autoptr(GPtrArray) hits =
		weft_outputs_search(outputs, query, n_documents_max, &passages->is_cut, error);
	if (!hits)
		return NULL;
	for (guint i = 0; i < hits->len; i++)
		take_document(outputs, passages, hits->pdata[i], n_each_max);
	g_ptr_array_sort(passages->passages, compare_passages);
	return g_steal_pointer(&passages);
}

/* ---- where a text stands ---- */

static gboolean find_in(const WeftHeldPassage *passage, const char *normal, WeftPassageSpot *spot)
{
	const WeftContent *content = passage->content;
	g_autoptr(WeftRunningText) running = weft_running_text_new();
	g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(WeftTextPlace));
	gsize size;

	weft_running_text_add(running, content->text, strlen(content->text), 0, 0, FALSE);
	const char *bytes = weft_running_text_bytes(running, &size);
	const char *found = memmem(bytes, size, normal, strlen(normal));
	if (!found)
		return FALSE;
	weft_running_text_places(running, (gsize)(found - bytes),
				 (gsize)(found - bytes) + strlen(normal), places);
	if (places->len == 0)
		return FALSE;
	const WeftTextPlace *place = &g_array_index(places, WeftTextPlace, 0);
	const char *first = g_utf8_offset_to_pointer(content->text, (glong)place->char_first);
	const char *end = g_utf8_offset_to_pointer(first, (glong)(place->char_end - place->char_first));

	spot->char_first = passage->char_first + place->char_first;
	spot->char_end = passage->char_first + place->char_end;
	spot->at = weft_content_anchor_of(content, place->char_first, place->char_end);
	spot->boxes = weft_content_boxes_of(content, place->char_first, place->char_end);
	spot->quote = g_strndup(first, (gsize)(end - first));
	return TRUE;
}

gboolean weft_passages_find(const WeftPassages *passages, const gboolean *is_given, const char *text,
			    WeftPassageSpot *ret_spot)
{
	g_autofree char *normal = weft_running_text_normal(text, strlen(text));

	for (guint i = 0; *normal && i < passages->passages->len; i++) {
		ret_spot->passage = i;
		if (is_given[i] && find_in(passages->passages->pdata[i], normal, ret_spot))
			return TRUE;
	}
	return FALSE;
}
