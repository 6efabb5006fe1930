/* free_text.h - one step through the bytes of a JSON string about which only its length is known.
 *
 * The spelling is that of lexeme.h: UTF-8, each character in one way: \" \\ \n \t, \u0001 to \u001f
 * for the other controls, all else as it is; no U+0000, no surrogates and no noncharacters. The closing
 * quote is the caller's affair.
 */
#ifndef WEFT_SCHEMA_FREE_TEXT_H
#define WEFT_SCHEMA_FREE_TEXT_H

#include <glib.h>

/* Zeroed: nothing is written. Two equal ones go on alike. */
typedef struct WeftFreeText {
	guint32 n;       /* code points begun */
	guint8 within;   /* of an escape: 1 the backslash is there, 2 the u, 3 and 4 two zeros, 5 the
			  * digit 0 or 6 the digit 1; of what may become a noncharacter: 7 the byte EF,
			  * 8 EF B7, 9 the first of four bytes, 10 a second one that ends in F */
	guint8 n_follow; /* bytes of the character still to come */
	guint8 low, high; /* range of the next of them */
} WeftFreeText;

/* Between two characters: the string may end or go on. */
static inline gboolean weft_free_text_is_between(const WeftFreeText *text)
{
	return text->within == 0 && text->n_follow == 0;
}

/* The fewest bytes to a string of at least `length_min` code points. */
static inline gsize weft_free_text_close(const WeftFreeText *text, guint32 length_min)
{
	static const guint8 escape_rest[] = {0, 1, 4, 3, 2, 1, 1, 0, 0, 0, 0};
	gsize missing = length_min > text->n ? length_min - text->n : 0;
	return text->n_follow + escape_rest[text->within] + missing;
}

static inline gboolean weft_free_text_escape(WeftFreeText *text, guint8 byte)
{
	switch (text->within) {
	case 1:
		text->within = byte == 'u' ? 2 : 0;
		return byte == 'u' || byte == '"' || byte == '\\' || byte == 'n' || byte == 't';
	case 2:
	case 3:
		text->within++;
		return byte == '0';
	case 4:
		text->within = byte == '0' ? 5 : 6;
		return byte == '0' || byte == '1';
	case 5: /* not U+0000; tab and line feed have their own spelling */
		text->within = 0;
		return (byte >= '1' && byte <= '8') || (byte >= 'b' && byte <= 'f');
	default:
		text->within = 0;
		return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
	}
}

/* RFC 3629, table of well-formed sequences. The rest of a character, without U+FDD0 to U+FDEF (EF B7 90
 * to AF) and the last two characters of each plane (EF BF BE, F0 9F BF BE and their like). */
static inline gboolean weft_free_text_follow(WeftFreeText *text, guint8 byte)
{
	guint8 within = text->within;
	gboolean fits = byte >= text->low && byte <= text->high &&
			(within != 8 || byte < 0x90 || byte > 0xaf);
	gboolean is_last = --text->n_follow == 1 && byte == 0xbf && (within == 7 || within == 10);

	text->within = within == 7 && byte == 0xb7 ? 8 : within == 9 && (byte & 15) == 15 ? 10 : 0;
	text->low = text->n_follow > 0 ? 0x80 : 0;
	text->high = text->n_follow == 0 ? 0 : is_last ? 0xbd : 0xbf;
	return fits;
}

static inline gboolean weft_free_text_begin(WeftFreeText *text, guint8 byte)
{
	text->n++;
	if (byte < 0x80)
		return byte >= 0x20 && byte != '"';
	text->low = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
	text->high = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
	text->n_follow = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
	text->within = byte >= 0xf0 ? 9 : byte == 0xef ? 7 : 0;
	return byte >= 0xc2 && byte <= 0xf4;
}

/* FALSE when the byte may not come next in a string of at most `length_max` code points; then the
 * state is spoilt. */
static inline gboolean weft_free_text_step(WeftFreeText *text, guint8 byte, guint32 length_max)
{
	if (text->n_follow > 0)
		return weft_free_text_follow(text, byte);
	if (text->within > 0)
		return weft_free_text_escape(text, byte);
	if (text->n >= length_max)
		return FALSE;
	if (byte == '\\') {
		text->n++;
		text->within = 1;
		return TRUE;
	}
	return weft_free_text_begin(text, byte);
}

#endif
