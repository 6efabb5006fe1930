#include "kernels/blocks.h"

#include "kernels/blocks_formats.h"

/* Files hold them at odd addresses too. */
static uint16_t half_at(const uint8_t *x)
{
	uint16_t half;
	memcpy(&half, x, sizeof half);
	return half;
}

static void widen_bf16(float *y, const uint8_t *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = weft_bf16_to_f32(half_at(x + 2 * i));
}

static void widen_f16(float *y, const uint8_t *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = weft_f16_to_f32(half_at(x + 2 * i));
}

/* 1 sign, 4 exponent (bias 7), 3 fraction bits. */
static float f8_e4m3_to_f32(uint8_t x)
{
	uint32_t sign = (uint32_t)(x & 0x80) << 24, rest = x & 0x7f;
	if (rest == 0x7f)
		return weft_f32_from_bits(sign | 0x7fc00000u);
	/* Zero and subnormal numbers are rest * 2^-9. */
	float subnormal = (float)rest * 0x1p-9f;
	uint32_t normal = (rest << 20) + (120u << 23);
	return weft_f32_from_bits((rest < 8 ? weft_f32_to_bits(subnormal) : normal) | sign);
}

static void widen_f8_e4m3(float *y, const uint8_t *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		y[i] = f8_e4m3_to_f32(x[i]);
}

/* The low nibbles of 16 bytes, then the high ones; bit i of high is 16 of number i. */
static void widen_nibbles(float *y, float scale, int offset, float min, const uint8_t *q,
			  uint32_t high)
{
	for (size_t i = 0; i < 16; i++) {
		int low_q = (q[i] & 15) + (int)(high >> i & 1) * 16;
		int high_q = (q[i] >> 4) + (int)(high >> (16 + i) & 1) * 16;
		y[i] = scale * (float)(low_q - offset) + min;
		y[16 + i] = scale * (float)(high_q - offset) + min;
	}
}

/* Adding -0 keeps every number, -0 too. */
#define NO_MIN (-0.0f)

/* f16 d; u8 q[16] */
static void widen_q4_0(float *y, const uint8_t *block)
{
	widen_nibbles(y, weft_block_f16(block), 8, NO_MIN, block + 2, 0);
}

/* f16 d; f16 min; u8 q[16] */
static void widen_q4_1(float *y, const uint8_t *block)
{
	widen_nibbles(y, weft_block_f16(block), 0, weft_block_f16(block + 2), block + 4, 0);
}

/* f16 d; u32 high; u8 q[16] */
static void widen_q5_0(float *y, const uint8_t *block)
{
	widen_nibbles(y, weft_block_f16(block), 16, NO_MIN, block + 6, weft_block_u32(block + 2));
}

/* f16 d; f16 min; u32 high; u8 q[16] */
static void widen_q5_1(float *y, const uint8_t *block)
{
	widen_nibbles(y, weft_block_f16(block), 0, weft_block_f16(block + 2), block + 8,
		      weft_block_u32(block + 4));
}

/* f16 d; i8 q[32] */
static void widen_q8_0(float *y, const uint8_t *block)
{
	float d = weft_block_f16(block);
	for (size_t i = 0; i < 32; i++)
		y[i] = (float)(int8_t)block[2 + i] * d;
}

static const WeftBlockWiden widen[WEFT_DTYPE_COUNT] = {
	[WEFT_DTYPE_Q4_0] = widen_q4_0,
	[WEFT_DTYPE_Q4_1] = widen_q4_1,
	[WEFT_DTYPE_Q5_0] = widen_q5_0,
	[WEFT_DTYPE_Q5_1] = widen_q5_1,
	[WEFT_DTYPE_Q8_0] = widen_q8_0,
	[WEFT_DTYPE_Q2_K] = weft_block_widen_q2_k,
	[WEFT_DTYPE_Q3_K] = weft_block_widen_q3_k,
	[WEFT_DTYPE_Q4_K] = weft_block_widen_q4_k,
	[WEFT_DTYPE_Q5_K] = weft_block_widen_q5_k,
	[WEFT_DTYPE_Q6_K] = weft_block_widen_q6_k,
	[WEFT_DTYPE_IQ4_NL] = weft_block_widen_iq4_nl,
	[WEFT_DTYPE_IQ4_XS] = weft_block_widen_iq4_xs,
	[WEFT_DTYPE_IQ2_XXS] = weft_block_widen_iq2_xxs,
	[WEFT_DTYPE_IQ3_XXS] = weft_block_widen_iq3_xxs,
	[WEFT_DTYPE_MXFP4] = weft_block_widen_mxfp4,
};

void weft_blocks_widen(float *y, const void *x, WeftDtype dtype, size_t n)
{
	switch (dtype) {
	case WEFT_DTYPE_F32:
		memcpy(y, x, n * sizeof *y);
		return;
	case WEFT_DTYPE_BF16:
		widen_bf16(y, x, n);
		return;
	case WEFT_DTYPE_F16:
		widen_f16(y, x, n);
		return;
	case WEFT_DTYPE_F8_E4M3:
		widen_f8_e4m3(y, x, n);
		return;
	default:
		break;
	}
	const uint8_t *block = x;
	size_t values = weft_dtype_block_values(dtype), bytes = weft_dtype_block_bytes(dtype);
	for (size_t i = 0; i < n; i += values, block += bytes)
		widen[dtype](y + i, block);
}
