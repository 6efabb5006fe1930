/* pattern.h - a regular expression as a tree; private to schema/.
 *
 * lexeme.h says which expressions there are and how names that engines read differently are taken.
 * Nodes lie in one array and name each other by index; index 0 is no node. Sets of characters are
 * kept once each.
 */
#ifndef WEFT_SCHEMA_PATTERN_H
#define WEFT_SCHEMA_PATTERN_H

#include "schema/charset.h"

#define WEFT_PATTERN_UNLIMITED G_MAXUINT32

typedef enum {
	WEFT_PATTERN_SEQUENCE,     /* of its children; none: the empty text */
	WEFT_PATTERN_CHOICE,       /* between its children */
	WEFT_PATTERN_SET,          /* one character of sets[set] */
	WEFT_PATTERN_REPEAT,       /* its child, n_min to n_max times */
	WEFT_PATTERN_START,
	WEFT_PATTERN_END,
	WEFT_PATTERN_BOUNDARY,
	WEFT_PATTERN_NO_BOUNDARY,
} WeftPatternKind;

typedef struct WeftPatternNode {
	WeftPatternKind kind;
	guint32 child, sibling;    /* the first child; the next child of the same parent */
	guint32 set;
	guint32 n_min, n_max;
} WeftPatternNode;

/* A look-ahead behind a leading ^. The texts of the pattern are also among those in which `root` is
 * found, or with is_not among the others; then `root` was read the other way round: loosely in a
 * pattern that was not. */
typedef struct WeftPatternLook {
	guint32 root;
	gboolean is_not;
} WeftPatternLook;

typedef struct WeftPattern {
	GArray *nodes;             /* of WeftPatternNode */
	GPtrArray *sets;           /* of GArray of WeftRange */
	guint32 root;              /* without the look-aheads */
	GArray *looks;             /* of WeftPatternLook */
	gboolean has_boundary;
} WeftPattern;

static inline const WeftPatternNode *weft_pattern_node(const WeftPattern *pattern, guint32 i)
{
	return &g_array_index(pattern->nodes, WeftPatternNode, i);
}

/* Reads the expression; is_loose: names stand for what any engine takes. WEFT_ERROR_SCHEMA,
 * WEFT_ERROR_LIMIT: the message has the place, by characters from 1. */
WeftPattern *weft_pattern_new(const char *text, gboolean is_loose, WeftCharacters *characters,
			      GError **error);
void weft_pattern_free(WeftPattern *pattern);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftPattern, weft_pattern_free)

/* When the whole expression is ^X{m,n}$ with one set X: its node REPEAT, else 0. */
guint32 weft_pattern_single_repeat(const WeftPattern *pattern);

#endif
