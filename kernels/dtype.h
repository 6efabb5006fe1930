/* dtype.h - the number formats in which weights and caches are stored.
 *
 * A format is blocks of `values` numbers in `bytes` bytes; a row is whole blocks. The plain formats
 * have blocks of one number. Everything here is inline, so that a room which only describes tensors
 * (bundle/) links nothing.
 */
#ifndef WEFT_KERNELS_DTYPE_H
#define WEFT_KERNELS_DTYPE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum {
	WEFT_DTYPE_F32,
	WEFT_DTYPE_BF16,
	WEFT_DTYPE_F16,
	WEFT_DTYPE_COUNT
} WeftDtype;

/* "f32", "bf16", "f16". */
static inline const char *weft_dtype_name(WeftDtype dtype)
{
	static const char *const names[WEFT_DTYPE_COUNT] = {"f32", "bf16", "f16"};
	return names[dtype];
}

/* Numbers in one block. */
static inline size_t weft_dtype_block_values(WeftDtype dtype)
{
	(void)dtype; /* every format of today has blocks of one number */
	return 1;
}

/* Bytes of one block. */
static inline size_t weft_dtype_block_bytes(WeftDtype dtype)
{
	return dtype == WEFT_DTYPE_F32 ? 4 : 2;
}

/* Bytes of a row of `n_values` numbers, which must be whole blocks. The caller has checked that the
 * product fits (base/bytes.h). */
static inline size_t weft_dtype_row_bytes(WeftDtype dtype, size_t n_values)
{
	return n_values / weft_dtype_block_values(dtype) * weft_dtype_block_bytes(dtype);
}

static inline float weft_f32_from_bits(uint32_t bits)
{
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static inline uint32_t weft_f32_to_bits(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

/* Exact. */
static inline float weft_bf16_to_f32(uint16_t half)
{
	return weft_f32_from_bits((uint32_t)half << 16);
}

/* To the nearest, ties to even; NaN stays NaN. */
static inline uint16_t weft_bf16_from_f32(float value)
{
	uint32_t bits = weft_f32_to_bits(value);
	if ((bits & 0x7fffffffu) > 0x7f800000u)
		return (uint16_t)((bits >> 16) | 0x40u);
	return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/* Exact, subnormal numbers included (IEEE 754 binary16). */
static inline float weft_f16_to_f32(uint16_t half)
{
	uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
	uint32_t rest = half & 0x7fffu;
	if (rest < 0x0400u) { /* zero or subnormal: rest * 2^-24 */
		float magnitude = (float)rest * 0x1p-24f;
		return weft_f32_from_bits(weft_f32_to_bits(magnitude) | sign);
	}
	uint32_t bias = rest >= 0x7c00u ? 0x70000000u : 0x38000000u; /* infinity and NaN keep all ones */
	return weft_f32_from_bits(((rest << 13) + bias) | sign);
}

/* To the nearest, ties to even; beyond 65504 infinity; NaN stays NaN. */
static inline uint16_t weft_f16_from_f32(float value)
{
	uint32_t bits = weft_f32_to_bits(value);
	uint32_t sign = (bits >> 16) & 0x8000u;
	bits &= 0x7fffffffu;
	if (bits > 0x7f800000u)
		return (uint16_t)(sign | 0x7e00u);
	if (bits >= 0x477ff000u) /* 65520, halfway to 2^16 */
		return (uint16_t)(sign | 0x7c00u);
	if (bits < 0x38800000u) { /* below 2^-14: adding 0.5 lets the unit round to 2^-24 */
		float shifted = weft_f32_from_bits(bits) + 0.5f;
		return (uint16_t)(sign | (weft_f32_to_bits(shifted) - 0x3f000000u));
	}
	uint32_t rounded = bits + 0xfffu + ((bits >> 13) & 1u) - 0x38000000u;
	return (uint16_t)(sign | (rounded >> 13));
}

#endif
