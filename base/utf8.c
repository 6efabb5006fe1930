#include "base/utf8.h"

gsize weft_utf8_step(const guint8 *p, const guint8 *end, gboolean *ret_is_valid)
{
	guint8 lead = p[0];
	gsize n_more;
	guint8 low = 0x80, high = 0xBF; /* of the second byte */

	*ret_is_valid = lead < 0x80;
	if (lead < 0xC2 || lead > 0xF4)
		return 1;
	n_more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
	if (lead == 0xE0)
		low = 0xA0;
	else if (lead == 0xED)
		high = 0x9F;
	else if (lead == 0xF0)
		low = 0x90;
	else if (lead == 0xF4)
		high = 0x8F;
	for (gsize i = 1; i <= n_more; i++) {
		if ((gsize)(end - p) <= i || p[i] < low || p[i] > high)
			return i;
		low = 0x80;
		high = 0xBF;
	}
	*ret_is_valid = TRUE;
	return n_more + 1;
}

gsize weft_utf8_append_valid(GString *out, const char *text, gsize size_bytes)
{
	const guint8 *p = (const guint8 *)text;
	const guint8 *end = p + size_bytes;
	const guint8 *plain = p; /* valid from here to p, not yet appended */
	gsize n_replaced = 0;

	while (p < end) {
		gboolean is_valid;
		gsize step = weft_utf8_step(p, end, &is_valid);
		if (!is_valid) {
			g_string_append_len(out, (const char *)plain, p - plain);
			g_string_append(out, "\xEF\xBF\xBD");
			plain = p + step;
			n_replaced++;
		}
		p += step;
	}
	g_string_append_len(out, (const char *)plain, p - plain);
	return n_replaced;
}

gboolean weft_utf8_is_obeyed(gunichar c)
{
	return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x2028 && c <= 0x202E) ||
	       (c >= 0x2066 && c <= 0x2069);
}

void weft_utf8_append_harmless(GString *out, const char *text, gboolean keeps_newlines)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (!weft_utf8_is_obeyed(c) || (c == '\n' && keeps_newlines))
			g_string_append_unichar(out, c);
		else
			g_string_append_printf(out, c < 0x100 ? "\\x%02X" : "\\u%04X", c);
	}
}

gunichar weft_utf8_noncharacter(const char *text, gsize size_bytes)
{
	for (const char *p = text; p < text + size_bytes; p = g_utf8_next_char(p)) {
		/* Those of the first plane begin with EF, the others with F0 to F4. */
		gunichar c = (guint8)*p >= 0xEF ? g_utf8_get_char(p) : 0;
		if (weft_utf8_is_noncharacter(c))
			return c;
	}
	return 0;
}

gsize weft_utf8_length(const char *text, gsize size_bytes)
{
	gsize n = 0;
	for (gsize i = 0; i < size_bytes; i++)
		n += ((guint8)text[i] & 0xC0) != 0x80;
	return n;
}
