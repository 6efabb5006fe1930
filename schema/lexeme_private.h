/* lexeme_private.h - the tables of a lexeme. */
#ifndef WEFT_SCHEMA_LEXEME_PRIVATE_H
#define WEFT_SCHEMA_LEXEME_PRIVATE_H

#include "schema/dfa.h"
#include "schema/lexeme.h"
#include "schema/spelling.h"

/* One way to the end that is worth knowing: in at most n characters, so many bytes. */
typedef struct WeftWay {
	guint32 n, n_bytes;
} WeftWay;

struct WeftLexeme {
	WeftDfa *dfa;
	WeftSpelling *spelling;
	guint node_bits;        /* a state's id is the automaton's << node_bits | the tree's node */
	gboolean is_empty;

	/* Lengths still to be counted beside the states; 0 and WEFT_LEXEME_UNLIMITED: not. */
	guint32 length_min, length_max;

	guint32 *shortest;      /* [n_states]: fewest characters to acceptance */
	guint32 *longest;       /* [n_states]: most, or WEFT_LEXEME_UNLIMITED */
	guint32 shortest_most;  /* the largest of shortest */
	guint32 longest_most;   /* the largest of longest that is no WEFT_LEXEME_UNLIMITED */
	GArray *ways;           /* of WeftWay: for each state with more characters and fewer bytes */
	guint32 *way_firsts;    /* [n_states + 1] */
	guint32 *least;         /* [length_min * n_states]: fewest bytes with at least 1, 2, ... more */
};

/* Fills the tables of lengths, `dfa` and `spelling` standing. `bytes_left` is what may stay in memory. */
gboolean weft_lexeme_measure(WeftLexeme *lexeme, WeftFuel *fuel, gsize *bytes_left, GError **error);

/* shortest and longest alone, with what they need: two arrays that the caller frees. */
gboolean weft_dfa_lengths(const WeftDfa *dfa, guint32 **ret_shortest, guint32 **ret_longest,
			  WeftFuel *fuel, GError **error);

#endif
