#include "model/loader.h"

#include <string.h>

#include "base/error.h"
#include "base/files.h"

static gsize size_of_letter(const WeftArch *arch, char letter)
{
	switch (letter) {
	case 'V':
		return arch->n_vocab;
	case 'W':
		return arch->width;
	case 'Q':
		return arch->n_heads * arch->head_width;
	case 'K':
		return arch->n_kv_heads * arch->head_width;
	case 'F':
		return arch->ffn_expert;
	case 'G':
		return 2 * arch->ffn_expert;
	case 'M':
		return arch->ffn_dense;
	case 'E':
		return arch->n_experts;
	case '1':
		return 1;
	default:
		g_assert_not_reached();
	}
}

char *weft_loader_name(gsize layer, const char *ffn, const char *rest)
{
	return g_strdup_printf("model.layers.%" G_GSIZE_FORMAT ".%s%s%s", layer, ffn ? ffn : "",
			       ffn ? "." : "", rest);
}

gboolean weft_loader_has(const WeftLoader *loader, const char *name)
{
	return weft_bundle_find(loader->bundle, name) != NULL;
}

static const WeftTensorView *find(const WeftLoader *loader, const char *name, const char *letters,
				  GError **error)
{
	gsize shape[WEFT_TENSOR_DIMS_MAX], n_dims = strlen(letters);
	g_assert(n_dims <= WEFT_TENSOR_DIMS_MAX);
	for (gsize i = 0; i < n_dims; i++)
		shape[i] = size_of_letter(loader->arch, letters[i]);
	return weft_bundle_tensor(loader->bundle, name, n_dims, shape, error);
}

gboolean weft_loader_view(const WeftLoader *loader, const char *name, const char *letters,
			  WeftTensor *ret_tensor, GError **error)
{
	const WeftTensorView *view = find(loader, name, letters, error);
	if (!view)
		return FALSE;
	WeftTensor tensor = {.data = view->data, .dtype = view->dtype, .n_dims = (int)view->n_dims};
	for (gsize i = 0; i < view->n_dims; i++)
		tensor.size[i] = view->shape[i];
	tensor.row_bytes = weft_dtype_row_bytes(view->dtype, view->shape[view->n_dims - 1]);
	*ret_tensor = tensor;
	return TRUE;
}

gboolean weft_loader_vector(const WeftLoader *loader, const char *name, const char *letters,
			    const float **ret_vector, GError **error)
{
	const WeftTensorView *view = find(loader, name, letters, error);
	if (!view)
		return FALSE;
	if (view->dtype == WEFT_DTYPE_F8_E4M3) { /* what is no matrix has no scales */
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
			    "%s: tensor %s has type %s; one of its kind is F32, BF16 or F16",
			    view->file, view->name, weft_dtype_name(view->dtype));
		return FALSE;
	}
	weft_mapping_read_alone(view->data, view->size_bytes, TRUE);
	if (view->dtype == WEFT_DTYPE_F32 && (gsize)view->data % _Alignof(float) == 0) {
		*ret_vector = view->data;
		return TRUE;
	}
	gsize n = weft_tensor_view_n_values(view);
	float *vector = g_new(float, n);
	loader->kernels->to_f32(loader->kernels->team, vector, view->data, view->dtype, n);
	g_ptr_array_add(loader->vectors, vector);
	*ret_vector = vector;
	return TRUE;
}

gboolean weft_loader_matrix(const WeftLoader *loader, const char *name, const char *letters,
			    WeftTensor *ret_tensor, GError **error)
{
	WeftTensor tensor;
	g_autofree char *scale_name = g_strconcat(name, "_scale", NULL);
	const char scale_letters[] = {letters[0], '1', '\0'};
	if (!weft_loader_view(loader, name, letters, &tensor, error))
		return FALSE;
	if (tensor.dtype == WEFT_DTYPE_F8_E4M3 &&
	    !weft_loader_vector(loader, scale_name, scale_letters, &tensor.scales, error))
		return FALSE;
	*ret_tensor = tensor;
	return TRUE;
}
