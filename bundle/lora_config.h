/* lora_config.h - adapter_config.json of a LoRA adapter; private to bundle/ (lora.h says what is
 * refused). */
#ifndef WEFT_BUNDLE_LORA_CONFIG_H
#define WEFT_BUNDLE_LORA_CONFIG_H

#include <glib.h>

typedef struct WeftLoraConfig WeftLoraConfig;

/* size_bytes of json, possibly without NUL at its end. */
WeftLoraConfig *weft_lora_config_new(const char *json, gsize size_bytes, GError **error);
void weft_lora_config_free(WeftLoraConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftLoraConfig, weft_lora_config_free)

/* What the tensors of a pair must agree with. */
gboolean weft_lora_config_uses_dora(const WeftLoraConfig *config);
gboolean weft_lora_config_has_bias(const WeftLoraConfig *config); /* of lora_B */

/* s of the module or parameter of this path. WEFT_ERROR_WEIGHTS when its rank is not the
 * configuration's. */
gboolean weft_lora_config_scale(const WeftLoraConfig *config, const char *path, gsize rank,
				double *ret_scale, GError **error);

#endif
