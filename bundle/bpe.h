/* bpe.h - byte pair encoding of one piece; private to bundle/.
 *
 * A piece comes as symbols (the tokens of its bytes or characters); the neighbours whose merge has
 * the lowest rank are joined, the leftmost of equals first, until no merge fits. Short pieces are
 * searched through, long ones go over a heap, which is O(n log n): one endless word costs little
 * more than running text.
 */
#ifndef WEFT_BUNDLE_BPE_H
#define WEFT_BUNDLE_BPE_H

#include <glib.h>

typedef struct WeftBpe WeftBpe;

WeftBpe *weft_bpe_new(void);
void weft_bpe_free(WeftBpe *bpe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftBpe, weft_bpe_free)

/* Ids are not negative. A pair that is given again takes the new rank and result. */
void weft_bpe_add_merge(WeftBpe *bpe, gint32 left, gint32 right, guint32 rank, gint32 result);

/* What encoding reuses from piece to piece. */
typedef struct WeftBpeScratch {
	GArray *links, *heap;
} WeftBpeScratch;

void weft_bpe_scratch_init(WeftBpeScratch *scratch);
void weft_bpe_scratch_done(WeftBpeScratch *scratch);

/* Appends what the n symbols (fewer than 2^32 - 1) become. */
void weft_bpe_encode(const WeftBpe *bpe, const gint32 *symbols, gsize n, WeftBpeScratch *scratch,
		     GArray *ids);

#endif
