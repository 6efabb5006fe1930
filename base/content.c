#include "base/content.h"

#include <string.h>

/* ---- packed words ----
 *
 * Each word says what differs from the one before it: in a line of print that is where it begins and
 * ends. The first differs from a word of zeros. What is read is bit by bit what was put in. */

enum {
	SAME_BBOX = 1,      /* shifted by 0 to 3: that side of the box */
	SAME_PLACE = 1 << 4, /* page, track, time, and which of them there are */
	SAME_CONFIDENCE = 1 << 5,
	NEAR_CHARS = 1 << 6, /* gap and length are a byte each */
};

static gboolean is_same_place(const WeftAnchor *a, const WeftAnchor *b)
{
	return a->page == b->page && a->track == b->track && a->has_bbox == b->has_bbox &&
	       a->has_time == b->has_time && memcmp(a->time, b->time, sizeof a->time) == 0;
}

static void put(GByteArray *out, gconstpointer data, guint size_bytes)
{
	g_byte_array_append(out, data, size_bytes);
}

static guint8 flags_of(const WeftWord *last, const WeftWord *word)
{
	guint8 flags = 0;
	for (int i = 0; i < 4; i++)
		if (memcmp(&last->at.bbox[i], &word->at.bbox[i], sizeof(double)) == 0)
			flags |= (guint8)(SAME_BBOX << i);
	if (is_same_place(&last->at, &word->at))
		flags |= SAME_PLACE;
	if (memcmp(&last->confidence, &word->confidence, sizeof(float)) == 0)
		flags |= SAME_CONFIDENCE;
	if (word->char_first >= last->char_end && word->char_first - last->char_end <= G_MAXUINT8 &&
	    word->char_end >= word->char_first && word->char_end - word->char_first <= G_MAXUINT8)
		flags |= NEAR_CHARS;
	return flags;
}

static void pack_word(GByteArray *out, const WeftWord *last, const WeftWord *word)
{
	guint8 flags = flags_of(last, word);
	put(out, &flags, 1);
	if (flags & NEAR_CHARS) {
		guint8 chars[2] = { (guint8)(word->char_first - last->char_end),
				    (guint8)(word->char_end - word->char_first) };
		put(out, chars, sizeof chars);
	} else {
		put(out, &word->char_first, sizeof word->char_first);
		put(out, &word->char_end, sizeof word->char_end);
	}
	if (!(flags & SAME_PLACE)) {
		guint8 has[2] = { word->at.has_bbox != FALSE, word->at.has_time != FALSE };
		put(out, &word->at.page, sizeof word->at.page);
		put(out, &word->at.track, sizeof word->at.track);
		put(out, has, sizeof has);
		put(out, word->at.time, sizeof word->at.time);
	}
	for (int i = 0; i < 4; i++)
		if (!(flags & SAME_BBOX << i))
			put(out, &word->at.bbox[i], sizeof(double));
	if (!(flags & SAME_CONFIDENCE))
		put(out, &word->confidence, sizeof word->confidence);
}

static void get(const guint8 **at, gpointer data, gsize size_bytes)
{
	memcpy(data, *at, size_bytes);
	*at += size_bytes;
}

/* *word is the one before. */
static void unpack_word(const guint8 **at, WeftWord *word)
{
	guint8 flags = *(*at)++;
	if (flags & NEAR_CHARS) {
		word->char_first = word->char_end + *(*at)++;
		word->char_end = word->char_first + *(*at)++;
	} else {
		get(at, &word->char_first, sizeof word->char_first);
		get(at, &word->char_end, sizeof word->char_end);
	}
	if (!(flags & SAME_PLACE)) {
		guint8 has[2];
		get(at, &word->at.page, sizeof word->at.page);
		get(at, &word->at.track, sizeof word->at.track);
		get(at, has, sizeof has);
		get(at, word->at.time, sizeof word->at.time);
		word->at.has_bbox = has[0];
		word->at.has_time = has[1];
	}
	for (int i = 0; i < 4; i++)
		if (!(flags & SAME_BBOX << i))
			get(at, &word->at.bbox[i], sizeof(double));
	if (!(flags & SAME_CONFIDENCE))
		get(at, &word->confidence, sizeof word->confidence);
}

static gsize packed_bytes(const WeftContent *content)
{
	const guint8 *at = content->packed;
	WeftWord word = { 0 };
	for (guint i = 0; i < content->n_packed; i++)
		unpack_word(&at, &word);
	return (gsize)(at - content->packed);
}

void weft_content_pack(WeftContent *content)
{
	WeftWord last = { 0 };
	if (!content->words || content->words->len == 0)
		return;
	g_autoptr(GByteArray) out = g_byte_array_new();
	for (guint i = 0; i < content->words->len; i++) {
		const WeftWord *word = &g_array_index(content->words, WeftWord, i);
		pack_word(out, &last, word);
		last = *word;
	}
	content->packed = g_memdup2(out->data, out->len);
	content->n_packed = content->words->len;
	g_clear_pointer(&content->words, g_array_unref);
}

static gsize text_bytes(const WeftContent *content)
{
	return content->text ? strlen(content->text) + 1 : 0;
}

gsize weft_content_bytes(const WeftContent *content)
{
	return text_bytes(content) + packed_bytes(content);
}

gboolean weft_content_spill(WeftContent *content, WeftSpill *spill, GError **error)
{
	gsize n_text = text_bytes(content), n_packed = packed_bytes(content);
	if (content->is_spilled || n_text + n_packed == 0)
		return TRUE;
	char *text = weft_spill_copy(spill, content->text, n_text, error);
	guint8 *packed = text ? weft_spill_copy(spill, content->packed, n_packed, error) : NULL;
	if (!packed)
		return FALSE;
	g_free(content->text);
	g_free(content->packed);
	content->text = n_text > 0 ? text : NULL;
	content->packed = n_packed > 0 ? packed : NULL;
	content->is_spilled = TRUE;
	return TRUE;
}

void weft_content_drop_words(WeftContent *content)
{
	g_clear_pointer(&content->words, g_array_unref);
	if (!content->is_spilled)
		g_free(content->packed);
	content->packed = NULL;
	content->n_packed = 0;
}

guint weft_content_n_words(const WeftContent *content)
{
	return content->n_packed + (content->words ? content->words->len : 0);
}

WeftWordReader weft_content_words(const WeftContent *content)
{
	return (WeftWordReader){ .content = content, .at = content->packed };
}

gboolean weft_word_next(WeftWordReader *reader, WeftWord *ret_word)
{
	if (reader->n_read >= weft_content_n_words(reader->content))
		return FALSE;
	if (reader->at)
		unpack_word(&reader->at, &reader->last);
	else
		reader->last = g_array_index(reader->content->words, WeftWord, reader->n_read);
	reader->n_read++;
	*ret_word = reader->last;
	return TRUE;
}

/* ---- content ---- */

WeftContent *weft_content_new(WeftContentKind kind, WeftBy by, char *take_text, WeftAnchor at)
{
	WeftContent *content = g_new0(WeftContent, 1);
	content->kind = kind;
	content->by = by;
	content->text = take_text;
	content->anchors = g_array_new(FALSE, FALSE, sizeof(WeftAnchor));
	g_array_append_val(content->anchors, at);
	content->confidence = -1;
	return content;
}

WeftContent *weft_content_copy(const WeftContent *content)
{
	WeftContent *copy = g_new0(WeftContent, 1);
	*copy = *content;
	copy->text = g_strdup(content->text);
	copy->speaker = g_strdup(content->speaker);
	copy->reason = g_strdup(content->reason);
	copy->anchors = g_array_copy(content->anchors);
	copy->words = content->words ? g_array_copy(content->words) : NULL;
	copy->packed = g_memdup2(content->packed, packed_bytes(content));
	copy->is_spilled = FALSE;
	return copy;
}

void weft_content_free(WeftContent *content)
{
	if (!content)
		return;
	if (!content->is_spilled)
		g_free(content->text);
	g_free(content->speaker);
	g_free(content->reason);
	g_clear_pointer(&content->anchors, g_array_unref);
	weft_content_drop_words(content);
	g_free(content);
}

void weft_content_add_word(WeftContent *content, WeftWord word)
{
	g_assert(!content->packed);
	if (!content->words)
		content->words = g_array_new(FALSE, FALSE, sizeof(WeftWord));
	g_array_append_val(content->words, word);
}

void weft_content_set_document(WeftContent *content, guint32 document)
{
	for (guint i = 0; i < content->anchors->len; i++)
		g_array_index(content->anchors, WeftAnchor, i).document = document;
}

WeftAnchor weft_content_anchor_of(const WeftContent *content, guint32 char_first, guint32 char_end)
{
	WeftAnchor whole = g_array_index(content->anchors, WeftAnchor, 0);
	guint32 document = whole.document;
	gboolean found = FALSE;
	WeftWordReader reader = weft_content_words(content);
	WeftWord word;
	while (weft_word_next(&reader, &word)) {
		if (word.char_end <= char_first || word.char_first >= char_end)
			continue;
		whole = found ? weft_anchor_union(whole, word.at) : word.at;
		found = TRUE;
	}
	whole.document = document;
	return whole;
}

/* From *at, which is the code point *char_at, to the code point `to`: does a line end on the way? */
static gboolean ends_line(const char **at, guint32 *char_at, guint32 to)
{
	gboolean ends = FALSE;

	for (; *char_at < to && **at; (*char_at)++, *at = g_utf8_next_char(*at))
		ends |= **at == '\n';
	return ends;
}

GArray *weft_content_boxes_of(const WeftContent *content, guint32 char_first, guint32 char_end)
{
	WeftWordReader reader = weft_content_words(content);
	g_autoptr(GArray) boxes = g_array_new(FALSE, FALSE, 4 * sizeof(double));
	const char *at = content->text;
	guint32 page = 0, char_at = 0;
	WeftWord word;

	while (weft_word_next(&reader, &word)) {
		if (word.char_end <= char_first || word.char_first >= char_end)
			continue;
		gboolean begins_line = ends_line(&at, &char_at, word.char_first) || boxes->len == 0;
		double *box = boxes->len > 0 ? &g_array_index(boxes, double, 4 * (boxes->len - 1)) : NULL;

		if (!word.at.has_bbox || (boxes->len > 0 && word.at.page != page))
			return NULL;
		page = word.at.page;
		if (begins_line)
			g_array_append_vals(boxes, word.at.bbox, 1);
		for (int i = 0; i < 4 && !begins_line; i++)
			box[i] = i < 2 ? MIN(box[i], word.at.bbox[i]) : MAX(box[i], word.at.bbox[i]);
	}
	return boxes->len > 1 ? g_steal_pointer(&boxes) : NULL;
}

double weft_content_confidence_of(const WeftContent *content, guint32 char_first, guint32 char_end)
{
	WeftWordReader reader = weft_content_words(content);
	WeftWord word;
	double sum = 0;
	guint n = 0;
	while (weft_word_next(&reader, &word)) {
		if (word.char_end <= char_first || word.char_first >= char_end || word.confidence < 0)
			continue;
		sum += (double)word.confidence;
		n++;
	}
	if (n > 0)
		return sum / n;
	return content->confidence >= 0 ? content->confidence : 1;
}

gsize weft_content_output_bytes(const WeftContent *content)
{
	/* {"id":"c12345","kind":"text","text":"","at":[{"page":1,"bbox":[...]}],"by":"file"} and
	 * {"chars":[104,107],"at":{"page":812,"bbox":[123.4,123.4,123.4,123.4]}} */
	enum { ITEM_BYTES = 130, WORD_BYTES = 75, TIME_BYTES = 60 };
	gsize size = ITEM_BYTES + (content->text ? strlen(content->text) : 0);
	size += (gsize)(content->anchors->len - 1) * TIME_BYTES;
	return size + (gsize)weft_content_n_words(content) * WORD_BYTES;
}

const char *weft_content_kind_name(WeftContentKind kind)
{
	static const char *const NAMES[] = { "text",  "table", "image",  "speech",
					     "frame", "blank", "silence", "sound" };
	return NAMES[kind];
}

const char *weft_by_name(WeftBy by)
{
	static const char *const NAMES[] = { "file",	  "ocr-layer", "bundle",
					     "tesseract", "whisper",   "sidecar" };
	return NAMES[by];
}
