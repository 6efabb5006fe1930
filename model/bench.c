#include "model/bench.h"

#include <math.h>

#include "base/error.h"

/* Positions of the first piece, and of the sample whose pages are copied over and over: enough that
 * no two neighbours are alike. */
#define FIRST_ROWS WEFT_PAGE_POSITIONS
#define SAMPLE_ROWS (4 * WEFT_PAGE_POSITIONS)
#define SEED 20 /* of the tokens, and of the keys and values */

struct WeftBench {
	WeftPass *pass;
	WeftPagePool *pool;
	GRand *rand;
	gsize n_sequences, n_filled, depth;
	WeftCache **begun, **caches; /* [n_sequences]: as filled; as they go on */
	gsize *positions;            /* [n_sequences] */
	double *k_size, *v_size;     /* [n_layers]: root mean squares of the first piece */
	WeftPagePool *sample_pool;   /* of its own, so that the limit is for what is measured */
	WeftCache *sample;           /* while sequences are being filled */
	float *logits;               /* [n_sequences, V] */
};

static void embed_random(WeftBench *bench, gsize row, gsize n)
{
	gint32 ids[WEFT_PIECE_ROWS];
	g_assert(n <= G_N_ELEMENTS(ids));
	for (gsize i = 0; i < n; i++)
		ids[i] = g_rand_int_range(bench->rand, 0, (gint32)bench->pass->arch->n_vocab);
	weft_pass_embed(bench->pass, row, ids, n, NULL);
}

static double root_mean_square(const WeftBench *bench, const void *page)
{
	const WeftArch *arch = bench->pass->arch;
	const WeftKernels *kernels = bench->pass->kernels;
	gsize n = FIRST_ROWS * arch->n_kv_heads * arch->head_width;
	g_autofree float *numbers = g_new(float, n);
	WeftDtype dtype = weft_page_pool_dtype(bench->pool);
	double sum = 0;
	kernels->to_f32(kernels->team, numbers, page, dtype, n);
	for (gsize i = 0; i < n; i++)
		sum += (double)numbers[i] * (double)numbers[i];
	return sqrt(sum / (double)n);
}

static gboolean run_first(WeftBench *bench, GError **error)
{
	g_autoptr(WeftCache) cache = weft_cache_new(bench->pool);
	WeftSegment segment = {.cache = cache, .n_rows = FIRST_ROWS};
	const guint32 row = 0;
	if (!weft_cache_extend(cache, 0, FIRST_ROWS, error))
		return FALSE;
	embed_random(bench, 0, FIRST_ROWS);
	weft_pass_run(bench->pass, &segment, 1);
	weft_pass_logits(bench->pass, &row, 1, bench->logits);
	for (gsize i = 0; i < bench->pass->arch->n_layers; i++) {
		bench->k_size[i] = root_mean_square(bench, weft_cache_k_pages(cache, i)[0]);
		bench->v_size[i] = root_mean_square(bench, weft_cache_v_pages(cache, i)[0]);
	}
	return TRUE;
}

WeftBench *weft_bench_of_pass(WeftPass *pass, WeftPagePool *pool, gsize n_sequences,
			      GError **error)
{
	g_autoptr(WeftBench) bench = g_new0(WeftBench, 1);
	if (n_sequences < 1 || n_sequences > WEFT_BATCH_MAX) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_USAGE,
			    "a batch of %" G_GSIZE_FORMAT ", possible 1 to %d", n_sequences,
			    WEFT_BATCH_MAX);
		return NULL;
	}
	bench->pass = pass;
	bench->pool = pool;
	bench->n_sequences = n_sequences;
	bench->rand = g_rand_new_with_seed(SEED);
	bench->begun = g_new0(WeftCache *, n_sequences);
	bench->caches = g_new0(WeftCache *, n_sequences);
	bench->positions = g_new0(gsize, n_sequences);
	bench->k_size = g_new0(double, pass->arch->n_layers);
	bench->v_size = g_new0(double, pass->arch->n_layers);
	for (gsize i = 0; i < n_sequences; i++)
		bench->begun[i] = weft_cache_new(pool);
	weft_bench_rewind(bench);
	bench->logits = weft_kernels_alloc(pass->kernels, n_sequences * pass->arch->n_vocab,
					   sizeof(float), error);
	if (!bench->logits || !run_first(bench, error))
		return NULL;
	return g_steal_pointer(&bench);
}

void weft_bench_free(WeftBench *bench)
{
	if (!bench)
		return;
	for (gsize i = 0; i < bench->n_sequences; i++) {
		weft_cache_free(bench->begun[i]);
		weft_cache_free(bench->caches[i]);
	}
	weft_cache_free(bench->sample);
	weft_page_pool_free(bench->sample_pool);
	weft_kernels_free(bench->pass->kernels, bench->logits);
	g_rand_free(bench->rand);
	g_free(bench->begun);
	g_free(bench->caches);
	g_free(bench->positions);
	g_free(bench->k_size);
	g_free(bench->v_size);
	g_free(bench);
}

/* Box and Muller: numbers of a normal distribution. */
static void fill_normal(GRand *rand, float *numbers, gsize n, double size)
{
	for (gsize i = 0; i < n; i++) {
		double radius = sqrt(-2 * log(1 - g_rand_double(rand)));
		double angle = 2 * G_PI * g_rand_double(rand);
		numbers[i] = (float)(size * radius * cos(angle));
	}
}

static gboolean make_sample(WeftBench *bench, GError **error)
{
	const WeftArch *arch = bench->pass->arch;
	gsize n = SAMPLE_ROWS * arch->n_kv_heads * arch->head_width;
	g_autofree float *k = g_new(float, n);
	g_autofree float *v = g_new(float, n);
	const WeftPagePoolOptions options = {.dtype = weft_page_pool_dtype(bench->pool)};
	bench->sample_pool = weft_page_pool_new(arch, bench->pass->kernels, &options, error);
	if (!bench->sample_pool)
		return FALSE;
	WeftCache *sample = bench->sample = weft_cache_new(bench->sample_pool);
	if (!weft_cache_extend(sample, 0, SAMPLE_ROWS, error))
		return FALSE;
	for (gsize i = 0; i < arch->n_layers; i++) {
		fill_normal(bench->rand, k, n, bench->k_size[i]);
		fill_normal(bench->rand, v, n, bench->v_size[i]);
		weft_cache_store(sample, i, 0, SAMPLE_ROWS, k, v);
	}
	return TRUE;
}

gboolean weft_bench_fill(WeftBench *bench, gsize depth, GError **error)
{
	g_assert(bench->n_filled < bench->n_sequences &&
		 (bench->n_filled == 0 || bench->depth == depth));
	if (!bench->sample && !make_sample(bench, error))
		return FALSE;
	if (!weft_cache_fill(bench->begun[bench->n_filled], bench->sample, depth, error))
		return FALSE;
	bench->depth = depth;
	if (++bench->n_filled == bench->n_sequences) {
		g_clear_pointer(&bench->sample, weft_cache_free);
		g_clear_pointer(&bench->sample_pool, weft_page_pool_free);
		weft_bench_rewind(bench);
	}
	return TRUE;
}

void weft_bench_rewind(WeftBench *bench)
{
	for (gsize i = 0; i < bench->n_sequences; i++) {
		weft_cache_free(bench->caches[i]);
		bench->caches[i] = weft_cache_share(bench->begun[i]);
		bench->positions[i] = bench->depth;
	}
}

gboolean weft_bench_advance(WeftBench *bench, gsize position, gsize *ret_n_rows, GError **error)
{
	g_autofree WeftSegment *segments = g_new(WeftSegment, bench->n_sequences);
	g_autofree guint32 *last_rows = g_new(guint32, bench->n_sequences);
	gsize n = 0, n_last = 0, row = 0;
	for (gsize i = 0; i < bench->n_sequences && row < WEFT_STEP_ROWS; i++) {
		gsize at = bench->positions[i];
		gsize n_rows = MIN(WEFT_PIECE_ROWS, WEFT_STEP_ROWS - row);
		if (at >= position)
			continue;
		n_rows = MIN(n_rows, position - at);
		if (!weft_cache_extend(bench->caches[i], at, n_rows, error))
			return FALSE;
		embed_random(bench, row, n_rows);
		segments[n++] = (WeftSegment){
			.cache = bench->caches[i], .row_first = row, .n_rows = n_rows, .position = at};
		bench->positions[i] += n_rows;
		row += n_rows;
		if (bench->positions[i] == position)
			last_rows[n_last++] = (guint32)(row - 1);
	}
	if (n > 0)
		weft_pass_run(bench->pass, segments, n);
	if (n_last > 0)
		weft_pass_logits(bench->pass, last_rows, n_last, bench->logits);
	*ret_n_rows = row;
	return TRUE;
}
