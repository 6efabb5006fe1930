/* tokenizer_private.h - what tokenizer_json.c fills and tokenizer.c uses; private to bundle/. */
#ifndef WEFT_BUNDLE_TOKENIZER_PRIVATE_H
#define WEFT_BUNDLE_TOKENIZER_PRIVATE_H

#include <glib.h>

#include "bundle/bpe.h"
#include "bundle/presplit.h"
#include "bundle/tokenizer.h"
#include "bundle/tokens.h"

typedef struct WeftAddedToken {
	char *text;
	gsize size_bytes;
	gint32 id;
	gboolean is_special;
} WeftAddedToken;

struct WeftTokenizer {
	WeftTokens *tokens; /* added tokens too, which are not findable */
	WeftBpe *bpe;
	GArray *added;              /* WeftAddedToken, by text */
	GHashTable *special_ids;    /* set of GINT_TO_POINTER(id), special added tokens */
	WeftPresplit rule;
	gboolean ignore_merges;     /* a piece that is a token is that token */
};

/* Fills an empty tokenizer from tokenizer.json. WEFT_ERROR_CONFIG names file and key. */
gboolean weft_tokenizer_read_json(WeftTokenizer *tokenizer, const char *file, const char *json,
				  gsize size_bytes, GError **error);

#endif
