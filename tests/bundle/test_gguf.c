/* GGUF containers written by hand: what a good one says, headers that lie one lie at a time, a file
 * cut at every byte. */
#include <string.h>

#include <glib.h>

#include "base/error.h"
#include "bundle/gguf.h"

/* ---- writing ---- */

static void add_u32(GByteArray *to, guint32 value)
{
	value = GUINT32_TO_LE(value);
	g_byte_array_append(to, (const guint8 *)&value, 4);
}

static void add_u64(GByteArray *to, guint64 value)
{
	value = GUINT64_TO_LE(value);
	g_byte_array_append(to, (const guint8 *)&value, 8);
}

static void add_text(GByteArray *to, const char *text)
{
	add_u64(to, strlen(text));
	g_byte_array_append(to, (const guint8 *)text, (guint)strlen(text));
}

static void begin(GByteArray *to, guint32 version, guint64 n_tensors, guint64 n_values)
{
	g_byte_array_append(to, (const guint8 *)"GGUF", 4);
	add_u32(to, version);
	add_u64(to, n_tensors);
	add_u64(to, n_values);
}

static void add_key(GByteArray *to, const char *key, guint32 type)
{
	add_text(to, key);
	add_u32(to, type);
}

static void add_tensor(GByteArray *to, const char *name, guint64 ne0, guint64 ne1, guint32 type,
		       guint64 offset)
{
	add_text(to, name);
	add_u32(to, 2);
	add_u64(to, ne0);
	add_u64(to, ne1);
	add_u32(to, type);
	add_u64(to, offset);
}

static void add_data(GByteArray *to, gsize size_bytes)
{
	static const guint8 zero[1] = {0};
	while (to->len % 32 != 0)
		g_byte_array_append(to, zero, 1);
	for (gsize i = 0; i < size_bytes; i++)
		g_byte_array_append(to, zero, 1);
}

/* Exactly the bytes, so that the sanitizer sees the end. */
static WeftGguf *read_bytes(const GByteArray *bytes, gsize size_bytes, guint8 **ret_copy,
			    GError **error)
{
	*ret_copy = g_memdup2(bytes->data, size_bytes);
	return weft_gguf_new("m.gguf", *ret_copy, size_bytes, error);
}

/* One value of each type, two tensors; *ret_header_bytes without the padding. */
static GByteArray *good_file(guint32 version, gsize *ret_header_bytes)
{
	GByteArray *to = g_byte_array_new();
	begin(to, version, 2, 6);
	add_key(to, "a.text", WEFT_GGUF_STRING);
	add_text(to, "llama4");
	add_key(to, "a.f32", WEFT_GGUF_F32);
	add_u32(to, 0x3fc00000); /* 1.5 */
	add_key(to, "a.i32", WEFT_GGUF_I32);
	add_u32(to, (guint32)-7);
	add_key(to, "a.u64", WEFT_GGUF_U64);
	add_u64(to, 1ull << 40);
	add_key(to, "a.words", WEFT_GGUF_ARRAY);
	add_u32(to, WEFT_GGUF_STRING);
	add_u64(to, 3);
	add_text(to, "one");
	add_text(to, "");
	add_text(to, "three");
	add_key(to, "a.nested", WEFT_GGUF_ARRAY);
	add_u32(to, WEFT_GGUF_ARRAY);
	add_u64(to, 1);
	add_u32(to, WEFT_GGUF_I32);
	add_u64(to, 2);
	add_u64(to, 0);
	add_tensor(to, "late", 3, 2, 0, 320);      /* F32 [2, 3] */
	add_tensor(to, "early", 256, 2, 12, 0);    /* Q4_K [2, 256] */
	*ret_header_bytes = to->len;
	add_data(to, 320 + 24);
	return to;
}

static void test_good(void)
{
	for (guint32 version = 2; version <= 3; version++) {
		g_autoptr(GError) error = NULL;
		g_autofree guint8 *copy = NULL;
		gsize header_bytes, size_bytes;
		g_autoptr(GByteArray) bytes = good_file(version, &header_bytes);
		g_autoptr(WeftGguf) gguf = read_bytes(bytes, bytes->len, &copy, &error);
		const char *text;
		double number;
		guint64 whole;

		g_assert_no_error(error);
		g_assert_cmpuint(weft_gguf_header_bytes(gguf), ==, header_bytes);
		g_assert_true(weft_gguf_is(weft_gguf_value(gguf, "a.text"), "llama4"));
		g_assert_false(weft_gguf_is(weft_gguf_value(gguf, "a.text"), "llama"));
		g_assert_true(weft_gguf_double(weft_gguf_value(gguf, "a.f32"), &number));
		g_assert_cmpfloat(number, ==, 1.5);
		g_assert_true(weft_gguf_double(weft_gguf_value(gguf, "a.i32"), &number));
		g_assert_cmpfloat(number, ==, -7);
		g_assert_false(weft_gguf_uint(weft_gguf_value(gguf, "a.i32"), &whole));
		g_assert_true(weft_gguf_uint(weft_gguf_value(gguf, "a.u64"), &whole));
		g_assert_cmpuint(whole, ==, 1ull << 40);
		g_assert_false(weft_gguf_uint(weft_gguf_value(gguf, "a.none"), &whole));
		WeftGgufStrings words = weft_gguf_strings(weft_gguf_value(gguf, "a.words"));
		g_assert_true(weft_gguf_strings_next(&words, &text, &size_bytes));
		g_assert_cmpmem(text, size_bytes, "one", 3);
		g_assert_true(weft_gguf_strings_next(&words, &text, &size_bytes));
		g_assert_cmpuint(size_bytes, ==, 0);
		g_assert_true(weft_gguf_strings_next(&words, &text, &size_bytes));
		g_assert_cmpmem(text, size_bytes, "three", 5);
		g_assert_false(weft_gguf_strings_next(&words, &text, &size_bytes));
		const WeftTensorEntry *late = weft_gguf_tensor(gguf, "late");
		const WeftTensorEntry *early = g_ptr_array_index(weft_gguf_tensors(gguf), 0);
		g_assert_cmpstr(early->view.name, ==, "early");
		g_assert_cmpint(early->view.dtype, ==, WEFT_DTYPE_Q4_K);
		g_assert_cmpuint(early->view.size_bytes, ==, 288);
		g_assert_cmpuint(late->view.n_dims, ==, 2);
		g_assert_cmpuint(late->view.shape[0], ==, 2);
		g_assert_cmpuint(late->view.shape[1], ==, 3);
		g_assert_true((const guint8 *)late->view.data == copy + bytes->len - 24);
	}
}

static void test_cut(void)
{
	gsize header_bytes;
	g_autoptr(GByteArray) bytes = good_file(3, &header_bytes);
	for (gsize size_bytes = 0; size_bytes < bytes->len; size_bytes++) {
		g_autoptr(GError) error = NULL;
		g_autofree guint8 *copy = NULL;
		g_autoptr(WeftGguf) gguf = read_bytes(bytes, size_bytes, &copy, &error);
		g_assert_null(gguf);
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
		g_assert_true(g_str_has_prefix(error->message, "m.gguf: "));
	}
}

/* ---- lies ---- */

static void lie_magic(GByteArray *to)
{
	begin(to, 3, 0, 0);
	to->data[3] = 'X';
}

static void lie_pointer(GByteArray *to)
{
	static const char text[] = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n";
	g_byte_array_append(to, (const guint8 *)text, sizeof text - 1);
}

static void lie_version_1(GByteArray *to)
{
	begin(to, 1, 0, 0);
}

static void lie_version_4(GByteArray *to)
{
	begin(to, 4, 0, 0);
}

static void lie_endian(GByteArray *to)
{
	begin(to, 3u << 24, 0, 0);
}

static void lie_n_values(GByteArray *to)
{
	begin(to, 3, 0, G_MAXUINT64);
}

static void lie_n_tensors(GByteArray *to)
{
	begin(to, 3, G_MAXUINT64, 0);
	add_data(to, 100);
}

static void lie_key_length(GByteArray *to)
{
	begin(to, 3, 0, 1);
	add_u64(to, G_MAXUINT64 - 3);
	add_data(to, 100);
}

static void lie_key_long(GByteArray *to)
{
	begin(to, 3, 0, 1);
	add_u64(to, 60000);
	add_data(to, 100);
}

static void lie_key_control(GByteArray *to)
{
	begin(to, 3, 0, 1);
	add_key(to, "a\033[2J", WEFT_GGUF_U32);
	add_u32(to, 1);
}

static void lie_value_type(GByteArray *to)
{
	begin(to, 3, 0, 1);
	add_key(to, "a", 13);
	add_data(to, 100);
}

static void lie_text_length(GByteArray *to)
{
	begin(to, 3, 0, 1);
	add_key(to, "a", WEFT_GGUF_STRING);
	add_u64(to, G_MAXUINT64);
	add_data(to, 100);
}

static void lie_array_length(GByteArray *to)
{
	begin(to, 3, 0, 1);
	add_key(to, "a", WEFT_GGUF_ARRAY);
	add_u32(to, WEFT_GGUF_U64);
	add_u64(to, (G_MAXUINT64 >> 3) + 2); /* x 8 is 8 */
	add_data(to, 100);
}

static void lie_array_strings(GByteArray *to)
{
	begin(to, 3, 0, 1);
	add_key(to, "a", WEFT_GGUF_ARRAY);
	add_u32(to, WEFT_GGUF_STRING);
	add_u64(to, G_MAXUINT64);
	add_data(to, 100);
}

static void lie_array_type(GByteArray *to)
{
	begin(to, 3, 0, 1);
	add_key(to, "a", WEFT_GGUF_ARRAY);
	add_u32(to, 99);
	add_u64(to, 1);
	add_data(to, 100);
}

static void lie_array_depth(GByteArray *to)
{
	begin(to, 3, 0, 1);
	add_key(to, "a", WEFT_GGUF_ARRAY);
	for (int i = 0; i < 100000; i++) {
		add_u32(to, WEFT_GGUF_ARRAY);
		add_u64(to, 1);
	}
}

static void lie_key_twice(GByteArray *to)
{
	begin(to, 3, 0, 2);
	add_key(to, "a", WEFT_GGUF_U32);
	add_u32(to, 1);
	add_key(to, "a", WEFT_GGUF_U32);
	add_u32(to, 2);
}

static void lie_alignment_zero(GByteArray *to)
{
	begin(to, 3, 0, 1);
	add_key(to, "general.alignment", WEFT_GGUF_U32);
	add_u32(to, 0);
}

static void lie_alignment_odd(GByteArray *to)
{
	begin(to, 3, 0, 1);
	add_key(to, "general.alignment", WEFT_GGUF_U32);
	add_u32(to, 48);
}

static void lie_alignment_text(GByteArray *to)
{
	begin(to, 3, 0, 1);
	add_key(to, "general.alignment", WEFT_GGUF_STRING);
	add_text(to, "32");
}

static void lie_tensor_name(GByteArray *to)
{
	begin(to, 3, 1, 0);
	add_u64(to, 300);
	add_data(to, 400);
}

static void lie_tensor_twice(GByteArray *to)
{
	begin(to, 3, 2, 0);
	add_tensor(to, "a", 4, 2, 0, 0);
	add_tensor(to, "a", 4, 2, 0, 32);
	add_data(to, 64);
}

static void lie_dims_none(GByteArray *to)
{
	begin(to, 3, 1, 0);
	add_text(to, "a");
	add_u32(to, 0);
	add_data(to, 64);
}

static void lie_dims_many(GByteArray *to)
{
	begin(to, 3, 1, 0);
	add_text(to, "a");
	add_u32(to, 5);
	add_data(to, 64);
}

static void lie_size_zero(GByteArray *to)
{
	begin(to, 3, 1, 0);
	add_tensor(to, "a", 4, 0, 0, 0);
	add_data(to, 64);
}

static void lie_size_overflow(GByteArray *to)
{
	begin(to, 3, 1, 0);
	add_tensor(to, "a", 1ull << 32, 1ull << 32, 0, 0);
	add_data(to, 64);
}

static void lie_type(GByteArray *to)
{
	begin(to, 3, 1, 0);
	add_tensor(to, "a", 4, 2, 77, 0);
	add_data(to, 64);
}

static void lie_type_hole(GByteArray *to)
{
	begin(to, 3, 1, 0);
	add_tensor(to, "a", 4, 2, 4, 0);
	add_data(to, 64);
}

static void lie_blocks(GByteArray *to)
{
	begin(to, 3, 1, 0);
	add_tensor(to, "a", 128, 2, 12, 0);
	add_data(to, 144);
}

static void lie_offset(GByteArray *to)
{
	begin(to, 3, 1, 0);
	add_tensor(to, "a", 4, 2, 0, 16);
	add_data(to, 64);
}

static void lie_offset_overflow(GByteArray *to)
{
	begin(to, 3, 1, 0);
	add_tensor(to, "a", 4, 2, 0, G_MAXUINT64 - 31);
	add_data(to, 64);
}

static void lie_end(GByteArray *to)
{
	begin(to, 3, 1, 0);
	add_tensor(to, "a", 4, 2, 0, 32);
	add_data(to, 63);
}

static void lie_overlap(GByteArray *to)
{
	begin(to, 3, 2, 0);
	add_tensor(to, "a", 16, 1, 0, 0);
	add_tensor(to, "b", 4, 2, 0, 32);
	add_data(to, 64);
}

static void test_lies(void)
{
	static const struct {
		void (*write)(GByteArray *to);
		const char *words;
	} cases[] = {
		{lie_magic, "does not begin with GGUF"},
		{lie_pointer, "git lfs pull"},
		{lie_version_1, "version 1"},
		{lie_version_4, "version 4"},
		{lie_endian, "big-endian"},
		{lie_n_values, "18446744073709551615 keys, limit 65536"},
		{lie_n_tensors, "18446744073709551615 tensors"},
		{lie_key_length, "key 0: a name of 18446744073709551612 bytes, limit 65535"},
		{lie_key_long, "key 0: the file ends"},
		{lie_key_control, "key 0: its name is not plain UTF-8"},
		{lie_value_type, "a: a value of type 13"},
		{lie_text_length, "a: the file ends"},
		{lie_array_length, "a: the file ends"},
		{lie_array_strings, "a: the file ends"},
		{lie_array_type, "a: items of type 99"},
		{lie_array_depth, "a: arrays inside each other, limit 4"},
		{lie_key_twice, "the key a is there twice"},
		{lie_alignment_zero, "general.alignment"},
		{lie_alignment_odd, "general.alignment"},
		{lie_alignment_text, "general.alignment"},
		{lie_tensor_name, "tensor 0: a name of 300 bytes, limit 255"},
		{lie_tensor_twice, "tensor a is there twice"},
		{lie_dims_none, "tensor a: 0 dimensions"},
		{lie_dims_many, "tensor a: 5 dimensions"},
		{lie_size_zero, "tensor a: size 1 of the shape is 0"},
		{lie_size_overflow, "tensor a: the shape overflows"},
		{lie_type, "tensor a: type 77 is unknown; the Q4_K_M"},
		{lie_type_hole, "tensor a: type 4 is unknown"},
		{lie_blocks, "tensor a: rows of 128 values are no whole blocks of 256"},
		{lie_offset, "tensor a: offset 16 is no multiple of the alignment 32"},
		{lie_offset_overflow, "tensor a: 32 bytes from 18446744073709551584 overflow"},
		{lie_end, "tensor a: bytes 32 to 64 of 63"},
		{lie_overlap, "tensor b begins at byte 32, but a ends at 64"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GByteArray) bytes = g_byte_array_new();
		g_autoptr(GError) error = NULL;
		g_autofree guint8 *copy = NULL;
		cases[i].write(bytes);
		g_autoptr(WeftGguf) gguf = read_bytes(bytes, bytes->len, &copy, &error);
		if (gguf || !strstr(error->message, cases[i].words))
			g_test_message("%s: %s", cases[i].words, error ? error->message : "read");
		g_assert_null(gguf);
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
		g_assert_nonnull(strstr(error->message, cases[i].words));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/gguf/good", test_good);
	g_test_add_func("/gguf/cut", test_cut);
	g_test_add_func("/gguf/lies", test_lies);
	return g_test_run();
}
