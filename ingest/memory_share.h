/* memory_share.h - private: the memory that workers, and what they have sent, may take together.
 *
 * What is large waits for its turn here, so that a run keeps to its memory whatever documents it
 * meets and however many threads it has, and no document is read less well for it. A worker begins
 * with a base; before it allocates more it asks (helper side: weigh.h). A picture's memory goes over
 * from its worker to the part that weft makes of it, and comes back when the part is freed.
 *
 * Two accounts, for decoding and for reading by Tesseract. Readers wait for readers only, so what
 * waits to be read is always read in the end, and a decoder that waits for readers does not keep
 * them from their memory. A decoder waits while its account is full. It may borrow what readers do
 * not use when nobody else decodes: so a need may be as large as both accounts. Requests of those
 * that hold something already go before those that begin, and none that begins overtakes one that
 * waits, so the large are not kept waiting for ever. When all that hold memory wait for more, the
 * eldest gets it although it is too much: the only way in which the sum is exceeded, by decoders
 * that grow beyond what they said they would need.
 *
 * All of it may be called from any thread; a share belongs to one thread at a time.
 */
#ifndef WEFT_INGEST_MEMORY_SHARE_H
#define WEFT_INGEST_MEMORY_SHARE_H

#include <glib.h>

typedef enum {
	WEFT_MEMORY_DECODE,
	WEFT_MEMORY_READ,
	WEFT_N_MEMORIES,
} WeftMemoryKind;

typedef struct WeftMemory WeftMemory;
typedef struct WeftMemoryShare WeftMemoryShare;

/* Without limits until they are set, which is before the first thread. It lives as long as its
 * shares: parts may outlive the ingest that they came from. */
WeftMemory *weft_memory_new(void);
void weft_memory_unref(WeftMemory *memory);
void weft_memory_limit(WeftMemory *memory, gsize decode_bytes, gsize read_bytes);
/* What is held now, of both accounts, and the most that ever was. */
gsize weft_memory_bytes(WeftMemory *memory);
gsize weft_memory_peak(WeftMemory *memory);

/* Holds nothing yet. Freeing gives all back. */
WeftMemoryShare *weft_memory_share_new(WeftMemory *memory, WeftMemoryKind kind);
void weft_memory_share_free(WeftMemoryShare *share);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftMemoryShare, weft_memory_share_free)

gsize weft_memory_held(const WeftMemoryShare *share);
/* Waits until the share holds that much; at once when it holds more, which it then gives back. */
void weft_memory_hold(WeftMemoryShare *share, gsize size_bytes);
/* A new share that takes over so much of this one; NULL when it holds less. */
WeftMemoryShare *weft_memory_part(WeftMemoryShare *share, gsize size_bytes);

#endif
