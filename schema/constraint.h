/* constraint.h - a pushdown automaton over the bytes of a JSON document.
 *
 * At every moment it knows which byte may come next so that the document can still become an
 * instance of the schema, and how few bytes would finish it. A byte is allowed only when some text
 * of the graph (node.h) goes on that way within its counts and within WEFT_SCHEMA_DEPTH_MAX; so
 * there are no dead ends: while the document is not complete, some byte may come next, and one of
 * those that may brings the end nearer by one.
 *
 * Where branches overlap, several ways through the graph are followed side by side, at most
 * WEFT_CONSTRAINT_WAYS_MAX. Of more the first ones and the shortest are kept: that forbids texts,
 * and never lets a wrong one through. Ways that meet again become one.
 *
 * A way is a stack of open containers and a cursor in the value that is being written. Containers
 * (WeftLevel) never change and are shared, so that a copy of the constraint is a copy of the cursors
 * and taking bytes back is forgetting the copy. They lie in the WeftLevels that the constraint was
 * begun with: who tries bytes notes a mark before, and gives it back (weft_levels_release) when the
 * copy has been thrown away. One thread at a time for all constraints that share WeftLevels.
 *
 * Verbatim strings and numbers are stepped with verbatim.h when there is a text, else they are
 * strings and numbers as any other.
 */
#ifndef WEFT_SCHEMA_CONSTRAINT_H
#define WEFT_SCHEMA_CONSTRAINT_H

#include "schema/free_text.h"
#include "schema/lexeme.h"
#include "schema/node.h"
#include "schema/number.h"
#include "schema/verbatim.h"

#define WEFT_CONSTRAINT_WAYS_MAX 64

typedef struct WeftLevels WeftLevels;

WeftLevels *weft_levels_new(void);
void weft_levels_free(WeftLevels *levels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftLevels, weft_levels_free)

/* Everything made since the mark was noted is forgotten. */
typedef struct WeftLevelsMark {
	guint block;
	gsize used;
} WeftLevelsMark;

WeftLevelsMark weft_levels_mark(const WeftLevels *levels);
void weft_levels_release(WeftLevels *levels, WeftLevelsMark mark);

/* A key that a map has already, or an item of an array whose items_differ. */
typedef struct WeftUsedKey {
	const struct WeftUsedKey *next;
	const guint8 *bytes; /* as spelled, without quotes */
	gsize size_bytes;
} WeftUsedKey;

/* An open container. */
typedef struct WeftLevel {
	const struct WeftLevel *below; /* NULL: the root */
	const WeftNode *node;
	gsize close_bytes;       /* from behind the value at hand: to finish this and all below */
	guint32 index;           /* ARRAY, MAP: items begun; OBJECT: next property */
	guint32 n_optional;      /* OBJECT: optional ones begun */
	guint32 depth;           /* containers open, this one included */
	guint32 n_short[2];      /* MAP: keys of no and of one byte */
	const WeftUsedKey *used; /* MAP, items_differ */
	const guint64 *taken;    /* is_unique: bits of the literals that are there; NULL: none */
	guint64 hash;            /* of what is used or taken */
} WeftLevel;

typedef enum {
	WEFT_CURSOR_GAP,     /* no value is begun: behind `{` or `[`, or behind a value */
	WEFT_CURSOR_VALUE,   /* before the first byte of a value of `node` */
	WEFT_CURSOR_LITERAL,
	WEFT_CURSOR_TEXT,    /* a string of any text */
	WEFT_CURSOR_LEXEME,
	WEFT_CURSOR_SPANS,
	WEFT_CURSOR_FIGURE,  /* a number that the text has to mean: spans, too */
	WEFT_CURSOR_NUMBER,
	WEFT_CURSOR_KEY,     /* of an OBJECT: behind `{"` or `,` */
	WEFT_CURSOR_NEW_KEY, /* of a MAP: before the quote */
	WEFT_CURSOR_MAP_TEXT, /* inside the quotes of a MAP's key of any text, or of an item that differs */
	WEFT_CURSOR_MAP_LEXEME, /* the same, with a lexeme */
	WEFT_CURSOR_MAP_SPANS,  /* the same, of an item that stands in the document */
	WEFT_CURSOR_COLON,   /* behind the key of a MAP */
} WeftCursorKind;

/* Of literals or keys sorted by bytes, those that begin with the bytes taken. */
typedef struct WeftRange {
	guint32 first, end, n_bytes;
} WeftRange;

typedef struct WeftCursor {
	WeftCursorKind kind;
	const WeftNode *node;
	union {
		WeftRange range;
		WeftFreeText text;
		WeftLexemeState lexeme;
		WeftSpansState spans;
		WeftNumberState number;
	};
	/* Of MAP_...: what is written of it, last byte first, and the keys that begin that way. */
	const struct WeftKeyByte *key;
	const struct WeftRival *rivals;
	gsize key_bytes;
	guint64 key_hash;
} WeftCursor;

typedef struct WeftWay {
	const WeftLevel *level; /* the innermost open container; NULL: none */
	WeftCursor cursor;
} WeftWay;

typedef struct WeftConstraint {
	const WeftSchema *schema;
	WeftLevels *levels;
	const WeftSpans **spans; /* by WeftNode.id; NULL: without a text */
	guint64 text_key;        /* says which text, for caches */
	guint n_ways;
	WeftWay ways[WEFT_CONSTRAINT_WAYS_MAX];
} WeftConstraint;

/* Before the first byte. `verbatim` may be NULL; `text_key` then does not count. All but the
 * constraint itself must outlive it, and the schema the index, which keeps lists for its nodes. */
void weft_constraint_init(WeftConstraint *constraint, const WeftSchema *schema,
			  WeftLevels *levels, WeftVerbatim *verbatim, guint64 text_key);
void weft_constraint_copy(WeftConstraint *to, const WeftConstraint *from);

/* FALSE when the byte may not come next; then the state is spoilt. */
gboolean weft_constraint_advance(WeftConstraint *constraint, guint8 byte);

/* Whether all the bytes may come next, without a change; on success *ret_close_bytes is what would
 * complete the document behind them. */
gboolean weft_constraint_allows(const WeftConstraint *constraint, const char *bytes,
				gsize size_bytes, gsize *ret_close_bytes);

/* TRUE when the bytes so far are an instance. */
gboolean weft_constraint_is_complete(const WeftConstraint *constraint);
/* TRUE when they are one and nothing may follow. */
gboolean weft_constraint_is_closed(const WeftConstraint *constraint);

/* The fewest bytes that complete the document. */
gsize weft_constraint_close_bytes(const WeftConstraint *constraint);

/* The byte that must come next, or -1 when there is a choice (ending here is one). */
int weft_constraint_forced(const WeftConstraint *constraint);

#endif
