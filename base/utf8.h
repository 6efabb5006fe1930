/* utf8.h - one step through bytes that should be UTF-8.
 *
 * Well formed is what the Unicode standard's table 3-7 lists: no overlong forms, no surrogates,
 * nothing above U+10FFFF.
 */
#ifndef WEFT_BASE_UTF8_H
#define WEFT_BASE_UTF8_H

#include <glib.h>

/* How many bytes to go on from `p` (p < end, so at least 1): a well formed character with
 * *ret_is_valid TRUE, or the maximal part of a broken one, which one U+FFFD stands for. */
gsize weft_utf8_step(const guint8 *p, const guint8 *end, gboolean *ret_is_valid);

/* Appends `text` with U+FFFD for what is broken; returns how many had to be put. */
gsize weft_utf8_append_valid(GString *out, const char *text, gsize size_bytes);

/* TRUE for what terminals obey or lines end at, and no text needs: C0 (newline and tab, too), DEL,
 * C1, U+2028 and U+2029, and what turns the direction of writing, so that a name reads as another
 * (U+202A to U+202E, U+2066 to U+2069). */
gboolean weft_utf8_is_obeyed(gunichar c);

/* Appends `text` as it may be shown: valid UTF-8, the characters above as \xNN or \uNNNN; newlines
 * stay where `keeps_newlines`. */
void weft_utf8_append_harmless(GString *out, const char *text, gboolean keeps_newlines);

/* U+FDD0 to U+FDEF and the last two of each plane: Unicode gives them to nobody, and JSON for exchange
 * (RFC 7493) has none. Well formed they are. */
static inline gboolean weft_utf8_is_noncharacter(gunichar c)
{
	return (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
}

/* The first one in valid UTF-8, or 0. */
gunichar weft_utf8_noncharacter(const char *text, gsize size_bytes);

/* Code points in valid UTF-8. */
gsize weft_utf8_length(const char *text, gsize size_bytes);

#endif
