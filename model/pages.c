#include "model/pages.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"

#define MIB ((gsize)1 << 20)
#define NO_PAGE G_MAXUINT32

struct WeftExtent {
	char *memory;
	gsize size_bytes;
	gboolean in_file;
	guint32 n_pages, n_used;
	guint32 n_begun;  /* pages from here on were never taken */
	guint32 free;     /* first of those given back, or NO_PAGE */
	WeftPage pages[]; /* [n_pages] */
};

/* How the extents of one kind grow: by half of what is there, within these. */
typedef struct Kind {
	gsize step_min_bytes, step_max_bytes;
	WeftExtent *last; /* where a page was found last; NULL: look everywhere */
	gsize n_used;     /* pages */
	gsize size_bytes; /* of all extents */
} Kind;

enum { IN_MEMORY, IN_FILE };

struct WeftPageStore {
	gsize page_bytes, memory_max_bytes;
	gboolean returns_pages; /* to the system, one by one */
	char *folder;
	GPtrArray *extents;
	Kind kinds[2];
	gsize n_used_max;
};

WeftPageStore *weft_page_store_new(gsize page_bytes, gsize memory_max_bytes, const char *folder)
{
	WeftPageStore *store = g_new0(WeftPageStore, 1);
	g_assert(page_bytes > 0);
	store->page_bytes = page_bytes;
	store->memory_max_bytes = memory_max_bytes;
	store->returns_pages = page_bytes % (gsize)sysconf(_SC_PAGESIZE) == 0;
	store->folder = g_strdup(folder);
	store->extents = g_ptr_array_new();
	store->kinds[IN_MEMORY].step_min_bytes = MIB;
	store->kinds[IN_MEMORY].step_max_bytes = 256 * MIB;
	store->kinds[IN_FILE].step_min_bytes = 64 * MIB;
	store->kinds[IN_FILE].step_max_bytes = 1024 * MIB;
	return store;
}

static void extent_free(WeftPageStore *store, WeftExtent *extent)
{
	Kind *kind = &store->kinds[extent->in_file ? IN_FILE : IN_MEMORY];
	if (kind->last == extent)
		kind->last = NULL;
	kind->size_bytes -= extent->size_bytes;
	if (extent->in_file)
		weft_scratch_unmap(extent->memory, extent->size_bytes);
	else
		munmap(extent->memory, extent->size_bytes);
	g_free(extent);
}

void weft_page_store_free(WeftPageStore *store)
{
	if (!store)
		return;
	for (guint i = 0; i < store->extents->len; i++)
		extent_free(store, g_ptr_array_index(store->extents, i));
	g_ptr_array_unref(store->extents);
	g_free(store->folder);
	g_free(store);
}

char *weft_page_data(const WeftPageStore *store, const WeftPage *page)
{
	return page->extent->memory + (gsize)(page - page->extent->pages) * store->page_bytes;
}

static gpointer map_memory(gsize size_bytes, GError **error)
{
	gpointer memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory != MAP_FAILED)
		return memory;
	g_set_error(error, WEFT_ERROR, WEFT_ERROR_LIMIT, "%" G_GSIZE_FORMAT
		    " bytes for keys and values: %s", size_bytes, g_strerror(errno));
	return NULL;
}

/* The disk may have room for less than a step. */
static gpointer map_file(const WeftPageStore *store, gsize *n_pages, GError **error)
{
	for (;; *n_pages /= 2) {
		g_autoptr(GError) failure = NULL;
		gpointer memory = weft_scratch_map(store->folder, *n_pages * store->page_bytes,
						   &failure);
		if (memory)
			return memory;
		if (*n_pages > 1 && g_error_matches(failure, WEFT_ERROR, WEFT_ERROR_LIMIT))
			continue;
		g_propagate_prefixed_error(
			error, g_steal_pointer(&failure),
			"keys and values that --kv-memory leaves no room for (%" G_GSIZE_FORMAT
			" bytes are in memory, %" G_GSIZE_FORMAT " on disk): ",
			store->kinds[IN_MEMORY].n_used * store->page_bytes,
			store->kinds[IN_FILE].size_bytes);
		return NULL;
	}
}

static WeftExtent *extent_new(WeftPageStore *store, gboolean in_file, GError **error)
{
	Kind *kind = &store->kinds[in_file ? IN_FILE : IN_MEMORY];
	gsize step_bytes = CLAMP(kind->size_bytes / 2, kind->step_min_bytes, kind->step_max_bytes);
	gsize n_pages = MAX(step_bytes / store->page_bytes, 1);
	gpointer memory = in_file ? map_file(store, &n_pages, error)
				  : map_memory(n_pages * store->page_bytes, error);
	if (!memory)
		return NULL;
	WeftExtent *extent = g_malloc(sizeof(*extent) + n_pages * sizeof(WeftPage));
	*extent = (WeftExtent){.memory = memory,
			       .size_bytes = n_pages * store->page_bytes,
			       .in_file = in_file,
			       .n_pages = (guint32)n_pages,
			       .free = NO_PAGE};
	kind->size_bytes += extent->size_bytes;
	g_ptr_array_add(store->extents, extent);
	return extent;
}

/* The first extent of the kind with a free page, so that the later ones become empty. */
static WeftExtent *find_extent(const WeftPageStore *store, gboolean in_file)
{
	WeftExtent *last = store->kinds[in_file ? IN_FILE : IN_MEMORY].last;
	if (last && last->n_used < last->n_pages)
		return last;
	for (guint i = 0; i < store->extents->len; i++) {
		WeftExtent *extent = g_ptr_array_index(store->extents, i);
		if (extent->in_file == in_file && extent->n_used < extent->n_pages)
			return extent;
	}
	return NULL;
}

WeftPage *weft_page_take(WeftPageStore *store, GError **error)
{
	gboolean in_file = store->memory_max_bytes > 0 &&
			   (store->kinds[IN_MEMORY].n_used + 1) * store->page_bytes >
				   store->memory_max_bytes;
	Kind *kind = &store->kinds[in_file ? IN_FILE : IN_MEMORY];
	WeftExtent *extent = find_extent(store, in_file);
	if (!extent)
		extent = extent_new(store, in_file, error);
	if (!extent)
		return NULL;
	WeftPage *page;
	if (extent->free != NO_PAGE) {
		page = &extent->pages[extent->free];
		extent->free = page->next;
	} else {
		page = &extent->pages[extent->n_begun++];
	}
	*page = (WeftPage){.extent = extent, .n_holders = 1};
	extent->n_used++;
	kind->last = extent;
	kind->n_used++;
	store->n_used_max = MAX(store->n_used_max,
				store->kinds[IN_MEMORY].n_used + store->kinds[IN_FILE].n_used);
	return page;
}

void weft_page_release(WeftPageStore *store, WeftPage *page)
{
	if (!page || --page->n_holders > 0)
		return;
	WeftExtent *extent = page->extent;
	Kind *kind = &store->kinds[extent->in_file ? IN_FILE : IN_MEMORY];
	kind->n_used--;
	kind->last = NULL;
	if (--extent->n_used == 0) {
		g_ptr_array_remove(store->extents, extent);
		extent_free(store, extent);
		return;
	}
	if (store->returns_pages && !extent->in_file)
		(void)madvise(weft_page_data(store, page), store->page_bytes,
			      MADV_DONTNEED); /* a page that stays is only memory */
	page->next = extent->free;
	extent->free = (guint32)(page - extent->pages);
}

WeftPageUsage weft_page_store_usage(const WeftPageStore *store)
{
	const Kind *memory = &store->kinds[IN_MEMORY], *file = &store->kinds[IN_FILE];
	return (WeftPageUsage){
		.n_pages = memory->n_used + file->n_used,
		.memory_bytes = memory->n_used * store->page_bytes,
		.file_bytes = file->n_used * store->page_bytes,
		.peak_bytes = store->n_used_max * store->page_bytes,
		.disk_bytes = file->size_bytes,
	};
}
