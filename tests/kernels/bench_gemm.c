/* Speed of gemm and gemm_kn: GFLOP/s, and GB/s of weights read, per tier, shape and threads.
 * bench_gemm [THREADS]; run by `meson test --benchmark`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/kernels.h"

/* Least time over runs that together take about this long. */
#define BENCH_S 0.1

typedef struct Shape {
	size_t n_rows, n_cols, n_inner;
} Shape;

/* Processor time while there is one thread (a busy machine does not show), else the clock. */
static double now(const WeftKernels *k)
{
	struct timespec at;
	clock_gettime(weft_team_n_threads(k->team) == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC,
		      &at);
	return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static double seconds_of(const WeftKernels *k, gboolean kn, float *y, const float *x,
			 const WeftTensor *w, size_t n_rows)
{
	double best = 1e9, total = 0;
	for (int i = 0; i < 3 || total < BENCH_S; i++) {
		double start = now(k);
		(kn ? k->gemm_kn : k->gemm)(k->team, y, x, n_rows, w, NULL);
		double seconds = now(k) - start;
		best = MIN(best, MAX(seconds, 1e-6));
		total += seconds;
	}
	return best;
}

static void bench(const WeftKernels *k, Shape shape, WeftDtype dtype)
{
	size_t n_weights = shape.n_cols * shape.n_inner;
	g_autofree float *x = g_new(float, shape.n_rows * shape.n_inner);
	g_autofree float *y = g_new0(float, shape.n_rows * shape.n_cols);
	g_autofree char *weights = g_malloc(weft_dtype_row_bytes(dtype, n_weights));
	/* Written, for memory of zeros is one page again and again; a small number in every format. */
	memset(weights, 0x11, weft_dtype_row_bytes(dtype, n_weights));
	for (size_t i = 0; i < shape.n_rows * shape.n_inner; i++)
		x[i] = 1;
	for (int kn = 0; kn < (weft_dtype_block_values(dtype) == 1 ? 2 : 1); kn++) {
		WeftTensor w = kn ? weft_tensor_matrix(weights, dtype, shape.n_inner, shape.n_cols)
				  : weft_tensor_matrix(weights, dtype, shape.n_cols, shape.n_inner);
		double seconds = seconds_of(k, kn, y, x, &w, shape.n_rows);
		double n_flops = 2.0 * (double)shape.n_rows * (double)n_weights;
		double n_bytes = (double)weft_dtype_row_bytes(dtype, n_weights);
		printf("# %-6s %-7s %-7s T=%-4zu N=%-5zu K=%-5zu %2d threads %8.1f GFLOP/s %6.1f GB/s\n",
		       k->name, kn ? "gemm_kn" : "gemm", weft_dtype_name(dtype), shape.n_rows,
		       shape.n_cols, shape.n_inner, weft_team_n_threads(k->team),
		       n_flops / seconds * 1e-9, n_bytes / seconds * 1e-9);
	}
}

int main(int argc, char **argv)
{
	static const char *const tiers[] = {"ref", "avx2", "avx512"};
	static const Shape shapes[] = {{1, 5120, 5120}, {4, 5120, 5120}, {16, 2048, 5120},
				       {64, 2048, 5120}, {512, 1408, 1408}, {577, 1408, 5632}};
	/* One row of x against more weights than a cache holds, and a prompt. */
	static const Shape stored_shapes[] = {{1, 16384, 5120}, {4, 16384, 5120}, {512, 1408, 2048}};
	int n_threads = argc > 1 ? atoi(argv[1]) : 1;
	for (size_t i = 0; i < G_N_ELEMENTS(tiers); i++) {
		g_autoptr(WeftKernels) k = weft_kernels_open(tiers[i], n_threads, NULL);
		for (size_t s = 0; k && s < G_N_ELEMENTS(shapes); s++) {
			bench(k, shapes[s], WEFT_DTYPE_BF16);
			if (shapes[s].n_rows == 512)
				bench(k, shapes[s], WEFT_DTYPE_F32);
		}
		for (size_t s = 0; k && i > 0 && s < G_N_ELEMENTS(stored_shapes); s++)
			for (int dtype = WEFT_DTYPE_BF16; dtype < WEFT_DTYPE_COUNT; dtype++)
				bench(k, stored_shapes[s], (WeftDtype)dtype);
	}
	return 0;
}
