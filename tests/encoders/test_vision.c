/* The vision tower, adapter and projector against transformers (golden/see.npy): the checkpoint of
 * tests/golden/scout on the tiles of its picture. */
#include "check.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"

static WeftTiles scout_tiles(WeftNpy **ret_pixels)
{
	g_autoptr(GError) error = NULL;
	WeftNpy *pixels = weft_npy_read(WEFT_SCOUT "/image.pixels.npy", &error);

	g_assert_no_error(error);
	*ret_pixels = pixels;
	return (WeftTiles){ pixels->shape[0], pixels->shape[2], 2, 3, pixels->f32 };
}

static void check_golden(const char *tier)
{
	Opened opened = check_open_tier(WEFT_SCOUT, NULL, tier);
	g_autoptr(WeftNpy) pixels = NULL;
	WeftTiles tiles = scout_tiles(&pixels);
	g_autofree float *rows = NULL;
	gsize n_rows = 0, width = weft_bundle_config(opened.bundle)->text.width;

	g_assert_true(weft_encoders_can_see(opened.encoders));
	g_assert_true(weft_encoders_see(opened.encoders, &tiles, NULL, &rows, &n_rows, NULL));
	g_assert_cmpuint(n_rows, ==, tiles.n_tiles * 4);
	check_close_to(rows, n_rows * width, WEFT_GOLDEN "/see.npy");
	check_close(&opened);
}

static void test_golden(void)
{
	check_golden("ref");
	check_golden(NULL);
}

/* A tile's rows are the same bits whatever tiles are beside it. */
static void test_alone(void)
{
	Opened opened = check_open(WEFT_SCOUT, NULL);
	g_autoptr(WeftNpy) pixels = NULL;
	WeftTiles tiles = scout_tiles(&pixels), last = tiles;
	g_autofree float *all = NULL;
	g_autofree float *one = NULL;
	gsize n_all = 0, n_one = 0, width = weft_bundle_config(opened.bundle)->text.width;

	last.n_tiles = 1;
	last.pixels = tiles.pixels + (tiles.n_tiles - 1) * 3 * tiles.side * tiles.side;
	g_assert_true(weft_encoders_see(opened.encoders, &tiles, NULL, &all, &n_all, NULL));
	g_assert_true(weft_encoders_see(opened.encoders, &last, NULL, &one, &n_one, NULL));
	g_assert_cmpmem(all + (n_all - n_one) * width, n_one * width * sizeof(float), one,
			n_one * width * sizeof(float));
	check_close(&opened);
}

static void copy_into(const char *folder, const char *name)
{
	g_autofree char *from = g_build_filename(WEFT_SCOUT, name, NULL);
	g_autofree char *to = g_build_filename(folder, name, NULL);
	g_autofree char *bytes = NULL;
	gsize n;

	g_assert_true(g_file_get_contents(from, &bytes, &n, NULL));
	g_assert_true(g_file_set_contents(to, bytes, (gssize)n, NULL));
}

/* A configuration that asks for one layer more than there is: the error names the tensor. */
static void test_absent_layer(void)
{
	static const char *const names[] = { "model.safetensors", "tokenizer.json",
					     "tokenizer_config.json", "preprocessor_config.json",
					     "generation_config.json" };
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = g_dir_make_tmp("weft-XXXXXX", &error);
	g_autofree char *path = g_build_filename(folder, "config.json", NULL);
	g_autofree char *json = NULL;

	g_assert_no_error(error);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		copy_into(folder, names[i]);
	g_assert_true(g_file_get_contents(WEFT_SCOUT "/config.json", &json, NULL, NULL));
	char *vision = strstr(json, "\"vision_config\"");
	char *layers = vision ? strstr(vision, "\"num_hidden_layers\": 2") : NULL;

	g_assert_nonnull(layers);
	layers[strlen("\"num_hidden_layers\": ")] = '3';
	g_assert_true(g_file_set_contents(path, json, -1, NULL));
	g_autoptr(WeftBundle) bundle = weft_bundle_open(folder, &error);
	g_assert_no_error(error);
	g_autoptr(WeftKernels) kernels = weft_kernels_open("ref", 1, NULL);

	g_assert_null(weft_encoders_open(bundle, kernels, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
	g_assert_nonnull(strstr(error->message, "layers.2.input_layernorm.weight"));
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *file = g_build_filename(folder, names[i], NULL);
		g_unlink(file);
	}
	g_unlink(path);
	g_rmdir(folder);
}

/* Numbers in FP8 mean nothing without their scales, which towers do not read. */
static void test_fp8(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = g_dir_make_tmp("weft-XXXXXX", &error);
	g_autofree char *config = g_build_filename(folder, "config.json", NULL);
	g_autofree char *weights = g_build_filename(folder, "model.safetensors", NULL);
	g_autoptr(WeftKernels) kernels = weft_kernels_open("ref", 1, NULL);
	g_autoptr(WeftBundle) scout = weft_bundle_open(WEFT_SCOUT, &error);
	g_autoptr(GString) file = g_string_new(NULL);

	g_assert_no_error(error);
	const WeftVisionConfig *v = &weft_bundle_config(scout)->vision;
	gsize n_cols = v->n_channels * v->patch_size * v->patch_size;
	gsize n_class = v->width, n = n_class + v->width * n_cols;
	g_autofree char *header = g_strdup_printf(
		"{\"vision_model.class_embedding\":{\"dtype\":\"F8_E4M3\",\"shape\":[%zu],"
		"\"data_offsets\":[0,%zu]},\"vision_model.patch_embedding.linear.weight\":"
		"{\"dtype\":\"F8_E4M3\",\"shape\":[%zu,%zu],\"data_offsets\":[%zu,%zu]}}",
		n_class, n_class, n_class, n_cols, n_class, n);
	guint64 header_bytes = GUINT64_TO_LE((guint64)strlen(header));

	g_string_append_len(file, (const char *)&header_bytes, 8);
	g_string_append(file, header);
	gsize begin = file->len;
	g_string_set_size(file, begin + n);
	memset(file->str + begin, 0x38, n); /* 1.0 */
	g_assert_true(g_file_set_contents(weights, file->str, (gssize)file->len, NULL));
	copy_into(folder, "config.json");
	g_autoptr(WeftBundle) bundle = weft_bundle_open(folder, &error);
	g_assert_no_error(error);

	g_assert_null(weft_encoders_open(bundle, kernels, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS);
	g_assert_nonnull(strstr(error->message, "patch_embedding.linear.weight has type F8_E4M3"));
	g_unlink(config);
	g_unlink(weights);
	g_rmdir(folder);
}

static void test_wrong_side(void)
{
	Opened opened = check_open(WEFT_SCOUT, NULL);
	WeftTiles tiles = { .n_tiles = 1, .side = 14, .n_rows = 1, .n_cols = 1 };
	g_autoptr(GError) error = NULL;
	float *rows = NULL;
	gsize n_rows = 0;

	g_assert_false(weft_encoders_see(opened.encoders, &tiles, NULL, &rows, &n_rows, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
	g_assert_null(rows);
	check_close(&opened);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/vision/golden", test_golden);
	g_test_add_func("/vision/alone", test_alone);
	g_test_add_func("/vision/absent-layer", test_absent_layer);
	g_test_add_func("/vision/fp8", test_fp8);
	g_test_add_func("/vision/wrong-side", test_wrong_side);
	return g_test_run();
}
