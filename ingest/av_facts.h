/* av_facts.h - private: what a container states, as parts: metadata, tracks, chapters,
 * attachments. */
#ifndef WEFT_INGEST_AV_FACTS_H
#define WEFT_INGEST_AV_FACTS_H

#include <glib.h>

#include "ingest/av_source.h"

/* Appends them to `out`. */
void weft_av_facts(const WeftAvSource *source, GQueue *out);

#endif
