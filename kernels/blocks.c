#include "kernels/blocks.h"

/* 1 sign, 4 exponent (bias 7), 3 fraction bits. */
static float f8_e4m3_to_f32(uint8_t x)
{
	uint32_t sign = (uint32_t)(x & 0x80) << 24, rest = x & 0x7f;
	float magnitude;
	if (rest == 0x7f)
		return weft_f32_from_bits(sign | 0x7fc00000u);
	if (rest < 8) /* zero or subnormal: rest * 2^-9 */
		magnitude = (float)rest * 0x1p-9f;
	else
		magnitude = weft_f32_from_bits((rest << 20) + (120u << 23));
	return weft_f32_from_bits(weft_f32_to_bits(magnitude) | sign);
}

/* f16 d; i8 q[32]: d * q. */
static void widen_q8_0(float *y, const uint8_t *block)
{
	uint16_t d;
	memcpy(&d, block, sizeof d);
	for (size_t i = 0; i < 32; i++)
		y[i] = weft_f16_to_f32(d) * (float)(int8_t)block[2 + i];
}

void weft_blocks_widen(float *y, const void *x, WeftDtype dtype, size_t n)
{
	const uint8_t *block = x;
	size_t values = weft_dtype_block_values(dtype), bytes = weft_dtype_block_bytes(dtype);
	for (size_t i = 0; i + values <= n; i += values, block += bytes) {
		if (dtype == WEFT_DTYPE_F8_E4M3)
			y[i] = f8_e4m3_to_f32(*block);
		else if (dtype == WEFT_DTYPE_Q8_0)
			widen_q8_0(y + i, block);
	}
}
