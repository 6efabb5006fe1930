/* loader.h - tensors of a bundle as views with checked shapes; private to model/.
 *
 * Shapes are letters: V vocabulary, W width, Q heads * head width, K key/value heads * head width,
 * F width of an expert, M width of a dense feed-forward, E experts, G 2 * F, 1 one. Matrices are
 * views into the bundle's mapping and are never copied; the weights of norms, a few kilobytes, are
 * widened to f32. A tensor of 8-bit floats has its scales in a second tensor, one for each output.
 * All errors are WEFT_ERROR_WEIGHTS and name the tensor and both shapes.
 */
#ifndef WEFT_MODEL_LOADER_H
#define WEFT_MODEL_LOADER_H

#include "model/weights.h"

typedef struct WeftLoader {
	const WeftBundle *bundle;
	const WeftArch *arch;
	const WeftKernels *kernels;
	GPtrArray *vectors; /* takes what is widened */
} WeftLoader;

/* "model.layers.LAYER." + ffn + "." + rest; `ffn` NULL: without it. Caller frees. */
char *weft_loader_name(gsize layer, const char *ffn, const char *rest);

gboolean weft_loader_has(const WeftLoader *loader, const char *name);

/* The view as it is stored, without scales. */
gboolean weft_loader_view(const WeftLoader *loader, const char *name, const char *letters,
			  WeftTensor *ret_tensor, GError **error);

/* A matrix [outputs, inputs], with the scales that its format needs ("NAME_scale"). */
gboolean weft_loader_matrix(const WeftLoader *loader, const char *name, const char *letters,
			    WeftTensor *ret_tensor, GError **error);

/* The whole tensor as f32, owned by `vectors`. */
gboolean weft_loader_vector(const WeftLoader *loader, const char *name, const char *letters,
			    const float **ret_vector, GError **error);

/* The experts of a layer, in whichever layout the bundle has them. `ffn`: name of the feed-forward.
 * ret_experts[E]. */
gboolean weft_loader_experts(const WeftLoader *loader, gsize layer, const char *ffn,
			     WeftExpert *ret_experts, GError **error);

#endif
