/* weights.h - the tensors of the backbone, checked once and then only pointed at.
 *
 * Matrices are views into the bundle's mapping, [outputs, inputs] but for experts that are stored
 * the other way. Shape letters: loader.h.
 */
#ifndef WEFT_MODEL_WEIGHTS_H
#define WEFT_MODEL_WEIGHTS_H

#include "model/arch.h"

/* down(silu(gate(h)) * up(h)): [F,W], [F,W], [W,F]; is_kn: transposed, [W,F], [W,F], [F,W]. */
typedef struct WeftExpert {
	WeftTensor gate, up, down;
	gboolean is_kn;
} WeftExpert;

typedef struct WeftLayerWeights {
	const float *input_norm, *post_norm; /* [W] */
	WeftTensor q, k, v, o;               /* [Q,W] [K,W] [K,W] [W,Q] */
	WeftTensor router;                   /* [E,W], of a mixture */
	WeftExpert *experts;                 /* [E], of a mixture */
	WeftTensor gate, up, down;           /* the shared expert [F,W] [F,W] [W,F], or dense with M */
} WeftLayerWeights;

typedef struct WeftWeights {
	WeftTensor embed, head;   /* [V,W] */
	const float *norm;        /* [W] */
	WeftLayerWeights *layers; /* [n_layers] */
	gsize n_layers;
	GPtrArray *vectors;       /* owns what was widened */
} WeftWeights;

/* WEFT_ERROR_WEIGHTS names the tensor and both shapes, or a tensor that would be left out and must
 * not be: a bias, a layer behind the last one. The bundle must outlive it. */
WeftWeights *weft_weights_new(const WeftBundle *bundle, const WeftArch *arch,
			      const WeftKernels *kernels, GError **error);
void weft_weights_free(WeftWeights *weights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftWeights, weft_weights_free)

#endif
