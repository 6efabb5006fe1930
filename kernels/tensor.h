/* tensor.h - a view of numbers that somebody else owns: pointer, format, sizes, distance of rows.
 *
 * The last size runs fastest and its numbers lie side by side: that is a row. All rows, through all
 * outer sizes, are `row_bytes` apart, which may be more than the row has. Plain C: no allocation, no
 * ownership, copied by value.
 */
#ifndef WEFT_KERNELS_TENSOR_H
#define WEFT_KERNELS_TENSOR_H

#include <assert.h>

#include "kernels/dtype.h"

#define WEFT_TENSOR_DIMS_MAX 4

typedef struct WeftTensor {
	const void *data;
	WeftDtype dtype;
	int n_dims;                         /* 1 to 4 */
	size_t size[WEFT_TENSOR_DIMS_MAX];  /* size[n_dims - 1] runs fastest */
	size_t row_bytes;                   /* from one row to the next */
	const float *scales;                /* of a matrix: [outputs], a factor of each output (gemm:
					     * of its rows, gemm_kn: of its columns), or NULL: 1 */
} WeftTensor;

/* Contiguous rows. For sizes that were checked where they came from. */
static inline WeftTensor weft_tensor_matrix(const void *data, WeftDtype dtype, size_t n_rows,
					    size_t n_cols)
{
	WeftTensor tensor = {data, dtype, 2, {n_rows, n_cols, 0, 0},
			     weft_dtype_row_bytes(dtype, n_cols), NULL};
	return tensor;
}

static inline size_t weft_tensor_cols(const WeftTensor *tensor)
{
	return tensor->size[tensor->n_dims - 1];
}

/* Rows through all outer sizes. */
static inline size_t weft_tensor_rows(const WeftTensor *tensor)
{
	size_t n_rows = 1;
	for (int i = 0; i < tensor->n_dims - 1; i++)
		n_rows *= tensor->size[i];
	return n_rows;
}

static inline const void *weft_tensor_row(const WeftTensor *tensor, size_t row)
{
	return (const char *)tensor->data + row * tensor->row_bytes;
}

/* [E, a, b] -> [a, b], or any tensor -> its index-th part along the outermost size; without scales. */
static inline WeftTensor weft_tensor_part(const WeftTensor *tensor, size_t index)
{
	assert(tensor->n_dims >= 3 && index < tensor->size[0]);
	WeftTensor part = *tensor;
	size_t n_rows = weft_tensor_rows(tensor) / tensor->size[0];
	part.data = weft_tensor_row(tensor, index * n_rows);
	part.n_dims = tensor->n_dims - 1;
	for (int i = 0; i < part.n_dims; i++)
		part.size[i] = tensor->size[i + 1];
	part.size[part.n_dims] = 0;
	return part;
}

#endif
