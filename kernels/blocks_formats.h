/* blocks_formats.h - one block of each of GGUF's formats turned into f32, and back; see blocks.h.
 *
 * Private to kernels/. y[32] or y[256] = the block. Products are taken in the order of gguf's
 * reference, so that zeros have its signs, too; they are exact, and where a minimum is added or
 * subtracted that is the one rounding.
 */
#ifndef WEFT_KERNELS_BLOCKS_FORMATS_H
#define WEFT_KERNELS_BLOCKS_FORMATS_H

#include <stdint.h>
#include <string.h>

#include "kernels/dtype.h"

typedef void (*WeftBlockWiden)(float *y, const uint8_t *block);

/* blocks_k.c */
void weft_block_widen_q2_k(float *y, const uint8_t *block);
void weft_block_widen_q3_k(float *y, const uint8_t *block);
void weft_block_widen_q4_k(float *y, const uint8_t *block);
void weft_block_widen_q5_k(float *y, const uint8_t *block);
void weft_block_widen_q6_k(float *y, const uint8_t *block);

/* blocks_iq.c */
void weft_block_widen_iq4_nl(float *y, const uint8_t *block);
void weft_block_widen_iq4_xs(float *y, const uint8_t *block);
void weft_block_widen_iq2_xxs(float *y, const uint8_t *block);
void weft_block_widen_iq3_xxs(float *y, const uint8_t *block);
void weft_block_widen_mxfp4(float *y, const uint8_t *block);

/* blocks_narrow_k.c: x[256] to a block; every number is finite. */
void weft_block_narrow_q4_k(uint8_t *block, const float *x);
void weft_block_narrow_q6_k(uint8_t *block, const float *x);

/* The numbers that the sixteen nibbles of IQ4_NL and IQ4_XS, and of MXFP4 (doubled), mean. */
#define WEFT_IQ4_VALUES                                                                            \
	{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}
#define WEFT_MXFP4_VALUES                                                                          \
	{0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}

/* Little-endian, at any address. */
static inline float weft_block_f16(const uint8_t *at)
{
	return weft_f16_to_f32((uint16_t)(at[0] | at[1] << 8));
}

static inline uint32_t weft_block_u32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The scale of an MXFP4 block, halved because its values are doubled: 2^(e - 128), subnormal for
 * e < 2. */
static inline float weft_mxfp4_scale(uint8_t e)
{
	return weft_f32_from_bits(e < 2 ? 0x00200000u << e : (uint32_t)(e - 1) << 23);
}

/* Of a scale; 0 for 0 and for one so small that its inverse is infinite. */
static inline float weft_block_inverse(float scale)
{
	float inverse = 1.0f / scale;
	return inverse - inverse == 0 ? inverse : 0.0f;
}

/* The 6-bit scales and minima of the eight parts of a Q4_K or Q5_K block, in 12 bytes: the low six
 * bits of bytes 0-3 and 4-7 are those of parts 0-3; parts 4-7 have their low nibbles in bytes 8-11,
 * their high bits in the top bits of bytes 0-7. Four bytes at a time. */
static inline void weft_k_scales(uint8_t scale[8], uint8_t min[8], const uint8_t packed[12])
{
	uint32_t first = weft_block_u32(packed), second = weft_block_u32(packed + 4);
	uint32_t third = weft_block_u32(packed + 8);
	uint32_t scales[2] = {first & 0x3f3f3f3f, (third & 0x0f0f0f0f) | (first >> 2 & 0x30303030)};
	uint32_t mins[2] = {second & 0x3f3f3f3f,
			    (third >> 4 & 0x0f0f0f0f) | (second >> 2 & 0x30303030)};
	memcpy(scale, scales, 8);
	memcpy(min, mins, 8);
}

/* The 6-bit scales of the sixteen parts of a Q3_K block, in 12 bytes: low nibbles of parts 0-7 and
 * 8-15 in bytes 0-7, high bits of parts i, i + 4, i + 8, i + 12 in byte 8 + i; less 32. */
static inline void weft_q3_k_scales(int8_t scale[16], const uint8_t packed[12])
{
	uint32_t low[2] = {weft_block_u32(packed), weft_block_u32(packed + 4)};
	uint32_t high = weft_block_u32(packed + 8);
	for (unsigned i = 0; i < 4; i++) {
		uint32_t four = (low[i % 2] >> i / 2 * 4 & 0x0f0f0f0f) |
				(high >> 2 * i & 0x03030303) << 4;
		memcpy(scale + 4 * i, &four, 4);
	}
	for (size_t i = 0; i < 16; i++)
		scale[i] = (int8_t)(scale[i] - 32);
}

/* Seven signs and the eighth, which makes the number of minuses even: bit i for number i. */
static inline uint32_t weft_iq_signs(uint32_t seven)
{
	return seven | (uint32_t)__builtin_parity(seven) << 7;
}

#endif
