/* gguf_value.h - one value of a GGUF file's metadata; private to bundle/.
 *
 * It stays where it is, in the mapping, and lives as long as its file is open: a vocabulary of
 * 200,000 strings costs one pass over its lengths and no copy. Strings are not terminated and are
 * whatever bytes the file holds.
 */
#ifndef WEFT_BUNDLE_GGUF_VALUE_H
#define WEFT_BUNDLE_GGUF_VALUE_H

#include <glib.h>

#include "base/bytes.h"

#define WEFT_GGUF_DEPTH_MAX 4 /* arrays in arrays */

typedef enum {
	WEFT_GGUF_U8 = 0,
	WEFT_GGUF_I8 = 1,
	WEFT_GGUF_U16 = 2,
	WEFT_GGUF_I16 = 3,
	WEFT_GGUF_U32 = 4,
	WEFT_GGUF_I32 = 5,
	WEFT_GGUF_F32 = 6,
	WEFT_GGUF_BOOL = 7,
	WEFT_GGUF_STRING = 8,
	WEFT_GGUF_ARRAY = 9,
	WEFT_GGUF_U64 = 10,
	WEFT_GGUF_I64 = 11,
	WEFT_GGUF_F64 = 12,
	WEFT_GGUF_TYPES
} WeftGgufType;

typedef struct WeftGgufValue {
	char *key;
	WeftGgufType type, item_type; /* item_type: of an array, else WEFT_GGUF_TYPES */
	const guint8 *data;           /* the number, the text, or the first item */
	gsize length;                 /* bytes of a text, items of an array */
} WeftGgufValue;

/* ---- reading, for gguf.c ---- */

/* Bytes of a header and where they come from. */
typedef struct WeftGgufHeader {
	const char *file;
	WeftBytes bytes;
	gboolean is_cut; /* they end where the file ends, not at our limit */
} WeftGgufHeader;

/* Always FALSE: the bytes end inside `in`. */
gboolean weft_gguf_header_ends(const WeftGgufHeader *header, const char *in, GError **error);

/* Type and value of value->key, checked to its last byte. WEFT_ERROR_WEIGHTS. */
gboolean weft_gguf_value_read(WeftGgufHeader *header, WeftGgufValue *value, GError **error);

/* ---- what it says ---- */

/* All of these take NULL, and say FALSE, NULL or 0 when the value has another type. */
const char *weft_gguf_key(const WeftGgufValue *value);
WeftGgufType weft_gguf_type(const WeftGgufValue *value); /* NULL: WEFT_GGUF_TYPES */
/* Any of the whole-number types, when the number is not negative. */
gboolean weft_gguf_uint(const WeftGgufValue *value, guint64 *ret_value);
/* Any number; finite. */
gboolean weft_gguf_double(const WeftGgufValue *value, double *ret_value);
gboolean weft_gguf_bool(const WeftGgufValue *value, gboolean *ret_value);
/* Not terminated. */
const char *weft_gguf_text(const WeftGgufValue *value, gsize *ret_size_bytes);
gboolean weft_gguf_is(const WeftGgufValue *value, const char *text);

/* Items of an array, and their type. */
gsize weft_gguf_length(const WeftGgufValue *value);
WeftGgufType weft_gguf_item_type(const WeftGgufValue *value); /* no array: WEFT_GGUF_TYPES */
gboolean weft_gguf_int_at(const WeftGgufValue *value, gsize i, gint64 *ret_value);
gboolean weft_gguf_double_at(const WeftGgufValue *value, gsize i, double *ret_value);

/* The strings of an array, one after the other: their lengths stand between them.
 *
 *     WeftGgufStrings strings = weft_gguf_strings(weft_gguf_value(gguf, "tokenizer.ggml.tokens"));
 *     while (weft_gguf_strings_next(&strings, &text, &size_bytes))
 */
typedef struct WeftGgufStrings {
	const guint8 *next;
	gsize left; /* strings */
} WeftGgufStrings;

/* Of anything but an array of strings: none. */
WeftGgufStrings weft_gguf_strings(const WeftGgufValue *value);
gboolean weft_gguf_strings_next(WeftGgufStrings *strings, const char **ret_text,
				gsize *ret_size_bytes);

#endif
