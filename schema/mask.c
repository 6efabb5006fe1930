#include "schema/mask.h"

#include <string.h>

#include "schema/mask_key.h"
#include "schema/walk.h"
#include "schema/way.h"

/* The most bytes by which a token that stays inside a string puts its end further away: the rest of an
 * escape, or of a character. */
#define ESCAPE_REST_MAX 4
/* Characters of one byte that go on in a string are more by far: one leads past all of so many keys. */
#define RIVALS_MAX 64u
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
	WeftWalk walk;
	guint64 *bits;           /* a set that is empty between calls */
	Entry *loose;            /* the last one that is not kept */
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
	weft_walk_init(&masks->walk, vocabulary);
	masks->bits = g_new0(guint64, vocabulary->n_words);
	return masks;
}

void weft_masks_free(WeftMasks *masks)
{
	if (!masks)
		return;
	g_hash_table_unref(masks->entries);
	weft_walk_done(&masks->walk);
	entry_free(masks->loose);
	g_free(masks->bits);
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

/* ---- inside strings ---- */

/* What a string of any text may still have. */
typedef struct Room {
	guint32 n_chars_min, n_chars_max;
} Room;

/* Whether a token that ends the string behind `n_chars` may come. */
static gboolean may_leave(const Room *room, guint32 n_chars)
{
	return n_chars >= room->n_chars_min && n_chars <= room->n_chars_max;
}

/* Tokens that end the string; those that do nothing else only where `ended` does not have them. */
static void find_exits(WeftMasks *masks, const WeftConstraint *constraint, const Room *room)
{
	const WeftVocabulary *vocabulary = masks->vocabulary;
	WeftWalk *walk = &masks->walk;
	walk->trie = &vocabulary->exits;
	walk->finds_texts = TRUE;
	weft_constraint_copy(&walk->path[0], constraint);
	weft_cursor_begin(&walk->path[0].ways[0].cursor, WEFT_CURSOR_GAP, NULL);
	weft_walk(walk);
	gsize n_texts = walk->n_found;
	g_autofree gint32 *texts = g_memdup2(walk->found, n_texts * sizeof(gint32));
	walk->n_found = 0;
	for (gsize i = 0; room->n_chars_min > 0 && i < vocabulary->n_endings; i++)
		if (may_leave(room, vocabulary->endings[i].n_chars))
			weft_walk_add(walk, vocabulary->endings[i].id);
	for (gsize i = 0; i < n_texts; i++)
		for (guint32 at = vocabulary->exit_first[texts[i]];
		     at < vocabulary->exit_first[texts[i] + 1]; at++)
			if (may_leave(room, vocabulary->exit_tokens[at].n_chars))
				weft_walk_add(walk, vocabulary->exit_tokens[at].id);
}

/* TRUE when the constraint stands between two characters of one string about which nothing is known
 * but its length, and nothing is written down of it. */
static gboolean is_in_any_text(const WeftConstraint *constraint, Room *room)
{
	const WeftCursor *cursor = &constraint->ways[0].cursor;
	const WeftNode *node = cursor->node;
	if (constraint->n_ways > 1)
		return FALSE;
	if (cursor->kind == WEFT_CURSOR_LEXEME)
		return weft_lexeme_is_free(node->lexeme, cursor->lexeme, &room->n_chars_min,
					   &room->n_chars_max);
	if (cursor->kind != WEFT_CURSOR_TEXT || !weft_free_text_is_between(&cursor->text))
		return FALSE;
	guint32 n = cursor->text.n;
	room->n_chars_min = node->length_min > n ? node->length_min - n : 0;
	room->n_chars_max = node->length_max - n;
	return TRUE;
}

/* FALSE: it is not such a place, or too near the limit. */
static gboolean build_any_text(WeftMasks *masks, const WeftConstraint *constraint, Entry *entry)
{
	const WeftVocabulary *vocabulary = masks->vocabulary;
	WeftWalk *walk = &masks->walk;
	Room room;
	if (!is_in_any_text(constraint, &room) ||
	    (walk->limit != G_MAXSIZE && walk->close_before + ESCAPE_REST_MAX >= walk->limit))
		return FALSE;
	guint step = weft_vocabulary_step(vocabulary, room.n_chars_max);
	entry->mask.bits =
		room.n_chars_min > 0 ? vocabulary->inside[step] : vocabulary->ended[step];
	walk->growth = ESCAPE_REST_MAX;
	find_exits(masks, constraint, &room);
	return TRUE;
}

static guint32 way_room(const WeftWay *way)
{
	return way->cursor.node->length_max - way->cursor.text.n;
}

static guint n_rivals(const WeftWay *way)
{
	guint n = 0;
	for (const WeftRival *rival = way->cursor.rivals; rival && n <= RIVALS_MAX; rival = rival->next)
		n++;
	return n;
}

/* A way on which safe tokens may come as long as there is room, and nothing else counts. A key that may
 * become one that the map has already goes past it with one more character, where there is room for that
 * behind each token. */
static gboolean way_is_free(const WeftVocabulary *vocabulary, const WeftWay *way)
{
	const WeftCursor *cursor = &way->cursor;
	if (cursor->kind == WEFT_CURSOR_MAP_TEXT && cursor->rivals &&
	    (way_room(way) <= vocabulary->n_chars_max || n_rivals(way) > RIVALS_MAX))
		return FALSE;
	return (cursor->kind == WEFT_CURSOR_TEXT || cursor->kind == WEFT_CURSOR_MAP_TEXT) &&
	       weft_free_text_is_between(&cursor->text);
}

/* The safe tokens that the free ways allow, or NULL. Those are inside their strings, and so are all
 * other ways: a step there never makes more of them. Near the limit they are only offered where it is
 * clear that all of them fit; *ret_none_fits: none does. */
static const guint64 *safe_tokens(WeftMasks *masks, const WeftConstraint *constraint,
				  gboolean *ret_none_fits)
{
	const WeftVocabulary *vocabulary = masks->vocabulary;
	WeftWalk *walk = &masks->walk;
	const WeftWay *widest = NULL;
	for (guint i = 0; i < constraint->n_ways; i++) {
		const WeftWay *way = &constraint->ways[i];
		if (way_is_free(vocabulary, way) && (!widest || way_room(way) > way_room(widest)))
			widest = way;
	}
	if (!widest)
		return NULL;
	gsize close = weft_way_close(constraint, widest) + (widest->cursor.rivals ? 1 : 0);
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

static void others_of(const WeftVocabulary *vocabulary, const WeftConstraint *constraint,
		      WeftConstraint *others)
{
	weft_constraint_copy(others, constraint);
	others->n_ways = 0;
	for (guint i = 0; i < constraint->n_ways; i++)
		if (!way_is_free(vocabulary, &constraint->ways[i]))
			others->ways[others->n_ways++] = constraint->ways[i];
}

/* Puts the tokens that were found into the entry, in order and none twice. */
static void sort_found(WeftMasks *masks, Entry *entry)
{
	const gint32 *found = masks->walk.found;
	gsize n = 0, n_words = masks->vocabulary->n_words;
	for (gsize i = 0; i < masks->walk.n_found; i++) {
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

static void build_any(WeftMasks *masks, const WeftConstraint *constraint, Entry *entry)
{
	const WeftVocabulary *vocabulary = masks->vocabulary;
	WeftWalk *walk = &masks->walk;
	gboolean none_fits = FALSE;
	entry->mask.bits = safe_tokens(masks, constraint, &none_fits);
	walk->trie = entry->mask.bits || none_fits ? &vocabulary->crossing : &vocabulary->all;
	weft_constraint_copy(&walk->path[0], constraint);
	weft_walk(walk);
	if (!entry->mask.bits)
		return;
	walk->trie = &vocabulary->all;
	walk->known = entry->mask.bits;
	others_of(vocabulary, constraint, &walk->path[0]);
	weft_walk(walk);
}

static Entry *build(WeftMasks *masks, const WeftConstraint *constraint, gsize limit)
{
	Entry *entry = g_new0(Entry, 1);
	WeftWalk *walk = &masks->walk;
	weft_walk_begin(walk, limit, weft_constraint_close_bytes(constraint));
	if (!build_any_text(masks, constraint, entry))
		build_any(masks, constraint, entry);
	entry->growth = walk->growth;
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

gboolean weft_masks_spans(WeftMasks *masks, const WeftConstraint *behind, const char *head,
			  gsize size_bytes)
{
	return weft_walk_spans(&masks->walk, behind, head, size_bytes);
}
