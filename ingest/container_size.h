/* container_size.h - private: how long a container says it is, in bytes, before FFmpeg reads it.
 *
 * FFmpeg plays what is there of a recording that was cut off, and does not always say that something
 * is missing: not of WAV and Core Audio, not of MP4 in fragments, not of Ogg. Their outermost
 * structure tells: boxes and chunks state their sizes, the last page of Ogg is marked as such. What
 * has nothing of the kind (MPEG streams, bare AAC) can't be told from a shorter recording.
 */
#ifndef WEFT_INGEST_CONTAINER_SIZE_H
#define WEFT_INGEST_CONTAINER_SIZE_H

#include <glib.h>

typedef struct WeftContainerSize {
	guint64 stated_bytes; /* 0: not stated */
	gboolean is_open;     /* Ogg, whose last page is not marked as the last */
	gboolean lacks_index; /* MP4 without a moov box: nothing of it can be played */
} WeftContainerSize;

WeftContainerSize weft_container_size(int fd, guint64 size_bytes);

#endif
