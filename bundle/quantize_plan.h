/* quantize_plan.h - which tensors a GGUF file gets and where their values come from; private to
 * bundle/. */
#ifndef WEFT_BUNDLE_QUANTIZE_PLAN_H
#define WEFT_BUNDLE_QUANTIZE_PLAN_H

#include <glib.h>

#include "bundle/bundle.h"
#include "bundle/gguf_names.h"
#include "bundle/matrix_source.h"

typedef struct WeftQuantizePiece {
	char *name; /* in the file */
	WeftDtype dtype;
	gsize n_dims, shape[WEFT_BUNDLE_DIMS_MAX];
	gsize size_bytes;
	GArray *matrices; /* WeftMatrixSource, one after the other; a vector is a matrix of one row */
	float *values;    /* of a tensor that no file has, which the matrix is a view of; else NULL */
} WeftQuantizePiece;

typedef struct WeftQuantizePlan {
	const WeftBundle *bundle;
	WeftGgufArchitecture architecture;
	WeftDtype dtype;   /* of the matrices */
	GPtrArray *pieces; /* WeftQuantizePiece */
	GPtrArray *notes;  /* char * */
	gsize n_q8_0, n_f16; /* matrices that have another type than asked for */
} WeftQuantizePlan;

/* Fills the zeroed plan, which is to be cleared also on failure. */
gboolean weft_quantize_plan_text(WeftQuantizePlan *plan, const WeftBundle *bundle, WeftDtype dtype,
				 GError **error);
gboolean weft_quantize_plan_vision(WeftQuantizePlan *plan, const WeftBundle *bundle, GError **error);
void weft_quantize_plan_clear(WeftQuantizePlan *plan);

#endif
