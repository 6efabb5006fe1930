/* pattern_private.h - what the two files of the reader of expressions share. */
#ifndef WEFT_SCHEMA_PATTERN_PRIVATE_H
#define WEFT_SCHEMA_PATTERN_PRIVATE_H

#include "schema/pattern.h"

typedef struct Reader {
	const char *text, *p;      /* valid UTF-8 that ends with NUL */
	gboolean is_loose;
	guint depth;
	gboolean is_at_start;      /* nothing but ^ and look-aheads was read, and a ^ */
	WeftCharacters *characters;
	WeftPattern *pattern;
	GHashTable *set_ids;       /* GBytes of the ranges to index + 1 */
	GError **error;
} Reader;

/* FALSE always: sets the error, WEFT_ERROR_SCHEMA at the character where `at` points. */
gboolean weft_pattern_refuse(Reader *reader, const char *at, const char *format, ...)
	G_GNUC_PRINTF(3, 4);

/* An escape behind its backslash, where `p` stands. Either one character (*ret_set NULL; it may
 * be one that no string has) or a set, which the caller frees. is_possible: of the two sets of a name,
 * the one of what any engine takes. */
gboolean weft_pattern_read_escape(Reader *reader, gboolean is_possible, guint32 *ret_character,
				  GArray **ret_set);

/* A class behind its opening bracket; leaves `p` behind the closing one. */
gboolean weft_pattern_read_class(Reader *reader, GArray **ret_set);

#endif
