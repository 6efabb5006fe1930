/* spill.h - memory for what waits long and may be large: in files without a name.
 *
 * What is put here is copied, stays where it is, and is read like other memory; all of it goes at
 * once. The kernel writes it to the disk when it needs the room. One thread at a time.
 */
#ifndef WEFT_BASE_SPILL_H
#define WEFT_BASE_SPILL_H

#include <glib.h>

typedef struct WeftSpill WeftSpill;

/* Its files lie in `folder`; there are none before the first bytes. */
WeftSpill *weft_spill_new(const char *folder);
void weft_spill_free(WeftSpill *spill);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftSpill, weft_spill_free)

/* A copy, borrowed from the spill, at any alignment. NULL: the disk has no room (WEFT_ERROR_LIMIT), or
 * WEFT_ERROR_IO. */
gpointer weft_spill_copy(WeftSpill *spill, gconstpointer data, gsize size_bytes, GError **error);

#endif
