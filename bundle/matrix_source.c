#include "bundle/matrix_source.h"

#include "kernels/blocks.h"

static const guint8 *value_at(const WeftMatrixSource *source, gsize i)
{
	return source->data + weft_dtype_row_bytes(source->dtype, i);
}

/* The stored row that stands at `row`. */
static gsize stored_row(const WeftMatrixSource *source, gsize row)
{
	return source->head_rows > 0 ? weft_row_of_halves(row, source->head_rows) : row;
}

static float scale_of(const WeftMatrixSource *source, gsize row)
{
	const WeftTensorView *scales = source->scales;
	float scale;
	weft_blocks_widen(&scale,
			  (const guint8 *)scales->data +
				  weft_dtype_row_bytes(scales->dtype, source->scale_first + row),
			  scales->dtype, 1);
	return scale;
}

/* Column by column, because that is how they lie. */
static void transposed_rows(const WeftMatrixSource *source, gsize first, gsize n, float *y,
			    float *scratch)
{
	for (gsize col = 0; col < source->n_cols; col++) {
		weft_blocks_widen(scratch, value_at(source, first + col * source->col_stride),
				  source->dtype, n);
		for (gsize i = 0; i < n; i++)
			y[i * source->n_cols + col] = scratch[i];
	}
}

void weft_matrix_source_rows(const WeftMatrixSource *source, gsize first, gsize n, float *y,
			     float *scratch)
{
	if (source->col_stride != 1)
		transposed_rows(source, first, n, y, scratch);
	for (gsize i = 0; i < n; i++) {
		float *row = y + i * source->n_cols;
		gsize stored = stored_row(source, first + i);
		if (source->col_stride == 1)
			weft_blocks_widen(row, value_at(source, stored * source->row_stride),
					  source->dtype, source->n_cols);
		if (!source->scales)
			continue;
		float scale = scale_of(source, stored);
		for (gsize col = 0; col < source->n_cols; col++)
			row[col] *= scale;
	}
}
