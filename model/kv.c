#include "model/kv.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

typedef struct Page {
	gsize n_holders;
	char *k, *v; /* one piece of memory, at k */
} Page;

struct WeftPagePool {
	const WeftArch *arch;
	const WeftKernels *kernels;
	WeftDtype dtype;
	gsize n_values;   /* of a position: G * D */
	gsize half_bytes; /* of the keys of a page */
	GPtrArray *free;  /* of Page */
	gsize n_used, n_used_max;
};

typedef struct LayerPages {
	GPtrArray *pages; /* of Page, NULL where let go */
	GPtrArray *k, *v; /* their memory, for the kernel */
	gsize first;      /* pages before are let go */
} LayerPages;

struct WeftCache {
	WeftPagePool *pool;
	LayerPages *layers; /* [n_layers] */
};

/* The page of a layer in which a position lies. */
static gsize page_of(gsize position)
{
	return position / WEFT_PAGE_POSITIONS;
}

WeftPagePool *weft_page_pool_new(const WeftArch *arch, const WeftKernels *kernels, WeftDtype dtype)
{
	WeftPagePool *pool = g_new0(WeftPagePool, 1);
	pool->arch = arch;
	pool->kernels = kernels;
	pool->dtype = dtype;
	pool->n_values = arch->n_kv_heads * arch->head_width;
	pool->half_bytes = WEFT_PAGE_POSITIONS * weft_dtype_row_bytes(dtype, pool->n_values);
	pool->free = g_ptr_array_new();
	return pool;
}

void weft_page_pool_free(WeftPagePool *pool)
{
	if (!pool)
		return;
	for (guint i = 0; i < pool->free->len; i++) {
		Page *page = g_ptr_array_index(pool->free, i);
		weft_kernels_free(pool->kernels, page->k);
		g_free(page);
	}
	g_ptr_array_unref(pool->free);
	g_free(pool);
}

gsize weft_page_pool_n_used(const WeftPagePool *pool)
{
	return pool->n_used;
}

gsize weft_page_pool_peak_bytes(const WeftPagePool *pool)
{
	return pool->n_used_max * 2 * pool->half_bytes;
}

gsize weft_cache_bytes(const WeftArch *arch, WeftDtype dtype, gsize n_positions)
{
	gsize n_values = arch->n_kv_heads * arch->head_width;
	gsize n_chunked = 0, chunked = 0, n_pages_max = 0, bytes;
	for (gsize i = 0; i < arch->n_layers; i++)
		if (arch->layers[i].is_chunked) {
			chunked = i; /* all of them keep the same */
			n_chunked++;
		}
	for (gsize at = 0; at < n_positions; at += WEFT_PIECE_ROWS) {
		gsize end = page_of(MIN(at + WEFT_PIECE_ROWS, n_positions) - 1) + 1;
		gsize n_pages = (arch->n_layers - n_chunked) * end;
		if (n_chunked > 0)
			n_pages += n_chunked * (end - page_of(weft_arch_key_first(arch, chunked, at)));
		n_pages_max = MAX(n_pages_max, n_pages);
	}
	if (!weft_size_multiply(weft_dtype_row_bytes(dtype, n_values), 2 * WEFT_PAGE_POSITIONS,
				&bytes) ||
	    !weft_size_multiply(bytes, n_pages_max, &bytes))
		return G_MAXSIZE;
	return bytes;
}

static Page *page_take(WeftPagePool *pool, GError **error)
{
	Page *page;
	if (pool->free->len > 0) {
		page = g_ptr_array_steal_index_fast(pool->free, pool->free->len - 1);
	} else {
		char *memory = weft_kernels_alloc(pool->kernels, 2, pool->half_bytes, error);
		if (!memory)
			return NULL;
		/* Rows behind the last position are multiplied by nothing, but may be read. */
		memset(memory, 0, 2 * pool->half_bytes);
		page = g_new0(Page, 1);
		page->k = memory;
		page->v = memory + pool->half_bytes;
	}
	page->n_holders = 1;
	pool->n_used++;
	pool->n_used_max = MAX(pool->n_used_max, pool->n_used);
	return page;
}

static void page_release(WeftPagePool *pool, Page *page)
{
	if (!page || --page->n_holders > 0)
		return;
	pool->n_used--;
	g_ptr_array_add(pool->free, page);
}

WeftCache *weft_cache_new(WeftPagePool *pool)
{
	WeftCache *cache = g_new0(WeftCache, 1);
	cache->pool = pool;
	cache->layers = g_new0(LayerPages, pool->arch->n_layers);
	for (gsize i = 0; i < pool->arch->n_layers; i++) {
		cache->layers[i].pages = g_ptr_array_new();
		cache->layers[i].k = g_ptr_array_new();
		cache->layers[i].v = g_ptr_array_new();
	}
	return cache;
}

static void layer_append(LayerPages *layer, Page *page)
{
	g_ptr_array_add(layer->pages, page);
	g_ptr_array_add(layer->k, page ? page->k : NULL);
	g_ptr_array_add(layer->v, page ? page->v : NULL);
}

static void layer_replace(LayerPages *layer, gsize i, Page *page)
{
	layer->pages->pdata[i] = page;
	layer->k->pdata[i] = page ? page->k : NULL;
	layer->v->pdata[i] = page ? page->v : NULL;
}

WeftCache *weft_cache_share(const WeftCache *cache)
{
	WeftCache *copy = weft_cache_new(cache->pool);
	for (gsize i = 0; i < cache->pool->arch->n_layers; i++) {
		const LayerPages *from = &cache->layers[i];
		copy->layers[i].first = from->first;
		for (guint p = 0; p < from->pages->len; p++) {
			Page *page = g_ptr_array_index(from->pages, p);
			if (page)
				page->n_holders++;
			layer_append(&copy->layers[i], page);
		}
	}
	return copy;
}

void weft_cache_free(WeftCache *cache)
{
	if (!cache)
		return;
	for (gsize i = 0; i < cache->pool->arch->n_layers; i++) {
		LayerPages *layer = &cache->layers[i];
		for (guint p = 0; p < layer->pages->len; p++)
			page_release(cache->pool, g_ptr_array_index(layer->pages, p));
		g_ptr_array_unref(layer->pages);
		g_ptr_array_unref(layer->k);
		g_ptr_array_unref(layer->v);
	}
	g_free(cache->layers);
	g_free(cache);
}

/* A page of its own, with the content of one that others hold too. */
static Page *page_copy(WeftPagePool *pool, Page *shared, GError **error)
{
	Page *page = page_take(pool, error);
	if (!page)
		return NULL;
	memcpy(page->k, shared->k, 2 * pool->half_bytes);
	page_release(pool, shared);
	return page;
}

/* Lets go what no position from `position` on can see. */
static void layer_forget(WeftCache *cache, gsize index, gsize position)
{
	LayerPages *layer = &cache->layers[index];
	gsize keep = page_of(weft_arch_key_first(cache->pool->arch, index, position));
	for (; layer->first < MIN(keep, layer->pages->len); layer->first++) {
		page_release(cache->pool, g_ptr_array_index(layer->pages, layer->first));
		layer_replace(layer, layer->first, NULL);
	}
}

static gboolean layer_extend(WeftCache *cache, gsize index, gsize position, gsize n, GError **error)
{
	LayerPages *layer = &cache->layers[index];
	for (gsize i = page_of(position); i <= page_of(position + n - 1); i++) {
		Page *page = i < layer->pages->len ? g_ptr_array_index(layer->pages, i) : NULL;
		if (page && page->n_holders == 1)
			continue;
		Page *own = page ? page_copy(cache->pool, page, error)
				 : page_take(cache->pool, error);
		if (!own)
			return FALSE;
		if (i < layer->pages->len)
			layer_replace(layer, i, own);
		else
			layer_append(layer, own);
	}
	return TRUE;
}

gboolean weft_cache_extend(WeftCache *cache, gsize position, gsize n, GError **error)
{
	gsize n_layers = n > 0 ? cache->pool->arch->n_layers : 0;
	/* First in all layers, so that what one gives back another can have. */
	for (gsize i = 0; i < n_layers; i++)
		layer_forget(cache, i, position);
	for (gsize i = 0; i < n_layers; i++)
		if (!layer_extend(cache, i, position, n, error))
			return FALSE;
	return TRUE;
}

void weft_cache_store(WeftCache *cache, gsize layer, gsize position, gsize n, const float *k,
		      const float *v)
{
	const WeftPagePool *pool = cache->pool;
	const WeftKernels *kernels = pool->kernels;
	gsize position_bytes = weft_dtype_row_bytes(pool->dtype, pool->n_values);
	for (gsize done = 0; done < n;) {
		gsize at = (position + done) % WEFT_PAGE_POSITIONS;
		gsize run = MIN(n - done, WEFT_PAGE_POSITIONS - at);
		const Page *page = g_ptr_array_index(cache->layers[layer].pages,
						     (position + done) / WEFT_PAGE_POSITIONS);
		kernels->from_f32(kernels->team, page->k + at * position_bytes, pool->dtype,
				  k + done * pool->n_values, run * pool->n_values);
		kernels->from_f32(kernels->team, page->v + at * position_bytes, pool->dtype,
				  v + done * pool->n_values, run * pool->n_values);
		done += run;
	}
}

const void *const *weft_cache_k_pages(const WeftCache *cache, gsize layer)
{
	return (const void *const *)cache->layers[layer].k->pdata;
}

const void *const *weft_cache_v_pages(const WeftCache *cache, gsize layer)
{
	return (const void *const *)cache->layers[layer].v->pdata;
}

WeftDtype weft_cache_dtype(const WeftCache *cache)
{
	return cache->pool->dtype;
}

gsize weft_cache_n_pages(const WeftCache *cache, gsize layer)
{
	gsize n = 0;
	for (guint i = 0; i < cache->layers[layer].pages->len; i++)
		n += g_ptr_array_index(cache->layers[layer].pages, i) != NULL;
	return n;
}
