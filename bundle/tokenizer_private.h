/* tokenizer_private.h - what the readers of tokenizer files fill and tokenizer.c uses; private to
 * bundle/.
 *
 * Two kinds. Byte level: a text is cut by a rule, its symbols are bytes. Pieces (SentencePiece):
 * a blank is written as U+2581 in the file and as a blank in `tokens`, the symbols are characters,
 * and those that the vocabulary lacks are bytes. Each reader adds tokens, then merges, then added
 * tokens, and ends with weft_vocabulary_finish.
 */
#ifndef WEFT_BUNDLE_TOKENIZER_PRIVATE_H
#define WEFT_BUNDLE_TOKENIZER_PRIVATE_H

#include <glib.h>

#include "base/json.h"
#include "bundle/bpe.h"
#include "bundle/chat.h"
#include "bundle/ggml.h"
#include "bundle/gguf_set.h"
#include "bundle/presplit.h"
#include "bundle/tokenizer.h"
#include "bundle/tokens.h"

typedef struct WeftAddedToken {
	char *text;
	gsize size_bytes;
	gint32 id;
} WeftAddedToken;

/* When a blank is put before a text; "segment": the text, or what follows a special token. */
typedef enum {
	WEFT_PREFIX_NONE,
	WEFT_PREFIX_FIRST,   /* before a text that doesn't begin with one */
	WEFT_PREFIX_MISSING, /* before each segment that doesn't begin with one */
	WEFT_PREFIX_EACH,    /* before each segment */
} WeftPrefix;

struct WeftTokenizer {
	char *file; /* for messages */
	WeftTokens *tokens; /* added tokens too, which are not findable */
	WeftBpe *bpe;
	gint32 byte_ids[256];       /* -1 until its token is there */
	GArray *added;              /* WeftAddedToken, by text */
	GHashTable *special_ids;    /* set of GINT_TO_POINTER(id), special added tokens */
	gboolean has_pieces;
	WeftPresplit rule;          /* byte level */
	gboolean ignore_merges;     /* a piece that is a token is that token */
	guint8 *is_whole;           /* [id]: merging the symbols of the token gives the token */
	gsize n_whole;
	WeftPrefix prefix;          /* pieces, and the rest */
	gboolean drops_blank;       /* decoding leaves out a blank at the begin */
	gboolean cuts_at_blanks;    /* no token has a blank behind anything but blanks */
	gboolean cuts_at_each;      /* each blank begins a piece, also behind another one */
};

/* ---- tokenizer.c ---- */

WeftTokenizer *weft_tokenizer_new_empty(const char *file);
/* TRUE when the model's file has a vocabulary; `set` may be NULL. */
gboolean weft_tokenizer_is_in(const WeftGgufSet *set);

/* Appends the tokens that merging starts from. */
void weft_tokenizer_symbols(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
			    GArray *symbols);

/* ---- vocabulary.c ---- */

/* Always FALSE, with WEFT_ERROR_CONFIG "FILE: what". */
gboolean weft_vocabulary_refuse(const WeftTokenizer *tokenizer, GError **error,
				const char *format, ...) G_GNUC_PRINTF(3, 4);

/* FALSE: the id is beyond what is read, or taken. */
gboolean weft_vocabulary_add(WeftTokenizer *tokenizer, gint64 id, const char *bytes,
			     gsize size_bytes, gboolean findable, GError **error);

/* A token as its file spells it: GPT-2's alphabet, or U+2581 for a blank and <0x0A> for a byte. One
 * that can't be spelled so is added, but no text has it. */
gboolean weft_vocabulary_add_spelled(WeftTokenizer *tokenizer, gint64 id, const char *text,
				     gsize size_bytes, GError **error);
/* A merge of two tokens as they are spelled. FALSE: they, or what they become, are not there. */
gboolean weft_vocabulary_add_pair(WeftTokenizer *tokenizer, const GString *left,
				  const GString *right, guint32 rank);
/* The byte of "<0x0A>"; FALSE when `text` is none. */
gboolean weft_vocabulary_byte_piece(const char *text, gsize size_bytes, guint8 *ret_byte);
gboolean weft_vocabulary_add_byte(WeftTokenizer *tokenizer, gint64 id, guint8 byte,
				  GError **error);

/* A special or user-defined token; its id may have the same text already. */
gboolean weft_vocabulary_add_special(WeftTokenizer *tokenizer, gint64 id, const char *text,
				     gsize size_bytes, gboolean is_special, GError **error);

/* Every way to write one of the tokens as two others is a merge, of the token's rank: what a
 * vocabulary without a list of merges means. */
typedef struct WeftRanked {
	gint32 id;
	guint32 rank;
} WeftRanked;

gboolean weft_vocabulary_add_splits(WeftTokenizer *tokenizer, const WeftRanked *ranked, gsize n,
				    GError **error);

/* Byte level: the bytes' tokens are those that are findable as one byte. */
gboolean weft_vocabulary_find_bytes(WeftTokenizer *tokenizer, GError **error);

/* Checks that there is a token for each byte, sorts what encoding searches. */
gboolean weft_vocabulary_finish(WeftTokenizer *tokenizer, GError **error);

/* ---- the readers: each fills an empty tokenizer. WEFT_ERROR_CONFIG names file and key. ---- */

/* tokenizer.json */
gboolean weft_tokenizer_read_json(WeftTokenizer *tokenizer, const char *json, gsize size_bytes,
				  GError **error);

/* Its members that say what is done to a text before and after the model. */
typedef struct WeftTokenizerSteps {
	const WeftJson *normalizer, *pre_tokenizer, *decoder, *model; /* NULL: absent */
} WeftTokenizerSteps;

gboolean weft_tokenizer_read_steps(WeftTokenizer *tokenizer, const WeftTokenizerSteps *steps,
				   GError **error);

/* Lines "base64 rank". The file has neither its special tokens nor its rule: 128,000 lines are
 * Llama 3's, 200,000 are Llama 4's, others are refused; `rule` of weft_tiktoken_read says it. */
gboolean weft_tiktoken_is(const char *text, gsize size_bytes);
gboolean weft_tokenizer_read_tiktoken(WeftTokenizer *tokenizer, const char *text,
				      gsize size_bytes, GError **error);
gboolean weft_tiktoken_read(WeftTokenizer *tokenizer, WeftPresplit rule, const char *text,
			    gsize size_bytes, GError **error);

/* SentencePiece's own file, tokenizer.model */
gboolean weft_tokenizer_read_pieces(WeftTokenizer *tokenizer, const guint8 *data,
				    gsize size_bytes, GError **error);

/* tokenizer.ggml.* of a GGUF file */
gboolean weft_tokenizer_read_gguf(WeftTokenizer *tokenizer, const WeftGguf *gguf,
				  GError **error);
WeftTokenizer *weft_tokenizer_new_gguf(const WeftGguf *gguf, GError **error);

/* The words of a whisper.cpp model. */
WeftTokenizer *weft_tokenizer_new_ggml(const WeftGgml *ggml, GError **error);

/* What a token of a scored vocabulary is; SentencePiece and GGUF count alike. */
typedef enum {
	WEFT_PIECE_NORMAL = 1,
	WEFT_PIECE_UNKNOWN = 2,
	WEFT_PIECE_CONTROL = 3,
	WEFT_PIECE_USER = 4,
	WEFT_PIECE_UNUSED = 5,
	WEFT_PIECE_BYTE = 6,
} WeftPieceType;

typedef struct WeftPiece {
	const char *text; /* borrowed */
	gsize size_bytes;
	double score;
	WeftPieceType type;
} WeftPiece;

/* Pieces by id (GArray of WeftPiece), merged by score, the highest first. */
gboolean weft_vocabulary_add_scored(WeftTokenizer *tokenizer, const GArray *pieces,
				    GError **error);

#endif
