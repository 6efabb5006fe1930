/* keys.h - members of a configuration object, read by table; private to bundle/.
 *
 * A section is one JSON object with the name it has in messages ("text_config."). A member that is
 * absent or null counts as not given. Every error is WEFT_ERROR_CONFIG and says
 * "FILE: SECTION.KEY: what is there and what may be".
 */
#ifndef WEFT_BUNDLE_KEYS_H
#define WEFT_BUNDLE_KEYS_H

#include <glib.h>

#include "base/json.h"

typedef struct WeftKeys {
	const char *file;
	const char *prefix;      /* "" at the top, else with its dot */
	const WeftJson *object;  /* NULL: nothing is given */
} WeftKeys;

typedef struct WeftSizeKey {
	const char *key;
	gsize offset;    /* of a gsize in the caller's struct */
	gsize min, max;
	gboolean required;
	gsize value;     /* when not given */
} WeftSizeKey;

typedef struct WeftNumberKey {
	const char *key;
	gsize offset;    /* of a double */
	double min, max; /* both allowed */
	gboolean required;
	double value;
} WeftNumberKey;

/* The member, or NULL when it is absent or null. */
const WeftJson *weft_keys_member(const WeftKeys *keys, const char *key);

/* Which of two spellings of one key is given (`key` when neither is); FALSE when both are, and
 * differ. Only for numbers. */
gboolean weft_keys_either(const WeftKeys *keys, const char *key, const char *other,
			  const char **ret_key, GError **error);

gboolean weft_keys_sizes(const WeftKeys *keys, const WeftSizeKey *table, gsize n_keys,
			 gpointer ret_struct, GError **error);
gboolean weft_keys_numbers(const WeftKeys *keys, const WeftNumberKey *table, gsize n_keys,
			   gpointer ret_struct, GError **error);

/* true, false or a number, which counts by being zero or not (published files have both). */
gboolean weft_keys_truth(const WeftKeys *keys, const char *key, gboolean value,
			 gboolean *ret_truth, GError **error);

/* Fails when the member is given and is not this string. */
gboolean weft_keys_must_be(const WeftKeys *keys, const char *key, const char *only, GError **error);
/* Fails when the member is given and true. */
gboolean weft_keys_must_be_false(const WeftKeys *keys, const char *key, GError **error);
/* A given member must be an object; *ret_section is usable either way. */
gboolean weft_keys_section(const WeftKeys *keys, const char *key, const char *prefix,
			   WeftKeys *ret_section, GError **error);
/* Copies a given string; *ret_text is NULL when it is not given. Caller frees. */
gboolean weft_keys_string(const WeftKeys *keys, const char *key, char **ret_text, GError **error);
/* Fails with the first key that is not in `known`. */
gboolean weft_keys_only(const WeftKeys *keys, const char *const *known, GError **error);

/* Always FALSE, for `return`: the error of this key. */
gboolean weft_keys_error(const WeftKeys *keys, const char *key, GError **error, const char *format,
			 ...) G_GNUC_PRINTF(4, 5);

#endif
