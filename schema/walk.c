#include "schema/walk.h"

#include <string.h>

#include "schema/way.h"

/* Where a value stands that needs nothing of the rest, or a key of a map that is like no other, behind a
 * node of the trie. */
struct WeftWalkPlace {
	union {
		WeftFreeText text;
		WeftLexemeState lexeme;
		WeftSpansState spans;
		WeftNumberState number;
	};
	gboolean may_end;
	int last;            /* no larger byte may come; -1: none may */
	guint32 end;         /* the first node that is not below this place */
	guint8 byte;         /* of the node */
};

/* A value or key that is walked. */
typedef struct Value {
	WeftCursorKind kind;
	const WeftNode *node;
	const WeftSpans *spans;
	const WeftLevel *level;
	gboolean is_key;
	guint depth;         /* where the walk of it began */
	gsize key_bytes;     /* in front of that */
	gsize quote;         /* bytes that close it where it may end */
	gsize behind;        /* bytes that complete the document behind it, not of a key */
	WeftByteSet follows; /* bytes that may come behind it */
} Value;

void weft_walk_init(WeftWalk *walk, const WeftVocabulary *vocabulary)
{
	*walk = (WeftWalk){.vocabulary = vocabulary, .n_room = 256};
	walk->found = g_new(gint32, walk->n_room);
	walk->path = g_new(WeftConstraint, WEFT_WORD_BYTES_MAX + 1);
	walk->marks = g_new(WeftLevelsMark, WEFT_WORD_BYTES_MAX + 1);
	walk->places = g_new(WeftWalkPlace, WEFT_WORD_BYTES_MAX + 1);
}

void weft_walk_done(WeftWalk *walk)
{
	g_free(walk->found);
	g_free(walk->path);
	g_free(walk->marks);
	g_free(walk->places);
}

void weft_walk_begin(WeftWalk *walk, gsize limit, gsize close_before)
{
	walk->known = NULL;
	walk->finds_texts = FALSE;
	walk->limit = limit;
	walk->close_before = close_before;
	walk->growth = 0;
	walk->n_found = 0;
	walk->n_most = G_MAXSIZE;
}

void weft_walk_add(WeftWalk *walk, gint32 id)
{
	if (walk->n_found == walk->n_room) {
		walk->n_room *= 2;
		walk->found = g_renew(gint32, walk->found, walk->n_room);
	}
	walk->found[walk->n_found++] = id;
}

/* `close`: what completes the document behind it. */
static inline void add_token(WeftWalk *walk, guint32 id, gsize close)
{
	const gint32 *same = walk->finds_texts ? NULL : walk->vocabulary->same;
	if (close >= walk->limit || (walk->known && walk->known[id / 64] >> (id % 64) & 1))
		return;
	if (close > walk->close_before)
		walk->growth = MAX(walk->growth, close - walk->close_before);
	for (gint32 at = (gint32)id; at >= 0; at = same ? same[at] : -1)
		weft_walk_add(walk, at);
}

/* ---- inside a value ---- */

static inline gboolean place_step(const Value *value, WeftWalkPlace *place, guint8 byte)
{
	switch (value->kind) {
	case WEFT_CURSOR_TEXT:
	case WEFT_CURSOR_MAP_TEXT:
		return weft_free_text_step(&place->text, byte, value->node->length_max);
	case WEFT_CURSOR_NUMBER:
		return weft_numbers_step(value->node->numbers, &place->number, byte);
	case WEFT_CURSOR_LEXEME:
	case WEFT_CURSOR_MAP_LEXEME:
		place->lexeme = weft_lexeme_step(value->node->lexeme, place->lexeme, byte);
		return place->lexeme.id != WEFT_LEXEME_DEAD;
	default:
		return weft_spans_step(value->spans, &place->spans, byte);
	}
}

static gboolean place_may_end(const Value *value, const WeftWalkPlace *place)
{
	switch (value->kind) {
	case WEFT_CURSOR_TEXT:
	case WEFT_CURSOR_MAP_TEXT:
		return weft_free_text_is_between(&place->text) &&
		       place->text.n >= value->node->length_min;
	case WEFT_CURSOR_NUMBER:
		return weft_numbers_accepts(value->node->numbers, &place->number);
	case WEFT_CURSOR_LEXEME:
	case WEFT_CURSOR_MAP_LEXEME:
		return weft_lexeme_accepts(value->node->lexeme, place->lexeme);
	default:
		return weft_spans_accepts(value->spans, &place->spans);
	}
}

static gsize close_key(const Value *value, gsize rest, guint depth)
{
	gsize key_bytes = value->key_bytes + depth - value->depth + rest;
	return rest + weft_map_key_close_behind(value->level, key_bytes);
}

static inline gsize place_close(const Value *value, const WeftWalkPlace *place, guint depth)
{
	gsize rest = value->quote + value->behind;
	switch (value->kind) {
	case WEFT_CURSOR_TEXT:
		return weft_free_text_close(&place->text, value->node->length_min) + rest;
	case WEFT_CURSOR_NUMBER:
		return weft_numbers_close(value->node->numbers, &place->number) + rest;
	case WEFT_CURSOR_LEXEME:
		return weft_lexeme_close(value->node->lexeme, place->lexeme) + rest;
	case WEFT_CURSOR_MAP_TEXT:
		return close_key(value, weft_free_text_close(&place->text, value->node->length_min),
				 depth);
	case WEFT_CURSOR_MAP_LEXEME:
		return close_key(value, weft_lexeme_close(value->node->lexeme, place->lexeme), depth);
	default:
		return weft_spans_close_bytes(value->spans, &place->spans) + rest;
	}
}

static int place_last(const Value *value, const WeftWalkPlace *place)
{
	if (value->kind == WEFT_CURSOR_NUMBER)
		return '9';
	if (value->kind == WEFT_CURSOR_LEXEME || value->kind == WEFT_CURSOR_MAP_LEXEME)
		return weft_lexeme_last(value->node->lexeme, place->lexeme);
	return 255;
}

/* What the walk has to know of a place before it goes to the nodes below. */
static inline void settle_place(const Value *value, WeftWalkPlace *place, guint32 end)
{
	place->may_end = place_may_end(value, place);
	place->last = place_last(value, place);
	if (place->may_end)
		place->last = MAX(place->last, value->quote > 0 ? '"'
						: weft_byte_set_last(&value->follows));
	place->end = end;
}

static void walk_nodes(WeftWalk *walk, guint32 first, guint32 end);

/* The constraint behind the value, at that depth of the path. */
static void leave_value(WeftWalk *walk, const Value *value, guint depth)
{
	WeftConstraint *behind = &walk->path[depth];
	if (depth != value->depth)
		memcpy(behind, &walk->path[value->depth], G_STRUCT_OFFSET(WeftConstraint, ways));
	behind->n_ways = 1;
	behind->ways[0].level = value->level;
	weft_cursor_begin(&behind->ways[0].cursor, WEFT_CURSOR_GAP, NULL);
}

/* The same behind a key: what follows it depends on all of its bytes. */
static gboolean leave_key(WeftWalk *walk, const Value *value, guint depth)
{
	WeftConstraint *behind = &walk->path[depth];
	weft_constraint_copy(behind, &walk->path[value->depth]);
	for (guint at = value->depth + 1; at < depth; at++)
		if (!weft_constraint_advance(behind, walk->places[at].byte))
			return FALSE;
	return weft_constraint_advance(behind, '"');
}

/* Behind the quote, which is node `i`. */
static void walk_quote(WeftWalk *walk, const Value *value, guint32 i)
{
	const WeftTrieNode *node = &walk->trie->nodes[i];
	WeftLevels *levels = walk->path[value->depth].levels;
	WeftLevelsMark mark = weft_levels_mark(levels);
	if (!value->is_key)
		leave_value(walk, value, node->depth);
	if (!value->is_key || leave_key(walk, value, node->depth)) {
		if (node->id != WEFT_TRIE_NONE)
			add_token(walk, node->id, weft_constraint_close_bytes(&walk->path[node->depth]));
		if (i + 1 < node->next)
			walk_nodes(walk, i + 1, node->next);
	}
	weft_levels_release(levels, mark);
}

/* On from behind the value, which may end in front of node `i`: a quote belongs to it, what follows a
 * number does not. */
static void walk_behind(WeftWalk *walk, const Value *value, guint32 i)
{
	const WeftTrieNode *node = &walk->trie->nodes[i];
	if (value->quote > 0) {
		if (node->byte == '"')
			walk_quote(walk, value, i);
	} else if (weft_byte_set_has(&value->follows, (guint8)node->byte)) {
		leave_value(walk, value, node->depth - 1u);
		walk_nodes(walk, i, node->next);
	}
}

/* FALSE: the constraint is at no such value. */
static gboolean value_init(const WeftConstraint *constraint, guint depth, Value *value,
			   WeftWalkPlace *place)
{
	const WeftCursor *cursor = &constraint->ways[0].cursor;
	if (constraint->n_ways > 1 || cursor->rivals)
		return FALSE;
	*value = (Value){.kind = cursor->kind, .node = cursor->node, .quote = 1, .depth = depth,
			 .level = constraint->ways[0].level, .key_bytes = cursor->key_bytes};
	switch (cursor->kind) {
	case WEFT_CURSOR_MAP_TEXT:
	case WEFT_CURSOR_TEXT:
		place->text = cursor->text;
		break;
	case WEFT_CURSOR_MAP_LEXEME:
	case WEFT_CURSOR_LEXEME:
		place->lexeme = cursor->lexeme;
		break;
	case WEFT_CURSOR_NUMBER:
		place->number = cursor->number;
		value->quote = 0;
		break;
	case WEFT_CURSOR_SPANS:
	case WEFT_CURSOR_FIGURE:
		place->spans = cursor->spans;
		value->spans = constraint->spans[cursor->node->id];
		value->quote = cursor->kind == WEFT_CURSOR_SPANS;
		break;
	default:
		return FALSE;
	}
	value->is_key = cursor->kind == WEFT_CURSOR_MAP_TEXT || cursor->kind == WEFT_CURSOR_MAP_LEXEME;
	value->behind = weft_level_close(value->level);
	weft_way_gap_bytes(constraint, value->level, &value->follows);
	return TRUE;
}

/* Nodes [first, end) behind path[depth]. FALSE: that is at no such value. */
static gboolean walk_value(WeftWalk *walk, guint depth, guint32 first, guint32 end)
{
	const WeftTrieNode *nodes = walk->trie->nodes;
	Value value;

	if (!value_init(&walk->path[depth], depth, &value, &walk->places[depth]))
		return FALSE;
	settle_place(&value, &walk->places[depth], end);
	for (guint32 i = first; i < end && walk->n_found < walk->n_most;) {
		const WeftTrieNode *node = &nodes[i];
		const WeftWalkPlace *before = &walk->places[node->depth - 1];
		WeftWalkPlace *now = &walk->places[node->depth];
		if ((int)node->byte > before->last) {
			i = before->end;
			continue;
		}
		*now = *before;
		now->byte = (guint8)node->byte;
		if (place_step(&value, now, (guint8)node->byte)) {
			if (node->id != WEFT_TRIE_NONE)
				add_token(walk, node->id, place_close(&value, now, node->depth));
			i++;
			if (i < node->next)
				settle_place(&value, now, node->next);
			continue;
		}
		if (before->may_end)
			walk_behind(walk, &value, i);
		i = node->next;
	}
	return TRUE;
}

/* ---- everywhere else ---- */

/* Of the nodes beside each other from `i` on the first whose byte may come, or `end`. */
static guint32 seek(const WeftTrie *trie, guint32 i, guint32 end, const WeftByteSet *bytes, int last)
{
	const WeftTrieNode *nodes = trie->nodes;
	if (i < end && nodes[i].depth == 1) {
		/* They lie far apart. */
		for (guint byte = weft_byte_set_from(bytes, nodes[i].byte); byte < 256;
		     byte = weft_byte_set_from(bytes, byte + 1))
			if (trie->roots[byte] < trie->n_nodes)
				return trie->roots[byte] < end ? trie->roots[byte] : end;
		return end;
	}
	while (i < end && !weft_byte_set_has(bytes, (guint8)nodes[i].byte))
		i = (int)nodes[i].byte > last ? end : nodes[i].next;
	return i;
}

/* Nodes [first, end), all that are below one, or the whole trie; path[] has the constraint in front of
 * them. As deep as the longest token at most. */
static void walk_nodes(WeftWalk *walk, guint32 first, guint32 end)
{
	const WeftTrieNode *nodes = walk->trie->nodes;
	guint depth = nodes[first].depth - 1u;
	const WeftConstraint *before = &walk->path[depth];
	WeftConstraint *now = &walk->path[depth + 1];
	WeftLevels *levels = before->levels;
	WeftByteSet bytes = {0};
	if (walk_value(walk, depth, first, end))
		return;
	for (guint i = 0; i < before->n_ways; i++)
		weft_way_bytes(before, &before->ways[i], &bytes);
	int last = weft_byte_set_last(&bytes);
	walk->marks[depth] = weft_levels_mark(levels);
	for (guint32 i = seek(walk->trie, first, end, &bytes, last);
	     i < end && walk->n_found < walk->n_most;
	     i = seek(walk->trie, nodes[i].next, end, &bytes, last)) {
		const WeftTrieNode *node = &nodes[i];
		weft_constraint_copy(now, before);
		if (weft_constraint_advance(now, (guint8)node->byte)) {
			if (node->id != WEFT_TRIE_NONE)
				add_token(walk, node->id, weft_constraint_close_bytes(now));
			if (i + 1 < node->next)
				walk_nodes(walk, i + 1, node->next);
		}
		weft_levels_release(levels, walk->marks[depth]);
	}
}

void weft_walk(WeftWalk *walk)
{
	if (walk->trie->n_nodes > 0 && walk->path[0].n_ways > 0)
		walk_nodes(walk, 0, walk->trie->n_nodes);
}

/* The node of the trie that the bytes lead to, or its end. */
static guint32 find_node(const WeftTrie *trie, const char *head, gsize size_bytes)
{
	guint32 i = 0, end = trie->n_nodes;
	gsize n = 0;
	while (i < end) {
		if (trie->nodes[i].byte != (guint8)head[n]) {
			i = trie->nodes[i].next;
			continue;
		}
		if (++n == size_bytes)
			return i;
		end = trie->nodes[i].next;
		i++;
	}
	return trie->n_nodes;
}

gboolean weft_walk_spans(WeftWalk *walk, const WeftConstraint *behind, const char *head,
			 gsize size_bytes)
{
	const WeftTrie *trie = &walk->vocabulary->all;
	guint32 first = find_node(trie, head, size_bytes);
	if (first == trie->n_nodes || first + 1 == trie->nodes[first].next)
		return FALSE;
	weft_walk_begin(walk, G_MAXSIZE, 0);
	walk->trie = trie;
	walk->n_most = 1;
	weft_constraint_copy(&walk->path[trie->nodes[first].depth], behind);
	walk_nodes(walk, first + 1, trie->nodes[first].next);
	return walk->n_found > 0;
}
