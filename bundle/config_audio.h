/* config_audio.h - Whisper's and Ultravox's config.json; private to bundle/. */
#ifndef WEFT_BUNDLE_CONFIG_AUDIO_H
#define WEFT_BUNDLE_CONFIG_AUDIO_H

#include <glib.h>

#include "bundle/config.h"
#include "bundle/keys.h"

/* They fill `audio`, whose arrays the caller frees also on failure; it must be zeroed. */
gboolean weft_config_whisper(const WeftKeys *keys, WeftAudioConfig *audio, GError **error);
gboolean weft_config_ultravox(const WeftKeys *keys, WeftAudioConfig *audio, GError **error);

/* alignment_heads of generation_config.json, where it is given. */
gboolean weft_config_alignment(const WeftKeys *keys, WeftAudioConfig *audio, GError **error);

#endif
