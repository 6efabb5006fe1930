/* The stored formats against gguf.quants and torch: the same bits (tests/golden/blocks/ORIGIN). */
#include <math.h>

#include "check.h"
#include "kernels/blocks.h"

static CheckTiers tiers;

/* A file of tests/golden/blocks: two runs of bytes that belong together. */
typedef struct Golden {
	char *bytes;
	size_t n;            /* numbers */
	const char *blocks;  /* at an odd address */
	const float *values;
} Golden;

static Golden golden_read(WeftDtype dtype, const char *suffix)
{
	Golden golden = {0};
	g_autofree char *name = g_strconcat(weft_dtype_name(dtype), suffix, NULL);
	g_autofree char *path = g_build_filename(WEFT_GOLDEN, "blocks", name, NULL);
	g_autofree char *contents = NULL;
	g_autoptr(GError) error = NULL;
	size_t n_bytes, values = weft_dtype_block_values(dtype), bytes = weft_dtype_block_bytes(dtype);
	g_file_get_contents(path, &contents, &n_bytes, &error);
	g_assert_no_error(error);
	size_t n_blocks = n_bytes / (bytes + values * sizeof(float));
	g_assert_cmpuint(n_blocks * (bytes + values * sizeof(float)), ==, n_bytes);
	golden.n = n_blocks * values;
	gboolean is_widen = g_str_equal(suffix, ".widen");
	const char *blocks = is_widen ? contents : contents + golden.n * sizeof(float);
	const char *floats = is_widen ? contents + n_blocks * bytes : contents;
	/* The values first, where they are aligned; then, one byte further, the blocks. */
	golden.bytes = g_malloc(n_bytes + 1);
	memcpy(golden.bytes, floats, golden.n * sizeof(float));
	memcpy(golden.bytes + golden.n * sizeof(float) + 1, blocks, n_blocks * bytes);
	golden.values = (const float *)(const void *)golden.bytes;
	golden.blocks = golden.bytes + golden.n * sizeof(float) + 1;
	return golden;
}

/* The same bits, or both NaN. */
static void check_numbers(const char *what, const float *a, const float *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isnan(a[i]) || !isnan(b[i]))
			check_same(what, a + i, b + i, 1);
}

static void test_widen(void)
{
	for (int dtype = WEFT_DTYPE_F8_E4M3; dtype < WEFT_DTYPE_COUNT; dtype++) {
		const char *name = weft_dtype_name((WeftDtype)dtype);
		Golden golden = golden_read((WeftDtype)dtype, ".widen");
		float *y = check_output(golden.n);
		weft_blocks_widen(y, golden.blocks, (WeftDtype)dtype, golden.n);
		check_numbers(name, y, golden.values, golden.n);
		check_output_free(y, golden.n);
		for (size_t i = 0; i < tiers.n; i++) {
			y = check_output(golden.n);
			tiers.one[i]->to_f32(tiers.one[i]->team, y, golden.blocks, (WeftDtype)dtype,
					     golden.n);
			check_numbers(name, y, golden.values, golden.n);
			check_output_free(y, golden.n);
		}
		g_free(golden.bytes);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	check_tiers_init(&tiers);
	g_test_add_func("/blocks/widen", test_widen);
	int status = g_test_run();
	check_tiers_done(&tiers);
	return status;
}
