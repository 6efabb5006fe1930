#include "bundle/gguf.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "bundle/ggml_type.h"
#include "bundle/weights_error.h"

#define KEY_BYTES_MAX 65535 /* the format's own limit */
#define NAME_BYTES_MAX 255  /* ggml's own is 63 */
#define ALIGNMENT_DEFAULT 32
#define ALIGNMENT_MAX ((guint64)1 << 20)
#define TENSOR_BYTES_MIN 24 /* of an entry of the list: no name, no sizes */

struct WeftGguf {
	char *file;
	WeftMap *map;  /* NULL: the bytes are the caller's */
	WeftMap bytes; /* all of the file, borrowed */
	gsize header_bytes;
	GPtrArray *values;   /* WeftGgufValue */
	GHashTable *by_key;  /* key -> value, both borrowed */
	GPtrArray *tensors;  /* WeftTensorEntry */
	GHashTable *by_name; /* stored name -> entry, both borrowed */
};

/* ---- reading the header ---- */

/* A key or a tensor's name, copied. `in` is for messages. */
static gboolean read_name(WeftGgufHeader *header, const char *in, gsize limit_bytes,
			  char **ret_name, GError **error)
{
	guint64 size_bytes;
	const guint8 *text;

	if (!weft_bytes_le64(&header->bytes, &size_bytes))
		return weft_gguf_header_ends(header, in, error);
	if (size_bytes == 0 || size_bytes > limit_bytes)
		return weft_weights_error(error, header->file,
				     "%s: a name of %" G_GUINT64_FORMAT " bytes, limit %zu", in,
					  size_bytes, limit_bytes);
	if (!weft_bytes_take(&header->bytes, (gsize)size_bytes, &text))
		return weft_gguf_header_ends(header, in, error);
	gboolean is_plain = g_utf8_validate((const char *)text, (gssize)size_bytes, NULL);
	for (gsize i = 0; is_plain && i < size_bytes; i++)
		is_plain = text[i] >= 0x20 && text[i] != 0x7f;
	if (!is_plain)
		return weft_weights_error(error, header->file, "%s: its name is not plain UTF-8", in);
	*ret_name = g_strndup((const char *)text, (gsize)size_bytes);
	return TRUE;
}

static void value_free(gpointer value)
{
	g_free(((WeftGgufValue *)value)->key);
	g_free(value);
}

static gboolean read_values(WeftGguf *gguf, WeftGgufHeader *header, guint64 n_values,
			    GError **error)
{
	if (n_values > WEFT_GGUF_KEYS_MAX)
		return weft_weights_error(error, gguf->file, "%" G_GUINT64_FORMAT " keys, limit %d",
					  n_values, WEFT_GGUF_KEYS_MAX);
	for (guint64 i = 0; i < n_values; i++) {
		WeftGgufValue *value = g_new0(WeftGgufValue, 1);
		g_autofree char *in = g_strdup_printf("key %" G_GUINT64_FORMAT, i);
		g_ptr_array_add(gguf->values, value);
		if (!read_name(header, in, KEY_BYTES_MAX, &value->key, error) ||
		    !weft_gguf_value_read(header, value, error))
			return FALSE;
		if (!g_hash_table_insert(gguf->by_key, value->key, value))
			return weft_weights_error(error, gguf->file, "the key %s is there twice",
						  value->key);
	}
	return TRUE;
}

/* ---- reading the list of tensors ---- */

/* Sizes from the fastest on, turned round. */
static gboolean read_sizes(WeftGgufHeader *header, WeftTensorEntry *entry, GError **error)
{
	WeftTensorView *view = &entry->view;
	guint32 n_dims;
	guint64 size;

	if (!weft_bytes_le32(&header->bytes, &n_dims))
		return weft_gguf_header_ends(header, view->name, error);
	if (n_dims == 0 || n_dims > WEFT_BUNDLE_DIMS_MAX)
		return weft_weights_error(error, header->file,
				     "tensor %s: %u dimensions, 1 to %d are possible", view->name,
					  n_dims, WEFT_BUNDLE_DIMS_MAX);
	view->n_dims = n_dims;
	for (guint32 i = 0; i < n_dims; i++) {
		if (!weft_bytes_le64(&header->bytes, &size))
			return weft_gguf_header_ends(header, view->name, error);
		if (size == 0)
			return weft_weights_error(error, header->file,
					     "tensor %s: size %u of the shape is 0", view->name, i);
		view->shape[n_dims - 1 - i] = (gsize)size;
	}
	return TRUE;
}

static gboolean read_tensor(WeftGgufHeader *header, WeftTensorEntry *entry, guint64 alignment,
			    GError **error)
{
	guint32 type;
	guint64 end;

	if (!read_sizes(header, entry, error))
		return FALSE;
	if (!weft_bytes_le32(&header->bytes, &type) ||
	    !weft_bytes_le64(&header->bytes, &entry->begin))
		return weft_gguf_header_ends(header, entry->view.name, error);
	if (!weft_ggml_measure(header->file, entry, type, WEFT_GGUF_FILES_THAT_WORK, error))
		return FALSE;
	if (entry->begin % alignment != 0)
		return weft_weights_error(error, header->file,
					  "tensor %s: offset %" G_GUINT64_FORMAT
					  " is no multiple of the alignment %" G_GUINT64_FORMAT,
					  entry->view.name, entry->begin, alignment);
	if (__builtin_add_overflow(entry->begin, entry->view.size_bytes, &end))
		return weft_weights_error(error, header->file,
				     "tensor %s: %zu bytes from %" G_GUINT64_FORMAT " overflow",
					  entry->view.name, entry->view.size_bytes, entry->begin);
	entry->end = end;
	return TRUE;
}

static gboolean read_alignment(const WeftGguf *gguf, guint64 *ret_alignment, GError **error)
{
	const WeftGgufValue *value = weft_gguf_value(gguf, "general.alignment");
	guint64 alignment = ALIGNMENT_DEFAULT;
	if (value && (!weft_gguf_uint(value, &alignment) || alignment == 0 ||
		      alignment > ALIGNMENT_MAX || (alignment & (alignment - 1)) != 0))
		return weft_weights_error(
		    error, gguf->file,
		    "general.alignment must be a power of two up to %" G_GUINT64_FORMAT,
		    ALIGNMENT_MAX);
	*ret_alignment = alignment;
	return TRUE;
}

static gboolean read_tensors(WeftGguf *gguf, WeftGgufHeader *header, guint64 n_tensors,
			     guint64 alignment, GError **error)
{
	if (n_tensors > weft_bytes_left(&header->bytes) / TENSOR_BYTES_MIN)
		return weft_weights_error(error, gguf->file,
					  "%" G_GUINT64_FORMAT
					  " tensors in a header of at most %zu bytes",
					  n_tensors, weft_bytes_left(&header->bytes));
	for (guint64 i = 0; i < n_tensors; i++) {
		WeftTensorEntry *entry = g_new0(WeftTensorEntry, 1);
		g_autofree char *in = g_strdup_printf("tensor %" G_GUINT64_FORMAT, i);
		char *name = NULL;
		g_ptr_array_add(gguf->tensors, entry);
		if (!read_name(header, in, NAME_BYTES_MAX, &name, error))
			return FALSE;
		entry->view.name = name;
		entry->view.file = gguf->file;
		if (!read_tensor(header, entry, alignment, error))
			return FALSE;
		if (!g_hash_table_insert(gguf->by_name, name, entry))
			return weft_weights_error(error, gguf->file, "tensor %s is there twice", name);
	}
	return TRUE;
}

static gint compare_offsets(gconstpointer a, gconstpointer b)
{
	const WeftTensorEntry *x = *(WeftTensorEntry *const *)a, *y = *(WeftTensorEntry *const *)b;
	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return strcmp(x->view.name, y->view.name);
}

/* Puts them in the order of their data, inside the file and apart from each other. */
static gboolean place_tensors(WeftGguf *gguf, guint64 alignment, GError **error)
{
	guint64 data_begin = (gguf->header_bytes + alignment - 1) / alignment * alignment;
	guint64 file_bytes = gguf->bytes.size_bytes;
	guint64 data_bytes = file_bytes > data_begin ? file_bytes - data_begin : 0;
	const WeftTensorEntry *before = NULL;

	g_ptr_array_sort(gguf->tensors, compare_offsets);
	for (guint i = 0; i < gguf->tensors->len; i++) {
		WeftTensorEntry *entry = g_ptr_array_index(gguf->tensors, i);
		if (entry->end > data_bytes)
			return weft_weights_error(
			    error, gguf->file,
			    "tensor %s: bytes %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
			    " of %" G_GUINT64_FORMAT ": the file is cut or no such file",
			    entry->view.name, entry->begin, entry->end, data_bytes);
		if (before && entry->begin < before->end)
			return weft_weights_error(error, gguf->file,
						  "tensor %s begins at byte %" G_GUINT64_FORMAT
						  ", but %s ends at %" G_GUINT64_FORMAT,
						  entry->view.name, entry->begin, before->view.name,
						  before->end);
		entry->view.data = gguf->bytes.data + data_begin + entry->begin;
		before = entry;
	}
	return TRUE;
}

/* ---- the file ---- */

static gboolean read_version(WeftGgufHeader *header, guint64 *ret_n_tensors, guint64 *ret_n_values,
			     GError **error)
{
	const guint8 *magic;
	guint32 version;

	if (header->bytes.size_bytes >= strlen(WEFT_LFS_BEGIN) &&
	    memcmp(header->bytes.data, WEFT_LFS_BEGIN, strlen(WEFT_LFS_BEGIN)) == 0)
		return weft_weights_error(error, header->file, WEFT_LFS_MESSAGE);
	if (!weft_bytes_take(&header->bytes, 4, &magic) || memcmp(magic, "GGUF", 4) != 0)
		return weft_weights_error(error, header->file, "does not begin with GGUF");
	if (!weft_bytes_le32(&header->bytes, &version))
		return weft_gguf_header_ends(header, "version", error);
	if (version != 0 && (version & 0xffff) == 0)
		return weft_weights_error(error, header->file,
					  "a big-endian GGUF; only little-endian files are read");
	if (version != 2 && version != 3)
		return weft_weights_error(error, header->file,
					  "GGUF version %u; versions 2 and 3 are read", version);
	if (!weft_bytes_le64(&header->bytes, ret_n_tensors) ||
	    !weft_bytes_le64(&header->bytes, ret_n_values))
		return weft_gguf_header_ends(header, "counts", error);
	return TRUE;
}

static gboolean read_file(WeftGguf *gguf, GError **error)
{
	gsize limit_bytes = MIN(gguf->bytes.size_bytes, WEFT_GGUF_HEADER_MAX);
	WeftGgufHeader header = {gguf->file, weft_bytes(gguf->bytes.data, limit_bytes),
				 limit_bytes == gguf->bytes.size_bytes};
	guint64 n_tensors, n_values, alignment = ALIGNMENT_DEFAULT;

	if (!read_version(&header, &n_tensors, &n_values, error) ||
	    !read_values(gguf, &header, n_values, error) ||
	    !read_alignment(gguf, &alignment, error) ||
	    !read_tensors(gguf, &header, n_tensors, alignment, error))
		return FALSE;
	gguf->header_bytes = header.bytes.position;
	return place_tensors(gguf, alignment, error);
}

WeftGguf *weft_gguf_new(const char *file, const guint8 *data, gsize size_bytes, GError **error)
{
	g_autoptr(WeftGguf) gguf = g_new0(WeftGguf, 1);
	gguf->file = g_strdup(file);
	gguf->bytes.data = data;
	gguf->bytes.size_bytes = size_bytes;
	gguf->values = g_ptr_array_new_with_free_func(value_free);
	gguf->by_key = g_hash_table_new(g_str_hash, g_str_equal);
	gguf->tensors = g_ptr_array_new_with_free_func(weft_tensor_entry_free);
	gguf->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	return read_file(gguf, error) ? g_steal_pointer(&gguf) : NULL;
}

WeftGguf *weft_gguf_open(const char *path, GError **error)
{
	g_autoptr(WeftMap) map = weft_map_open(path, error);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *file = weft_path_display(name);
	WeftGguf *gguf;

	if (!map)
		return NULL;
	gguf = weft_gguf_new(file, map->data, map->size_bytes, error);
	if (gguf)
		gguf->map = g_steal_pointer(&map);
	return gguf;
}

void weft_gguf_close(WeftGguf *gguf)
{
	if (!gguf)
		return;
	g_hash_table_unref(gguf->by_name);
	g_ptr_array_unref(gguf->tensors);
	g_hash_table_unref(gguf->by_key);
	g_ptr_array_unref(gguf->values);
	weft_map_close(gguf->map);
	g_free(gguf->file);
	g_free(gguf);
}

const char *weft_gguf_file(const WeftGguf *gguf)
{
	return gguf->file;
}

const WeftMap *weft_gguf_map(const WeftGguf *gguf)
{
	return &gguf->bytes;
}

gsize weft_gguf_header_bytes(const WeftGguf *gguf)
{
	return gguf->header_bytes;
}

const GPtrArray *weft_gguf_tensors(const WeftGguf *gguf)
{
	return gguf->tensors;
}

const WeftTensorEntry *weft_gguf_tensor(const WeftGguf *gguf, const char *name)
{
	return g_hash_table_lookup(gguf->by_name, name);
}

/* ---- metadata ---- */

gsize weft_gguf_n_values(const WeftGguf *gguf)
{
	return gguf->values->len;
}

const WeftGgufValue *weft_gguf_value_at(const WeftGguf *gguf, gsize i)
{
	return i < gguf->values->len ? g_ptr_array_index(gguf->values, i) : NULL;
}

const WeftGgufValue *weft_gguf_value(const WeftGguf *gguf, const char *key)
{
	return g_hash_table_lookup(gguf->by_key, key);
}
