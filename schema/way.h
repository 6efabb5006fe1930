/* way.h - one way through the graph, stepped byte by byte. Private to the constraint.
 *
 * A step reads a way and puts the ways behind the byte into a set: none when the byte may not come,
 * several where branches begin. levels.c makes containers and knows what they still need; way.c
 * steps values, member.c keys.
 */
#ifndef WEFT_SCHEMA_WAY_H
#define WEFT_SCHEMA_WAY_H

#include <string.h>

#include "schema/byte_set.h"
#include "schema/constraint.h"
#include "schema/tables.h"

typedef struct WeftKeyByte {
	const struct WeftKeyByte *before;
	guint8 byte;
} WeftKeyByte;

/* A key that the map has, or an item, and that begins as the one being written. */
typedef struct WeftRival {
	const struct WeftRival *next;
	const WeftUsedKey *key;
} WeftRival;

/* All of a cursor counts when two are compared, also what no kind of it uses. */
static inline void weft_cursor_begin(WeftCursor *cursor, WeftCursorKind kind, const WeftNode *node)
{
	memset(cursor, 0, sizeof(*cursor));
	cursor->kind = kind;
	cursor->node = node;
}

/* ---- levels.c ---- */

gpointer weft_levels_alloc(WeftLevels *levels, gsize size_bytes);

static inline const WeftTables *weft_way_tables(const WeftConstraint *constraint)
{
	return constraint->schema->tables;
}

static inline const WeftTexts *weft_way_texts(const WeftConstraint *constraint,
						      const WeftNode *node)
{
	return constraint->schema->tables->texts[node->id];
}

static inline guint32 weft_level_depth(const WeftLevel *level)
{
	return level ? level->depth : 0;
}

static inline gsize weft_level_close(const WeftLevel *level)
{
	return level ? level->close_bytes : 0;
}

/* Whether a value of the node may be begun inside `level`. */
static inline gboolean weft_level_has_room(const WeftLevel *level, const WeftNode *node)
{
	return weft_level_depth(level) + node->least.height <= WEFT_SCHEMA_DEPTH_MAX;
}

/* OBJECT: optional properties that still have to come. */
static inline guint weft_level_missing(const WeftLevel *level)
{
	guint least = level->node->n_optional_min;
	return least > level->n_optional ? least - level->n_optional : 0;
}

/* A container of `node` that has just been opened. */
const WeftLevel *weft_level_open(const WeftConstraint *constraint, const WeftLevel *below,
				 const WeftNode *node);
/* As `level`, with one item more begun. */
const WeftLevel *weft_level_next_item(const WeftConstraint *constraint, const WeftLevel *level);
/* As `level`, with property `i` begun. */
const WeftLevel *weft_level_next_property(const WeftConstraint *constraint, const WeftLevel *level,
					  guint i);
/* As `level`, with a literal of the items taken. */
const WeftLevel *weft_level_take(const WeftConstraint *constraint, const WeftLevel *level,
				 guint32 literal);
/* As `level`, with the key used that the cursor has written, and its member begun; or the item. */
const WeftLevel *weft_level_use_key(const WeftConstraint *constraint, const WeftLevel *level,
				    const WeftCursor *cursor);
/* All that is missing while a literal of `range` is written as an item of a level that is_unique. */
gsize weft_level_close_literal(const WeftConstraint *constraint, const WeftLevel *level,
			       const WeftRange *range);
/* What level->close_bytes will be behind the member whose key will have `key_bytes`. */
gsize weft_level_close_behind_key(const WeftLevel *level, gsize key_bytes);
/* The same as level->close_bytes, behind the opening bracket. */
gsize weft_level_close_opened(const WeftLevel *level);
/* Whether the closing bracket may come, where no value is begun. */
gboolean weft_level_may_close(const WeftLevel *level);

static inline gboolean weft_level_is_taken(const WeftLevel *level, guint32 literal)
{
	return level->taken && (level->taken[literal / 64] >> (literal % 64) & 1);
}

/* Whether `item`, the value that is begun last, has to differ from the items before it. */
static inline gboolean weft_level_differs(const WeftLevel *level, const WeftNode *item)
{
	return level && level->node->items_differ && item == level->node->items &&
	       level->index > (level->node->prefix ? level->node->prefix->len : 0);
}

/* ---- member.c ---- */

/* Whether a property that begins with the cursor's bytes may come next. */
gboolean weft_key_is_possible(const WeftConstraint *constraint, const WeftLevel *level,
			      const WeftRange *range);
gboolean weft_key_begin(const WeftConstraint *constraint, const WeftLevel *level,
			WeftCursor *ret_cursor);
/* FALSE: the byte may not come. The way is then spoilt. */
gboolean weft_key_step(const WeftConstraint *constraint, WeftWay *way, guint8 byte);
gsize weft_key_close(const WeftConstraint *constraint, const WeftWay *way);
/* The byte that must come next, or -1. */
int weft_key_forced(const WeftConstraint *constraint, const WeftWay *way);

/* Whether another member of a map may come, or another item that differs. The same for both: a key, or
 * such an item, behind its opening quote; a step; and the close, also in front of the quote. */
gboolean weft_map_has_next(const WeftConstraint *constraint, const WeftLevel *level);
void weft_map_key_begin(const WeftConstraint *constraint, const WeftLevel *level,
			WeftCursor *ret_cursor);
gboolean weft_map_key_step(const WeftConstraint *constraint, WeftWay *way, guint8 byte);
gsize weft_map_key_close(const WeftConstraint *constraint, const WeftWay *way);
/* The same from in front of the quote that ends a key of so many bytes. */
gsize weft_map_key_close_behind(const WeftLevel *level, gsize key_bytes);

/* ---- way.c ---- */

/* Adds the ways behind `byte` to those of `to`. */
void weft_way_step(WeftConstraint *to, const WeftWay *way, guint8 byte);
gboolean weft_way_is_complete(const WeftConstraint *constraint, const WeftWay *way);
gsize weft_way_close(const WeftConstraint *constraint, const WeftWay *way);
/* The byte that must come next; -1: there is a choice; -2: not known without trying. */
int weft_way_forced(const WeftConstraint *constraint, const WeftWay *way);
/* Adds the bytes that may come next to the set, and often some that may not. */
void weft_way_bytes(const WeftConstraint *constraint, const WeftWay *way, WeftByteSet *bytes);
/* The same behind a value inside `level`. */
void weft_way_gap_bytes(const WeftConstraint *constraint, const WeftLevel *level,
			WeftByteSet *bytes);
/* Adds a way, unless there is one like it. */
void weft_ways_add(WeftConstraint *to, const WeftWay *way);

#endif
