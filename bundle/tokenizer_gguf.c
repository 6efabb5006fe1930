/* The vocabulary of a GGUF file: tokenizer.ggml.model "gpt2" (byte level, with merges) or "llama"
 * (pieces with scores). */
#include <string.h>

#include "bundle/tokenizer_private.h"

#define KEY(name) "tokenizer.ggml." name

/* Names of tokenizer.ggml.pre for the rules that weft has. "default" is what converters write
 * where they do not know the rule; pieces need none. */
static const struct {
	const char *pre;
	WeftPresplit rule;
} RULES[] = {
	{"llama4", WEFT_PRESPLIT_LLAMA4},   {"gpt-4o", WEFT_PRESPLIT_LLAMA4},
	{"llama-bpe", WEFT_PRESPLIT_LLAMA3}, {"llama3", WEFT_PRESPLIT_LLAMA3},
	{"llama-v3", WEFT_PRESPLIT_LLAMA3},  {"gpt-2", WEFT_PRESPLIT_GPT2},
};

static gboolean read_flag(const WeftGguf *gguf, const char *key, gboolean absent)
{
	gboolean value = absent;
	(void)weft_gguf_bool(weft_gguf_value(gguf, key), &value); /* else as when absent */
	return value;
}

/* Tokens with their types and scores. `scores` may be absent where none are used. */
static gboolean read_pieces(WeftTokenizer *tokenizer, const WeftGguf *gguf, gboolean needs_scores,
			    GArray *pieces, GError **error)
{
	const WeftGgufValue *tokens = weft_gguf_value(gguf, KEY("tokens"));
	const WeftGgufValue *types = weft_gguf_value(gguf, KEY("token_type"));
	const WeftGgufValue *scores = needs_scores ? weft_gguf_value(gguf, KEY("scores")) : NULL;
	WeftGgufStrings strings = weft_gguf_strings(tokens);
	gsize n = weft_gguf_length(tokens);
	WeftPiece piece = {0};

	if (weft_gguf_item_type(tokens) != WEFT_GGUF_STRING || n == 0 ||
	    n > (gsize)WEFT_TOKENS_IDS_MAX)
		return weft_vocabulary_refuse(tokenizer, error,
					      KEY("tokens") ": must be a list of 1 to %d strings",
					      WEFT_TOKENS_IDS_MAX);
	if (weft_gguf_length(types) != n || (needs_scores && weft_gguf_length(scores) != n))
		return weft_vocabulary_refuse(
			tokenizer, error, KEY("%s") ": %zu numbers for %zu tokens",
			weft_gguf_length(types) != n ? "token_type" : "scores",
			weft_gguf_length(weft_gguf_length(types) != n ? types : scores), n);
	for (gsize i = 0; weft_gguf_strings_next(&strings, &piece.text, &piece.size_bytes); i++) {
		gint64 type;
		if (!weft_gguf_int_at(types, i, &type) || type < WEFT_PIECE_NORMAL ||
		    type > WEFT_PIECE_BYTE)
			return weft_vocabulary_refuse(
				tokenizer, error, KEY("token_type") ": token %zu: must be 1 to 6",
				i);
		if (scores && !weft_gguf_double_at(scores, i, &piece.score))
			return weft_vocabulary_refuse(
				tokenizer, error, KEY("scores") ": token %zu: must be finite", i);
		piece.type = (WeftPieceType)type;
		g_array_append_val(pieces, piece);
	}
	return TRUE;
}

/* ---- "llama" ---- */

static gboolean read_scored(WeftTokenizer *tokenizer, const WeftGguf *gguf, GError **error)
{
	g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(WeftPiece));
	gboolean adds_prefix = read_flag(gguf, KEY("add_space_prefix"), TRUE);

	if (read_flag(gguf, KEY("remove_extra_whitespaces"), FALSE) ||
	    weft_gguf_length(weft_gguf_value(gguf, KEY("precompiled_charsmap"))) > 0)
		return weft_vocabulary_refuse(tokenizer, error,
					      KEY("remove_extra_whitespaces, precompiled_charsmap")
					      ": vocabularies that change text are not read");
	tokenizer->has_pieces = TRUE;
	tokenizer->prefix = adds_prefix ? WEFT_PREFIX_EACH : WEFT_PREFIX_NONE;
	tokenizer->drops_blank = adds_prefix;
	return read_pieces(tokenizer, gguf, TRUE, pieces, error) &&
	       weft_vocabulary_add_scored(tokenizer, pieces, error);
}

/* ---- "gpt2" ---- */

static gboolean find_rule(WeftTokenizer *tokenizer, const WeftGguf *gguf, GError **error)
{
	const WeftGgufValue *pre = weft_gguf_value(gguf, KEY("pre"));
	gsize size_bytes = 0;
	const char *name = weft_gguf_text(pre, &size_bytes);

	for (gsize i = 0; i < G_N_ELEMENTS(RULES); i++) {
		if (weft_gguf_is(pre, RULES[i].pre)) {
			tokenizer->rule = RULES[i].rule;
			tokenizer->ignore_merges = RULES[i].rule != WEFT_PRESPLIT_GPT2;
			return TRUE;
		}
	}
	return weft_vocabulary_refuse(tokenizer, error,
				      KEY("pre") ": \"%.*s\": how text is cut is known for llama4, "
						 "llama-bpe and gpt-2; convert the model again, or "
						 "use tokenizer.json",
				      (int)MIN(size_bytes, 100), name ? name : "");
}

static gboolean add_merges(WeftTokenizer *tokenizer, const WeftGguf *gguf, GError **error)
{
	const WeftGgufValue *merges = weft_gguf_value(gguf, KEY("merges"));
	WeftGgufStrings strings = weft_gguf_strings(merges);
	g_autoptr(GString) left = g_string_new(NULL);
	g_autoptr(GString) right = g_string_new(NULL);
	const char *text;
	gsize size_bytes;

	if (weft_gguf_item_type(merges) != WEFT_GGUF_STRING)
		return weft_vocabulary_refuse(tokenizer, error,
					      KEY("merges") ": must be a list of strings");
	for (guint32 n = 0; weft_gguf_strings_next(&strings, &text, &size_bytes); n++) {
		const char *blank = memchr(text, ' ', size_bytes);
		if (!blank)
			return weft_vocabulary_refuse(tokenizer, error,
						      KEY("merges") ": number %u is no pair", n);
		g_string_truncate(left, 0);
		g_string_append_len(left, text, blank - text);
		g_string_truncate(right, 0);
		g_string_append_len(right, blank + 1, (gssize)size_bytes - (blank + 1 - text));
		if (!weft_vocabulary_add_pair(tokenizer, left, right, n))
			return weft_vocabulary_refuse(tokenizer, error,
						      KEY("merges") ": pair %u is not in the "
								    "vocabulary",
						      n);
	}
	return TRUE;
}

static gboolean read_byte_level(WeftTokenizer *tokenizer, const WeftGguf *gguf, GError **error)
{
	g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(WeftPiece));

	if (!find_rule(tokenizer, gguf, error) ||
	    !read_pieces(tokenizer, gguf, FALSE, pieces, error))
		return FALSE;
	for (guint i = 0; i < pieces->len; i++) {
		const WeftPiece *piece = &g_array_index(pieces, WeftPiece, i);
		gboolean is_added = piece->type == WEFT_PIECE_CONTROL ||
				    piece->type == WEFT_PIECE_USER ||
				    piece->type == WEFT_PIECE_UNKNOWN;
		if (piece->type == WEFT_PIECE_UNUSED)
			continue;
		if (is_added ?
			    !weft_vocabulary_add_special(tokenizer, i, piece->text,
							 piece->size_bytes,
							 piece->type != WEFT_PIECE_USER, error) :
			    !weft_vocabulary_add_spelled(tokenizer, i, piece->text,
							 piece->size_bytes, error))
			return FALSE;
	}
	return weft_vocabulary_find_bytes(tokenizer, error) && add_merges(tokenizer, gguf, error);
}

gboolean weft_tokenizer_read_gguf(WeftTokenizer *tokenizer, const WeftGguf *gguf, GError **error)
{
	const WeftGgufValue *model = weft_gguf_value(gguf, KEY("model"));
	gsize size_bytes = 0;
	const char *name = weft_gguf_text(model, &size_bytes);
	gboolean is_gpt2 = weft_gguf_is(model, "gpt2");

	if (!is_gpt2 && !weft_gguf_is(model, "llama"))
		return weft_vocabulary_refuse(tokenizer, error,
					      KEY("model") ": \"%.*s\"; gpt2 and llama are read",
					      (int)MIN(size_bytes, 100), name ? name : "");
	if (is_gpt2 ? !read_byte_level(tokenizer, gguf, error) :
		      !read_scored(tokenizer, gguf, error))
		return FALSE;
	return weft_vocabulary_finish(tokenizer, error);
}
