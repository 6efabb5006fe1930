/* walk.h - the tokens that a constraint allows, found by walking tries. Private to masks.
 *
 * A node of a trie is entered when its byte may come. Of the nodes beside each other only those are
 * tried whose bytes the ways have (weft_way_bytes), and inside a value that needs nothing of what is
 * around it (a string, a number) its automaton alone is stepped, not the constraint.
 */
#ifndef WEFT_SCHEMA_WALK_H
#define WEFT_SCHEMA_WALK_H

#include "schema/constraint.h"
#include "schema/vocabulary.h"

typedef struct WeftWalkPlace WeftWalkPlace;

typedef struct WeftWalk {
	const WeftVocabulary *vocabulary;
	/* The caller's to set, behind weft_walk_begin. */
	const WeftTrie *trie;
	const guint64 *known;    /* tokens that are not looked for; NULL: none */
	gboolean finds_texts;    /* what stands in the trie is no tokens: not their twins */
	gsize growth;            /* most bytes by which a token found puts the end further away */
	gint32 *found;           /* [n_found], in any order, perhaps twice */
	gsize n_found, n_room;
	gsize n_most;            /* so many are enough */
	gsize limit, close_before;
	/* By depth, where the walk stands; path[0] is the caller's to set. */
	WeftConstraint *path;    /* [WEFT_WORD_BYTES_MAX + 1] */
	WeftLevelsMark *marks;
	WeftWalkPlace *places;
} WeftWalk;

/* The vocabulary must outlive it. */
void weft_walk_init(WeftWalk *walk, const WeftVocabulary *vocabulary);
void weft_walk_done(WeftWalk *walk);

/* Nothing is found yet, nothing known. Tokens behind which the end takes `limit` bytes or more will be
 * left out; in front of them it takes `close_before`. */
void weft_walk_begin(WeftWalk *walk, gsize limit, gsize close_before);

/* Adds to `found` what may come behind path[0]; that is then spoilt. */
void weft_walk(WeftWalk *walk);

void weft_walk_add(WeftWalk *walk, gint32 id);

/* Whether a token begins with `head` and goes on in a way that `behind`, the constraint
 * behind the head, allows. */
gboolean weft_walk_spans(WeftWalk *walk, const WeftConstraint *behind, const char *head,
			 gsize size_bytes);

#endif
