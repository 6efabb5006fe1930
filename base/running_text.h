/* running_text.h - the text of many items as one line, with the way back to each character.
 *
 * "Stands in the document" is said of this text: pieces of items are added in reading order, and a
 * piece that joins goes on behind the one before it, so that a sentence may begin in one item and
 * end in the next; one that does not is kept apart by a bar, which no value crosses. What is
 * normalised, and nothing else: a run of white space of any kind (control characters count as such)
 * is one space, none stands at a bar; soft hyphens with the white space behind them, and the
 * characters of no width U+200B, U+2060 and U+FEFF, are left out; U+FFFD stands for
 * noncharacters, which no answer may hold (base/utf8.h). Case, accents, quotation marks and hyphens that
 * can be seen stay what they are.
 *
 * The result is UTF-8 in which the byte 0 is a bar. A value may begin where a word begins and end
 * where one ends (weft_running_text_marks): letters, digits and the marks above them hold together,
 * and so do digits with one of . , ' : / - between them, so that 240 is no value of "1,240"; every
 * other visible character is a word of its own, and so is every character of scripts whose words no
 * space divides (Han, Kana, Hangul, Thai, Lao, Khmer, Myanmar). Grows, then is read; one thread at a
 * time.
 */
#ifndef WEFT_BASE_RUNNING_TEXT_H
#define WEFT_BASE_RUNNING_TEXT_H

#include <glib.h>

#define WEFT_RUNNING_TEXT_BYTES_MAX ((gsize)1 << 30) /* offsets are 32 bits, twice as long escaped */

typedef struct WeftRunningText WeftRunningText;

/* Code points [char_first, char_end) of an item. */
typedef struct WeftTextPlace {
	guint32 content;
	guint32 char_first, char_end;
} WeftTextPlace;

WeftRunningText *weft_running_text_new(void);
void weft_running_text_free(WeftRunningText *text);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftRunningText, weft_running_text_free)

/* The piece of item `content` that begins at its code point char_first. Valid UTF-8 without NUL; what
 * is only white space adds nothing, and so does what comes past WEFT_RUNNING_TEXT_BYTES_MAX in all. */
void weft_running_text_add(WeftRunningText *text, const char *piece, gsize size_bytes,
			   guint32 content, guint32 char_first, gboolean joins);
/* What comes next does not join, whatever it says: a picture stands between. */
void weft_running_text_bar(WeftRunningText *text);

/* Valid until the next piece; ends in a NUL that is not counted. */
const char *weft_running_text_bytes(const WeftRunningText *text, gsize *ret_size_bytes);

/* May a value begin (end) in front of byte `offset`, 0 to size? */
enum {
	WEFT_TEXT_BEGINS = 1,
	WEFT_TEXT_ENDS = 2,
};
guint weft_running_text_marks(const WeftRunningText *text, gsize offset);

/* Where bytes [first, end) stand, in order: one place for each item. Appends WeftTextPlace. */
void weft_running_text_places(const WeftRunningText *text, gsize first, gsize end,
			      GArray *places);

/* A value as the text would have it: the same rules, without places. Caller frees. */
char *weft_running_text_normal(const char *value, gsize size_bytes);

#endif
