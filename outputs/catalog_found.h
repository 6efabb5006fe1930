/* catalog_found.h - private: the rows of found.h. */
#ifndef WEFT_OUTPUTS_CATALOG_FOUND_H
#define WEFT_OUTPUTS_CATALOG_FOUND_H

#include "outputs/catalog.h"

/* Where the table is missing. */
gboolean weft_catalog_make_found(WeftCatalog *catalog, GError **error);

#endif
