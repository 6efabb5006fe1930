#include <string.h>

#include "base/draw.h"
#include "schema/way.h"

#define BLOCK_BYTES ((gsize)16 << 10)

/* Blocks are filled one behind the other; those behind `block` are empty and kept. */
struct WeftLevels {
	GPtrArray *blocks;
	GArray *sizes; /* gsize */
	guint block;
	gsize used;
};

WeftLevels *weft_levels_new(void)
{
	WeftLevels *levels = g_new0(WeftLevels, 1);
	gsize size = BLOCK_BYTES;
	levels->blocks = g_ptr_array_new_with_free_func(g_free);
	levels->sizes = g_array_new(FALSE, FALSE, sizeof(gsize));
	g_ptr_array_add(levels->blocks, g_malloc(size));
	g_array_append_val(levels->sizes, size);
	return levels;
}

void weft_levels_free(WeftLevels *levels)
{
	if (!levels)
		return;
	g_ptr_array_unref(levels->blocks);
	g_array_unref(levels->sizes);
	g_free(levels);
}

WeftLevelsMark weft_levels_mark(const WeftLevels *levels)
{
	return (WeftLevelsMark){levels->block, levels->used};
}

void weft_levels_release(WeftLevels *levels, WeftLevelsMark mark)
{
	levels->block = mark.block;
	levels->used = mark.used;
}

gpointer weft_levels_alloc(WeftLevels *levels, gsize size_bytes)
{
	size_bytes = (size_bytes + 15) & ~(gsize)15;
	while (g_array_index(levels->sizes, gsize, levels->block) - levels->used < size_bytes) {
		levels->block++;
		levels->used = 0;
		if (levels->block < levels->blocks->len)
			continue;
		gsize size = MAX(BLOCK_BYTES, size_bytes);
		g_ptr_array_add(levels->blocks, g_malloc(size));
		g_array_append_val(levels->sizes, size);
	}
	guint8 *block = g_ptr_array_index(levels->blocks, levels->block);
	gpointer place = block + levels->used;
	levels->used += size_bytes;
	return place;
}

/* Least bytes of `n_missing` further members of a map, with a comma in front of each. Keys of any
 * text are as short as those that are there leave: one has no byte, 94 have one (that is what is
 * printable in ASCII but for " and \), all others that may be needed have two, or length_min. */
static gsize members_bytes(const WeftNode *map, gsize n_missing, const guint32 n_short[2])
{
	const WeftNode *keys = map->keys;
	gsize each = strlen(",\"\":") + map->items->least.bytes, sum = n_missing * each;
	if (n_missing == 0)
		return 0;
	if (keys->lexeme)
		return sum + n_missing * weft_lexeme_close(keys->lexeme,
							   weft_lexeme_begin(keys->lexeme));
	gsize free_keys[2] = {keys->length_min == 0 ? 1 : 0,
			      keys->length_min <= 1 && keys->length_max >= 1 ? 94 : 0};
	for (gsize size = 0; size < 2; size++) {
		gsize n = free_keys[size] > n_short[size] ? free_keys[size] - n_short[size] : 0;
		n = MIN(n, n_missing);
		sum += n * size;
		n_missing -= n;
	}
	return sum + n_missing * MAX(2, (gsize)keys->length_min);
}

/* Of literals that are not taken, the `n` shortest, with a comma in front of each. */
static gsize literals_bytes(const WeftConstraint *constraint, const WeftLevel *level, gsize n)
{
	const WeftTexts *texts = weft_way_texts(constraint, level->node->items);
	gsize sum = 0;
	for (guint32 i = 0; i < texts->n && n > 0; i++) {
		guint32 place = texts->by_size[i];
		if (weft_level_is_taken(level, place))
			continue;
		sum += 1 + texts->sorted[place].size_bytes;
		n--;
	}
	return sum;
}

static gsize items_bytes(const WeftConstraint *constraint, const WeftLevel *level)
{
	const WeftNode *node = level->node;
	guint32 n_prefix = node->prefix ? node->prefix->len : 0;
	const gsize *sums = weft_way_tables(constraint)->prefix_bytes[node->id];
	guint32 first = MIN(level->index, n_prefix), end = MIN(node->n_min, n_prefix);
	gsize sum = first < end ? sums[end] - sums[first] : 0;
	guint32 others_begun = MAX(level->index, n_prefix);
	if (node->n_min <= others_begun)
		return sum;
	gsize n = node->n_min - others_begun;
	return sum + (node->is_unique ? literals_bytes(constraint, level, n)
				      : n * (1 + node->items->least.bytes));
}

/* Sets close_bytes from all else. */
static void measure(const WeftConstraint *constraint, WeftLevel *level)
{
	const WeftNode *node = level->node;
	gsize own = 0;
	if (node->kind == WEFT_NODE_ARRAY)
		own = items_bytes(constraint, level) + 1;
	else if (node->kind == WEFT_NODE_OBJECT)
		own = weft_node_tail(node, level->index, weft_level_missing(level)).bytes;
	else
		own = members_bytes(node, node->n_min > level->index ? node->n_min - level->index : 0,
				    level->n_short) + 1;
	level->close_bytes = own + weft_level_close(level->below);
}

gsize weft_level_close_opened(const WeftLevel *level)
{
	/* The first item has no comma. */
	gsize below = weft_level_close(level->below);
	return level->close_bytes - below == 1 ? level->close_bytes : level->close_bytes - 1;
}

gboolean weft_level_may_close(const WeftLevel *level)
{
	return level->close_bytes - weft_level_close(level->below) == 1;
}

static WeftLevel *level_copy(const WeftConstraint *constraint, const WeftLevel *level)
{
	WeftLevel *copy = weft_levels_alloc(constraint->levels, sizeof(WeftLevel));
	*copy = *level;
	return copy;
}

const WeftLevel *weft_level_open(const WeftConstraint *constraint, const WeftLevel *below,
				 const WeftNode *node)
{
	const WeftLevel level = {
		.below = below, .node = node, .depth = weft_level_depth(below) + 1};
	WeftLevel *opened = level_copy(constraint, &level);
	measure(constraint, opened);
	return opened;
}

const WeftLevel *weft_level_next_item(const WeftConstraint *constraint, const WeftLevel *level)
{
	WeftLevel *next = level_copy(constraint, level);
	next->index++;
	measure(constraint, next);
	return next;
}

const WeftLevel *weft_level_next_property(const WeftConstraint *constraint, const WeftLevel *level,
					  guint i)
{
	WeftLevel *next = level_copy(constraint, level);
	next->index = i + 1;
	next->n_optional += weft_node_property(level->node, i)->is_required ? 0 : 1;
	measure(constraint, next);
	return next;
}

const WeftLevel *weft_level_take(const WeftConstraint *constraint, const WeftLevel *level,
				 guint32 literal)
{
	gsize n_words = (weft_way_texts(constraint, level->node->items)->n + 63) / 64;
	guint64 *taken = weft_levels_alloc(constraint->levels, n_words * sizeof(guint64));
	WeftLevel *next = level_copy(constraint, level);
	if (level->taken)
		memcpy(taken, level->taken, n_words * sizeof(guint64));
	else
		memset(taken, 0, n_words * sizeof(guint64));
	taken[literal / 64] |= (guint64)1 << (literal % 64);
	next->taken = taken;
	next->hash += weft_draw_mix(literal); /* a set has no order */
	measure(constraint, next);
	return next;
}

const WeftLevel *weft_level_use_key(const WeftConstraint *constraint, const WeftLevel *level,
				    const WeftCursor *cursor)
{
	WeftLevel *next = level_copy(constraint, level);
	WeftUsedKey *used = weft_levels_alloc(constraint->levels, sizeof(WeftUsedKey));
	guint8 *bytes = weft_levels_alloc(constraint->levels, MAX(cursor->key_bytes, 1));
	gsize i = cursor->key_bytes;
	for (const WeftKeyByte *at = cursor->key; at; at = at->before)
		bytes[--i] = at->byte;
	*used = (WeftUsedKey){level->used, bytes, cursor->key_bytes};
	next->used = used;
	next->hash += weft_draw_mix(cursor->key_hash);
	next->index += level->node->kind == WEFT_NODE_MAP ? 1 : 0; /* an item was counted when it was begun */
	if (cursor->key_bytes < 2)
		next->n_short[cursor->key_bytes]++;
	measure(constraint, next);
	return next;
}

gsize weft_level_close_literal(const WeftConstraint *constraint, const WeftLevel *level,
			       const WeftRange *range)
{
	const WeftTexts *texts = weft_way_texts(constraint, level->node->items);
	gsize n_missing = level->node->n_min > level->index ? level->node->n_min - level->index : 0;
	/* `rest` and then the shortest that are not taken; the one that is being written is either
	 * among them, and then one more is, or comes on top. */
	gsize rest = level->close_bytes - literals_bytes(constraint, level, n_missing);
	gsize place = 0, n_before = 0;
	for (guint32 i = 0; i < texts->n; i++) {
		place = texts->by_size[i];
		if (weft_level_is_taken(level, (guint32)place))
			continue;
		if (place >= range->first && place < range->end)
			break;
		n_before++;
	}
	gsize own = texts->sorted[place].size_bytes;
	if (n_before <= n_missing)
		own = literals_bytes(constraint, level, n_missing + 1) - 1;
	else
		own += literals_bytes(constraint, level, n_missing);
	return rest + own - range->n_bytes;
}

gsize weft_level_close_behind_key(const WeftLevel *level, gsize key_bytes)
{
	const WeftNode *node = level->node;
	guint32 n_short[2] = {level->n_short[0], level->n_short[1]};
	gsize n_begun = (gsize)level->index + 1;
	if (key_bytes < 2)
		n_short[key_bytes]++;
	return members_bytes(node, node->n_min > n_begun ? node->n_min - n_begun : 0, n_short) + 1 +
	       weft_level_close(level->below);
}
