#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "bundle/tokenizer_private.h"

/* Longer pieces are cut: nothing written by people has one, and memory stays bounded. */
#define PIECE_BYTES_MAX ((gsize)16 << 20)

static void added_clear(gpointer data)
{
	g_free(((WeftAddedToken *)data)->text);
}

WeftTokenizer *weft_tokenizer_new(const char *file, const char *json, gsize size_bytes,
				  GError **error)
{
	g_autoptr(WeftTokenizer) tokenizer = g_new0(WeftTokenizer, 1);

	tokenizer->tokens = weft_tokens_new();
	tokenizer->added = g_array_new(FALSE, FALSE, sizeof(WeftAddedToken));
	g_array_set_clear_func(tokenizer->added, added_clear);
	tokenizer->special_ids = g_hash_table_new(NULL, NULL);
	if (!weft_tokenizer_read_json(tokenizer, file, json, size_bytes, error))
		return NULL;
	return g_steal_pointer(&tokenizer);
}

WeftTokenizer *weft_tokenizer_open(const char *path, GError **error)
{
	g_autofree char *inner = g_build_filename(path, "tokenizer.json", NULL);
	const char *file = g_file_test(path, G_FILE_TEST_IS_DIR) ? inner : path;
	g_autofree char *name = weft_path_display(file);
	g_autoptr(WeftMap) map = weft_map_open(file, error);

	if (!map)
		return NULL;
	return weft_tokenizer_new(name, (const char *)map->data, map->size_bytes, error);
}

void weft_tokenizer_free(WeftTokenizer *tokenizer)
{
	if (!tokenizer)
		return;
	weft_tokens_free(tokenizer->tokens);
	weft_bpe_free(tokenizer->bpe);
	g_array_unref(tokenizer->added);
	g_hash_table_unref(tokenizer->special_ids);
	g_free(tokenizer);
}

gsize weft_tokenizer_size(const WeftTokenizer *tokenizer)
{
	return weft_tokens_size(tokenizer->tokens);
}

static void encode_piece(const WeftTokenizer *tokenizer, const char *piece, gsize size_bytes,
			 WeftBpeScratch *scratch, GArray *ids)
{
	if (tokenizer->ignore_merges) {
		gint32 id = weft_tokens_find(tokenizer->tokens, piece, size_bytes);
		if (id >= 0) {
			g_array_append_val(ids, id);
			return;
		}
	}
	while (size_bytes > 0) {
		gsize n = MIN(size_bytes, PIECE_BYTES_MAX);
		weft_bpe_encode(tokenizer->bpe, piece, n, scratch, ids);
		piece += n;
		size_bytes -= n;
	}
}

static void encode_plain(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
			 WeftBpeScratch *scratch, GArray *ids)
{
	WeftChars chars;

	weft_chars_init(&chars, text, size_bytes);
	for (gsize at = 0; at < chars.n_chars;) {
		gsize end = weft_presplit_end(tokenizer->rule, &chars, at);
		encode_piece(tokenizer, text + chars.offsets[at],
			     chars.offsets[end] - chars.offsets[at], scratch, ids);
		at = end;
	}
	weft_chars_done(&chars);
}

static int byte_at(const WeftAddedToken *token, gsize i)
{
	return i < token->size_bytes ? (guint8)token->text[i] : -1;
}

/* First token of [low, high) whose i-th byte is at least `byte`; they agree in the bytes before. */
static guint first_from(const GArray *added, guint low, guint high, gsize i, int byte)
{
	while (low < high) {
		guint middle = low + (high - low) / 2;
		if (byte_at(&g_array_index(added, WeftAddedToken, middle), i) < byte)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The longest added token that `text` begins with, or NULL. */
static const WeftAddedToken *longest_added(const GArray *added, const char *text, gsize size_bytes)
{
	const WeftAddedToken *longest = NULL;
	guint low = 0, high = added->len;

	for (gsize i = 0; low < high; i++) {
		const WeftAddedToken *token = &g_array_index(added, WeftAddedToken, low);
		if (token->size_bytes == i)
			longest = token;
		if (i == size_bytes)
			break;
		low = first_from(added, low, high, i, (guint8)text[i]);
		high = first_from(added, low, high, i, (guint8)text[i] + 1);
	}
	return longest;
}

void weft_tokenizer_encode(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
			   gboolean special, GArray *ids)
{
	WeftBpeScratch scratch;
	gsize begin = 0;

	weft_bpe_scratch_init(&scratch);
	for (gsize at = 0; special && at < size_bytes;) {
		const WeftAddedToken *token =
			longest_added(tokenizer->added, text + at, size_bytes - at);
		if (!token) {
			at++;
			continue;
		}
		encode_plain(tokenizer, text + begin, at - begin, &scratch, ids);
		g_array_append_val(ids, token->id);
		at += token->size_bytes;
		begin = at;
	}
	encode_plain(tokenizer, text + begin, size_bytes - begin, &scratch, ids);
	weft_bpe_scratch_done(&scratch);
}

void weft_tokenizer_continue(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
			     gboolean special, GArray *ids)
{
	weft_tokenizer_encode(tokenizer, text, size_bytes, special, ids);
}

gboolean weft_tokenizer_decode(const WeftTokenizer *tokenizer, const gint32 *ids, gsize n_ids,
			       gboolean special, GString *text, GError **error)
{
	gsize size_before = text->len;

	for (gsize i = 0; i < n_ids; i++) {
		gsize size_bytes;
		const char *bytes = weft_tokenizer_token(tokenizer, ids[i], &size_bytes);
		if (!bytes) {
			g_string_truncate(text, size_before);
			g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
				    "id %d at %zu has no token; the tokenizer has ids below %zu",
				    ids[i], i, weft_tokenizer_size(tokenizer));
			return FALSE;
		}
		if (special || !weft_tokenizer_is_special(tokenizer, ids[i]))
			g_string_append_len(text, bytes, (gssize)size_bytes);
	}
	return TRUE;
}

const char *weft_tokenizer_token(const WeftTokenizer *tokenizer, gint32 id, gsize *ret_size_bytes)
{
	return weft_tokens_bytes(tokenizer->tokens, id, ret_size_bytes);
}

gboolean weft_tokenizer_is_special(const WeftTokenizer *tokenizer, gint32 id)
{
	return g_hash_table_contains(tokenizer->special_ids, GINT_TO_POINTER(id));
}

gint32 weft_tokenizer_id(const WeftTokenizer *tokenizer, const char *special)
{
	const WeftAddedToken *token =
		longest_added(tokenizer->added, special, strlen(special));
	return token && token->size_bytes == strlen(special) ? token->id : -1;
}
