#include "base/bytes.h"

#include <string.h>

#include "base/error.h"

/* The address sanitizer asks this; without it an allocation that fails ends the program. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void test_sizes(void)
{
	gsize value = 7;
	g_assert_true(weft_size_multiply(G_MAXSIZE / 2, 2, &value));
	g_assert_cmpuint(value, ==, G_MAXSIZE - 1);
	g_assert_false(weft_size_multiply(G_MAXSIZE / 2 + 1, 2, &value));
	g_assert_false(weft_size_multiply((gsize)1 << 32, (gsize)1 << 32, &value));
	g_assert_false(weft_size_add(G_MAXSIZE, 1, &value));
	g_assert_cmpuint(value, ==, G_MAXSIZE - 1); /* untouched */
	g_assert_true(weft_size_add(G_MAXSIZE - 1, 1, &value));
	g_assert_cmpuint(value, ==, G_MAXSIZE);
}

static void test_reader(void)
{
	static const guint8 DATA[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	WeftBytes bytes = weft_bytes(DATA, sizeof(DATA));
	guint8 u8;
	guint16 u16;
	guint32 u32 = 42;
	guint64 u64 = 42;

	g_assert_true(weft_bytes_le64(&bytes, &u64));
	g_assert_cmphex(u64, ==, 0x0807060504030201u);
	g_assert_false(weft_bytes_le16(&bytes, &u16));
	g_assert_true(weft_bytes_u8(&bytes, &u8));
	g_assert_cmpuint(u8, ==, 9);
	g_assert_false(weft_bytes_u8(&bytes, &u8));
	g_assert_true(weft_bytes_seek(&bytes, 0));
	g_assert_true(weft_bytes_be16(&bytes, &u16));
	g_assert_cmphex(u16, ==, 0x0102);
	g_assert_true(weft_bytes_be32(&bytes, &u32));
	g_assert_cmphex(u32, ==, 0x03040506);
	g_assert_false(weft_bytes_be32(&bytes, &u32));
	g_assert_cmphex(u32, ==, 0x03040506);
	g_assert_true(weft_bytes_seek(&bytes, 1));
	g_assert_true(weft_bytes_be64(&bytes, &u64));
	g_assert_cmphex(u64, ==, 0x0203040506070809u);
	g_assert_true(weft_bytes_seek(&bytes, 3));
	g_assert_true(weft_bytes_le32(&bytes, &u32));
	g_assert_cmphex(u32, ==, 0x07060504);
	g_assert_true(weft_bytes_le16(&bytes, &u16));
	g_assert_cmphex(u16, ==, 0x0908);
	g_assert_false(weft_bytes_seek(&bytes, 10));
	g_assert_false(weft_bytes_skip(&bytes, G_MAXSIZE));
	g_assert_true(weft_bytes_skip(&bytes, 0));
	g_assert_cmpuint(weft_bytes_left(&bytes), ==, 0);
}

static void test_sizes_of_text(void)
{
	static const char *const wrong[] = {"", "K", "-1", "1.5G", "1 G", "G1", "12KB",
					    "18446744073709551616", "99999999999999999999G"};
	guint64 value = 7;
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
		g_assert_false(weft_size_parse(wrong[i], &value));
	g_assert_cmpuint(value, ==, 7);
	g_assert_true(weft_size_parse("512M", &value));
	g_assert_cmpuint(value, ==, 512 << 20);
	g_assert_true(weft_size_parse("2t", &value));
	g_assert_cmpuint(value, ==, (guint64)2 << 40);
	g_assert_true(weft_size_parse("0", &value));
	g_assert_cmpuint(value, ==, 0);
}

static void test_writer(void)
{
	/* -2.5: sign, exponent 1024, 0.25 */
	static const guint8 DATA[] = { 9, 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 4, 0xc0 };
	g_autoptr(GByteArray) out = g_byte_array_new();
	WeftBytes bytes = weft_bytes(DATA, sizeof(DATA));
	double real = 42;

	weft_bytes_put_u8(out, 9);
	weft_bytes_put_le32(out, 0x01020304);
	weft_bytes_put_le64(out, 0x0102030405060708u);
	weft_bytes_put_f64(out, -2.5);
	g_assert_cmpmem(out->data, out->len, DATA, sizeof(DATA));
	g_assert_true(weft_bytes_seek(&bytes, 13));
	g_assert_true(weft_bytes_f64(&bytes, &real));
	g_assert_cmpfloat(real, ==, -2.5);
	g_assert_true(weft_bytes_seek(&bytes, 14));
	g_assert_false(weft_bytes_f64(&bytes, &real));
	g_assert_cmpfloat(real, ==, -2.5);
}

static void test_allocation_refused(void)
{
	g_autoptr(GError) error = NULL;
	g_assert_null(weft_alloc_array(G_MAXSIZE / 2, 4, 0, "raster", &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
	g_clear_error(&error);
	g_assert_null(weft_alloc_array(90000, 90000, 1 << 20, "raster", &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
	g_assert_cmpstr(error->message, ==, "raster: 8100000000 bytes, limit 1048576");
	g_clear_error(&error);
	/* More than an address space: malloc itself says no. */
	g_assert_null(weft_alloc_array((gsize)1 << 62, 1, 0, "raster", &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT);
	g_autofree guint8 *zeroed = weft_alloc_array(3, 5, 15, "raster", NULL);
	for (int i = 0; i < 15; i++)
		g_assert_cmpuint(zeroed[i], ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/bytes/sizes", test_sizes);
	g_test_add_func("/bytes/sizes-of-text", test_sizes_of_text);
	g_test_add_func("/bytes/reader", test_reader);
	g_test_add_func("/bytes/writer", test_writer);
	g_test_add_func("/bytes/allocation-refused", test_allocation_refused);
	return g_test_run();
}
