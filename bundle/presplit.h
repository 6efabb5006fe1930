/* presplit.h - text cut into the pieces that BPE works on; private to bundle/.
 *
 * Three regular expressions are known by their text, and each is matched by hand, because their
 * back-tracking has simple closed forms:
 *   GPT-2    's|'t|'re|'ve|'m|'ll|'d| ?L+| ?N+| ?[^\s L N]+|\s+(?!\S)|\s+
 *   Llama 3  (?i:'s|...|'d)|[^\r\n L N]?L+|N{1,3}| ?[^\s L N]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *   Llama 4  [^\r\n L N]?U*V+(?i:'s|...)?|[^\r\n L N]?U+V*(?i:'s|...)?|N{1,3}|
 *            ?[^\s L N]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+     U = Lu Lt Lm Lo M, V = Ll Lm Lo M
 * A broken UTF-8 sequence counts as one symbol.
 */
#ifndef WEFT_BUNDLE_PRESPLIT_H
#define WEFT_BUNDLE_PRESPLIT_H

#include <glib.h>

typedef enum {
	WEFT_PRESPLIT_GPT2,
	WEFT_PRESPLIT_LLAMA3,
	WEFT_PRESPLIT_LLAMA4,
} WeftPresplit;

/* FALSE when the expression is none of them. */
gboolean weft_presplit_find(const char *regex, gsize size_bytes, WeftPresplit *ret_rule);

/* A text by characters. */
typedef struct WeftChars {
	const char *text;
	gsize n_chars;
	gsize *offsets; /* [n_chars + 1], in bytes */
	guint8 *kinds;  /* [n_chars] */
} WeftChars;

void weft_chars_init(WeftChars *chars, const char *text, gsize size_bytes);
void weft_chars_done(WeftChars *chars);

/* End of the piece that begins at character `at` (below n_chars); always beyond it. */
gsize weft_presplit_end(WeftPresplit rule, const WeftChars *chars, gsize at);

#endif
