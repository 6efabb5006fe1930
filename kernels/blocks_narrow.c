/* f32 turned into stored formats: the halves, Q8_0 and Q4_0; Q4_K and Q6_K in blocks_narrow_k.c. */
#include <assert.h>

#include "kernels/blocks.h"
#include "kernels/blocks_formats.h"

/* The greatest |x|, as bits: they compare as the numbers do, infinities and NaN above all. */
static uint32_t greatest_bits(const float *x, size_t n)
{
	int32_t greatest = 0;
	for (size_t i = 0; i < n; i++) {
		int32_t bits = (int32_t)(weft_f32_to_bits(x[i]) & 0x7fffffff);
		greatest = bits > greatest ? bits : greatest;
	}
	return (uint32_t)greatest;
}

static void put_f16(uint8_t *at, float value)
{
	uint16_t half = weft_f16_from_f32(value);
	at[0] = (uint8_t)half;
	at[1] = (uint8_t)(half >> 8);
}

/* d = greatest / 127; q to nearest, halves away from zero. */
static void narrow_q8_0(uint8_t *block, const float *x)
{
	uint32_t bits = greatest_bits(x, 32);
	float d = weft_f32_from_bits(bits) / 127, inverse = weft_block_inverse(d);
	put_f16(block, d);
	for (size_t i = 0; i < 32; i++) {
		float size = weft_f32_from_bits(weft_f32_to_bits(x[i] * inverse) & 0x7fffffff);
		int whole = (int)size;
		int q = whole + (size - (float)whole >= 0.5f);
		block[2 + i] = (uint8_t)(x[i] < 0 ? -q : q);
	}
}

/* d = the number of the greatest size / -8, so that it becomes -8 exactly; the first of several. */
static void narrow_q4_0(uint8_t *block, const float *x)
{
	uint32_t bits = greatest_bits(x, 32);
	size_t first = 0;
	while ((weft_f32_to_bits(x[first]) & 0x7fffffff) != bits)
		first++;
	float d = x[first] / -8, inverse = weft_block_inverse(d);
	put_f16(block, d);
	for (size_t i = 0; i < 16; i++) {
		int low = (int)(x[i] * inverse + 8.5f), high = (int)(x[16 + i] * inverse + 8.5f);
		low = low > 15 ? 15 : low;
		high = high > 15 ? 15 : high;
		block[2 + i] = (uint8_t)(low | high << 4);
	}
}

/* Only NaN says of a block that it had something infinite or NaN: its scale, and scales of parts
 * that are not 0. */
static void put_nan(uint8_t *block, WeftDtype dtype)
{
	memset(block, 1, weft_dtype_block_bytes(dtype));
	put_f16(dtype == WEFT_DTYPE_Q6_K ? block + 208 : block, weft_f32_from_bits(0x7fc00000u));
}

static void narrow_blocks(uint8_t *block, const float *x, WeftDtype dtype, size_t n)
{
	size_t values = weft_dtype_block_values(dtype), bytes = weft_dtype_block_bytes(dtype);
	for (size_t i = 0; i < n; i += values, block += bytes) {
		if (greatest_bits(x + i, values) >= 0x7f800000)
			put_nan(block, dtype);
		else if (dtype == WEFT_DTYPE_Q8_0)
			narrow_q8_0(block, x + i);
		else if (dtype == WEFT_DTYPE_Q4_0)
			narrow_q4_0(block, x + i);
		else if (dtype == WEFT_DTYPE_Q4_K)
			weft_block_narrow_q4_k(block, x + i);
		else
			weft_block_narrow_q6_k(block, x + i);
	}
}

void weft_blocks_narrow(void *y, const float *x, WeftDtype dtype, size_t n)
{
	uint16_t *half = y;
	switch (dtype) {
	case WEFT_DTYPE_F32:
		memcpy(y, x, n * sizeof *x);
		return;
	case WEFT_DTYPE_BF16:
		for (size_t i = 0; i < n; i++)
			half[i] = weft_bf16_from_f32(x[i]);
		return;
	case WEFT_DTYPE_F16:
		for (size_t i = 0; i < n; i++)
			half[i] = weft_f16_from_f32(x[i]);
		return;
	default:
		assert(dtype == WEFT_DTYPE_Q8_0 || dtype == WEFT_DTYPE_Q4_0 ||
		       dtype == WEFT_DTYPE_Q4_K || dtype == WEFT_DTYPE_Q6_K);
		narrow_blocks(y, x, dtype, n);
		return;
	}
}
