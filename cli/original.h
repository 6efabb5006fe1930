/* original.h - the file that a record is about, as it was: at one of its paths, with the same bytes. */
#ifndef WEFT_CLI_ORIGINAL_H
#define WEFT_CLI_ORIGINAL_H

#include <glib.h>

/* A descriptor of the regular file at this path, when its SHA-256 is this one; -1: it is gone, can't be read,
 * or is another by now. Closed by the caller. */
int weft_original_open(const char *path, const char *sha256);

/* At the first of the paths (char *) where it is; *ret_path is borrowed from them. -1: at none. */
int weft_original_find(const GPtrArray *paths, const char *sha256, const char **ret_path);

#endif
