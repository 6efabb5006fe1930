/* weights.h - the tensors of the backbone, checked once and then only pointed at.
 *
 * Matrices are views into the bundle's mapping and are never copied; the weights of norms, a few
 * kilobytes, are widened to f32. Shape letters: V vocabulary, W width, Q heads * head width,
 * K key/value heads * head width, F width of an expert, M width of a dense feed-forward, E experts,
 * G 2 * F.
 */
#ifndef WEFT_MODEL_WEIGHTS_H
#define WEFT_MODEL_WEIGHTS_H

#include "model/arch.h"

typedef struct WeftLayerWeights {
	const float *input_norm, *post_norm; /* [W] */
	WeftTensor q, k, v, o;               /* [Q,W] [K,W] [K,W] [W,Q] */
	WeftTensor router;                   /* [E,W] */
	WeftTensor gate_up, expert_down;     /* [E,W,G] [E,F,W]: stored [in,out] */
	WeftTensor gate, up, down;           /* the shared expert [F,W] [F,W] [W,F], or dense with M */
} WeftLayerWeights;

typedef struct WeftWeights {
	WeftTensor embed, head;   /* [V,W] */
	const float *norm;        /* [W] */
	WeftLayerWeights *layers; /* [n_layers] */
	GPtrArray *norms;         /* owns the widened vectors */
} WeftWeights;

/* WEFT_ERROR_WEIGHTS names the tensor and both shapes. The bundle must outlive it. */
WeftWeights *weft_weights_new(const WeftBundle *bundle, const WeftArch *arch,
			      const WeftKernels *kernels, GError **error);
void weft_weights_free(WeftWeights *weights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftWeights, weft_weights_free)

#endif
