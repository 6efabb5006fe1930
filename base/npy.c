#include "base/npy.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/files.h"

/* numpy pads so that the data begin at a multiple of this. */
#define ALIGN_BYTES 64

static const struct {
	const char *descr;
	gsize item_bytes;
} TYPES[] = {
	[WEFT_NPY_F32] = { "<f4", 4 },
	[WEFT_NPY_I32] = { "<i4", 4 },
	[WEFT_NPY_I64] = { "<i8", 8 },
};

void weft_npy_free(WeftNpy *array)
{
	if (!array)
		return;
	g_free(array->data);
	g_free(array);
}

static gboolean fail(GError **error, int code, const char *what)
{
	g_set_error(error, WEFT_ERROR, code, "npy: %s", what);
	return FALSE;
}

/* Behind "'name':" and spaces, or NULL. */
static const char *find_field(const char *header, const char *name)
{
	g_autofree char *quoted = g_strdup_printf("'%s':", name);
	const char *field = strstr(header, quoted);
	if (!field)
		return NULL;
	field += strlen(quoted);
	while (*field == ' ')
		field++;
	return field;
}

static gboolean parse_shape(const char *text, WeftNpy *array, GError **error)
{
	gsize n_items = 1;

	if (*text++ != '(')
		return fail(error, WEFT_ERROR_CORRUPT, "shape is no tuple");
	while (*text == ' ')
		text++;
	while (*text != ')') {
		guint64 size;
		char *end;
		if (!g_ascii_isdigit(*text))
			return fail(error, WEFT_ERROR_CORRUPT, "shape holds something else than sizes");
		if (array->n_dims == WEFT_NPY_DIMS_MAX)
			return fail(error, WEFT_ERROR_UNSUPPORTED, "more than 8 dimensions");
		size = g_ascii_strtoull(text, &end, 10); /* G_MAXUINT64 when too large */
		if (size == G_MAXUINT64 || !weft_size_multiply(n_items, size, &n_items))
			return fail(error, WEFT_ERROR_LIMIT, "shape overflows");
		array->shape[array->n_dims++] = size;
		for (text = end; *text == ' ' || *text == ','; text++)
			;
	}
	array->n_items = n_items;
	return TRUE;
}

static gboolean parse_header(const char *header, WeftNpy *array, GError **error)
{
	const char *descr = find_field(header, "descr");
	const char *order = find_field(header, "fortran_order");
	const char *shape = find_field(header, "shape");

	if (!descr || !order || !shape)
		return fail(error, WEFT_ERROR_CORRUPT, "header without descr, fortran_order or shape");
	for (gsize i = 0;; i++) {
		if (i == G_N_ELEMENTS(TYPES))
			return fail(error, WEFT_ERROR_UNSUPPORTED,
				    "only little-endian float32, int32 and int64 are read");
		if (descr[0] == '\'' && strncmp(descr + 1, TYPES[i].descr, 3) == 0 &&
		    descr[4] == '\'') {
			array->type = i;
			break;
		}
	}
	if (!g_str_has_prefix(order, "False"))
		return fail(error, WEFT_ERROR_UNSUPPORTED, "only C order is read");
	return parse_shape(shape, array, error);
}

WeftNpy *weft_npy_parse(gconstpointer data, gsize size_bytes, GError **error)
{
	WeftBytes bytes = weft_bytes(data, size_bytes);
	g_autoptr(WeftNpy) array = g_new0(WeftNpy, 1);
	const guint8 *magic, *header_bytes, *items;
	guint16 header_size;
	gsize data_bytes;

	if (!weft_bytes_take(&bytes, 8, &magic) || memcmp(magic, "\x93NUMPY", 6) != 0) {
		(void)fail(error, WEFT_ERROR_CORRUPT, "no \\x93NUMPY at the beginning");
		return NULL;
	}
	if (magic[6] != 1 || magic[7] != 0) {
		(void)fail(error, WEFT_ERROR_UNSUPPORTED, "only version 1.0 is read");
		return NULL;
	}
	if (!weft_bytes_le16(&bytes, &header_size) ||
	    !weft_bytes_take(&bytes, header_size, &header_bytes)) {
		(void)fail(error, WEFT_ERROR_TRUNCATED, "ends inside the header");
		return NULL;
	}
	g_autofree char *header = g_strndup((const char *)header_bytes, header_size);
	if (!parse_header(header, array, error))
		return NULL;
	if (!weft_size_multiply(array->n_items, TYPES[array->type].item_bytes, &data_bytes)) {
		(void)fail(error, WEFT_ERROR_LIMIT, "shape overflows");
		return NULL;
	}
	if (!weft_bytes_take(&bytes, data_bytes, &items)) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_TRUNCATED,
			    "npy: shape needs %" G_GSIZE_FORMAT " bytes, %" G_GSIZE_FORMAT
			    " are there",
			    data_bytes, weft_bytes_left(&bytes));
		return NULL;
	}
	array->data = weft_alloc_array(data_bytes, 1, 0, "npy", error);
	if (!array->data)
		return NULL;
	memcpy(array->data, items, data_bytes);
	return g_steal_pointer(&array);
}

WeftNpy *weft_npy_read(const char *path, GError **error)
{
	g_autoptr(WeftMap) map = weft_map_open(path, error);
	if (!map)
		return NULL;
	WeftNpy *array = weft_npy_parse(map->data, map->size_bytes, error);
	if (!array) {
		g_autofree char *name = weft_path_display(path);
		g_prefix_error(error, "%s: ", name);
	}
	return array;
}

/* numpy.save's header: shape in brackets, one comma behind a single size, spaces up to a multiple
 * of 64, newline. */
static GByteArray *build_header(WeftNpyType type, const gsize *shape, gsize n_dims)
{
	g_autoptr(GString) header = g_string_new(NULL);
	g_string_append_printf(header, "{'descr': '%s', 'fortran_order': False, 'shape': (",
			       TYPES[type].descr);
	for (gsize i = 0; i < n_dims; i++)
		g_string_append_printf(header, "%s%" G_GSIZE_FORMAT, i ? ", " : "", shape[i]);
	g_string_append(header, n_dims == 1 ? ",), }" : "), }");
	while ((10 + header->len + 1) % ALIGN_BYTES)
		g_string_append_c(header, ' ');
	g_string_append_c(header, '\n');

	GByteArray *bytes = g_byte_array_new();
	guint16 size = GUINT16_TO_LE(header->len);
	g_byte_array_append(bytes, (const guint8 *)"\x93NUMPY\x01\x00", 8);
	g_byte_array_append(bytes, (const guint8 *)&size, sizeof(size));
	g_byte_array_append(bytes, (const guint8 *)header->str, header->len);
	return bytes;
}

static gboolean write_array(const char *path, WeftNpyType type, gconstpointer data,
			    const gsize *shape, gsize n_dims, GError **error)
{
	gsize size = TYPES[type].item_bytes, total;
	g_assert(n_dims <= WEFT_NPY_DIMS_MAX);
	for (gsize i = 0; i < n_dims; i++)
		if (!weft_size_multiply(size, shape[i], &size))
			return fail(error, WEFT_ERROR_LIMIT, "shape overflows");
	g_autoptr(GByteArray) header = build_header(type, shape, n_dims);
	if (!weft_size_add(header->len, size, &total))
		return fail(error, WEFT_ERROR_LIMIT, "shape overflows");
	g_autofree guint8 *whole = weft_alloc_array(total, 1, 0, "npy", error);
	if (!whole)
		return FALSE;
	memcpy(whole, header->data, header->len);
	memcpy(whole + header->len, data, size);
	return weft_file_write(path, whole, total, error);
}

gboolean weft_npy_write_f32(const char *path, const float *data, const gsize *shape, gsize n_dims,
			    GError **error)
{
	return write_array(path, WEFT_NPY_F32, data, shape, n_dims, error);
}

gboolean weft_npy_write_i32(const char *path, const gint32 *data, const gsize *shape, gsize n_dims,
			    GError **error)
{
	return write_array(path, WEFT_NPY_I32, data, shape, n_dims, error);
}
