/* adapter.h - a LoRA adapter fitted to the backbone: what it adds to which product.
 *
 * Each pair of the adapter is looked up by its module's name and checked against the base's matrix,
 * so that a pass only asks for a place. Factors stay views into the adapter's file where the file
 * has them as they are used; fused experts, the table of embeddings and rows that lie in another
 * order than the file's (q and k of a GGUF) are copied, in the file's type.
 *
 * DoRA needs the lengths of the rows of W + s B A: each adapted matrix is read once when the
 * adapter is fitted, which for a large base on a cold disk costs as much as one pass over them.
 *
 * Pairs of the vision tower and its projector belong to the encoders and are passed over here.
 */
#ifndef WEFT_MODEL_ADAPTER_H
#define WEFT_MODEL_ADAPTER_H

#include "model/weights.h"

typedef enum {
	WEFT_ADAPTED_Q,
	WEFT_ADAPTED_K,
	WEFT_ADAPTED_V,
	WEFT_ADAPTED_O,
	WEFT_ADAPTED_ROUTER,
	WEFT_ADAPTED_GATE, /* of the dense feed-forward, the shared expert, or a routed one */
	WEFT_ADAPTED_UP,
	WEFT_ADAPTED_DOWN,
	WEFT_ADAPTED_COUNT
} WeftAdapted;

#define WEFT_ADAPTED_IN_EXPERT (WEFT_ADAPTED_COUNT - WEFT_ADAPTED_GATE)

/* Those of an expert from gate on. */
typedef struct WeftAdapterExpert {
	WeftLowRank parts[WEFT_ADAPTED_IN_EXPERT];
} WeftAdapterExpert;

typedef struct WeftAdapterLayer {
	WeftLowRank parts[WEFT_ADAPTED_COUNT]; /* a.data NULL: nothing is added */
	WeftAdapterExpert *experts;            /* [E]; NULL: none is adapted */
} WeftAdapterLayer;

typedef struct WeftAdapter {
	const WeftLora *lora;
	WeftAdapterLayer *layers;     /* [n_layers] */
	gsize n_layers;
	WeftTensor embed, head;       /* in place of the base's; data NULL: the base's */
	WeftLowRank embed_part, head_part; /* embed_part.a: [V,r] */
	gsize room;                   /* numbers that weft_low_rank_add needs at most */
	GPtrArray *copies;            /* owns what is no view */
} WeftAdapter;

/* WEFT_ERROR_WEIGHTS names tensor and shapes, or the module that the base does not have;
 * WEFT_ERROR_UNSUPPORTED what can't be adapted. Everything given must outlive it. */
WeftAdapter *weft_adapter_new(const WeftLora *lora, const WeftConfig *config, const WeftArch *arch,
			      const WeftWeights *weights, const WeftKernels *kernels,
			      GError **error);
void weft_adapter_free(WeftAdapter *adapter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftAdapter, weft_adapter_free)

/* The addition to a place, or NULL. `expert`: NULL, or the number of the routed one. */
const WeftLowRank *weft_adapter_part(const WeftAdapter *adapter, gsize layer,
				     const guint32 *expert, WeftAdapted which);

#endif
