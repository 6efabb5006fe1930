/* Headers that lie, one lie at a time; a file cut at every byte. */
#include <string.h>

#include <glib.h>

#include "base/error.h"
#include "bundle/safetensors.h"

/* A file with this header and `data_bytes` zeros behind it; `stated`: the length it claims, or -1
 * for the true one. */
static GByteArray *file_new(const char *header, gsize data_bytes, gint64 stated)
{
	GByteArray *file = g_byte_array_new();
	guint64 n = GUINT64_TO_LE(stated < 0 ? strlen(header) : (guint64)stated);
	g_autofree guint8 *data = g_malloc0(data_bytes + 1);
	g_byte_array_append(file, (const guint8 *)&n, 8);
	g_byte_array_append(file, (const guint8 *)header, (guint)strlen(header));
	g_byte_array_append(file, data, (guint)data_bytes);
	return file;
}

static GPtrArray *read_file(const GByteArray *file, GError **error)
{
	gsize header_bytes;
	return weft_safetensors_read("model.safetensors", file->data, file->len, &header_bytes,
				     error);
}

#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}"
#define B "\"b\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[16,22]}"

static void test_good(void)
{
	g_autoptr(GByteArray) file = file_new("{\"__metadata__\":{\"format\":\"pt\"}," B "," A
					      ",\"c\":{\"dtype\":\"I64\",\"shape\":[],"
					      "\"data_offsets\":[22,30]}}  ", 30, -1);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) entries = read_file(file, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(entries->len, ==, 3);
	const WeftTensorEntry *a = g_ptr_array_index(entries, 0);
	const WeftTensorEntry *b = g_ptr_array_index(entries, 1);
	const WeftTensorEntry *c = g_ptr_array_index(entries, 2);
	g_assert_cmpstr(a->view.name, ==, "a");
	g_assert_cmpuint(a->view.n_dims, ==, 2);
	g_assert_true((const guint8 *)a->view.data == file->data + file->len - 30);
	g_assert_cmpint(b->view.dtype, ==, WEFT_DTYPE_BF16);
	g_assert_true((const guint8 *)b->view.data == file->data + file->len - 14);
	g_assert_cmpstr(c->type_unread, ==, "I64");
	g_assert_null(a->type_unread);
}

static void test_lies(void)
{
	static const struct {
		const char *header;
		gsize data_bytes;
		const char *words;
	} cases[] = {
	    {"{" A "," B "}", 23, "end at byte 22 of 23"},
	    {"{" A "," B "}", 21, "tensor b: bytes 16 to 22 of 21"},
	    {"{" A ",\"b\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[18,24]}}", 24,
	     "a gap"},
	    {"{" A ",\"b\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[14,20]}}", 20,
	     "an overlap"},
	    {"{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}", 16,
	     "an overlap"},
	    {"{" A "," A "}", 16, "already"},
	    {"{" A ",\"__metadata__\":{\"n\":1}}", 16, "__metadata__"},
	    {"{" A ",\"__metadata__\":[]}", 16, "__metadata__"},
	    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[16,0]}}", 16,
	     "bytes 16 to 0"},
	    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,15]}}", 15, "needs 16"},
	    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0]}}", 16,
	     "data_offsets"},
	    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[-16,0]}}", 16,
	     "data_offsets"},
	    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16.0]}}", 16,
	     "data_offsets"},
	    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4],\"data_offsets\":[0,0]}"
	     "}",
	     0, "overflows"},
	    {"{\"a\":{\"dtype\":\"F64\",\"shape\":[288230376151711744],\"data_offsets\":[0,0]}}", 0,
	     "overflows"},
	    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,0]}}",
	     0, "size 0"},
	    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-4],\"data_offsets\":[0,16]}}", 16, "size 0"},
	    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,2,2],\"data_offsets\":[0,16]}}", 16,
	     "5 dimensions, limit 4"},
	    {"{\"a\":{\"dtype\":\"F32\",\"shape\":4,\"data_offsets\":[0,16]}}", 16,
	     "shape must be"},
	    {"{\"a\":{\"dtype\":\"F31\",\"shape\":[4],\"data_offsets\":[0,16]}}", 16, "\"F31\""},
	    {"{\"a\":{\"dtype\":4,\"shape\":[4],\"data_offsets\":[0,16]}}", 16, "type"},
	    {"{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}", 1, "12 bits"},
	    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16],\"x\":1}}", 16,
	     "tensor a"},
	    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,16],\"x\":1}}", 16, "tensor a"},
	    {"{\"a\":[]}", 0, "tensor a"},
	    {"{\"a\\u0000b\":{}}", 0, "U+0000"},
	    {"{} x", 0, "header"},
	    {" {}", 0, "does not begin with {"},
	    {"[]", 0, "does not begin with {"},
	    {"{\"a\":", 0, "header"},
	    {"{}", 4, "end at byte 0 of 4"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GByteArray) file = file_new(cases[i].header, cases[i].data_bytes, -1);
		g_autoptr(GError) error = NULL;
		g_autoptr(GPtrArray) entries = read_file(file, &error);
		if (entries || !strstr(error->message, cases[i].words))
			g_test_message("%s: %s", cases[i].header, error ? error->message : "read");
		g_assert_null(entries);
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
		g_assert_true(g_str_has_prefix(error->message, "model.safetensors: "));
		g_assert_nonnull(strstr(error->message, cases[i].words));
	}
}

static void test_lengths(void)
{
	static const gint64 stated[] = {3, 17, 100000001, G_MAXINT64};
	for (gsize i = 0; i < G_N_ELEMENTS(stated); i++) {
		g_autoptr(GByteArray) file = file_new("{}", 0, stated[i]);
		g_autoptr(GError) error = NULL;
		g_autoptr(GPtrArray) entries = read_file(file, &error);
		g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, stated[i]);
		g_assert_null(entries);
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
		g_assert_nonnull(strstr(error->message, number));
	}
}

/* In a block of exactly that size, so that the address sanitizer sees a read behind the end. */
static void test_truncated(void)
{
	g_autoptr(GByteArray) file = file_new("{" A "," B "}", 22, -1);
	for (guint n = 0; n < file->len; n++) {
		g_autofree guint8 *cut = g_memdup2(file->data, n);
		g_autoptr(GError) error = NULL;
		gsize header_bytes;
		g_autoptr(GPtrArray) entries =
			weft_safetensors_read("model.safetensors", cut, n, &header_bytes, &error);
		g_assert_null(entries);
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
	}
}

static void test_index(void)
{
	static const char *const wrong[] = {"",
					    "[]",
					    "{}",
					    "{\"weight_map\":[]}",
					    "{\"weight_map\":{\"a\":1}}",
					    "{\"weight_map\":{\"a\":\"\"}}",
					    "{\"weight_map\":{\"a\":\"b/c\"}}",
					    "{\"weight_map\":{\"a\":\"..\"}}",
					    "{\"weight_map\":{\"a\":\".hidden\"}}",
					    "{\"weight_map\":{\"a\":\"f\",\"a\":\"g\"}}",
					    "{\"weight_map\":{\"a\":\"f\\u0000\"}}"};
	static const char right[] = "{\"metadata\":{},\"weight_map\":{\"a\":\"f.safetensors\"}}";
	g_autoptr(GHashTable) map =
		weft_safetensors_index("i.json", right, strlen(right), NULL);

	g_assert_nonnull(map);
	g_assert_cmpstr(g_hash_table_lookup(map, "a"), ==, "f.safetensors");
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(weft_safetensors_index("i.json", wrong[i], strlen(wrong[i]), &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/safetensors/good", test_good);
	g_test_add_func("/safetensors/lies", test_lies);
	g_test_add_func("/safetensors/lengths", test_lengths);
	g_test_add_func("/safetensors/truncated", test_truncated);
	g_test_add_func("/safetensors/index", test_index);
	return g_test_run();
}
