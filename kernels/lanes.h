/* lanes.h - what the operations in C share: sums in sixteen fixed lanes, and exp and erfc that are
 * the same on every machine.
 *
 * Private to kernels/. A sum over n numbers has sixteen lanes, lane i taking the numbers i, i + 16,
 * i + 32 ... in order; then the upper half is added to the lower until one is left. The compiler
 * may use vectors of any width for this: the result is the same. libm's expf and erff choose their
 * code by the machine, so they are not used.
 */
#ifndef WEFT_KERNELS_LANES_H
#define WEFT_KERNELS_LANES_H

#include <math.h>
#include <stddef.h>

#include "kernels/dtype.h"

#define WEFT_LANES 16

/* GNU vectors: read and written anywhere in an array of float. */
typedef float WeftLanes __attribute__((vector_size(4 * WEFT_LANES), aligned(4), may_alias));

static inline const WeftLanes *weft_lanes_at(const float *x)
{
	return (const WeftLanes *)(const void *)x;
}

/* Joins the lanes in the fixed tree. */
static inline float weft_lanes_sum(const WeftLanes *lanes)
{
	float part[WEFT_LANES];
	memcpy(part, lanes, sizeof part);
	for (size_t half = WEFT_LANES / 2; half > 0; half /= 2)
		for (size_t i = 0; i < half; i++)
			part[i] += part[i + half];
	return part[0];
}

static inline float weft_dot(const float *a, const float *b, size_t n)
{
	WeftLanes sum = {0};
	size_t i = 0;
	for (; i + WEFT_LANES <= n; i += WEFT_LANES)
		sum += *weft_lanes_at(a + i) * *weft_lanes_at(b + i);
	if (i < n) {
		float a_tail[WEFT_LANES] = {0}, b_tail[WEFT_LANES] = {0};
		memcpy(a_tail, a + i, (n - i) * sizeof *a);
		memcpy(b_tail, b + i, (n - i) * sizeof *b);
		sum += *weft_lanes_at(a_tail) * *weft_lanes_at(b_tail);
	}
	return weft_lanes_sum(&sum);
}

/* Sum of squares of x - offset, in f64, in eight lanes. */
static inline double weft_sum_squares(const float *x, size_t n, double offset)
{
	double part[8] = {0};
	size_t i = 0;
	for (; i + 8 <= n; i += 8)
		for (size_t j = 0; j < 8; j++)
			part[j] += ((double)x[i + j] - offset) * ((double)x[i + j] - offset);
	for (size_t j = 0; i + j < n; j++)
		part[j] += ((double)x[i + j] - offset) * ((double)x[i + j] - offset);
	return ((part[0] + part[4]) + (part[2] + part[6])) +
	       ((part[1] + part[5]) + (part[3] + part[7]));
}

static inline double weft_sum(const float *x, size_t n)
{
	double part[8] = {0};
	size_t i = 0;
	for (; i + 8 <= n; i += 8)
		for (size_t j = 0; j < 8; j++)
			part[j] += (double)x[i + j];
	for (size_t j = 0; i + j < n; j++)
		part[j] += (double)x[i + j];
	return ((part[0] + part[4]) + (part[2] + part[6])) +
	       ((part[1] + part[5]) + (part[3] + part[7]));
}

/* e^x to 1.5 units in the last place; 0 below -87.3 (no subnormal results), infinity above 88.72.
 * x = n ln 2 + r with |r| <= ln(2)/2; e^r by its Taylor polynomial of degree 7, whose remainder is
 * 5e-9. No branch, so that loops over it become vectors. */
static inline float weft_exp(float x)
{
	const float log2_e = 1.44269504f, ln2_high = 0x1.62e400p-1f, ln2_low = 0x1.7f7d1cp-20f;
	const float to_integer = 0x1.8p23f; /* adding it rounds to an integer */
	float inside = x < -87.3f ? -87.3f : x;
	inside = inside > 88.8f ? 88.8f : inside;
	float n = (inside * log2_e + to_integer) - to_integer;
	float r = (inside - n * ln2_high) - n * ln2_low;
	float e = 1.0f / 5040;
	e = e * r + 1.0f / 720;
	e = e * r + 1.0f / 120;
	e = e * r + 1.0f / 24;
	e = e * r + 1.0f / 6;
	e = e * r + 0.5f;
	e = e * r + 1.0f;
	e = e * r + 1.0f;
	/* 2^n in two factors: n may be 128. NaN gives 0 here and comes back through e. */
	int32_t power = (int32_t)(n == n ? n : 0.0f);
	int32_t half = power / 2;
	float y = e * weft_f32_from_bits((uint32_t)(half + 127) << 23) *
		  weft_f32_from_bits((uint32_t)(power - half + 127) << 23);
	return x < -87.3f ? 0.0f : y;
}

/* erfc(z) for z >= 0, to 3 units in the last place where exp(-z^2) is (the rounding of z^2 shows in
 * the far tail). exp(-z^2) t P(t), t = 1/(1 + z/2); coefficients by tools/fit_erfc.py. */
static inline float weft_erfc(float z)
{
	float t = 1.0f / (1.0f + 0.5f * z);
	float p = -0.0597149208f;
	p = p * t + 0.287768304f;
	p = p * t - 0.493863642f;
	p = p * t + 0.285697699f;
	p = p * t - 0.0318417586f;
	p = p * t + 0.204853654f;
	p = p * t + 0.242572889f;
	p = p * t + 0.282445043f;
	p = p * t + 0.282082677f;
	return weft_exp(-z * z) * t * p;
}

#endif
