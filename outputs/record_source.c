#include "outputs/record_source.h"

#include <string.h>

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

char *weft_record_part_name(const WeftJson *record, guint64 n)
{
	const WeftJson *parts = weft_json_at_pointer(record, "/source/parts");
	const WeftJson *part = n > 0 && n <= weft_json_length(parts) ? weft_json_at(parts, n - 1) : NULL;
	const char *name = weft_json_string(weft_json_member(part, "name"), NULL);
	const char *encoded = weft_json_string(weft_json_member(part, "name_b64"), NULL);
	g_autofree guchar *bytes = NULL;
	gsize size;

	if (name || !encoded)
		return g_strdup(name);
	bytes = g_base64_decode(encoded, &size);
	return g_strndup((const char *)bytes, size);
}

const char *weft_record_part_path(const GPtrArray *paths, const char *name)
{
	for (guint i = 0; i < paths->len; i++) {
		const char *path = paths->pdata[i];
		const char *tail = path + strlen(path) - MIN(strlen(path), strlen(name));

		if (strcmp(tail, name) == 0 && (tail == path || tail[-1] == '/'))
			return path;
	}
	return NULL;
}
