#include <string.h>

#include "bundle/tokens.h"

#define SLOTS_FIRST 1024

typedef struct Token {
	gsize offset; /* in blob */
	gsize size_bytes;
	gboolean is_there;
} Token;

struct WeftTokens {
	GString *blob;  /* all tokens' bytes, one after the other */
	GArray *entries; /* Token, by id */
	gint32 *slots;  /* open addressing, -1: free; at most half full */
	gsize n_slots, n_used; /* n_slots is a power of two */
};

WeftTokens *weft_tokens_new(void)
{
	WeftTokens *tokens = g_new0(WeftTokens, 1);
	tokens->blob = g_string_new(NULL);
	tokens->entries = g_array_new(FALSE, TRUE, sizeof(Token));
	tokens->n_slots = SLOTS_FIRST;
	tokens->slots = g_new(gint32, SLOTS_FIRST);
	memset(tokens->slots, 0xff, SLOTS_FIRST * sizeof(gint32));
	return tokens;
}

void weft_tokens_free(WeftTokens *tokens)
{
	if (!tokens)
		return;
	g_string_free(tokens->blob, TRUE);
	g_array_unref(tokens->entries);
	g_free(tokens->slots);
	g_free(tokens);
}

/* FNV-1a with a final mix, so that the low bits depend on all of them. */
static guint64 hash_bytes(const char *bytes, gsize size_bytes)
{
	guint64 hash = 14695981039346656037u;
	for (gsize i = 0; i < size_bytes; i++)
		hash = (hash ^ (guint8)bytes[i]) * 1099511628211u;
	return hash ^ hash >> 32;
}

static const Token *token_at(const WeftTokens *tokens, gint32 id)
{
	if (id < 0 || (guint)id >= tokens->entries->len)
		return NULL;
	const Token *token = &g_array_index(tokens->entries, Token, id);
	return token->is_there ? token : NULL;
}

/* The slot of the token with these bytes, or the free one where it would go. */
static gsize slot_of(const WeftTokens *tokens, const char *bytes, gsize size_bytes)
{
	gsize slot = hash_bytes(bytes, size_bytes) & (tokens->n_slots - 1);
	while (tokens->slots[slot] >= 0) {
		const Token *token = token_at(tokens, tokens->slots[slot]);
		if (token->size_bytes == size_bytes &&
		    memcmp(tokens->blob->str + token->offset, bytes, size_bytes) == 0)
			break;
		slot = (slot + 1) & (tokens->n_slots - 1);
	}
	return slot;
}

static void grow(WeftTokens *tokens)
{
	g_autofree gint32 *old = tokens->slots;
	gsize n_old = tokens->n_slots;

	tokens->n_slots *= 2;
	tokens->slots = g_new(gint32, tokens->n_slots);
	memset(tokens->slots, 0xff, tokens->n_slots * sizeof(gint32));
	for (gsize i = 0; i < n_old; i++) {
		const Token *token = token_at(tokens, old[i]);
		if (token)
			tokens->slots[slot_of(tokens,
						  tokens->blob->str + token->offset,
						  token->size_bytes)] = old[i];
	}
}

gboolean weft_tokens_add(WeftTokens *tokens, gint32 id, const char *bytes,
			     gsize size_bytes, gboolean findable)
{
	g_return_val_if_fail(id >= 0 && id < WEFT_TOKENS_IDS_MAX, FALSE);
	if (token_at(tokens, id))
		return FALSE;
	if ((guint)id >= tokens->entries->len)
		g_array_set_size(tokens->entries, (guint)id + 1);
	Token *token = &g_array_index(tokens->entries, Token, id);
	token->offset = tokens->blob->len;
	token->size_bytes = size_bytes;
	token->is_there = TRUE;
	g_string_append_len(tokens->blob, bytes, (gssize)size_bytes);
	if (!findable)
		return TRUE;
	gsize slot = slot_of(tokens, bytes, size_bytes);
	if (tokens->slots[slot] >= 0)
		return TRUE;
	tokens->slots[slot] = id;
	if (++tokens->n_used > tokens->n_slots / 2)
		grow(tokens);
	return TRUE;
}

gint32 weft_tokens_find(const WeftTokens *tokens, const char *bytes, gsize size_bytes)
{
	return tokens->slots[slot_of(tokens, bytes, size_bytes)];
}

const char *weft_tokens_bytes(const WeftTokens *tokens, gint32 id,
				  gsize *ret_size_bytes)
{
	const Token *token = token_at(tokens, id);
	if (!token)
		return NULL;
	*ret_size_bytes = token->size_bytes;
	return tokens->blob->str + token->offset;
}

gsize weft_tokens_size(const WeftTokens *tokens)
{
	return tokens->entries->len;
}
