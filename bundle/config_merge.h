/* config_merge.h - one configuration laid over another; private to bundle/.
 *
 * Below lies what a model file says of itself, above what a config.json adds to it or corrects.
 * Objects are merged member by member, anything else is replaced, null too. Numbers that say how
 * large a tensor is can't be corrected: the two must agree. What concerns how some other checkpoint
 * is stored (quantization_config, architectures) is left out of the upper one.
 */
#ifndef WEFT_BUNDLE_CONFIG_MERGE_H
#define WEFT_BUNDLE_CONFIG_MERGE_H

#include <glib.h>

#include "base/json.h"

typedef struct WeftConfigSource {
	const char *file; /* for messages */
	const char *json;
	gsize size_bytes;
} WeftConfigSource;

/* The merged text. An `above` that has the text model's keys at its top is laid over the
 * text_config of a `below` that has one. WEFT_ERROR_CONFIG names file, key and both values. */
GString *weft_config_merge(const WeftConfigSource *below, const WeftConfigSource *above,
			   GError **error);

#endif
