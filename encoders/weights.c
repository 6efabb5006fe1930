#include "encoders/weights.h"

#include "base/bytes.h"
#include "base/error.h"

static const WeftTensorView *tensor(const WeftWeights *weights, const char *name, gsize n_dims,
				    const gsize *shape, GError **error)
{
	g_autofree char *full = g_strconcat(weights->prefix, name, NULL);

	return weft_bundle_tensor(weights->bundle, full, n_dims, shape, error);
}

gboolean weft_weights_matrix(const WeftWeights *weights, const char *name, gsize n_rows,
			     gsize n_cols, WeftTensor *ret_matrix, GError **error)
{
	const gsize shape[] = { n_rows, n_cols };
	const WeftTensorView *view = tensor(weights, name, 2, shape, error);

	if (!view)
		return FALSE;
	*ret_matrix = weft_tensor_matrix(view->data, view->dtype, n_rows, n_cols);
	return TRUE;
}

gboolean weft_weights_conv(const WeftWeights *weights, const char *name, gsize n_out, gsize n_in,
			   gsize kernel, WeftTensor *ret_matrix, GError **error)
{
	const gsize shape[] = { n_out, n_in, kernel };
	const WeftTensorView *view = tensor(weights, name, 3, shape, error);

	if (!view)
		return FALSE;
	*ret_matrix = weft_tensor_matrix(view->data, view->dtype, n_out, n_in * kernel);
	return TRUE;
}

static gboolean widened(const WeftWeights *weights, const WeftTensorView *view, gsize n,
			float **ret, GError **error)
{
	float *values = view ? weft_alloc_array(n, sizeof(float), 0, view->name, error) : NULL;

	if (!values)
		return FALSE;
	weights->kernels->to_f32(weights->kernels->team, values, view->data, view->dtype, n);
	*ret = values;
	return TRUE;
}

gboolean weft_weights_vector(const WeftWeights *weights, const char *name, gsize n,
			     float **ret_vector, GError **error)
{
	return widened(weights, tensor(weights, name, 1, &n, error), n, ret_vector, error);
}

gboolean weft_weights_table(const WeftWeights *weights, const char *name, gsize n_rows,
			    gsize n_cols, float **ret_table, GError **error)
{
	const gsize shape[] = { n_rows, n_cols };

	return widened(weights, tensor(weights, name, 2, shape, error), n_rows * n_cols, ret_table,
		       error);
}
