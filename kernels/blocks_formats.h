/* blocks_formats.h - one block of each of GGUF's formats turned into f32; see blocks.h.
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

/* The 6-bit scales and minima of the eight parts of a Q4_K or Q5_K block, in 12 bytes: the low six
 * bits of bytes 0-3 and 4-7 are those of parts 0-3; parts 4-7 have their low nibbles in bytes 8-11,
 * their high bits in the top bits of bytes 0-7. */
static inline void weft_k_scales(uint8_t scale[8], uint8_t min[8], const uint8_t packed[12])
{
	for (size_t i = 0; i < 4; i++) {
		scale[i] = packed[i] & 63;
		min[i] = packed[4 + i] & 63;
		scale[4 + i] = (uint8_t)((packed[8 + i] & 15) | (packed[i] >> 6) << 4);
		min[4 + i] = (uint8_t)(packed[8 + i] >> 4 | (packed[4 + i] >> 6) << 4);
	}
}

#endif
