/* tokenizer.h - text to ids and back, as the tokenizers of the family do it.
 *
 * What is read, told by the content: tokenizer.json (byte-level BPE with the rules of GPT-2,
 * Llama 3 and Llama 4, known by the text of their regular expressions; SentencePiece's BPE with
 * byte_fallback, as Llama 2 and Mixtral have it), Meta's tokenizer.model (lines "base64 rank",
 * Llama 3 and Llama 4), SentencePiece's tokenizer.model, and the vocabulary of a GGUF file or of whisper.cpp's. What
 * is not exactly one of these is refused by the name of what differs. Ids are those of Hugging
 * Face's tokenizers, without BOS, which is never added.
 *
 * Every byte has a token (checked at opening), so encoding never fails; bytes that are not UTF-8
 * count as symbols, one each. At byte level the ids of any bytes give the same bytes back.
 * SentencePiece writes a blank as U+2581 and puts one before a text (which texts: the file says),
 * so that a word is the same token everywhere; decoding leaves that blank out. A U+2581 in a text
 * comes back as a blank, and files with Metaspace lose one blank at the begin of a text, as in the
 * reference.
 *
 * Flags of added tokens: single_word, lstrip and rstrip are refused (no published file of the
 * family has them); "normalized" makes no difference here, special strings are found as they are.
 * Immutable after opening: any number of threads. Part of the door: include "bundle/bundle.h".
 */
#ifndef WEFT_BUNDLE_TOKENIZER_H
#define WEFT_BUNDLE_TOKENIZER_H

#include <glib.h>

typedef struct WeftTokenizer WeftTokenizer;

/* `path`: such a file, or a folder that holds tokenizer.json, tokenizer.model or a model as GGUF. */
WeftTokenizer *weft_tokenizer_open(const char *path, GError **error);
/* The file of a folder that weft_tokenizer_open takes (`path` itself when it is no folder); NULL:
 * none. Free it. */
char *weft_tokenizer_file(const char *path);
/* The same from memory, 512 MiB at most; `file` for messages. */
WeftTokenizer *weft_tokenizer_new(const char *file, const char *data, gsize size_bytes,
				  GError **error);
void weft_tokenizer_free(WeftTokenizer *tokenizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftTokenizer, weft_tokenizer_free)

/* The name of its file, without folders. */
const char *weft_tokenizer_name(const WeftTokenizer *tokenizer);
/* Largest id + 1; ids between may have no token. */
gsize weft_tokenizer_size(const WeftTokenizer *tokenizer);

/* Appends ids (gint32) to `ids`. `special`: strings of added tokens become their ids; otherwise
 * they are plain text, which is what document text always is. */
void weft_tokenizer_encode(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
			   gboolean special, GArray *ids);

/* The same for text that goes on from text encoded before: no blank is put before it. What a token
 * of both would be is not found, so cut where no token goes across: behind a line feed, before a
 * blank. */
void weft_tokenizer_continue(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
			     gboolean special, GArray *ids);

/* Appends the bytes of the ids, which begin a text, to `text`; special tokens are written as their
 * strings when `special`, else left out. Fails with the first id that has no token. */
gboolean weft_tokenizer_decode(const WeftTokenizer *tokenizer, const gint32 *ids, gsize n_ids,
			       gboolean special, GString *text, GError **error);

/* The bytes that one token writes (" the", "\n"), borrowed, not NUL-terminated; NULL when the id has none. */
const char *weft_tokenizer_token(const WeftTokenizer *tokenizer, gint32 id, gsize *ret_size_bytes);
gboolean weft_tokenizer_is_special(const WeftTokenizer *tokenizer, gint32 id);

/* Id of an added token by its string, or -1. */
gint32 weft_tokenizer_id(const WeftTokenizer *tokenizer, const char *special);

#endif
