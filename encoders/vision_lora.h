/* vision_lora.h - a LoRA adapter fitted to the vision tower and its projector.
 *
 * Adapters whose target modules are bare names ("q_proj") reach the tower too, and PEFT adds there
 * as everywhere: what is seen in a picture then depends on the adapter. Pairs whose B is all zero
 * were never trained and are left out; an adapter without others leaves the tower as it is. Pairs
 * of the text model belong to model/ and are passed over here.
 */
#ifndef WEFT_ENCODERS_VISION_LORA_H
#define WEFT_ENCODERS_VISION_LORA_H

#include "bundle/bundle.h"
#include "encoders/blocks.h"
#include "kernels/kernels.h"

typedef struct WeftVisionLora {
	const WeftLora *lora;
	WeftLowRank patches, fc1, fc2, linear_1; /* a.data NULL: nothing is added */
	WeftBlockParts *blocks;                  /* [n_layers] */
	gsize n_layers;
	gboolean is_empty;                       /* nothing is added anywhere */
	gsize room;                              /* for weft_low_rank_add */
	GPtrArray *vectors;                      /* owned */
} WeftVisionLora;

/* WEFT_ERROR_WEIGHTS names tensor and shapes, or the module that the tower does not have. Lora and
 * bundle must outlive it. */
WeftVisionLora *weft_vision_lora_new(const WeftLora *lora, const WeftBundle *bundle,
				     const WeftKernels *kernels, GError **error);
void weft_vision_lora_free(WeftVisionLora *vision_lora);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftVisionLora, weft_vision_lora_free)

#endif
