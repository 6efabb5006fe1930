/* catalog_search.h - private: the words of all documents, in the catalogue.
 *
 * `text_of` gives each record id a number and keeps places and path, `text` is the FTS5 table with
 * that number as its rowid. It keeps the text itself, so that a changed document can be taken out
 * of the index without its old record, and a snippet needs no record.
 */
#ifndef WEFT_OUTPUTS_CATALOG_SEARCH_H
#define WEFT_OUTPUTS_CATALOG_SEARCH_H

#include "outputs/catalog.h"
#include "outputs/search_text.h"

/* Makes the tables where they are missing. */
gboolean weft_catalog_make_search(WeftCatalog *catalog, GError **error);

/* As weft_outputs_put_text. What is there already costs a look. */
gboolean weft_catalog_put_text(WeftCatalog *catalog, const char *id, const char *path,
			       const WeftSearchText *text, GError **error);

/* Takes a document out of the index; none is fine. Likewise. */
gboolean weft_catalog_erase_text(WeftCatalog *catalog, const char *id, GError **error);

/* As weft_outputs_search. */
GPtrArray *weft_catalog_search(WeftCatalog *catalog, const char *query, guint n_max,
			       gboolean *ret_is_cut, GError **error);

#endif
