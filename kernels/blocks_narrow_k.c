/* f32 turned into Q4_K and Q6_K, by search: the error is a weighted sum of squares, in which greater
 * numbers count more (size + root mean square of the part, as the published K formats have it).
 *
 * First every part alone: for some twenty spacings of its grid the numbers are rounded, and the
 * scale (and minimum) that fit the rounded ones best come from least squares. Then the scales of the
 * parts become integers times that of the block: for each the neighbours are tried with the numbers
 * rounded anew, and for what was chosen the block's scales are fitted, round after round.
 * Four grids are tried at once, each in a lane of its own: the result is the same wherever it runs.
 */
#include "kernels/blocks_formats.h"

#include <math.h>

#define ROUNDS 2
/* Grids that are tried at once. */
#define GRIDS 4

/* Of a Q4_K block and of a Q6_K block. */
#define Q4_PARTS 8
#define Q4_VALUES 32
#define Q6_PARTS 16
#define Q6_VALUES 16

/* The numbers of a part and how they count. */
typedef struct Part {
	const float *x;
	size_t n;
	float weight[Q4_VALUES];
	float w, wx; /* sums of weight, weight * x */
} Part;

/* A grid to which the numbers of a part are rounded, q = (x + add) * factor, and sums over the part:
 * weight * q, weight * q^2, weight * x * q. */
typedef struct Sums {
	float q, qq, xq;
} Sums;

typedef float Grids __attribute__((vector_size(4 * GRIDS)));
typedef int32_t Masks __attribute__((vector_size(4 * GRIDS)));

static inline Grids choose(Masks mask, Grids a, Grids b)
{
	return (Grids)((mask & (Masks)a) | (~mask & (Masks)b));
}

/* To the nearest integer of [low, high], ties to even; adding 1.5 * 2^23 rounds. */
static inline Grids round_within(Grids value, float low, float high)
{
	const Grids to_integer = (Grids){0} + 0x1.8p23f;
	value = choose(value > low, value, (Grids){0} + low);
	value = choose(value < high, value, (Grids){0} + high);
	return (value + to_integer) - to_integer;
}

static int round_one(float value, int low, int high)
{
	Grids rounded = round_within((Grids){value}, (float)low, (float)high);
	return (int)rounded[0];
}

static void open_part(Part *part, const float *x, size_t n)
{
	float squares = 0;
	part->x = x;
	part->n = n;
	part->w = part->wx = 0;
	for (size_t i = 0; i < n; i++)
		squares += x[i] * x[i];
	float size = sqrtf(squares / (float)n);
	for (size_t i = 0; i < n; i++) {
		part->weight[i] = size + fabsf(x[i]);
		part->w += part->weight[i];
		part->wx += part->weight[i] * x[i];
	}
}

/* The sums of four grids. */
static inline void try_grids(Sums sums[GRIDS], const Part *part, const float add[GRIDS],
			     const float factor[GRIDS], float low, float high)
{
	Grids adds, factors, q = {0}, qq = {0}, xq = {0};
	memcpy(&adds, add, sizeof adds);
	memcpy(&factors, factor, sizeof factors);
	for (size_t i = 0; i < part->n; i++) {
		Grids rounded = round_within((part->x[i] + adds) * factors, low, high);
		Grids weighted = part->weight[i] * rounded;
		q += weighted;
		qq += weighted * rounded;
		xq += weighted * part->x[i];
	}
	for (size_t i = 0; i < GRIDS; i++)
		sums[i] = (Sums){q[i], qq[i], xq[i]};
}

/* Less the sum of weight * x^2, which is the same for every choice: the error of scale * q - min. */
static inline float error_of(const Part *part, Sums sums, float scale, float min)
{
	return scale * (scale * sums.qq - 2 * sums.xq - 2 * min * sums.q) +
	       min * (min * part->w + 2 * part->wx);
}

/* A scale of the block as it is stored; beyond f16 the greatest that there is. */
static uint16_t half_of(float scale)
{
	scale = scale < 65504 ? scale : 65504;
	return weft_f16_from_f32(scale > -65504 ? scale : -65504);
}

/* The same, away from 0: the greatest integer scale then suffices. Among the subnormal numbers of
 * f16, where the scales of small weights lie, the nearest one may be far too small. */
static uint16_t half_beyond(float scale)
{
	uint16_t half = half_of(scale);
	if (fabsf(weft_f16_to_f32(half)) < fabsf(scale) && (half & 0x7fff) < 0x7bff)
		half++;
	return half;
}

static int limit(int value, int low, int high)
{
	value = value < low ? low : value;
	return value > high ? high : value;
}

static void put_half(uint8_t *at, uint16_t half)
{
	at[0] = (uint8_t)half;
	at[1] = (uint8_t)(half >> 8);
}

/* What is stored of a Q4_K block besides its numbers. */
typedef struct Q4Scales {
	uint16_t d, dmin;
	uint8_t scale[Q4_PARTS], min[Q4_PARTS];
	float error;
} Q4Scales;

/* Scale and minimum by least squares; a minimum below 0 has no place in the format. */
static void solve_q4(const Part *part, Sums sums, float *scale, float *min)
{
	float determinant = part->w * sums.qq - sums.q * sums.q;
	*scale = (part->w * sums.xq - part->wx * sums.q) / determinant;
	*min = (sums.q * sums.xq - sums.qq * part->wx) / determinant;
	if (!(determinant > 0) || !(*min > 0)) {
		*scale = sums.qq > 0 ? sums.xq / sums.qq : 0.0f;
		*min = 0;
	}
}

static void fit_q4(const Part *part, float *ret_scale, float *ret_min)
{
	float low = 0, high = part->x[0], best = INFINITY;
	for (size_t i = 0; i < part->n; i++) {
		low = part->x[i] < low ? part->x[i] : low;
		high = part->x[i] > high ? part->x[i] : high;
	}
	*ret_scale = (high - low) / 15;
	*ret_min = -low;
	if (!(high > low))
		return;
	/* 14 to 16 steps from the least to the greatest number. */
	for (int first = -10; first < 10; first += GRIDS) {
		float add[GRIDS], factor[GRIDS], scale, min;
		Sums sums[GRIDS];
		for (int i = 0; i < GRIDS; i++) {
			add[i] = -low;
			factor[i] = (15 + 0.1f * (float)(first + i)) / (high - low);
		}
		try_grids(sums, part, add, factor, 0, 15);
		for (int i = 0; i < GRIDS; i++) {
			solve_q4(part, sums[i], &scale, &min);
			float error = error_of(part, sums[i], scale, min);
			if (scale > 0 && error < best) {
				best = error;
				*ret_scale = scale;
				*ret_min = min;
			}
		}
	}
}

/* The best of a part's integer scale and minimum and of those next to them. */
static float improve_q4(const Part *part, float d, float dmin, uint8_t *scale, uint8_t *min,
			Sums *ret_sums)
{
	/* What they have comes first; a greater scale and a greater minimum go together. */
	static const int8_t steps[2 * GRIDS][2] = {{0, 0}, {1, 0}, {-1, 0}, {0, 1},
						   {0, -1}, {1, 1}, {-1, -1}, {1, 2}};
	int from_scale = *scale, from_min = *min;
	float best = INFINITY;
	for (size_t first = 0; first < 2 * GRIDS; first += GRIDS) {
		int scales[GRIDS], mins[GRIDS];
		float step[GRIDS], add[GRIDS], factor[GRIDS];
		Sums sums[GRIDS];
		for (size_t i = 0; i < GRIDS; i++) {
			scales[i] = limit(from_scale + steps[first + i][0], 0, 63);
			mins[i] = limit(from_min + steps[first + i][1], 0, 63);
			step[i] = d * (float)scales[i];
			add[i] = dmin * (float)mins[i];
			factor[i] = weft_block_inverse(step[i]);
		}
		try_grids(sums, part, add, factor, 0, 15);
		for (size_t i = 0; i < GRIDS; i++) {
			float error = error_of(part, sums[i], step[i], add[i]);
			if (!(error < best) && first + i > 0)
				continue;
			best = error;
			*scale = (uint8_t)scales[i];
			*min = (uint8_t)mins[i];
			*ret_sums = sums[i];
		}
	}
	return best;
}

/* The block's scales by least squares for the integers of its parts: d * a - dmin * b with
 * a = scale * q and b = min of the part. */
static void refit_q4(const Part *parts, const Sums *sums, Q4Scales *scales)
{
	double aa = 0, ab = 0, bb = 0, xa = 0, xb = 0;
	for (size_t i = 0; i < Q4_PARTS; i++) {
		double s = scales->scale[i], m = scales->min[i];
		aa += s * s * (double)sums[i].qq;
		ab += s * m * (double)sums[i].q;
		bb += m * m * (double)parts[i].w;
		xa += s * (double)sums[i].xq;
		xb += m * (double)parts[i].wx;
	}
	double determinant = aa * bb - ab * ab;
	double d = determinant > 0 ? (xa * bb - xb * ab) / determinant : 0;
	double dmin = determinant > 0 ? (xa * ab - xb * aa) / determinant : 0;
	if (!(d > 0) || !(dmin > 0))
		return; /* as they were */
	scales->d = half_of((float)d);
	scales->dmin = half_of((float)dmin);
}

static void put_q4(uint8_t *block, const Part *parts, const Q4Scales *scales)
{
	float d = weft_f16_to_f32(scales->d), dmin = weft_f16_to_f32(scales->dmin);
	put_half(block, scales->d);
	put_half(block + 2, scales->dmin);
	for (size_t i = 0; i < 4; i++) {
		block[4 + i] = (uint8_t)(scales->scale[i] | (scales->scale[4 + i] >> 4) << 6);
		block[8 + i] = (uint8_t)(scales->min[i] | (scales->min[4 + i] >> 4) << 6);
		block[12 + i] = (uint8_t)((scales->scale[4 + i] & 15) | (scales->min[4 + i] & 15) << 4);
	}
	memset(block + 16, 0, 128);
	for (size_t i = 0; i < Q4_PARTS; i++) {
		float add = dmin * (float)scales->min[i];
		float factor = weft_block_inverse(d * (float)scales->scale[i]);
		uint8_t *q = block + 16 + i / 2 * Q4_VALUES;
		for (size_t j = 0; j < Q4_VALUES; j++)
			q[j] |= (uint8_t)(round_one((parts[i].x[j] + add) * factor, 0, 15)
					  << i % 2 * 4);
	}
}

void weft_block_narrow_q4_k(uint8_t *block, const float *x)
{
	Part parts[Q4_PARTS];
	Sums sums[Q4_PARTS] = {{0}};
	float scale[Q4_PARTS], min[Q4_PARTS], scale_max = 0, min_max = 0;
	for (size_t i = 0; i < Q4_PARTS; i++) {
		open_part(&parts[i], x + i * Q4_VALUES, Q4_VALUES);
		fit_q4(&parts[i], &scale[i], &min[i]);
		scale_max = scale[i] > scale_max ? scale[i] : scale_max;
		min_max = min[i] > min_max ? min[i] : min_max;
	}
	Q4Scales now = {.d = half_beyond(scale_max / 63), .dmin = half_beyond(min_max / 63)}, best = now;
	for (size_t i = 0; i < Q4_PARTS; i++) {
		float d = weft_f16_to_f32(now.d), dmin = weft_f16_to_f32(now.dmin);
		now.scale[i] = (uint8_t)round_one(scale[i] * weft_block_inverse(d), 0, 63);
		now.min[i] = (uint8_t)round_one(min[i] * weft_block_inverse(dmin), 0, 63);
	}
	for (int round = 0; round < ROUNDS; round++) {
		float d = weft_f16_to_f32(now.d), dmin = weft_f16_to_f32(now.dmin);
		now.error = 0;
		for (size_t i = 0; i < Q4_PARTS; i++)
			now.error += improve_q4(&parts[i], d, dmin, &now.scale[i], &now.min[i],
						&sums[i]);
		if (round == 0 || now.error < best.error)
			best = now;
		refit_q4(parts, sums, &now);
	}
	put_q4(block, parts, &best);
}

/* What is stored of a Q6_K block besides its numbers. */
typedef struct Q6Scales {
	uint16_t d;
	int8_t scale[Q6_PARTS];
	float error;
} Q6Scales;

static float fit_q6(const Part *part)
{
	const float add[GRIDS] = {0};
	float greatest = 0, best = 0, scale = 0;
	for (size_t i = 0; i < part->n; i++)
		greatest = fabsf(part->x[i]) > fabsf(greatest) ? part->x[i] : greatest;
	/* The number of the greatest size becomes -32, or lies up to one step from it. */
	for (int first = -10; first < 10; first += GRIDS) {
		float factor[GRIDS];
		Sums sums[GRIDS];
		for (int i = 0; i < GRIDS; i++)
			factor[i] = (32 + 0.1f * (float)(first + i)) * -weft_block_inverse(greatest);
		try_grids(sums, part, add, factor, -32, 31);
		for (int i = 0; i < GRIDS; i++) {
			float fitted = sums[i].qq > 0 ? sums[i].xq / sums[i].qq : 0.0f;
			float error = error_of(part, sums[i], fitted, 0);
			if (error < best) {
				best = error;
				scale = fitted;
			}
		}
	}
	return scale;
}

static float improve_q6(const Part *part, float d, int8_t *scale, Sums *ret_sums)
{
	static const int8_t steps[GRIDS] = {0, 1, -1, 2};
	const float add[GRIDS] = {0};
	int scales[GRIDS];
	float factor[GRIDS], best = INFINITY;
	Sums sums[GRIDS];
	for (size_t i = 0; i < GRIDS; i++) {
		scales[i] = limit(*scale + steps[i], -128, 127);
		factor[i] = weft_block_inverse(d * (float)scales[i]);
	}
	try_grids(sums, part, add, factor, -32, 31);
	for (size_t i = 0; i < GRIDS; i++) {
		float error = error_of(part, sums[i], d * (float)scales[i], 0);
		if (!(error < best) && i > 0)
			continue;
		best = error;
		*scale = (int8_t)scales[i];
		*ret_sums = sums[i];
	}
	return best;
}

static void refit_q6(const Sums *sums, Q6Scales *scales)
{
	double aa = 0, xa = 0;
	for (size_t i = 0; i < Q6_PARTS; i++) {
		double s = scales->scale[i];
		aa += s * s * (double)sums[i].qq;
		xa += s * (double)sums[i].xq;
	}
	if (aa > 0)
		scales->d = half_of((float)(xa / aa));
}

static void put_q6(uint8_t *block, const Part *parts, const Q6Scales *scales)
{
	float d = weft_f16_to_f32(scales->d);
	memset(block, 0, 192);
	for (size_t i = 0; i < Q6_PARTS; i++) {
		size_t group = i / 2 % 4, at = i % 2 * Q6_VALUES;
		uint8_t *low = block + i / 8 * 64 + group % 2 * 32 + at;
		uint8_t *high = block + 128 + i / 8 * 32 + at;
		float factor = weft_block_inverse(d * (float)scales->scale[i]);
		for (size_t j = 0; j < Q6_VALUES; j++) {
			int q = round_one(parts[i].x[j] * factor, -32, 31) + 32;
			low[j] |= (uint8_t)((q & 15) << group / 2 * 4);
			high[j] |= (uint8_t)((q >> 4) << group * 2);
		}
	}
	memcpy(block + 192, scales->scale, Q6_PARTS);
	put_half(block + 208, scales->d);
}

void weft_block_narrow_q6_k(uint8_t *block, const float *x)
{
	Part parts[Q6_PARTS];
	Sums sums[Q6_PARTS] = {{0}};
	float scale[Q6_PARTS], greatest = 0;
	for (size_t i = 0; i < Q6_PARTS; i++) {
		open_part(&parts[i], x + i * Q6_VALUES, Q6_VALUES);
		scale[i] = fit_q6(&parts[i]);
		greatest = fabsf(scale[i]) > fabsf(greatest) ? scale[i] : greatest;
	}
	Q6Scales now = {.d = half_beyond(greatest / -128)}, best = now;
	for (size_t i = 0; i < Q6_PARTS; i++)
		now.scale[i] = (int8_t)round_one(
			scale[i] * weft_block_inverse(weft_f16_to_f32(now.d)), -128, 127);
	for (int round = 0; round < ROUNDS; round++) {
		now.error = 0;
		for (size_t i = 0; i < Q6_PARTS; i++)
			now.error += improve_q6(&parts[i], weft_f16_to_f32(now.d), &now.scale[i],
						&sums[i]);
		if (round == 0 || now.error < best.error)
			best = now;
		refit_q6(sums, &now);
	}
	put_q6(block, parts, &best);
}
