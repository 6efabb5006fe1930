/* lexicon.h - what each token id writes, as generation needs it.
 *
 * Only ids that the model has a logit for. Special tokens and ids without bytes write nothing and
 * are never chosen; those that end an answer are marked. Beside them is what makes masks of a schema;
 * it keeps those that it made, so a lexicon belongs to one thread.
 */
#ifndef WEFT_MODEL_LEXICON_H
#define WEFT_MODEL_LEXICON_H

#include "bundle/bundle.h"
#include "schema/mask.h"

typedef struct WeftToken {
	WeftWord word;      /* its bytes are the tokenizer's; without: writes nothing */
	gboolean is_end;
} WeftToken;

typedef struct WeftLexicon {
	const WeftTokenizer *tokenizer;
	gsize n_tokens;
	WeftToken *tokens;
	gint32 byte_ids[256]; /* the token that is this byte alone */
	gint32 *end_ids;      /* [n_ends], ascending */
	gsize n_ends;
	guint64 *writing;     /* the set of tokens that write something */
	guint64 *everything;  /* and of all */
	WeftVocabulary *vocabulary;
	WeftMasks *masks;
} WeftLexicon;

/* WEFT_ERROR_CONFIG when the bundle has no tokenizer or a byte has no token of its own: then it
 * could not be promised that an answer can be finished. WEFT_ERROR_LIMIT: see vocabulary.h. The bundle
 * must outlive it. */
WeftLexicon *weft_lexicon_new(const WeftBundle *bundle, gsize n_vocab, GError **error);
void weft_lexicon_free(WeftLexicon *lexicon);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftLexicon, weft_lexicon_free)

/* Appends the ids of `bytes`, which no token but ordinary ones spell and which are at most as many
 * as the bytes. */
void weft_lexicon_encode(const WeftLexicon *lexicon, const char *bytes, gsize size_bytes,
			    GArray *ids);

#endif
