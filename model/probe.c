#include "model/model.h"
#include "schema/mask.h"

/* Bytes of the first token that may not come, or all of them. */
static gsize walk_tokens(const WeftSchema *schema, const WeftVocabulary *vocabulary,
			 const WeftWord *words, const GArray *ids, gboolean *ret_is_complete)
{
	g_autoptr(WeftMasks) masks = weft_masks_new(vocabulary, WEFT_MASKS_BYTES_MAX);
	g_autoptr(WeftLevels) levels = weft_levels_new();
	WeftConstraint now;
	gsize at = 0;
	*ret_is_complete = FALSE;
	weft_constraint_init(&now, schema, levels, NULL, 0);
	for (guint i = 0; i < ids->len; i++) {
		gint32 id = g_array_index(ids, gint32, i);
		const WeftWord *word = &words[id];
		if (weft_word_is_usable(word)) {
			WeftMask mask = weft_masks_find(masks, &now, G_MAXSIZE);
			if (!weft_mask_has(&mask, id))
				return at;
		}
		for (guint32 j = 0; j < word->size_bytes; j++, at++)
			if (!weft_constraint_advance(&now, (guint8)word->bytes[j]))
				return at;
	}
	*ret_is_complete = weft_constraint_is_complete(&now);
	return at;
}

gboolean weft_model_accepts(const WeftTokenizer *tokenizer, const WeftSchema *schema,
			    const char *text, gsize size_bytes, gboolean *ret_accepts,
			    gsize *ret_byte, GError **error)
{
	gsize n = weft_tokenizer_size(tokenizer);
	g_autofree WeftWord *words = g_new0(WeftWord, n);
	for (gsize id = 0; id < n; id++) {
		gsize size = 0;
		const char *bytes = weft_tokenizer_is_special(tokenizer, (gint32)id)
					    ? NULL
					    : weft_tokenizer_token(tokenizer, (gint32)id, &size);
		words[id] = (WeftWord){bytes, bytes ? (guint32)size : 0};
	}
	g_autoptr(WeftVocabulary) vocabulary = weft_vocabulary_new(words, n, error);
	if (!vocabulary)
		return FALSE;
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	weft_tokenizer_continue(tokenizer, text, size_bytes, FALSE, ids);
	gboolean is_complete, by_bytes;
	gsize byte = size_bytes, at = walk_tokens(schema, vocabulary, words, ids, &is_complete);
	/* A token is refused as a whole; which of its bytes is to blame the automaton says. */
	by_bytes = weft_schema_accepts(schema, text, size_bytes, &byte);
	*ret_accepts = is_complete && by_bytes && at == size_bytes;
	*ret_byte = by_bytes ? at : byte;
	return TRUE;
}
