/* kv.h - keys and values of the positions that were computed.
 *
 * Memory comes in pages of WEFT_PAGE_POSITIONS positions of one layer, keys and values together,
 * from one pool of the model (pages.h: in memory, and past a limit in a file). A cache is the pages
 * of one sequence: position s of a layer lies in its page s / 64. Layers that see only their chunk
 * give pages back as soon as no later position can see them, so their part of the cache does not
 * grow with the sequence. Pages are counted: sequences that begin alike share the pages of the
 * beginning, and a shared page is copied when it is written.
 *
 * Types: f32, bf16, and the blocks of 32 numbers q8_0 (8.5 bits a number) and q4_0 (4.5 bits),
 * for heads whose width is whole blocks. docs/benchmarks.md has what they cost in exactness.
 * Beside a page's numbers a cache needs 24 bytes for each page of a layer, also for those that
 * were let go, and the pool 16 for each page that is held.
 */
#ifndef WEFT_MODEL_KV_H
#define WEFT_MODEL_KV_H

#include "model/arch.h"
#include "model/pages.h"

/* Positions that a cache is extended by at once, at most; pieces end at multiples of it. */
#define WEFT_PIECE_ROWS 256

typedef struct WeftPagePool WeftPagePool;
typedef struct WeftCache WeftCache;

/* The type of keys and values called "f32", "bf16", "q8_0" or "q4"; FALSE: none is called so. */
gboolean weft_cache_dtype_named(const char *name, WeftDtype *ret_dtype);
const char *weft_cache_dtype_name(WeftDtype dtype);
/* WEFT_ERROR_UNSUPPORTED: the heads are no whole blocks of the type. */
gboolean weft_cache_dtype_fits(const WeftArch *arch, WeftDtype dtype, GError **error);

typedef struct WeftPagePoolOptions {
	WeftDtype dtype;
	gsize memory_max_bytes; /* of pages in memory; 0: no limit */
	const char *folder;     /* for the pages past the limit; NULL: the system's for temporary files */
} WeftPagePoolOptions;

/* WEFT_ERROR_UNSUPPORTED: the type does not fit. */
WeftPagePool *weft_page_pool_new(const WeftArch *arch, const WeftKernels *kernels,
				 const WeftPagePoolOptions *options, GError **error);
/* All caches must be gone. */
void weft_page_pool_free(WeftPagePool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftPagePool, weft_page_pool_free)

WeftDtype weft_page_pool_dtype(const WeftPagePool *pool);
/* What the pages of all caches take; shared ones count once. */
WeftPageUsage weft_page_pool_usage(const WeftPagePool *pool);

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

/* Gives an empty cache the positions [0, n), in every layer those that a row at n can see: its pages
 * are copies of the pages of `sample`, over and over, which may be of another pool of the same type.
 * For measuring what a long sequence costs. */
gboolean weft_cache_fill(WeftCache *cache, const WeftCache *sample, gsize n, GError **error);

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
