/* shape.h - what a set without choices says of each type, gathered.
 *
 * A shape is what will be written of its set: its values, and for each of its types what follows.
 * It is at most as wide as the set. `values` are the literals (of enum and const, and null, false,
 * true), those only that fit everything; is_enumerated: there is nothing else.
 *
 * Objects: with `keys` these and no others are written, `required` always; is_map: any keys.
 * For the values inside, weft_schema_shape_child and weft_schema_shape_item give the sets that they have to fit; these
 * are exact or narrower where validators may differ about a pattern.
 */
#ifndef WEFT_SCHEMA_SHAPE_H
#define WEFT_SCHEMA_SHAPE_H

#include "schema/reading.h"

/* minimum, maximum, the exclusive ones, and multipleOf. */
typedef struct WeftSchemaLimit {
	const WeftClause *clause;
	WeftKeyword keyword;
	const char *text;
} WeftSchemaLimit;

typedef struct WeftSchemaShape {
	GArray *set;
	guint types;              /* of what is no value; NULL and BOOLEAN never */
	GPtrArray *values;        /* of const WeftJson * */
	gboolean is_enumerated;
	/* What holds for all of the set, not only for what is written of it, besides bounds, limits,
	 * parts and asked keys: */
	guint said_types;
	GPtrArray *listed;        /* of const WeftJson *: where is_enumerated, all that can be */
	char *why;                /* where something was dropped: the first reason */

	GArray *parts;            /* of WeftLexemePart; borrow their texts */
	guint32 length_min, length_max;
	WeftLexeme *lexeme;       /* NULL: without parts */
	gboolean says_verbatim, says_free;

	GArray *limits;           /* of WeftSchemaLimit */
	WeftNumbers *numbers;     /* NULL: no number type */

	guint32 n_items_min, n_items_max;
	guint32 n_prefix;
	gboolean is_unique;

	guint32 n_members_min, n_members_max;
	GArray *keys;             /* of guint32 */
	GHashTable *known;        /* of keys, by number + 1 */
	GHashTable *required;     /* the same */
	GArray *asked;            /* required ones, in the order in which they are named */
	GHashTable *forbidden;    /* the same */
	gboolean is_map;
} WeftSchemaShape;

/* Kept in the reading. NULL on error. */
const WeftSchemaShape *weft_schema_shape_of(WeftReading *reading, const GArray *set, GError **error);
void weft_schema_shape_free(WeftSchemaShape *shape);

/* A number that stands for every item behind the prefix. */
#define WEFT_SCHEMA_SHAPE_REST G_MAXUINT32

/* What the value of a key, and an item, has to fit. Caller unrefs. */
GArray *weft_schema_shape_child(WeftReading *reading, const GArray *set, guint32 key, GError **error);
GArray *weft_schema_shape_item(WeftReading *reading, const GArray *set, guint32 i, GError **error);
/* Of a map: what keys and values have to fit. */
gboolean weft_schema_shape_map(WeftReading *reading, const WeftSchemaShape *shape, GArray **ret_keys,
			GArray **ret_values, GError **error);

/* Whether an object of the shape can have the key. */
gboolean weft_schema_shape_writes(const WeftSchemaShape *shape, guint32 key);

/* Steps of weft_schema_shape_of: keys and bounds of objects, schemas of single items. */
void weft_schema_shape_gather_prefix(const WeftReading *reading, WeftSchemaShape *shape);
gboolean weft_schema_shape_gather_keys(WeftReading *reading, WeftSchemaShape *shape, GError **error);

/* The numbers within both lists of limits (of WeftSchemaLimit; `more` may be NULL). Owned by the
 * schema. */
WeftNumbers *weft_schema_shape_numbers(WeftReading *reading, const GArray *limits, const GArray *more,
				gboolean is_integer, GError **error);

/* Whether the text matches for sure, or could under some validator's reading. `clause` holds the
 * pattern or format, for messages. */
gboolean weft_schema_shape_matches(WeftReading *reading, const WeftClause *clause, WeftKeyword keyword,
			    const char *pattern, const char *text, gsize size_bytes,
			    gboolean *ret_surely, gboolean *ret_maybe, GError **error);

#endif
