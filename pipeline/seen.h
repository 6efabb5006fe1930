/* seen.h - ids of the documents that a run has done, ten bytes each.
 *
 * A run of ten million documents keeps all of them, to know a copy when it comes. Of each id 64 bits
 * are kept, and so the set may take an id that it has not for one that it has: whoever asks makes sure
 * of it elsewhere. One thread at a time.
 */
#ifndef WEFT_PIPELINE_SEEN_H
#define WEFT_PIPELINE_SEEN_H

#include <glib.h>

typedef struct WeftSeen WeftSeen;

WeftSeen *weft_seen_new(void);
void weft_seen_free(WeftSeen *seen);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSeen, weft_seen_free)

/* `id`: "sha256:<64 hex>". */
void weft_seen_add(WeftSeen *seen, const char *id);
gboolean weft_seen_has(const WeftSeen *seen, const char *id);

#endif
