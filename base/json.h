/* json.h - strict JSON: a streaming reader, a small tree on top of it, and a writer.
 *
 * The reader takes a whole text in memory (mapped or read) and gives one event at a time; it
 * copies nothing but strings that hold escapes, so a tokenizer of 28 MB costs one pass. It accepts
 * exactly RFC 8259: one value, UTF-8 without byte order mark, no lone surrogates, no trailing
 * commas, no NaN. U+0000 in a string is legal, which is why strings come with their size. Numbers
 * are checked for their grammar and handed on as the bytes that stand in the text; converting them
 * is a separate, checked step. Two equal keys in one object are refused, at the latest where the
 * object ends.
 *
 * Errors are WEFT_ERROR_CORRUPT ("byte 17: ...") and WEFT_ERROR_LIMIT for the depth.
 *
 * The tree is for configurations and answers: the root owns everything below it, all accessors
 * borrow, all of them take NULL and the wrong type and then say that there is nothing.
 *
 * The writer appends to a GString, compact, keys in the order of the calls. It does not check that
 * calls nest properly: that is the caller's program, not input. Text that is not to lie in memory
 * whole is handed on in pieces while it is written (weft_json_writer_hand_on).
 */
#ifndef WEFT_BASE_JSON_H
#define WEFT_BASE_JSON_H

#include <glib.h>

/* Arrays and objects inside each other; deeper text is refused (WEFT_ERROR_LIMIT). */
#define WEFT_JSON_DEPTH_MAX 512

typedef enum {
	WEFT_JSON_NULL,
	WEFT_JSON_FALSE,
	WEFT_JSON_TRUE,
	WEFT_JSON_NUMBER,
	WEFT_JSON_STRING,
	WEFT_JSON_ARRAY,      /* event: its begin */
	WEFT_JSON_OBJECT,     /* event: its begin */
	WEFT_JSON_ARRAY_END,  /* this and the rest: events only */
	WEFT_JSON_OBJECT_END,
	WEFT_JSON_KEY,
	WEFT_JSON_END,        /* after the value and trailing white space; comes again if asked again */
} WeftJsonType;

typedef enum {
	WEFT_JSON_STRICT = 0,
	WEFT_JSON_ALLOW_DUPLICATES = 1 << 0, /* in a tree the last of equal keys counts */
} WeftJsonFlags;

/* ---- reading, event by event ---- */

typedef struct WeftJsonReader WeftJsonReader;

/* `text` is borrowed and must not change. */
WeftJsonReader *weft_json_reader_new(const char *text, gsize size_bytes, WeftJsonFlags flags);
void weft_json_reader_free(WeftJsonReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftJsonReader, weft_json_reader_free)

/* The next event. After an error the reader stays where it is and gives the same error again. */
gboolean weft_json_reader_next(WeftJsonReader *reader, WeftJsonType *ret_event, GError **error);

/* Where the last event begins in the text, and where it ends. */
gsize weft_json_reader_offset(const WeftJsonReader *reader);
gsize weft_json_reader_end_offset(const WeftJsonReader *reader);

/* How many arrays and objects are open; a begin counts, its end does not any more. */
guint weft_json_reader_depth(const WeftJsonReader *reader);

/* After KEY or STRING: the unescaped UTF-8, after NUMBER: its bytes in the text. Not terminated;
 * valid until the next event. */
const char *weft_json_reader_text(const WeftJsonReader *reader, gsize *ret_size_bytes);

/* TRUE when the last KEY or STRING is exactly `text`. */
gboolean weft_json_reader_is(const WeftJsonReader *reader, const char *text);

/* Reads to the end of the value at hand: after KEY, and before the first event, the value that is
 * next; else the one that the last event is or begins. */
gboolean weft_json_reader_skip(WeftJsonReader *reader, GError **error);

/* Numbers by their text. FALSE when it is not an integer that fits (no fraction, no exponent), or
 * not a finite double. Any grammatical JSON number may be given. */
gboolean weft_json_text_to_int(const char *text, gsize size_bytes, gint64 *ret_value);
gboolean weft_json_text_to_uint(const char *text, gsize size_bytes, guint64 *ret_value);
gboolean weft_json_text_to_double(const char *text, gsize size_bytes, double *ret_value);

/* ---- the tree ---- */

typedef struct WeftJson WeftJson;

/* The whole text as a tree; NULL on error. */
WeftJson *weft_json_parse(const char *text, gsize size_bytes, WeftJsonFlags flags, GError **error);
/* The value at hand (as in weft_json_reader_skip) as a tree; the reader stands behind it then. */
WeftJson *weft_json_reader_tree(WeftJsonReader *reader, GError **error);
/* Only for what the two above gave, never for what lies inside. */
void weft_json_free(WeftJson *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftJson, weft_json_free)

/* NULL counts as WEFT_JSON_NULL. */
WeftJsonType weft_json_type(const WeftJson *value);
/* Byte offset in the text: for messages. */
gsize weft_json_offset(const WeftJson *value);

/* Items of an array, members of an object, else 0. */
gsize weft_json_length(const WeftJson *value);
/* Item of an array, or value of the i-th member in the order of the text; NULL beyond the end. */
const WeftJson *weft_json_at(const WeftJson *value, gsize i);
/* Key of the i-th member, NUL-terminated; NULL beyond the end only. Without `ret_size_bytes` a key
 * that holds a NUL is given as U+FFFD. */
const char *weft_json_key_at(const WeftJson *value, gsize i, gsize *ret_size_bytes);
/* Value of a member, or NULL. */
const WeftJson *weft_json_member(const WeftJson *value, const char *key);
/* RFC 6901; "" is the value itself; NULL when there is nothing there. */
const WeftJson *weft_json_at_pointer(const WeftJson *value, const char *pointer);

/* NUL-terminated, or NULL when it is not a string. Without `ret_size_bytes` a string that holds
 * U+0000 is no string either, so that it can't be cut by accident. */
const char *weft_json_string(const WeftJson *value, gsize *ret_size_bytes);
/* The number as it stands in the text, NUL-terminated, or NULL. */
const char *weft_json_raw_number(const WeftJson *value);
/* FALSE when it is not a number, or not one that fits. */
gboolean weft_json_int(const WeftJson *value, gint64 *ret_value);
gboolean weft_json_uint(const WeftJson *value, guint64 *ret_value);
gboolean weft_json_double(const WeftJson *value, double *ret_value);
/* FALSE when it is neither true nor false. */
gboolean weft_json_bool(const WeftJson *value, gboolean *ret_value);

/* Appends `key` to a pointer, '/' before it, '~' and '/' escaped. */
void weft_json_pointer_add(GString *pointer, const char *key, gsize size_bytes);

/* ---- writing ---- */

/* Takes the next piece of a text. */
typedef gboolean (*WeftJsonTake)(gpointer taker, const char *text, gsize size_bytes, GError **error);

typedef struct WeftJsonWriter {
	GString *text;        /* borrowed */
	gboolean needs_comma; /* this and the rest: private */
	WeftJsonTake take;    /* NULL: the text stays */
	gpointer taker;
	GError *failure;
} WeftJsonWriter;

void weft_json_writer_init(WeftJsonWriter *writer, GString *text);
/* From here on the text goes to `take` whenever there is about WEFT_JSON_PIECE_BYTES of it. */
#define WEFT_JSON_PIECE_BYTES ((gsize)64 << 10)
void weft_json_writer_hand_on(WeftJsonWriter *writer, WeftJsonTake take, gpointer taker);
/* Hands on the rest. FALSE: `take` failed once, and was not asked again. Call it always, once. */
gboolean weft_json_writer_finish(WeftJsonWriter *writer, GError **error);

void weft_json_write_object(WeftJsonWriter *writer);
void weft_json_write_object_end(WeftJsonWriter *writer);
void weft_json_write_array(WeftJsonWriter *writer);
void weft_json_write_array_end(WeftJsonWriter *writer);
void weft_json_write_key(WeftJsonWriter *writer, const char *key);

/* Escapes what JSON demands, and besides what terminals obey or programs take for the end of a
 * line: DEL, C1 (U+0080 to U+009F), U+2028, U+2029, what turns the direction of writing (U+202A to
 * U+202E, U+2066 to U+2069). Bytes that are not UTF-8 become U+FFFD, one for
 * each maximal part of a broken sequence. NULL is written as null. */
void weft_json_write_string(WeftJsonWriter *writer, const char *text);
void weft_json_write_text(WeftJsonWriter *writer, const char *text, gsize size_bytes);
void weft_json_write_bool(WeftJsonWriter *writer, gboolean value);
void weft_json_write_null(WeftJsonWriter *writer);
void weft_json_write_int(WeftJsonWriter *writer, gint64 value);
void weft_json_write_uint(WeftJsonWriter *writer, guint64 value);
/* The fewest digits that read back as the same double; integers below 2^53 without exponent; no
 * negative zero. What is not finite is refused: null is written and FALSE returned. */
gboolean weft_json_write_double(WeftJsonWriter *writer, double value);
/* The same after rounding to `n_decimals` (0..9) places. */
gboolean weft_json_write_rounded(WeftJsonWriter *writer, double value, guint n_decimals);
/* An array of them. */
void weft_json_write_numbers(WeftJsonWriter *writer, const double *values, gsize n, guint n_decimals);
/* JSON text that is known to be one valid value, as it is. */
void weft_json_write_raw(WeftJsonWriter *writer, const char *json, gsize size_bytes);
/* A tree: compact, order of members kept, numbers as they stood. */
void weft_json_write_tree(WeftJsonWriter *writer, const WeftJson *value);
/* The same as a text of its own. Caller frees. */
char *weft_json_compact(const WeftJson *value);

#endif
