/* probe_media.h - one picture or one recording from a file, for the probes. */
#ifndef WEFT_CLI_PROBE_MEDIA_H
#define WEFT_CLI_PROBE_MEDIA_H

#include <glib.h>

#include "ingest/ingest.h"

/* The first raster of the file at full size; NULL on error. */
WeftPart *weft_probe_picture(WeftIngest *ingest, const char *path, GError **error);

/* All samples (float, 16 kHz mono), gaps filled with zeros so that sample i stands at i / 16000 s. */
GArray *weft_probe_sound(WeftIngest *ingest, const char *path, GError **error);

#endif
