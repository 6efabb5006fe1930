#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "base/utf8.h"
#include "bundle/tokenizer_private.h"

/* Longer pieces are cut: nothing written by people has one, and memory stays bounded. */
#define PIECE_BYTES_MAX ((gsize)16 << 20)
/* Of a tokenizer file: Llama 4's has 28 MB. */
#define FILE_BYTES_MAX ((gsize)512 << 20)
#define BLANK_SIGN "\xe2\x96\x81" /* U+2581 */

/* ---- opening ---- */

static void added_clear(gpointer data)
{
	g_free(((WeftAddedToken *)data)->text);
}

WeftTokenizer *weft_tokenizer_new_empty(const char *file)
{
	WeftTokenizer *tokenizer = g_new0(WeftTokenizer, 1);

	tokenizer->file = g_strdup(file);
	tokenizer->tokens = weft_tokens_new();
	tokenizer->bpe = weft_bpe_new();
	memset(tokenizer->byte_ids, 0xff, sizeof tokenizer->byte_ids);
	tokenizer->added = g_array_new(FALSE, FALSE, sizeof(WeftAddedToken));
	g_array_set_clear_func(tokenizer->added, added_clear);
	tokenizer->special_ids = g_hash_table_new(NULL, NULL);
	return tokenizer;
}

static gboolean begins_with_brace(const char *data, gsize size_bytes)
{
	for (gsize i = 0; i < size_bytes; i++) {
		if (!g_ascii_isspace(data[i]))
			return data[i] == '{';
	}
	return FALSE;
}

WeftTokenizer *weft_tokenizer_new(const char *file, const char *data, gsize size_bytes,
				  GError **error)
{
	if (size_bytes >= 4 && memcmp(data, "GGUF", 4) == 0) {
		g_autoptr(WeftGguf) gguf =
			weft_gguf_new(file, (const guint8 *)data, size_bytes, error);
		return gguf ? weft_tokenizer_new_gguf(gguf, error) : NULL;
	}
	if (weft_ggml_is(data, size_bytes)) {
		g_autoptr(WeftGgml) ggml =
			weft_ggml_new(file, (const guint8 *)data, size_bytes, error);
		return ggml ? weft_tokenizer_new_ggml(ggml, error) : NULL;
	}
	if (size_bytes > FILE_BYTES_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "%s: %zu bytes, limit %zu", file,
			    size_bytes, FILE_BYTES_MAX);
		return NULL;
	}
	g_autoptr(WeftTokenizer) tokenizer = weft_tokenizer_new_empty(file);
	gboolean ok;
	if (weft_tiktoken_is(data, size_bytes))
		ok = weft_tokenizer_read_tiktoken(tokenizer, data, size_bytes, error);
	else if (size_bytes > 0 && data[0] == '\n' && !begins_with_brace(data, size_bytes))
		ok = weft_tokenizer_read_pieces(tokenizer, (const guint8 *)data, size_bytes,
						error);
	else
		ok = weft_tokenizer_read_json(tokenizer, data, size_bytes, error);
	return ok ? g_steal_pointer(&tokenizer) : NULL;
}

WeftTokenizer *weft_tokenizer_new_gguf(const WeftGguf *gguf, GError **error)
{
	g_autoptr(WeftTokenizer) tokenizer = weft_tokenizer_new_empty(weft_gguf_file(gguf));
	return weft_tokenizer_read_gguf(tokenizer, gguf, error) ? g_steal_pointer(&tokenizer) :
								  NULL;
}

char *weft_tokenizer_file(const char *path)
{
	static const char *const names[] = {"tokenizer.json", "tokenizer.model"};
	g_autofree char *file = NULL;

	if (!g_file_test(path, G_FILE_TEST_IS_DIR))
		return g_strdup(path);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_free(file);
		file = g_build_filename(path, names[i], NULL);
		if (g_file_test(file, G_FILE_TEST_EXISTS))
			return g_steal_pointer(&file);
	}
	return NULL;
}

gboolean weft_tokenizer_is_in(const WeftGgufSet *set)
{
	const WeftGgufValue *model =
		set ? weft_gguf_value(weft_gguf_set_head(set), "tokenizer.ggml.model") : NULL;
	return model && !weft_gguf_is(model, "none") && !weft_gguf_is(model, "no_vocab");
}

WeftTokenizer *weft_tokenizer_open(const char *path, GError **error)
{
	g_autoptr(WeftGgufSet) set = NULL;

	if (weft_gguf_set_is_at(path)) {
		set = weft_gguf_set_open(path, error);
		if (!set)
			return NULL;
		if (weft_tokenizer_is_in(set))
			return weft_tokenizer_new_gguf(weft_gguf_set_head(set), error);
	}
	g_autofree char *file = weft_tokenizer_file(set ? set->folder : path);
	g_autofree char *name = weft_path_display(file ? file : path);

	if (!file) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG,
			    "%s: holds no tokenizer.json and no tokenizer.model", name);
		return NULL;
	}
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
	g_free(tokenizer->is_whole);
	g_free(tokenizer->file);
	g_free(tokenizer);
}

const char *weft_tokenizer_name(const WeftTokenizer *tokenizer)
{
	return tokenizer->file;
}

gsize weft_tokenizer_size(const WeftTokenizer *tokenizer)
{
	return weft_tokens_size(tokenizer->tokens);
}

/* ---- encoding ---- */

/* What encoding of one text reuses from piece to piece. */
typedef struct Encoding {
	const WeftTokenizer *tokenizer;
	WeftBpeScratch scratch;
	GArray *symbols; /* gint32 */
	GArray *ids;     /* gint32, the result */
} Encoding;

static void encoding_init(Encoding *encoding, const WeftTokenizer *tokenizer, GArray *ids)
{
	encoding->tokenizer = tokenizer;
	weft_bpe_scratch_init(&encoding->scratch);
	encoding->symbols = g_array_new(FALSE, FALSE, sizeof(gint32));
	encoding->ids = ids;
}

static void encoding_done(Encoding *encoding)
{
	weft_bpe_scratch_done(&encoding->scratch);
	g_array_unref(encoding->symbols);
}

void weft_tokenizer_symbols(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
			    GArray *symbols)
{
	const guint8 *bytes = (const guint8 *)text, *end = bytes + size_bytes;

	while (bytes < end) {
		gsize n = 1;
		gint32 id = -1;
		if (tokenizer->has_pieces) {
			gboolean is_valid;
			n = weft_utf8_step(bytes, end, &is_valid);
			if (is_valid)
				id = weft_tokens_find(tokenizer->tokens, (const char *)bytes, n);
		}
		if (id >= 0)
			g_array_append_val(symbols, id);
		for (gsize i = 0; id < 0 && i < n; i++)
			g_array_append_val(symbols, tokenizer->byte_ids[bytes[i]]);
		bytes += n;
	}
}

/* The whole piece as one token, where merging would give it (or does not matter). */
static gint32 whole_token(const WeftTokenizer *tokenizer, const char *piece, gsize size_bytes)
{
	gint32 id = weft_tokens_find(tokenizer->tokens, piece, size_bytes);
	if (id < 0 || tokenizer->ignore_merges)
		return id;
	return (gsize)id < tokenizer->n_whole && tokenizer->is_whole[id] ? id : -1;
}

static void encode_piece(Encoding *encoding, const char *piece, gsize size_bytes)
{
	gint32 id = whole_token(encoding->tokenizer, piece, size_bytes);

	if (id >= 0) {
		g_array_append_val(encoding->ids, id);
		return;
	}
	while (size_bytes > 0) {
		gsize n = MIN(size_bytes, PIECE_BYTES_MAX);
		g_array_set_size(encoding->symbols, 0);
		weft_tokenizer_symbols(encoding->tokenizer, piece, n, encoding->symbols);
		weft_bpe_encode(encoding->tokenizer->bpe,
				(const gint32 *)(gpointer)encoding->symbols->data,
				encoding->symbols->len, &encoding->scratch, encoding->ids);
		piece += n;
		size_bytes -= n;
	}
}

static void encode_bytes(Encoding *encoding, const char *text, gsize size_bytes)
{
	WeftChars chars;

	weft_chars_init(&chars, text, size_bytes);
	for (gsize at = 0; at < chars.n_chars;) {
		gsize end = weft_presplit_end(encoding->tokenizer->rule, &chars, at);
		encode_piece(encoding, text + chars.offsets[at],
			     chars.offsets[end] - chars.offsets[at]);
		at = end;
	}
	weft_chars_done(&chars);
}

/* Where a text that is about to be encoded stands. */
typedef enum {
	AT_START,
	BEHIND_TOKEN, /* an added token */
	GOES_ON,
} Place;

static gboolean takes_blank(const WeftTokenizer *tokenizer, gboolean has_blank, Place place)
{
	switch (tokenizer->prefix) {
	case WEFT_PREFIX_FIRST:
		return place == AT_START && !has_blank;
	case WEFT_PREFIX_MISSING:
		return place != GOES_ON && !has_blank;
	case WEFT_PREFIX_EACH:
		return place != GOES_ON;
	default:
		return FALSE;
	}
}

/* The text with its prefix, and each U+2581 as the blank that it stands for in the vocabulary. */
static GString *with_blanks(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
			    Place place)
{
	GString *out = g_string_sized_new(size_bytes + 2);
	const gsize n_sign = strlen(BLANK_SIGN);
	gboolean has_blank = text[0] == ' ' || (size_bytes >= n_sign &&
						memcmp(text, BLANK_SIGN, n_sign) == 0);

	if (takes_blank(tokenizer, has_blank, place))
		g_string_append_c(out, ' ');
	while (size_bytes > 0) {
		const char *sign = memmem(text, size_bytes, BLANK_SIGN, n_sign);
		gsize n = sign ? (gsize)(sign - text) : size_bytes;
		g_string_append_len(out, text, (gssize)n);
		if (sign) {
			g_string_append_c(out, ' ');
			n += n_sign;
		}
		text += n;
		size_bytes -= n;
	}
	return out;
}

static void encode_pieces(Encoding *encoding, const char *text, gsize size_bytes, Place place)
{
	const WeftTokenizer *tokenizer = encoding->tokenizer;
	g_autoptr(GString) blanks = with_blanks(tokenizer, text, size_bytes, place);
	const char *at = blanks->str, *end = blanks->str + blanks->len;

	while (at < end) {
		const char *next = end;
		if (tokenizer->cuts_at_each)
			next = at + 1;
		else if (tokenizer->cuts_at_blanks)
			for (next = at; next < end && *next == ' ';)
				next++;
		if (next < end)
			next = memchr(next, ' ', (gsize)(end - next));
		if (!next)
			next = end;
		encode_piece(encoding, at, (gsize)(next - at));
		at = next;
	}
}

static void encode_plain(Encoding *encoding, const char *text, gsize size_bytes, Place place)
{
	if (size_bytes == 0)
		return;
	if (encoding->tokenizer->has_pieces)
		encode_pieces(encoding, text, size_bytes, place);
	else
		encode_bytes(encoding, text, size_bytes);
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

static void encode(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
		   gboolean special, Place place, GArray *ids)
{
	Encoding encoding;
	gsize begin = 0;

	encoding_init(&encoding, tokenizer, ids);
	for (gsize at = 0; special && at < size_bytes;) {
		const WeftAddedToken *token =
			longest_added(tokenizer->added, text + at, size_bytes - at);
		if (!token) {
			at++;
			continue;
		}
		encode_plain(&encoding, text + begin, at - begin, place);
		g_array_append_val(ids, token->id);
		at += token->size_bytes;
		begin = at;
		place = BEHIND_TOKEN;
	}
	encode_plain(&encoding, text + begin, size_bytes - begin, place);
	encoding_done(&encoding);
}

void weft_tokenizer_encode(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
			   gboolean special, GArray *ids)
{
	encode(tokenizer, text, size_bytes, special, AT_START, ids);
}

void weft_tokenizer_continue(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
			     gboolean special, GArray *ids)
{
	encode(tokenizer, text, size_bytes, special, GOES_ON, ids);
}

/* ---- decoding ---- */

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
	if (tokenizer->drops_blank && text->len > size_before && text->str[size_before] == ' ')
		g_string_erase(text, (gssize)size_before, 1);
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
