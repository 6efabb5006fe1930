/* charset.h - sets of characters; private to schema/.
 *
 * A set is a sorted list of ranges that do not touch, within what a string may hold: U+0001 to
 * U+10FFFF (WEFT_CHARSET_LAST) without surrogates and noncharacters. Sets are plain arrays, made by
 * appending ranges in any order and putting them in order once.
 *
 * Names of properties come from GLib's tables of Unicode. Characters that they don't know yet
 * (Cn) may become anything in another version, so each name stands for two sets: what is in it for
 * sure, and what may be.
 */
#ifndef WEFT_SCHEMA_CHARSET_H
#define WEFT_SCHEMA_CHARSET_H

#include <glib.h>

#define WEFT_CHARSET_LAST 0x10ffffu

typedef struct WeftRange {
	guint32 first, last;    /* both included */
} WeftRange;

/* The first gap in what a string may hold that does not end in front of `from`. Automata give what
 * stands in a gap the class of what stands before it, so that it makes none of its own. */
static inline WeftRange weft_charset_gap(guint32 from)
{
	guint32 plane = from & ~0xffffu;
	if (from <= 0xdfff)
		return (WeftRange){0xd800, 0xdfff};
	if (from <= 0xfdef)
		return (WeftRange){0xfdd0, 0xfdef};
	return (WeftRange){plane + 0xfffe, plane + 0xffff};
}

/* of WeftRange; free with g_array_unref. */
GArray *weft_charset_new(void);
void weft_charset_add(GArray *set, guint32 first, guint32 last);
void weft_charset_add_set(GArray *set, const GArray *other);

/* Puts a set that was added to in order. */
void weft_charset_order(GArray *set);

/* All that a string may hold and the set, which is in order, has not. */
GArray *weft_charset_complement(const GArray *set);
GArray *weft_charset_intersection(const GArray *a, const GArray *b);
gboolean weft_charset_has(const GArray *set, guint32 character);

/* What Unicode says of all characters: empty when made, filled when first needed. One thread at a
 * time. */
typedef struct WeftCharacters WeftCharacters;
WeftCharacters *weft_characters_new(void);
void weft_characters_free(WeftCharacters *characters);

/* \p{NAME}: "L", "Lu", "Letter", "gc=Lu", "Script=Greek", "sc=Grek", "Any", "ASCII". A set in order,
 * NULL when the name is not known: what is in it for sure, or what may be. */
GArray *weft_charset_property(WeftCharacters *characters, const char *name, gboolean is_possible);

/* \d, \w, \s by their letter, or '.': what all engines take, or what any of them may take. */
GArray *weft_charset_escape(WeftCharacters *characters, char letter, gboolean is_possible);

#endif
