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

/* Code points in valid UTF-8. */
gsize weft_utf8_length(const char *text, gsize size_bytes);

#endif
