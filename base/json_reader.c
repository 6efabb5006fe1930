#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_private.h"
#include "base/utf8.h"

typedef enum {
	EXPECT_VALUE,
	EXPECT_VALUE_OR_END, /* after '[' */
	EXPECT_KEY,
	EXPECT_KEY_OR_END,   /* after '{' */
	EXPECT_COMMA_OR_END, /* after a value; outside of everything: the end of the text */
} Expectation;

/* Keys of the open objects, innermost last, for the search for duplicates. */
typedef struct Key {
	guint64 hash;
	gsize offset;  /* of its opening quote */
	gsize where;   /* in the text, or in key_copies */
	gsize size_bytes;
	gboolean is_copy;
} Key;

typedef struct Frame {
	gboolean is_object;
	gsize key_first;  /* its keys begin here in keys */
	gsize copy_first; /* and here in key_copies */
} Frame;

struct WeftJsonReader {
	const char *text;
	gsize size_bytes;
	WeftJsonFlags flags;
	gsize position;
	gsize event_offset;
	WeftJsonType event;
	gboolean has_begun;
	Expectation expectation;
	const char *token;      /* of KEY, STRING, NUMBER */
	gsize token_size_bytes;
	GString *scratch;       /* holds the token when it had escapes */
	GArray *frames;         /* Frame */
	GArray *keys;           /* Key */
	GString *key_copies;    /* unescaped keys that had escapes */
	GError *fault;
};

WeftJsonReader *weft_json_reader_new(const char *text, gsize size_bytes, WeftJsonFlags flags)
{
	WeftJsonReader *reader = g_new0(WeftJsonReader, 1);
	reader->text = text;
	reader->size_bytes = size_bytes;
	reader->flags = flags;
	reader->expectation = EXPECT_VALUE;
	reader->scratch = g_string_new(NULL);
	reader->frames = g_array_new(FALSE, FALSE, sizeof(Frame));
	reader->keys = g_array_new(FALSE, FALSE, sizeof(Key));
	reader->key_copies = g_string_new(NULL);
	return reader;
}

void weft_json_reader_free(WeftJsonReader *reader)
{
	if (!reader)
		return;
	g_string_free(reader->scratch, TRUE);
	g_array_unref(reader->frames);
	g_array_unref(reader->keys);
	g_string_free(reader->key_copies, TRUE);
	g_clear_error(&reader->fault);
	g_free(reader);
}

#define KEY_BYTES_SHOWN 200 /* of one that is there twice */

/* Of a text of several lines the line is told as well: people look for it in an editor. */
static gboolean fail_at(WeftJsonReader *reader, gsize offset, const char *what)
{
	guint64 line = 1;
	for (gsize i = 0; i < MIN(offset, reader->size_bytes); i++)
		line += reader->text[i] == '\n';
	g_autofree char *place = line > 1 ? g_strdup_printf(" (line %" G_GUINT64_FORMAT ")", line)
					  : g_strdup("");
	g_set_error(&reader->fault, WEFT_ERROR, WEFT_ERROR_CORRUPT, "byte %" G_GSIZE_FORMAT "%s: %s",
		    offset, place, what);
	return FALSE;
}

static gboolean fail_here(WeftJsonReader *reader, const char *expected)
{
	g_autofree char *what = NULL;
	if (reader->position >= reader->size_bytes) {
		what = g_strdup_printf("expected %s, but the text ends", expected);
	} else {
		guint8 c = (guint8)reader->text[reader->position];
		if (reader->position == 0 && (c == 0xEF || c == 0xFE || c == 0xFF))
			what = g_strdup_printf("expected %s, not byte 0x%02X; JSON is UTF-8 without a "
					       "byte order mark",
					       expected, c);
		else if (c > 0x20 && c < 0x7F)
			what = g_strdup_printf("expected %s, not '%c'", expected, c);
		else
			what = g_strdup_printf("expected %s, not byte 0x%02X", expected, c);
	}
	return fail_at(reader, reader->position, what);
}

static void skip_space(WeftJsonReader *reader)
{
	while (reader->position < reader->size_bytes) {
		char c = reader->text[reader->position];
		if (c != ' ' && c != '\n' && c != '\t' && c != '\r')
			return;
		reader->position++;
	}
}

/* The byte at the position, or -1 at the end. */
static int here(const WeftJsonReader *reader)
{
	if (reader->position >= reader->size_bytes)
		return -1;
	return (guint8)reader->text[reader->position];
}

/* ---- strings ---- */

static gboolean read_hex4(WeftJsonReader *reader, guint32 *ret_value)
{
	guint32 value = 0;
	for (int i = 0; i < 4; i++) {
		int c = here(reader);
		if (c < 0 || !g_ascii_isxdigit(c))
			return fail_here(reader, "four hexadecimal digits after \\u");
		value = value * 16 + (guint32)g_ascii_xdigit_value((char)c);
		reader->position++;
	}
	*ret_value = value;
	return TRUE;
}

/* After "\u". */
static gboolean read_unicode_escape(WeftJsonReader *reader)
{
	guint32 code = 0, low = 0;
	char utf8[6];
	gsize offset = reader->position - 2;

	if (!read_hex4(reader, &code))
		return FALSE;
	if (code >= 0xDC00 && code <= 0xDFFF)
		return fail_at(reader, offset, "a low surrogate without its high one");
	if (code >= 0xD800 && code <= 0xDBFF) {
		if (reader->size_bytes - reader->position < 2 ||
		    memcmp(reader->text + reader->position, "\\u", 2) != 0)
			return fail_at(reader, offset, "a high surrogate without its low one");
		reader->position += 2;
		if (!read_hex4(reader, &low))
			return FALSE;
		if (low < 0xDC00 || low > 0xDFFF)
			return fail_at(reader, offset, "a high surrogate without its low one");
		code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
	}
	g_string_append_len(reader->scratch, utf8, g_unichar_to_utf8(code, utf8));
	return TRUE;
}

static gboolean read_escape(WeftJsonReader *reader)
{
	static const char FROM[] = "\"\\/bfnrt";
	static const char TO[] = "\"\\/\b\f\n\r\t";
	int c;

	reader->position++;
	c = here(reader);
	if (c == 'u') {
		reader->position++;
		return read_unicode_escape(reader);
	}
	const char *found = c > 0 ? strchr(FROM, c) : NULL;
	if (!found)
		return fail_here(reader, "an escape");
	g_string_append_c(reader->scratch, TO[found - FROM]);
	reader->position++;
	return TRUE;
}

/* Goes over bytes that stand for themselves. */
static gboolean skip_plain(WeftJsonReader *reader)
{
	const guint8 *text = (const guint8 *)reader->text;
	const guint8 *end = text + reader->size_bytes;
	const guint8 *p = text + reader->position;

	while (p < end && *p != '"' && *p != '\\') {
		gboolean is_valid;
		if (*p >= 0x20 && *p < 0x80) {
			p++;
			continue;
		}
		if (*p < 0x20)
			return fail_at(reader, p - text, "a control character in a string");
		gsize step = weft_utf8_step(p, end, &is_valid);
		if (!is_valid)
			return fail_at(reader, p - text, "not UTF-8");
		p += step;
	}
	reader->position = p - text;
	return TRUE;
}

/* At the opening quote. Leaves the token, in the text where it can. */
static gboolean read_string(WeftJsonReader *reader, gboolean *ret_is_copy)
{
	gsize begin = ++reader->position;
	gboolean is_copy = FALSE;

	g_string_truncate(reader->scratch, 0);
	for (;;) {
		gsize plain = reader->position;
		if (!skip_plain(reader))
			return FALSE;
		int c = here(reader);
		if (c < 0)
			return fail_at(reader, begin - 1, "a string without end");
		if (c == '"' && !is_copy)
			break;
		is_copy = TRUE;
		g_string_append_len(reader->scratch, reader->text + plain,
				    reader->position - plain);
		if (c == '"')
			break;
		if (!read_escape(reader))
			return FALSE;
	}
	reader->token = is_copy ? reader->scratch->str : reader->text + begin;
	reader->token_size_bytes = is_copy ? reader->scratch->len : reader->position - begin;
	reader->position++;
	*ret_is_copy = is_copy;
	return TRUE;
}

/* ---- keys ---- */

static const char *key_text(const WeftJsonReader *reader, const Key *key)
{
	return (key->is_copy ? reader->key_copies->str : reader->text) + key->where;
}

/* FNV-1a. Many keys with one hash cost only longer comparisons: they are sorted, not chained. */
static guint64 hash_of(const char *text, gsize size_bytes)
{
	guint64 hash = 0xCBF29CE484222325u;
	for (gsize i = 0; i < size_bytes; i++)
		hash = (hash ^ (guint8)text[i]) * 0x100000001B3u;
	return hash;
}

static void note_key(WeftJsonReader *reader, gboolean is_copy)
{
	Key key = {
		.hash = hash_of(reader->token, reader->token_size_bytes),
		.offset = reader->event_offset,
		.size_bytes = reader->token_size_bytes,
		.is_copy = is_copy,
	};
	if (is_copy) {
		key.where = reader->key_copies->len;
		g_string_append_len(reader->key_copies, reader->token, reader->token_size_bytes);
	} else {
		key.where = reader->token - reader->text;
	}
	g_array_append_val(reader->keys, key);
}

static int compare_keys(const void *a_item, const void *b_item, void *context)
{
	const Key *a = a_item, *b = b_item;
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->size_bytes != b->size_bytes)
		return a->size_bytes < b->size_bytes ? -1 : 1;
	return memcmp(key_text(context, a), key_text(context, b), a->size_bytes);
}

/* Looks for two equal keys in the object that ends, and forgets its keys. */
static gboolean check_keys(WeftJsonReader *reader, const Frame *frame)
{
	gsize n = reader->keys->len - frame->key_first;
	Key *keys = n > 0 ? &g_array_index(reader->keys, Key, frame->key_first) : NULL;

	if (n > 1)
		qsort_r(keys, n, sizeof(Key), compare_keys, reader);
	for (gsize i = 1; i < n; i++) {
		if (compare_keys(&keys[i - 1], &keys[i], reader) == 0) {
			g_autoptr(GString) what =
				g_string_new("this key is already in the object: ");
			weft_utf8_append_valid(what, key_text(reader, &keys[i]),
					       MIN(keys[i].size_bytes, KEY_BYTES_SHOWN));
			return fail_at(reader, MAX(keys[i - 1].offset, keys[i].offset), what->str);
		}
	}
	g_array_set_size(reader->keys, frame->key_first);
	g_string_truncate(reader->key_copies, frame->copy_first);
	return TRUE;
}

static gboolean read_key(WeftJsonReader *reader)
{
	gboolean is_copy;
	if (here(reader) != '"')
		return fail_here(reader, "a key");
	if (!read_string(reader, &is_copy))
		return FALSE;
	if (!(reader->flags & WEFT_JSON_ALLOW_DUPLICATES))
		note_key(reader, is_copy);
	skip_space(reader);
	if (here(reader) != ':')
		return fail_here(reader, "':'");
	reader->position++;
	reader->event = WEFT_JSON_KEY;
	reader->expectation = EXPECT_VALUE;
	return TRUE;
}

/* ---- numbers and words ---- */

static gboolean is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static gboolean skip_digits(WeftJsonReader *reader)
{
	if (!is_digit(here(reader)))
		return fail_here(reader, "a digit");
	while (is_digit(here(reader)))
		reader->position++;
	return TRUE;
}

static gboolean read_number(WeftJsonReader *reader)
{
	gsize begin = reader->position;

	if (here(reader) == '-')
		reader->position++;
	if (here(reader) == '0')
		reader->position++;
	else if (!skip_digits(reader))
		return FALSE;
	if (here(reader) == '.') {
		reader->position++;
		if (!skip_digits(reader))
			return FALSE;
	}
	if (here(reader) == 'e' || here(reader) == 'E') {
		reader->position++;
		if (here(reader) == '+' || here(reader) == '-')
			reader->position++;
		if (!skip_digits(reader))
			return FALSE;
	}
	reader->token = reader->text + begin;
	reader->token_size_bytes = reader->position - begin;
	reader->event = WEFT_JSON_NUMBER;
	return TRUE;
}

static gboolean read_word(WeftJsonReader *reader, const char *word, WeftJsonType event)
{
	gsize size = strlen(word);
	if (reader->size_bytes - reader->position < size ||
	    memcmp(reader->text + reader->position, word, size) != 0)
		return fail_here(reader, "a value");
	reader->position += size;
	reader->event = event;
	return TRUE;
}

/* ---- structure ---- */

static gboolean open_frame(WeftJsonReader *reader, gboolean is_object)
{
	Frame frame = { is_object, reader->keys->len, reader->key_copies->len };
	if (reader->frames->len >= WEFT_JSON_DEPTH_MAX) {
		g_set_error(&reader->fault, WEFT_ERROR, WEFT_ERROR_LIMIT,
			    "byte %" G_GSIZE_FORMAT ": deeper than %d arrays and objects",
			    reader->position, WEFT_JSON_DEPTH_MAX);
		return FALSE;
	}
	g_array_append_val(reader->frames, frame);
	reader->position++;
	reader->event = is_object ? WEFT_JSON_OBJECT : WEFT_JSON_ARRAY;
	reader->expectation = is_object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
	return TRUE;
}

static gboolean close_frame(WeftJsonReader *reader)
{
	Frame frame = g_array_index(reader->frames, Frame, reader->frames->len - 1);
	if (frame.is_object && !check_keys(reader, &frame))
		return FALSE;
	g_array_set_size(reader->frames, reader->frames->len - 1);
	reader->position++;
	reader->event = frame.is_object ? WEFT_JSON_OBJECT_END : WEFT_JSON_ARRAY_END;
	reader->expectation = EXPECT_COMMA_OR_END;
	return TRUE;
}

static gboolean read_value(WeftJsonReader *reader)
{
	gboolean is_copy;
	int c = here(reader);

	if (c == '{' || c == '[')
		return open_frame(reader, c == '{');
	reader->expectation = EXPECT_COMMA_OR_END;
	if (c == '"') {
		reader->event = WEFT_JSON_STRING;
		return read_string(reader, &is_copy);
	}
	if (c == '-' || is_digit(c))
		return read_number(reader);
	if (c == 't')
		return read_word(reader, "true", WEFT_JSON_TRUE);
	if (c == 'f')
		return read_word(reader, "false", WEFT_JSON_FALSE);
	if (c == 'n')
		return read_word(reader, "null", WEFT_JSON_NULL);
	return fail_here(reader, "a value");
}

/* After a value, inside of something: over the comma. */
static gboolean read_comma(WeftJsonReader *reader, gboolean is_object)
{
	if (here(reader) != ',')
		return fail_here(reader, is_object ? "',' or '}'" : "',' or ']'");
	reader->position++;
	skip_space(reader);
	reader->expectation = is_object ? EXPECT_KEY : EXPECT_VALUE;
	return TRUE;
}

static gboolean read_event(WeftJsonReader *reader)
{
	const Frame *frame = NULL;
	if (reader->frames->len)
		frame = &g_array_index(reader->frames, Frame, reader->frames->len - 1);

	skip_space(reader);
	if (reader->expectation == EXPECT_COMMA_OR_END && !frame) {
		if (here(reader) >= 0)
			return fail_here(reader, "nothing after the value");
		reader->event_offset = reader->position;
		reader->event = WEFT_JSON_END;
		return TRUE;
	}
	reader->event_offset = reader->position;
	if (reader->expectation >= EXPECT_VALUE_OR_END && reader->expectation != EXPECT_KEY &&
	    here(reader) == (frame->is_object ? '}' : ']'))
		return close_frame(reader);
	if (reader->expectation == EXPECT_COMMA_OR_END && !read_comma(reader, frame->is_object))
		return FALSE;
	reader->event_offset = reader->position;
	if (reader->expectation == EXPECT_KEY || reader->expectation == EXPECT_KEY_OR_END)
		return read_key(reader);
	return read_value(reader);
}

gboolean weft_json_reader_next(WeftJsonReader *reader, WeftJsonType *ret_event, GError **error)
{
	reader->has_begun = TRUE;
	if (reader->fault || !read_event(reader)) {
		g_propagate_error(error, g_error_copy(reader->fault));
		return FALSE;
	}
	*ret_event = reader->event;
	return TRUE;
}

gsize weft_json_reader_offset(const WeftJsonReader *reader)
{
	return reader->event_offset;
}

gsize weft_json_reader_end_offset(const WeftJsonReader *reader)
{
	return reader->position;
}

guint weft_json_reader_depth(const WeftJsonReader *reader)
{
	return reader->frames->len;
}

const char *weft_json_reader_text(const WeftJsonReader *reader, gsize *ret_size_bytes)
{
	*ret_size_bytes = reader->token_size_bytes;
	return reader->token;
}

gboolean weft_json_reader_is(const WeftJsonReader *reader, const char *text)
{
	return strlen(text) == reader->token_size_bytes &&
	       memcmp(text, reader->token, reader->token_size_bytes) == 0;
}

gboolean weft_json_reader_at_hand(WeftJsonReader *reader, WeftJsonType *ret_event, GError **error)
{
	if (!reader->has_begun || reader->event == WEFT_JSON_KEY)
		return weft_json_reader_next(reader, ret_event, error);
	*ret_event = reader->event;
	return TRUE;
}

gboolean weft_json_reader_skip(WeftJsonReader *reader, GError **error)
{
	WeftJsonType event;
	if (!weft_json_reader_at_hand(reader, &event, error))
		return FALSE;
	if (event != WEFT_JSON_ARRAY && event != WEFT_JSON_OBJECT)
		return TRUE;
	for (guint depth = reader->frames->len; reader->frames->len >= depth;)
		if (!weft_json_reader_next(reader, &event, error))
			return FALSE;
	return TRUE;
}

/* ---- numbers by their text ---- */

gboolean weft_json_text_to_uint(const char *text, gsize size_bytes, guint64 *ret_value)
{
	guint64 value = 0;
	for (gsize i = 0; i < size_bytes; i++) {
		if (!g_ascii_isdigit(text[i]) || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (guint64)(text[i] - '0'), &value))
			return FALSE;
	}
	if (size_bytes == 0)
		return FALSE;
	*ret_value = value;
	return TRUE;
}

gboolean weft_json_text_to_int(const char *text, gsize size_bytes, gint64 *ret_value)
{
	gboolean is_negative = size_bytes > 0 && text[0] == '-';
	guint64 value;
	if (!weft_json_text_to_uint(text + is_negative, size_bytes - is_negative, &value) ||
	    value > (guint64)G_MAXINT64 + is_negative)
		return FALSE;
	*ret_value = is_negative ? (gint64)(0 - value) : (gint64)value;
	return TRUE;
}

gboolean weft_json_text_to_double(const char *text, gsize size_bytes, double *ret_value)
{
	char small[64];
	g_autofree char *large = NULL;
	const char *number = small;
	char *end;

	if (size_bytes < sizeof(small)) {
		memcpy(small, text, size_bytes);
		small[size_bytes] = '\0';
	} else {
		number = large = g_strndup(text, size_bytes);
	}
	double value = g_ascii_strtod(number, &end);
	if (end == number || *end || !(value - value == 0)) /* infinite: inf - inf is NaN */
		return FALSE;
	*ret_value = value;
	return TRUE;
}
