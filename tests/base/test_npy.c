#include "base/npy.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"

/* Runs numpy in the folder; what it prints is compared. */
static void assert_python(const char *folder, const char *code, const char *expected)
{
	const char *argv[] = { TEST_PYTHON, "-c", code, NULL };
	g_autofree char *out = NULL, *err = NULL;
	int end;
	g_assert_true(g_spawn_sync(folder, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
				   &out, &err, &end, NULL));
	g_test_message("%s", err);
	g_assert_cmpint(end, ==, 0);
	g_assert_cmpstr(g_strchomp(out), ==, expected);
}

static void clear_folder(const char *folder)
{
	g_autoptr(GPtrArray) names = weft_folder_names(folder, 100, NULL);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);
		g_remove(path);
	}
	g_rmdir(folder);
}

static void test_numpy_reads(void)
{
	g_autofree char *folder = g_dir_make_tmp("weft-npy-XXXXXX", NULL);
	static const gsize SHAPE[] = { 2, 3 };
	static const float F32[] = { 0.5f, -1.25f, 3e38f, 0, 1e-40f, 7 };
	static const gint32 I32[] = { 1, -2, G_MAXINT32, G_MININT32, 5, 6 };
	const struct {
		const char *name;
		gsize n_dims;
	} CASES[] = { { "f2.npy", 2 }, { "f1.npy", 1 }, { "f0.npy", 0 } };

	for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
		g_autofree char *path = g_build_filename(folder, CASES[i].name, NULL);
		g_assert_true(weft_npy_write_f32(path, F32, SHAPE, CASES[i].n_dims, NULL));
	}
	g_autofree char *path = g_build_filename(folder, "i2.npy", NULL);
	g_assert_true(weft_npy_write_i32(path, I32, SHAPE, 2, NULL));
	assert_python(folder,
		      "import numpy as n\n"
		      "f=n.array([0.5,-1.25,3e38,0,1e-40,7],'f4')\n"
		      "l=n.load\n"
		      "print((l('f2.npy')==f.reshape(2,3)).all(), l('f2.npy').dtype,"
		      " l('f1.npy')==f[:2], l('f0.npy'), l('f0.npy').shape,"
		      " l('i2.npy').tolist(), l('i2.npy').dtype)",
		      "True float32 [ True  True] 0.5 () "
		      "[[1, -2, 2147483647], [-2147483648, 5, 6]] int32");
	clear_folder(folder);
}

static void test_reads_numpy(void)
{
	g_autofree char *folder = g_dir_make_tmp("weft-npy-XXXXXX", NULL);
	assert_python(folder,
		      "import numpy as n\n"
		      "n.save('f.npy', n.arange(24,dtype='f4').reshape(2,3,4)/8)\n"
		      "n.save('i.npy', n.array([3,-4],'i8'))\n"
		      "n.save('z.npy', n.zeros((0,5),'i4'))\n"
		      "n.save('d.npy', n.zeros(3))\n"
		      "n.save('o.npy', n.zeros((2,3),'f4',order='F'))\n"
		      "n.save('b.npy', n.zeros(3,'>f4'))\n"
		      "n.lib.format.write_array(open('v.npy','wb'), n.zeros(3,'f4'), (2, 0))",
		      "");
	g_autofree char *f = g_build_filename(folder, "f.npy", NULL);
	g_autoptr(WeftNpy) array = weft_npy_read(f, NULL);
	g_assert_cmpint(array->type, ==, WEFT_NPY_F32);
	g_assert_cmpuint(array->n_dims, ==, 3);
	g_assert_true(array->shape[0] == 2 && array->shape[1] == 3 && array->shape[2] == 4);
	for (gsize i = 0; i < array->n_items; i++)
		g_assert_true(array->f32[i] == i / 8.0f);
	g_autofree char *i = g_build_filename(folder, "i.npy", NULL);
	g_autoptr(WeftNpy) ids = weft_npy_read(i, NULL);
	g_assert_cmpint(ids->type, ==, WEFT_NPY_I64);
	g_assert_true(ids->n_items == 2 && ids->i64[0] == 3 && ids->i64[1] == -4);
	g_autofree char *z = g_build_filename(folder, "z.npy", NULL);
	g_autoptr(WeftNpy) none = weft_npy_read(z, NULL);
	g_assert_true(none->n_items == 0 && none->n_dims == 2 && none->shape[1] == 5);
	for (const char *name = "dobv"; *name; name++) {
		g_autofree char *path = g_strdup_printf("%s/%c.npy", folder, *name);
		g_autoptr(GError) error = NULL;
		g_assert_null(weft_npy_read(path, &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED);
	}
	clear_folder(folder);
}

/* Every beginning of a good file is refused, in a block of its own. */
static void test_truncated(void)
{
	g_autofree char *folder = g_dir_make_tmp("weft-npy-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, "f.npy", NULL);
	static const gsize SHAPE[] = { 3 };
	static const float F32[] = { 1, 2, 3 };
	g_autofree char *text = NULL;
	gsize size;

	g_assert_true(weft_npy_write_f32(path, F32, SHAPE, 1, NULL));
	g_assert_true(weft_file_read(path, 1000, &text, &size, NULL));
	for (gsize n = 0; n < size; n++) {
		g_autofree char *exact = g_memdup2(text, MAX(n, 1));
		g_autoptr(GError) error = NULL;
		g_assert_null(weft_npy_parse(exact, n, &error));
		g_assert_nonnull(error);
	}
	clear_folder(folder);
}

static void assert_header(const char *header, int code)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autoptr(GError) error = NULL;
	guint16 size = strlen(header);
	g_byte_array_append(bytes, (const guint8 *)"\x93NUMPY\x01\x00", 8);
	g_byte_array_append(bytes, (const guint8 *)&size, 2);
	g_byte_array_append(bytes, (const guint8 *)header, size);
	g_autoptr(WeftNpy) array = weft_npy_parse(bytes->data, bytes->len, &error);
	g_assert_null(array);
	g_assert_error(error, WEFT_ERROR, code);
}

static void test_hostile(void)
{
#define HEADER(shape) "{'descr': '<f4', 'fortran_order': False, 'shape': " shape ", }"
	assert_header(HEADER("(18446744073709551615,)"), WEFT_ERROR_LIMIT);
	assert_header(HEADER("(99999999999999999999,)"), WEFT_ERROR_LIMIT);
	assert_header(HEADER("(4294967296, 4294967296)"), WEFT_ERROR_LIMIT);
	assert_header(HEADER("(4611686018427387904,)"), WEFT_ERROR_LIMIT);
	assert_header(HEADER("(1000000000000,)"), WEFT_ERROR_TRUNCATED);
	assert_header(HEADER("(-1,)"), WEFT_ERROR_CORRUPT);
	assert_header(HEADER("(1, 1, 1, 1, 1, 1, 1, 1, 1)"), WEFT_ERROR_UNSUPPORTED);
	assert_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1", WEFT_ERROR_CORRUPT);
	assert_header("{'descr': '<f4', 'fortran_order': False, 'shape':", WEFT_ERROR_CORRUPT);
	assert_header("{'fortran_order': False, 'shape': (1,), 'descr':", WEFT_ERROR_UNSUPPORTED);
	assert_header("{'fortran_order': False, 'shape': (1,), }", WEFT_ERROR_CORRUPT);
	assert_header("", WEFT_ERROR_CORRUPT);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/npy/numpy-reads", test_numpy_reads);
	g_test_add_func("/npy/reads-numpy", test_reads_numpy);
	g_test_add_func("/npy/truncated", test_truncated);
	g_test_add_func("/npy/hostile", test_hostile);
	return g_test_run();
}
