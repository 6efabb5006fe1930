/* tokens.h - tokens by id and by their bytes; private to bundle/. */
#ifndef WEFT_BUNDLE_TOKENS_H
#define WEFT_BUNDLE_TOKENS_H

#include <glib.h>

/* Published vocabularies end near 300,000; the limit bounds the arrays that a file can ask for. */
#define WEFT_TOKENS_IDS_MAX ((gint32)1 << 23)

typedef struct WeftTokens WeftTokens;

WeftTokens *weft_tokens_new(void);
void weft_tokens_free(WeftTokens *tokens);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftTokens, weft_tokens_free)

/* FALSE when the id (below WEFT_TOKENS_IDS_MAX) has a token already. `findable`: the bytes lead
 * back to the id, unless an earlier token has the same. */
gboolean weft_tokens_add(WeftTokens *tokens, gint32 id, const char *bytes,
			     gsize size_bytes, gboolean findable);

/* Id of a findable token, or -1. */
gint32 weft_tokens_find(const WeftTokens *tokens, const char *bytes, gsize size_bytes);

/* Bytes of a token, borrowed; NULL when the id has none. */
const char *weft_tokens_bytes(const WeftTokens *tokens, gint32 id,
				  gsize *ret_size_bytes);

/* Largest id + 1. */
gsize weft_tokens_size(const WeftTokens *tokens);

#endif
