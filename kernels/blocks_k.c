/* Q2_K to Q6_K: 256 numbers in parts of 16 or 32, whose scales are integers times those of the
 * block. */
#include "kernels/blocks_formats.h"

/* u8 scales[16] (low nibble scale, high nibble minimum); u8 q[64]; f16 d; f16 dmin. Each half of
 * 128 has 32 bytes of q, its groups of 32 two bits each from the lowest up. */
void weft_block_widen_q2_k(float *y, const uint8_t *block)
{
	float d = weft_block_f16(block + 80), dmin = weft_block_f16(block + 82);
	for (size_t part = 0; part < 16; part++) {
		float scale = d * (float)(block[part] & 15), min = dmin * (float)(block[part] >> 4);
		const uint8_t *q = block + 16 + part / 8 * 32 + part % 2 * 16;
		size_t shift = part / 2 % 4 * 2;
		for (size_t i = 0; i < 16; i++)
			y[part * 16 + i] = scale * (float)(q[i] >> shift & 3) - min;
	}
}

/* u8 mask[32]; u8 q[64]; u8 scales[12]; f16 d. q as in Q2_K; a bit of the mask, one per group of
 * 32, says that 4 need not be subtracted. */
void weft_block_widen_q3_k(float *y, const uint8_t *block)
{
	int8_t scales[16];
	float d = weft_block_f16(block + 108);
	weft_q3_k_scales(scales, block + 96);
	for (size_t part = 0; part < 16; part++) {
		float scale = d * (float)scales[part];
		const uint8_t *mask = block + part % 2 * 16;
		const uint8_t *q = block + 32 + part / 8 * 32 + part % 2 * 16;
		size_t shift = part / 2 % 4 * 2, bit = part / 2;
		for (size_t i = 0; i < 16; i++)
			y[part * 16 + i] = scale * (float)((q[i] >> shift & 3) +
							   (mask[i] >> bit & 1) * 4 - 4);
	}
}

/* f16 d; f16 dmin; u8 scales[12]; u8 q[128]: parts 2c and 2c + 1 are the low and the high nibbles
 * of q[32c] ... */
void weft_block_widen_q4_k(float *y, const uint8_t *block)
{
	uint8_t scales[8], mins[8];
	float d = weft_block_f16(block), dmin = weft_block_f16(block + 2);
	weft_k_scales(scales, mins, block + 4);
	for (size_t part = 0; part < 8; part++) {
		float scale = d * (float)scales[part], min = dmin * (float)mins[part];
		const uint8_t *q = block + 16 + part / 2 * 32;
		size_t shift = part % 2 * 4;
		for (size_t i = 0; i < 32; i++)
			y[part * 32 + i] = scale * (float)(q[i] >> shift & 15) - min;
	}
}

/* f16 d; f16 dmin; u8 scales[12]; u8 high[32]; u8 q[128]: Q4_K, and bit `part` of high[i] is 16. */
void weft_block_widen_q5_k(float *y, const uint8_t *block)
{
	uint8_t scales[8], mins[8];
	const uint8_t *high = block + 16;
	float d = weft_block_f16(block), dmin = weft_block_f16(block + 2);
	weft_k_scales(scales, mins, block + 4);
	for (size_t part = 0; part < 8; part++) {
		float scale = d * (float)scales[part], min = dmin * (float)mins[part];
		const uint8_t *q = block + 48 + part / 2 * 32;
		size_t shift = part % 2 * 4;
		for (size_t i = 0; i < 32; i++)
			y[part * 32 + i] = scale * (float)((q[i] >> shift & 15) |
							   (high[i] >> part & 1) << 4) - min;
	}
}

/* u8 low[128]; u8 high[64]; i8 scales[16]; f16 d. Each half of 128 has 64 bytes of low and 32 of
 * high; its groups of 32: the low nibbles of the first and second 32 bytes, then their high ones,
 * with two bits of high each from the lowest up; less 32. */
void weft_block_widen_q6_k(float *y, const uint8_t *block)
{
	float d = weft_block_f16(block + 208);
	for (size_t part = 0; part < 16; part++) {
		float scale = d * (float)(int8_t)block[192 + part];
		size_t group = part / 2 % 4, at = part % 2 * 16;
		const uint8_t *low = block + part / 8 * 64 + group % 2 * 32 + at;
		const uint8_t *high = block + 128 + part / 8 * 32 + at;
		size_t low_shift = group / 2 * 4, high_shift = group * 2;
		for (size_t i = 0; i < 16; i++)
			y[part * 16 + i] = scale * (float)((low[i] >> low_shift & 15) +
							   (high[i] >> high_shift & 3) * 16 - 32);
	}
}
