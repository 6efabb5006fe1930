/* Any bytes as a tokenizer file (told by its content: tokenizer.json, Meta's ranks, SentencePiece,
 * GGUF), and as a text for each rule of cutting. The tokens of a tokenizer that opens must write
 * the bytes of any text. */
#include <string.h>

#include "bundle/tokenizer_private.h"
#include "fuzz.h"

static void check_pieces(const char *text, gsize size_bytes)
{
	static const WeftPresplit rules[] = {WEFT_PRESPLIT_GPT2, WEFT_PRESPLIT_LLAMA3,
					     WEFT_PRESPLIT_LLAMA4};
	WeftChars chars;

	weft_chars_init(&chars, text, size_bytes);
	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
		for (gsize at = 0; at < chars.n_chars;) {
			gsize end = weft_presplit_end(rules[i], &chars, at);
			g_assert_cmpuint(end, >, at);
			g_assert_cmpuint(end, <=, chars.n_chars);
			at = end;
		}
	}
	weft_chars_done(&chars);
}

/* Pieces take U+2581 for a blank. */
static GString *as_blanks(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes)
{
	GString *out = g_string_sized_new(size_bytes + 1);
	for (gsize i = 0; i < size_bytes; i++) {
		gboolean is_sign = tokenizer->has_pieces && size_bytes - i >= 3 &&
				   memcmp(text + i, "\xe2\x96\x81", 3) == 0;
		g_string_append_c(out, is_sign ? ' ' : text[i]);
		i += is_sign ? 2 : 0;
	}
	return out;
}

static void check_bytes(const WeftTokenizer *tokenizer, const char *text, gsize size_bytes,
			gboolean special)
{
	g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
	g_autoptr(GString) written = g_string_new(NULL);
	g_autoptr(GString) decoded = g_string_new(NULL);

	weft_tokenizer_encode(tokenizer, text, size_bytes, special, ids);
	g_assert_true(weft_tokenizer_decode(tokenizer, (const gint32 *)(gpointer)ids->data,
					    ids->len, TRUE, decoded, NULL));
	g_array_set_size(ids, 0);
	weft_tokenizer_continue(tokenizer, text, size_bytes, special, ids);
	for (guint i = 0; i < ids->len; i++) {
		gsize n = 0;
		const char *token =
			weft_tokenizer_token(tokenizer, g_array_index(ids, gint32, i), &n);
		g_string_append_len(written, token, (gssize)n);
	}
	/* Text behind a special token may get a blank more. */
	if (special && tokenizer->prefix != WEFT_PREFIX_NONE)
		return;
	g_autoptr(GString) wanted = as_blanks(tokenizer, text, size_bytes);
	g_autoptr(GString) back = as_blanks(tokenizer, written->str, written->len);
	g_assert_cmpmem(back->str, back->len, wanted->str, wanted->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	const char *text = (const char *)data;
	g_autoptr(WeftTokenizer) tokenizer = weft_tokenizer_new("input", text, size_bytes, NULL);

	check_pieces(text, size_bytes);
	if (!tokenizer && weft_tiktoken_is(text, size_bytes)) { /* too few ranks to say whose */
		tokenizer = weft_tokenizer_new_empty("input");
		if (!weft_tiktoken_read(tokenizer, WEFT_PRESPLIT_LLAMA4, text, size_bytes, NULL))
			g_clear_pointer(&tokenizer, weft_tokenizer_free);
	}
	for (gboolean special = FALSE; tokenizer && special <= TRUE; special++)
		check_bytes(tokenizer, text, size_bytes, special);
	return 0;
}
