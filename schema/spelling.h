/* spelling.h - from the bytes of a JSON string to classes of characters; private to schema/.
 *
 * A tree: at its root between two characters; a byte leads to a node in the middle of one, or ends
 * it, and then its class is known. lexeme.h says how characters are spelled. Nodes in which the
 * same may follow are one, so a pattern about ASCII has about ten of them, one about all letters
 * some hundred. Classes that no state of the automaton goes on with have no bytes here.
 */
#ifndef WEFT_SCHEMA_SPELLING_H
#define WEFT_SCHEMA_SPELLING_H

#include "schema/dfa.h"

/* A way through the tree: 0 none; with this bit the rest is a class, else a node. */
#define WEFT_SPELLING_CLASS 0x8000u

/* A class below a node, and the fewest bytes that end a character of it from there. */
typedef struct WeftSpellingLeaf {
	guint16 class_id;
	guint16 n_bytes;
} WeftSpellingLeaf;

typedef struct WeftSpellingNode {
	guint32 way;            /* ways[way + byte - first] */
	guint32 leaf;           /* leaves[leaf], n_leaves of them */
	guint16 n_leaves;
	guint16 n_ways;
	guint8 first;
} WeftSpellingNode;

typedef struct WeftSpelling {
	WeftSpellingNode *nodes; /* 0 is the root */
	guint16 *ways;
	WeftSpellingLeaf *leaves;
	guint32 n_nodes, n_ways, n_leaves;
} WeftSpelling;

WeftSpelling *weft_spelling_new(const WeftDfa *dfa, WeftFuel *fuel, GError **error);
void weft_spelling_free(WeftSpelling *spelling);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSpelling, weft_spelling_free)

gsize weft_spelling_bytes(const WeftSpelling *spelling);

/* The way from a node with a byte. */
static inline guint32 weft_spelling_way(const WeftSpelling *spelling, const WeftSpellingNode *node,
					guint8 byte)
{
	guint32 i = (guint32)byte - node->first;
	return i < node->n_ways ? spelling->ways[node->way + i] : 0;
}

#endif
