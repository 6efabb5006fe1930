#include "model/lexicon.h"

#include <string.h>

#include "base/error.h"

WeftLexicon *weft_lexicon_new(const WeftBundle *bundle, gsize n_vocab, GError **error)
{
	const WeftTokenizer *tokenizer = weft_bundle_tokenizer(bundle);
	const WeftTemplate *template = weft_bundle_template(bundle);
	if (!tokenizer || !template) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "%s: no tokenizer, so that it can't answer",
			    weft_bundle_name(bundle));
		return NULL;
	}
	g_autoptr(WeftLexicon) lexicon = g_new0(WeftLexicon, 1);
	lexicon->tokenizer = tokenizer;
	lexicon->n_tokens = n_vocab;
	lexicon->tokens = g_new0(WeftToken, n_vocab);
	for (gsize byte = 0; byte < 256; byte++)
		lexicon->byte_ids[byte] = -1;
	for (gsize i = 0; i < n_vocab; i++) {
		WeftToken *token = &lexicon->tokens[i];
		gint32 id = (gint32)i;
		gsize size = 0;
		token->is_end = weft_template_is_end(template, id);
		if (token->is_end || weft_tokenizer_is_special(tokenizer, id))
			continue;
		token->bytes = weft_tokenizer_token(tokenizer, id, &size);
		token->size_bytes = token->bytes ? (guint32)size : 0;
		if (token->size_bytes == 1 && lexicon->byte_ids[(guint8)token->bytes[0]] < 0)
			lexicon->byte_ids[(guint8)token->bytes[0]] = id;
	}
	for (gsize byte = 0; byte < 256; byte++)
		if (lexicon->byte_ids[byte] < 0) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
				    "tokenizer: no token below vocab_size %" G_GSIZE_FORMAT
				    " for byte 0x%02" G_GSIZE_MODIFIER "x alone",
				    n_vocab, byte);
			return NULL;
		}
	return g_steal_pointer(&lexicon);
}

void weft_lexicon_free(WeftLexicon *lexicon)
{
	if (!lexicon)
		return;
	g_free(lexicon->tokens);
	g_free(lexicon);
}

/* TRUE when the ids write exactly the bytes. */
static gboolean spells(const WeftLexicon *lexicon, const GArray *ids, guint first,
		       const char *bytes, gsize size_bytes)
{
	gsize at = 0;
	for (guint i = first; i < ids->len; i++) {
		gint32 id = g_array_index(ids, gint32, i);
		if (id < 0 || (gsize)id >= lexicon->n_tokens)
			return FALSE;
		const WeftToken *token = &lexicon->tokens[id];
		if (token->size_bytes == 0 || token->size_bytes > size_bytes - at ||
		    memcmp(token->bytes, bytes + at, token->size_bytes) != 0)
			return FALSE;
		at += token->size_bytes;
	}
	return at == size_bytes;
}

void weft_lexicon_encode(const WeftLexicon *lexicon, const char *bytes, gsize size_bytes,
			    GArray *ids)
{
	guint first = ids->len;
	weft_tokenizer_continue(lexicon->tokenizer, bytes, size_bytes, FALSE, ids);
	if (spells(lexicon, ids, first, bytes, size_bytes))
		return;
	g_array_set_size(ids, first);
	for (gsize i = 0; i < size_bytes; i++)
		g_array_append_val(ids, lexicon->byte_ids[(guint8)bytes[i]]);
}
