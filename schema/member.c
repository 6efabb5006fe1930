#include <string.h>

#include "base/draw.h"
#include "schema/way.h"

#define NEVER G_MAXSIZE
/* Bytes behind the present one up to which a way past keys that a map has already is looked for. */
#define RIVAL_DEPTH_MAX 64

/* ---- objects: the keys that may come next are those up to the next required one ---- */

/* Bytes from behind the key of property `i` to the end of all, NEVER when it may not come next. */
static gsize behind_key(const WeftLevel *level, guint i)
{
	const WeftNode *node = level->node;
	const WeftProperty *property = weft_node_property(node, i);
	guint n_missing = weft_level_missing(level);
	if (!property->is_required) {
		if (level->n_optional >= node->n_optional_max)
			return NEVER;
		n_missing -= n_missing > 0 ? 1 : 0;
	}
	WeftLeast tail = weft_node_tail(node, i + 1, n_missing);
	if (tail.bytes == G_MAXSIZE || !weft_level_has_room(level, property->node) ||
	    level->depth + tail.height > WEFT_SCHEMA_DEPTH_MAX)
		return NEVER;
	return property->node->least.bytes + tail.bytes + weft_level_close(level->below);
}

/* One behind the last property that may come next for its place. */
static guint window_end(const WeftLevel *level)
{
	guint n = level->node->properties->len, i = level->index;
	while (i < n && !weft_node_property(level->node, i)->is_required)
		i++;
	return MIN(i + 1, n);
}

/* The fewest bytes to the end by a key of the range; NEVER: there is none. Where `any` is TRUE the
 * first number found will do. */
static gsize least_of_keys(const WeftConstraint *constraint, const WeftLevel *level,
			   const WeftRange *range, gboolean any)
{
	const WeftTexts *texts = weft_way_texts(constraint, level->node);
	guint end = window_end(level);
	gsize best = NEVER;
	if (range->end - range->first <= end - level->index) {
		for (guint32 at = range->first; at < range->end && !(any && best != NEVER); at++) {
			const WeftText *key = &texts->sorted[at];
			if (key->index < level->index || key->index >= end)
				continue;
			gsize behind = behind_key(level, key->index);
			if (behind != NEVER)
				best = MIN(best, key->size_bytes - range->n_bytes + behind);
		}
		return best;
	}
	/* More keys begin that way than may come: only before the first byte that tells them apart. */
	const char *head = texts->sorted[range->first].bytes;
	for (guint i = level->index; i < end && !(any && best != NEVER); i++) {
		const WeftProperty *property = weft_node_property(level->node, i);
		gsize behind = NEVER;
		if (property->key_bytes >= range->n_bytes &&
		    memcmp(property->key, head, range->n_bytes) == 0)
			behind = behind_key(level, i);
		if (behind != NEVER)
			best = MIN(best, property->key_bytes - range->n_bytes + behind);
	}
	return best;
}

gboolean weft_key_begin(const WeftConstraint *constraint, const WeftLevel *level,
			WeftCursor *ret_cursor)
{
	const WeftRange all = {0, weft_way_texts(constraint, level->node)->n, 0};
	if (all.end == 0 || least_of_keys(constraint, level, &all, TRUE) == NEVER)
		return FALSE;
	weft_cursor_begin(ret_cursor, WEFT_CURSOR_KEY, level->node);
	ret_cursor->range = all;
	return TRUE;
}

gboolean weft_key_step(const WeftConstraint *constraint, WeftWay *way, guint8 byte)
{
	const WeftTexts *texts = weft_way_texts(constraint, way->level->node);
	WeftRange *range = &way->cursor.range;
	if (!weft_texts_narrow(texts, &range->first, &range->end, range->n_bytes, byte))
		return FALSE;
	range->n_bytes++;
	if (least_of_keys(constraint, way->level, range, TRUE) == NEVER)
		return FALSE;
	const WeftText *key = &texts->sorted[range->first];
	if (key->size_bytes > range->n_bytes)
		return TRUE;
	const WeftNode *value = weft_node_property(way->level->node, key->index)->node;
	way->level = weft_level_next_property(constraint, way->level, key->index);
	weft_cursor_begin(&way->cursor, WEFT_CURSOR_VALUE, value);
	return TRUE;
}

gsize weft_key_close(const WeftConstraint *constraint, const WeftWay *way)
{
	return least_of_keys(constraint, way->level, &way->cursor.range, FALSE);
}

int weft_key_forced(const WeftConstraint *constraint, const WeftWay *way)
{
	const WeftRange *range = &way->cursor.range;
	const WeftTexts *texts = weft_way_texts(constraint, way->level->node);
	if (range->end - range->first > 1)
		return -2;
	return (guint8)texts->sorted[range->first].bytes[range->n_bytes];
}

/* ---- maps: any key that is not there yet; and items that differ ---- */

/* Where the text of a key stands, whichever automaton knows it. */
typedef struct KeyText {
	WeftCursorKind kind;
	const WeftSpans *spans;
	union {
		WeftFreeText text;
		WeftLexemeState lexeme;
		WeftSpansState state;
	};
} KeyText;

static const WeftNode *keys_of(const WeftLevel *level)
{
	return level->node->kind == WEFT_NODE_MAP ? level->node->keys : level->node->items;
}

static KeyText key_text(const WeftConstraint *constraint, const WeftCursor *cursor)
{
	KeyText text = {.kind = cursor->kind};
	if (text.kind == WEFT_CURSOR_MAP_SPANS) {
		text.spans = constraint->spans[cursor->node->id];
		text.state = cursor->spans;
	} else if (text.kind == WEFT_CURSOR_MAP_LEXEME) {
		text.lexeme = cursor->lexeme;
	} else {
		text.text = cursor->text;
	}
	return text;
}

static gboolean key_text_step(const WeftNode *keys, KeyText *text, guint8 byte)
{
	if (text->kind == WEFT_CURSOR_MAP_SPANS)
		return weft_spans_step(text->spans, &text->state, byte);
	if (text->kind == WEFT_CURSOR_MAP_TEXT)
		return weft_free_text_step(&text->text, byte, keys->length_max);
	text->lexeme = weft_lexeme_step(keys->lexeme, text->lexeme, byte);
	return text->lexeme.id != WEFT_LEXEME_DEAD;
}

static gsize key_text_close(const WeftNode *keys, const KeyText *text)
{
	if (text->kind == WEFT_CURSOR_MAP_SPANS)
		return weft_spans_close_bytes(text->spans, &text->state);
	return text->kind == WEFT_CURSOR_MAP_LEXEME
		       ? weft_lexeme_close(keys->lexeme, text->lexeme)
		       : weft_free_text_close(&text->text, keys->length_min);
}

/* *ret_is_quote: the byte is the quote behind it, where that is no byte of the key. */
static gboolean key_text_may_end(const WeftNode *keys, const KeyText *text, guint8 byte,
				 gboolean *ret_is_quote)
{
	gboolean may_end;
	*ret_is_quote = byte == '"';
	if (text->kind == WEFT_CURSOR_MAP_TEXT) {
		*ret_is_quote = *ret_is_quote && weft_free_text_is_between(&text->text);
		return *ret_is_quote && text->text.n >= keys->length_min;
	}
	may_end = text->kind == WEFT_CURSOR_MAP_SPANS
			  ? weft_spans_accepts(text->spans, &text->state)
			  : weft_lexeme_accepts(keys->lexeme, text->lexeme);
	*ret_is_quote = *ret_is_quote && may_end;
	return may_end;
}

static gboolean is_rival(const WeftRival *rivals, gsize size_bytes)
{
	for (; rivals; rivals = rivals->next)
		if (rivals->key->size_bytes == size_bytes)
			return TRUE;
	return FALSE;
}

/* Those of the rivals that go on with `byte` behind their first n_bytes. */
static const WeftRival *rivals_behind(WeftLevels *levels, const WeftRival *rivals, gsize n_bytes,
				      guint8 byte)
{
	const WeftRival *kept = NULL;
	for (; rivals; rivals = rivals->next) {
		const WeftUsedKey *key = rivals->key;
		if (key->size_bytes <= n_bytes || key->bytes[n_bytes] != byte)
			continue;
		WeftRival *rival = weft_levels_alloc(levels, sizeof(WeftRival));
		*rival = (WeftRival){kept, key};
		kept = rival;
	}
	return kept;
}

/* The fewest bytes to the end of a key that is none of the rivals, all of which begin with the
 * n_bytes that stand there. What is shorter than `limit` is looked for; else NEVER. A byte that no
 * rival goes on with leaves them all behind, so the search goes only along rivals. */
static gsize close_past(WeftLevels *levels, const WeftNode *keys, const KeyText *text,
			const WeftRival *rivals, gsize n_bytes, gsize limit, guint depth)
{
	gsize least = key_text_close(keys, text);
	if (!rivals)
		return least < limit ? least : NEVER;
	if (least == 0 && !is_rival(rivals, n_bytes))
		return 0;
	least = MAX(least, 1);
	gsize best = limit;
	for (guint round = 0; round < 2; round++)
		for (int byte = 0; byte < 256 && best > least; byte++) {
			KeyText next = *text;
			WeftLevelsMark mark = weft_levels_mark(levels);
			const WeftRival *left =
				rivals_behind(levels, rivals, n_bytes, (guint8)byte);
			gsize close = NEVER;
			if ((left != NULL) == (round == 1) && depth < RIVAL_DEPTH_MAX &&
			    key_text_step(keys, &next, (guint8)byte))
				close = close_past(levels, keys, &next, left, n_bytes + 1, best - 1,
						   depth + 1);
			weft_levels_release(levels, mark);
			if (close != NEVER)
				best = close + 1;
		}
	return best < limit ? best : NEVER;
}

static gsize close_key(const WeftConstraint *constraint, const WeftWay *way)
{
	KeyText text = key_text(constraint, &way->cursor);
	return close_past(constraint->levels, keys_of(way->level), &text, way->cursor.rivals,
			  way->cursor.key_bytes, NEVER, 0);
}

void weft_map_key_begin(const WeftConstraint *constraint, const WeftLevel *level,
			WeftCursor *ret_cursor)
{
	const WeftNode *keys = keys_of(level);
	gboolean is_verbatim = keys->is_verbatim && constraint->spans;
	weft_cursor_begin(ret_cursor,
			  is_verbatim	 ? WEFT_CURSOR_MAP_SPANS
			  : keys->lexeme ? WEFT_CURSOR_MAP_LEXEME
					 : WEFT_CURSOR_MAP_TEXT,
			  keys);
	if (is_verbatim) /* "" is a value: reader.c */
		(void)weft_spans_begin(constraint->spans[keys->id], &ret_cursor->spans);
	else if (keys->lexeme)
		ret_cursor->lexeme = weft_lexeme_begin(keys->lexeme);
	for (const WeftUsedKey *key = level->used; key; key = key->next) {
		WeftRival *rival = weft_levels_alloc(constraint->levels, sizeof(WeftRival));
		*rival = (WeftRival){ret_cursor->rivals, key};
		ret_cursor->rivals = rival;
	}
}

gboolean weft_map_has_next(const WeftConstraint *constraint, const WeftLevel *level)
{
	const WeftNode *node = level->node;
	if (level->index >= node->n_max || !weft_level_has_room(level, node->items))
		return FALSE;
	WeftLevelsMark mark = weft_levels_mark(constraint->levels);
	WeftWay way = {.level = level};
	weft_map_key_begin(constraint, level, &way.cursor);
	gboolean has_next = close_key(constraint, &way) != NEVER;
	weft_levels_release(constraint->levels, mark);
	return has_next;
}

/* The closing quote. */
static gboolean end_key(const WeftConstraint *constraint, WeftWay *way)
{
	if (is_rival(way->cursor.rivals, way->cursor.key_bytes))
		return FALSE;
	way->level = weft_level_use_key(constraint, way->level, &way->cursor);
	if (way->level->node->kind == WEFT_NODE_MAP)
		weft_cursor_begin(&way->cursor, WEFT_CURSOR_COLON, way->level->node);
	else
		weft_cursor_begin(&way->cursor, WEFT_CURSOR_GAP, NULL);
	return TRUE;
}

gboolean weft_map_key_step(const WeftConstraint *constraint, WeftWay *way, guint8 byte)
{
	const WeftNode *keys = keys_of(way->level);
	WeftCursor *cursor = &way->cursor;
	KeyText text = key_text(constraint, cursor);
	gboolean is_quote, may_end = key_text_may_end(keys, &text, byte, &is_quote);
	if (is_quote)
		return may_end && end_key(constraint, way);
	if (!key_text_step(keys, &text, byte))
		return FALSE;
	WeftKeyByte *written = weft_levels_alloc(constraint->levels, sizeof(WeftKeyByte));
	*written = (WeftKeyByte){cursor->key, byte};
	cursor->key = written;
	cursor->rivals = rivals_behind(constraint->levels, cursor->rivals, cursor->key_bytes, byte);
	cursor->key_bytes++;
	cursor->key_hash = weft_draw_mix(cursor->key_hash ^ byte);
	if (text.kind == WEFT_CURSOR_MAP_SPANS)
		cursor->spans = text.state;
	else if (text.kind == WEFT_CURSOR_MAP_LEXEME)
		cursor->lexeme = text.lexeme;
	else
		cursor->text = text.text;
	return !cursor->rivals || close_key(constraint, way) != NEVER;
}

gsize weft_map_key_close_behind(const WeftLevel *level, gsize key_bytes)
{
	if (level->node->kind == WEFT_NODE_ARRAY)
		return strlen("\"") + weft_level_close(level);
	return strlen("\":") + level->node->items->least.bytes +
	       weft_level_close_behind_key(level, key_bytes);
}

gsize weft_map_key_close(const WeftConstraint *constraint, const WeftWay *way)
{
	if (way->cursor.kind == WEFT_CURSOR_NEW_KEY || way->cursor.kind == WEFT_CURSOR_VALUE) {
		WeftLevelsMark mark = weft_levels_mark(constraint->levels);
		WeftWay begun = {.level = way->level};
		weft_map_key_begin(constraint, way->level, &begun.cursor);
		gsize close = 1 + weft_map_key_close(constraint, &begun);
		weft_levels_release(constraint->levels, mark);
		return close;
	}
	gsize rest = close_key(constraint, way);
	return rest + weft_map_key_close_behind(way->level, way->cursor.key_bytes + rest);
}
