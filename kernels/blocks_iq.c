/* The formats whose stored bits choose from tables: IQ4_NL, IQ4_XS, IQ2_XXS, IQ3_XXS, MXFP4. */
#include "kernels/blocks_formats.h"
#include "kernels/blocks_grids.h"

static const int8_t iq4_values[16] = WEFT_IQ4_VALUES;
static const int8_t mxfp4_values[16] = WEFT_MXFP4_VALUES;

/* The low nibbles of 16 bytes, then the high ones. */
static void widen_nibbles(float *y, float scale, const int8_t *values, const uint8_t *q)
{
	for (size_t i = 0; i < 16; i++) {
		y[i] = scale * (float)values[q[i] & 15];
		y[16 + i] = scale * (float)values[q[i] >> 4];
	}
}

/* f16 d; u8 q[16] */
void weft_block_widen_iq4_nl(float *y, const uint8_t *block)
{
	widen_nibbles(y, weft_block_f16(block), iq4_values, block + 2);
}

/* u8 e; u8 q[16] */
void weft_block_widen_mxfp4(float *y, const uint8_t *block)
{
	widen_nibbles(y, weft_mxfp4_scale(block[0]), mxfp4_values, block + 1);
}

/* f16 d; u16 high; u8 low[4]; u8 q[128]: eight parts of 32 with 6-bit scales less 32, two bits of
 * each in high, a nibble in low. */
void weft_block_widen_iq4_xs(float *y, const uint8_t *block)
{
	float d = weft_block_f16(block);
	unsigned high = block[2] | (unsigned)block[3] << 8;
	for (size_t part = 0; part < 8; part++) {
		int scale = block[4 + part / 2] >> part % 2 * 4 & 15;
		scale |= (int)(high >> 2 * part & 3) << 4;
		widen_nibbles(y + part * 32, d * (float)(scale - 32), iq4_values, block + 8 + part * 16);
	}
}

/* y[8] = scale * sizes[8] with signs. */
static void widen_signed(float *y, float scale, const uint8_t *sizes, uint32_t signs)
{
	for (size_t i = 0; i < 8; i++)
		y[i] = scale * (float)sizes[i] * (signs >> i & 1 ? -1.0f : 1.0f);
}

/* f16 d; per part of 32: u8 points[4], u32 of four times seven signs and a 4-bit scale on top. */
void weft_block_widen_iq2_xxs(float *y, const uint8_t *block)
{
	float d = weft_block_f16(block);
	for (size_t part = 0; part < 8; part++) {
		const uint8_t *points = block + 2 + part * 8;
		uint32_t rest = weft_block_u32(points + 4);
		float scale = d * (0.5f + (float)(rest >> 28)) * 0.25f;
		for (size_t i = 0; i < 4; i++)
			widen_signed(y + part * 32 + i * 8, scale, weft_iq2_xxs_grid[points[i]],
				     weft_iq_signs(rest >> 7 * i & 127));
	}
}

/* f16 d; u8 points[64], eight per part of 32; then the u32 of each part, as in IQ2_XXS. */
void weft_block_widen_iq3_xxs(float *y, const uint8_t *block)
{
	float d = weft_block_f16(block);
	for (size_t part = 0; part < 8; part++) {
		const uint8_t *points = block + 2 + part * 8;
		uint32_t rest = weft_block_u32(block + 66 + part * 4);
		float scale = d * (0.5f + (float)(rest >> 28)) * 0.5f;
		for (size_t i = 0; i < 4; i++) {
			uint8_t sizes[8];
			memcpy(sizes, weft_iq3_xxs_grid[points[2 * i]], 4);
			memcpy(sizes + 4, weft_iq3_xxs_grid[points[2 * i + 1]], 4);
			widen_signed(y + part * 32 + i * 8, scale, sizes, weft_iq_signs(rest >> 7 * i & 127));
		}
	}
}
