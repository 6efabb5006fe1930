/* config_text.h - the text part of config.json; private to bundle/. */
#ifndef WEFT_BUNDLE_CONFIG_TEXT_H
#define WEFT_BUNDLE_CONFIG_TEXT_H

#include <glib.h>

#include "bundle/config.h"
#include "bundle/keys.h"

/* Fills ret_text, whose arrays the caller frees also on failure; it must be zeroed. */
gboolean weft_config_text(const WeftKeys *keys, WeftTextConfig *ret_text, GError **error);

/* rope_theta from either spelling: at the top, or inside rope_parameters. `scaling` may be NULL:
 * then none is allowed. */
gboolean weft_config_rope(const WeftKeys *keys, gboolean theta_required, double theta_default,
			  double *ret_theta, WeftRopeScaling *ret_scaling, GError **error);

#endif
