#include "schema/pattern_private.h"

#include <stdarg.h>
#include <string.h>

#include "base/error.h"

#define PROPERTY_BYTES_MAX 64

gboolean weft_pattern_refuse(Reader *reader, const char *at, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *reason = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_set_error(reader->error, WEFT_ERROR, WEFT_ERROR_SCHEMA, "character %ld: %s",
		    g_utf8_pointer_to_offset(reader->text, at) + 1, reason);
	return FALSE;
}

/* Exactly `n` hexadecimal digits. */
static gboolean read_hex(Reader *reader, guint n, guint32 *ret_value)
{
	guint32 value = 0;
	for (guint i = 0; i < n; i++) {
		if (!g_ascii_isxdigit(reader->p[i]))
			return FALSE;
		value = value << 4 | (guint32)g_ascii_xdigit_value(reader->p[i]);
	}
	reader->p += n;
	*ret_value = value;
	return TRUE;
}

/* Behind "u": HHHH, two of them for a surrogate pair, or {H...}. */
static gboolean read_unicode(Reader *reader, guint32 *ret_character)
{
	const char *at = reader->p - 2;
	guint32 value = 0, low;
	if (*reader->p == '{') {
		const char *p = reader->p + 1;
		for (; g_ascii_isxdigit(*p) && value <= WEFT_CHARSET_LAST; p++)
			value = value << 4 | (guint32)g_ascii_xdigit_value(*p);
		if (*p != '}' || p == reader->p + 1 || value > WEFT_CHARSET_LAST)
			return weft_pattern_refuse(reader, at, "\\u{...} is not a character");
		reader->p = p + 1;
		*ret_character = value;
		return TRUE;
	}
	if (!read_hex(reader, 4, &value))
		return weft_pattern_refuse(reader, at, "\\u needs four hexadecimal digits");
	if (value >= 0xd800 && value <= 0xdbff && reader->p[0] == '\\' && reader->p[1] == 'u') {
		const char *back = reader->p;
		reader->p += 2;
		if (read_hex(reader, 4, &low) && low >= 0xdc00 && low <= 0xdfff)
			value = 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00);
		else
			reader->p = back;
	}
	*ret_character = value;
	return TRUE;
}

/* Behind "p" or "P": {NAME}. */
static gboolean read_property(Reader *reader, gboolean is_not, gboolean is_possible,
			      GArray **ret_set)
{
	const char *at = reader->p - 2, *end;
	if (*reader->p != '{' || !(end = strchr(reader->p, '}')) ||
	    end - reader->p > PROPERTY_BYTES_MAX)
		return weft_pattern_refuse(reader, at, "\\p needs the name of a property in braces");
	g_autofree char *name = g_strndup(reader->p + 1, (gsize)(end - reader->p - 1));
	g_autoptr(GArray) set =
		weft_charset_property(reader->characters, name, is_possible != is_not);
	if (!set)
		return weft_pattern_refuse(
			reader, at,
			"property \"%s\" is not known; general categories (\\p{L}, \\p{Lu}), "
			"\\p{Script=...} of common scripts, \\p{Any} and \\p{ASCII} are",
			name);
	reader->p = end + 1;
	*ret_set = is_not ? weft_charset_complement(set) : g_array_ref(set);
	return TRUE;
}

static gboolean read_letter_escape(Reader *reader, const char *at, guint32 *ret_character)
{
	switch (reader->p[-1]) {
	case 't':
		*ret_character = '\t';
		return TRUE;
	case 'n':
		*ret_character = '\n';
		return TRUE;
	case 'v':
		*ret_character = '\v';
		return TRUE;
	case 'f':
		*ret_character = '\f';
		return TRUE;
	case 'r':
		*ret_character = '\r';
		return TRUE;
	case '0':
		*ret_character = 0;
		return !g_ascii_isdigit(*reader->p) ||
		       weft_pattern_refuse(reader, at, "octal escapes are not ECMA-262; write \\xHH");
	case 'c':
		if (!g_ascii_isalpha(*reader->p))
			return weft_pattern_refuse(reader, at, "\\c needs a letter");
		*ret_character = (guint32)*reader->p++ & 31;
		return TRUE;
	case 'x':
		return read_hex(reader, 2, ret_character) ||
		       weft_pattern_refuse(reader, at, "\\x needs two hexadecimal digits");
	case 'u':
		return read_unicode(reader, ret_character);
	case 'b':
		*ret_character = '\b'; /* outside of a class it was taken before */
		return TRUE;
	case 'k':
		return weft_pattern_refuse(
			reader, at, "back-references are not supported; write the text out, or one "
				    "alternative for each text");
	default:
		return weft_pattern_refuse(reader, at,
					   "\\%c is not an escape of ECMA-262; write the character itself",
					   reader->p[-1]);
	}
}

gboolean weft_pattern_read_escape(Reader *reader, gboolean is_possible, guint32 *ret_character,
				  GArray **ret_set)
{
	const char *at = reader->p - 1;
	char letter = *reader->p;
	*ret_set = NULL;
	if (letter == '\0')
		return weft_pattern_refuse(reader, at, "a backslash at the end");
	reader->p++;
	if (letter == 'p' || letter == 'P')
		return read_property(reader, letter == 'P', is_possible, ret_set);
	if (strchr("dws", letter)) {
		*ret_set = weft_charset_escape(reader->characters, letter, is_possible);
		return TRUE;
	}
	if (strchr("DWS", letter)) {
		g_autoptr(GArray) set = weft_charset_escape(
			reader->characters, g_ascii_tolower(letter), !is_possible);
		*ret_set = weft_charset_complement(set);
		return TRUE;
	}
	if (g_ascii_ispunct(letter) || letter == ' ') {
		*ret_character = (guint32)letter;
		return TRUE;
	}
	if (letter >= '1' && letter <= '9')
		return weft_pattern_refuse(
			reader, at, "back-references are not supported; write the text out, or one "
				    "alternative for each text");
	if (!g_ascii_isalnum(letter))
		return weft_pattern_refuse(reader, at,
					   "a backslash before this character is not ECMA-262; leave it out");
	return read_letter_escape(reader, at, ret_character);
}

/* One member of a class. *ret_letter: the letter of \d \D \w \W \s \S, else 0. */
static gboolean read_member(Reader *reader, gboolean is_possible, guint32 *ret_character,
			    GArray **ret_set, char *ret_letter)
{
	*ret_letter = '\0';
	*ret_set = NULL;
	if (*reader->p != '\\') {
		*ret_character = g_utf8_get_char(reader->p);
		reader->p = g_utf8_next_char(reader->p);
		return TRUE;
	}
	reader->p++;
	if (*reader->p != '\0' && strchr("dDwWsS", *reader->p))
		*ret_letter = *reader->p;
	return weft_pattern_read_escape(reader, is_possible, ret_character, ret_set);
}

/* Adds a member, or a range of two, to the class. `letters` collects \d, \D and so on. */
static gboolean read_range(Reader *reader, gboolean is_possible, GArray *set, GString *letters)
{
	const char *at = reader->p;
	g_autoptr(GArray) first_set = NULL;
	g_autoptr(GArray) last_set = NULL;
	guint32 first = 0, last = 0;
	char letter;
	if (!read_member(reader, is_possible, &first, &first_set, &letter))
		return FALSE;
	if (letter)
		g_string_append_c(letters, letter);
	gboolean is_range = reader->p[0] == '-' && reader->p[1] != ']' && reader->p[1] != '\0';
	if (!is_range) {
		if (first_set)
			weft_charset_add_set(set, first_set);
		else
			weft_charset_add(set, first, first);
		return TRUE;
	}
	reader->p++;
	if (!read_member(reader, is_possible, &last, &last_set, &letter))
		return FALSE;
	if (first_set || last_set)
		return weft_pattern_refuse(
			reader, at, "a range in a class needs a character at both ends; write \\- for the sign");
	if (first > last)
		return weft_pattern_refuse(reader, at, "the range of a class ends before it begins");
	weft_charset_add(set, first, last);
	return TRUE;
}

/* [\s\S] and its like are everything, whatever the letter means. */
static gboolean has_both(const GString *letters)
{
	for (const char *letter = "dws"; *letter; letter++)
		if (strchr(letters->str, *letter) && strchr(letters->str, g_ascii_toupper(*letter)))
			return TRUE;
	return FALSE;
}

gboolean weft_pattern_read_class(Reader *reader, GArray **ret_set)
{
	const char *at = reader->p - 1;
	g_autoptr(GArray) set = weft_charset_new();
	g_autoptr(GString) letters = g_string_new(NULL);
	gboolean is_not = *reader->p == '^';
	if (is_not)
		reader->p++;
	if (*reader->p == ']')
		return weft_pattern_refuse(
			reader, at, "a class without members is read in different ways; write \\] for "
				    "the bracket, [\\s\\S] for any character");
	while (*reader->p != ']') {
		if (*reader->p == '\0')
			return weft_pattern_refuse(reader, at, "the class is not closed");
		if (!read_range(reader, reader->is_loose != is_not, set, letters))
			return FALSE;
	}
	reader->p++;
	if (has_both(letters))
		weft_charset_add(set, 1, WEFT_CHARSET_LAST);
	weft_charset_order(set);
	*ret_set = is_not ? weft_charset_complement(set) : g_array_ref(set);
	return TRUE;
}
