#include <limits.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "bundle/safetensors.h"
#include "bundle/weights_error.h"

typedef struct Type {
	const char *name;
	guint bits;
	int dtype; /* WeftDtype, or -1 when weft has no arithmetic for it */
} Type;

static const Type TYPES[] = {
	{"F32", 32, WEFT_DTYPE_F32}, {"BF16", 16, WEFT_DTYPE_BF16}, {"F16", 16, WEFT_DTYPE_F16},
	{"BOOL", 8, -1},    {"U8", 8, -1},      {"I8", 8, -1},      {"U16", 16, -1},
	{"I16", 16, -1},    {"U32", 32, -1},    {"I32", 32, -1},    {"U64", 64, -1},
	{"I64", 64, -1},    {"F64", 64, -1},    {"F8_E4M3", 8, WEFT_DTYPE_F8_E4M3},
	{"F8_E5M2", 8, -1}, {"F8_E8M0", 8, -1}, {"F4", 4, -1},
};

void weft_tensor_entry_free(gpointer entry)
{
	g_free((char *)((WeftTensorEntry *)entry)->view.name);
	g_free(((WeftTensorEntry *)entry)->name_known);
	g_free(entry);
}

static gboolean read_type(const char *file, const char *name, const WeftJson *value,
			  WeftTensorEntry *entry, guint *ret_bits, GError **error)
{
	const char *text = weft_json_string(value, NULL);
	for (gsize i = 0; text && i < G_N_ELEMENTS(TYPES); i++) {
		if (strcmp(text, TYPES[i].name) != 0)
			continue;
		if (TYPES[i].dtype >= 0)
			entry->view.dtype = (WeftDtype)TYPES[i].dtype;
		else
			entry->type_unread = TYPES[i].name;
		*ret_bits = TYPES[i].bits;
		return TRUE;
	}
	return weft_weights_error(error, file, "tensor %s: type \"%.64s\" is unknown", name,
				  text && g_str_is_ascii(text) ? text : "(not a name)");
}

/* Sizes, and the bytes that they need. */
static gboolean read_shape(const char *file, const char *name, const WeftJson *value, guint bits,
			   WeftTensorEntry *entry, gsize *ret_size_bytes, GError **error)
{
	gsize n_dims = weft_json_length(value);
	gsize n_bits = bits;
	guint64 size;

	if (weft_json_type(value) != WEFT_JSON_ARRAY)
		return weft_weights_error(error, file, "tensor %s: shape must be a list", name);
	if (n_dims > WEFT_BUNDLE_DIMS_MAX)
		return weft_weights_error(error, file, "tensor %s: %zu dimensions, limit %d", name,
					  n_dims, WEFT_BUNDLE_DIMS_MAX);
	for (gsize i = 0; i < n_dims; i++) {
		if (!weft_json_uint(weft_json_at(value, i), &size))
			return weft_weights_error(error, file,
					     "tensor %s: size %zu of the shape is no whole number",
						  name, i);
		if (!weft_size_multiply(n_bits, size, &n_bits))
			return weft_weights_error(error, file, "tensor %s: the shape overflows", name);
		entry->view.shape[i] = size;
	}
	if (n_bits % 8 != 0)
		return weft_weights_error(error, file, "tensor %s: %zu bits are no whole bytes", name,
					  n_bits);
	entry->view.n_dims = n_dims;
	*ret_size_bytes = n_bits / 8;
	return TRUE;
}

static gboolean read_tensor(const char *file, const char *name, const WeftJson *object,
			    gsize data_bytes, WeftTensorEntry *entry, GError **error)
{
	const WeftJson *offsets = weft_json_member(object, "data_offsets");
	gsize size_bytes = 0;
	guint bits = 0;

	if (weft_json_type(object) != WEFT_JSON_OBJECT || weft_json_length(object) != 3)
		return weft_weights_error(error, file,
				     "tensor %s: must be an object of dtype, shape, data_offsets",
					  name);
	if (!read_type(file, name, weft_json_member(object, "dtype"), entry, &bits, error) ||
	    !read_shape(file, name, weft_json_member(object, "shape"), bits, entry, &size_bytes,
			error))
		return FALSE;
	if (weft_json_type(offsets) != WEFT_JSON_ARRAY || weft_json_length(offsets) != 2 ||
	    !weft_json_uint(weft_json_at(offsets, 0), &entry->begin) ||
	    !weft_json_uint(weft_json_at(offsets, 1), &entry->end))
		return weft_weights_error(error, file,
				     "tensor %s: data_offsets must be two whole numbers", name);
	if (entry->begin > entry->end || entry->end > data_bytes)
		return weft_weights_error(error, file,
				     "tensor %s: bytes %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
					  " of %zu: the file is cut or no such file", name,
					  entry->begin, entry->end, data_bytes);
	if (entry->end - entry->begin != size_bytes)
		return weft_weights_error(error, file,
					  "tensor %s: %" G_GUINT64_FORMAT
					  " bytes, but its shape needs %zu", name,
					  entry->end - entry->begin, size_bytes);
	entry->view.size_bytes = size_bytes;
	return TRUE;
}

static gint compare_offsets(gconstpointer a, gconstpointer b)
{
	const WeftTensorEntry *x = *(WeftTensorEntry *const *)a, *y = *(WeftTensorEntry *const *)b;
	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return strcmp(x->view.name, y->view.name);
}

/* In order of their bytes each begins where the one before ends. */
static gboolean check_cover(const char *file, const GPtrArray *entries, gsize data_bytes,
			    GError **error)
{
	guint64 at = 0;
	for (guint i = 0; i < entries->len; i++) {
		const WeftTensorEntry *entry = g_ptr_array_index(entries, i);
		if (entry->begin != at)
			return weft_weights_error(error, file,
						  "tensor %s begins at byte %" G_GUINT64_FORMAT
					     ", %s: the data before it end at %" G_GUINT64_FORMAT,
						  entry->view.name, entry->begin,
						  entry->begin < at ? "an overlap" : "a gap", at);
		at = entry->end;
	}
	if (at != data_bytes)
		return weft_weights_error(error, file,
					  "the tensors end at byte %" G_GUINT64_FORMAT
					  " of %zu bytes of data", at, data_bytes);
	return TRUE;
}

static gboolean read_metadata(const char *file, const WeftJson *value, GError **error)
{
	if (weft_json_type(value) != WEFT_JSON_OBJECT)
		return weft_weights_error(error, file, "__metadata__ must be an object");
	for (gsize i = 0; i < weft_json_length(value); i++) {
		if (weft_json_type(weft_json_at(value, i)) != WEFT_JSON_STRING)
			return weft_weights_error(error, file, "__metadata__ must hold strings only");
	}
	return TRUE;
}

/* One member of the header: *ret_done when there are no more. */
static gboolean read_member(const char *file, WeftJsonReader *reader, gsize data_bytes,
			    GPtrArray *entries, gboolean *ret_done, GError **error)
{
	g_autoptr(WeftJson) value = NULL;
	WeftJsonType event;
	gsize size_bytes;

	if (!weft_json_reader_next(reader, &event, error))
		return FALSE;
	*ret_done = event == WEFT_JSON_OBJECT_END;
	if (*ret_done)
		return TRUE;
	const char *key = weft_json_reader_text(reader, &size_bytes);
	for (gsize i = 0; i < size_bytes; i++) {
		if (g_ascii_iscntrl(key[i]))
			return weft_weights_error(error, file, "a tensor's name holds U+%04X", key[i]);
	}
	if (size_bytes > WEFT_SAFETENSORS_NAME_MAX)
		return weft_weights_error(error, file, "a tensor's name of %zu bytes, limit %d",
					  size_bytes, WEFT_SAFETENSORS_NAME_MAX);
	g_autofree char *name = g_strndup(key, size_bytes);
	value = weft_json_reader_tree(reader, error);
	if (!value)
		return FALSE;
	if (strcmp(name, "__metadata__") == 0)
		return read_metadata(file, value, error);
	WeftTensorEntry *entry = g_new0(WeftTensorEntry, 1);
	g_ptr_array_add(entries, entry);
	entry->view.name = g_steal_pointer(&name);
	entry->view.file = file;
	return read_tensor(file, entry->view.name, value, data_bytes, entry, error);
}

static gboolean read_header(const char *file, const char *json, gsize json_bytes,
			    gsize data_bytes, GPtrArray *entries, GError **error)
{
	g_autoptr(WeftJsonReader) reader = weft_json_reader_new(json, json_bytes, WEFT_JSON_STRICT);
	gboolean done = FALSE;
	WeftJsonType event;

	if (json_bytes == 0 || json[0] != '{')
		return weft_weights_error(error, file, "the header does not begin with {");
	if (!weft_json_reader_next(reader, &event, error))
		return FALSE;
	while (!done) {
		if (!read_member(file, reader, data_bytes, entries, &done, error))
			return FALSE;
	}
	return weft_json_reader_next(reader, &event, error); /* END, or what should not be there */
}

GPtrArray *weft_safetensors_read(const char *file, const guint8 *data, gsize size_bytes,
				 gsize *ret_header_bytes, GError **error)
{
	g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(weft_tensor_entry_free);
	g_autoptr(GError) fault = NULL;
	WeftBytes bytes = weft_bytes(data, size_bytes);
	guint64 header_bytes = 0;

	if (!weft_bytes_le64(&bytes, &header_bytes)) {
		weft_weights_error(error, file, "%zu bytes, too short for a header", size_bytes);
		return NULL;
	}
	if (size_bytes >= strlen(WEFT_LFS_BEGIN) &&
	    memcmp(data, WEFT_LFS_BEGIN, strlen(WEFT_LFS_BEGIN)) == 0) {
		weft_weights_error(error, file, WEFT_LFS_MESSAGE);
		return NULL;
	}
	if (header_bytes > WEFT_SAFETENSORS_HEADER_MAX || header_bytes > size_bytes - 8) {
		weft_weights_error(error, file,
			      "a header of %" G_GUINT64_FORMAT " bytes in a file of %zu, limit %d",
				   header_bytes, size_bytes, WEFT_SAFETENSORS_HEADER_MAX);
		return NULL;
	}
	gsize data_bytes = size_bytes - 8 - header_bytes;
	if (!read_header(file, (const char *)data + 8, header_bytes, data_bytes, entries, &fault)) {
		if (g_error_matches(fault, WEFT_ERROR, WEFT_ERROR_WEIGHTS))
			g_propagate_error(error, g_steal_pointer(&fault));
		else
			weft_weights_error(error, file, "header: %s", fault->message);
		return NULL;
	}
	g_ptr_array_sort(entries, compare_offsets);
	if (!check_cover(file, entries, data_bytes, error))
		return NULL;
	for (guint i = 0; i < entries->len; i++) {
		WeftTensorEntry *entry = g_ptr_array_index(entries, i);
		entry->view.data = data + 8 + header_bytes + entry->begin;
	}
	*ret_header_bytes = header_bytes + 8;
	return g_steal_pointer(&entries);
}

GHashTable *weft_safetensors_index(const char *file, const char *json, gsize size_bytes,
				   GError **error)
{
	g_autoptr(GHashTable) map = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GError) fault = NULL;
	g_autoptr(WeftJson) tree = weft_json_parse(json, size_bytes, WEFT_JSON_STRICT, &fault);
	const WeftJson *members = weft_json_member(tree, "weight_map");

	if (!tree) {
		weft_weights_error(error, file, "%s", fault->message);
		return NULL;
	}
	if (weft_json_type(members) != WEFT_JSON_OBJECT) {
		weft_weights_error(error, file, "weight_map is missing or no object");
		return NULL;
	}
	for (gsize i = 0; i < weft_json_length(members); i++) {
		gsize name_bytes;
		const char *name = weft_json_key_at(members, i, &name_bytes);
		const char *shard = weft_json_string(weft_json_at(members, i), NULL);
		if (name_bytes > WEFT_SAFETENSORS_NAME_MAX || strlen(name) != name_bytes) {
			weft_weights_error(error, file,
				      "weight_map: a name of %zu bytes, limit %d, or with U+0000",
					   name_bytes, WEFT_SAFETENSORS_NAME_MAX);
			return NULL;
		}
		if (!shard || !*shard || *shard == '.' || strchr(shard, '/') ||
		    strlen(shard) > NAME_MAX) {
			weft_weights_error(error, file, "weight_map.%s: \"%.*s\" is no plain file name",
					   name, NAME_MAX, shard ? shard : "");
			return NULL;
		}
		g_hash_table_insert(map, g_strdup(name), g_strdup(shard));
	}
	return g_steal_pointer(&map);
}
