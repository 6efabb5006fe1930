/* attention of every tier against an f64 softmax, rows alone, 1 thread against 8. */
#include <math.h>

#include "check.h"

#define PAGE WEFT_PAGE_POSITIONS

static CheckTiers tiers;

/* Keys and values of S positions: the f64 truth and the same in pages. Positions behind the last
 * are NaN, as is everything around a page. */
typedef struct Cache {
	size_t n_positions, width; /* G * D */
	double *values;
	GPtrArray *pages;
} Cache;

typedef struct Case {
	size_t n_rows, n_positions, n_heads, n_kv_heads, head_width;
	WeftDtype dtype;
	enum { CAUSAL, CHUNKED, FULL, RANDOM } sight;
} Case;

static Cache cache_new(guint64 *state, const Case *c)
{
	Cache cache = {c->n_positions, c->n_kv_heads * c->head_width, NULL, g_ptr_array_new()};
	cache.values = g_new(double, cache.n_positions * cache.width + 1);
	for (size_t start = 0; start < cache.n_positions; start += PAGE) {
		WeftTensor page = check_matrix(state, c->dtype, PAGE, cache.width, 0);
		for (size_t i = 0; i < PAGE; i++) {
			char *row = (char *)(guintptr)weft_tensor_row(&page, i);
			for (size_t j = 0; j < cache.width && start + i < cache.n_positions; j++)
				cache.values[(start + i) * cache.width + j] = check_at(&page, i, j);
			if (start + i >= cache.n_positions)
				memset(row, 0xff, page.row_bytes); /* NaN in every type */
		}
		g_ptr_array_add(cache.pages, (gpointer)(guintptr)page.data);
	}
	return cache;
}

static void cache_free(Cache *cache)
{
	for (size_t i = 0; i < cache->pages->len; i++)
		check_free(g_ptr_array_index(cache->pages, i));
	g_ptr_array_free(cache->pages, TRUE);
	g_free(cache->values);
}

static void expected_row(double *y, double *probabilities, const WeftAttention *job, size_t t,
			 size_t head, const Cache *keys, const Cache *values)
{
	size_t width = job->head_width, end = job->key_end[t];
	size_t offset = head / (job->n_heads / job->n_kv_heads) * width;
	const float *q = job->q + (t * job->n_heads + head) * width;
	double total = 0, max = -INFINITY;
	for (size_t s = 0; s < end; s++) {
		double score = 0;
		for (size_t d = 0; d < width; d++)
			score += (double)q[d] * keys->values[s * keys->width + offset + d];
		probabilities[s] = s < job->key_first[t] ? -INFINITY : score * (double)job->scale;
		max = MAX(max, probabilities[s]);
	}
	for (size_t s = 0; s < end; s++)
		total += probabilities[s] = isinf(max) ? 0 : exp(probabilities[s] - max);
	for (size_t d = 0; d < width; d++)
		y[d] = 0;
	for (size_t s = 0; s < end && total > 0; s++) {
		probabilities[s] /= total;
		for (size_t d = 0; d < width; d++)
			y[d] += probabilities[s] * values->values[s * values->width + offset + d];
	}
}

static void fill_sight(const Case *c, guint32 *key_first, guint32 *key_end, guint64 *state)
{
	for (size_t t = 0; t < c->n_rows; t++) {
		size_t position = c->n_positions - c->n_rows + t, chunk = 48;
		key_first[t] = 0;
		key_end[t] = (guint32)(c->sight == FULL ? c->n_positions : position + 1);
		if (c->sight == CHUNKED)
			key_first[t] = (guint32)(position / chunk * chunk);
		if (c->sight == RANDOM) { /* sometimes nothing is seen */
			key_end[t] = (guint32)check_random_below(state, c->n_positions + 1);
			key_first[t] = (guint32)check_random_below(state, c->n_positions + 1);
		}
	}
}

/* Each row alone gives the bits that it has among the others. */
static void check_alone(const WeftKernels *kernels, const WeftAttention *all)
{
	size_t n = all->n_heads * all->head_width;
	for (size_t t = 0; t < all->n_rows; t += 1 + all->n_rows / 9) {
		WeftAttention row = *all;
		row.y = check_output(n);
		row.q += t * n;
		row.key_first += t;
		row.key_end += t;
		row.n_rows = 1;
		row.mass = NULL;
		kernels->attention(kernels->team, &row, 1);
		check_same("row alone", row.y, all->y + t * n, n);
		check_output_free(row.y, n);
	}
}

static void check_tier(size_t tier, WeftAttention job, const double *expected, const double *mass)
{
	size_t n = job.n_rows * job.n_heads * job.head_width;
	size_t n_mass = job.n_heads * job.key_end[job.n_rows - 1];
	float *one = check_output(n), *eight = check_output(n);
	job.mass = check_output(n_mass);
	job.y = one;
	tiers.one[tier]->attention(tiers.one[tier]->team, &job, 1);
	/* |v| <= 1 and probabilities sum to 1. Scores of |q.k| / sqrt(D) <= sqrt(D) carry D roundings
	 * of 2^-24: relative error of a probability below sqrt(D) * 2^-20 for D <= 256. */
	double tolerance = sqrt((double)job.head_width) * 0x1p-20;
	check_near("values", one, expected, n, tolerance);
	check_near("mass", job.mass, mass, n_mass, tolerance);
	check_output_free(job.mass, n_mass);
	job.mass = NULL;
	WeftAttention twice[2] = {job, job}; /* two jobs at once */
	float *other = check_output(n);
	twice[0].y = eight;
	twice[1].y = other;
	tiers.eight[tier]->attention(tiers.eight[tier]->team, twice, 2);
	check_same("8 threads", one, eight, n);
	check_same("second job", one, other, n);
	check_alone(tiers.eight[tier], &job);
	check_output_free(other, n);
	check_output_free(one, n);
	check_output_free(eight, n);
}

static void check_case(const Case *c, guint64 seed)
{
	guint64 state = seed;
	Cache keys = cache_new(&state, c), values = cache_new(&state, c);
	size_t n = c->n_rows * c->n_heads * c->head_width;
	guint32 *key_first = g_new(guint32, c->n_rows), *key_end = g_new(guint32, c->n_rows);
	fill_sight(c, key_first, key_end, &state);
	WeftAttention job = {
		.q = check_floats(&state, n),
		.k_pages = (const void *const *)keys.pages->pdata,
		.v_pages = (const void *const *)values.pages->pdata,
		.dtype = c->dtype,
		.key_first = key_first,
		.key_end = key_end,
		.n_rows = c->n_rows,
		.n_heads = c->n_heads,
		.n_kv_heads = c->n_kv_heads,
		.head_width = c->head_width,
		.scale = (float)(1 / sqrt((double)c->head_width)),
	};
	double *expected = g_new(double, n), *row = g_new(double, c->n_positions + 1);
	size_t n_mass = key_end[c->n_rows - 1];
	double *mass = g_new(double, c->n_heads * n_mass + 1);
	for (size_t i = 0; i < c->n_rows * c->n_heads; i++) {
		size_t t = i / c->n_heads, head = i % c->n_heads;
		gboolean is_last = t == c->n_rows - 1;
		expected_row(expected + i * c->head_width, is_last ? mass + head * n_mass : row, &job,
			     t, head, &keys, &values);
	}
	for (size_t i = 0; i < tiers.n; i++)
		check_tier(i, job, expected, mass);
	check_free(job.q);
	g_free(key_first);
	g_free(key_end);
	g_free(expected);
	g_free(row);
	g_free(mass);
	cache_free(&keys);
	cache_free(&values);
}

static void test_causal(void)
{
	const Case cases[] = {
		{1, 1, 1, 1, 8, WEFT_DTYPE_F32, CAUSAL},    {64, 64, 4, 2, 16, WEFT_DTYPE_BF16, CAUSAL},
		{65, 65, 4, 1, 33, WEFT_DTYPE_F32, CAUSAL}, {1, 300, 10, 2, 128, WEFT_DTYPE_BF16, CAUSAL},
		{7, 200, 6, 6, 88, WEFT_DTYPE_F16, CAUSAL}, {33, 150, 5, 1, 1, WEFT_DTYPE_F32, CAUSAL},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		check_case(&cases[i], i + 1);
}

static void test_chunked(void)
{
	const Case cases[] = {{150, 150, 4, 2, 16, WEFT_DTYPE_BF16, CHUNKED},
			      {1, 97, 4, 2, 24, WEFT_DTYPE_F32, CHUNKED},
			      {1, 144, 4, 2, 24, WEFT_DTYPE_F32, CHUNKED}};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		check_case(&cases[i], i + 1);
}

static void test_full(void)
{
	const Case cases[] = {{145, 145, 4, 4, 88, WEFT_DTYPE_F32, FULL},
			      {100, 100, 2, 2, 64, WEFT_DTYPE_F32, FULL},
			      {3, 250, 2, 2, 512, WEFT_DTYPE_F16, FULL}};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		check_case(&cases[i], i + 1);
}

static void test_random_sight(void)
{
	guint64 state = 9;
	for (guint64 seed = 1; seed <= 30; seed++) {
		size_t n_kv_heads = 1 + check_random_below(&state, 3);
		Case c = {1 + check_random_below(&state, 40),
			  40 + check_random_below(&state, 260),
			  n_kv_heads * (1 + check_random_below(&state, 5)),
			  n_kv_heads,
			  1 + check_random_below(&state, 80),
			  (WeftDtype)(seed % WEFT_DTYPE_HALVES_END),
			  RANDOM};
		check_case(&c, seed);
	}
}

/* Caches in blocks of 32 numbers: the same, every head begins with a block. */
static void test_blocks(void)
{
	const Case cases[] = {{70, 130, 6, 2, 32, WEFT_DTYPE_Q8_0, CAUSAL},
			      {1, 300, 10, 2, 128, WEFT_DTYPE_Q8_0, CAUSAL},
			      {1, 200, 4, 4, 64, WEFT_DTYPE_Q4_0, CAUSAL},
			      {40, 150, 5, 1, 96, WEFT_DTYPE_Q4_0, CHUNKED},
			      {9, 99, 4, 2, 160, WEFT_DTYPE_Q8_0, RANDOM}};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		check_case(&cases[i], i + 1);
}

/* One key/value head for so many query heads that their sums do not fit the scratch memory. */
static void test_large_group(void)
{
	const Case c = {2, 70, 300, 1, 512, WEFT_DTYPE_F32, CAUSAL};
	check_case(&c, 3);
}

/* Pages below the first visible key may be gone. */
static void test_missing_pages(void)
{
	guint64 state = 5;
	const Case c = {1, 200, 2, 1, 8, WEFT_DTYPE_F32, CAUSAL};
	Cache keys = cache_new(&state, &c), values = cache_new(&state, &c);
	guint32 key_first = 130, key_end = 200;
	const void *k_pages[] = {NULL, NULL, keys.pages->pdata[2], keys.pages->pdata[3]};
	const void *v_pages[] = {NULL, NULL, values.pages->pdata[2], values.pages->pdata[3]};
	float *q = check_floats(&state, 16);
	WeftAttention job = {.q = q, .k_pages = k_pages, .v_pages = v_pages, .key_first = &key_first,
			     .key_end = &key_end, .n_rows = 1, .n_heads = 2, .n_kv_heads = 1,
			     .head_width = 8, .scale = 1};
	double expected[16], mass[200];
	for (size_t head = 0; head < 2; head++)
		expected_row(expected + head * 8, mass, &job, 0, head, &keys, &values);
	for (size_t i = 0; i < tiers.n; i++) {
		job.y = check_output(16);
		tiers.one[i]->attention(tiers.one[i]->team, &job, 1);
		check_near("values", job.y, expected, 16, 0x1p-18); /* as above, scores to 8 */
		check_output_free(job.y, 16);
	}
	check_free(q);
	cache_free(&keys);
	cache_free(&values);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	check_tiers_init(&tiers);
	g_test_add_func("/attention/causal", test_causal);
	g_test_add_func("/attention/chunked", test_chunked);
	g_test_add_func("/attention/full", test_full);
	g_test_add_func("/attention/random-sight", test_random_sight);
	g_test_add_func("/attention/blocks", test_blocks);
	g_test_add_func("/attention/large-group", test_large_group);
	g_test_add_func("/attention/missing-pages", test_missing_pages);
	int status = g_test_run();
	check_tiers_done(&tiers);
	return status;
}
