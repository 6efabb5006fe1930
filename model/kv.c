#include "model/kv.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

struct WeftPagePool {
	const WeftArch *arch;
	const WeftKernels *kernels;
	WeftDtype dtype;
	gsize n_values;   /* of a position: G * D */
	gsize half_bytes; /* of the keys of a page, which its values follow */
	WeftPageStore *store;
};

typedef struct LayerPages {
	GPtrArray *pages; /* of WeftPage, NULL where let go */
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

static const struct {
	const char *name;
	WeftDtype dtype;
} TYPES[] = {
	{"f32", WEFT_DTYPE_F32},
	{"bf16", WEFT_DTYPE_BF16},
	{"q8_0", WEFT_DTYPE_Q8_0},
	{"q4", WEFT_DTYPE_Q4_0},
};

gboolean weft_cache_dtype_named(const char *name, WeftDtype *ret_dtype)
{
	for (gsize i = 0; i < G_N_ELEMENTS(TYPES); i++)
		if (strcmp(name, TYPES[i].name) == 0) {
			*ret_dtype = TYPES[i].dtype;
			return TRUE;
		}
	return FALSE;
}

const char *weft_cache_dtype_name(WeftDtype dtype)
{
	for (gsize i = 0; i < G_N_ELEMENTS(TYPES); i++)
		if (TYPES[i].dtype == dtype)
			return TYPES[i].name;
	return weft_dtype_name(dtype);
}

gboolean weft_cache_dtype_fits(const WeftArch *arch, WeftDtype dtype, GError **error)
{
	gsize block = weft_dtype_block_values(dtype);
	if (arch->head_width % block == 0)
		return TRUE;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_UNSUPPORTED,
		    "keys and values as %s come in blocks of %" G_GSIZE_FORMAT
		    ", but a head is %" G_GSIZE_FORMAT " wide: f32 or bf16 can",
		    weft_cache_dtype_name(dtype), block, arch->head_width);
	return FALSE;
}

WeftPagePool *weft_page_pool_new(const WeftArch *arch, const WeftKernels *kernels,
				 const WeftPagePoolOptions *options, GError **error)
{
	const char *folder = options->folder ? options->folder : g_get_tmp_dir();
	if (!weft_cache_dtype_fits(arch, options->dtype, error))
		return NULL;
	WeftPagePool *pool = g_new0(WeftPagePool, 1);
	pool->arch = arch;
	pool->kernels = kernels;
	pool->dtype = options->dtype;
	pool->n_values = arch->n_kv_heads * arch->head_width;
	pool->half_bytes = WEFT_PAGE_POSITIONS * weft_dtype_row_bytes(pool->dtype, pool->n_values);
	pool->store = weft_page_store_new(2 * pool->half_bytes, options->memory_max_bytes, folder);
	return pool;
}

void weft_page_pool_free(WeftPagePool *pool)
{
	if (!pool)
		return;
	weft_page_store_free(pool->store);
	g_free(pool);
}

WeftDtype weft_page_pool_dtype(const WeftPagePool *pool)
{
	return pool->dtype;
}

WeftPageUsage weft_page_pool_usage(const WeftPagePool *pool)
{
	return weft_page_store_usage(pool->store);
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

/* The i-th page of a layer, or the one after its last. */
static void layer_set(const WeftPagePool *pool, LayerPages *layer, gsize i, WeftPage *page)
{
	char *data = page ? weft_page_data(pool->store, page) : NULL;
	if (i == layer->pages->len) {
		g_ptr_array_add(layer->pages, NULL);
		g_ptr_array_add(layer->k, NULL);
		g_ptr_array_add(layer->v, NULL);
	}
	layer->pages->pdata[i] = page;
	layer->k->pdata[i] = data;
	layer->v->pdata[i] = data ? data + pool->half_bytes : NULL;
}

WeftCache *weft_cache_share(const WeftCache *cache)
{
	WeftCache *copy = weft_cache_new(cache->pool);
	for (gsize i = 0; i < cache->pool->arch->n_layers; i++) {
		const LayerPages *from = &cache->layers[i];
		copy->layers[i].first = from->first;
		for (guint p = 0; p < from->pages->len; p++) {
			WeftPage *page = g_ptr_array_index(from->pages, p);
			if (page)
				page->n_holders++;
			layer_set(cache->pool, &copy->layers[i], p, page);
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
			weft_page_release(cache->pool->store, g_ptr_array_index(layer->pages, p));
		g_ptr_array_unref(layer->pages);
		g_ptr_array_unref(layer->k);
		g_ptr_array_unref(layer->v);
	}
	g_free(cache->layers);
	g_free(cache);
}

/* A page of its own, with the content of one that others hold too. */
static WeftPage *page_copy(WeftPagePool *pool, WeftPage *shared, GError **error)
{
	WeftPage *page = weft_page_take(pool->store, error);
	if (!page)
		return NULL;
	memcpy(weft_page_data(pool->store, page), weft_page_data(pool->store, shared),
	       2 * pool->half_bytes);
	weft_page_release(pool->store, shared);
	return page;
}

/* Lets go what no position from `position` on can see. */
static void layer_forget(WeftCache *cache, gsize index, gsize position)
{
	LayerPages *layer = &cache->layers[index];
	gsize keep = page_of(weft_arch_key_first(cache->pool->arch, index, position));
	for (; layer->first < MIN(keep, layer->pages->len); layer->first++) {
		weft_page_release(cache->pool->store,
				  g_ptr_array_index(layer->pages, layer->first));
		layer_set(cache->pool, layer, layer->first, NULL);
	}
}

static gboolean layer_extend(WeftCache *cache, gsize index, gsize position, gsize n, GError **error)
{
	LayerPages *layer = &cache->layers[index];
	for (gsize i = page_of(position); i <= page_of(position + n - 1); i++) {
		WeftPage *page = i < layer->pages->len ? g_ptr_array_index(layer->pages, i) : NULL;
		if (page && page->n_holders == 1)
			continue;
		WeftPage *own = page ? page_copy(cache->pool, page, error)
				     : weft_page_take(cache->pool->store, error);
		if (!own)
			return FALSE;
		layer_set(cache->pool, layer, i, own);
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

gboolean weft_cache_fill(WeftCache *cache, const WeftCache *sample, gsize n, GError **error)
{
	WeftPagePool *pool = cache->pool;
	for (gsize index = 0; n > 0 && index < pool->arch->n_layers; index++) {
		LayerPages *layer = &cache->layers[index];
		const GPtrArray *from = sample->layers[index].k;
		layer->first = page_of(weft_arch_key_first(pool->arch, index, n));
		for (gsize i = 0; i <= page_of(n - 1); i++) {
			WeftPage *page = NULL;
			if (i >= layer->first) {
				page = weft_page_take(pool->store, error);
				if (!page)
					return FALSE;
				memcpy(weft_page_data(pool->store, page),
				       g_ptr_array_index(from, i % from->len), 2 * pool->half_bytes);
			}
			layer_set(pool, layer, i, page);
		}
	}
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
		const LayerPages *pages = &cache->layers[layer];
		gsize i = page_of(position + done);
		char *k_page = g_ptr_array_index(pages->k, i), *v_page = g_ptr_array_index(pages->v, i);
		kernels->from_f32(kernels->team, k_page + at * position_bytes, pool->dtype,
				  k + done * pool->n_values, run * pool->n_values);
		kernels->from_f32(kernels->team, v_page + at * position_bytes, pool->dtype,
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
