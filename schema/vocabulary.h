/* vocabulary.h - what the tokens of a model write, laid out so that masks are quick to make.
 *
 * All tokens that may stand in a document are a trie in the order of a walk in depth, 8 bytes a
 * node. Inside a string about which only its length is known most tokens of a large vocabulary may
 * come whenever it has room for so many characters, whatever stands around it: there is a set of them
 * for each number of characters that makes a difference. Three sorts:
 *   safe     whole UTF-8 characters, no quote, no backslash: the end comes no further away;
 *   inside   safe ones, and those with escapes or with a part of a character at their end;
 *   ended    inside ones, and those that end with the quote that ends the string.
 * Those that go on behind that quote are `exits`: a trie of what stands behind it, because many have
 * the same there, with a list of tokens for each. Tokens that are not safe are a trie, too.
 *
 * Tokens with a control byte never stand in a document (constraint.h writes none), and tokens of
 * more than WEFT_WORD_BYTES_MAX bytes are not used; every byte has a token, so nothing is lost but
 * a shorter way. Does not change after it was made: any threads.
 */
#ifndef WEFT_SCHEMA_VOCABULARY_H
#define WEFT_SCHEMA_VOCABULARY_H

#include <glib.h>

#define WEFT_WORD_BYTES_MAX 255u

typedef struct WeftWord {
	const char *bytes;
	guint32 size_bytes; /* 0: writes nothing, is never used */
} WeftWord;

#define WEFT_TRIE_NONE 0xffffffu

/* A token that ends a string behind so many characters. */
typedef struct WeftExit {
	gint32 id;
	guint32 n_chars;
} WeftExit;

typedef struct WeftTrieNode {
	guint32 id : 24;   /* of the token that ends here, or WEFT_TRIE_NONE */
	guint32 byte : 8;
	guint32 next : 24; /* the first node that is not below this one */
	guint32 depth : 8; /* bytes from the root, this one included */
} WeftTrieNode;

typedef struct WeftTrie {
	guint32 n_nodes;
	WeftTrieNode *nodes;
	guint32 roots[256]; /* by their byte, nodes of depth 1; n_nodes: there is none */
} WeftTrie;

typedef struct WeftVocabulary {
	gsize n_tokens, n_words; /* tokens; 64-bit words of a set of them */
	WeftTrie all, crossing;  /* usable tokens; those of them that are not safe */
	WeftTrie exits;          /* ends in places of exit_first */
	guint32 *exit_first;     /* per text behind a quote: where its tokens begin, and those of the next */
	WeftExit *exit_tokens;
	gint32 *same;            /* by id: the next one with the same bytes, or -1; NULL: there are none */
	guint32 *steps;          /* [n_steps] numbers of characters that make a difference, from 0 */
	guint n_steps;
	guint64 **safe, **inside, **ended; /* [n_steps]: those of at most steps[i] characters */
	WeftExit *endings; /* [n_endings]: those that end with the quote */
	gsize n_endings;
	/* What one token can do at most: characters, containers opened and closed, items begun. */
	guint32 n_chars_max, n_opened_max, n_closed_max, n_items_max;
} WeftVocabulary;

/* words[n_tokens] by id; their bytes must outlive the vocabulary. WEFT_ERROR_LIMIT: more than 2^24
 * tokens or nodes. */
WeftVocabulary *weft_vocabulary_new(const WeftWord *words, gsize n_tokens, GError **error);
void weft_vocabulary_free(WeftVocabulary *vocabulary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftVocabulary, weft_vocabulary_free)

/* Whether tokens of these bytes are used at all. */
gboolean weft_word_is_usable(const WeftWord *word);

/* The place in `steps` of the largest that is at most `n_chars`. */
guint weft_vocabulary_step(const WeftVocabulary *vocabulary, guint32 n_chars);

#endif
