#include <string.h>

#include "base/error.h"
#include "golden.h"
#include "model/kv.h"

#define N_POSITIONS 1500

static WeftPagePool *new_pool(const WeftArch *arch, const WeftKernels *kernels, WeftDtype dtype,
			      gsize memory_max_bytes)
{
	WeftPagePoolOptions options = {dtype, memory_max_bytes, g_get_tmp_dir()};
	GError *error = NULL;
	WeftPagePool *pool = weft_page_pool_new(arch, kernels, &options, &error);
	g_assert_no_error(error);
	return pool;
}

/* Keys and values of one position, all the same number. */
static void store(WeftCache *cache, gsize layer, gsize position, gsize n_values, float number)
{
	g_autofree float *row = g_new(float, n_values);
	for (gsize i = 0; i < n_values; i++)
		row[i] = number;
	weft_cache_store(cache, layer, position, 1, row, row);
}

static float key_at(const WeftCache *cache, gsize layer, gsize position, gsize n_values)
{
	const float *page = weft_cache_k_pages(cache, layer)[position / WEFT_PAGE_POSITIONS];
	return page[position % WEFT_PAGE_POSITIONS * n_values];
}

static void test_bounded(void)
{
	static const gsize pieces[] = {1, 7, 64, 256};
	g_autoptr(Golden) golden = golden_open("scout", "ref", 1);
	g_autoptr(WeftArch) arch = weft_arch_new(weft_bundle_config(golden->bundle), NULL);
	g_autoptr(WeftPagePool) pool = new_pool(arch, golden->kernels, WEFT_DTYPE_F32, 0);
	for (gsize p = 0; p < G_N_ELEMENTS(pieces); p++) {
		g_autoptr(WeftCache) cache = weft_cache_new(pool);
		gsize n, chunked_max = 0;
		for (gsize at = 0; at < N_POSITIONS; at += n) {
			n = MIN(pieces[p], N_POSITIONS - at);
			g_assert_true(weft_cache_extend(cache, at, n, NULL));
			chunked_max = MAX(chunked_max, weft_cache_n_pages(cache, 0));
		}
		g_assert_false(arch->layers[3].is_chunked);
		g_assert_cmpuint(weft_cache_n_pages(cache, 3), ==,
				 (N_POSITIONS + WEFT_PAGE_POSITIONS - 1) / WEFT_PAGE_POSITIONS);
		g_assert_true(arch->layers[0].is_chunked);
		g_assert_cmpuint(chunked_max, <=,
				 (arch->chunk_size + pieces[p]) / WEFT_PAGE_POSITIONS + 2);
	}
	g_assert_cmpuint(weft_page_pool_usage(pool).n_pages, ==, 0);
}

/* Shapes: [layers chunked or not, heads, width, chunk], and numbers of positions around their
 * pages, pieces and chunks. What is foretold is what a pool was asked for. */
static void test_bytes_foretold(void)
{
	static const struct {
		gsize n_layers, full_every, n_kv_heads, head_width, chunk_size;
	} shapes[] = {{4, 4, 2, 16, 512}, {6, 3, 1, 32, 100}, {3, 1, 3, 64, 0}, {5, 9, 2, 8, 70}};
	static const gsize sizes[] = {1, 64, 65, 100, 256, 257, 700, 1000, 1024, 2000, 5000};
	g_autoptr(WeftKernels) kernels = weft_kernels_open("ref", 1, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) {
		WeftLayerConfig layers[8] = {{0}};
		WeftArch arch = {.n_layers = shapes[i].n_layers,
				 .n_kv_heads = shapes[i].n_kv_heads,
				 .head_width = shapes[i].head_width,
				 .chunk_size = shapes[i].chunk_size,
				 .layers = layers};
		for (gsize l = 0; l < arch.n_layers; l++)
			layers[l].is_chunked = (l + 1) % shapes[i].full_every != 0;
		for (gsize s = 0; s < G_N_ELEMENTS(sizes); s++) {
			WeftDtype dtype = s % 2 == 0 ? WEFT_DTYPE_F32 : WEFT_DTYPE_BF16;
			g_autoptr(WeftPagePool) pool = new_pool(&arch, kernels, dtype, 0);
			g_autoptr(WeftCache) cache = weft_cache_new(pool);
			for (gsize at = 0; at < sizes[s]; at += WEFT_PIECE_ROWS)
				g_assert_true(weft_cache_extend(
					cache, at, MIN(WEFT_PIECE_ROWS, sizes[s] - at), NULL));
			g_assert_cmpuint(weft_cache_bytes(&arch, dtype, sizes[s]), ==,
					 weft_page_pool_usage(pool).peak_bytes);
		}
		g_assert_cmpuint(weft_cache_bytes(&arch, WEFT_DTYPE_F32, 0), ==, 0);
	}
	/* Scout at 10,485,760 in bf16: 12 full layers, 36 of 8192, 4096 bytes a token and layer. */
	WeftLayerConfig layers[48] = {{0}};
	WeftArch scout = {.n_layers = 48, .n_kv_heads = 8, .head_width = 128, .chunk_size = 8192,
			  .layers = layers};
	for (gsize l = 0; l < 48; l++)
		layers[l].is_chunked = (l + 1) % 4 != 0;
	g_assert_cmpuint(weft_cache_bytes(&scout, WEFT_DTYPE_BF16, 10485760), ==,
			 G_GUINT64_CONSTANT(4096) * (12 * 10485760 + 36 * 8192));
}

static void test_shared_pages(void)
{
	g_autoptr(Golden) golden = golden_open("scout", "ref", 1);
	g_autoptr(WeftArch) arch = weft_arch_new(weft_bundle_config(golden->bundle), NULL);
	gsize n_values = arch->n_kv_heads * arch->head_width;
	g_autoptr(WeftPagePool) pool = new_pool(arch, golden->kernels, WEFT_DTYPE_F32, 0);
	WeftCache *first = weft_cache_new(pool);
	for (gsize at = 0; at < 100; at++) {
		g_assert_true(weft_cache_extend(first, at, 1, NULL));
		store(first, 3, at, n_values, (float)at);
	}
	gsize n_used = weft_page_pool_usage(pool).n_pages;
	WeftCache *second = weft_cache_share(first);
	g_assert_cmpuint(weft_page_pool_usage(pool).n_pages, ==, n_used);
	/* Both go on by themselves; what they share stays. */
	g_assert_true(weft_cache_extend(second, 100, 1, NULL));
	store(second, 3, 100, n_values, -1);
	g_assert_true(weft_cache_extend(first, 100, 1, NULL));
	store(first, 3, 100, n_values, -2);
	g_assert_cmpfloat(key_at(second, 3, 100, n_values), ==, -1);
	g_assert_cmpfloat(key_at(first, 3, 100, n_values), ==, -2);
	weft_cache_free(first);
	for (gsize at = 0; at < 100; at++)
		g_assert_cmpfloat(key_at(second, 3, at, n_values), ==, (float)at);
	g_assert_true(weft_cache_k_pages(second, 3)[0] != NULL);
	weft_cache_free(second);
	g_assert_cmpuint(weft_page_pool_usage(pool).n_pages, ==, 0);
}

/* What is stored is rounded to the type of the cache. */
static void test_bf16(void)
{
	g_autoptr(Golden) golden = golden_open("scout", "ref", 1);
	g_autoptr(WeftArch) arch = weft_arch_new(weft_bundle_config(golden->bundle), NULL);
	gsize n_values = arch->n_kv_heads * arch->head_width;
	g_autoptr(WeftPagePool) pool = new_pool(arch, golden->kernels, WEFT_DTYPE_BF16, 0);
	g_autoptr(WeftCache) cache = weft_cache_new(pool);
	g_assert_true(weft_cache_extend(cache, 0, 2, NULL));
	store(cache, 0, 1, n_values, 1.00390625f); /* halfway between two: to even, 1 */
	const guint16 *page = weft_cache_v_pages(cache, 0)[0];
	g_assert_cmphex(page[n_values], ==, 0x3f80);
}

/* Heads of 16 are no whole blocks of 32. */
static void test_heads_refused(void)
{
	g_autoptr(Golden) golden = golden_open("scout", "ref", 1);
	const char *const types[] = {"q8_0", "q4"};
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		g_autoptr(GError) error = NULL;
		WeftModelOptions options = {.kv_type = types[i]};
		g_assert_null(weft_model_open(golden->bundle, golden->kernels, &options, &error));
		g_assert_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED);
		g_assert_nonnull(strstr(error->message, types[i]));
		g_assert_nonnull(strstr(error->message, "32"));
		g_assert_nonnull(strstr(error->message, "16"));
	}
	g_autoptr(GError) error = NULL;
	WeftModelOptions options = {.kv_type = "q4_0"};
	g_assert_null(weft_model_open(golden->bundle, golden->kernels, &options, &error));
	g_assert_error(error, WEFT_ERROR, WEFT_ERROR_USAGE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/kv/bounded", test_bounded);
	g_test_add_func("/kv/bytes-foretold", test_bytes_foretold);
	g_test_add_func("/kv/shared-pages", test_shared_pages);
	g_test_add_func("/kv/bf16", test_bf16);
	g_test_add_func("/kv/heads-refused", test_heads_refused);
	return g_test_run();
}
