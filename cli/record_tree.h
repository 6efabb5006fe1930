/* record_tree.h - a record as it lies in the output folder, as one tree (piece by piece:
 * outputs/record_file.h). */
#ifndef WEFT_CLI_RECORD_TREE_H
#define WEFT_CLI_RECORD_TREE_H

#include <glib.h>

#include "base/json.h"

/* The whole record; WEFT_ERROR_IO, _LIMIT or _CORRUPT, with the path. Caller frees. */
WeftJson *weft_record_tree_read(const char *path, GError **error);

#endif
