/* fetch_rows, add_rows and router_topk of every tier. */
#include <math.h>

#include "base/npy.h"
#include "check.h"

static CheckTiers tiers;

static void test_fetch(void)
{
	guint64 state = 1;
	for (guint64 seed = 1; seed <= 60; seed++) {
		size_t rows = 1 + check_random_below(&state, 50), width = check_random_below(&state, 600);
		size_t n_rows = check_random_below(&state, 300), n;
		WeftDtype dtype = (WeftDtype)(seed % WEFT_DTYPE_COUNT);
		width -= width % weft_dtype_block_values(dtype);
		n = n_rows * width;
		WeftTensor w = check_matrix(&state, dtype, rows, width, seed % 3);
		guint32 *index = g_new(guint32, n_rows + 1);
		double *expected = g_new(double, n + 1);
		for (size_t t = 0; t < n_rows; t++)
			index[t] = (guint32)check_random_below(&state, rows);
		w.scales = seed % 2 ? check_floats(&state, rows) : NULL;
		for (size_t i = 0; i < n; i++) { /* one rounding, as in f32 */
			float scale = w.scales ? w.scales[index[i / width]] : 1.0f;
			expected[i] = (double)((float)check_at(&w, index[i / width], i % width) * scale);
		}
		for (size_t i = 0; i < tiers.n; i++) {
			float *y = check_output(n);
			tiers.eight[i]->fetch_rows(tiers.eight[i]->team, y, &w, index, n_rows);
			check_near("fetched", y, expected, n, 0);
			check_output_free(y, n);
		}
		check_free(w.data);
		if (w.scales)
			check_free(w.scales);
		g_free(index);
		g_free(expected);
	}
}

static void test_add(void)
{
	guint64 state = 2;
	const size_t width = 301, rows = 400, n_rows = 200;
	float *x = check_floats(&state, n_rows * width), *factors = check_floats(&state, n_rows);
	float *before = check_floats(&state, rows * width);
	guint32 index[200];
	for (guint32 t = 0; t < 200; t++)
		index[t] = (t * 7 + 3) % 400; /* 7 and 400 have no common divisor: all differ */
	for (size_t i = 0; i < tiers.n * 2; i++) {
		const WeftKernels *k = tiers.eight[i / 2];
		float *y = check_output(rows * width);
		double *expected = g_new(double, rows * width);
		memcpy(y, before, rows * width * sizeof *y);
		for (size_t j = 0; j < rows * width; j++)
			expected[j] = (double)before[j];
		for (size_t j = 0; j < n_rows * width; j++)
			expected[index[j / width] * width + j % width] +=
				(double)x[j] * (i % 2 ? (double)factors[j / width] : 1);
		k->add_rows(k->team, y, x, index, i % 2 ? factors : NULL, n_rows, width);
		check_near("added", y, expected, rows * width, 2 * 0x1p-24); /* two roundings */
		check_output_free(y, rows * width);
		g_free(expected);
	}
	check_free(x);
	check_free(factors);
	check_free(before);
}

typedef struct Ranked {
	double logit;
	guint32 expert;
} Ranked;

static gint compare_ranked(gconstpointer a, gconstpointer b)
{
	const Ranked *x = a, *y = b;
	if (x->logit != y->logit)
		return x->logit < y->logit ? 1 : -1;
	return x->expert < y->expert ? -1 : 1;
}

static void check_router(guint64 seed, size_t n_rows, size_t n_experts, size_t k, WeftRouter router)
{
	guint64 state = seed;
	float *logits = check_floats(&state, n_rows * n_experts);
	size_t n = n_rows * k;
	guint32 *expected = g_new(guint32, n), *index = g_new(guint32, n);
	double *weights = g_new(double, n);
	for (size_t i = 0; i < n_rows * n_experts; i++)
		logits[i] = roundf(logits[i] * 8); /* many ties */
	for (size_t t = 0; t < n_rows; t++) {
		g_autofree Ranked *ranked = g_new(Ranked, n_experts);
		double total = 0;
		for (guint32 e = 0; e < n_experts; e++)
			ranked[e] = (Ranked){(double)logits[t * n_experts + e], e};
		qsort(ranked, n_experts, sizeof *ranked, compare_ranked);
		for (size_t i = 0; i < k; i++)
			total += exp(ranked[i].logit);
		for (size_t i = 0; i < k; i++) {
			expected[t * k + i] = ranked[i].expert;
			weights[t * k + i] = router == WEFT_ROUTER_SIGMOID
						     ? 1 / (1 + exp(-ranked[i].logit))
						     : exp(ranked[i].logit) / total;
		}
	}
	for (size_t i = 0; i < tiers.n; i++) {
		WeftKernels *kernels = tiers.eight[i];
		float *weight = check_output(n);
		kernels->router_topk(kernels->team, index, weight, logits, n_rows, n_experts, k, router);
		g_assert_cmpmem(index, n * sizeof *index, expected, n * sizeof *expected);
		check_near("weights", weight, weights, n, (double)(4 + k) * 0x1p-24); /* roundings */
		check_output_free(weight, n);
	}
	check_free(logits);
	g_free(expected);
	g_free(index);
	g_free(weights);
}

static void test_router(void)
{
	check_router(1, 200, 16, 1, WEFT_ROUTER_SIGMOID);
	check_router(2, 300, 128, 1, WEFT_ROUTER_SIGMOID);
	check_router(3, 300, 8, 2, WEFT_ROUTER_SOFTMAX);
	check_router(4, 9, 5, 5, WEFT_ROUTER_SOFTMAX);
	check_router(5, 9, 7, 3, WEFT_ROUTER_SIGMOID);
	check_router(6, 9, 1, 1, WEFT_ROUTER_SIGMOID);
}

static WeftNpy *golden(const char *name)
{
	g_autofree char *path = g_build_filename(WEFT_GOLDEN, "router", name, NULL);
	g_autoptr(GError) error = NULL;
	WeftNpy *array = weft_npy_read(path, &error);
	g_assert_no_error(error);
	return array;
}

/* transformers takes the softmax over all experts and divides the chosen by their sum; that is the
 * softmax over the chosen. */
static void test_router_mixtral(void)
{
	g_autoptr(WeftNpy) logits = golden("mixtral.logits.npy");
	g_autoptr(WeftNpy) index = golden("mixtral.index.npy");
	g_autoptr(WeftNpy) weights = golden("mixtral.weights.npy");
	size_t n_rows = logits->shape[0], n_experts = logits->shape[1], k = index->shape[1];
	size_t n = n_rows * k;
	g_autofree double *expected = g_new(double, n);
	g_autofree guint32 *chosen = g_new(guint32, n);
	for (size_t i = 0; i < n; i++)
		expected[i] = (double)weights->f32[i];
	for (size_t i = 0; i < tiers.n; i++) {
		WeftKernels *kernels = tiers.one[i];
		float *weight = check_output(n);
		kernels->router_topk(kernels->team, chosen, weight, logits->f32, n_rows, n_experts, k,
				     WEFT_ROUTER_SOFTMAX);
		g_assert_cmpmem(chosen, n * sizeof *chosen, index->i32, n * sizeof *chosen);
		/* Two exponentials of 1.5 and three operations on both sides. */
		check_near("weights", weight, expected, n, 8 * 0x1p-24);
		check_output_free(weight, n);
	}
}

/* NaN loses against everything, and a row of NaN still names experts that exist. */
static void test_router_nan(void)
{
	const float logits[6] = {NAN, -1, NAN, NAN, NAN, NAN};
	for (size_t i = 0; i < tiers.n; i++) {
		WeftKernels *k = tiers.one[i];
		guint32 index[4];
		float weight[4];
		k->router_topk(k->team, index, weight, logits, 2, 3, 2, WEFT_ROUTER_SIGMOID);
		g_assert_cmpuint(index[0], ==, 1);
		g_assert_cmpuint(index[1], ==, 0);
		g_assert_cmpuint(index[2], ==, 0);
		g_assert_cmpuint(index[3], ==, 1);
		g_assert_true(weight[1] == 0 && weight[2] == 0 && weight[3] == 0);
		/* Softmax: what has no number has no weight; without any number there is none. */
		k->router_topk(k->team, index, weight, logits, 2, 3, 2, WEFT_ROUTER_SOFTMAX);
		g_assert_cmpuint(index[0], ==, 1);
		g_assert_cmpuint(index[1], ==, 0);
		g_assert_cmpuint(index[2], ==, 0);
		g_assert_cmpuint(index[3], ==, 1);
		g_assert_true(weight[0] == 1 && weight[1] == 0 && isnan(weight[2]) && isnan(weight[3]));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	check_tiers_init(&tiers);
	g_test_add_func("/rows/fetch", test_fetch);
	g_test_add_func("/rows/add", test_add);
	g_test_add_func("/rows/router", test_router);
	g_test_add_func("/rows/router-mixtral", test_router_mixtral);
	g_test_add_func("/rows/router-nan", test_router_nan);
	int status = g_test_run();
	check_tiers_done(&tiers);
	return status;
}
