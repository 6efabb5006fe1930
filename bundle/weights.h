/* weights.h - the weight files of a folder and their tensors by name; private to bundle/. */
#ifndef WEFT_BUNDLE_WEIGHTS_H
#define WEFT_BUNDLE_WEIGHTS_H

#include <glib.h>

#include "bundle/bundle.h"
#include "bundle/safetensors.h"

typedef struct WeftWeights WeftWeights;

/* Maps model.safetensors, or else the shards that model.safetensors.index.json names. A folder
 * with neither gives weights without tensors. What identifies them goes into `checksum`. */
WeftWeights *weft_weights_open(const char *folder, GChecksum *checksum, GError **error);
void weft_weights_close(WeftWeights *weights);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftWeights, weft_weights_close)

guint64 weft_weights_size_bytes(const WeftWeights *weights);
gsize weft_weights_n_files(const WeftWeights *weights);

/* Entries by name, those of unread types included. */
gsize weft_weights_n_tensors(const WeftWeights *weights);
const WeftTensorEntry *weft_weights_at(const WeftWeights *weights, gsize i);

/* By name without wrappers (bundle.h says which); NULL: none. */
const WeftTensorEntry *weft_weights_find(const WeftWeights *weights, const char *name);

#endif
