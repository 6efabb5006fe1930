/* matrix_source.h - rows of a stored matrix in the order and orientation in which another file has
 * them; private to bundle/. */
#ifndef WEFT_BUNDLE_MATRIX_SOURCE_H
#define WEFT_BUNDLE_MATRIX_SOURCE_H

#include <glib.h>

#include "bundle/bundle.h"

/* Value (row, col) lies at data[row * row_stride + col * col_stride]; one of the strides is 1, and
 * the type has blocks of one number. */
typedef struct WeftMatrixSource {
	const guint8 *data;
	WeftDtype dtype;
	gsize n_rows, n_cols;
	gsize row_stride, col_stride;
	const WeftTensorView *scales; /* one for each row, from scale_first on; NULL: none */
	gsize scale_first;
	gsize head_rows; /* rows i and i + head_rows / 2 of each head stand side by side; 0: as stored */
} WeftMatrixSource;

/* y[n,n_cols] = rows [first, first + n), widened. `scratch` has room for n values. */
void weft_matrix_source_rows(const WeftMatrixSource *source, gsize first, gsize n, float *y,
			     float *scratch);

#endif
