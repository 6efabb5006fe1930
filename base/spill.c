#include "base/spill.h"

#include <string.h>

#include "base/files.h"

/* Of one file; what is larger has one of its own. */
#define EXTENT_BYTES ((gsize)4 << 20)

typedef struct Extent {
	char *memory;
	gsize size_bytes;
} Extent;

struct WeftSpill {
	char *folder;
	GArray *extents; /* Extent */
	gsize n_used;    /* of the last one */
};

static void clear_extent(gpointer item)
{
	Extent *extent = item;

	weft_scratch_unmap(extent->memory, extent->size_bytes);
}

WeftSpill *weft_spill_new(const char *folder)
{
	WeftSpill *spill = g_new0(WeftSpill, 1);

	spill->folder = g_strdup(folder);
	spill->extents = g_array_new(FALSE, FALSE, sizeof(Extent));
	g_array_set_clear_func(spill->extents, clear_extent);
	return spill;
}

void weft_spill_free(WeftSpill *spill)
{
	if (!spill)
		return;
	g_array_unref(spill->extents);
	g_free(spill->folder);
	g_free(spill);
}

static gsize room_of(const WeftSpill *spill)
{
	const GArray *extents = spill->extents;

	return extents->len == 0 ? 0
				 : g_array_index(extents, Extent, extents->len - 1).size_bytes -
					   spill->n_used;
}

gpointer weft_spill_copy(WeftSpill *spill, gconstpointer data, gsize size_bytes, GError **error)
{
	if (spill->extents->len == 0 || room_of(spill) < size_bytes) {
		Extent extent = {.size_bytes = MAX(size_bytes, EXTENT_BYTES)};

		extent.memory = weft_scratch_map(spill->folder, extent.size_bytes, error);
		if (!extent.memory)
			return NULL;
		g_array_append_val(spill->extents, extent);
		spill->n_used = 0;
	}
	char *at = g_array_index(spill->extents, Extent, spill->extents->len - 1).memory +
		   spill->n_used;
	if (size_bytes > 0)
		memcpy(at, data, size_bytes);
	spill->n_used += size_bytes;
	return at;
}
