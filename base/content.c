#include "base/content.h"

#include <string.h>

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
	copy->anchors = g_array_copy(content->anchors);
	copy->words = content->words ? g_array_copy(content->words) : NULL;
	return copy;
}

void weft_content_free(WeftContent *content)
{
	if (!content)
		return;
	g_free(content->text);
	g_free(content->speaker);
	g_clear_pointer(&content->anchors, g_array_unref);
	g_clear_pointer(&content->words, g_array_unref);
	g_free(content);
}

void weft_content_add_word(WeftContent *content, WeftWord word)
{
	if (!content->words)
		content->words = g_array_new(FALSE, FALSE, sizeof(WeftWord));
	g_array_append_val(content->words, word);
}

WeftAnchor weft_content_anchor_of(const WeftContent *content, guint32 char_first, guint32 char_end)
{
	WeftAnchor whole = g_array_index(content->anchors, WeftAnchor, 0);
	gboolean found = FALSE;
	for (guint i = 0; content->words && i < content->words->len; i++) {
		const WeftWord *word = &g_array_index(content->words, WeftWord, i);
		if (word->char_end <= char_first || word->char_first >= char_end)
			continue;
		whole = found ? weft_anchor_union(whole, word->at) : word->at;
		found = TRUE;
	}
	return whole;
}

gsize weft_content_output_bytes(const WeftContent *content)
{
	/* {"id":"c12345","kind":"text","text":"","at":[{"page":1,"bbox":[...]}],"by":"file"} and
	 * {"chars":[104,107],"at":{"page":812,"bbox":[123.4,123.4,123.4,123.4]}} */
	enum { ITEM_BYTES = 130, WORD_BYTES = 75, TIME_BYTES = 60 };
	gsize size = ITEM_BYTES + (content->text ? strlen(content->text) : 0);
	size += (gsize)(content->anchors->len - 1) * TIME_BYTES;
	return size + (gsize)(content->words ? content->words->len : 0) * WORD_BYTES;
}

const char *weft_content_kind_name(WeftContentKind kind)
{
	static const char *const NAMES[] = { "text",  "table", "image",  "speech",
					     "frame", "blank", "silence" };
	return NAMES[kind];
}

const char *weft_by_name(WeftBy by)
{
	static const char *const NAMES[] = { "file",	  "ocr-layer", "bundle",
					     "tesseract", "whisper",   "sidecar" };
	return NAMES[by];
}
