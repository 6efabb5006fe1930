/* tokenizer.h - text to ids and back: byte-level BPE as tokenizer.json describes it.
 *
 * Every byte has a token (checked at opening), so encoding never fails and decoding the ids of any
 * bytes gives the same bytes; bytes that are not UTF-8 count as symbols, one each. The rule that
 * cuts text into pieces is recognised by the text of its regular expression (GPT-2, Llama 3,
 * Llama 4); another one is refused by name. No normalisation, no prefix space, and no BOS is ever
 * added. Immutable after opening: any number of threads. Part of the door: include
 * "bundle/bundle.h".
 */
#ifndef WEFT_BUNDLE_TOKENIZER_H
#define WEFT_BUNDLE_TOKENIZER_H

#include <glib.h>

typedef struct WeftTokenizer WeftTokenizer;

/* `path`: a tokenizer.json or a folder that holds one. */
WeftTokenizer *weft_tokenizer_open(const char *path, GError **error);
/* The same from memory; `file` for messages. */
WeftTokenizer *weft_tokenizer_new(const char *file, const char *json, gsize size_bytes,
				  GError **error);
void weft_tokenizer_free(WeftTokenizer *tokenizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftTokenizer, weft_tokenizer_free)

/* Largest id + 1; ids between may have no token. */
gsize weft_tokenizer_size(const WeftTokenizer *tokenizer);

/* Appends ids (gint32) to `ids`. `special`: strings of added tokens become their ids; otherwise
 * they are plain text, which is what document text always is. */
void weft_tokenizer_encode(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
			   gboolean special, GArray *ids);

/* The same for text that goes on from text encoded before. */
void weft_tokenizer_continue(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
			     gboolean special, GArray *ids);

/* Appends the bytes of the ids to `text`; special tokens are written as their strings when
 * `special`, else left out. Fails with the first id that has no token. */
gboolean weft_tokenizer_decode(const WeftTokenizer *tokenizer, const gint32 *ids, gsize n_ids,
			       gboolean special, GString *text, GError **error);

/* The bytes of one token, borrowed, not NUL-terminated; NULL when the id has none. */
const char *weft_tokenizer_token(const WeftTokenizer *tokenizer, gint32 id, gsize *ret_size_bytes);
gboolean weft_tokenizer_is_special(const WeftTokenizer *tokenizer, gint32 id);

/* Id of an added token by its string, or -1. */
gint32 weft_tokenizer_id(const WeftTokenizer *tokenizer, const char *special);

#endif
