/* Any bytes as a tokenizer.json, and as a text for each rule of cutting. A tokenizer that opens
 * must give the bytes of any text back. */
#include <string.h>

#include "bundle/presplit.h"
#include "bundle/tokenizer.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
	const char *text = (const char *)data;
	g_autoptr(WeftTokenizer) tokenizer = weft_tokenizer_new("input", text, size_bytes, NULL);

	check_pieces(text, size_bytes);
	for (gboolean special = FALSE; tokenizer && special <= TRUE; special++) {
		g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(gint32));
		g_autoptr(GString) back = g_string_new(NULL);
		weft_tokenizer_encode(tokenizer, text, size_bytes, special, ids);
		g_assert_true(weft_tokenizer_decode(tokenizer, (const gint32 *)(gpointer)ids->data,
						    ids->len, TRUE, back, NULL));
		g_assert_cmpmem(back->str, back->len, text, size_bytes);
	}
	return 0;
}
