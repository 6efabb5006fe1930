#include <math.h>
#include <string.h>

#include "base/error.h"
#include "bundle/keys.h"

/* A file may hold a string of megabytes where a name belongs. */
#define MESSAGE_BYTES_MAX 1000

gboolean weft_keys_error(const WeftKeys *keys, const char *key, GError **error, const char *format,
			 ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_autofree char *all = g_strdup_printf("%s: %s%s: %s", keys->file, keys->prefix, key, what);
	if (strlen(all) > MESSAGE_BYTES_MAX) {
		g_autofree char *cut = g_strndup(all, MESSAGE_BYTES_MAX);
		g_free(all);
		all = g_utf8_make_valid(cut, -1); /* where a character was cut */
	}
	g_set_error_literal(error, WEFT_ERROR, WEFT_ERROR_CONFIG, all);
	return FALSE;
}

const WeftJson *weft_keys_member(const WeftKeys *keys, const char *key)
{
	const WeftJson *member = weft_json_member(keys->object, key);
	return weft_json_type(member) == WEFT_JSON_NULL ? NULL : member;
}

gboolean weft_keys_either(const WeftKeys *keys, const char *key, const char *other,
			  const char **ret_key, GError **error)
{
	const WeftJson *first = weft_keys_member(keys, key);
	const WeftJson *second = weft_keys_member(keys, other);

	if (first && second &&
	    g_strcmp0(weft_json_raw_number(first), weft_json_raw_number(second)) != 0)
		return weft_keys_error(keys, key, error, "differs from %s, which is given too",
				       other);
	*ret_key = second ? other : key;
	return TRUE;
}

gboolean weft_keys_sizes(const WeftKeys *keys, const WeftSizeKey *table, gsize n_keys,
			 gpointer ret_struct, GError **error)
{
	for (gsize i = 0; i < n_keys; i++) {
		const WeftSizeKey *entry = &table[i];
		const WeftJson *member = weft_keys_member(keys, entry->key);
		guint64 value = entry->value;

		if (!member && entry->required)
			return weft_keys_error(keys, entry->key, error, "is missing");
		if (member && (!weft_json_uint(member, &value) || value < entry->min ||
			       value > entry->max))
			return weft_keys_error(keys, entry->key, error,
					       "must be a whole number from %zu to %zu", entry->min,
					       entry->max);
		*(gsize *)((char *)ret_struct + entry->offset) = (gsize)value;
	}
	return TRUE;
}

gboolean weft_keys_numbers(const WeftKeys *keys, const WeftNumberKey *table, gsize n_keys,
			   gpointer ret_struct, GError **error)
{
	for (gsize i = 0; i < n_keys; i++) {
		const WeftNumberKey *entry = &table[i];
		const WeftJson *member = weft_keys_member(keys, entry->key);
		double value = entry->value;

		if (!member && entry->required)
			return weft_keys_error(keys, entry->key, error, "is missing");
		if (member && (!weft_json_double(member, &value) || !(value >= entry->min) ||
			       !(value <= entry->max)))
			return weft_keys_error(keys, entry->key, error,
					       "must be a number from %g to %g", entry->min,
					       entry->max);
		*(double *)((char *)ret_struct + entry->offset) = value;
	}
	return TRUE;
}

gboolean weft_keys_truth(const WeftKeys *keys, const char *key, gboolean value,
			 gboolean *ret_truth, GError **error)
{
	const WeftJson *member = weft_keys_member(keys, key);
	gboolean truth = value;
	double number;

	if (member && !weft_json_bool(member, &truth)) {
		if (!weft_json_double(member, &number))
			return weft_keys_error(keys, key, error, "must be true or false");
		truth = number != 0;
	}
	*ret_truth = truth;
	return TRUE;
}

gboolean weft_keys_must_be(const WeftKeys *keys, const char *key, const char *only, GError **error)
{
	const WeftJson *member = weft_keys_member(keys, key);
	const char *text = weft_json_string(member, NULL);

	if (member && g_strcmp0(text, only) != 0)
		return weft_keys_error(keys, key, error, "%s%s%s; only \"%s\" is implemented",
				       text ? "\"" : "", text ? text : "not a string",
				       text ? "\"" : "", only);
	return TRUE;
}

gboolean weft_keys_must_be_false(const WeftKeys *keys, const char *key, GError **error)
{
	gboolean truth;
	if (!weft_keys_truth(keys, key, FALSE, &truth, error))
		return FALSE;
	if (truth)
		return weft_keys_error(keys, key, error, "true is not implemented");
	return TRUE;
}

gboolean weft_keys_section(const WeftKeys *keys, const char *key, const char *prefix,
			   WeftKeys *ret_section, GError **error)
{
	const WeftJson *member = weft_keys_member(keys, key);
	if (member && weft_json_type(member) != WEFT_JSON_OBJECT)
		return weft_keys_error(keys, key, error, "must be an object");
	ret_section->file = keys->file;
	ret_section->prefix = prefix;
	ret_section->object = member;
	return TRUE;
}

gboolean weft_keys_string(const WeftKeys *keys, const char *key, char **ret_text, GError **error)
{
	const WeftJson *member = weft_keys_member(keys, key);
	const char *text = weft_json_string(member, NULL);
	if (member && !text)
		return weft_keys_error(keys, key, error, "must be a string without U+0000");
	*ret_text = g_strdup(text);
	return TRUE;
}

gboolean weft_keys_only(const WeftKeys *keys, const char *const *known, GError **error)
{
	for (gsize i = 0; i < weft_json_length(keys->object); i++) {
		const char *key = weft_json_key_at(keys->object, i, NULL);
		if (!g_strv_contains(known, key))
			return weft_keys_error(keys, key, error, "is not a key that weft knows");
	}
	return TRUE;
}
