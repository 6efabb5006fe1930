#include <string.h>

#include "ingest/sniff.h"

#define LINES_MAX 64u

static const WeftSniff PLAIN = {WEFT_FAMILY_TEXT, "text/plain", "plain text", NULL};

/* A text that begins so, whatever the case, after white space. */
static const struct {
	const char *prefix;
	WeftSniff is;
} BEGINNINGS[] = {
    {"<!doctype html", {WEFT_FAMILY_NONE, "text/html", "web page", "print it to PDF in a browser"}},
    {"<html", {WEFT_FAMILY_NONE, "text/html", "web page", "print it to PDF in a browser"}},
    {"<head", {WEFT_FAMILY_NONE, "text/html", "web page", "print it to PDF in a browser"}},
    {"<body", {WEFT_FAMILY_NONE, "text/html", "web page", "print it to PDF in a browser"}},
    {"<svg",
     {WEFT_FAMILY_NONE, "image/svg+xml", "SVG picture",
      "convert it to PDF first, for example: rsvg-convert -f pdf FILE"}},
    {"<!doctype svg",
     {WEFT_FAMILY_NONE, "image/svg+xml", "SVG picture",
      "convert it to PDF first, for example: rsvg-convert -f pdf FILE"}},
    {"<mpd",
     {WEFT_FAMILY_NONE, "application/dash+xml", "playlist",
      "it only points at other files: give those"}},
    {"<smil",
     {WEFT_FAMILY_NONE, "application/smil+xml", "playlist",
      "it only points at other files: give those"}},
    {"<?xml", {WEFT_FAMILY_NONE, "text/xml", "XML document", "export it to PDF or text"}},
};

static const WeftSniff VTT = {WEFT_FAMILY_TEXT, "text/vtt", "WebVTT captions", NULL};
static const WeftSniff SUBRIP = {WEFT_FAMILY_TEXT, "application/x-subrip", "SubRip captions", NULL};

static const WeftSniff MAIL = {WEFT_FAMILY_NONE, "message/rfc822", "mail message",
                               "print it to PDF in a mail program"};
static const WeftSniff MBOX = {WEFT_FAMILY_NONE, "application/mbox", "mailbox",
                               "print the messages to PDF in a mail program"};

/* Control characters other than white space, escape and form feed do not stand in text. */
static gboolean has_controls(const guint8 *bytes, gsize size)
{
	for (gsize i = 0; i < size; i++) {
		guint8 b = bytes[i];
		if ((b < 0x20 && b != '\t' && b != '\n' && b != '\r' && b != '\f' && b != 0x1b &&
		     b != '\v' && b != '\b') ||
		    b == 0x7f)
			return TRUE;
	}
	return FALSE;
}

static gboolean is_utf8(const WeftHead *head)
{
	const char *end = NULL;
	if (g_utf8_validate((const char *)head->bytes, (gssize)head->size, &end))
		return TRUE;
	/* the head may end within a character */
	gsize left = head->size - (gsize)(end - (const char *)head->bytes);
	return left < 4 && head->file_size > head->size &&
	       g_utf8_get_char_validated(end, (gssize)left) == (gunichar)-2;
}

/* With a byte order mark; units are no controls and no lone surrogates. */
static gboolean is_utf16(const WeftHead *head)
{
	const guint8 *b = head->bytes;
	if (head->size < 2 || !((b[0] == 0xff && b[1] == 0xfe) || (b[0] == 0xfe && b[1] == 0xff)))
		return FALSE;
	guint high = b[0] == 0xff ? 1 : 0;
	gboolean paired = FALSE;
	for (gsize i = 2; i + 2 <= head->size; i += 2) {
		guint unit = (guint)b[i + high] << 8 | b[i + 1 - high];
		gboolean low = unit >= 0xdc00 && unit < 0xe000;
		if ((unit < 0x20 && unit != '\t' && unit != '\n' && unit != '\r' && unit != '\f') ||
		    low != paired || unit >= 0xfffe)
			return FALSE;
		paired = unit >= 0xd800 && unit < 0xdc00;
	}
	return TRUE;
}

/* Latin-1 and Windows-1252: mostly letters and white space, few bytes above 0x7f in a row. */
static gboolean is_latin1(const WeftHead *head)
{
	gsize plain = 0, high = 0;
	for (gsize i = 0; i < head->size; i++) {
		guint8 b = head->bytes[i];
		plain += g_ascii_isalnum(b) || g_ascii_isspace(b);
		high += b >= 0x80;
	}
	return plain * 2 > head->size && high * 3 < head->size;
}

gboolean weft_sniff_is_text(const WeftHead *head)
{
	return !has_controls(head->bytes, head->size) && is_utf8(head);
}

static gboolean begins(const char *text, gsize size, const char *prefix)
{
	gsize length = strlen(prefix);
	return size >= length && g_ascii_strncasecmp(text, prefix, length) == 0;
}

/* Past white space, comments, and the declarations of an XML file, to what it really is. */
static void skip_xml_prolog(const char **text, gsize *size)
{
	for (guint i = 0; i < 16 && *size > 4; i++) {
		const char *close = begins(*text, *size, "<!--") ? "-->"
		                    : begins(*text, *size, "<?") ? "?>"
		                                                 : NULL;
		const char *end = close ? memmem(*text, *size, close, strlen(close)) : NULL;
		if (!end)
			return;
		end += strlen(close);
		while (end < *text + *size && g_ascii_isspace(*end))
			end++;
		*size -= (gsize)(end - *text);
		*text = end;
	}
}

static gboolean sniff_markup(const char *text, gsize size, WeftSniff *ret_sniff)
{
	gboolean xml = begins(text, size, "<?xml");
	const char *inner = text;
	gsize inner_size = size;
	skip_xml_prolog(&inner, &inner_size);
	for (guint i = 0; i < G_N_ELEMENTS(BEGINNINGS); i++) {
		if (begins(inner, inner_size, BEGINNINGS[i].prefix) ||
		    (xml && i == G_N_ELEMENTS(BEGINNINGS) - 1)) {
			*ret_sniff = BEGINNINGS[i].is;
			return TRUE;
		}
	}
	return FALSE;
}

/* RFC 5322: "Name: value" lines; two of the fields that a mail must or usually has. */
static gboolean is_mail(const char *text, gsize size)
{
	static const char *const FIELDS[] = {
	    "return-path:",  "received:",       "delivered-to:", "message-id:",
	    "mime-version:", "from:",           "to:",           "subject:",
	    "date:",         "dkim-signature:", "reply-to:",     "content-type:",
	};
	const char *at = text, *end = text + size;
	guint found = 0;
	gboolean sender = FALSE;
	for (guint n = 0; n < LINES_MAX && at < end && *at != '\n' && *at != '\r'; n++) {
		const char *stop = memchr(at, '\n', (gsize)(end - at));
		gsize length = (gsize)((stop ? stop : end) - at);
		const char *colon = memchr(at, ':', length);
		const char *space = memchr(at, ' ', length);
		gboolean folded = n > 0 && (*at == ' ' || *at == '\t');
		if (!folded && (!colon || (space && space < colon)))
			return FALSE;
		for (guint i = 0; !folded && i < G_N_ELEMENTS(FIELDS); i++)
			found += begins(at, length, FIELDS[i]);
		sender = sender || begins(at, length, "from:") || begins(at, length, "received:");
		at = stop ? stop + 1 : end;
	}
	return found >= 3 && sender;
}

static gboolean sniff_mail(const char *text, gsize size, WeftSniff *ret_sniff)
{
	const char *line_end = memchr(text, '\n', size);
	if (line_end && begins(text, size, "From ") &&
	    memchr(text, ':', (gsize)(line_end - text)) &&
	    is_mail(line_end + 1, size - (gsize)(line_end + 1 - text)))
		*ret_sniff = MBOX;
	else if (is_mail(text, size))
		*ret_sniff = MAIL;
	else
		return FALSE;
	return TRUE;
}

/* "WEBVTT", or a number and below it "00:00:01,000 --> ": nothing else begins so. */
static gboolean sniff_captions(const char *text, gsize size, WeftSniff *ret_sniff)
{
	gsize at = 0;
	if (size >= 6 && !memcmp(text, "WEBVTT", 6) && (size == 6 || g_ascii_isspace(text[6]))) {
		*ret_sniff = VTT;
		return TRUE;
	}
	while (at < size && g_ascii_isdigit(text[at]))
		at++;
	if (at == 0 || at > 9)
		return FALSE;
	while (at < size && g_ascii_isspace(text[at]))
		at++;
	const char *end = memchr(text + at, '\n', size - at);
	const char *arrow = end ? memmem(text + at, (gsize)(end - text) - at, "-->", 3) : NULL;
	if (!arrow || strspn(text + at, "0123456789:,. ") != (gsize)(arrow - text) - at)
		return FALSE;
	*ret_sniff = SUBRIP;
	return TRUE;
}

gboolean weft_sniff_text(const WeftHead *head, WeftSniff *ret_sniff)
{
	const char *text = (const char *)head->bytes;
	gsize size = head->size;
	if (is_utf16(head)) {
		*ret_sniff = PLAIN;
		return TRUE;
	}
	if (has_controls(head->bytes, size) || (!is_utf8(head) && !is_latin1(head)))
		return FALSE;
	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		size -= 3;
	}
	while (size > 0 && g_ascii_isspace(*text)) {
		text++;
		size--;
	}
	if (!sniff_markup(text, size, ret_sniff) && !sniff_mail(text, size, ret_sniff) &&
	    !sniff_captions(text, size, ret_sniff))
		*ret_sniff = PLAIN;
	return TRUE;
}
