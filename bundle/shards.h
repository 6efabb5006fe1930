/* shards.h - the weight files of a folder and their tensors by name; private to bundle/. */
#ifndef WEFT_BUNDLE_SHARDS_H
#define WEFT_BUNDLE_SHARDS_H

#include <glib.h>

#include "bundle/bundle.h"
#include "bundle/ggml.h"
#include "bundle/gguf_set.h"
#include "bundle/safetensors.h"

typedef struct WeftShards WeftShards;

/* Maps model.safetensors, or else the shards that model.safetensors.index.json names. A folder
 * with neither gives weights without tensors. What identifies them goes into `checksum`. */
WeftShards *weft_shards_open(const char *folder, GChecksum *checksum, GError **error);
/* The same of a GGUF model, whose set is taken. */
WeftShards *weft_shards_new_gguf(WeftGgufSet *set, GChecksum *checksum, GError **error);
/* The same of a model of whisper.cpp, whose file is taken. */
WeftShards *weft_shards_new_ggml(WeftGgml *ggml, GChecksum *checksum, GError **error);
void weft_shards_close(WeftShards *shards);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftShards, weft_shards_close)

guint64 weft_shards_size_bytes(const WeftShards *shards);
gsize weft_shards_n_files(const WeftShards *shards);

/* For a message about a tensor of an unread type: what works instead. */
const char *weft_shards_types_read(const WeftShards *shards);

/* Entries by name, those of unread types included. */
gsize weft_shards_n_tensors(const WeftShards *shards);
const WeftTensorEntry *weft_shards_at(const WeftShards *shards, gsize i);

/* The name without what differs between releases of the wrapping classes (bundle.h says what). */
const char *weft_shards_plain_name(const char *name);

/* By name without wrappers; NULL: none. */
const WeftTensorEntry *weft_shards_find(const WeftShards *shards, const char *name);

#endif
