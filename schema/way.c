#include "schema/way.h"

/* What more texts go on with is not listed one by one. */
#define TEXTS_LISTED_MAX 16

#include <string.h>

/* Whether the value at hand is an item that may not come twice. */
static gboolean is_unique_item(const WeftWay *way)
{
	const WeftLevel *level = way->level;
	return level && level->node->kind == WEFT_NODE_ARRAY && level->node->is_unique &&
	       level->index > (level->node->prefix ? level->node->prefix->len : 0);
}

static gboolean range_has_free(const WeftWay *way, const WeftRange *range)
{
	for (guint32 i = range->first; i < range->end; i++)
		if (!weft_level_is_taken(way->level, i))
			return TRUE;
	return FALSE;
}

/* A value has been written: the innermost container goes on. */
static void end_value(const WeftConstraint *constraint, WeftWay *way)
{
	if (way->cursor.kind == WEFT_CURSOR_LITERAL && is_unique_item(way))
		way->level = weft_level_take(constraint, way->level, way->cursor.range.first);
	weft_cursor_begin(&way->cursor, WEFT_CURSOR_GAP, NULL);
}

static gboolean step_literal(const WeftConstraint *constraint, WeftWay *way, guint8 byte)
{
	const WeftTexts *texts = weft_way_texts(constraint, way->cursor.node);
	WeftRange *range = &way->cursor.range;
	if (!weft_texts_narrow(texts, &range->first, &range->end, range->n_bytes, byte))
		return FALSE;
	range->n_bytes++;
	if (is_unique_item(way) && !range_has_free(way, range))
		return FALSE;
	if (range->end - range->first == 1 &&
	    texts->sorted[range->first].size_bytes == range->n_bytes)
		end_value(constraint, way);
	return TRUE;
}

static gboolean step_text(const WeftConstraint *constraint, WeftWay *way, guint8 byte)
{
	const WeftNode *node = way->cursor.node;
	WeftFreeText *text = &way->cursor.text;
	if (byte != '"' || !weft_free_text_is_between(text))
		return weft_free_text_step(text, byte, node->length_max);
	if (text->n < node->length_min)
		return FALSE;
	end_value(constraint, way);
	return TRUE;
}

static gboolean step_lexeme(const WeftConstraint *constraint, WeftWay *way, guint8 byte)
{
	const WeftLexeme *lexeme = way->cursor.node->lexeme;
	if (byte == '"' && weft_lexeme_accepts(lexeme, way->cursor.lexeme)) {
		end_value(constraint, way);
		return TRUE;
	}
	way->cursor.lexeme = weft_lexeme_step(lexeme, way->cursor.lexeme, byte);
	return way->cursor.lexeme.id != WEFT_LEXEME_DEAD;
}

static gboolean step_spans(const WeftConstraint *constraint, WeftWay *way, guint8 byte)
{
	const WeftSpans *spans = constraint->spans[way->cursor.node->id];
	if (byte == '"' && weft_spans_accepts(spans, &way->cursor.spans)) {
		end_value(constraint, way);
		return TRUE;
	}
	return weft_spans_step(spans, &way->cursor.spans, byte);
}

static gboolean step_figure(const WeftConstraint *constraint, WeftWay *way, guint8 byte)
{
	return weft_spans_step(constraint->spans[way->cursor.node->id], &way->cursor.spans, byte);
}

static gboolean step_number(const WeftConstraint *constraint, WeftWay *way, guint8 byte)
{
	return weft_numbers_step(way->cursor.node->numbers, &way->cursor.number, byte);
}

static gboolean begin_string(const WeftConstraint *constraint, const WeftNode *node,
			     WeftCursor *cursor)
{
	if (node->is_verbatim && constraint->spans) {
		cursor->kind = WEFT_CURSOR_SPANS;
		return weft_spans_begin(constraint->spans[node->id], &cursor->spans);
	}
	cursor->kind = node->lexeme ? WEFT_CURSOR_LEXEME : WEFT_CURSOR_TEXT;
	if (node->lexeme)
		cursor->lexeme = weft_lexeme_begin(node->lexeme);
	return TRUE;
}

static gboolean begin_number(const WeftConstraint *constraint, WeftWay *way, guint8 byte)
{
	const WeftNode *node = way->cursor.node;
	if (!node->is_verbatim || !constraint->spans) {
		way->cursor.kind = WEFT_CURSOR_NUMBER;
		return step_number(constraint, way, byte);
	}
	way->cursor.kind = WEFT_CURSOR_FIGURE;
	return weft_spans_begin(constraint->spans[node->id], &way->cursor.spans) &&
	       step_figure(constraint, way, byte);
}

/* Adds the ways on which a value of `node` begins with `byte` inside `level`. */
static void begin_value(WeftConstraint *to, const WeftLevel *level, const WeftNode *node,
			guint8 byte)
{
	WeftWay way = {.level = level};
	gboolean fits = FALSE;
	if (!weft_level_has_room(level, node))
		return;
	weft_cursor_begin(&way.cursor, WEFT_CURSOR_GAP, node);
	switch (node->kind) {
	case WEFT_NODE_BRANCHES:
		for (guint i = 0; i < node->branches->len; i++)
			begin_value(to, level, weft_node_branch(node, i), byte);
		return;
	case WEFT_NODE_LITERALS:
		way.cursor.kind = WEFT_CURSOR_LITERAL;
		way.cursor.range.end = weft_way_texts(to, node)->n;
		fits = step_literal(to, &way, byte);
		break;
	case WEFT_NODE_STRING:
		if (weft_level_differs(level, node))
			weft_map_key_begin(to, level, &way.cursor);
		fits = byte == '"' && (way.cursor.kind != WEFT_CURSOR_GAP ||
				       begin_string(to, node, &way.cursor));
		break;
	case WEFT_NODE_NUMBER:
		fits = begin_number(to, &way, byte);
		break;
	case WEFT_NODE_ARRAY:
	case WEFT_NODE_OBJECT:
	case WEFT_NODE_MAP:
		way.cursor.node = NULL;
		fits = byte == (node->kind == WEFT_NODE_ARRAY ? '[' : '{');
		if (fits)
			way.level = weft_level_open(to, level, node);
		break;
	}
	if (fits)
		weft_ways_add(to, &way);
}

/* NULL: the array ends here. */
static const WeftLevel *next_item(const WeftConstraint *constraint, const WeftLevel *level)
{
	const WeftNode *array = level->node;
	const WeftNode *item = level->index < array->n_max ? weft_node_item(array, level->index)
							   : NULL;
	if (!item || !weft_level_has_room(level, item) ||
	    (array->items_differ && item == array->items && !weft_map_has_next(constraint, level)))
		return NULL;
	return weft_level_next_item(constraint, level);
}

/* Between values; `byte` is none of theirs. */
static void step_gap(WeftConstraint *to, const WeftWay *way, guint8 byte)
{
	const WeftLevel *level = way->level;
	WeftWay next = {.level = level};
	weft_cursor_begin(&next.cursor, WEFT_CURSOR_GAP, NULL);
	gboolean is_first = level && level->index == 0;
	if (!level)
		return;
	gboolean is_array = level->node->kind == WEFT_NODE_ARRAY;
	if (byte == (is_array ? ']' : '}')) {
		next.level = level->below;
		if (weft_level_may_close(level))
			weft_ways_add(to, &next);
		return;
	}
	if (!is_array && byte != (is_first ? '"' : ','))
		return;
	if (is_array) {
		if ((!is_first && byte != ',') || !(next.level = next_item(to, level)))
			return;
		const WeftNode *item = weft_node_item(level->node, level->index);
		if (is_first) {
			begin_value(to, next.level, item, byte);
			return;
		}
		weft_cursor_begin(&next.cursor, WEFT_CURSOR_VALUE, item);
	} else if (level->node->kind == WEFT_NODE_OBJECT) {
		if (!weft_key_begin(to, level, &next.cursor) ||
		    (is_first && !weft_key_step(to, &next, byte)))
			return;
	} else {
		if (!weft_map_has_next(to, level))
			return;
		weft_cursor_begin(&next.cursor, WEFT_CURSOR_NEW_KEY, level->node);
		if (is_first)
			weft_map_key_begin(to, level, &next.cursor);
	}
	weft_ways_add(to, &next);
}

/* Steps a cursor that stays one. */
static gboolean step_cursor(const WeftConstraint *constraint, WeftWay *way, guint8 byte)
{
	switch (way->cursor.kind) {
	case WEFT_CURSOR_LITERAL:
		return step_literal(constraint, way, byte);
	case WEFT_CURSOR_TEXT:
		return step_text(constraint, way, byte);
	case WEFT_CURSOR_LEXEME:
		return step_lexeme(constraint, way, byte);
	case WEFT_CURSOR_SPANS:
		return step_spans(constraint, way, byte);
	case WEFT_CURSOR_FIGURE:
		return step_figure(constraint, way, byte);
	case WEFT_CURSOR_NUMBER:
		return step_number(constraint, way, byte);
	case WEFT_CURSOR_KEY:
		return weft_key_step(constraint, way, byte);
	case WEFT_CURSOR_MAP_TEXT:
	case WEFT_CURSOR_MAP_LEXEME:
	case WEFT_CURSOR_MAP_SPANS:
		return weft_map_key_step(constraint, way, byte);
	case WEFT_CURSOR_NEW_KEY:
		weft_map_key_begin(constraint, way->level, &way->cursor);
		return byte == '"';
	case WEFT_CURSOR_COLON:
		weft_cursor_begin(&way->cursor, WEFT_CURSOR_VALUE, way->level->node->items);
		return byte == ':';
	default:
		return FALSE;
	}
}

/* A number, or a literal that is one, ends where the next byte is not its own. */
static gboolean may_end_here(const WeftConstraint *constraint, const WeftWay *way)
{
	const WeftCursor *cursor = &way->cursor;
	if (cursor->kind == WEFT_CURSOR_NUMBER)
		return weft_numbers_accepts(cursor->node->numbers, &cursor->number);
	if (cursor->kind == WEFT_CURSOR_FIGURE)
		return weft_spans_accepts(constraint->spans[cursor->node->id], &cursor->spans);
	if (cursor->kind != WEFT_CURSOR_LITERAL)
		return FALSE;
	const WeftText *text =
		&weft_way_texts(constraint, cursor->node)->sorted[cursor->range.first];
	return text->size_bytes == cursor->range.n_bytes &&
	       !(is_unique_item(way) && weft_level_is_taken(way->level, cursor->range.first));
}

void weft_way_step(WeftConstraint *to, const WeftWay *way, guint8 byte)
{
	if (way->cursor.kind == WEFT_CURSOR_VALUE) {
		begin_value(to, way->level, way->cursor.node, byte);
		return;
	}
	if (way->cursor.kind == WEFT_CURSOR_GAP) {
		step_gap(to, way, byte);
		return;
	}
	WeftWay next = *way;
	if (step_cursor(to, &next, byte)) {
		weft_ways_add(to, &next);
	} else if (may_end_here(to, way)) {
		next = *way;
		end_value(to, &next);
		step_gap(to, &next, byte);
	}
}

gboolean weft_way_is_complete(const WeftConstraint *constraint, const WeftWay *way)
{
	return !way->level && (way->cursor.kind == WEFT_CURSOR_GAP || may_end_here(constraint, way));
}

static gsize close_literal(const WeftConstraint *constraint, const WeftWay *way,
			   const WeftNode *node, WeftRange range)
{
	const WeftTexts *texts = weft_way_texts(constraint, node);
	if (is_unique_item(way))
		return weft_level_close_literal(constraint, way->level, &range);
	return weft_texts_shortest(texts, range.first, range.end) - range.n_bytes +
	       weft_level_close(way->level);
}

gsize weft_way_close(const WeftConstraint *constraint, const WeftWay *way)
{
	const WeftCursor *cursor = &way->cursor;
	const WeftNode *node = cursor->node;
	gsize rest = weft_level_close(way->level), own = 0;
	switch (cursor->kind) {
	case WEFT_CURSOR_GAP:
		return way->level && way->level->index == 0 ? weft_level_close_opened(way->level)
							    : rest;
	case WEFT_CURSOR_VALUE:
		if (node->kind == WEFT_NODE_LITERALS)
			return close_literal(constraint, way, node,
					     (WeftRange){0, node->literals->len, 0});
		if (weft_level_differs(way->level, node))
			return weft_map_key_close(constraint, way);
		own = node->least.bytes;
		break;
	case WEFT_CURSOR_LITERAL:
		return close_literal(constraint, way, node, cursor->range);
	case WEFT_CURSOR_TEXT:
		own = weft_free_text_close(&cursor->text, node->length_min) + 1;
		break;
	case WEFT_CURSOR_LEXEME:
		own = (gsize)weft_lexeme_close(node->lexeme, cursor->lexeme) + 1;
		break;
	case WEFT_CURSOR_SPANS:
		own = weft_spans_close_bytes(constraint->spans[node->id], &cursor->spans) + 1;
		break;
	case WEFT_CURSOR_FIGURE:
		own = weft_spans_close_bytes(constraint->spans[node->id], &cursor->spans);
		break;
	case WEFT_CURSOR_NUMBER:
		own = weft_numbers_close(node->numbers, &cursor->number);
		break;
	case WEFT_CURSOR_KEY:
		return weft_key_close(constraint, way);
	case WEFT_CURSOR_NEW_KEY:
	case WEFT_CURSOR_MAP_TEXT:
	case WEFT_CURSOR_MAP_LEXEME:
	case WEFT_CURSOR_MAP_SPANS:
		return weft_map_key_close(constraint, way);
	case WEFT_CURSOR_COLON:
		own = 1 + way->level->node->items->least.bytes;
		break;
	}
	return own + rest;
}

int weft_way_forced(const WeftConstraint *constraint, const WeftWay *way)
{
	const WeftCursor *cursor = &way->cursor;
	const WeftNode *node = cursor->node;
	switch (cursor->kind) {
	case WEFT_CURSOR_KEY:
		return weft_key_forced(constraint, way);
	case WEFT_CURSOR_COLON:
		return ':';
	case WEFT_CURSOR_NEW_KEY:
		return '"';
	case WEFT_CURSOR_TEXT:
		if (!weft_free_text_is_between(&cursor->text))
			return -2;
		return cursor->text.n < node->length_max ? -1 : '"';
	case WEFT_CURSOR_LEXEME:
		if (weft_lexeme_accepts(node->lexeme, cursor->lexeme))
			return -2;
		return weft_lexeme_forced(node->lexeme, cursor->lexeme);
	case WEFT_CURSOR_NUMBER:
		/* Where it may end, something else may follow. */
		if (weft_numbers_accepts(node->numbers, &cursor->number))
			return -2;
		return weft_numbers_forced(node->numbers, &cursor->number);
	case WEFT_CURSOR_VALUE:
		if (node->kind == WEFT_NODE_STRING)
			return '"';
		return node->kind == WEFT_NODE_ARRAY ? '['
		       : node->kind == WEFT_NODE_OBJECT || node->kind == WEFT_NODE_MAP ? '{' : -2;
	case WEFT_CURSOR_LITERAL:
		if (cursor->range.end - cursor->range.first > 1)
			return -2;
		return (guint8)weft_way_texts(constraint, node)
			->sorted[cursor->range.first].bytes[cursor->range.n_bytes];
	default:
		return -2;
	}
}

/* What texts that begin with the same `n_bytes` bytes go on with. */
static void add_texts(const WeftTexts *texts, const WeftRange *range, WeftByteSet *bytes)
{
	for (guint32 i = range->first; i < range->end; i++)
		if (texts->sorted[i].size_bytes > range->n_bytes)
			weft_byte_set_add(bytes, (guint8)texts->sorted[i].bytes[range->n_bytes]);
}

static void add_literals(const WeftConstraint *constraint, const WeftNode *node,
			 const WeftRange *range, WeftByteSet *bytes)
{
	if (range->end - range->first <= TEXTS_LISTED_MAX)
		add_texts(weft_way_texts(constraint, node), range, bytes);
	else
		weft_byte_set_add_all(bytes);
}

static void add_value(const WeftConstraint *constraint, const WeftNode *node, WeftByteSet *bytes)
{
	switch (node->kind) {
	case WEFT_NODE_BRANCHES:
		for (guint i = 0; i < node->branches->len; i++)
			add_value(constraint, weft_node_branch(node, i), bytes);
		break;
	case WEFT_NODE_LITERALS:
		add_literals(constraint, node,
			     &(WeftRange){0, weft_way_texts(constraint, node)->n, 0}, bytes);
		break;
	case WEFT_NODE_STRING:
		weft_byte_set_add(bytes, '"');
		break;
	case WEFT_NODE_NUMBER:
		weft_byte_set_add(bytes, '-');
		for (guint8 digit = '0'; digit <= '9'; digit++)
			weft_byte_set_add(bytes, digit);
		break;
	case WEFT_NODE_ARRAY:
		weft_byte_set_add(bytes, '[');
		break;
	case WEFT_NODE_OBJECT:
	case WEFT_NODE_MAP:
		weft_byte_set_add(bytes, '{');
		break;
	}
}

void weft_way_gap_bytes(const WeftConstraint *constraint, const WeftLevel *level,
			WeftByteSet *bytes)
{
	if (!level)
		return;
	gboolean is_array = level->node->kind == WEFT_NODE_ARRAY;
	weft_byte_set_add(bytes, is_array ? ']' : '}');
	if (level->index > 0)
		weft_byte_set_add(bytes, ',');
	else if (!is_array)
		weft_byte_set_add(bytes, '"');
	else if (weft_node_item(level->node, 0))
		add_value(constraint, weft_node_item(level->node, 0), bytes);
}

void weft_way_bytes(const WeftConstraint *constraint, const WeftWay *way, WeftByteSet *bytes)
{
	const WeftCursor *cursor = &way->cursor;
	switch (cursor->kind) {
	case WEFT_CURSOR_GAP:
		weft_way_gap_bytes(constraint, way->level, bytes);
		break;
	case WEFT_CURSOR_VALUE:
		add_value(constraint, cursor->node, bytes);
		break;
	case WEFT_CURSOR_LITERAL:
		add_literals(constraint, cursor->node, &cursor->range, bytes);
		if (may_end_here(constraint, way))
			weft_way_gap_bytes(constraint, way->level, bytes);
		break;
	case WEFT_CURSOR_KEY:
		add_literals(constraint, way->level->node, &cursor->range, bytes);
		break;
	case WEFT_CURSOR_NEW_KEY:
		weft_byte_set_add(bytes, '"');
		break;
	case WEFT_CURSOR_COLON:
		weft_byte_set_add(bytes, ':');
		break;
	default:
		weft_byte_set_add_all(bytes);
		break;
	}
}

static gboolean level_equal(const WeftLevel *a, const WeftLevel *b)
{
	while (a != b) {
		if (!a || !b || a->node != b->node || a->index != b->index ||
		    a->n_optional != b->n_optional || a->used != b->used || a->taken != b->taken ||
		    a->depth != b->depth)
			return FALSE;
		a = a->below;
		b = b->below;
	}
	return TRUE;
}

/* Where it can't be seen that two are alike, both are followed. */
static gboolean way_equal(const WeftWay *a, const WeftWay *b)
{
	return memcmp(&a->cursor, &b->cursor, sizeof(WeftCursor)) == 0 &&
	       level_equal(a->level, b->level);
}

void weft_ways_add(WeftConstraint *to, const WeftWay *way)
{
	for (guint i = 0; i < to->n_ways; i++)
		if (way_equal(&to->ways[i], way))
			return;
	if (to->n_ways < WEFT_CONSTRAINT_WAYS_MAX) {
		to->ways[to->n_ways++] = *way;
		return;
	}
	gsize least = weft_way_close(to, &to->ways[0]);
	for (guint i = 1; i < to->n_ways; i++)
		least = MIN(least, weft_way_close(to, &to->ways[i]));
	if (weft_way_close(to, way) < least)
		to->ways[to->n_ways - 1] = *way;
}
