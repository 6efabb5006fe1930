#include "bundle/ggml_type.h"

#include "base/bytes.h"
#include "bundle/weights_error.h"

typedef struct TensorType {
	const char *name;
	int dtype; /* WeftDtype, or -1 when weft has no arithmetic for it */
	guint16 block_values, block_bytes;
} TensorType;

/* By ggml's number. */
static const TensorType TENSOR_TYPES[] = {
    [0] = {"F32", WEFT_DTYPE_F32, 1, 4},
    [1] = {"F16", WEFT_DTYPE_F16, 1, 2},
    [2] = {"Q4_0", WEFT_DTYPE_Q4_0, 32, 18},
    [3] = {"Q4_1", WEFT_DTYPE_Q4_1, 32, 20},
    [6] = {"Q5_0", WEFT_DTYPE_Q5_0, 32, 22},
    [7] = {"Q5_1", WEFT_DTYPE_Q5_1, 32, 24},
    [8] = {"Q8_0", WEFT_DTYPE_Q8_0, 32, 34},
    [9] = {"Q8_1", -1, 32, 36},
    [10] = {"Q2_K", WEFT_DTYPE_Q2_K, 256, 84},
    [11] = {"Q3_K", WEFT_DTYPE_Q3_K, 256, 110},
    [12] = {"Q4_K", WEFT_DTYPE_Q4_K, 256, 144},
    [13] = {"Q5_K", WEFT_DTYPE_Q5_K, 256, 176},
    [14] = {"Q6_K", WEFT_DTYPE_Q6_K, 256, 210},
    [15] = {"Q8_K", -1, 256, 292},
    [16] = {"IQ2_XXS", WEFT_DTYPE_IQ2_XXS, 256, 66},
    [17] = {"IQ2_XS", -1, 256, 74},
    [18] = {"IQ3_XXS", WEFT_DTYPE_IQ3_XXS, 256, 98},
    [19] = {"IQ1_S", -1, 256, 50},
    [20] = {"IQ4_NL", WEFT_DTYPE_IQ4_NL, 32, 18},
    [21] = {"IQ3_S", -1, 256, 110},
    [22] = {"IQ2_S", -1, 256, 82},
    [23] = {"IQ4_XS", WEFT_DTYPE_IQ4_XS, 256, 136},
    [24] = {"I8", -1, 1, 1},
    [25] = {"I16", -1, 1, 2},
    [26] = {"I32", -1, 1, 4},
    [27] = {"I64", -1, 1, 8},
    [28] = {"F64", -1, 1, 8},
    [29] = {"IQ1_M", -1, 256, 56},
    [30] = {"BF16", WEFT_DTYPE_BF16, 1, 2},
    [34] = {"TQ1_0", -1, 256, 54},
    [35] = {"TQ2_0", -1, 256, 66},
    [39] = {"MXFP4", WEFT_DTYPE_MXFP4, 32, 17},
    [40] = {"NVFP4", -1, 64, 36},
    [41] = {"Q1_0", -1, 128, 18},
    [42] = {"Q2_0", -1, 64, 18},
};

static gboolean multiply(const char *file, const WeftTensorEntry *entry, gsize by, gsize *size_bytes,
			 GError **error)
{
	return weft_size_multiply(*size_bytes, by, size_bytes) ||
	       weft_weights_error(error, file, "tensor %s: the shape overflows", entry->view.name);
}

gboolean weft_ggml_measure(const char *file, WeftTensorEntry *entry, guint32 type,
			   const char *files_that_work, GError **error)
{
	WeftTensorView *view = &entry->view;
	gsize row = view->shape[view->n_dims - 1];

	if (type >= G_N_ELEMENTS(TENSOR_TYPES) || !TENSOR_TYPES[type].name)
		return weft_weights_error(error, file, "tensor %s: type %u is unknown; %s",
					  view->name, type, files_that_work);
	const TensorType *found = &TENSOR_TYPES[type];
	gsize size_bytes = found->block_bytes;

	if (row % found->block_values != 0)
		return weft_weights_error(error, file,
					  "tensor %s: rows of %zu values are no whole blocks of %u",
					  view->name, row, found->block_values);
	if (!multiply(file, entry, row / found->block_values, &size_bytes, error))
		return FALSE;
	for (gsize i = 0; i + 1 < view->n_dims; i++) {
		if (!multiply(file, entry, view->shape[i], &size_bytes, error))
			return FALSE;
	}
	if (found->dtype >= 0)
		view->dtype = (WeftDtype)found->dtype;
	else
		entry->type_unread = found->name;
	view->size_bytes = size_bytes;
	return TRUE;
}
