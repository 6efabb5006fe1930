#include <float.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

void weft_json_writer_init(WeftJsonWriter *writer, GString *text)
{
	*writer = (WeftJsonWriter){.text = text};
}

void weft_json_writer_hand_on(WeftJsonWriter *writer, WeftJsonTake take, gpointer taker)
{
	writer->take = take;
	writer->taker = taker;
}

static void hand_on(WeftJsonWriter *writer)
{
	if (!writer->failure)
		(void)writer->take(writer->taker, writer->text->str, writer->text->len,
				   &writer->failure);
	g_string_truncate(writer->text, 0);
}

gboolean weft_json_writer_finish(WeftJsonWriter *writer, GError **error)
{
	if (writer->take && writer->text->len > 0)
		hand_on(writer);
	if (!writer->failure)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&writer->failure));
	return FALSE;
}

static void before_value(WeftJsonWriter *writer)
{
	if (writer->take && writer->text->len >= WEFT_JSON_PIECE_BYTES)
		hand_on(writer);
	if (writer->needs_comma)
		g_string_append_c(writer->text, ',');
	writer->needs_comma = TRUE;
}

static void write_bracket(WeftJsonWriter *writer, char bracket)
{
	before_value(writer);
	g_string_append_c(writer->text, bracket);
	writer->needs_comma = FALSE;
}

static void write_bracket_end(WeftJsonWriter *writer, char bracket)
{
	g_string_append_c(writer->text, bracket);
	writer->needs_comma = TRUE;
}

void weft_json_write_object(WeftJsonWriter *writer)
{
	write_bracket(writer, '{');
}

void weft_json_write_object_end(WeftJsonWriter *writer)
{
	write_bracket_end(writer, '}');
}

void weft_json_write_array(WeftJsonWriter *writer)
{
	write_bracket(writer, '[');
}

void weft_json_write_array_end(WeftJsonWriter *writer)
{
	write_bracket_end(writer, ']');
}

static void append_escape(GString *text, guint32 c)
{
	static const char FROM[] = "\"\\\b\f\n\r\t";
	static const char TO[] = "\"\\bfnrt";
	const char *found = c && c < 0x80 ? strchr(FROM, (int)c) : NULL;
	if (found)
		g_string_append_printf(text, "\\%c", TO[found - FROM]);
	else
		g_string_append_printf(text, "\\u%04X", c);
}

/* Bytes of the character at p when it must not stand as it is, else 0: what JSON forbids, and what
 * terminals obey (weft_utf8_is_obeyed) or line readers break at (U+0085, U+2028, U+2029). */
static gsize escaped_bytes(const guint8 *p, const guint8 *end, guint32 *ret_code)
{
	*ret_code = p[0];
	if (p[0] < 0x20 || p[0] == '"' || p[0] == '\\' || p[0] == 0x7F)
		return 1;
	if (p[0] == 0xC2 && end - p >= 2 && p[1] >= 0x80 && p[1] <= 0x9F) {
		*ret_code = p[1];
		return 2;
	}
	if (p[0] == 0xE2 && end - p >= 3 && (p[1] == 0x80 || p[1] == 0x81) && p[2] >= 0x80 &&
	    p[2] <= 0xBF) {
		*ret_code = 0x2000 + 64 * (p[1] - 0x80u) + (p[2] - 0x80u);
		return weft_utf8_is_obeyed(*ret_code) ? 3 : 0;
	}
	return 0;
}

static void append_quoted(WeftJsonWriter *writer, const char *text, gsize size_bytes)
{
	const guint8 *end = (const guint8 *)text + size_bytes;
	const guint8 *plain = (const guint8 *)text; /* from here to p nothing needs an escape */
	GString *out = writer->text;
	guint32 code;

	g_string_append_c(out, '"');
	for (const guint8 *p = plain; p < end;) {
		gsize n = escaped_bytes(p, end, &code);
		/* Not within a character, and so not within a broken one. */
		gboolean is_piece = writer->take && (*p & 0xC0) != 0x80 &&
				    (gsize)(p - plain) + out->len >= WEFT_JSON_PIECE_BYTES;
		if (n > 0 || is_piece) {
			weft_utf8_append_valid(out, (const char *)plain, p - plain);
			plain = p;
		}
		if (is_piece)
			hand_on(writer);
		if (n > 0) {
			append_escape(out, code);
			plain = p + n;
		}
		p += MAX(n, 1);
	}
	weft_utf8_append_valid(out, (const char *)plain, end - plain);
	g_string_append_c(out, '"');
}

static void write_key_text(WeftJsonWriter *writer, const char *key, gsize size_bytes)
{
	before_value(writer);
	append_quoted(writer, key, size_bytes);
	g_string_append_c(writer->text, ':');
	writer->needs_comma = FALSE;
}

void weft_json_write_key(WeftJsonWriter *writer, const char *key)
{
	write_key_text(writer, key, strlen(key));
}

void weft_json_write_text(WeftJsonWriter *writer, const char *text, gsize size_bytes)
{
	before_value(writer);
	append_quoted(writer, text, size_bytes);
}

void weft_json_write_string(WeftJsonWriter *writer, const char *text)
{
	if (text)
		weft_json_write_text(writer, text, strlen(text));
	else
		weft_json_write_null(writer);
}

void weft_json_write_raw(WeftJsonWriter *writer, const char *json, gsize size_bytes)
{
	before_value(writer);
	g_string_append_len(writer->text, json, size_bytes);
}

void weft_json_write_bool(WeftJsonWriter *writer, gboolean value)
{
	before_value(writer);
	g_string_append(writer->text, value ? "true" : "false");
}

void weft_json_write_null(WeftJsonWriter *writer)
{
	before_value(writer);
	g_string_append(writer->text, "null");
}

void weft_json_write_int(WeftJsonWriter *writer, gint64 value)
{
	before_value(writer);
	g_string_append_printf(writer->text, "%" G_GINT64_FORMAT, value);
}

void weft_json_write_uint(WeftJsonWriter *writer, guint64 value)
{
	before_value(writer);
	g_string_append_printf(writer->text, "%" G_GUINT64_FORMAT, value);
}

/* 15 digits are exact for every decimal that a normal double can hold, 17 always read back; below
 * the normal range fewer may do. */
static void append_shortest(GString *text, double value)
{
	char digits[G_ASCII_DTOSTR_BUF_SIZE];
	for (int n = fabs(value) < DBL_MIN ? 1 : 15; n <= 17; n++) {
		char format[8];
		g_snprintf(format, sizeof(format), "%%.%dg", n);
		g_ascii_formatd(digits, sizeof(digits), format, value);
		if (g_ascii_strtod(digits, NULL) == value)
			break;
	}
	g_string_append(text, digits);
}

gboolean weft_json_write_double(WeftJsonWriter *writer, double value)
{
	if (!isfinite(value)) {
		weft_json_write_null(writer);
		return FALSE;
	}
	if (fabs(value) < 0x1p53 && value == floor(value)) {
		weft_json_write_int(writer, (gint64)value);
		return TRUE;
	}
	before_value(writer);
	append_shortest(writer->text, value);
	return TRUE;
}

gboolean weft_json_write_rounded(WeftJsonWriter *writer, double value, guint n_decimals)
{
	static const double POWERS[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };
	double power = POWERS[MIN(n_decimals, G_N_ELEMENTS(POWERS) - 1)];
	double scaled = round(value * power);
	/* Beyond 2^53 there are no decimals to round. */
	return weft_json_write_double(writer, fabs(scaled) < 0x1p53 ? scaled / power : value);
}

void weft_json_write_numbers(WeftJsonWriter *writer, const double *values, gsize n, guint n_decimals)
{
	weft_json_write_array(writer);
	for (gsize i = 0; i < n; i++)
		(void)weft_json_write_rounded(writer, values[i], n_decimals);
	weft_json_write_array_end(writer);
}

void weft_json_write_tree(WeftJsonWriter *writer, const WeftJson *value)
{
	WeftJsonType type = weft_json_type(value);
	gsize size;

	switch (type) {
	case WEFT_JSON_STRING: {
		const char *text = weft_json_string(value, &size);
		weft_json_write_text(writer, text, size);
		break;
	}
	case WEFT_JSON_NUMBER: {
		const char *number = weft_json_raw_number(value);
		weft_json_write_raw(writer, number, strlen(number));
		break;
	}
	case WEFT_JSON_ARRAY:
	case WEFT_JSON_OBJECT:
		write_bracket(writer, type == WEFT_JSON_ARRAY ? '[' : '{');
		for (gsize i = 0; i < weft_json_length(value); i++) {
			const char *key = weft_json_key_at(value, i, &size);
			if (key)
				write_key_text(writer, key, size);
			weft_json_write_tree(writer, weft_json_at(value, i));
		}
		write_bracket_end(writer, type == WEFT_JSON_ARRAY ? ']' : '}');
		break;
	case WEFT_JSON_TRUE:
	case WEFT_JSON_FALSE:
		weft_json_write_bool(writer, type == WEFT_JSON_TRUE);
		break;
	default:
		weft_json_write_null(writer);
	}
}

char *weft_json_compact(const WeftJson *value)
{
	GString *text = g_string_new(NULL);
	WeftJsonWriter writer;

	weft_json_writer_init(&writer, text);
	weft_json_write_tree(&writer, value);
	return g_string_free(text, FALSE);
}
