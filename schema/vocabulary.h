/* vocabulary.h - what the tokens of a model write, laid out so that masks are quick to make.
 *
 * All tokens that may stand in a document are a trie in the order of a walk in depth, 8 bytes a
 * node. Nine of ten tokens of a large vocabulary are `safe`: whole UTF-8 characters, no quote, no
 * backslash, no control; inside a string about which only its length is known they may come
 * whenever it has room for so many characters, whatever stands around it. There is one set of them
 * for each number of characters that makes a difference; the others are a trie of their own.
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

typedef struct WeftTrieNode {
	guint32 id : 24;   /* of the token that ends here, or WEFT_TRIE_NONE */
	guint32 byte : 8;
	guint32 next : 24; /* the first node that is not below this one */
	guint32 depth : 8; /* bytes from the root, this one included */
} WeftTrieNode;

typedef struct WeftTrie {
	guint32 n_nodes;
	WeftTrieNode *nodes;
} WeftTrie;

typedef struct WeftVocabulary {
	gsize n_tokens, n_words; /* tokens; 64-bit words of a set of them */
	WeftTrie all, crossing;  /* usable tokens; those of them that are not safe */
	gint32 *same;            /* by id: the next one with the same bytes, or -1; NULL: there are none */
	guint32 *steps;          /* [n_steps] numbers of characters that make a difference, from 0 */
	guint n_steps;
	guint64 **safe;          /* [n_steps]: safe tokens of at most steps[i] characters */
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
