#include "ingest/text_source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define BLOCK_BYTES 65536u

typedef enum { UTF8, UTF16LE, UTF16BE, WINDOWS_1252 } Encoding;

struct WeftTextSource {
	int fd;
	guint64 at;
	Encoding encoding;
	gboolean is_begun, has_ended;
	GString *raw; /* bytes of the file that are not converted yet */
};

WeftTextSource *weft_text_source_new(int fd)
{
	WeftTextSource *source = g_new0(WeftTextSource, 1);
	source->fd = fd;
	source->raw = g_string_new(NULL);
	return source;
}

void weft_text_source_free(WeftTextSource *source)
{
	if (!source)
		return;
	g_string_free(source->raw, TRUE);
	g_free(source);
}

static gboolean fill(WeftTextSource *source, GError **error)
{
	g_autofree char *block = g_malloc(BLOCK_BYTES);
	ssize_t n;
	do
		n = pread(source->fd, block, BLOCK_BYTES, (off_t)source->at);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO, "reading: %s", g_strerror(errno));
		return FALSE;
	}
	g_string_append_len(source->raw, block, n);
	source->at += (guint64)n;
	source->has_ended = n == 0;
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

static void choose_encoding(WeftTextSource *source)
{
	const GString *raw = source->raw;
	gsize open = open_character(raw);
	if (raw->len >= 2 && memcmp(raw->str, "\xff\xfe", 2) == 0)
		source->encoding = UTF16LE;
	else if (raw->len >= 2 && memcmp(raw->str, "\xfe\xff", 2) == 0)
		source->encoding = UTF16BE;
	else if (g_utf8_validate(raw->str, (gssize)(raw->len - open), NULL))
		source->encoding = UTF8;
	else
		source->encoding = WINDOWS_1252;
	if (source->encoding == UTF16LE || source->encoding == UTF16BE)
		g_string_erase(source->raw, 0, 2);
	else if (raw->len >= 3 && memcmp(raw->str, "\xef\xbb\xbf", 3) == 0)
		g_string_erase(source->raw, 0, 3);
}

static void convert_utf8(WeftTextSource *source, GString *text)
{
	gsize open = source->has_ended ? 0 : open_character(source->raw);
	g_autofree char *valid =
	    g_utf8_make_valid(source->raw->str, (gssize)(source->raw->len - open));
	g_string_append(text, valid);
	g_string_erase(source->raw, 0, (gssize)(source->raw->len - open));
}

static void convert_utf16(WeftTextSource *source, GString *text)
{
	const guint8 *raw = (const guint8 *)source->raw->str;
	guint high = source->encoding == UTF16LE ? 1 : 0;
	gsize at = 0;
	while (at + 2 <= source->raw->len) {
		gunichar unit = (gunichar)raw[at + high] << 8 | raw[at + 1 - high];
		gsize size = 2;
		if (unit >= 0xd800 && unit < 0xdc00) {
			if (at + 4 > source->raw->len && !source->has_ended)
				break;
			gunichar low = at + 4 > source->raw->len
			                   ? 0
			                   : (gunichar)raw[at + 2 + high] << 8 | raw[at + 3 - high];
			gboolean pair = low >= 0xdc00 && low < 0xe000;
			unit = pair ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
			size = pair ? 4 : 2;
		} else if (unit >= 0xdc00 && unit < 0xe000) {
			unit = 0xfffd;
		}
		g_string_append_unichar(text, unit ? unit : 0xfffd);
		at += size;
	}
	g_string_erase(source->raw, 0, (gssize)at);
}

static void convert_windows_1252(WeftTextSource *source, GString *text)
{
	/* 0x80..0x9f of Windows-1252 (WHATWG Encoding, index windows-1252); the rest is Latin-1 */
	static const guint16 C1[32] = {
	    0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	    0x2039, 0x0152, 0x8d,   0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178,
	};
	for (gsize i = 0; i < source->raw->len; i++) {
		guint8 b = (guint8)source->raw->str[i];
		gunichar c = b >= 0x80 && b < 0xa0 ? C1[b - 0x80] : b;
		g_string_append_unichar(text, c ? c : 0xfffd);
	}
	g_string_truncate(source->raw, 0);
}

gboolean weft_text_source_read(WeftTextSource *source, GString *text, GError **error)
{
	if (source->has_ended)
		return TRUE;
	if (!fill(source, error))
		return FALSE;
	if (!source->is_begun)
		choose_encoding(source);
	source->is_begun = TRUE;
	if (source->encoding == UTF8)
		convert_utf8(source, text);
	else if (source->encoding == WINDOWS_1252)
		convert_windows_1252(source, text);
	else
		convert_utf16(source, text);
	return TRUE;
}

gboolean weft_text_source_has_ended(const WeftTextSource *source)
{
	return source->has_ended;
}

const char *weft_text_source_encoding(const WeftTextSource *source)
{
	static const char *const NAMES[] = {"UTF-8", "UTF-16LE", "UTF-16BE", "Windows-1252"};
	return NAMES[source->encoding];
}
