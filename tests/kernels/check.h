/* check.h - what the kernel checks share: operands with traps around them, and comparison.
 *
 * Inputs lie between NaN, at addresses that no vector is aligned to; outputs lie between guard
 * words. Numbers come from a fixed generator. A comparison is !(|a - b| <= tolerance), so that NaN
 * never passes.
 */
#ifndef WEFT_TESTS_KERNELS_CHECK_H
#define WEFT_TESTS_KERNELS_CHECK_H

#include <glib.h>

#include "kernels/kernels.h"

/* Every tier that this machine supports, ref first, each with 1 and with 8 threads; opened once. */
#define CHECK_TIERS_MAX 4

typedef struct CheckTiers {
	size_t n;
	WeftKernels *one[CHECK_TIERS_MAX];   /* 1 thread */
	WeftKernels *eight[CHECK_TIERS_MAX]; /* 8 threads */
} CheckTiers;

void check_tiers_init(CheckTiers *tiers);
void check_tiers_done(CheckTiers *tiers);

/* Uniform in -1..1; the state is any number. */
float check_random(guint64 *state);
/* 0 .. limit - 1 */
size_t check_random_below(guint64 *state, size_t limit);

/* `n` random numbers between NaN, not aligned to more than 4 bytes. Freed with check_free. */
float *check_floats(guint64 *state, size_t n);
/* Random numbers of a dtype (`cols` is whole blocks), every row followed by `gap` NaNs (formats with
 * blocks of many numbers: by `gap` bytes), and NaN around. The view's data is freed with
 * check_free. */
WeftTensor check_matrix(guint64 *state, WeftDtype dtype, size_t rows, size_t cols, size_t gap);
/* The number as f64. */
double check_at(const WeftTensor *matrix, size_t row, size_t col);
void check_free(const void *inputs);

/* Room for `n` floats between guards, filled with NaN. check_output_free fails the test when a
 * guard was touched. */
float *check_output(size_t n);
void check_output_free(float *output, size_t n);

/* Fails the test unless all |a - b| <= tolerance. */
void check_near(const char *what, const float *a, const double *b, size_t n, double tolerance);
/* Fails the test unless all bits agree. */
void check_same(const char *what, const float *a, const float *b, size_t n);

#endif
