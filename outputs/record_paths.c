#include "outputs/record_paths.h"

#include <string.h>

#include "base/files.h"

void weft_record_paths_settle(GPtrArray *paths)
{
	guint n = 0;

	weft_names_sort(paths);
	for (guint i = 0; i < paths->len; i++) {
		if (n > 0 && strcmp(paths->pdata[n - 1], paths->pdata[i]) == 0)
			continue;
		/* What is dropped moves behind the others. */
		gpointer path = paths->pdata[n];
		paths->pdata[n++] = paths->pdata[i];
		paths->pdata[i] = path;
	}
	g_ptr_array_set_size(paths, (gint)n);
}

void weft_record_paths_write(WeftJsonWriter *w, const GPtrArray *paths)
{
	gboolean has_others = FALSE;

	weft_json_write_key(w, "paths");
	weft_json_write_array(w);
	for (guint i = 0; i < paths->len; i++) {
		if (g_utf8_validate(paths->pdata[i], -1, NULL))
			weft_json_write_string(w, paths->pdata[i]);
		else
			has_others = TRUE;
	}
	weft_json_write_array_end(w);
	if (!has_others)
		return;
	weft_json_write_key(w, "paths_b64");
	weft_json_write_array(w);
	for (guint i = 0; i < paths->len; i++) {
		const char *path = paths->pdata[i];
		if (g_utf8_validate(path, -1, NULL))
			continue;
		g_autofree char *encoded = g_base64_encode((const guchar *)path, strlen(path));
		weft_json_write_string(w, encoded);
	}
	weft_json_write_array_end(w);
}

GPtrArray *weft_record_paths_read(const WeftJson *record)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	const WeftJson *source = weft_json_member(record, "source");
	const WeftJson *plain = weft_json_member(source, "paths");
	const WeftJson *encoded = weft_json_member(source, "paths_b64");

	for (gsize i = 0; i < weft_json_length(plain); i++) {
		const char *path = weft_json_string(weft_json_at(plain, i), NULL);
		if (path)
			g_ptr_array_add(paths, g_strdup(path));
	}
	for (gsize i = 0; i < weft_json_length(encoded); i++) {
		const char *text = weft_json_string(weft_json_at(encoded, i), NULL);
		gsize size;
		g_autofree guchar *bytes = text ? g_base64_decode(text, &size) : NULL;
		if (bytes)
			g_ptr_array_add(paths, g_strndup((const char *)bytes, size));
	}
	return paths;
}

void weft_record_source_write(WeftJsonWriter *w, const WeftJson *source, const GPtrArray *paths)
{
	weft_json_write_object(w);
	for (gsize i = 0; i < weft_json_length(source); i++) {
		const char *key = weft_json_key_at(source, i, NULL);
		if (strcmp(key, "paths") == 0) {
			weft_record_paths_write(w, paths);
		} else if (strcmp(key, "paths_b64") != 0) {
			weft_json_write_key(w, key);
			weft_json_write_tree(w, weft_json_at(source, i));
		}
	}
	weft_json_write_object_end(w);
}
