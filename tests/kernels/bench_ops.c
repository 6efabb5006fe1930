/* Speed of the operations beside gemm, at the sizes of the vision tower (577 rows of 1408, 16 heads
 * of 88) and of one decoded token. bench_ops [THREADS]; run by `meson test --benchmark`. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kernels/kernels.h"

#define ROWS 577
#define WIDTH 5632
#define KEYS 4096
#define PAGES (KEYS / WEFT_PAGE_POSITIONS)

typedef struct Bench {
	const WeftKernels *k;
	float *x, *y;
	WeftAttention tile, token;
} Bench;

static void run_gelu(const Bench *b)
{
	b->k->gelu(b->k->team, b->y, b->x, ROWS * WIDTH);
}

static void run_swiglu(const Bench *b)
{
	b->k->swiglu(b->k->team, b->y, b->x, b->x, ROWS, WIDTH, WIDTH);
}

static void run_layernorm(const Bench *b)
{
	b->k->layernorm(b->k->team, b->y, b->x, NULL, NULL, ROWS, WIDTH, 1e-5f);
}

static void run_rmsnorm(const Bench *b)
{
	b->k->rmsnorm(b->k->team, b->y, b->x, NULL, ROWS, WIDTH, 1e-5f);
}

static void run_softmax(const Bench *b)
{
	b->k->softmax(b->k->team, b->y, b->x, ROWS, WIDTH);
}

static void run_spectrum(const Bench *b)
{
	double window[400] = {0};
	b->k->power_spectrum(b->k->team, b->y, b->x, window, 3000, 400, 160);
}

static void run_tile(const Bench *b)
{
	b->k->attention(b->k->team, &b->tile, 1);
}

static void run_token(const Bench *b)
{
	b->k->attention(b->k->team, &b->token, 1);
}

/* Processor time while there is one thread (a busy machine does not show), else the clock. */
static double now(const WeftKernels *k)
{
	struct timespec at;
	clock_gettime(weft_team_n_threads(k->team) == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC,
		      &at);
	return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static void measure(const Bench *b, const char *name, void (*run)(const Bench *), double n_million)
{
	double best = 1e9, total = 0;
	for (int i = 0; i < 3 || total < 0.2; i++) {
		double start = now(b->k);
		run(b);
		double seconds = now(b->k) - start;
		best = MIN(best, MAX(seconds, 1e-6));
		total += seconds;
	}
	printf("# %-6s %-28s %9.3f ms %9.1f million/s\n", b->k->name, name, best * 1e3,
	       n_million / best);
}

int main(int argc, char **argv)
{
	static const char *const tiers[] = {"ref", "avx2", "avx512"};
	guint32 key_first[ROWS] = {0}, key_end[ROWS], all = KEYS;
	const void *pages[PAGES];
	g_autofree float *x = g_new0(float, ROWS * WIDTH);
	g_autofree float *y = g_new0(float, ROWS * WIDTH);
	for (size_t i = 0; i < ROWS * WIDTH; i++)
		x[i] = (float)(i % 1000) * 0.002f - 1;
	for (size_t i = 0; i < ROWS; i++)
		key_end[i] = ROWS;
	for (size_t i = 0; i < PAGES; i++)
		pages[i] = x + i * 1000;
	for (size_t i = 0; i < G_N_ELEMENTS(tiers); i++) {
		g_autoptr(WeftKernels) k = weft_kernels_open(tiers[i], argc > 1 ? atoi(argv[1]) : 1, NULL);
		if (!k)
			continue;
		Bench b = {.k = k, .x = x, .y = y};
		b.tile = (WeftAttention){.y = y, .q = x, .k_pages = pages, .v_pages = pages,
					 .key_first = key_first, .key_end = key_end, .n_rows = ROWS,
					 .n_heads = 16, .n_kv_heads = 16, .head_width = 88, .scale = 0.1f};
		b.token = (WeftAttention){.y = y, .q = x, .k_pages = pages, .v_pages = pages,
					  .dtype = WEFT_DTYPE_BF16, .key_first = key_first,
					  .key_end = &all, .n_rows = 1, .n_heads = 40, .n_kv_heads = 8,
					  .head_width = 128, .scale = 0.1f};
		measure(&b, "gelu [577,5632]", run_gelu, ROWS * WIDTH * 1e-6);
		measure(&b, "swiglu [577,5632]", run_swiglu, ROWS * WIDTH * 1e-6);
		measure(&b, "layernorm [577,5632]", run_layernorm, ROWS * WIDTH * 1e-6);
		measure(&b, "rmsnorm [577,5632]", run_rmsnorm, ROWS * WIDTH * 1e-6);
		measure(&b, "softmax [577,5632]", run_softmax, ROWS * WIDTH * 1e-6);
		measure(&b, "attention tile (x 4 = FLOP)", run_tile, 16e-6 * ROWS * ROWS * 88);
		measure(&b, "attention token (x 4 = FLOP)", run_token, 40e-6 * KEYS * 128);
		measure(&b, "spectrum of 30 s (frames)", run_spectrum, 3000e-6);
	}
	return 0;
}
