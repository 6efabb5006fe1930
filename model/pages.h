/* pages.h - the memory of keys and values: pages of one size, in memory and, past a limit, in a file.
 *
 * Nothing is set aside beforehand: a page costs memory when it is written. Pages lie side by side
 * in extents, which grow with what is there (from 1 MiB of memory or 64 MiB of file up to 256 MiB
 * or 1 GiB), so that millions of pages need few mappings; a page's own record is 16 bytes.
 *
 * Which pages lie in the file: those asked for while the ones in memory take the whole limit. They
 * stay where they are until they are given back; a page asked for later lies in memory again when
 * there is room. So a long sequence has its beginning in memory and its end in the file, whichever
 * layer it is. What is computed from a page is the same wherever it lies.
 *
 * An extent of the file is an unlinked file of its own in `folder`, whose room on disk is taken
 * before it is used: a full disk is an error of who asked for the page, never a signal, and what
 * was there is gone with the process. Only a disk that fails to read back what it has stored kills
 * the process (SIGBUS).
 *
 * Nothing is hoarded: a page of memory that is given back returns to the system at once when it is
 * whole pages of the system, an extent of either kind with its last page. One thread at a time.
 */
#ifndef WEFT_MODEL_PAGES_H
#define WEFT_MODEL_PAGES_H

#include <glib.h>

typedef struct WeftExtent WeftExtent;

typedef struct WeftPage {
	WeftExtent *extent;
	guint32 n_holders; /* 0: free */
	guint32 next;      /* free page of the extent after this one */
} WeftPage;

typedef struct WeftPageStore WeftPageStore;

/* memory_max_bytes: of pages in memory, 0: no limit. folder: for the file, copied; must be there
 * when the limit is passed. */
WeftPageStore *weft_page_store_new(gsize page_bytes, gsize memory_max_bytes, const char *folder);
/* All pages must have been given back. */
void weft_page_store_free(WeftPageStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WeftPageStore, weft_page_store_free)

/* A page with one holder and any content. WEFT_ERROR_LIMIT: neither memory nor disk; WEFT_ERROR_IO:
 * the folder can't be used. */
WeftPage *weft_page_take(WeftPageStore *store, GError **error);
/* One holder less; without holders the page is free. */
void weft_page_release(WeftPageStore *store, WeftPage *page);

/* page_bytes of memory, aligned to 64 when page_bytes is a multiple of it. */
char *weft_page_data(const WeftPageStore *store, const WeftPage *page);

typedef struct WeftPageUsage {
	gsize n_pages;                 /* held by somebody */
	gsize memory_bytes, file_bytes; /* of those */
	gsize peak_bytes;              /* the most of both together so far */
	gsize disk_bytes;              /* that extents of the file take */
} WeftPageUsage;

WeftPageUsage weft_page_store_usage(const WeftPageStore *store);

#endif
