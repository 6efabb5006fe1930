#include "model/fitter.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

gpointer weft_fitter_own(WeftFitter *fitter, gsize n, gsize item_bytes, GError **error)
{
	gpointer memory = weft_alloc_array(n, item_bytes, 0, "adapter", error);
	if (memory)
		g_ptr_array_add(fitter->adapter->copies, memory);
	return memory;
}

WeftTensor weft_fitter_view(const WeftTensorView *view)
{
	return weft_tensor_matrix(view->data, view->dtype, view->shape[0], view->shape[1]);
}

gboolean weft_fitter_refuse_shape(const WeftTensorView *view, gsize n_rows, gsize n_cols,
				  GError **error)
{
	g_autofree char *shape = weft_lora_shape(view);
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS,
		    "tensor %s has shape %s, but the base needs [%" G_GSIZE_FORMAT ", %"
		    G_GSIZE_FORMAT "]", view->name, shape, n_rows, n_cols);
	return FALSE;
}

gboolean weft_fitter_refuse(const char *path, const char *why, GError **error)
{
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED, "%s %s", path, why);
	return FALSE;
}

/* Row of the file that stands in row `row` of the base: GGUF's converter makes of the halves of a
 * head the pairs of a rotation. */
static gsize stored_row(const WeftFitter *fitter, const WeftPlace *place, gsize row)
{
	return place->is_permuted ? weft_row_of_halves(row, fitter->arch->head_width) : row;
}

static gboolean copy_permuted(WeftFitter *fitter, const WeftPlace *place, WeftTensor *b,
			      GError **error)
{
	if (!place->is_permuted)
		return TRUE;
	char *rows = weft_fitter_own(fitter, b->size[0], b->row_bytes, error);
	if (!rows)
		return FALSE;
	for (gsize i = 0; i < b->size[0]; i++)
		memcpy(rows + i * b->row_bytes, weft_tensor_row(b, stored_row(fitter, place, i)),
		       b->row_bytes);
	b->data = rows;
	return TRUE;
}

/* A vector [n] of the file as f32, in the order of the base's rows. */
static float *vector_of(WeftFitter *fitter, const WeftPlace *place, const WeftTensorView *view,
			gsize n, GError **error)
{
	if (!weft_lora_check_vector(view, n, error))
		return NULL;
	g_autofree float *stored = weft_alloc_array(n, sizeof(float), 0, view->name, error);
	float *vector = stored ? weft_fitter_own(fitter, n, sizeof(float), error) : NULL;
	if (!vector)
		return NULL;
	const WeftKernels *kernels = fitter->kernels;
	kernels->to_f32(kernels->team, stored, view->data, view->dtype, n);
	for (gsize i = 0; i < n; i++)
		vector[i] = stored[stored_row(fitter, place, i)];
	return vector;
}

static gboolean fit_magnitude(WeftFitter *fitter, const WeftPlace *place, const WeftLoraPair *pair,
			      GError **error)
{
	const WeftLowRank *part = place->part;
	if (place->is_kn)
		return weft_fitter_refuse(
			pair->path, "has a magnitude (DoRA), but the base has its experts fused",
			error);
	if (pair->bias)
		return weft_fitter_refuse(
			pair->path, "has both a magnitude (DoRA) and a bias of lora_B", error);
	float *gain = vector_of(fitter, place, pair->magnitude, part->b.size[0], error);
	place->part->gain = gain;
	return gain && weft_low_rank_divide(fitter->kernels, part, place->base, gain, error);
}

static gboolean fit_bias(WeftFitter *fitter, const WeftPlace *place, const WeftLoraPair *pair,
			 GError **error)
{
	WeftLowRank *part = place->part;
	gsize n = part->b.size[0];
	float *bias = vector_of(fitter, place, pair->bias, n, error);
	for (gsize i = 0; bias && i < n; i++)
		bias[i] *= part->scale;
	part->bias = bias;
	return bias != NULL;
}

gboolean weft_fitter_claim(WeftFitter *fitter, const WeftPlace *place, const WeftLoraPair *pair,
			   gsize rank, WeftLowRank *part, GError **error)
{
	double scale;
	if (part->a.data) {
		g_set_error(error, WEFT_ERROR, WEFT_ERROR_WEIGHTS, "%s is adapted twice", pair->path);
		return FALSE;
	}
	if (!weft_lora_scale(fitter->adapter->lora, pair, place->parameter, rank, &scale, error))
		return FALSE;
	part->scale = (float)scale;
	return TRUE;
}

gboolean weft_fitter_matrix(WeftFitter *fitter, const WeftLoraPair *pair, const WeftPlace *place,
			   GError **error)
{
	const WeftTensor *base = place->base;
	gsize n = base->size[place->is_kn ? 1 : 0], width = base->size[place->is_kn ? 0 : 1];
	gsize rank = pair->a->shape[0];
	WeftLowRank *part = place->part;

	if (pair->is_embedding)
		return weft_fitter_refuse(pair->path, "is adapted as an embedding, but is none", error);
	if (pair->a->shape[1] != width)
		return weft_fitter_refuse_shape(pair->a, rank, width, error);
	if (pair->b->shape[0] != n)
		return weft_fitter_refuse_shape(pair->b, n, rank, error);
	if (!weft_fitter_claim(fitter, place, pair, rank, part, error))
		return FALSE;
	part->a = weft_fitter_view(pair->a);
	part->b = weft_fitter_view(pair->b);
	return copy_permuted(fitter, place, &part->b, error) &&
	       (!pair->magnitude || fit_magnitude(fitter, place, pair, error)) &&
	       (!pair->bias || fit_bias(fitter, place, pair, error));
}

gboolean weft_fitter_pick(WeftFitter *fitter, const WeftTensorView *view, const WeftPick *what,
		     WeftTensor *ret_tensor, GError **error)
{
	gsize size = weft_dtype_block_bytes(view->dtype);
	char *to = weft_fitter_own(fitter, what->n_rows * what->n_cols, size, error);
	if (!to)
		return FALSE;
	for (gsize i = 0; i < what->n_rows; i++)
		for (gsize j = 0; j < what->n_cols; j++)
			memcpy(to + (i * what->n_cols + j) * size,
			       (const char *)view->data +
				       (what->first + i * what->row_step + j * what->col_step) * size,
			       size);
	*ret_tensor = weft_tensor_matrix(to, view->dtype, what->n_rows, what->n_cols);
	return TRUE;
}
