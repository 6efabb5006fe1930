/* config_text.h - the text part of config.json; private to bundle/. */
#ifndef WEFT_BUNDLE_CONFIG_TEXT_H
#define WEFT_BUNDLE_CONFIG_TEXT_H

#include <glib.h>

#include "bundle/config.h"
#include "bundle/keys.h"

/* One for each family. They fill ret_text, whose arrays the caller frees also on failure; it must
 * be zeroed. */
gboolean weft_config_llama4(const WeftKeys *keys, WeftTextConfig *ret_text, GError **error);
gboolean weft_config_llama(const WeftKeys *keys, WeftTextConfig *ret_text, GError **error);
gboolean weft_config_mixtral(const WeftKeys *keys, WeftTextConfig *ret_text, GError **error);

/* Adds the ids of eos_token_id, one or a list, that are not there yet. */
gboolean weft_config_eos(const WeftKeys *keys, WeftTextConfig *text, GError **error);

/* rope_theta from either spelling: at the top, or inside rope_parameters. `scaling` may be NULL:
 * then none is allowed. */
gboolean weft_config_rope(const WeftKeys *keys, gboolean theta_required, double theta_default,
			  double *ret_theta, WeftRopeScaling *ret_scaling, GError **error);

#endif
