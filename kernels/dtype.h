/* dtype.h - the number formats in which weights and caches are stored.
 *
 * A format is blocks of `values` numbers in `bytes` bytes; a row is whole blocks. The plain formats
 * have blocks of one number. The others are GGUF's, with GGUF's layouts (kernels/blocks.h turns
 * them into f32 and back); F8_E4M3 is safetensors', whose scales are tensors of their own.
 * Everything here is inline, so that a room which only describes tensors (bundle/) links nothing.
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
	WEFT_DTYPE_F8_E4M3, /* "fn": no infinity, 0x7f and 0xff are NaN */
	WEFT_DTYPE_Q4_0,
	WEFT_DTYPE_Q4_1,
	WEFT_DTYPE_Q5_0,
	WEFT_DTYPE_Q5_1,
	WEFT_DTYPE_Q8_0,
	WEFT_DTYPE_Q2_K,
	WEFT_DTYPE_Q3_K,
	WEFT_DTYPE_Q4_K,
	WEFT_DTYPE_Q5_K,
	WEFT_DTYPE_Q6_K,
	WEFT_DTYPE_IQ4_NL,
	WEFT_DTYPE_IQ4_XS,
	WEFT_DTYPE_IQ2_XXS,
	WEFT_DTYPE_IQ3_XXS,
	WEFT_DTYPE_MXFP4,
	WEFT_DTYPE_COUNT
} WeftDtype;

/* The formats from F32 to F16: blocks of one number, whose arithmetic is exact in f32. */
#define WEFT_DTYPE_HALVES_END (WEFT_DTYPE_F16 + 1)

typedef struct WeftDtypeFormat {
	const char *name;
	uint16_t block_values, block_bytes;
} WeftDtypeFormat;

static inline const WeftDtypeFormat *weft_dtype_format(WeftDtype dtype)
{
	static const WeftDtypeFormat formats[WEFT_DTYPE_COUNT] = {
		{"f32", 1, 4},      {"bf16", 1, 2},      {"f16", 1, 2},       {"f8_e4m3", 1, 1},
		{"q4_0", 32, 18},   {"q4_1", 32, 20},    {"q5_0", 32, 22},    {"q5_1", 32, 24},
		{"q8_0", 32, 34},   {"q2_k", 256, 84},   {"q3_k", 256, 110},  {"q4_k", 256, 144},
		{"q5_k", 256, 176}, {"q6_k", 256, 210},  {"iq4_nl", 32, 18},  {"iq4_xs", 256, 136},
		{"iq2_xxs", 256, 66}, {"iq3_xxs", 256, 98}, {"mxfp4", 32, 17},
	};
	return &formats[dtype];
}

/* "f32", "bf16", "q4_k", ... */
static inline const char *weft_dtype_name(WeftDtype dtype)
{
	return weft_dtype_format(dtype)->name;
}

/* Numbers in one block. */
static inline size_t weft_dtype_block_values(WeftDtype dtype)
{
	return weft_dtype_format(dtype)->block_values;
}

/* Bytes of one block. */
static inline size_t weft_dtype_block_bytes(WeftDtype dtype)
{
	return weft_dtype_format(dtype)->block_bytes;
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
