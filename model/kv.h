/* kv.h - keys and values of the positions that were computed.
 *
 * Memory comes in pages of WEFT_PAGE_POSITIONS positions of one layer, keys and values together,
 * from one pool of the model. A cache is the pages of one sequence: position s of a layer lies in
 * its page s / 64. Layers that see only their chunk give pages back as soon as no later position
 * can see them, so their part of the cache does not grow with the sequence. Pages are counted:
 * sequences that begin alike share the pages of the beginning, and a shared page is copied when
 * it is written.
 */
#ifndef WEFT_MODEL_KV_H
#define WEFT_MODEL_KV_H

#include "model/arch.h"

/* Positions that a cache is extended by at once, at most; pieces end at multiples of it. */
#define WEFT_PIECE_ROWS 256

typedef struct WeftPagePool WeftPagePool;
typedef struct WeftCache WeftCache;

WeftPagePool *weft_page_pool_new(const WeftArch *arch, const WeftKernels *kernels, WeftDtype dtype);
/* All caches must be gone. */
void weft_page_pool_free(WeftPagePool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftPagePool, weft_page_pool_free)

/* Pages that some cache holds now. */
gsize weft_page_pool_n_used(const WeftPagePool *pool);
/* Bytes of the most pages that were held at once. */
gsize weft_page_pool_peak_bytes(const WeftPagePool *pool);

/* Bytes of the pages that one cache of n positions holds at most while it grows piece by piece;
 * chunked layers count what their chunk needs. G_MAXSIZE when no machine has so many. */
gsize weft_cache_bytes(const WeftArch *arch, WeftDtype dtype, gsize n_positions);

WeftCache *weft_cache_new(WeftPagePool *pool);
/* A cache with the same positions; no memory is copied yet. */
WeftCache *weft_cache_share(const WeftCache *cache);
void weft_cache_free(WeftCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftCache, weft_cache_free)

/* Makes positions [position, position + n) writable in every layer, and lets go what no position
 * from `position` on can see. WEFT_ERROR_LIMIT when there is no memory. */
gboolean weft_cache_extend(WeftCache *cache, gsize position, gsize n, GError **error);

/* Stores keys and values of n positions, k[n,G,D] and v[n,G,D], rounded to the type of the pool. */
void weft_cache_store(WeftCache *cache, gsize layer, gsize position, gsize n, const float *k,
		      const float *v);

/* Page by page; NULL where nothing can see it any more. Valid until the cache is extended. */
const void *const *weft_cache_k_pages(const WeftCache *cache, gsize layer);
const void *const *weft_cache_v_pages(const WeftCache *cache, gsize layer);

WeftDtype weft_cache_dtype(const WeftCache *cache);

/* Pages of a layer that are held. */
gsize weft_cache_n_pages(const WeftCache *cache, gsize layer);

#endif
