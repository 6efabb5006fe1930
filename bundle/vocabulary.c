#include <math.h>
#include <string.h>

#include "base/error.h"
#include "bundle/tokenizer_private.h"

#define ADDED_MAX 100000
#define ADDED_BYTES_MAX 1024
#define SPLIT_BYTES_MAX 256 /* the longest published token has 128 */
#define BLANK_SIGN "\xe2\x96\x81" /* U+2581 */

gboolean weft_vocabulary_refuse(const WeftTokenizer *tokenizer, GError **error,
				const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_CONFIG, "%s: %s", tokenizer->file, what);
	return FALSE;
}

/* A token's text for a message. */
static char *shown(const char *text, gsize size_bytes)
{
	g_autofree char *copy = g_strndup(text, MIN(size_bytes, 100));
	return g_utf8_make_valid(copy, -1);
}

gboolean weft_vocabulary_add(WeftTokenizer *tokenizer, gint64 id, const char *bytes,
			     gsize size_bytes, gboolean findable, GError **error)
{
	if (id < 0 || id >= WEFT_TOKENS_IDS_MAX) {
		g_autofree char *text = shown(bytes, size_bytes);
		return weft_vocabulary_refuse(tokenizer, error, "%s: must be an id below %d", text,
					      WEFT_TOKENS_IDS_MAX);
	}
	if (weft_tokens_add(tokenizer->tokens, (gint32)id, bytes, size_bytes, findable))
		return TRUE;
	g_autofree char *text = shown(bytes, size_bytes);
	return weft_vocabulary_refuse(tokenizer, error, "%s: id %d has another token too", text,
				      (gint32)id);
}

/* ---- spelling ---- */

/* GPT-2's alphabet: printable bytes are themselves, the other 68 follow from U+0100 on. -1: no
 * letter of it. */
static int alphabet_byte(guint32 code)
{
	if ((code >= 0x21 && code <= 0x7e) || (code >= 0xa1 && code <= 0xac) ||
	    (code >= 0xae && code <= 0xff))
		return (int)code;
	if (code >= 0x100 && code <= 0x120)
		return (int)code - 0x100;
	if (code >= 0x121 && code <= 0x142)
		return (int)code - 0x121 + 0x7f;
	return code == 0x143 ? 0xad : -1;
}

static gboolean from_alphabet(const char *text, gsize size_bytes, GString *bytes)
{
	for (gsize i = 0; i < size_bytes; i++) {
		guint32 code = (guint8)text[i];
		if (code >= 0x80) {
			if (code < 0xc2 || code > 0xdf || i + 1 >= size_bytes ||
			    ((guint8)text[i + 1] & 0xc0) != 0x80)
				return FALSE;
			code = (code & 0x1f) << 6 | ((guint8)text[++i] & 0x3f);
		}
		int byte = alphabet_byte(code);
		if (byte < 0)
			return FALSE;
		g_string_append_c(bytes, (char)byte);
	}
	return TRUE;
}

/* A blank is U+2581 here; no text has a blank of its own, it became the sign. */
static gboolean from_piece(const char *text, gsize size_bytes, GString *bytes)
{
	const gsize n_sign = strlen(BLANK_SIGN);

	for (gsize i = 0; i < size_bytes;) {
		gboolean is_sign = size_bytes - i >= n_sign &&
				   memcmp(text + i, BLANK_SIGN, n_sign) == 0;
		if (text[i] == ' ')
			return FALSE;
		g_string_append_c(bytes, is_sign ? ' ' : text[i]);
		i += is_sign ? n_sign : 1;
	}
	return TRUE;
}

/* The bytes that a token's spelling stands for; FALSE: no text has it. */
static gboolean spell(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
		      GString *bytes)
{
	g_string_truncate(bytes, 0);
	if (size_bytes == 0)
		return FALSE;
	return tokenizer->has_pieces ? from_piece(text, size_bytes, bytes) :
				       from_alphabet(text, size_bytes, bytes);
}

gboolean weft_vocabulary_add_spelled(WeftTokenizer *tokenizer, gint64 id, const char *text,
				     gsize size_bytes, GError **error)
{
	g_autoptr(GString) bytes = g_string_sized_new(size_bytes);
	guint8 byte = 0;

	if (tokenizer->has_pieces && weft_vocabulary_byte_piece(text, size_bytes, &byte))
		return weft_vocabulary_add_byte(tokenizer, id, byte, error);
	if (spell(tokenizer, text, size_bytes, bytes))
		return weft_vocabulary_add(tokenizer, id, bytes->str, bytes->len, TRUE, error);
	return weft_vocabulary_add(tokenizer, id, text, size_bytes, FALSE, error);
}

gboolean weft_vocabulary_add_pair(WeftTokenizer *tokenizer, const GString *left,
				  const GString *right, guint32 rank)
{
	const GString *const halves[2] = {left, right};
	g_autoptr(GString) bytes = g_string_new(NULL);
	g_autoptr(GString) joined = g_string_new(NULL);
	gint32 ids[3];

	for (gsize i = 0; i < 2; i++) {
		if (!spell(tokenizer, halves[i]->str, halves[i]->len, bytes))
			return FALSE;
		ids[i] = weft_tokens_find(tokenizer->tokens, bytes->str, bytes->len);
		g_string_append_len(joined, bytes->str, (gssize)bytes->len);
	}
	ids[2] = weft_tokens_find(tokenizer->tokens, joined->str, joined->len);
	if (ids[0] < 0 || ids[1] < 0 || ids[2] < 0)
		return FALSE;
	weft_bpe_add_merge(tokenizer->bpe, ids[0], ids[1], rank, ids[2]);
	return TRUE;
}

/* ---- pieces ---- */

gboolean weft_vocabulary_byte_piece(const char *text, gsize size_bytes, guint8 *ret_byte)
{
	if (size_bytes != 6 || memcmp(text, "<0x", 3) != 0 || text[5] != '>')
		return FALSE;
	int high = g_ascii_xdigit_value(text[3]), low = g_ascii_xdigit_value(text[4]);
	if (high < 0 || low < 0 || g_ascii_islower(text[3]) || g_ascii_islower(text[4]))
		return FALSE;
	*ret_byte = (guint8)(high << 4 | low);
	return TRUE;
}

gboolean weft_vocabulary_add_byte(WeftTokenizer *tokenizer, gint64 id, guint8 byte, GError **error)
{
	char text = (char)byte;
	if (!weft_vocabulary_add(tokenizer, id, &text, 1, FALSE, error))
		return FALSE;
	if (tokenizer->byte_ids[byte] < 0)
		tokenizer->byte_ids[byte] = (gint32)id;
	return TRUE;
}

static gboolean add_scored(WeftTokenizer *tokenizer, gint64 id, const WeftPiece *piece,
			   GError **error)
{
	guint8 byte = 0;

	switch (piece->type) {
	case WEFT_PIECE_NORMAL:
		return weft_vocabulary_add_spelled(tokenizer, id, piece->text, piece->size_bytes,
						   error);
	case WEFT_PIECE_UNKNOWN:
	case WEFT_PIECE_CONTROL:
	case WEFT_PIECE_USER:
		return weft_vocabulary_add_special(tokenizer, id, piece->text, piece->size_bytes,
						   piece->type != WEFT_PIECE_USER, error);
	case WEFT_PIECE_BYTE:
		if (!weft_vocabulary_byte_piece(piece->text, piece->size_bytes, &byte))
			return weft_vocabulary_refuse(tokenizer, error,
						      "token %" G_GINT64_FORMAT
						      " is a byte, but not spelled <0xNN>",
						      id);
		return weft_vocabulary_add_byte(tokenizer, id, byte, error);
	default: /* unused: no text has it */
		return TRUE;
	}
}

typedef struct Scored {
	double score;
	gint32 id;
} Scored;

static gint compare_scored(gconstpointer a, gconstpointer b)
{
	const Scored *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

gboolean weft_vocabulary_add_scored(WeftTokenizer *tokenizer, const GArray *pieces,
				    GError **error)
{
	g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(Scored));
	g_autoptr(GArray) ranked = g_array_new(FALSE, FALSE, sizeof(WeftRanked));
	guint32 rank = 0;

	for (guint i = 0; i < pieces->len; i++) {
		const WeftPiece *piece = &g_array_index(pieces, WeftPiece, i);
		if (!isfinite(piece->score))
			return weft_vocabulary_refuse(tokenizer, error,
						      "token %u: its score is not finite", i);
		if (!add_scored(tokenizer, i, piece, error))
			return FALSE;
		if (piece->type == WEFT_PIECE_NORMAL)
			g_array_append_val(order, ((Scored){piece->score, (gint32)i}));
	}
	g_array_sort(order, compare_scored);
	for (guint i = 0; i < order->len; i++) {
		const Scored *item = &g_array_index(order, Scored, i);
		if (i > 0 && item->score < item[-1].score)
			rank++;
		g_array_append_val(ranked, ((WeftRanked){item->id, rank}));
	}
	return weft_vocabulary_add_splits(tokenizer,
					  (const WeftRanked *)(gconstpointer)ranked->data,
					  ranked->len, error);
}

/* ---- merges ---- */

gboolean weft_vocabulary_add_splits(WeftTokenizer *tokenizer, const WeftRanked *ranked, gsize n,
				    GError **error)
{
	for (gsize i = 0; i < n; i++) {
		gint32 id = ranked[i].id;
		gsize size_bytes = 0;
		const char *bytes = weft_tokens_bytes(tokenizer->tokens, id, &size_bytes);
		if (size_bytes > SPLIT_BYTES_MAX)
			return weft_vocabulary_refuse(tokenizer, error,
						      "token %d has %zu bytes, limit %d", id,
						      size_bytes, SPLIT_BYTES_MAX);
		for (gsize cut = 1; cut < size_bytes; cut++) {
			gint32 left = weft_tokens_find(tokenizer->tokens, bytes, cut);
			gint32 right = left < 0 ? -1 :
						  weft_tokens_find(tokenizer->tokens, bytes + cut,
								   size_bytes - cut);
			if (right >= 0)
				weft_bpe_add_merge(tokenizer->bpe, left, right, ranked[i].rank, id);
		}
	}
	return TRUE;
}

/* ---- added tokens ---- */

gboolean weft_vocabulary_add_special(WeftTokenizer *tokenizer, gint64 id, const char *text,
				     gsize size_bytes, gboolean is_special, GError **error)
{
	WeftAddedToken token = {.size_bytes = size_bytes};
	gsize old_bytes = 0;

	if (tokenizer->added->len >= ADDED_MAX)
		return weft_vocabulary_refuse(tokenizer, error, "more than %d added tokens",
					      ADDED_MAX);
	if (size_bytes == 0 || size_bytes > ADDED_BYTES_MAX)
		return weft_vocabulary_refuse(tokenizer, error,
					      "added token %" G_GINT64_FORMAT
					      ": its content must have 1 to %d bytes",
					      id, ADDED_BYTES_MAX);
	const char *old = id >= 0 && id < WEFT_TOKENS_IDS_MAX ?
				  weft_tokens_bytes(tokenizer->tokens, (gint32)id, &old_bytes) :
				  NULL;
	gboolean is_same = old && old_bytes == size_bytes && memcmp(old, text, old_bytes) == 0;
	if (!is_same && !weft_vocabulary_add(tokenizer, id, text, size_bytes, FALSE, error))
		return FALSE;
	token.id = (gint32)id;
	token.text = g_memdup2(text, size_bytes);
	if (is_special)
		g_hash_table_add(tokenizer->special_ids, GINT_TO_POINTER(token.id));
	g_array_append_val(tokenizer->added, token);
	return TRUE;
}

static gint compare_added(gconstpointer a, gconstpointer b)
{
	const WeftAddedToken *x = a, *y = b;
	int order = memcmp(x->text, y->text, MIN(x->size_bytes, y->size_bytes));
	return order ? order : (x->size_bytes > y->size_bytes) - (x->size_bytes < y->size_bytes);
}

static gboolean sort_added(WeftTokenizer *tokenizer, GError **error)
{
	g_array_sort(tokenizer->added, compare_added);
	for (guint i = 1; i < tokenizer->added->len; i++) {
		const WeftAddedToken *token = &g_array_index(tokenizer->added, WeftAddedToken, i);
		if (compare_added(token - 1, token) == 0) {
			g_autofree char *text = shown(token->text, token->size_bytes);
			return weft_vocabulary_refuse(tokenizer, error,
						      "added token %s is there twice", text);
		}
	}
	return TRUE;
}

/* ---- the end of reading ---- */

gboolean weft_vocabulary_find_bytes(WeftTokenizer *tokenizer, GError **error)
{
	for (int b = 0; b < 256; b++) {
		char byte = (char)b;
		tokenizer->byte_ids[b] = weft_tokens_find(tokenizer->tokens, &byte, 1);
		if (tokenizer->byte_ids[b] < 0)
			return weft_vocabulary_refuse(tokenizer, error,
						      "vocabulary: no token for byte 0x%02x", b);
	}
	return TRUE;
}

/* A blank behind something else in a token: then text can't be cut before blanks. */
static gboolean has_inner_blank(const char *bytes, gsize size_bytes)
{
	for (gsize i = 1; i < size_bytes; i++) {
		if (bytes[i] == ' ' && bytes[i - 1] != ' ')
			return TRUE;
	}
	return FALSE;
}

/* Which tokens their own symbols merge into: a piece that is such a token needs no merging. */
static void find_whole(WeftTokenizer *tokenizer)
{
	gsize n = weft_tokens_size(tokenizer->tokens);
	g_autoptr(GArray) symbols = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	WeftBpeScratch scratch;

	tokenizer->n_whole = n;
	tokenizer->is_whole = g_new0(guint8, n);
	tokenizer->cuts_at_blanks = TRUE;
	weft_bpe_scratch_init(&scratch);
	for (gsize i = 0; i < n; i++) {
		gint32 id = (gint32)i;
		gsize size_bytes = 0;
		const char *bytes = weft_tokens_bytes(tokenizer->tokens, id, &size_bytes);
		if (!bytes || size_bytes == 0 ||
		    weft_tokens_find(tokenizer->tokens, bytes, size_bytes) != id)
			continue;
		tokenizer->cuts_at_blanks =
			tokenizer->cuts_at_blanks && !has_inner_blank(bytes, size_bytes);
		if (size_bytes > SPLIT_BYTES_MAX)
			continue;
		g_array_set_size(symbols, 0);
		g_array_set_size(ids, 0);
		weft_tokenizer_symbols(tokenizer, bytes, size_bytes, symbols);
		weft_bpe_encode(tokenizer->bpe, (const gint32 *)(gpointer)symbols->data,
				symbols->len, &scratch, ids);
		tokenizer->is_whole[i] = ids->len == 1 && g_array_index(ids, gint32, 0) == id;
	}
	weft_bpe_scratch_done(&scratch);
}

gboolean weft_vocabulary_finish(WeftTokenizer *tokenizer, GError **error)
{
	for (int b = 0; b < 256; b++) {
		if (tokenizer->byte_ids[b] < 0)
			return weft_vocabulary_refuse(tokenizer, error,
						      "vocabulary: no token <0x%02X>: text could "
						      "not be encoded whatever it holds",
						      b);
	}
	if (tokenizer->has_pieces || !tokenizer->ignore_merges)
		find_whole(tokenizer);
	return sort_added(tokenizer, error);
}
