#include "encoders/tower.h"

#include "base/bytes.h"
#include "base/error.h"

static const WeftTensorView *tensor(const WeftTower *tower, const char *name, gsize n_dims,
				    const gsize *shape, GError **error)
{
	g_autofree char *full = g_strconcat(tower->prefix, name, NULL);
	const WeftTensorView *view =
		weft_bundle_tensor(tower->bundle, full, n_dims, shape, error);

	if (view && view->dtype == WEFT_DTYPE_F8_E4M3) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    "%s: tensor %s has type F8_E4M3, whose scales are read for text models "
			    "only", view->file, view->name);
		return NULL;
	}
	return view;
}

gboolean weft_tower_matrix(const WeftTower *tower, const char *name, gsize n_rows,
			   gsize n_cols, WeftTensor *ret_matrix, GError **error)
{
	const gsize shape[] = { n_rows, n_cols };
	const WeftTensorView *view = tensor(tower, name, 2, shape, error);

	if (!view)
		return FALSE;
	*ret_matrix = weft_tensor_matrix(view->data, view->dtype, n_rows, n_cols);
	return TRUE;
}

gboolean weft_tower_conv(const WeftTower *tower, const char *name, gsize n_out, gsize n_in,
			 gsize kernel, WeftTensor *ret_matrix, GError **error)
{
	const gsize shape[] = { n_out, n_in, kernel };
	const WeftTensorView *view = tensor(tower, name, 3, shape, error);

	if (!view)
		return FALSE;
	*ret_matrix = weft_tensor_matrix(view->data, view->dtype, n_out, n_in * kernel);
	return TRUE;
}

static gboolean widened(const WeftTower *tower, const WeftTensorView *view, gsize n,
			float **ret, GError **error)
{
	float *values = view ? weft_alloc_array(n, sizeof(float), 0, view->name, error) : NULL;

	if (!values)
		return FALSE;
	tower->kernels->to_f32(tower->kernels->team, values, view->data, view->dtype, n);
	*ret = values;
	return TRUE;
}

gboolean weft_tower_vector(const WeftTower *tower, const char *name, gsize n,
			   float **ret_vector, GError **error)
{
	return widened(tower, tensor(tower, name, 1, &n, error), n, ret_vector, error);
}

gboolean weft_tower_table(const WeftTower *tower, const char *name, gsize n_rows,
			  gsize n_cols, float **ret_table, GError **error)
{
	const gsize shape[] = { n_rows, n_cols };

	return widened(tower, tensor(tower, name, 2, shape, error), n_rows * n_cols, ret_table,
		       error);
}

gboolean weft_tower_linear(const WeftTower *tower, const char *name, gsize n_out, gsize n_in,
			   gboolean has_bias, WeftLinear *linear, GError **error)
{
	g_autofree char *weight = g_strconcat(name, ".weight", NULL);
	g_autofree char *bias = g_strconcat(name, ".bias", NULL);

	return weft_tower_matrix(tower, weight, n_out, n_in, &linear->weight, error) &&
	       (!has_bias || weft_tower_vector(tower, bias, n_out, &linear->bias, error));
}

void weft_linear_done(WeftLinear *linear)
{
	g_clear_pointer(&linear->bias, g_free);
}

gboolean weft_tower_norm(const WeftTower *tower, const char *name, gsize width, WeftNorm *norm,
			 GError **error)
{
	g_autofree char *weight = g_strconcat(name, ".weight", NULL);
	g_autofree char *bias = g_strconcat(name, ".bias", NULL);

	return weft_tower_vector(tower, weight, width, &norm->weight, error) &&
	       weft_tower_vector(tower, bias, width, &norm->bias, error);
}

void weft_norm_done(WeftNorm *norm)
{
	g_clear_pointer(&norm->weight, g_free);
	g_clear_pointer(&norm->bias, g_free);
}
