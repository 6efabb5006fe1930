#include "outputs/record_source.h"

#include <string.h>

#include "outputs/outputs.h"
#include "outputs/record_members.h"
#include "outputs/record_paths.h"

/* Bytes that are no UTF-8 under the other key, in base64. */
static void write_bytes(WeftJsonWriter *w, const char *key, const char *key_b64, const char *bytes)
{
	g_autofree char *encoded = NULL;

	if (g_utf8_validate(bytes, -1, NULL)) {
		write_member(w, key, bytes);
		return;
	}
	encoded = g_base64_encode((const guchar *)bytes, strlen(bytes));
	write_member(w, key_b64, encoded);
}

static void write_sidecar(WeftJsonWriter *w, const char *path, const char *sha256)
{
	weft_json_write_key(w, "sidecar");
	weft_json_write_object(w);
	write_bytes(w, "path", "path_b64", path);
	write_member(w, "sha256", sha256);
	weft_json_write_object_end(w);
}

static void write_part(WeftJsonWriter *w, const WeftRecordPart *part)
{
	weft_json_write_object(w);
	weft_json_write_key(w, "n");
	weft_json_write_uint(w, part->n);
	write_bytes(w, "name", "name_b64", part->name);
	write_member(w, "sha256", part->sha256);
	weft_json_write_key(w, "bytes");
	weft_json_write_uint(w, part->size_bytes);
	write_member(w, "media_type", part->media_type);
	if (part->sidecar_name)
		write_sidecar(w, part->sidecar_name, part->sidecar_sha256);
	weft_json_write_object_end(w);
}

void weft_record_source_begin(WeftJsonWriter *w, const WeftRecord *record)
{
	g_autoptr(GPtrArray) paths = g_ptr_array_new(); /* borrows */
	for (guint i = 0; i < record->paths->len; i++)
		g_ptr_array_add(paths, record->paths->pdata[i]);
	weft_record_paths_settle(paths);

	weft_json_write_key(w, "source");
	weft_json_write_object(w);
	write_member(w, "sha256", record->sha256);
	weft_json_write_key(w, "bytes");
	weft_json_write_uint(w, record->size_bytes);
	write_member(w, "media_type", record->media_type);
	weft_record_paths_write(w, paths);
	if (record->sidecar_path)
		write_sidecar(w, record->sidecar_path, record->sidecar_sha256);
	if (record->parts->len > 0) {
		weft_json_write_key(w, "parts");
		weft_json_write_array(w);
		for (guint i = 0; i < record->parts->len; i++)
			write_part(w, &g_array_index(record->parts, WeftRecordPart, i));
		weft_json_write_array_end(w);
	}
	weft_json_write_object_end(w);
}

/* ---- a written record ---- */

/* As write_bytes has them; NULL: there are none. Caller frees. */
static char *read_bytes(const WeftJson *object, const char *key, const char *key_b64)
{
	const char *text = weft_json_string(weft_json_member(object, key), NULL);
	const char *encoded = weft_json_string(weft_json_member(object, key_b64), NULL);
	g_autofree guchar *bytes = NULL;
	gsize size;

	if (text || !encoded)
		return g_strdup(text);
	bytes = g_base64_decode(encoded, &size);
	return g_strndup((const char *)bytes, size);
}

char *weft_record_part_name(const WeftJson *record, guint64 n)
{
	const WeftJson *parts = weft_json_at_pointer(record, "/source/parts");

	return n > 0 && n <= weft_json_length(parts)
		       ? read_bytes(weft_json_at(parts, n - 1), "name", "name_b64")
		       : NULL;
}

static gboolean ends_with(const char *path, const char *name)
{
	gsize size = strlen(path), name_size = strlen(name);
	const char *tail = path + size - MIN(size, name_size);

	return strcmp(tail, name) == 0 && (tail == path || tail[-1] == '/');
}

/* The longest name counts: "b/a.wav" where there is "a.wav", too. */
const char *weft_record_sha256_at(const WeftJson *record, const char *path)
{
	const WeftJson *parts = weft_json_at_pointer(record, "/source/parts");
	const char *best = NULL;
	gsize best_size = 0;

	if (!parts)
		return weft_json_string(weft_json_at_pointer(record, "/source/sha256"), NULL);
	for (gsize i = 0; i < 2 * weft_json_length(parts); i++) {
		const WeftJson *part = weft_json_at(parts, i / 2);
		const WeftJson *file = i % 2 ? weft_json_member(part, "sidecar") : part;
		g_autofree char *name = read_bytes(file, i % 2 ? "path" : "name",
						   i % 2 ? "path_b64" : "name_b64");

		if (!name || strlen(name) < best_size || !ends_with(path, name))
			continue;
		best = weft_json_string(weft_json_member(file, "sha256"), NULL);
		best_size = strlen(name);
	}
	return best;
}

char *weft_record_captions_at(const WeftJson *record, const char *path, const char **ret_sha256)
{
	const WeftJson *sidecar = weft_json_at_pointer(record, "/source/sidecar");
	g_autofree char *captions = read_bytes(sidecar, "path", "path_b64");
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
	gsize size = dot ? (gsize)(dot - path) : strlen(path);

	*ret_sha256 = weft_json_string(weft_json_member(sidecar, "sha256"), NULL);
	if (!captions || !*ret_sha256 || strncmp(captions, path, size) != 0 ||
	    captions[size] != '.' || strchr(captions + size, '/'))
		return NULL;
	return g_steal_pointer(&captions);
}

const char *weft_record_part_path(const GPtrArray *paths, const char *name)
{
	for (guint i = 0; i < paths->len; i++)
		if (ends_with(paths->pdata[i], name))
			return paths->pdata[i];
	return NULL;
}

/* All names behind one beginning, each among the paths. */
static GPtrArray *paths_beneath(const WeftJson *record, const GPtrArray *paths, const char *path,
				gsize folder_bytes)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
	gsize n = weft_json_length(weft_json_at_pointer(record, "/source/parts"));

	for (gsize i = 1; i <= n; i++) {
		g_autofree char *name = weft_record_part_name(record, i);
		g_autofree char *folder = g_strndup(path, folder_bytes);
		g_autofree char *whole = g_strconcat(folder, name, NULL);

		if (!g_ptr_array_find_with_equal_func((GPtrArray *)paths, whole, g_str_equal, NULL))
			return NULL;
		g_ptr_array_add(found, g_steal_pointer(&whole));
	}
	return g_steal_pointer(&found);
}

GPtrArray *weft_record_part_paths(const WeftJson *record, const GPtrArray *paths)
{
	g_autofree char *first = weft_record_part_name(record, 1);
	GPtrArray *found = NULL;

	for (guint i = 0; first && !found && i < paths->len; i++) {
		const char *path = paths->pdata[i];

		if (ends_with(path, first))
			found = paths_beneath(record, paths, path, strlen(path) - strlen(first));
	}
	return found;
}
