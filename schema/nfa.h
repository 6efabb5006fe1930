/* nfa.h - a pattern as an automaton with choices, over sets of characters; private to schema/.
 *
 * Without empty steps: each edge reads a character. The texts that lead from state 0 to a state
 * that accepts are those in which `root`, a node of the pattern, is found somewhere. ^, $, \b and \B are gone: a state
 * knows what kind of character stood before it, and an edge reads only what an assertion in
 * front of it allows. \b is taken where ASCII and Unicode agree that there is (or, loose, where
 * one of them says so) a boundary.
 */
#ifndef WEFT_SCHEMA_NFA_H
#define WEFT_SCHEMA_NFA_H

#include "schema/fuel.h"
#include "schema/pattern.h"

#define WEFT_NFA_NONE G_MAXUINT32

typedef struct WeftNfaEdge {
	guint32 set, target;
} WeftNfaEdge;

typedef struct WeftNfa {
	GPtrArray *sets;        /* of GArray of WeftRange */
	GArray *edges;          /* of WeftNfaEdge */
	GArray *firsts;         /* guint32 [n_states + 1]: where a state's edges begin */
	GByteArray *accepts;    /* [n_states] */
	GByteArray *is_any;     /* [n_states]: whatever follows is accepted */
	guint32 n_states;
} WeftNfa;

WeftNfa *weft_nfa_new(const WeftPattern *pattern, guint32 root, gboolean is_loose,
		      WeftCharacters *characters, WeftFuel *fuel, GError **error);
void weft_nfa_free(WeftNfa *nfa);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftNfa, weft_nfa_free)

#endif
