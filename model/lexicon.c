#include "model/lexicon.h"

#include <string.h>

#include "base/error.h"

static gboolean make_masks(WeftLexicon *lexicon, GError **error)
{
	g_autofree WeftWord *words = g_new(WeftWord, lexicon->n_tokens);
	for (gsize i = 0; i < lexicon->n_tokens; i++)
		words[i] = lexicon->tokens[i].word;
	lexicon->vocabulary = weft_vocabulary_new(words, lexicon->n_tokens, error);
	if (!lexicon->vocabulary)
		return FALSE;
	lexicon->masks = weft_masks_new(lexicon->vocabulary, WEFT_MASKS_BYTES_MAX);
	return TRUE;
}

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
	lexicon->end_ids = g_new(gint32, n_vocab);
	lexicon->writing = g_new0(guint64, (n_vocab + 63) / 64 + 1);
	lexicon->everything = g_new0(guint64, (n_vocab + 63) / 64 + 1);
	for (gsize i = 0; i < n_vocab; i++) {
		WeftToken *token = &lexicon->tokens[i];
		gint32 id = (gint32)i;
		gsize size = 0;
		token->is_end = weft_template_is_end(template, id);
		lexicon->everything[i / 64] |= (guint64)1 << (i % 64);
		if (token->is_end)
			lexicon->end_ids[lexicon->n_ends++] = id;
		if (token->is_end || weft_tokenizer_is_special(tokenizer, id))
			continue;
		token->word.bytes = weft_tokenizer_token(tokenizer, id, &size);
		token->word.size_bytes = token->word.bytes ? (guint32)size : 0;
		if (token->word.size_bytes > 0)
			lexicon->writing[i / 64] |= (guint64)1 << (i % 64);
		if (size == 1 && lexicon->byte_ids[(guint8)token->word.bytes[0]] < 0)
			lexicon->byte_ids[(guint8)token->word.bytes[0]] = id;
	}
	for (gsize byte = 0; byte < 256; byte++)
		if (lexicon->byte_ids[byte] < 0) {
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
				    "tokenizer: no token below vocab_size %" G_GSIZE_FORMAT
				    " for byte 0x%02" G_GSIZE_MODIFIER "x alone",
				    n_vocab, byte);
			return NULL;
		}
	if (!make_masks(lexicon, error))
		return NULL;
	return g_steal_pointer(&lexicon);
}

void weft_lexicon_free(WeftLexicon *lexicon)
{
	if (!lexicon)
		return;
	weft_masks_free(lexicon->masks);
	weft_vocabulary_free(lexicon->vocabulary);
	g_free(lexicon->end_ids);
	g_free(lexicon->writing);
	g_free(lexicon->everything);
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
		const WeftWord *word = &lexicon->tokens[id].word;
		if (word->size_bytes == 0 || word->size_bytes > size_bytes - at ||
		    memcmp(word->bytes, bytes + at, word->size_bytes) != 0)
			return FALSE;
		at += word->size_bytes;
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
