/* bpe.h - byte pair encoding of one piece; private to bundle/.
 *
 * A piece starts as single bytes; the neighbours whose merge has the lowest rank are joined, the
 * leftmost of equals first, until no merge fits. With a heap that is O(n log n) for a piece of n
 * bytes, so one endless word costs no more than running text.
 */
#ifndef WEFT_BUNDLE_BPE_H
#define WEFT_BUNDLE_BPE_H

#include <glib.h>

typedef struct WeftBpe WeftBpe;

/* byte_ids: the token of each byte. */
WeftBpe *weft_bpe_new(const gint32 byte_ids[256]);
void weft_bpe_free(WeftBpe *bpe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftBpe, weft_bpe_free)

/* Ranks follow the order of the calls. A pair that is given again keeps its first rank. */
void weft_bpe_add_merge(WeftBpe *bpe, gint32 left, gint32 right, gint32 result);

/* What encoding reuses from piece to piece. */
typedef struct WeftBpeScratch {
	GArray *symbols, *heap;
} WeftBpeScratch;

void weft_bpe_scratch_init(WeftBpeScratch *scratch);
void weft_bpe_scratch_done(WeftBpeScratch *scratch);

/* Appends the ids of the piece, which must be shorter than 2^32 bytes. */
void weft_bpe_encode(const WeftBpe *bpe, const char *piece, gsize size_bytes,
		     WeftBpeScratch *scratch, GArray *ids);

#endif
