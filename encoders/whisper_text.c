#include "encoders/whisper_text.h"

#include <zlib.h>

#include "base/utf8.h"

void weft_whisper_text_append(const WeftWhisperTokens *tokens, const guint32 *ids, gsize n_ids,
			      GString *text)
{
	g_autoptr(GString) bytes = g_string_new(NULL);

	for (gsize i = 0; i < n_ids; i++) {
		const char *language = weft_whisper_tokens_language(tokens, ids[i]);
		gsize size_bytes = 0;
		const char *piece = weft_whisper_tokens_text(tokens, ids[i], &size_bytes);

		if (language)
			g_string_append_printf(bytes, "<|%s|>", language);
		else if (piece)
			g_string_append_len(bytes, piece, (gssize)size_bytes);
	}
	weft_utf8_append_valid(text, bytes->str, bytes->len);
}

/* str.isspace(): what GLib knows as space, and the separators of C0 and C1. */
static gboolean is_blank(gunichar c)
{
	return g_unichar_isspace(c) || c == 0x0b || (c >= 0x1c && c <= 0x1f) || c == 0x85;
}

void weft_whisper_text_strip(const char *text, gsize size_bytes, const char **ret_first,
			     gsize *ret_size_bytes)
{
	const char *first = text, *end = text + size_bytes;

	while (first < end && is_blank(g_utf8_get_char(first)))
		first = g_utf8_next_char(first);
	while (end > first) {
		const char *last = g_utf8_prev_char(end);

		if (!is_blank(g_utf8_get_char(last)))
			break;
		end = last;
	}
	*ret_first = first;
	*ret_size_bytes = (gsize)(end - first);
}

double weft_whisper_text_compression(const char *text, gsize size_bytes)
{
	uLong size_packed = compressBound(size_bytes);
	g_autofree Bytef *packed = g_malloc(size_packed);

	/* It fails only for want of memory; a text of one window has a few kilobytes. */
	if (compress(packed, &size_packed, (const Bytef *)text, size_bytes) != Z_OK)
		return 0;
	return (double)size_bytes / (double)size_packed;
}
