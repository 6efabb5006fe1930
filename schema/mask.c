#include "schema/mask.h"

#include <string.h>

#include "schema/mask_key.h"
#include "schema/way.h"

/* The most bytes by which a token that stays inside a string puts its end further away: the rest of an
 * escape, or of a character. */
#define ESCAPE_REST_MAX 4
/* More ids than this are kept as a set of bits. */
#define IDS_MAX 1000u

typedef struct Entry {
	WeftMaskKey key;
	WeftMask mask;
	gint32 *own_ids;
	guint64 *own_bits;
	gsize size_bytes;
	gsize growth;    /* most bytes by which a token of the mask puts the end further away */
	GList link;      /* in `recent` */
} Entry;

struct WeftMasks {
	const WeftVocabulary *vocabulary;
	gsize bytes_max, size_bytes;
	guint64 n_texts;
	GHashTable *entries;     /* owns */
	GQueue recent;           /* the last used first */
	GArray *found;           /* gint32: a walk's tokens */
	guint64 *bits;           /* a set that is empty between calls */
	Entry *loose;            /* the last one that is not kept */
	WeftConstraint *path;    /* [WEFT_WORD_BYTES_MAX + 1] */
	WeftLevelsMark *marks;   /* beside it */
};

static guint key_hash(gconstpointer key)
{
	return (guint)((const WeftMaskKey *)key)->high;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(WeftMaskKey)) == 0;
}

static void entry_free(gpointer data)
{
	Entry *entry = data;
	if (!entry)
		return;
	g_free(entry->own_ids);
	g_free(entry->own_bits);
	g_free(entry);
}

WeftMasks *weft_masks_new(const WeftVocabulary *vocabulary, gsize bytes_max)
{
	WeftMasks *masks = g_new0(WeftMasks, 1);
	masks->vocabulary = vocabulary;
	masks->bytes_max = bytes_max;
	masks->entries = g_hash_table_new_full(key_hash, key_equal, NULL, entry_free);
	g_queue_init(&masks->recent);
	masks->found = g_array_new(FALSE, FALSE, sizeof(gint32));
	masks->bits = g_new0(guint64, vocabulary->n_words);
	masks->path = g_new(WeftConstraint, WEFT_WORD_BYTES_MAX + 1);
	masks->marks = g_new(WeftLevelsMark, WEFT_WORD_BYTES_MAX + 1);
	return masks;
}

void weft_masks_free(WeftMasks *masks)
{
	if (!masks)
		return;
	g_hash_table_unref(masks->entries);
	g_array_unref(masks->found);
	entry_free(masks->loose);
	g_free(masks->bits);
	g_free(masks->path);
	g_free(masks->marks);
	g_free(masks);
}

const WeftVocabulary *weft_masks_vocabulary(const WeftMasks *masks)
{
	return masks->vocabulary;
}

guint64 weft_masks_text_key(WeftMasks *masks)
{
	return ++masks->n_texts;
}

gboolean weft_mask_has(const WeftMask *mask, gint32 id)
{
	gsize first = 0, end = mask->n_ids;
	if (mask->bits && mask->bits[id / 64] >> (id % 64) & 1)
		return TRUE;
	while (first < end) {
		gsize middle = (first + end) / 2;
		if (mask->ids[middle] == id)
			return TRUE;
		if (mask->ids[middle] < id)
			first = middle + 1;
		else
			end = middle;
	}
	return FALSE;
}

/* Tokens that a walk through a trie finds. */
typedef struct Walk {
	const WeftTrie *trie;
	const guint64 *known; /* tokens that are not looked for; NULL: none */
	gsize limit;
	gsize close_before;
	gsize growth;         /* so far */
	gboolean finds_texts; /* of `exits`, not tokens */
	guint32 n_chars_min, n_chars_max; /* that the string may still have */
} Walk;

/* `close`: what completes the document behind it. */
static void add_token(WeftMasks *masks, Walk *walk, guint32 id, gsize close)
{
	const gint32 *same = walk->finds_texts ? NULL : masks->vocabulary->same;
	if (close >= walk->limit || (walk->known && walk->known[id / 64] >> (id % 64) & 1))
		return;
	if (close > walk->close_before)
		walk->growth = MAX(walk->growth, close - walk->close_before);
	for (gint32 at = (gint32)id; at >= 0; at = same ? same[at] : -1)
		g_array_append_val(masks->found, at);
}

static void find_token(WeftMasks *masks, Walk *walk, const WeftConstraint *behind, guint32 id)
{
	add_token(masks, walk, id, weft_constraint_close_bytes(behind));
}

/* Nodes [first, end) and what is below them; path[] has where the walk stands in front of them. */
static void walk_nodes(WeftMasks *masks, Walk *walk, guint32 first, guint32 end)
{
	const WeftTrieNode *nodes = walk->trie->nodes;
	if (first == end)
		return;
	guint depth = nodes[first].depth - 1u;
	WeftLevels *levels = masks->path[depth].levels;
	masks->marks[depth] = weft_levels_mark(levels);
	for (guint32 i = first; i < end;) {
		const WeftTrieNode *node = &nodes[i];
		WeftConstraint *now = &masks->path[node->depth];
		weft_levels_release(levels, masks->marks[node->depth - 1]);
		weft_constraint_copy(now, &masks->path[node->depth - 1]);
		if (!weft_constraint_advance(now, (guint8)node->byte)) {
			i = node->next;
			continue;
		}
		masks->marks[node->depth] = weft_levels_mark(levels);
		if (node->id != WEFT_TRIE_NONE)
			find_token(masks, walk, now, node->id);
		i++;
	}
	weft_levels_release(levels, masks->marks[depth]);
}

/* ---- inside strings ---- */

/* The constraint behind the value that its only way is in. */
static void behind_value(const WeftConstraint *constraint, WeftConstraint *behind)
{
	weft_constraint_copy(behind, constraint);
	weft_cursor_begin(&behind->ways[0].cursor, WEFT_CURSOR_GAP, NULL);
}

/* Where a cursor stands that needs nothing of the rest. */
typedef union Inner {
	WeftLexemeState lexeme;
	WeftSpansState spans;
	WeftNumberState number;
} Inner;

typedef struct InnerWalk {
	WeftCursorKind kind;
	const WeftNode *node;
	const WeftSpans *spans;
	gsize quote; /* bytes that close the value where it may end */
} InnerWalk;

static gboolean inner_step(const InnerWalk *inner, Inner *state, guint8 byte)
{
	if (inner->kind == WEFT_CURSOR_NUMBER)
		return weft_numbers_step(inner->node->numbers, &state->number, byte);
	if (inner->kind != WEFT_CURSOR_LEXEME)
		return weft_spans_step(inner->spans, &state->spans, byte);
	state->lexeme = weft_lexeme_step(inner->node->lexeme, state->lexeme, byte);
	return state->lexeme.id != WEFT_LEXEME_DEAD;
}

static gboolean inner_may_end(const InnerWalk *inner, const Inner *state)
{
	if (inner->kind == WEFT_CURSOR_NUMBER)
		return weft_numbers_accepts(inner->node->numbers, &state->number);
	return inner->kind == WEFT_CURSOR_LEXEME
		       ? weft_lexeme_accepts(inner->node->lexeme, state->lexeme)
		       : weft_spans_accepts(inner->spans, &state->spans);
}

static gsize inner_close(const InnerWalk *inner, const Inner *state)
{
	if (inner->kind == WEFT_CURSOR_NUMBER)
		return weft_numbers_close(inner->node->numbers, &state->number);
	return inner->quote + (inner->kind == WEFT_CURSOR_LEXEME
				       ? weft_lexeme_close(inner->node->lexeme, state->lexeme)
				       : weft_spans_close_bytes(inner->spans, &state->spans));
}

/* The trie from behind such a value on, whose end node `i` is: a quote belongs to it, what follows a
 * number does not. */
static void walk_behind(WeftMasks *masks, Walk *walk, const WeftConstraint *constraint,
			const InnerWalk *inner, guint32 i)
{
	const WeftTrieNode *node = &walk->trie->nodes[i];
	if (inner->quote == 0) {
		behind_value(constraint, &masks->path[node->depth - 1]);
		walk_nodes(masks, walk, i, node->next);
	} else if (node->byte == '"') {
		behind_value(constraint, &masks->path[node->depth]);
		if (node->id != WEFT_TRIE_NONE)
			find_token(masks, walk, &masks->path[node->depth], node->id);
		walk_nodes(masks, walk, i + 1, node->next);
	}
}

/* FALSE: the constraint is at no such place. */
static gboolean walk_inner(WeftMasks *masks, Walk *walk, const WeftConstraint *constraint)
{
	const WeftCursor *cursor = &constraint->ways[0].cursor;
	const WeftTrieNode *nodes = walk->trie->nodes;
	Inner states[WEFT_WORD_BYTES_MAX + 1];
	InnerWalk inner = {.kind = cursor->kind, .node = cursor->node, .quote = 1};
	gsize behind = weft_level_close(constraint->ways[0].level);
	if (cursor->kind == WEFT_CURSOR_LEXEME) {
		states[0].lexeme = cursor->lexeme;
	} else if (cursor->kind == WEFT_CURSOR_NUMBER) {
		states[0].number = cursor->number;
		inner.quote = 0;
	} else if (cursor->kind == WEFT_CURSOR_SPANS || cursor->kind == WEFT_CURSOR_FIGURE) {
		states[0].spans = cursor->spans;
		inner.spans = constraint->spans[cursor->node->id];
		inner.quote = cursor->kind == WEFT_CURSOR_SPANS;
	}
	if (constraint->n_ways > 1 || (cursor->kind != WEFT_CURSOR_LEXEME &&
				       cursor->kind != WEFT_CURSOR_NUMBER && !inner.spans))
		return FALSE;
	for (guint32 i = 0; i < walk->trie->n_nodes;) {
		const WeftTrieNode *node = &nodes[i];
		const Inner *before = &states[node->depth - 1];
		Inner *now = &states[node->depth];
		*now = *before;
		if (inner_step(&inner, now, (guint8)node->byte)) {
			if (node->id != WEFT_TRIE_NONE)
				add_token(masks, walk, node->id, inner_close(&inner, now) + behind);
			i++;
			continue;
		}
		if (inner_may_end(&inner, before))
			walk_behind(masks, walk, constraint, &inner, i);
		i = node->next;
	}
	return TRUE;
}

/* Whether a token that ends the string behind `n_chars` may come. */
static gboolean may_leave(const Walk *walk, guint32 n_chars)
{
	return n_chars >= walk->n_chars_min && n_chars <= walk->n_chars_max;
}

static void walk_exits(WeftMasks *masks, Walk *walk, const WeftConstraint *constraint)
{
	const WeftVocabulary *vocabulary = masks->vocabulary;
	g_autofree gint32 *texts = NULL;
	walk->trie = &vocabulary->exits;
	behind_value(constraint, &masks->path[0]);
	for (gsize i = 0; walk->n_chars_min > 0 && i < vocabulary->n_endings; i++)
		if (may_leave(walk, vocabulary->endings[i].n_chars))
			g_array_append_val(masks->found, vocabulary->endings[i].id);
	guint n_found = masks->found->len;
	walk->finds_texts = TRUE;
	walk_nodes(masks, walk, 0, walk->trie->n_nodes);
	guint n_texts = masks->found->len - n_found;
	if (n_texts > 0)
		texts = g_memdup2(&g_array_index(masks->found, gint32, n_found),
				  n_texts * sizeof(gint32));
	g_array_set_size(masks->found, n_found);
	for (guint i = 0; i < n_texts; i++)
		for (guint32 at = vocabulary->exit_first[texts[i]];
		     at < vocabulary->exit_first[texts[i] + 1]; at++)
			if (may_leave(walk, vocabulary->exit_tokens[at].n_chars))
				g_array_append_val(masks->found, vocabulary->exit_tokens[at].id);
}

/* TRUE when the constraint stands between two characters of one string about which nothing is known
 * but its length, and nothing is written down of it. */
static gboolean is_in_any_text(const WeftConstraint *constraint, Walk *walk)
{
	const WeftCursor *cursor = &constraint->ways[0].cursor;
	const WeftNode *node = cursor->node;
	if (constraint->n_ways > 1)
		return FALSE;
	if (cursor->kind == WEFT_CURSOR_LEXEME)
		return weft_lexeme_is_free(node->lexeme, cursor->lexeme, &walk->n_chars_min,
					   &walk->n_chars_max);
	if (cursor->kind != WEFT_CURSOR_TEXT || !weft_free_text_is_between(&cursor->text))
		return FALSE;
	guint32 n = cursor->text.n;
	walk->n_chars_min = node->length_min > n ? node->length_min - n : 0;
	walk->n_chars_max = node->length_max - n;
	return TRUE;
}

/* FALSE: it is not such a place, or too near the limit. */
static gboolean build_any_text(WeftMasks *masks, const WeftConstraint *constraint, Walk *walk,
			       Entry *entry)
{
	const WeftVocabulary *vocabulary = masks->vocabulary;
	if (!is_in_any_text(constraint, walk) ||
	    (walk->limit != G_MAXSIZE && walk->close_before + ESCAPE_REST_MAX >= walk->limit))
		return FALSE;
	guint step = weft_vocabulary_step(vocabulary, walk->n_chars_max);
	entry->mask.bits =
		walk->n_chars_min > 0 ? vocabulary->inside[step] : vocabulary->ended[step];
	walk->growth = ESCAPE_REST_MAX;
	walk_exits(masks, walk, constraint);
	return TRUE;
}

/* A way on which safe tokens may come as long as there is room, and nothing else counts. */
static gboolean way_is_free(const WeftWay *way)
{
	const WeftCursor *cursor = &way->cursor;
	if (cursor->kind == WEFT_CURSOR_MAP_TEXT && cursor->rivals)
		return FALSE;
	return (cursor->kind == WEFT_CURSOR_TEXT || cursor->kind == WEFT_CURSOR_MAP_TEXT) &&
	       weft_free_text_is_between(&cursor->text);
}

static guint32 way_room(const WeftWay *way)
{
	return way->cursor.node->length_max - way->cursor.text.n;
}

/* The safe tokens that the free ways allow, or NULL. Those are inside their strings, and so are all
 * other ways: a step there never makes more of them. Near the limit they are only offered where it is
 * clear that all of them fit; *ret_none_fits: none does. */
static const guint64 *safe_tokens(WeftMasks *masks, const WeftConstraint *constraint, Walk *walk,
				  gboolean *ret_none_fits)
{
	const WeftVocabulary *vocabulary = masks->vocabulary;
	const WeftWay *widest = NULL;
	for (guint i = 0; i < constraint->n_ways; i++) {
		const WeftWay *way = &constraint->ways[i];
		if (way_is_free(way) && (!widest || way_room(way) > way_room(widest)))
			widest = way;
	}
	if (!widest)
		return NULL;
	gsize close = weft_way_close(constraint, widest);
	if (close >= walk->limit) {
		gboolean is_short = widest->cursor.text.n < widest->cursor.node->length_min;
		if (constraint->n_ways > 1 || widest->cursor.kind != WEFT_CURSOR_TEXT ||
		    close > walk->limit)
			return NULL;
		/* Each character brings the end of a string nearer while it is too short. */
		*ret_none_fits = !is_short;
		if (!is_short)
			return NULL;
	}
	walk->growth = close - walk->close_before;
	return vocabulary->safe[weft_vocabulary_step(vocabulary, way_room(widest))];
}

static void others_of(const WeftConstraint *constraint, WeftConstraint *others)
{
	weft_constraint_copy(others, constraint);
	others->n_ways = 0;
	for (guint i = 0; i < constraint->n_ways; i++)
		if (!way_is_free(&constraint->ways[i]))
			others->ways[others->n_ways++] = constraint->ways[i];
}

/* Puts the tokens that were found into the entry, in order and none twice. */
static void sort_found(WeftMasks *masks, Entry *entry)
{
	const gint32 *found = (const gint32 *)(const void *)masks->found->data;
	gsize n = 0, n_words = masks->vocabulary->n_words;
	for (guint i = 0; i < masks->found->len; i++) {
		guint64 bit = (guint64)1 << (found[i] % 64);
		n += !(masks->bits[found[i] / 64] & bit);
		masks->bits[found[i] / 64] |= bit;
	}
	if (n > IDS_MAX && !entry->mask.bits) {
		entry->own_bits = g_new0(guint64, n_words);
		entry->mask.bits = entry->own_bits;
		memcpy(entry->own_bits, masks->bits, n_words * sizeof(guint64));
		entry->size_bytes = n_words * sizeof(guint64);
		memset(masks->bits, 0, n_words * sizeof(guint64));
		return;
	}
	entry->own_ids = g_new(gint32, n + 1);
	entry->mask.ids = entry->own_ids;
	for (gsize word = 0; word < n_words && entry->mask.n_ids < n; word++) {
		guint64 bits = masks->bits[word];
		masks->bits[word] = 0;
		for (; bits; bits &= bits - 1)
			entry->own_ids[entry->mask.n_ids++] =
				(gint32)(word * 64 + (gsize)__builtin_ctzll(bits));
	}
	entry->size_bytes = n * sizeof(gint32);
}

static void walk_whole(WeftMasks *masks, Walk *walk, const WeftTrie *trie)
{
	walk->trie = trie;
	walk_nodes(masks, walk, 0, trie->n_nodes);
}

static void build_any(WeftMasks *masks, const WeftConstraint *constraint, Walk *walk, Entry *entry)
{
	const WeftVocabulary *vocabulary = masks->vocabulary;
	gboolean none_fits = FALSE;
	entry->mask.bits = safe_tokens(masks, constraint, walk, &none_fits);
	weft_constraint_copy(&masks->path[0], constraint);
	walk_whole(masks, walk,
		   entry->mask.bits || none_fits ? &vocabulary->crossing : &vocabulary->all);
	if (!entry->mask.bits)
		return;
	others_of(constraint, &masks->path[0]);
	walk->known = entry->mask.bits;
	if (masks->path[0].n_ways > 0)
		walk_whole(masks, walk, &vocabulary->all);
}

static Entry *build(WeftMasks *masks, const WeftConstraint *constraint, gsize limit)
{
	Entry *entry = g_new0(Entry, 1);
	Walk walk = {.trie = &masks->vocabulary->all,
		     .limit = limit,
		     .close_before = weft_constraint_close_bytes(constraint)};
	g_array_set_size(masks->found, 0);
	if (!build_any_text(masks, constraint, &walk, entry) &&
	    !walk_inner(masks, &walk, constraint))
		build_any(masks, constraint, &walk, entry);
	entry->growth = walk.growth;
	sort_found(masks, entry);
	return entry;
}

static void drop_oldest(WeftMasks *masks)
{
	Entry *oldest = g_queue_peek_tail(&masks->recent);
	g_queue_unlink(&masks->recent, &oldest->link);
	masks->size_bytes -= oldest->size_bytes + sizeof(Entry);
	g_hash_table_remove(masks->entries, &oldest->key);
}

static void keep(WeftMasks *masks, Entry *entry, const WeftMaskKey *key)
{
	entry->key = *key;
	entry->link.data = entry;
	g_hash_table_insert(masks->entries, &entry->key, entry);
	g_queue_push_head_link(&masks->recent, &entry->link);
	masks->size_bytes += entry->size_bytes + sizeof(Entry);
	while (masks->size_bytes > masks->bytes_max && masks->recent.length > 1)
		drop_oldest(masks);
}

static WeftMask find_loose(WeftMasks *masks, const WeftConstraint *constraint, gsize limit)
{
	entry_free(masks->loose);
	masks->loose = build(masks, constraint, limit);
	return masks->loose->mask;
}

WeftMask weft_masks_find(WeftMasks *masks, const WeftConstraint *constraint, gsize limit)
{
	WeftMaskKey key;
	if (masks->bytes_max == 0 || !weft_mask_key(masks->vocabulary, constraint, &key))
		return find_loose(masks, constraint, limit);
	Entry *entry = g_hash_table_lookup(masks->entries, &key);
	if (entry) {
		g_queue_unlink(&masks->recent, &entry->link);
		g_queue_push_head_link(&masks->recent, &entry->link);
	} else {
		entry = build(masks, constraint, G_MAXSIZE);
		keep(masks, entry, &key);
	}
	if (limit != G_MAXSIZE &&
	    weft_constraint_close_bytes(constraint) + entry->growth >= limit)
		return find_loose(masks, constraint, limit);
	return entry->mask;
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

gboolean weft_masks_spans(WeftMasks *masks, const WeftConstraint *behind, const char *head,
			  gsize size_bytes)
{
	const WeftTrie *trie = &masks->vocabulary->all;
	guint32 first = find_node(trie, head, size_bytes);
	WeftLevels *levels = behind->levels;
	gboolean spans = FALSE;
	if (first == trie->n_nodes)
		return FALSE;
	guint depth = trie->nodes[first].depth;
	masks->marks[depth] = weft_levels_mark(levels);
	weft_constraint_copy(&masks->path[depth], behind);
	for (guint32 i = first + 1; i < trie->nodes[first].next && !spans;) {
		const WeftTrieNode *node = &trie->nodes[i];
		weft_levels_release(levels, masks->marks[node->depth - 1]);
		weft_constraint_copy(&masks->path[node->depth], &masks->path[node->depth - 1]);
		gboolean fits = weft_constraint_advance(&masks->path[node->depth],
							(guint8)node->byte);
		masks->marks[node->depth] = weft_levels_mark(levels);
		spans = fits && node->id != WEFT_TRIE_NONE;
		i = fits ? i + 1 : node->next;
	}
	weft_levels_release(levels, masks->marks[depth]);
	return spans;
}
