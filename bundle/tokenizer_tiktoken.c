/* Meta's tokenizer.model: lines "base64 rank", the rank is the id. */
#include <string.h>

#include "bundle/tokenizer_private.h"

#define TOKEN_BYTES_MAX 256
#define BASE64_MAX ((gsize)(TOKEN_BYTES_MAX + 2) / 3 * 4)
#define RANK_DIGITS_MAX 8

/* Special tokens that stand behind the ranks: one by its name, or `n` numbered ones. */
typedef struct Specials {
	const char *name; /* "<|" + this + "|>", with the number behind it when n > 0 */
	int n, first;
} Specials;

/* As the published tokenizer.json numbers them. */
static const Specials LLAMA3[] = {
	{"begin_of_text", 0, 0}, {"end_of_text", 0, 0},
	{"reserved_special_token_", 2, 0}, {"finetune_right_pad_id", 0, 0},
	{"reserved_special_token_", 1, 2}, {"start_header_id", 0, 0}, {"end_header_id", 0, 0},
	{"eom_id", 0, 0}, {"eot_id", 0, 0}, {"python_tag", 0, 0},
	{"reserved_special_token_", 245, 3},
};

/* As Meta's own program numbers them. */
static const Specials LLAMA4[] = {
	{"begin_of_text", 0, 0}, {"end_of_text", 0, 0}, {"fim_prefix", 0, 0},
	{"fim_middle", 0, 0}, {"fim_suffix", 0, 0}, {"header_start", 0, 0},
	{"header_end", 0, 0}, {"eom", 0, 0}, {"eot", 0, 0}, {"step", 0, 0},
	{"text_post_train_reserved_special_token_", 6, 0}, {"python_start", 0, 0},
	{"python_end", 0, 0}, {"finetune_right_pad", 0, 0},
	{"text_post_train_reserved_special_token_", 61, 8}, {"image_start", 0, 0},
	{"image_end", 0, 0}, {"vision_reserved_special_token_", 2, 0},
	{"tile_x_separator", 0, 0}, {"tile_y_separator", 0, 0},
	{"vision_reserved_special_token_", 4, 2}, {"image", 0, 0},
	{"vision_reserved_special_token_", 1, 6}, {"patch", 0, 0},
	{"vision_reserved_special_token_", 1041, 7}, {"reasoning_reserved_special_token_", 8, 0},
	{"reasoning_thinking_start", 0, 0}, {"reasoning_thinking_end", 0, 0},
	{"reserved_special_token_", 904, 0},
};

typedef struct Kind {
	gsize n_ranks;
	WeftPresplit rule;
	const Specials *specials;
	gsize n_specials;
} Kind;

static const Kind KINDS[] = {
	{128000, WEFT_PRESPLIT_LLAMA3, LLAMA3, G_N_ELEMENTS(LLAMA3)},
	{200000, WEFT_PRESPLIT_LLAMA4, LLAMA4, G_N_ELEMENTS(LLAMA4)},
};

/* ---- lines ---- */

static gboolean is_base64(char c)
{
	return g_ascii_isalnum(c) || c == '+' || c == '/' || c == '=';
}

typedef struct Line {
	guint8 bytes[TOKEN_BYTES_MAX + 3];
	gsize size_bytes;
	gint64 rank;
} Line;

/* The line that begins at *at; then *at is behind it. FALSE: not of this format. */
static gboolean read_line(const char *text, gsize size_bytes, gsize *at, Line *line)
{
	const char *begin = text + *at, *end = text + size_bytes, *p = begin;
	gint state = 0;
	guint save = 0;

	while (p < end && is_base64(*p))
		p++;
	gsize n = (gsize)(p - begin);
	if (n == 0 || n % 4 != 0 || n > BASE64_MAX || p == end || *p != ' ')
		return FALSE;
	line->size_bytes = g_base64_decode_step(begin, n, line->bytes, &state, &save);
	const char *digits = ++p;
	line->rank = 0;
	while (p < end && p - digits < RANK_DIGITS_MAX && g_ascii_isdigit(*p))
		line->rank = 10 * line->rank + (*p++ - '0');
	if (p == digits || line->size_bytes == 0)
		return FALSE;
	if (p < end && *p == '\r')
		p++;
	if (p < end && *p++ != '\n')
		return FALSE;
	*at = (gsize)(p - text);
	return TRUE;
}

gboolean weft_tiktoken_is(const char *text, gsize size_bytes)
{
	Line line;
	gsize at = 0;
	return size_bytes > 0 && read_line(text, size_bytes, &at, &line);
}

/* Adds the ranks in the order of the file. */
static gboolean add_ranks(WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
			  GArray *ranked, GError **error)
{
	Line line;

	for (gsize at = 0; at < size_bytes;) {
		if (!read_line(text, size_bytes, &at, &line))
			return weft_vocabulary_refuse(tokenizer, error,
						      "line %u is not \"base64 rank\", or has "
						      "more than %d bytes",
						      ranked->len + 1, TOKEN_BYTES_MAX);
		if (!weft_vocabulary_add(tokenizer, line.rank, (const char *)line.bytes,
					 line.size_bytes, TRUE, error))
			return FALSE;
		g_array_append_val(ranked, ((WeftRanked){(gint32)line.rank, (guint32)line.rank}));
	}
	return TRUE;
}

/* ---- special tokens ---- */

static gboolean add_specials(WeftTokenizer *tokenizer, const Kind *kind, GError **error)
{
	gint64 id = (gint64)weft_tokens_size(tokenizer->tokens);

	for (gsize i = 0; i < kind->n_specials; i++) {
		const Specials *specials = &kind->specials[i];
		for (int k = 0; k < MAX(specials->n, 1); k++) {
			char number[16] = "";
			if (specials->n)
				g_snprintf(number, sizeof number, "%d", specials->first + k);
			g_autofree char *text =
				g_strconcat("<|", specials->name, number, "|>", NULL);
			if (!weft_vocabulary_add_special(tokenizer, id++, text, strlen(text), TRUE,
							 error))
				return FALSE;
		}
	}
	return TRUE;
}

gboolean weft_tiktoken_read(WeftTokenizer *tokenizer, WeftPresplit rule, const char *text,
			    gsize size_bytes, GError **error)
{
	g_autoptr(GArray) ranked = g_array_new(FALSE, FALSE, sizeof(WeftRanked));

	tokenizer->rule = rule;
	tokenizer->ignore_merges = TRUE;
	if (!add_ranks(tokenizer, text, size_bytes, ranked, error) ||
	    !weft_vocabulary_find_bytes(tokenizer, error) ||
	    !weft_vocabulary_add_splits(tokenizer, (const WeftRanked *)(gpointer)ranked->data,
					ranked->len, error))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++) {
		if (KINDS[i].rule == rule && !add_specials(tokenizer, &KINDS[i], error))
			return FALSE;
	}
	return weft_vocabulary_finish(tokenizer, error);
}

gboolean weft_tokenizer_read_tiktoken(WeftTokenizer *tokenizer, const char *text,
				      gsize size_bytes, GError **error)
{
	gsize n_lines = 0;

	for (gsize i = 0; i < size_bytes; i++)
		n_lines += text[i] == '\n' || i + 1 == size_bytes;
	for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++) {
		if (KINDS[i].n_ranks == n_lines)
			return weft_tiktoken_read(tokenizer, KINDS[i].rule, text, size_bytes,
						  error);
	}
	return weft_vocabulary_refuse(tokenizer, error,
				      "%zu ranks: neither Llama 3's 128000 nor Llama 4's 200000, so "
				      "that its rule and its special tokens are not known; use "
				      "tokenizer.json",
				      n_lines);
}
