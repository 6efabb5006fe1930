#include <string.h>

#include "bundle/vocabulary.h"

#define SLOTS_FIRST 1024

typedef struct Token {
	gsize offset; /* in blob */
	gsize size_bytes;
	gboolean is_there;
} Token;

struct WeftVocabulary {
	GString *blob;  /* all tokens' bytes, one after the other */
	GArray *tokens; /* Token, by id */
	gint32 *slots;  /* open addressing, -1: free; at most half full */
	gsize n_slots, n_used; /* n_slots is a power of two */
};

WeftVocabulary *weft_vocabulary_new(void)
{
	WeftVocabulary *vocabulary = g_new0(WeftVocabulary, 1);
	vocabulary->blob = g_string_new(NULL);
	vocabulary->tokens = g_array_new(FALSE, TRUE, sizeof(Token));
	vocabulary->n_slots = SLOTS_FIRST;
	vocabulary->slots = g_new(gint32, SLOTS_FIRST);
	memset(vocabulary->slots, 0xff, SLOTS_FIRST * sizeof(gint32));
	return vocabulary;
}

void weft_vocabulary_free(WeftVocabulary *vocabulary)
{
	if (!vocabulary)
		return;
	g_string_free(vocabulary->blob, TRUE);
	g_array_unref(vocabulary->tokens);
	g_free(vocabulary->slots);
	g_free(vocabulary);
}

/* FNV-1a with a final mix, so that the low bits depend on all of them. */
static guint64 hash_bytes(const char *bytes, gsize size_bytes)
{
	guint64 hash = 14695981039346656037u;
	for (gsize i = 0; i < size_bytes; i++)
		hash = (hash ^ (guint8)bytes[i]) * 1099511628211u;
	return hash ^ hash >> 32;
}

static const Token *token_at(const WeftVocabulary *vocabulary, gint32 id)
{
	if (id < 0 || (guint)id >= vocabulary->tokens->len)
		return NULL;
	const Token *token = &g_array_index(vocabulary->tokens, Token, id);
	return token->is_there ? token : NULL;
}

/* The slot of the token with these bytes, or the free one where it would go. */
static gsize slot_of(const WeftVocabulary *vocabulary, const char *bytes, gsize size_bytes)
{
	gsize slot = hash_bytes(bytes, size_bytes) & (vocabulary->n_slots - 1);
	while (vocabulary->slots[slot] >= 0) {
		const Token *token = token_at(vocabulary, vocabulary->slots[slot]);
		if (token->size_bytes == size_bytes &&
		    memcmp(vocabulary->blob->str + token->offset, bytes, size_bytes) == 0)
			break;
		slot = (slot + 1) & (vocabulary->n_slots - 1);
	}
	return slot;
}

static void grow(WeftVocabulary *vocabulary)
{
	g_autofree gint32 *old = vocabulary->slots;
	gsize n_old = vocabulary->n_slots;

	vocabulary->n_slots *= 2;
	vocabulary->slots = g_new(gint32, vocabulary->n_slots);
	memset(vocabulary->slots, 0xff, vocabulary->n_slots * sizeof(gint32));
	for (gsize i = 0; i < n_old; i++) {
		const Token *token = token_at(vocabulary, old[i]);
		if (token)
			vocabulary->slots[slot_of(vocabulary,
						  vocabulary->blob->str + token->offset,
						  token->size_bytes)] = old[i];
	}
}

gboolean weft_vocabulary_add(WeftVocabulary *vocabulary, gint32 id, const char *bytes,
			     gsize size_bytes, gboolean findable)
{
	g_return_val_if_fail(id >= 0 && id < WEFT_VOCABULARY_IDS_MAX, FALSE);
	if (token_at(vocabulary, id))
		return FALSE;
	if ((guint)id >= vocabulary->tokens->len)
		g_array_set_size(vocabulary->tokens, (guint)id + 1);
	Token *token = &g_array_index(vocabulary->tokens, Token, id);
	token->offset = vocabulary->blob->len;
	token->size_bytes = size_bytes;
	token->is_there = TRUE;
	g_string_append_len(vocabulary->blob, bytes, (gssize)size_bytes);
	if (!findable)
		return TRUE;
	gsize slot = slot_of(vocabulary, bytes, size_bytes);
	if (vocabulary->slots[slot] >= 0)
		return TRUE;
	vocabulary->slots[slot] = id;
	if (++vocabulary->n_used > vocabulary->n_slots / 2)
		grow(vocabulary);
	return TRUE;
}

gint32 weft_vocabulary_find(const WeftVocabulary *vocabulary, const char *bytes, gsize size_bytes)
{
	return vocabulary->slots[slot_of(vocabulary, bytes, size_bytes)];
}

const char *weft_vocabulary_bytes(const WeftVocabulary *vocabulary, gint32 id,
				  gsize *ret_size_bytes)
{
	const Token *token = token_at(vocabulary, id);
	if (!token)
		return NULL;
	*ret_size_bytes = token->size_bytes;
	return vocabulary->blob->str + token->offset;
}

gsize weft_vocabulary_size(const WeftVocabulary *vocabulary)
{
	return vocabulary->tokens->len;
}
