#include "outputs/search.h"

#include "base/error.h"
#include "outputs/catalog_search.h"
#include "outputs/outputs_private.h"

gboolean weft_outputs_put_text(WeftOutputs *outputs, const char *id, const char *path,
			       const WeftSearchText *text, GError **error)
{
	return weft_catalog_put_text(outputs->catalog, id, path, text, error);
}

GPtrArray *weft_outputs_search(WeftOutputs *outputs, const char *query, guint n_max,
			       gboolean *ret_is_cut, GError **error)
{
	if (!outputs->catalog) {
		g_autofree char *name = weft_path_display(outputs->folder);

		g_set_error(error, WEFT_ERROR, WEFT_ERROR_IO,
			    "%s: no catalogue here; weft rebuild-index makes it from the records",
			    name);
		return NULL;
	}
	return weft_catalog_search(outputs->catalog, query, n_max, ret_is_cut, error);
}
