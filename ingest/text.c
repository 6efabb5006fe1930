/* text.c - plain text and Markdown: one content for each run of paragraphs.
 *
 * The encoding is UTF-8 or UTF-16 by its byte order mark, UTF-8 when it is valid, Windows-1252
 * (a superset of Latin-1) otherwise; that is decided on the first block, and bytes which do not fit
 * later become U+FFFD. The file is read in blocks, so that a text of any size flows; a content ends
 * at the last empty line, line end or space before its limit.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ingest/decoder.h"
#include "ingest/text.h"

#define BLOCK_BYTES 65536u
#define CONTENT_BYTES 4096u

typedef enum { UTF8, UTF16LE, UTF16BE, WINDOWS_1252 } Encoding;

typedef struct TextState {
	int fd;
	guint64 at;
	Encoding encoding;
	GString *raw;  /* bytes of the file that are not converted yet */
	GString *text; /* UTF-8 that is not given yet */
	gboolean ended, encoding_told;
} TextState;

static gboolean fill(TextState *state, GError **error)
{
	g_autofree char *block = g_malloc(BLOCK_BYTES);
	ssize_t n;
	do
		n = pread(state->fd, block, BLOCK_BYTES, (off_t)state->at);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "reading: %s", g_strerror(errno));
		return FALSE;
	}
	g_string_append_len(state->raw, block, n);
	state->at += (guint64)n;
	state->ended = n == 0;
	return TRUE;
}

/* Bytes at the end of `raw` that begin a character which is not whole. */
static gsize open_character(const GString *raw)
{
	for (gsize n = 1; n <= 3 && n <= raw->len; n++) {
		guint8 b = (guint8)raw->str[raw->len - n];
		if ((b & 0xc0) == 0x80)
			continue;
		gsize needs = b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : b >= 0xc0 ? 2 : 1;
		return needs > n ? n : 0;
	}
	return 0;
}

static void choose_encoding(TextState *state)
{
	const GString *raw = state->raw;
	gsize open = open_character(raw);
	if (raw->len >= 2 && memcmp(raw->str, "\xff\xfe", 2) == 0)
		state->encoding = UTF16LE;
	else if (raw->len >= 2 && memcmp(raw->str, "\xfe\xff", 2) == 0)
		state->encoding = UTF16BE;
	else if (g_utf8_validate(raw->str, (gssize)(raw->len - open), NULL))
		state->encoding = UTF8;
	else
		state->encoding = WINDOWS_1252;
	if (state->encoding == UTF16LE || state->encoding == UTF16BE)
		g_string_erase(state->raw, 0, 2);
	else if (raw->len >= 3 && memcmp(raw->str, "\xef\xbb\xbf", 3) == 0)
		g_string_erase(state->raw, 0, 3);
}

static void convert_utf8(TextState *state)
{
	gsize open = state->ended ? 0 : open_character(state->raw);
	g_autofree char *valid =
	    g_utf8_make_valid(state->raw->str, (gssize)(state->raw->len - open));
	g_string_append(state->text, valid);
	g_string_erase(state->raw, 0, (gssize)(state->raw->len - open));
}

static void convert_utf16(TextState *state)
{
	const guint8 *raw = (const guint8 *)state->raw->str;
	guint high = state->encoding == UTF16LE ? 1 : 0;
	gsize at = 0;
	while (at + 2 <= state->raw->len) {
		gunichar unit = (gunichar)raw[at + high] << 8 | raw[at + 1 - high];
		gsize size = 2;
		if (unit >= 0xd800 && unit < 0xdc00) {
			if (at + 4 > state->raw->len && !state->ended)
				break;
			gunichar low = at + 4 > state->raw->len
			                   ? 0
			                   : (gunichar)raw[at + 2 + high] << 8 | raw[at + 3 - high];
			gboolean pair = low >= 0xdc00 && low < 0xe000;
			unit = pair ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
			size = pair ? 4 : 2;
		} else if (unit >= 0xdc00 && unit < 0xe000) {
			unit = 0xfffd;
		}
		g_string_append_unichar(state->text, unit ? unit : 0xfffd);
		at += size;
	}
	g_string_erase(state->raw, 0, (gssize)at);
}

static void convert_windows_1252(TextState *state)
{
	/* 0x80..0x9f of Windows-1252 (WHATWG Encoding, index windows-1252); the rest is Latin-1 */
	static const guint16 C1[32] = {
	    0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	    0x2039, 0x0152, 0x8d,   0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178,
	};
	for (gsize i = 0; i < state->raw->len; i++) {
		guint8 b = (guint8)state->raw->str[i];
		gunichar c = b >= 0x80 && b < 0xa0 ? C1[b - 0x80] : b;
		g_string_append_unichar(state->text, c ? c : 0xfffd);
	}
	g_string_truncate(state->raw, 0);
}

static void convert(TextState *state)
{
	if (state->encoding == UTF8)
		convert_utf8(state);
	else if (state->encoding == WINDOWS_1252)
		convert_windows_1252(state);
	else
		convert_utf16(state);
}

static gboolean text_open(const WeftDecodeJob *job, void **ret_state, GError **error)
{
	TextState *state = g_new0(TextState, 1);
	state->fd = job->fd;
	state->raw = g_string_new(NULL);
	state->text = g_string_new(NULL);
	*ret_state = state;
	return TRUE;
}

static void text_close(void *data)
{
	TextState *state = data;
	g_string_free(state->raw, TRUE);
	g_string_free(state->text, TRUE);
	g_free(state);
}

/* Where to end a content that must not exceed `limit`: after the last empty line, line or word
 * within, but never so early that the pieces become crumbs. */
static gsize piece_bytes(const GString *text, gsize limit)
{
	static const char *const ENDS[] = {"\n\n", "\n", " "};
	if (text->len <= limit)
		return text->len;
	for (guint i = 0; i < G_N_ELEMENTS(ENDS); i++) {
		const char *end = g_strrstr_len(text->str, (gssize)limit, ENDS[i]);
		if (end && (gsize)(end - text->str) >= limit / 4)
			return (gsize)(end - text->str) + strlen(ENDS[i]);
	}
	const char *end = g_utf8_find_prev_char(text->str, text->str + limit + 1);
	return (gsize)(end - text->str);
}

static WeftPart *take_piece(TextState *state)
{
	WeftAnchor whole = {0};
	gsize size = piece_bytes(state->text, CONTENT_BYTES);
	char *piece = g_strndup(state->text->str, size);
	g_string_erase(state->text, 0, (gssize)size);
	g_strchomp(piece);
	return weft_part_new_content(
	    weft_content_new(WEFT_CONTENT_TEXT, WEFT_BY_FILE, piece, whole));
}

static void drop_leading_lines(GString *text)
{
	gsize at = 0, line = 0;
	while (at < text->len && g_ascii_isspace(text->str[at])) {
		at++;
		if (text->str[at - 1] == '\n' || text->str[at - 1] == '\r')
			line = at;
	}
	g_string_erase(text, 0, (gssize)(at == text->len ? at : line));
}

static gboolean text_next(void *data, WeftPart **ret_part, GError **error)
{
	static const char *const NAMES[] = {"UTF-8", "UTF-16LE", "UTF-16BE", "Windows-1252"};
	TextState *state = data;
	if (!state->encoding_told) {
		if (!fill(state, error))
			return FALSE;
		choose_encoding(state);
		convert(state);
		state->encoding_told = TRUE;
		*ret_part = weft_part_new_meta("encoding", NAMES[state->encoding]);
		return TRUE;
	}
	do {
		while (!state->ended && state->text->len <= 2 * CONTENT_BYTES) {
			if (!fill(state, error))
				return FALSE;
			convert(state);
		}
		drop_leading_lines(state->text);
	} while (!state->ended && state->text->len <= CONTENT_BYTES);
	*ret_part = state->text->len > 0 ? take_piece(state) : NULL;
	return TRUE;
}

const WeftDecoder weft_text_decoder = {
    .name = "text",
    .family = WEFT_FAMILY_TEXT,
    .open = text_open,
    .next = text_next,
    .close = text_close,
};
