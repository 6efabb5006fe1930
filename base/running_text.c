#include "base/running_text.h"

#include <string.h>

#include "base/utf8.h"

#define NO_CONTENT G_MAXUINT32 /* the space between two items */

/* From byte `offset` on, characters follow each other as those of the item do from `place` on. */
typedef struct Entry {
	guint32 offset, content, place;
} Entry;

struct WeftRunningText {
	GString *bytes;
	GArray *entries;   /* Entry, in order */
	guint32 content, place; /* of the character that would need no entry */
	gboolean is_barred;
	gboolean is_glued; /* the last piece ended in a soft hyphen */
};

WeftRunningText *weft_running_text_new(void)
{
	WeftRunningText *text = g_new0(WeftRunningText, 1);

	text->bytes = g_string_new(NULL);
	text->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
	text->content = NO_CONTENT;
	return text;
}

void weft_running_text_free(WeftRunningText *text)
{
	if (!text)
		return;
	g_string_free(text->bytes, TRUE);
	g_array_unref(text->entries);
	g_free(text);
}

static gboolean is_soft_hyphen(gunichar c)
{
	return c == 0xad;
}

static gboolean has_no_width(gunichar c)
{
	return c == 0x200b || c == 0x2060 || c == 0xfeff;
}

static gboolean is_space(gunichar c)
{
	return g_unichar_isspace(c) || g_unichar_iscntrl(c) || c == 0x2028 || c == 0x2029;
}

static void append(WeftRunningText *text, gunichar c, guint32 content, guint32 place)
{
	if (content != text->content || place != text->place) {
		Entry entry = { (guint32)text->bytes->len, content, place };
		g_array_append_val(text->entries, entry);
	}
	text->content = content;
	text->place = place + 1;
	if (c)
		g_string_append_unichar(text->bytes, c);
	else
		g_string_append_c(text->bytes, '\0');
}

/* In front of the first character of a piece. */
static void open_piece(WeftRunningText *text, gboolean joins)
{
	if (text->bytes->len > 0 && (!joins || text->is_barred))
		append(text, 0, NO_CONTENT, 0);
	else if (text->bytes->len > 0 && !text->is_glued)
		append(text, ' ', NO_CONTENT, 0);
	text->is_barred = FALSE;
}

void weft_running_text_add(WeftRunningText *text, const char *piece, gsize size_bytes,
			   guint32 content, guint32 char_first, gboolean joins)
{
	gboolean is_open = FALSE, is_glued = FALSE, has_space = FALSE;
	guint32 at = char_first, space_at = 0;

	if (size_bytes >= WEFT_RUNNING_TEXT_BYTES_MAX - text->bytes->len)
		return;
	for (const char *p = piece; p < piece + size_bytes; p = g_utf8_next_char(p), at++) {
		gunichar c = g_utf8_get_char(p);

		if (is_soft_hyphen(c)) {
			is_glued = is_open && !has_space;
		} else if (is_space(c)) {
			space_at = has_space ? space_at : at;
			has_space = !is_glued;
		} else if (!has_no_width(c)) {
			if (!is_open)
				open_piece(text, joins);
			else if (has_space)
				append(text, ' ', content, space_at);
			append(text, weft_utf8_is_noncharacter(c) ? 0xfffd : c, content, at);
			is_open = TRUE;
			is_glued = has_space = FALSE;
		}
	}
	if (is_open)
		text->is_glued = is_glued;
	else if (!joins)
		text->is_barred = TRUE;
}

void weft_running_text_bar(WeftRunningText *text)
{
	text->is_barred = TRUE;
}

const char *weft_running_text_bytes(const WeftRunningText *text, gsize *ret_size_bytes)
{
	*ret_size_bytes = text->bytes->len;
	return text->bytes->str;
}

/* ---- words ---- */

static gboolean is_digit(gunichar c)
{
	return c < 128 && g_ascii_isdigit((char)c);
}

static gboolean divides_digits(gunichar c)
{
	return c < 128 && c && strchr(".,':/-", (int)c) != NULL;
}

/* What stands upon the character before it, or ties two together. */
static gboolean clings(gunichar c)
{
	return g_unichar_ismark(c) || c == 0x200d;
}

static gboolean is_word(gunichar c)
{
	return g_unichar_isalnum(c) || c == '_' || clings(c);
}

static gboolean is_without_spaces(gunichar c)
{
	if (c < 0xe00)
		return FALSE;
	switch (g_unichar_get_script(c)) {
	case G_UNICODE_SCRIPT_HAN:
	case G_UNICODE_SCRIPT_HIRAGANA:
	case G_UNICODE_SCRIPT_KATAKANA:
	case G_UNICODE_SCRIPT_HANGUL:
	case G_UNICODE_SCRIPT_THAI:
	case G_UNICODE_SCRIPT_LAO:
	case G_UNICODE_SCRIPT_KHMER:
	case G_UNICODE_SCRIPT_MYANMAR:
		return TRUE;
	default:
		return FALSE;
	}
}

/* The characters around a place; 0 behind an end or a bar. */
typedef struct Around {
	gunichar before[2], after[2]; /* [0] is the nearer one */
} Around;

static gunichar before(const char *text, const char **p)
{
	if (*p == text || (*p)[-1] == '\0')
		return 0;
	*p = g_utf8_prev_char(*p);
	return g_utf8_get_char(*p);
}

static Around look_around(const WeftRunningText *text, gsize offset)
{
	const char *begin = text->bytes->str, *p = begin + offset;
	Around around = { { 0, 0 }, { 0, 0 } };

	around.before[0] = before(begin, &p);
	if (around.before[0])
		around.before[1] = before(begin, &p);
	p = begin + offset;
	for (int i = 0; i < 2 && *p; i++, p = g_utf8_next_char(p))
		around.after[i] = g_utf8_get_char(p);
	return around;
}

/* A word ends between two visible characters. */
static gboolean is_divided(const Around *around)
{
	gunichar a = around->before[0], b = around->after[0];

	if (clings(b) || a == 0x200d)
		return FALSE;
	if (is_without_spaces(a) || is_without_spaces(b))
		return TRUE;
	if (is_word(a) && is_word(b))
		return FALSE;
	return !(is_digit(a) && divides_digits(b) && is_digit(around->after[1])) &&
	       !(is_digit(around->before[1]) && divides_digits(a) && is_digit(b));
}

guint weft_running_text_marks(const WeftRunningText *text, gsize offset)
{
	guint marks = 0;

	/* Inside a character nothing begins. */
	if (offset > text->bytes->len || ((guint8)text->bytes->str[offset] & 0xc0) == 0x80)
		return 0;
	Around around = look_around(text, offset);
	gboolean is_behind = around.before[0] && around.before[0] != ' ';
	gboolean is_before = around.after[0] && around.after[0] != ' ';

	if (is_behind && is_before && !is_divided(&around))
		return 0;
	if (is_before)
		marks |= WEFT_TEXT_BEGINS;
	if (is_behind)
		marks |= WEFT_TEXT_ENDS;
	return marks;
}

/* ---- the way back ---- */

/* The last entry that begins at or before the offset. */
static guint entry_of(const WeftRunningText *text, gsize offset)
{
	guint low = 0, high = text->entries->len;

	while (high - low > 1) {
		guint middle = low + (high - low) / 2;

		if (g_array_index(text->entries, Entry, middle).offset <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void add_place(GArray *places, guint first_own, guint32 content, guint32 at)
{
	WeftTextPlace *last =
		places->len > first_own ? &g_array_index(places, WeftTextPlace, places->len - 1) : NULL;

	if (content == NO_CONTENT)
		return;
	if (last && last->content == content) {
		last->char_end = at + 1;
	} else {
		WeftTextPlace place = { content, at, at + 1 };
		g_array_append_val(places, place);
	}
}

void weft_running_text_places(const WeftRunningText *text, gsize first, gsize end, GArray *places)
{
	const char *bytes = text->bytes->str;
	guint first_own = places->len;

	if (text->entries->len == 0)
		return;
	guint i = entry_of(text, first);
	const Entry *entry = &g_array_index(text->entries, Entry, i);
	guint32 at = entry->place;

	for (gsize offset = entry->offset; offset < MIN(end, text->bytes->len);) {
		if (offset >= first)
			add_place(places, first_own, entry->content, at);
		offset += bytes[offset] ? (gsize)(g_utf8_next_char(bytes + offset) - (bytes + offset)) : 1;
		at++;
		if (i + 1 < text->entries->len && offset >= entry[1].offset) {
			entry = &g_array_index(text->entries, Entry, ++i);
			at = entry->place;
		}
	}
}

char *weft_running_text_normal(const char *value, gsize size_bytes)
{
	g_autoptr(WeftRunningText) text = weft_running_text_new();

	weft_running_text_add(text, value, size_bytes, 0, 0, FALSE);
	return g_strndup(text->bytes->str, text->bytes->len);
}
